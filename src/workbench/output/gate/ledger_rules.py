"""The rule for a cohort's ledger: who came in, who was left out and why.

An `out` that is small could also be worked out as the difference of two `in`, so that hiding the
cell would protect nobody. Neighbouring steps are merged instead, from the first step on, until
each merged step puts out 0 or at least the threshold, of rows and of persons alike. What is left
over at the end joins the last merged step. The released ledger therefore still adds up.

Because a merged step is closed as soon as it is safe, each small step in it can still have been
anything from 1 to threshold - 1. When all steps together stay small, only the study population is
shown and every other number is hidden.

Rows are shown only where they stand on enough persons (of thirty rows that leave, all may be one
person's). Of rows set aside at import nobody knows the persons; they are judged by rows.

How many comparison persons a study wanted is known to everybody who reads it: patients times the
number for each. Those who could not be found are therefore a step of their own before the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.cohort.ledger import Ledger
from workbench.errors import DisclosureError
from workbench.output.gate.judgement import (
    Judgement,
    are_safe,
    hidden_only,
    is_small,
    nothing_hidden,
    safe_spans,
    significant,
    take_out,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile

COUNTS = ["n_rows_in", "n_rows_out", "n_persons_in", "n_persons_out"]
CONCERNED = "n_persons_concerned"  # judged by, never shown
NOT_FOUND = "no comparison person alike was found"


def judge_ledger(ledger: Ledger, policy: ReleaseProfile) -> Judgement:
    """Merge steps until each out is 0 or at least the threshold; judge leavers and checks."""
    judged, steps, spans = _judge_steps(ledger.steps, policy, what="study population")
    parts = {
        "leavers": _judge_leavers(ledger, spans, steps, policy),
        "checks": _judge_checks(ledger, judged, policy),
    }
    if ledger.comparison is not None:
        parts["comparison"] = _judge_comparison(ledger, policy)
    return replace(judged, parts=parts)


def _judge_steps(
    given: pd.DataFrame, policy: ReleaseProfile, *, what: str
) -> tuple[Judgement, pd.DataFrame, list[tuple[int, int]]]:
    """The steps as they may be shown, as they were, and which were merged."""
    steps, population = _checked_steps(given)
    n_rows, n_persons = (int(population[f"n_{one}_in"].iloc[0]) for one in ("rows", "persons"))
    if is_small(n_persons, policy.threshold):
        raise DisclosureError(
            f"The {what} has fewer than {policy.threshold} persons, the smallest number "
            f'that profile "{policy.name}" shows. Widen the cohort.'
        )
    spans = safe_spans(
        steps["n_rows_out"].tolist(),
        steps["n_persons_out"].fillna(0).tolist(),
        # A step with many rows of few persons looks for a neighbour, too.
        steps[CONCERNED].where(is_small(steps[CONCERNED], policy.threshold), steps["n_rows_out"]),
        threshold=policy.threshold,
    )
    merged = _merge(steps, spans)
    population = population.assign(step=len(merged) + 1)
    whole = pd.concat([merged, population], ignore_index=True) if len(merged) else population
    safe, hidden, counts = _hide_unsafe(whole.reset_index(drop=True), policy)
    shows_rows = not hidden["n_rows_in"].iloc[-1]
    counts = {"ledger steps merged with a neighbour": len(steps) - len(spans), **counts}
    notes = []
    if len(spans) < len(steps):
        notes.append(
            f"Steps that left out fewer than {policy.threshold} persons or rows are shown together "
            "with a neighbouring step."
        )
    if not shows_rows or hidden["n_persons_in"].any():
        notes.append("Numbers from which a small number could be worked out are hidden.")
    facts = {"n_rows": n_rows if shows_rows else None, "n_persons": n_persons}
    judged = Judgement("ledger", safe, hidden, hidden_only(counts), tuple(notes), facts)
    return judged, steps, spans


def _checked_steps(steps: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The steps that leave somebody out and the study population, in whole counts that add up.

    Persons may be missing in the first step: of rows set aside at import nobody knows how many
    persons they are.
    """
    checked = steps.reindex(columns=["step", "reason", *COUNTS, CONCERNED]).reset_index(drop=True)
    for column in COUNTS:
        known = checked[column].notna()
        known.iloc[1:] = True
        whole_counts(checked.loc[known, column], what=f"the ledger's {column}")
        checked[column] = checked[column].astype("Int64")
    for what in ("rows", "persons"):
        left = checked[f"n_{what}_in"] - checked[f"n_{what}_out"]
        follows = left.shift(1).eq(checked[f"n_{what}_in"]).fillna(True).iloc[1:].all()
        if not follows or (left < 0).any() or (checked[f"n_{what}_out"].iloc[-1:] != 0).any():
            raise DisclosureError(
                f"The ledger's {what} do not add up to a study population that nobody leaves, so "
                "the gate cannot judge it. Make the ledger with workbench.analysis.cohort."
            )
    if checked.empty:
        raise DisclosureError("The ledger has no steps, so there is nothing to release.")
    checked[CONCERNED] = _concerned(checked)
    return checked.iloc[:-1], checked.iloc[-1:].reset_index(drop=True)


