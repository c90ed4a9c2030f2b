"""Columns of a cohort made from a register's variables: converted, cut, or put into words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from workbench.registers.schema import Table
from workbench.study import DAYS_IN, Study


def as_analysed(values: pd.Series, study: Study, name: str, table: Table) -> pd.Series:
    """A column as the study wants it: converted, cut, or as ordered categories in words."""
    variable, covariate = table.variables[study.source_of(name)], study.variables[name]
    if covariate.cut is not None:
        return _cut(values * unit_factor(study, name, table), covariate.cut)
    if not is_in_words(study, name, table):
        return values * unit_factor(study, name, table)
    words = variable.codes or {code: code for code in sorted(values.dropna().unique())}
    known = {code: word for code, word in words.items() if code not in variable.unknown}
    kind = pd.CategoricalDtype([*dict.fromkeys(known.values())], ordered=False)
    return values.map(known).astype(kind).cat.remove_unused_categories()


def is_in_words(study: Study, name: str, table: Table) -> bool:
    """Whether a column's values are categories as the register has them."""
    return study.variables[name].cut is None and table.variables[study.source_of(name)].is_category


def unit_factor(study: Study, name: str, table: Table) -> float:
    """What a value is multiplied by to be in the unit the study asks for."""
    wanted, given = study.variables[name].unit, table.variables[study.source_of(name)].unit
    return DAYS_IN[str(given)] / DAYS_IN[wanted] if wanted and wanted != given else 1


def _cut(values: pd.Series, limits: Sequence[float]) -> pd.Series:
    """Groups by lower limits; the last group is open, values below the first limit are missing."""
    words = [f"{low:g} to under {high:g}" for low, high in pairwise(limits)]
    words.append(f"{limits[-1]:g} and over")
    groups = pd.cut(values, [*limits, float("inf")], right=False, labels=words, ordered=False)
    return groups.cat.remove_unused_categories()


def variable_words(name: str, table: Table) -> str:
    """A variable's label as it stands inside a sentence."""
    label = table.variables[name].label or name
    return label[0].lower() + label[1:]
