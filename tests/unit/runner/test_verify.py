"""A run is made again from its record; what differs is told, with the input that changed."""

from __future__ import annotations

import json
import shutil
import sys

import pytest
from batches import DECLARED, KINDS, TABLE, batch_project
from projects import import_rows, many_rows, study_file

from notebooks import REPORT, write_notebook
from workbench import cli
from workbench.data.store import open_store
from workbench.errors import RunError, StoreError, StudyError
from workbench.runner.comparison import changed_inputs, compare_releases
from workbench.runner.execute import run_study
from workbench.runner.plan import plan_run
from workbench.runner.verification import verify_run

PICTURE = (
    "(release / 'levels.svg').write_text('<svg/>')\n"
    "(release / 'numbers.json').write_text(str(len(open(study_file).read()) > 0))"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    project = batch_project(tmp_path_factory.mktemp("verified"), KINDS, REPORT, TABLE, PICTURE)
    overrides = {"number": "4", "as_of": "2020-11-30", "variables.age.label": "Alder: år, 0301"}
    plan = plan_run(study_file(project), project, overrides=overrides)
    return project, run_study(plan)


def edited(project, *cells: str) -> None:
    write_notebook(project.root / "notebooks" / "own.ipynb", *cells, parameters=DECLARED)


def test_an_unchanged_run_is_made_again_byte_for_byte(made, monkeypatch, capsys):
    project, run = made
    study_file(project).write_text("not a study any more")  # the record is what counts
    before = sorted(one.name for one in run.folder.parent.iterdir())
    monkeypatch.setattr(sys, "argv", ["workbench", "verify", str(run.folder)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out = capsys.readouterr().out
    assert not ended.value.code, out
    assert "5 released files are the same" in out and "changed" not in out
    assert sorted(one.name for one in run.folder.parent.iterdir()) == before


def test_it_reads_the_version_that_was_read_then(made):
    project, run = made
    import_rows(project, *many_rows(25))
    assert open_store(project.store_folder).version("kidney.starts").name == "v0002"
    found = verify_run(run.folder)
    assert found.holds and found.changed_inputs == []


def test_another_notebook_is_told_with_what_differs(made):
    project, run = made
    try:
        edited(project, KINDS, REPORT, TABLE.replace("number + 1", "number + 2"), PICTURE)
        found = verify_run(run.folder)
    finally:
        edited(project, KINDS, REPORT, TABLE, PICTURE)
    assert found.changed_inputs == ["the notebook's code"]
    assert found.compared.differences == [
        "levels.csv: 1 cell differs, first in row 2 (columns: level)"
    ]
    assert not found.holds and found.compared.same == ["levels.svg", "numbers.json"]


def test_a_release_that_was_edited_is_told(made, monkeypatch, capsys):
    _, run = made
    table = run.folder / "release" / "levels.csv"
    before = table.read_bytes()
    table.write_bytes(before.replace(b"[c]", b"3"))
    try:
        monkeypatch.setattr(sys, "argv", ["workbench", "verify", str(run.folder)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        table.write_bytes(before)
    printed = capsys.readouterr()
    assert ended.value.code == 5
    assert "changed after the run: release/levels.csv" in printed.out
    assert "Traceback" not in printed.err


def test_what_cannot_be_made_again_says_why(made, tmp_path):
    project, run = made
    try:
        edited(project, KINDS, "raise ValueError('SENTINEL')", REPORT)
        with pytest.raises(RunError, match=r"could not be run again.*notebook's code") as told:
            verify_run(run.folder)
        assert "SENTINEL" not in str(told.value)
    finally:
        edited(project, KINDS, REPORT, TABLE, PICTURE)
    store = tmp_path / "store"
    shutil.copytree(project.store_folder, store)
    catalogue = json.loads((store / "catalogue.json").read_text())
    versions = catalogue["tables"]["kidney.starts"]
    catalogue["tables"]["kidney.starts"] = versions[1:]
    (store / "catalogue.json").write_text(json.dumps(catalogue))
    with pytest.raises(StoreError, match=r"kidney\.starts"):
        verify_run(run.folder, store_folder=store)


def test_only_a_finished_run_is_verified(made, tmp_path):
    _, run = made
    with pytest.raises(StudyError, match="is no run"):
        verify_run(tmp_path)
    failed = tmp_path / "failed"
    shutil.copytree(run.folder, failed)
    text = (failed / "manifest.json").read_text()
    (failed / "manifest.json").write_text(
        text.replace('"state": "finished"', '"state": "timed out"')
    )
    with pytest.raises(StudyError, match="only a finished one"):
        verify_run(failed)


def test_changed_inputs_are_named_and_hold_no_data():
    then = {
        "environment": {"pandas": "2.2", "numpy": "2.1"},
        "tables": {"a.b": {"version": "v1", "rows_sha256": "x"}},
        "code_lists": {"stroke": {"codes": ["I63"]}, "same": {}},
        "study": {"seed": 1},
        "life_table": {"file_sha256": "x"},
    }
    now = {
        "environment": {"pandas": "2.3", "numpy": "2.1"},
        "tables": {"a.b": {"version": "v1", "rows_sha256": "y"}},
        "code_lists": {"stroke": {"codes": ["I64"]}, "same": {}},
        "study": {"seed": 2},
    }
    assert changed_inputs(then, now) == [
        "pandas: 2.2 then, 2.3 now",
        "the table a.b (rows)",
        "code lists: stroke",
        "study: seed",
        "the life table",
    ]
    assert changed_inputs(then, then) == []


def test_figures_are_compared_by_their_numbers(tmp_path):
    then, now = tmp_path / "then", tmp_path / "now"
    for folder, ink in ((then, b"one"), (now, b"two")):
        folder.mkdir()
        (folder / "curve.png").write_bytes(ink)
        (folder / "curve.csv").write_text("a,b\n1,2\n")
        (folder / "other.png").write_bytes(ink)
        (folder / "report.html").write_bytes(ink)
        (folder / "report.pdf").write_bytes(ink)
    (now / "new.csv").touch()
    (then / "old.csv").touch()
    (then / "rows.csv").write_text("a\n1\n")
    (now / "rows.csv").write_text("a\n1\n2\n")
    found = compare_releases(then, now, same_inputs=False)
    assert found.same == ["curve.csv"]
    assert found.remarks == ["curve.png is drawn otherwise; the numbers in it are the same"]
    assert found.differences == [
        "new.csv is made now, and was not then",
        "old.csv was made then, and is not now",
        "other.png differs",
        "rows.csv has 1 rows of 1 columns then, 2 rows of 1 columns now",
    ]
    assert "report.html differs" in compare_releases(then, now, same_inputs=True).differences
