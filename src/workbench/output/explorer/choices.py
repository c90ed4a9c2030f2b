"""A state with one choice changed: each gives a new state, as a hand in the file would.

A choice only touches its own lines of the study. Conditions that the explorer has no control for
stay where they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from workbench.language import inside
from workbench.output.explorer.code_search import CodeHit
from workbench.output.explorer.offers import (
    COMPETING,
    DEATH,
    DESCRIBE,
    SURVIVAL,
    Column,
)
from workbench.output.explorer.state import State, tree_of
from workbench.study import Study

Tree = dict[str, Any]
BY_OUTCOME = frozenset({DESCRIBE, SURVIVAL, COMPETING})  # notebooks that follow the outcome


def with_note(state: State, note: str) -> State:
    """The state with another note."""
    return replace(state, note=note)


def with_words(state: State, *, title: str, question: str) -> State:
    """The state with another title and question."""
    return state.changed(title=title, question=question)


def with_period(state: State, first: date | None, last: date | None) -> State:
    """Index dates from one day to another; none of them: all."""
    period = {"from": first.isoformat(), "to": last.isoformat()} if first and last else None
    return _with_cohort(state, period=period)


def with_index(
    state: State, *, index_date: str | None, events: str, washout_days: int | None
) -> State:
    """From which day persons are followed, and which of several rows of one person stay."""
    kept = None if events == "first" else events
    return _with_cohort(
        state, index_date=index_date, events=kept, washout_days=washout_days or None
    )


def values_of(study: Study, name: str) -> tuple[str, ...]:
    """The values of a variable to which the study is limited; empty: all of them."""
    return next(
        (one.is_in for one in study.cohort.include if one.variable == name and one.is_in), ()
    )


def with_values(state: State, column: Column, values: Sequence[str]) -> State:
    """Limited to persons with some values of a category; none or all of them: no limit."""
    test: Tree | None = None
    if values and set(values) != set(column.levels):
        words = ", ".join(column.levels.get(value, value) for value in values)
        because = f"{inside(column.label)} other than {words}"
        test = {"variable": column.name, "in": list(values), "because": because}
    return _with_test(_having(state, column) if test else state, column.name, "in", test)


def limits_of(study: Study, name: str) -> tuple[str | None, str | None]:
    """The lowest and the highest value of a number to which the study is limited."""
    found = [
        (one.at_least, one.at_most)
        for one in study.cohort.include
        if one.variable == name and (one.at_least or one.at_most)
    ]
    return found[0] if found else (None, None)


def with_limits(state: State, column: Column, low: str | None, high: str | None) -> State:
    """Limited to persons whose number lies between two limits, both included."""
    test: Tree | None = None
    if low is not None or high is not None:
        ends = [f"under {low}" if low is not None else "", f"over {high}" if high else ""]
        because = f"{inside(column.label)} {' or '.join(end for end in ends if end)}"
        given = {"at_least": low, "at_most": high}
        kept = {key: value for key, value in given.items() if value is not None}
        test = {"variable": column.name, **kept, "because": because}
    return _with_test(_having(state, column) if test else state, column.name, "at_", test)


def with_codes(state: State, hit: CodeHit | None) -> State:
    """Limited to rows with a code of a list or group; None takes such limits away."""
    others = [one for one in _conditions(state, "include") if "codes" not in one]
    if hit is not None:
        others.append({"codes": hit.tree, "because": f"no code of {hit.label}"})
    return _with_cohort(state, include=others)


def with_covariates(state: State, columns: Sequence[Column]) -> State:
    """Described and compared by these columns; what a condition or a unit needs stays."""
    study = state.study
    chosen = {one.name: dict(one.tree) for one in columns}
    old: Tree = tree_of(study).get("variables", {})
    kept = {name: old[name] for name in study.variables if name in chosen or name in needed(study)}
    trees = {**kept, **{name: tree for name, tree in chosen.items() if name not in kept}}
    model = [name for name in study.model if name in trees]
    group = study.group if study.group in trees else None
    without = _without_unknown(state, study.group) if group is None else state
    return without.changed(variables=trees, model=model or None, group=group)


def needed(study: Study) -> frozenset[str]:
    """Columns that other choices of a study stand on."""
    conditions = (*study.cohort.include, *study.cohort.exclude)
    names = {one.variable for one in conditions if one.variable}
    names |= {study.units.by} if study.units else set()
    relative = study.relative_survival
    names |= {relative.age, relative.sex} if relative else set()
    return frozenset(name for name in names if name in study.variables)


def with_outcome(state: State, follow_up: Mapping[str, Any] | None) -> State:
    """Followed until an outcome, or not followed; the notebook follows where it can."""
    keys: Tree = {"follow_up": dict(follow_up) if follow_up else None}
    if state.study.notebook in BY_OUTCOME:
        keys["notebook"] = DESCRIBE
        if follow_up:
            competes = state.study.population and follow_up["outcome"] != DEATH
            keys["notebook"] = COMPETING if competes else SURVIVAL
    if not follow_up:
        keys["relative_survival"] = None
    return state.changed(**keys)


def with_group(state: State, column: Column | None) -> State:
    """Compared by a column; who has no known value of it leaves at a step of its own."""
    bare = _without_unknown(state, state.study.group)
    if column is None:
        return bare.changed(group=None)
    having = _having(bare, column)
    others = _conditions(having, "exclude")
    is_known = any(one.get("variable") == column.name and "is_missing" in one for one in others)
    if not is_known:
        others.append(_unknown(column))
    return _with_cohort(having, exclude=others).changed(group=column.name)


def with_units(state: State, column: Column | None, indicators: Sequence[str]) -> State:
    """Units set beside each other by an indicator; other indicators of the study stay."""
    if column is None:
        return state.changed(units=None, indicators=list(indicators) or None)
    having = _having(state, column)
    units = {**tree_of(state.study).get("units", {}), "by": column.name}
    return having.changed(units=units, indicators=list(indicators) or None)


def _having(state: State, column: Column) -> State:
    """The state with a column among its variables."""
    if column.name in state.study.variables:
        return state
    variables = tree_of(state.study).get("variables", {})
    return state.changed(variables={**variables, column.name: dict(column.tree)})


def _unknown(column: Column) -> Tree:
    return {
        "variable": column.name,
        "is_missing": "true",
        "because": f"{inside(column.label)} not known",
    }


def _without_unknown(state: State, group: str | None) -> State:
    """The state without the step that only the group asked for."""
    variable = state.study.variables.get(group or "")
    if variable is None:
        return state
    because = f"{inside(variable.label or str(group))} not known"
    others = [
        one
        for one in _conditions(state, "exclude")
        if not (one.get("variable") == group and one["because"] == because)
    ]
    return _with_cohort(state, exclude=others)


def _with_test(state: State, name: str, kind: str, test: Tree | None) -> State:
    """The one condition of a kind on a variable set, in its place, or taken away."""
    found, is_placed = [], False
    for one in _conditions(state, "include"):
        if one.get("variable") == name and any(key.startswith(kind) for key in one):
            if test is not None and not is_placed:
                found.append(test)
            is_placed = True
        else:
            found.append(one)
    if test is not None and not is_placed:
        found.append(test)
    return _with_cohort(state, include=found)


def _conditions(state: State, place: str) -> list[Tree]:
    return list(tree_of(state.study).get("cohort", {}).get(place, []))


def _with_cohort(state: State, **keys: Any) -> State:
    cohort = {**tree_of(state.study).get("cohort", {}), **keys}
    kept = {key: value for key, value in cohort.items() if value not in (None, [])}
    return state.changed(cohort=kept or None)
