"""What a register learns of, and when: coverage and delay by region and sub-register.

A case is ever reported with a chance that depends on register, sub-register and region; if so, on
the day of the event plus a log-normal delay. A report after the last day is not in the file yet, so
that recent years are incomplete, most of all where reports are slow. One region has too few hands:
it reports fewer cases and takes much longer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.chance import Numbers, Places, log_normal_days, logistic, stream
from workbench.data.invent.days import NEVER, Days
from workbench.data.invent.places import CODES

# Share ever reported in a region like most, median delay in days, spread of its logarithm.
REPORTS: dict[tuple[str, str], tuple[float, float, float]] = {
    ("cancer", "tumours"): (0.975, 55, 0.8),
    ("renal", "starts"): (0.965, 40, 0.8),
    ("blood_cancer", "lymphoma"): (0.95, 55, 0.9),
    ("blood_cancer", "myeloma"): (0.86, 110, 0.9),
    ("blood_cancer", "mpn"): (0.82, 150, 1.0),
    ("blood_cancer", "cll"): (0.88, 120, 0.9),
    ("blood_cancer", "aml"): (0.93, 80, 0.9),
    ("blood_cancer", "all"): (0.94, 80, 0.9),
    ("blood_cancer", "mds"): (0.80, 160, 1.0),
    ("blood_cancer", "cml"): (0.92, 90, 0.9),
    ("palliative", "nursing home"): (0.80, 14, 1.0),
    ("palliative", "short-term care"): (0.72, 16, 1.0),
    ("palliative", "palliative ward"): (0.94, 8, 0.8),
    ("palliative", "palliative home care"): (0.93, 8, 0.8),
    ("palliative", "hospital ward"): (0.42, 30, 1.2),
    ("palliative", "home care"): (0.50, 25, 1.1),
    ("vascular", "CAR"): (0.95, 45, 0.9),
    ("vascular", "AAA"): (0.94, 50, 0.9),
    ("vascular", "LEG"): (0.89, 75, 1.0),
    ("vascular", "POP"): (0.92, 55, 0.9),
}
REGION_SPREAD = 0.3  # standard deviation of a region's log-odds of reporting, in each register
DELAY_SPREAD = 0.15  # standard deviation of the logarithm of a region's median delay
SLOW_REGION = "21"
SLOW_LOG_ODDS, SLOW_TIMES = -0.9, 4.0  # on coverage; times the median delay


@dataclass(frozen=True)
class Reporting:
    """How one sub-register is reported to, by region (a place in CODES)."""

    coverage: Numbers
    median_days: Numbers
    spread: float


@dataclass(frozen=True)
class Capture:
    """What became of cases: when each was reported, and whether it is in the file."""

    registered: Days  # NEVER: never reported
    is_there: NDArray[np.bool_]  # reported by the last day


def reporting(register: str, sub_register: str, seed: int) -> Reporting:
    """Coverage and delay of a sub-register in every region."""
    coverage, median, spread = REPORTS[register, sub_register]
    chance = stream(seed, f"regions that report to {register}")
    log_odds = np.log(coverage / (1 - coverage)) + REGION_SPREAD * chance.standard_normal(
        len(CODES)
    )
    days = median * np.exp(DELAY_SPREAD * chance.standard_normal(len(CODES)))
    slow = np.array([code == SLOW_REGION for code in CODES])
    return Reporting(
        coverage=logistic(log_odds + SLOW_LOG_ODDS * slow),
        median_days=np.where(slow, median * SLOW_TIMES, days),
        spread=spread,
    )


def capture(
    chance: np.random.Generator,
    rules: Reporting,
    region: Places,
    day: Days,
    *,
    last_day: int,
    times: Numbers | float = 1.0,
) -> Capture:
    """Decide which cases are reported; `times` lowers the coverage of some."""
    n = len(day)
    reported = chance.random(n) < rules.coverage[region] * times
    delay = log_normal_days(chance, rules.median_days[region], rules.spread, n)
    registered = np.where(reported, day + delay, NEVER).astype(np.int32)
    return Capture(registered, registered <= last_day)


def stated(seed: int) -> dict[str, object]:
    """Coverage and delay as they are written into the truth."""
    return {
        "rule": "reported with chance coverage; on the day of the event + a log-normal delay",
        "slow_region": SLOW_REGION,
        "registers": {
            f"{register}: {sub}": {
                "log_spread_of_delay": rules.spread,
                "coverage": _by_region(rules.coverage, 4),
                "median_delay_days": _by_region(rules.median_days, 1),
            }
            for register, sub in REPORTS
            for rules in [reporting(register, sub, seed)]
        },
    }


def _by_region(values: Numbers, decimals: int) -> dict[str, float]:
    return {code: round(float(value), decimals) for code, value in zip(CODES, values, strict=True)}
