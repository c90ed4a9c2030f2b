"""Tests on the rows of a table: how they are written, and whether they can be asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from pydantic import Field, model_validator

from workbench.errors import did_you_mean
from workbench.registers.documents import Document
from workbench.registers.variables import Variable

ONE_TEST = "give one of in, not_in, at_least (with or without at_most), at_most, is_missing"


class RowTest(Document):
    """One test on one variable."""

    variable: str
    is_in: tuple[str, ...] | None = Field(default=None, alias="in")
    not_in: tuple[str, ...] | None = None
    at_least: str | None = None
    at_most: str | None = None
    is_missing: bool | None = None

    @model_validator(mode="after")
    def _one_test(self) -> RowTest:
        if tests_given(self) != 1:
            raise ValueError(ONE_TEST)
        return self

    @property
    def values(self) -> tuple[str, ...]:
        """Every value the test compares with."""
        limits = tuple(limit for limit in (self.at_least, self.at_most) if limit is not None)
        return (self.is_in or ()) + (self.not_in or ()) + limits


def tests_given(test: RowTest) -> int:
    """How many kinds of test were written down; one is right."""
    given = [test.is_in, test.not_in, test.at_least or test.at_most, test.is_missing]
    return sum(one is not None for one in given)


def variable_test_faults(test: RowTest, variable: Variable) -> Iterator[str]:
    """What is wrong with the values that a test compares a variable with.

    Where codes changed with the years a test names words, since one code can have meant two things.
    """
    name = test.variable
    changed = any(edition.codes for edition in variable.editions)
    known = set(variable.words.values()) if changed else set(variable.words)
    for value in test.values:
        if variable.codes and value not in known:
            kind = "word" if changed else "code"
            yield f'"{value}" is no {kind} of {name}.{did_you_mean(value, known)}'
        elif not changed and not has_type(value, variable):
            yield f'"{value}" is not a value of {name} (type {variable.type}).'
    if (test.at_least or test.at_most) and variable.is_category:
        yield f"{name} has categories; use in or not_in."


def unknown_codes_asked(test: RowTest, variable: Variable) -> Sequence[str]:
    """Values a test asks for that the register counts as missing: it can never find them."""
    return [value for value in test.values if value in variable.unknown]


def has_type(value: str, variable: Variable) -> bool:
    """Whether a text is a value of the variable's type, written as the store writes it."""
    try:
        if variable.type == "date":
            return date.fromisoformat(value).isoformat() == value
        if variable.type == "integer":
            return str(int(value)) == value.removeprefix("+")
        if variable.type == "decimal":
            return Decimal(value).is_finite() and "_" not in value
        if variable.type == "boolean":
            return value in {"true", "false"}
    except (ValueError, InvalidOperation):
        return False
    return True
