"""What a register could do better, said by rules from its own released numbers.

Every rule has its limit in one table, so that nobody has to ask why something is said; a project
can give other limits. A rule about shares speaks only where the interval is on the wrong side of
the limit. What was not measured is a suggestion of its own. No rule names or ranks a best unit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from workbench.errors import StudyError, did_you_mean
from workbench.language import number, per_cent, share, text
from workbench.output.disclosure import Released, require_released
from workbench.output.figures.unit_marks import listed

LIMITS: dict[str, float] = {
    "coverage": 0.80,  # share of the other source's cases (Norwegian scheme, requirement 13)
    "missing_percent": 20.0,  # of a variable in its last years: beyond it case mix cannot use it
    "days_to_report": 180.0,  # by which nine of ten reports should have come
    "set_aside": 0.01,  # share of the rows of the newest delivery
    "variables_named": 5.0,  # at most so many variables are named, the worst first
}


@dataclass(frozen=True)
class Suggestion:
    """One thing to mend: what it is about, what was found, and what could be done."""

    topic: str
    finding: str
    advice: str

    @property
    def line(self) -> str:
        """Finding and advice in one line."""
        return f"{self.finding} {self.advice}"


def suggest(
    *, coverage: Released | None = None, quality: Released | None = None,
    lag: Released | None = None, shares: Mapping[str, Released] | None = None,
    may_be_empty: Collection[str] = (), limits: Mapping[str, float] | None = None,
) -> tuple[Suggestion, ...]:  # fmt: skip
    """Say what a register could do better, from what was released about it.

    Parameters
    ----------
    coverage
        A released reading "shares" by region: cases that the register has of another source's.
    quality
        A released `analysis.quality.describe_quality`.
    lag
        A released `coverage.reporting_lag` by region.
    shares
        By indicator's label, its released reading "shares": those without a target are named.
    may_be_empty
        Variables that many rows rightly lack (the day of death): nothing is said of them.
    limits
        Other limits, by the names of `LIMITS`.

    Returns
    -------
    Suggestions in the order coverage, completeness, deliveries, lag, targets; in the language
    spoken. The same input gives the same ones.

    Raises
    ------
    DisclosureError
        What was not released.
    StudyError
        A limit that no rule has.
    """
    for name in limits or {}:
        if name not in LIMITS:
            raise StudyError(f'limits: no rule has "{name}".{did_you_mean(name, LIMITS)}')
    limit = {**LIMITS, **(limits or {})}
    parts = (
        _of_coverage(coverage, limit),
        _of_completeness(quality, limit, may_be_empty),
        _of_deliveries(quality, limit),
        _of_lag(lag, limit),
        _of_targets(shares or {}),
    )
    return tuple(one for part in parts for one in part)


def _of_coverage(found: Released | None, limit: Mapping[str, float]) -> Iterator[Suggestion]:
    if found is None:
        yield Suggestion(
            "coverage",
            text("How many cases the register lacks is not measured."),
            text("Compare it person by person with another source, such as the patient register."),
        )
        return
    require_released(found, "shares")
    least, nation = limit["coverage"], found.facts
    if nation["nation_upper"] < least:
        yield Suggestion(
            "coverage",
            text("The register has {share} of the other source's cases, surely below {limit}.",
                 share=share(nation["nation_estimate"]), limit=share(least)),
            text("Give units lists of the cases they lack, several times a year."),
        )  # fmt: skip
    rows = found.frame
    low = rows.loc[rows["upper"] < least, nation["by"][0]].astype(str).tolist()
    if low:
        yield Suggestion(
            "coverage",
            text("Coverage is surely below {limit} in {names}.", limit=share(least),
                 names=listed(low, most=8)),
            text("Ask there who reports, when, and what stands in the way."),
        )  # fmt: skip


def _of_completeness(
    found: Released | None, limit: Mapping[str, float], may_be_empty: Collection[str]
) -> Iterator[Suggestion]:
    if found is None:
        yield Suggestion(
            "completeness",
            text("How complete the variables are is not measured."),
            text("Count what is missing by variable and year, and publish it."),
        )
        return
    require_released(found, "quality")
    # rows come in order of time; the last of a variable are its last years
    rows = found.frame[~found.frame["variable"].isin(list(may_be_empty))]
    last = rows.groupby("variable", sort=False).tail(1)
    last = last.assign(percent=pd.to_numeric(last["percent"]))
    poor = last[last["percent"] > limit["missing_percent"]]
    poor = poor.sort_values(["percent", "variable"], ascending=[False, True])
    for row in poor.head(int(limit["variables_named"])).to_dict("records"):
        yield Suggestion(
            "completeness",
            text("{variable} is missing in {share} of rows in {years}.", variable=row["variable"],
                 share=per_cent(row["percent"]), years=row["years"]),
            text(
                "Where it should be there: make it a required field, with a choice for not known."
            ),
        )  # fmt: skip
    jumped = last.loc[last["is_break"].fillna(value=False).astype(bool), "variable"].tolist()
    if jumped:
        yield Suggestion(
            "completeness",
            text("What is missing jumped in the last years for {names}.",
                 names=listed(sorted(jumped), most=8)),
            text("Look for a changed form, a changed import or a unit that joined."),
        )  # fmt: skip


def _of_deliveries(found: Released | None, limit: Mapping[str, float]) -> Iterator[Suggestion]:
    rows = None if found is None else found.parts.get("deliveries")
    if rows is None or rows.frame.empty:
        return
    newest = rows.frame.iloc[-1]
    read, aside = (pd.to_numeric(newest[name]) for name in ("n_rows_read", "n_rows_set_aside"))
    if pd.isna(read) or pd.isna(aside) or not aside > limit["set_aside"] * read:
        return
    yield Suggestion(
        "deliveries",
        text("{share} of the rows of the newest delivery were set aside for faults.",
             share=share(aside / read, 1)),
        text("Mend the commonest faults in the form, where they are made."),
    )  # fmt: skip


def _of_lag(found: Released | None, limit: Mapping[str, float]) -> Iterator[Suggestion]:
    if found is None:
        return
    require_released(found, "lag")
    rows, days = found.frame, limit["days_to_report"]
    keys = list(found.facts["by"])
    if not keys or "p90_days" not in rows:
        return
    slow = rows.loc[pd.to_numeric(rows["p90_days"]) > days, keys[0]].astype(str).tolist()
    if slow:
        yield Suggestion(
            "lag",
            text("More than one report in ten takes longer than {days} days in {names}.",
                 days=number(int(days)), names=listed(slow, most=8)),
            text("Agree on a day by which reports are in, and remind those who are late."),
        )  # fmt: skip


def _of_targets(shares: Mapping[str, Released]) -> Iterator[Suggestion]:
    for one in shares.values():
        require_released(one, "shares")
    without = [label for label, one in shares.items() if one.facts.get("green") is None]
    if without:
        yield Suggestion(
            "targets",
            text("No target is set for {names}.", names=listed(without, most=8)),
            text("Set one with its source, or say why the indicator has none."),
        )
