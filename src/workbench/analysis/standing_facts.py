"""What is known of a register from data, and whether that is what a requirement asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import DataError, did_you_mean
from workbench.registers.standing import FACTS, YEARS, Rule

Facts = Mapping[str, Any]


def check_facts(facts: Facts) -> dt.date:
    """Refuse facts that cannot be used; give the day from which is judged.

    Raises
    ------
    DataError
        An unknown name, another kind of value, a share outside 0 to 1, a year or day after
        `as_of`, or no `as_of`.
    """
    for name, value in facts.items():
        if name not in FACTS:
            raise DataError(f'facts: there is no fact "{name}".{did_you_mean(name, FACTS)}')
        if value is not None and not _is_kind(value, FACTS[name]):
            raise DataError(f'facts: "{name}" has to be {_kind_words(FACTS[name])}, or None.')
    as_of = facts.get("as_of")
    if as_of is None:
        raise DataError('facts: "as_of" is missing, the day from which is judged. Give a date.')
    share = facts.get("coverage")
    if share is not None and not 0 <= share <= 1:
        raise DataError('facts: "coverage" has to be a share from 0 to 1.')
    counts = [one for one, kind in FACTS.items() if kind is int and (facts.get(one) or 0) < 0]
    if counts:
        raise DataError(f'facts: "{counts[0]}" is negative.')
    late = [one for one in YEARS if (facts.get(one) or 0) > as_of.year]
    late += (
        ["release_dates"] if any(day > as_of for day in facts.get("release_dates") or ()) else []
    )
    if late:
        raise DataError(f'facts: "{late[0]}" lies after as_of.')
    return as_of


def _is_kind(value: Any, kind: type) -> bool:
    if kind is bool:
        return isinstance(value, (bool, np.bool_))
    if kind is tuple:
        return isinstance(value, (list, tuple)) and all(_is_kind(one, dt.date) for one in value)
    if kind is dt.date:
        return isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    if isinstance(value, (bool, np.bool_)) or not pd.api.types.is_number(value) or pd.isna(value):
        return False
    return kind is float or float(value).is_integer()


def _kind_words(kind: type) -> str:
    words = {bool: "True or False", tuple: "a list of dates", dt.date: "a date"}
    return words.get(kind, "a number" if kind is float else "a whole number")


def tested(test: Rule, facts: Facts, as_of: dt.date) -> tuple[bool, str] | None:
    """Whether the fact is as the rule asks, and the evidence; None where it is not known."""
    value = facts.get(test.fact)
    if value is None:
        return None
    if test.released_by:
        return _released(test, value, as_of)
    met, parts = [], []
    if test.at_least is not None:
        met.append(value >= test.at_least)
        parts.append(
            f"{_words(test.fact)} {_shown(test.fact, value)}, "
            f"at least {_shown(test.fact, test.at_least)} asked"
        )
    if test.within_years is not None:
        year = facts.get(test.dated_by or test.fact)
        if year is None and all(met):  # what is known does not settle it
            return None
        if year is not None:
            met.append(as_of.year - year <= test.within_years)
            told = "of" if parts else _words(test.dated_by or test.fact)
            parts.append(f"{told} {int(year)}, not older than {test.within_years} years asked")
    if test.only_if is not None:
        linked = facts.get(test.only_if)
        if linked is None and all(met):
            return None
        if linked is not None and not linked:
            met.append(False)
            parts.append("not linked person by person")
    return all(met), ", ".join(parts)


def _words(fact: str) -> str:
    return fact.replace("_", " ")


def _shown(fact: str, value: float) -> str:
    return f"{100 * value:.4g} %" if FACTS[fact] is float else f"{value:g}"


def _released(test: Rule, dates: Any, as_of: dt.date) -> tuple[bool, str]:
    """Whether results came out in the time before each of the days, the last round of them."""
    days = sorted(
        dt.date(year, int(day[:2]), int(day[3:]))
        for year in range(as_of.year - 2, as_of.year + 1)
        for day in test.released_by
    )
    past = [day for day in days if day <= as_of]
    last = past[-len(test.released_by) - 1 :]
    late = [
        end for begin, end in pairwise(last)
        if not any(begin < day <= end for day in dates)
    ]  # fmt: skip
    told = f"last shown {max(dates):%Y-%m-%d}" if dates else "never shown"
    missed = ", ".join(f"{day:%Y-%m-%d}" for day in late)
    return not late, f"{told}; nothing new by {missed}" if late else told
