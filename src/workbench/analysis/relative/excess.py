"""Excess-hazard regression: what raises mortality above that of the general population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from formulaic import Formula
from scipy import stats

from workbench.analysis.relative.life_table import LifeTable
from workbench.analysis.relative.patients import Patients, days_in, read_patients
from workbench.analysis.relative.walk import cumulative_hazard, hazard_at
from workbench.errors import DataError, StudyError

METHODS = ("poisson", "poisson-interval", "likelihood")
MOST_STEPS = 100
# Newton's decrement at which the optimum is reached to rounding
CLOSE = 1e-18


@dataclass(frozen=True, eq=False)
class ExcessHazardFit:
    """A fitted excess-hazard model.

    `coefficients` has one row per term: `term`, `coefficient`, `std_error`, `hazard_ratio` (of
    excess hazards), `lower`, `upper`, `z`, `p_value`; the terms of the follow-up intervals are
    logs of yearly baseline excess hazards. `covariance` belongs to the coefficients; `deviance` is
    missing for method "likelihood". `n` are patients, `n_rows` the rows of the model: patients
    times intervals, added up by covariates for the Poisson methods.
    """

    coefficients: pd.DataFrame
    covariance: np.ndarray
    log_likelihood: float
    deviance: float
    n: int
    n_rows: int
    events: int
    notes: tuple[str, ...]

    @property
    def degrees_of_freedom(self) -> int:
        """Rows less terms."""
        return self.n_rows - len(self.coefficients)


@dataclass(frozen=True, eq=False)
class _Terms:
    """Likelihood sum of death * log(base + factor * e) - exposure * e, with e = exp(design b)."""

    design: np.ndarray
    death: np.ndarray
    base: np.ndarray
    factor: np.ndarray
    exposure: np.ndarray


def excess_hazard(
    persons: pd.DataFrame,
    life_table: LifeTable,
    formula: str,
    *,
    duration: str,
    event: str,
    age: str,
    sex: str,
    start_date: str,
    intervals: Sequence[float],
    method: str = "poisson",
    unit: str = "days",
    age_unit: str = "years",
    sex_codes: Mapping[object, object] | None = None,
    confidence: float = 0.95,
) -> ExcessHazardFit:
    """Compare groups in the mortality that the disease adds to what the population has anyway.

    Parameters
    ----------
    persons, life_table, duration, event, age, sex, start_date, unit, age_unit, sex_codes
        As in `net_survival`.
    formula
        Covariates, such as "C(stage) + age_years"; the intercept is left out, because each
        interval has its own.
    intervals
        Borders of follow-up time, in `unit`, from 0 on (0, 1, 2 ...): the baseline excess hazard is
        constant between them; follow-up after the last is not used.
    method
        "poisson": deaths in a patient's interval are Poisson with mean expected + excess
        (Dickman's model, link log(mean - expected)), standard errors from the expected
        information; "poisson-interval": the same with expected deaths taken as the hazard of the
        whole interval times the share of it lived (rsadd's "glm.poi"); "likelihood": full
        likelihood with the population hazard at the time of death (Esteve), standard errors from
        the observed information.

    Returns
    -------
    An `ExcessHazardFit`.

    Raises
    ------
    DataError, StudyError
        As `net_survival`; missing covariates, terms that cannot be told apart, an interval
        without deaths, no convergence (excess hazard at or below 0).

    References
    ----------
    Dickman et al., Stat Med 2004; Esteve et al., Stat Med 1990.
    """
    if method not in METHODS:
        raise StudyError(f"method: expected one of {', '.join(METHODS)}.")
    patients = read_patients(
        persons, life_table, duration=duration, event=event, age=age, sex=sex,
        start_date=start_date, age_unit=age_unit, unit=unit, sex_codes=sex_codes,
    )  # fmt: skip
    borders = _borders(intervals) * days_in(unit, life_table)
    covariates = _covariates(persons, formula)
    terms, names = _split(patients, covariates, borders, method)
    is_poisson = method != "likelihood"
    labels = [f"{low:g} to {high:g} {unit}" for low, high in pairwise(intervals)]
    _check_terms(terms, [*names, *labels])
    beta, information = _maximise(terms, len(labels), poisson=is_poisson)
    covariance = np.linalg.inv(information)
    table = _table([*names, *labels], beta, covariance, confidence)
    return ExcessHazardFit(
        coefficients=table,
        covariance=covariance,
        log_likelihood=_log_likelihood(terms, beta, poisson=is_poisson),
        deviance=_deviance(terms, beta) if is_poisson else np.nan,
        n=len(patients.time),
        n_rows=len(terms.death),
        events=int(terms.death.sum()),
        notes=patients.notes,
    )


def _borders(intervals: Sequence[float]) -> np.ndarray:
    borders = np.asarray(intervals, dtype=float)
    if borders.ndim != 1 or len(borders) < 2 or borders[0] != 0 or not (np.diff(borders) > 0).all():
        raise StudyError("intervals: expected rising borders from 0 on, such as (0, 1, 2, 5).")
    return borders


def _covariates(persons: pd.DataFrame, formula: str) -> pd.DataFrame:
    try:
        matrix = Formula(formula).get_model_matrix(
            persons.reset_index(drop=True), na_action="ignore"
        )
    except Exception as error:
        raise StudyError(f'formula "{formula}": {error}') from error
    matrix = pd.DataFrame(matrix).drop(columns="Intercept", errors="ignore").astype(float)
    if (n_missing := int(matrix.isna().any(axis=1).sum())) > 0:
        raise DataError(
            f"persons: covariates of the formula are missing in {n_missing} rows. Leave them out, "
            "counted, or give them a value."
        )
    return matrix


def _split(
    patients: Patients, covariates: pd.DataFrame, borders: np.ndarray, method: str
) -> tuple[_Terms, list[str]]:
    """One row per patient and interval (low, high], in years."""
    years = patients.table.days_per_year
    parts: list[tuple[np.ndarray, ...]] = []
    before = np.zeros(len(patients.time))
    for k, (low, high) in enumerate(pairwise(borders)):
        until = np.minimum(patients.time, high)
        reached = np.full(len(until), high) if method == "poisson-interval" else until
        cumulative = cumulative_hazard(patients, reached)
        who = np.flatnonzero(patients.time > low)
        death = (patients.event & (patients.time <= high))[who].astype(float)
        dummy = np.zeros((len(who), len(borders) - 1))
        dummy[:, k] = 1.0
        design = np.hstack([covariates.to_numpy()[who], dummy])
        exposure = (until[who] - low) / years
        expected = (cumulative - before)[who]
        if method == "poisson-interval":
            expected = expected * (until[who] - low) / (high - low)
        parts.append((design, death, expected, exposure, who))
        before = cumulative
    design, death, expected, exposure, who = (np.concatenate(p) for p in zip(*parts, strict=True))
    names = [str(name) for name in covariates.columns]
    if method != "likelihood":
        return _collapsed(design, death, expected, exposure), names
    at_end = hazard_at(patients, patients.time)[who] * years
    return _Terms(design, death, at_end, np.ones(len(death)), exposure), names


def _collapsed(
    design: np.ndarray, death: np.ndarray, expected: np.ndarray, exposure: np.ndarray
) -> _Terms:
    """Add up the rows with the same covariates and interval, as Poisson models of tables do."""
    patterns, number = np.unique(design, axis=0, return_inverse=True)
    number = number.ravel()
    death, expected, exposure = (np.bincount(number, x) for x in (death, expected, exposure))
    return _Terms(patterns, death, expected, exposure, exposure)


def _check_terms(terms: _Terms, names: list[str]) -> None:
    scale = np.abs(terms.design).max(axis=0)
    if (scale == 0).any():
        empty = [name for name, size in zip(names, scale, strict=True) if size == 0]
        raise DataError(f"formula: nobody is followed in {', '.join(empty)}. Leave it out.")
    deaths = terms.death @ (terms.design != 0)
    if (deaths == 0).any():
        none = [name for name, count in zip(names, deaths, strict=True) if count == 0]
        raise DataError(f"formula: no deaths in {', '.join(none)}. Join groups or intervals.")
    if np.linalg.matrix_rank((terms.design / scale).T @ (terms.design / scale)) < len(names):
        raise DataError("formula: some terms are sums of others. Leave one of them out.")


def _rate(terms: _Terms, beta: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.exp(terms.design @ beta)


def _log_likelihood(terms: _Terms, beta: np.ndarray, *, poisson: bool) -> float:
    rate = _rate(terms, beta)
    mean = terms.base + terms.factor * rate
    with np.errstate(divide="ignore", invalid="ignore"):
        told = np.where(terms.death > 0, terms.death * np.log(mean), 0.0)
    fixed = terms.base if poisson else 0.0
    return float(np.sum(told - terms.exposure * rate - fixed))


def _deviance(terms: _Terms, beta: np.ndarray) -> float:
    mean = terms.base + terms.factor * _rate(terms, beta)
    observed = terms.death
    told = np.where(observed > 0, observed * np.log(np.where(observed > 0, observed, 1) / mean), 0)
    return float(2 * np.sum(told - (observed - mean)))


def _maximise(terms: _Terms, n_intervals: int, *, poisson: bool) -> tuple[np.ndarray, np.ndarray]:
    """Newton's method with halved steps; gives the coefficients and the information there."""
    n_terms = terms.design.shape[1]
    beta = np.zeros(n_terms)
    crude = max((terms.death.sum() - terms.base.sum() * poisson), 1.0) / terms.exposure.sum()
    # every interval starts at the crude excess hazard; covariates start without effect
    beta[n_terms - n_intervals :] = np.log(crude)
    value = _log_likelihood(terms, beta, poisson=poisson)
    for _ in range(MOST_STEPS):
        score, information = _derivatives(terms, beta, poisson=poisson)
        step = np.linalg.solve(information, score)
        decrement = float(score @ step)
        size = 1.0
        while size > 1e-6:
            tried = _log_likelihood(terms, beta + size * step, poisson=poisson)
            if np.isfinite(tried) and tried >= value - 1e-9 * abs(value):
                break
            size /= 2
        beta, value = beta + size * step, tried
        if decrement < CLOSE * max(abs(value), 1.0):
            return beta, _derivatives(terms, beta, poisson=poisson, observed=not poisson)[1]
    raise DataError(
        "The excess-hazard model does not converge: the excess hazard is near or below 0 "
        "somewhere. Join groups or intervals."
    )


def _derivatives(
    terms: _Terms, beta: np.ndarray, *, poisson: bool, observed: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    excess = terms.factor * _rate(terms, beta)
    mean = terms.base + excess
    share = excess / mean
    score = terms.death * share - terms.exposure * _rate(terms, beta)
    if observed:
        weight = terms.exposure * _rate(terms, beta) - terms.death * share * (1 - share)
    else:
        # expected information: positive whatever the data, so that every step goes uphill
        weight = excess * share if poisson else terms.exposure * _rate(terms, beta)
    return terms.design.T @ score, (terms.design * weight[:, None]).T @ terms.design


def _table(
    names: list[str], beta: np.ndarray, covariance: np.ndarray, confidence: float
) -> pd.DataFrame:
    error = np.sqrt(np.diag(covariance))
    reach = stats.norm.ppf((1 + confidence) / 2) * error
    z = beta / error
    return pd.DataFrame(
        {
            "term": names, "coefficient": beta, "std_error": error, "hazard_ratio": np.exp(beta),
            "lower": np.exp(beta - reach), "upper": np.exp(beta + reach), "z": z,
            "p_value": 2 * stats.norm.sf(np.abs(z)),
        }
    )  # fmt: skip
