"""Covariates that change during follow-up: start-stop rows, and a guard against immortal time.

A person's follow-up is cut on the day of every change. A row (begin, stop] holds the values known
at its begin, so that an event on the day of a change counts for the value before it. Nothing that
is known later ever reaches an earlier row.

Method: Andersen and Gill, 1982 (counting process); Suissa, Am J Epidemiol 2008;167:492-499
(immortal time).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.rates.time_scales import read_dates
from workbench.errors import DataError, StudyError, gathered

ROWS = ("begin", "stop")


def start_stop_rows(
    persons: pd.DataFrame,
    changes: pd.DataFrame,
    *,
    person: str,
    start: str,
    end: str,
    event: str,
    changed_on: str,
    values: Sequence[str],
) -> pd.DataFrame:
    """Cut each person's follow-up where a value changes, so that a model knows it in time only.

    Parameters
    ----------
    persons
        One row per person: `person` (who), `start` and `end` dates, `event` 0 or 1 at the end.
        Columns named in `values` hold what is known at the start; those not there are missing
        until the first change.
    changes
        One row per change: `person`, `changed_on` (a date), and the columns of `values`; a missing
        value leaves what was known. Changes up to the start count from the start; changes on or
        after the end, and of persons who are not in `persons`, count for nothing.

    Returns
    -------
    One row per person and stretch, in order: the columns of `persons` with `values` as known at its
    begin, `begin` and `stop` in days since the start (begin < stop), `event` in the last row only.
    Who ends on the day of the start has no row. `attrs["not_used"]`: changes on or after the end,
    changes of others, and persons without follow-up. For `regression.cox` give entry="begin",
    duration="stop", cluster=person.

    Raises
    ------
    DataError, StudyError
        Columns or dates that cannot be used; a person twice; two changes of one person on one day
        that say different things.
    """
    columns = list(values)
    _check(persons, changes, person, [start, end, event], changed_on, columns)
    faults: list[str] = []
    begin, stop = read_dates(persons, start, faults), read_dates(persons, end, faults)
    # nobody may have changed at all
    day = read_dates(changes, changed_on, faults) if len(changes) else np.zeros(0)
    if n_wrong := int((stop < begin).sum()):
        faults.append(f'column "{end}": before "{start}" in {n_wrong} rows')
    if faults:
        raise DataError(gathered("time-varying: some dates cannot be used.", faults))
    followed = pd.DataFrame({person: persons[person].to_numpy(), "_from": begin, "_to": stop})
    followed["_place"] = np.arange(len(followed))
    facts = changes[[person, *columns]].assign(_day=day).merge(followed, on=person, how="left")
    used = facts[facts["_day"] < facts["_to"]]
    known = (
        persons.reindex(columns=columns).reset_index(drop=True).assign(_place=range(len(persons)))
    )
    marks = pd.concat(
        [
            known.assign(_at=0.0, _order=-np.inf),
            used[[*columns, "_place"]].assign(
                _at=np.maximum(used["_day"] - used["_from"], 0.0), _order=used["_day"]
            ),
        ],
        ignore_index=True,
    )
    rows = _carried_forward(marks, columns)
    found = _rows(persons, rows, columns, followed, event)
    found.attrs["not_used"] = {
        "changes on or after the end": int((facts["_day"] >= facts["_to"]).sum()),
        "changes of others": int(facts["_place"].isna().sum()),
        "persons without follow-up": int((stop == begin).sum()),
    }
    return found


def check_spells(
    rows: pd.DataFrame, *, person: str, begin: str = "begin", stop: str = "stop", gaps: bool = False
) -> None:
    """Refuse start-stop rows that overlap, have no length or (unless `gaps`) leave time out.

    Raises
    ------
    DataError
        With how many rows are at fault, of which kind.
    """
    inputs.check_frame(rows, [person, begin, stop])
    order = rows[[person, begin, stop]].sort_values([person, begin, stop], kind="stable")
    who, first, last = (order[name].to_numpy() for name in (person, begin, stop))
    same = np.append(False, who[1:] == who[:-1])
    before = np.append(np.nan, last[:-1].astype(float))
    faults = []
    if n := int((~(last > first)).sum()):
        faults.append(f"{n} rows have no length or end before they begin")
    if n := int((same & (first < before)).sum()):
        faults.append(f"{n} rows overlap the one before of the same person")
    if not gaps and (n := int((same & (first > before)).sum())):
        faults.append(f"{n} rows leave a gap after the one before of the same person")
    if faults:
        raise DataError(gathered("rows: these are not the spells of persons.", faults))


def refuse_immortal_time(persons: pd.DataFrame, *, start: str, known_on: Mapping[str, str]) -> None:
    """Refuse covariates that were known only after the start of follow-up.

    Who has such a value had to live until it became known: time that cannot hold an event
    (immortal time), which makes the group look better than it is.

    Parameters
    ----------
    known_on
        Covariate -> the column with the date on which it became known (missing: never).

    Raises
    ------
    DataError
        With each covariate and how many persons it concerns, and what to do instead.
    """
    faults: list[str] = []
    begin = read_dates(persons, start, faults)
    inputs.check_frame(persons, [*known_on, *known_on.values()])
    for covariate, column in known_on.items():
        known = persons[persons[column].notna()]
        day = read_dates(known, column, faults) if len(known) else np.zeros(0)
        own = begin[persons[column].notna().to_numpy()]
        if n_later := int((day > own).sum()):
            faults.append(f'column "{covariate}": known after the start for {n_later} persons')
    if faults:
        told = "Follow persons from that day, or cut follow-up there (start_stop_rows)."
        raise DataError(gathered(f"persons: immortal time. {told}", faults))


def _check(
    persons: pd.DataFrame, changes: pd.DataFrame, person: str, needed: list[str], changed_on: str,
    values: list[str],
) -> None:  # fmt: skip
    inputs.check_frame(persons, [person, *needed])
    if not values:
        raise StudyError("values: expected one or more columns that change.")
    missing = [name for name in (person, changed_on, *values) if name not in changes.columns]
    if missing:
        raise DataError(f"changes: no column {', '.join(missing)}.")
    if taken := [name for name in ROWS if name in persons.columns]:
        raise DataError(f"persons: {', '.join(taken)} are columns of the result. Rename them.")
    if n_twice := int(persons[person].duplicated().sum()):
        raise DataError(f'persons: column "{person}" repeats a person in {n_twice} rows.')
    happened = pd.to_numeric(persons[needed[2]], errors="coerce")
    if n_odd := int((~happened.isin([0, 1])).sum()):
        raise DataError(f'persons: column "{needed[2]}": neither 0 nor 1 in {n_odd} rows.')
    said = changes.drop_duplicates([person, changed_on, *values])
    if n_double := int(said.duplicated([person, changed_on]).sum()):
        raise DataError(
            f"changes: {n_double} say something else of a person and day than another. Keep one "
            "for each day."
        )


def _carried_forward(marks: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """One row a person and time of change, with the last known values; of one time the last."""
    ordered = marks.sort_values(["_place", "_at", "_order"], kind="stable")
    filled = ordered.groupby("_place")[columns].ffill()
    kept = ordered[["_place", "_at"]].join(filled)
    return kept.drop_duplicates(["_place", "_at"], keep="last").reset_index(drop=True)


def _rows(
    persons: pd.DataFrame,
    rows: pd.DataFrame,
    columns: list[str],
    followed: pd.DataFrame,
    event: str,
) -> pd.DataFrame:
    place = rows["_place"].to_numpy().astype(int)
    length = (followed["_to"] - followed["_from"]).to_numpy()[place]
    is_last = np.append(place[1:] != place[:-1], True)
    stop = np.where(is_last, length, np.append(rows["_at"].to_numpy()[1:], 0.0))
    found = (
        persons.iloc[place]
        .reset_index(drop=True)
        .assign(**{name: rows[name] for name in columns}, begin=rows["_at"], stop=stop)
    )
    found[event] = np.where(is_last, found[event], 0)
    return found[found["begin"] < found["stop"]].reset_index(drop=True)
