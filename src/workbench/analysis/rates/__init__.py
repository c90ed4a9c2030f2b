"""Rates: person-time by any scales, and what is made of events and person-years."""

from workbench.analysis.rates.lexis import person_time, split
from workbench.analysis.rates.rate_tables import (
    direct_standardised,
    rate,
    rate_ratio,
    standardised_ratio,
)
from workbench.analysis.rates.time_scales import Scale, scale

__all__ = [
    "Scale",
    "direct_standardised",
    "person_time",
    "rate",
    "rate_ratio",
    "scale",
    "split",
    "standardised_ratio",
]
