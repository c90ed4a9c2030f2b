"""The rule for a register's standing: about a register and its papers, and about no person.

What data say there (a coverage in per cent, a number of indicators) has been released already.
"""

from __future__ import annotations

import pandas as pd

from workbench.analysis.standing import COLUMNS, Standing
from workbench.errors import DisclosureError
from workbench.output.gate.judgement import Judgement, nothing_hidden
from workbench.registers.profiles import ReleaseProfile


def judge_standing(standing: Standing, policy: ReleaseProfile) -> Judgement:
    """Show each requirement with its answer as it is: nothing in it counts persons."""
    table = pd.DataFrame(standing)
    if table.columns.tolist() != COLUMNS:
        raise DisclosureError("A standing has been changed: release what `evaluate` gave.")
    shown = table.reset_index(drop=True)
    facts = {
        "by": ("item",), "stage": standing.stage, "level": standing.level,
        "next_stage": standing.next_stage, "missing": standing.missing,
    }  # fmt: skip
    notes = (standing.note.strip(),) if standing.note else ()
    return Judgement("standing", shown, nothing_hidden(shown), {}, notes, facts)
