"""How well the registers of a study fit together: matched, unmatched both ways, in conflict.

Everything is counted over the cohort as it is studied, so that a reader can see what a missing
link may have hidden.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pandas as pd

from workbench.analysis.cohort.linkage import Sources
from workbench.registers.schema import Table
from workbench.registers.variables import WORDS
from workbench.study import Study

PERSONS_BEHIND_ROWS = ("n_persons_in_conflict", "n_persons_in_agreement", "n_persons_not_compared")


@dataclass(frozen=True)
class LinkReport:
    """The link of a cohort to every other table its study reads.

    `matches`: one row a table and year of the (first) index date: table, year, n_cohort (persons),
    n_matched (with at least one row there), n_unmatched. A person counts once, however many events.

    `tables`: one row a table: table, n_rows, n_rows_of_cohort, n_rows_of_others,
    n_rows_without_person, n_persons, n_persons_of_cohort, n_persons_of_others, n_one_row and
    n_several_rows (of the cohort's persons), n_rows_renumbered (found under an earlier number).
    n_several_of_others and n_persons_renumbered are persons, for the gate to judge rows by.

    `conflicts`: one row a table and question: table, question, n_rows (of the cohort, where both
    say something), n_conflicts. For the gate also the persons with a row in conflict, with one in
    agreement and with one not compared: n_persons_in_conflict, n_persons_in_agreement,
    n_persons_not_compared.
    """

    matches: pd.DataFrame
    tables: pd.DataFrame
    conflicts: pd.DataFrame

    def __post_init__(self) -> None:
        """Refuse to exist when something is counted twice or not at all."""
        sums = [
            (self.matches, "n_cohort", ["n_matched", "n_unmatched"]),
            (
                self.tables,
                "n_rows",
                ["n_rows_of_cohort", "n_rows_of_others", "n_rows_without_person"],
            ),
            (self.tables, "n_persons", ["n_persons_of_cohort", "n_persons_of_others"]),
            (self.tables, "n_persons_of_cohort", ["n_one_row", "n_several_rows"]),
        ]
        for frame, whole, parts in sums:
            if not (frame[whole] == frame[parts].sum(axis=1)).all():
                raise AssertionError(f"the link report's {whole} do not add up")


def report_links(staying: ibis.Table, study: Study, sources: Sources) -> LinkReport | None:
    """The link report of a cohort whose rows carry `_person` and `_index_date`."""
    names = [name for name in study.linked_tables if name != sources.main]
    if "persons" in sources.roles:
        names.append(sources.roles["persons"])
    if not names:
        return None
    names = list(dict.fromkeys(names))
    per_cohort_person = staying.group_by("_person").agg(year=staying._index_date.min().year())
    cohort = sources.keep(per_cohort_person, "cohort_links")
    matches, tables, conflicts = [], [], []
    for name in names:
        rows = sources.linked(name)
        known = rows.filter(rows._person.notnull())
        per_person = sources.keep(
            known.group_by("_person").agg(
                n_rows=known.count(), n_renumbered=known._was_renumbered.sum()
            ),
            "per_person",
        )
        matches.append(_matches(name, cohort, per_person))
        tables.append(_table(name, cohort, per_person, rows))
        sources.let_go(per_person)
    for name in [sources.main, *names]:
        conflicts += _conflicts(name, cohort, sources)
    columns = ["table", "question", "n_rows", "n_conflicts", *PERSONS_BEHIND_ROWS]
    return LinkReport(
        matches=pd.concat(matches, ignore_index=True),
        tables=pd.DataFrame(tables),
        conflicts=pd.DataFrame(conflicts, columns=columns),
    )


def _matches(name: str, cohort: ibis.Table, per_person: ibis.Table) -> pd.DataFrame:
    joined = cohort.left_join(per_person, "_person")
    is_matched = joined.n_rows.notnull()
    counted = joined.group_by("year").agg(
        n_cohort=joined.count(), n_matched=is_matched.sum(), n_unmatched=(~is_matched).sum()
    )
    frame = counted.order_by("year").execute().astype("int64")
    return frame.assign(table=name)[["table", "year", "n_cohort", "n_matched", "n_unmatched"]]


def _table(
    name: str, cohort: ibis.Table, per_person: ibis.Table, rows: ibis.Table
) -> dict[str, object]:
    persons = cohort.select(_mine=cohort._person).distinct()
    joined = per_person.left_join(persons, per_person._person == persons._mine)
    mine, n_rows = joined._mine.notnull(), joined.n_rows
    known = _numbers(
        joined.agg(
            n_rows_of_cohort=n_rows.sum(where=mine),
            n_rows_of_others=n_rows.sum(where=~mine),
            n_persons_of_cohort=mine.sum(),
            n_persons_of_others=(~mine).sum(),
            n_one_row=(mine & (n_rows == 1)).sum(),
            n_several_rows=(mine & (n_rows > 1)).sum(),
            n_rows_renumbered=joined.n_renumbered.sum(where=mine),
            n_several_of_others=(~mine & (n_rows > 1)).sum(),
            n_persons_renumbered=(mine & (joined.n_renumbered > 0)).sum(),
        )
    )
    unknown = rows.filter(rows._person.isnull())
    n_nobody = int(unknown._stranger.isnull().sum().execute() or 0)
    unknown = unknown.filter(unknown._stranger.notnull())
    per_stranger = unknown.group_by("_stranger").agg(n=unknown.count())
    strangers = _numbers(
        per_stranger.agg(
            n_rows=per_stranger.n.sum(),
            n_persons=per_stranger.count(),
            n_several=(per_stranger.n > 1).sum(),
        )
    )
    known["n_rows_of_others"] += strangers["n_rows"]
    known["n_persons_of_others"] += strangers["n_persons"]
    known["n_several_of_others"] += strangers["n_several"]
    n_persons = known["n_persons_of_cohort"] + known["n_persons_of_others"]
    return {
        "table": name,
        "n_rows": int(rows.count().execute()),
        "n_rows_of_cohort": known["n_rows_of_cohort"],
        "n_rows_of_others": known["n_rows_of_others"],
        "n_rows_without_person": n_nobody,
        "n_persons": n_persons,
        **{
            key: known[key]
            for key in (
                "n_persons_of_cohort",
                "n_persons_of_others",
                "n_one_row",
                "n_several_rows",
                "n_rows_renumbered",
                "n_several_of_others",
                "n_persons_renumbered",
            )
        },
    }


def _conflicts(name: str, cohort: ibis.Table, sources: Sources) -> list[dict[str, object]]:
    """Where the cohort's rows say something else of a person than the population register does."""
    persons_name = sources.roles.get("persons")
    if persons_name is None or name == persons_name:
        return []
    table, persons_table = sources.table(name), sources.table(persons_name)
    rows, persons = sources.linked(name), sources.one_row_a_person(persons_name)
    facts = {"_who": persons._person, **_facts(persons, persons_table, "_known_")}
    persons = persons.select(**facts).semi_join(cohort, [("_who", "_person")])
    own = {"_person": rows._person, **_facts(rows, table, "_told_")}
    if table.dated_by:
        own["_told_day"] = rows[table.dated_by]
    mine = rows.select(**own).semi_join(cohort, "_person")
    joined = mine.left_join(persons, mine._person == persons._who)
    questions = _questions(joined, name, sources)
    counts = {}
    for at, (_words, compared, conflict) in enumerate(questions):
        counts[f"n{at}"] = compared.sum()
        counts[f"c{at}"] = (compared & conflict).sum()
        behind = (compared & conflict, compared & ~conflict, ~compared)
        for name_of, where in zip(PERSONS_BEHIND_ROWS, behind, strict=True):
            counts[f"{name_of}{at}"] = joined._person.nunique(where=where)
    if not questions:
        return []
    numbers = _numbers(joined.agg(**counts))
    return [
        {
            "table": name,
            "question": words,
            "n_rows": numbers[f"n{at}"],
            "n_conflicts": numbers[f"c{at}"],
            **{name_of: numbers[f"{name_of}{at}"] for name_of in PERSONS_BEHIND_ROWS},
        }
        for at, (words, _compared, _conflict) in enumerate(questions)
    ]


def _numbers(counted: ibis.Table) -> dict[str, int]:
    """The counts of one row; a sum over nothing is zero."""
    return {name: int(value or 0) for name, value in counted.to_pyarrow().to_pylist()[0].items()}


def _facts(rows: ibis.Table, table: Table, prefix: str) -> dict[str, ibis.Value]:
    """Birth date, sex in words and death date, where the table has them."""
    facts = {}
    for meaning in ("birth_date", "death_date"):
        if name := table.meaning(meaning):
            facts[prefix + meaning] = rows[name]
    if name := table.meaning("sex"):
        words = table.variables[name].words
        known = {code: word for code, word in words.items() if word in WORDS["sex"]}
        text = rows[name].cast("string")
        branches = [(text == code, ibis.literal(word)) for code, word in known.items()]
        facts[prefix + "sex"] = ibis.cases(*branches)
    return facts


def _questions(
    joined: ibis.Table, name: str, sources: Sources
) -> list[tuple[str, ibis.Value, ibis.Value]]:
    """What is asked of each row: in words, where it can be asked, where there is a conflict."""
    asked = []
    for meaning, words in (("sex", "other sex"), ("birth_date", "other birth date"),
                           ("death_date", "other death date")):  # fmt: skip
        told, known = f"_told_{meaning}", f"_known_{meaning}"
        if {told, known} <= set(joined.columns):
            both = joined[told].notnull() & joined[known].notnull()
            asked.append((words, both, joined[told] != joined[known]))
    is_birth = sources.table(name).dated_by == sources.table(name).meaning("birth_date")
    if "_told_day" in joined.columns and not is_birth:
        for meaning, words in (("birth_date", "before birth"), ("death_date", "after death")):
            known = f"_known_{meaning}"
            if known not in joined.columns:
                continue
            both = joined._told_day.notnull() & joined[known].notnull()
            wrong = (
                joined._told_day < joined[known]
                if meaning == "birth_date"
                else joined._told_day > joined[known]
            )
            asked.append((words, both, wrong))
    return asked
