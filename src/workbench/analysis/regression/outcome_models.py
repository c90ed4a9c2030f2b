"""Models for outcomes that are yes or no, counts or numbers, with robust standard errors.

Persons with a missing outcome or covariate are left out and counted. What has no answer (an outcome
that is the same for everyone, separation, collinear terms, no convergence) is refused with the
terms' names.

Agreement with R's glm, lm, MASS::glm.nb and sandwich::vcovCL:
tests/reference/test_outcome_models_against_r.py.
"""

from __future__ import annotations

import pandas as pd

from workbench.analysis.regression.outcome_fit import OutcomeFit
from workbench.analysis.regression.outcome_fitting import fit_outcome


def logistic(
    persons: pd.DataFrame,
    formula: str,
    *,
    cluster: str | None = None,
    weight: str | None = None,
    offset: str | None = None,
    confidence: float = 0.95,
) -> OutcomeFit:
    """Estimate how the odds of an outcome depend on the persons' characteristics (logistic).

    Parameters
    ----------
    persons
        One row per person. The outcome is 0 or 1, or yes/no. Persons who lack the outcome or a
        covariate are left out and counted.
    formula
        The outcome and the covariates: "died ~ age + stage" or "died ~ rcs(age, 4) * sex". Text,
        yes/no and categories are categories; the first one is the reference.
    cluster
        Column whose persons belong together (a hospital, a person with several rows): standard
        errors are then robust, from the clusters' sums, times G / (G - 1) for G clusters.
    weight
        Column of weights above 0. Where some are not whole numbers they stand for sampling or
        propensity, and standard errors are robust (each row a cluster, unless `cluster`).
    offset
        Column that is added to the linear predictor with coefficient 1.
    confidence
        Level of the intervals.

    Returns
    -------
    `OutcomeFit`, with `odds_ratio`.

    Raises
    ------
    DataError, StudyError
        Columns, values or a formula that cannot be used; an outcome everybody or nobody has; a
        level where everybody or nobody has it; collinear terms; separation; no convergence; fewer
        than two clusters.

    References
    ----------
    McCullagh and Nelder, Generalized Linear Models, 1989; Liang and Zeger, Biometrika
    1986;73:13-22 (clusters).
    """
    columns = {"cluster": cluster, "weight": weight, "offset": offset}
    return fit_outcome("logistic", persons, formula, **columns, confidence=confidence)


def poisson(
    persons: pd.DataFrame,
    formula: str,
    *,
    exposure: str | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    offset: str | None = None,
    confidence: float = 0.95,
) -> OutcomeFit:
    """Estimate how a rate or a count depends on characteristics (Poisson, log link).

    With a yes/no outcome and `cluster` naming the person, this gives risk ratios with honest
    standard errors (modified Poisson).

    Parameters
    ----------
    persons, formula, cluster, weight, offset, confidence
        As in `logistic`; the outcome is a count: 0, 1, 2 ...
    exposure
        Column with the time at risk (person-years), above 0: the model is then of the rate.

    Returns
    -------
    `OutcomeFit`, with `rate_ratio`.

    Raises
    ------
    DataError, StudyError
        As `logistic`; counts that are negative or not whole; exposure of 0.

    References
    ----------
    McCullagh and Nelder, 1989; Zou, Am J Epidemiol 2004;159:702-706 (modified Poisson).
    """
    columns = {"cluster": cluster, "weight": weight, "offset": offset, "exposure": exposure}
    return fit_outcome("poisson", persons, formula, **columns, confidence=confidence)


def negative_binomial(
    persons: pd.DataFrame,
    formula: str,
    *,
    exposure: str | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    offset: str | None = None,
    confidence: float = 0.95,
) -> OutcomeFit:
    """Estimate how a count depends on characteristics where counts vary more than Poisson's.

    Variance = mean + dispersion x mean^2; standard errors are those at the estimated dispersion.

    Parameters
    ----------
    persons, formula, exposure, cluster, weight, offset, confidence
        As in `poisson`.

    Returns
    -------
    `OutcomeFit`, with `rate_ratio` and `dispersion`.

    Raises
    ------
    DataError, StudyError
        As `poisson`; counts that vary no more than Poisson's.

    References
    ----------
    Lawless, Can J Stat 1987;15:209-225.
    """
    columns = {"cluster": cluster, "weight": weight, "offset": offset, "exposure": exposure}
    return fit_outcome("negative_binomial", persons, formula, **columns, confidence=confidence)


def linear(
    persons: pd.DataFrame,
    formula: str,
    *,
    cluster: str | None = None,
    weight: str | None = None,
    offset: str | None = None,
    confidence: float = 0.95,
) -> OutcomeFit:
    """Estimate how the mean of a number depends on characteristics (least squares).

    Parameters
    ----------
    persons, formula, weight, offset, confidence
        As in `logistic`; the outcome is a number. Weights are inverse to the variance, as in R.
    cluster
        As in `logistic`; the factor is G / (G - 1) x (n - 1) / (n - p).

    Returns
    -------
    `OutcomeFit` without a ratio column. Intervals and p-values are those of the t distribution with
    n - p degrees of freedom, or G - 1 where standard errors are robust.

    Raises
    ------
    DataError, StudyError
        As `logistic`; fewer persons than terms; an outcome without variation around the model.

    References
    ----------
    Liang and Zeger, Biometrika 1986;73:13-22 (clusters).
    """
    columns = {"cluster": cluster, "weight": weight, "offset": offset}
    return fit_outcome("linear", persons, formula, **columns, confidence=confidence)