def _concerned(checked: pd.DataFrame) -> pd.Series:
    """Persons behind the rows of each step; where nobody counted them, the least they can be."""
    told = pd.to_numeric(checked[CONCERNED]).astype("Float64")
    rows, persons = checked["n_rows_out"], checked["n_persons_out"]
    told = told.mask(rows.eq(persons).fillna(False), persons)
    told = told.mask(told.isna() & persons.isna(), rows)  # set aside at import
    # Who leaves has a row there; where nobody does, one person's rows may be all.
    return told.fillna(persons.where(persons > 0, rows.clip(upper=1))).astype(int)


def _merge(steps: pd.DataFrame, spans: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """One row a span; reasons joined, outs added, ins taken from the span's first step."""
    rows = []
    for number, (first, end) in enumerate(spans, start=1):
        inside = steps.iloc[first:end]
        row = {"step": number, "reason": "; ".join(dict.fromkeys(inside["reason"]))}
        for what in ("rows", "persons"):
            row[f"n_{what}_in"] = inside[f"n_{what}_in"].iloc[0]
            row[f"n_{what}_out"] = inside[f"n_{what}_out"].sum(skipna=False)
        # One person may have rows in several steps, but leaves in one only.
        n_left = int(inside["n_persons_out"].fillna(0).sum())
        rows.append(row | {CONCERNED: max(n_left, int(inside[CONCERNED].max()))})
    merged = pd.DataFrame(rows, columns=["step", "reason", *COUNTS, CONCERNED])
    return merged.astype(dict.fromkeys(COUNTS, "Int64"))


def _hide_unsafe(
    merged: pd.DataFrame, policy: ReleaseProfile
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Hide what merging could not mend: all before the population, or rows beside persons."""
    concerned, merged = merged[CONCERNED], merged.drop(columns=CONCERNED)
    hidden, counts = nothing_hidden(merged), {}
    floats = merged[COUNTS].astype("Float64").fillna(0).astype(float)
    if is_small(floats[["n_rows_out", "n_persons_out"]], policy.threshold).any():
        before = merged.index < len(merged) - 1
        merged, hidden, n_cells = take_out(merged, hidden, rows=before, columns=COUNTS)
        counts["all steps together left out too few: only the study population is shown"] = n_cells
        floats = floats.iloc[-1:]
    # Rows beyond one a person tell how many persons can have more than one row.
    known = merged["n_persons_in"].notna().loc[floats.index]
    spare_in = (floats["n_rows_in"] - floats["n_persons_in"])[known]
    spare_out = (floats["n_rows_out"] - floats["n_persons_out"])[known]
    gaps = [spare_in, spare_out, spare_in - spare_out]
    few = is_small(concerned.loc[floats.index], policy.threshold).any()
    if few or any(is_small(gap.abs(), policy.threshold).any() for gap in gaps):
        rows_columns = ["n_rows_in", "n_rows_out"]
        everything = pd.Series(True, index=merged.index)
        merged, hidden, n_cells = take_out(merged, hidden, rows=everything, columns=rows_columns)
        counts["number of rows that few persons have more than one of"] = n_cells
    return merged, hidden, counts


def _judge_leavers(
    ledger: Ledger, spans: Sequence[tuple[int, int]], steps: pd.DataFrame, policy: ReleaseProfile
) -> Judgement:
    """Profiles of those left out, for steps shown alone and variables whose every cell is safe."""
    leavers = ledger.leavers.reset_index(drop=True)
    alone = {
        steps["step"].iloc[first]: (number, int(steps["n_persons_out"].fillna(0).iloc[first]))
        for number, (first, end) in enumerate(spans, start=1)
        if end == first + 1
    }
    kept = []
    blocks = leavers.groupby(["step", "variable"], sort=False, dropna=False)
    for (step, _variable), block in blocks:
        number, n_out = alone.get(step, (0, 0))
        if n_out >= policy.threshold and _block_is_safe(block, n_out, policy):
            kept.append(block.assign(step=number))
    shown = pd.concat(kept, ignore_index=True) if kept else leavers.iloc[:0].copy()
    shown["mean"] = significant(shown["mean"], digits=policy.significant_digits)
    counts = {"profiles of persons left out": blocks.ngroups - len(kept)}
    return Judgement("leavers", shown, nothing_hidden(shown), hidden_only(counts))


def _block_is_safe(block: pd.DataFrame, n_out: int, policy: ReleaseProfile) -> bool:
    """Whether levels, missing and what neither names are each 0 or at least the threshold."""
    levels = whole_counts(block["n"], what="the numbers of persons left out").tolist()
    n_missing = int(whole_counts(block["n_missing"], what="the numbers missing").max())
    unnamed = n_out - sum(levels) - n_missing
    if unnamed < 0:
        return False
    return are_safe(*levels, n_missing, unnamed, threshold=policy.threshold)


def _judge_checks(ledger: Ledger, judged: Judgement, policy: ReleaseProfile) -> Judgement:
    """Counts of impossible orders of dates and the like; hidden where few have it or have not."""
    checks = ledger.checks.reset_index(drop=True)
    n_rows = whole_counts(checks["n_rows"], what="the ledger's checks")
    small = is_small(n_rows, policy.threshold)
    if "n_persons" in checks:  # missing where what is counted is as good as persons
        small = small | is_small(checks["n_persons"], policy.threshold)
    else:
        small = small | (n_rows > 0)
    shown_totals = judged.frame[["n_rows_in", "n_persons_in"]].to_numpy(float, na_value=np.nan)
    for known in shown_totals[~np.isnan(shown_totals)]:
        small = small | is_small(np.abs(known - n_rows), policy.threshold)
    shown = checks[["check", "n_rows"]]
    shown, hidden, n_cells = take_out(shown, nothing_hidden(shown), rows=small, columns=["n_rows"])
    counts = {"checks with few rows": n_cells}
    return Judgement("checks", shown, hidden, hidden_only(counts))


def _judge_comparison(ledger: Ledger, policy: ReleaseProfile) -> Judgement:
    """The steps of comparison persons, from those wanted; nothing that tells how few were short."""
    drawn = ledger.comparison.reset_index(drop=True)
    n_drawn = int(drawn["n_rows_in"].iloc[0])
    patients = ledger.steps.iloc[-1]
    n_wanted = ledger.n_wanted
    if n_wanted is not None:
        drawn = pd.concat([_not_found(n_wanted, n_drawn, ledger.n_short), drawn], ignore_index=True)
    else:  # nobody told; the reader may still know: it is a multiple of the patients
        n_patients = int(patients["n_rows_in"])
        n_wanted = -(-n_drawn // n_patients) * n_patients
    judged, _, _ = _judge_steps(drawn, policy, what="group of comparison persons")
    frame, hidden, n_hidden = judged.frame, judged.hidden, 0
    if ledger.n_wanted is None:
        before = frame.index < len(frame) - 1
        frame, hidden, n_hidden = take_out(frame, hidden, rows=before, columns=COUNTS)
    for what in ("rows", "persons"):
        known = frame[f"n_{what}_in"]
        gaps = [*(n_wanted - known.dropna()), *_both_groups(ledger, known.iloc[-1])]
        if is_small(np.abs(gaps), policy.threshold).any():
            columns = [f"n_{what}_in", f"n_{what}_out"]
            frame, hidden, n_cells = take_out(frame, hidden, rows=True, columns=columns)
            n_hidden += n_cells
    counts = {**judged.hidden_counts, "numbers from which few comparison persons follow": n_hidden}
    facts = {
        f"n_{what}": None if hidden[f"n_{what}_in"].iloc[-1] else judged.facts[f"n_{what}"]
        for what in ("rows", "persons")
    }
    return replace(
        judged, frame=frame, hidden=hidden, hidden_counts=hidden_only(counts), facts=facts
    )


def _not_found(n_wanted: int, n_drawn: int, n_short: int | None) -> pd.DataFrame:
    """The comparison persons who could not be found, as a step; of no one nobody knows who."""
    if n_wanted < n_drawn:
        raise DisclosureError(
            "The ledger has more comparison persons than were wanted, so it cannot be judged. "
            "Make the cohort again."
        )
    short = n_wanted - n_drawn
    step = {
        "step": 0, "reason": NOT_FOUND, "n_rows_in": n_wanted, "n_rows_out": short,
        "n_persons_in": pd.NA, "n_persons_out": pd.NA,
        CONCERNED: min(short, 1) if n_short is None else n_short,
    }  # fmt: skip
    return pd.DataFrame([step]).astype(dict.fromkeys([*COUNTS, CONCERNED], "Int64"))


def _both_groups(ledger: Ledger, n_compared: Any) -> list[int]:
    """How many are patient and comparison person, as the link report's cohort tells."""
    if ledger.links is None or pd.isna(n_compared):
        return []
    n_cohort = int(ledger.links.matches.groupby("table")["n_cohort"].sum().max())
    return [int(ledger.steps["n_persons_in"].iloc[-1]) + int(n_compared) - n_cohort]
