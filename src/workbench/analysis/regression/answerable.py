"""Whether a Cox model has an answer, and which terms are to blame where it has none."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import linalg

from workbench.analysis.regression.covariate_patterns import Covariates
from workbench.errors import DataError

# smallest eigenvalue of the scaled information below which collinear terms are looked for
NEARLY_SINGULAR = 1e-6
COLLINEAR = 1e-9
# beyond this, in standard deviations of the term, less than a thousandth of an event informs it
WIDEST_STD_ERROR = 50.0


def check_levels(levels: pd.DataFrame) -> None:
    """Refuse levels without events, by name."""
    barren = levels[(levels["level"] != "") & (levels["events"] == 0)]
    if len(barren):
        told = ", ".join(f'"{term}"' for term in barren["term"])
        why = "so a hazard ratio has no finite estimate (separation)"
        raise DataError(f"cox: no events in {told}, {why}. Join it with another level.")


def check_collinear(covariates: Covariates, layer: np.ndarray) -> None:
    """Refuse terms that follow from the others within strata, by name."""
    matrix = pd.DataFrame(covariates.matrix(), columns=covariates.design.terms)
    centred = matrix - matrix.groupby(layer).transform("mean")
    size = np.sqrt((centred**2).sum())
    whole = matrix + covariates.mean
    still = size <= COLLINEAR * np.sqrt((whole**2).sum())
    if not still.any():
        short = np.linalg.qr((centred / size).to_numpy(), mode="r")
        _, r, order = linalg.qr(short, mode="economic", pivoting=True)
        rest = np.append(np.abs(np.diag(r)), np.zeros(matrix.shape[1]))[: matrix.shape[1]]
        still = pd.Series(rest[np.argsort(order)] < COLLINEAR, index=matrix.columns)
    if still.any():
        told = ", ".join(f'"{term}"' for term in matrix.columns[still])
        raise DataError(f"cox: {told} follows from the other terms (collinear). Leave it out.")


def no_answer(terms: list[str]) -> DataError:
    """The error of a likelihood without a maximum; `terms` are those that ran away."""
    told = ", ".join(f'"{term}"' for term in terms)
    return DataError(
        f"cox: no finite estimate{' for ' + told if told else ''} (separation or collinear "
        "terms). Look at the events behind each term; join levels or leave a term out."
    )


def check_information(information: np.ndarray, covariates: Covariates, layer: np.ndarray) -> None:
    """Look for collinear terms where the information matrix (p x p) is nearly singular."""
    size = np.sqrt(np.diag(information).clip(min=0))
    if np.isfinite(size).all() and (size > 0).all():
        scaled = information / np.outer(size, size)
        if linalg.eigvalsh(scaled)[0] >= NEARLY_SINGULAR:
            return
    check_collinear(covariates, layer)


def check_spread(coefficient: np.ndarray, covariance: np.ndarray, covariates: Covariates) -> None:
    """Refuse estimates (p) that are not finite, or so uncertain that they say nothing."""
    wide = np.sqrt(np.diag(covariance).clip(min=0)) * covariates.spread()
    astray = ~(wide < WIDEST_STD_ERROR) | ~np.isfinite(coefficient)
    if astray.any():
        terms = covariates.design.terms
        raise no_answer([term for term, bad in zip(terms, astray, strict=True) if bad])
