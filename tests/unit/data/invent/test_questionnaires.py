"""The renal register's questionnaire: who is asked, and the law behind the answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from workbench.data.invent import questionnaire_rows
from workbench.data.invent.chance import stream
from workbench.registers.proms import load_prom

RAND12 = load_prom("rand12")


def test_those_in_the_register_are_asked_a_year_after_the_start(invented, read, numbers, days):
    forms, starts = read(invented, "renal.questionnaires"), read(invented, "renal.starts")
    sent, came = days(forms["sent_date"]), days(forms["answered_date"])
    assert len(forms) > 5 and came.notna().any()
    assert (came.dropna() > sent[came.notna()]).all()
    # numbers change: who was renumbered within the year stands under another one in starts
    began = days(starts["start_date"]).set_axis(numbers(starts["personal_number"]))
    found = began.reindex(numbers(forms["personal_number"])).to_numpy()
    apart = (sent.to_numpy() - found) / np.timedelta64(1, "D")
    assert (apart[~np.isnan(apart)] == questionnaire_rows.SENT_AFTER).all()
    assert np.isnan(apart).mean() < 0.2
    assert starts.set_index(numbers(starts["personal_number"]))["modality"].reindex(
        numbers(forms["personal_number"])).dropna().isin(["HD", "PD"]).all()  # fmt: skip


def test_items_are_those_of_the_form_and_blank_where_nothing_came(invented, read):
    forms = read(invented, "renal.questionnaires")
    items = list(RAND12.key_of)
    assert set(items) <= set(forms.columns)
    silent = forms["answered_date"] == ""
    assert (forms.loc[silent, items] == "").all(axis=None)
    for item, points in RAND12.key_of.items():
        assert set(forms[item]) <= {"", *map(str, points)}


@pytest.mark.parametrize("health", [-1.0, 0.0, 1.5])
def test_answers_follow_the_stated_law(health):
    n = 40_000
    columns = questionnaire_rows._answers(
        stream(1, "law"), np.full(n, health), np.ones(n, dtype=bool)
    )
    own = np.sqrt(1 - questionnaire_rows.LOADING**2)
    for item, points in RAND12.key_of.items():
        answers = columns[item].values
        assert np.isnan(answers).mean() == pytest.approx(questionnaire_rows.LEFT_OUT, abs=0.005)
        cuts = stats.norm.ppf(np.arange(1, len(points)) / len(points))
        above = stats.norm.sf((cuts - questionnaire_rows.LOADING * health) / own)
        expected = above.sum() * 100 / (len(points) - 1)  # points rise in even steps
        found = pd.Series(answers).map(dict(points)).mean()
        assert found == pytest.approx(expected, abs=1.2), item
