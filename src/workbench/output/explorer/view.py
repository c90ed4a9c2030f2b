"""The page: choices at the left, what comes of them at the right, at once."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]

from workbench.errors import StudyError, WorkbenchError
from workbench.output.explorer import results
from workbench.output.explorer.answers import AnswerRoom
from workbench.output.explorer.bindings import Bindings
from workbench.output.explorer.controls import Controls
from workbench.output.explorer.history import History
from workbench.output.explorer.results import Part, Results, message
from workbench.output.explorer.state import State, kept_unshown
from workbench.output.explorer.study_files import HEAD, read_state, write_study
from workbench.output.explorer.tasks import Desk, Dropped, Ticket
from workbench.project import Project, open_project

HEADINGS = {
    results.CURVE: "Over time",
    results.FLOW: "Who is studied",
    results.TABLE: "Table 1",
    results.UNITS: "Units",
}
NAME = re.compile(r"[a-z][a-z0-9_]*")
WORKING = "Working ..."
STYLE = (Path(__file__).parent / "explorer.css").read_text(encoding="utf-8")


class Explorer:
    """The cohort explorer of one project; shown when it is the last line of a cell.

    Every state is a study: `save` writes it as a study file that runs unchanged, `open` takes one.
    Queries run beside the notebook, which stays free; `wait` waits for them.
    """

    def __init__(
        self, project: Path | str | Project | None = None, study: Path | str | None = None
    ) -> None:
        """See `explore`."""
        self._project: Project = (
            project if isinstance(project, Project) else open_project(project or _nearest())
        )
        self.results = Results()
        self.history: History | None = None
        self._room: AnswerRoom | None = None
        self._is_filling = False
        self._status = widgets.HTML(message(WORKING))
        self._kept = widgets.HTML()
        self._places = {name: widgets.HTML() for name in HEADINGS}
        self.controls = Controls()
        self.page = self._laid_out()
        self._desk = Desk(engine=self._engine, progress=self._tell_progress)
        try:
            self._begin(study)
        except WorkbenchError as reason:
            self._tell(str(reason), is_alert=True)
        self._listen()

    @property
    def state(self) -> State:
        """The study as it stands, and the note."""
        if self.history is None:
            raise StudyError("The explorer has no study: see the message on its page.")
        return self.history.now

    def go(self, state: State) -> None:
        """Go on to a state, as a change of a widget does."""
        self._to(self._history.to(state))

    def undo(self) -> None:
        """Back to the state before."""
        self._to(self._history.undo())

    def redo(self) -> None:
        """Forward to the state undone last."""
        self._to(self._history.redo())

    def reset(self) -> None:
        """Back to the state it began with; this can be undone."""
        self._to(self._history.reset())

    def save(self, name: str) -> Path:
        """Write the state as `params/studies/NAME.yaml`, which `workbench run` takes unchanged.

        Raises `StudyError` for a name that is none, and for a study file that was written by hand.
        """
        path = self._file(name)
        if path.exists() and not path.read_text(encoding="utf-8").startswith(HEAD[0]):
            raise StudyError(f"{path.name} was not written by the explorer. Choose another name.")
        return write_study(self.state, path)

    def open(self, name: str) -> None:
        """Take the choices of a study file of the project; can be undone."""
        path = self._file(name)
        if not path.is_file():
            raise StudyError(f"There is no study {path.name} in {path.parent.name}/.")
        self.go(read_state(path))

    def wait(self, seconds: float = 60) -> bool:
        """Wait until everything asked is on the page; False when it takes longer."""
        return self._desk.wait(seconds)

    def close(self) -> None:
        """Give back the engine and the thread."""
        self._desk.close()
        if self._room is not None:
            self._room.close()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.page)

    @property
    def _history(self) -> History:
        if self.history is None:
            raise StudyError("The explorer has no study: see the message on its page.")
        return self.history

    def _begin(self, study: Path | str | None) -> None:
        path = Path(study) if study is not None else None
        if path is not None:
            home = self._project
            self._project = open_project(
                home.root, store=home.store_folder, runs=home.runs_folder, study_file=path
            )
        self._room = AnswerRoom(self._project)
        self._bindings = Bindings(self.controls, self._room.store, self._project.params_folders)
        if path is not None:
            state = read_state(path)
        else:
            tables = self._bindings.offers.tables
            if not tables:
                raise StudyError(
                    "The store holds no table that can be explored. Bring one in with: "
                    "workbench import REGISTER.TABLE FILE"
                )
            state = self._bindings.offers.begin(next(iter(tables)))
        self._to(History.begin(state))

    def _to(self, history: History) -> None:
        """Let a state hold: fill the widgets and ask for its results."""
        asks = self.history is None or history.now.study != self.history.now.study
        before, self.history = self.history, history
        try:
            self._fill()
        except WorkbenchError:
            self.history = before
            raise
        if asks:
            self._desk.ask(self._query(history.now))

    def _query(self, state: State) -> Any:
        def query(ticket: Ticket) -> None:
            found: dict[str, Part] = {}
            try:
                for part in self._answers.parts(state.study, ticket):
                    ticket.still_wanted()
                    found[part.name] = part
                    self.results = Results(dict(found))
                    self._places[part.name].value = part.html
            except WorkbenchError as reason:
                ticket.still_wanted()
                self.results = Results()
                for place in self._places.values():
                    place.value = ""
                self._tell(str(reason), is_alert=True)
                return
            ticket.still_wanted()
            self._tell(f"Ready: {state.study.title}.")

        return query

    @property
    def _answers(self) -> AnswerRoom:
        if self._room is None:
            raise Dropped
        return self._room

    def _engine(self) -> Any:
        return None if self._room is None else self._room.engine

    def _tell_progress(self, is_busy: bool) -> None:
        if is_busy:
            self._tell(WORKING)
        self.page.add_class("explorer-busy") if is_busy else self.page.remove_class("explorer-busy")

    def _tell(self, words: str, *, is_alert: bool = False) -> None:
        self._status.value = message(words, is_alert=is_alert)

    def _fill(self) -> None:
        self._is_filling = True
        try:
            self._bindings.fill(self.state)
        finally:
            self._is_filling = False
        history = self._history
        self.controls.undo.disabled = not history.before
        self.controls.redo.disabled = not history.undone
        kept = kept_unshown(self.state.study)
        listed = "".join(f"<li>{escape(one)}</li>" for one in kept)
        words = f"<details><summary>{len(kept)} settings of the study are kept, without a control"
        self._kept.value = f"{words}</summary><ul>{listed}</ul></details>" if kept else ""

    def _listen(self) -> None:
        shown = self.controls
        if self._room is None:
            return
        for name in self._bindings.changes:
            getattr(shown, name).observe(self._heard(name), names="value")
        shown.code_words.observe(self._searched, names="value")
        shown.undo.on_click(lambda _: self.undo())
        shown.redo.on_click(lambda _: self.redo())
        shown.reset.on_click(lambda _: self.reset())
        shown.save.on_click(lambda _: self._guarded(self._save_named))
        shown.open.on_click(lambda _: self._guarded(lambda: self.open(shown.name.value.strip())))

    def _heard(self, name: str) -> Any:
        def change(_: object) -> None:
            if not self._is_filling and self.history is not None:
                self._guarded(lambda: self.go(self._bindings.changed(self.state, name)))

        return change

    def _searched(self, _: object) -> None:
        if self._is_filling or self.history is None:
            return
        self._is_filling = True
        try:
            self._bindings.fill_codes(self.state)
        finally:
            self._is_filling = False

    def _guarded(self, act: Any) -> None:
        """Do what was asked; a fault is told on the page and the widgets go back."""
        try:
            act()
        except WorkbenchError as reason:
            self._tell(str(reason), is_alert=True)
            if self.history is not None:
                self._fill()

    def _save_named(self) -> None:
        path = self.save(self.controls.name.value.strip())
        place = path.relative_to(self._project.root)
        self._tell(f"Written: {place}. Run it with: workbench run {place}")

    def _file(self, name: str) -> Path:
        stem = name.removesuffix(".yaml")
        if not NAME.fullmatch(stem):
            raise StudyError(
                f'"{name}" is no name of a study: use small letters, digits and _, such as '
                "lymphoma_by_sex."
            )
        return self._project.root / "params" / "studies" / f"{stem}.yaml"

    def _laid_out(self) -> widgets.VBox:
        shown: list[widgets.Widget] = [self._kept]
        for name, place in self._places.items():
            shown += [widgets.HTML(f"<h2>{HEADINGS[name]}</h2>"), place]
        answers = widgets.VBox(shown)
        answers.add_class("explorer-results")
        body = widgets.HBox([self.controls.panel(), answers])
        body.add_class("explorer-body")
        page = widgets.VBox([widgets.HTML(f"<style>{STYLE}</style>"), self._status, body])
        page.add_class("explorer")
        return page


def _nearest() -> Path:
    """The nearest folder, from the working folder upwards, that is a project."""
    here = Path.cwd()
    return next((one for one in (here, *here.parents) if (one / "params").is_dir()), here)


def explore(
    project: Path | str | Project | None = None, study: Path | str | None = None
) -> Explorer:
    """Explore the cohorts of a project: choose, and see at once who is left and how they fare.

    Parameters
    ----------
    project
        The project's folder (with `store/` and `params/`), or an open project; if not said, the
        nearest folder above the notebook that has `params/`.
    study
        A study file to begin with; without one the first table of the store is shown.

    Returns
    -------
    An `Explorer`; as the last line of a cell it shows its page. A store that is broken, or a study
    that cannot be used, is told on the page.
    """
    return Explorer(project, study)
