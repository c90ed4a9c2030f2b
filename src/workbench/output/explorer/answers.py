"""The answers to a state: its definitions checked, its facts looked up, its parts released."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.data.store import Store, open_store
from workbench.output.explorer.facts import FactRoom
from workbench.output.explorer.queries import choose_rows
from workbench.output.explorer.results import Part, parts_of
from workbench.output.explorer.tasks import Ticket
from workbench.project import Project
from workbench.registers.profiles import ReleaseProfile, load_profile
from workbench.study import Definitions, Study, check_study, load_definitions

CHOICES = "The study as chosen"


class AnswerRoom:
    """Answers states of one project's store; what does not change is kept between them.

    The store is pinned when the room is opened, so that an import meanwhile changes no figure.
    """

    def __init__(self, project: Project) -> None:
        """Open the project's store. Raises `StoreError` when it is damaged."""
        self.project = project
        self.store: Store = open_store(project.store_folder)
        self._ticket: Ticket | None = None
        self._facts = FactRoom(self.store, self._still_wanted)
        self._definitions: tuple[str, Definitions] | None = None
        self._profiles: dict[str, ReleaseProfile] = {}

    @property
    def engine(self) -> Any:
        """The engine at work, or nothing."""
        return self._facts.engine

    def parts(self, study: Study, ticket: Ticket) -> Iterator[Part]:
        """The parts of the page for a study, each as soon as it is ready.

        Raises what checking a study raises, `StoreError` for a store that is broken, and `Dropped`
        once the ticket is no longer wanted.
        """
        self._ticket = ticket
        known = self._known(study)
        check_study(study, known, where=CHOICES)
        facts = self._facts.facts_of(study, known)
        ticket.still_wanted()
        chosen = choose_rows(facts, study, known)
        yield from parts_of(chosen, self._profile(study.release_profile), ticket.still_wanted)

    def close(self) -> None:
        """Give the engine back."""
        self._facts.close()

    def _still_wanted(self) -> None:
        if self._ticket is not None:
            self._ticket.still_wanted()

    def _known(self, study: Study) -> Definitions:
        """The definitions behind a study; read again when it names others."""
        lists = sorted({one.list_name for one in study.code_choices})
        named = repr([study.named_tables, study.population, lists, study.indicators])
        named += repr(study.relative_survival)
        if self._definitions is None or self._definitions[0] != named:
            found = load_definitions(study, self.project.params_folders, where=CHOICES)
            self._definitions = (named, found)
        return self._definitions[1]

    def _profile(self, name: str) -> ReleaseProfile:
        if name not in self._profiles:
            self._profiles[name] = load_profile(name, self.project.params_folders)
        return self._profiles[name]
