"""Release profiles: the numbers a data owner sets for what may leave the secure room.

A profile is a YAML file named after itself. A project's own profiles lie in its
`params/profiles/`, the workbench's in `definitions/profiles/`; the project's go first. The gate
in `workbench.output.disclosure` only computes with a profile; no limit stands in the code there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from workbench.errors import DefinitionError, did_you_mean
from workbench.registers.documents import Document, read_document

SHIPPED = Path(__file__).parent / "definitions"

# What is rounded alike: how many counts, and the lowest count that begins a new rounded number.
ROUNDINGS = {"nearest 5": (5, 3), "midpoint 6": (6, 1)}

# Settings of which a smaller value shows less.
LESS_IS_SAFER = {"dominance_percent", "decimals", "significant_digits"}

Count = Annotated[int, Field(ge=1, le=1_000_000)]


class ReleaseProfile(Document):
    """What one data owner allows to be shown.

    A setting may be made stricter freely. Below 3 the threshold would protect nobody: a count
    of 2 lets each of the two find the other, so a lower value is refused.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    description: str
    owner: str
    """Who set these numbers, and where it is written."""

    threshold: Annotated[int, Field(ge=3, le=60)] = 5
    """Smallest count shown: 5 hides 1 to 4. OHDSI and DARWIN start from 5 too.

    Up to 60: every value below it must be kept possible, one by one.
    """

    hides_rest: bool = True
    """Whether a count is hidden, too, when few of its group are not in it."""

    hides_zero: bool = False
    """Whether nobody and everybody (0 % and 100 % of a group) are hidden as small counts are.

    What all of a group have is known of each of them.
    """

    rounding: Literal["none", "nearest 5", "midpoint 6"] = "none"
    """How counts are rounded when they are shown.

    "midpoint 6" shows 1-6 as 3, 7-12 as 9 and so on, as OpenSAFELY does.
    """

    minimum_denominator: Count = 5
    """Fewest persons a share, a funnel point or a trend is worked out from."""

    dominance_percent: Annotated[int, Field(ge=1, le=100)] = 50
    """Largest share of a sum (person-years ...) that may come from one person, in percent."""

    model_events: Count = 50
    """Fewest events behind a model; the limit of OpenSAFELY's cox-ipw action."""

    parameter_events: Count = 10
    """Fewest events for each parameter of a model.

    10 is where Peduzzi et al. (J Clin Epidemiol 1995;48:1503-10) found coefficients and intervals
    trustworthy. For disclosure it keeps a model far from saturated: one that has about as many
    parameters as events can be solved for the persons behind it.
    """

    level_persons: Count = 5
    """Fewest persons on a category of a model; OpenSAFELY's cox-ipw action uses 5."""

    level_events: Count = 5
    """Fewest events on a category of a model; with fewer its coefficient points at persons."""

    decimals: Annotated[int, Field(ge=0, le=6)] = 3
    """Decimals of survival, hazard ratios, differences and other estimates."""

    significant_digits: Annotated[int, Field(ge=1, le=6)] = 3
    """Significant digits of means and quantiles, which would otherwise show one person's value."""

    @model_validator(mode="after")
    def _levels_as_strict_as_the_threshold(self) -> ReleaseProfile:
        for setting in ("level_persons", "level_events"):
            if getattr(self, setting) < self.threshold:
                raise ValueError(
                    f"{setting} is below the threshold ({self.threshold}), so that a model would "
                    f"show what a table hides; raise {setting} to {self.threshold} or more"
                )
        return self

    @model_validator(mode="after")
    def _no_rounded_number_stands_for_fewer_counts(self) -> ReleaseProfile:
        """Refuse pairs that leak: with 6 and "nearest 5" a printed 5 could only be 6 or 7."""
        if self.rounding == "none":
            return self
        step, first = ROUNDINGS[self.rounding]
        if (self.threshold - first) % step:
            wider = self.threshold + (first - self.threshold) % step
            raise ValueError(
                f'threshold {self.threshold} with rounding "{self.rounding}" leaves the lowest '
                "rounded number to stand for fewer counts than the others, so that it tells "
                f"more; raise threshold to {wider}"
            )
        return self


def lowered_protections(rules: Mapping[str, Any]) -> dict[str, str]:
    """Settings that protect less than the standard profile, with both values, for the record.

    Parameters
    ----------
    rules
        The settings of a profile, by name.
    """
    standard = load_profile("standard")
    lowered = {}
    for name, field in ReleaseProfile.model_fields.items():
        value, usual = rules.get(name), getattr(standard, name)
        if field.annotation is int and value is not None:
            less = value > usual if name in LESS_IS_SAFER else value < usual
        else:
            less = usual is True and value is False
        if less:
            lowered[name] = f"{value}, where the standard profile has {usual}"
    return lowered


def load_profile(name: str, folders: Sequence[Path] = ()) -> ReleaseProfile:
    """Find a release profile by its name.

    Parameters
    ----------
    name
        The profile's name, which is its file's name without `.yaml`.
    folders
        Places to look before the workbench's own definitions, first one first. The profile is
        looked for as `profiles/<name>.yaml` in each.

    Raises
    ------
    DefinitionError
        No such profile (the nearest name is offered), a setting that does not exist or cannot be
        used, or a file that gives itself another name.
    """
    places = [Path(folder) / "profiles" for folder in (*folders, SHIPPED)]
    known = {path.stem: path for place in reversed(places) for path in sorted(place.glob("*.yaml"))}
    if name not in known:
        raise DefinitionError(
            f'There is no release profile "{name}".{did_you_mean(name, known)} '
            "A profile is a YAML file in the project's params/profiles."
        )
    profile = read_document(known[name], ReleaseProfile)
    if profile.name != name:
        raise DefinitionError(
            f'{known[name]}: the profile calls itself "{profile.name}", but its file is named '
            f'"{name}". Give both the same name.'
        )
    return profile
