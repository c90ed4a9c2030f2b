"""Turn the codes of a list into one regular expression that Python and the engine read alike.

The engine's expressions (RE2) cannot look ahead, so "E10 but not E102" cannot be said as such. It
is built sign by sign instead: after E10 the code either ends or goes on with another sign than 2.
What comes out is one expression for wanted codes with the excepted ones already taken out.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from string import ascii_uppercase, digits

SIGNS = digits + ascii_uppercase  # every sign of a normalised code, in the order of the engine
# The signs that may stand at each place, and whether more may follow: ("C", "0123", SIGNS), True.
Stem = tuple[tuple[str, ...], bool]
# The stems wanted and the stems excepted from them.
Wish = tuple[frozenset[Stem], frozenset[Stem]]
State = frozenset[Wish]

ANYTHING: Stem = ((), True)
OTHER = "other"  # any sign that normalised codes should not have


def stems_between(first: str, last: str) -> list[Stem]:
    """The stems of a range: C00 to C43 is C0 to C3 with any third sign, and C4 with 0 to 3."""
    if first == last:
        return [(tuple(first), True)]
    at = next(n for n, (one, other) in enumerate(zip(first, last, strict=True)) if one != other)
    head, low, high = tuple(first[:at]), first[at], last[at]
    rest = len(first) - at - 1
    between = SIGNS[SIGNS.index(low) + 1 : SIGNS.index(high)]
    after_low = stems_between(first[at + 1 :], SIGNS[-1] * rest)
    before_high = stems_between(SIGNS[0] * rest, last[at + 1 :])
    stems = [((*head, low, *places), True) for places, _ in after_low]
    stems += [((*head, between, *(SIGNS,) * rest), True)] if between else []
    return stems + [((*head, high, *places), True) for places, _ in before_high]


def pattern_of(wishes: Iterable[tuple[Iterable[Stem], Iterable[Stem]]], *, in_cell: bool) -> str:
    """One expression for all wishes; blank when the exceptions leave no code.

    With `in_cell` it finds a wanted code among several that are separated by blanks.
    """
    state = _tidy((frozenset(wanted), frozenset(excepted)) for wanted, excepted in wishes)
    rest = _rest(state, " " if in_cell else "", {})
    return "" if rest is None else ("(?:^| )" if in_cell else "^") + rest


def _rest(state: State, stop: str, known: dict[State, str | None]) -> str | None:
    """What the rest of a code must look like; nothing when no code can follow."""
    if state not in known:
        known[state] = _spelled_out(state, stop, known)
    return known[state]


def _spelled_out(state: State, stop: str, known: dict[State, str | None]) -> str | None:
    if not state:
        return None
    if any(ANYTHING in wanted and not excepted for wanted, excepted in state):
        return ""
    choices = []
    if any(_ends(wanted) and not _ends(excepted) for wanted, excepted in state):
        choices.append(f"(?:{stop}|$)" if stop else "$")
    followers: dict[State, list[str]] = {}
    for sign in (*SIGNS, OTHER):
        followers.setdefault(_after(state, sign), []).append(sign)
    for follower, signs in followers.items():
        rest = _rest(follower, stop, known)
        if rest is not None:
            choices.append(_class_of(signs, stop) + rest)
    if len(choices) < 2:
        return choices[0] if choices else None
    return f"(?:{'|'.join(choices)})"


def _after(state: State, sign: str) -> State:
    return _tidy((_stems_after(wanted, sign), _stems_after(no, sign)) for wanted, no in state)


def _stems_after(stems: frozenset[Stem], sign: str) -> frozenset[Stem]:
    going_on = {(places[1:], more) for places, more in stems if places and sign in places[0]}
    return frozenset(going_on | ({ANYTHING} & stems))


def _tidy(wishes: Iterable[Wish]) -> State:
    """Leave out what can no longer make a difference."""
    return frozenset(
        (frozenset({ANYTHING}) if ANYTHING in wanted else wanted, excepted)
        for wanted, excepted in wishes
        if wanted and ANYTHING not in excepted
    )


def _ends(stems: frozenset[Stem]) -> bool:
    return any(not places for places, _ in stems)


def _class_of(signs: list[str], stop: str) -> str:
    """The expression for one sign out of several."""
    if OTHER in signs:
        left_out = [sign for sign in SIGNS if sign not in signs]
        return f"[^{_ranges(left_out)}{stop}]" if left_out or stop else "."
    return signs[0] if len(signs) == 1 else f"[{_ranges(signs)}]"


def _ranges(signs: list[str]) -> str:
    """Signs with neighbours drawn together: 0123A is 0-3A."""
    text = ""
    for _, run in groupby(enumerate(signs), key=lambda pair: SIGNS.index(pair[1]) - pair[0]):
        together = [sign for _, sign in run]
        # 9 and A are neighbours in the list of signs, but not in a class
        for kind in (digits, ascii_uppercase):
            same = [sign for sign in together if sign in kind]
            text += f"{same[0]}-{same[-1]}" if len(same) > 2 else "".join(same)
    return text
