"""Runs whose inputs were removed are marked, and their private parts go."""

from __future__ import annotations

import json

from projects import import_rows, make_project, many_rows, study_file

from workbench.data import pruning
from workbench.data.forgetting import forget_persons
from workbench.data.store import open_store
from workbench.runner.execute import run_study
from workbench.runner.index import write_index
from workbench.runner.plan import plan_run
from workbench.runner.withdrawal import WITHDRAWN, is_withdrawn, mark_withdrawn


def _run(project):
    return run_study(plan_run(study_file(project), project)).folder


def _forget(project, *ids):
    path = project.root / "ids.txt"
    path.write_text("\n".join(ids))
    return forget_persons(
        project.store_folder, "kidney.starts", path, key=None, as_of=_as_of(project)
    )


def _as_of(project):
    return open_store(project.store_folder).version("kidney.starts").as_of


def _mark(project):
    return mark_withdrawn(project.runs_folder, open_store(project.store_folder))


def test_a_run_on_persons_who_left_is_marked_and_loses_its_private_parts(tmp_path):
    project = make_project(tmp_path)
    import_rows(project, *many_rows(120))
    before = _run(project)
    released = sorted(path.name for path in (before / "release").iterdir())
    assert _mark(project) == []
    _forget(project, "p0003")
    after = _run(project)
    (before / "log.txt").write_text("p0003")
    assert _mark(project) == [before]
    assert sorted(path.name for path in before.iterdir()) == [
        "counts.json", "manifest.json", "release", "task.json", WITHDRAWN
    ]  # fmt: skip
    assert sorted(path.name for path in (before / "release").iterdir()) == released
    told = json.loads((before / WITHDRAWN).read_text())
    assert told["tables"] == ["kidney.starts"]
    assert not is_withdrawn(after) and (after / "notebook.ipynb").is_file()
    index = write_index(project.runs_folder).read_text("utf-8")
    assert index.count("inputs withdrawn") == 1 and index.count("finished</td>") == 1


def test_marking_is_made_up_for_and_told_once(tmp_path):
    project = make_project(tmp_path)
    import_rows(project, *many_rows(120))
    folder = _run(project)
    _forget(project, "p0003")
    assert _mark(project) == [folder]
    (folder / "notebook.ipynb").write_text("left by a crash")
    assert _mark(project) == []
    assert not (folder / "notebook.ipynb").exists()


def test_a_run_on_a_version_that_was_pruned_is_marked(tmp_path):
    project = make_project(tmp_path)
    import_rows(project, *many_rows(120))
    folder = _run(project)
    pruning.prune_versions(project.store_folder, pruning.all_but_newest(0), as_of=_as_of(project))
    assert _mark(project) == [folder]


def test_a_run_whose_rows_did_not_change_stays(tmp_path):
    project = make_project(tmp_path)
    faulty = "SET,1950-01-01,2015-02-30,2016-01-01,1,65,f"
    import_rows(project, *many_rows(120), faulty)
    folder = _run(project)
    assert _forget(project, "SET").tombstones
    assert _mark(project) == []
    assert (folder / "notebook.ipynb").is_file()


def test_what_is_no_run_is_left_alone(tmp_path):
    project = make_project(tmp_path)
    import_rows(project, *many_rows(9))
    _forget(project, "p0003")
    strange = project.runs_folder / "a" / "b"
    strange.mkdir(parents=True)
    (strange / "manifest.json").write_text("{")
    assert _mark(project) == []
    assert (strange / "manifest.json").read_text() == "{"
