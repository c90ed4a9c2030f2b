"""Which questionnaire a study reads: where its forms stand, and which of them count."""

from __future__ import annotations

from pydantic import Field

from workbench.registers.documents import Document
from workbench.registers.schema import Slug
from workbench.study.rows import TableName, Window


class Questionnaire(Document):
    """A questionnaire that patients of the cohort were sent: one row of the table each time."""

    form: Slug  # its definition: rand12, rand36, or a project's own in params/proms/
    link: TableName
    sent: str | None = None  # date variable; the table's own (dated_by) if not said
    answered: str  # date variable, missing where no answer came
    days: Window  # after the index date, in which a form was sent; the first one counts
    columns: dict[Slug, str] = Field(default_factory=dict)  # of items not named as in the form
    missing_codes: tuple[int, ...] = ()  # numbers that stand for "not answered"
