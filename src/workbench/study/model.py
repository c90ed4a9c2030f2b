"""The typed study document, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from workbench.errors import StudyError
from workbench.registers.documents import Document, parse_document, read_tree_with_lines

TimeUnit = Literal["days", "weeks", "months", "years"]
# Mean lengths of the Gregorian calendar (365.2425 days a year), as is usual in follow-up studies.
DAYS_IN: dict[str, float] = {"days": 1.0, "weeks": 7.0, "months": 30.436875, "years": 365.2425}


class Condition(Document):
    """One test on one variable, and why rows leave by it."""

    variable: str
    is_in: tuple[str, ...] | None = Field(default=None, alias="in")
    not_in: tuple[str, ...] | None = None
    at_least: str | None = None
    at_most: str | None = None
    is_missing: bool | None = None
    because: str  # what the ledger says of those who leave

    @model_validator(mode="after")
    def _one_test(self) -> Condition:
        given = [self.is_in, self.not_in, self.at_least or self.at_most, self.is_missing]
        if sum(test is not None for test in given) != 1:
            raise ValueError(
                "give one of in, not_in, at_least (with or without at_most), at_most, is_missing"
            )
        return self

    @property
    def values(self) -> tuple[str, ...]:
        """Every value the condition compares with."""
        limits = tuple(limit for limit in (self.at_least, self.at_most) if limit is not None)
        return (self.is_in or ()) + (self.not_in or ()) + limits


class Period(Document):
    """Index dates that count, both days included."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        if self.first > self.last:
            raise ValueError(f"the period ends ({self.last}) before it begins ({self.first})")
        return self


class CohortRules(Document):
    """Who is in. (Tables of other registers are linked here in a coming version.)"""

    index_date: str | None = None  # date variable from which a person is followed
    period: Period | None = None
    include: tuple[Condition, ...] = ()  # rows that do not fulfil one leave
    exclude: tuple[Condition, ...] = ()  # rows that fulfil one leave


class Event(Document):
    """Which values of a status variable are the event."""

    variable: str
    is_in: tuple[str, ...] = Field(alias="in", min_length=1)


class FollowUp(Document):
    """How long persons are followed and what ends it."""

    outcome: str  # in words, for titles: "death from any cause"
    duration: str | None = None  # variable with the length of follow-up
    end_date: str | None = None  # variable with the last day of follow-up
    event_date: str | None = None  # variable with the day of the event, missing without one
    event: Event | None = None  # needed with duration, or with end_date alone
    unit: TimeUnit = "years"  # of results; durations are kept as they are and converted once

    @model_validator(mode="after")
    def _one_way(self) -> FollowUp:
        if self.duration and (self.end_date or self.event_date):
            raise ValueError("give duration, or dates (end_date, event_date), not both")
        if not (self.duration or self.end_date or self.event_date):
            raise ValueError("give duration, end_date or event_date")
        if bool(self.event) == bool(self.event_date):
            raise ValueError("say what the event is: event (a status), or event_date, one of them")
        return self


class Covariate(Document):
    """A column of the cohort made from one variable: converted, cut into groups, relabelled."""

    source: str | None = Field(
        default=None, alias="from"
    )  # the variable; the same name if not said
    label: str | None = None
    unit: TimeUnit | None = None  # convert from the variable's own unit
    cut: tuple[float, ...] | None = None  # lower limits of groups, rising

    @model_validator(mode="after")
    def _rising(self) -> Covariate:
        if self.cut is not None and (len(self.cut) < 2 or list(self.cut) != sorted(set(self.cut))):
            raise ValueError("cut needs at least two limits, each above the one before")
        return self


class Study(Document):
    """One study, as it stands in params/studies/NAME.yaml."""

    title: str
    question: str
    register_name: str = Field(alias="register")
    table: str
    as_of: date | None = None  # last day that is known; needed where the table has dates
    seed: int = 1
    notebook: str
    release_profile: str = "standard"
    coverage: str = ""  # what is known of the register's coverage, in words
    cohort: CohortRules = CohortRules()
    follow_up: FollowUp
    variables: dict[str, Covariate] = Field(min_length=1)
    group: str | None = None  # compare by this variable
    model: tuple[str, ...] = ()  # variables of the regression model
    parameters: dict[str, Any] = Field(default_factory=dict)  # for the notebook

    def source_of(self, name: str) -> str:
        """The register's variable behind a column of the cohort."""
        return self.variables[name].source or name


def load_study(path: Path, *, overrides: Mapping[str, Any] | None = None) -> Study:
    """Read a study file; `overrides` are dotted keys with new values, as from the command line.

    Raises `StudyError` with every fault of the file and its line.
    """
    data, lines = read_tree_with_lines(path, error=StudyError)
    for key, value in (overrides or {}).items():
        _override(data, key, value)
    return parse_document(data, Study, where=str(path), lines=lines, error=StudyError)


def is_study_key(key: str) -> bool:
    """Whether a dotted key belongs to the study itself, not to its notebook's parameters."""
    fields = {field.alias or name for name, field in Study.model_fields.items()}
    return key.split(".")[0] in fields - {"parameters"}


def _override(data: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise StudyError(f'-p {key}: "{parent}" has no keys of its own.')
    data[last] = value
