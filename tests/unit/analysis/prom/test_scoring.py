"""RAND-36, RAND-12 and sum scales, against published keys and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import prom as proms
from workbench.errors import DataError, DefinitionError, StudyError
from workbench.registers.documents import parse_document
from workbench.registers.proms import Prom, load_prom

RAND36, RAND12 = load_prom("rand36"), load_prom("rand12")
SCALES36 = list(RAND36.scales)


def forms_of(prom, answer, **others):
    """One form with the same answer to every item (or the item's last one), some changed."""
    one = {item: min(answer, max(key)) for item, key in prom.key_of.items()}
    return pd.DataFrame([one | others])


def sums(**changed):
    """A questionnaire of one sum scale, three items from 0 to 2; low is better."""
    given = {
        "name": "small", "label": "Small", "source": "Ours", "licence": "Free",
        "keys": {"points": {"0": "0", "1": "1", "2": "2"}}, "items": {"points": ["a", "b", "c"]},
        "scales": {"burden": {"label": "Burden", "items": ["a", "b", "c"], "method": "sum",
                              "better": "low"}},
    }  # fmt: skip
    return parse_document(given | changed, Prom, where="small")


def test_rand36_has_the_items_of_the_published_table():
    # RAND, scoring instructions, table 2: how many items each scale has
    sizes = {name: len(scale.items) for name, scale in RAND36.scales.items()}
    assert sizes == {
        "physical_functioning": 10, "role_physical": 4, "role_emotional": 3, "energy": 4,
        "emotional_well_being": 5, "social_functioning": 2, "pain": 2, "general_health": 5,
    }  # fmt: skip
    used = sorted(int(item[1:]) for scale in RAND36.scales.values() for item in scale.items)
    assert used == [1, *range(3, 37)]  # all but the change of health


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        # every item answered 1, by table 1: PF, RP, RE, EF (23, 27 at 100), EW (26, 30 at 100) ...
        (1, [0, 0, 0, 50, 40, 50, 100, 60]),
        # every item at its last answer: 3, 2, 2, 6, 6, 5 and 5
        (9, [100, 100, 100, 50, 60, 50, 0, 40]),
    ],
)
def test_rand36_scores_worked_out_by_hand(answer, expected):
    scored = proms.score(forms_of(RAND36, answer), RAND36)
    assert scored[SCALES36].iloc[0].tolist() == expected
    physical = np.mean([expected[0], expected[1], expected[6], expected[7]])
    mental = np.mean([expected[2], expected[3], expected[4], expected[5]])
    assert scored["physical_composite"].iloc[0] == pytest.approx(physical)
    assert scored["mental_composite"].iloc[0] == pytest.approx(mental)


def test_the_published_example_of_a_blank_item():
    # "How to score the RAND SF-36": 4 on item 23, 3 on 27, 3 on 29, 31 left blank -> 46.7
    form = forms_of(RAND36, 1, q23=4, q27=3, q29=3, q31=None)
    assert proms.score(form, RAND36)["energy"].iloc[0] == pytest.approx(140 / 3)


def test_best_and_worst_health_are_100_and_0_on_every_scale():
    best = {item: max(key, key=key.get) for item, key in RAND12.key_of.items()}
    worst = {item: min(key, key=key.get) for item, key in RAND12.key_of.items()}
    scored = proms.score(pd.DataFrame([best, worst]), RAND12)
    names = list(RAND12.labels)
    assert (scored.loc[0, names] == 100).all() and (scored.loc[1, names] == 0).all()


def test_rand12_composites_are_means_of_four_scales():
    # PF (50+100)/2, RP (0+100)/2, pain 75, general 25; energy 60, social 100, RE 100, EW 70
    form = pd.DataFrame([{
        "q1": 4, "q2a": 2, "q2b": 3, "q3a": 1, "q3b": 2, "q4a": 2, "q4b": 2, "q5": 2,
        "q6a": 2, "q6b": 3, "q6c": 4, "q7": 5,
    }])  # fmt: skip
    scored = proms.score(form, RAND12)
    assert scored["physical_composite"].iloc[0] == pytest.approx((75 + 50 + 75 + 25) / 4)
    assert scored["mental_composite"].iloc[0] == pytest.approx((60 + 100 + 100 + 70) / 4)


