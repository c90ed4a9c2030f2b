"""A solved Cox model with its rows: where residuals, tests and predictions start."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from workbench.analysis.inputs import FollowUp
from workbench.analysis.regression.covariate_patterns import Covariates
from workbench.analysis.regression.cox_likelihood import Likelihood, PlainRows, likelihood
from workbench.analysis.regression.risk_sets import RiskSets


@dataclass(frozen=True, eq=False)
class Solution:
    """The n rows of the fit in the order of the frame, and the solution (p terms).

    `layer` numbers the strata 0, 1, 2 ... and `strata` names them (a row each). `cluster` numbers
    the clusters of the rows, or is None. `model_covariance` is the inverse information,
    `covariance` the one that intervals use (robust where asked for). `persons` are the covariates
    of the rows, `index` their labels in the frame they came from. `offset_name` is the column
    that `offset` was read from.
    """

    covariates: Covariates
    follow_up: FollowUp
    risk: RiskSets
    layer: np.ndarray
    strata: pd.DataFrame
    cluster: np.ndarray | None
    offset: np.ndarray | None
    coefficient: np.ndarray
    model_covariance: np.ndarray
    covariance: np.ndarray
    ties: str
    persons: pd.DataFrame
    index: pd.Index
    offset_name: str | None

    @cached_property
    def matrix(self) -> np.ndarray:
        """Covariates of the rows, centred (n x p)."""
        return self.covariates.matrix()

    @cached_property
    def rows(self) -> PlainRows:
        """The rows as one matrix."""
        return PlainRows(self.matrix, self.risk, self.offset)

    @cached_property
    def ratio(self) -> np.ndarray:
        """Hazard ratio of each row against the mean covariates, offset included (n)."""
        score = self.covariates.score(self.coefficient)
        return np.exp(score if self.offset is None else score + self.offset)

    @cached_property
    def found(self) -> Likelihood:
        """The likelihood at the solution."""
        return likelihood(self.rows, self.risk, self.coefficient)

    @cached_property
    def mean_steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Per event time (M x p): covariate means times hazard, and the part taken out by ties."""
        steps, sums = self.found.steps, self.found.sums
        at_risk, died = sums.risk_columns[self.risk.places], sums.event_columns
        whole = steps.square[:, None] * at_risk - steps.mixed[:, None] * died
        taken = steps.mixed[:, None] * at_risk - steps.taken_square[:, None] * died
        return whole, taken

    @cached_property
    def event_means(self) -> np.ndarray:
        """Mean covariates of those at risk at each event time, over its tied events (M x p)."""
        steps, sums = self.found.steps, self.found.sums
        at_risk, died = sums.risk_columns[self.risk.places], sums.event_columns
        total = steps.hazard[:, None] * at_risk - steps.taken[:, None] * died
        return total / (self.risk.n_events * self.risk.mean_weight)[:, None]
