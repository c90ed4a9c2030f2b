"""Units beside what their own patients would have had in the nation: observed over expected."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import special

from workbench.analysis.rates.poisson_limits import p_value_of
from workbench.analysis.regression.outcome_fit import OutcomeFit
from workbench.analysis.units.alike import Alike, count_alike
from workbench.analysis.units.calibration import Calibration, calibrate
from workbench.analysis.units.fixed_effects import FixedEffects, fixed_effects
from workbench.analysis.units.funnels import false_discovery
from workbench.analysis.units.intervals import ratio
from workbench.analysis.units.poisson_binomial import mid_p_tails
from workbench.analysis.units.unit_table import UnitTable, unit_table
from workbench.errors import DataError, StudyError

REFERENCES = ("nation", "median unit")
FAMILIES = ("logistic", "poisson")
# two-sided mid-p below which a unit is flagged, as in the funnel
FLAGS = {"95": 0.05, "99.8": 0.002}
COLUMNS = {"n", "observed", "expected", "ratio", "lower", "upper", "z", "mid_p", "p_adjusted"}
COLUMNS |= {"adjusted", "standardised", "flag", "left_out"}


def case_mix(
    persons: pd.DataFrame,
    formula: str,
    *,
    outcome: str,
    unit: str,
    reference: str = "nation",
    family: str = "logistic",
    exposure: str | None = None,
    standardised: bool = False,
    confidence: float = 0.95,
    method: str = "byar",
) -> UnitTable:
    """Compare each unit's events with those its patients would have had elsewhere (case mix).

    One model of all units together says how likely each patient's event was, given the covariates;
    a unit's expected number is the sum over its patients. Adjust for nothing that the unit itself
    decides. Ratios of two units are not comparable with each other, only each with the reference.

    Parameters
    ----------
    persons
        One row a patient. Who lacks the outcome or a covariate is left out, counted by unit.
    formula
        Covariates as in `regression.logistic`: "age + sex + C(planned)".
    outcome
        0 or 1, or yes/no; with `family="poisson"` a count.
    unit
        Column of the unit that treated the patient, none missing, two units or more.
    reference
        "nation": a model without terms for units, so that all expected events sum to those
        observed. "median unit": a model with a term for each unit, of which the median is the
        reference; covariates are then compared within units only.
    family
        "logistic", or "poisson" for a count over a time at risk.
    exposure
        With "poisson": column of the time at risk, above 0.
    standardised
        Whether to add the directly standardised share.
    confidence, method
        Of the interval of the ratio, as in `units.ratio`; the expected number is taken as known.

    Returns
    -------
    One row a unit, sorted: the unit, `n` (patients), `observed`, `expected`, `ratio` (observed over
    expected), `lower`, `upper`, `z` ((O - E) / sqrt of the sum of p (1 - p)), `mid_p` (two-sided,
    exact: Poisson-binomial, or Poisson for counts), `p_adjusted` (Benjamini-Hochberg), `adjusted`
    (ratio x the reference's share or rate; a share is capped at 0 to 1), `standardised` (when
    asked for: the share if all patients of all units were this unit's; 0 or 1 where nobody or
    everybody has the event), `flag` by `mid_p`: "none", "low 95", "high 95", "low 99.8",
    "high 99.8"; `left_out` (patients with something missing). A unit all of whose patients are
    left out keeps its row, with nothing judged.

    Attributes: `coefficients` of the model of the nation; `overall` (share or rate of all);
    `c_statistic`, `c_lower`, `c_upper`, `calibration` (tenths of patients), `calibration_slope`,
    `calibration_intercept` (in these patients 1 and 0 by construction), `expected_slope` (what to
    expect in new patients: 1 - terms / likelihood ratio), `brier` (all for "logistic", else
    missing); `n_used`, `n_left_out`; `constant_within_units` (covariates that no unit varies in:
    are they the unit's own doing?); `reference`.

    Raises
    ------
    DataError, StudyError
        Columns, values or a formula that cannot be used; missing units; one unit only; an outcome
        that everybody or nobody has; separation or collinear terms, named; a median unit in which
        nobody or everybody has the event.

    References
    ----------
    Hong, Comput Stat Data Anal 2013;59:41-51 (exact distribution); He et al., Lifetime Data Anal
    2013;19:490-512 (median unit); van Houwelingen and le Cessie, Stat Med 1990;9:1303-1325
    (expected slope); Benjamini and Hochberg, JRSS B 1995;57:289-300.
    """
    _check_choices(reference, family, exposure, confidence, standardised=standardised)
    alike = count_alike(
        persons, formula, outcome=outcome, unit=unit, exposure=exposure, taken=COLUMNS
    )
    fit, x = alike.national(family, confidence)
    mean = _means(x @ fit.coefficients["coefficient"].to_numpy(), family)
    used, fixed = mean, None
    if reference == "median unit" or standardised:
        fixed = _fixed(alike, x)
    if reference == "median unit":
        used = special.expit(_median(fixed.effect) + x[:, 1:] @ fixed.coefficient)
    rows = _judged(alike, used, family, confidence, method)
    if standardised:
        rows.insert(rows.columns.get_loc("flag"), "standardised", _direct(alike, x, fixed))
    rows.insert(0, unit, alike.units)
    return unit_table(
        rows,
        coefficients=fit.coefficients,
        overall=float(alike.events.sum() / alike.size.sum()),
        **_fitness(alike, fit, mean, family, confidence),
        n_used=int(alike.patients.sum()),
        n_left_out=int(alike.left_out.sum()),
        constant_within_units=_constant(alike),
        reference=reference,
    )


def _check_choices(
    reference: str, family: str, exposure: str | None, confidence: float, *, standardised: bool
) -> None:
    if reference not in REFERENCES:
        raise StudyError(f'case_mix: reference is one of "{REFERENCES[0]}", "{REFERENCES[1]}".')
    if family not in FAMILIES:
        raise StudyError('case_mix: family is "logistic" or "poisson".')
    if (family == "poisson") != (exposure is not None):
        raise StudyError('case_mix: name the column "exposure" with family="poisson", only there.')
    if family == "poisson" and (reference != "nation" or standardised):
        raise StudyError('case_mix: family="poisson" compares with the nation, by its ratio only.')
    if not 0 < confidence < 1:
        raise StudyError("confidence: expected a number between 0 and 1, such as 0.95.")


def _means(predictor: np.ndarray, family: str) -> np.ndarray:
    """The chance, or the rate per unit of time, of each row of patients alike."""
    means: np.ndarray = special.expit(predictor) if family == "logistic" else np.exp(predictor)
    return means


def _judged(
    alike: Alike, mean: np.ndarray, family: str, confidence: float, method: str
) -> pd.DataFrame:
    observed, size = alike.by_unit(alike.events), alike.by_unit(alike.size)
    expected = alike.by_unit(alike.size * mean)
    interval = ratio(observed, expected, confidence=confidence, method=method)
    level = expected.sum() / size.sum()
    if family == "logistic":
        variance = alike.by_unit(alike.size * mean * (1 - mean))
        p, side = _exact(alike, mean, observed)
        adjusted = (interval["estimate"] * level).clip(0, 1)
    else:
        variance, p = expected, p_value_of(observed, expected)
        side = np.where(observed > expected, "high", "low")
        adjusted = interval["estimate"] * level
    known = size > 0
    p = np.where(known, p, np.nan)
    z = np.full(len(size), np.nan)
    z[known] = (observed - expected)[known] / np.sqrt(variance[known])
    return pd.DataFrame(
        {
            "n": alike.by_unit(alike.patients).astype(int),
            "observed": observed.astype(int),
            "expected": expected,
            "ratio": interval["estimate"],
            "lower": interval["lower"],
            "upper": interval["upper"],
            "z": z,
            "mid_p": p,
            "p_adjusted": false_discovery(p),
            "adjusted": adjusted,
            "flag": _flags(p, side),
            "left_out": alike.left_out,
        }
    )


def _exact(alike: Alike, chance: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two-sided mid-p of each unit, and on which side it lies."""
    ends = np.searchsorted(alike.unit, np.arange(len(alike.units) + 1))
    p, side = np.full(len(observed), np.nan), np.full(len(observed), "low", dtype=object)
    for i, (first, last) in enumerate(pairwise(ends)):
        if first < last:
            each = np.repeat(chance[first:last], alike.size[first:last].astype(int))
            below, above = mid_p_tails(int(observed[i]), each)
            p[i], side[i] = min(2 * min(below, above), 1.0), "low" if below < above else "high"
    return p, side


def _flags(p: np.ndarray, side: np.ndarray) -> np.ndarray:
    flag = np.full(len(p), "none", dtype=object)
    for level, limit in FLAGS.items():
        beyond = p < limit
        flag[beyond] = [f"{one} {level}" for one in side[beyond]]
    flag[np.isnan(p)] = None
    return flag


def _fixed(alike: Alike, x: np.ndarray) -> FixedEffects:
    """Effects of the units that have patients."""
    number = np.unique(alike.unit, return_inverse=True)[1]
    nothing = np.zeros(len(x))
    return fixed_effects(x[:, 1:], alike.events, alike.size, number, nothing)


def _median(effect: np.ndarray) -> float:
    lower, upper = (
        np.quantile(effect, 0.5, method="lower"),
        np.quantile(effect, 0.5, method="higher"),
    )
    if not np.isfinite(lower + upper):
        raise DataError(
            "case_mix: in the median unit nobody or everybody has the outcome. Take the nation as "
            "the reference, larger units or a longer period."
        )
    return float(lower + upper) / 2


def _direct(alike: Alike, x: np.ndarray, fixed: FixedEffects) -> np.ndarray:
    """The share of all patients with the event, were each unit's effect that of all."""
    inner, share = x[:, 1:] @ fixed.coefficient, np.full(len(alike.units), np.nan)
    for i, effect in zip(np.unique(alike.unit), fixed.effect, strict=True):
        share[i] = alike.size @ special.expit(effect + inner) / alike.size.sum()
    return share


def _fitness(
    alike: Alike, fit: OutcomeFit, mean: np.ndarray, family: str, confidence: float
) -> dict[str, object]:
    """How well the model of the nation fits, as attributes of the result."""
    if family == "poisson":
        found = Calibration(pd.DataFrame(), *[np.nan] * 6)
        slope = np.nan
    else:
        found = calibrate(mean, alike.events, alike.size, confidence=confidence)
        share = alike.events.sum() / alike.size.sum()
        alone = alike.size.sum() * (
            special.xlogy(share, share) + special.xlog1py(1 - share, -share)
        )
        gain, n_terms = 2 * (fit.log_likelihood - alone), len(fit.coefficients) - 1
        slope = max(1 - n_terms / gain, 0.0) if n_terms and gain > 0 else np.nan
    return {
        "c_statistic": found.c_statistic,
        "c_lower": found.c_lower,
        "c_upper": found.c_upper,
        "calibration": found.table,
        "calibration_slope": found.slope,
        "calibration_intercept": found.intercept,
        "expected_slope": slope,
        "brier": found.brier,
    }


def _constant(alike: Alike) -> list[str]:
    levels = alike.rows.groupby(alike.unit).nunique()
    return [str(name) for name in levels if levels[name].max() == 1]
