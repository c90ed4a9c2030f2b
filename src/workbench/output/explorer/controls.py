"""The widgets of the explorer: every one with a label, all reached by the keyboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import ipywidgets as widgets  # type: ignore[import-untyped]

WIDE = {"description_width": "8.5em"}
EVENTS = {"the first of each person": "first", "every one": "every"}
ROWS = 5


@dataclass
class Controls:
    """The widgets by what they choose."""

    table: widgets.Dropdown = field(default_factory=lambda: _dropdown("Register, table"))
    code_words: widgets.Text = field(
        default_factory=lambda: widgets.Text(
            description="Search codes", placeholder="a word or a code", style=WIDE, layout=_full(),
            continuous_update=False,
        )
    )  # fmt: skip
    codes: widgets.Select = field(
        default_factory=lambda: widgets.Select(
            description="Codes", rows=ROWS, style=WIDE, layout=_full()
        )
    )
    index_date: widgets.Dropdown = field(default_factory=lambda: _dropdown("Index date"))
    events: widgets.Dropdown = field(default_factory=lambda: _dropdown("Rows that count"))
    washout: widgets.BoundedIntText = field(
        default_factory=lambda: widgets.BoundedIntText(
            description="Washout (days)", min=0, max=36_500, style=WIDE, layout=_full()
        )
    )
    first_day: widgets.DatePicker = field(
        default_factory=lambda: widgets.DatePicker(description="From", style=WIDE, layout=_full())
    )
    last_day: widgets.DatePicker = field(
        default_factory=lambda: widgets.DatePicker(description="To", style=WIDE, layout=_full())
    )
    age: widgets.IntRangeSlider = field(
        default_factory=lambda: widgets.IntRangeSlider(
            description="Age", min=0, max=110, value=(0, 110), continuous_update=False,
            style=WIDE, layout=_full(),
        )
    )  # fmt: skip
    sex: widgets.SelectMultiple = field(default_factory=lambda: _several("Sex", rows=2))
    region: widgets.SelectMultiple = field(default_factory=lambda: _several("Region"))
    unit: widgets.SelectMultiple = field(default_factory=lambda: _several("Unit"))
    covariates: widgets.SelectMultiple = field(default_factory=lambda: _several("Covariates"))
    outcome: widgets.Dropdown = field(default_factory=lambda: _dropdown("Outcome"))
    group: widgets.Dropdown = field(default_factory=lambda: _dropdown("Compare by"))
    units: widgets.Dropdown = field(default_factory=lambda: _dropdown("Units by"))
    indicator: widgets.Dropdown = field(default_factory=lambda: _dropdown("Indicator"))
    note: widgets.Textarea = field(
        default_factory=lambda: widgets.Textarea(
            description="Note", rows=3, continuous_update=False, style=WIDE, layout=_full()
        )
    )
    undo: widgets.Button = field(default_factory=lambda: _button("Undo", "Back to before"))
    redo: widgets.Button = field(default_factory=lambda: _button("Redo", "What was undone"))
    reset: widgets.Button = field(default_factory=lambda: _button("Reset", "Back to the start"))
    name: widgets.Text = field(
        default_factory=lambda: widgets.Text(
            description="Study file", placeholder="name of the study", style=WIDE, layout=_full()
        )
    )
    save: widgets.Button = field(
        default_factory=lambda: _button("Save study", "Write these choices as a study file")
    )
    open: widgets.Button = field(
        default_factory=lambda: _button("Open study", "Take the choices of a study file")
    )

    @property
    def lists(self) -> dict[str, widgets.SelectMultiple]:
        """The choices of values, by the column they limit."""
        return {"sex": self.sex, "region": self.region, "unit": self.unit}

    def panel(self) -> widgets.VBox:
        """All widgets, in the order in which a study is thought of."""
        parts = {
            "Who": [
                self.table, self.code_words, self.codes, self.index_date, self.events,
                self.washout, self.first_day, self.last_day, self.age, *self.lists.values(),
            ],
            "What is compared": [
                self.outcome, self.group, self.covariates, self.units, self.indicator,
            ],
            "This study": [
                widgets.HBox([self.undo, self.redo, self.reset]), self.note, self.name,
                widgets.HBox([self.save, self.open]),
            ],
        }  # fmt: skip
        boxes = []
        for title, items in parts.items():
            boxes += [widgets.HTML(f"<h2>{title}</h2>"), *items]
        box = widgets.VBox(boxes)
        box.add_class("explorer-controls")
        return box


def offer(widget: widgets.Widget, options: Mapping[str, object], value: object) -> None:
    """Give a widget its options (words -> value) and what is chosen of them."""
    # A choice of nothing is a choice like others; the widget would show None as a blank.
    listed = tuple((words, "" if one is None else one) for words, one in options.items())
    if tuple(widget.options) != listed:
        widget.options = listed
    widget.value = "" if value is None else value


def _full() -> widgets.Layout:
    """A layout of a widget's own: one that is shared would hide all when one is hidden."""
    return widgets.Layout(width="100%")


def _dropdown(label: str) -> widgets.Dropdown:
    return widgets.Dropdown(description=label, options=(), style=WIDE, layout=_full())


def _several(label: str, *, rows: int = ROWS) -> widgets.SelectMultiple:
    tip = "None chosen: everybody. Ctrl or Shift chooses several."
    return widgets.SelectMultiple(
        description=label, options=(), rows=rows, style=WIDE, layout=_full(), tooltip=tip
    )


def _button(label: str, tip: str) -> widgets.Button:
    return widgets.Button(description=label, tooltip=tip, layout=widgets.Layout(width="auto"))
