"""A small attacker: what do shown numbers, and sums everybody knows, tell of a number not shown?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linprog

Sum = Mapping[str, float]  # name of a count -> how often it goes in


def interval(
    wanted: Sum,
    shown: Mapping[str, float],
    *,
    equal_zero: Sequence[Sum],
    at_least_zero: Sequence[Sum],
) -> tuple[float, float]:
    """The least and the greatest whole number that a sum of counts can be.

    Counts are whole and not negative. `shown` are those the attacker reads; the sums in
    `equal_zero` and `at_least_zero` hold whatever the data are.
    """
    names = sorted(
        {*wanted, *shown, *(name for one in (*equal_zero, *at_least_zero) for name in one)}
    )
    place = {name: at for at, name in enumerate(names)}

    def line(one: Sum) -> np.ndarray:
        row = np.zeros(len(names))
        for name, times in one.items():
            row[place[name]] = times
        return row

    rows = [line(one) for one in equal_zero] + [line({name: 1}) for name in shown]
    values = [0.0] * len(equal_zero) + [float(value) for value in shown.values()]
    ends = []
    for sign in (1, -1):
        found = linprog(
            sign * line(wanted),
            A_eq=np.array(rows) if rows else None,
            b_eq=values if rows else None,
            A_ub=-np.array([line(one) for one in at_least_zero]) if at_least_zero else None,
            b_ub=np.zeros(len(at_least_zero)) if at_least_zero else None,
            bounds=(0, None),
            integrality=1,
        )
        assert found.status in (0, 3, 4), "the true numbers always fit what is shown"
        ends.append(sign * found.fun if found.status == 0 else sign * -np.inf)
    return round(ends[0], 6), round(ends[1], 6)


def tells_of_few(ends: tuple[float, float], threshold: int) -> bool:
    """Whether the attacker knows that there are some, and fewer than the threshold."""
    least, greatest = ends
    return least > 0 and greatest < threshold
