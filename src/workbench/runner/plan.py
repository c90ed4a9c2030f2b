"""Plan a run: every check that can be made before anything runs, and the key of what goes in.

The study alone is checked against definitions in `study`; here come the notebook, the store and
the release profile. The key covers everything a result depends on: two runs with one key give the
same tables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from workbench.analysis.cohort.linkage import NEEDED, tables_read
from workbench.data.store import Version, open_store
from workbench.errors import StudyError, did_you_mean, gathered
from workbench.project import Project
from workbench.registers.profiles import ReleaseProfile, load_profile
from workbench.registers.schema import Role
from workbench.runner.parameters import (
    checked_parameters,
    declared_parameters,
    read_notebook,
    source_of,
)
from workbench.study import (
    Definitions,
    Study,
    check_study,
    is_study_key,
    load_definitions,
    load_study,
)

PACKAGE = Path(__file__).parents[1]


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
    changed: dict[str, str]  # what the command line changed for this run
    references_sha256: str  # of the code lists and the life table

    @property
    def name(self) -> str:
        """The study's name: its file's."""
        return self.study_file.stem

    @property
    def key(self) -> str:
        """One hash over all that the results depend on."""
        return hash_of(self.inputs)

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
    given = dict(overrides or {})
    of_study = {key: value for key, value in given.items() if is_study_key(key)}
    study = load_study(study_file, overrides=of_study)
    definitions = load_definitions(study, project.params_folders, where=str(study_file))
    check_study(study, definitions, where=str(study_file))
    notebook = project.find_notebook(study.notebook)
    of_notebook = {key: value for key, value in given.items() if key not in of_study}
    _refuse_unknown(of_notebook, notebook)
    parameters = checked_parameters(
        notebook, {**study.parameters, **of_notebook}, where=str(study_file)
    )
    profile = load_profile(study.release_profile, project.params_folders)
    store = open_store(project.store_folder)
    versions = {name: store.version(name) for name in tables_read(study, store)}
    if faults := [*_store_faults(study, definitions, versions)]:
        raise StudyError(gathered(f"{study_file} cannot run on this store:", faults))
    if study.follow_up is None and "has_event" in _words_of_code(notebook):
        raise StudyError(
            f"{study_file}: the notebook {study.notebook} follows persons, and the study has no "
            "follow_up. Say how long they are followed, or use another notebook."
        )
    inputs = {
        "study": study.model_dump(mode="json", by_alias=True, exclude={"parameters"}),
        "parameters": parameters,
        "notebook": {"name": notebook.stem, "code_sha256": _notebook_code(notebook)},
        "tables": {
            full_name: {
                "version": version.name,
                "rows_sha256": version.rows_sha256,
                "definition_sha256": version.definition_sha256,
                "sources": [source.model_dump() for source in version.sources],
            }
            for full_name, version in versions.items()
        },
        **reference_inputs(definitions),
        "release_profile": profile.model_dump(mode="json"),
        "workbench_code_sha256": code_sha256(),
    }
    changed = {key: str(value) for key, value in given.items()}
    return Plan(
        study_file.resolve(),
        study,
        project,
        notebook,
        parameters,
        profile,
        inputs,
        changed,
        hash_of(reference_inputs(definitions)),
    )


def reference_inputs(definitions: Definitions) -> dict[str, Any]:
    """What a study takes from code lists and life tables, for its key."""
    found: dict[str, Any] = {
        "code_lists": {
            name: code_list.model_dump(mode="json")
            for name, code_list in definitions.code_lists.items()
        }
    }
    if definitions.life_table is not None:
        found["life_table"] = {
            "definition": definitions.life_table.definition.model_dump(mode="json"),
            "file_sha256": definitions.life_table.sha256,
        }
    return found


def hash_of(content: Any) -> str:
    """One hash over plain data."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


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


def _refuse_unknown(names: Mapping[str, Any], notebook: Path) -> None:
    known = set(declared_parameters(notebook).model_fields)
    for name in names:
        if name not in known:
            keys = {field.alias or key for key, field in Study.model_fields.items()} - {
                "parameters"
            }
            raise StudyError(
                f'-p {name}: neither the study nor the notebook {notebook.stem} has "{name}".'
                f"{did_you_mean(name, known | keys)}"
            )


def _words_of_code(path: Path) -> str:
    cells = read_notebook(path)["cells"]
    return "\n".join(source_of(cell) for cell in cells if cell["cell_type"] == "code")


def _notebook_code(path: Path) -> str:
    """The hash of a notebook's code: its words may change without a new result."""
    code = [source_of(cell) for cell in read_notebook(path)["cells"] if cell["cell_type"] == "code"]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()


@cache
def code_sha256() -> str:
    """The hash of the workbench's own code and templates."""
    total = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in {".py", ".yaml", ".j2"}:
            total.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()
