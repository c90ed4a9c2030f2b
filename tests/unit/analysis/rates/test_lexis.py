"""Follow-up cut into cells loses nothing, whatever the scales."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import rates
from workbench.analysis.rates import cells
from workbench.errors import DataError, WorkbenchError

CALL = {"start": "start", "end": "end", "event": "died"}


def persons_of(n: int, seed: int = 1) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    start = pd.Timestamp("1999-01-01") + pd.to_timedelta(draw.integers(0, 4000, n), unit="D")
    return pd.DataFrame(
        {
            "born": start - pd.to_timedelta(draw.integers(0, 33_000, n), unit="D"),
            "start": start,
            "end": start + pd.to_timedelta(draw.integers(0, 4000, n), unit="D"),
            "died": draw.integers(0, 2, n),
            "sex": draw.choice(["f", "m"], n),
        }
    )


SCALES = {
    "age": rates.scale([0, *range(40, 91, 10), np.inf], origin="born"),
    "year": rates.scale([*range(2000, 2008), np.inf]),
    "since": rates.scale([0, 0.5, 2, 30], origin="start"),
}


@settings(deadline=None, max_examples=30)
@given(n=st.integers(1, 60), seed=st.integers(0, 500), years=st.sampled_from(["days", "calendar"]))
def test_time_and_events_add_up_to_the_persons_own(n, seed, years):
    persons = persons_of(n, seed)
    found = rates.person_time(persons, **CALL, scales=SCALES, by="sex", years=years)
    outside = found.attrs["outside"]
    days = (persons["end"] - persons["start"]).dt.days
    own = days.sum() / 365.2425
    tolerance = 1e-9 if years == "days" else 0.003 * n  # a leap day weighs less
    assert found["person_years"].sum() + outside["person_years"] == pytest.approx(
        own, abs=tolerance
    )
    assert found["events"].sum() + outside["events"] == persons["died"].sum()


@settings(deadline=None, max_examples=20)
@given(n=st.integers(1, 40), seed=st.integers(0, 500))
def test_pieces_added_up_are_the_cells(n, seed):
    persons = persons_of(n, seed)
    rows = rates.split(persons, **CALL, scales=SCALES)
    cells = rates.person_time(persons, **CALL, scales=SCALES)
    sums = rows.groupby([*SCALES])[["events", "person_years"]].sum().reset_index()
    np.testing.assert_allclose(sums["person_years"], cells["person_years"], rtol=1e-9, atol=1e-12)
    assert sums["events"].tolist() == cells["events"].tolist()
    # a piece begins where the one before it ended
    same = rows["start"].eq(rows["start"].shift()) & rows["end"].eq(rows["end"].shift())
    same &= rows["born"].eq(rows["born"].shift())
    gaps = (rows["begin"] - rows["stop"].shift())[same & (rows["begin"] > 0)]
    assert (gaps.abs() < 1e-9).all()


def test_a_day_at_the_limit_belongs_to_the_later_cell():
    born = pd.Timestamp("1960-01-01")
    persons = pd.DataFrame(
        {"born": [born], "start": ["2009-12-31"], "end": ["2010-01-02"], "died": [1]}
    )
    found = rates.person_time(persons, **CALL, scales={"year": rates.scale([2000, 2010, 2020])})
    assert found["year"].tolist() == [2000, 2010]
    np.testing.assert_allclose(found["person_years"] * 365.2425, [1, 1])
    assert found["events"].tolist() == [0, 1]


def test_who_has_no_time_is_counted_where_the_day_lies():
    persons = pd.DataFrame({"start": ["2010-01-01"], "end": ["2010-01-01"], "died": [1]})
    found = rates.person_time(persons, **CALL, scales={"year": rates.scale([2000, 2010, 2020])})
    assert found[["year", "n", "events", "person_years"]].to_numpy().tolist() == [[2010, 1, 1, 0]]


def test_order_and_index_do_not_matter_and_the_input_stays(monkeypatch):
    persons = persons_of(200)
    before = persons.copy()
    whole = rates.person_time(persons, **CALL, scales=SCALES, by="sex")
    monkeypatch.setattr(cells, "BLOCK", 17)
    mixed = persons.sample(frac=1, random_state=1)
    again = rates.person_time(mixed, **CALL, scales=SCALES, by="sex")
    pd.testing.assert_frame_equal(whole, again, rtol=1e-9)
    pd.testing.assert_frame_equal(persons, before)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"end": pd.Timestamp("1990-01-01")}, '"end": before "start" in 5 rows'),
        ({"died": 2}, '"died": neither 0 nor 1 in 5 rows'),
        ({"start": pd.NaT}, '"start": missing in 5 rows'),
        ({"born": "x"}, '"born": not dates'),
    ],
)
def test_follow_up_that_cannot_be_is_refused(change, words):
    with pytest.raises(DataError, match=words):
        rates.person_time(persons_of(5).assign(**change), **CALL, scales=SCALES)


@pytest.mark.parametrize(
    "call",
    [
        lambda: rates.scale([1]),
        lambda: rates.scale([2, 1]),
        lambda: rates.person_time(persons_of(5), **CALL, scales={}),
        lambda: rates.person_time(persons_of(5), **CALL, scales={"n": SCALES["age"]}),
        lambda: rates.person_time(persons_of(5), **CALL, scales=SCALES, years="lunar"),
        lambda: rates.person_time(persons_of(5), **CALL, scales={"y": rates.scale([2000.5, 2001])}),
        lambda: rates.person_time(persons_of(5), **{**CALL, "end": "ende"}, scales=SCALES),
    ],
)
def test_what_makes_no_sense_is_refused(call):
    with pytest.raises(WorkbenchError):
        call()


@pytest.mark.parametrize("years", ["days", "calendar", 365.25])
def test_compiled_and_plain_sums_are_the_same(years, monkeypatch):
    persons = persons_of(500)
    plain = rates.person_time(persons, **CALL, scales=SCALES, by="sex", years=years)
    monkeypatch.setattr(cells, "use_compiled", lambda n_rows: True)
    compiled = rates.person_time(persons, **CALL, scales=SCALES, by="sex", years=years)
    pd.testing.assert_frame_equal(plain, compiled, rtol=1e-9)
    assert plain.attrs["outside"] == pytest.approx(compiled.attrs["outside"], rel=1e-9)


def test_follow_up_that_lies_in_no_cell_gives_no_row_and_is_counted():
    persons = persons_of(1)
    later = {"year": rates.scale([2090, 2091])}
    assert rates.split(persons, **CALL, scales=later).empty
    found = rates.person_time(persons, **CALL, scales=later)
    assert found.empty
    assert found.attrs["outside"]["events"] == persons["died"].sum()
