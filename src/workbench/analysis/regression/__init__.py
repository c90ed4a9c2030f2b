"""Regression models for outcomes of persons, and what belongs around them."""

from workbench.analysis.regression.balance import balance_table
from workbench.analysis.regression.concordance import Concordance, concordance
from workbench.analysis.regression.cox import cox
from workbench.analysis.regression.cox_fit import CoxFit
from workbench.analysis.regression.imputation import Imputed, impute
from workbench.analysis.regression.outcome_fit import OutcomeFit
from workbench.analysis.regression.outcome_models import (
    linear,
    logistic,
    negative_binomial,
    poisson,
)
from workbench.analysis.regression.parametric import parametric
from workbench.analysis.regression.piecewise import piecewise_exponential
from workbench.analysis.regression.rubin import PooledFit, combine, pool
from workbench.analysis.regression.sensitivity import e_value
from workbench.analysis.regression.splines import rcs
from workbench.analysis.regression.standardised_risk import StandardisedRisk, standardised_risk
from workbench.analysis.regression.weighting import Weights, inverse_probability_weights

__all__ = [
    "Concordance",
    "CoxFit",
    "Imputed",
    "OutcomeFit",
    "PooledFit",
    "StandardisedRisk",
    "Weights",
    "balance_table",
    "combine",
    "concordance",
    "cox",
    "e_value",
    "impute",
    "inverse_probability_weights",
    "linear",
    "logistic",
    "negative_binomial",
    "parametric",
    "piecewise_exponential",
    "poisson",
    "pool",
    "rcs",
    "standardised_risk",
]
