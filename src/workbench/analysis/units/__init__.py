"""Units beside the nation: shares, rates and ratios with limits for chance.

intervals     shares, rates, ratios, means, medians     differences   a unit and the rest
funnels       limits and flags                          overdispersion  what units differ anyway
standardised  direct and indirect                       small_areas   variation between areas
case_mix      observed over expected                 random_intercept  shrunken effects
"""

from workbench.analysis.units.case_mix import case_mix
from workbench.analysis.units.differences import beside_rest, difference
from workbench.analysis.units.funnels import false_discovery, funnel
from workbench.analysis.units.intervals import (
    mean,
    median,
    proportion,
    rate,
    ratio,
    share_of_types,
)
from workbench.analysis.units.random_intercept import random_intercept
from workbench.analysis.units.small_areas import small_areas
from workbench.analysis.units.standardised import direct_standardised, indirect_standardised
from workbench.analysis.units.unit_table import UnitTable

__all__ = [
    "UnitTable",
    "beside_rest",
    "case_mix",
    "difference",
    "direct_standardised",
    "false_discovery",
    "funnel",
    "indirect_standardised",
    "mean",
    "median",
    "proportion",
    "random_intercept",
    "rate",
    "ratio",
    "share_of_types",
    "small_areas",
]
