"""How right a register is: cases drawn for re-abstraction, and what the second look found.

samples       how many cases, which ones (by seed, from every unit), and what they say of them all
kappas        agreement beyond chance of categories, plain and weighted
correlations  agreement of numbers: intraclass correlation, limits of agreement
accuracies    sensitivity, predictive values
comparisons   all variables of a validation, each by its kind
"""

from workbench.analysis.agreement.accuracies import accuracy
from workbench.analysis.agreement.comparisons import Compared, compare
from workbench.analysis.agreement.correlations import icc, limits_of_agreement
from workbench.analysis.agreement.kappas import kappa, kappa_of_table
from workbench.analysis.agreement.samples import draw_sample, of_strata, sample_size

__all__ = [
    "Compared",
    "accuracy",
    "compare",
    "draw_sample",
    "icc",
    "kappa",
    "kappa_of_table",
    "limits_of_agreement",
    "of_strata",
    "sample_size",
]
