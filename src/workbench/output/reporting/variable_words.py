"""Rows and columns of a study in words: which rows count, and where a column comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.study import CodeChoice, Covariate, LinkedEvent, RowTest, Study, Window

TAKEN = {
    "any": "whether there is a row in {link}",
    "count": "the number of rows in {link}",
    "first": "{source} of the first row in {link}",
    "last": "{source} of the last row in {link}",
    "nearest": "{source} of the row in {link} nearest to the index date",
    "score": "a score of rows in {link}",
    "value": "{source} in {link}",
    "age": "age in whole years, from {link}",
    "exact_age": "exact age in years, from {link}",
}


def conditions_words(tests: Sequence[RowTest], labels: Mapping[str, str] | None = None) -> str:
    """Tests on variables: "modality is HD or PD and age is at least 18"."""
    return " and ".join(
        _test_words(one, (labels or {}).get(one.variable, one.variable)) for one in tests
    )


def codes_words(choice: CodeChoice) -> str:
    """Codes looked for in variables: "procedures has a code of dialysis"."""
    groups = f" ({', '.join(choice.groups)})" if choice.groups else ""
    return f"{' or '.join(choice.variables)} has a code of {choice.list_name}{groups}"


def variable_words(name: str, study: Study) -> str:
    """One column of the cohort: what it is called, and where it comes from."""
    one = study.variables[name]
    called = one.label or name
    if one.link is None:
        return f"{called}: {study.source_of(name)} in {study.main_table}."
    source = TAKEN[str(one.take)].format(link=one.link, source=study.source_of(name))
    return f"{called}: {source}{_rest(one)}."


def linked_words(event: LinkedEvent) -> str:
    """An event that is a row of another table: "row in patients.inpatient where ..."."""
    tests = [codes_words(event.codes)] if event.codes else []
    tests += [conditions_words(event.where)] if event.where else []
    return f"row in {event.link}{' where ' if tests else ''}{' and '.join(tests)}"


def _rest(one: Covariate) -> str:
    rest = f" where {codes_words(one.codes)}" if one.codes else ""
    rest += f" where {conditions_words(one.where)}" if one.where else ""
    return rest + (f", {_window_words(one.days)}" if one.days else "")


def _window_words(window: Window) -> str:
    if window.first_day is None:
        return f"up to day {window.last_day} from the index date"
    return f"from day {window.first_day} to day {window.last_day} from the index date"


def _test_words(one: RowTest, called: str) -> str:
    if one.at_least and one.at_most:
        return f"{called} is from {one.at_least} to {one.at_most}"
    told = {
        "is": " or ".join(one.is_in or ()),
        "is not": " or ".join(one.not_in or ()),
        "is at least": one.at_least,
        "is at most": one.at_most,
    }
    for words, value in told.items():
        if value:
            return f"{called} {words} {value}"
    return f"{called} is {'missing' if one.is_missing else 'known'}"
