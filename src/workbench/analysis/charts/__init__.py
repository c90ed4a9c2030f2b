"""Charts over time: is a change more than chance?

control      XmR, I, P, P', U, U', G charts       runs        run charts by Anhoej's rules
sequential   CUSUM and VLAD, patient by patient    trend       arrows with evidence
icons        a line a chart                        signals     the NHS rules
before_after an improvement project: the change and its difference
"""

from workbench.analysis.charts.before_after import BeforeAfter, before_after
from workbench.analysis.charts.control import (
    g_chart,
    i_chart,
    p_chart,
    p_prime,
    u_chart,
    u_prime,
    xmr,
)
from workbench.analysis.charts.icons import icons
from workbench.analysis.charts.runs import run_chart, run_limits
from workbench.analysis.charts.sequential import cusum, cusum_limit, run_length
from workbench.analysis.charts.trend import trend

__all__ = [
    "BeforeAfter",
    "before_after",
    "cusum",
    "cusum_limit",
    "g_chart",
    "i_chart",
    "icons",
    "p_chart",
    "p_prime",
    "run_chart",
    "run_length",
    "run_limits",
    "trend",
    "u_chart",
    "u_prime",
    "xmr",
]
