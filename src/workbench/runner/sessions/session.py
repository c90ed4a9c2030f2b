"""What a study's notebook works with: its study, its cohort, its release profile, its report.

The runner hands a notebook a task; opened by hand, a notebook names a study file itself, passes the
same checks, and writes into `runs/<study>/by-hand/`.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML, DisplayObject, Image

from workbench.analysis.cohort import Cohort, select_cohort
from workbench.analysis.cohort.code_checks import coded_choices
from workbench.analysis.cohort.covariates import variable_words
from workbench.analysis.quality import codes_never_seen
from workbench.data.store import Store, Version, open_store
from workbench.errors import DisclosureError, StudyError
from workbench.language import inside, spoken, text
from workbench.output.disclosure import Released
from workbench.output.figures import Caption
from workbench.output.formats.report import ReportContext
from workbench.output.methods import METHODS
from workbench.output.publication import Publication
from workbench.output.tables import to_html
from workbench.project import house_folder, open_project
from workbench.registers.profiles import ReleaseProfile, load_profile
from workbench.registers.schema import load_register
from workbench.runner.manifest import environment
from workbench.runner.plan import code_sha256, hash_of, plan_run, reference_inputs
from workbench.runner.sessions.naming import COUNTED, Naming, naming_of
from workbench.runner.sessions.paper import paper_facts
from workbench.runner.sessions.population import beside_population, open_life_table
from workbench.runner.sessions.register_parts import RegisterParts
from workbench.runner.task import COUNTS, TASK, Task, read_task, write_task
from workbench.study import Definitions, Study, column_variable, load_definitions

BY_HAND = "by-hand"
FIGURE_WIDTH = 800  # points on the screen
AXIS_STEPS = (0.5, 1, 2, 3, 5, 6, 10, 12, 20, 30, 60, 90, 180, 365)


@spoken(lambda session: session.study.language)
@dataclass
class Session(RegisterParts):
    """A study in its notebook; made by `open_study`."""

    study: Study
    profile: ReleaseProfile
    folder: Path  # the run's own folder
    task: Task
    store: Store
    register_label: str
    definitions: Definitions
    publication: Publication
    cohort: Cohort | None = field(default=None, init=False)
    refusals: dict[str, str] = field(default_factory=dict, init=False)  # title -> reason

    def select_cohort(self) -> Cohort:
        """The study's persons and their ledger; also kept as `session.cohort`."""
        known = self.definitions
        self.cohort = select_cohort(
            self.study, self.store, code_lists=known.code_lists, indicators=known.indicators
        )
        counts = {"n_persons": self.cohort.n_persons, "n_events": self.cohort.n_events}
        (self.folder / COUNTS).write_text(json.dumps(counts), encoding="utf-8")
        return self.cohort

    def codes_never_seen(self) -> pd.DataFrame:
        """Codes of the study's lists that no row has: table, list, group, code. Look for slips."""
        parts = [
            codes_never_seen(
                self.store, table, choice.variables, self.definitions.code_lists[choice.list_name]
            ).assign(table=table, list=choice.list_name)
            for table, choice in coded_choices(self.study)
        ]
        columns = ["table", "list", "group", "code"]
        whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
        return whole[columns].drop_duplicates(ignore_index=True)

    def causes(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The column `cause` of a result in words: the outcome, and what competes with it."""
        competing = [name.replace("_", " ") for name in self.cohort.causes[1:]]
        words = dict(enumerate([self.study.follow_up.outcome, *competing], start=1))
        seen = [words[code] for code in sorted(frame["cause"].unique())]
        named = pd.Categorical(frame["cause"].map(words), categories=seen)
        return frame.assign(cause=named)

    def net_survival(self, *, times: Sequence[float], by: str | None = None) -> pd.DataFrame:
        """Observed, expected and net survival at times in the study's unit, by the life table."""
        rules = self.study.relative_survival
        if rules is None or self.definitions.life_table is None:
            raise StudyError("The study names no life table: give it relative_survival.")
        age = column_variable(self.study, rules.age, self.definitions.tables)
        table = open_life_table(self.definitions.life_table)
        persons = self.cohort.persons
        return beside_population(persons, self.study, table, age, times=times, by=by)

    def release(self, result: object, *, title: str, **more: Any) -> Released:
        """Pass a result through the gate under the study's release profile.

        Where the study asks for numbers instead of units' names, they are taken away before.
        """
        naming = self._naming
        if naming is not None and isinstance(result, COUNTED):
            result = naming.number(result)
        return self.publication.release(result, self.profile, title=title, **more)

    @cached_property
    def _naming(self) -> Naming | None:
        return naming_of(self.study, self.store, self.definitions)

    def release_if_allowed(self, result: object, *, title: str) -> Released | None:
        """As `release`; a refusal becomes a line at the head of the report instead of its end."""
        try:
            return self.release(result, title=title)
        except DisclosureError as refused:
            self.refusals[title] = str(refused)
            return None

    def publish(
        self, released: Released, *, name: str, heading: str, text: str = "", method: str = "",
        chapter: str = "", points: Sequence[str] = (),
    ) -> DisplayObject:  # fmt: skip
        """Put a released result into the report, in this order, and show it in the notebook.

        `method` names one of the sentences in `workbench.output.methods`.
        """
        if self._naming is not None:
            self._naming.check(released)
        sentence = METHODS[method] if method else ""
        words = {"heading": heading, "text": text, "method": sentence, "chapter": chapter}
        self.publication.add(released, name=name, points=points, **words)
        if "png" in released.files:
            return Image(released.files["png"], width=FIGURE_WIDTH, alt=released.alternative_text)
        return HTML(to_html(released, labels=self.labels))

    def finish(self) -> Path:
        """Write the release folder: tables, figures, the record and report.html."""
        formats, sections = self.study.formats, self.publication.sections
        parts = (self.task, self.store, self.definitions, self.profile, sections)
        paper = paper_facts(*parts) if "paper" in formats else None
        self.publication.write(self._context(), formats=formats, paper=paper)
        return self.folder / "release" / "report.html"

    @property
    def labels(self) -> dict[str, str]:
        """The study's words for its variables."""
        table = self._version.definition
        words = (
            {"matched_as": text("Patients and comparison persons")} if self.study.comparison else {}
        )
        for name, covariate in self.study.variables.items():
            own = name if covariate.link else variable_words(self.study.source_of(name), table)
            words[name] = covariate.label or own
        return words

    @property
    def words(self) -> dict[str, str]:
        """The register's words for the variables of the study's table."""
        variables = self._version.definition.variables
        return {name: one.label for name, one in variables.items() if one.label}

    @property
    def described(self) -> list[str]:
        """The variables of Table 1: the study's, without the one that makes the groups."""
        return [name for name in self.study.variables if name != self.study.group]

    @property
    def group_words(self) -> str:
        """What the groups are made by, as it stands inside a title."""
        return inside(self.labels.get(self.study.group or "", "study population"))

    def model_words(self) -> str:
        """The covariates of the study's model, as they stand inside a sentence."""
        return ", ".join(inside(self.labels.get(term, term)) for term in self.study.model)

    def axis(self, horizon: float) -> list[float]:
        """About six even times from 0 to `horizon`, where numbers at risk stand under a curve."""
        if not 0 < horizon < float("inf"):
            raise StudyError("parameters.horizon: the figure must end at a time above 0.")
        few = [one for one in AXIS_STEPS if horizon / one <= 6]
        even = [one for one in few if horizon % one == 0]
        step = (even or few or [horizon / 5])[0]
        return [at * step for at in range(int(horizon / step) + 1)]

    @property
    def unit(self) -> str:
        """The unit of time of results."""
        return self.study.follow_up.unit

    @property
    def survival_words(self) -> str:
        """What a survival curve shows: survival, or being free of the outcome."""
        outcome = self.study.follow_up.outcome
        return "Survival" if outcome.startswith("death") else f"Free of {outcome}"

    def caption(self, method: str) -> Caption:
        """What stands under a figure: period, coverage, method."""
        coverage = self.study.coverage.rstrip(".") or "not known"
        return Caption(period=self._period, coverage=coverage, method=method)

    @property
    def _version(self) -> Version:
        return self.store.version(self.study.main_table)

    @property
    def _period(self) -> str:
        period, as_of = self.study.cohort.period, self.study.as_of
        if as_of is None:
            return "durations only, no dates delivered"
        if period:
            return f"{period.first} to {period.last}, followed to {as_of}"
        first, last = self._version.first_date, self._version.last_date
        # The first and last day in a register are single persons' days; their years are told.
        years = f"{first.year} to {last.year}, " if first and last else ""
        return f"{years}followed to {as_of}"

    def _context(self) -> ReportContext:
        study, version = self.study, self._version
        facts = {
            "Register": self.register_label,
            "Table": f"{study.main_table}, version {version.name}",
            **({"Outcome": study.follow_up.outcome} if study.follow_up else {}),
            "Period": self._period,
            "Known until": str(study.as_of) if study.as_of else "not known: no dates delivered",
            "Coverage": study.coverage or "Not known.",
            "Checked": study.checked or "Not checked by anybody yet.",
            "Release profile": f"{self.profile.name}: counts under {self.profile.threshold} hidden",
        }
        facts |= {f"Not released: {title}": why for title, why in self.refusals.items()}
        return ReportContext(
            title=study.title,
            question=study.question,
            facts=facts,
            provenance=self._provenance(version),
            labels=self.labels,
        )

    def _provenance(self, version: Version) -> Mapping[str, str]:
        tables = [self.store.version(name) for name in self.task.versions]
        extracts = "; ".join(
            f"{one.name} (SHA-256 {one.sha256})" for table in tables for one in table.sources
        )
        versions = ", ".join(f"{name} {number}" for name, number in environment().items())
        return {
            "Study": self.task.name,
            "Run key": self.task.key,
            "Extract": extracts,
            "Definition": f"SHA-256 {version.definition_sha256}",
            "Workbench code": f"SHA-256 {code_sha256()}",
            "Seed": str(self.study.seed),
            "Versions": versions,
        }


def open_study(study_file: str | Path, run_folder: str | Path = "") -> Session:
    """Open a study in a notebook: as the runner's task, or by hand from the study's own file.

    A relative path is looked for from the working folder and from the workbench's notebooks.
    Raises what planning a run raises. Random numbers start from the study's seed.
    """
    path = Path(study_file)
    if run_folder:
        folder = Path(run_folder)
    else:
        path, folder = _prepare_by_hand(path)
    task = read_task(folder / TASK)
    random.seed(task.study.seed)
    np.random.seed(task.study.seed)  # libraries draw from the global generator
    folders = task.project.params_folders
    register = load_register(task.study.register_name, folders)
    definitions = load_definitions(task.study, folders, where=str(path))
    if hash_of(reference_inputs(definitions)) != task.references_sha256:
        raise StudyError(
            f"{path}: a code list or the life table has changed since the run was planned. Run "
            "the study again."
        )
    return Session(
        study=task.study,
        profile=load_profile(task.study.release_profile, folders),
        folder=folder,
        task=task,
        store=open_store(task.project.store_folder).pinned(task.versions),
        register_label=register.label,
        definitions=definitions,
        publication=Publication(folder / "release"),
    )


def _prepare_by_hand(path: Path) -> tuple[Path, Path]:
    """Plan a run as the runner would, and give it a folder that the next one by hand replaces."""
    if not path.is_absolute() and not path.exists():
        path = house_folder("notebooks") / path
    here = next(
        (one for one in (Path.cwd(), *Path.cwd().parents) if (one / "params").is_dir()), Path.cwd()
    )
    plan = plan_run(path, open_project(here, study_file=path))
    folder = plan.project.runs_folder / plan.name / BY_HAND
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    write_task(folder, plan)
    return path, folder
