"""Planted faults are where the file says, and as many: found here by reading the files plainly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pandas as pd
import pytest
from stdnum import luhn

SPOILT_DATES = {
    "not a date": r"okänt",
    "impossible date": r"2010-?02-?31",
    "date with a time of day": r"2010-02-03 13:45",
    "before 1860": r"1859-?12-?31",
}
WORDS = {"not a whole number", "not a number", "not yes or no"}


@pytest.fixture(scope="session")
def faults(dirty) -> pd.DataFrame:
    return pd.read_csv(dirty.truth / "faults.csv")


@pytest.fixture(scope="session")
def lines(dirty, definitions) -> dict[str, list[str]]:
    """The lines of every file, the header left out."""
    found = {}
    for one in dirty.tables:
        encoding = definitions[one.register].table(one.table).delivery.encoding
        found[f"{one.register}.{one.table}"] = one.file.read_text(encoding).splitlines()[1:]
    return found


@pytest.fixture(scope="session")
def rows(dirty, definitions) -> Callable[[str], pd.DataFrame]:
    """The rows of a dirty table that have as many fields as they should."""

    def read_rows(name: str) -> pd.DataFrame:
        register, table_name = name.split(".")
        table = definitions[register].table(table_name)
        delimiter = {"tab": "\t"}.get(table.delivery.delimiter, table.delivery.delimiter)
        file = dirty.folder / f"{name}.csv"
        lengths = [
            line.count(delimiter) for line in file.read_text(table.delivery.encoding).splitlines()
        ]
        short = [at for at, n in enumerate(lengths) if n < lengths[0]]
        read = pd.read_csv(
            file, sep=delimiter, encoding=table.delivery.encoding, dtype=str,
            keep_default_na=False, skiprows=short,
        )  # fmt: skip
        return read.set_axis(list(table.variables), axis=1)

    return read_rows


def planted(faults: pd.DataFrame, rule: str) -> list[tuple[str, str, int]]:
    own = faults[faults["rule"] == rule]
    return [(f"{r}.{t}", c, n) for r, t, c, n in own[["register", "table", "column", "n_rows"]]
            .itertuples(index=False)]  # fmt: skip


def test_every_kind_of_fault_is_planted_somewhere(faults):
    aside = set(faults.loc[faults["sets_aside"] == "yes", "rule"])
    assert aside >= {
        "missing value", "unknown code", "not a whole number", "not a number", "not a date",
        "impossible date", "date with a time of day", "below the minimum", "above the maximum",
        "before 1860", "in the future", "damaged letters", "wrong number of fields",
        "copy of another row", "key shared by different rows", "not an identity number",
        "wrong check digit", "identity number in free text",
    }  # fmt: skip
    told = set(faults.loc[faults["sets_aside"] == "no", "rule"])
    assert told >= {
        "birth date differs from the number", "sex differs from the number", "before birth",
        "after death", "while abroad", "order of dates", "century taken from the calendar",
        "value outside its years", "not in the population register", "not shaped like icd10se",
    }  # fmt: skip


def test_no_table_has_more_than_may_be_set_aside(faults, dirty):
    aside = faults[faults["sets_aside"] == "yes"].groupby(["register", "table"])["n_rows"].sum()
    n_rows = {(one.register, one.table): one.n_rows for one in dirty.tables}
    assert all(n <= 0.05 * n_rows[table] for table, n in aside.items())


@pytest.mark.parametrize("rule", SPOILT_DATES)
def test_spoilt_dates_are_counted(faults, rows, rule):
    for name, column, n in planted(faults, rule):
        assert rows(name)[column].str.fullmatch(SPOILT_DATES[rule]).sum() == n


def test_dates_in_the_future_are_counted(faults, rows, dirty):
    later = dirty.as_of + timedelta(days=45)
    for name, column, n in planted(faults, "in the future"):
        day = rows(name)[column].str.replace("-", "")
        assert (day == f"{later:%Y%m%d}").sum() == n


@pytest.mark.parametrize("rule", sorted(WORDS))
def test_words_in_place_of_numbers_are_counted(faults, rows, rule):
    for name, column, n in planted(faults, rule):
        assert (rows(name)[column] == "kanske").sum() == n


def test_unknown_codes_are_counted(faults, rows):
    for name, column, n in planted(faults, "unknown code"):
        assert (rows(name)[column] == "77").sum() == n


def test_missing_values_are_counted(faults, rows):
    for name, column, n in planted(faults, "missing value"):
        assert (rows(name)[column] == "").sum() == n


def test_wrong_numbers_are_counted(faults, rows):
    for name, column, n in planted(faults, "wrong check digit"):
        digits = rows(name)[column].str.strip().str.replace("[-+]", "", regex=True)
        whole = digits[digits.str.fullmatch(r"(19|20)\d{2}(0\d|1[0-2])\d{6}")]
        assert (~whole.str[2:].map(luhn.is_valid)).sum() == n
    by_column = Counter()
    for name, column, n in planted(faults, "not an identity number"):
        by_column[name, column] += n
    for (name, column), n in by_column.items():
        digits = rows(name)[column].str.strip().str.replace("[-+]", "", regex=True)
        is_odd = (digits.str.len() == 11) | (digits.str[4:6] == "13") & (digits.str.len() == 12)
        assert is_odd.sum() == n


def test_lines_with_too_few_fields_are_counted(faults, lines, definitions):
    for name, _, n in planted(faults, "wrong number of fields"):
        register, table = name.split(".")
        one = definitions[register].table(table)
        delimiter = {"tab": "\t"}.get(one.delivery.delimiter, one.delivery.delimiter)
        short = [line for line in lines[name] if line.count(delimiter) < len(one.variables) - 1]
        assert len(short) == n


def test_copies_and_shared_keys_are_counted(faults, rows, lines, definitions):
    for name, _, n in planted(faults, "copy of another row"):
        register, table = name.split(".")
        assert definitions[register].table(table).key
        copies = sum(count - 1 for count in Counter(lines[name]).values())
        assert copies == n
    for name, column, n in planted(faults, "key shared by different rows"):
        key = column.split(", ")
        once = rows(name).drop_duplicates()
        once = once[(once[key] != "").all(axis=1)]
        assert once.duplicated(key, keep=False).sum() == n


def test_numbers_in_free_text_are_counted(faults, rows):
    for name, column, n in planted(faults, "identity number in free text"):
        assert rows(name)[column].str.contains(r"\d{8}-\d{4}").sum() == n


def test_histories_that_cannot_be_are_counted(faults, rows, dirty, days, numbers):
    persons = pd.read_csv(dirty.truth / "persons.csv", dtype=str).set_index("personal_number")
    for rule, late, known in (
        ("before birth", "birth_date", None), ("after death", None, "known_death_date")
    ):  # fmt: skip
        for name, column, n in planted(faults, rule):
            own = rows(name)
            own = own[own[column].str.fullmatch(r"\d{8}|\d{4}-\d{2}-\d{2}")]
            own = own[~own[column].str.contains(r"1859|2010-?02-?31")]
            day = days(own[column])
            own, day = own[day <= pd.Timestamp(dirty.as_of)], day[day <= pd.Timestamp(dirty.as_of)]
            limit = pd.to_datetime(
                persons.reindex(numbers(own["personal_number"]))[late or known]
            ).to_numpy()
            off = day.to_numpy() < limit if late else day.to_numpy() > limit
            assert off.sum() == n, (rule, name)


def test_other_ways_of_writing_a_number_are_told_apart_from_faults(dirty, rows):
    forms = pd.read_csv(dirty.truth / "other_forms.csv")
    assert set(forms["rule"]) >= {"blanks around the number", "ten digits with a hyphen"}
    own = forms[forms["rule"] == "blanks around the number"]
    for register, table, column, n in own[["register", "table", "column", "n_rows"]].itertuples(
        index=False
    ):
        assert rows(f"{register}.{table}")[column].str.startswith(" ").sum() == n


def test_all_other_rows_are_as_in_the_clean_set(dirty, invented):
    faults = pd.read_csv(dirty.truth / "faults.csv")
    forms = pd.read_csv(dirty.truth / "other_forms.csv")
    changed = pd.concat([faults, forms]).groupby(["register", "table"])["n_rows"].sum()
    for one, clean in zip(dirty.tables, invented.tables, strict=True):
        lines = Counter(one.file.read_bytes().split(b"\n"))
        kept = lines & Counter(clean.file.read_bytes().split(b"\n"))
        lost = clean.n_rows + 2 - kept.total()
        assert lost <= changed.get((one.register, one.table), 0)
