"""Turn the identity numbers of a delivery into pseudonyms, in the engine, as early as can be.

A pseudonym is the HMAC-SHA-256 of the scheme's name and the number's normal form, keyed with the
user's key: the same person has the same one in every table of a store, and without the key nobody
gets from one to the other. Of its 256 bits the first 128 are kept, as 32 letters from a to p: among
a hundred million persons two share one with a chance of 1 in 10^22, and 128 bits cannot be tried
through either.
"""

from __future__ import annotations

import duckdb

from workbench.data.keys import HEXADECIMAL, PSEUDONYM_LETTERS, PSEUDONYM_SIGNS, Key
from workbench.data.sql import literal
from workbench.registers.schema import Table
from workbench.registers.variables import IdentityScheme

_INNER, _OUTER = "_key_inner", "_key_outer"


def identities(table: Table) -> dict[str, IdentityScheme]:
    """The variables that hold identity numbers, with their schemes."""
    return {
        name: one.identity_scheme for name, one in table.variables.items() if one.identity_scheme
    }


def is_guarded(table: Table) -> bool:
    """Whether numbers are expected: rows set aside then withhold whatever could be one."""
    is_scanned = any(one.free_text == "scanned" for one in table.variables.values())
    return is_scanned or bool(identities(table))


def give_key(engine: duckdb.DuckDBPyConnection, key: Key) -> None:
    """Let an engine session make pseudonyms; the key is gone when the session ends.

    It is handed over as values, so that it stands in no query and no message can quote it.
    """
    inner, outer = key.pads()
    engine.execute(f"set variable {_INNER} = ?", [inner])
    engine.execute(f"set variable {_OUTER} = ?", [outer])


def pseudonym_sql(number: str, scheme: IdentityScheme) -> str:
    """SQL for the pseudonym of a number in its normal form, as `Key.pseudonym` gives it."""
    letters = f"{literal(HEXADECIMAL)}, {literal(PSEUDONYM_LETTERS)}"
    return f"translate({hexadecimal_sql(number, scheme)}, {letters})"


def hexadecimal_sql(number: str, scheme: IdentityScheme) -> str:
    """SQL for a pseudonym before it is written in letters."""
    message = f"encode({literal(scheme + ':')} || {number})"
    inner = f"unhex(sha256(getvariable('{_INNER}') || {message}))"
    return f"left(sha256(getvariable('{_OUTER}') || {inner}), {PSEUDONYM_SIGNS})"
