"""The seal: what has passed the gate, and the proof that nothing else did.

Only `workbench.output.disclosure` seals. A `Released` keeps what may be shown; the true counts
behind a table of counts stay here, for the tables that are told beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from html import escape
from types import MappingProxyType
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

import pandas as pd

from workbench.errors import DisclosureError
from workbench.output.gate.joint_counts import ShownCounts
from workbench.output.gate.judgement import Judgement
from workbench.registers.profiles import ReleaseProfile

HIDDEN, MISSING = "[c]", "–"  # "[c]" for confidential, as British official statistics do

PART_TITLES = {
    "leavers": "who was left out",
    "checks": "checks",
    "at_risk": "numbers at risk",
    "comparison": "comparison persons",
    "tables": "the registers in numbers",
    "conflicts": "where registers contradict",
    "years": "rows by year",
    "deliveries": "deliveries",
    "faults": "what was wrong",
    "repeats": "repeated rows",
    "curve": "limits by size",
}

_TOKEN = object()


@dataclass(frozen=True, eq=False, repr=False)
class Released:
    """A result that has passed the gate. Only `release` and the figures made from it make one.

    `frame` holds what may be shown; a cell the gate took out is a missing value there and True in
    `hidden`, so that hidden and missing stay two things. Both are copies: changing one changes
    nothing here. `parts` are released results that belong to this one (a ledger's leavers, a
    curve's numbers at risk), `facts` its single numbers, `files` a figure's pictures by ending.
    """

    kind: str
    title: str
    profile: str
    rules: Mapping[str, Any]
    hidden_counts: Mapping[str, int]
    notes: tuple[str, ...]
    facts: Mapping[str, Any]
    parts: Mapping[str, Released]
    files: Mapping[str, bytes]
    alternative_text: str
    _frame: pd.DataFrame
    _hidden: pd.DataFrame
    token: InitVar[object]
    sources: tuple[Released, ...] = field(default=())

    def __post_init__(self, token: object) -> None:
        """Refuse to exist unless the gate makes it."""
        if token is not _TOKEN:
            raise DisclosureError(
                "A Released can only be made by workbench.output.disclosure.release(result, "
                "policy, title=...)."
            )

    def __init_subclass__(cls) -> NoReturn:
        """Refuse a second kind of Released, which could be made elsewhere."""
        raise DisclosureError("Released cannot be subclassed: release the result instead.")

    def __reduce__(self) -> NoReturn:
        """Refuse copies and pickles: what comes back could have been changed on the way."""
        raise DisclosureError("A Released cannot be copied or pickled: release the result again.")

    @property
    def frame(self) -> pd.DataFrame:
        """What may be shown, as a copy."""
        return self._frame.copy()

    @property
    def hidden(self) -> pd.DataFrame:
        """True where the gate took a value out, as a copy."""
        return self._hidden.copy()

    @property
    def all_hidden_counts(self) -> dict[str, int]:
        """Reason -> how many were hidden, with the parts' and, for a figure, its sources'."""
        return count_hidden([self])

    def csv(self) -> bytes:
        """The frame as CSV, always the same bytes: hidden cells as `[c]`, missing ones empty."""
        text: str = self.texts().to_csv(index=False, lineterminator="\n")
        return text.encode("utf-8")

    def record(self) -> dict[str, Any]:
        """What the release record says of it: counts and rules, no result."""
        return {
            "kind": self.kind,
            "title": self.title,
            "profile": self.profile,
            "rules": dict(self.rules),
            "hidden": self.all_hidden_counts,
            "notes": list(self.notes),
            "sha256": hashlib.sha256(self.csv()).hexdigest(),
        }

    def texts(self) -> pd.DataFrame:
        """The frame as it is written: hidden cells as `[c]`, everything else unchanged."""
        return self._frame.astype(object).where(~self._hidden, HIDDEN)

    def __repr__(self) -> str:
        """A line for the console."""
        n_hidden = int(self._hidden.to_numpy().sum())
        return f"<Released {self.kind}: {self.title}; {len(self._frame)} rows, {n_hidden} hidden>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """What a notebook shows: the picture of a figure, the table of everything else."""
        if "png" in self.files:
            return {"image/png": self.files["png"], "text/plain": self.alternative_text}
        table = self.texts().to_html(index=False, border=0, na_rep=MISSING)
        return {"text/html": f"<p><b>{escape(self.title)}</b></p>{table}", "text/plain": repr(self)}


_SEALED: WeakKeyDictionary[Released, str] = WeakKeyDictionary()
_BEHIND: WeakKeyDictionary[Released, tuple[ShownCounts, ...]] = WeakKeyDictionary()


def count_hidden(results: Sequence[Released]) -> dict[str, int]:
    """Reason -> how many were hidden in these results, each result and its sources once."""
    total: dict[str, int] = {}
    for origin in _lineage(results):
        for reason, n in origin.hidden_counts.items():
            total[reason] = total.get(reason, 0) + n
    return dict(sorted(total.items()))


def kinds_of(result: Released) -> tuple[str, ...]:
    """What a result shows: its own kind, or for a figure the kinds it was drawn from."""
    return tuple(source.kind for source in result.sources) or (result.kind,)


def require_released(result: object, *kinds: str) -> None:
    """Refuse what did not come through the gate, was changed since, or is of another kind."""
    if type(result) is not Released:
        raise DisclosureError(
            f"Only released results can be shown or written, not a {type(result).__name__}. "
            "First: result = release(result, policy, title=...)."
        )
    if result not in _SEALED or _SEALED[result] != _fingerprint(result):
        raise DisclosureError("This Released was not made by release, or was changed. Release it.")
    if kinds and result.kind not in kinds:
        raise DisclosureError(f"Expected a released {' or '.join(kinds)}, not a {result.kind}.")


def seal(
    judgement: Judgement, profile: str, rules: Mapping[str, Any], title: str,
    behind: Sequence[ShownCounts] = (),
) -> Released:  # fmt: skip
    """Seal what a rule has let through; `behind` are the counts that it was read off."""
    parts = {
        name: seal(part, profile, rules, f"{title}: {PART_TITLES[name]}")
        for name, part in judgement.parts.items()
    }
    frame = judgement.frame.reset_index(drop=True)
    hidden = judgement.hidden.reset_index(drop=True).astype(bool)
    # The last word: whatever a rule did, a cell it calls hidden holds no value.
    if frame.shape != hidden.shape or (frame.notna() & hidden).any(axis=None):
        raise DisclosureError(f"The rule for a {judgement.kind} left a hidden value in its place.")
    sealed = Released(
        judgement.kind, title, profile, rules, MappingProxyType(dict(judgement.hidden_counts)),
        judgement.notes, MappingProxyType(dict(judgement.facts)), MappingProxyType(parts),
        MappingProxyType({}), "", frame, hidden, token=_TOKEN,
    )  # fmt: skip
    _SEALED[sealed] = _fingerprint(sealed)
    _BEHIND[sealed] = (*judgement.behind, *behind)
    return sealed


def seal_figure(
    sources: Sequence[Released], title: str, files: Mapping[str, bytes], alternative_text: str
) -> Released:
    """Seal pictures drawn from released results; the figure inherits what they hide and say."""
    for source in sources:
        require_released(source)
    first = sources[0]
    notes = tuple(dict.fromkeys(note for source in sources for note in source.notes))
    empty = first._frame, first._hidden
    figure = Released(
        "figure", title, first.profile, first.rules, MappingProxyType({}), notes,
        first.facts, MappingProxyType({}), MappingProxyType(dict(files)), alternative_text,
        *empty, token=_TOKEN, sources=tuple(sources),
    )  # fmt: skip
    _SEALED[figure] = _fingerprint(figure)
    return figure


def counts_behind(results: Sequence[Released]) -> list[ShownCounts]:
    """The counts that results, their parts and sources were made of, each once."""
    found: dict[int, ShownCounts] = {}
    for one in _lineage(results):
        found |= {id(counts): counts for counts in _BEHIND.get(one, ())}
    return list(found.values())


def count_cells(results: Sequence[Released]) -> dict[str, dict[str, int]]:
    """How many numbers are shown and hidden in tables of counts, and in other tables.

    Keys "counts" and "others"; each has "shown", and the hidden by reason.
    """
    counts, others = {"shown": 0}, {"shown": 0}
    for one in counts_behind(results):
        reasons = one.reason[one.system.is_row & one.system.cells.is_printed]
        for reason in reasons:
            counts[reason or "shown"] = counts.get(reason or "shown", 0) + 1
    for result in _lineage(results):
        if result.kind == "figure" or _BEHIND.get(result):
            continue
        numbers = result._hidden.any() | result._frame.dtypes.map(pd.api.types.is_numeric_dtype)
        own = result._frame.columns.isin(list(result.facts.get("by", ())))
        chosen = numbers.to_numpy() & ~own
        others["shown"] += int(result._frame.loc[:, chosen].notna().to_numpy().sum())
        n_hidden = int(result._hidden.loc[:, chosen].to_numpy().sum())
        if n_hidden:
            others["hidden"] = others.get("hidden", 0) + n_hidden
    return {"counts": counts, "others": others}


def rules_of(policy: ReleaseProfile) -> Mapping[str, Any]:
    """A profile's settings, as a result carries them."""
    return MappingProxyType(policy.model_dump(exclude={"name"}))


def _fingerprint(result: Released) -> str:
    """A hash over everything a Released can show."""
    shown = hashlib.sha256()
    texts = [result.kind, result.title, result.profile, result.alternative_text, *result.notes]
    for text in (*texts, str(dict(result.rules))):
        shown.update(text.encode() + b"\0")
    shown.update(json.dumps([dict(result.facts), dict(result.hidden_counts)], default=str).encode())
    for origin in (*result.parts.values(), *result.sources):
        shown.update(_fingerprint(origin).encode())
    for ending, content in result.files.items():
        shown.update(ending.encode() + content)
    return hashlib.sha256(shown.digest() + result.csv()).hexdigest()


def _lineage(results: Sequence[Released]) -> list[Released]:
    """The results with their parts and sources, each once."""
    found: list[Released] = []
    waiting = list(results)
    while waiting:
        one = waiting.pop(0)
        if not any(one is known for known in found):
            found.append(one)
            waiting += [*one.parts.values(), *one.sources]
    return found
