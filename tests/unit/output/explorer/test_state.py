"""A state is its study file, both ways; history goes back and forth; choices touch their lines."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.projects import STUDY
from workbench.errors import StudyError
from workbench.output.explorer import choices
from workbench.output.explorer.history import History
from workbench.output.explorer.offers import Column
from workbench.output.explorer.state import State, kept_unshown
from workbench.output.explorer.study_files import read_state, study_text, write_study

ROOT = Path(__file__).parents[4]
STUDIES = sorted(
    [*(ROOT / "params" / "studies").glob("*.yaml"), *(ROOT / "examples").rglob("studies/*.yaml")]
)
AGE = Column("age", "Age", {"label": "Age"})
ACCESS = Column(
    "access", "Access", {"label": "Access"}, {"f": "fistula", "c": "catheter"}, is_category=True
)
DAYS = st.dates(date(1990, 1, 1), date(2020, 1, 1))
# What people write: any letters, and everything that YAML reads as something else.
WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=40
).filter(lambda text: text.strip())
TRAPS = st.sampled_from(["yes", "null", "~", "0301", "a: b", "# c", "- d", "22:30", "{e", '"', "'"])


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> State:
    path = tmp_path_factory.mktemp("studies") / "dialysis.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return read_state(path)


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("written") / "explored.yaml"


@st.composite
def changes(draw) -> list:
    """Some changes of a state, in some order."""
    days = sorted([draw(DAYS), draw(DAYS)])
    low, high = sorted([draw(st.integers(0, 50)), draw(st.integers(51, 100))])
    known = [
        lambda s: choices.with_period(s, *days),
        lambda s: choices.with_period(s, None, None),
        lambda s: choices.with_limits(s, AGE, str(low), str(high)),
        lambda s: choices.with_limits(s, AGE, None, None),
        lambda s: choices.with_values(s, ACCESS, ["f"]),
        lambda s: choices.with_values(s, ACCESS, []),
        lambda s: choices.with_group(s, None),
        lambda s: choices.with_group(s, ACCESS),
        lambda s: choices.with_covariates(s, [AGE]),
        lambda s: choices.with_outcome(s, None),
        lambda s: choices.with_units(s, ACCESS, []),
        lambda s: choices.with_index(
            s, index_date="start", events="every", washout_days=draw(st.integers(0, 400))
        ),
    ]
    return draw(st.lists(st.sampled_from(known), max_size=5))


@settings(max_examples=60, deadline=None)
@given(
    chosen=changes(), title=WORDS | TRAPS, question=WORDS | TRAPS, note=st.text(max_size=60) | TRAPS
)
def test_a_state_and_its_study_file_are_one(first, file, chosen, title, question, note):
    state = first
    for change in chosen:
        state = change(state)
    plain = "".join(letter for letter in note if letter.isprintable() or letter == "\n")
    state = choices.with_note(choices.with_words(state, title=title, question=question), plain)
    write_study(state, file)
    assert read_state(file) == state
    assert study_text(read_state(file)) == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_study_of_the_house_can_be_opened_and_written(path, file):
    state = choices.with_note(read_state(path), "Seen.\nTwice: # it is")
    write_study(state, file)
    assert read_state(file) == state


def test_settings_without_a_control_are_kept_and_named():
    state = read_state(ROOT / "params" / "studies" / "lymphoma_net_survival.yaml")
    named = kept_unshown(state.study)
    assert "relative_survival" in named
    assert any("stage not known" in one for one in named)
    aged = choices.with_limits(state, AGE, "40", None)
    assert aged.study.relative_survival == state.study.relative_survival
    assert aged.study.cohort.exclude == state.study.cohort.exclude


def test_a_choice_takes_the_place_of_the_one_before(first):
    once = choices.with_limits(first, AGE, "30", "70")
    twice = choices.with_limits(once, AGE, "40", None)
    assert [(one.at_least, one.at_most) for one in twice.study.cohort.include] == [("40", None)]
    assert choices.limits_of(choices.with_limits(twice, AGE, None, None).study, "age") == (
        None, None,
    )  # fmt: skip


def test_every_value_of_a_variable_is_no_limit(first):
    limited = choices.with_values(first, ACCESS, ["f"])
    assert choices.values_of(limited.study, "access") == ("f",)
    assert choices.values_of(choices.with_values(limited, ACCESS, ["c", "f"]).study, "access") == ()


def test_what_a_condition_stands_on_stays_among_the_variables(first):
    assert set(choices.with_covariates(first, []).study.variables) == {"age", "access"}


def test_a_period_that_ends_before_it_begins_is_refused(first):
    with pytest.raises(StudyError, match="ends"):
        choices.with_period(first, date(2015, 1, 1), date(2014, 1, 1))


@given(st.lists(st.sampled_from(["to", "undo", "redo", "reset"]), max_size=30))
def test_undo_and_redo_are_each_others_way_back(first, steps):
    history = History.begin(first)
    for at, step in enumerate(steps):
        before = history
        if step == "to":
            history = history.to(choices.with_note(first, f"note {at}"))
            assert history.undo().now == before.now
        else:
            history = getattr(history, step)()
        if step == "undo" and before.before:
            assert history.redo() == before
        if step == "reset":
            assert history.now == first


def test_a_file_that_cannot_be_written_says_so(first, tmp_path):
    (tmp_path / "studies").write_text("", encoding="utf-8")
    with pytest.raises(StudyError, match="cannot be written"):
        write_study(first, tmp_path / "studies" / "a.yaml")
