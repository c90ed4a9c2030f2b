"""A release's tables as results: one indicator, at one level of organisation, over one period.

Tables are told apart by their columns, so that any study's release can be shown. What a table has
besides is left to the report. Cells stay as they were released: `[c]` for hidden, empty for
missing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.errors import DisclosureError
from workbench.output.portal.releases import Release, read_released
from workbench.output.portal.words import HIDDEN

Row = Mapping[str, str]

VALUES = ("estimate", "lower", "upper")
LIMITS = ("lower_998", "lower_95", "upper_95", "upper_998")
MEASURES = {
    "n", "events", "both", "only_reference", "only_register", "expected", "target", "level",
    "level_probability", "level_words", "flag", "p_value", "p_adjusted", "trend", "kind", "year",
    "time", "term", "indicator", *VALUES, *LIMITS,
}  # fmt: skip
NOT_UNITS = {"sex", "age_group", "group", "cause", "outcome", "variable", "term", "q", "reason"}


@dataclass(frozen=True)
class Nation:
    """The whole country's value, or that of the units shown, together."""

    estimate: float
    n: float | None = None
    events: float | None = None
    is_whole: bool = True


@dataclass(frozen=True)
class Result:
    """One indicator at one level of organisation over one period.

    `rows` has a line a unit; `limits` the same units with the funnel's limits; `years` a line a
    unit and year. Each may be empty. `notes` and `methods` go by these names.
    """

    study: str
    title: str
    register: str
    indicator: str
    unit: str
    period: str
    is_ratio: bool = False
    rows: tuple[Row, ...] = ()
    limits: tuple[Row, ...] = ()
    years: tuple[Row, ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hidden: Mapping[str, int] = field(default_factory=dict)
    methods: Mapping[str, str] = field(default_factory=dict)
    told_nation: Nation | None = None
    threshold: int | None = None

    @property
    def units(self) -> tuple[str, ...]:
        """The units that have anything to show, in the order of their names."""
        rows = (*self.rows, *self.limits, *self.years)
        return tuple(sorted({row[self.unit] for row in rows}, key=str.casefold))

    @property
    def years_shown(self) -> tuple[str, ...]:
        """The years that have rows, the earliest first."""
        return tuple(sorted({row["year"] for row in self.years}))

    @property
    def nation(self) -> Nation | None:
        """The nation as it was released; otherwise the units shown, together."""
        if self.is_ratio:
            return Nation(1.0)
        return self.told_nation or together(self.rows or self.limits)

    def in_year(self, year: str) -> Result:
        """The same indicator in one year."""
        rows = tuple(row for row in self.years if row["year"] == year)
        notes = {"rows": self.notes.get("years", ())}
        methods = {"rows": self.methods.get("years", "")}
        return replace(
            self, rows=rows, limits=(), years=(), period=year, told_nation=None, notes=notes,
            methods=methods,
        )  # fmt: skip


def value(row: Row, column: str) -> float | None:
    """A cell as a number; nothing where it is hidden, missing or not there."""
    try:
        return float(row.get(column, ""))
    except ValueError:
        return None


def is_hidden(row: Row, column: str) -> bool:
    """Whether the gate took a cell out."""
    return row.get(column) == HIDDEN


def together(rows: Sequence[Row]) -> Nation | None:
    """The units shown as one, where all of them have counts."""
    pairs = [(value(row, "events"), value(row, "n")) for row in rows]
    counts = [(events, n) for events, n in pairs if events is not None and n is not None]
    n = sum(one for _, one in counts)
    if not counts or not n or len(counts) < len(pairs):
        return None
    events = sum(one for one, _ in counts)
    return Nation(events / n, n, events, is_whole=False)


def results_of(releases: Iterable[Release]) -> tuple[list[Result], list[str]]:
    """Every result of these releases, and why something cannot be shown.

    Where two releases tell the same (study, indicator, level of organisation, period), the first
    counts: releases come with the newest first.
    """
    found: dict[tuple[str, str, str, str], Result] = {}
    faults = []
    for release in releases:
        try:
            for one in _results(release):
                found.setdefault((one.study, one.indicator, one.unit, one.period), one)
        except DisclosureError as reason:
            faults.append(str(reason))
    return list(found.values()), faults


def _results(release: Release) -> Iterator[Result]:
    """A release's results: the tables that speak of the same indicator, put together."""
    gathered: dict[tuple[str, str], Result] = {}
    for item, header, rows in _tables(release):
        part, unit = _part_of(header), _unit_of(header)
        if part is None or unit is None:
            continue
        is_ratio = "expected" in header
        for title, own in _by_indicator(item, header, rows):
            indicator = title if is_ratio else _base(title, unit, gathered)
            fresh = _new(release, item, indicator, unit, is_ratio=is_ratio)
            before = gathered.get((indicator, unit), fresh)
            gathered[indicator, unit] = _joined(before, item, part, own)
    yield from gathered.values()


def _tables(release: Release) -> list[tuple[Mapping[str, Any], list[str], list[Row]]]:
    """A release's tables; those of many indicators come last, as those of one tell more."""
    found = []
    for item in release.record["items"]:
        name = next((one for one in item["files"] if one.endswith(".csv")), None)
        if name in release.record["files"]:
            found.append((item, *_read_table(release, name)))
    return sorted(found, key=lambda table: "indicator" in table[1])


def _base(title: str, unit: str, known: Mapping[tuple[str, str], Result]) -> str:
    """The indicator that a title adds something to ("..., by year"); else the title itself."""
    return next(
        (name for name, level in known if level == unit and title.startswith(f"{name}, ")), title
    )


def _new(
    release: Release, item: Mapping[str, Any], indicator: str, unit: str, *, is_ratio: bool
) -> Result:
    return Result(
        study=release.study,
        title=release.title,
        register=release.register,
        indicator=indicator,
        unit=unit,
        period=release.facts.get("Period", "").partition(",")[0].replace(" to ", " – "),
        is_ratio=is_ratio,
        told_nation=_nation_of(item),
        threshold=item.get("rules", {}).get("threshold"),
    )


def _joined(before: Result, item: Mapping[str, Any], part: str, own: tuple[Row, ...]) -> Result:
    """A result with one more of its tables; a table that it has already is not taken twice."""
    if getattr(before, part):
        return before
    table: dict[str, Any] = {part: own}
    now = replace(before, **table)
    parts = [part]
    if part == "limits" and not now.rows and VALUES[1] in own[0]:
        now = replace(now, rows=own)
        parts.append("rows")
    hidden = dict(now.hidden)
    for reason, n in item.get("hidden", {}).items():
        hidden[str(reason)] = max(int(n), hidden.get(str(reason), 0))
    notes = tuple(str(note) for note in item.get("notes", ()))
    return replace(
        now,
        hidden=hidden,
        notes={**now.notes, **dict.fromkeys(parts, notes)},
        methods={**now.methods, **dict.fromkeys(parts, str(item.get("method", "")))},
        told_nation=now.told_nation or _nation_of(item),
    )


def _part_of(header: Sequence[str]) -> str | None:
    """Which part of a result a table is, by its columns."""
    columns = set(header)
    if not {"estimate"} <= columns or columns & {"q", "time", "term", "shrunken", "n_unit"}:
        return None
    if "year" in columns:
        return "years" if {"lower", "upper"} <= columns else None
    if set(LIMITS) <= columns:
        return "limits"
    return "rows" if {"lower", "upper", "n"} <= columns else None


def _unit_of(header: Sequence[str]) -> str | None:
    """The column that names the units: the level of organisation."""
    names = [one for one in header if one not in MEASURES and not one.startswith("adjusted_")]
    return names[0] if names and names[0] not in NOT_UNITS else None


def _by_indicator(
    item: Mapping[str, Any], header: Sequence[str], rows: Sequence[Row]
) -> Iterator[tuple[str, tuple[Row, ...]]]:
    """A table's rows by indicator: one title for all, or a column that names them."""
    if "indicator" in header:
        for name in dict.fromkeys(row["indicator"] for row in rows):
            yield name, tuple(row for row in rows if row["indicator"] == name)
    elif rows:
        yield str(item.get("title", item.get("name", ""))), tuple(rows)


def _nation_of(item: Mapping[str, Any]) -> Nation | None:
    """The nation of a result as its record tells it; older records do not."""
    told = item.get("nation")
    if not isinstance(told, Mapping) or not told.get("n"):
        return None
    return Nation(told["events"] / told["n"], told["n"], told["events"])


def _read_table(release: Release, name: str) -> tuple[list[str], list[Row]]:
    told = release.record["files"][name]
    content = read_released(release.folder, name, told, f"{release.study}/{release.run}")
    lines = csv.reader(io.StringIO(content.decode("utf-8")))
    header = next(lines, [])
    rows: list[Row] = [
        dict(zip(header, line, strict=False)) for line in lines if len(line) == len(header)
    ]
    return header, rows
