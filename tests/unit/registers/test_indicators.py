"""Definitions of indicators: what is packaged can be used, and what misleads is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import DefinitionError, StudyError
from workbench.registers.indicator_lint import lint_indicator, lint_indicators
from workbench.registers.indicator_model import IndicatorDefinition
from workbench.registers.indicators import find_indicators, load_indicator
from workbench.study.definitions import load_indicators

TEXT = """\
name: mine
label: Talk documented
specialty: palliative
table: palliative.deaths_reported
type: proportion
denominator_kind: incident
denominator:
  - {variable: expected, in: ["1"]}
numerator:
  - {variable: end_of_life_talk, in: ["1"]}
direction: high
limits:
  green: {value: 0.90, origin: regulator, year: 2017, source: a test}
  yellow: {value: 0.80, origin: regulator, year: 2017, source: a test}
minimum_denominator: 10
units: {treatment: unit}
coverage: {name: palliative_deaths}
description: a
how_to_read: b
technical: c
"""


@pytest.fixture(scope="module")
def packaged() -> list[IndicatorDefinition]:
    return [load_indicator(name).definition for name in find_indicators()]


def written(folder: Path, text: str = TEXT, name: str = "mine") -> Path:
    place = folder / "indicators"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def findings(folder: Path, text: str) -> dict[str, str]:
    written(folder, text)
    found = lint_indicator(folder / "indicators" / "mine.yaml", [folder])
    return {one.finding.rule: one.sentence for one in found}


def test_packaged_definitions_have_neither_faults_nor_warnings():
    assert [one.sentence for one in lint_indicators()] == []


def test_each_specialty_has_six_definitions_or_more_with_a_source_or_a_reason(packaged):
    for specialty in ("palliative", "haematology", "nephrology", "vascular"):
        own = [one for one in packaged if one.specialty == specialty]
        assert len(own) >= 6
        assert any(one.limits for one in own)
    for one in packaged:
        assert one.limits or one.no_limits_because or one.direction == "none", one.name
        assert all((one.description, one.how_to_read, one.technical)), one.name


def test_incident_and_prevalent_are_told_apart(packaged):
    kinds = {one.name: one.denominator_kind for one in packaged}
    assert kinds["renal_start_fistula_or_graft"] == "incident"
    assert kinds["renal_census_fistula_or_graft"] == "prevalent"


@pytest.mark.parametrize("language", ["sv", "nb"])
@pytest.mark.parametrize("name", find_indicators())
def test_every_packaged_indicator_is_told_in_the_languages_of_its_readers(packaged, name, language):
    one = next(one for one in packaged if one.name == name)
    told = one.told_in(language)
    for part in ("label", "description", "how_to_read", "no_limits_because"):
        english, other = getattr(one, part), getattr(told, part)
        assert bool(english) == bool(other), part
        assert not english or english != other, part
    assert one.told_in("en") == one


def test_what_is_not_translated_stays_as_it_was_written(tmp_path):
    written(tmp_path, TEXT + "translations: {sv: {label: Samtal dokumenterat}}\n")
    told = load_indicator("mine", [tmp_path]).definition.told_in("sv")
    assert (told.label, told.limits.green.source) == ("Samtal dokumenterat", "a test")
    assert load_indicator("mine", [tmp_path]).definition.told_in("nb").label == "Talk documented"


def test_a_projects_own_indicator_is_found_and_goes_first(tmp_path):
    assert load_indicator("mine", [written(tmp_path)]).definition.label == "Talk documented"
    assert findings(tmp_path, TEXT) == {}


def test_an_unknown_indicator_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(DefinitionError, match='Did you mean "mine"'):
        load_indicator("mien", [written(tmp_path)])


def test_a_study_is_told_of_all_indicators_that_are_not_there(tmp_path):
    folders = [written(tmp_path)]
    assert set(load_indicators(["mine"], folders, where="study.yaml")) == {"mine"}
    with pytest.raises(StudyError, match=r"(?s)study.yaml.*mien.*other"):
        load_indicators(["mien", "other"], folders, where="study.yaml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: mine", "name: other", 'says "other"'),
        ("value: 0.90", "value: 90", "no share; write 90 per cent as 0.90"),
        ("value: 0.90", "value: 0.70", "green 0.70 is not above yellow 0.80"),
        ("direction: high", "direction: low", "is not below yellow"),
        ("direction: high", "direction: none", "limits need a direction"),
        ("variable: expected", "variable: expectd", 'Did you mean "expected"'),
        ('end_of_life_talk, in: ["1"]', 'end_of_life_talk, in: ["7"]', '"7" is no code'),
        ('end_of_life_talk, in: ["1"]', 'end_of_life_talk, in: ["9"]', "Use is_missing"),
        ("treatment: unit", "treatment: ward", 'no variable "ward"'),
        ("type: proportion", "type: mean", "needs value"),
        ("type: proportion", "type: shares", "not a choice here"),
        ("denominator_kind: incident\n", "", "this key is missing"),
        ("direction: high", "direction: high\nvalue: days_at_unit", "has no value"),
        ("direction: high", "direction: high\nfunction: here", "function"),
        ("direction: high", "direction: high\nfunction: a:b", "needs numerator, or function"),
        ("direction: high", "direction: high\nperiod: {dated_by: sex}", "sex has type code"),
        ("palliative.deaths_reported", "palliative.deaths", "no table"),
        ("palliative.deaths_reported", "paliative.deaths_reported", 'Did you mean "palliative"'),
        ("direction: high", "direction: high\ndays: {unit: {from: death_date, to: sex}}", "unit"),
    ],
)
def test_what_cannot_be_used_is_refused_and_found_by_the_linter(tmp_path, old, new, words):
    text = TEXT.replace(old, new)
    with pytest.raises(DefinitionError) as refused:
        load_indicator("mine", [written(tmp_path, text)])
    assert words in str(refused.value)
    found = lint_indicators([tmp_path], names=["mine"])
    assert found[0].finding.is_fault and words in " ".join(one.sentence for one in found)


@pytest.mark.parametrize(
    ("old", "new", "rule", "words"),
    [
        ("minimum_denominator: 10\n", "", "no_minimum", "a number such as 10"),
        ("coverage: {name: palliative_deaths}\n", "", "no_coverage", "coverage table"),
        ("value: 0.80", "value: 0.79", "odd_limit", "line 14: warning, limits.yellow: 0.79"),
        ("value: 0.80", "value: 0", "vacuous", "always kept"),
        ("value: 0.90", "value: 1", "unreachable", "one single patient"),
        (
            "origin: regulator, year: 2017, source: a test}\n  y",
            "origin: national mean, year: 2017, source: a test}\n  y",
            "relative_limit",
            "however good all are",
        ),
        ("year: 2017, source: a test}\n  y", "year: not stated, source: x}\n  y", "undated_limit",
         "still in force"),
        ("label: Talk documented", "label: Death in hospital", "wording", "direction is high"),
        ("description: a\n", "", "no_text", "description"),
        ('end_of_life_talk, in: ["1"]', 'oral_health_assessed, in: ["1"]', "first_year", "2012"),
    ],
)  # fmt: skip
def test_what_misleads_is_a_warning_with_its_line(tmp_path, old, new, rule, words):
    text = TEXT.replace(old, new)
    found = findings(tmp_path, text)
    assert list(found) == [rule]
    assert words in found[rule] and "mine.yaml" in found[rule] and "warning" in found[rule]
    load_indicator("mine", [tmp_path])
    assert findings(tmp_path, f"{text}accepted: {{{rule}: it is meant so}}\n") == {}


def test_without_limits_a_reason_is_asked_for(tmp_path):
    start, end = TEXT.index("limits:"), TEXT.index("minimum_denominator")
    bare = TEXT[:start] + TEXT[end:]
    assert list(findings(tmp_path, bare)) == ["no_limits"]
    assert findings(tmp_path, f"{bare}no_limits_because: none was found\n") == {}
    assert findings(tmp_path, bare.replace("direction: high", "direction: none")) == {}
