"""The rule for a cohort's ledger: who came in, who was left out and why.

An `out` that is small could also be worked out as the difference of two `in`, so that hiding the
cell would protect nobody. Neighbouring steps are merged instead, from the first step on, until
each merged step puts out 0 or at least the threshold, of rows and of persons alike. What is left
over at the end joins the last merged step. The released ledger therefore still adds up.

Because a merged step is closed as soon as it is safe, each small step in it can still have been
anything from 1 to threshold - 1. When all steps together stay small, only the study population is
shown and every other number is hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from workbench.analysis.cohort.ledger import Ledger
from workbench.errors import DisclosureError
from workbench.output.judgement import (
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


def judge_ledger(ledger: Ledger, policy: ReleaseProfile) -> Judgement:
    """Merge steps until each out is 0 or at least the threshold; judge leavers and checks."""
    judged, steps, spans = _judge_steps(ledger.steps, policy, what="study population")
    parts = {
        "leavers": _judge_leavers(ledger, spans, steps, policy),
        "checks": _judge_checks(ledger, policy),
    }
    if ledger.comparison is not None:
        parts["comparison"], _, _ = _judge_steps(
            ledger.comparison, policy, what="group of comparison persons"
        )
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
    checked = steps[["step", "reason", *COUNTS]].reset_index(drop=True)
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
    return checked.iloc[:-1], checked.iloc[-1:].reset_index(drop=True)


def _merge(steps: pd.DataFrame, spans: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """One row a span; reasons joined, outs added, ins taken from the span's first step."""
    rows = []
    for number, (first, end) in enumerate(spans, start=1):
        inside = steps.iloc[first:end]
        row = {"step": number, "reason": "; ".join(dict.fromkeys(inside["reason"]))}
        for what in ("rows", "persons"):
            row[f"n_{what}_in"] = inside[f"n_{what}_in"].iloc[0]
            row[f"n_{what}_out"] = inside[f"n_{what}_out"].sum(skipna=False)
        rows.append(row)
    merged = pd.DataFrame(rows, columns=["step", "reason", *COUNTS])
    return merged.astype(dict.fromkeys(COUNTS, "Int64"))


def _hide_unsafe(
    merged: pd.DataFrame, policy: ReleaseProfile
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Hide what merging could not mend: all before the population, or rows beside persons."""
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
    if any(is_small(gap.abs(), policy.threshold).any() for gap in gaps):
        rows_columns = ["n_rows_in", "n_rows_out"]
        everything = pd.Series(True, index=merged.index)
        merged, hidden, n_cells = take_out(merged, hidden, rows=everything, columns=rows_columns)
        counts["number of rows beside nearly the same number of persons"] = n_cells
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


def _judge_checks(ledger: Ledger, policy: ReleaseProfile) -> Judgement:
    """Counts of impossible orders of dates and the like; small ones hidden."""
    checks = ledger.checks.reset_index(drop=True)
    small = is_small(whole_counts(checks["n_rows"], what="the ledger's checks"), policy.threshold)
    shown, hidden, n_cells = take_out(
        checks, nothing_hidden(checks), rows=small, columns=["n_rows"]
    )
    counts = {"checks with few rows": n_cells}
    return Judgement("checks", shown, hidden, hidden_only(counts))
