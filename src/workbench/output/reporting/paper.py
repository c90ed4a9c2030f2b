"""The methods paragraph of a paper, and its checklist filled as far as files can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.output.reporting.paper_facts import PaperFacts
from workbench.registers.checklists import Checklist, Item

State = Literal["filled", "does not apply", "to write"]

# heading: what is told under it, in this order
PARAGRAPHS = {
    "Design and data sources": ("design", "registers", "period", "as_of", "linkage", "cleaning"),
    "Participants": ("population", "criteria", "matching", "flow"),
    "Outcome and follow-up": ("outcome", "follow_up", "loss"),
    "Variables": ("variables", "groupings", "code_lists"),
    "Statistical analysis": ("statistics", "groups", "missing", "disclosure"),
    "Reproducibility": ("reproduction",),
}
# without the fact the item asks for nothing in this study
ONLY_IF = {
    "matching": "The study has no matched persons.",
    "groupings": "No quantitative variable was grouped.",
    "groups": "No groups are compared.",
}
PROMPTS = {
    "2": "Why the study, and what is not known.",
    "9": "Name what could bias the result, and what was done about it.",
    "12.1": "Say who extracted the data and who could see what.",
    "19.1": "Misclassified codes, confounders no register has, missing data, and forms or rules "
    "that changed over the years.",
    "6.2": "Say if the codes were validated; a sample for re-abstraction can be drawn "
    "(analysis.agreement).",
    "22": "Name funders and their part.",
}
TO_WRITE = "For the authors."


@dataclass(frozen=True)
class Answered:
    """One item of a checklist with its answer, and whether the authors still have to write it."""

    item: Item
    state: State
    answer: str


def methods_paragraph(facts: PaperFacts) -> dict[str, str]:
    """The methods of a paper, by heading: sentences made of the study's own files.

    A heading for which nothing is known is left out. It is a draft: it says what was done and not
    why.
    """
    told = {
        heading: " ".join(facts.sentences[one] for one in about if one in facts.sentences)
        for heading, about in PARAGRAPHS.items()
    }
    return {heading: words for heading, words in told.items() if words}


def fill_checklist(facts: PaperFacts, checklist: Checklist) -> tuple[Answered, ...]:
    """Answer each item as far as the study's files can; the rest is marked for the authors.

    Parameters
    ----------
    facts
        What `facts_of_run` gathered.
    checklist
        What `registers.checklists.load_checklist` gave ("record").

    Returns
    -------
    One a item, in order: "filled" with what the paper can say (to be read and placed by the
    authors), "does not apply" with the reason, or "to write" with what to think of.
    """
    return tuple(_answer(item, facts) for item in checklist.items)


def _answer(item: Item, facts: PaperFacts) -> Answered:
    known = [facts.sentences[one] for one in item.filled_by if one in facts.sentences]
    if known:
        return Answered(item, "filled", " ".join(known))
    absent = [ONLY_IF[one] for one in item.filled_by if one in ONLY_IF]
    if absent and len(absent) == len(item.filled_by):
        return Answered(item, "does not apply", " ".join(absent))
    return Answered(item, "to write", PROMPTS.get(item.number, TO_WRITE))
