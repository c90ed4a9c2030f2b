"""Between the widgets and the state: what a widget shows of a state, and what its change means."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from workbench.data.store import Store
from workbench.output.explorer import choices
from workbench.output.explorer.code_search import CodeHit, search_codes, seen_lists
from workbench.output.explorer.controls import EVENTS, Controls, offer
from workbench.output.explorer.offers import NOBODY_FOLLOWED, Column, Offers
from workbench.output.explorer.state import State, tree_of

AS_OPENED = "as in the study file"
NOT_CHOSEN, EVERYBODY = "none", "every code"
YOUNGEST, OLDEST = 0, 110
Change = Callable[[State], State]


class Bindings:
    """Fills the widgets from a state, and makes a new state from the widget that changed."""

    def __init__(self, controls: Controls, store: Store, folders: tuple[Path, ...]) -> None:
        """Bind the widgets to what a store and its definitions offer."""
        self.controls, self.offers = controls, Offers(store, folders)
        self._lists = seen_lists(folders)
        self._store = store
        self.changes: dict[str, Change] = {
            "table": self._table,
            "codes": lambda state: choices.with_codes(state, self.controls.codes.value or None),
            "index_date": self._index,
            "events": self._index,
            "washout": self._index,
            "first_day": self._period,
            "last_day": self._period,
            "age": self._age,
            "sex": lambda state: self._values(state, "sex"),
            "region": lambda state: self._values(state, "region"),
            "unit": lambda state: self._values(state, "unit"),
            "covariates": self._covariates,
            "outcome": self._outcome,
            "group": lambda state: choices.with_group(state, self._column(state, "group")),
            "units": self._units,
            "indicator": self._units,
            "note": lambda state: choices.with_note(state, self.controls.note.value),
        }

    def changed(self, state: State, name: str) -> State:
        """The state after the widget of that name changed."""
        return self.offers.dated(self.changes[name](state))

    def fill(self, state: State) -> None:
        """Let every widget show a state."""
        study, shown = state.study, self.controls
        tables = {label: name for name, label in self.offers.tables.items()}
        tables.setdefault(study.main_table, study.main_table)
        if study.main_table in self.offers.tables:
            tables.pop(study.main_table, None)
        offer(shown.table, tables, study.main_table)
        self.fill_codes(state)
        dates = {label: name for name, label in self.offers.dates(study).items()}
        offer(shown.index_date, {NOT_CHOSEN: None, **dates}, study.cohort.index_date)
        offer(shown.events, EVENTS, study.cohort.events)
        shown.washout.value = study.cohort.washout_days or 0
        period = study.cohort.period
        shown.first_day.value = period.first if period else None
        shown.last_day.value = period.last if period else None
        self._fill_limits(state)
        columns = self.offers.columns(study)
        labels = {f"{one.label} ({name})": name for name, one in columns.items()}
        offer(shown.covariates, labels, tuple(n for n in labels.values() if n in study.variables))
        grouping = {
            label: name
            for label, name in labels.items()
            if columns[name].is_category or name in {study.group, study.units and study.units.by}
            or "cut" in columns[name].tree
        }  # fmt: skip
        offer(shown.group, {NOT_CHOSEN: None, **grouping}, study.group)
        offer(shown.units, {NOT_CHOSEN: None, **grouping}, study.units and study.units.by)
        self._fill_outcome(state)
        self._fill_indicator(state)
        shown.note.value = state.note

    def fill_codes(self, state: State) -> None:
        """Let the list of codes show what the words find, and what is chosen."""
        table = self._store.version(state.study.main_table).definition
        hits: list[CodeHit] = search_codes(self.controls.code_words.value, table, self._lists)
        chosen = self._codes_chosen(state)
        hits += [chosen] if chosen is not None and chosen not in hits else []
        options: dict[str, object] = {EVERYBODY: None, **{one.words: one for one in hits}}
        offer(self.controls.codes, options, chosen)
        for widget in (self.controls.code_words, self.controls.codes):
            _show(widget, is_shown=len(search_codes("", table, self._lists)) > 0)

    def _codes_chosen(self, state: State) -> CodeHit | None:
        found = [one for one in state.study.cohort.include if one.codes]
        if not found or found[0].codes is None:
            return None
        choice = found[0].codes
        table = self._store.version(state.study.main_table).definition
        group = choice.groups[0] if choice.groups else None
        return next(
            (
                one
                for one in search_codes(group or "", table, self._lists)
                if one.list_name == choice.list_name
                and one.group == group
                and len(choice.groups) <= 1
                and one.variables == choice.variables
            ),
            CodeHit(
                choice.list_name, group, found[0].because.removeprefix("no code of "), 0,
                choice.variables,
            ),
        )  # fmt: skip

    def _fill_limits(self, state: State) -> None:
        columns = self.offers.limited_by(state.study)
        for what, widget in self.controls.lists.items():
            column = columns.get(what)
            _show(widget, is_shown=column is not None and bool(column.levels))
            if column is not None:
                options = {word: value for value, word in column.levels.items()}
                values = choices.values_of(state.study, column.name)
                offer(widget, options, tuple(one for one in values if one in column.levels))
        age = columns.get("age")
        _show(self.controls.age, is_shown=age is not None and not age.is_category)
        if age is not None:
            low, high = choices.limits_of(state.study, age.name)
            ends = (int(float(low or YOUNGEST)), int(float(high or OLDEST)))
            self.controls.age.value = ends

    def _fill_outcome(self, state: State) -> None:
        offered = self.offers.outcomes(state.study)
        given = tree_of(state.study).get("follow_up")
        named = next((words for words, tree in offered.items() if _same(tree, given)), None)
        if named is None:
            words = f"{given['outcome']} ({AS_OPENED})" if given else NOBODY_FOLLOWED
            offered, named = {words: given, **offered}, words
        options = {words: words for words in offered}
        self._outcomes = offered
        offer(self.controls.outcome, options, named)

    def _fill_indicator(self, state: State) -> None:
        found = self.offers.indicators(state.study)
        first = next((one for one in state.study.indicators if one in found), None)
        options = {NOT_CHOSEN: None, **{label: name for name, label in found.items()}}
        offer(self.controls.indicator, options, first)

    def _table(self, state: State) -> State:
        begun = self.offers.begin(self.controls.table.value)
        return choices.with_note(begun, state.note)

    def _index(self, state: State) -> State:
        shown = self.controls
        return choices.with_index(
            state, index_date=shown.index_date.value or None, events=shown.events.value,
            washout_days=shown.washout.value,
        )  # fmt: skip

    def _period(self, state: State) -> State:
        first, last = self.controls.first_day.value, self.controls.last_day.value
        version = self._store.version(state.study.main_table)
        if last and not first:  # the year, since the first day in a register is one person's
            first = date((version.first_date or last).year, 1, 1)
        if first and not last:
            last = state.study.as_of or version.as_of
        return choices.with_period(state, first, last)

    def _age(self, state: State) -> State:
        low, high = self.controls.age.value
        column = self.offers.limited_by(state.study)["age"]
        ends = (str(low) if low > YOUNGEST else None, str(high) if high < OLDEST else None)
        return choices.with_limits(state, column, *ends)

    def _values(self, state: State, what: str) -> State:
        column = self.offers.limited_by(state.study)[what]
        return choices.with_values(state, column, self.controls.lists[what].value)

    def _covariates(self, state: State) -> State:
        columns = self.offers.columns(state.study)
        return choices.with_covariates(state, [columns[n] for n in self.controls.covariates.value])

    def _outcome(self, state: State) -> State:
        return choices.with_outcome(state, self._outcomes[self.controls.outcome.value])

    def _units(self, state: State) -> State:
        first = self.controls.indicator.value or None
        found = self.offers.indicators(state.study)
        others = [one for one in state.study.indicators if one != first and one not in found]
        names = [*([first] if first else []), *others]
        return choices.with_units(state, self._column(state, "units"), names)

    def _column(self, state: State, widget: str) -> Column | None:
        name: Any = getattr(self.controls, widget).value
        return self.offers.columns(state.study)[name] if name else None


def _same(tree: object, given: dict[str, Any] | None) -> bool:
    """Whether two follow-ups say the same, whatever way their numbers are written."""
    if tree is None or given is None:
        return tree is given
    return dict(tree) == {"unit": "years", **given}  # type: ignore[call-overload,no-any-return]


def _show(widget: Any, *, is_shown: bool) -> None:
    widget.layout.display = None if is_shown else "none"
