"""What to talk about: could it be the data, the patients, the structure, and only then the process.

The order is that of Lilford et al. (Lancet 2004;363:1147-54) and of dialogue meetings on practice
variation: a difference is a question before it is a verdict.
"""

from __future__ import annotations

from workbench.language import text
from workbench.output.pack.words import Evidence, flagged

ALWAYS = (
    "Structure: places, staff, equipment, hours, distance: what have some that others lack?",
    "Process: what is done, when, and by whom? What would one unit like to take from another?",
    "What is agreed, who does it, and when shall we look at these numbers again?",
)


def questions(evidence: Evidence, *, is_adjusted: bool = False) -> tuple[str, ...]:
    """Points for a meeting about one indicator, in the order in which they should be asked."""
    names = [*flagged(evidence, "low"), *flagged(evidence, "high")]
    data = (
        "Data: do the units named above register this in the same way, and the same cases? Draw "
        "some and look."
        if names
        else "Data: do the units farthest from the nation register this in the same way, and the "
        "same cases? Draw some and look."
    )
    patients = (
        "Patients: the adjusted figure allows for what the register knows. What does it not know?"
        if is_adjusted
        else "Patients: who comes to which unit? Nothing here is adjusted for it."
    )
    return tuple(text(one) for one in (data, patients, *ALWAYS))
