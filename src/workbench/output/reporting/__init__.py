"""What is written around results: for a paper, and back to the register they came from.

paper_facts   a study's own files as sentences, by what they are about
paper         the methods paragraph, and a checklist filled with those sentences
paper_page    both as one page, and the checklist as CSV
suggestions   what a register could do better, by rules with limits
"""

from workbench.output.reporting.paper import Answered, fill_checklist, methods_paragraph
from workbench.output.reporting.paper_facts import PaperFacts, facts_of_run
from workbench.output.reporting.paper_page import build_paper, checklist_csv
from workbench.output.reporting.suggestions import Suggestion, suggest

__all__ = [
    "Answered",
    "PaperFacts",
    "Suggestion",
    "build_paper",
    "checklist_csv",
    "facts_of_run",
    "fill_checklist",
    "methods_paragraph",
    "suggest",
]
