"""Release profiles: found by name, refused when wrong, and every setting does something."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import description, regression, survival
from workbench.errors import DefinitionError, DisclosureError
from workbench.output.disclosure import release
from workbench.registers.profiles import ReleaseProfile, load_profile

STANDARD = load_profile("standard")
TEXT = (
    "name: strict\ndescription: d\nowner: o\nthreshold: 10\nlevel_persons: 10\nlevel_events: 10\n"
)


def _write(folder, text, name="strict"):
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "profiles" / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_the_standard_profile_is_shipped():
    assert STANDARD.threshold == 5


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
    ]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("threshold", 9),
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
