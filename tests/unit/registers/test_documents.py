from __future__ import annotations

import re
from typing import Literal

import pytest
from pydantic import Field

from workbench.errors import DefinitionError, StudyError
from workbench.registers.documents import (
    Document,
    parse_document,
    parse_scalar,
    read_document,
    read_tree_with_lines,
)


class Part(Document):
    size: int
    colour: Literal["red", "green"] = "red"


class Whole(Document):
    name: str = "unnamed"
    is_big: bool = False
    words: tuple[str, ...] = ()
    parts: dict[str, Part] = Field(default_factory=dict)


def _file(folder, text, encoding="utf-8"):
    path = folder / "whole.yaml"
    path.write_bytes(text.encode(encoding))
    return path


def _refused(folder, text, **how):
    with pytest.raises(DefinitionError) as told:
        read_document(_file(folder, text, **how), Whole)
    return str(told.value)


@pytest.mark.parametrize(
    "text", ["0301", "NO", "22:30", "1e3", "0x10", "2020-01-01", "yes", "1_000", ".inf", "=", "<<"]
)
def test_text_stays_what_stands_in_the_file(tmp_path, text):
    data, _ = read_tree_with_lines(_file(tmp_path, f"name: {text}\nwords: [{text}]\n{text}: 1\n"))
    assert data == {"name": text, "words": [text], text: "1"}


def test_the_model_decides_what_is_a_yes(tmp_path):
    assert read_document(_file(tmp_path, "is_big: yes\nname: NO"), Whole).is_big is True


def test_a_key_without_a_value_is_not_given(tmp_path):
    assert read_document(_file(tmp_path, "name:\nis_big: ~\n"), Whole) == Whole()


def test_quoted_empty_text_is_given(tmp_path):
    assert read_document(_file(tmp_path, 'name: ""\n'), Whole).name == ""


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    told = _refused(tmp_path, "name: a\nis_big: no\nname: b\n")
    assert 'line 3: the key "name" stands twice' in told


def test_a_key_that_stands_twice_inside_is_refused(tmp_path):
    assert "line 3" in _refused(tmp_path, "parts:\n  a: {size: 1}\n  a: {size: 2}\n")


def test_references_are_refused(tmp_path):
    assert "references" in _refused(tmp_path, "name: &x a\nwords: [*x]\n")


def test_a_bomb_of_references_is_refused_at_once(tmp_path):
    levels = [f"k{n}: &k{n} [*k{n - 1}, *k{n - 1}, *k{n - 1}]" for n in range(1, 40)]
    assert "references" in _refused(tmp_path, "\n".join(["k0: &k0 [a]", *levels]))


def test_a_misspelt_key_names_the_nearest_and_its_line(tmp_path):
    told = _refused(tmp_path, "name: a\nparts:\n  one:\n    size: 1\n    color: red\n")
    assert 'line 5, parts.one.color: there is no key "color" here. Did you mean "colour"?' in told


def test_a_wrong_choice_names_the_nearest(tmp_path):
    told = _refused(tmp_path, "parts: {one: {size: 1, colour: grean}}")
    assert '"grean" is not a choice here. Did you mean "green"?' in told


def test_all_faults_are_told_at_once(tmp_path):
    told = _refused(tmp_path, "nam: a\nis_big: perhaps\nwords: one\nparts: {one: {size: x}}\n")
    assert 'Did you mean "name"?' in told
    assert 'is_big: "perhaps" cannot be used; expected yes or no' in told
    assert 'words: "one" cannot be used; expected a list' in told
    assert 'parts.one.size: "x" cannot be used; expected a whole number' in told


def test_a_missing_key_is_told(tmp_path):
    assert "line 2, parts.one.size: this key is missing" in _refused(
        tmp_path, "parts:\n  one:\n    colour: red\n"
    )


def test_many_faults_are_told_ten_at_a_time(tmp_path):
    told = _refused(tmp_path, "\n".join(f"key{n}: 1" for n in range(25)))
    assert told.count("there is no key") == 10
    assert "and 15 more" in told


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    assert "not UTF-8" in _refused(tmp_path, "name: Åsa", encoding="cp1252")


def test_a_mark_at_the_start_does_no_harm(tmp_path):
    assert read_document(_file(tmp_path, "name: Åsa", encoding="utf-8-sig"), Whole).name == "Åsa"


@pytest.mark.parametrize("text", ["", "# nothing\n", "- one\n- two\n", "only text"])
def test_a_file_without_keys_is_refused(tmp_path, text):
    assert "is empty, or not a list of `key: value` lines" in _refused(tmp_path, text)


@pytest.mark.parametrize(
    "text", ["name: [a", "name: a\n\tis_big: no", "a: b: c", "name: 'a", "--- 1\n--- 2\n", "\x07"]
)
def test_broken_yaml_is_refused_without_the_librarys_words(tmp_path, text):
    told = _refused(tmp_path, text)
    assert "is not valid YAML" in told
    assert "<unicode string>" not in told


def test_endless_nesting_is_refused(tmp_path):
    assert "nested too deeply" in _refused(tmp_path, "name: " + "[" * 500 + "]" * 500)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DefinitionError, match="cannot be read: No such file"):
        read_document(tmp_path / "none.yaml", Whole)


def test_the_kind_of_error_is_the_callers(tmp_path):
    with pytest.raises(StudyError, match="the key"):
        read_document(_file(tmp_path, "name: a\nname: b\n"), Whole, error=StudyError)


def test_lines_are_those_of_the_file(tmp_path):
    _, lines = read_tree_with_lines(_file(tmp_path, "name: a\n\nparts:\n  one:\n    size: 1\n"))
    assert lines[("name",)] == 1
    assert lines[("parts", "one", "size")] == 5


def test_plain_data_can_be_parsed_without_a_file():
    with pytest.raises(DefinitionError, match=re.escape("here: cannot") + "|here cannot"):
        parse_document({"size": 1}, Whole, where="here")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0301", "0301"), ("[a, b]", ["a", "b"]), ("", None), ("{a: 1}", {"a": "1"}), ("[a", "[a")],
)
def test_a_value_from_the_command_line_is_read_as_in_a_file(text, expected):
    assert parse_scalar(text) == expected
