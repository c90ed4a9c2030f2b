"""Parametric survival models by formula: lifelines' accelerated failure time fitters."""

from __future__ import annotations

from typing import Any

import pandas as pd


def parametric(
    persons: pd.DataFrame,
    formula: str,
    *,
    duration: str,
    event: str,
    entry: str | None = None,
    weight: str | None = None,
    distribution: str = "weibull",
) -> Any:
    """Estimate how characteristics stretch or shorten the time to the event.

    Parameters
    ----------
    persons
        One row per person, as in `regression.cox`; durations above 0. Persons who lack a covariate
        are left out.
    formula
        The covariates, such as "age + stage".
    distribution
        "weibull", "log-normal" or "log-logistic".

    Returns
    -------
    The fitted lifelines object (`WeibullAFTFitter` and its like): `.summary` has the coefficients
    (on the logarithm of time: exp(coef) is the ratio of times), `.predict_survival_function` and
    its plots work as lifelines documents them.

    Raises
    ------
    DataError, StudyError
        Columns, values or a formula that cannot be used; a duration of 0; no finite estimate.

    References
    ----------
    Kalbfleisch and Prentice, 2002, chapter 3; Davidson-Pilon, 2019 (lifelines).
    """
    # lifelines takes a second to import, and only this needs it
    from workbench.analysis.regression.lifelines_doors import fit_parametric

    return fit_parametric(
        persons,
        formula,
        duration=duration,
        event=event,
        entry=entry,
        weight=weight,
        distribution=distribution,
    )
