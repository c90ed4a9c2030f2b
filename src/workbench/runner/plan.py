"""Plan a run: every check that can be made before anything runs, and the key of what goes in.

The study alone is checked against definitions in `study`; here come the notebook, the store and
the release profile. The key covers everything a result depends on: two runs with one key give the
same tables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic.fields import FieldInfo

from workbench.analysis.cohort.linkage import NEEDED, tables_read
from workbench.data.store import Store, Version, open_store
from workbench.errors import StudyError, did_you_mean, gathered
from workbench.output.publication import LEFT
from workbench.project import Project
from workbench.registers.documents import parse_document, read_tree_with_lines
from workbench.registers.profiles import ReleaseProfile, load_profile
from workbench.registers.schema import Role
from workbench.runner.inputs import code_sha256, hash_of, reference_inputs, table_inputs
from workbench.runner.manifest import environment
from workbench.runner.notebook import Notebook, open_notebook
from workbench.study import Definitions, Study, check_study, is_study_key, load_definitions
from workbench.study.sweeps import Limits, overridden

T = TypeVar("T")

# Keys of a study whose values never name a definition: runs that differ in nothing else share
# what was read. A key that is not here is taken to name one, which is slower and never wrong.
NAMES_NOTHING = frozenset(
    {
        "title", "question", "coverage", "seed", "as_of", "formats", "parameters", "period",
        "at_least", "at_most", "in", "not_in", "because", "label", "cut", "days", "washout_days",
    }
)  # fmt: skip
SPAN = {"from", "to", "includes"}  # the keys of a period and of a window of days


@dataclass(frozen=True)
class Plan:
    """A run that has passed every check."""

    study_file: Path
    study: Study
    project: Project
    notebook: Path
    parameters: dict[str, Any]
    profile: ReleaseProfile
    inputs: dict[str, Any]  # what the key is made of: hashes and parameters, no data
    changed: dict[str, str]  # what the command line or a sweep changed for this run
    references_sha256: str  # of the code lists and the life table
    key: str  # one hash over all that the results depend on
    overrides: Mapping[str, Any] = field(default_factory=dict)  # as `changed`, as they were given
    sweep: str = ""  # the name of its sweep; the run's name in it
    run_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)  # of the sweep's dimensions
    limits: Limits = field(default_factory=Limits)
    outputs: tuple[str, ...] = ()  # promised files of the release folder, besides the report

    @property
    def name(self) -> str:
        """The study's name: its file's."""
        return self.study_file.stem

    @property
    def run_folder(self) -> Path:
        """Where the finished run will lie."""
        return self.project.runs_folder / self.name / self.key[:10]


def plan_run(
    study_file: Path, project: Project, *, overrides: Mapping[str, Any] | None = None
) -> Plan:
    """Check a study with its notebook, definitions and store; raise one error with what is wrong.

    `overrides` are names and values from the command line: keys of the study (dotted) or the
    notebook's parameters; a name that is neither is refused with the nearest.
    """
    return Planner(study_file, project).plan(overrides or {})


class Planner:
    """Plans any number of runs of one study; what they share is read and checked once.

    What was read stays as it is for the planner's life: a file edited meanwhile does not enter
    half of a sweep.
    """

    def __init__(
        self, study_file: Path, project: Project, *, versions: Mapping[str, str] | None = None
    ) -> None:
        """Plan for the newest version of each table, or for those that are named."""
        self.study_file = study_file
        self._pinned = versions
        self.project = project
        self._resolved = study_file.resolve()
        self.tree, self._lines = read_tree_with_lines(study_file, error=StudyError)
        self._known: dict[object, Any] = {}

    def plan(self, overrides: Mapping[str, Any]) -> Plan:
        """Plan one run; raise one error with all that is wrong with it."""
        where = str(self.study_file)
        of_study = {key: value for key, value in overrides.items() if is_study_key(key)}
        study, as_written = self._study(of_study)
        definitions, references, references_sha256 = self._definitions(study, of_study)
        self._check(study, definitions, of_study)
        notebook = self._notebook(study.notebook)
        of_notebook = {key: value for key, value in overrides.items() if key not in of_study}
        _refuse_unknown(of_notebook, notebook)
        given = parse_document(
            {**study.parameters, **of_notebook},
            notebook.parameters,
            where=f"{where}, parameters",
            error=StudyError,
        )
        versions = self._versions(study, definitions)
        if faults := self._store_faults(study, definitions, versions):
            raise StudyError(gathered(f"{where} cannot run on this store:", faults))
        _check_notebook_fits(study, notebook, where=where)
        profile, profile_content = self._profile(study.release_profile)
        inputs = {
            "study": as_written,
            "parameters": given.model_dump(mode="json"),
            "notebook": notebook.inputs,
            "tables": self._tables(versions),
            **references,
            **self._earlier_releases(),
            "release_profile": profile_content,
            "workbench_code_sha256": code_sha256(),
            "environment": environment(),
        }
        return Plan(
            self._resolved,
            study,
            self.project,
            notebook.path,
            inputs["parameters"],
            profile,
            inputs,
            {key: str(value) for key, value in overrides.items()},
            references_sha256,
            self._key_of(inputs),
            overrides=overrides,
        )

    def _once(self, about: object, read: Callable[[], T]) -> T:
        """What was read under a name, read the first time it is asked for."""
        if about not in self._known:
            self._known[about] = read()
        return self._known[about]

    def _study(self, overrides: Mapping[str, Any]) -> tuple[Study, dict[str, Any]]:
        """The study with other values at some keys, and as it is recorded.

        Parts that stand as in the file are not read again; that a study may be unusable as it
        stands, and usable with a sweep's values, is no fault.
        """
        unchanged, written = self._once("base", self._base)
        tree = overridden(self.tree, overrides)
        touched = {key.split(".")[0] for key in overrides}
        parts = {
            key: tree[key] if key in touched else unchanged.get(key, tree[key]) for key in tree
        }
        study = parse_document(
            parts, Study, where=str(self.study_file), lines=self._lines, error=StudyError
        )
        if not unchanged:
            return study, study.model_dump(mode="json", by_alias=True, exclude={"parameters"})
        fields = {
            name for name, field in Study.model_fields.items() if _key(name, field) in touched
        }
        new = study.model_dump(mode="json", by_alias=True, include=fields - {"parameters"})
        return study, {**written, **new}

    def _base(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The parts of the study as the file has them, read, and as they are recorded."""
        try:
            study = parse_document(self.tree, Study, where="", error=StudyError)
        except StudyError:
            return {}, {}
        parts = {_key(name, one): getattr(study, name) for name, one in Study.model_fields.items()}
        return parts, study.model_dump(mode="json", by_alias=True, exclude={"parameters"})

    def _definitions(
        self, study: Study, overrides: Mapping[str, Any]
    ) -> tuple[Definitions, dict[str, Any], str]:
        def read() -> tuple[Definitions, dict[str, Any], str]:
            folders = self.project.params_folders
            definitions = load_definitions(study, folders, where=str(self.study_file))
            references = reference_inputs(definitions)
            return definitions, references, hash_of(references)

        named = {key: value for key, value in overrides.items() if not _names_nothing(key, value)}
        return self._once(("definitions", json.dumps(named, sort_keys=True)), read)

    def _check(self, study: Study, definitions: Definitions, overrides: Mapping[str, Any]) -> None:
        """Check a study; what differs in the notebook's parameters or the seed only, once."""
        telling = {key: value for key, value in overrides.items() if key != "seed"}
        about = ("checked", json.dumps(telling, sort_keys=True))
        self._once(about, lambda: check_study(study, definitions, where=str(self.study_file)))

    def _store_faults(
        self, study: Study, definitions: Definitions, versions: dict[str, Version]
    ) -> list[str]:
        # Both are kept by this planner, so that nothing else gets their ids.
        about = ("faults", id(definitions), id(versions), study.as_of, study.comparison)
        return self._once(about, lambda: [*_store_faults(study, definitions, versions)])

    def _notebook(self, name: str) -> Notebook:
        return self._once(
            ("notebook", name), lambda: open_notebook(self.project.find_notebook(name))
        )

    def _profile(self, name: str) -> tuple[ReleaseProfile, dict[str, Any]]:
        def read() -> tuple[ReleaseProfile, dict[str, Any]]:
            profile = load_profile(name, self.project.params_folders)
            return profile, profile.model_dump(mode="json")

        return self._once(("profile", name), read)

    def _versions(self, study: Study, definitions: Definitions) -> dict[str, Version]:
        store = self._once("store", self._store)
        counted = definitions.indicator_tables
        named = (study.named_tables, study.population, study.comparison, counted)

        def read() -> dict[str, Version]:
            names = dict.fromkeys([*tables_read(study, store), *counted])
            return {name: store.version(name) for name in names}

        return self._once(("versions", named), read)

    def _store(self) -> Store:
        store = open_store(self.project.store_folder)
        return store if self._pinned is None else store.pinned(self._pinned)

    def _tables(self, versions: Mapping[str, Version]) -> dict[str, Any]:
        return self._once(
            ("tables", tuple(versions)),
            lambda: {name: table_inputs(version) for name, version in versions.items()},
        )

    def _earlier_releases(self) -> dict[str, Any]:
        """Releases of the study that have left: what they show is known, and is minded."""
        place = self.project.runs_folder / self._resolved.stem / LEFT
        sums = {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(place.glob("*.json"))
        }
        return {"earlier_releases": sums} if sums else {}

    def _key_of(self, inputs: Mapping[str, Any]) -> str:
        """As `key_of`; the sums of what runs share are made once."""
        shared = self._once("shared", dict)  # id -> (sum, what is kept so that its id stays)
        _, written = self._once("base", self._base)

        def sum_of(part: Any, *, is_shared: bool) -> str:
            if not is_shared:
                return hash_of(part)
            if id(part) not in shared:
                shared[id(part)] = (hash_of(part), part)
            return shared[id(part)][0]

        study = {
            name: sum_of(part, is_shared=part is written.get(name))
            for name, part in inputs["study"].items()
        }
        sums = {
            name: sum_of(part, is_shared=name != "parameters")
            for name, part in inputs.items()
            if name != "study"
        }
        return hash_of({"study": study, **sums})


