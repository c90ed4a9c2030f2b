"""Crude probabilities of death from the disease and from other causes, and years of life lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.relative.expected import expected_curve
from workbench.analysis.relative.life_table import LifeTable
from workbench.analysis.relative.net import net_curve
from workbench.analysis.relative.patients import Patients, days_in, read_patients
from workbench.analysis.relative.walk import risk_set_hazard
from workbench.errors import StudyError

CAUSES = ("disease", "other")


def crude_probability(
    persons: pd.DataFrame,
    life_table: LifeTable,
    *,
    duration: str,
    event: str,
    age: str,
    sex: str,
    start_date: str,
    times: Sequence[float],
    by: str | Sequence[str] | None = None,
    unit: str = "days",
    age_unit: str = "years",
    sex_codes: Mapping[object, object] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Estimate how many patients will have died of their disease, and how many of other causes.

    Parameters
    ----------
    persons, life_table, duration, event, age, sex, start_date, by, unit, age_unit, sex_codes
        As in `net_survival`; the cause of death need not be known.
    times
        Times to report, in `unit`.

    Returns
    -------
    One row per group, cause ("disease", "other") and time: the columns of `by`, `cause`, `time`,
    `at_risk`, `events` (of any cause, since the time before), `estimate` (0-1, may be below 0
    where patients die less than the population), `std_error`, `lower`, `upper` (plain scale). Past
    the last follow-up the last four are missing. Refuses what `net_survival` refuses (DataError,
    StudyError).

    Notes
    -----
    F(t) = sum of S(u-) dL(u), with S the observed survival (Kaplan-Meier) and dL the excess
    hazard (disease) or the mean population hazard of who is at risk (other; Ederer II, cells
    crossed at the very day). The variance is that of the observed deaths alone.

    References
    ----------
    Cronin and Feuer, Stat Med 2000; Perme and Pavlic, J Stat Softw 2018.
    """
    if not 0 < confidence < 1:
        raise StudyError("confidence: expected a number between 0 and 1, such as 0.95.")
    patients = read_patients(
        persons, life_table, duration=duration, event=event, age=age, sex=sex,
        start_date=start_date, by=by, age_unit=age_unit, unit=unit, sex_codes=sex_codes,
    )  # fmt: skip
    asked = inputs.check_times(times)
    z = stats.norm.ppf((1 + confidence) / 2)
    days = days_in(unit, life_table)
    return patients.by_group(
        lambda group: _probabilities(group, asked * days, z).assign(
            time=np.tile(asked, len(CAUSES))
        )
    )


def _probabilities(group: Patients, asked: np.ndarray, z: float) -> pd.DataFrame:
    curve = net_curve(group, asked, method="ederer2", step=None)
    times = curve.times
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.diff(risk_set_hazard(group, times), prepend=0.0) / curve.at_risk
    population = np.where(curve.at_risk > 0, share, 0.0)
    survival = np.cumprod(1 - curve.observed)
    before = np.append(1.0, survival)[:-1]
    disease = np.cumsum(before * (curve.observed - population))
    other = np.cumsum(before * population)
    after = np.searchsorted(times, asked, side="right")
    past = asked > (times[-1] if times.size else 0.0)
    at_risk = np.append(curve.at_risk, 0)[np.searchsorted(times, asked, side="left")]
    events = np.diff(np.append(0, np.cumsum(curve.events))[after], prepend=0).astype(int)
    parts = []
    for cause, total, jump in (("disease", disease, survival), ("other", other, 0.0 * survival)):
        # the variance of sum (jump(u) - (F(t) - F(u))) dM(u), by three running sums
        level = jump + total
        sums = [np.append(0, np.cumsum(level**k * curve.variance))[after] for k in range(3)]
        at = np.append(0.0, total)[after]
        spread = np.sqrt(np.maximum(sums[2] - 2 * at * sums[1] + at**2 * sums[0], 0.0))
        facts = {"estimate": at, "std_error": spread, "lower": at - z * spread}
        facts["upper"] = at + z * spread
        part = pd.DataFrame({"cause": cause, "time": asked, "at_risk": at_risk, "events": events})
        parts.append(part.assign(**{k: np.where(past, np.nan, v) for k, v in facts.items()}))
    return pd.concat(parts, ignore_index=True)


def years_of_life_lost(
    persons: pd.DataFrame,
    life_table: LifeTable,
    *,
    duration: str,
    event: str,
    age: str,
    sex: str,
    start_date: str,
    times: Sequence[float],
    by: str | Sequence[str] | None = None,
    unit: str = "days",
    age_unit: str = "years",
    sex_codes: Mapping[object, object] | None = None,
) -> pd.DataFrame:
    """Tell how many years the patients have lost up to a time, beside the general population.

    Parameters
    ----------
    persons, life_table, duration, event, age, sex, start_date, by, unit, age_unit, sex_codes
        As in `net_survival`.
    times
        Times up to which years are counted, in `unit`.

    Returns
    -------
    One row per group and time: the columns of `by`, `time`, `at_risk`, `estimate` (years: area
    between the expected survival of Ederer I and the observed survival; missing past the last
    follow-up), `observed`, `expected` (mean years lived of each). Both curves are held constant
    from one exit to the next, as R's relsurv. Refuses what `net_survival` refuses.

    References
    ----------
    Manevski et al., 2023 (years lost, measure "years lost difference").
    """
    patients = read_patients(
        persons, life_table, duration=duration, event=event, age=age, sex=sex,
        start_date=start_date, by=by, age_unit=age_unit, unit=unit, sex_codes=sex_codes,
    )  # fmt: skip
    asked = inputs.check_times(times)
    days = days_in(unit, life_table)
    return patients.by_group(lambda group: _lived(group, asked * days).assign(time=asked))


def _lived(group: Patients, asked: np.ndarray) -> pd.DataFrame:
    curve = net_curve(group, None, method="ederer2", step=None)
    times = curve.times
    after_start = times[times > 0]
    expected = np.ones(len(times) - len(after_start))
    if after_start.size:
        expected = np.append(expected, expected_curve(group, after_start, None))
    years = group.table.days_per_year
    areas = []
    for survival in (np.cumprod(1 - curve.observed), expected):
        levels, borders = np.append(1.0, survival), np.append(0.0, times)
        area = np.append(0.0, np.cumsum(levels[:-1] * np.diff(borders)))
        place = np.searchsorted(borders, asked, side="right") - 1
        areas.append((area[place] + levels[place] * (asked - borders[place])) / years)
    past = asked > times[-1]
    table = pd.DataFrame({"time": asked})
    table["at_risk"] = np.append(curve.at_risk, 0)[np.searchsorted(times, asked)]
    for name, value in (
        ("estimate", areas[1] - areas[0]),
        ("observed", areas[0]),
        ("expected", areas[1]),
    ):
        table[name] = np.where(past, np.nan, value)
    return table
