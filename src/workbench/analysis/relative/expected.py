"""Expected survival: how long people like the patients live, by the life table alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.relative.life_table import LifeTable
from workbench.analysis.relative.patients import Patients, days_in, read_patients
from workbench.analysis.relative.steps import cut_at, sum_over_risk_sets
from workbench.analysis.relative.walk import cumulative_hazard, risk_set_hazard
from workbench.errors import StudyError

METHODS = ("ederer1", "ederer2", "conditional", "hakulinen", "individual")


def expected_curve(
    patients: Patients, times: np.ndarray, potential: np.ndarray | None
) -> np.ndarray:
    """Expected survival of one group at times (days, sorted, above 0), crossing cells exactly.

    Without `potential` everybody stays (Ederer I: the mean of each patient's own expected
    survival); with it, patients leave when their potential follow-up ends (Hakulinen).
    """
    n = len(patients.time)
    longest = np.full(n, times[-1])
    until = longest if potential is None else np.minimum(potential, longest)
    grid = cut_at(np.concatenate([times, until]))
    found = sum_over_risk_sets(patients, grid, sign=-1, exact=True, until=until)
    if potential is None:
        return found.weight1 / n
    leaves = np.bincount(np.searchsorted(grid.times, until), np.exp(-found.hazard))
    # at the last time all who are left leave the sum; no ratio needs it
    before = np.append(n, (found.weight1 - leaves)[:-1])
    curve = np.cumprod(found.weight1 / before)
    return curve[np.searchsorted(grid.times, times)]


def expected_survival(
    persons: pd.DataFrame,
    life_table: LifeTable,
    *,
    age: str,
    sex: str,
    start_date: str,
    times: Sequence[float] | None = None,
    duration: str | None = None,
    by: str | Sequence[str] | None = None,
    method: str = "ederer1",
    unit: str = "days",
    age_unit: str = "years",
    sex_codes: Mapping[object, object] | None = None,
) -> pd.DataFrame:
    """Tell how many people of the same age, sex and calendar year would be alive.

    Parameters
    ----------
    persons, life_table, age, sex, start_date, by, unit, age_unit, sex_codes
        As in `net_survival`.
    times
        Times to report, in `unit`; not with "individual".
    duration
        Follow-up (for "hakulinen" the potential follow-up, until the closing date); not needed by
        "ederer1".
    method
        "ederer1": mean of each person's expected survival, everybody followed throughout;
        "ederer2" or "conditional" (the same): the population hazard of who is still followed;
        "hakulinen": as ederer1, persons leaving when their potential follow-up ends;
        "individual": each person's own expected survival and hazard at the end of follow-up.

    Returns
    -------
    One row per group and time: the columns of `by`, `time`, `at_risk` (persons counted in it),
    `estimate` (0-1, never rises; missing when nobody is left). For "individual": one row a
    person, in the order and with the index of `persons`: `estimate` and `cumulative_hazard`.
    Cells are crossed at the very day of a birthday or new year.

    Raises
    ------
    DataError, StudyError
        As `net_survival`; a method that lacks its duration or times.

    References
    ----------
    Ederer, Axtell and Cutler, 1961; Hakulinen, 1982; Verheul et al., 1993. As survexp of R's
    package survival with ratetables.
    """
    if method not in METHODS:
        raise StudyError(f"method: expected one of {', '.join(METHODS)}.")
    if duration is None and method != "ederer1":
        raise StudyError(f'method "{method}" needs duration=, the column with the follow-up.')
    if times is None and method != "individual":
        raise StudyError("times: expected the times to report.")
    frame = persons
    if duration is None:
        inputs.check_frame(persons, [age])
        duration, frame = "\0duration", persons.assign(**{"\0duration": 0.0})
    patients = read_patients(
        frame, life_table, duration=duration, event=None, age=age, sex=sex,
        start_date=start_date, by=by, age_unit=age_unit, unit=unit, sex_codes=sex_codes,
    )  # fmt: skip
    if times is None or method == "individual":
        hazard = cumulative_hazard(patients, patients.time)
        facts = {"estimate": np.exp(-hazard), "cumulative_hazard": hazard}
        return pd.DataFrame(facts, index=persons.index)
    asked = inputs.check_times(times)
    days = days_in(unit, life_table)
    return patients.by_group(lambda group: _at(group, asked * days, method).assign(time=asked))


def _at(group: Patients, asked: np.ndarray, method: str) -> pd.DataFrame:
    if method == "ederer1":
        n_followed = np.full(len(asked), len(group.time))
    else:
        n_followed = (group.time[:, None] >= asked).sum(axis=0)
    estimate = np.where(n_followed > 0, 1.0, np.nan)
    within = (asked > 0) & (n_followed > 0)
    if within.any() and method in ("ederer1", "hakulinen"):
        potential = None if method == "ederer1" else group.time
        estimate[within] = expected_curve(group, asked[within], potential)
    elif within.any():
        estimate[within] = _conditional(group, asked[within])
    return pd.DataFrame({"time": asked, "at_risk": n_followed, "estimate": estimate})


def _conditional(group: Patients, times: np.ndarray) -> np.ndarray:
    grid = np.unique(np.append(group.time[group.time > 0], times))
    at_risk = len(group.time) - np.searchsorted(np.sort(group.time), grid, side="left")
    steps = np.diff(risk_set_hazard(group, grid), prepend=0.0) / np.maximum(at_risk, 1)
    curve: np.ndarray = np.exp(-np.cumsum(steps))
    return curve[np.searchsorted(grid, times)]
