"""The index of a whole night's runs is written in seconds and can be searched."""

from __future__ import annotations

import json
import time

import pytest
from batches import batch_project
from projects import study_file

from workbench.runner.batches.claims import claimed, lost_runs, sweep
from workbench.runner.execute import run_study
from workbench.runner.index import write_index
from workbench.runner.plan import plan_run

RUNS = 2000


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Thousands of copies of one real run's record."""
    project = batch_project(tmp_path_factory.mktemp("many"))
    run = run_study(plan_run(study_file(project), project))
    (run.folder / "release" / "curve.png").write_bytes(b"png")
    record = json.loads((run.folder / "manifest.json").read_text())
    for at in range(RUNS):
        folder = project.runs_folder / "copies" / f"run{at:05}"
        folder.mkdir(parents=True)
        changed = {"number": str(at), "cohort.include": "x" * 500}
        copy = {**record, "study": "copies", "changed": changed, "labels": {"region": f"R{at % 7}"}}
        (folder / "manifest.json").write_text(json.dumps(copy))
    return project, run


def test_thousands_of_runs_are_listed_in_seconds(many):
    project, _ = many
    began = time.process_time()
    page = write_index(project.runs_folder).read_text()
    assert time.process_time() - began < 2.5  # 10,000 in less than 10 with room for a slow machine
    assert page.count('<tr data-study="copies"') == RUNS
    assert "number = 1999, region = R4" in page
    assert "xxxx" not in page  # a list is told by its label


def test_a_run_shows_its_first_figure_from_its_release(many):
    project, run = many
    page = write_index(project.runs_folder).read_text()
    place = f"dialysis/{run.folder.name}/release"
    assert f'<img src="{place}/curve.png" loading="lazy"' in page
    assert f"{place}/report.html" in page and "http" not in page


def test_what_is_no_record_is_no_run(tmp_path):
    for at, text in enumerate(["", "[]", "{}", '{"study": 1}', '{"inputs": null}']):
        folder = tmp_path / "study" / str(at)
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(text)
    (tmp_path / "a file").touch()
    assert "No study has been run here yet" in write_index(tmp_path).read_text()


def test_a_lost_run_is_listed_until_it_is_made(tmp_path):
    (tmp_path / "study" / ".work-abc-1234").mkdir(parents=True)
    with claimed(tmp_path / "study" / "abc") as is_ours:
        assert is_ours
        assert "✗ lost" not in write_index(tmp_path).read_text()  # somebody is making it
    page = write_index(tmp_path).read_text()
    assert "✗ lost" in page and "Running the batch again" in page
    assert lost_runs(tmp_path / "study") == ["abc"] == sweep(tmp_path / "study")
    assert lost_runs(tmp_path / "study") == []
    assert [*(tmp_path / "study").iterdir()] == []


def test_a_claim_is_held_by_one_and_leaves_nothing(tmp_path):
    place = tmp_path / "run"
    with claimed(place) as first, claimed(place) as second:
        assert first and not second
    with claimed(place) as third:
        assert third
    assert [*tmp_path.iterdir()] == []
