"""A sweep names its runs the same each time, and tells all that is wrong with it at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import StudyError
from workbench.study.sweeps import (
    Sweep,
    Variant,
    is_sweep,
    load_sweep,
    overridden,
    study_of,
    told_together,
    variants,
)

TREE = {"register": "kidney", "cohort": {"include": [{"variable": "age"}], "period": {"from": "x"}}}


def sweep_of(tmp_path: Path, **content: Any) -> Sweep:
    path = tmp_path / "sweep.yaml"
    path.write_text(json.dumps({"study": "one", **content}), encoding="utf-8")
    return load_sweep(path)


def runs_of(tmp_path: Path, **content: Any) -> list[Variant]:
    return variants(sweep_of(tmp_path, **content), TREE, where="sweep")


def test_named_runs_are_made_in_every_combination_in_the_order_of_the_file(tmp_path):
    found = runs_of(
        tmp_path,
        base={"horizon": "5"},
        runs={"strict": {"as_of": "2020-01-01"}, "wide": {}},
        sweep={"region": ["0301", "NO"], "age": {"old": {"a": "65"}, "young": {"a": "18"}}},
        exclude=[{"run": "wide", "age": ["young"]}],
    )
    assert [one.name for one in found] == [
        "strict,region=0301,age=old",
        "strict,region=0301,age=young",
        "strict,region=NO,age=old",
        "strict,region=NO,age=young",
        "wide,region=0301,age=old",
        "wide,region=NO,age=old",
    ]
    assert found[1].overrides == {
        "horizon": "5", "as_of": "2020-01-01", "region": "0301", "a": "18"
    }  # fmt: skip
    assert found[1].labels == {"run": "strict", "region": "0301", "age": "young"}


def test_codes_stay_the_text_they_are(tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_text("study: one\nsweep:\n  region: [0301, NO, 22:30]\n", encoding="utf-8")
    found = variants(load_sweep(path), TREE, where="sweep")
    assert [one.overrides["region"] for one in found] == ["0301", "NO", "22:30"]


def test_a_sweep_of_nothing_is_one_run_without_a_name(tmp_path):
    assert runs_of(tmp_path) == [Variant("", {}, {})]


def test_a_plus_adds_to_the_list_that_stands_there(tmp_path):
    found = runs_of(
        tmp_path,
        base={"cohort.include+": [{"variable": "base"}]},
        sweep={
            "sex": {"women": {"cohort.include+": [{"variable": "sex"}]}, "all": {}},
            "age": {"old": {"cohort.include+": [{"variable": "old"}], "cohort.exclude+": [1]}},
        },
    )
    names = [[row["variable"] for row in one.overrides["cohort.include"]] for one in found]
    assert names == [["age", "base", "sex", "old"], ["age", "base", "old"]]
    assert found[0].overrides["cohort.exclude"] == ["1"]
    assert TREE["cohort"]["include"] == [{"variable": "age"}]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"sweeep": {}}, 'Did you mean "sweep"'),
    "no values": ({"sweep": {"a": []}}, r"sweep\.a has no values"),
    "a value twice": ({"sweep": {"a": ["1", "1"]}}, "names a value twice"),
    "lists without labels": ({"sweep": {"a": [["x"]]}}, "give lists a label each"),
    "run as a dimension": ({"sweep": {"run": ["1"]}}, "what named runs are called"),
    "a label with a comma": ({"runs": {"a,b": {}}}, "a label has no comma"),
    "excluding what is not there": (
        {"sweep": {"region": ["north"]}, "exclude": [{"regin": "x"}, {"region": "nort"}, {}]},
        r'(?s)nothing here varies "regin".*"region".*no "nort".*"north".*names nothing',
    ),
    "two dimensions setting one key": (
        {"sweep": {"a": ["1"], "b": {"x": {"a": "2"}}}},
        "a is set by more than one dimension",
    ),
    "one setting what another adds to": (
        {"sweep": {"x": {"p": {"a": "1"}}, "y": {"q": {"a+": ["2"]}}}},
        "a is set by more than one dimension",
    ),
    "too many": (
        {"sweep": {name: [str(at) for at in range(100)] for name in "abc"}},
        "makes 1000000 runs",
    ),
    "no time": ({"limits": {"minutes": "0"}}, "limits.minutes"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_meant_is_refused(tmp_path, case):
    content, told = WRONG[case]
    with pytest.raises(StudyError, match=told):
        sweep_of(tmp_path, **content)


def test_excluding_everything_is_refused(tmp_path):
    with pytest.raises(StudyError, match="leaves no run"):
        runs_of(tmp_path, sweep={"a": ["1"]}, exclude=[{"a": "1"}])


@pytest.mark.parametrize("settings", [{"cohort.period+": ["1"]}, {"cohort.include+": "1"}])
def test_only_lists_are_added_to(tmp_path, settings):
    with pytest.raises(StudyError, match="adds to a list"):
        runs_of(tmp_path, base=settings)


def test_the_study_is_found_by_name_or_file_or_the_nearest_is_told(tmp_path):
    studies, batches = tmp_path / "studies", tmp_path / "batches"
    studies.mkdir()
    batches.mkdir()
    (studies / "one.yaml").touch()
    path = batches / "s.yaml"
    assert study_of(Sweep(study="one"), path).samefile(studies / "one.yaml")
    assert study_of(Sweep(study="../studies/one.yaml"), path).samefile(studies / "one.yaml")
    with pytest.raises(StudyError, match='no study "ohne".*"one"'):
        study_of(Sweep(study="ohne"), path)


def test_a_file_is_a_sweep_if_it_names_a_study():
    assert is_sweep({"study": "one"}) and not is_sweep(TREE)


def test_overriding_changes_nothing_that_was_given():
    tree = {"a": {"b": {"c": 1}}, "d": 2}
    assert overridden(tree, {"a.b.c": 5, "a.x.y": 6}) == {
        "a": {"b": {"c": 5}, "x": {"y": 6}}, "d": 2
    }  # fmt: skip
    assert tree == {"a": {"b": {"c": 1}}, "d": 2}
    with pytest.raises(StudyError, match='"d" has no keys'):
        overridden(tree, {"d.e": 1})


def test_faults_of_many_runs_are_told_once_with_how_many():
    told = str(told_together("No:", {"too old": ["a", "b", "c"], "odd": ["d"], "two": ["e", "f"]}))
    assert "a and 2 more runs: too old" in told
    assert "d: odd" in told and "e and 1 more run: two" in told
