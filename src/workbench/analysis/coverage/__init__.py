"""Coverage and reporting lag: which cases the register has, when they came, what is still to come.

sources    two sources linked      formulas   coverage side by side     layers    three layers
bounds     what missing cases do   delays     right truncation          lag       how long it takes
nowcast    cases there will be     attached   coverage beside an indicator
"""

from workbench.analysis.coverage.attached import attach
from workbench.analysis.coverage.bounds import bounds
from workbench.analysis.coverage.formulas import from_counts, judge
from workbench.analysis.coverage.lag import arrival_curve, provisional_years, reporting_lag
from workbench.analysis.coverage.layers import answered, joined, may_show
from workbench.analysis.coverage.nowcast import backlog, nowcast
from workbench.analysis.coverage.sources import compare_sources

__all__ = [
    "answered",
    "arrival_curve",
    "attach",
    "backlog",
    "bounds",
    "compare_sources",
    "from_counts",
    "joined",
    "judge",
    "may_show",
    "nowcast",
    "provisional_years",
    "reporting_lag",
]
