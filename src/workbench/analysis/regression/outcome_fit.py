"""What an ordinary outcome model gives back: estimates with intervals, and predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from workbench.analysis.regression.design import Design

# the name of the exponential of a coefficient; a linear model's coefficients stay as they are
RATIOS = {
    "logistic": "odds_ratio",
    "poisson": "rate_ratio",
    "negative_binomial": "rate_ratio",
    "linear": None,
}


@dataclass(frozen=True, eq=False)
class OutcomeFit:
    """A fitted logistic, Poisson, negative binomial or linear model, and the persons behind it.

    `coefficients`: one row per term, the intercept first: `term`, `coefficient`, `std_error`
    (model-based), `robust_std_error` (missing when not asked for), `odds_ratio` or `rate_ratio`
    (none for a linear model), `lower`, `upper`, `z`, `p_value`. Interval, z and p use the robust
    standard error where there is one; those of a linear model use the t distribution.
    `levels`: one row per term and one per reference level: `term`, `variable`, `level` ("" for a
    number), `n` and `events` (persons; `events` is missing in a linear model), `is_reference`.
    `covariance`: of the coefficients, as used for the intervals. `n`, `n_missing`, `events`:
    persons in the fit, left out because something is missing, and with the event (the sum of
    counts; None in a linear model). `n_clusters`: clusters behind the robust standard errors, or
    None.
    `residual_df`: persons less terms, or clusters less one. `dispersion`: residual variance of a
    linear model; of a negative binomial one, variance = mean + dispersion x mean^2; otherwise 1.
    """

    model: str
    outcome: str
    coefficients: pd.DataFrame
    levels: pd.DataFrame
    covariance: pd.DataFrame
    log_likelihood: float
    n: int
    n_missing: int
    events: int | None
    n_clusters: int | None
    residual_df: float
    dispersion: float
    confidence: float
    design: Design

    def predict(self, persons: pd.DataFrame, *, exposure: str | None = None) -> pd.DataFrame:
        """Predict the outcome of persons: a probability, a count or a mean, with its interval.

        Parameters
        ----------
        persons
            The covariates, one row a person, none missing.
        exposure
            For counts: the column with the time at risk. Without it the prediction is a rate, per
            unit of exposure. An `offset` of the fit is taken as 0.

        Returns
        -------
        One row a person, with the index of `persons`: `estimate`, `std_error` (delta method),
        `lower`, `upper` (made on the scale of the linear predictor). The interval is that of the
        mean of persons alike, not of one person's outcome.

        Raises
        ------
        DataError
            A covariate that is missing, or a level the fit has not seen.
        """
        matrix = self.design.rows(persons)
        coefficient = self.coefficients["coefficient"].to_numpy()
        predictor = matrix @ coefficient
        if exposure is not None:
            predictor = predictor + np.log(persons[exposure].to_numpy(dtype=float))
        spread = np.sqrt(np.einsum("ij,jk,ik->i", matrix, self.covariance.to_numpy(), matrix))
        half = quantile(self.confidence, self.model, self.residual_df) * spread
        estimate, slope = mean_and_slope(self.model, predictor)
        return pd.DataFrame(
            {
                "estimate": estimate,
                "std_error": slope * spread,
                "lower": mean_and_slope(self.model, predictor - half)[0],
                "upper": mean_and_slope(self.model, predictor + half)[0],
            },
            index=persons.index,
        )


def mean_and_slope(model: str, predictor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The expected outcome at a linear predictor, and its derivative there."""
    if model == "linear":
        return predictor, np.ones(predictor.shape)
    if model == "logistic":
        chance = special.expit(predictor)
        return chance, chance * (1 - chance)
    mean = np.exp(predictor)
    return mean, mean


def quantile(confidence: float, model: str, residual_df: float) -> float:
    """How many standard errors to either side: t for linear models, else normal."""
    level = (1 + confidence) / 2
    return float(stats.t.ppf(level, residual_df) if model == "linear" else stats.norm.ppf(level))


def coefficient_table(
    terms: list[str],
    coefficient: np.ndarray,
    std_error: np.ndarray,
    robust: np.ndarray | None,
    *,
    model: str,
    residual_df: float,
    confidence: float,
) -> pd.DataFrame:
    """One row per term with its ratio, interval, z and p."""
    used = std_error if robust is None else robust
    half = quantile(confidence, model, residual_df) * used
    z = coefficient / used
    p_value = stats.t.sf(np.abs(z), residual_df) if model == "linear" else stats.norm.sf(np.abs(z))
    ratio = RATIOS[model]
    outer = (lambda values: values) if ratio is None else np.exp
    table: dict[str, object] = {
        "term": terms,
        "coefficient": coefficient,
        "std_error": std_error,
        "robust_std_error": np.nan if robust is None else robust,
    }
    if ratio is not None:
        table[ratio] = np.exp(coefficient)
    table |= {"lower": outer(coefficient - half), "upper": outer(coefficient + half)}
    return pd.DataFrame(table | {"z": z, "p_value": 2 * p_value})
