"""What can be chosen: columns and their values, outcomes, codes found by words."""

from __future__ import annotations

import pytest

from tests.linked import make_store
from workbench.output.explorer import choices
from workbench.output.explorer.code_search import search_codes, seen_lists
from workbench.output.explorer.offers import DEATH, NOBODY_FOLLOWED, Offers
from workbench.registers.schema import load_register

PATIENTS = load_register("patients", []).tables["inpatient"]


@pytest.fixture(scope="module")
def offers(tmp_path_factory) -> Offers:
    folder = tmp_path_factory.mktemp("offered")
    (folder / "registers").mkdir()
    (folder / "registers" / "renal.yaml").write_text(RENAL, encoding="utf-8")
    return Offers(make_store(folder / "store", {}), (folder,))


RENAL = """\
name: renal
label: Renal register
population: people
tables:
  starts:
    person: id
    variables: {id: {type: code, sensitivity: pseudonym}}
"""


def test_a_first_study_follows_everybody_until_death(offers):
    state = offers.begin("renal.starts")
    assert state.study.population == "people"
    assert state.study.follow_up.outcome == DEATH
    assert state.study.cohort.index_date == "start"
    assert list(state.study.variables) == ["age", "sex"]
    assert state.study.as_of is not None
    assert state.study.notebook == "20_estimate_survival"


def test_tables_of_the_population_are_not_studied(offers):
    assert set(offers.tables) == {"renal.starts", "renal.forms", "care.stays"}


def test_another_outcome_takes_its_notebook_with_it(offers):
    state = offers.begin("renal.starts")
    outcomes = offers.outcomes(state.study)
    stays = next(one for words, one in outcomes.items() if "care.stays" in words)
    assert choices.with_outcome(state, stays).study.notebook == "30_competing_risks"
    nobody = choices.with_outcome(state, outcomes[NOBODY_FOLLOWED])
    assert nobody.study.follow_up is None
    assert nobody.study.notebook == "10_describe_cohort"


def test_a_linked_column_is_not_taken_for_the_tables_own(offers):
    state = offers.begin("renal.starts")
    stays = state.changed(
        register="care", table="stays", cohort={"index_date": "admitted"}, group=None
    )
    column = offers.limited_by(stays.study)["sex"]
    assert column.name == "person_sex"
    assert dict(column.levels) == {"1": "male", "2": "female"}
    limited = choices.with_values(stays, column, ["2"])
    assert "person_sex" in limited.study.variables


def test_codes_are_found_by_words_and_by_codes():
    lists = seen_lists([])
    by_word = search_codes("heart failure", PATIENTS, lists)
    assert "heart_failure" in {one.list_name for one in by_word}
    groups = [one for one in search_codes("charlson dementia", PATIENTS, lists) if one.group]
    assert groups and groups[0].tree["groups"] == [groups[0].group]
    by_code = search_codes("i50", PATIENTS, lists)
    assert "heart_failure" in {one.list_name for one in by_code}
    assert search_codes("nothing is called this", PATIENTS, lists) == []
    assert all(set(one.variables) <= set(PATIENTS.variables) for one in by_word)


def test_codes_of_another_classification_are_not_offered():
    names = {one.list_name for one in search_codes("", PATIENTS, seen_lists([]))}
    assert "statins" not in names
