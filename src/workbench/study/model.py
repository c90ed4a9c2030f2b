"""The typed study document, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from workbench.errors import StudyError
from workbench.registers.documents import Document, parse_document, read_tree_with_lines
from workbench.registers.schema import Slug
from workbench.study.questionnaire_rules import Questionnaire
from workbench.study.rows import (
    WITHOUT_WINDOW,
    CodeChoice,
    Condition,
    LinkedEvent,
    RowTest,
    TableName,
    Take,
    Window,
)
from workbench.study.source_rules import Reference, SourceComparison

TimeUnit = Literal["days", "weeks", "months", "years"]
# Mean lengths of the Gregorian calendar (365.2425 days a year), as is usual in follow-up studies.
DAYS_IN: dict[str, float] = {"days": 1.0, "weeks": 7.0, "months": 30.436875, "years": 365.2425}


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
    """Who is in."""

    index_date: str | None = None  # date variable from which a person is followed
    period: Period | None = None
    events: Literal["first", "every"] = "first"  # of several rows of one person that stay
    washout_days: int | None = Field(default=None, ge=1)  # so long free of an earlier such row
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
    event_in: LinkedEvent | None = None  # the event is a row of another table
    or_death: bool = False  # death is the event too, as in amputation-free survival
    competing: dict[Slug, LinkedEvent] = Field(default_factory=dict)  # what else ends follow-up
    unit: TimeUnit = "years"  # of results; durations are kept as they are and converted once

    @model_validator(mode="after")
    def _one_way(self) -> FollowUp:
        dates = (self.end_date, self.event_date, self.event_in, *self.competing)
        if self.duration and any(dates):
            raise ValueError(
                "give duration, or dates (end_date, event_date, event_in, competing), not both"
            )
        if not (self.duration or self.end_date or self.event_date or self.event_in):
            raise ValueError("give duration, end_date, event_date or event_in")
        if taken := sorted(self.competing.keys() & {"outcome", "death", "emigration"}):
            raise ValueError(
                f"competing.{taken[0]}: this word says how follow-up ended already; choose another"
            )
        if sum(map(bool, (self.event, self.event_date, self.event_in))) != 1:
            raise ValueError(
                "say what the event is: event (a status), event_date or event_in, one of them"
            )
        return self

    @property
    def linked(self) -> tuple[LinkedEvent, ...]:
        """Every event that is a row of another table."""
        return (*([self.event_in] if self.event_in else []), *self.competing.values())


class Covariate(Document):
    """A column of the cohort: from a variable of the table, or from rows of another table."""

    source: str | None = Field(
        default=None, alias="from"
    )  # the variable; the same name if not said
    label: str | None = None
    unit: TimeUnit | None = None  # convert from the variable's own unit
    cut: tuple[float, ...] | None = None  # lower limits of groups, rising
    link: TableName | None = None  # another table in the store
    take: Take | None = None  # what is taken of the person's rows there
    days: Window | None = None  # which rows count, by their date
    codes: CodeChoice | None = None
    where: tuple[RowTest, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Covariate:
        if self.cut is not None and (len(self.cut) < 2 or list(self.cut) != sorted(set(self.cut))):
            raise ValueError("cut needs at least two limits, each above the one before")
        linked_only = {"take": self.take, "days": self.days, "codes": self.codes}
        if self.link is None:
            if given := [key for key, value in linked_only.items() if value] or self.where:
                raise ValueError(
                    f"{given[0] if self.take or self.days or self.codes else 'where'} needs link"
                )
            return self
        if self.take is None:
            raise ValueError(
                "a link needs take: any, count, first, last, nearest, score, value, age or "
                "exact_age"
            )
        if self.take in WITHOUT_WINDOW and self.days:
            raise ValueError(f"take: {self.take} is of the person, so that days means nothing")
        if self.take not in WITHOUT_WINDOW and self.days is None:
            raise ValueError(f"take: {self.take} needs days, such as {{from: -365, to: -1}}")
        if self.take in {"any", "count", "score"} and self.unit:
            raise ValueError(f"take: {self.take} has no unit to convert")
        if self.take == "any" and self.cut:
            raise ValueError("take: any is yes or no; it cannot be cut")
        if self.take == "score" and self.codes is None:
            raise ValueError("take: score needs codes, with a list whose groups have weights")
        return self


class Comparison(Document):
    """Persons of the population drawn for each person of the cohort, alike but not in it."""

    n: int = Field(ge=1, le=100)  # drawn for each
    match_on: tuple[Literal["birth_year", "sex", "region"], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Comparison:
        if len(set(self.match_on)) < len(self.match_on):
            raise ValueError("match_on names something twice")
        return self


class RelativeSurvival(Document):
    """Survival beside that of people alike in the general population."""

    life_table: Slug
    age: str  # variable with the age at the index date, in years or days
    sex: str


class UnitRules(Document):
    """The units that are set beside each other and the nation."""

    by: str  # a variable of the study: unit, hospital, region
    own: str | None = None  # the unit that is pointed out in figures
    others: Literal["named", "numbered"] = "named"  # how the other units are called
    adjusted: tuple[Slug, ...] = ()  # indicators set against what the case mix makes expected
    least_coverage: float = Field(default=0, ge=0, le=1)  # a unit below it has no result shown
    tiles: Slug | None = None  # the tile map that has the units: sweden_regions, norway_hf


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
    language: Literal["en", "sv", "nb"] = "en"  # of everything that is released
    formats: tuple[Literal["workbook", "deck", "pdf", "paper"], ...] = ()  # besides the page
    coverage: str = ""  # what is known of the register's coverage, in words
    checked: str = ""  # who has checked what comes out, and when, in words
    population: Slug | None = None  # the register that says who exists, dies and leaves the country
    cohort: CohortRules = CohortRules()
    comparison: Comparison | None = None
    follow_up: FollowUp | None = None  # without it persons are described and not followed
    relative_survival: RelativeSurvival | None = None
    indicators: tuple[Slug, ...] = ()  # by name; the first is the one adjusted for case mix
    units: UnitRules | None = None
    compare_sources: SourceComparison | None = None
    questionnaire: Questionnaire | None = None
    variables: dict[str, Covariate] = Field(default_factory=dict)
    group: str | None = None  # compare by this variable
    model: tuple[str, ...] = ()  # variables of the regression model
    parameters: dict[str, Any] = Field(default_factory=dict)  # for the notebook

    def source_of(self, name: str) -> str:
        """The register's variable behind a column of the cohort."""
        return self.variables[name].source or name

    @property
    def main_table(self) -> str:
        """The table whose rows become the cohort, by its full name."""
        return f"{self.register_name}.{self.table}"

    @property
    def events(self) -> tuple[LinkedEvent, ...]:
        """Every event that is a row of another table."""
        return self.follow_up.linked if self.follow_up else ()

    @property
    def linked_tables(self) -> tuple[str, ...]:
        """Other tables that the study names, by full name, each once, in order."""
        named = [one.link for one in self.variables.values() if one.link]
        named += [one.link for one in self.events]
        return tuple(dict.fromkeys(named))

    @property
    def named_tables(self) -> tuple[str, ...]:
        """Every table that the study names, by full name, each once: its own first."""
        others = [*self.compare_sources.tables] if self.compare_sources else []
        others += [self.questionnaire.link] if self.questionnaire else []
        return tuple(dict.fromkeys([self.main_table, *self.linked_tables, *others]))

    @property
    def code_choices(self) -> tuple[CodeChoice, ...]:
        """Every choice of codes in the study."""
        places: list[Condition | Covariate | LinkedEvent | Reference] = [
            *self.cohort.include, *self.cohort.exclude,
            *self.variables.values(), *self.events,
        ]  # fmt: skip
        if self.compare_sources and self.compare_sources.reference.codes:
            places.append(self.compare_sources.reference)
        return tuple(place.codes for place in places if place.codes)


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
