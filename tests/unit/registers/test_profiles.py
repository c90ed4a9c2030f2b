"""Release profiles: found by name, refused when wrong, and every setting does something."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import description, regression, survival
from workbench.analysis.count_table import CountTable
from workbench.errors import DefinitionError, DisclosureError
from workbench.output.disclosure import release
from workbench.output.gate.judgement import round_counts
from workbench.registers.profiles import ReleaseProfile, load_profile, lowered_protections

STANDARD = load_profile("standard")
TEXT = (
    "name: strict\ndescription: d\nowner: o\nthreshold: 10\nlevel_persons: 10\nlevel_events: 10\n"
)


def _write(folder, text, name="strict"):
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "profiles" / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_the_standard_profile_is_shipped():
    assert STANDARD.threshold == 5


@pytest.mark.parametrize("threshold", [3, 5, 8, 10])
def test_presets_are_shipped(threshold):
    assert load_profile(f"counts_from_{threshold}").threshold == threshold


def test_a_preset_rounds():
    assert load_profile("counts_from_8_rounded").rounding == "nearest 5"


@pytest.mark.parametrize("rounding", ["nearest 5", "midpoint 6"])
@pytest.mark.parametrize("threshold", range(3, 20))
def test_every_rounded_number_stands_for_as_many_counts_or_the_profile_is_refused(
    threshold, rounding
):
    """Hiding 1 to 5 and rounding to 5 would leave a printed 5 to be 6 or 7."""
    given = {"threshold": threshold, "rounding": rounding, "level_persons": 60, "level_events": 60}
    settings = STANDARD.model_dump() | given
    policy = STANDARD.model_copy(update=given)
    shown = round_counts(list(range(threshold, threshold + 60)), policy)
    behind = pd.Series(shown).value_counts()
    is_even = behind[min(shown)] == behind.max()
    if is_even:
        ReleaseProfile(**settings)
        return
    with pytest.raises(ValueError, match="raise threshold to") as refused:
        ReleaseProfile(**settings)
    wider = int(str(refused.value).split("raise threshold to ")[1].split()[0])
    assert ReleaseProfile(**settings | {"threshold": wider}).threshold > threshold


def test_settings_below_the_standard_are_told():
    lax = load_profile("counts_from_3")
    assert set(lowered_protections(lax.model_dump())) == {"threshold"}
    assert lowered_protections(STANDARD.model_dump()) == {}
    assert lowered_protections(load_profile("counts_from_10").model_dump()) == {}
    more = STANDARD.model_dump() | {"decimals": 5, "hides_rest": False, "dominance_percent": 60}
    assert set(lowered_protections(more)) == {"decimals", "hides_rest", "dominance_percent"}


def test_a_projects_profile_goes_first(tmp_path):
    _write(tmp_path, TEXT)
    _write(tmp_path, TEXT.replace("strict", "standard"), name="standard")
    assert load_profile("strict", [tmp_path]).threshold == 10
    assert load_profile("standard", [tmp_path]).threshold == 10


def test_an_unknown_profile_names_the_nearest():
    with pytest.raises(DefinitionError, match='Did you mean "standard"'):
        load_profile("standrad")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT + "thresold: 3\n", "thresold"),
        (TEXT.replace("10", "1"), "threshold"),
        (TEXT.replace("level_events: 10", "level_events: 5"), "level_events is below"),
        (TEXT.replace("strict", "lax"), 'calls itself "lax"'),
        (TEXT.replace("10", "ten"), "threshold"),
        (TEXT.replace("10", "61"), "threshold"),
        (TEXT + "rounding: nearest 4\n", "rounding"),
        (TEXT + "dominance_percent: 101\n", "dominance_percent"),
        (TEXT + "minimum_denominator: 0\n", "minimum_denominator"),
    ],
)
def test_a_profile_with_a_fault_is_refused(tmp_path, text, said):
    _write(tmp_path, text)
    with pytest.raises(DefinitionError, match=said):
        load_profile("strict", [tmp_path])


def _outcome(policy, result):
    try:
        released = release(result, policy, title="x")
    except DisclosureError as refusal:
        return str(refusal)
    return released.csv()


@pytest.fixture
def results():
    draw = np.random.default_rng(3)
    years = draw.exponential(5, 400)
    persons = pd.DataFrame(
        {
            "years": np.minimum(years, 8).round(3),
            "died": (years < 8).astype(int),
            "sex": pd.Categorical(["men"] * 8 + ["women"] * 392),
            "age": draw.normal(60, 9, 400),
        }
    )
    follow_up = {"duration": "years", "event": "died"}
    fit = regression.cox(persons, "age + sex", **follow_up)
    levels = fit.levels.assign(n=[400, 9, 391], events=[fit.events, 9, fit.events - 9])
    return [
        description.table_one(persons, variables=["sex", "age"]),
        survival.kaplan_meier(persons, **follow_up),
        dataclasses.replace(fit, levels=levels),
        _units([60, 50, 40, 40], [58, 10, 0, 0]),
        CountTable(_units([60, 50], [30, 20]).table.assign(
            exposure=[90.0, 80.0], exposure_largest=[30.0, 8.0]), ("unit",)),
    ]  # fmt: skip


def _units(n, events):
    table = pd.DataFrame({"unit": [f"u{at}" for at in range(len(n))], "n": n, "events": events})
    return CountTable(table, ("unit",))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("threshold", 9),
        ("hides_rest", False),
        ("hides_zero", True),
        ("rounding", "midpoint 6"),
        ("minimum_denominator", 401),
        ("dominance_percent", 30),
        ("model_events", 1000),
        ("parameter_events", 1000),
        ("level_persons", 10),
        ("level_events", 10),
        ("decimals", 1),
        ("significant_digits", 1),
    ],
)
def test_every_setting_changes_an_output(results, setting, value):
    settings = STANDARD.model_dump() | {"level_persons": 9, "level_events": 9}
    if setting == "rounding":
        settings["threshold"] = 7
    before, after = (ReleaseProfile(**settings), ReleaseProfile(**settings | {setting: value}))
    changed = [_outcome(before, result) != _outcome(after, result) for result in results]
    assert any(changed)


def test_every_setting_is_tested_and_every_word_is_in_the_record(results):
    names = {setting for setting, _ in test_every_setting_changes_an_output.pytestmark[0].args[1]}
    assert names | {"name", "description", "owner"} == set(ReleaseProfile.model_fields)
    record = release(results[0], STANDARD, title="x").record()
    assert record["rules"]["owner"] == STANDARD.owner
    assert record["rules"]["description"] == STANDARD.description
    assert record["profile"] == "standard"
