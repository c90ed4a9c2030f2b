"""A run that cannot mean what its study says is refused before anything starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from linked import REGISTERS, STUDY, make_store
from projects import import_rows, make_project, many_rows, study_file

from workbench.errors import StudyError
from workbench.project import Project, open_project
from workbench.runner.plan import Plan, plan_run

PEOPLE = [["a", "1950-02-01", "1", None]]
START = [["a", "2015-01-01", "f"]]


def linked_project(folder: Path, *, lacking: str = "", **changes: Any) -> Plan:
    """A plan on the linked world, of whose store one table was taken out."""
    make_store(folder / "store", {"people.persons": PEOPLE, "renal.starts": START})
    if lacking:
        catalogue = folder / "store" / "catalogue.json"
        content = json.loads(catalogue.read_text("utf-8"))
        content["tables"].pop(lacking)
        catalogue.write_text(json.dumps(content), "utf-8")
    for name, tables in REGISTERS.items():
        document = {"name": name, "label": name, "tables": tables}
        write_yaml(folder / "params" / "registers" / f"{name}.yaml", document)
    write_yaml(folder / "params" / "studies" / "one.yaml", {**STUDY, **changes})
    return plan_run(folder / "params" / "studies" / "one.yaml", open_project(folder))


def write_yaml(file: Path, document: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), "utf-8")  # JSON is YAML


def project_with_rows(folder: Path) -> Project:
    project = make_project(folder)
    import_rows(project, *many_rows(20))
    return project


@pytest.mark.parametrize("lacking", ["people.migrations", "people.numbers"])
def test_a_population_table_that_is_not_in_the_store_is_not_passed_over(tmp_path, lacking):
    assert linked_project(tmp_path / "whole").name == "one"
    with pytest.raises(StudyError, match=f"{lacking} is not in the store"):
        linked_project(tmp_path / "part", lacking=lacking)


def test_residences_are_needed_where_they_are_matched_on(tmp_path):
    how: dict[str, Any] = {"lacking": "people.homes", "variables": {}}
    assert linked_project(tmp_path / "without", **how).name == "one"
    drawn = {"n": "1", "match_on": ["region"]}
    with pytest.raises(StudyError, match=r"people\.homes is not in the store"):
        linked_project(tmp_path / "matched", **how, comparison=drawn)


def test_a_study_may_not_know_more_than_its_deliveries(tmp_path):
    project = project_with_rows(tmp_path)
    with pytest.raises(StudyError, match="tells what was known on 2026-01-01"):
        plan_run(study_file(project), project, overrides={"as_of": "2026-01-02"})
    assert plan_run(study_file(project), project, overrides={"as_of": "2026-01-01"}).key


def test_a_table_that_lost_its_definition_is_named(tmp_path):
    linked_project(tmp_path)
    without = {key: one for key, one in REGISTERS["people"].items() if key != "numbers"}
    document = {"name": "people", "label": "people", "tables": without}
    write_yaml(tmp_path / "params" / "registers" / "people.yaml", document)
    with pytest.raises(StudyError, match=r"people\.numbers: its register no longer defines"):
        plan_run(tmp_path / "params" / "studies" / "one.yaml", open_project(tmp_path))


def test_a_notebook_that_follows_persons_needs_a_follow_up(tmp_path):
    project = project_with_rows(tmp_path)
    text = study_file(project).read_text("utf-8")
    before, _, after = text.partition("follow_up:\n")
    without = before + after[after.index("variables:") :]
    study_file(project).write_text(without, "utf-8")
    with pytest.raises(StudyError, match="the study has no follow_up"):
        plan_run(study_file(project), project)
    describing = plan_run(
        study_file(project), project, overrides={"notebook": "10_describe_cohort"}
    )
    assert describing.study.follow_up is None
