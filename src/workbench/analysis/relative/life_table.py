"""Life tables: how often people of an age, sex and calendar year die in the general population.

A table is kept as one dense array of hazards per day, [row, year, age], where a row is one sex
(of one region or other own stratum). A cell holds from its first day until the next cell begins;
before the first and after the last cell of a table the nearest one holds, and is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.relative import table_files
from workbench.errors import DataError, StudyError, gathered

# relsurv's year; R's survival package and its tables use 365.25
DAYS_PER_YEAR = 365.241
# a yearly hazard above this is a probability in per cent or a rate per 1000, not a hazard
HIGHEST_YEARLY = 20.0
EPOCH = pd.Timestamp("1970-01-01")


@dataclass(frozen=True, eq=False)
class LifeTable:
    """Mortality of a general population, ready for expected and net survival.

    Attributes
    ----------
    hazard
        Hazard per person-day, array [row, year, age].
    rows
        One line per row of the array: `sex` and the table's own strata.
    ages
        Days from birth on which each age begins (whole years times `days_per_year`).
    years
        Days since 1 January 1970 on which each calendar year begins.
    turns_at_birthday
        Whether a person moves to the next calendar year on a birthday, not on 1 January.
    last_year
        The last calendar year; it holds until its 31 December, and is the nearest afterwards.
    notes
        What was decided while reading: years that stand for later ones, ages filled.
    """

    hazard: np.ndarray
    rows: pd.DataFrame
    ages: np.ndarray
    years: np.ndarray
    last_year: int
    days_per_year: float = DAYS_PER_YEAR
    turns_at_birthday: bool = False
    notes: tuple[str, ...] = ()

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        age: str,
        year: str,
        sex: str,
        hazard: str | None = None,
        probability: str | None = None,
        per: str = "year",
        strata: Sequence[str] = (),
        days_per_year: float = DAYS_PER_YEAR,
        turns_at_birthday: bool = False,
    ) -> LifeTable:
        """Make a life table of a frame with one row per sex, calendar year and year of age.

        Parameters
        ----------
        age, year
            Columns with completed years of age and calendar years, whole numbers.
        sex
            Column with the sex, in any codes; patients must use the same or be mapped to them.
        hazard, probability
            One of the two: the column with the hazard (`per` "year" or "day", 0 or more), or with
            the yearly probability of dying (0-1), turned into -log(1 - q) / days_per_year.
        strata
            Further columns by which the table is divided, such as region: named as in patients.
        days_per_year
            Length of a year of age: 365.241 as R's relsurv, 365.25 as R's survexp tables.

        turns_at_birthday
            Move a person to the next calendar year on the birthday, together with the age, as
            R's survexp does with its American tables; the default is 1 January, as relsurv.

        Returns
        -------
        A LifeTable. A calendar year that is not in the table takes the latest one before it; an
        open last age takes the place of all above it; ages that end earlier in some years hold
        their last value. A probability of 1 at the last age takes the hazard of the age before.
        All of this is told in `notes`.

        Raises
        ------
        DataError, StudyError
            Missing columns, values that are not numbers or impossible, cells given twice, ages
            that are skipped; neither or both of `hazard` and `probability`.
        """
        if (hazard is None) == (probability is None):
            raise StudyError("Give either hazard= or probability=, one column of the life table.")
        if per not in ("year", "day"):
            raise StudyError('per: expected "year" or "day", the time the hazard is given for.')
        if not days_per_year > 0:
            raise StudyError("days_per_year: expected a number above 0, such as 365.241.")
        value = hazard if hazard is not None else str(probability)
        strata = inputs.names_of(strata)
        _check_columns(frame, [age, year, sex, value, *strata], whole=(age, year), value=value)
        table = frame[[sex, *strata, year, age]].set_axis(["sex", *strata, "year", "age"], axis=1)
        table = table.assign(value=frame[value].to_numpy(float))
        in_days = days_per_year if per == "year" else 1.0
        most = 1.0 if hazard is None else HIGHEST_YEARLY * in_days / days_per_year
        _check_values(table["value"], value, most=most)
        if hazard is None:
            with np.errstate(divide="ignore"):
                table["value"] = -np.log1p(-table["value"]) / days_per_year
        else:
            table["value"] = table["value"] / in_days
        made = cls._dense(table, ["sex", *strata], days_per_year)
        return replace(made, turns_at_birthday=turns_at_birthday)

    @classmethod
    def from_hmd(cls, file: str | Path | Sequence[str | Path]) -> LifeTable:
        """Read life tables by year and age as the Human Mortality Database gives them (1x1).

        Parameters
        ----------
        file
            Either `Mx_1x1.txt` (death rates of both sexes: taken as hazards), or the two files
            `fltper_1x1.txt` and `mltper_1x1.txt` (yearly probabilities `qx`; at the open last age
            the rate `mx`). The sex of a file is read from its first line.

        Returns
        -------
        A LifeTable with sexes "female" and "male".

        Raises
        ------
        DataError
            A file that cannot be read as such, or one sex only.

        References
        ----------
        Human Mortality Database, www.mortality.org, file formats "1x1".
        """
        files = [file] if isinstance(file, str | Path) else list(file)
        return cls.from_frame(
            table_files.read_hmd(files), age="age", year="year", sex="sex",
            hazard="hazard",
        )  # fmt: skip

    @classmethod
    def from_scb(cls, file: str | Path) -> LifeTable:
        """Read a one-year life table exported as CSV from Statistics Sweden's data bank.

        Parameters
        ----------
        file
            The export, comma, semicolon or tab, UTF-8 or Latin-1, with columns for sex
            (kön/sex), age (ålder/age) and the risk of dying per 1000 (dödsrisk, qx): one column
            a year, or with a column år/year. Region, if there, becomes a stratum `region`.

        Returns
        -------
        A LifeTable with sexes "female" and "male". Refuses a file without these (DataError).
        """
        frame = table_files.read_scb(Path(file))
        strata = ["region"] if "region" in frame else []
        return cls.from_frame(
            frame, age="age", year="year", sex="sex", probability="probability", strata=strata
        )

    @classmethod
    def _dense(cls, table: pd.DataFrame, keys: list[str], days_per_year: float) -> LifeTable:
        if (n_twice := int(table.duplicated([*keys, "year", "age"]).sum())) > 0:
            raise DataError(
                f"life table: {n_twice} rows repeat a sex, year and age. If it is divided by more "
                "than these, name the columns in strata=."
            )
        rows = table[keys].drop_duplicates().sort_values(keys).reset_index(drop=True)
        years, ages = np.unique(table["year"]), np.unique(table["age"])
        notes = _gaps(years, ages)
        at = rows.reset_index(names="row").merge(table, on=keys)
        cube = np.full((len(rows), len(years), len(ages)), np.nan)
        cube[at["row"], np.searchsorted(years, at["year"]), np.searchsorted(ages, at["age"])] = at[
            "value"
        ]
        cube, further = _filled(cube)
        starts = pd.to_datetime({"year": years.astype(int), "month": 1, "day": 1})
        return cls(
            hazard=cube,
            rows=rows,
            ages=ages.astype(float) * days_per_year,
            years=((starts - EPOCH) / pd.Timedelta(days=1)).to_numpy(),
            last_year=int(years[-1]),
            days_per_year=days_per_year,
            notes=(*notes, *further),
        )

    @property
    def strata(self) -> list[str]:
        """The columns, beside sex, by which the table is divided."""
        return [name for name in self.rows.columns if name != "sex"]

    @property
    def end(self) -> float:
        """The day after the table's last calendar year, in days since 1970."""
        return float((pd.Timestamp(self.last_year + 1, 1, 1) - EPOCH).days)

    def row_of(
        self, persons: pd.DataFrame, sex: str, sex_codes: Mapping[object, object] | None = None
    ) -> np.ndarray:
        """Give each person's row of the table, by sex and the table's own strata.

        Raises
        ------
        DataError
            Sex or a stratum that is missing or not in the table, with the number of rows and the
            codes that the table knows.
        """
        inputs.check_frame(persons, [sex, *self.strata])
        own = persons[self.strata].reset_index(drop=True)
        codes = persons[sex] if sex_codes is None else persons[sex].map(dict(sex_codes))
        own.insert(0, "sex", codes.to_numpy())
        faults = []
        for name, column in [("sex", sex), *((name, name) for name in self.strata)]:
            known = self.rows[name].unique().tolist()
            if (n_unknown := int((~own[name].isin(known)).sum())) > 0:
                listed = ", ".join(str(code) for code in known[:10])
                faults.append(f'column "{column}": {n_unknown} rows not in the table: {listed}')
        if faults:
            advice = 'Map the sexes with sex_codes={1: "male", ...}, or mend these rows.'
            raise DataError(gathered(f"persons do not fit the life table. {advice}", faults))
        index = self.rows.reset_index(names="row_of_table")
        keys = list(self.rows.columns)
        merged = own.astype(object).merge(
            index.astype(dict.fromkeys(keys, object)), "left", on=keys
        )
        if (n_none := int(merged["row_of_table"].isna().sum())) > 0:
            raise DataError(f"life table: {n_none} persons have a sex and stratum not in it.")
        return merged["row_of_table"].to_numpy(np.int64)


