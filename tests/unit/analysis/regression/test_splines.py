"""Restricted cubic splines are smooth, straight outside, and keep their knots."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.analysis.regression.splines import KNOT_SHARES, rcs
from workbench.errors import StudyError

X = np.linspace(0, 100, 2001)


@pytest.mark.parametrize("knots", KNOT_SHARES)
def test_curves_are_straight_beyond_the_outer_knots(knots):
    found = rcs(X, knots)
    places = np.quantile(X, KNOT_SHARES[knots])
    assert len(found) == knots - 1
    for name, column in found.items():
        bend = np.abs(np.diff(column, 2))
        outside = (X[1:-1] < places[0] - 0.1) | (X[1:-1] > places[-1] + 0.1)
        assert bend[outside].max() < 1e-9
        assert np.abs(np.diff(column)).max() < 1.5
        assert (bend.max() > 1e-6) == (name != "linear")


def test_the_state_of_the_fit_is_used_again():
    state: dict = {}
    first = rcs(X, 4, _state=state)
    again = rcs(X[:50], 4, _state=state)
    for name, column in first.items():
        np.testing.assert_array_equal(again[name], column[:50])


def test_knots_can_be_given():
    places = [float(q) for q in np.quantile(X, KNOT_SHARES[4])]
    for name, column in rcs(X, places).items():
        np.testing.assert_allclose(column, rcs(X, 4)[name])


@pytest.mark.parametrize("knots", [2, 8, [1.0, 2.0], [1.0, 3.0, 2.0]])
def test_knots_that_cannot_be_used(knots):
    with pytest.raises(StudyError, match="knots"):
        rcs(X, knots)
    with pytest.raises(StudyError, match="that rise"):
        rcs(np.zeros(100), 4)
