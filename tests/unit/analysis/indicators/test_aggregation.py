"""Sums over sums on every level, from one count; compared with what pandas finds row by row."""

from __future__ import annotations

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from workbench.analysis import units
from workbench.analysis.indicators import aggregate, beside_nation, overview
from workbench.errors import DataError, StudyError
from workbench.registers.hierarchy import Organisation
from workbench.registers.indicators import load_indicator

NAMES = [
    "vascular_carotid_within_fourteen_days",
    "vascular_carotid_days_waited",
    "vascular_recommended_drugs",
    "vascular_aneurysm_diameter",
]
AS_OF = date(2018, 11, 1)
# A closed in 2016 and went on as B; C closed in 2016 for good
ORGANISATION = Organisation.model_validate(
    {
        "name": "small",
        "label": "Small",
        "source": "a test",
        "levels": ["hospital", "region", "nation"],
        "places": {
            "nation": {"N": {"name": "Nation"}},
            "region": {"R1": {"name": "One", "parent": "N"}, "R2": {"name": "Two", "parent": "N"}},
            "hospital": {
                "A": {"name": "A", "parent": "R1", "to": "2016-06-30", "merged_into": "B"},
                "B": {"name": "B", "parent": "R1"},
                "C": {"name": "C", "parent": "R2", "to": "2016-12-31"},
                "D": {"name": "D", "parent": "R2"},
            },
        },
    }
)


@pytest.fixture(scope="module")
def indicators():
    return [load_indicator(name) for name in NAMES]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng, n = np.random.default_rng(20), 3000
    day = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 4 * 365, n), unit="D")
    frame = pd.DataFrame(
        {
            "procedure_date": day,
            "hospital": rng.choice(["A", "B", "C", "D", "X", None], n),
            "area": rng.choice(["CAR", "AAA", "LEG"], n),
            "sex": rng.choice(["1", "2"], n),
            "ruptured": rng.choice([True, False, None], n),
            "statin": rng.choice([True, False, None], n),
            "antithrombotic": rng.choice([True, False], n),
            "aneurysm_diameter": rng.integers(30, 90, n).astype(float),
            "symptom_date": day - pd.to_timedelta(rng.integers(0, 40, n), unit="D"),
        }
    )
    frame.loc[::7, "symptom_date"] = pd.NaT
    frame.loc[::50, "procedure_date"] = pd.NaT
    return frame


@pytest.fixture(scope="module")
def found(rows, indicators):
    return aggregate(rows, indicators, as_of=AS_OF)


@pytest.fixture(scope="module")
def counted(rows) -> pd.DataFrame:
    """The rows that count, as one would choose them by hand."""
    kept = rows[rows["procedure_date"] <= pd.Timestamp(AS_OF)]
    return kept.assign(
        year=kept["procedure_date"].dt.year,
        place=kept["hospital"].fillna("unknown unit"),
        waited=(kept["procedure_date"] - kept["symptom_date"]).dt.days,
    )


def of(found: pd.DataFrame, name: str, level: str = "hospital") -> pd.DataFrame:
    here = found[(found["indicator"] == name) & (found["place_level"] == level)]
    return here.set_index(["place", "year"]).sort_index()


def test_shares_are_those_of_the_rows(found, counted):
    ours = of(found, "vascular_carotid_within_fourteen_days")
    carotid = counted[(counted["area"] == "CAR") & counted["symptom_date"].notna()]
    groups = carotid.groupby(["place", "year"])["waited"]
    assert ours["n"].tolist() == groups.size().tolist()
    assert ours["events"].tolist() == groups.agg(lambda days: (days <= 14).sum()).tolist()
    wilson = units.proportion(ours["events"], ours["n"])
    for name in ("estimate", "lower", "upper"):
        np.testing.assert_allclose(ours[name], wilson[name], rtol=1e-12)


def test_missing_answers_are_counted_and_are_not_a_no(found, counted):
    ours = of(found, "vascular_recommended_drugs")
    groups = counted.groupby(["place", "year"])["statin"]
    assert ours["missing"].tolist() == groups.agg(lambda one: one.isna().sum()).tolist()
    assert (ours["n"] + ours["missing"]).tolist() == groups.size().tolist()


def test_means_and_medians_are_those_of_the_rows(found, counted):
    intact = counted[(counted["area"] == "AAA") & (counted["ruptured"] == False)]  # noqa: E712
    carotid = counted[(counted["area"] == "CAR") & counted["symptom_date"].notna()]
    for name, chosen, column, call in [
        ("vascular_aneurysm_diameter", intact, "aneurysm_diameter", units.mean),
        ("vascular_carotid_days_waited", carotid, "waited", units.median),
    ]:
        for level, keys in (("hospital", ["place", "year"]), ("nation", ["year"])):
            ours = of(found, name, level)
            groups = chosen.groupby(keys)[column]
            theirs = pd.concat([call(values) for _, values in groups])
            for part in ("n", "estimate", "lower", "upper"):
                np.testing.assert_allclose(ours[part], theirs[part], rtol=1e-9)


