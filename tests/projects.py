"""A small project on disk for tests: one register, one extract in the store, one study."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from workbench.data.intake import Import, import_extract
from workbench.project import Project, open_project
from workbench.registers.schema import load_register

REGISTER = """\
name: kidney
label: A small register
tables:
  starts:
    person: patient
    dated_by: start
    date_order: [[born, start]]
    variables:
      patient: {type: code, sensitivity: pseudonym, required: yes}
      born: {type: date}
      start: {type: date, label: Start of dialysis}
      ended: {type: date, label: End of follow-up}
      status: {type: code, codes: {0: alive, 1: dead}}
      age: {type: integer, unit: years, label: Age}
      access:
        {type: code, codes: {f: fistula, c: catheter, x: not known}, unknown: [x], label: Access}
"""
STUDY = """\
title: Survival after start of dialysis
question: Who lives longest?
register: kidney
table: starts
as_of: 2020-12-31
notebook: 20_estimate_survival
cohort:
  index_date: start
  period: {from: 2010-01-01, to: 2019-12-31}
  include:
    - {variable: age, at_least: 18, because: younger than 18}
  exclude:
    - {variable: access, is_missing: yes, because: access not known}
follow_up:
  outcome: death from any cause
  end_date: ended
  event: {variable: status, in: [1]}
  unit: days
variables:
  age: {label: Age}
  access: {label: Access}
group: access
model: [age, access]
"""
HEADER = "patient,born,start,ended,status,age,access"


def make_project(folder: Path, *, register: str = REGISTER, study: str = STUDY) -> Project:
    """Write a project's definition and study."""
    for place, name, text in (("registers", "kidney", register), ("studies", "dialysis", study)):
        path = folder / "params" / place / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return open_project(folder)


def study_file(project: Project) -> Path:
    """The project's study."""
    return project.root / "params" / "studies" / "dialysis.yaml"


def import_rows(project: Project, *rows: str) -> Import:
    """Import lines of the register's extract into the project's store."""
    extract = project.root / "extract.csv"
    extract.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    register = load_register("kidney", project.params_folders)
    return import_extract(
        register, "starts", [extract], store_folder=project.store_folder, as_of=date(2026, 1, 1)
    )


def many_rows(n: int) -> list[str]:
    """Rows of a plausible register: `n` patients, one start each, both accesses, some deaths."""
    return [
        f"p{at:04},19{40 + at % 40}-03-01,{2010 + at % 9}-0{1 + at % 8}-15,2020-0{1 + at % 6}-01,"
        f"{int(at % 3 == 0 or at % 7 == 0)},{30 + (at * 7) % 50},{'f' if at % 5 < 3 else 'c'}"
        for at in range(n)
    ]
