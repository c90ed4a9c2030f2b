"""Where a quality register stands: Norwegian stages and levels, Swedish certification.

Data answer what data can answer; the rest the register answers itself, with year and evidence.
What nobody has answered counts as not met, and is named.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from workbench.analysis.standing_facts import Facts, check_facts, tested
from workbench.errors import StudyError
from workbench.registers.standing import Answer, Answers, Requirement, Scheme

YES, NO, UNKNOWN = "yes", "no", "not known"
COLUMNS = ["item", "requirement", "answered_by", "answer", "evidence", "needed_for"]


class Standing(pd.DataFrame):
    """One row a requirement, and where the register stands by them.

    A frame like any other, with `stage`, `level` (empty where the scheme has none), `next_stage`
    (empty at the top), `missing` (numbers that the next stage lacks, those nobody has answered
    among them) and `note`. What is made of it further is a plain frame.
    """

    _metadata = ["stage", "level", "next_stage", "missing", "note"]  # noqa: RUF012 (of pandas)
    stage: str
    level: str
    next_stage: str
    missing: tuple[str, ...]
    note: str

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a plain frame."""
        return pd.DataFrame(self)

    @property
    def words(self) -> str:
        """Where the register stands and what the next stage lacks, in a few sentences."""
        level = f", level {self.level}" if self.level else ""
        told = f"Stage {self.stage}{level}."
        if not self.next_stage:
            return told
        answers = dict(zip(self["item"], self["answer"], strict=True))
        told += f" Stage {self.next_stage} lacks: {', '.join(self.missing)}."
        unknown = [one for one in self.missing if answers[one] == UNKNOWN]
        return f"{told} Of these nobody has answered: {', '.join(unknown)}." if unknown else told


@dataclass(frozen=True)
class _Found:
    """An answer, who gave it, and why."""

    answered_by: str
    answer: str
    evidence: str


def evaluate(
    register_answers: Answers, facts: Facts, scheme: Scheme, *,
    limits: Mapping[str, float] | None = None,
) -> Standing:  # fmt: skip
    """Say which requirements a register meets, and the stage and level it has by them.

    Parameters
    ----------
    register_answers
        The register's own answers (`registers.standing.load_answers`).
    facts
        What was computed from data, by the names of `registers.standing.FACTS`: `as_of` (a date,
        never today by itself) and, as far as known, `coverage` (a share, 0 to 1), `coverage_year`,
        `coverage_is_individual`, `validation_year`, `release_dates` (dates) ... None is not known.
    scheme
        What `registers.standing.load_scheme` gave ("norway", "sweden").
    limits
        Other limits for requirements that have one, by number: {"7": 0.8}.

    Returns
    -------
    One row a requirement: `item` (its number), `requirement`, `answered_by` ("data", "asked"),
    `answer` ("yes", "no", "not known"), `evidence`, `needed_for`. As attributes `stage`, `level`,
    `next_stage`, `missing`, `note`. Data go before a register's own word, and a difference is told;
    where data are not known the register's word holds. An answer too old is not known.

    Raises
    ------
    DataError
        Facts without `as_of`, of an unknown name, of another kind, or after `as_of`.
    StudyError
        A limit for a requirement that has none.
    DefinitionError
        An answer to a requirement that the scheme does not have.

    References
    ----------
    Sources of each scheme stand in its file; what could not be verified is marked in `evidence`.
    """
    as_of = check_facts(facts)
    wanted = _with_limits(scheme, limits or {})
    asked = register_answers.of(scheme)
    found = {
        number: _answer(one, asked.get(number), facts, as_of) for number, one in wanted.items()
    }
    rows = [
        (number, wanted[number].text, one.answered_by, one.answer, one.evidence,
         _needed_for(number, scheme))
        for number, one in found.items()
    ]  # fmt: skip
    result = Standing(pd.DataFrame(rows, columns=COLUMNS))
    met = {number for number, one in found.items() if one.answer == YES}
    result.stage, result.next_stage, result.missing = _stage(scheme, met)
    result.level = _level(scheme, met)
    result.note = scheme.note
    return result


