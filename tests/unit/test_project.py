"""Where things lie: the open project first, and what a study from elsewhere brings."""

from __future__ import annotations

import pytest

from workbench.errors import StudyError
from workbench.project import house_folder, open_project


def test_store_and_runs_lie_in_the_project_unless_told_otherwise(tmp_path):
    project = open_project(tmp_path)
    assert (project.store_folder, project.runs_folder) == (tmp_path / "store", tmp_path / "runs")
    assert open_project(tmp_path, store=tmp_path / "s").store_folder == tmp_path / "s"


def test_a_study_brings_its_own_projects_definitions_first(tmp_path):
    study = tmp_path / "other" / "params" / "studies" / "one.yaml"
    project = open_project(tmp_path / "mine", study_file=study)
    assert project.params_folders == (tmp_path / "other" / "params", tmp_path / "mine" / "params")
    assert project.store_folder == tmp_path / "mine" / "store"


def test_a_study_outside_a_project_brings_nothing(tmp_path):
    assert open_project(tmp_path, study_file=tmp_path / "x.yaml").origins == (tmp_path,)


def test_a_projects_own_notebook_goes_before_the_workbenchs(tmp_path):
    project = open_project(tmp_path)
    assert project.find_notebook("10_describe_cohort").parent == house_folder("notebooks")
    own = tmp_path / "notebooks" / "10_describe_cohort.ipynb"
    own.parent.mkdir()
    own.touch()
    assert project.find_notebook("10_describe_cohort.ipynb") == own


def test_an_unknown_notebook_names_the_nearest(tmp_path):
    with pytest.raises(StudyError, match='Did you mean "10_describe_cohort"'):
        open_project(tmp_path).find_notebook("10_describe_cohrt")
