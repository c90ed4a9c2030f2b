"""Read each different identity number of a delivery once, and find it again for every row.

Reading and hashing a number costs the engine more than all else it does with a row, and a person
has many rows. So the different numbers of a variable are read first; the rows then flow past in
their order, each with a short hash of its number by which pseudonym and findings are looked up. (A
join in the engine would lose the order of the rows, and with it their places.)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from workbench.data import checks
from workbench.data.identity import NOT_A_NUMBER, WRONG_CHECK_DIGIT
from workbench.data.identity_sql import BORN, BY_CALENDAR, IS_TEST, NUMBER, PROBLEM, SEX, read_sql
from workbench.data.keys import HEXADECIMAL, PSEUDONYM_LETTERS, PSEUDONYM_SIGNS
from workbench.data.pseudonyms import hexadecimal_sql, identities
from workbench.data.sql import identifier, literal
from workbench.errors import DataError
from workbench.registers.schema import Table

TEST_NUMBER = "test number"
PROBLEMS = ("", NOT_A_NUMBER, WRONG_CHECK_DIGIT)
SEXES = ("", "male", "female")
BORN_BESIDE = "_born"  # the birth date as it was delivered
_PREFIX = "_read_"
ANSWERS = ("problem", "born", "sex", "is_test", "by_calendar")
UNREADABLE = "0" * PSEUDONYM_SIGNS  # never shown: such a number is missing
_NO_DAY = np.iinfo(np.int32).min
_LETTERS = np.zeros(256, dtype=np.uint8)  # the engine takes longer to write these than to hash
_LETTERS[list(HEXADECIMAL.encode())] = list(PSEUDONYM_LETTERS.encode())
Finding = tuple[str, str, "np.ndarray[Any, Any]"]  # rule, column, positions of rows


@dataclass(frozen=True)
class Numbers:
    """The different numbers of one variable, in the order of their hashes."""

    name: str
    hashes: np.ndarray[Any, Any]  # sorted; one beyond all others at the end
    starts: np.ndarray[Any, Any]  # where hashes begin, by their leading bits
    shift: np.uint64  # how far to the right those bits stand
    pseudonyms: np.ndarray[Any, Any]  # bytes
    problems: np.ndarray[Any, Any]  # places in PROBLEMS
    born: np.ndarray[Any, Any]  # days since 1970, or _NO_DAY
    sexes: np.ndarray[Any, Any]  # places in SEXES
    is_test: np.ndarray[Any, Any]
    by_calendar: np.ndarray[Any, Any]

    def look_up(self, rows: pa.RecordBatch) -> tuple[pa.Array, np.ndarray[Any, Any]]:
        """The pseudonyms of some rows, and for each row which number it has (-1: none)."""
        column = rows.column(hash_name(self.name))
        if not len(self.pseudonyms):
            return pa.nulls(len(column), pa.string()), np.full(len(column), -1)
        is_there = column.is_valid().to_numpy(zero_copy_only=False)
        at = self._positions(column.fill_null(0).to_numpy())
        which = np.where(is_there, at, -1)
        is_read = is_there & (self.problems[np.where(is_there, at, 0)] == 0)
        signs = self.pseudonyms[np.where(is_read, at, 0)]
        offsets = np.arange(len(signs) + 1, dtype=np.int32) * PSEUDONYM_SIGNS
        present = pa.py_buffer(np.packbits(is_read, bitorder="little"))
        return (
            pa.StringArray.from_buffers(
                len(signs), pa.py_buffer(offsets), pa.py_buffer(signs), present
            ),
            which,
        )

    def _positions(self, wanted: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Where hashes stand; a hash that is not there gets any place.

        Hashes are spread evenly, so that a first guess by their leading bits is nearly right; a
        search by halves would jump through memory twenty times for each row.
        """
        at = self.starts[wanted >> self.shift]
        behind = np.flatnonzero(self.hashes[at] < wanted)
        while len(behind):
            at[behind] += 1
            behind = behind[self.hashes[at[behind]] < wanted[behind]]
        return at


def hash_name(name: str) -> str:
    """The column that stands for a variable's numbers while the rows flow past."""
    return f"_hash_{name}"


def hash_sql(name: str, table: Table) -> str:
    """SQL for the short hash of a delivered number, together with the birth date beside it."""
    value = identifier(name)
    beside = f", {BORN_BESIDE}" if is_dated(name, table) else ""
    return f"case when {value} is not null then hash({value}{beside}) end"


def with_birth_date(source: str, table: Table, *, decimal: str) -> str:
    """A query that adds the delivered birth date, by which a century is known, to texts."""
    birth = table.meaning("birth_date")
    if not (birth and table.person in identities(table)):
        return source
    born = checks.typed_sql(identifier(birth), table.variables[birth], decimal=decimal)
    return f"select *, {born} as {BORN_BESIDE} from ({source})"


