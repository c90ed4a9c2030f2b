"""What patients answer themselves: scores, how many answered, and how scores change.

forms        who was sent a form, and what came back
scoring      answers to points, points to scales and composites
summaries    scores of groups beside their response rate, shown only where enough answered
changes      from before to after: size of the change, and who changed by what patients notice
"""

from workbench.analysis.prom.changes import change
from workbench.analysis.prom.forms import read_forms
from workbench.analysis.prom.scoring import score
from workbench.analysis.prom.summaries import DisplayRule, response, summarise

__all__ = ["DisplayRule", "change", "read_forms", "response", "score", "summarise"]
