"""Locks, environment, Makefile and the files around them agree with pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-setup.lock"]
TARGETS = {"help", "demo", "test", "check", "bench", "lab", "lock", "clean"}
README_LINES = 120

# Our name on the left is the Python package index's, on the right conda-forge's.
CONDA_NAMES = {
    "jupyter-client": "jupyter_client",
    "jupyter-core": "jupyter_core",
    "matplotlib": "matplotlib-base",
    "ibis-framework[duckdb]": "ibis-duckdb",
    "duckdb": "python-duckdb",
}
CONDA_ONLY = {"python": ">=3.11", "make": "", "pip": ""}

NAME_AND_RANGE = re.compile(r"^([A-Za-z0-9._-]+(?:\[[a-z,]+\])?)(.*)$")
HOST = re.compile(r"://|\b[\w-]+\.(?:com|org|net|io|dev|cloud|local|internal)\b", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|home|Users|work)/\w")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _split(requirement: str) -> tuple[str, str]:
    name, version_range = NAME_AND_RANGE.match(requirement).groups()
    return name, version_range.strip()


def _locked(name: str) -> list[str]:
    """Give the requirements of a lock, each as one line with its hashes."""
    text = re.sub(r"^\s*#.*\n", "", _text(name), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def _targets() -> dict[str, str | None]:
    """Give the Makefile's targets for people, each with its line of help or None."""
    named = re.findall(r"^([a-z][a-z-]*):(?!=)(?:.*## (.+))?.*$", _text("Makefile"), re.MULTILINE)
    return {target: told or None for target, told in named}


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_in_a_lock_has_a_version_and_a_hash(lock):
    requirements = _locked(lock)
    assert requirements
    faults = [r.split()[0] for r in requirements if "==" not in r or "--hash=sha256:" not in r]
    assert not faults


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_host(lock):
    assert HOST.findall(_text(lock)) == []


def test_the_dev_lock_holds_the_whole_runtime_lock():
    # where it is installed (the marker) may be wider with the tools than without
    runtime, dev, _ = ({re.split(r"[ ;]", r)[0] for r in _locked(lock)} for lock in LOCKS)
    assert runtime - dev == set()


def test_locks_hold_what_pyproject_asks_for():
    settings = tomllib.loads(_text("pyproject.toml"))
    runtime = settings["project"]["dependencies"]
    dev = runtime + settings["project"]["optional-dependencies"]["dev"]
    setup = settings["dependency-groups"]["setup"]
    assert set(settings["build-system"]["requires"]) <= set(setup)
    for lock, asked in zip(LOCKS, [runtime, dev, setup], strict=True):
        names = {_split(requirement)[0].split("[")[0].lower() for requirement in asked}
        locked = {re.split(r"[\s=\[;]", requirement)[0].lower() for requirement in _locked(lock)}
        assert names - locked == set(), f"{lock} is behind pyproject.toml; run: make lock"


def test_the_conda_environment_equals_pyproject():
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    asked = dict(map(_split, project["dependencies"]))
    expected = {CONDA_NAMES.get(name, name): wanted for name, wanted in asked.items()} | CONDA_ONLY
    entries = yaml.safe_load(_text("environment.yml"))["dependencies"]
    assert dict(_split(e) for e in entries if isinstance(e, str)) == expected
    assert entries[-1] == {"pip": ["-e ."]}


def test_every_dependency_has_its_reason_beside_it():
    lines = [line.strip() for line in _text("pyproject.toml").split("\n[tool.")[0].splitlines()]
    faults = [line for line in lines if re.match(r'^"[^"]+",', line) and "  # " not in line]
    assert not faults


def test_the_readme_is_short():
    assert len(_text("README.md").splitlines()) <= README_LINES


def test_make_has_the_targets_of_the_contract_each_with_a_line_of_help():
    targets = _targets()
    assert set(targets) >= TARGETS
    assert [target for target, told in targets.items() if told is None] == []
    assert next(iter(targets)) == "help"


def test_personal_data_and_keys_cannot_enter_git():
    ignored = set(_text(".gitignore").splitlines())
    assert {"store/", "runs/", ".venv/", "*.key"} <= ignored


@pytest.mark.parametrize(
    "pattern", ["*", "*/*", ".ci/*", "docs/**/*", "src/**/*", "tests/**/*", "params/**/*"]
)
def test_no_file_names_a_place_on_someones_machine(pattern):
    suffixes = {
        "",
        ".py",
        ".md",
        ".toml",
        ".yml",
        ".yaml",
        ".ipynb",
        ".lock",
        ".html",
        ".css",
        ".js",
    }
    hidden = {".venv", ".git", "store", "runs", "__pycache__"}
    paths = (p for p in ROOT.glob(pattern) if p.suffix in suffixes and p.is_file())
    faults = [
        str(path.relative_to(ROOT))
        for path in paths
        if not hidden & set(path.relative_to(ROOT).parts)
        if MACHINE_PATH.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not faults
