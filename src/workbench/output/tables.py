"""Released results as tables: for the screen and the report (HTML) and for reading on (CSV).

A hidden cell is written `[c]` (confidential), a missing one `–`: two symbols, two meanings, told
apart under every table that has them. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from workbench.analysis.description import EVERYONE
from workbench.language import retold, text
from workbench.output import wording
from workbench.output.disclosure import HIDDEN, MISSING, Released, require_released

COUNT_COLUMNS = {
    "step", "n", "events", "censored", "at_risk", "reported", "both", "only_register",
    "only_reference",
}  # fmt: skip
WHOLE = {"hours", "forms_missing", "chapman", "chapman_lower", "chapman_upper"}
TENTHS = {"percent", "expected_rank", "rank_lower", "rank_upper"}
SHORT = {"time", "mean", "q", "degrees_of_freedom"}  # as many decimals as the number has
YES = {"is_break": "jump", "is_provisional": "yes"}
TEXT_COLUMNS = {
    "reason", "check", "variable", "level", "group", "table", "years", "question", "rule",
    "column", "outcome", "cause", "reliability", "term", "version", "imported", "as_of",
    "level_words", "target", "trend", "kind", "flag", "adjusted_flag", "item", "requirement",
    "answered_by", "answer", "evidence", "needed_for",
}  # fmt: skip


TESTS = {"logrank", "gray"}
BESIDE_WORDS = {
    "estimate": "Net survival", "observed": "Observed survival", "expected": "Expected survival",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table as text: the first column names the row; sections have a heading of their own."""

    header: tuple[str, ...]
    sections: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
    n_text_columns: int = 1


def to_csv(result: Released) -> bytes:
    """The released numbers as CSV, always the same bytes: hidden as `[c]`, missing empty."""
    require_released(result)
    return result.csv()


