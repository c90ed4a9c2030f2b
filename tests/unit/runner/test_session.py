"""What a notebook gets from its study."""

from __future__ import annotations

import numpy as np
import pytest
from IPython.display import HTML, Image
from projects import STUDY, import_rows, make_project, many_rows, study_file

from workbench import draw_flow
from workbench.errors import DisclosureError, StudyError
from workbench.runner.sessions.session import open_study


@pytest.fixture
def session(tmp_path, monkeypatch):
    project = make_project(tmp_path)
    import_rows(project, *many_rows(60))
    monkeypatch.chdir(tmp_path)
    return open_study(study_file(project))


def test_by_hand_a_study_writes_beside_the_runs(session, tmp_path):
    assert session.folder == tmp_path / "runs" / "dialysis" / "by-hand"


def test_the_studys_words_reach_figures_and_tables(session):
    assert session.labels == {"age": "Age", "access": "Access"}
    assert session.described == ["age"]  # the groups are not described by themselves
    assert session.group_words == "access"
    assert session.survival_words == "Survival"
    assert session.formula == "age + access"
    caption = session.caption("Kaplan-Meier")
    assert caption.period == "2010-01-01 to 2019-12-31, followed to 2020-12-31"
    assert caption.coverage == "not known"


@pytest.mark.parametrize(
    ("horizon", "times"),
    [(5, [0, 1, 2, 3, 4, 5]), (10, [0, 2, 4, 6, 8, 10]), (24, [0, 6, 12, 18, 24]), (0.5, [0, 0.5])],
)
def test_numbers_at_risk_stand_at_a_few_round_times(session, horizon, times):
    assert session.axis(horizon) == times


def test_the_same_seed_gives_the_same_random_numbers(session, tmp_path):
    first = np.random.random()
    open_study(tmp_path / "params" / "studies" / "dialysis.yaml")
    assert np.random.random() == first


def test_what_is_published_is_shown_and_written(session):
    cohort = session.select_cohort()
    ledger = session.release(cohort.ledger, title="Ledger")
    assert isinstance(session.publish(ledger, name="ledger", heading="Ledger"), HTML)
    flow = draw_flow(ledger, caption=session.caption("Counted"))
    assert isinstance(session.publish(flow, name="flow", heading="Flow", method="flow"), Image)
    report = session.finish()
    page = report.read_text(encoding="utf-8")
    assert "Survival after start of dialysis" in page
    assert (report.parent / "flow.svg").is_file()


def test_a_refused_result_is_told_in_the_report_and_ends_nothing(session):
    ledger = session.release(session.select_cohort().ledger, title="Ledger")
    session.publish(ledger, name="ledger", heading="Ledger")
    assert session.release_if_allowed("a sentence", title="Hazard ratios") is None
    page = session.finish().read_text(encoding="utf-8")
    assert "Not released: Hazard ratios" in page
    assert "The gate cannot judge a str" in page


@pytest.mark.parametrize("horizon", [0, -1, float("inf")])
def test_a_figure_must_end_after_it_begins(session, horizon):
    with pytest.raises(StudyError, match="parameters.horizon"):
        session.axis(horizon)


def test_without_a_period_no_single_day_is_told(session):
    rules = session.study.cohort.model_copy(update={"period": None})
    session.study = session.study.model_copy(update={"cohort": rules})
    assert session.caption("x").period == "2010 to 2018, followed to 2020-12-31"


def test_nothing_unreleased_is_published(session):
    cohort = session.select_cohort()
    with pytest.raises(DisclosureError):
        session.publish(cohort.persons, name="persons", heading="Persons")


def test_by_hand_the_same_checks_hold(tmp_path, monkeypatch):
    project = make_project(tmp_path, study=STUDY.replace("group: access", "group: acess"))
    import_rows(project, *many_rows(20))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match='Did you mean "access"'):
        open_study(study_file(project))
