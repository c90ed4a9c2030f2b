"""Coverage by the formulas in use, side by side, from who is in both sources and in one of them.

With a in both, b only in the register, c only in the reference:
union (a + b) / (a + b + c); gold standard a / (a + c), the reference being held complete;
frequency (a + b) / (a + c), which needs no linkage and can exceed 1. Chapman's estimate of all
cases, those in neither source too, supposes that being in one does not depend on the other.

Sources: Norwegian coverage analyses (Helsedirektoratet); Chapman, Univ Calif Publ Stat 1951;1:131;
Seber, Biometrika 1970;57:13-23; log-normal interval: Burnham et al., Wildlife Monographs 1987;112.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.units.counted import check_level, read_counts
from workbench.analysis.units.intervals import wilson_limits

CELLS = ("both", "only_register", "only_reference")
FEWEST_BOTH = 7  # below it Chapman's estimate is not to be relied on
ASSUMPTION = (
    "Chapman's number supposes that a case is in the register whether or not it is in the "
    "reference, that all cases have the same chance, and that linkage makes no mistakes. Where the "
    "same cases are missed by both, it is too small, and coverage too high."
)


def from_counts(
    table: pd.DataFrame, *, both: str = "both", only_register: str = "only_register",
    only_reference: str = "only_reference", confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Say how many of the cases there are reached the register, by every formula in use.

    Parameters
    ----------
    table
        One row a group with the numbers of cases in both sources and in one of them.

    Returns
    -------
    The table's other columns, `both`, `only_register`, `only_reference`, then shares: `union`,
    `gold_standard`, `frequency` (above 1 where the register has more; never cut), with Wilson
    limits `..._lower`, `..._upper` for the first two; `reference_union` (the reference's own);
    `chapman` (cases there are), `chapman_lower`, `chapman_upper` (never below those seen),
    `chapman_coverage`, and `chapman_note` (a sentence where fewer than 7 are in both). Without any
    case: missing. What Chapman supposes is in `attrs["assumption"]`.

    Raises
    ------
    DataError, StudyError
        Counts that are missing, negative or not whole.
    """
    inputs.check_frame(table, [both, only_register, only_reference])
    a, b, c = (read_counts(table[name], name) for name in (both, only_register, only_reference))
    tail = check_level(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = {
            "union": (a + b) / (a + b + c),
            "gold_standard": a / (a + c),
            "frequency": np.where(a + c > 0, (a + b) / (a + c), np.nan),
            "reference_union": (a + c) / (a + b + c),
        }
    for name, (x, n) in {"union": (a + b, a + b + c), "gold_standard": (a, a + c)}.items():
        low, high = wilson_limits(x, n, tail)
        shares |= {f"{name}_lower": low, f"{name}_upper": high}
    rest = [name for name in table.columns if name not in {both, only_register, only_reference}]
    cells = {name: one.astype(np.int64) for name, one in zip(CELLS, (a, b, c), strict=True)}
    found = table[rest].reset_index(drop=True).assign(**cells, **shares)
    found = found.assign(**_chapman(a, b, c, tail))
    found.attrs["assumption"] = ASSUMPTION
    return found


def _chapman(a: np.ndarray, b: np.ndarray, c: np.ndarray, tail: float) -> dict[str, np.ndarray]:
    first, second, seen = a + b, a + c, a + b + c
    number = (first + 1) * (second + 1) / (a + 1) - 1
    variance = (first + 1) * (second + 1) * b * c / ((a + 1) ** 2 * (a + 2))
    unseen = number - seen
    z = float(stats.norm.isf(tail))
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.exp(z * np.sqrt(np.log1p(variance / unseen**2)))
        lower = np.where(unseen > 0, seen + unseen / factor, seen)
        upper = np.where(unseen > 0, seen + unseen * factor, seen)
        coverage = (a + b) / number
    is_there = seen > 0
    numbers = {"chapman": number, "chapman_lower": lower, "chapman_upper": upper}
    numbers["chapman_coverage"] = coverage
    found = {name: np.where(is_there, one, np.nan) for name, one in numbers.items()}
    few = f"Fewer than {FEWEST_BOTH} cases in both sources: not to be relied on."
    return found | {"chapman_note": np.where(a < FEWEST_BOTH, few, "")}


def judge(share: Sequence[float] | pd.Series, *, limits: Sequence[float] = (0.6, 0.7, 0.8, 0.95)
          ) -> pd.Series:  # fmt: skip
    """Put coverage into words: "below 60 %", "60 to 70 %" ... "95 % or more", or "not known"."""
    values = pd.Series(share, dtype=float)
    edges = [100 * limit for limit in sorted(limits)]
    words = [f"below {edges[0]:g} %"]
    words += [f"{low:g} to {high:g} %" for low, high in pairwise(edges)]
    words.append(f"{edges[-1]:g} % or more")
    place = np.searchsorted(sorted(limits), values.to_numpy(), side="right")
    named = pd.Series([words[at] for at in place], index=values.index, dtype=object)
    return named.where(values.notna(), "not known")
