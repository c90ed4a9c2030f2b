"""The report: one HTML file that needs nothing else, built from released results only.

Pictures are inside the file, styles too; there is no script and nothing is fetched, so that it
opens from a disk without a network and prints on A4. The executed notebook is not used.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from workbench.language import current, retold, speaking, text
from workbench.output import tables, wording
from workbench.output.disclosure import Released, count_hidden, kinds_of, require_released

CURVES = {"survival_curve", "incidence_curve", "net_survival"}
HOW_TO_READ = {
    "ledger": (
        "Study population",
        "Every row that was delivered is either in the study population or left out for a stated "
        "reason; the numbers add up from step to step.",
    ),
    "table_one": (
        "Standardised difference",
        "How far groups are apart, in standard deviations, whatever their size. Below 0.1 is "
        "usually taken to be a small difference. It is not a test.",
    ),
    "survival_curve": (
        "Survival curve",
        "The estimated share of persons who have not yet had the event. Persons whose follow-up "
        "ends earlier count for as long as they were followed. The shaded band is the 95 % "
        "interval at each time; where few remain at risk it is wide and the curve says little.",
    ),
    "incidence_curve": (
        "Cumulative incidence",
        "The share of persons who have had the event by a time, when another event can come first "
        "and ends the chance of it. The shares of all events and of those without any add up to 1.",
    ),
    "net_survival": (
        "Net survival",
        "The share of patients who would live if nobody died of anything but the disease. It can "
        "be compared between groups whose ages differ, and with other countries. Above 1 the "
        "patients die less than people like them. It is not the chance to live on; observed "
        "survival is.",
    ),
    "gray": (
        "Gray's test",
        "Asks whether the incidence of the event differs at all, other events competing. It does "
        "not say by how much.",
    ),
    "fine_gray": (
        "Subdistribution hazard ratio",
        "Above 1: more persons have had the event in the end, competing events counted in. The "
        "size has no simple meaning; look at the incidence itself for that.",
    ),
    "proportional_hazards": (
        "Proportional hazards",
        "A hazard ratio is one number for the whole follow-up. The test asks of each variable "
        "whether its ratio changes with time; a small p value says that it does.",
    ),
    "logrank": (
        "Log-rank test",
        "Asks whether the curves differ at all. It does not say by how much, nor adjust for age "
        "or anything else.",
    ),
    "survival_at": (
        "Survival at a time",
        "The height of the released curve at that time, with its 95 % interval.",
    ),
    "cox": (
        "Hazard ratio",
        "How many times as high the rate of the event is as in the reference group, the other "
        "covariates being equal. 1 is no difference; an interval that holds 1 leaves the "
        "direction open. The model takes the ratio to be the same at all times.",
    ),
    "quantiles": (
        "Median",
        "The time by when half of the persons have had the event, read off the released curve.",
    ),
}


@dataclass(frozen=True)
class ReportContext:
    """What stands around the results: the study in words, and where its numbers come from.

    `facts` is the head block, label -> text in its order (register, period, coverage ...);
    `provenance` the table at the end, `labels` the study's words for its variables. Persons and
    events are added from the released results. All of it is text the gate cannot judge: put no
    count into it that a table would hide. `language` is the one spoken when it is made.
    """

    title: str
    question: str
    facts: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    language: str = field(default_factory=current)


@dataclass(frozen=True)
class Section:
    """One released result with its words.

    Sections of one `chapter` stand together under its name; `points` are short lines to talk about,
    shown in a box of their own.
    """

    name: str
    heading: str
    released: Released
    text: str = ""
    method: str = ""
    chapter: str = ""
    points: tuple[str, ...] = ()


def build_report(context: ReportContext, sections: Sequence[Section]) -> str:
    """The whole report as HTML; the same input gives the same text.

    Raises
    ------
    DisclosureError
        A section holds something that was not released.
    """
    for section in sections:
        require_released(section.released)
    results = [section.released for section in sections]
    kinds = dict.fromkeys(kind for result in results for kind in kinds_of(result))
    with speaking(context.language):
        page: str = _template().render(
            context=context,
            text=text,
            facts={**_numbers(results), **told_in(context.facts)},
            provenance=told_in(context.provenance),
            sections=[_shown(section, context.labels) for section in sections],
            chapters=_chapters(sections),
            hidden={retold(reason): n for reason, n in count_hidden(results).items()},
            profiles={result.profile: result.rules for result in results},
            readings=_readings(kinds),
            symbols=wording.symbols(),
        )
    return page


def told_in(lines: Mapping[str, str]) -> dict[str, str]:
    """Lines of a head block in the language that is spoken."""
    return {retold(word): retold(told) for word, told in lines.items()}


def _readings(kinds: Iterable[str]) -> list[tuple[str, str]]:
    """How to read what is shown: a term and its explanation, of each kind that has one."""
    return [(text(HOW_TO_READ[kind][0]), text(HOW_TO_READ[kind][1])) for kind in kinds
            if kind in HOW_TO_READ]  # fmt: skip


def _chapters(sections: Sequence[Section]) -> dict[str, str]:
    """The first section of each chapter, by name, with the chapter's name."""
    return {
        section.name: retold(section.chapter)
        for before, section in pairwise((None, *sections))
        if section is not None and section.chapter != (before.chapter if before else "")
    }


def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("workbench.output.formats"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html.j2")


def _numbers(results: Sequence[Released]) -> dict[str, str]:
    """Persons and events of the study, from the first released result that tells them."""
    found = {}
    for word, kinds, keys in (
        ("Persons", {"ledger", "table_one"}, ("n_persons",)),
        ("Persons", CURVES, ("n",)),
        ("Events", CURVES, ("events",)),
    ):
        for result in results:
            if word in found or not kinds & set(kinds_of(result)):
                continue
            told = [result.facts[key] for key in keys if result.facts.get(key) is not None]
            if told:
                found[word] = wording.count(told[0])
    return {text(word): n for word, n in found.items()}


def _shown(section: Section, labels: Mapping[str, str]) -> dict[str, Any]:
    """A section as the template needs it: its words, and a picture or a table."""
    result = section.released
    shown: dict[str, Any] = {
        "id": section.name,
        "heading": retold(section.heading),
        "paragraphs": [retold(part) for part in re.split(r"\n\s*\n", section.text.strip()) if part],
        "method": retold(section.method),
        "in_chapter": bool(section.chapter),
        "points": [retold(point) for point in section.points],
        "notes": [retold(note) for note in result.notes],
        "title": retold(result.title),
        "picture": "",
        "alternative": result.alternative_text,
        "table": "",
    }
    if "svg" in result.files:
        shown["picture"] = base64.b64encode(result.files["svg"]).decode("ascii")
    else:
        # The table's own builder escapes every text it takes in.
        shown["table"] = Markup(tables.to_html(result, labels=labels))
    return shown
