"""Organisations: who belongs where on which day, divided places, mergers, and faults of a file."""

from __future__ import annotations

from copy import deepcopy
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError, DefinitionError, StudyError
from workbench.registers.documents import parse_document
from workbench.registers.organisations import (
    Organisation,
    ancestors,
    count_not_placed,
    current_code,
    find_organisations,
    load_organisation,
    name_of,
    place_of,
    place_with_reason,
)

SWEDEN, NORWAY = load_organisation("sweden", []), load_organisation("norway", [])
TODAY = date(2024, 1, 1)
RULES = ("split", "vastra", "sodra", "own_row")
# Two hospitals that became one, and a clinic that moved from one region to another.
SMALL = {
    "name": "small",
    "label": "Small",
    "source": "invented",
    "levels": ["hospital", "region", "nation"],
    "places": {
        "nation": {"N": {"name": "Nation"}},
        "region": {
            "01": {"name": "West", "parent": "N"},
            "02": {"name": "East", "parent": "N", "from": "2000-01-01"},
        },
        "hospital": {
            "A": {"name": "Old", "parent": "01", "to": "2009-12-31", "merged_into": "B"},
            "B": {"name": "Middle", "parent": "01", "to": "2014-12-31", "merged_into": "C"},
            "C": {"name": "New", "parent": "01"},
            "D": {
                "name": "Mover",
                "parents": [
                    {"parent": "01", "to": "2004-12-31"},
                    {"parent": "02", "from": "2005-01-01"},
                ],
            },
            "E": {"name": "Closed", "parent": "01", "to": "2009-12-31"},
        },
    },
}


def small(change=None):
    document = deepcopy(SMALL)
    if change:
        change(document["places"], document)
    return parse_document(document, Organisation, where="small.yaml")


def _refused(change):
    with pytest.raises(DefinitionError) as told:
        small(change)
    return str(told.value)


def texts(*codes):
    return pd.Series(codes, dtype=object)


def in_health_region(codes, *, on=TODAY, rule="split", parts=None):
    levels = {"level_from": "region", "level_to": "health_region"}
    return place_of(codes, SWEDEN, **levels, on=on, rule=rule, parts=parts)


# -- Sweden and Norway


def test_sweden_has_twenty_one_regions_today_and_six_health_care_regions():
    codes = texts(*SWEDEN.places["region"])
    assert current_code(codes, SWEDEN, level="region", on=TODAY).nunique() == 21
    assert len(SWEDEN.places["health_region"]) == 6


def test_norway_has_four_health_regions_and_the_private_ones():
    assert len(NORWAY.places["rhf"]) == 5
    codes = texts("983974899", "993467049", "984027737")
    found = place_of(codes, NORWAY, level_from="hf", level_to="rhf", on=TODAY)
    assert found.tolist() == ["883658752", "991324968", "983658725"]


def test_a_leading_zero_is_kept():
    assert in_health_region(texts("01", "09"), rule="vastra").tolist() == ["1", "1"]
    assert place_of(
        texts("01"), SWEDEN, level_from="region", level_to="region", on=TODAY
    ).tolist() == ["01"]


def test_codes_that_are_numbers_are_refused():
    with pytest.raises(DataError, match="leading zeros may have been lost"):
        in_health_region(pd.Series([1, 12]), rule="vastra")


@pytest.mark.parametrize(
    ("rule", "north", "south"),
    [("split", "5", "4"), ("vastra", "5", "5"), ("sodra", "4", "4"), ("own_row", "13", "13")],
)
def test_halland_is_placed_as_the_rule_says(rule, north, south):
    parts = texts("1384", "1383", "1382", "1380", "1381", "1315")
    found = in_health_region(texts(*["13"] * 6), rule=rule, parts=parts)
    assert found.tolist() == [north] * 3 + [south] * 3


def test_a_row_of_halland_without_municipality_is_not_placed_but_counted():
    codes, parts = texts("13", "13", "13", "01"), texts(None, "1384", "0180", None)
    levels = {"level_from": "region", "level_to": "health_region"}
    placed = place_with_reason(codes, SWEDEN, **levels, on=TODAY, rule="split", parts=parts)
    assert placed["place"].tolist() == [None, "5", None, "1"]
    counted = count_not_placed(placed).set_index("reason")["n"].to_dict()
    assert counted == {"part not given": 1, "unknown part": 1}


def test_halland_needs_a_rule_but_the_nation_does_not():
    with pytest.raises(StudyError, match="Choose a rule: split, vastra, sodra, own_row"):
        in_health_region(texts("01"), rule=None)
    found = place_of(texts("13"), SWEDEN, level_from="region", level_to="nation", on=TODAY)
    assert found.tolist() == ["SE"]


def test_an_unknown_rule_names_the_nearest_and_split_asks_for_municipalities():
    with pytest.raises(StudyError, match='no rule "vestra".*Did you mean "vastra"'):
        in_health_region(texts("13"), rule="vestra")
    with pytest.raises(StudyError, match="needs to know the municipality"):
        in_health_region(texts("13"), rule="split")


