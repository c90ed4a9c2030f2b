"""How often the nowcast's 95 % interval holds the number that is reported in the end.

Simulated years of a register: cases at random days, log-normal delays, the year looked at on its
last day and half a year later. With a lag that stays, and with one that doubles over the years,
then with all reports and with those of the last year alone. Shares, not times.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from workbench.analysis import coverage

WITHIN, YEARS, SPREAD = 730, 5, 0.9


def years_of(draw: np.random.Generator, a_year: int, median: float, growth: float) -> pd.DataFrame:
    """Cases of five years with the day of the report; the median lag grows over the years."""
    n = draw.poisson(a_year * YEARS)
    day = draw.integers(0, 365 * YEARS, n)
    now = median * growth ** (day / (365 * YEARS))
    delay = np.minimum(np.exp(np.log(now) + SPREAD * draw.standard_normal(n)), WITHIN)
    start = pd.Timestamp("2019-01-01")
    event = start + pd.to_timedelta(day, unit="D")
    return pd.DataFrame(
        {"event": event, "reported": event + pd.to_timedelta(delay.round(), unit="D")}
    )


def share_held(
    repeats: int, a_year: int, *, growth: float, window: int | None, after: int, seed: int = 1
) -> tuple[float, float, float]:
    """The share of years held by the interval; their mean error; the part that had come."""
    draw, held, errors, parts = np.random.default_rng(seed), [], [], []
    for _ in range(repeats):
        cases = years_of(draw, a_year, 110, growth)
        end = pd.Timestamp("2019-01-01") + pd.Timedelta(days=365 * YEARS - 1)
        as_of = end + pd.Timedelta(days=after)
        seen = cases[cases["reported"] <= as_of]
        found = coverage.nowcast(
            seen, event_date="event", reported_date="reported", as_of=as_of, within=WITHIN,
            window_days=window,
        )  # fmt: skip
        row = found[found["period"] == str(end.year)].iloc[0]
        truth = int((cases["event"].dt.year == end.year).sum())
        held.append(row["lower"] <= truth <= row["upper"])
        errors.append(row["expected"] / truth - 1)
        parts.append(row["arrived"])
    return float(np.mean(held)), float(np.mean(errors)), float(np.mean(parts))


def main(repeats: int = 500) -> None:
    """Print the shares."""
    print(f"{repeats} simulated years each; nominal 95 %")
    print(f"{'lag':<32}{'cases a year':>13}{'looked at':>12}{'held':>8}{'error':>8}{'arrived':>9}")
    plans = [("stays", 1.0, None), ("doubles, all reports", 2.0, None),
             ("doubles, last year's reports", 2.0, 365)]  # fmt: skip
    for name, growth, window in plans:
        for a_year in (60, 400):
            for after in (0, 180):
                held, error, part = share_held(
                    repeats, a_year, growth=growth, window=window, after=after
                )
                told = f"{name:<32}{a_year:>13}{after:>10} d{100 * held:>7.1f}%{100 * error:>7.1f}%"
                print(f"{told}{100 * part:>8.1f}%", flush=True)


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:2]))
