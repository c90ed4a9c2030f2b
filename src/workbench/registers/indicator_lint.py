"""A second look at definitions of indicators: what is wrong, and what will mislead its readers.

Faults make an indicator unusable; warnings do not, but each has misled someone in a published
register. A warning that is meant so is accepted in the file, with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.errors import DefinitionError
from workbench.registers.documents import parse_document, read_tree_with_lines
from workbench.registers.indicator_checks import Finding, Key, faults_of
from workbench.registers.indicator_model import SHARES, Indicator, IndicatorDefinition
from workbench.registers.indicators import find_indicators, table_of

# Words that say which way is good. Signs only: a label is for people, so this warns and no more.
BAD_WHEN_MANY = (
    "amputation", "catheter", "complication", "death", "died", "infection", "mortality",
    "peritonitis", "readmission", "rejection", "stroke", "ulcer", "waiting",
)  # fmt: skip
GOOD_WHEN_MANY = (
    " no ", "alive", "assessed", "coverage", "fistula", "free", "known", "offered", "open",
    "prescribed", "present", "survival", "within", "without",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A finding with its place."""

    file: Path
    line: int | None
    finding: Finding

    @property
    def sentence(self) -> str:
        """File and line, what is wrong, what was expected, what to do."""
        at = f", line {self.line}" if self.line else ""
        kind = "" if self.finding.is_fault else "warning, "
        return f"{self.file}{at}: {kind}{self.finding.sentence}"


def lint_indicators(
    folders: Sequence[Path] = (), *, names: Sequence[str] | None = None
) -> list[Found]:
    """Look through all definitions (or the named ones), faults first.

    Parameters
    ----------
    folders
        A project's params folders; the workbench's own definitions are looked through too.
    """
    found = find_indicators(folders)
    chosen = found if names is None else {name: found[name] for name in names if name in found}
    all_found = [one for path in chosen.values() for one in lint_indicator(path, folders)]
    return sorted(all_found, key=lambda one: not one.finding.is_fault)


def lint_indicator(path: Path, folders: Sequence[Path] = ()) -> list[Found]:
    """Look through one definition; a file that cannot be read at all is one fault."""
    try:
        data, lines = read_tree_with_lines(path)
        definition = parse_document(data, IndicatorDefinition, where=str(path), lines=lines)
        indicator = Indicator(definition, table_of(definition, folders))
    except DefinitionError as fault:
        return [Found(path, None, Finding("unreadable", (), str(fault)))]
    findings = [*_name_faults(path, definition), *faults_of(indicator)]
    accepted = definition.accepted
    warnings = [one for one in warnings_of(indicator) if one.rule not in accepted]
    findings += [replace(one, is_fault=False) for one in warnings]
    return [Found(path, _line(lines, one.key), one) for one in findings]


def warnings_of(indicator: Indicator) -> Iterator[Finding]:
    """What may stand but should be looked at."""
    definition = indicator.definition
    yield from _limit_warnings(definition)
    yield from _origin_warnings(definition)
    yield from _wording_warnings(definition)
    yield from _year_warnings(indicator)
    if definition.coverage is None:
        what = "nothing says how many of all cases the register holds."
        advice = "Name the row of the coverage table that belongs to this indicator."
        yield Finding("no_coverage", ("coverage",), what, advice=advice)
    if definition.minimum_denominator is None:
        what = "no smallest denominator; a result of two patients would be shown."
        yield Finding("no_minimum", ("minimum_denominator",), what, "a number such as 10")
    for key in ("description", "how_to_read", "technical"):
        if not getattr(definition, key):
            what = "this part of the description is missing."
            yield Finding("no_text", (key,), what, advice="Write it for a reader in a clinic.")


def _limit_warnings(definition: IndicatorDefinition) -> Iterator[Finding]:
    if definition.limits is None:
        if not definition.no_limits_because and definition.direction != "none":
            what = "there are no limits."
            advice = "Give limits, or say in no_limits_because why there are none."
            yield Finding("no_limits", ("limits",), what, advice=advice)
        return
    for name, limit in definition.limit_values.items():
        key: Key = ("limits", name)
        is_share = definition.type in SHARES
        best = 1 if definition.direction == "high" else 0
        if is_share and limit == best:
            what = f"{limit} is missed by one single patient, and no number of patients decides it."
            yield Finding("unreachable", key, what, advice="Give a second limit, or accept this.")
        elif is_share and limit in {0, 1}:
            what = f"{limit} is always kept."
            yield Finding("vacuous", key, what, "a limit that a unit can miss")
        if re.search(r"\.\d+9$", str(limit)):
            what = f"{limit} ends in 9, as if to go round an older rule that left the limit out."
            advice = "Limits are inclusive here: write the round number."
            yield Finding("odd_limit", key, what, advice=advice)


def _origin_warnings(definition: IndicatorDefinition) -> Iterator[Finding]:
    limits = definition.limits
    given = [("green", limits.green), ("yellow", limits.yellow)] if limits else []
    for name, limit in given:
        if limit is None:
            continue
        if limit.origin in {"national mean", "percentile"}:
            what = f"the limit is a {limit.origin}: some units miss it however good all are."
            yield Finding("relative_limit", ("limits", name, "origin"), what, "a target of its own")
        if limit.year == "not stated":
            what = "nobody can see whether the limit is still in force."
            yield Finding("undated_limit", ("limits", name, "year"), what, "the year it was set")


def _wording_warnings(definition: IndicatorDefinition) -> Iterator[Finding]:
    label = f" {definition.label.casefold()} "
    good = any(word in label for word in GOOD_WHEN_MANY)
    bad = any(word in label for word in BAD_WHEN_MANY)
    if good == bad or definition.direction == "none":
        return
    if good != (definition.direction == "high"):
        what = (
            f'"{definition.label}" sounds as if {"many" if good else "few"} were good, but '
            f"direction is {definition.direction}."
        )
        yield Finding("wording", ("direction",), what, advice="Mend direction or the label.")


def _year_warnings(indicator: Indicator) -> Iterator[Finding]:
    definition = indicator.definition
    first = definition.period.first_year or 0
    for name in definition.numerator_variables:
        variable = indicator.variable(name)
        asked_from = (variable.first_year if variable else None) or 0
        if asked_from > first:
            what = f"{name} is asked from {asked_from} on; earlier rows would all be missing."
            yield Finding("first_year", ("period",), what, f"first_year: {asked_from}")


def _name_faults(path: Path, definition: IndicatorDefinition) -> Iterator[Finding]:
    if path.stem != definition.name:
        what = f'says "{definition.name}", the file is called {path.name}.'
        yield Finding("name", ("name",), what, advice="Make them equal.")


def _line(lines: Mapping[Key, int], key: Key) -> int | None:
    return next((lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in lines), None)
