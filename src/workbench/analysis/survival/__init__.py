"""Survival from counts: curves, quantiles, means, numbers at risk, and tests between groups."""

from workbench.analysis.survival.comparison import LogRank, logrank, pairwise_logrank
from workbench.analysis.survival.curves import fleming_harrington, kaplan_meier, nelson_aalen
from workbench.analysis.survival.landmarks import conditional_survival, landmark
from workbench.analysis.survival.means import restricted_mean, restricted_mean_contrast
from workbench.analysis.survival.quantile_times import quantiles
from workbench.analysis.survival.readings import number_at_risk

__all__ = [
    "LogRank",
    "conditional_survival",
    "fleming_harrington",
    "kaplan_meier",
    "landmark",
    "logrank",
    "nelson_aalen",
    "number_at_risk",
    "pairwise_logrank",
    "quantiles",
    "restricted_mean",
    "restricted_mean_contrast",
]
