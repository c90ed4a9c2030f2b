"""Age standards: weights of age groups, and who belongs to which."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.errors import StudyError, did_you_mean

# International Cancer Survival Standards (Corazziari, Quinn and Capocaccia, 2004), by lower age
ICSS: dict[str, dict[float, float]] = {
    "ICSS1": {0: 0.07, 45: 0.12, 55: 0.23, 65: 0.29, 75: 0.29},
    "ICSS2": {0: 0.28, 45: 0.17, 55: 0.21, 65: 0.20, 75: 0.14},
    "ICSS3": {0: 0.60, 45: 0.10, 55: 0.10, 65: 0.10, 75: 0.10},
}


def age_standard(weights: str | Mapping[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """The lower ages (years) of a standard's groups and their weights, which sum to 1.

    Raises
    ------
    StudyError
        A standard that is not known, or weights that are not numbers above 0.
    """
    if isinstance(weights, str):
        if weights not in ICSS:
            raise StudyError(f'weights: no standard "{weights}".{did_you_mean(weights, ICSS)}')
        weights = ICSS[weights]
    try:
        lower = np.array(list(weights), dtype=float)
        share = np.array(list(weights.values()), dtype=float)
    except (AttributeError, TypeError, ValueError) as error:
        raise StudyError(
            "weights: expected the name of a standard (ICSS1) or lower ages in years with their "
            "weights, such as {0: 0.3, 65: 0.7}."
        ) from error
    order = np.argsort(lower)
    lower, share = lower[order], share[order]
    usable = np.isfinite(lower).all() and np.isfinite(share).all() and (share > 0).all()
    if not (lower.size and usable and lower[0] == 0):
        raise StudyError("weights: expected weights above 0 by lower age, the first age being 0.")
    return lower, share / share.sum()
