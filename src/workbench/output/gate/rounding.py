"""Rounding of counts where a profile asks for it: in every number of persons, or not at all.

A number that was worked out from exact counts (a step of a curve, a share) would tell what the
rounding hides. It is worked out again from rounded counts, taken out, or the result is refused.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from workbench.errors import DisclosureError
from workbench.output.gate.judgement import Judgement, round_counts, take_out
from workbench.registers.profiles import ReleaseProfile

COUNTS = ("n", "events", "observed", "competing_events")  # and whatever begins with "n_"
OWN_ROUNDING = ("counts",)  # rounded by their rule, and read off that
EXACT = {"table_one": ["standardised_difference"], "logrank": ["observed", "expected"]}
EXACT["gray"] = EXACT["logrank"]
ROUNDED = (
    "ledger", "leavers", "checks", "comparison", "table_one", "cox", "fine_gray", "logrank", "gray",
    "proportional_hazards",
)  # fmt: skip


def in_rounded_counts(judgement: Judgement, policy: ReleaseProfile) -> Judgement:
    """The judgement with its counts rounded as the profile says.

    Raises
    ------
    DisclosureError
        Its numbers were worked out from exact counts.
    """
    if policy.rounding == "none" or judgement.kind in OWN_ROUNDING:
        return judgement
    if judgement.kind not in ROUNDED:
        raise DisclosureError(
            f'Profile "{policy.name}" rounds counts, and a {judgement.kind.replace("_", " ")} is '
            "worked out from exact ones. Leave it out, or ask the data owner for a profile without "
            "rounding."
        )
    frame, hidden, n_cells = take_out(
        judgement.frame, judgement.hidden, rows=[True] * len(judgement.frame),
        columns=[one for one in EXACT.get(judgement.kind, []) if one in judgement.frame],
    )  # fmt: skip
    for name in frame:
        if _is_count(str(name)) and pd.api.types.is_integer_dtype(frame[name]):
            frame[name] = round_counts(frame[name], policy)
    if "percent" in frame:
        missing = frame["n_missing"].where(frame["kind"] != "missing", 0)
        known = frame["n_group"] - missing  # the missing are told as a share of all
        share = (100 * frame["n"] / known.where(known > 0)).astype(float)
        places = max(policy.decimals - 2, 0)
        frame["percent"] = share.clip(upper=100).round(places).where(frame["percent"].notna())
    facts = {
        name: int(round_counts([value], policy)[0])
        if _is_count(name) and isinstance(value, int)
        else value
        for name, value in judgement.facts.items()
    }
    reasons = dict(judgement.hidden_counts)
    if n_cells:
        reasons["numbers that exact counts follow from"] = n_cells
    note = f"Counts are rounded ({policy.rounding}), so that parts need not add up."
    parts = {name: in_rounded_counts(part, policy) for name, part in judgement.parts.items()}
    return replace(
        judgement, frame=frame, hidden=hidden, hidden_counts=reasons, facts=facts, parts=parts,
        notes=(*judgement.notes, note),
    )  # fmt: skip


def _is_count(name: str) -> bool:
    return name in COUNTS or name.startswith("n_")
