"""Find what looks like identity numbers where none should stand.

Three ways to look, from strict to wide, since a miss and a false alarm do not weigh the same
everywhere:

- a signed number (six or eight digits, - or +, four digits): nothing else is written so;
- a bare number: ten, eleven or twelve digits alone that make a possible number of a scheme with
  right check digits. One in ten sample numbers that begin with a date does so by chance;
- anything that could be a number, or one mistyped: for rows set aside, where nothing is lost by
  withholding too much.
"""

from __future__ import annotations

from datetime import date

from workbench.data.identity import NOT_A_NUMBER
from workbench.data.identity_sql import NUMBER, PROBLEM, read_sql
from workbench.data.sql import literal
from workbench.registers.variables import IdentityScheme

# Six or eight digits, a sign, four digits: the shape of a Swedish or Danish identity number.
SIGNED = r"(^|[^0-9])(\d\d)?\d\d[01]\d[0-9]\d[-+]\d{4}($|[^0-9])"
FINNISH = r"[0-9]{6}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-FHJ-NPR-Ya-fhj-npr-y]"
# Six digits and, after a blank or a sign or none, three more: part of every number there is.
POSSIBLE = r"[0-9]{6} ?[-+A-FU-Ya-fu-y]? ?[0-9]{3}"
RUN = r"[0-9]{10,}"
# How many digits a bare number of a scheme has; ten are a Swedish one without its century.
BARE: tuple[tuple[IdentityScheme, int], ...] = (
    ("swedish", 12), ("swedish", 10), ("norwegian", 11), ("danish", 10),
)  # fmt: skip


def signed_sql(value: str) -> str:
    """A condition that a text holds a signed number."""
    return _when_long(value, 11, SIGNED)


def may_be_bare_sql(value: str) -> str:
    """A condition, quick to ask, that a text may hold a bare number."""
    return _when_long(value, 10, RUN)


def possible_sql(value: str) -> str:
    """A condition that a text could hold a number, mistyped ones among them."""
    return _when_long(value, 9, POSSIBLE)


def _when_long(value: str, n_signs: int, pattern: str) -> str:
    """A condition by pattern, which is not asked of the many short values there are."""
    found = f"regexp_matches({value}, '{pattern}')"
    return f"(case when strlen({value}) >= {n_signs} then {found} else false end)"


def bare_sql(source: str, *, as_of: date) -> str:
    """Of each bare number in texts: `_place`, and whether its check digits are right.

    `source` is a query with the columns `_place` and `text`. Told are only numbers with a possible
    date of birth: those without are no identity numbers however they are checked.
    """
    joined = "regexp_replace(text, '([0-9]) ([0-9])', '\\1\\2', 'g')"
    runs = (
        "select _place, unnest(list_distinct(list_concat("
        f"regexp_extract_all(text, '{RUN}'), regexp_extract_all({joined}, '{RUN}')))) as run "
        f"from ({source})"
    )
    parts = []
    for scheme, n_digits in BARE:
        read = read_sql(
            f"select _place, run from ({runs}) where strlen(run) = {n_digits}",
            "run",
            scheme,
            as_of=as_of,
            prefix="_run_",
        )
        right = f"_run_{PROBLEM} is null"
        if scheme == "danish":
            # Numbers without the old check digit are few; with it one in eleven is one by chance.
            right += f" and ({_danish_sum('run')}) % 11 = 0"
        possible = f"_run_{PROBLEM} is distinct from {literal(NOT_A_NUMBER)}"
        parts.append(f"select _place, {right} as is_right from ({read}) where {possible}")
    return " union all ".join(parts)


def places_sql(source: str, *, as_of: date) -> str:
    """A query for the places of texts that hold a signed, bare or Finnish number.

    `source` is a query with the columns `_place` and `text`.
    """
    bare = f"select _place from ({bare_sql(source, as_of=as_of)}) where is_right"
    finnish = read_sql(
        f"select _place, unnest(regexp_extract_all(text, '{FINNISH}')) as run from ({source})",
        "run",
        "finnish",
        as_of=as_of,
        prefix="_run_",
    )
    return (
        f"select _place from ({source}) where {signed_sql('text')} "
        f"union {bare} union select _place from ({finnish}) where _run_{NUMBER} is not null"
    )


def _danish_sum(run: str) -> str:
    weights = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
    return " + ".join(
        f"{run}[{place}]::int * {weight}" for place, weight in enumerate(weights, start=1)
    )
