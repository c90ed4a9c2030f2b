"""Decide what may leave the secure room.

`release` is the only way from a result to something that can be written. It knows the rule for a
cohort's ledger, Table 1, survival curves with their numbers at risk, log-rank tests and Cox models
(each in its own module beside this one, the reasons with it). Anything else it refuses: there is
no "off". The limits come from the release profile, never from this room.

Each result is judged by itself. What two results of one release tell together (a model's n beside
a curve's, one cohort inside another) is not judged yet.
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
from workbench.output.gate.judgement import Judgement
from workbench.output.gate.judges import judge
from workbench.output.gate.net_rules import judge_net_at
from workbench.output.gate.readings import judge_reading, overview_of
from workbench.output.gate.survival_rules import (
    judge_quantiles,
    judge_restricted_mean,
    judge_survival_at,
)
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


def release(
    result: object,
    policy: ReleaseProfile,
    *,
    title: str,
    at_risk: pd.DataFrame | None = None,
) -> Released:
    """Take out of a result what could point at a person, and seal the rest.

    Parameters
    ----------
    result
        A cohort's `Ledger`, a `survival.LogRank`, a `regression.CoxFit`, or the frame of
        `description.table_one` or `survival.kaplan_meier` (made without `times`).
    policy
        The data owner's release profile.
    title
        What the result shows, as it will stand above it.
    at_risk
        With a curve only: the frame of `survival.number_at_risk` for the same persons. It is
        judged together with the curve and becomes its part "at_risk".

    Raises
    ------
    DisclosureError
        The gate cannot judge this, or nothing of it may be shown; says what to do.
    """
    if type(policy) is not ReleaseProfile:
        raise DisclosureError("policy: expected a release profile, as load_profile gives it.")
    if type(result) is Released:
        raise DisclosureError("This has been released already; use it as it is.")
    return _seal(judge(result, policy, at_risk=at_risk), policy.name, _rules(policy), title)


def release_quantiles(curve: Released, *, title: str, q: float | Sequence[float] = 0.5) -> Released:
    """Read when a share of persons has had the event off a released curve (0.5: the median).

    Nothing new is told, so nothing can leak. One row per group and share: the columns of `by`, q,
    estimate, lower, upper, and between which times the exact one lies: earliest, latest.
    """
    require_released(curve, "survival_curve")
    shares = [float(share) for share in ([q] if isinstance(q, (int, float)) else q)]
    judgement = judge_quantiles(
        curve.frame, curve.facts["by"], shares, distance=curve.facts["distance"]
    )
    return _seal(judgement, curve.profile, curve.rules, title)


def release_at_times(curve: Released, *, title: str, times: Sequence[float]) -> Released:
    """Read survival or incidence at given times off a released curve: its last step until then.

    Nothing new is told, so nothing can leak. One row per group and time: the columns of `by`,
    time, estimate, lower, upper; missing past a group's last shown time.
    """
    require_released(curve, "survival_curve", "incidence_curve", "net_survival")
    if curve.kind == "net_survival":
        judgement = judge_net_at(curve.frame, curve.facts["by"], times)
        return _seal(judgement, curve.profile, curve.rules, title)
    start = curve.facts.get("start", 1.0)
    judgement = judge_survival_at(curve.frame, curve.facts["by"], times, start=start)
    return _seal(judgement, curve.profile, curve.rules, title)


def release_restricted_mean(curve: Released, *, title: str, horizon: float) -> Released:
    """Read the mean time without the event until `horizon` off a released survival curve.

    Nothing new is told, so nothing can leak. One row per group: the columns of `by`, estimate,
    std_error, lower, upper, in the unit of the curve's time.
    """
    require_released(curve, "survival_curve")
    judgement = judge_restricted_mean(curve.frame, curve.facts["by"], horizon)
    return _seal(judgement, curve.profile, curve.rules, title)


def release_reading(counts: Released, reading: str, *, title: str, **options: Any) -> Released:
    """Make shares, limits, levels or trends of a released table of counts, from what it shows.

    `reading` is "shares" (options green, yellow, direction, minimum), "funnel", "ratios" (counts
    with expected), "effects", "trends" (by unit and year; option direction), "composition" (by unit
    and kind) or "coverage". Nothing new is told, so nothing can leak.
    """
    require_released(counts, "counts")
    decimals = int(counts.rules["decimals"])
    judgement = judge_reading(
        reading, counts.frame, counts.hidden, counts.facts, counts.notes, decimals, options
    )
    return _seal(judgement, counts.profile, counts.rules, title)


def release_overview(shares: Mapping[str, Released], *, title: str) -> Released:
    """Put released shares of several indicators into one table, as they are: nothing new is told.

    One row per indicator (the key of `shares`) and group, with level and how sure it is; all are
    shares of the same groups.
    """
    if not shares:
        raise DisclosureError("There are no released shares to put together.")
    for one in shares.values():
        require_released(one, "shares")
    first = next(iter(shares.values()))
    judgement = overview_of({name: (one.frame, one.facts) for name, one in shares.items()})
    return _seal(judgement, first.profile, first.rules, title)


def make_figure(
    *sources: Released, title: str, files: Mapping[str, bytes], alternative_text: str
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
        *empty, token=_TOKEN, sources=sources,
    )  # fmt: skip
    _SEALED[figure] = _fingerprint(figure)
    return figure


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


def _seal(judgement: Judgement, profile: str, rules: Mapping[str, Any], title: str) -> Released:
    parts = {
        name: _seal(part, profile, rules, f"{title}: {PART_TITLES[name]}")
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
    return sealed


def _rules(policy: ReleaseProfile) -> Mapping[str, Any]:
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