def test_half_of_the_items_suffice_and_fewer_do_not():
    half = dict.fromkeys(["q3", "q4", "q5", "q6", "q7"])
    enough = proms.score(forms_of(RAND36, 1, **half), RAND36)
    short = proms.score(forms_of(RAND36, 1, **half, q8=None), RAND36)
    assert enough["physical_functioning"].iloc[0] == 0
    assert short["physical_functioning"].isna().all() and short["physical_composite"].isna().all()
    assert short["mental_composite"].notna().all()
    assert short.attrs["not_scored"]["physical_functioning"] == 1


def test_a_sum_is_filled_up_from_the_items_answered():
    forms = pd.DataFrame({"id": [1, 2, 3], "a": [2, 2, 2], "b": [1, 1, 99], "c": [0, None, 99]})
    scored = proms.score(forms, sums(), missing_codes=[99])
    assert scored["burden"].tolist()[:2] == [3, 4.5] and np.isnan(scored["burden"].iloc[2])
    assert list(scored) == ["id", "burden"] and scored["id"].tolist() == [1, 2, 3]


def test_columns_may_have_other_names_and_the_frame_is_not_changed():
    forms = forms_of(RAND12, 1).rename(columns={"q1": "general"})
    kept = forms.copy()
    scored = proms.score(forms, RAND12, columns={"q1": "general"})
    assert scored["general_health"].iloc[0] == 100 and "general" not in scored
    pd.testing.assert_frame_equal(forms, kept)


def test_answers_that_do_not_exist_are_counted_and_not_shown():
    forms = pd.concat([forms_of(RAND12, 1, q1=77, q5=0.5)] * 3, ignore_index=True)
    with pytest.raises(DataError, match=r'column "q5": 3 forms[\s\S]*column "q1": 3 forms') as told:
        proms.score(forms, RAND12)
    assert "77" not in str(told.value)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"forms": pd.DataFrame({"q1": [1]})}, DataError, "columns of rand12 are not there"),
        ({"forms": [1]}, DataError, "expected a pandas frame"),
        ({"columns": {"q9": "x"}}, StudyError, 'no item "q9"'),
        ({"columns": {"q1": "q5"}}, StudyError, "two items are read from one column"),
        ({"missing_codes": [1]}, StudyError, "are answers to item"),
    ],
)
def test_what_cannot_be_scored_is_refused(change, kind, words):
    asked = {"forms": forms_of(RAND12, 1)} | change
    with pytest.raises(kind, match=words):
        proms.score(asked.pop("forms"), RAND12, **asked)


def test_a_column_named_as_a_scale_is_refused():
    with pytest.raises(DataError, match="rename pain"):
        proms.score(forms_of(RAND12, 1).assign(pain=1), RAND12)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"items": {"pionts": ["a", "b", "c"]}}, 'Did you mean "points"'),
        ({"items": {"points": ["a", "a", "b", "c"]}}, "stands under two keys, or twice"),
        ({"scales": {"burden": {"label": "B", "items": ["a", "d"]}}}, 'there is no "d"'),
        ({"scales": {"burden": {"label": "B", "items": ["a"], "needed": "2"}}}, "more items"),
        ({"important_changes": {"x": {"points": "1", "source": "s"}}}, 'no scale "x"'),
        ({"keys": {"points": {"0": "1"}}}, "at least two answers"),
        ({"composites": {"burden": {"label": "B", "scales": ["burden", "burden"]}}}, "is a scale"),
        ({"composites": {"all": {"label": "B", "scales": ["burden", "burden"]}}}, "once"),
    ],
)
def test_a_definition_that_does_not_hold_together_is_refused(changed, words):
    with pytest.raises(DefinitionError, match=words):
        sums(**changed)


def test_a_projects_own_questionnaire_goes_first_and_names_agree(tmp_path):
    folder = tmp_path / "proms"
    folder.mkdir()
    (folder / "mine.yaml").write_text("name: other\nlabel: x\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match="cannot be used"):
        load_prom("mine", [tmp_path])
    with pytest.raises(DefinitionError, match='Did you mean "rand36"'):
        load_prom("rand63", [tmp_path])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_scores_stay_in_their_range_and_better_answers_never_lower_them(data):
    items = list(RAND12.key_of.items())
    answers = {item: data.draw(st.sampled_from([*key, None])) for item, key in items}
    item, key = data.draw(st.sampled_from(items))
    answers[item] = data.draw(st.sampled_from(list(key)))
    better = answers | {item: max(key, key=key.get)}
    scored = proms.score(pd.DataFrame([answers, better]), RAND12)[list(RAND12.labels)]
    values = scored.to_numpy(float)
    assert ((values >= 0) & (values <= 100) | np.isnan(values)).all()
    assert (np.nan_to_num(values[1]) >= np.nan_to_num(values[0]) - 1e-9).all()
