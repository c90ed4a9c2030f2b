"""Crude rates: events over person-years."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.rates.poisson_limits import poisson_limits
from workbench.analysis.rates.tables import refuse_none, sums_within


def rate(
    table: pd.DataFrame, *, events: str = "events", person_years: str = "person_years",
    by: str | Sequence[str] | None = None, per: float = 1.0, confidence: float = 0.95,
    interval: str = "exact",
) -> pd.DataFrame:  # fmt: skip
    """Tell how often the event happens for each person-year (crude rate).

    Parameters
    ----------
    table
        Rows with events and person-years, as `person_time` gives them; added up within `by`.
    per
        Give the rate for so many person-years (1000, 100 000).
    interval
        "exact" (Garwood), "mid-p", "byar", "profile" or "wald", of the number of events.

    Returns
    -------
    One row per group: the columns of `by`, `events`, `person_years`, `estimate`, `lower`, `upper`.
    Without events the estimate and the lower limit are 0 ("wald": no limits).

    Raises
    ------
    DataError, StudyError
        Columns or numbers that cannot be used; a group without person-years.

    References
    ----------
    Garwood, Biometrika 1936;28:437-442; Breslow and Day, 1987, section 2.3.
    """
    sums = sums_within(table, [events, person_years], by)
    counted, years = sums[events].to_numpy(float), sums[person_years].to_numpy(float)
    refuse_none(years, person_years)
    lower, upper = poisson_limits(counted, confidence, interval)
    facts = {"estimate": counted, "lower": lower, "upper": upper}
    found = sums[inputs.names_of(by)].assign(events=counted.astype(np.int64), person_years=years)
    return found.assign(**{name: values / years * per for name, values in facts.items()})
