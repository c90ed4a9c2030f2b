"""Funnels: each unit beside the nation, with limits that say what chance alone would do.

Flags and curves come from one function (`mid_p`), so that they agree at every size. Limits that
cannot be reached with so few patients are missing, not 0 or 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.units import overdispersion as between
from workbench.analysis.units.funnel_counts import FunnelCounts, read_funnel
from workbench.analysis.units.mid_p import Counts, limit_of, place_of
from workbench.analysis.units.unit_frames import check_one_row_each
from workbench.analysis.units.unit_table import UnitTable, unit_table
from workbench.errors import StudyError

LEVELS = (0.95, 0.998)
LARGE_SHARE = 0.2  # of all patients in one unit: the nation is then much that unit
RESULT = {"estimate", "flag", "p_value", "p_adjusted"}


def funnel(
    table: pd.DataFrame, *, events: str, n: str | None = None, expected: str | None = None,
    exposure: str | None = None, centre: float | None = None, overdispersion: str | None = None,
    unit: str | None = None, levels: Sequence[float] = LEVELS,
) -> UnitTable:  # fmt: skip
    """Set each unit beside the nation, with limits for chance and a flag for those outside.

    Parameters
    ----------
    table
        One row a unit.
    events, n
        Columns with patients who have the event, and all patients (a funnel of shares); or
    events, expected
        events, and how many were expected (a funnel of ratios). With `n` too, of patients who have
        the event once at most: limits are then binomial, with the unit's own mean chance; without
        it they are Poisson, and far too wide where most patients have the event; or
    events, exposure
        events, and the person-time they happened in (a funnel of rates).
    centre
        The share or rate to compare with; the nation's (sum over sum) if not given. Of ratios: 1.
    overdispersion
        "additive" (a variance between units is added; shares and ratios) or "multiplicative"
        (shares): further limits that allow for what units differ anyway. At least ten units.
    unit
        The column of units, if it is to be checked that each has one row.
    levels
        Two-sided levels of the limits.

    Returns
    -------
    The table (its own columns of these names are replaced) with `estimate`; `lower_95`, `upper_95`,
    `lower_998`, `upper_998` (missing where a unit of that size cannot reach them); `flag`: "none",
    "low 95", "high 95", "low 99.8", "high 99.8", missing without patients; `p_value` (two-sided
    mid-p) and `p_adjusted` (Benjamini and Hochberg: the share of false flags among those at least
    as far out). With over-dispersion also `adjusted_lower_95` ... and `adjusted_flag`, only where
    the flag stands too.
    As attributes: `centre`; `curve` (limits by size, for drawing); `tau2` (additive only) and `phi`
    (winsorised) on the transformed scale, with "multiplicative" phi of the shares themselves, as
    its limits use it; `heterogeneity` (Cochran's Q); `note` (a sentence, or empty).

    Raises
    ------
    DataError, StudyError
        Counts that are missing, negative or not whole; more events than patients; events where
        none are expected; over-dispersion of fewer than ten units, or where the centre leaves
        chance no room; a centre or level outside its range; a unit in two rows.

    Notes
    -----
    Counts are whole, so that false flags are not exactly 5 and 0.2 %. When every unit truly lies at
    a known centre, a side flags less than twice its tail: below 10 % and 0.4 % together, always. By
    exact sums over n of 1 to 2000 and shares of 0.5 to 99.5 % that is 4.2 % and 0.15 % in the mean,
    and at most 8.8 % (6 patients at 41 %) and 0.39 % (9 at 50 %); above 8 % at one size and share
    in a thousand, where a whole count on each side only just passes its limit. Of ratios at most
    8.4 % (3.06 expected events) and 0.28 %. Around the units' own centre it is less, since each
    unit draws it its way: of 5, 25 and 80 units of 5 to 199 patients at 30 %, 2.7, 4.3 and 4.6 %
    (known centre: 4.9, 4.9, 4.8 %), and 0.05, 0.14 and 0.15 % (0.17, 0.20, 0.16 %).

    References
    ----------
    Spiegelhalter, Stat Med 2005;24:1185-1202; Benjamini and Hochberg, J R Stat Soc B
    1995;57:289-300.
    """
    used = [one for one in (events, n, expected, exposure) if one]
    _check(table, used, unit, levels)
    drawn = read_funnel(table, events, {"n": n, "expected": expected, "exposure": exposure}, centre)
    has_some = drawn.size > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = np.where(has_some, drawn.events * drawn.scale, np.nan)
    place = np.where(has_some, place_of(drawn.events, drawn.among), np.nan)
    limits = _limits(drawn.among, drawn.scale, levels, has_some)
    p_value = np.minimum(2 * np.minimum(place, 1 - place), 1.0)
    columns = {"estimate": estimate, **limits, "flag": _flags(place, levels)}
    columns |= {"p_value": p_value, "p_adjusted": false_discovery(p_value)}
    _check_overdispersion(drawn, estimate[has_some], overdispersion)
    scores = _scores(drawn, has_some, overdispersion)
    wider = _widening(scores, overdispersion)
    if overdispersion is not None:
        more = _adjusted(drawn, scores, wider, levels, has_some)
        columns |= {**more, "adjusted_flag": _both(columns["flag"], estimate, more, levels)}
    return unit_table(
        table.assign(**columns),
        centre=drawn.centre,
        curve=_curve(drawn, levels, wider, overdispersion),
        tau2=wider[0],
        phi=between.phi_of(scores.z) if len(scores.z) else np.nan,
        heterogeneity=between.heterogeneity(scores),
        note=_note(drawn, None if unit is None else table[unit]),
    )


def false_discovery(p_values: np.ndarray) -> np.ndarray:
    """P values adjusted by Benjamini and Hochberg; missing ones stay and do not count."""
    known = np.isfinite(p_values)
    adjusted = np.full(len(p_values), np.nan)
    if known.any():
        adjusted[known] = stats.false_discovery_control(p_values[known])
    return adjusted


def _name(level: float) -> str:
    """What a level is called in a column: 95, 998."""
    return f"{100 * level:g}".replace(".", "")


def _limits(
    among: Counts, scale: np.ndarray, levels: Sequence[float], has_some: np.ndarray
) -> dict[str, np.ndarray]:
    found = {}
    for level in levels:
        for side, q in (("lower", (1 - level) / 2), ("upper", (1 + level) / 2)):
            with np.errstate(invalid="ignore"):
                limit = limit_of(among, q) * scale
            found[f"{side}_{_name(level)}"] = np.where(has_some, limit, np.nan)
    return found


def _flags(place: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    flags = np.full(len(place), "none", dtype=object)
    for level in sorted(levels):
        tail = (1 - level) / 2
        flags[place < tail] = f"low {100 * level:g}"
        flags[place > 1 - tail] = f"high {100 * level:g}"
    flags[np.isnan(place)] = None
    return flags


def _both(
    flag: np.ndarray, estimate: np.ndarray, limits: Mapping[str, np.ndarray],
    levels: Sequence[float],
) -> np.ndarray:  # fmt: skip
    """Flags by the wider limits, at no level at which the flag itself does not stand."""
    found = np.array([None if one is None else "none" for one in flag], dtype=object)
    at = [0.0 if one in {None, "none"} else float(str(one).split()[-1]) for one in flag]
    for level in sorted(levels):
        name, words = _name(level), f"{100 * level:g}"
        stands = np.array(at) >= 100 * level - 1e-9
        found[stands & (estimate < limits[f"adjusted_lower_{name}"])] = f"low {words}"
        found[stands & (estimate > limits[f"adjusted_upper_{name}"])] = f"high {words}"
    return found


def _check(table: pd.DataFrame, used: list[str], unit: str | None, levels: Sequence[float]) -> None:
    if not levels or not all(0 < level < 1 for level in levels):
        raise StudyError("levels: expected numbers between 0 and 1, such as (0.95, 0.998).")
    results = {f"{side}_{_name(level)}" for level in levels for side in ("lower", "upper")}
    results |= {f"adjusted_{one}" for one in (*results, "flag")} | RESULT
    if unit is None:
        inputs.check_frame(table, used)
    else:
        check_one_row_each(table, unit, used, results)
    if taken := [one for one in used if one in results]:
        raise StudyError(f'funnel: a column of the result is named "{taken[0]}". Rename yours.')


def _check_overdispersion(drawn: FunnelCounts, estimate: np.ndarray, how: str | None) -> None:
    if how is None:
        return
    if how not in {"additive", "multiplicative"}:
        raise StudyError('overdispersion: expected "additive" or "multiplicative".')
    if how == "multiplicative" and drawn.kind != "share":
        raise StudyError("overdispersion: multiplicative is for shares; use additive.")
    ends: tuple[int, ...] = (0, 1) if how == "multiplicative" else (0,)
    if how == "additive" and drawn.n is not None:
        ends = ()  # the arcsine has room there
    if drawn.centre in ends and (estimate != drawn.centre).any():
        raise StudyError(
            f"centre: {drawn.centre:g} leaves chance no room to measure over-dispersion "
            "by. Give a centre inside its range, or leave overdispersion out."
        )
    between.require_enough(len(estimate))


def _scores(drawn: FunnelCounts, has_some: np.ndarray, how: str | None) -> between.Scores:
    events, size = drawn.events[has_some], drawn.size[has_some]
    if how == "multiplicative":
        return between.plain_scores(events / size, size, drawn.centre)
    if drawn.n is not None and drawn.chance is not None:
        n = drawn.n[has_some]
        return between.share_scores(events / n, n, drawn.chance[has_some])
    if drawn.centre > 0:
        return between.ratio_scores(events / size / drawn.centre, size * drawn.centre)
    if drawn.events.any():
        return between.Scores(np.zeros(0), np.zeros(0), 1.0)
    return between.Scores(np.zeros(len(size)), np.ones(len(size)), 1.0)


def _widening(scores: between.Scores, how: str | None) -> tuple[float, float]:
    """The variance between units, or the factor of the variance; missing what is not asked for."""
    if how == "additive":
        return between.tau2_of(scores), np.nan
    return np.nan, between.factor_of(scores) if how else np.nan


def _adjusted(
    drawn: FunnelCounts, scores: between.Scores, wider: tuple[float, float],
    levels: Sequence[float], has_some: np.ndarray,
) -> dict[str, np.ndarray]:  # fmt: skip
    found = {}
    for level in levels:
        z = float(stats.norm.ppf((1 + level) / 2))
        sides = _wider(drawn, scores, has_some, wider, z)
        for side, limit in zip(("lower", "upper"), sides, strict=True):
            whole = np.full(len(has_some), np.nan)
            whole[has_some] = limit
            found[f"adjusted_{side}_{_name(level)}"] = whole
    return found


def _wider(
    drawn: FunnelCounts, scores: between.Scores, has_some: np.ndarray,
    wider: tuple[float, float], z: float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    (tau2, factor), size = wider, drawn.size[has_some]
    if np.isnan(tau2):
        return between.multiplied_limits(drawn.centre, size, factor, z)
    if drawn.n is None:
        low, high = between.ratio_limits(scores, tau2, z)
        return low * drawn.centre, high * drawn.centre
    low, high = between.share_limits(scores, tau2, z)
    return low * drawn.n[has_some] / size, high * drawn.n[has_some] / size


def _curve(
    drawn: FunnelCounts, levels: Sequence[float], wider: tuple[float, float], how: str | None
) -> pd.DataFrame:
    """Limits by size, as fine as a drawing needs."""
    along = drawn.along()
    every = along.size > 0
    curve = {"size": along.size, **_limits(along.among, along.scale, levels, every)}
    if np.isfinite(wider).any() and drawn.centre > 0:
        curve |= _adjusted(along, _scores(along, every, how), wider, levels, every)
    return pd.DataFrame(curve)


def _note(drawn: FunnelCounts, units: pd.Series | None) -> str:
    share = drawn.size.max() / drawn.size.sum()
    if share <= LARGE_SHARE:
        return ""
    name = "One unit" if units is None else f"Unit {units.iloc[int(drawn.size.argmax())]}"
    return f"{name} holds {100 * share:.0f} % of the nation, and is compared with itself."