def test_every_level_adds_up_to_the_nation(rows, indicators):
    found = aggregate(rows, indicators, as_of=AS_OF, organisation=ORGANISATION)
    keys = ["indicator", "year"]
    parts = ["n", "missing", "total"]
    nation = found[found["place_level"] == "nation"].groupby(keys)[parts].sum()
    for level in ("hospital", "region"):
        here = found[found["place_level"] == level].groupby(keys)[parts].sum()
        pd.testing.assert_frame_equal(here, nation, check_dtype=False)
    assert set(found["place"]) == {"A", "B", "C", "D", "R1", "R2", "unknown unit", "nation"}


def test_units_unknown_or_closed_on_the_day_stand_apart(rows, indicators, counted):
    found = aggregate(rows, indicators, as_of=AS_OF, organisation=ORGANISATION)
    places = of(found, "vascular_recommended_drugs").index
    assert ("A", 2016) in places and ("A", 2017) not in places
    assert ("C", 2016) in places and ("C", 2017) not in places
    told = found.not_placed[found.not_placed["place_level"] == "hospital"].set_index("reason")["n"]
    assert told["unknown code"] == (counted["hospital"] == "X").sum()
    assert told["no code"] == counted["hospital"].isna().sum()
    closed = (counted["hospital"] == "C") & (counted["procedure_date"] > "2016-12-31")
    assert told["not open on that day"] == closed.sum()


def test_who_is_left_out_is_told_with_the_reason(found, rows):
    told = found.left_out.set_index("reason")["n"]
    assert told["no date"] == rows["procedure_date"].isna().sum()
    late = rows["procedure_date"] > pd.Timestamp(AS_OF)
    assert told["dated after the extraction"] == late.sum()


def test_a_year_that_is_not_complete_is_provisional(found):
    last = found.groupby("year")["provisional"].first()
    assert not last[2017] and last[2018]


def test_a_table_of_the_engine_gives_the_same(found, rows, indicators):
    engine = aggregate(ibis.memtable(rows), indicators, as_of=AS_OF)
    pd.testing.assert_frame_equal(engine.table, found.table)


def test_neither_order_nor_index_matter_and_nothing_is_changed(found, rows, indicators):
    before = rows.copy()
    shuffled = rows.sample(frac=1, random_state=3).set_index(pd.Index([0] * len(rows)))
    again = aggregate(shuffled, reversed(indicators), as_of=AS_OF).table
    keys = ["indicator", "place_level", "place", "year"]
    first, second = (one.sort_values(keys, ignore_index=True) for one in (again, found.table))
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(rows, before)


def test_other_groups_and_none_at_all(rows, indicators, counted):
    by_sex = aggregate(rows, indicators[2:3], as_of=AS_OF, by=["sex"])
    nation = by_sex[by_sex["place_level"] == "nation"]
    assert nation["sex"].tolist() == ["1", "2"] and "provisional" not in by_sex
    whole = aggregate(rows, indicators[2:3], as_of=AS_OF, by=[])
    n = whole.loc[whole["place_level"] == "nation", ["n", "missing"]].sum(axis=1).item()
    assert n == len(counted) == nation[["n", "missing"]].to_numpy().sum()


def test_the_rest_is_the_nation_without_the_unit(found, indicators, rows, counted):
    beside = beside_nation(found, indicators)
    carotid = counted[(counted["area"] == "CAR") & counted["symptom_date"].notna()]
    elsewhere = carotid[(carotid["place"] != "A") & (carotid["year"] == 2015)]["waited"]
    share = of(beside, "vascular_carotid_within_fourteen_days").loc[("A", 2015)]
    assert share["rest_n"] == len(elsewhere)
    assert share["rest_events"] == (elsewhere <= 14).sum()
    assert share["nation_n"] == share["n"] + share["rest_n"]
    middle = of(beside, "vascular_carotid_days_waited").loc[("A", 2015)]
    theirs = units.median(elsewhere).iloc[0]
    for name in ("estimate", "lower", "upper"):
        assert middle[f"rest_{name}"] == pytest.approx(theirs[name])
    intact = counted[(counted["area"] == "AAA") & (counted["ruptured"] == False)]  # noqa: E712
    others = intact[(intact["place"] != "A") & (intact["year"] == 2015)]["aneurysm_diameter"]
    mean = of(beside, "vascular_aneurysm_diameter").loc[("A", 2015)]
    assert mean["rest_estimate"] == pytest.approx(others.mean())
    assert beside.loc[beside["place_level"] == "nation", "rest_n"].isna().all()


