"""Which rows are meant: tests on variables, codes of a code list, windows of time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from workbench.registers.documents import Document
from workbench.registers.row_tests import ONE_TEST, RowTest, tests_given

__all__ = [
    "AGES",
    "WITHOUT_WINDOW",
    "CodeChoice",
    "Condition",
    "LinkedEvent",
    "RowTest",
    "TableName",
    "Take",
    "Window",
]

TableName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
Take = Literal["any", "count", "first", "last", "nearest", "score", "value", "age", "exact_age"]
WITHOUT_WINDOW = frozenset({"value", "age", "exact_age"})
AGES = frozenset({"age", "exact_age"})  # in completed years; in years with their fraction


class CodeChoice(Document):
    """Codes of a code list, and the variables in which they are looked for."""

    variables: tuple[str, ...] = Field(alias="in", min_length=1)
    list_name: str = Field(alias="list")
    groups: tuple[str, ...] = ()  # of the list; every group if not said


class Condition(Document):
    """One test on a row, and why rows leave by it."""

    variable: str | None = None
    is_in: tuple[str, ...] | None = Field(default=None, alias="in")
    not_in: tuple[str, ...] | None = None
    at_least: str | None = None
    at_most: str | None = None
    is_missing: bool | None = None
    codes: CodeChoice | None = None
    because: str  # what the ledger says of those who leave

    @model_validator(mode="after")
    def _one_kind(self) -> Condition:
        given = tests_given(self.test)
        if (self.codes is None) == (self.variable is None):
            raise ValueError("give variable with one test, or codes")
        if given != (0 if self.codes else 1):
            raise ValueError(ONE_TEST)
        return self

    @property
    def test(self) -> RowTest:
        """The test on the variable."""
        return RowTest.model_construct(
            **{name: getattr(self, name) for name in RowTest.model_fields}
        )


class Window(Document):
    """Days before the index date that count; 0 is the index date, -1 the day before it."""

    first: int | None = Field(default=None, alias="from")  # open towards the past if not said
    last: int = Field(alias="to")
    includes: Literal["both", "start", "end", "neither"] = "both"  # of its two ends

    @model_validator(mode="after")
    def _in_order(self) -> Window:
        if self.first_day is not None and self.first_day > self.last_day:
            raise ValueError(
                f"the window ends before it begins ({self.first_day} to {self.last_day} days)"
            )
        return self

    @property
    def first_day(self) -> int | None:
        """The first day that counts."""
        if self.first is None:
            return None
        return self.first if self.includes in {"both", "start"} else self.first + 1

    @property
    def last_day(self) -> int:
        """The last day that counts."""
        return self.last if self.includes in {"both", "end"} else self.last - 1


class LinkedEvent(Document):
    """A dated event in another table of the store: its first row from the index date on."""

    link: TableName
    date: str | None = None  # the date variable; the table's own (dated_by) if not said
    codes: CodeChoice | None = None
    where: tuple[RowTest, ...] = ()
    from_day: int = Field(default=0, ge=0)  # days after the index date; 0 counts that day too
