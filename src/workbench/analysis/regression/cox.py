"""Cox's regression for time to event, on our own engine.

Formulas are formulaic's; they may call Python functions, so a formula is code and belongs in a
study, never in an extract. Agreement with R's coxph: tests/reference/test_cox_against_r.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import linalg, stats

from workbench.analysis import inputs
from workbench.analysis.compiled import use_compiled
from workbench.analysis.inputs import FollowUp
from workbench.analysis.regression import answerable, cox_fitting
from workbench.analysis.regression.covariate_patterns import Covariates, covariates_of
from workbench.analysis.regression.cox_fit import CoxFit
from workbench.analysis.regression.cox_likelihood import PlainRows, Rows
from workbench.analysis.regression.cox_solution import Solution
from workbench.analysis.regression.design import variables_of
from workbench.analysis.regression.residuals import robust_covariance
from workbench.analysis.regression.risk_sets import RiskSets, risk_sets
from workbench.errors import DataError, StudyError

# with more persons than this, the search starts from the estimate of about PART of them
MANY, PART = 100_000, 20_000
# ... found to this gain in log likelihood
ROUGH = 1e-4


def cox(
    persons: pd.DataFrame,
    formula: str,
    *,
    duration: str,
    event: str,
    entry: str | None = None,
    strata: str | Sequence[str] | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    ties: str = "efron",
    offset: str | None = None,
    robust: bool | None = None,
) -> CoxFit:
    """Estimate how the hazard of the event depends on the persons' characteristics (Cox).

    Parameters
    ----------
    persons
        One row per person: `duration`, `event`, `entry` and `weight` as in
        `survival.kaplan_meier`. With `entry`, a person may have several rows, one after the other
        (start-stop: covariates that change); then name the person as `cluster` when events recur
        or robust errors are wanted. Persons who lack a covariate are left out and counted.
    formula
        The covariates, such as "age + stage" or "np.log(bilirubin) + C(stage)". Text, booleans
        and categories are categories; the first one is the reference.
    strata
        Column or columns with a baseline hazard of their own, none missing.
    cluster
        Column that names rows which are not independent (a person, a hospital), none missing.
    ties
        Rule for events at the same time: "efron" or "breslow". R's "exact" is not offered: it is
        the likelihood of another model (a discrete logistic one), and takes time without end when
        many events are tied.
    offset
        Column that is added to the linear predictor, with no coefficient.
    robust
        Whether interval, z and p use the robust (sandwich) standard error; by default where
        `cluster` is given or weights are not whole numbers, as in R.

    Returns
    -------
    `CoxFit`.

    Raises
    ------
    DataError, StudyError
        Columns, values or a formula that cannot be used; no events, a level without events,
        collinear terms, separation, no convergence.

    References
    ----------
    Cox, 1972; Efron, 1977 and Breslow, 1974 (ties); Lin and Wei, 1989 (robust); Therneau and
    Grambsch, 2000.
    """
    text = _checked(formula, ties, robust, cluster)
    layers = inputs.names_of(strata)
    follow_up = inputs.check_follow_up(
        persons, duration=duration, event=event, entry=entry, weight=weight, keep_whole=True
    )
    named = [*layers, *([cluster] if cluster else [])]
    inputs.check_frame(persons, named)
    inputs.check_groups(persons, layers)
    if cluster:
        inputs.check_groups(persons, [cluster])
    shift = None if offset is None else _offset(persons, offset)
    used = variables_of(text, persons)
    if not used:
        raise StudyError(f'formula "{formula}": names no covariate.')
    known = persons[used].notna().all(axis=1).to_numpy()
    needed = persons[list(dict.fromkeys([*used, *named]))]
    index = persons.index
    if not known.all():
        needed, follow_up, index = needed[known], follow_up.of(known), index[known]
        shift = None if shift is None else shift[known]
    if not known.any():
        raise DataError(f"cox: no persons left; a covariate is missing in {len(known)} rows.")
    if not follow_up.event.any():
        raise DataError(f"cox: no events among {len(index)} persons.")
    inside = needed.reset_index(drop=True)
    layer = inputs.group_numbers(inside, layers)
    groups = inputs.group_numbers(inside, [cluster]) if cluster else None
    solution, log_likelihood = _solved(inside, text, used, follow_up, layer, shift, ties)
    solution = replace(
        solution,
        cluster=groups,
        strata=_named_strata(inside, layers, layer),
        index=index,
        offset_name=offset,
    )
    if robust is None:
        robust = cluster is not None or inputs.is_fractional(follow_up)
    return _told(solution, log_likelihood, is_robust=robust, n_missing=int((~known).sum()))


def _checked(formula: str, ties: str, robust: bool | None, cluster: str | None) -> str:
    if ties == "exact":
        raise StudyError(
            'cox: ties="exact" is not offered: it is another model (a discrete logistic one) and '
            'cannot be computed for many tied events. Use "efron".'
        )
    if ties not in ("efron", "breslow"):
        raise StudyError('cox: ties is "efron" or "breslow".')
    if cluster is not None and robust is False:
        raise StudyError("cox: clusters need robust standard errors. Leave out robust=False.")
    text = formula.strip().removeprefix("~").strip()
    if "~" in text:
        raise StudyError(f'formula "{formula}": name the covariates only, such as "age + stage".')
    return text


def _offset(persons: pd.DataFrame, name: str) -> np.ndarray:
    inputs.check_frame(persons, [name])
    values = pd.to_numeric(persons[name], errors="coerce").to_numpy(float, na_value=np.nan)
    if n_odd := int((~np.isfinite(values)).sum()):
        raise DataError(f'cox: offset "{name}" is not a finite number in {n_odd} rows.')
    return values


def _named_strata(persons: pd.DataFrame, names: list[str], layer: np.ndarray) -> pd.DataFrame:
    first = np.unique(layer, return_index=True)[1]
    return persons[names].iloc[first].reset_index(drop=True)


def _solved(
    persons: pd.DataFrame,
    formula: str,
    variables: list[str],
    follow_up: FollowUp,
    layer: np.ndarray,
    offset: np.ndarray | None,
    ties: str,
) -> tuple[Solution, tuple[float, float]]:
    covariates = covariates_of(
        persons, formula, variables=variables, model="cox", event=follow_up.event
    )
    answerable.check_levels(covariates.design.levels)
    risk = risk_sets(follow_up, layer, ties=ties)
    found = _maximum(covariates, risk, follow_up, layer, offset, ties)
    back = np.argsort(covariates.order)
    if found is None:
        raise answerable.no_answer([])
    coefficient = found.coefficient[back]
    covariance = linalg.inv(found.information)[np.ix_(back, back)]
    solution = Solution(
        covariates=covariates,
        follow_up=follow_up,
        risk=risk,
        layer=layer,
        strata=pd.DataFrame(index=[0]),
        cluster=None,
        offset=offset,
        coefficient=coefficient,
        model_covariance=(covariance + covariance.T) / 2,
        covariance=covariance,
        ties=ties,
        persons=persons,
        index=persons.index,
        offset_name=None,
    )
    answerable.check_spread(coefficient, covariance, covariates)
    null = cox_fitting.null_log_likelihood(risk, offset)
    return solution, (found.log_likelihood, null)


def _maximum(
    covariates: Covariates,
    risk: RiskSets,
    follow_up: FollowUp,
    layer: np.ndarray,
    offset: np.ndarray | None,
    ties: str,
) -> cox_fitting.Maximum | None:
    start = None
    if len(layer) > MANY:
        start = _rough_start(covariates, follow_up, layer, offset, ties)

    def look(information: np.ndarray) -> None:
        answerable.check_information(information, covariates, layer)

    return cox_fitting.maximise(_rows(covariates, risk, offset), risk, start, look=look)


def _rows(covariates: Covariates, risk: RiskSets, offset: np.ndarray | None) -> Rows:
    if use_compiled(len(risk.exit)):
        # compiled code pays on large data only; importing it takes a second
        from workbench.analysis.regression.cox_kernels import CompiledRows

        return CompiledRows(
            covariates.pattern,
            covariates.table,
            covariates.mean[covariates.table_terms],
            covariates.numbers,
            risk,
            offset,
        )
    return PlainRows(covariates.matrix()[:, covariates.order], risk, offset)


def _rough_start(
    covariates: Covariates,
    follow_up: FollowUp,
    layer: np.ndarray,
    offset: np.ndarray | None,
    ties: str,
) -> np.ndarray | None:
    """A coefficient near the maximum, from a part of the rows; None where they have no answer."""
    some = np.arange(0, len(layer), len(layer) // PART)
    part, taken = covariates.of(some), follow_up.of(some)
    if not taken.event.any():
        return None
    risk = risk_sets(taken, np.unique(layer[some], return_inverse=True)[1], ties=ties)
    rows = _rows(part, risk, None if offset is None else offset[some])
    found = cox_fitting.maximise(rows, risk, gain=ROUGH)
    return None if found is None else found.coefficient


def _told(
    solution: Solution, log_likelihood: tuple[float, float], *, is_robust: bool, n_missing: int
) -> CoxFit:
    design, n = solution.covariates.design, len(solution.layer)
    n_clusters = None
    robust_error = np.full(len(design.terms), np.nan)
    if is_robust:
        n_clusters = n if solution.cluster is None else int(solution.cluster.max()) + 1
        if n_clusters < 2:
            raise DataError("cox: one cluster only; expected two or more.")
        solution = replace(solution, covariance=robust_covariance(solution))
        robust_error = np.sqrt(np.diag(solution.covariance))
    coefficient, std_error = solution.coefficient, np.sqrt(np.diag(solution.model_covariance))
    used = robust_error if is_robust else std_error
    half = stats.norm.ppf(0.975) * used
    table = {
        "term": design.terms,
        "coefficient": coefficient,
        "std_error": std_error,
        "robust_std_error": robust_error,
        "hazard_ratio": np.exp(coefficient),
        "lower": np.exp(coefficient - half),
        "upper": np.exp(coefficient + half),
        "z": coefficient / used,
        "p_value": 2 * stats.norm.sf(np.abs(coefficient / used)),
    }
    return CoxFit(
        coefficients=pd.DataFrame(table),
        levels=design.levels,
        covariance=pd.DataFrame(solution.covariance, index=design.terms, columns=design.terms),
        log_likelihood=log_likelihood[0],
        log_likelihood_null=log_likelihood[1],
        n=n,
        events=int(solution.follow_up.event.sum()),
        n_missing=n_missing,
        ties=solution.ties,
        n_clusters=n_clusters,
        solution=solution,
    )
