"""Columns of a cohort made from what the engine gives: converted, cut, or put into words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from workbench.language import inside
from workbench.registers.schema import Table
from workbench.registers.variables import Variable
from workbench.study import DAYS_IN, Covariate


def as_analysed(values: pd.Series, covariate: Covariate, variable: Variable) -> pd.Series:
    """A column as the study wants it: converted, cut, or as ordered categories in words."""
    if covariate.cut is not None:
        return _cut(values.astype(float) * unit_factor(covariate, variable), covariate.cut)
    if not is_in_words(covariate, variable):
        return values * unit_factor(covariate, variable)
    values = values.astype("category")
    levels = [_text(level) for level in values.cat.categories]
    words = words_of(variable) or {code: code for code in sorted(levels)}
    kind = pd.CategoricalDtype([*dict.fromkeys(words.values())], ordered=False)
    meanings = pd.Series([words.get(level) for level in levels], dtype=kind)
    return pd.Series(
        meanings.reindex(values.cat.codes.to_numpy()).array, index=values.index, name=values.name
    ).cat.remove_unused_categories()


def _text(value: object) -> str:
    """A value as its code is written: yes and no are true and false."""
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def words_of(variable: Variable) -> dict[str, str]:
    """Known values and what they mean. Where codes changed with the years, values are words."""
    if any(edition.codes for edition in variable.editions):
        known = [one for one in (variable, *variable.editions) if one.codes]
        words = [
            word for one in known for code, word in one.codes.items() if code not in one.unknown
        ]
        return {word: word for word in words}
    return {code: word for code, word in variable.codes.items() if code not in variable.unknown}


def is_in_words(covariate: Covariate, variable: Variable) -> bool:
    """Whether a column's values are categories as the register has them."""
    return covariate.cut is None and variable.is_category


def unit_factor(covariate: Covariate, variable: Variable) -> float:
    """What a value is multiplied by to be in the unit the study asks for."""
    wanted, given = covariate.unit, variable.unit
    return DAYS_IN[str(given)] / DAYS_IN[wanted] if wanted and wanted != given else 1


def _cut(values: pd.Series, limits: Sequence[float]) -> pd.Series:
    """Groups by lower limits; the last group is open, values below the first limit are missing."""
    words = [f"{low:g} to under {high:g}" for low, high in pairwise(limits)]
    words.append(f"{limits[-1]:g} and over")
    groups = pd.cut(values, [*limits, float("inf")], right=False, labels=words, ordered=False)
    return groups.cat.remove_unused_categories()


def variable_words(name: str, table: Table) -> str:
    """A variable's label as it stands inside a sentence."""
    return inside(table.variables[name].label or name)