def harder(
    registers: Mapping[str, tuple[Answers, Facts]], scheme: Scheme, *, limits: Mapping[str, float]
) -> pd.DataFrame:
    """Say which registers would miss harder limits, and what that would do to their stage.

    Parameters
    ----------
    registers
        By register its answers and facts, as for `evaluate`.
    limits
        The harder limits, by number: {"7": 0.8}.

    Returns
    -------
    One row a register: `register`, `stage`, `harder_stage`, `level`, `n_lost` (requirements met
    now and not then), `lost` (their numbers), `not_known` (numbers of these limits that nobody has
    answered), `words`.

    Raises
    ------
    StudyError
        No register; a limit that is not harder than the scheme's. Others as `evaluate`.
    """
    if not registers:
        raise StudyError("registers: none is given, so that none can be compared.")
    for number, limit in limits.items():
        one = scheme.requirements.get(number)
        today = None if one is None or one.test is None else one.test.at_least
        if today is not None and limit < today:
            raise StudyError(
                f"limits: {limit:g} is below the {today:g} of requirement {number}; "
                "give a harder one."
            )
    rows = []
    for name, (answers, facts) in registers.items():
        now = evaluate(answers, facts, scheme)
        then = evaluate(answers, facts, scheme, limits=limits)
        was, becomes = (dict(zip(one["item"], one["answer"], strict=True)) for one in (now, then))
        lost = [number for number in was if was[number] == YES and becomes[number] != YES]
        unknown = [number for number in limits if becomes[number] == UNKNOWN]
        rows.append(
            {
                "register": name, "stage": now.stage, "harder_stage": then.stage,
                "level": now.level, "n_lost": len(lost), "lost": ", ".join(lost),
                "not_known": ", ".join(unknown), "words": _change(now, then, lost, unknown),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _with_limits(scheme: Scheme, limits: Mapping[str, float]) -> dict[str, Requirement]:
    wanted = dict(scheme.requirements)
    for number, limit in limits.items():
        one = wanted.get(number)
        if one is None or one.test is None or one.test.at_least is None:
            some = [
                key for key, req in wanted.items() if req.test and req.test.at_least is not None
            ]
            raise StudyError(
                f'limits: requirement "{number}" of {scheme.name} has no limit. '
                f"These have: {', '.join(some)}."
            )
        test = one.test.model_copy(update={"at_least": float(limit)})
        wanted[number] = one.model_copy(update={"test": test})
    return wanted


def _answer(requirement: Requirement, asked: Answer | None, facts: Facts, as_of: dt.date) -> _Found:
    mark = "" if requirement.is_verified else " [requirement not verified]"
    own = _own_answer(requirement, asked, as_of)
    if requirement.test is None:
        return _Found("asked", own.answer, own.evidence + mark)
    told = tested(requirement.test, facts, as_of)
    if told is None:
        lacking = f"no data ({requirement.test.fact.replace('_', ' ')})"
        if own.answer == UNKNOWN:
            return _Found("data", UNKNOWN, f"{lacking}; {own.evidence}{mark}")
        return _Found("asked", own.answer, f"{lacking}; {own.evidence}{mark}")
    is_met, evidence = told
    answer = YES if is_met else NO
    if own.answer not in {UNKNOWN, answer}:
        evidence += f"; the register answers otherwise ({own.answer}: {own.evidence})"
    return _Found("data", answer, evidence + mark)


def _own_answer(requirement: Requirement, asked: Answer | None, as_of: dt.date) -> _Found:
    if asked is None:
        return _Found("asked", UNKNOWN, "not answered")
    told = f"{asked.year}: {asked.evidence}"
    if asked.year > as_of.year:
        return _Found("asked", UNKNOWN, f"{told} (after the day from which is judged)")
    age = as_of.year - asked.year
    if requirement.within_years is not None and age > requirement.within_years:
        return _Found("asked", UNKNOWN, f"{told} (older than {requirement.within_years} years)")
    return _Found("asked", YES if asked.answer else NO, told)


def _needed_for(number: str, scheme: Scheme) -> str:
    for word, groups in (("stage", scheme.stages), ("level", scheme.levels)):
        for name, needs in groups.items():
            if number in needs:
                return f"{word} {name}"
    raise StudyError(f"{scheme.name}: requirement {number} belongs to no stage or level.")


def _stage(scheme: Scheme, met: set[str]) -> tuple[str, str, tuple[str, ...]]:
    """The stage reached, the next, and what that lacks."""
    reached = scheme.floor
    for name, needs in scheme.stages.items():
        missing = tuple(one for one in needs if one not in met)
        if missing:
            return reached, name, missing
        reached = name
    return reached, "", ()


def _level(scheme: Scheme, met: set[str]) -> str:
    for name, needs in scheme.levels.items():
        if met.issuperset(needs):
            return name
    return scheme.lowest_level


def _change(now: Standing, then: Standing, lost: list[str], unknown: list[str]) -> str:
    if not lost:
        told = f"Stage {now.stage} as before."
    elif now.stage == then.stage:
        told = f"Would miss {', '.join(lost)} and keep stage {now.stage}."
    else:
        told = f"Would miss {', '.join(lost)} and fall from stage {now.stage} to {then.stage}."
    return f"{told} Not known: {', '.join(unknown)}." if unknown else told
