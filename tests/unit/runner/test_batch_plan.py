"""A batch is planned and checked as a whole before anything runs, and quickly."""

from __future__ import annotations

import sys
import time

import pytest
from batches import batch_project, write_sweep
from projects import STUDY, study_file

from workbench import cli
from workbench.errors import StudyError
from workbench.runner.batches.batch_plan import plan_batch
from workbench.runner.inputs import key_of
from workbench.runner.plan import Planner, plan_run

OVERRIDES = [
    {},
    {"seed": "7"},
    {"number": "3"},
    {"as_of": "2020-11-30", "number": "3"},
    {"cohort.include": [{"variable": "age", "at_least": "40", "because": "young"}]},
    {"variables.age.label": "Years", "seed": "7"},
    {"title": "Another", "cohort.events": "every"},
    {"release_profile": "standard", "notebook": "own"},
    {"follow_up.unit": "years", "model": ["age"]},
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return batch_project(tmp_path_factory.mktemp("planned"))


@pytest.fixture
def call(monkeypatch, capsys):
    def called(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["workbench", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return called


def test_runs_planned_together_have_the_keys_of_runs_planned_alone(project):
    together = Planner(study_file(project), project)
    for overrides in [*OVERRIDES, *reversed(OVERRIDES)]:
        plan, alone = together.plan(overrides), plan_run(
            study_file(project), project, overrides=overrides
        )  # fmt: skip
        assert plan.inputs == alone.inputs
        assert plan.key == alone.key == key_of(plan.inputs)
        assert plan.study == alone.study
    assert len({together.plan(one).key for one in OVERRIDES}) == len(OVERRIDES) - 1


def test_a_column_called_like_a_key_still_names_its_table(project):
    planner = Planner(study_file(project), project)
    planner.plan({})
    linked = {"link": "kidney.elsewhere", "take": "any", "days": {"to": "0"}}
    for name in ("days", "label", "period"):
        with pytest.raises(StudyError, match="elsewhere"):
            planner.plan({f"variables.{name}": linked})


def test_what_the_environment_is_enters_the_key(project, monkeypatch):
    before = plan_run(study_file(project), project).key
    monkeypatch.setattr("workbench.runner.plan.environment", lambda: {"pandas": "1.0"})
    assert plan_run(study_file(project), project).key != before


def test_all_faults_of_a_whole_batch_are_told_before_anything_runs(tmp_path):
    project = batch_project(tmp_path)
    good = write_sweep(project, "good", sweep={"number": ["1", "2"]})
    typed = write_sweep(project, "typed", sweep={"number": ["1", "x"], "factor": ["1", "2"]})
    named = write_sweep(project, "named", sweep={"nmber": ["1"]})
    broken = tmp_path / "broken.yaml"
    broken.write_text("study: dialysis\nsweep: [", encoding="utf-8")
    with pytest.raises(StudyError) as told:
        plan_batch([good, typed, named, broken], project)
    message = str(told.value)
    assert "typed: number=x,factor=1 and 1 more run: " in message and '"x"' in message
    assert "named: nmber=1: -p nmber: neither" in message and 'Did you mean "number"' in message
    assert "broken: " in message and "not valid YAML" in message
    assert not project.runs_folder.exists()


def test_a_folder_gives_its_studies_and_sweeps_each_once(tmp_path):
    project = batch_project(tmp_path)
    sweep = write_sweep(project, sweep={"number": ["1", "2"]})
    studies = study_file(project).parent
    plans = plan_batch([studies, sweep.parent, sweep], project)
    assert [plan.run_name for plan in plans] == ["", "number=1", "number=2"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(StudyError, match="holds no study"):
        plan_batch([empty], project)


def test_a_study_that_only_its_sweep_completes_is_planned(tmp_path):
    project = batch_project(tmp_path)
    path = study_file(project)
    text = STUDY.replace("20_estimate_survival", "own")
    path.write_text(text.replace("as_of: 2020-12-31", "as_of:"), encoding="utf-8")
    sweep = write_sweep(project, sweep={"as_of": ["2020-06-30", "2020-12-31"]})
    assert len({plan.key for plan in plan_batch([sweep], project)}) == 2


def test_thousands_of_runs_are_planned_in_seconds(project):
    days = [f"2020-{month:02}-{day:02}" for month in range(7, 13) for day in range(1, 21)]
    sweep = write_sweep(
        project, "many", sweep={"as_of": days, "number": [str(at) for at in range(20)]}
    )
    began = time.process_time()
    plans = plan_batch([sweep], project)
    seconds = time.process_time() - began
    assert len({plan.key for plan in plans}) == len(plans) == 2400
    assert seconds < 2.4  # 10,000 in 10 on a loaded machine; 4 is what is measured


def test_a_dry_run_shows_the_plan_and_makes_nothing(tmp_path, call):
    project = batch_project(tmp_path)
    sweep = write_sweep(project, sweep={"number": ["1", "2"]})
    code, out, _ = call("batch", sweep, "--dry-run", "--project", tmp_path)
    assert code == 0
    assert "number=2" in out and "2 runs: 2 new" in out
    assert call("batch", "--dry-run", "run", sweep, "--project", tmp_path)[0] == 2
    assert call("batch", "run", sweep, "--dry-run", "--project", tmp_path)[1] == out
    assert not project.runs_folder.exists()


def test_a_batch_that_cannot_run_is_a_bad_study(tmp_path, call):
    sweep = write_sweep(batch_project(tmp_path), sweep={"nmber": ["1"]})
    code, _, err = call("batch", sweep, "--project", tmp_path)
    assert code == 2 and "Did you mean" in err and "Traceback" not in err


def test_batch_alone_says_what_it_takes(call):
    code, out, err = call("batch")
    assert "PATH" in out + err and code in {0, 2}