def test_halland_on_its_own_row_has_a_name_and_a_nation():
    own = texts("13")
    assert name_of(own, SWEDEN, level="health_region", on=TODAY).tolist() == ["Region Halland"]
    up = place_of(own, SWEDEN, level_from="health_region", level_to="nation", on=TODAY)
    assert up.tolist() == ["SE"]
    found = ancestors("13", SWEDEN, level="region", on=TODAY, rule="own_row")
    assert found == {"region": "13", "health_region": "13", "nation": "SE"}


def test_names_follow_the_day():
    codes, level = texts("2", "4"), "health_region"
    before = name_of(codes, SWEDEN, level=level, on=date(2015, 6, 1)).tolist()
    after = name_of(codes, SWEDEN, level=level, on=TODAY).tolist()
    assert before == ["Uppsala-Örebro sjukvårdsregion", "Södra sjukvårdsregionen"]
    assert after == ["Sjukvårdsregion Mellansverige", "Södra sjukvårdsregionen"]


def test_a_name_changes_on_its_day():
    days = pd.Series(pd.to_datetime(["2018-12-31", "2019-01-01"]))
    found = name_of(texts("01", "01"), SWEDEN, level="region", on=days)
    assert found.tolist() == ["Stockholms läns landsting", "Region Stockholm"]


def test_a_county_that_was_merged_goes_on_as_its_successor():
    days = pd.Series(pd.to_datetime(["1996-12-31", "1997-01-01"]))
    assert current_code(texts("11", "11"), SWEDEN, level="region", on=days).tolist() == ["11", "12"]


@settings(max_examples=60, deadline=None)
@given(
    st.dates(date(1970, 1, 1), date(2035, 12, 31)),
    st.sampled_from(RULES),
    st.sampled_from(["1384", "1380"]),
)
def test_every_open_region_is_in_exactly_one_health_care_region(on, rule, municipality):
    codes = texts(*SWEDEN.places["region"])
    parts = texts(*[municipality] * len(codes))
    levels = {"level_from": "region", "level_to": "health_region"}
    placed = place_with_reason(codes, SWEDEN, **levels, on=on, rule=rule, parts=parts)
    known = {*SWEDEN.places["health_region"], *(["13"] if rule == "own_row" else [])}
    assert set(placed["place"]) <= known
    assert placed["reason"].isna().all()


# -- in general


@pytest.mark.parametrize(
    ("code", "on", "here"),
    [
        ("A", date(2009, 12, 31), "A"),
        ("A", date(2010, 1, 1), "B"),
        ("A", date(2015, 1, 1), "C"),
        ("E", date(2009, 12, 31), "E"),
        ("E", date(2010, 1, 1), None),
        ("X", TODAY, None),
        (None, TODAY, None),
    ],
)
def test_mergers_are_followed_to_the_one_open_on_the_day(code, on, here):
    found = current_code(texts(code), small(), level="hospital", on=on)
    assert found.tolist() == [here]


def test_a_place_that_moved_is_where_it_was_on_the_day():
    days = pd.Series(pd.to_datetime(["2004-12-31", "2005-01-01", None]))
    levels = {"level_from": "hospital", "level_to": "region"}
    placed = place_with_reason(texts("D", "D", "D"), small(), **levels, on=days)
    assert placed["place"].tolist() == ["01", "02", None]
    assert placed["reason"].tolist() == [None, None, "no date"]


def test_every_reason_is_counted():
    levels = {"level_from": "hospital", "level_to": "nation"}
    placed = place_with_reason(texts("C", None, "X", "E", "E"), small(), **levels, on=TODAY)
    counted = count_not_placed(placed)
    assert dict(zip(counted["reason"], counted["n"], strict=True)) == {
        "no code": 1,
        "not open on that day": 2,
        "unknown code": 1,
    }


def test_rows_keep_their_order_and_index():
    codes = pd.Series(["C", "D", "C"], index=[7, 3, 7], name="hospital_id")
    found = place_of(codes, small(), level_from="hospital", level_to="region", on=TODAY)
    assert found.tolist() == ["01", "02", "01"]
    assert found.index.tolist() == [7, 3, 7] and found.name == "region"
    assert current_code(codes, small(), level="hospital", on=TODAY).name == "hospital_id"


def test_no_rows_give_no_places():
    none = pd.Series([], dtype=object)
    assert place_of(none, small(), level_from="hospital", level_to="region", on=TODAY).empty


def test_an_unknown_level_names_the_nearest():
    with pytest.raises(StudyError, match='no level "regoin".*Did you mean "region"'):
        place_of(texts("C"), small(), level_from="hospital", level_to="regoin", on=TODAY)


def test_places_are_only_looked_up_from_below():
    with pytest.raises(StudyError, match="region lies above hospital"):
        place_of(texts("01"), small(), level_from="region", level_to="hospital", on=TODAY)


