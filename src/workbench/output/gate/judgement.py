"""What a disclosure rule hands back to the gate, and the few questions every rule asks.

A count is *small* when it is 1 to threshold - 1; zero is shown. A rule returns a `Judgement`,
which cannot be written anywhere: only `workbench.output.disclosure.release` turns one into a
`Released`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.errors import DisclosureError
from workbench.registers.profiles import ROUNDINGS, ReleaseProfile

if TYPE_CHECKING:
    from workbench.output.gate.joint_counts import ShownCounts


@dataclass(frozen=True)
class Judgement:
    """A result with its unsafe parts taken out, before it is sealed."""

    kind: str
    frame: pd.DataFrame
    hidden: pd.DataFrame
    """True where a value was taken out by the gate; False where it is shown or was missing."""
    hidden_counts: Mapping[str, int] = field(default_factory=dict)
    """Reason -> how many cells, rows, steps or groups were taken out."""
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Single numbers of the result that may be shown; None where hidden."""
    parts: Mapping[str, Judgement] = field(default_factory=dict)
    behind: tuple[ShownCounts, ...] = ()
    """The true counts of a table of counts, for tables that are told beside it. Never shown."""


def is_small(counts: Any, threshold: int) -> Any:
    """Whether each count is 1 to threshold - 1; a missing count is not small."""
    values = np.asarray(counts, dtype=float)
    return (values > 0) & (values < threshold)


def are_safe(*counts: float, threshold: int) -> bool:
    """Whether every count is 0 or at least the threshold."""
    return not any(0 < count < threshold for count in counts)


def safe_spans(*columns: Sequence[int], threshold: int, at_least: int = 0) -> list[tuple[int, int]]:
    """Half-open spans of neighbouring rows in which the sum of every column is safe.

    Greedy from the first row on: a span is closed as soon as every sum is 0 or at least the
    threshold and the first column's sum is `at_least` or more, so that any row of it can still
    have held any small number. What is left over at the end joins the last span. One span over
    everything comes back also when even that is not safe: the caller judges it.
    """
    n_rows = len(columns[0])
    sums = [np.concatenate([[0], np.cumsum(column)]) for column in columns]

    def safe(first: int, end: int) -> bool:
        counts = [int(running[end] - running[first]) for running in sums]
        return counts[0] >= at_least and are_safe(*counts, threshold=threshold)

    spans: list[tuple[int, int]] = []
    start = 0
    for end in range(1, n_rows + 1):
        if safe(start, end):
            spans.append((start, end))
            start = end
    while start < n_rows:
        start = spans.pop()[0] if spans else 0
        if start == 0 or safe(start, n_rows):
            spans.append((start, n_rows))
            break
    return spans


def whole_counts(values: Any, *, what: str) -> np.ndarray:
    """The counts as whole numbers, or a refusal: a weighted or missing count cannot be judged."""
    counts = np.asarray(pd.to_numeric(pd.Series(values), errors="coerce"), dtype=float)
    if not np.isfinite(counts).all() or (counts < 0).any() or (counts != np.round(counts)).any():
        raise DisclosureError(
            f"The gate cannot judge {what}: they are not all whole numbers of persons (weighted, "
            "missing or negative). Release the unweighted result, or aggregate it differently."
        )
    return counts.astype(np.int64)


def nothing_hidden(frame: pd.DataFrame) -> pd.DataFrame:
    """A mask of the frame's shape in which nothing is hidden."""
    return pd.DataFrame(False, index=frame.index, columns=frame.columns)


def take_out(
    frame: pd.DataFrame, hidden: pd.DataFrame, *, rows: Any, columns: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Copies of frame and mask with these cells taken out, and how many had a value.

    A cell that was missing before stays missing: there was nothing to hide.
    """
    frame, hidden = frame.copy(), hidden.copy()
    chosen = pd.Series(rows, index=frame.index).astype(bool)
    n_cells = 0
    for column in columns:
        cells = chosen & frame[column].notna() & ~hidden[column]
        n_cells += int(cells.sum())
        hidden[column] = hidden[column] | cells
        if pd.api.types.is_integer_dtype(frame[column]):
            # A plain integer column would turn into fractions around the hole.
            frame[column] = frame[column].astype("Int64")
        frame[column] = frame[column].mask(cells)
    return frame, hidden, n_cells


def rounded(frame: pd.DataFrame, columns: list[str], *, decimals: int) -> pd.DataFrame:
    """A copy with these columns rounded; adding 0.0 turns -0.0 into 0.0."""
    shown = frame.copy()
    for column in columns:
        shown[column] = pd.to_numeric(shown[column]).astype(float).round(decimals) + 0.0
    return shown


def significant(values: Any, *, digits: int) -> np.ndarray:
    """The values rounded to significant digits; missing values stay missing."""
    numbers = np.asarray(values, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude = np.floor(np.log10(np.abs(numbers)))
    places = np.where(np.isfinite(magnitude), digits - 1 - magnitude, 0).astype(int)
    pairs = zip(numbers.ravel(), places.ravel(), strict=True)
    flat = [round(number, int(place)) if np.isfinite(number) else number for number, place in pairs]
    return np.array(flat, dtype=float).reshape(numbers.shape)


def round_counts(values: Any, policy: ReleaseProfile) -> Any:
    """The counts as the profile rounds them; 0 stays 0, and missing stays missing.

    "nearest 5" goes to the nearest multiple of 5, "midpoint 6" to the middle of 1-6, 7-12 ...
    """
    if policy.rounding == "none":
        return values
    counts = pd.array(values, dtype="Int64")
    step, first = ROUNDINGS[policy.rounding]
    steps = (counts - first + step) // step
    shown = steps * step if policy.rounding == "nearest 5" else steps * step - step // 2
    shown = shown.where(counts > 0, counts) if hasattr(shown, "where") else shown
    if isinstance(values, pd.Series):
        return pd.Series(shown, index=values.index, name=values.name)
    return shown


def hidden_only(counts: Mapping[str, int]) -> dict[str, int]:
    """The reasons under which something really was hidden."""
    return {reason: n for reason, n in counts.items() if n}
