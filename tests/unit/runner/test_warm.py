"""A warm kernel is as good as a cold one: nothing leaks, everything ends, digits are the same."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import replace

import psutil
import pytest
from batches import KINDS, batch_project
from projects import study_file

from notebooks import REPORT
from workbench.project import Project
from workbench.runner.execute import Circumstances, Run, execute
from workbench.runner.kernel.kernels import kernel_environment
from workbench.runner.kernel.warm import WarmKernels, warm_kernels
from workbench.runner.plan import plan_run
from workbench.study.sweeps import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks kernels")

SETS = """\
import builtins, random
import lifelines, matplotlib, numpy as np, pandas as pd
if kind == "set":
    pd.set_option("display.max_rows", 7)
    matplotlib.rcParams["lines.linewidth"] = 99
    lifelines.KaplanMeierFitter.fit = None
    os.environ["LEAK"] = "yes"
    sys.path.insert(0, "/leak")
    builtins.leak = True
    os.chdir("/")
"""
LOOKS = """\
import json
from pathlib import Path
told = {
    "max_rows": pd.get_option("display.max_rows"), "line": matplotlib.rcParams["lines.linewidth"],
    "fit": lifelines.KaplanMeierFitter.fit is not None, "leak": os.environ.get("LEAK"),
    "path": [one for one in sys.path if "leak" in one], "builtin": hasattr(builtins, "leak"),
    "here": os.getcwd() == run_folder, "main": sys.modules["__main__"].__name__,
    "backend": os.environ.get("MPLBACKEND"), "threads": os.environ["OMP_NUM_THREADS"],
    "key": [name for name in os.environ if name.startswith("WORKBENCH_KEY")],
    "arguments": len(sys.argv),
}
drawn = [float(np.random.random()), random.random(), float(np.random.default_rng().random())]
(Path(run_folder) / "drawn.json").write_text(json.dumps([drawn, os.getpid(), os.getppid()]))
(Path(run_folder) / "told.json").write_text(json.dumps(told))
"""
COMPUTES = """\
import hashlib, io
from concurrent.futures import ProcessPoolExecutor
import duckdb, matplotlib.pyplot as plt, pyarrow as pa, pyarrow.parquet as pq
rng = np.random.default_rng(3)
columns = {"t": rng.exponential(5, 500), "e": rng.random(500) < 0.7, "x": rng.random(500)}
frame = pd.DataFrame(columns)
engine = duckdb.connect(config={"threads": 4})
counted = "select sum(i * 0.1), count(distinct i % 997) from range(3000000) t(i)"
found = [engine.sql(counted).fetchall()]
found += [duckdb.sql("select avg(x), median(t) from frame").fetchall()]
found += [np.linalg.svd(rng.random((300, 300)))[1].tolist()]
found += [lifelines.CoxPHFitter().fit(frame.astype(float), "t", "e").params_.tolist()]
pq.write_table(pa.Table.from_pandas(frame), "frame.parquet")
found += [pq.read_table("frame.parquet").to_pandas().sum().tolist()]
with ProcessPoolExecutor(2) as pool:
    found += [list(pool.map(abs, [-1.5, 2.0]))]