def test_a_date_for_each_row_is_needed():
    with pytest.raises(DataError, match="1 dates for 2 rows"):
        current_code(texts("C", "C"), small(), level="hospital", on=pd.Series([TODAY]))


# -- what a file may not say


def _set(level, code, **keys):
    return lambda places, _: places[level][code].update(keys)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set("hospital", "C", parent="1"), 'places.hospital.C: there is no region "1"'),
        (_set("hospital", "C", parent=None), "places.hospital.C: it has no parent"),
        (_set("nation", "N", parent="01"), "is on the highest level"),
        (_set("hospital", "D", parent="01"), "give parent or parents, not both"),
        (_set("hospital", "C", merged_into="A"), "merged_into needs to"),
        (_set("hospital", "B", merged_into="X"), 'merged_into: there is no hospital "X"'),
        (_set("hospital", "B", merged_into="E"), "E was not open on the day after"),
        (_set("hospital", "E", **{"from": "2010-01-01"}), "it: to is before from"),
        (_set("hospital", "C", parent="02"), "under region 02 before that existed"),
        (_set("region", "01", to="2012-12-31"), "under region 01 after that was closed"),
        (
            _set("hospital", "C", names=[{"name": "a", "to": "2000-01-01"}, {"name": "b"}]),
            "names: two hold on the same day",
        ),
        (
            _set("hospital", "D", parents=[{"parent": "01", "to": "2004-12-31"}]),
            "parents: on some days there is none",
        ),
        (lambda places, _: places.update(clinic={"K": {"name": "K"}}), 'no level "clinic"'),
        (lambda _, all_: all_.update(levels=["hospital", "hospital"]), "hospital stands twice"),
    ],
)
def test_an_organisation_with_a_fault_is_refused(change, said):
    assert said in _refused(change)


def test_mergers_in_a_circle_are_refused():
    def change(places, _):
        places["hospital"]["B"].update(to="2004-12-31", merged_into="A")

    assert "goes in a circle" in _refused(change)


def test_all_faults_are_told_together():
    def change(places, _):
        places["hospital"]["C"]["parent"] = "99"
        places["hospital"]["B"]["merged_into"] = "X"

    told = _refused(change)
    assert 'no region "99"' in told and 'no hospital "X"' in told


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"code": "X"}, 'there is no hospital "X"'),
        ({"level": "nation", "code": "N"}, "nation is the highest level"),
        ({"parts": {"01": ["p"], "03": ["q"]}}, 'there is no region "03"'),
        ({"parts": {"01": ["p"], "02": ["p"]}}, "p is in two parts"),
        ({"rules": {"all": "09"}}, 'there is no region "09"'),
        ({}, "it is divided, so that it has no parent"),
    ],
)
def test_a_division_with_a_fault_is_refused(keys, said):
    division = {
        "level": "hospital",
        "code": "C",
        "by": "ward",
        "parts": {"01": ["p"], "02": ["q"]},
        "rules": {"split": "by_part"},
    }

    def change(_, document):
        document["divided"] = [division | keys]

    assert said in _refused(change)


# -- a project's own


def _write(folder, name, text):
    (folder / "organisations").mkdir(exist_ok=True)
    (folder / "organisations" / f"{name}.yaml").write_text(text, encoding="utf-8")


OWN = """
name: ours
label: Ours
source: us
extends: sweden
places:
  hospital:
    "001": {name: North, parent: "13", part: "1384"}
    "002": {name: South, parent: "13", part: "1380"}
    "003": {name: Other, parent: "01"}
"""


def test_a_project_may_add_hospitals_to_a_country(tmp_path):
    _write(tmp_path, "ours", OWN)
    ours = load_organisation("ours", [tmp_path])
    levels = {"level_from": "hospital", "level_to": "health_region"}
    found = place_of(texts("001", "002", "003"), ours, **levels, on=TODAY, rule="split")
    assert found.tolist() == ["5", "4", "1"]
    assert ancestors("003", ours, level="hospital", on=TODAY)["nation"] == "SE"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN + '  region: {"01": {name: Again, parent: "1"}}\n', "places.region.01 is in sweden"),
        (OWN.replace("sweden", "swden"), 'no organisation "swden".*Did you mean "sweden"'),
        (OWN.replace("sweden", "ours"), "extends goes in a circle"),
        (OWN.replace('parent: "01"', 'parent: "02"'), r'hospital.003: there is no region "02"'),
        (OWN.replace("name: ours", "name: theirs"), 'the key name says "theirs"'),
        (OWN.replace("places:", "plaecs:"), "plaecs"),
    ],
)
def test_a_projects_organisation_with_a_fault_is_refused(tmp_path, text, said):
    _write(tmp_path, "ours", text)
    with pytest.raises(DefinitionError, match=said):
        load_organisation("ours", [tmp_path])


def test_what_comes_along_is_found():
    assert {"sweden", "norway"} <= set(find_organisations([]))
    with pytest.raises(DefinitionError, match='Did you mean "norway"'):
        load_organisation("norwy", [])
