"""What a Cox model gives back: hazard ratios, and all that is asked of a fit afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import linalg, stats

from workbench.analysis.regression import baseline, prediction, proportional_hazards, residuals
from workbench.analysis.regression import standardised_survival as standardised
from workbench.analysis.regression.concordance import Concordance, concordance_of
from workbench.analysis.regression.cox_likelihood import information, likelihood
from workbench.analysis.regression.cox_solution import Solution

if TYPE_CHECKING:
    from lifelines import CoxPHFitter


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted Cox model: hazard ratios with their intervals, and the persons behind them.

    `coefficients`: one row per term: `term`, `coefficient`, `std_error` (model-based),
    `robust_std_error` (missing when not asked for), `hazard_ratio`, `lower`, `upper` (95 %), `z`,
    `p_value`; these four use the robust standard error where there is one.
    `levels`: one row per term and one per reference level: `term`, `variable`, `level` ("" for a
    number), `n` and `events` (persons), `is_reference`. For an interaction, persons for whom the
    term is not 0. `covariance`: of the coefficients, as used for the intervals.
    `log_likelihood`, `log_likelihood_null`: with the terms and without any. `n`, `events`: persons
    in the fit and with the event; `n_missing`: persons left out because a covariate is missing.
    `ties`: the rule for tied events. `n_clusters`: clusters behind the robust standard errors.
    `solution`: the rows behind the fit (personal data; never printed or written).
    """

    coefficients: pd.DataFrame
    levels: pd.DataFrame
    covariance: pd.DataFrame
    log_likelihood: float
    log_likelihood_null: float
    n: int
    events: int
    n_missing: int
    ties: str
    n_clusters: int | None
    solution: Solution = field(repr=False)

    @property
    def concordance(self) -> float:
        """The share of comparable pairs where who has the higher hazard has the event first.

        Ties in the hazard count one half; pairs are made within strata. Missing when no pair can
        be compared. Counted when first asked for.
        """
        return self._concordance.estimate

    @property
    def concordance_std_error(self) -> float:
        """Standard error of `concordance` (infinitesimal jackknife, by cluster if there are)."""
        return self._concordance.std_error

    @cached_property
    def _concordance(self) -> Concordance:
        own = self.solution
        score = own.covariates.score(own.coefficient)
        if own.offset is not None:
            score = score + own.offset
        return concordance_of(score, own.follow_up, own.layer, own.cluster)

    @cached_property
    def tests(self) -> pd.DataFrame:
        """Does the model say anything at all? Three tests that all coefficients are 0.

        `test` ("likelihood ratio", "wald", "score"), `statistic` (chi-square),
        `degrees_of_freedom`, `p_value`. The Wald test uses the robust covariance where there is
        one; the others are model-based.
        """
        own, p = self.solution, len(self.coefficients)
        start = likelihood(own.rows, own.risk, np.zeros(p))
        curved = information(own.rows, own.risk, start, start.steps)
        statistic = {
            "likelihood ratio": 2 * (self.log_likelihood - self.log_likelihood_null),
            "wald": own.coefficient @ linalg.solve(own.covariance, own.coefficient),
            "score": start.gradient @ linalg.solve(curved, start.gradient, assume_a="pos"),
        }
        values = np.array(list(statistic.values()), dtype=float)
        return pd.DataFrame(
            {
                "test": list(statistic),
                "statistic": values,
                "degrees_of_freedom": p,
                "p_value": stats.chi2.sf(values, p),
            }
        )

    def baseline(self, *, confidence: float = 0.95) -> pd.DataFrame:
        """The cumulative hazard of a person whose numbers are 0 and categories the reference.

        Returns
        -------
        One row per stratum and event time: the strata's columns, `time`, `cumulative_hazard`,
        `std_error` (of the cumulative hazard), `lower`, `upper` (made on the log scale). With the
        fit's own rule for ties, as R's `basehaz(centered=FALSE)`.
        """
        return baseline.baseline_frame(self.solution, confidence)

    def predict(
        self,
        persons: pd.DataFrame,
        *,
        times: Sequence[float] | None = None,
        kind: str = "survival",
        confidence: float = 0.95,
        interval: str = "log-log",
    ) -> pd.DataFrame:
        """Survival of other persons at given times, or their hazard ratio.

        Parameters
        ----------
        persons
            The covariates (strata and offset too), one row a person, none missing.
        times
            For "survival": times in the unit of the duration.
        kind
            "survival"; "hazard_ratio" against a person with mean numbers and reference
            categories (numbers that are -1, 0 or 1 count as categories); "linear", its logarithm.
        interval
            For survival: "log-log", "log" or "plain".

        Returns
        -------
        `estimate`, `std_error`, `lower`, `upper`, and for survival `time`: a row per person, or
        per person and time, with the person's index. For survival the standard error is that of
        the survival; it holds the uncertainty of the baseline and of the coefficients.

        Raises
        ------
        DataError, StudyError
            A covariate that is missing, a level or stratum the fit has not seen; an unknown kind.

        References
        ----------
        Tsiatis, 1981; Therneau and Grambsch, 2000, section 10.2; R's `survfit.coxph`.
        """
        return prediction.predicted(
            self.solution, persons, times=times, kind=kind, confidence=confidence, interval=interval
        )

    def residuals(self, kind: str = "martingale") -> pd.DataFrame:
        """What the model leaves unexplained, per person or per event.

        Parameters
        ----------
        kind
            "martingale" (events less expected events), "deviance", "score", "dfbeta" (change of
            each coefficient by the person, about), "dfbetas" (in standard errors): a row per
            person in the fit, with the person's index. "schoenfeld", "scaled schoenfeld": a row
            per event in order of (strata and) `time`, with the person's index.

        Returns
        -------
        Column `residual`, or a column per term. Only dfbeta(s) are multiplied by weights, as in R.

        Raises
        ------
        StudyError
            An unknown kind.
        """
        return residuals.residual_frame(self.solution, kind)

    def proportional_hazards_test(self, transform: str = "km") -> pd.DataFrame:
        """Do hazard ratios change with time? A small p-value says that they do.

        Parameters
        ----------
        transform
            What time is replaced by: "km" (1 - Kaplan-Meier of all just before it), "rank" (among
            the times of all, censored too), "log", "identity".

        Returns
        -------
        One row per term of the formula (a category with k levels has k - 1 degrees of freedom)
        and one "GLOBAL": `term`, `statistic`, `degrees_of_freedom`, `p_value`.

        References
        ----------
        Grambsch and Therneau, 1994; the score test of R's `cox.zph` since survival 3.0.
        """
        return proportional_hazards.proportional_hazards_table(self.solution, transform)

    def adjusted_survival(
        self,
        *,
        by: str,
        times: Sequence[float],
        levels: Sequence[Any] | None = None,
        confidence: float = 0.95,
        interval: str = "log-log",
    ) -> pd.DataFrame:
        """Survival if everyone had been in each group in turn (standardised, g-computation).

        Parameters
        ----------
        by
            A covariate of the formula. Every person of the fit is given each of its levels; all
            else stays as it is. The predicted survival is averaged, weighted where the fit is.
        times
            In the unit of the duration.
        levels
            Which levels; by default all of a category, or all values of a number if at most 10.

        Returns
        -------
        `by`, `time`, `estimate`, `std_error`, `lower`, `upper`. Standard errors by the delta
        method: they hold the uncertainty of baseline and coefficients and take the covariates of
        these persons as they are.

        Raises
        ------
        DataError, StudyError
            `by` is not in the formula, or has too many values.

        References
        ----------
        Makuch, 1982; Austin, 2014 (standardised curves); Tsiatis, 1981 (variance).
        """
        return standardised.standardised_curves(
            self.solution, by, times, levels, confidence, interval
        )

    def adjusted_restricted_mean(
        self,
        *,
        by: str,
        horizon: float,
        levels: Sequence[Any] | None = None,
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Mean time lived until the horizon if everyone had been in each group, and differences.

        Parameters as in `adjusted_survival`; `horizon` is in the unit of the duration.

        Returns
        -------
        `by`, `estimate`, `std_error`, `lower`, `upper` (area under the standardised curve), and
        against the first level `difference`, `difference_std_error`, `difference_lower`,
        `difference_upper`, `p_value` (missing for the first). Standard errors by the delta method.

        References
        ----------
        Karrison, 1987; Zucker, 1998 (restricted means of Cox models).
        """
        return standardised.standardised_means(self.solution, by, horizon, levels, confidence)

    def to_lifelines(self) -> CoxPHFitter:
        """The same model as a fitted `lifelines.CoxPHFitter`, for its plots and tools.

        lifelines fits it again (Efron's ties only). Its robust standard errors, baseline and test
        of proportional hazards differ from R's and from ours where events are tied.

        Raises
        ------
        StudyError
            The fit has Breslow's ties or an offset.
        """
        from workbench.analysis.regression.lifelines_doors import cox_fitter

        return cox_fitter(self.solution, is_robust=bool(self.n_clusters))