def read_numbers(
    engine: duckdb.DuckDBPyConnection, source: str, name: str, table: Table, *, as_of: date
) -> Numbers:
    """Read every different number in one variable of `source`."""
    scheme = identities(table)[name]
    has_date = is_dated(name, table)
    beside = f", {BORN_BESIDE}" if has_date else ""
    different = (
        f"select distinct {identifier(name)}{beside} from ({source}) "
        f"where {identifier(name)} is not null"
    )
    read = read_sql(
        different,
        identifier(name),
        scheme,
        as_of=as_of,
        prefix=_PREFIX,
        born=BORN_BESIDE if has_date else "null::date",
    )
    answers = {
        "hash": hash_sql(name, table),
        "pseudonym": f"coalesce({hexadecimal_sql(_PREFIX + NUMBER, scheme)}, '{UNREADABLE}')",
        "problem": _place_in(PROBLEMS, _PREFIX + PROBLEM),
        "born": f"coalesce({_PREFIX + BORN} - date '1970-01-01', {_NO_DAY})::integer",
        "sex": _place_in(SEXES, _PREFIX + SEX),
        "is_test": _PREFIX + IS_TEST,
        "by_calendar": _PREFIX + BY_CALENDAR,
    }
    columns = ", ".join(f"{sql} as {answer}" for answer, sql in answers.items())
    found = engine.execute(f"select {columns} from ({read})").to_arrow_table()
    order = np.argsort(found["hash"].to_numpy())
    hashes = found["hash"].to_numpy()[order]
    if len(hashes) > 1 and (hashes[1:] == hashes[:-1]).any():
        # One chance in many millions; taken for one, two persons would be mixed up.
        raise DataError(
            f"{name}: two identity numbers cannot be told apart in one delivery of this size. "
            "Nothing has changed. Import the delivery in two parts."
        )
    return Numbers(
        name,
        np.append(hashes, np.iinfo(np.uint64).max),
        *_starts(hashes),
        _as_bytes(found["pseudonym"])[order],
        *(found[one].to_numpy()[order] for one in ANSWERS),
    )


def findings(
    numbers: Numbers, which: np.ndarray[Any, Any], rows: pa.RecordBatch, table: Table
) -> list[Finding]:
    """What is worth telling of the numbers of some rows: which rule, of which column, where."""
    if not len(numbers.pseudonyms):
        return []
    is_there, at = which >= 0, np.where(which >= 0, which, 0)
    found = [
        (TEST_NUMBER, numbers.name, is_there & numbers.is_test[at]),
        ("century taken from the calendar", numbers.name, is_there & numbers.by_calendar[at]),
    ]
    if numbers.name == table.person:
        if birth := table.meaning("birth_date"):
            read = np.where(is_there, numbers.born[at], _NO_DAY)
            told = rows.column(birth).cast(pa.int32()).fill_null(_NO_DAY).to_numpy()
            differs = (read != _NO_DAY) & (told != _NO_DAY) & (read != told)
            found.append(("birth date differs from the number", birth, differs))
        if sex := table.meaning("sex"):
            read = np.where(is_there, numbers.sexes[at], 0)
            told = _told_sexes(rows.column(sex), table.variables[sex].words)
            differs = (read > 0) & (told > 0) & (read != told)
            found.append(("sex differs from the number", sex, differs))
    return [(rule, column, np.flatnonzero(there)) for rule, column, there in found]


def problems(numbers: Numbers, which: np.ndarray[Any, Any]) -> list[Finding]:
    """The rows whose number cannot be read, with what is wrong with it."""
    if not len(numbers.pseudonyms):
        return []
    of_rows = np.where(which >= 0, numbers.problems[np.where(which >= 0, which, 0)], 0)
    return [
        (problem, numbers.name, np.flatnonzero(of_rows == at))
        for at, problem in enumerate(PROBLEMS)
        if problem
    ]


def is_dated(name: str, table: Table) -> bool:
    """Whether a birth date delivered beside the number is that of the same person."""
    return name == table.person and table.meaning("birth_date") is not None


def _place_in(words: tuple[str, ...], value: str) -> str:
    cases = " ".join(f"when {literal(word)} then {at}" for at, word in enumerate(words) if word)
    return f"(case {value} {cases} else 0 end)::tinyint"


def _told_sexes(codes: pa.Array, words: dict[str, str]) -> np.ndarray[Any, Any]:
    """The delivered sex of each row as a place in SEXES."""
    meanings = {code: SEXES.index(word) for code, word in words.items() if word in SEXES}
    coded = codes.cast(pa.string()).dictionary_encode()
    of_codes = np.array([*(meanings.get(code, 0) for code in coded.dictionary.to_pylist()), 0])
    return of_codes[coded.indices.fill_null(len(of_codes) - 1).to_numpy()]


def _starts(hashes: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.uint64]:
    """Where the hashes of each beginning start: about two beginnings for each hash."""
    n_bits = max(1, len(hashes).bit_length() + 1)
    shift = np.uint64(64 - n_bits)
    beginnings = np.arange(2**n_bits, dtype=np.uint64) << shift
    return np.searchsorted(hashes, beginnings), shift


def _as_bytes(texts: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Hexadecimal texts of one length as an array of bytes, in the letters of pseudonyms."""
    if not len(texts):
        return np.zeros(0, dtype=f"S{PSEUDONYM_SIGNS}")
    whole = pa.concat_arrays(texts.chunks)
    signs = np.frombuffer(whole.buffers()[2], np.uint8, count=len(whole) * PSEUDONYM_SIGNS)
    return _LETTERS[signs].view(f"S{PSEUDONYM_SIGNS}")
