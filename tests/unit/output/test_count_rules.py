"""Counts of units leave without small numbers, and none follows from what is shown."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from attacker import interval
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis.count_table import CountTable, count_marked, count_types
from workbench.errors import DataError, DisclosureError
from workbench.output.disclosure import release
from workbench.registers.profiles import load_profile

PROFILE = load_profile("standard")
THRESHOLD = PROFILE.threshold


def counts_of(n: list[int], events: list[int]) -> CountTable:
    table = pd.DataFrame({"unit": [f"u{at}" for at in range(len(n))], "n": n, "events": events})
    return CountTable(table, ("unit",))


def test_rows_with_few_are_not_shown_nor_what_tells_them():
    released = release(counts_of([100, 40, 30, 3], [50, 3, 12, 2]), PROFILE, title="t")
    # u3 has three patients, u1 three events; together they are many enough to hide each other
    assert released.hidden["n"].tolist() == [False, True, False, True]
    assert released.hidden["events"].tolist() == [False, True, False, True]
    assert released.facts["n"] == 173
    assert released.facts["events"] == 67
    assert released.facts["n_hidden"] == 2
    assert "2 of 4 rows" in released.notes[0]


def test_one_small_row_takes_another_with_it():
    released = release(counts_of([100, 60, 3], [50, 30, 1]), PROFILE, title="t")
    assert released.hidden["n"].tolist() == [False, True, True]
    assert released.hidden_counts == {
        "rows with small numbers": 1,
        "rows from which small ones could be worked out": 1,
    }


def test_what_is_left_of_a_unit_is_judged_too():
    released = release(counts_of([50, 60, 70], [48, 30, 20]), PROFILE, title="t")
    assert released.hidden["events"].tolist() == [True, False, True]
    assert not released.hidden["n"].any()  # how many there were tells nobody's answer


def test_nobody_and_everybody_can_be_shown():
    released = release(counts_of([50, 60, 0], [0, 60, 0]), PROFILE, title="t")
    assert not released.hidden.any(axis=None)


def test_a_table_of_small_rows_only_is_refused():
    with pytest.raises(DisclosureError, match="No row has numbers"):
        release(counts_of([4, 3], [1, 1]), PROFILE, title="t")


@pytest.mark.parametrize(("change", "told"), [
    ({"weight": 1.5}, "does not know what the columns weight"),
    ({"events": [9, 9]}, "more events than persons"),
    ({"n": [5.5, 7]}, "whole numbers"),
    ({"unit": ["u", "u"]}, "its own unit"),
])  # fmt: skip
def test_what_cannot_be_judged_is_refused(change, told):
    table = counts_of([6, 8], [6, 8]).table.assign(**change)
    with pytest.raises(DisclosureError, match=told):
        release(CountTable(table, ("unit",)), PROFILE, title="t")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), min_size=2, max_size=6))
def test_no_small_number_of_a_unit_can_be_worked_out(pairs):
    n, events = [a + b for a, b in pairs], [a for a, _ in pairs]
    counted = counts_of(n, events)
    try:
        released = release(counted, PROFILE, title="t")
    except DisclosureError:
        return
    shown, sums = {"all": float(sum(n)), "all_e": float(sum(events))}, []
    places = range(len(n))
    sums.append({"all": -1.0, **{f"n{at}": 1.0 for at in places}})
    sums.append({"all_e": -1.0, **{f"e{at}": 1.0 for at in places}})
    for at in places:
        for name, column, counts in (("n", "n", n), ("e", "events", events)):
            if not released.hidden[column].iloc[at]:
                shown[f"{name}{at}"] = float(counts[at])
    least = [{f"n{at}": 1.0, f"e{at}": -1.0} for at in places]
    for at in places:
        parts = {f"n{at}": n[at], f"e{at}": events[at], f"n{at} e{at}": n[at] - events[at]}
        for names, count in parts.items():
            if 0 < count < THRESHOLD:
                signs = zip(names.split(), (1.0, -1.0), strict=False)
                ends = interval(dict(signs), shown, equal_zero=sums, at_least_zero=least)
                assert ends[0] <= 1
                assert ends[1] >= THRESHOLD - 1


def test_no_small_number_of_a_table_of_years_can_be_worked_out():
    draw = np.random.default_rng(3)
    keys = pd.DataFrame(list(itertools.product("abcdef", range(2015, 2021))), columns=["u", "y"])
    n = draw.integers(0, 60, len(keys))
    counted = CountTable(keys.assign(n=n, events=draw.binomial(n, 0.4)), ("u", "y"))
    released = release(counted, PROFILE, title="t")
    events, is_out = counted.table["events"], released.hidden["events"]
    shown = {f"e{at}": float(events[at]) for at in np.flatnonzero(~is_out)}
    sums = []
    for key in ("u", "y"):  # the sums over units and over years are told elsewhere
        for one, line in counted.table.groupby(key):
            if is_out[line.index].sum() and not 0 < line["events"].sum() < THRESHOLD:
                shown[f"all {one}"] = float(line["events"].sum())
                sums.append({f"all {one}": -1.0, **{f"e{at}": 1.0 for at in line.index}})
    small = np.flatnonzero(events.between(1, THRESHOLD - 1))
    assert len(small) > 2
    for at in small:
        least, greatest = interval({f"e{at}": 1.0}, shown, equal_zero=sums, at_least_zero=[])
        assert least <= 1
        assert greatest >= THRESHOLD - 1


def test_marks_are_counted_with_what_is_not_known():
    marked = pd.DataFrame(
        {
            "unit": ["a", "a", "a", "b", None, "b"],
            "in_denominator": [True, True, True, True, True, False],
            "in_numerator": pd.array([True, False, None, True, False, None], dtype="boolean"),
        }
    )
    counted = count_marked(marked, by="unit")
    assert counted.table.to_dict("list") == {
        "unit": ["a", "b", "not known"],
        "n": [2, 1, 1],
        "events": [1, 1, 0],
    }
    assert counted.n_missing == 1
    with pytest.raises(DataError, match="Nobody"):
        count_marked(marked.assign(in_denominator=False), by="unit")
    with pytest.raises(DataError, match="missing"):
        count_marked(marked.assign(in_denominator=[True, None] * 3), by="unit")


def test_kinds_that_nobody_has_count_as_none():
    persons = pd.DataFrame({"unit": ["a", "a", "b"], "access": ["fistula", None, "catheter"]})
    counted = count_types(persons, by="unit", kind="access").table
    assert counted["n"].tolist() == [0, 1, 1, 1, 0, 0]
    assert counted["access"].tolist() == ["catheter", "fistula", "not known"] * 2
