"""The served process: what it answers to, what it refuses, and what it knows of the project."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel
from releases import write_run
from tornado.websocket import websocket_connect

from workbench.errors import RunError
from workbench.output.portal.launch import environment, serving
from workbench.output.portal.seats import SECONDS_ALONE, Seats
from workbench.project import house_folder

PAGE = house_folder("notebooks") / "portal" / "results.ipynb"
SECRETS = {"WORKBENCH_KEY": "/secret/key", "WORKBENCH_STORE": "/secret/store", "PYTHONPATH": "/x"}
LINUX = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    write_run(root / "runs")
    (root / "store").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, told in SECRETS.items():
            patch.setenv(name, told)
        with serving(root / "runs", PAGE, port=free_port(), places=2) as one:
            yield one


def ask(served, path, *, method="GET", host=None):
    """Status and text of an answer; the path goes out as it is written."""
    address = served.address.rstrip("/")
    request = urllib.request.Request(address, method=method)
    request.full_url = request.full_url + path
    if host:
        request.add_header("Host", host)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode("utf-8", "replace"), answer.headers
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode("utf-8", "replace"), refused.headers


def visit(served):
    """Open the explorer's page; give the kernel that was made for it."""
    status, html, _ = ask(served, "/results")
    assert status == 200, html
    return re.search(r'"kernelId": "([^"]+)"', html).group(1), html


def leave(served, kernel):
    """End a page's kernel the way a closed page does."""
    status, _, _ = ask(served, f"/voila/api/shutdown/{kernel}", method="POST")
    assert status == 204
    assert ask(served, f"/api/kernels/{kernel}")[0] == 404


def message(kind, content, channel="shell"):
    header = {"msg_id": kind, "msg_type": kind, "username": "", "session": "s", "version": "5.3"}
    return json.dumps({
        "header": {**header, "date": ""}, "parent_header": {}, "metadata": {"version": "2.1.0"},
        "content": content, "channel": channel, "buffers": [],
    })  # fmt: skip


async def _talk(served, kernel, messages, *, seconds=1.5):
    """Send messages over a page's own websocket; give what came back."""
    address = served.address.replace("http", "ws")
    line = await websocket_connect(f"{address}api/kernels/{kernel}/channels")
    answers = []
    for one in messages:
        await line.write_message(one)
    try:
        while (told := await asyncio.wait_for(line.read_message(), seconds)) is not None:
            answers.append(told if isinstance(told, str) else told.decode("utf-8", "replace"))
    except TimeoutError:
        pass
    line.close()
    with suppress(TimeoutError):
        while await asyncio.wait_for(line.read_message(), 2) is not None:
            pass
    await asyncio.sleep(0.1)  # the line is closed in the loop's next round
    return [json.loads(one) for one in answers]


def test_the_start_page_and_reports_are_served_with_strict_policies(served):
    status, html, headers = ask(served, "/sv")
    assert status == 200 and "Registrens resultat" in html
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    status, html, headers = ask(served, "/released/1/report.html")
    assert status == 200 and "Renal results" in html
    assert "script" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/released/1/../../portal.json",
        "/released/1/..%2f..%2fportal.json", "/released/1/release.json", "/released/2/report.html",
        "/released/1/notebook.ipynb", "/results.ipynb", "/released/portal.json",
        "/voila/static/../../../../../../etc/passwd", "/voila/static/..%2f..%2f..%2fetc%2fpasswd",
        "/voila/labextensions/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/voila/api/themes/..%2f..%2f..%2f..%2fetc%2fpasswd", "/voila/files/results.ipynb",
        "/voila/files/released/r1/catheter.csv", "/files/results.ipynb", "/voila/tree",
        "/voila/render/results.ipynb", "/api/contents", "/voila/api/contents", "/api/kernels",
        "/api/sessions", "/api/terminals", "/terminals/websocket/1", "/api/kernelspecs", "/login",
        "/voila/templates/portal/conf.json", "/results/../portal.json",
        "/results?template=lab/../x/y",
    ],
)  # fmt: skip
def test_nothing_else_is_answered(served, path):
    if path.startswith("/results?"):
        kernel, html = visit(served)
        leave(served, kernel)
    else:
        status, html, _ = ask(served, path)
        assert status in {400, 403, 404}
    assert "root:" not in html and "Traceback" not in html and str(served.folder) not in html


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/api/kernels", "/api/contents/x", "/results", "/", "/files/x"])
def test_nothing_can_be_written_or_started(served, path, method):
    assert ask(served, path, method=method)[0] in {403, 404, 405}


