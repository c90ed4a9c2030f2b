"""How a study sets a register beside another source, and how late reports come."""

from __future__ import annotations

from pydantic import Field, model_validator

from workbench.registers.documents import Document
from workbench.study.rows import CodeChoice, RowTest, TableName


class Reference(Document):
    """The other source: which of its rows are cases."""

    table: TableName
    date: str | None = None  # of the case; the table's own date if not said
    codes: CodeChoice | None = None  # with parts: the group of the list named as the part
    where: tuple[RowTest, ...] = ()


class Lag(Document):
    """How long it takes until a case is in the register."""

    reported: str | None = None  # date variable; the one that means registered_date if not said
    within_days: int = Field(ge=30, le=3660)  # later reports are not waited for
    recent_days: int | None = Field(default=None, ge=90)  # lags of so many last days count
    minutes_per_form: float = Field(default=20, gt=0)  # of work, for what is still to report


class SourceComparison(Document):
    """The register beside a reference: the same persons' cases, within some days."""

    parts: dict[str, TableName] = Field(min_length=1)  # sub-registers, in the order shown
    where: tuple[RowTest, ...] = ()  # which of their rows are cases
    reference: Reference
    within_days: int | None = Field(default=None, ge=0)  # missing: one case a person
    by: str = "region"  # a variable that all the tables have
    lag: Lag | None = None

    @model_validator(mode="after")
    def _agree(self) -> SourceComparison:
        choice = self.reference.codes
        if len(self.parts) > 1 and choice is None:
            raise ValueError(
                "several parts need reference.codes: the group of codes named as each part says "
                "which cases of the reference belong to it"
            )
        if choice is not None and choice.groups and len(self.parts) > 1:
            raise ValueError("leave out reference.codes.groups: the parts name them")
        return self

    @property
    def tables(self) -> tuple[str, ...]:
        """Every table that is read, by full name."""
        return (*self.parts.values(), self.reference.table)
