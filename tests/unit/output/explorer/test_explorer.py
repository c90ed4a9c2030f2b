"""The page without a browser: a choice changes what is shown, a saved study gives the same."""

from __future__ import annotations

import threading
from datetime import date

import pandas as pd
import pytest

from tests.projects import import_rows, make_project, study_file
from workbench.data.store import CATALOGUE
from workbench.errors import StudyError
from workbench.output.explorer.results import CURVE, FLOW, PARTS, TABLE
from workbench.runner.execute import run_study
from workbench.runner.plan import plan_run


def test_everything_is_there_at_once(explorer_of, project):
    explorer = explorer_of(project, study_file(project))
    for name in (CURVE, FLOW, TABLE):
        assert explorer.results[name].refusal == ""
        assert explorer.results[name].released is not None
    for name in (CURVE, FLOW):
        svg = explorer.results[name].html
        assert 'role="img"' in svg and "<title" in svg and "<desc" in svg
    assert "younger than 18" in explorer.results[FLOW].html or "merged" in str(
        explorer.results[FLOW].released.hidden_counts
    )


def test_without_a_study_the_first_table_is_shown(explorer_of, project):
    explorer = explorer_of(project)
    assert explorer.state.study.main_table == "kidney.starts"
    assert explorer.results[TABLE].refusal == ""


def test_a_choice_changes_the_figure(explorer_of, project):
    explorer = explorer_of(project, study_file(project))
    before = explorer.results[CURVE].html
    explorer.controls.age.value = (50, 110)
    assert explorer.wait()
    assert explorer.results[CURVE].html != before
    assert explorer.state.study.cohort.include[0].at_least == "50"
    explorer.undo()
    assert explorer.wait()
    assert explorer.results[CURVE].html == before
    assert explorer.controls.age.value == (18, 110)


def test_redo_and_reset(explorer_of, project):
    explorer = explorer_of(project, study_file(project))
    first = explorer.state
    explorer.controls.first_day.value = date(2013, 1, 1)
    explorer.controls.note.value = "later years"
    changed = explorer.state
    explorer.controls.undo.click()
    explorer.controls.redo.click()
    assert explorer.state == changed
    explorer.controls.reset.click()
    assert explorer.state == first
    assert explorer.controls.note.value == ""


def test_the_saved_study_runs_and_gives_the_same_numbers(explorer_of, project):
    explorer = explorer_of(project, study_file(project))
    explorer.controls.age.value = (40, 75)
    explorer.controls.name.value = "explored"
    assert explorer.wait()
    explorer.controls.save.click()
    run = run_study(plan_run(project.root / "params" / "studies" / "explored.yaml", project))
    assert run.manifest.state == "finished"
    curve = explorer.results[CURVE].released
    ran = (run.folder / "release" / "survival.csv").read_bytes()
    assert curve.csv() == ran
    again = explorer_of(project, project.root / "params" / "studies" / "explored.yaml")
    assert again.state.study == explorer.state.study


def test_only_what_the_explorer_wrote_is_written_over(explorer_of, project):
    explorer = explorer_of(project, study_file(project))
    with pytest.raises(StudyError, match="not written by the explorer"):
        explorer.save("dialysis")
    explorer.save("mine")
    assert explorer.save("mine").is_file()
    for name in ("../mine", "Mine", ""):
        with pytest.raises(StudyError, match="no name of a study"):
            explorer.save(name)


def test_a_study_that_is_not_there_is_told_on_the_page(explorer_of, project):
    explorer = explorer_of(project, study_file(project))
    explorer.controls.name.value = "nowhere"
    explorer.controls.open.click()
    assert "There is no study nowhere.yaml" in explorer._status.value
    assert 'role="alert"' in explorer._status.value


def test_an_empty_cohort_is_told_and_can_be_undone(explorer_of, project):
    explorer = explorer_of(project, study_file(project))
    explorer.controls.age.value = (105, 110)
    assert explorer.wait()
    for name in PARTS:
        assert "Nobody is left" in explorer.results[name].refusal
        assert explorer.results[name].released is None
    explorer.undo()
    assert explorer.wait()
    assert explorer.results[CURVE].refusal == ""


def test_a_small_cohort_is_not_shown(explorer_of, tmp_path):
    project = make_project(tmp_path)
    import_rows(project, "p1,1950-03-01,2012-02-15,2020-03-01,1,62,f")
    explorer = explorer_of(project, study_file(project))
    assert explorer.results[FLOW].released is None
    assert "fewer than" in explorer.results[FLOW].refusal


def test_a_broken_store_is_told_on_the_page(explorer_of, project):
    (project.store_folder / CATALOGUE).write_text("{", encoding="utf-8")
    explorer = explorer_of(project)
    assert "is damaged" in explorer._status.value
    with pytest.raises(StudyError, match="no study"):
        explorer.undo()


def test_rows_that_vanish_are_told_on_the_page(explorer_of, project):
    for rows in project.store_folder.rglob("rows.parquet"):
        rows.unlink()
    explorer = explorer_of(project, study_file(project))
    assert "The store is damaged" in explorer._status.value


def test_an_empty_store_says_how_to_fill_it(explorer_of, tmp_path):
    explorer = explorer_of(make_project(tmp_path))
    assert "workbench import" in explorer._status.value


def test_an_answer_nobody_waits_for_is_not_shown(explorer_of, project):
    explorer = explorer_of(project, study_file(project))
    entered, go_on = threading.Event(), threading.Event()
    parts = explorer._room.parts

    def slow(study, ticket):
        found = parts(study, ticket)
        yield next(found)
        entered.set()
        go_on.wait(20)
        yield from found

    explorer._room.parts = slow
    explorer.controls.age.value = (30, 60)
    assert entered.wait(20)
    explorer._room.parts = parts
    explorer.controls.age.value = (45, 110)
    go_on.set()
    assert explorer.wait()
    assert explorer._desk.n_dropped == 1
    steps = explorer.results[FLOW].released.frame
    assert not steps["reason"].str.contains("under 30").any()


def test_every_widget_has_a_label(explorer_of, project):
    explorer = explorer_of(project)
    for name in explorer._bindings.changes:
        assert getattr(explorer.controls, name).description
    for name in ("undo", "redo", "reset", "save", "open"):
        assert getattr(explorer.controls, name).tooltip


def test_results_hold_no_person(explorer_of, project):
    explorer = explorer_of(project, study_file(project))
    told = "".join(part.html for part in explorer.results.parts.values())
    assert "p0001" not in told
    chosen = pd.read_parquet(next(project.store_folder.rglob("rows.parquet")))
    assert not any(str(one) in told for one in chosen["patient"].head(50))