import workbench as wb
curve = wb.kaplan_meier(frame.assign(e=frame["e"].astype(int)), duration="t", event="e")
found += [curve["estimate"].tolist()]
figure, axes = plt.subplots()
axes.plot(frame["t"].sort_values())
picture = io.BytesIO()
figure.savefig(picture, format="png", metadata={"Software": None})
found += [hashlib.sha256(picture.getvalue()).hexdigest()]
(Path(run_folder) / "found.json").write_text(json.dumps(found, default=str))
figure
"""
HOLDS = "held = np.ones(30_000_000) if kind == 'hold' else None"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("warm")
    # The first study leaves everything as it should not; its report is written where it began.
    return batch_project(folder, KINDS, SETS, LOOKS, COMPUTES, HOLDS, REPORT)


@pytest.fixture(scope="module")
def warm():
    with warm_kernels(kernel_environment()) as kernels:
        yield kernels


def make(project: Project, warm: WarmKernels | None, kind: str, **limits) -> Run:
    plan = plan_run(study_file(project), project, overrides={"kind": kind})
    return execute(replace(plan, limits=Limits(**limits)), Circumstances(warm=warm))


def read(run: Run, name: str):
    return json.loads((run.folder / name).read_text())


def shown(run: Run) -> list[str]:
    cells = read(run, "notebook.ipynb")["cells"]
    return [
        kind for cell in cells for one in cell.get("outputs", []) for kind in one.get("data", {})
    ]


@pytest.fixture(scope="module")
def cold(project) -> Run:
    return make(project, None, "look at a cold one")


def test_a_warm_kernel_is_a_fork_of_the_server(project, warm):
    run = make(project, warm, "first")
    _, process, parent = read(run, "drawn.json")
    assert run.manifest.state == "finished"
    assert parent == warm.process and process != parent
    assert not psutil.pid_exists(process)


def test_it_finds_shows_and_computes_what_a_cold_one_does(project, warm, cold):
    run = make(project, warm, "look")
    assert read(run, "told.json") == read(cold, "told.json")
    assert shown(run) == shown(cold)
    assert "image/png" in shown(run)
    # ... and computes the very same digits and pictures
    assert read(run, "found.json") == read(cold, "found.json")


def test_what_one_study_sets_no_other_sees(project, warm, cold):
    leaving = make(project, warm, "set")
    assert leaving.manifest.state == "finished", leaving.manifest.message
    assert read(leaving, "told.json") != read(cold, "told.json")
    assert read(make(project, warm, "after"), "told.json") == read(cold, "told.json")


def test_random_numbers_differ_between_studies_that_set_no_seed(project, warm):
    first, second = (read(make(project, warm, kind), "drawn.json")[0] for kind in ("one", "two"))
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_memory_is_returned_when_a_study_ends(project, warm):
    before = psutil.Process(warm.process).memory_info().rss
    assert make(project, warm, "hold").manifest.state == "finished"
    assert not psutil.Process(warm.process).children()
    assert psutil.Process(warm.process).memory_info().rss < before + 20 * 2**20


def test_a_crash_and_a_loop_end_themselves_only(project, warm):
    server = warm.process
    assert make(project, warm, "segfault").manifest.state == "died"
    assert make(project, warm, "loop", minutes=0.05).manifest.state == "timed out"
    assert make(project, warm, "well").manifest.state == "finished"
    assert warm.process == server


def test_a_server_that_is_killed_is_started_again(project):
    with warm_kernels(kernel_environment()) as kernels:
        make(project, kernels, "before it is killed")
        os.kill(kernels.process, signal.SIGKILL)
        time.sleep(0.2)
        first = kernels.process
        run = make(project, kernels, "after it was killed")
        assert run.manifest.state == "finished"
        assert read(run, "drawn.json")[2] == kernels.process != first


def test_a_server_with_threads_refuses_and_kernels_start_cold(project):
    threaded = {**kernel_environment(), "OPENBLAS_NUM_THREADS": "3", "OMP_NUM_THREADS": "3"}
    with warm_kernels(threaded) as kernels:
        assert kernels.fork([], folder="/", environment={}) is None
        run = make(project, kernels, "cold after all")
        assert run.manifest.state == "finished"
        assert read(run, "drawn.json")[2] == os.getpid()


def test_closing_ends_the_server_and_every_kernel():
    with warm_kernels(kernel_environment()) as kernels:
        sleeping = kernels.fork(["-f", "nowhere"], folder="/", environment=kernel_environment())
        assert sleeping is not None
        server = kernels.process
    assert sleeping.wait(5) != 0 and sleeping.poll() is not None
    assert not psutil.pid_exists(server)
    assert kernels.fork([], folder="/", environment={}) is None


def test_nothing_is_warm_where_it_is_not_wanted():
    with warm_kernels({}, wanted=False) as kernels:
        assert kernels is None