def to_frame(result: Released, *, labels: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The table as readers see it, all text, one row a line; a section's name comes first."""
    table = lay_out(result, labels=labels)
    rows = [
        (*([heading] if heading else []), *row)
        for heading, lines in table.sections
        for row in lines
    ]
    has_sections = any(heading for heading, _ in table.sections)
    return pd.DataFrame(rows, columns=[*([""] if has_sections else []), *table.header])


def to_html(result: Released, *, labels: Mapping[str, str] | None = None) -> str:
    """A semantic HTML table: caption, scopes, numbers at the right, a key for the symbols."""
    table = lay_out(result, labels=labels)
    head = "".join(
        f'<th scope="col"{_at_right(at, table)}>{escape(name)}</th>'
        for at, name in enumerate(table.header)
    )
    parts = [
        f"<table><caption>{escape(retold(result.title))}</caption><thead><tr>{head}</tr></thead>"
    ]
    for heading, lines in table.sections:
        parts.append("<tbody>")
        if heading:
            spans = f'scope="rowgroup" colspan="{len(table.header)}"'
            parts.append(f'<tr class="section"><th {spans}>{escape(heading)}</th></tr>')
        parts += [_html_row(line, table, inside=bool(heading)) for line in lines]
        parts.append("</tbody>")
    parts.append("</table>")
    if not any(lines for _, lines in table.sections):
        hidden = result.all_hidden_counts
        why = text("There is no row that may be shown.") if hidden else text("None.")
        parts.append(f'<p class="notes">{why}</p>')
    if facts := facts_of(result):
        parts.append(f'<p class="notes">{escape(facts)}</p>')
    if key := key_of(result, table):
        parts.append(f'<p class="key">{escape(key)}</p>')
    return "".join(parts)


def key_of(result: Released, table: Table | None = None) -> str:
    """What the symbols of a result's table mean; empty when it has none."""
    lines = (table or lay_out(result)).sections
    cells = [cell for _, rows in lines for row in rows for cell in row]
    return wording.key_line(
        result.rules["threshold"],
        has_hidden=any(HIDDEN in cell for cell in cells),
        has_missing=MISSING in cells,
    )


def facts_of(result: Released) -> str:
    """The single numbers that belong under a test's or a model's table."""
    facts = result.facts
    if result.kind in TESTS:
        statistic = wording.number(facts["statistic"], decimals=min(result.rules["decimals"], 2))
        return text(
            "Chi-square {statistic} on {degrees} degrees of freedom, {p}.",
            statistic=statistic,
            degrees=facts["degrees_of_freedom"],
            p=wording.p_equals(facts["p_value"]),
        )
    if result.kind in {"cox", "fine_gray"}:
        n, events, n_missing = (
            HIDDEN if facts[key] is None else wording.count(facts[key])
            for key in ("n", "events", "n_missing")
        )
        told = text(
            "Persons: {n}. Events: {events}. Left out for a missing covariate: {n_missing}.",
            n=n,
            events=events,
            n_missing=n_missing,
        )
        return f"{told} {_last_fact(facts)}"
    return ""


def _last_fact(facts: Mapping[str, object]) -> str:
    """What only one kind of model has."""
    if "competing_events" in facts:
        n = facts["competing_events"]
        told = HIDDEN if n is None else wording.count(n)
        return text("With a competing event: {n}.", n=told)
    return text("Concordance: {value}.", value=wording.number(facts["concordance"]))


def lay_out(result: Released, *, labels: Mapping[str, str] | None = None) -> Table:
    """The result's rows and columns as text, in the form that suits its kind."""
    require_released(result)
    forms = {
        "table_one": _table_one, "cox": _cox, "fine_gray": _cox, "overview": _under_its_first,
    }  # fmt: skip
    return forms.get(result.kind, _plain)(result, labels or {})


def _html_row(line: Sequence[str], table: Table, *, inside: bool) -> str:
    first = f'<th scope="row"{" class=inside" if inside else ""}>{escape(line[0])}</th>'
    rest = "".join(
        f"<td{_at_right(at, table)}>{escape(cell)}</td>" for at, cell in enumerate(line[1:], 1)
    )
    return f"<tr>{first}{rest}</tr>"


def _at_right(at: int, table: Table) -> str:
    return ' class="number"' if at >= table.n_text_columns else ""


def _written(values: list[object], column: str, result: Released, *, is_name: bool) -> list[str]:
    """One column's values as text, by what the column is."""
    if column == "target":
        return [_limit(str(value)) for value in values]
    if is_name:
        ours = wording.is_ours(column, result)
        told = [MISSING if wording.is_missing(value) else str(value) for value in values]
        return [retold(word) for word in told] if ours else told
    if column in COUNT_COLUMNS or str(column).startswith("n_"):
        return [wording.count(value) for value in values]
    if column in YES:
        return [text(YES[column]) if value is True else "" for value in values]
    if column in {"p_value", "p_adjusted"}:
        return [wording.p_value(value) for value in values]
    decimals = _decimals(column, result)
    return [wording.number(value, decimals=decimals) for value in values]


def _limit(told: str) -> str:
    """A limit with as many decimals as who set it gave it; nothing where there is none."""
    if not told.replace(".", "", 1).isdigit():
        return told
    return wording.number(float(told), decimals=len(told.partition(".")[2]))


def _decimals(column: str, result: Released) -> int | None:
    """How many decimals a column's numbers have; nothing for as many as they come with."""
    usual = int(result.rules["decimals"])
    if column in SHORT or result.kind == "quantiles":
        return None
    if column in WHOLE or column.endswith("_days") or result.kind in {"nowcast", "prom"}:
        return 2 if column == "arrived" else 0
    if column in TENTHS:
        return 1
    if column in {"observed", "expected"} and result.kind in TESTS:
        return min(usual, 1)
    return 2 if result.kind == "lag" else usual


def _plain(result: Released, labels: Mapping[str, str]) -> Table:
    """The frame as it stands: names first, then numbers."""
    frame = result.texts()
    by = list(result.facts.get("by", ()))
    names = [column for column in frame.columns if column in TEXT_COLUMNS or column in by]
    columns = [*names, *(column for column in frame.columns if column not in names)]
    if result.kind in TESTS and (frame["observed"] == frame["events"]).all():
        columns.remove("observed")
    if is_median := result.kind == "quantiles" and set(frame["q"]) == {0.5}:
        columns.remove("q")
    written = [
        _written(frame[name].tolist(), name, result, is_name=name in names) for name in columns
    ]
    if "term" in names:
        at = columns.index("term")
        words = {"GLOBAL": text("All together"), **labels}
        written[at] = [words.get(term, term) for term in written[at]]
    rows = tuple(zip(*written, strict=True))
    named = {**labels, "estimate": text("Median")} if is_median else labels
    if result.kind in {"net_survival", "net_at"}:
        named = {**{column: text(told) for column, told in BESIDE_WORDS.items()}, **labels}
    header = tuple(wording.label(column, named) for column in columns)
    return Table(header, (("", rows),), n_text_columns=max(len(names), 1))


def _under_its_first(result: Released, labels: Mapping[str, str]) -> Table:
    """Rows under the name in their first column, which many of them share."""
    plain = _plain(result, labels)
    under: dict[str, list[tuple[str, ...]]] = {}
    for _, rows in plain.sections:
        for name, *row in rows:
            under.setdefault(name, []).append(tuple(row))
    sections = tuple((name, tuple(rows)) for name, rows in under.items())
    return Table(plain.header[1:], sections, plain.n_text_columns - 1)


def _table_one(result: Released, labels: Mapping[str, str]) -> Table:
    frame = result.texts()
    sizes = frame.drop_duplicates("group").set_index("group")["n_group"]
    header = [text("Characteristic")]
    for group, n in sizes.items():
        name = text("All") if group == EVERYONE else str(group)
        header.append(f"{name} (n\u00a0=\u00a0{wording.count(n)})")
    has_difference = len(sizes) > 2
    header += [text("Standardised difference")] if has_difference else []
    sections = []
    for variable, block in frame.groupby("variable", sort=False):
        lines: list[list[str]] = []
        for (kind, level), cells in block.groupby(["kind", "level"], sort=False):
            ordered = cells.set_index("group").loc[sizes.index]
            lines += _table_one_lines(str(kind), str(level), ordered)
        if has_difference:
            difference = wording.number(
                block["standardised_difference"].iloc[0], decimals=min(result.rules["decimals"], 2)
            )
            lines = [[*line, difference if at == 0 else ""] for at, line in enumerate(lines)]
        sections.append((wording.label(variable, labels), tuple(map(tuple, lines))))
    return Table(tuple(header), tuple(sections))


def _table_one_lines(kind: str, level: str, cells: pd.DataFrame) -> list[list[str]]:
    rows = cells.to_dict("records")
    if kind == "number":
        mean = [_pair(row["mean"], wording.number(row["std_dev"])) for row in rows]
        quartiles = []
        for row in rows:
            ends = [wording.number(row[f"{which}_quartile"]) for which in ("lower", "upper")]
            quartiles.append(_pair(row["median"], wording.interval(*ends)))
        names = text("Mean (standard deviation)"), text("Median (quartiles)")
        return [[names[0], *mean], [names[1], *quartiles]]
    name = text("Missing, n (%)") if kind == "missing" else f"{level}, n (%)"
    shares = [
        HIDDEN
        if row["n"] == HIDDEN
        else f"{wording.count(row['n'])} ({wording.number(row['percent'])})"
        for row in rows
    ]
    return [[name, *shares]]


def _pair(value: object, bracket: str) -> str:
    told = wording.number(value)
    return told if told in {HIDDEN, MISSING} else f"{told} ({bracket})"


def _cox(result: Released, labels: Mapping[str, str]) -> Table:
    decimals = min(result.rules["decimals"], 2)
    sections: dict[str, list[tuple[str, ...]]] = {}
    for row in result.texts().to_dict("records"):
        ratio, limits = cox_texts(row, decimals=decimals)
        line = (
            row["level"] or text("Per unit"),
            wording.count(row["n"]),
            wording.count(row["events"]),
            ratio,
            limits,
            "" if row["is_reference"] else wording.p_value(row["p_value"]),
        )
        sections.setdefault(wording.label(row["variable"], labels), []).append(line)
    names = ("Covariate", "Persons", "Events", "Hazard ratio", "95 % interval", "p")
    header = tuple(text(name) for name in names)
    return Table(header, tuple((name, tuple(lines)) for name, lines in sections.items()))


def cox_texts(row: Mapping[str, object], *, decimals: int) -> tuple[str, str]:
    """A row's hazard ratio and its interval, as tables and the forest plot print them."""
    if row["hazard_ratio"] == HIDDEN:
        return HIDDEN, HIDDEN
    if row["is_reference"]:
        return text("1 (reference)"), ""
    lower, upper = (wording.number(row[limit], decimals=decimals) for limit in ("lower", "upper"))
    return wording.number(row["hazard_ratio"], decimals=decimals), wording.interval(lower, upper)
