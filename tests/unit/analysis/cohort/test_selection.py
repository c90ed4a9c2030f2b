"""Who is in a study, how long they are followed, and a ledger that always adds up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from projects import STUDY, import_rows, make_project, study_file

from workbench.analysis.cohort import Cohort, select_cohort
from workbench.analysis.cohort.ledger import Ledger
from workbench.data.store import open_store
from workbench.errors import DataError, StoreError
from workbench.project import Project
from workbench.registers.schema import load_register
from workbench.study import Definitions, check_study, load_study


def chosen(project: Project) -> Cohort:
    study = load_study(study_file(project))
    table = load_register("kidney", project.params_folders).table("starts")
    check_study(study, Definitions({study.main_table: table}), where="study")
    return select_cohort(study, open_store(project.store_folder))


def cohort_of(folder: Path, *rows: str, study: str = STUDY) -> Cohort:
    project = make_project(folder, study=study)
    import_rows(project, *rows)
    return chosen(project)


def out(cohort: Cohort, reason: str) -> tuple[int, int]:
    step = cohort.ledger.steps.set_index("reason").loc[reason]
    return int(step["n_rows_out"]), int(step["n_persons_out"])


def test_a_person_is_followed_from_index_date_to_the_end(tmp_path):
    persons = cohort_of(tmp_path, "a,1950-01-01,2015-01-01,2015-01-31,1,65,f").persons
    assert persons["follow_up"].tolist() == [30]
    assert persons["has_event"].tolist() == [True]
    assert persons["access"].tolist() == ["fistula"]


def test_nothing_after_as_of_is_known(tmp_path):
    rows = [
        "a,1950-01-01,2015-01-01,2025-01-01,1,65,f",
        "b,1950-01-01,2015-01-01,2020-12-31,1,65,f",
    ]
    persons = cohort_of(tmp_path, *rows).persons.set_index("person")
    assert persons.loc["a", "follow_up"] == (date(2020, 12, 31) - date(2015, 1, 1)).days
    assert not persons.loc["a", "has_event"]
    assert persons.loc["b", "has_event"]  # an event on the last known day counts


def test_an_event_date_is_the_event_and_its_absence_is_not(tmp_path):
    study = STUDY.replace(
        "  end_date: ended\n  event: {variable: status, in: [1]}\n", "  event_date: ended\n"
    )
    rows = ["a,1950-01-01,2015-01-01,2015-01-11,,65,f", "b,1950-01-01,2020-12-21,,,65,f"]
    study = study.replace("to: 2019-12-31", "to: 2020-12-31")
    persons = cohort_of(tmp_path, *rows, study=study).persons
    assert persons["follow_up"].tolist() == [10, 10]
    assert persons["has_event"].tolist() == [True, False]


def test_each_way_out_is_counted_once_at_its_first_reason(tmp_path):
    cohort = cohort_of(
        tmp_path,
        "a,1950-01-01,2015-01-01,2016-01-01,1,65,f",
        "b,1950-01-01,,2016-01-01,1,65,f",
        "c,1950-01-01,2009-12-31,2016-01-01,1,10,f",  # too early and too young: told as too early
        "d,1950-01-01,2015-01-01,2016-01-01,1,10,f",
        "e,1950-01-01,2015-01-01,2016-01-01,1,,f",  # age missing: does not fulfil "at least 18"
        "f,1950-01-01,2015-01-01,2016-01-01,1,65,x",
        "g,1950-01-01,2015-01-01,2016-01-01,1,65,",
        "h,1950-01-01,2015-01-01,2016-01-01,,65,f",
        "i,1950-01-01,2015-01-01,,1,65,f",
        "j,1950-01-01,2015-01-01,2014-01-01,1,65,f",
        "k,1950-01-01,2020-02-01,2020-03-01,1,65,f",
    )
    assert cohort.persons["person"].tolist() == ["a"]
    assert out(cohort, "no start of dialysis") == (1, 1)
    assert out(cohort, "before 2010-01-01") == (1, 1)
    assert out(cohort, "after 2019-12-31") == (1, 1)
    assert out(cohort, "younger than 18") == (2, 2)
    assert out(cohort, "access not known") == (2, 2)
    assert out(cohort, "not known: death from any cause") == (1, 1)
    assert out(cohort, "length of follow-up not known") == (1, 1)
    assert out(cohort, "follow-up ends before it begins") == (1, 1)


def test_of_several_rows_the_first_in_time_stays(tmp_path):
    cohort = cohort_of(
        tmp_path,
        "a,1950-01-01,2016-01-01,2018-01-01,0,66,c",
        "a,1950-01-01,2015-01-01,2018-01-01,0,65,f",
        "a,1950-01-01,2009-01-01,2018-01-01,0,59,f",  # before the period: leaves earlier
        "b,1950-01-01,2015-01-01,2018-01-01,0,65,c",
    )
    assert cohort.persons["access"].tolist() == ["fistula", "catheter"]
    assert out(cohort, "before 2010-01-01") == (1, 0)
    assert out(cohort, "a later row of the same person") == (1, 0)


def test_rows_set_aside_at_import_open_the_ledger(tmp_path):
    project = make_project(tmp_path)
    path = project.root / "params" / "registers" / "kidney.yaml"
    path.write_text(
        path.read_text().replace("    person:", "    set_aside_limit: 0.5\n    person:")
    )
    import_rows(
        project,
        "a,1950-01-01,2015-01-01,2016-01-01,1,65,f",
        "b,1950-01-01,2015-01-01,2016-01-01,7,65,f",
    )
    first = chosen(project).ledger.steps.iloc[0]
    assert (first["reason"], first["n_rows_in"], first["n_rows_out"]) == (
        "set aside at import",
        2,
        1,
    )
    assert pd.isna(first["n_persons_out"])  # how many persons the faulty rows are nobody knows


def test_impossible_orders_of_dates_are_counted_and_shown_but_remove_nobody(tmp_path):
    cohort = cohort_of(tmp_path, "a,2016-01-01,2015-01-01,2016-01-01,1,65,f")
    checks = cohort.ledger.checks.set_index("check")["n_rows"]
    assert checks["born after start of dialysis"] == 1
    assert cohort.n == 1


def test_a_person_with_two_rows_is_one_person(tmp_path):
    cohort = cohort_of(tmp_path, "a,2016-01-01,2015-01-01,2016-01-01,1,65,f")
    twice = replace(cohort, persons=pd.concat([cohort.persons] * 2))
    assert (twice.n, twice.n_persons) == (2, 1)


def test_those_who_left_are_described(tmp_path):
    cohort = cohort_of(
        tmp_path,
        "a,1950-01-01,2015-01-01,2016-01-01,1,65,f",
        "b,1950-01-01,2015-01-01,2016-01-01,1,10,c",
        "c,1950-01-01,2015-01-01,2016-01-01,1,14,c",
        "d,1950-01-01,2015-01-01,2016-01-01,1,,f",
    )
    left = cohort.ledger.leavers.set_index(["variable", "level"])
    assert left.loc[("age", ""), "mean"] == 12
    assert left.loc[("age", ""), ["n", "n_missing"]].tolist() == [2, 1]
    assert left.loc[("access", "catheter"), "n"] == 2


def test_numbers_are_converted_and_cut_into_groups(tmp_path):
    study = STUDY.replace(
        "age: {label: Age}", "age: {unit: days}\n  ages: {from: age, cut: [18, 65]}"
    )
    cohort = cohort_of(
        tmp_path,
        "a,1950-01-01,2015-01-01,2016-01-01,1,64,f",
        "b,1950-01-01,2015-01-01,2016-01-01,1,65,c",
        study=study,
    )
    assert cohort.persons["age"].tolist() == [64 * 365.2425, 65 * 365.2425]
    assert cohort.persons["ages"].tolist() == ["18 to under 65", "65 and over"]


def test_a_category_nobody_has_after_exclusions_vanishes(tmp_path):
    persons = cohort_of(tmp_path, "a,1950-01-01,2015-01-01,2016-01-01,1,65,f").persons
    assert persons["access"].cat.categories.tolist() == ["fistula"]


def test_an_empty_cohort_names_the_step_that_emptied_it(tmp_path):
    with pytest.raises(DataError, match=r'nobody fulfils.*"younger than 18"'):
        cohort_of(tmp_path, "a,1950-01-01,2015-01-01,2016-01-01,1,10,f")


def test_a_table_that_is_not_in_the_store_says_how_to_bring_it_in(tmp_path):
    with pytest.raises(StoreError, match=r"workbench import kidney.starts"):
        chosen(make_project(tmp_path))


def test_a_ledger_that_loses_a_row_cannot_exist():
    steps = pd.DataFrame(
        {
            "step": [0, 1],
            "reason": ["x", "y"],
            "n_rows_in": [10, 8],
            "n_rows_out": [1, 0],
            "n_persons_in": [10, 9],
            "n_persons_out": [1, 0],
        }
    )
    with pytest.raises(AssertionError, match="rows do not add up"):
        Ledger(steps, pd.DataFrame(), pd.DataFrame())


DAYS = st.one_of(st.none(), st.integers(-400, 5000))
ROW = st.tuples(
    st.integers(0, 12),  # person
    DAYS,  # start
    DAYS,  # end
    st.sampled_from(["0", "1", ""]),
    st.one_of(st.none(), st.integers(0, 100)),
    st.sampled_from(["f", "c", "x", ""]),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROW, min_size=1, max_size=40))
def test_the_ledger_adds_up_and_agrees_with_a_plain_answer(rows):
    """The same rules in plain Python give the same persons, and every row is counted once."""
    origin = date(2009, 6, 1)

    def day(offset: int | None) -> date | None:
        return None if offset is None else origin + timedelta(days=offset)

    def stays(row) -> bool:
        _, start, end, status, age, access = row
        return (
            start is not None
            and date(2010, 1, 1) <= day(start) <= date(2019, 12, 31)
            and age is not None
            and age >= 18
            and access in {"f", "c"}
            and status != ""
            and end is not None
            and end >= start
        )

    def text(row) -> str:
        person, start, end, status, age, access = row
        fields = [
            f"p{person}",
            "",
            day(start) or "",
            day(end) or "",
            status,
            "" if age is None else age,
            access,
        ]
        return ",".join(str(field) for field in fields)

    persons = {row[0] for row in rows if stays(row)}
    with TemporaryDirectory() as folder:
        project = make_project(Path(folder))
        import_rows(project, *(text(row) for row in rows))
        if not persons:
            with pytest.raises(DataError, match="cohort is empty"):
                chosen(project)
            return
        cohort = chosen(project)
    steps = cohort.ledger.steps
    assert sorted(cohort.persons["person"]) == sorted(f"p{person}" for person in persons)
    assert steps["n_rows_out"].sum() + steps["n_rows_in"].iloc[-1] == len(rows)
    assert steps["n_persons_in"].iloc[-1] == len(persons) == steps["n_rows_in"].iloc[-1]
    assert steps["n_persons_out"].sum() + len(persons) == len({row[0] for row in rows})
