"""Numbers of persons by groups, in the form that the gate can judge.

Shares, limits, levels and charts of units are made of these numbers and of nothing else, so that
what may leave is decided once, on the counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from workbench.analysis import inputs
from workbench.errors import DataError

MARKS = ("in_denominator", "in_numerator")


@dataclass(frozen=True)
class CountTable:
    """One row a group: the columns of `by`, then numbers of persons.

    `n` persons of whom `events` have what is counted; `expected` the number a model expects. A
    comparison of sources has `both`, `only_register` and `only_reference` instead. No row is
    missing or twice.
    """

    table: pd.DataFrame
    by: tuple[str, ...]
    apart: tuple[str, ...] = ()  # of these keys groups are never added up (indicators)
    n_missing: int = 0  # persons in none of these numbers, since what is counted is not known

    @classmethod
    def of_parts(
        cls, parts: Sequence[pd.DataFrame], by: tuple[str, ...], *, apart: tuple[str, ...] = ()
    ) -> CountTable:
        """One table of several, each with the columns of `by`, `n` and `events`."""
        columns = [*by, "n", "events"]
        return cls(pd.concat([part[columns] for part in parts], ignore_index=True), by, apart)

    def beside(self, other: CountTable) -> CountTable:
        """The numbers of another table in the rows of this one; groups that one lacks have 0."""
        keys = list(self.by)
        both = self.table.astype(dict.fromkeys(keys, object)).merge(
            other.table.astype(dict.fromkeys(keys, object)), on=keys, how="outer"
        )
        numbers = [name for name in both if name not in keys]
        whole = both.assign(**{name: both[name].fillna(0).astype("int64") for name in numbers})
        return replace(self, table=whole.sort_values(keys, ignore_index=True))


def count_marked(marked: pd.DataFrame, *, by: str | Sequence[str]) -> CountTable:
    """Count who is in the denominator and the numerator of an indicator, by groups.

    Parameters
    ----------
    marked
        Rows with `in_denominator` (never missing) and `in_numerator` (missing outside the
        denominator, and where it is not known); `expected` too, if a model gave it.
    by
        Grouping columns. Rows of the denominator without a group are counted as "not known".

    Returns
    -------
    The columns of `by`, `n` (in the denominator, numerator known) and `events`; those of whom the
    numerator is not known are counted together (`n_missing`): unit by unit they are few.

    Raises
    ------
    DataError
        A column that is not there; a missing `in_denominator`; nobody in the denominator.
    """
    names = inputs.names_of(by)
    inputs.check_frame(marked, [*names, *MARKS])
    if marked["in_denominator"].isna().any():
        raise DataError("in_denominator: missing in some rows; it must be yes or no.")
    rows = marked[marked["in_denominator"].astype(bool)]
    if rows.empty:
        raise DataError("Nobody is in the denominator of the indicator in these rows.")
    known = rows["in_numerator"].notna()
    yes = rows["in_numerator"].fillna(False).astype(bool)
    numbers = pd.DataFrame({"n": known.astype("int64"), "events": yes.astype("int64")})
    groups = rows[names].astype(object).where(rows[names].notna(), "not known")
    counted = numbers.groupby([groups[name] for name in names], sort=True).sum()
    return CountTable(counted.reset_index(), tuple(names), n_missing=int((~known).sum()))


def count_types(persons: pd.DataFrame, *, by: str | Sequence[str], kind: str) -> CountTable:
    """Count persons of each kind (access, method, form of care) by groups; unknown kinds apart.

    Returns one row for every group and kind, also those that nobody has: the columns of `by`,
    `kind`'s column, `n`.
    """
    names = [*inputs.names_of(by), kind]
    inputs.check_frame(persons, names)
    groups = persons[names].astype(object).where(persons[names].notna(), "not known")
    counted = groups.value_counts(sort=False).rename("n")
    if len(names) > 1:
        whole = pd.MultiIndex.from_product([sorted(set(groups[name])) for name in names])
        counted = counted.reindex(whole.set_names(names), fill_value=0)
    return CountTable(counted.reset_index().sort_values(names, ignore_index=True), tuple(names))
