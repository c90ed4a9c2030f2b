"""Survival from counts: curves, quantiles, numbers at risk, and tests between groups."""

from workbench.analysis.survival.kaplan_meier import (
    LogRank,
    kaplan_meier,
    logrank,
    number_at_risk,
    quantiles,
)

__all__ = ["LogRank", "kaplan_meier", "logrank", "number_at_risk", "quantiles"]