def _key(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _names_nothing(key: str, value: Any) -> bool:
    parents, _, last = key.rpartition(".")
    # A column of the study may be called as one of these keys is.
    if parents == "variables" or last not in NAMES_NOTHING:
        return False
    return not isinstance(value, dict) or value.keys() <= SPAN


def _check_notebook_fits(study: Study, notebook: Notebook, *, where: str) -> None:
    if study.follow_up is None and "has_event" in notebook.code:
        raise StudyError(
            f"{where}: the notebook {study.notebook} follows persons, and the study has no "
            "follow_up. Say how long they are followed, or use another notebook."
        )


def _store_faults(
    study: Study, definitions: Definitions, versions: Mapping[str, Version]
) -> Iterator[str]:
    """What the store lacks, or holds otherwise than the study and its definitions say."""
    needed: list[Role] = [*NEEDED]
    if study.comparison is not None and "region" in study.comparison.match_on:
        needed.append("residences")
    for role in needed:
        full_name = definitions.roles.get(role)
        if full_name and full_name not in versions:
            yield (
                f"{full_name} is not in the store; without it nobody would be seen to move or to "
                f"change number. Import it: workbench import {full_name} FILE"
            )
    for full_name, version in versions.items():
        if full_name not in definitions.tables:
            yield f"{full_name}: its register no longer defines this table. Define it again."
        elif version.definition != definitions.tables[full_name]:
            yield (
                f"{full_name}: the definition has changed since the table was imported. Import it "
                f"again: workbench import {full_name} FILE"
            )
        if study.as_of and version.as_of < study.as_of:
            yield (
                f"{full_name} tells what was known on {version.as_of}, before the study's as_of "
                f"({study.as_of}): later events are not in it. Set as_of to that day or earlier, "
                "or import a later delivery."
            )


def _refuse_unknown(names: Mapping[str, Any], notebook: Notebook) -> None:
    known = set(notebook.parameters.model_fields)
    for name in names:
        if name not in known:
            keys = {field.alias or key for key, field in Study.model_fields.items()} - {
                "parameters"
            }
            raise StudyError(
                f"-p {name}: neither the study nor the notebook {notebook.path.stem} has "
                f'"{name}".{did_you_mean(name, known | keys)}'
            )
