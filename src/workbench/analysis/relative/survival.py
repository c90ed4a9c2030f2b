"""Net and relative survival of patients, with intervals, period approach and age standards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.relative.life_table import LifeTable
from workbench.analysis.relative.net import Curve, net_curve
from workbench.analysis.relative.patients import Patients, days_in, read_patients
from workbench.analysis.relative.standards import age_standard
from workbench.errors import DataError, StudyError

METHODS = ("pohar-perme", "ederer1", "ederer2", "hakulinen")
ESTIMATORS = ("product-limit", "fleming-harrington")
STANDARDISATIONS = ("traditional", "brenner")
ESTIMATES = ["estimate", "std_error", "lower", "upper"]
# what cancer registries ask for before they print a figure
LEAST_AT_RISK, LEAST_EVENTS = 25, 10


@dataclass(frozen=True)
class Estimator:
    """How each curve is estimated: method, longest step, product or exponential."""

    method: str
    step: float | None
    is_product: bool

    def curve(self, group: Patients, asked: np.ndarray | None) -> Curve:
        """Estimate the curve of one group of patients."""
        curve = net_curve(group, asked, method=self.method, step=self.step)
        if self.is_product:
            return curve
        estimate = np.exp(-np.cumsum(curve.observed - curve.expected))
        return replace(curve, estimate=np.where(np.isnan(curve.estimate), np.nan, estimate))


def net_survival(
    persons: pd.DataFrame,
    life_table: LifeTable,
    *,
    duration: str,
    event: str,
    age: str,
    sex: str,
    start_date: str,
    by: str | Sequence[str] | None = None,
    method: str = "pohar-perme",
    times: Sequence[float] | None = None,
    period: tuple[object, object] | None = None,
    weights: str | Mapping[float, float] | None = None,
    standardisation: str = "traditional",
    unit: str = "days",
    age_unit: str = "years",
    sex_codes: Mapping[object, object] | None = None,
    confidence: float = 0.95,
    step: float | None = 1.0,
    estimator: str = "product-limit",
) -> pd.DataFrame:
    """Estimate how many patients would live on if they could only die of their disease.

    Parameters
    ----------
    persons
        One row per patient, none missing: `duration` (0 or more, in `unit`: days, months or
        years), `event` (1 dead of any cause, 0 alive), `age` at start (in `age_unit`: years,
        exact or completed, or days), `sex`, `start_date` (dates), and the life table's own strata.
    life_table
        Mortality of the general population; `sex_codes` maps the sexes of `persons` to its own.
    by
        Grouping column or columns; each group is estimated by itself.
    method
        "pohar-perme" (net survival), "ederer2", "ederer1" or "hakulinen" (relative survival).
    times
        Times to report, in `unit`. None reports every time at which somebody leaves.
    period
        Two dates (from, until): period approach, patients are at risk only from the first date
        until the day before the second. None: cohort approach (choose the years of diagnosis
        among `persons`).
    weights
        Age standard: "ICSS1", "ICSS2", "ICSS3", or lower ages in years with weights.
    standardisation
        "traditional": weighted mean of the age groups' curves (needs all of them);
        "brenner": each patient weighted by standard share / own share of the age group.
    confidence
        Coverage of the interval, made on the log scale: estimate * exp(+-z SE of the hazard).
    step
        Longest step in days over which population mortality is held constant; None: one step from
        each exit to the next (what rs.surv does with a `precision` above the gaps).
    estimator
        "product-limit" (product of 1 - excess) or "fleming-harrington" (exp of minus its sum);
        not for "ederer1" and "hakulinen".

    Returns
    -------
    One row per group and time, sorted: the columns of `by`, `time`, `at_risk` (just before),
    `events` (at that time; with `times`: since the time before), `estimate` (0-1, may exceed 1),
    `std_error` (survival scale), `lower`, `upper`, `reliability` ("ok", or which rule of
    publication fails: 25 at risk, 10 deaths so far). Past the last follow-up of a group (of one
    of its age groups, where they are averaged) the estimates are missing, and so they are from a
    gap on in which a period has nobody at risk. `attrs["notes"]` tells
    what was decided about the life table and who lies outside it, with counts.

    Raises
    ------
    DataError, StudyError
        Columns or values that cannot be used, an age group of the standard without patients, and
        settings that do not go together.

    Notes
    -----
    In each step the weights w = exp(expected cumulative hazard) (1 for Ederer II) are taken at
    its start and end: excess = sum of w of who died / sum of w - mean of both weighted rates.
    Deaths at time 0 count at time 0, as by Kaplan-Meier; R's relsurv drops these patients.

    References
    ----------
    Perme, Stare and Esteve, Biometrics 2012; Ederer, Axtell and Cutler, 1961; Hakulinen, 1982;
    Brenner et al., Eur J Cancer 2004; Corazziari et al., Eur J Cancer 2004 (ICSS).
    """
    _check_settings(method, standardisation, confidence, step, estimator)
    _check_combination(method, standardisation, estimator, period, weights)
    patients = read_patients(
        persons, life_table, duration=duration, event=event, age=age, sex=sex,
        start_date=start_date, by=by, age_unit=age_unit, unit=unit, sex_codes=sex_codes,
        period=period,
    )  # fmt: skip
    days = days_in(unit, life_table)
    asked = None if times is None else inputs.check_times(times)
    standard = None if weights is None else age_standard(weights)

    how = Estimator(method, step, is_product=estimator == ESTIMATORS[0])
    z = float(stats.norm.ppf((1 + confidence) / 2))

    def estimate(group: Patients) -> pd.DataFrame:
        at = None if asked is None else asked * days
        part = _estimate(group, at, how, standard, standardisation, z)
        return part.assign(time=asked if asked is not None else part["time"] / days)

    return patients.by_group(estimate)


def _check_settings(
    method: str, standardisation: str, confidence: float, step: float | None, estimator: str
) -> None:
    for name, given, known in (
        ("method", method, METHODS),
        ("standardisation", standardisation, STANDARDISATIONS),
        ("estimator", estimator, ESTIMATORS),
    ):
        if given not in known:
            raise StudyError(f"{name}: expected one of {', '.join(known)}.")
    if not 0 < confidence < 1:
        raise StudyError("confidence: expected a number between 0 and 1, such as 0.95.")
    if step is not None and not step > 0:
        raise StudyError("step: expected a number of days above 0, or None.")


def _check_combination(
    method: str, standardisation: str, estimator: str,
    period: tuple[object, object] | None, weights: object,
) -> None:  # fmt: skip
    if method not in ("ederer1", "hakulinen"):
        return
    if period is not None:
        raise StudyError(f'period: not with method "{method}"; take "pohar-perme" or "ederer2".')
    if weights is not None and standardisation == "brenner":
        raise StudyError(f'standardisation "brenner": not with method "{method}".')
    if estimator != ESTIMATORS[0]:
        raise StudyError(f'estimator "{estimator}": not with method "{method}".')


def _estimate(
    group: Patients, asked: np.ndarray | None, how: Estimator,
    standard: tuple[np.ndarray, np.ndarray] | None, standardisation: str, z: float,
) -> pd.DataFrame:  # fmt: skip
    if standard is None or standardisation == "brenner":
        weighted = group if standard is None else _brenner(group, *standard)
        curve = how.curve(weighted, asked)
        table = read_off(curve, asked, {"estimate": curve.estimate, "spread": curve.std_error})
    else:
        table = _mean_of_ages(group, asked, how, *standard)
    s, spread = table["estimate"], table.pop("spread")
    table["std_error"] = s.abs() * spread
    table["lower"], table["upper"] = s * np.exp(-z * spread), s * np.exp(z * spread)
    died = table["events"].cumsum()
    table["reliability"] = np.select(
        [table["estimate"].isna(), table["at_risk"] < LEAST_AT_RISK, died < LEAST_EVENTS],
        ["nobody at risk", "fewer than 25 at risk", "fewer than 10 deaths"],
        default="ok",
    )
    return table[["time", "at_risk", "events", *ESTIMATES, "reliability"]]


def read_off(curve: Curve, asked: np.ndarray | None, values: dict[str, np.ndarray]) -> pd.DataFrame:
    """Read a group's curve at the asked times (days), or at every time with an exit.

    Returns
    -------
    `time`, `at_risk`, `events` and each of `values`: missing past the last follow-up; before the
    first exit an estimate is 1 and everything else 0.
    """
    if asked is None:
        # times at which the risk set only grows (period approach) are no exits
        left = np.append(curve.at_risk[1:], 0) - curve.at_risk < 0
        left |= curve.events > 0
        facts = {"time": curve.times, "at_risk": curve.at_risk, "events": curve.events, **values}
        return pd.DataFrame(facts)[left].astype({"events": int}).reset_index(drop=True)
    after = np.searchsorted(curve.times, asked, side="right")
    until = np.append(0, np.cumsum(curve.events))[after]
    place = np.searchsorted(curve.times, asked, side="left")
    table = pd.DataFrame({"time": asked, "at_risk": np.append(curve.at_risk, 0)[place]})
    table["events"] = np.diff(until, prepend=0).astype(int)
    past = asked > (curve.times[-1] if curve.times.size else 0.0)
    for name, value in values.items():
        found = np.append(1.0 if name == "estimate" else 0.0, value)[after]
        table[name] = np.where(past, np.nan, found)
    return table


def _age_groups(group: Patients, lower: np.ndarray) -> np.ndarray:
    years = group.age / group.table.days_per_year
    # an age in days that is a birthday to rounding belongs to the older group
    number = np.searchsorted(lower, years + 1e-9, side="right") - 1
    empty = np.bincount(number, minlength=len(lower)) == 0
    if empty.any():
        told = ", ".join(f"{low:g}" for low in lower[empty])
        raise DataError(
            f"weights: no patients in the age groups from {told} years. Join age groups, or "
            "report without standardisation."
        )
    return number


def _brenner(group: Patients, lower: np.ndarray, share: np.ndarray) -> Patients:
    number = _age_groups(group, lower)
    own = np.bincount(number, minlength=len(lower)) / len(number)
    return replace(group, log_weight=np.log(share / own)[number])


def _mean_of_ages(
    group: Patients, asked: np.ndarray | None, how: Estimator, lower: np.ndarray, share: np.ndarray
) -> pd.DataFrame:  # fmt: skip
    number = _age_groups(group, lower)
    at = np.unique(group.time) if asked is None else asked
    total: pd.DataFrame | None = None
    for k, weight in enumerate(share):
        curve = how.curve(group.of(np.flatnonzero(number == k)), at)
        part = read_off(curve, at, {"estimate": curve.estimate, "spread": curve.std_error})
        part["spread"] = (weight * part["estimate"] * part["spread"]) ** 2
        part["estimate"] *= weight
        total = part if total is None else total + part
    assert total is not None
    spread = np.sqrt(total["spread"]) / total["estimate"].abs()
    # an estimate of 0 (everybody dead) has no interval on the log scale
    return total.assign(time=at, spread=spread.where(total["estimate"] != 0, 0.0))
