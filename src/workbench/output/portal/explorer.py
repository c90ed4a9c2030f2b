"""The result explorer: released results chosen and compared with a page's own controls.

Every control sends a position in a list that was made here; what a browser sends besides is not
used. Whatever goes wrong is told in the page, in a sentence and without a traceback.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]

from workbench.output.portal import page
from workbench.output.portal.choices import VIEWS, Choice, Choices, picked
from workbench.output.portal.releases import read_copies
from workbench.output.portal.results import results_of
from workbench.output.portal.words import NAMES, say

VIEW_WORDS = {
    "caterpillar": "Units sorted", "funnel": "Funnel", "trend": "Trend", "table": "Table",
}  # fmt: skip
WHOLE = "the whole period"
LABELS = {
    "study": "Study", "indicator": "Indicator", "unit": "Level of organisation",
    "period": "Period", "units": "Units beside the nation (up to five)", "view": "Shown as",
}  # fmt: skip


class ResultExplorer:
    """Controls and the page that follows them.

    Parameters
    ----------
    choices
        The results that can be chosen.
    faults
        Why something is not shown, told under the results.
    language
        "sv", "nb" or "en": what the page begins in.
    """

    def __init__(
        self, choices: Choices, faults: tuple[str, ...] = (), *, language: str = "en"
    ) -> None:
        self.choices, self.faults = choices, faults
        self.language = language if language in NAMES else "en"
        self.choice = choices.settled(Choice())
        self.is_quiet = False
        self.options: dict[str, list[Any]] = {}
        self.controls: dict[str, Any] = {
            "language": widgets.Dropdown(
                options=list(NAMES.values()), description="Language · Språk"
            ),
            "study": widgets.Dropdown(),
            "indicator": widgets.Dropdown(),
            "unit": widgets.Dropdown(),
            "period": widgets.Dropdown(),
            "units": widgets.SelectMultiple(rows=8),
            "view": widgets.RadioButtons(),
        }
        self.status, self.figure, self.below = (widgets.HTML() for _ in range(3))
        self.heading, self.hint = widgets.HTML(), widgets.HTML()
        self.heading.add_class("portal-heading")
        for name, one in (("status", self.status), ("figure", self.figure), ("below", self.below)):
            one.add_class(f"portal-{name}")
        for name, control in self.controls.items():
            control.add_class("portal-control")
            control.add_class(f"portal-{name}")
            control.observe(self._follower(name), names="index")
        self._tell()

    def show(self) -> Any:
        """The whole page as one widget."""
        controls = list(self.controls.values())
        at = list(self.controls).index("units") + 1
        chosen = widgets.VBox([*controls[:at], self.hint, *controls[at:]])
        chosen.add_class("portal-controls")
        shown = widgets.VBox([self.status, self.figure, self.below])
        shown.add_class("portal-shown")
        whole = widgets.Box([self.heading, chosen, shown])
        whole.add_class("portal")
        return whole

    def choose(self, **wanted: Any) -> None:
        """Choose in words what a visitor chooses by hand (`units=("Uppsala",)`)."""
        self.choice = self.choices.settled(replace(self.choice, **wanted))
        self._tell()

    def _follower(self, name: str) -> Callable[[dict[str, Any]], None]:
        def follow(change: dict[str, Any]) -> None:
            if self.is_quiet:
                return
            try:
                self._follow(name, change["new"])
            except Exception:  # a visitor is told something went wrong, never what code said
                told = say(self.language, "This choice could not be shown. Choose another.")
                self.figure.value = f'<p class="portal-notice">{escape(told)}</p>'

        return follow

    def _follow(self, name: str, position: Any) -> None:
        if name == "language":
            self.language = picked(list(NAMES), position) or self.language
        elif name == "units":
            self._follow_units(position)
        else:
            found = picked(self.options[name], position)
            told = {"period": ("period", "year")}.get(name, (name,))
            values = found if isinstance(found, tuple) else (found,)
            if found is not None:
                wanted: dict[str, Any] = dict(zip(told, values, strict=True))
                self.choice = self.choices.settled(replace(self.choice, **wanted))
        self._tell()

    def _follow_units(self, positions: Any) -> None:
        asked = positions if isinstance(positions, (tuple, list)) else ()
        found = [picked(self.options["units"], at) for at in asked]
        units = tuple(one for one in found if one is not None)
        self.choice = self.choices.settled(replace(self.choice, units=units))

    def _tell(self) -> None:
        """Bring controls and page to what is chosen; controls that are set do not answer."""
        self.is_quiet = True
        try:
            self._set_controls()
        finally:
            self.is_quiet = False
        result = self.choices.result(self.choice)
        self.status.value = page.status(result, self.choice, self.language)
        self.figure.value = page.figure(result, self.choice, self.language)
        self.below.value = page.below(result, self.choice, self.faults, self.language)

    def _set_controls(self) -> None:
        choice, language = self.choice, self.language
        studies = self.choices.studies()
        periods = self.choices.periods(choice)
        result = self.choices.result(choice)
        units = list(result.units) if result else []
        self._fill("study", [title for title, _ in studies], [name for _, name in studies])
        self._fill("indicator", self.choices.indicators(choice))
        levels = self.choices.levels(choice)
        self._fill("unit", [page.level_word(one, language) for one in levels], levels)
        whole = say(language, WHOLE)
        self._fill("period", [year or f"{one} ({whole})" for one, year in periods], periods)
        self._fill("view", [say(language, VIEW_WORDS[one]) for one in VIEWS], list(VIEWS))
        self._fill("units", units)
        self.controls["language"].index = list(NAMES).index(language)
        for name, told in LABELS.items():
            self.controls[name].description = say(language, told)
        told = say(language, "Hold Ctrl to choose several, or to take one out again.")
        self.hint.value = f'<p class="portal-key">{escape(told)}</p>'
        self.heading.value = page.heading(language)

    def _fill(self, name: str, words: list[str], values: list[Any] | None = None) -> None:
        """Give a control its options and what is chosen of them, in one message to the page."""
        control, values = self.controls[name], values or words
        self.options[name] = values
        with control.hold_sync():
            if list(control.options) != words:
                control.options = words
            control.index = self._position(name, values)
            control.disabled = len(values) < 2

    def _position(self, name: str, values: list[Any]) -> Any:
        """Where what is chosen stands among a control's values."""
        choice = self.choice
        if name == "units":
            return tuple(values.index(one) for one in choice.units)
        wanted: Any = getattr(choice, name) if name != "period" else (choice.period, choice.year)
        return values.index(wanted) if wanted in values else None


def explore_results(folder: str | Path = ".", *, language: str = "en") -> Any:
    """The result explorer over a portal's folder, as a widget to show.

    Parameters
    ----------
    folder
        The folder that `workbench portal` made: copies of release folders and their index.
    language
        What the page begins in: "sv", "nb" or "en".

    Returns
    -------
    ipywidgets.Widget
        The page; where nothing can be shown, a page that says why.
    """
    releases, faults = read_copies(Path(folder))
    results, more = results_of(releases)
    explorer = ResultExplorer(Choices(results), (*faults, *more), language=language)
    return explorer.show()
