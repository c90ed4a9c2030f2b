"""Comparison persons: drawn from the population, alike in birth year, sex or region, and alive.

For each patient, persons who on the patient's index date live in the country, agree in everything
matched on, and have not been a patient themselves up to that day. Drawn by the order of a hash of
seed, patient and person, so that the same seed draws the same persons; without replacement for one
patient, with replacement between patients. A comparison person may become a patient later.
"""

from __future__ import annotations

import ibis

from workbench.analysis.cohort.linkage import Sources
from workbench.analysis.cohort.moves import times_abroad
from workbench.analysis.row_tests import value_of
from workbench.registers.variables import WORDS
from workbench.study import Study

PATIENT, COMPARISON = "patient", "comparison person"


def draw_comparison(rows: ibis.Table, study: Study, sources: Sources) -> tuple[ibis.Table, int]:
    """Comparison persons of the rows that stay, as rows with an index date; how many are short.

    Gives `row_id` (from 1), `_person`, `_index_date`, `_matched_set` (the patient's row) and an
    empty `_step`.
    """
    wanted = study.comparison
    matched_on = [f"_{one}" for one in wanted.match_on]
    staying = rows.filter(rows._step.isnull()).select("row_id", "_person", "_index_date")
    people = sources.keep(_people(study, sources), "people")
    patients = _alike(staying, people, wanted.match_on).rename(_set="row_id", _patient="_person")
    pairs = patients.inner_join(people, matched_on)
    day = pairs._index_date
    pairs = pairs.filter(
        (pairs._person != pairs._patient)
        & (pairs._birth < day)
        & (pairs._death.isnull() | (pairs._death > day))
    )
    if "region" in wanted.match_on:
        pairs = pairs.filter(_lives_there(pairs))
    pairs = pairs.select("_set", "_person", "_index_date").distinct()
    pairs = _without_patients(_without_emigrants(pairs, sources), rows)
    pairs = sources.with_text(pairs)
    ticket = f"{study.seed}:" + pairs._set.cast("string") + ":" + pairs._text
    pairs = pairs.mutate(_ticket=_digest(ticket))
    place = ibis.row_number().over(group_by="_set", order_by=["_ticket", "_text"])
    drawn = pairs.mutate(_place=place)
    drawn = sources.keep(drawn.filter(drawn._place < wanted.n), "drawn")
    counted = drawn.group_by("_set").agg(n=drawn.count())
    n_full = int(counted.filter(counted.n == wanted.n).count().execute())
    n_patients = int(staying.count().execute())
    number = ibis.row_number().over(order_by=["_set", "_place"]) + 1
    numbered = drawn.select(
        "_person", "_index_date", row_id=number, _matched_set=drawn._set, _step=ibis.null("int8")
    )
    return sources.keep(numbered, "comparison_drawn"), n_patients - n_full


@ibis.udf.scalar.builtin(name="md5")
def _digest(text: str) -> str:
    """The engine's MD5: evenly spread, and the same on every machine."""


def _people(study: Study, sources: Sources) -> ibis.Table:
    """The population: one row a person, or a person's time in one region where that is matched."""
    name = sources.roles["persons"]
    table, persons = sources.table(name), sources.one_row_a_person(name)
    born, died = str(table.meaning("birth_date")), table.meaning("death_date")
    sex = persons[str(table.meaning("sex"))].cast("string")
    people = persons.select(
        _person=persons._person,
        _birth=persons[born],
        _birth_year=persons[born].year(),
        _sex=sex,
        _death=persons[died] if died else ibis.null("date"),
    )
    codes = [
        code
        for code, word in table.variables[str(table.meaning("sex"))].words.items()
        if word in WORDS["sex"]
    ]
    people = people.filter(people._sex.isin(codes))
    if "region" not in study.comparison.match_on:
        return people
    name = sources.roles["residences"]
    table, homes = sources.table(name), sources.linked(name)
    moved = homes[str(table.dated_by)]
    next_move = moved.lead().over(group_by=homes._person, order_by=[moved, homes.row_id])
    homes = homes.select(
        _person=homes._person, _region=value_of(homes, str(table.meaning("region")), table),
        _from=moved, _until=next_move,
    )  # fmt: skip
    return people.inner_join(homes, "_person")


def _alike(staying: ibis.Table, people: ibis.Table, match_on: tuple[str, ...]) -> ibis.Table:
    """The patients with what they are matched on, as the population register has it."""
    joined = staying.inner_join(people, "_person")
    if "region" in match_on:
        joined = joined.filter(_lives_there(joined))
    return joined.select("row_id", "_person", "_index_date", *[f"_{one}" for one in match_on])


def _lives_there(rows: ibis.Table) -> ibis.Value:
    day = rows._index_date
    return (rows._from <= day) & (rows._until.isnull() | (rows._until > day))


def _without_emigrants(pairs: ibis.Table, sources: Sources) -> ibis.Table:
    """Take out who is abroad on the index date, or leaves the country on it."""
    if "migrations" not in sources.roles:
        return pairs
    away = times_abroad(sources)
    gone = pairs.inner_join(away, pairs._person == away._who)
    day = gone._index_date
    had_left = gone._left.isnull() | (gone._left <= day)
    gone = gone.filter(had_left & (gone._back.isnull() | (gone._back > day)))
    return pairs.anti_join(gone.select("_set", "_person"), ["_set", "_person"])


def _without_patients(pairs: ibis.Table, rows: ibis.Table) -> ibis.Table:
    """Take out who has been a patient up to the index date, whatever step they left at."""
    dated = rows.filter(rows._index_date.notnull())
    first = dated.group_by(_who=dated._person).agg(_first=dated._index_date.min())
    joined = pairs.left_join(first, pairs._person == first._who)
    earlier = (joined._first <= joined._index_date).fill_null(False)
    return joined.filter(~earlier).select("_set", "_person", "_index_date")