def test_another_host_name_is_refused(served):
    assert ask(served, "/results", host="evil.example")[0] == 403


def test_the_page_has_no_code_and_fetches_nothing_from_elsewhere(served):
    kernel, html = visit(served)
    assert "explore_results" not in html and "close_to_code" not in html
    links = re.findall(r'(?:src|href)="(https?:)?//([^"]*)"', html)
    assert links == []
    leave(served, kernel)


def test_code_over_the_websocket_does_not_run_and_no_path_comes_back(served, tmp_path):
    planted = tmp_path / "planted"
    code = {"code": f"open({str(planted)!r}, 'w')", "silent": False, "store_history": False,
            "user_expressions": {"x": f"open({str(planted)!r}, 'w')"}}  # fmt: skip
    widget = {"comm_id": "a", "target_name": "jupyter.widget", "data": {"state": {
        "_model_name": "TextModel", "_model_module": "@jupyter-widgets/controls",
        "_model_module_version": "2.0.0", "_view_name": "TextView",
        "_view_module": "@jupyter-widgets/controls", "_view_module_version": "2.0.0"}}}  # fmt: skip
    imports = {"comm_id": "b", "target_name": "x", "target_module": "os", "data": {}}
    kernel, _ = visit(served)
    sent = [message(kind, code, channel) for kind in ("execute_request", "debug_request")
            for channel in ("shell", "control", "stdin", "iopub")]  # fmt: skip
    others = ("complete", "inspect", "history", "is_complete", "shutdown", "interrupt")
    sent += [message(f"{kind}_request", {"code": "os.", "cursor_pos": 3}) for kind in others]
    sent += [message("comm_open", widget), message("comm_open", imports)]
    answers = asyncio.run(_talk(served, kernel, sent))
    asyncio.run(_talk(served, kernel, ["not json"], seconds=0.5))
    assert ask(served, f"/api/kernels/{kernel}")[0] == 200
    leave(served, kernel)
    assert not planted.exists()
    kinds = {one.get("msg_type") for one in answers}
    assert kinds <= {"status", "comm_close", "kernel_info_reply"}
    closed = [one["content"]["comm_id"] for one in answers if one["msg_type"] == "comm_close"]
    assert sorted(closed) == ["a", "b"]
    assert str(served.folder) not in json.dumps(answers) and "Traceback" not in json.dumps(answers)


def test_the_next_visitor_is_told_to_wait_and_gets_the_place_that_is_left(served):
    first, second = visit(served)[0], visit(served)[0]
    status, html, headers = ask(served, "/results")
    assert status == 503 and headers["Retry-After"] and "All places are taken" in html
    assert ask(served, "/en")[0] == 200  # reports can be read meanwhile
    leave(served, first)
    third = visit(served)[0]
    for kernel in (second, third):
        leave(served, kernel)


def test_the_served_process_imports_no_room_with_persons_in_it():
    rooms = "explorer", "kernel", "server"
    names = ", ".join(f"workbench.output.portal.{room}" for room in rooms)
    code = f"import sys, {names}; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    ours = {name for name in loaded if name.startswith("workbench.")}
    rooms = "errors", "language", "output.portal", "output.sheet"
    allowed = tuple(f"workbench.{room}" for room in rooms)
    assert {one for one in ours if not one.startswith(allowed)} == {"workbench.output"}
    assert not {"pandas", "duckdb", "pyarrow", "ibis"} & set(loaded)


