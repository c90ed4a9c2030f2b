"""The rule for a table's quality: deliveries, faults, rows and missing values by year, repeats.

Years are merged with their neighbours until each holds 0 or at least the threshold of persons, each
counted once however many of the years have rows of them. Rows are shown, persons are judged by.

Missing values are hidden where few persons lack a value, or few have one. A variable that was
collected in only some of the years shown together shows nothing there when its rows and the other
variables' and the years' would subtract to few.

What deliveries, years and faults tell together is judged, too: the rows kept of the newest delivery
are those of the years. Of rows set aside nobody knows the persons, so they are judged by rows.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd

from workbench.analysis.quality import NO_YEAR, Quality, find_breaks
from workbench.errors import DisclosureError
from workbench.output.gate.judgement import (
    Judgement,
    are_safe,
    hidden_only,
    is_small,
    nothing_hidden,
    take_out,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile

DELIVERED = ["n_rows_read", "n_rows_kept", "n_rows_set_aside"]
COUNTED = ["n_rows", "n_missing", "n_persons_missing", "n_persons_known"]
PersonsIn = Callable[[int, int], int]
Span = tuple[int, int]  # half-open: places of the first year and of the one after the last


def judge_quality(quality: Quality, policy: ReleaseProfile) -> Judgement:
    """Show missing values by variable and year; the rest as parts."""
    years = quality.years.sort_values("year", ignore_index=True)
    for column in ("n_rows", "n_persons"):
        years[column] = whole_counts(years[column], what=f"the {column} by year").astype(int)
    n_rows = years["n_rows"].tolist()
    distinct = _persons_in(years, quality.returns)
    if distinct(0, len(years)) < policy.threshold:
        raise DisclosureError(
            f"The table has fewer than {policy.threshold} persons, the smallest number that "
            f'profile "{policy.name}" shows.'
        )
    spans = _spans(n_rows, distinct, policy)
    words = [_span_words(years["year"].astype(str).tolist()[first:end]) for first, end in spans]
    shown = pd.DataFrame(
        {"years": words, "n_rows": [sum(n_rows[first:end]) for first, end in spans]}
    )
    missing, hidden, n_cells = _judge_missing(quality, years, spans, words, policy)
    n_merged = len(years) - len(spans)
    notes = ["Years with few persons are shown together."] if n_merged else []
    counts = {"years merged with a neighbour": n_merged, "few with or without a value": n_cells}
    parts = {
        "years": Judgement("years", shown, nothing_hidden(shown)),
        "deliveries": _judge_deliveries(quality, policy),
        "faults": _judge_faults(quality, sum(n_rows), policy),
        "repeats": _judge_repeats(quality.repeats, sum(n_rows), policy),
    }
    return Judgement("quality", missing, hidden, hidden_only(counts), tuple(notes), parts=parts)


def _persons_in(years: pd.DataFrame, returns: pd.DataFrame) -> PersonsIn:
    """A function that tells how many persons have rows in a run of years, each counted once."""
    place = {str(year): at for at, year in enumerate(years["year"])}
    again = [
        (place[str(year)], place[str(before)], int(n))
        for year, before, n in returns[["year", "year_before", "n_persons"]].itertuples(index=False)
    ]
    sums = np.concatenate([[0], np.cumsum(years["n_persons"])])

    def persons_in(first: int, end: int) -> int:
        counted = sum(n for year, before, n in again if first <= before and year < end)
        return int(sums[end] - sums[first]) - counted

    return persons_in


def _spans(n_rows: list[int], persons_in: PersonsIn, policy: ReleaseProfile) -> list[Span]:
    """Runs of years, closed as soon as they are safe; what is left over joins the last.

    Years whose rows have nobody's name on them go with a neighbour.
    """
    spans: list[Span] = []
    start = 0
    for end in range(1, len(n_rows) + 1):
        rows, persons = sum(n_rows[start:end]), persons_in(start, end)
        few = 0 < rows < policy.threshold or 0 < persons < policy.threshold
        if not few and (persons or not rows):
            spans.append((start, end))
            start = end
    if start < len(n_rows):
        # More years hold at least as many persons, so that the last run stays safe.
        last = spans.pop()[0] if spans else 0
        spans.append((last, len(n_rows)))
    return spans


def _span_words(years: list[str]) -> str:
    dated = [year for year in years if year != NO_YEAR]
    if not dated:
        return NO_YEAR
    span = dated[0] if len(dated) == 1 else f"{dated[0]} to {dated[-1]}"
    return span if len(dated) == len(years) else f"{span} and {NO_YEAR}"


def _judge_missing(
    quality: Quality,
    years: pd.DataFrame,
    spans: list[Span],
    words: list[str],
    policy: ReleaseProfile,
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Missing values by variable and span of years, with the shares that jump from year to year."""
    told = quality.missing.reset_index(drop=True)
    for column in COUNTED:
        told[column] = whole_counts(told[column], what=f"the quality's {column}").astype(int)
    place = {str(year): at for at, year in enumerate(years["year"])}
    told["_at"] = told["year"].astype(str).map(place)
    persons_in = _persons_in(years, quality.returns)
    parts = []
    for (first, end), word in zip(spans, words, strict=True):
        inside = told[told["_at"].between(first, end - 1)]
        if inside.empty:
            continue
        of_years = years.iloc[first:end]
        # Persons of several years are among the sums as often; so many of them at most.
        n_again = int(of_years["n_persons"].sum()) - persons_in(first, end)
        groups = inside.groupby("variable", sort=False)
        part = groups[["n_rows", "n_missing"]].sum()
        for column in ("n_persons_missing", "n_persons_known"):
            part[column] = np.maximum(groups[column].max(), groups[column].sum() - n_again)
        is_whole = part["n_rows"] == of_years["n_rows"].sum()
        part["_partly"] = ~is_whole & (not _parts_are_safe(inside, of_years, policy))
        parts.append(part.assign(years=word).reset_index())
    frame = pd.concat(parts, ignore_index=True) if parts else _nothing_looked_at()
    order = {name: at for at, name in enumerate(dict.fromkeys(told["variable"]))}
    frame = frame.sort_values("variable", key=lambda names: names.map(order), kind="stable")
    return _hide_missing(frame.reset_index(drop=True), policy)