def _check_columns(
    frame: pd.DataFrame, columns: list[str], *, whole: tuple[str, ...], value: str
) -> None:
    inputs.check_frame(frame, columns)
    faults = []
    for column in columns:
        if (n_missing := int(frame[column].isna().sum())) > 0:
            faults.append(f'column "{column}": missing in {n_missing} rows')
        elif column in (*whole, value) and not pd.api.types.is_numeric_dtype(frame[column]):
            faults.append(f'column "{column}": holds {frame[column].dtype}; expected numbers')
        elif column in whole and (n_parts := int((frame[column] % 1 != 0).sum())) > 0:
            faults.append(f'column "{column}": not whole years in {n_parts} rows')
        elif column in whole and (n_below := int((frame[column] < 0).sum())) > 0:
            faults.append(f'column "{column}": negative in {n_below} rows')
    if faults:
        raise DataError(gathered("life table: it cannot be used. Mend these columns.", faults))


def _check_values(values: pd.Series, column: str, *, most: float) -> None:
    n_wrong = int((~((values >= 0) & (values <= most))).sum())
    if n_wrong:
        raise DataError(
            f'life table, column "{column}": {n_wrong} values are below 0 or above {most:g}. '
            "Expected a hazard per year (or day: per=) or a probability between 0 and 1, "
            "not a rate per 1000."
        )


