"""A small world of linked registers for tests, put straight into a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.analysis.cohort import Cohort, select_cohort
from workbench.data.store import ROWS, SET_ASIDE, Store, Version, open_store, writing
from workbench.registers.codes import CodeList
from workbench.registers.documents import parse_document
from workbench.registers.schema import Register
from workbench.study import Definitions, Study, check_study

PERSON = {"type": "code", "sensitivity": "pseudonym", "required": "yes"}
SEX = {"type": "code", "codes": {"1": "male", "2": "female"}, "means": "sex"}
REGISTERS: dict[str, Any] = {
    "people": {
        "persons": {
            "role": "persons",
            "person": "id",
            "key": ["id"],
            "dated_by": "born",
            "variables": {
                "id": PERSON,
                "born": {"type": "date", "means": "birth_date"},
                "sex": SEX,
                "died": {"type": "date", "means": "death_date"},
            },
        },
        "migrations": {
            "role": "migrations",
            "person": "id",
            "dated_by": "moved",
            "variables": {
                "id": PERSON,
                "moved": {"type": "date"},
                "direction": {
                    "type": "code",
                    "codes": {"in": "immigration", "out": "emigration"},
                    "means": "migration",
                },
            },
        },
        "homes": {
            "role": "residences",
            "person": "id",
            "dated_by": "moved_in",
            "variables": {
                "id": PERSON,
                "moved_in": {"type": "date"},
                "region": {"type": "code", "means": "region"},
            },
        },
        "numbers": {
            "role": "number_changes",
            "person": "id",
            "variables": {
                "id": PERSON,
                "earlier": {**PERSON, "means": "earlier_number"},
            },
        },
    },
    "renal": {
        "starts": {
            "person": "id",
            "dated_by": "start",
            "variables": {
                "id": PERSON,
                "start": {"type": "date", "label": "Start of dialysis"},
                "access": {"type": "code", "codes": {"f": "fistula", "c": "catheter"}},
            },
        },
        "forms": {
            "person": "id",
            "dated_by": "sent",
            "variables": {
                "id": PERSON,
                "sent": {"type": "date"},
                "came": {"type": "date"},
                "walk": {"type": "integer"},
                "mood": {"type": "integer"},
            },
        },
    },
    "care": {
        "stays": {
            "person": "id",
            "dated_by": "admitted",
            "variables": {
                "id": PERSON,
                "admitted": {"type": "date"},
                "diagnosis": {"type": "code", "code_system": "icd10se"},
                "others": {"type": "code", "code_system": "icd10se", "separated_by": "blank"},
                "sex": SEX,
                "hb": {"type": "integer", "unit": "g/l"},
            },
        }
    },
}
COLUMNS = {
    f"{register}.{table}": list(content["variables"])
    for register, tables in REGISTERS.items()
    for table, content in tables.items()
}
DIABETES = parse_document(
    {
        "name": "diabetes",
        "label": "Diabetes",
        "system": "icd10se",
        "source": "ICD-10-SE",
        "match": "prefix",
        "codes": ["E10", "E11"],
    },
    CodeList,
    where="diabetes.yaml",
)
STUDY: dict[str, Any] = {
    "title": "Survival on dialysis",
    "question": "Who lives longest?",
    "register": "renal",
    "table": "starts",
    "as_of": "2020-12-31",
    "notebook": "20_estimate_survival",
    "population": "people",
    "cohort": {"index_date": "start", "period": {"from": "2010-01-01", "to": "2019-12-31"}},
    "follow_up": {
        "outcome": "death from any cause",
        "event_in": {"link": "people.persons", "date": "died"},
        "unit": "days",
    },
    "variables": {"access": {"label": "Access"}},
}


def definitions() -> Definitions:
    """The definitions of every table of the world."""
    tables, roles = {}, {}
    for name, content in REGISTERS.items():
        document = {"name": name, "label": name, "tables": content}
        register = parse_document(document, Register, where=f"{name}.yaml")
        for table_name, table in register.tables.items():
            tables[f"{name}.{table_name}"] = table
            if table.role:
                roles[table.role] = f"{name}.{table_name}"
    return Definitions(tables, roles, {"diabetes": DIABETES})


def make_store(folder: Path, rows: Mapping[str, Sequence[Sequence[Any]]]) -> Store:
    """A store that holds every table of the world; tables not given have no rows."""
    types = {"date": pa.date32(), "integer": pa.int64()}
    with writing(folder) as writer:
        for at, (name, table) in enumerate(definitions().tables.items()):
            files = writer.staging / str(at)
            files.mkdir()
            given = list(rows.get(name, ()))
            schema = pa.schema(
                [(one, types.get(v.type, pa.string())) for one, v in table.variables.items()]
            )
            columns = [[_day(row[place]) for row in given] for place in range(len(schema))]
            arrays = [pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)]
            pq.write_table(pa.Table.from_arrays(arrays, schema=schema), files / ROWS)
            pq.write_table(pa.table({"_row": []}), files / SET_ASIDE)
            writer.add_version(name, files, _version(writer.next_name(name), table, len(given)))
    return open_store(folder)


def cohort_of(
    store: Store, *, code_lists: Mapping[str, CodeList] | None = None, **changes: Any
) -> Cohort:
    """The cohort of the world's study, with keys of the study changed."""
    lists = {"diabetes": DIABETES, **(code_lists or {})}
    study = parse_document({**STUDY, **changes}, Study, where="study.yaml")
    check_study(study, replace(definitions(), code_lists=lists), where="study.yaml")
    return select_cohort(study, store, code_lists=lists)


def _day(value: Any) -> Any:
    """ISO texts as dates, everything else as it is."""
    if isinstance(value, str) and len(value) == 10 and value[4] == "-":
        return date.fromisoformat(value)
    return value


def _version(name: str, table: Any, n_rows: int) -> Version:
    return Version(
        name=name,
        key=name,
        imported_at="2026-01-01T00:00:00+00:00",
        as_of=date(2026, 1, 1),
        sources=(),
        definition_sha256="0",
        definition=table,
        n_rows_read=n_rows,
        n_rows_kept=n_rows,
        n_rows_set_aside=0,
        faults=(),
        notes=(),
        columns_left_out=(),
        first_date=None,
        last_date=None,
        rows_sha256="0",
        workbench_version="0",
    )
