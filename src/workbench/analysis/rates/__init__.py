"""Rates: person-time by any scales, and what is made of events and person-years."""

from workbench.analysis.rates.comparison import rate_difference, rate_ratio
from workbench.analysis.rates.crude import rate
from workbench.analysis.rates.lexis import person_time, split
from workbench.analysis.rates.poisson_limits import poisson_limits
from workbench.analysis.rates.standardised import (
    direct_standardised,
    homogeneity,
    standardised_ratio,
)
from workbench.analysis.rates.time_scales import Scale, scale

__all__ = [
    "Scale",
    "direct_standardised",
    "homogeneity",
    "person_time",
    "poisson_limits",
    "rate",
    "rate_difference",
    "rate_ratio",
    "scale",
    "split",
    "standardised_ratio",
]
