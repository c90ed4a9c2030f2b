"""A study's own files as sentences for a paper: study, ledger, and what the run's record says.

Papers are written in English, so that these sentences are too, whatever the report speaks. Counts
come from the released ledger only, hidden where the gate hid them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.language import speaking
from workbench.output.disclosure import Released, require_released
from workbench.output.reporting.variable_words import (
    codes_words,
    conditions_words,
    linked_words,
    variable_words,
)
from workbench.study import LinkedEvent, Study

CODE_COLUMNS = ("list", "group", "classification", "codes", "match", "source")


@dataclass(frozen=True)
class PaperFacts:
    """What can be told of a study without asking anybody.

    `sentences` by what they are about (design, criteria, linkage ...; a fact that a study does not
    have is not there), `code_lists` one row a group of codes, `flow` the released ledger.
    """

    title: str
    sentences: Mapping[str, str]
    code_lists: tuple[Mapping[str, str], ...] = ()
    flow: Released | None = field(default=None, repr=False)


def facts_of_run(
    study: Study, *, inputs: Mapping[str, Any], ledger: Released | None = None,
    kinds: Sequence[str] = (), methods: Sequence[str] = (), run: str = "",
) -> PaperFacts:  # fmt: skip
    """Gather what a run's own files say, as sentences for a paper.

    Parameters
    ----------
    study
        The study as it was run.
    inputs
        The `inputs` of the run's manifest: tables with versions, code lists, environment.
    ledger
        The released ledger of who was left out and why.
    kinds
        Kinds of the results that were released ("table_one", "survival_curve" ...).
    methods
        What stands under the results as their method, as sentences.
    run
        The run's name, as its folder has it.

    Raises
    ------
    DisclosureError
        A ledger that was not released.
    """
    if ledger is not None:
        require_released(ledger, "ledger")
    lists = tuple(_code_rows(inputs.get("code_lists") or {}))
    found = {
        "design": _design(study),
        "question": study.question,
        "registers": _registers(study, inputs),
        "period": _period(study),
        "as_of": f"Data were known up to {study.as_of}." if study.as_of else "",
        "population": _population(study),
        "criteria": _criteria(study),
        "linkage": _linkage(study),
        "matching": _matching(study),
        "follow_up": _follow_up(study),
        "outcome": _outcome(study, inputs),
        "variables": " ".join(variable_words(name, study) for name in study.variables),
        "groupings": _groupings(study),
        "groups": f"Results are compared by {study.group}." if study.group else "",
        "code_lists": f"All codes stand in the table of code lists ({len(lists)} groups)."
        if lists else "",
        "flow": _flow(ledger),
        "size": _size(ledger),
        "missing": _missing(study),
        "loss": _loss(study),
        "statistics": _statistics(study, methods),
        "cleaning": "Rows were checked against the register's written definition when they were "
        "imported; rows that broke a rule were set aside and counted, and nothing was guessed.",
        "disclosure": _disclosure(inputs),
        "table_one": _results(kinds, {"table_one"}, "See the table of characteristics."),
        "results": _results(kinds, set(kinds) - {"table_one", "ledger", "figure"},
                            "See the tables and figures of the run."),
        "reproduction": _reproduction(study, inputs, run),
    }  # fmt: skip
    told = {about: words for about, words in found.items() if words}
    return PaperFacts(study.title, told, lists, ledger)


def _design(study: Study) -> str:
    what = "cohort study" if study.follow_up else "cross-sectional study of indicators by unit"
    if not study.follow_up and not study.indicators:
        what = "descriptive study"
    matched = " with matched comparison persons" if study.comparison else ""
    return f"A register-based {what}{matched}."


def _registers(study: Study, inputs: Mapping[str, Any]) -> str:
    known = inputs.get("tables") or {}
    tables = [
        f"{table} (version {known[table]['version']})" if table in known else table
        for table in dict.fromkeys([*study.named_tables, *known])
    ]
    return f"Data came from these registers' tables: {_listed(tables)}."


def _period(study: Study) -> str:
    period = study.cohort.period
    return f"Index dates from {period.first} to {period.last}." if period else ""


def _population(study: Study) -> str:
    rules = study.cohort
    which = "the first row" if rules.events == "first" else "every row"
    dated = f", followed or described from {rules.index_date}" if rules.index_date else ""
    washout = (
        f", free of an earlier such row for {rules.washout_days} days" if rules.washout_days else ""
    )
    return f"The population is {which} of each person in {study.main_table}{dated}{washout}."


def _criteria(study: Study) -> str:
    rules = study.cohort
    called = {name: one.label for name, one in study.variables.items() if one.label}
    kept, left = (
        [
            codes_words(one.codes) if one.codes else conditions_words([one.test], called)
            for one in conditions
        ]
        for conditions in (rules.include, rules.exclude)
    )
    told = [f"Rows were kept where {_listed(kept)}."] if kept else []
    return " ".join([*told, *([f"Rows were left out where {' or '.join(left)}."] if left else [])])


def _linkage(study: Study) -> str:
    others = [table for table in study.named_tables if table != study.main_table]
    if study.population:
        others.append(f"the population register ({study.population})")
    if not others:
        return "No data were linked."
    told = (
        f"Rows were linked person by person to {_listed(dict.fromkeys(others))} by pseudonyms "
        "made from national identity numbers; rows under an earlier number count for the person "
        "who has the new one."
    )
    days = study.compare_sources.within_days if study.compare_sources else None
    return told if days is None else f"{told} Cases of two sources within {days} days are one case."


def _matching(study: Study) -> str:
    if study.comparison is None:
        return ""
    on = _listed(one.replace("_", " ") for one in study.comparison.match_on)
    return (
        f"For each person {study.comparison.n} of the population were drawn, alike in {on} on the "
        f"index date, without replacement for one person, by seed {study.seed}."
    )


def _follow_up(study: Study) -> str:
    rules = study.follow_up
    if rules is None:
        return ""
    end = rules.duration or rules.end_date or "the last day known"
    rivals = f" Competing events: {_listed(rules.competing)}." if rules.competing else ""
    return f"Follow-up ran to {end}, told in {rules.unit}.{rivals}"


def _loss(study: Study) -> str:
    if study.follow_up is None or study.follow_up.duration or not study.population:
        return ""
    return "Follow-up ended at death, emigration or the last day known, whichever came first."


def _outcome(study: Study, inputs: Mapping[str, Any]) -> str:
    told = [f"The outcome is {study.follow_up.outcome}."] if study.follow_up else []
    for what, event in _events(study):
        told.append(f"{what} is the first {linked_words(event)} on or after the index date.")
    known = inputs.get("indicators") or {}
    labels = [str(known.get(name, {}).get("label") or name) for name in study.indicators]
    return " ".join([*told, *([f"Indicators: {_listed(labels)}."] if labels else [])])


def _events(study: Study) -> Iterable[tuple[str, LinkedEvent]]:
    rules = study.follow_up
    if rules is None:
        return
    if rules.event_in is not None:
        yield "The event", rules.event_in
    for name, event in rules.competing.items():
        yield f"Competing event {name}", event


def _groupings(study: Study) -> str:
    cut = {name: one.cut for name, one in study.variables.items() if one.cut}
    return " ".join(
        f"{name} was grouped from {_listed(f'{limit:g}' for limit in limits)}."
        for name, limits in cut.items()
    )


def _flow(ledger: Released | None) -> str:
    if ledger is None:
        return ""
    with speaking("en"):
        rows = ledger.texts().to_dict("records")
    left = [
        f"{row['n_rows_out']} rows: {row['reason'].replace('; ', ' or ')}"
        for row in rows[:-1]
        if str(row["n_rows_out"]) != "0"
    ]
    told = f"Of {rows[0]['n_rows_in']} rows delivered, {rows[-1]['n_rows_in']} were analysed."
    return f"{told} Left out: {'; '.join(left)}." if left else told


def _size(ledger: Released | None) -> str:
    if ledger is None:
        return ""
    with speaking("en"):
        last = ledger.texts().to_dict("records")[-1]
    return (
        f"All persons who fulfilled the criteria were included ({last['n_persons_in']}); no size "
        "was set beforehand."
    )


def _missing(study: Study) -> str:
    model = " Models leave persons out who lack one of their variables." if study.model else ""
    return f"Missing values are counted and shown for each variable, and not filled in.{model}"


def _statistics(study: Study, methods: Sequence[str]) -> str:
    told = [f"{one.rstrip('.')}." for one in dict.fromkeys(methods) if one]
    model = f"The model has {_listed(study.model)}." if study.model else ""
    return " ".join([*told, *([model] if model else [])])


def _disclosure(inputs: Mapping[str, Any]) -> str:
    threshold = (inputs.get("release_profile") or {}).get("threshold")
    if threshold is None:
        return ""
    return f"Counts below {threshold}, and what they could be worked out from, are not shown."


def _results(kinds: Sequence[str], wanted: set[str], words: str) -> str:
    return words if wanted & set(kinds) else ""


def _reproduction(study: Study, inputs: Mapping[str, Any], run: str) -> str:
    versions = inputs.get("environment") or {}
    shown = [f"{name} {versions[name]}" for name in ("python", "register-workbench", "pandas")
             if name in versions]  # fmt: skip
    program = f" Computed with {_listed(shown)}." if shown else ""
    which = f" (run {run})" if run else ""
    return (
        f"The study file, notebook and code lists reproduce all numbers{which} from the same "
        f"versions of the tables, with seed {study.seed}; the record of the run holds the hash of "
        f"every input.{program} Register data are personal data: apply to the registers."
    )


def _code_rows(lists: Mapping[str, Any]) -> Iterable[Mapping[str, str]]:
    for name, one in lists.items():
        groups = one.get("given_groups") or one.get("groups") or {name: one}
        for group, of in groups.items():
            codes = ", ".join(of.get("codes") or ())
            excepted = ", ".join(of.get("excepted") or of.get("except") or ())
            yield dict(zip(CODE_COLUMNS, (
                name, str(of.get("label") or group), str(one.get("system", "")).upper(),
                f"{codes}, without {excepted}" if excepted else codes,
                str(of.get("match") or one.get("match", "")), str(one.get("source", "")),
            ), strict=True))  # fmt: skip


def _listed(parts: Iterable[str]) -> str:
    """One, two and three: as a sentence lists things."""
    every = [str(part) for part in parts]
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} and {every[-1]}"
