"""The sums of `steps`, compiled: a walk over the patients, then one pass over the cells.

Results are those of the plain path to rounding. Loaded only for large data, since the first call
costs seconds (the compiled code is then kept on disk).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.analysis.relative.patients import Patients

# after so many multiplications the growth is computed anew, so that rounding cannot gather
RENEWED = 64


def compiled_sums(
    patients: Patients,
    borders: tuple[np.ndarray, np.ndarray, np.ndarray],
    *,
    sign: int,
    exact: bool,
    until: np.ndarray,
    chunk: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Give the four sums [4, step] and each patient's cumulative hazard at `until`.

    `borders` are the starts and ends of the steps and the step in which each patient enters;
    `chunk` is how many patients are walked at a time.
    """
    start, end, enters = borders
    table = patients.table
    found, hazard = np.zeros((4, len(start))), np.zeros(len(until))
    marks = end if exact else start
    days = np.arange(int(np.ceil(max(end[-1], until.max()))) + 2)
    guide = np.searchsorted(marks, days, side="right" if exact else "left")
    place = (table.ages, table.years, table.hazard.ravel())
    grid = (start, end, guide, exact)
    for low in range(0, len(until), chunk):
        part = slice(low, low + chunk)
        who = (patients.age[part], patients.date[part], patients.row[part], until[part])
        size = _count(*who, *place, *grid, enters[part])
        first_of = np.append(0, np.cumsum(size))
        n = int(first_of[-1])
        first, last, power = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n)
        own = (float(sign), patients.log_weight[part])
        out = (first, last, power, hazard[part])
        _fill(*who, *place, *grid, enters[part], *own, first_of[:-1].copy(), *out)
        _gather(first_of, first, last, power, place[2], start, end, float(sign), found)
    return found, hazard


@njit(cache=True, nogil=True)
def _index(time, marks, guide, exact):  # type: ignore[no-untyped-def]
    """Number of marks before `time` (up to it where exact)."""
    at = guide[int(time)]
    if exact:
        while at < len(marks) and marks[at] <= time:
            at += 1
    else:
        while at < len(marks) and marks[at] < time:
            at += 1
    return at


@njit(cache=True, nogil=True)
def _count(age, date, row, until, ages, years, rates, start, end, guide, exact, enters):  # type: ignore[no-untyped-def]
    size = np.zeros(len(rates), np.int64)
    marks = end if exact else start
    for i in range(len(age)):
        at_age = np.searchsorted(ages, age[i], side="right") - 1
        at_year = np.searchsorted(years, date[i], side="right") - 1
        now = 0.0
        while now < until[i]:
            next_age = ages[at_age + 1] - age[i] if at_age + 1 < len(ages) else np.inf
            next_year = years[at_year + 1] - date[i] if at_year + 1 < len(years) else np.inf
            stop = min(next_age, next_year, until[i])
            cell = (row[i] * len(years) + max(at_year, 0)) * len(ages) + max(at_age, 0)
            low, high = _index(now, marks, guide, exact), _index(stop, marks, guide, exact)
            if max(low, enters[i]) < high:
                size[cell] += 1
            at_age += next_age <= stop
            at_year += next_year <= stop
            now = stop
    return size


@njit(cache=True, nogil=True)
def _fill(
    age, date, row, until, ages, years, rates, start, end, guide, exact, enters,
    sign, log_weight, place, first, last, power, hazard,
):  # type: ignore[no-untyped-def]  # fmt: skip
    marks = end if exact else start
    for i in range(len(age)):
        at_age = np.searchsorted(ages, age[i], side="right") - 1
        at_year = np.searchsorted(years, date[i], side="right") - 1
        now, total = 0.0, 0.0
        while now < until[i]:
            next_age = ages[at_age + 1] - age[i] if at_age + 1 < len(ages) else np.inf
            next_year = years[at_year + 1] - date[i] if at_year + 1 < len(years) else np.inf
            stop = min(next_age, next_year, until[i])
            cell = (row[i] * len(years) + max(at_year, 0)) * len(ages) + max(at_age, 0)
            low, high = _index(now, marks, guide, exact), _index(stop, marks, guide, exact)
            begin, finish = now, stop
            if not exact:
                begin = start[low] if low < len(start) else end[-1]
                finish = start[high] if high < len(start) else end[-1]
            base = total - rates[cell] * begin
            total += rates[cell] * (finish - begin)
            low = max(low, enters[i])
            if low < high:
                at = place[cell]
                first[at], last[at], power[at] = low, high, sign * base + log_weight[i]
                place[cell] = at + 1
            at_age += next_age <= stop
            at_year += next_year <= stop
            now = stop
        hazard[i] = total


@njit(cache=True, nogil=True)
def _gather(first_of, first, last, power, rates, start, end, sign, found):  # type: ignore[no-untyped-def]
    n_steps = len(start)
    change, persons = np.zeros(n_steps + 1), np.zeros(n_steps + 1, np.int64)
    for cell in range(len(rates)):
        if first_of[cell] == first_of[cell + 1]:
            continue
        rate, low, high = rates[cell], n_steps, 0
        for k in range(first_of[cell], first_of[cell + 1]):
            weight = np.exp(power[k])
            change[first[k]] += weight
            change[last[k]] -= weight
            persons[first[k]] += 1
            persons[last[k]] -= 1
            low, high = min(low, first[k]), max(high, last[k])
        slope = sign * rate
        sum_, n, growth, width, factor = 0.0, 0, 0.0, -1.0, 1.0
        for j in range(low, high):
            sum_ += change[j]
            n += persons[j]
            change[j], persons[j] = 0.0, 0
            if (j - low) % RENEWED == 0:
                growth = np.exp(slope * start[j])
            if end[j] - start[j] != width:
                width = end[j] - start[j]
                factor = np.exp(slope * width)
            after = growth * factor
            if n > 0:
                found[0, j] += sum_ * growth
                found[1, j] += rate * (sum_ * growth)
                found[2, j] += sum_ * after
                found[3, j] += rate * (sum_ * after)
            else:
                # nobody left in the cell: what rounding has left goes too
                sum_ = 0.0
            growth = after
        change[high], persons[high] = 0.0, 0
