"""Streams of random numbers do not touch each other, and draws keep to their weights."""

from __future__ import annotations

import numpy as np

from workbench.data.invent.chance import log_normal_days, pick, pick_in_rows, stream


def test_a_stream_depends_on_seed_and_name_alone():
    first = stream(1, "drugs").random(5)
    stream(1, "renal").random(1000)
    assert (stream(1, "drugs").random(5) == first).all()
    assert (stream(2, "drugs").random(5) != first).all()
    assert (stream(1, "renal").random(5) != first).all()


def test_draws_keep_to_their_weights():
    found = np.bincount(pick(stream(1, "t"), (1, 0, 3), 40_000), minlength=3) / 40_000
    assert np.abs(found - (0.25, 0, 0.75)).max() < 0.01


def test_draws_in_rows_use_the_weights_of_their_own_row():
    rows = np.repeat([0, 1], 20_000)
    found = pick_in_rows(stream(1, "t"), [(1, 0, 0), (0, 1, 1)], rows)
    assert (found[rows == 0] == 0).all()
    assert abs((found[rows == 1] == 2).mean() - 0.5) < 0.02


def test_waiting_times_have_the_stated_median():
    found = log_normal_days(stream(1, "t"), 30.0, 0.8, 20_000)
    assert abs(np.median(found) - 30) <= 1 and found.min() >= 0
