"""Imports and removals that are killed: run as a script by `test_kills.py`, as a process.

Reads one order a line (JSON) and does it in a forked child, so that only this process pays for
starting Python. No engine session is opened here: a fork would not carry its threads.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from builders import AS_OF, TABLE, bring_in, register_of

from workbench.data import store
from workbench.data.forgetting import forget_persons
from workbench.data.keys import Key


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_at(owner: Any, name: str, when: str) -> None:
    real: Callable[..., Any] = getattr(owner, name)

    def deadly(*given: Any, **how: Any) -> Any:
        if when == "before":
            _kill()
        done = real(*given, **how)
        _kill()
        return done

    setattr(owner, name, deadly)


KEY = Key(bytes(range(1, 41)), "the tests")
NUMBER = {"type": "code", "sensitivity": "identity", "identity_scheme": "swedish"}
REGISTERS = {
    "plain": register_of({"id": "integer", "word": "text"}),
    "numbers": register_of({"nr": NUMBER, "word": "text"}, person="nr"),
}


def _import(order: dict[str, Any], began: int) -> None:
    if point := order.get("point"):
        owner = pathlib.Path if point == "replace" else store
        _kill_at(owner, point, order["when"])
    file, folder = Path(order["file"]), Path(order["store"])
    if order.get("forget"):
        os.write(began, b".")
        forget_persons(folder, TABLE, file, key=KEY, as_of=AS_OF)
        return
    bring_in(
        REGISTERS[order.get("register", "plain")],
        file,
        folder,
        key=KEY,
        progress=lambda _: os.write(began, b"."),
    )


def _do(order: dict[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            _import(order, writing)
        finally:
            os._exit(0)
    os.close(writing)
    os.read(reading, 1)
    started = time.monotonic()
    if (after := order.get("kill_after")) is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reading)
    return {"killed": os.WIFSIGNALED(status), "seconds": time.monotonic() - started}


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_do(json.loads(line))) + "\n")
        sys.stdout.flush()