def _nothing_looked_at() -> pd.DataFrame:
    """The frame of a table that has no variable to look at."""
    columns = dict.fromkeys([*COUNTED, "_partly"], pd.Series(dtype=int))
    return pd.DataFrame(
        {"variable": pd.Series(dtype=str), **columns, "years": pd.Series(dtype=str)}
    )


def _parts_are_safe(inside: pd.DataFrame, of_years: pd.DataFrame, policy: ReleaseProfile) -> bool:
    """Whether years in which other variables were collected can be subtracted without telling."""
    collected = inside.groupby("_at")["variable"].agg(lambda names: tuple(sorted(names)))
    pattern = pd.Series([collected.get(at, ()) for at in of_years.index], index=of_years.index)
    blocks = of_years.groupby(pattern)
    # Persons may be the same in several years: those of the fullest are surely different ones.
    counts = [*blocks["n_rows"].sum(), *blocks["n_persons"].max()]
    return are_safe(*counts, threshold=policy.threshold)


def _hide_missing(
    frame: pd.DataFrame, policy: ReleaseProfile
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Hide few with or without a value, and all of what was collected in a few rows less."""
    n_known = frame["n_rows"] - frame["n_missing"]
    few = is_small(frame["n_missing"], policy.threshold) | is_small(n_known, policy.threshold)
    for persons, rows in (("n_persons_missing", frame["n_missing"]), ("n_persons_known", n_known)):
        few = few | ((rows > 0) & (frame[persons] < policy.threshold))
    partly = frame["_partly"].astype(bool)
    shown = frame[["variable", "years", "n_rows", "n_missing"]]
    shown, hidden, n_cells = take_out(
        shown, nothing_hidden(shown), rows=few | partly, columns=["n_missing"]
    )
    shown, hidden, n_more = take_out(shown, hidden, rows=partly, columns=["n_rows"])
    n_missing = shown["n_missing"].astype("Float64")
    shown["percent"] = (100 * n_missing / shown["n_rows"].astype("Float64")).round(1)
    shown["is_break"] = find_breaks(shown.rename(columns={"years": "year"})).to_numpy()
    hidden["percent"], hidden["is_break"] = hidden["n_missing"], False
    return shown, hidden, n_cells + n_more


def _judge_deliveries(quality: Quality, policy: ReleaseProfile) -> Judgement:
    """Versions with their rows; few set aside are hidden with what they could be worked out from.

    The newest version's rows kept are those of the years, so that its rows read would tell.
    A version that differs from a newer one by few rows is hidden.
    """
    frame = quality.deliveries.reset_index(drop=True)
    counts = frame[DELIVERED].apply(
        lambda column: whole_counts(column, what=f"the deliveries' {column.name}")
    )
    newest = len(frame) - 1
    few = is_small(counts, policy.threshold).any(axis=1)
    aside = quality.faults["outcome"] == "set aside"
    n_aside = quality.faults.loc[aside, "n_rows"]
    if newest >= 0:
        others = counts["n_rows_set_aside"].iloc[newest] - n_aside
        both = n_aside.sum() - counts["n_rows_set_aside"].iloc[newest]
        # Faults told beside their total: one hidden among them is what is left of it, and what
        # they have too much are rows with two faults.
        few[newest] |= is_small(np.abs([*n_aside, *others, both]), policy.threshold).any()
    told: list[int] = []
    near = np.zeros(len(frame), dtype=bool)
    for at in range(newest, -1, -1):
        own = counts.loc[at, ["n_rows_read", "n_rows_kept"]].tolist()
        apart = [abs(one - other) for one in own for other in told]
        near[at] = bool(is_small(apart, policy.threshold).any())
        told += [] if near[at] else own
    frame, hidden, n_cells = take_out(
        frame, nothing_hidden(frame), rows=few | near, columns=DELIVERED
    )
    return Judgement("deliveries", frame, hidden, hidden_only({"few rows set aside": n_cells}))


def _judge_faults(quality: Quality, n_kept: int, policy: ReleaseProfile) -> Judgement:
    """What was wrong, by rows; hidden where few rows have it, or few have it not."""
    frame = quality.faults.reset_index(drop=True)
    n_rows = whole_counts(frame["n_rows"], what="the faults")
    versions = quality.deliveries["n_rows_set_aside"]
    n_aside = int(versions.iloc[-1]) if len(versions) else 0
    whole = np.where(frame["outcome"] == "set aside", n_aside, n_kept)
    few = is_small(n_rows, policy.threshold) | is_small(np.abs(whole - n_rows), policy.threshold)
    frame, hidden, n_cells = take_out(frame, nothing_hidden(frame), rows=few, columns=["n_rows"])
    return Judgement("faults", frame, hidden, hidden_only({"faults with few rows": n_cells}))


def _judge_repeats(repeats: pd.DataFrame, n_kept: int, policy: ReleaseProfile) -> Judgement:
    """Repeated rows, each kind within the one before it; hidden where few persons have them."""
    told = repeats.reset_index(drop=True)
    n_rows = whole_counts(told["n_rows"], what="the repeats").astype(int)
    n_persons = whole_counts(told["n_persons"], what="the repeats' persons")
    few = is_small(n_rows, policy.threshold) | is_small(n_persons, policy.threshold)
    few = few | is_small(n_kept - n_rows, policy.threshold)
    for wider, narrower in pairwise(range(len(told))):
        few[narrower] |= bool(is_small(n_rows[wider] - n_rows[narrower], policy.threshold))
    frame = told[["check", "n_rows"]]
    frame, hidden, n_cells = take_out(frame, nothing_hidden(frame), rows=few, columns=["n_rows"])
    return Judgement("repeats", frame, hidden, hidden_only({"repeats with few rows": n_cells}))