def test_one_unit_has_no_rest_and_two_have_each_other(rows, indicators):
    alone = rows.assign(hospital="A")
    one = beside_nation(aggregate(alone, indicators, as_of=AS_OF), indicators)
    own = one[one["place"] == "A"]
    assert (own["rest_n"] == 0).all() and own["rest_estimate"].isna().all()
    pair = rows.assign(hospital=np.where(np.arange(len(rows)) % 2, "A", "B"))
    two = beside_nation(aggregate(pair, indicators[:1], as_of=AS_OF), indicators[:1])
    two = two.set_index(["place", "year"])
    assert two.loc[("A", 2015), "rest_n"] == two.loc[("B", 2015), "n"]


def test_a_year_without_rows_has_a_line_of_nobody(rows, indicators):
    gap = rows[rows["procedure_date"].dt.year != 2016]
    found = aggregate(gap, indicators[:1], as_of=AS_OF)
    line = of(found, NAMES[0], "nation").loc[("nation", 2016)]
    assert line["n"] == 0 and np.isnan(line["estimate"])
    assert 2016 not in of(found, NAMES[0]).index.get_level_values("year")


def test_the_overview_has_levels_nation_rest_and_coverage(found, indicators):
    coverage = pd.DataFrame(
        {
            "name": "vascular_procedures",
            "place_level": "hospital",
            "place": ["A", "B"],
            "year": [2015, 2016],
            "coverage": [0.9, 1.1],
        }
    )
    table = overview(found, indicators, coverage=coverage)
    assert len(table) == len(found)
    here = table.set_index(["indicator", "place", "year"])
    share = here.loc[("vascular_carotid_within_fourteen_days", "A", 2015)]
    assert share["level"] == "low" and share["level_decided"] and share["green"] == "0.80"
    assert share["coverage"] == 0.9 and share["register"] == "vascular"
    # no year is carried forward, and a share above 1 is not cut
    assert np.isnan(here.loc[("vascular_carotid_within_fourteen_days", "A", 2016)]["coverage"])
    assert here.loc[("vascular_carotid_within_fourteen_days", "B", 2016)]["coverage"] == 1.1
    assert set(table.loc[table["type"] == "mean", "level_words"]) == {"no target"}
    with pytest.raises(DataError, match="stand twice"):
        overview(found, indicators, coverage=pd.concat([coverage, coverage]))


def test_below_the_smallest_denominator_there_is_no_level(rows, indicators):
    few = rows[rows["procedure_date"].dt.year == 2015].head(60)
    table = overview(aggregate(few, indicators[:1], as_of=AS_OF), indicators)
    small = table[(table["n"] > 0) & (table["n"] < 10)]
    assert len(small) and small["level"].isna().all() and not small["level_decided"].any()
    assert set(small["level_words"]) == {"fewer than 10 patients"}


def test_results_of_several_registers_stand_in_one_overview(found, indicators):
    talk = load_indicator("palliative_end_of_life_talk")
    forms = pd.DataFrame(
        {
            "death_date": pd.to_datetime(["2016-05-01"] * 40),
            "unit": ["u"] * 20 + ["v"] * 20,
            "expected": "1",
            "end_of_life_talk": ["1"] * 39 + ["0"],
        }
    )
    other = aggregate(forms, [talk], as_of=AS_OF)
    table = overview([found, other], [*indicators, talk])
    assert set(table["specialty"]) == {"vascular", "palliative"}
    with pytest.raises(StudyError, match="in two results"):
        overview([found, found], indicators)
    both = {"vascular.procedures": forms.iloc[:0], "palliative.deaths_reported": forms}
    with pytest.raises(StudyError, match="several tables"):
        aggregate(forms, [*indicators, talk], as_of=AS_OF)
    assert len(aggregate(both, [talk], as_of=AS_OF)) == len(other)


def test_what_cannot_be_aggregated_is_refused(rows, indicators):
    start, census = (load_indicator(f"renal_{one}_fistula_or_graft") for one in ("start", "census"))
    for chosen, keys, words in [
        ([], {}, "there are none"),
        ([start, census], {}, r"(?s)renal_start.*never mixed"),
        ([indicators[0]] * 2, {}, "stands twice"),
        ([load_indicator("vascular_leg_amputation_free")], {}, "Use survival_at"),
        (indicators, {"context": "residence"}, "no unit of residence"),
        (indicators, {"by": ["n"]}, "column of the result"),
        (indicators, {"levels": ["region"]}, "Give organisation too"),
        (indicators, {"organisation": ORGANISATION, "levels": ["regio"]}, 'mean "region"'),
    ]:
        with pytest.raises(StudyError, match=words):
            aggregate(rows, chosen, as_of=AS_OF, **keys)
    with pytest.raises(DataError, match='no column "hospital"'):
        aggregate(rows.drop(columns="hospital"), indicators, as_of=AS_OF)
    with pytest.raises(DataError, match='no column "county"'):
        aggregate(ibis.memtable(rows), indicators, as_of=AS_OF, by=["county"])
    found = aggregate(rows, indicators, as_of=AS_OF)
    with pytest.raises(DataError, match="no row of the nation"):
        beside_nation(found[found["place_level"] != "nation"], indicators)
