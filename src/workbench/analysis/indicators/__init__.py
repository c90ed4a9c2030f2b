"""Quality indicators: rows marked, counted on every level, and put against their targets.

marks         which rows count                 aggregation   all units, levels and years
levels        high, moderate, low, how sure    nation        the nation and the rest beside a unit
overviews     many registers in one table      survival_indicators   survival at a time
"""

from workbench.analysis.indicators.aggregation import aggregate
from workbench.analysis.indicators.levels import level, level_of_estimate
from workbench.analysis.indicators.marks import mark
from workbench.analysis.indicators.nation import beside_nation
from workbench.analysis.indicators.overviews import overview
from workbench.analysis.indicators.survival_indicators import survival_at

__all__ = [
    "aggregate",
    "beside_nation",
    "level",
    "level_of_estimate",
    "mark",
    "overview",
    "survival_at",
]
