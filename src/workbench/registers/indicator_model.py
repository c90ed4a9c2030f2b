"""What the definition of a quality indicator may say: who counts, what is good, who set limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from workbench.registers.documents import Document
from workbench.registers.row_tests import RowTest
from workbench.registers.schema import Slug, Table
from workbench.registers.variables import Variable

TableName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
FunctionName = Annotated[str, StringConstraints(pattern=r"^[\w.]+:\w+$")]
Kind = Literal["proportion", "rate", "mean", "median", "count", "time_to_event", "net_survival"]
Origin = Literal[
    "guideline", "expert group", "regulator", "national mean", "percentile", "portal setting"
]
Language = Literal["en", "sv", "nb", "da", "fi"]
Context = Literal["treatment", "residence"]
SURVIVAL = frozenset({"time_to_event", "net_survival"})
SHARES = frozenset({"proportion", "time_to_event", "net_survival"})
# What each type must say, and what it may not say.
NEEDS: dict[str, tuple[str, ...]] = {
    "rate": ("exposure",),
    "mean": ("value",),
    "median": ("value",),
    "time_to_event": ("at", "follow_up"),
    "net_survival": ("at", "follow_up"),
}
MAY: dict[str, tuple[str, ...]] = {"rate": ("value", "numerator"), "count": ("numerator",)}


class Limit(Document):
    """One limit, and who set it when."""

    value: Decimal
    origin: Origin
    year: int | Literal["not stated"]
    source: str


class Limits(Document):
    """Where a result is good (at green or better) and where it is poor (worse than yellow)."""

    green: Limit
    yellow: Limit | None = None


class Period(Document):
    """Which date places a row in a calendar year, and when a year is complete."""

    dated_by: str | None = None  # the table's own (dated_by) if not said
    first_year: int | None = Field(default=None, ge=1860, le=2200)
    complete_after_days: int = Field(default=0, ge=0, le=3660)  # after the year's last day


class DaysBetween(Document):
    """Days from one date to another; missing where either is, or where they are not in order."""

    first: str = Field(alias="from")
    last: str = Field(alias="to")


class FollowUpColumns(Document):
    """Columns of a study's cohort that hold follow-up."""

    duration: str = "follow_up"
    event: str = "has_event"
    unit: Literal["days", "weeks", "months", "years"] = "days"


class Coverage(Document):
    """What tells how many of all cases the register holds."""

    name: Slug  # of the row in a table of coverage
    against: TableName | None = None  # the source it is measured against


class Words(Document):
    """What is told of an indicator in one more language."""

    label: str
    no_limits_because: str = ""
    description: str = ""
    how_to_read: str = ""
    technical: str = ""


class IndicatorDefinition(Document):
    """One indicator as its file says it."""

    name: Slug
    label: str
    specialty: Slug
    table: TableName
    type: Kind
    denominator: tuple[RowTest, ...] = ()  # every row of the table if nothing is said
    numerator: tuple[RowTest, ...] = ()
    days: dict[Slug, DaysBetween] = Field(default_factory=dict)  # named as variables are
    value: str | None = None
    exposure: str | None = None
    per: float = Field(default=1, gt=0)
    at: float | None = Field(default=None, gt=0)
    follow_up: FollowUpColumns | None = None
    function: FunctionName | None = None
    period: Period = Period()
    denominator_kind: Literal["incident", "prevalent"]
    direction: Literal["high", "low", "none"]
    limits: Limits | None = None
    no_limits_because: str = ""
    minimum_denominator: int | None = Field(default=None, ge=1)
    units: dict[Context, str] = Field(min_length=1)
    coverage: Coverage | None = None
    accepted: dict[Slug, str] = Field(default_factory=dict)  # warning -> why it stands
    description: str = ""
    how_to_read: str = ""
    technical: str = ""
    translations: dict[Language, Words] = Field(default_factory=dict)

    def told_in(self, language: str) -> IndicatorDefinition:
        """The same with its words in a language; what is not translated stays as it is."""
        words = {name: told for name, told in self.translations.items() if name == language}
        if not words:
            return self
        given = {name: told for name, told in words.popitem()[1] if told}
        return self.model_copy(update=given)

    @model_validator(mode="after")
    def _agree(self) -> IndicatorDefinition:
        if faults := [*self._part_faults(), *self._limit_faults()]:
            raise ValueError("; ".join(faults) + ".")
        return self

    def _part_faults(self) -> Iterator[str]:
        needed = NEEDS.get(self.type, ())
        may = {*needed, *MAY.get(self.type, ("numerator",) if self.type == "proportion" else ())}
        for part in ("value", "exposure", "at", "follow_up", "numerator"):
            given = bool(getattr(self, part))
            if part in needed and not given:
                yield f"type: {self.type} needs {part}"
            elif given and part not in may:
                yield f"type: {self.type} has no {part}"
        if self.type == "proportion" and bool(self.numerator) == bool(self.function):
            yield "type: proportion needs numerator, or function"
        if self.type == "rate" and bool(self.numerator) == bool(self.value):
            yield "type: rate needs numerator, or value (the events of a row)"
        if self.function and (self.denominator or self.type != "proportion"):
            yield "function marks rows itself: it goes with type: proportion, without denominator"

    def _limit_faults(self) -> Iterator[str]:
        if self.limits is None:
            return
        if self.direction == "none":
            yield "limits need a direction, high or low"
        if self.no_limits_because:
            yield "give limits or no_limits_because, not both"
        for name, limit in self.limit_values.items():
            if self.type in SHARES and not 0 <= limit <= 1:
                yield f"limits.{name}: {limit} is no share; write 90 per cent as 0.90"

    @property
    def limit_values(self) -> dict[str, Decimal]:
        """The limits that are given, by name."""
        given = (
            [("green", self.limits.green), ("yellow", self.limits.yellow)] if self.limits else []
        )
        return {name: limit.value for name, limit in given if limit is not None}

    @property
    def register(self) -> str:
        """The register whose rows are counted."""
        return self.table.split(".")[0]

    @property
    def numerator_variables(self) -> tuple[str, ...]:
        """Variables that must be known for a row to be judged."""
        tested = [test.variable for test in self.numerator if test.is_missing is None]
        return tuple(dict.fromkeys([*tested, *filter(None, (self.value, self.exposure))]))


@dataclass(frozen=True)
class Indicator:
    """An indicator's definition together with the table it counts."""

    definition: IndicatorDefinition
    table: Table

    @property
    def name(self) -> str:
        """The indicator's name."""
        return self.definition.name

    @property
    def dated_by(self) -> str:
        """The date that places a row in a year."""
        return self.definition.period.dated_by or str(self.table.dated_by)

    def variable(self, name: str) -> Variable | None:
        """A variable of the table, or a number of days that the indicator itself names."""
        if name in self.definition.days:
            return Variable(type="integer", label=name, unit="days", minimum="0")
        return self.table.variables.get(name)
