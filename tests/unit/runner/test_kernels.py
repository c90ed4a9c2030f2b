"""A study's kernel listens where nobody else can."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from tempfile import gettempdir

import pytest
from jupyter_core.utils import ensure_event_loop
from projects import STUDY, import_rows, make_project, many_rows, study_file

from notebooks import REPORT, write_notebook
from workbench.runner.execute import run_study
from workbench.runner.kernel.kernels import close_event_loop
from workbench.runner.plan import plan_run

ASKS = (
    "import json\n"
    "from ipykernel.connect import get_connection_info\n"
    "from pathlib import Path\n"
    "told = json.loads(get_connection_info())\n"
    "told['mode'] = oct(Path(told['ip']).parent.stat().st_mode)[-3:]\n"
    "(Path(run_folder) / 'told.json').write_text(json.dumps(told))\n"
)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such sockets")
def test_a_kernel_has_sockets_in_a_folder_of_its_own_that_goes_with_it(tmp_path):
    project = make_project(tmp_path, study=STUDY.replace("20_estimate_survival", "own"))
    import_rows(project, *many_rows(20))
    write_notebook(tmp_path / "notebooks" / "own.ipynb", ASKS + REPORT)
    folder = run_study(plan_run(study_file(project), project)).folder
    told = json.loads((folder / "told.json").read_text())
    assert told["transport"] == "ipc"
    assert told["mode"] == "700"
    assert Path(told["ip"]).is_relative_to(gettempdir())
    assert not Path(told["ip"]).parent.exists()


def test_a_kernel_knows_no_key(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEY", "demonstration")
    monkeypatch.setenv("WORKBENCH_KEY_FILE", "somewhere")
    monkeypatch.setenv("WORKBENCH_OTHER", "stays")
    project = make_project(tmp_path, study=STUDY.replace("20_estimate_survival", "own"))
    import_rows(project, *many_rows(20))
    asks = (
        "import json, os\n"
        "from pathlib import Path\n"
        "told = sorted(name for name in os.environ if name.startswith('WORKBENCH'))\n"
        "(Path(run_folder) / 'told.json').write_text(json.dumps(told))\n"
    )
    write_notebook(tmp_path / "notebooks" / "own.ipynb", asks + REPORT)
    folder = run_study(plan_run(study_file(project), project)).folder
    assert json.loads((folder / "told.json").read_text()) == ["WORKBENCH_OTHER"]


def test_running_leaves_no_open_event_loop_in_the_thread():
    loop = ensure_event_loop()
    close_event_loop()
    assert loop.is_closed()


def test_a_loop_that_somebody_else_took_out_of_the_thread_is_closed_too():
    loop = ensure_event_loop()
    asyncio.set_event_loop(None)  # as asyncio.run leaves a thread
    close_event_loop()
    assert loop.is_closed()


def test_what_waits_in_the_loop_is_cancelled():
    loop = ensure_event_loop()
    waiting = loop.create_task(asyncio.sleep(3600))
    close_event_loop()
    assert waiting.cancelled() and loop.is_closed()
