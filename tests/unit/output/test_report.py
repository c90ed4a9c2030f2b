"""The report stands alone: no script, nothing fetched, words for every picture."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from workbench.errors import DisclosureError
from workbench.output import figures
from workbench.output.formats.report import ReportContext, Section, build_report

CONTEXT = ReportContext(
    title="Survival <after> cancer",
    question="Does it differ?",
    facts={"Register": "Test & Co"},
    provenance={"Extract": "x.csv"},
    labels={"age": "Age in years"},
)


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links, self.headings, self.ids, self.pictures = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in {"src", "href", "action", "data", "srcset"}]
        self.ids += [attributes["id"]] if "id" in attributes else []
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.pictures.append(attributes["alt"])


@pytest.fixture
def page(ledger, curve, logrank, cox, table_one):
    sections = [
        Section(
            "flow", "Who", figures.draw_flow(ledger), text="One.\n\nTwo <b>.", method="Counted"
        ),
        Section("persons", "Persons", table_one),
        Section("survival", "Survival", figures.draw_survival(curve, unit="years")),
        Section("logrank", "Test", logrank),
        Section("model", "Model", cox),
    ]
    return build_report(CONTEXT, sections)


def _read(page):
    parsed = _Page()
    parsed.feed(page)
    return parsed


def test_nothing_is_fetched_and_nothing_runs(page):
    parsed = _read(page)
    assert "script" not in parsed.tags
    assert "link" not in parsed.tags
    assert all(link.startswith(("#", "data:image/svg+xml;base64,")) for link in parsed.links)
    assert not re.search(r"url\(|@import|https?://|\son\w+=", page)


def test_headings_are_in_order_and_anchors_unique(page):
    parsed = _read(page)
    assert parsed.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(parsed.headings, parsed.headings[1:], strict=False))
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {link[1:] for link in parsed.links if link.startswith("#")} <= set(parsed.ids)


def test_a_reader_without_sight_is_served(page):
    parsed = _read(page)
    assert '<html lang="en">' in page
    assert parsed.links[0] == "#results"
    assert {"main", "header", "nav", "footer"} <= set(parsed.tags)
    assert all(len(text) > 40 for text in parsed.pictures)
    assert parsed.tags.count("caption") == parsed.tags.count("table")


def test_texts_are_escaped(page):
    assert "Survival &lt;after&gt; cancer" in page
    assert "Two &lt;b&gt;." in page
    assert "Test &amp; Co" in page


def test_the_head_tells_persons_and_events_of_the_released_results(page):
    head = page[: page.index("<nav")]
    assert re.search(r"<dt>Persons</dt><dd>100</dd>", head)
    assert "<dt>Events</dt>" in head


def test_it_tells_what_was_hidden_and_how_to_read(page):
    assert "Ledger steps merged with a neighbour: 1" in page
    assert "<dt>Hazard ratio</dt>" in page
    assert "Age in years" in page


def test_the_same_input_gives_the_same_text(ledger):
    sections = [Section("ledger", "Ledger", ledger)]
    assert build_report(CONTEXT, sections) == build_report(CONTEXT, sections)


def test_only_released_results_come_in(persons):
    with pytest.raises(DisclosureError, match="Only released results"):
        build_report(CONTEXT, [Section("x", "X", persons)])
