"""Every text has its three languages, and every text in the catalogues is still used."""

from __future__ import annotations

import ast
import json
import re
from importlib import resources
from pathlib import Path

import pytest

from workbench import language
from workbench.language.sentences import PART, catalogue, messages
from workbench.output import methods, tables, wording
from workbench.output.figures import (
    chart_figure,
    chart_layout,
    indicator_table_figure,
    level_matrix,
    unit_marks,
    unit_trends,
)
from workbench.output.formats import report
from workbench.project import house_folder
from workbench.registers.proms import find_proms, load_prom
from workbench.registers.standing import load_scheme

SOURCE = Path(str(resources.files("workbench")))
OTHERS = ("sv", "nb")
PIECES = re.compile(r"\{\w+\}|[,;:] ")  # what the code may put together from parts


def _english(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _asked_for() -> tuple[set[str], set[tuple[str, str]]]:
    """Texts that the code asks for by name: single ones, and pairs of singular and plural."""
    single, pairs = set(), set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            told = [_english(one) for one in node.args]
            if name == "text" and told and told[0] is not None:
                single.add(told[0])
            if name == "counted" and len(told) > 2 and None not in told[1:3]:
                pairs.add((told[1], told[2]))
    for path in SOURCE.rglob("*.j2"):
        page = path.read_text(encoding="utf-8")
        single |= set(re.findall(r'\btext\("(.*?)"[,)]', page))
    return single, pairs


def _lists() -> set[str]:
    """Texts that stand in the code's tables and are looked up by their key."""
    read = [part for pair in report.HOW_TO_READ.values() for part in pair]
    kinds = [kind[2] for kind in chart_layout.KINDS.values()]
    levels = [level[2] for level in level_matrix.LEVELS.values()]
    tables_of_words = (
        wording.COLUMN_LABELS, methods.METHODS, tables.YES, tables.BESIDE_WORDS,
        chart_figure.ASSURED, unit_trends.ARROWS, indicator_table_figure.DIRECTIONS,
    )  # fmt: skip
    return {*read, *kinds, *levels, *(one for words in tables_of_words for one in words.values())}


def _not_texts(english: str) -> bool:
    """Calls of other functions that are named text, too: those of SQL and of drawing."""
    return english.startswith("Follow persons from that day")


@pytest.mark.parametrize("spoken", OTHERS)
def test_every_text_the_code_asks_for_is_there(spoken):
    single, pairs = _asked_for()
    known = messages(spoken)
    lacking = [one for one in sorted(single | _lists()) if ("", one) not in known]
    assert [one for one in lacking if not _not_texts(one)] == []
    for one, many in {*pairs, *unit_marks.NOUNS.values()}:
        found = catalogue(spoken).get(one)
        assert found is not None and found.id == (one, many), one
        assert len(known["", one]) == 2


@pytest.mark.parametrize("spoken", OTHERS)
def test_standing_and_questionnaires_are_told_in_every_language(spoken):
    schemes = [load_scheme(name) for name in ("norway", "sweden")]
    told = [words for one in schemes for words in (one.label, one.note.strip())]
    told += [one.text for scheme in schemes for one in scheme.requirements.values()]
    told += [label for name in find_proms() for label in load_prom(name).labels.values()]
    assert [one for one in told if ("", one) not in messages(spoken)] == []


def test_both_catalogues_have_the_same_texts_and_none_is_empty():
    swedish, norwegian = (messages(spoken) for spoken in OTHERS)
    assert set(swedish) == set(norwegian)
    assert all(all(told) for found in (swedish, norwegian) for told in found.values())


@pytest.mark.parametrize("spoken", OTHERS)
def test_a_text_has_the_same_parts_in_every_language(spoken):
    for (_context, english), told in messages(spoken).items():
        for one in told:
            assert set(PART.findall(one)) == set(PART.findall(english)), english


def _written() -> str:
    """Every string in code, templates and notebooks, one after another."""
    told = []
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told += [one for node in ast.walk(tree) if (one := _english(node)) is not None]
    for path in house_folder("notebooks").rglob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                tree = ast.parse("".join(cell["source"]))
                told += [one for node in ast.walk(tree) if (one := _english(node)) is not None]
    told += [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.j2")]
    told += [path.read_text(encoding="utf-8") for path in SOURCE.rglob("profiles/*.yaml")]
    # the names of facts are told with spaces
    standing = house_folder("params") / "standing", SOURCE
    files = [path for folder in standing for path in folder.rglob("*.yaml")]
    told += [" ".join(path.read_text(encoding="utf-8").replace("_", " ").split()) for path in files]
    return "\n".join([*told, *_lists()])


def test_no_text_stands_in_a_catalogue_that_nobody_uses():
    written = _written()
    composed = {"high and moderate", "moderate and low", "high and low", "high, moderate and low"}
    flags = {f"{side} {level}" for side in ("low", "high") for level in ("95", "99.8")}
    unused = [
        english
        for _context, english in messages("sv")
        if english not in composed | flags
        and not all(piece.strip(" ;,.:()") in written for piece in PIECES.split(english))
    ]
    assert unused == []


def test_texts_of_the_catalogues_say_their_language():
    for spoken in OTHERS:
        assert str(catalogue(spoken).locale) == spoken
    assert {*OTHERS, "en"} == set(language.LANGUAGES)
