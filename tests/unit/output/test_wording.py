"""How numbers are written."""

from __future__ import annotations

import pandas as pd
import pytest

from workbench.output import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567, "1\u202f234\u202f567"), (0, "0"), (pd.NA, "–"), (None, "–"), ("[c]", "[c]")],
)
def test_counts(value, text):
    assert wording.count(value) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(-0.5, 2, "−0.50"), (3.0, None, "3"), (float("nan"), 1, "–"), (float("inf"), 1, "∞")],
)
def test_numbers(value, decimals, text):
    assert wording.number(value, decimals=decimals) == text


def test_a_p_value_is_never_zero():
    assert wording.p_value(0.0) == "<0.001"
    assert wording.p_equals(0.0) == "p < 0.001"
    assert wording.p_equals(0.04) == "p = 0.040"


def test_labels_prefer_the_studys_words():
    assert wording.label("n", {"n": "Patients"}) == "Patients"
    assert wording.label("n") == "Persons"
    assert wording.label("tumour_site") == "tumour site"
