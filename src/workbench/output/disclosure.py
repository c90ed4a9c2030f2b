"""Decide what may leave the secure room.

`release` is the only way from a result to something that can be written. Each kind of result has
its rule in a module of `gate`, the reasons with it. Anything else is refused: there is no "off".
The limits come from the release profile, never from this room.

Tables of counts are judged together with those released before them (`beside`). What other results
tell together (a model's n beside a curve's, one cohort inside another) is not judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from workbench.errors import DisclosureError
from workbench.output.gate.joint_counts import ShownCounts
from workbench.output.gate.judges import judge
from workbench.output.gate.net_rules import judge_net_at
from workbench.output.gate.readings import judge_reading, overview_of
from workbench.output.gate.seals import (
    HIDDEN,
    MISSING,
    PART_TITLES,
    Released,
    count_hidden,
    counts_behind,
    kinds_of,
    require_released,
    rules_of,
    seal,
    seal_figure,
)
from workbench.output.gate.survival_rules import (
    judge_quantiles,
    judge_restricted_mean,
    judge_survival_at,
)
from workbench.registers.profiles import ReleaseProfile

__all__ = [
    "HIDDEN",
    "MISSING",
    "PART_TITLES",
    "Released",
    "count_hidden",
    "kinds_of",
    "make_figure",
    "release",
    "release_at_times",
    "release_overview",
    "release_quantiles",
    "release_reading",
    "release_restricted_mean",
    "require_released",
]


def release(
    result: object,
    policy: ReleaseProfile,
    *,
    title: str,
    at_risk: pd.DataFrame | None = None,
    beside: Sequence[Released] = (),
    earlier: Sequence[ShownCounts] = (),
) -> Released:
    """Take out of a result what could point at a person, and seal the rest.

    Parameters
    ----------
    result
        A cohort's `Ledger`, a `survival.LogRank`, a `regression.CoxFit`, or the frame of
        `description.table_one` or `survival.kaplan_meier` (made without `times`).
    policy
        The data owner's release profile.
    title
        What the result shows, as it will stand above it.
    at_risk
        With a curve only: the frame of `survival.number_at_risk` for the same persons. It is
        judged together with the curve and becomes its part "at_risk".
    beside
        Results released before, which readers of this one will hold as well. A table of counts
        minds the tables it shares sums with: what they show is known, and what they hide stays
        hidden.
    earlier
        Counts of releases that have left, as `earlier_counts.read_counts` gives them: minded in
        the same way, and no small difference to them is told.

    Raises
    ------
    DisclosureError
        The gate cannot judge this, or nothing of it may be shown; says what to do.
    """
    if type(policy) is not ReleaseProfile:
        raise DisclosureError("policy: expected a release profile, as load_profile gives it.")
    if type(result) is Released:
        raise DisclosureError("This has been released already; use it as it is.")
    known = [*counts_behind(beside), *earlier]
    judgement = judge(result, policy, at_risk=at_risk, title=title, beside=known)
    return seal(judgement, policy.name, rules_of(policy), title)


def release_quantiles(curve: Released, *, title: str, q: float | Sequence[float] = 0.5) -> Released:
    """Read when a share of persons has had the event off a released curve (0.5: the median).

    Nothing new is told, so nothing can leak. One row per group and share: the columns of `by`, q,
    estimate, lower, upper, and between which times the exact one lies: earliest, latest.
    """
    require_released(curve, "survival_curve")
    shares = [float(share) for share in ([q] if isinstance(q, (int, float)) else q)]
    judgement = judge_quantiles(
        curve.frame, curve.facts["by"], shares, distance=curve.facts["distance"]
    )
    return seal(judgement, curve.profile, curve.rules, title)


def release_at_times(curve: Released, *, title: str, times: Sequence[float]) -> Released:
    """Read survival or incidence at given times off a released curve: its last step until then.

    Nothing new is told, so nothing can leak. One row per group and time: the columns of `by`,
    time, estimate, lower, upper; missing past a group's last shown time.
    """
    require_released(curve, "survival_curve", "incidence_curve", "net_survival")
    if curve.kind == "net_survival":
        judgement = judge_net_at(curve.frame, curve.facts["by"], times)
        return seal(judgement, curve.profile, curve.rules, title)
    start = curve.facts.get("start", 1.0)
    judgement = judge_survival_at(curve.frame, curve.facts["by"], times, start=start)
    return seal(judgement, curve.profile, curve.rules, title)


def release_restricted_mean(curve: Released, *, title: str, horizon: float) -> Released:
    """Read the mean time without the event until `horizon` off a released survival curve.

    Nothing new is told, so nothing can leak. One row per group: the columns of `by`, estimate,
    std_error, lower, upper, in the unit of the curve's time.
    """
    require_released(curve, "survival_curve")
    judgement = judge_restricted_mean(curve.frame, curve.facts["by"], horizon)
    return seal(judgement, curve.profile, curve.rules, title)


def release_reading(counts: Released, reading: str, *, title: str, **options: Any) -> Released:
    """Make shares, limits, levels or trends of a released table of counts, from what it shows.

    `reading` is "shares" (options green, yellow, direction, minimum), "funnel", "ratios" (counts
    with expected), "effects", "trends" (by unit and year; option direction), "composition" (by unit
    and kind), "coverage", "overview" and "changes" (of many indicators by region, or by region and
    year; limits as "indicator|direction"). Nothing new is told, so nothing can leak.
    """
    require_released(counts, "counts")
    judgement = judge_reading(
        reading, counts.frame, counts.hidden, counts.facts, counts.notes, options,
        decimals=int(counts.rules["decimals"]), fewest=int(counts.rules["minimum_denominator"]),
    )  # fmt: skip
    behind = counts_behind([counts])
    return seal(judgement, counts.profile, counts.rules, title, behind)


def release_overview(shares: Mapping[str, Released], *, title: str) -> Released:
    """Put released shares of several indicators into one table, as they are: nothing new is told.

    One row per indicator (the key of `shares`) and group, with level and how sure it is; all are
    shares of the same groups.
    """
    if not shares:
        raise DisclosureError("There are no released shares to put together.")
    for one in shares.values():
        require_released(one, "shares")
    first = next(iter(shares.values()))
    judgement = overview_of({name: (one.frame, one.facts) for name, one in shares.items()})
    behind = counts_behind(list(shares.values()))
    return seal(judgement, first.profile, first.rules, title, behind)


def make_figure(
    *sources: Released, title: str, files: Mapping[str, bytes], alternative_text: str
) -> Released:
    """Seal pictures drawn from released results; the figure inherits what they hide and say."""
    return seal_figure(sources, title, files, alternative_text)