@LINUX
def test_the_served_process_knows_nothing_of_the_project(served):
    for process in [served.process.pid, *children(served.process.pid)]:
        told = Path(f"/proc/{process}/environ").read_bytes().decode()
        assert not any(one in told for one in (*SECRETS, *SECRETS.values()))
        assert f"HOME={served.folder}" in told and os.environ.get("HOME", "?") != str(served.folder)
        assert Path(f"/proc/{process}/cwd").resolve() == served.folder.resolve()


def test_the_folder_holds_released_files_and_the_page_only(served):
    told = sorted(path.name for path in served.folder.iterdir())
    assert told == ["c", "home", "released", "results.ipynb"]
    assert sorted(path.name for path in (served.folder / "released" / "r1").iterdir()) == [
        "catheter-funnel.csv", "catheter-trends.csv", "catheter.csv", "release.json", "report.html",
    ]  # fmt: skip


def test_a_report_that_vanishes_is_a_readable_page(served):
    path = served.folder / "released" / "r1" / "report.html"
    content = path.read_bytes()
    path.write_bytes(b"changed")
    status, html, _ = ask(served, "/released/1/report.html")
    path.write_bytes(content)
    assert status == 404 and "There is no such page" in html


def test_a_taken_port_is_told(served):
    port = int(served.address.rsplit(":", 1)[1].strip("/"))
    with (
        pytest.raises(RunError, match=f"Port {port} is taken"),
        serving(served.folder, PAGE, port=port),
    ):
        pass


def test_the_environment_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEY", "secret")
    told = environment(tmp_path, "sv")
    assert "secret" not in told.values() and told["HOME"] == str(tmp_path / "home")


def test_a_closed_kernel_refuses_code_that_reaches_it(tmp_path, monkeypatch):
    """Even what comes past the server's filter, straight to the process, does not run."""
    start = "from workbench.output.portal.kernel import main; main()"
    spec = {"argv": [sys.executable, "-c", start, "-f", "{connection_file}"], "language": "python",
            "display_name": "p"}  # fmt: skip
    (tmp_path / "kernels" / "p").mkdir(parents=True)
    (tmp_path / "kernels" / "p" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    manager, client = start_new_kernel(kernel_name="p")
    try:
        close = "from workbench.output.portal.kernel import close_to_code; close_to_code()"
        assert client.execute(close, reply=True, timeout=30)["content"]["status"] == "ok"
        planted = tmp_path / "planted"
        with pytest.raises(TimeoutError):
            client.execute(f"open({str(planted)!r}, 'w')", reply=True, timeout=2)
        assert not planted.exists()
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_places_are_counted_from_asking_to_the_kernel_s_end():
    seats, kernels = Seats(2), set()
    first, second = seats.take(kernels), seats.take(kernels)
    assert seats.take(kernels) is None
    first.kernel_id = "k1"
    kernels.add("k1")
    seats.settle(first)
    assert seats.take(kernels) is None
    seats.settle(second)  # its page could not be made: no kernel
    assert seats.take(kernels) is not None
    kernels.clear()
    assert seats.take(kernels) is not None


class Kernels(dict):
    """Kernels by name with how many pages are connected."""

    def kernel_model(self, name):
        return {"connections": self[name]}

    async def shutdown_kernel(self, name, *, now):
        assert now
        del self[name]


def test_a_page_that_is_gone_gives_its_place_to_who_waits():
    seats, kernels = Seats(3), Kernels(gone=0, there=1, fresh=0)
    for name in kernels:
        seat = seats.take(kernels)
        seat.kernel_id = name
        seats.settle(seat)
    for seat in seats.taken[:2]:
        seat.settled_at -= SECONDS_ALONE + 1
    asyncio.run(seats.clear(kernels))
    assert sorted(kernels) == ["fresh", "there"] and seats.take(kernels) is not None


def children(pid):
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
