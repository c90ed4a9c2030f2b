"""Counts are the same from a frame, from the engine and from a file, and can be added."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import compiled, counts, survival
from workbench.errors import DataError, StudyError

COLUMNS = {"duration": "days", "event": "died", "causes": True}
KINDS = [
    {},
    {"entry": "start"},
    {"weight": "whole"},
    {"weight": "part"},
    {"entry": "start", "weight": "part"},
]

people = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.integers(0, 3),
        st.integers(1, 9),
        st.sampled_from([1, 2, 3]),
        st.sampled_from("ab"),
        st.sampled_from("xy"),
    ),
    min_size=1,
    max_size=25,
).map(lambda rows: _frame(rows))


def _frame(rows: list[tuple]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["length", "died", "start", "whole", "sex", "site"])
    days = table["start"] + table["length"]
    return table.assign(days=days, part=table["whole"] * 0.75).drop(columns="length")


def _same(one: counts.EventCounts, other: counts.EventCounts) -> None:
    pd.testing.assert_frame_equal(one.groups, other.groups, check_column_type=False)
    assert one.causes == other.causes
    pd.testing.assert_frame_equal(one.frame(), other.frame(), check_dtype=False, rtol=1e-12)
    assert (one.spells is None) == (other.spells is None)
    if one.spells is not None:
        for name in ("number", "entry", "time", "cause", "squares"):
            ours, theirs = getattr(one.spells, name), getattr(other.spells, name)
            assert (ours is None) == (theirs is None)
            if ours is not None:
                np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@given(people)
@settings(max_examples=8, deadline=None)
def test_the_engine_counts_as_numpy_does(kind, persons):
    found = counts.event_counts(ibis.memtable(persons), **COLUMNS, **kind, by=["sex", "site"])
    _same(found, counts.event_counts(persons, **COLUMNS, **kind, by=["sex", "site"]))


@pytest.mark.parametrize("kind", KINDS)
@given(people, people)
@settings(max_examples=8, deadline=None)
def test_counts_added_are_the_counts_of_both_together(kind, here, there):
    one, other = (counts.event_counts(p, **COLUMNS, **kind, by="sex") for p in (here, there))
    together = pd.concat([here, there.iloc[::-1]])
    kinds = [(c.is_weighted, c.spells is None) for c in (one, other)]
    if kinds[0] != kinds[1]:
        with pytest.raises(StudyError, match="cannot be added"):
            one + other
        return
    _same(one + other, counts.event_counts(together, **COLUMNS, **kind, by="sex"))


@pytest.mark.parametrize("kind", KINDS)
def test_counts_are_read_as_they_were_written(tmp_path, kind):
    rows = [(3, 0, 1, 1, "a", "x"), (2, 1, 4, 2, "b", "y"), (2, 3, 1, 3, "b", "x")]
    made = counts.event_counts(_frame(rows), **COLUMNS, **kind, by=["sex", "site"])
    counts.write(made, tmp_path / "counts.parquet")
    _same(counts.read(tmp_path / "counts.parquet"), made)


def test_a_file_of_something_else_is_refused(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_text("no")
    with pytest.raises(DataError, match="holds no counts"):
        counts.read(tmp_path / "a.parquet")
    for name in ("b.parquet", "c.parquet"):
        with pytest.raises(DataError, match="cannot be read"):
            counts.read(tmp_path / name)


@given(people)
@settings(max_examples=15, deadline=None)
def test_counts_can_be_grouped_by_fewer_columns(persons):
    fine = counts.event_counts(persons, **COLUMNS, entry="start", by=["sex", "site"])
    _same(fine.grouped("site"), counts.event_counts(persons, **COLUMNS, entry="start", by="site"))
    _same(fine.grouped(None), counts.event_counts(persons, **COLUMNS, entry="start"))
    with pytest.raises(StudyError, match='not made by "sexx".*"sex"'):
        fine.grouped("sexx")


@given(people)
@settings(max_examples=15, deadline=None)
def test_whole_and_broken_times_are_counted_alike(persons):
    # the same order of times, once by tables of whole days, once by sorting
    whole = counts.event_counts(persons, **COLUMNS, entry="start", weight="whole", by="sex")
    broken = persons.assign(days=persons["days"] / 2, start=persons["start"] / 2)
    found = counts.event_counts(broken, **COLUMNS, entry="start", weight="whole", by="sex")
    pd.testing.assert_frame_equal(
        found.frame().assign(time=lambda d: d["time"] * 2), whole.frame(), check_dtype=False
    )


def test_estimates_are_the_same_from_counts_a_frame_and_the_engine():
    random = np.random.default_rng(4)
    persons = pd.DataFrame(
        {
            "days": random.integers(1, 50, 300),
            "died": random.integers(0, 2, 300),
            "sex": random.choice(["m", "f"], 300),
        }
    )
    names = {"duration": "days", "event": "died", "by": "sex"}
    made = counts.event_counts(persons, **names)
    for how in (survival.kaplan_meier, survival.quantiles, survival.nelson_aalen):
        expected = how(persons, **names)
        pd.testing.assert_frame_equal(how(made, by="sex"), expected)
        pd.testing.assert_frame_equal(how(ibis.memtable(persons), **names), expected)
    assert (
        survival.logrank(made, by="sex").statistic == survival.logrank(persons, **names).statistic
    )


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"days": [1, None, None]}, {}, 'column "days": missing in 2 rows'),
        ({"days": [1, -1, -2]}, {}, 'column "days": negative in 2 rows'),
        ({"died": [0, 1, 7]}, {}, "neither 0 nor 1 in 1 rows; with competing events"),
        ({"died": [0, -1, None]}, {"causes": True}, 'column "died": missing in 1 rows'),
        ({"sex": ["secret", None, None]}, {"by": "sex"}, '"sex": missing in 2 of 3 rows'),
        ({"start": [0, 3, 9]}, {"entry": "start"}, '"start": not before "days" in 2 rows'),
        ({"start": [0, None, -1]}, {"entry": "start"}, "missing, infinite or negative in 2 rows"),
        ({"w": [0.0, -1, 2]}, {"weight": "w"}, '"w": missing, infinite, 0 or negative in 2 rows'),
        ({}, {"by": "sexx"}, 'no column "sexx"'),
    ],
)
def test_the_engine_refuses_what_a_frame_refuses(columns, options, said):
    persons = pd.DataFrame({"days": [1, 2, 3], "died": [0, 1, 1], "sex": list("aab")} | columns)
    with pytest.raises(DataError, match=said) as caught:
        counts.event_counts(ibis.memtable(persons), duration="days", event="died", **options)
    assert "secret" not in str(caught.value)


def test_the_engine_refuses_a_table_without_persons():
    table = ibis.memtable(pd.DataFrame({"days": [1], "died": [0]})).filter(ibis._.days > 5)
    with pytest.raises(DataError, match="no persons"):
        counts.event_counts(table, duration="days", event="died")


def test_counts_that_do_not_fit_are_refused():
    persons = _frame([(3, 2, 1, 1, "a", "x"), (2, 1, 4, 2, "b", "y")])
    made = counts.event_counts(persons, **COLUMNS, by="sex")
    with pytest.raises(StudyError, match="different columns"):
        made + counts.event_counts(persons, **COLUMNS, by="site")
    with pytest.raises(StudyError, match="one has entry times"):
        made + counts.event_counts(persons, **COLUMNS, by="sex", entry="start")
    with pytest.raises(TypeError):
        made + 1
    with pytest.raises(StudyError, match=r"several causes.*competing\.cumulative_incidence"):
        survival.kaplan_meier(made)
    with pytest.raises(StudyError, match="names of their columns"):
        counts.event_counts(persons)
    weighted = counts.event_counts(persons, **COLUMNS, by="sex", weight="whole")
    with pytest.raises(StudyError, match="not for weights"):
        weighted.refuse_weights("logrank")


def test_causes_keep_their_codes():
    persons = _frame([(3, 2, 1, 1, "a", "x"), (2, 5, 4, 2, "b", "y"), (2, 0, 4, 2, "b", "y")])
    made = counts.event_counts(persons, **COLUMNS)
    assert made.causes == (2, 5)
    assert made.frame()[["events_2", "events_5"]].sum().tolist() == [1, 1]


def test_two_registers_may_have_seen_different_causes_and_groups():
    one = counts.event_counts(_frame([(3, 1, 1, 1, "a", "x")]), **COLUMNS, by="sex")
    other = counts.event_counts(_frame([(2, 2, 1, 1, "b", "x")]), **COLUMNS, by="sex")
    both = one + other
    assert both.causes == (1, 2)
    assert both.groups["sex"].tolist() == ["a", "b"]


def test_compiled_kernels_are_for_large_data_and_can_be_turned_off(monkeypatch):
    monkeypatch.delenv("WORKBENCH_COMPILED", raising=False)
    assert not compiled.use_compiled(100)
    assert compiled.use_compiled(1_000_000)
    monkeypatch.setenv("WORKBENCH_COMPILED", "0")
    assert not compiled.use_compiled(1_000_000)
