"""README, docs/ and CHANGELOG tell of the command line and of numbers what is true."""

from __future__ import annotations

import re
from pathlib import Path

import click
import typer.main

from workbench import cli

ROOT = Path(__file__).parents[2]
# In a fenced block a line starts with the command, in running text it stands in backticks.
COMMAND = re.compile(r"(?:^[ $]*(?:\.venv/bin/)?|`)workbench((?: [a-z][a-z-]*)+)", re.MULTILINE)


def _known_commands() -> dict[str, click.Command]:
    """Give every command by the words that call it: "run", "batch plan"."""
    found: dict[str, click.Command] = {}

    def walk(command: click.Command, words: tuple[str, ...]) -> None:
        if words:
            found[" ".join(words)] = command
        for name, child in getattr(command, "commands", {}).items():
            if not child.hidden:
                walk(child, (*words, name))

    walk(typer.main.get_command(cli.app), ())
    return found


def _named_in(text: str) -> set[str]:
    """Give the calls named in a text: "run", or "batch plan" and with it "batch"."""
    calls = set()
    for words in (match.split() for match in COMMAND.findall(text)):
        calls |= {words[0]} | ({" ".join(words[:2])} & set(_known_commands()))
    return calls


def _document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_command_is_documented():
    pages = [_document("README.md"), *(p.read_text("utf-8") for p in (ROOT / "docs").rglob("*.md"))]
    assert set(_known_commands()) - _named_in("\n".join(pages)) == set()


def test_every_command_in_the_readme_exists():
    assert _named_in(_document("README.md")) - set(_known_commands()) == set()


def test_every_command_tells_what_it_does():
    assert [name for name, command in _known_commands().items() if not command.help] == []


def test_every_release_tells_which_numbers_changed():
    sections = re.split(r"^## ", _document("CHANGELOG.md"), flags=re.MULTILINE)[1:]
    assert sections, "CHANGELOG.md has no release section (## ...)"
    faults = [s.splitlines()[0] for s in sections if not re.search(r"^### Results\s*$", s, re.M)]
    assert not faults, (
        f'each release has the heading "### Results", even when it says "none": {faults}'
    )
