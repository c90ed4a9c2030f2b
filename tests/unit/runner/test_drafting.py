"""A drafted study is a working file for the table it was drafted on."""

from __future__ import annotations

import pytest
from projects import make_project

from workbench.errors import DefinitionError
from workbench.registers.documents import parse_document
from workbench.registers.schema import Register, load_register
from workbench.runner.drafting import draft_study
from workbench.study import Definitions, check_study, load_study

DURATIONS = {
    "name": "lung",
    "label": "Lung: a register",
    "tables": {
        "patients": {
            "variables": {
                "time": {"type": "integer", "unit": "days"},
                "status": {"type": "code", "codes": {"0": "alive", "1": "dead"}},
                "sex": {
                    "type": "code",
                    "codes": {"m": "male", "f": "female"},
                    "label": "Sex: both",
                },
            }
        }
    },
}


def checked(tmp_path, register: Register, table: str):
    path = tmp_path / "draft.yaml"
    path.write_text(draft_study(register, table), encoding="utf-8")
    study = load_study(path)
    check_study(study, Definitions({study.main_table: register.tables[table]}), where="draft")
    return study


def test_a_draft_on_dates_passes_its_checks(tmp_path):
    register = load_register("kidney", make_project(tmp_path).params_folders)
    study = checked(tmp_path, register, "starts")
    assert study.cohort.index_date == "start"
    assert "patient" not in study.variables


def test_a_draft_on_durations_asks_for_no_dates(tmp_path):
    register = parse_document(DURATIONS, Register, where="lung")
    study = checked(tmp_path, register, "patients")
    assert (study.as_of, study.follow_up.duration) == (None, "time")
    assert study.variables["sex"].label == "Sex: both"


def test_an_unknown_table_names_the_nearest(tmp_path):
    register = parse_document(DURATIONS, Register, where="lung")
    with pytest.raises(DefinitionError, match='Did you mean "patients"'):
        draft_study(register, "patient")
