"""Patients beside a life table: follow-up in days, and where each of them starts in the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.relative.life_table import EPOCH, LifeTable
from workbench.errors import DataError, StudyError, gathered

UNITS = ("days", "months", "years")
OLDEST = 130.0


@dataclass(frozen=True, eq=False)
class Patients:
    """Checked patients, one element each; every time in days.

    `time` is the end of follow-up and `entry` the start of being at risk, both since start of
    follow-up; `age` is at start, `date` the start in days since 1970 (moved back to the birthday's
    new year where the life table turns there). `potential` is the follow-up a patient could have
    had (who died: until the last day on which anyone is followed), `log_weight` the log of the
    patient's own weight, `row` the line of the life table, `number` the group. `notes` tells who
    lies outside the life table, counted.
    """

    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray
    age: np.ndarray
    date: np.ndarray
    potential: np.ndarray
    log_weight: np.ndarray
    row: np.ndarray
    number: np.ndarray
    groups: pd.DataFrame
    table: LifeTable
    notes: tuple[str, ...] = field(default=())

    def of(self, who: np.ndarray) -> Patients:
        """Give some of the patients, in the order asked."""
        names = (
            "time",
            "event",
            "entry",
            "age",
            "date",
            "potential",
            "log_weight",
            "row",
            "number",
        )
        return replace(self, **{name: getattr(self, name)[who] for name in names})

    def by_group(self, estimate: Callable[[Patients], pd.DataFrame]) -> pd.DataFrame:
        """One table of each group's estimate, the groups' columns in front, notes in `attrs`."""
        parts = []
        for number in np.unique(self.number):
            part = estimate(self.of(np.flatnonzero(self.number == number)))
            label = self.groups.iloc[[number] * len(part)].reset_index(drop=True)
            parts.append(pd.concat([label, part.reset_index(drop=True)], axis=1))
        table = pd.concat(parts, ignore_index=True)
        table.attrs["notes"] = list(self.notes)
        return table


def days_in(unit: str, table: LifeTable) -> float:
    """How many days one unit of the durations has (a year as the life table's)."""
    if unit not in UNITS:
        raise StudyError(f"unit: expected one of {', '.join(UNITS)}.")
    return {"days": 1.0, "months": table.days_per_year / 12, "years": table.days_per_year}[unit]


def read_patients(
    persons: pd.DataFrame,
    table: LifeTable,
    *,
    duration: str,
    event: str | None,
    age: str,
    sex: str,
    start_date: str,
    by: str | Sequence[str] | None = None,
    age_unit: str = "years",
    unit: str = "days",
    sex_codes: Mapping[object, object] | None = None,
    period: tuple[object, object] | None = None,
) -> Patients:
    """Check patients and find each in the life table.

    Raises
    ------
    DataError, StudyError
        As `inputs.check_follow_up`; ages or dates that are missing or cannot be; sexes that the
        table does not know; nobody under observation in the period.
    """
    if not isinstance(table, LifeTable):
        raise StudyError("life_table: expected a LifeTable, as LifeTable.from_frame gives.")
    if age_unit not in ("years", "days"):
        raise StudyError('age_unit: expected "years" or "days".')
    names = inputs.names_of(by)
    inputs.check_frame(persons, [duration, age, sex, start_date, *names])
    checked = persons if event is not None else persons.assign(**{"\0event": 0})
    follow_up = inputs.check_follow_up(checked, duration=duration, event=event or "\0event")
    inputs.check_groups(persons, names)
    ages, dates = _ages(persons, age, age_unit, table), _dates(persons, start_date)
    time = follow_up.time * days_in(unit, table)
    closing = (dates + time).max()
    found = Patients(
        time=time,
        event=follow_up.event,
        entry=np.zeros(len(ages)),
        age=ages,
        date=dates,
        potential=np.where(follow_up.event, closing - dates, time),
        log_weight=np.zeros(len(ages)),
        row=table.row_of(persons, sex, sex_codes),
        number=inputs.group_numbers(persons, names),
        groups=_groups(persons, names),
        table=table,
    )
    if period is not None:
        found = _within(found, period)
    if table.turns_at_birthday:
        found = replace(found, date=found.date - _since_new_year(found.date - found.age))
    return replace(found, notes=(*table.notes, *found.notes, *_outside(found)))


def _since_new_year(born: np.ndarray) -> np.ndarray:
    """Days from 1 January to the birthday, by the day of birth in days since 1970."""
    year = np.floor(born).astype("datetime64[D]").astype("datetime64[Y]")
    return born - year.astype("datetime64[D]").astype(float)


def _groups(persons: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    if not names:
        return pd.DataFrame(index=range(1))
    return persons[names].drop_duplicates().sort_values(names).reset_index(drop=True)


def _ages(persons: pd.DataFrame, column: str, unit: str, table: LifeTable) -> np.ndarray:
    values = persons[column]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        raise DataError(f'persons, column "{column}": holds {values.dtype}; expected an age.')
    ages = values.to_numpy(dtype=float, na_value=np.nan)
    ages = ages if unit == "days" else ages * table.days_per_year
    faults = []
    if (n_missing := int(np.isnan(ages).sum())) > 0:
        faults.append(f'column "{column}": missing in {n_missing} rows')
    if (n_wrong := int(((ages < 0) | (ages > OLDEST * table.days_per_year)).sum())) > 0:
        faults.append(f'column "{column}": below 0 or above {OLDEST:.0f} years in {n_wrong} rows')
    if faults:
        advice = 'Ages are taken in years; for ages in days say age_unit="days".'
        raise DataError(gathered(f"persons: some ages cannot be used. {advice}", faults))
    return ages


def _dates(persons: pd.DataFrame, column: str) -> np.ndarray:
    values = persons[column]
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        kind = pd.api.types.infer_dtype(values, skipna=True)
        if kind not in ("date", "datetime"):
            raise DataError(
                f'persons, column "{column}": holds {kind}; expected dates. '
                "Turn it into dates with pandas.to_datetime first."
            )
        values = pd.to_datetime(values)
    if (n_missing := int(values.isna().sum())) > 0:
        raise DataError(
            f'persons, column "{column}": missing in {n_missing} rows. Mend these rows or leave '
            "them out, counted."
        )
    if values.dt.tz is not None:
        values = values.dt.tz_localize(None)
    return ((values - EPOCH) / pd.Timedelta(days=1)).to_numpy(dtype=float)


def _within(patients: Patients, period: tuple[object, object]) -> Patients:
    """Keep who is under observation in the period, at risk only inside it."""
    try:
        first, until = (pd.Timestamp(day) for day in period)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise StudyError('period: expected two dates, such as ("2008-01-01", "2013-01-01").') from (
            error
        )
    if pd.isna(first) or pd.isna(until) or not first < until:
        raise StudyError("period: expected two dates, the first before the second.")
    begin, end = ((day - EPOCH) / pd.Timedelta(days=1) for day in (first, until))
    entry = np.maximum(begin - patients.date, 0.0)
    # an event on the last day of the window (the day before `until`) counts
    closing = end - patients.date
    inside = (entry < patients.time) & (closing > 0)
    if not inside.any():
        raise DataError("period: nobody is under observation in it. Check its two dates.")
    cut = patients.time > closing
    moved = replace(
        patients,
        entry=entry,
        time=np.where(cut, closing, patients.time),
        event=patients.event & ~cut,
        notes=(f"{int((~inside).sum())} persons have no follow-up within the period",),
    )
    return moved.of(np.flatnonzero(inside))


def _outside(patients: Patients) -> list[str]:
    table, notes = patients.table, []
    last_day, oldest = patients.date + patients.time, patients.age + patients.time
    after_last = oldest >= table.ages[-1] + table.days_per_year
    for outside, what in (
        (patients.date < table.years[0], "begin before the life table's first year"),
        (last_day > table.end, "are followed past the life table's last year"),
        (patients.age < table.ages[0], "are younger than the life table's first age"),
        (after_last, "reach an age above the life table's last"),
    ):
        if outside.any():
            notes.append(f"{int(outside.sum())} persons {what}: the nearest cell is used")
    return notes
