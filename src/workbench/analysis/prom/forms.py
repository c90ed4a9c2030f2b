"""The forms of a questionnaire that a cohort was sent, read from the store."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from workbench.analysis.cohort.linkage import Sources, open_sources
from workbench.data.store import Store
from workbench.errors import DataError
from workbench.registers.proms import Prom
from workbench.study import Study

SENT, CAME = "_sent", "_came"


def read_forms(study: Study, store: Store, persons: pd.DataFrame, prom: Prom) -> pd.DataFrame:
    """Give the patients who were sent the questionnaire, and what each of them answered.

    Parameters
    ----------
    persons
        The cohort's persons. Of a person's forms the first that was sent in the study's window
        after the index date counts; forms sent after `as_of` are not there yet.

    Returns
    -------
    The rows of `persons` that were sent a form, with `answered` (0 or 1) and the items in the
    columns that the study names. An answer counts when it came by `as_of`; a form without a date of
    answer counts as answered where any item is filled in.

    Raises
    ------
    DataError
        Nobody of the cohort was sent a form.
    """
    rules = study.questionnaire
    if rules is None:
        raise DataError("The study reads no questionnaire: give it questionnaire.")
    place = {item: rules.columns.get(item, item) for item in prom.key_of}
    with open_sources(study, store) as sources:
        forms = _forms(sources, list(dict.fromkeys(place.values())))
    asked = _first_in_window(persons, forms, study)
    if asked.empty:
        raise DataError(
            f"questionnaire: nobody of the cohort was sent a form of {rules.link} within the "
            "window (questionnaire.days). Check the window and the cohort's period."
        )
    return _with_answered(asked, list(place.values()), pd.Timestamp(study.as_of))


def _forms(sources: Sources, items: list[str]) -> pd.DataFrame:
    """Every form of the table, with the pseudonym in use now of who got it."""
    rules = sources.study.questionnaire
    assert rules is not None  # asked by read_forms
    table, rows = sources.table(rules.link), sources.rows(rules.link)
    sent = rules.sent or str(table.dated_by)
    dated = {SENT: rows[sent], CAME: rows[rules.answered], "_own": rows[str(table.person)]}
    named = sources.with_text(rows.mutate(**dated))
    person = ibis.coalesce(named._text, named._own)
    chosen = named.select("row_id", SENT, CAME, *items, person=person).order_by("row_id")
    found = chosen.execute().drop(columns="row_id")
    return found.assign(**{name: pd.to_datetime(found[name]) for name in (SENT, CAME)})


def _first_in_window(persons: pd.DataFrame, forms: pd.DataFrame, study: Study) -> pd.DataFrame:
    days = study.questionnaire.days
    pairs = persons.assign(_place=np.arange(len(persons))).merge(forms, on="person")
    after = (pairs[SENT] - pd.to_datetime(pairs["index_date"])).dt.days
    counts = (after <= days.last_day) & (pairs[SENT] <= pd.Timestamp(study.as_of))
    if days.first_day is not None:
        counts &= after >= days.first_day
    first = pairs[counts].sort_values(["_place", SENT], kind="stable").drop_duplicates("_place")
    return first.drop(columns=["_place", SENT]).reset_index(drop=True)


def _with_answered(asked: pd.DataFrame, items: list[str], as_of: pd.Timestamp) -> pd.DataFrame:
    is_filled = asked[items].notna().any(axis=1)
    came = (asked[CAME] <= as_of) | (asked[CAME].isna() & is_filled)
    answers = asked[items].where(came)  # what came later is not known yet
    return asked.drop(columns=CAME).assign(**answers, answered=came.astype(int))
