"""The errors a user may meet, each with the exit code the command line ends with.

A message has up to four parts, in this order: where (file and key, table and column), what is
wrong, what was expected, what to do. It never shows a person's value. Anything that is not a
`WorkbenchError` is a fault of the workbench itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

MOST_FAULTS_TOLD = 10


class WorkbenchError(Exception):
    """Something the user can mend; told in one message, without a traceback."""

    exit_code = 2


class DefinitionError(WorkbenchError):
    """A register definition, code list or release profile that cannot be used."""


class KeyFault(WorkbenchError):
    """The key of the pseudonyms is missing, cannot be used, or lies where others can get at it."""


class StudyError(WorkbenchError):
    """A study, its parameters or its notebook that cannot be used as they stand."""


class DataError(WorkbenchError):
    """An extract or a frame that cannot be used: nothing has been changed."""

    exit_code = 3


class StoreError(WorkbenchError):
    """A store that is damaged, locked by another writer, or made by a newer workbench."""

    exit_code = 3


class DisclosureError(WorkbenchError):
    """The release gate refuses: it could not judge a result, or judged it unsafe."""

    exit_code = 4


class RunError(WorkbenchError):
    """A run that failed, or a disk that is full."""

    exit_code = 5


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Offer the nearest known name as the end of a message, or list what is known.

    Returns a sentence that starts with a space, so that it can be added to any message.
    """
    choices = sorted(set(known))
    folded = {choice.casefold(): choice for choice in choices}
    near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if near:
        return f' Did you mean "{folded[near[0]]}"?'
    if not choices:
        return ""
    shown = ", ".join(choices[:MOST_FAULTS_TOLD])
    more = f" and {len(choices) - MOST_FAULTS_TOLD} more" if len(choices) > MOST_FAULTS_TOLD else ""
    return f" Known: {shown}{more}."


def gathered(heading: str, faults: Sequence[str]) -> str:
    """One message for many faults: the heading, then at most ten faults, then how many more."""
    lines = [f"  - {fault}" for fault in faults[:MOST_FAULTS_TOLD]]
    if len(faults) > MOST_FAULTS_TOLD:
        lines.append(f"  - and {len(faults) - MOST_FAULTS_TOLD} more")
    return "\n".join([heading, *lines])
