"""Tables as readers see them."""

from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd
import pytest

from workbench.analysis import description
from workbench.analysis.count_table import CountTable
from workbench.errors import DisclosureError
from workbench.language import speaking
from workbench.output import tables
from workbench.output.disclosure import (
    release,
    release_overview,
    release_quantiles,
    release_reading,
)


class _Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.scopes, self.classes, self.has_caption = [], [], False

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.has_caption |= tag == "caption"
        if tag == "th":
            self.scopes.append(attributes.get("scope"))
        if tag == "td":
            self.classes.append(attributes.get("class"))


@pytest.mark.parametrize("name", ["ledger", "curve", "logrank", "cox", "table_one"])
def test_tables_have_caption_scopes_and_numbers_at_the_right(name, request):
    cells = _Cells()
    cells.feed(tables.to_html(request.getfixturevalue(name)))
    assert cells.has_caption
    assert None not in cells.scopes
    assert "number" in cells.classes


def test_text_is_escaped(make_ledger, policy):
    ledger = make_ledger([9])
    ledger.steps.loc[0, "reason"] = "<script>alert(1)</script>"
    html = tables.to_html(release(ledger, policy, title="a < b"))
    assert "<script>" not in html
    assert "a &lt; b" in html


def test_hidden_and_missing_are_two_symbols_with_a_key(persons, policy):
    persons["rare"] = pd.Categorical(["yes"] * 3 + ["no"] * 597)
    frame = description.table_one(persons, variables=["rare"])
    released = release(frame, policy, title="x")
    html = tables.to_html(released)
    assert "[c] is hidden: a number below 5" in html
    assert "does not apply" not in html


def test_what_is_missing_has_its_own_key(curve):
    html = tables.to_html(release_quantiles(curve, title="x", q=0.9))
    assert "– does not apply" in html
    assert "[c]" not in html


def test_table_one_reads_as_published(table_one):
    shown = tables.to_frame(table_one, labels={"age": "Age (years)"})
    assert shown.iloc[0, :2].tolist() == ["Age (years)", "Mean (standard deviation)"]
    assert shown.columns[2].startswith("All (n\u00a0=\u00a0600)")
    assert shown.iloc[3, 1] == "I, n (%)"


def test_a_model_prints_its_reference_and_no_p_of_zero(cox):
    shown = tables.to_frame(cox)
    assert "1 (reference)" in shown["Hazard ratio"].tolist()
    assert "0.000" not in shown["p"].tolist()
    assert "Concordance" in tables.facts_of(cox)


def test_a_median_table_is_headed_so(curve):
    assert "Median" in tables.to_frame(release_quantiles(curve, title="x")).columns


def test_a_table_without_rows_says_so(ledger):
    assert "None." in tables.to_html(ledger.parts["leavers"])


def test_only_released_results_become_tables(persons):
    with pytest.raises(DisclosureError, match="Only released results"):
        tables.to_html(persons)


def test_a_target_keeps_its_decimals_in_the_sign_of_the_language(policy):
    counts = CountTable(pd.DataFrame({"unit": ["A", "B"], "n": 80, "events": [40, 50]}), ("unit",))
    shares = release_reading(release(counts, policy, title="T"), "shares", title="T", green="0.80")
    overview = release_overview({"Talk": shares}, title="All")
    with speaking("sv"):
        assert ">0,80<" in tables.to_html(overview)
    assert ">0.80<" in tables.to_html(overview)
