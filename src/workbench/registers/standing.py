"""What a quality register has to fulfil to stand where it stands, and what it has answered.

A scheme (Norwegian stages, Swedish certification) is a YAML file in `definitions/standing/`, or in
a project's `params/schemes/`. A register's own answers lie in `params/standing/REGISTER.yaml`: yes
or no, with the year and where it is written. What is computed stands in `analysis.standing`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from workbench.errors import DefinitionError, did_you_mean
from workbench.registers.documents import Document, read_document
from workbench.registers.schema import DEFINITIONS, Slug

FACTS: dict[str, type] = {
    "as_of": dt.date,  # the day from which is judged
    "cases_last_year": int,
    "completeness_year": int,  # the year when completeness of variables was last documented
    "coverage": float,  # share, against an outside source
    "coverage_is_individual": bool,  # linked person by person, not compared by numbers
    "coverage_year": int,
    "feedback_per_year": int,  # how often units get their own results beside the nation's
    "guideline_indicators_by_unit": int,
    "indicators": int,
    "indicators_with_target": int,
    "open_indicators_by_unit": int,
    "patient_reported_by_unit": int,
    "patient_reported_indicators": int,
    "release_dates": tuple,  # days on which results were shown interactively
    "validation_year": int,
}

YEARS = ("completeness_year", "coverage_year", "validation_year")  # may not lie ahead

Day = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Years = Annotated[int, Field(ge=0, le=20)]


class Rule(Document):
    """How data answer a requirement: one fact, and what it has to be."""

    fact: str
    at_least: Annotated[float, Field(ge=0)] | None = None
    within_years: Years | None = None
    dated_by: str | None = None
    """The fact with the year that `within_years` is about; the fact itself if not given."""
    only_if: str | None = None
    """A yes/no fact without which the requirement is not met."""
    released_by: tuple[Day, ...] = ()
    """Days of the year (month-day) by which results have to have been shown anew."""

    @model_validator(mode="after")
    def _one_rule(self) -> Rule:
        for name in (self.fact, self.dated_by, self.only_if):
            if name is not None and name not in FACTS:
                raise ValueError(f'there is no fact "{name}".{did_you_mean(name, FACTS)}')
        for day in self.released_by:
            try:
                dt.date(2001, int(day[:2]), int(day[3:]))
            except ValueError:
                raise ValueError(f"{day} is no day of every year") from None
        if self.at_least is None and self.within_years is None and not self.released_by:
            raise ValueError("say what the fact has to be: at_least, within_years or released_by")
        if bool(self.released_by) != (self.fact == "release_dates"):
            raise ValueError("released_by goes with the fact release_dates, and only with it")
        return self


class Requirement(Document):
    """One requirement: data answer it where it has a test, the register where it has none."""

    text: str
    test: Rule | None = None
    within_years: Years | None = None
    """How old a register's own answer may be."""
    is_verified: bool = True
    """False where the text or the limit could not be checked against the published one."""


class Scheme(Document):
    """Stages that build on one another, and levels beside them."""

    name: Slug
    label: str
    source: str
    note: str = ""
    floor: str
    """What a register is called that has not reached the first stage."""
    stages: dict[str, tuple[str, ...]]
    """From the lowest: what each asks beyond the one before."""
    levels: dict[str, tuple[str, ...]] = Field(default={})
    """From the best: what each asks; the first that is fulfilled holds."""
    lowest_level: str = ""
    requirements: dict[str, Requirement]

    @model_validator(mode="after")
    def _numbers_are_known(self) -> Scheme:
        if not self.stages:
            raise ValueError("a scheme needs at least one stage")
        asked = [one for needs in (*self.stages.values(), *self.levels.values()) for one in needs]
        unknown = [one for one in asked if one not in self.requirements]
        idle = [one for one in self.requirements if one not in asked]
        if unknown or idle:
            raise ValueError(
                "every requirement belongs to a stage or level, and each of these is described: "
                f"look at {', '.join([*unknown, *idle])}"
            )
        if len(asked) != len(set(asked)):
            raise ValueError("a requirement stands in two stages or levels")
        return self


class Answer(Document):
    """What the register says of one requirement, since when, and where it is written."""

    answer: bool
    year: Annotated[int, Field(ge=1950, le=2100)]
    evidence: Annotated[str, Field(min_length=1)]


class Answers(Document):
    """A register's own answers, by scheme and requirement."""

    register_name: Annotated[str, Field(alias="register")]
    note: str = ""
    answers: dict[str, dict[str, Answer]]

    def of(self, scheme: Scheme) -> Mapping[str, Answer]:
        """The answers to one scheme.

        Raises
        ------
        DefinitionError
            An answer to a requirement that the scheme does not have.
        """
        given = self.answers.get(scheme.name, {})
        for number in given:
            if number not in scheme.requirements:
                near = did_you_mean(number, scheme.requirements)
                raise DefinitionError(
                    f"{self.register_name}, answers to {scheme.name}: there is no requirement "
                    f'"{number}".{near}'
                )
        return given


def load_scheme(name: str, folders: Sequence[Path] = ()) -> Scheme:
    """A scheme by its name, from a project's `schemes/` or the workbench's own.

    Raises
    ------
    DefinitionError
        No such scheme (the nearest name is offered), or a file that cannot be used.
    """
    found: dict[str, Path] = {}
    for folder in (*(one / "schemes" for one in folders), DEFINITIONS / "standing"):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    if name not in found:
        raise DefinitionError(f'There is no scheme "{name}".{did_you_mean(name, found)}')
    return read_document(found[name], Scheme)


def load_answers(register: str, folders: Sequence[Path]) -> Answers:
    """A register's answers from `standing/REGISTER.yaml` in a project's params folders.

    Raises
    ------
    DefinitionError
        No such file (with what to do), another register's name in it, or one that cannot be used.
    """
    for folder in folders:
        path = folder / "standing" / f"{register}.yaml"
        if path.is_file():
            answers = read_document(path, Answers)
            if answers.register_name != register:
                raise DefinitionError(
                    f'{path}: the key register says "{answers.register_name}", the file is called '
                    f'"{register}.yaml". Make them equal.'
                )
            return answers
    raise DefinitionError(
        f'There are no answers of register "{register}". Write params/standing/{register}.yaml: '
        "for each scheme and number an answer (yes or no), the year and the evidence."
    )
