"""Hiding small counts in hospitals < trusts < regions x years x categories, all margins published.

Per row: seconds to find the pattern and to attack it, peak memory, the share of cells kept, beside
the usual row-and-column method (which is not safe: how many small counts it gives away is shown).
Counts alone, and counts with the sizes of their groups, from which percentages follow.

    python benchmarks/suppression.py [--hospitals N] [--mean M] [--without-groups]
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd

from workbench.output.gate.suppression import Protection, attack, cells_of, protect, row_and_column

TRUSTS, REGIONS, YEARS = 36, 4, 10
SHARES = np.array([0.45, 0.25, 0.15, 0.10, 0.05])


def hospitals(n: int, mean: float, seed: int = 1) -> tuple[pd.DataFrame, dict[str, str]]:
    """Invented counts: large and small hospitals, common and rare categories."""
    random = np.random.default_rng(seed)
    trust = np.concatenate([np.arange(TRUSTS), random.integers(0, TRUSTS, n - TRUSTS)])
    parents = {f"h{unit}": f"t{trust[unit]}" for unit in range(n)}
    parents |= {f"t{one}": f"r{one % REGIONS}" for one in range(TRUSTS)}
    expected = random.gamma(1.2, 1, n)[:, None, None] * mean * len(SHARES) * SHARES
    size = random.poisson(np.broadcast_to(expected, (n, YEARS, len(SHARES))))
    count = random.binomial(size, 0.6)
    unit, year, category = (one.ravel() for one in np.indices(size.shape))
    table = {
        "unit": [f"h{one}" for one in unit],
        "year": 2010 + year,
        "category": [f"c{one}" for one in category],
        "n": count.ravel(),
        "size": size.ravel(),
    }
    return pd.DataFrame(table), parents


def run(frame: pd.DataFrame, parents: dict[str, str], *, total: str | None) -> None:
    cells = cells_of(
        frame, count="n" if total else "size", total=total,
        dimensions=["unit", "year", "category"], hierarchies={"unit": parents},
    )  # fmt: skip
    protection = Protection()
    start = time.perf_counter()
    pattern = protect(cells, protection, seconds=300)
    found = time.perf_counter()
    report = attack(cells, pattern.hidden, protection, doubts=pattern.doubts)
    attacked = time.perf_counter()
    usual = row_and_column(cells, protection)
    given_away = attack(cells, usual, protection, seconds=20)
    n_printed = int(cells.is_printed.sum())
    n_told = int(given_away["decided_by"].isin(["shown", "sums", "lp"]).sum())
    n_told -= int((given_away["is_safe"] & given_away["decided_by"].eq("lp")).sum())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{'counts and groups' if total else 'counts'}: {n_printed} cells, {len(report)} small")
    print(f"  pattern {found - start:.1f} s, attack {attacked - found:.1f} s, peak {peak:.2f} GiB")
    print(f"  recoverable {int((~report['is_safe']).sum())}, kept {pattern.kept_share:.1%}")
    print(f"  row and column: kept {1 - usual.sum() / n_printed:.1%}, gives away {n_told}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--hospitals", type=int, default=157)
    options.add_argument("--mean", type=float, default=12)
    options.add_argument("--without-groups", action="store_true")
    asked = options.parse_args()
    made = hospitals(asked.hospitals, asked.mean)
    run(*made, total=None)
    if not asked.without_groups:
        run(*made, total="size")
