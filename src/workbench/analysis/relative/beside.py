"""Observed, expected and net survival of the same persons, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from workbench.analysis import inputs, survival
from workbench.analysis.relative.expected import expected_survival
from workbench.analysis.relative.life_table import LifeTable
from workbench.analysis.relative.survival import net_survival


def survival_beside_population(
    persons: pd.DataFrame,
    life_table: LifeTable,
    *,
    duration: str,
    event: str,
    age: str,
    sex: str,
    start_date: str,
    times: Sequence[float],
    by: str | Sequence[str] | None = None,
    unit: str = "days",
    age_unit: str = "years",
    sex_codes: Mapping[object, object] | None = None,
) -> pd.DataFrame:
    """Show how patients live, how people like them live, and what the disease alone leaves.

    Parameters
    ----------
    persons, life_table, duration, event, age, sex, start_date, by, unit, age_unit, sex_codes
        As in `net_survival`.
    times
        Times to report, in `unit`; 0 is added.

    Returns
    -------
    What `net_survival` gives (Pohar Perme) at 0 and the times asked for, and then `observed`
    (Kaplan-Meier) and `expected` (Ederer I: everybody followed throughout), both 0-1. Refuses
    what those refuse (DataError, StudyError).
    """
    asked = [0.0, *(float(time) for time in inputs.check_times(times) if time > 0)]
    net = net_survival(
        persons, life_table, duration=duration, event=event, age=age, sex=sex,
        start_date=start_date, by=by, times=asked, unit=unit, age_unit=age_unit,
        sex_codes=sex_codes,
    )  # fmt: skip
    observed = survival.kaplan_meier(persons, duration=duration, event=event, by=by, times=asked)
    expected = expected_survival(
        persons, life_table, age=age, sex=sex, start_date=start_date, by=by, times=asked,
        unit=unit, age_unit=age_unit, sex_codes=sex_codes,
    )  # fmt: skip
    names = [*inputs.names_of(by), "time"]
    found = net.merge(_named(observed, names, "observed"), on=names, how="left")
    found = found.merge(_named(expected, names, "expected"), on=names, how="left")
    found.attrs = dict(net.attrs)
    return found


def _named(curve: pd.DataFrame, names: list[str], word: str) -> pd.DataFrame:
    return curve[[*names, "estimate"]].rename(columns={"estimate": word})
