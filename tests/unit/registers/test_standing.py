"""Schemes and answers as they are written: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from workbench.errors import DefinitionError
from workbench.registers.documents import parse_document
from workbench.registers.schema import find_registers
from workbench.registers.standing import Answers, Rule, Scheme, load_answers, load_scheme

PARAMS = Path(__file__).parents[3] / "params"


def small(**changed):
    """A scheme of two requirements, with some keys changed."""
    given = {
        "name": "small", "label": "Small", "source": "Ours", "floor": "0",
        "stages": {"1": ["1", "2"]},
        "requirements": {
            "1": {"text": "One."},
            "2": {"text": "Two.", "test": {"fact": "coverage", "at_least": 0.6}},
        },
    }  # fmt: skip
    return parse_document(given | changed, Scheme, where="small")


def test_the_norwegian_scheme_has_its_eighteen_requirements():
    scheme = load_scheme("norway")
    assert list(scheme.requirements) == [str(number) for number in range(1, 19)]
    assert [len(needs) for needs in scheme.stages.values()] == [5, 6, 5]
    assert scheme.levels == {"A": ("17",), "B": ("18",)} and scheme.lowest_level == "C"
    limits = {n: one.test.at_least for n, one in scheme.requirements.items() if one.test}
    assert limits["7"] == 0.60 and limits["13"] == 0.80
    data = [number for number, one in scheme.requirements.items() if one.test]
    assert data == ["6", "7", "8", "9", "10", "12", "13", "14", "16"]


def test_the_swedish_scheme_says_what_was_not_verified():
    scheme = load_scheme("sweden")
    assert list(scheme.stages) == ["K", "3", "2", "1"] and not scheme.levels
    assert all(not scheme.requirements[one].is_verified for one in scheme.stages["1"])
    assert "not seen" in scheme.note


def test_an_unknown_scheme_names_the_nearest():
    with pytest.raises(DefinitionError, match='Did you mean "norway"'):
        load_scheme("norwa")


def test_a_projects_own_scheme_goes_first(tmp_path):
    (tmp_path / "schemes").mkdir()
    given = small(name="norway", label="Ours").model_dump(exclude_none=True, mode="json")
    given["requirements"] = {"1": {"text": "One."}, "2": {"text": "Two."}}
    (tmp_path / "schemes" / "norway.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    assert load_scheme("norway", [tmp_path]).label == "Ours"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"stages": {"1": ["1", "2", "3"]}}, "look at 3"),
        ({"stages": {"1": ["1"]}}, "look at 2"),
        ({"stages": {}}, "at least one stage"),
        ({"stages": {"1": ["1", "2"], "2": ["2"]}}, "stands in two"),
    ],
)
def test_a_scheme_that_does_not_add_up_is_refused(changed, told):
    with pytest.raises(DefinitionError, match=told):
        small(**changed)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"fact": "coverrage", "at_least": "0.6"}, 'Did you mean "coverage"'),
        ({"fact": "coverage"}, "say what the fact has to be"),
        ({"fact": "coverage", "released_by": ["06-15"]}, "released_by goes with"),
        ({"fact": "release_dates", "released_by": ["02-30"]}, "no day of every year"),
        ({"fact": "release_dates", "released_by": ["June"]}, "rule"),
    ],
)
def test_a_rule_that_cannot_be_tested_is_refused(rule, told):
    with pytest.raises(DefinitionError, match=told):
        parse_document(rule, Rule, where="rule")


@pytest.mark.parametrize("path", sorted((PARAMS / "standing").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_examples_are_of_invented_registers_and_say_so(path):
    answers = load_answers(path.stem, [PARAMS])
    assert path.stem in find_registers([]) and answers.note.startswith("Invented")
    for scheme in ("norway", "sweden"):
        answers.of(load_scheme(scheme))


def test_answers_without_a_file_say_what_to_write(tmp_path):
    with pytest.raises(DefinitionError, match="Write params/standing/renal.yaml"):
        load_answers("renal", [tmp_path])


def test_answers_of_another_register_are_refused(tmp_path):
    (tmp_path / "standing").mkdir()
    text = "register: renal\nanswers: {}\n"
    (tmp_path / "standing" / "vascular.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match='says "renal"'):
        load_answers("vascular", [tmp_path])


def test_an_answer_needs_year_and_evidence_and_a_requirement_that_exists():
    told = {"answer": "yes", "year": "2023", "evidence": "Report"}
    for key in ("year", "evidence"):
        part = {name: value for name, value in told.items() if name != key}
        with pytest.raises(DefinitionError, match=key):
            parse_document({"register": "r", "answers": {"small": {"1": part}}}, Answers, where="x")
    answers = parse_document(
        {"register": "r", "answers": {"small": {"11": told}}}, Answers, where="x"
    )
    with pytest.raises(DefinitionError, match='no requirement "11"'):
        answers.of(small())
