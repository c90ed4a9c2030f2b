"""One delivery of a table: its files staged as text, judged row by row, written in two parts.

Rows read = rows kept + rows set aside; the two parts are counted apart and compared before
anything reaches the store. Faults are told per rule and column, with row numbers counted in the
file from 1, the first row after the header.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from importlib.metadata import version as installed_version
from itertools import accumulate
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.data import checks
from workbench.data.readers import Extract, read_extract
from workbench.data.sql import identifier, literal
from workbench.data.store import ROWS, SET_ASIDE, Fault, Source, Version
from workbench.errors import DataError, gathered
from workbench.registers.schema import Table

ROWS_TOLD = 5  # row numbers told for a fault; the set-aside file holds every one
MEMORY = "1GB"
MISFIT = "wrong number of fields"
Progress = Callable[[str], None]


class Delivery:
    """The files of one delivery on their way into the store."""

    def __init__(
        self, full_name: str, table: Table, files: Sequence[Path], *, as_of: date, folder: Path
    ) -> None:
        self.full_name = full_name
        self.table = table
        self.files = files
        self.as_of = as_of
        self.folder = folder
        self._typed_file = folder / "typed.parquet"
        self._extracts: list[Extract] = []
        for file in files:
            if not file.is_file():
                raise DataError(f"{file}: there is no such file.")
        self._sums = [sha256_of(file) for file in files]
        if len(set(self._sums)) < len(self._sums):
            raise DataError(f"{full_name}: two of the files are the same. Name each file once.")
        self.definition_sha256 = hashlib.sha256(table.model_dump_json().encode()).hexdigest()
        self.key = hashlib.sha256(
            json.dumps([*self._sums, self.definition_sha256]).encode()
        ).hexdigest()
        self._engine = duckdb.connect()
        self._engine.execute(f"set memory_limit = '{MEMORY}'")
        self._engine.execute(f"set temp_directory = {literal(folder / 'spill')}")

    def check(self, name: str, *, progress: Progress) -> Version:
        """Read and judge the delivery; raise `DataError` when it must be refused."""
        self._extracts = [
            read_extract(file, self.table, staging=self.folder, progress=progress)
            for file in self.files
        ]
        n_read = sum(extract.n_rows + len(extract.misfits) for extract in self._extracts)
        if n_read == 0:
            raise DataError(f"{self.full_name}: the delivery has headers but no rows.")
        progress("checking rows")
        self._make_view()
        self._make_typed()
        self._refuse_undeclared_identity()
        faults = self._find_faults()
        n_aside = self._count("select count(distinct _place) from faults") + sum(
            len(extract.misfits) for extract in self._extracts
        )
        version = Version(
            name=name,
            key=self.key,
            imported_at=datetime.now(UTC).isoformat(timespec="seconds"),
            as_of=self.as_of,
            sources=self._sources(),
            definition_sha256=self.definition_sha256,
            definition=self.table,
            n_rows_read=n_read,
            n_rows_kept=n_read - n_aside,
            n_rows_set_aside=n_aside,
            faults=faults,
            notes=self._find_notes(),
            columns_left_out=tuple(
                dict.fromkeys(one for e in self._extracts for one in e.strangers)
            ),
            rows_sha256="",
            workbench_version=installed_version("register-workbench"),
            **self._period(),
        )
        self._refuse_too_many(version)
        return version

    def write(self, version: Version, *, progress: Progress) -> tuple[Path, Version]:
        """Write the rows kept and the rows set aside into a folder of their own."""
        progress("writing rows")
        version_folder = self.folder / "version"
        version_folder.mkdir()
        if version.n_rows_set_aside:
            kept = "select * exclude (_place) from typed where _place not in (select _place from faults)"
            self._copy(kept, version_folder / ROWS)
        else:
            self._typed_file.rename(version_folder / ROWS)
        self._write_set_aside(version_folder / SET_ASIDE)
        counted = [pq.read_metadata(version_folder / part).num_rows for part in (ROWS, SET_ASIDE)]
        if counted != [version.n_rows_kept, version.n_rows_set_aside]:
            raise AssertionError("rows kept and rows set aside do not add up to the rows read")
        return version_folder, version.model_copy(
            update={"rows_sha256": sha256_of(version_folder / ROWS)}
        )

    def _make_view(self) -> None:
        """One view over the fitting rows of all files; a row is known by its place among them."""
        parts = []
        for extract in self._extracts:
            columns = ", ".join(
                f"{identifier(column)} as {identifier(name)}"
                for name, column in extract.columns.items()
            )
            parts.append(f"select {columns} from {extract.relation}")
        self._engine.execute(f"create temp view fitting as {' union all '.join(parts)}")
        # Numbering keeps the engine to one core, so only what needs row numbers reads this view.
        self._engine.execute(
            "create temp view delivered as select row_number() over () as _place, * from fitting"
        )

    def _decimal_mark(self) -> str:
        declared = self.table.delivery.decimal
        decimals = [name for name, one in self.table.variables.items() if one.type == "decimal"]
        if declared or not decimals:
            return declared or "."
        seen = " or ".join("contains({0}, '{{0}}')".format(identifier(name)) for name in decimals)
        has_comma, has_point = self._engine.execute(
            f"select coalesce(bool_or({seen.format(',')}), false), coalesce(bool_or({seen.format('.')}), false) from fitting"
        ).fetchone()
        if has_comma and has_point:
            raise DataError(
                f"{self.full_name}: some numbers have a decimal comma, others a point (or separators of "
                'thousands). Say which it is: delivery: decimal: "," or "."'
            )
        return "," if has_comma else "."

    def _make_typed(self) -> None:
        """Every row with its values in their types; where a value had none, `untyped` says so."""
        decimal = self._decimal_mark()
        values = {name: checks.value_sql(name, self.table) for name in self.table.variables}
        typed = ", ".join(
            f"{checks.typed_sql(identifier(name), variable, decimal=decimal)}"
            f"::{checks.STORED_TYPES[variable.type]} as {identifier(name)}"
            for name, variable in self.table.variables.items()
        )
        trimmed = ", ".join(f"{value} as {identifier(name)}" for name, value in values.items())
        # Trimmed first, in a step of its own, so that the engine does it once for each value.
        self._copy(f"select {typed} from (select {trimmed} from fitting)", self._typed_file)
        self._engine.execute(
            "create temp view typed as select file_row_number + 1 as _place, * exclude (file_row_number) "
            f"from read_parquet({literal(self._typed_file)}, file_row_number=true)"
        )
        self._engine.execute(
            "create temp table untyped (_place bigint, rule varchar, column_name varchar)"
        )
        for name in self._variables_with_untyped():
            for rule in checks.type_rules(name, self.table):
                self._engine.execute(
                    f"insert into untyped select _place, {literal(rule.name)}, {literal(name)} from delivered "
                    f"where {values[name]} is not null and ({rule.condition}) and _place in "
                    f"(select _place from typed where {identifier(name)} is null)"
                )

    def _variables_with_untyped(self) -> list[str]:
        """Variables with more delivered values than typed ones: a count a column, no rows moved."""
        counts = ", ".join(f"count({identifier(name)})" for name in self.table.variables)
        (typed,) = self._engine.execute(f"select {counts} from typed").fetchall()
        return [
            name
            for name, n in zip(self.table.variables, typed, strict=True)
            if n < sum(extract.n_values[name] for extract in self._extracts)
            and self.table.variables[name].type not in {"text", "code"}
        ]

    def _refuse_undeclared_identity(self) -> None:
        rules = list(checks.identity_rules(self.table))
        if not rules:
            return
        counts = ", ".join(f"count(*) filter (where {rule.condition})" for rule in rules)
        found = self._engine.execute(f"select {counts} from typed").fetchone()
        faults = [
            f'the column "{rule.column}" holds what looks like identity numbers in {n} rows'
            for rule, n in zip(rules, found, strict=True)
            if n
        ]
        if faults:
            raise DataError(
                gathered(f"{self.full_name} is refused, nothing was stored:", faults)
                + "\nTake the numbers out, or deliver a running number in their place."
            )

    def _find_faults(self) -> tuple[Fault, ...]:
        self._engine.execute(
            "create temp table faults as select _place, rule, column_name from untyped"
        )
        self._add_broken("faults", list(checks.row_rules(self.table, as_of=self.as_of)))
        if self.table.key:
            key = literal(", ".join(self.table.key))
            duplicates = checks.duplicate_sql(self.table, "typed")
            self._engine.execute(f"insert into faults select *, {key} from ({duplicates})")
        misfits = self._misfits_told()
        faults = [*self._told("faults"), *([misfits] if misfits else [])]
        return tuple(sorted(faults, key=lambda fault: -fault.n_rows))

    def _find_notes(self) -> tuple[Fault, ...]:
        self._engine.execute(
            "create temp table notes (_place bigint, rule varchar, column_name varchar)"
        )
        self._add_broken("notes", list(checks.note_rules(self.table)))
        return self._told("notes")

    def _add_broken(self, target: str, rules: list[checks.Rule]) -> None:
        """Add the rows that break a rule: one count over all rules, then only what is needed."""
        if not rules:
            return
        counts = ", ".join(f"count(*) filter (where {rule.condition})" for rule in rules)
        found = self._engine.execute(f"select {counts} from typed").fetchone()
        for rule, n in zip(rules, found, strict=True):
            if n:
                self._engine.execute(
                    f"insert into {target} select _place, {literal(rule.name)}, "
                    f"{literal(rule.column)} from typed where {rule.condition}"
                )

    def _told(self, where: str) -> tuple[Fault, ...]:
        """Faults per rule and column, the most frequent first."""
        rows = self._engine.execute(
            f"select rule, column_name, count(*), list_sort(min(_place, {ROWS_TOLD})) from {where} "
            "group by rule, column_name order by 3 desc, 1, 2"
        ).fetchall()
        return tuple(
            Fault(rule=rule, column=column, n_rows=n, first_rows=tuple(self._row_names(first)))
            for rule, column, n, first in rows
        )

    def _misfits_told(self) -> Fault | None:
        rows = [
            self._row_name(at, misfit.row)
            for at, extract in enumerate(self._extracts)
            for misfit in extract.misfits
        ]
        told = tuple(rows[:ROWS_TOLD])
        return (
            Fault(rule=MISFIT, column="(line)", n_rows=len(rows), first_rows=told) if rows else None
        )

    def _row_names(self, places: Sequence[int]) -> list[str]:
        """Row numbers as the user finds them: counted in the file, named when there are several."""
        ends = list(accumulate(extract.n_rows for extract in self._extracts))
        names = []
        for place in places:
            at = bisect_left(ends, place)
            nth = place - (ends[at] - self._extracts[at].n_rows)  # among the file's fitting rows
            before = bisect_right(self._thresholds[at], nth - 1)
            names.append(self._row_name(at, nth + before))
        return names

    def _row_name(self, at: int, row: int) -> str:
        return str(row) if len(self.files) == 1 else f"{self.files[at].name} row {row}"

    @cached_property
    def _thresholds(self) -> list[list[int]]:
        """For each file and misfit: how many fitting rows come before it."""
        return [
            [misfit.row - 1 - number for number, misfit in enumerate(extract.misfits)]
            for extract in self._extracts
        ]

    def _write_set_aside(self, file: Path) -> None:
        """The rows set aside as they were delivered, each with its reasons."""
        faulty = self._engine.execute(
            "select _place, list(distinct rule || ': ' || column_name order by rule || ': ' || column_name) "
            "as reasons from faults group by _place order by _place"
        ).to_arrow_table()
        rows = pa.array(self._row_names(faulty["_place"].to_pylist()), pa.string())
        self._engine.register("faulty", faulty.append_column("row", rows))
        misfits = [
            {"row": self._row_name(at, misfit.row), "reasons": [MISFIT], "line": misfit.text}
            for at, extract in enumerate(self._extracts)
            for misfit in extract.misfits
        ]
        shape = pa.schema(
            [("row", pa.string()), ("reasons", pa.list_(pa.string())), ("line", pa.string())]
        )
        self._engine.register("misfits", pa.Table.from_pylist(misfits, schema=shape))
        source = "delivered" if len(faulty) else "(select 0 as _place, * from fitting limit 0)"
        self._copy(
            "select row, reasons, null::varchar as line, columns(* exclude (row, reasons, _place)) "
            f"from faulty join {source} using (_place) union all by name from misfits",
            file,
        )

    def _period(self) -> dict[str, date | None]:
        if self.table.dated_by is None:
            return {"first_date": None, "last_date": None}
        name = identifier(self.table.dated_by)
        first, last = self._engine.execute(
            f"select min({name}), max({name}) from typed where _place not in (select _place from faults)"
        ).fetchone()
        return {"first_date": first, "last_date": last}

    def _refuse_too_many(self, version: Version) -> None:
        limit = self.table.set_aside_limit
        if version.n_rows_kept and version.n_rows_set_aside <= limit * version.n_rows_read:
            return
        share = version.n_rows_set_aside / version.n_rows_read
        raise DataError(
            gathered(
                f"{self.full_name} is refused: {version.n_rows_set_aside} of {version.n_rows_read} rows "
                f"({share:.1%}) are faulty, more than the {limit:.0%} that may be set aside. Nothing was stored.",
                describe_faults(version.faults),
            )
            + "\nMend the file or the definition. The limit is the table's set_aside_limit."
        )

    def _sources(self) -> tuple[Source, ...]:
        return tuple(
            Source(
                name=file.name,
                sha256=total,
                n_bytes=file.stat().st_size,
                n_rows=extract.n_rows + len(extract.misfits),
                read_as=extract.how,
            )
            for file, total, extract in zip(self.files, self._sums, self._extracts, strict=True)
        )

    def _copy(self, query: str, place: Path) -> None:
        self._engine.execute(f"copy ({query}) to {literal(place)} (format parquet)")

    def _count(self, query: str) -> int:
        return int(self._engine.execute(query).fetchone()[0])


def describe_faults(faults: Sequence[Fault]) -> list[str]:
    """Faults as lines to read: rule, column, how many rows, the first row numbers."""
    lines = []
    for fault in faults:
        more = ", ..." if fault.n_rows > len(fault.first_rows) else ""
        rows = "1 row" if fault.n_rows == 1 else f"{fault.n_rows} rows"
        lines.append(
            f"{fault.column}: {fault.rule} in {rows} (row {', '.join(fault.first_rows)}{more})"
        )
    return lines


def sha256_of(file: Path) -> str:
    """The SHA-256 sum of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
