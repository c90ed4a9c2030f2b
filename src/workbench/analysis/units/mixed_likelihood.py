"""The likelihood of a logistic model with a random intercept for each unit.

Each unit's intercept is integrated out by adaptive Gauss-Hermite quadrature: the nodes lie around
the mode of that unit's own integrand, as wide as its curvature says. Plain nodes are wrong where
units hold hundreds of patients. One node is Laplace's approximation. The gradient is the exact
one of the approximation, with the movement of the nodes.

References
----------
Pinheiro and Bates, J Comput Graph Stat 1995;4:12-35; Pinheiro and Chao, same journal
2006;15:58-81.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import special

MOST_STEPS = 200
LONGEST_STEP = 1.0


@dataclass(frozen=True, eq=False)
class Peak:
    """Where each unit's integrand is highest (k), its width there, and what moves the two.

    `slope` (k x p): sum of weight x covariate; `bend` and `bend_slope` (k, k x p): derivative of
    the weight by the linear predictor, summed, and times the covariate.
    """

    mode: np.ndarray
    width: np.ndarray
    slope: np.ndarray
    bend: np.ndarray
    bend_slope: np.ndarray


@dataclass(eq=False)
class MixedLikelihood:
    """Rows of patients alike, sorted by unit: `x` (r x p), `events`, `size`, `unit` (r).

    Parameters are the p coefficients and the logarithm of the standard deviation between units.
    """

    x: np.ndarray
    events: np.ndarray
    size: np.ndarray
    unit: np.ndarray
    nodes: int
    first: np.ndarray = field(init=False)
    last_mode: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.first = np.flatnonzero(np.diff(self.unit, prepend=-1))
        self.last_mode = np.zeros(len(self.first))

    def _sum(self, values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, self.first)

    def peaks(self, theta: np.ndarray) -> Peak:
        """Find each unit's mode by Newton's steps (the integrand's logarithm is concave)."""
        base, precision = self.x @ theta[:-1], np.exp(-2 * theta[-1])
        mode = self.last_mode
        for _ in range(MOST_STEPS):
            chance = special.expit(base + mode[self.unit])
            weight = self.size * chance * (1 - chance)
            score = self._sum(self.events - self.size * chance) - mode * precision
            curvature = self._sum(weight) + precision
            step = score / curvature
            if np.abs(step).max() < 1e-12:
                break
            mode = mode + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        self.last_mode = mode
        bend = weight * (1 - 2 * chance)
        return Peak(
            mode=mode,
            width=1 / np.sqrt(curvature),
            slope=self._sum(weight[:, None] * self.x),
            bend=self._sum(bend),
            bend_slope=self._sum(bend[:, None] * self.x),
        )

    def value(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Log-likelihood at the parameters, and its gradient (p + 1).

        That of each patient's own outcome: the number of ways to choose who has the event is not
        counted, so that patients and counts give the same.
        """
        peak = self.peaks(theta)
        base, precision = self.x @ theta[:-1], np.exp(-2 * theta[-1])
        z, w = special.roots_hermite(self.nodes)
        height = np.empty((len(self.first), self.nodes))
        pull = np.empty_like(height)
        lean = np.empty((self.nodes, *peak.slope.shape))
        at = peak.mode[:, None] + np.sqrt(2) * peak.width[:, None] * z
        for q in range(self.nodes):
            predictor = base + at[self.unit, q]
            residual = self.events - self.size * special.expit(predictor)
            fit = self.events * predictor - self.size * np.logaddexp(0, predictor)
            height[:, q] = self._sum(fit) + np.log(w[q]) + z[q] ** 2
            pull[:, q] = self._sum(residual)
            lean[q] = self._sum(residual[:, None] * self.x)
        height -= at**2 * precision / 2
        pull -= at * precision
        top = special.logsumexp(height, axis=1)
        value = np.log(peak.width) - theta[-1] + top - np.log(np.pi) / 2
        share = np.exp(height - top[:, None])
        gradient = self._gradient(peak, precision, share, pull, lean, at, z)
        return float(value.sum()), gradient

    def _gradient(
        self,
        peak: Peak,
        precision: float,
        share: np.ndarray,
        pull: np.ndarray,
        lean: np.ndarray,
        at: np.ndarray,
        z: np.ndarray,
    ) -> np.ndarray:
        """The gradient, from the share (k x nodes) each node has in its unit's integral."""
        square = peak.width**2
        # how mode and logarithm of the width move with each coefficient and with log sd
        mode_by = np.column_stack(
            [-square[:, None] * peak.slope, 2 * square * peak.mode * precision]
        )
        bend_by = np.column_stack([peak.bend_slope, np.full(len(square), -2 * precision)])
        width_by = -square[:, None] / 2 * (bend_by + peak.bend[:, None] * mode_by)
        direct = np.column_stack(
            [np.einsum("kq,qkp->kp", share, lean), (share * at**2).sum(axis=1) * precision - 1]
        )
        moved = (share * pull).sum(axis=1)
        spread = np.sqrt(2) * peak.width * (share * pull * z).sum(axis=1)
        whole: np.ndarray = direct + width_by * (1 + spread[:, None]) + mode_by * moved[:, None]
        return whole.sum(axis=0)
