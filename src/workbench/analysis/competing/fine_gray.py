"""The Fine-Gray model: how characteristics go with the risk of one cause among several.

Agreement with R's cmprsk::crr: tests/reference/test_fine_gray_against_r.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.competing import subdistribution
from workbench.analysis.competing.subdistribution import CENSORED, COMPETING, OF_INTEREST
from workbench.analysis.regression.design import Design, build_design, variables_of
from workbench.errors import DataError, StudyError, did_you_mean

# beyond this, in standard deviations of the term, less than a thousandth of an event informs it
WIDEST_STD_ERROR = 50.0
CONVENTIONS = ("crr", "finegray")


@dataclass(frozen=True, eq=False)
class FineGrayFit:
    """A fitted Fine-Gray model: subdistribution hazard ratios, and the persons behind them.

    `coefficients`: one row per term: `term`, `coefficient`, `std_error` (from the information
    alone), `robust_std_error` (the sandwich, which `lower`, `upper`, `z` and `p_value` use),
    `hazard_ratio` (of the subdistribution: above 1, the cumulative incidence is higher), `lower`,
    `upper`. `levels`: one row per term and reference level: `term`, `variable`, `level` ("" for a
    number), `n`, `events` (of the cause), `is_reference`. `covariance`: the sandwich.
    `log_likelihood`, `null_log_likelihood`: of the pseudo-likelihood, at the estimate and at 0.
    `n`, `events`, `competing_events`, `n_missing`: persons in the fit, with the cause, with another
    cause, and left out because a covariate is missing. `baseline`: `time` and
    `cumulative_hazard` of the subdistribution for a person whose covariates are all 0.
    """

    coefficients: pd.DataFrame
    levels: pd.DataFrame
    covariance: pd.DataFrame
    baseline: pd.DataFrame
    log_likelihood: float
    null_log_likelihood: float
    n: int
    events: int
    competing_events: int
    n_missing: int
    cause: int
    confidence: float
    design: Design

    def predict(self, persons: pd.DataFrame, times: Sequence[float]) -> pd.DataFrame:
        """Predict the cumulative incidence of the cause for persons with given covariates.

        Parameters
        ----------
        persons
            The covariates, one row a person, none missing.
        times
            In the unit of the duration; after the last event of the fit the incidence stays.

        Returns
        -------
        One row a person and time: `person` (the index of `persons`), `time`, `estimate`.

        Raises
        ------
        DataError, StudyError
            A covariate that is missing or a level the fit has not seen; times that are no numbers.

        References
        ----------
        Fine and Gray, 1999, section 4 (1 - exp(-cumulative subdistribution hazard)).
        """
        asked = inputs.check_times(times)
        predictor = self.design.rows(persons) @ self.coefficients["coefficient"].to_numpy()
        place = np.searchsorted(self.baseline["time"].to_numpy(), asked, side="right")
        hazard = np.append(0.0, self.baseline["cumulative_hazard"].to_numpy())[place]
        estimate = -np.expm1(-np.exp(predictor)[:, None] * hazard)
        return pd.DataFrame(
            {
                "person": np.repeat(persons.index.to_numpy(), len(asked)),
                "time": np.tile(asked, len(persons)),
                "estimate": estimate.ravel(),
            }
        )


def fine_gray(
    persons: pd.DataFrame,
    formula: str,
    *,
    duration: str,
    event: str,
    cause: int = 1,
    censoring_by: str | Sequence[str] | None = None,
    convention: str = "crr",
    confidence: float = 0.95,
) -> FineGrayFit:
    """Estimate how the cumulative incidence of one cause depends on characteristics (Fine-Gray).

    Persons who had another cause stay at risk with a weight that falls as persons like them would
    have been censored. The ratios say which way the risk goes; they are not rates among those
    alive: for causes of disease, fit `regression.cox` to each cause as well.

    Parameters
    ----------
    persons
        One row per person: `duration` 0 or more in any one unit; `event` 0 = censored, 1, 2 ... =
        causes. Persons who lack a covariate are left out and counted.
    formula
        The covariates: "age + stage" or "rcs(age, 4) + C(stage)". Text, yes/no and categories are
        categories; the first one is the reference.
    cause
        The code of the cause of interest.
    censoring_by
        Column or columns within which censoring is estimated; by default all persons together.
    convention
        "crr": who has an event at a time may also be censored at that time, and the sandwich counts
        that censoring was estimated (Fine and Gray's variance; R's cmprsk). "finegray": events come
        before censorings, and the weights are taken as known (R's survival::finegray with coxph,
        Breslow ties). They differ a little where censorings and events tie.
    confidence
        Level of the intervals.

    Returns
    -------
    `FineGrayFit`. Ties are Breslow's.

    Raises
    ------
    DataError, StudyError
        Columns, values or a formula that cannot be used; nobody has the cause; a level without
        events; collinear terms; separation; no convergence.

    References
    ----------
    Fine and Gray, J Am Stat Assoc 1999;94:496-509; Geskus, Biometrics 2011;67:39-49.
    """
    _check_options(convention, confidence)
    layers = inputs.names_of(censoring_by)
    used = variables_of(formula, persons)
    inside, follow_up = _complete(persons, used, layers, duration, event)
    kind = _kinds(follow_up, cause)
    happened = kind == OF_INTEREST
    if not happened.any():
        raise DataError(f"fine_gray: no events of cause {cause} among {len(kind)} persons.")
    design, matrix = build_design(
        inside, formula, variables=used, model="fine_gray", event=happened, intercept=False
    )
    _check_levels(design.levels)
    centre = matrix.mean().to_numpy()
    subjects = subdistribution.gather(
        matrix.to_numpy() - centre,
        follow_up.time,
        kind,
        inputs.group_numbers(inside, layers),
        events_first=convention == "finegray",
    )
    found = subdistribution.maximise(subjects)
    if found is None:
        raise _no_answer([])
    coefficient, sums, null = found
    inverse, covariance = _covariances(subjects, sums, matrix, convention)
    return FineGrayFit(
        coefficients=_table(design.terms, coefficient, inverse, covariance, confidence),
        levels=design.levels,
        covariance=pd.DataFrame(covariance, index=design.terms, columns=design.terms),
        baseline=_baseline(subjects.times, sums.jump, float(coefficient @ centre)),
        log_likelihood=sums.log_likelihood,
        null_log_likelihood=null.log_likelihood,
        n=len(kind),
        events=int(happened.sum()),
        competing_events=int((kind == COMPETING).sum()),
        n_missing=len(persons) - len(kind),
        cause=cause,
        confidence=confidence,
        design=design,
    )


def _check_options(convention: str, confidence: float) -> None:
    if convention not in CONVENTIONS:
        near = did_you_mean(convention, CONVENTIONS)
        raise StudyError(f'fine_gray: no convention "{convention}".{near}')
    if not 0 < confidence < 1:
        raise StudyError("confidence: expected a number between 0 and 1, such as 0.95.")


def _complete(
    persons: pd.DataFrame, used: list[str], layers: list[str], duration: str, event: str
) -> tuple[pd.DataFrame, inputs.FollowUp]:
    """The persons whose covariates are known, and their follow-up."""
    follow_up = inputs.check_follow_up(persons, duration=duration, event=event, causes=True)
    inputs.check_frame(persons, layers)
    inputs.check_groups(persons, layers)
    known = persons[used].notna().all(axis=1).to_numpy()
    if not known.any():
        raise DataError(f"fine_gray: no persons left; a covariate is missing in {len(known)} rows.")
    return persons[known].reset_index(drop=True), follow_up.of(known)


def _kinds(follow_up: inputs.FollowUp, cause: int) -> np.ndarray:
    codes = follow_up.cause
    if codes is None or isinstance(cause, bool) or cause < 1:
        raise StudyError(f"fine_gray: cause={cause}; expected the code of a cause, 1 or more.")
    return np.where(codes == 0, CENSORED, np.where(codes == cause, OF_INTEREST, COMPETING))


def _check_levels(levels: pd.DataFrame) -> None:
    barren = levels[(levels["level"] != "") & (levels["events"] == 0)]
    if len(barren):
        told = ", ".join(f'"{term}"' for term in barren["term"])
        why = "so a hazard ratio has no finite estimate (separation)"
        raise DataError(f"fine_gray: no events in {told}, {why}. Join it with another level.")


def _covariances(
    subjects: subdistribution.Subjects,
    sums: subdistribution.Sums,
    matrix: pd.DataFrame,
    convention: str,
) -> tuple[np.ndarray, np.ndarray]:
    try:
        inverse = np.linalg.inv(subdistribution.information(subjects, sums))
    except np.linalg.LinAlgError:
        raise _no_answer([]) from None
    with np.errstate(invalid="ignore"):
        wide = np.sqrt(np.diag(inverse)) * matrix.std().to_numpy()
    if (astray := ~(wide < WIDEST_STD_ERROR)).any():
        raise _no_answer(list(matrix.columns[astray]))
    shares = subdistribution.residuals(subjects, sums, with_censoring=convention == "crr")
    return inverse, inverse @ (shares.T @ shares) @ inverse


def _no_answer(terms: list[str]) -> DataError:
    told = ", ".join(f'"{term}"' for term in terms)
    return DataError(
        f"fine_gray: no finite estimate{' for ' + told if told else ''} (separation or collinear "
        "terms). Look at the events behind each term; join levels or leave a term out."
    )


def _table(
    terms: list[str],
    coefficient: np.ndarray,
    inverse: np.ndarray,
    covariance: np.ndarray,
    confidence: float,
) -> pd.DataFrame:
    robust = np.sqrt(np.diag(covariance))
    half = stats.norm.ppf((1 + confidence) / 2) * robust
    return pd.DataFrame(
        {
            "term": terms,
            "coefficient": coefficient,
            "std_error": np.sqrt(np.diag(inverse)),
            "robust_std_error": robust,
            "hazard_ratio": np.exp(coefficient),
            "lower": np.exp(coefficient - half),
            "upper": np.exp(coefficient + half),
            "z": coefficient / robust,
            "p_value": 2 * stats.norm.sf(np.abs(coefficient / robust)),
        }
    )


def _baseline(times: np.ndarray, jump: np.ndarray, at_centre: float) -> pd.DataFrame:
    some = jump > 0
    hazard = np.cumsum(jump[some]) * np.exp(-at_centre)
    return pd.DataFrame({"time": times[some], "cumulative_hazard": hazard})
