"""One delivery of a table: its files staged as text, judged row by row, written in two parts.

Rows read = rows kept + rows set aside; the two parts are counted apart and compared before
anything reaches the store. Faults are told per rule and column, with row numbers counted in the
file from 1, the first row after the header.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
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
        self._make_view()
        decimal = self._decimal_mark()
        progress("checking rows")
        self._refuse_undeclared_identity()
        faults = self._find_faults(decimal)
        n_aside = self._count("select count(distinct row_id) from faults")
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
            notes=self._find_notes(decimal),
            columns_left_out=tuple(dict.fromkeys(one for e in self._extracts for one in e.strangers)),
            rows_sha256="",
            workbench_version=installed_version("register-workbench"),
            **self._period(decimal),
        )
        self._refuse_too_many(version)
        return version

    def write(self, version: Version, *, progress: Progress) -> tuple[Path, Version]:
        """Write the rows kept and the rows set aside into a folder of their own."""
        progress("writing rows")
        place = self.folder / "version"
        place.mkdir()
        decimal = self._decimal_mark()
        typed = ", ".join(
            f"{checks.typed_sql(checks.value_sql(name, self.table), variable, decimal=decimal)}"
            f"::{checks.STORED_TYPES[variable.type]} as {identifier(name)}"
            for name, variable in self.table.variables.items()
        )
        kept = f"select row_id, {typed} from staged where row_id not in (select row_id from faults)"
        if not version.n_rows_set_aside:
            kept = f"select row_id, {typed} from staged"
        elif any(extract.misfits for extract in self._extracts):
            kept += " order by row_id"  # counting around misfits loses the file's order
        self._copy(kept, place / ROWS)
        self._copy(
            "select coalesce(s.row_id, f.row_id) as row_id, f.reasons, m.line_text, s.* exclude (row_id) "
            "from (select row_id, list(distinct rule || ': ' || column_name order by rule || ': ' || column_name) "
            "as reasons from faults group by row_id) f left join staged s using (row_id) "
            "left join misfits m using (row_id) order by 1",
            place / SET_ASIDE,
        )
        counted = [pq.read_metadata(place / part).num_rows for part in (ROWS, SET_ASIDE)]
        if counted != [version.n_rows_kept, version.n_rows_set_aside]:
            raise AssertionError("rows kept and rows set aside do not add up to the rows read")
        return place, version.model_copy(update={"rows_sha256": sha256_of(place / ROWS)})

    def _make_view(self) -> None:
        """One view over all files, with a row number that runs on from file to file."""
        sizes = [extract.n_rows + len(extract.misfits) for extract in self._extracts]
        self._offsets = [0, *accumulate(sizes)][:-1]
        misfits = [
            (offset + misfit.row, misfit.text)
            for offset, extract in zip(self._offsets, self._extracts, strict=True)
            for misfit in extract.misfits
        ]
        frame = pa.table(
            {
                "row_id": pa.array([row for row, _ in misfits], pa.int64()),
                "line_text": pa.array([text for _, text in misfits], pa.string()),
            }
        )
        self._engine.register("misfit_lines", frame)
        self._engine.execute("create temp table misfits as from misfit_lines")
        parts = [self._part(at, extract) for at, extract in enumerate(self._extracts)]
        self._engine.execute(f"create temp view staged as {' union all '.join(parts)}")

    def _part(self, at: int, extract: Extract) -> str:
        offset = self._offsets[at]
        columns = ", ".join(
            f"{identifier(column)} as {identifier(name)}"
            for name, column in extract.columns.items()
        )
        file = f"read_parquet({literal(extract.staged)}, file_row_number=true)"
        if not extract.misfits:
            return f"select file_row_number + 1 + {offset} as row_id, {columns} from {file}"
        # A row comes after a misfit when more rows than those before the misfit were read.
        before = f"before_{at}"
        steps = {"place": [], "n_misfits": []}
        for number, misfit in enumerate(extract.misfits):
            steps["place"].append(misfit.row - 1 - number)
            steps["n_misfits"].append(number + 1)
        self._engine.register(f"{before}_frame", pa.table(steps))
        self._engine.execute(
            f"create temp table {before} as select place, max(n_misfits) as n_misfits from {before}_frame group by place"
        )
        return (
            f"select file_row_number + 1 + {offset} + coalesce(n_misfits, 0) as row_id, {columns} "
            f"from {file} f asof left join {before} b on f.file_row_number >= b.place"
        )

    def _decimal_mark(self) -> str:
        declared = self.table.delivery.decimal
        decimals = [name for name, one in self.table.variables.items() if one.type == "decimal"]
        if declared or not decimals:
            return declared or "."
        seen = " or ".join("contains({0}, '{{0}}')".format(identifier(name)) for name in decimals)
        has_comma, has_point = self._engine.execute(
            f"select coalesce(bool_or({seen.format(',')}), false), coalesce(bool_or({seen.format('.')}), false) from staged"
        ).fetchone()
        if has_comma and has_point:
            raise DataError(
                f"{self.full_name}: some numbers have a decimal comma, others a point (or separators of "
                'thousands). Say which it is: delivery: decimal: "," or "."'
            )
        return "," if has_comma else "."

    def _refuse_undeclared_identity(self) -> None:
        rules = list(checks.identity_rules(self.table))
        if not rules:
            return
        counts = ", ".join(f"count(*) filter (where {rule.condition})" for rule in rules)
        found = self._engine.execute(f"select {counts} from staged").fetchone()
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

    def _find_faults(self, decimal: str) -> tuple[Fault, ...]:
        rules = list(checks.row_rules(self.table, as_of=self.as_of, decimal=decimal))
        broken = " or ".join(f"({rule.condition})" for rule in rules) or "false"
        cases = ", ".join(f"case when {rule.condition} then {at} end" for at, rule in enumerate(rules))
        self._engine.execute(
            f"create temp table broken as select row_id, unnest(list_filter([{cases or 'null'}], one -> one is not null)) as rule_no "
            f"from (select * from staged where {broken})"
        )
        names = pa.table(
            {
                "rule_no": pa.array(range(len(rules)), pa.int64()),
                "rule": pa.array([rule.name for rule in rules], pa.string()),
                "column_name": pa.array([rule.column for rule in rules], pa.string()),
            }
        )
        self._engine.register("rule_names", names)
        self._engine.execute(
            "create temp table faults as select row_id, rule, column_name from broken join rule_names using (rule_no) "
            "union all select row_id, 'wrong number of fields', '(line)' from misfits"
        )
        if self.table.key:
            key = literal(", ".join(self.table.key))
            duplicates = checks.duplicate_sql(self.table, "staged")
            self._engine.execute(f"insert into faults select *, {key} from ({duplicates})")
        return self._told("faults")

    def _find_notes(self, decimal: str) -> tuple[Fault, ...]:
        self._engine.execute("create temp table notes (row_id bigint, rule varchar, column_name varchar)")
        for rule in checks.note_rules(self.table, decimal=decimal):
            self._engine.execute(
                f"insert into notes select row_id, {literal(rule.name)}, {literal(rule.column)} "
                f"from staged where {rule.condition}"
            )
        return self._told("notes")

    def _told(self, where: str) -> tuple[Fault, ...]:
        """Faults per rule and column, the most frequent first."""
        rows = self._engine.execute(
            f"select rule, column_name, count(*), list_sort(min(row_id, {ROWS_TOLD})) from {where} "
            "group by rule, column_name order by 3 desc, 1, 2"
        ).fetchall()
        return tuple(
            Fault(rule=rule, column=column, n_rows=n, first_rows=tuple(self._place(row) for row in first))
            for rule, column, n, first in rows
        )

    def _place(self, row_id: int) -> str:
        """A row number as the user finds it: with the file's name when there are several."""
        if len(self.files) == 1:
            return str(row_id)
        at = max(at for at, offset in enumerate(self._offsets) if offset < row_id)
        return f"{self.files[at].name} row {row_id - self._offsets[at]}"

    def _period(self, decimal: str) -> dict[str, date | None]:
        name = self.table.dated_by
        if name is None:
            return {"first_date": None, "last_date": None}
        dated = checks.typed_sql(checks.value_sql(name, self.table), self.table.variables[name], decimal=decimal)
        first, last = self._engine.execute(
            f"select min({dated}), max({dated}) from staged where row_id not in (select row_id from faults)"
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
        self._engine.execute(f"copy ({query}) to {literal(place)} (format parquet, compression zstd)")

    def _count(self, query: str) -> int:
        return int(self._engine.execute(query).fetchone()[0])


def describe_faults(faults: Sequence[Fault]) -> list[str]:
    """Faults as lines to read: rule, column, how many rows, the first row numbers."""
    lines = []
    for fault in faults:
        more = ", ..." if fault.n_rows > len(fault.first_rows) else ""
        rows = "1 row" if fault.n_rows == 1 else f"{fault.n_rows} rows"
        lines.append(f"{fault.column}: {fault.rule} in {rows} (row {', '.join(fault.first_rows)}{more})")
    return lines


def sha256_of(file: Path) -> str:
    """The SHA-256 sum of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
