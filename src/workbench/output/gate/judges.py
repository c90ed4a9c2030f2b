"""Which rule judges which result; a result without a rule is refused, with what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from workbench.analysis.cohort.ledger import Ledger
from workbench.analysis.cohort.link_report import LinkReport
from workbench.analysis.competing import FineGrayFit, GrayTest
from workbench.analysis.count_table import CountTable
from workbench.analysis.description import COLUMNS as TABLE_ONE
from workbench.analysis.quality import Quality
from workbench.analysis.regression import CoxFit
from workbench.analysis.standing import Standing
from workbench.analysis.survival import LogRank
from workbench.errors import DisclosureError
from workbench.output.gate.count_rules import judge_counts
from workbench.output.gate.incidence_rules import INCIDENCE, judge_incidence
from workbench.output.gate.joint_counts import ShownCounts
from workbench.output.gate.judgement import Judgement
from workbench.output.gate.lag_rules import LagTable, NowcastTable, judge_lag, judge_nowcast
from workbench.output.gate.ledger_rules import judge_ledger
from workbench.output.gate.link_rules import judge_links
from workbench.output.gate.model_rules import (
    PROPORTIONAL_HAZARDS,
    judge_cox,
    judge_proportional_hazards,
    judge_test,
)
from workbench.output.gate.net_rules import BESIDE, NET, judge_net
from workbench.output.gate.prom_rules import PromTable, judge_prom
from workbench.output.gate.quality_rules import judge_quality
from workbench.output.gate.rounding import in_rounded_counts
from workbench.output.gate.standing_rules import judge_standing
from workbench.output.gate.survival_rules import AT_RISK, CURVE, judge_curve
from workbench.output.gate.table_one_rules import judge_table_one
from workbench.registers.profiles import ReleaseProfile

AT_RISK_ALONE = "at_risk goes with a survival curve only. Leave it out."

RULES: dict[type, Callable[[Any, ReleaseProfile], Judgement]] = {
    Ledger: judge_ledger,
    LinkReport: judge_links,
    Quality: judge_quality,
    LogRank: judge_test,
    GrayTest: judge_test,
    CoxFit: judge_cox,
    FineGrayFit: judge_cox,
    LagTable: judge_lag,
    NowcastTable: judge_nowcast,
    PromTable: judge_prom,
}


def judge(
    result: object, policy: ReleaseProfile, *, at_risk: pd.DataFrame | None = None,
    title: str = "", beside: Sequence[ShownCounts] = (),
) -> Judgement:  # fmt: skip
    """Judge a result by the rule of its kind; tables of counts with regard to those `beside`.

    Raises
    ------
    DisclosureError
        No rule knows this result, or its rule shows nothing of it.
    """
    judged = _judge(result, policy, at_risk, title, beside)
    return in_rounded_counts(judged, policy)


def _judge(
    result: object, policy: ReleaseProfile, at_risk: pd.DataFrame | None, title: str,
    beside: Sequence[ShownCounts],
) -> Judgement:  # fmt: skip
    if isinstance(result, Standing):
        return judge_standing(result, policy)
    if isinstance(result, pd.DataFrame):
        return _judge_frame(result, policy, at_risk)
    if at_risk is not None:
        raise DisclosureError(AT_RISK_ALONE)
    if isinstance(result, CountTable):
        return judge_counts(result, policy, title=title, beside=beside)
    for kind, rule in RULES.items():
        if isinstance(result, kind):
            return rule(result, policy)
    raise DisclosureError(
        f"The gate cannot judge a {type(result).__name__}. Release the result it was made from, "
        "and draw from that."
    )


def _judge_frame(
    frame: pd.DataFrame, policy: ReleaseProfile, at_risk: pd.DataFrame | None
) -> Judgement:
    if _ends_with(frame, CURVE):
        return judge_curve(frame, policy, at_risk=at_risk)
    if at_risk is not None:
        raise DisclosureError(AT_RISK_ALONE)
    if _ends_with(frame, INCIDENCE):
        return judge_incidence(frame, policy)
    if _ends_with(frame, NET) or _ends_with(frame, [*NET, *BESIDE]):
        return judge_net(frame, policy)
    if frame.columns.tolist() == PROPORTIONAL_HAZARDS:
        return judge_proportional_hazards(frame, policy)
    if frame.columns.tolist() == TABLE_ONE:
        return judge_table_one(frame, policy)
    raise DisclosureError(_advice(frame))


def _ends_with(frame: pd.DataFrame, columns: Sequence[str]) -> bool:
    return bool(frame.columns.tolist()[-len(columns) :] == list(columns))


def _advice(frame: pd.DataFrame) -> str:
    if _ends_with(frame, AT_RISK):
        return (
            "Numbers at risk subtract from their curve, so both are judged together: "
            "release(curve, policy, title=..., at_risk=at_risk)."
        )
    if {"q", "estimate", "lower", "upper"} <= set(frame.columns):
        return (
            "A quantile is one person's time. Read it off the released curve instead: "
            "release_quantiles(curve, title=..., q=0.5)."
        )
    return (
        "The gate cannot judge a frame with these columns. It knows those of "
        "description.table_one, survival.kaplan_meier, competing.cumulative_incidence and "
        "relative.net_survival; rows of persons never leave."
    )
