"""A run ends finished, or failed with its reason; what it says of itself is true."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from projects import STUDY, import_rows, make_project, many_rows, study_file

from notebooks import RECORD, REPORT, write_notebook
from workbench.errors import DataError, DisclosureError, RunError, StoreError, StudyError
from workbench.project import Project, open_project
from workbench.runner.execute import run_study
from workbench.runner.index import write_index
from workbench.runner.manifest import read_manifest
from workbench.runner.plan import plan_run


def project_with(tmp_path, *cells: str) -> Project:
    make_project(tmp_path, study=STUDY.replace("20_estimate_survival", "own"))
    project = open_project(tmp_path)
    import_rows(project, *many_rows(20))
    write_notebook(tmp_path / "notebooks" / "own.ipynb", *cells)
    return project


def run_in(project: Project, **overrides):
    return run_study(plan_run(study_file(project), project, overrides=overrides))


def run_folders(project: Project) -> list[str]:
    return sorted(path.name for path in (project.runs_folder / "dialysis").iterdir())


def test_a_finished_run_lies_in_its_place_with_its_record(tmp_path):
    project = project_with(tmp_path, REPORT)
    run = run_in(project)
    manifest = read_manifest(run.folder)
    assert manifest is not None and manifest.state == "finished"
    assert run_folders(project) == [manifest.key[:10]]
    assert {"notebook.ipynb", "release/report.html", "task.json"} <= set(manifest.outputs)
    tables = manifest.inputs["tables"]["kidney.starts"]
    assert tables["sources"][0]["name"] == "extract.csv"
    assert len(tables["rows_sha256"]) == len(manifest.inputs["notebook"]["code_sha256"]) == 64
    assert (manifest.as_of, manifest.seed) == ("2020-12-31", 1)


def test_the_same_study_has_the_same_key_and_a_changed_one_another(tmp_path):
    project = project_with(tmp_path, REPORT)
    first = plan_run(study_file(project), project).key
    assert plan_run(study_file(project), project).key == first
    changed = plan_run(study_file(project), project, overrides={"as_of": "2020-11-30"}).key
    write_notebook(tmp_path / "notebooks" / "own.ipynb", REPORT, "1 + 1")
    edited = plan_run(study_file(project), project).key
    import_rows(project, *many_rows(21))
    delivered = plan_run(study_file(project), project).key
    assert len({first, changed, edited, delivered}) == 4


@pytest.mark.parametrize("name", ["plot.png", "rows.csv"])
def test_a_file_saved_past_the_gate_fails_the_run(tmp_path, name):
    """As savefig and to_csv into release/ do."""
    project = project_with(tmp_path, REPORT)
    stray = f"(release / '{name}').write_text('rows of persons')"
    notebook = tmp_path / "notebooks" / "own.ipynb"
    write_notebook(notebook, REPORT, RECORD, stray, is_recorded=False)
    with pytest.raises(DisclosureError, match=rf"{name}: is not in the release record.*savefig"):
        run_in(project)
    (folder,) = (project.runs_folder / "dialysis").iterdir()
    assert not (folder / "release").exists()


def test_an_error_of_ours_keeps_its_words_and_its_exit_code(tmp_path):
    cell = "from workbench.errors import DataError\nraise DataError('The cohort is empty.')"
    project = project_with(tmp_path, cell)
    with pytest.raises(DataError, match="The cohort is empty"):
        run_in(project)
    (name,) = run_folders(project)
    manifest = read_manifest(project.runs_folder / "dialysis" / name)
    assert manifest is not None and manifest.state == "failed"


def test_a_foreign_error_tells_its_kind_and_never_its_words(tmp_path):
    project = project_with(tmp_path, "raise ValueError('SENTINEL 19121212')")
    with pytest.raises(RunError, match="stopped with ValueError") as told:
        run_in(project)
    assert "SENTINEL" not in str(told.value)
    (name,) = run_folders(project)
    folder = project.runs_folder / "dialysis" / name
    assert "SENTINEL" not in (folder / "manifest.json").read_text()
    assert "SENTINEL" in (folder / "log.txt").read_text()  # the private log has the whole story


def test_a_dead_kernel_is_a_failed_run_though_its_notebook_looks_complete(tmp_path):
    project = project_with(tmp_path, REPORT, "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(RunError, match="kernel died"):
        run_in(project)
    (name,) = run_folders(project)
    folder = project.runs_folder / "dialysis" / name
    assert not (folder / "release").exists()  # half a release is no release


def test_a_notebook_that_makes_no_report_has_failed(tmp_path):
    with pytest.raises(RunError, match="ended without a report"):
        run_in(project_with(tmp_path, "1 + 1"))


def test_a_failed_run_never_takes_the_place_of_a_finished_one(tmp_path):
    guarded = f"import os\nassert not os.path.exists({str(tmp_path / 'stop')!r})\n" + REPORT
    project = project_with(tmp_path, guarded)
    good = run_in(project).folder
    (tmp_path / "stop").touch()
    with pytest.raises(RunError):
        run_in(project)
    assert read_manifest(good).state == "finished"
    assert run_folders(project) == [good.name, f"{good.name}-failed"]


def test_a_killed_run_leaves_no_run_and_is_swept_by_the_next(tmp_path):
    project = project_with(tmp_path, "import time; time.sleep(60)\n" + REPORT)
    command = [sys.executable, "-m", "workbench", "run", str(study_file(project))]
    runner = subprocess.Popen([*command, "--project", str(tmp_path)], start_new_session=True)
    folder = project.runs_folder / "dialysis"
    deadline = time.monotonic() + 60
    while not any(folder.glob(".work-*/task.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(runner.pid, signal.SIGKILL)
    runner.wait()
    assert all(name.startswith(".work-") for name in run_folders(project))
    write_notebook(tmp_path / "notebooks" / "own.ipynb", REPORT)
    run = run_in(project)
    assert run_folders(project) == [run.folder.name]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare to make a small disk")
def test_a_full_disk_is_one_clear_error_and_keeps_nothing(tmp_path):
    project = project_with(tmp_path, "open('big', 'wb').write(bytes(10**7))\n" + REPORT)
    script = (
        f"mkdir -p {tmp_path}/runs && mount -t tmpfs -o size=300k none {tmp_path}/runs && "
        f"{sys.executable} -m workbench run {study_file(project)} --project {tmp_path}; "
        f"code=$?; ls -A {tmp_path}/runs/dialysis; exit $code"
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    if "unshare failed" in done.stderr or "mount" in done.stderr:
        pytest.skip("this machine does not let a test mount a small disk")
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr


def test_a_plan_tells_what_is_missing(tmp_path):
    project = make_project(tmp_path)
    with pytest.raises(StoreError, match="The store holds no table"):
        plan_run(study_file(project), project)
    path = study_file(project)
    path.write_text(STUDY.replace("20_estimate_survival", "20_estimate_survivl"))
    with pytest.raises(StudyError, match='Did you mean "20_estimate_survival"'):
        plan_run(path, project)
    path.write_text(STUDY.replace("table: starts", "table: start"))
    with pytest.raises(StudyError, match='no table "start".*Did you mean "starts"'):
        plan_run(path, project)
    path.write_text(STUDY.replace("register: kidney", "register: kidny"))
    with pytest.raises(Exception, match='no register "kidny".*Did you mean "kidney"'):
        plan_run(path, project)


def test_a_name_that_nobody_knows_is_refused_on_the_command_line(tmp_path):
    project = project_with(tmp_path, REPORT)
    with pytest.raises(StudyError, match='neither the study nor the notebook own has "as_off"'):
        run_in(project, as_off="2020-01-01")


def test_a_definition_changed_after_the_import_asks_for_a_new_import(tmp_path):
    project = project_with(tmp_path, REPORT)
    path = project.root / "params" / "registers" / "kidney.yaml"
    path.write_text(path.read_text().replace("c: catheter", "c: central catheter"))
    with pytest.raises(StudyError, match="definition has changed since the table was imported"):
        plan_run(study_file(project), project)


def test_a_newer_version_does_not_enter_a_planned_run(tmp_path):
    cell = "import json\nprint(json.load(open(study_file))['versions'])\n" + REPORT
    project = project_with(tmp_path, cell)
    plan = plan_run(study_file(project), project)
    import_rows(project, *many_rows(25))
    run = run_study(plan)
    task = json.loads((run.folder / "task.json").read_text())
    assert task["versions"] == {"kidney.starts": "v0001"}


def test_the_index_lists_every_run_with_its_state(tmp_path):
    project = project_with(tmp_path, REPORT)
    run = run_in(project)
    page = write_index(project.runs_folder).read_text()
    assert f"dialysis/{run.folder.name}/release/report.html" in page
    assert "✓ finished" in page
    assert "http" not in page  # nothing is fetched


def test_an_index_without_runs_says_how_to_make_one(tmp_path):
    assert "workbench run" in write_index(tmp_path / "runs").read_text()
