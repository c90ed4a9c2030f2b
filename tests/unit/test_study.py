"""A study file is read as it stands, and what definitions can decide is decided before it runs."""

from __future__ import annotations

from datetime import date

import pytest
from projects import STUDY, make_project, study_file

from workbench.errors import StudyError
from workbench.registers.schema import load_register
from workbench.study import Definitions, check_study, load_study


def check(tmp_path, *changes: tuple[str, str], register: tuple[str, str] | None = None) -> None:
    study = STUDY
    for old, new in changes:
        assert old in study
        study = study.replace(old, new)
    project = make_project(tmp_path, study=study)
    if register:
        path = project.root / "params" / "registers" / "kidney.yaml"
        path.write_text(path.read_text().replace(*register))
    table = load_register("kidney", project.params_folders).table("starts")
    definitions = Definitions({"kidney.starts": table})
    check_study(load_study(study_file(project)), definitions, where="dialysis.yaml")


def test_a_study_that_fits_passes(tmp_path):
    check(tmp_path)


FAULTS = {
    "misspelt key": ("group: access", "groupp: access", 'no key "groupp".*Did you mean "group"'),
    "unknown variable": (
        "variable: age",
        "variable: agee",
        'no variable "agee".*Did you mean "age"',
    ),
    "unknown code": ("in: [1]", "in: [7]", '"7" is no code of status'),
    "wrong type": ("at_least: 18", "at_least: x", '"x" is not a value of age'),
    "no reason": (", because: younger than 18", "", "because: this key is missing"),
    "two tests": ("at_least: 18", "at_least: 18, in: [4]", "give one of in, not_in"),
    "period backwards": ("from: 2010-01-01", "from: 2030-01-01", "ends .* before it begins"),
    "period after as_of": ("to: 2019-12-31", "to: 2021-12-31", "after as_of"),
    "impossible day": (
        "as_of: 2020-12-31",
        "as_of: 2020-02-30",
        "as_of: .2020-02-30. cannot be used",
    ),
    "no as_of": ("as_of: 2020-12-31\n", "", "as_of: this key is missing"),
    "index date is no date": (
        "index_date: start",
        "index_date: age",
        "age has type integer, not date",
    ),
    "two ways to follow": ("  end_date: ended", "  end_date: ended\n  duration: age", "not both"),
    "no event": ("  event: {variable: status, in: [1]}\n", "", "say what the event is"),
    "group unknown": ("group: access", "group: acess", 'Did you mean "access"'),
    "group is a number": ("group: access", "group: age", "cut it into groups first"),
    "model unknown": ("model: [age, access]", "model: [agge]", 'Did you mean "age"'),
    "person as covariate": (
        "  access: {label",
        "  patient: {label: x}\n  access: {label",
        "never analysed",
    ),
    "date as covariate": (
        "  access: {label",
        "  born: {label: x}\n  access: {label",
        "date cannot be",
    ),
    "a name of the cohort": (
        "  age: {label: Age}",
        "  age: {label: Age}\n  follow_up: {from: age}",
        "has a column of that name",
    ),
    "cut of a category": ("access: {label: Access}", "access: {cut: [1, 2]}", "cut needs numbers"),
    "cut not rising": ("age: {label: Age}", "age: {cut: [60, 40]}", "each above the one before"),
    "unit of nothing": ("access: {label: Access}", "access: {unit: days}", "unit converts"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_its_place_and_what_was_expected(tmp_path, fault):
    old, new, told = FAULTS[fault]
    with pytest.raises(StudyError, match=told):
        check(tmp_path, (old, new))


def test_all_faults_are_told_together(tmp_path):
    with pytest.raises(StudyError) as told:
        check(tmp_path, ("variable: age", "variable: agee"), ("in: [1]", "in: [7]"))
    assert str(told.value).count("\n  - ") == 2


def test_a_table_without_dates_refuses_what_needs_a_calendar(tmp_path):
    project = make_project(tmp_path)
    path = project.root / "params" / "registers" / "kidney.yaml"
    text = path.read_text().replace("type: date", "type: integer, unit: days")
    text = text.replace("    dated_by: start\n", "").replace(
        "    date_order: [[born, start]]\n", ""
    )
    path.write_text(text)
    table = load_register("kidney", project.params_folders).table("starts")
    definitions = Definitions({"kidney.starts": table})
    with pytest.raises(StudyError) as told:
        check_study(load_study(study_file(project)), definitions, where="dialysis.yaml")
    assert "durations and no dates, so that no period can be chosen" in str(told.value)
    assert "as_of: the table starts has durations and no dates" in str(told.value)


def test_text_that_looks_like_something_else_stays_text(tmp_path):
    study = STUDY.replace("title: Survival after start of dialysis", "title: 0301")
    study = study.replace("because: younger than 18", "because: NO")
    read = load_study(study_file(make_project(tmp_path, study=study)))
    assert (read.title, read.cohort.include[0].because) == ("0301", "NO")


def test_the_command_line_can_change_a_key_of_the_study(tmp_path):
    path = study_file(make_project(tmp_path))
    study = load_study(path, overrides={"as_of": "2019-12-31", "cohort.period.to": "2018-12-31"})
    assert (study.as_of, study.cohort.period.last) == (date(2019, 12, 31), date(2018, 12, 31))
    with pytest.raises(StudyError, match="as_of.*cannot be used"):
        load_study(path, overrides={"as_of": "soon"})
    with pytest.raises(StudyError, match='"title" has no keys of its own'):
        load_study(path, overrides={"title.x": "1"})