def _gaps(years: np.ndarray, ages: np.ndarray) -> list[str]:
    notes = []
    if (n_skipped := int(years[-1] - years[0]) + 1 - len(years)) > 0:
        notes.append(f"{n_skipped} calendar years not in the table: the latest before them holds")
    if (n_skipped := int(ages[-1] - ages[0]) + 1 - len(ages)) > 0:
        raise DataError(
            f"life table: {n_skipped} ages between the first and the last are missing. "
            "Expected every year of age."
        )
    return notes


def _filled(cube: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Fill ages that end early; refuse other holes, and certain death before the last age."""
    notes = []
    known = ~np.isnan(cube)
    begins = known[:, :, :1].all() and not (np.diff(known.astype(int), axis=2) > 0).any()
    if not begins:
        raise DataError(
            f"life table: {int((~known).sum())} cells are missing: a sex without a year, or ages "
            "skipped. Expected every age of every sex in every year that the table names."
        )
    if not known.all():
        notes.append(f"{int((~known).sum())} cells above a year's last age: that age holds")
    last = known.sum(axis=2)
    place = np.minimum(np.arange(cube.shape[2]), last[:, :, None] - 1)
    certain = np.isinf(np.take_along_axis(cube, last[:, :, None] - 1, axis=2))
    if certain.any():
        notes.append(f"probability 1 at the last age in {int(certain.sum())} years: age before")
    place = np.minimum(place, np.where(certain, last[:, :, None] - 2, cube.shape[2]))
    cube = np.take_along_axis(cube, np.maximum(place, 0), axis=2)
    if np.isinf(cube).any():
        raise DataError(
            f"life table: probability 1 of dying in {int(np.isinf(cube).sum())} cells before the "
            "last age. Mend the table."
        )
    return np.ascontiguousarray(cube), notes
