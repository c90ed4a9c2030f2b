"""Dialogue packs: what the numbers of an indicator say in words, and what there is to talk about.

words       sentences made by rules from released results
summary     what a patient representative takes home
questions   what to talk about, in the order data error, case mix, structure, process
"""

from workbench.output.pack.questions import questions
from workbench.output.pack.summary import plain_summary
from workbench.output.pack.words import Evidence, findings

__all__ = ["Evidence", "findings", "plain_summary", "questions"]
