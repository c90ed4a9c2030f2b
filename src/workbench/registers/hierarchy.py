"""A care organisation as it was and is: places on levels, their names, parents and mergers by date.

Every code is text. A place hangs under one place of the next level at any time; only a divided
place (a county that two health-care regions share) does not, and then a rule must be chosen.
All dates are whole days and both ends are included: `to` is the last day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from workbench.errors import did_you_mean
from workbench.registers.documents import Document
from workbench.registers.schema import Slug

DAY = timedelta(days=1)
BY_PART = "by_part"  # a divided place goes where its part belongs
AS_ITSELF = "as_itself"  # a divided place stands beside the places of the next level

NotPlaced = Literal[
    "no code", "no date", "unknown code", "not open on that day", "part not given", "unknown part"
]


class Dated(Document):
    """Something that holds for some time; open where no day is given."""

    first_day: date = Field(default=date.min, alias="from")
    last_day: date = Field(default=date.max, alias="to")

    def holds(self, on: date) -> bool:
        """Whether a day lies within."""
        return self.first_day <= on <= self.last_day


class DatedName(Dated):
    """A name that a place had for some time."""

    name: str


class DatedParent(Dated):
    """The place of the next level under which a place was for some time."""

    parent: str


class Place(Dated):
    """One unit, hospital, region or nation."""

    name: str
    short_name: str | None = None
    names: tuple[DatedName, ...] = ()  # earlier or later names; `name` holds at all other times
    parent: str | None = None  # the code on the next level
    parents: tuple[DatedParent, ...] = ()  # where it changed
    part: str | None = None  # of a divided parent: the part (such as a municipality) it lies in
    merged_into: str | None = None  # who goes on after the last day, on the same level

    def name_on(self, on: date) -> str:
        """What the place was called on a day."""
        return next((one.name for one in self.names if one.holds(on)), self.name)

    def parent_on(self, on: date) -> str | None:
        """Under which code it was on a day."""
        return next((one.parent for one in self.parents if one.holds(on)), self.parent)

    def faults(self) -> Iterator[str]:
        """What cannot be true of a place, whatever stands around it."""
        if self.parent and self.parents:
            yield "give parent or parents, not both"
        if self.merged_into and self.last_day == date.max:
            yield "merged_into needs to (the last day)"
        for what, dated in (("it", (self,)), ("names", self.names), ("parents", self.parents)):
            spans: Sequence[Dated] = sorted(dated, key=lambda one: one.first_day)
            if any(one.first_day > one.last_day for one in spans):
                yield f"{what}: to is before from"
            elif any(one.last_day >= after.first_day for one, after in pairwise(spans)):
                yield f"{what}: two hold on the same day"
            elif what == "parents" and not _without_gap(spans, self):
                yield "parents: on some days there is none"


class Division(Document):
    """A place that belongs to several places of the next level, part by part."""

    level: str
    code: str
    by: str  # what the parts are, such as municipality
    parts: dict[str, tuple[str, ...]] = Field(min_length=2)  # code on the next level -> parts
    rules: dict[Slug, str] = Field(min_length=1)  # name -> by_part, as_itself, or a code

    def parent_of(self, part: str) -> str | None:
        """The place of the next level that a part belongs to."""
        return next((parent for parent, parts in self.parts.items() if part in parts), None)


class Organisation(Document):
    """All places of a country or a network, level by level."""

    name: Slug
    label: str
    source: str
    extends: Slug | None = None  # an organisation whose places belong to this one too
    levels: tuple[Slug, ...] = Field(min_length=1)  # the lowest first
    places: dict[Slug, dict[str, Place]] = Field(default_factory=dict)
    divided: tuple[Division, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Organisation:
        faults = [*self._level_faults()]
        faults = faults or [*self._place_faults(), *self._division_faults()]
        if faults:
            raise ValueError("; ".join(faults) + ".")
        return self

    def place(self, level: str, code: str) -> Place | None:
        """The place with a code, or nothing."""
        return self.places.get(level, {}).get(code)

    def above(self, level: str) -> str | None:
        """The next level, or nothing on the highest."""
        at = self.levels.index(level) + 1
        return self.levels[at] if at < len(self.levels) else None

    def division(self, level: str, code: str) -> Division | None:
        """How a place is divided, or nothing when it is not."""
        return next((one for one in self.divided if (one.level, one.code) == (level, code)), None)

    def beside(self, level: str, code: str) -> Division | None:
        """How a place is divided that stands as itself on this level, one above its own."""
        below = (one for one in self.divided if self.above(one.level) == level)
        return next((one for one in below if one.code == code), None)

    def parent(self, level: str, code: str, on: date) -> str | None:
        """The place of the next level that an undivided place was under on a day.

        A divided place that stands as itself has a parent when all its parts have the same.
        """
        above = self.above(level)
        place, itself = self.place(level, code), self.beside(level, code)
        if above is None or (place is None and itself is None):
            return None
        if place is None and itself is not None:
            shared = {self.parent(level, one, on) for one in itself.parts}
            return shared.pop() if len(shared) == 1 else None
        given = place.parent_on(on) if place is not None else None
        return self.current(above, given, on) if given else None

    def current(self, level: str, code: str, on: date) -> str | None:
        """The code that stands for a place on a day: its own, or that of who went on after it."""
        place = self.place(level, code)
        while place is not None and on > place.last_day:
            code = place.merged_into or ""
            place = self.place(level, code)
        return code if place is not None and on >= place.first_day else None

    def change_days(self) -> list[date]:
        """The days on which anything changed, in order."""
        dated: list[Dated] = []
        for places in self.places.values():
            for place in places.values():
                dated += [place, *place.names, *place.parents]
        days = {one.first_day for one in dated} | {
            one.last_day + DAY for one in dated if one.last_day < date.max
        }
        return sorted(days - {date.min})

    def _level_faults(self) -> Iterator[str]:
        yield from (
            f"levels: {one} stands twice" for one, n in Counter(self.levels).items() if n > 1
        )
        for level in (*self.places, *(one.level for one in self.divided)):
            if level not in self.levels:
                near = did_you_mean(level, self.levels).removesuffix(".")
                yield f'there is no level "{level}".{near}'

    def _place_faults(self) -> Iterator[str]:
        for level, places in self.places.items():
            for code, place in places.items():
                where = f"places.{level}.{code}"
                yield from (f"{where}: {fault}" for fault in place.faults())
                yield from (
                    f"{where}: {fault}" for fault in self._parent_faults(level, code, place)
                )
                yield from (
                    f"{where}: {fault}" for fault in self._merger_faults(level, code, place)
                )

    def _parent_faults(self, level: str, code: str, place: Place) -> Iterator[str]:
        above = self.above(level)
        given = [*place.parents]
        if place.parent:
            keys = {"parent": place.parent, "from": place.first_day, "to": place.last_day}
            given.append(DatedParent.model_validate(keys))
        if above is None or self.division(level, code):
            if given:
                why = "is on the highest level" if above is None else "is divided"
                yield f"it {why}, so that it has no parent"
            return
        if not given:
            yield "it has no parent"
        for one in given:
            parent = self.place(above, one.parent)
            if parent is None:
                near = did_you_mean(one.parent, self.places.get(above, {})).removesuffix(".")
                yield f'there is no {above} "{one.parent}".{near}'
            elif one.first_day < parent.first_day:
                yield f"it is under {above} {one.parent} before that existed"
            elif one.last_day > parent.last_day and not parent.merged_into:
                yield f"it is under {above} {one.parent} after that was closed"

    def _merger_faults(self, level: str, code: str, place: Place) -> Iterator[str]:
        if place.merged_into is None:
            return
        after = self.place(level, place.merged_into)
        if after is None:
            near = did_you_mean(place.merged_into, self.places[level]).removesuffix(".")
            yield f'merged_into: there is no {level} "{place.merged_into}".{near}'
        elif place.last_day < date.max and not after.holds(place.last_day + DAY):
            yield f"merged_into: {place.merged_into} was not open on the day after"
        seen = [code]
        while after is not None and after.merged_into and after.merged_into not in seen:
            seen.append(after.merged_into)
            after = self.place(level, after.merged_into)
        if after is not None and after.merged_into == code:
            yield "merged_into: goes in a circle"

    def _division_faults(self) -> Iterator[str]:
        for at, one in enumerate(self.divided):
            above = self.above(one.level)
            known = self.places.get(above or "", {})
            where = f"divided[{at}]"
            if above is None:
                yield f"{where}: {one.level} is the highest level"
            if self.place(one.level, one.code) is None:
                yield f'{where}: there is no {one.level} "{one.code}"'
            targets = [to for to in one.rules.values() if to not in {BY_PART, AS_ITSELF}]
            for target in dict.fromkeys([*one.parts, *targets]):
                if target not in known:
                    near = did_you_mean(target, known).removesuffix(".")
                    yield f'{where}: there is no {above} "{target}".{near}'
            twice = Counter(part for parts in one.parts.values() for part in parts)
            yield from (
                f"{where}: {one.by} {part} is in two parts" for part, n in twice.items() if n > 1
            )
            if AS_ITSELF in one.rules.values() and one.code in known:
                yield f"{where}: as_itself cannot be used, since {above} has a place {one.code} too"


def _without_gap(spans: Sequence[Dated], within: Dated) -> bool:
    """Whether spans in order, without overlaps, leave no day of `within` out."""
    if not spans:
        return True
    joined = all(one.last_day + DAY == after.first_day for one, after in pairwise(spans))
    return (
        joined and spans[0].first_day <= within.first_day and spans[-1].last_day >= within.last_day
    )
