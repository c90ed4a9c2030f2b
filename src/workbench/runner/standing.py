"""How a planned run stands: made with the very same inputs, made otherwise, or not at all."""

from __future__ import annotations

from typing import Literal

from workbench.runner.manifest import MANIFEST, Manifest, State, read_manifest
from workbench.runner.plan import Plan
from workbench.runner.withdrawal import is_withdrawn

Standing = State | Literal["new", "unchanged"]


def standing_of(plan: Plan) -> Standing:
    """How a planned run stands: unchanged if it finished with the same key and is whole."""
    manifest = manifest_of(plan)
    if manifest is None:
        return "new"
    if manifest.state != "finished":
        return manifest.state
    folder = plan.run_folder
    is_whole = (folder / "release" / "report.html").is_file() and not is_withdrawn(folder)
    promised = all((folder / "release" / name).is_file() for name in plan.outputs)
    return "unchanged" if is_whole and promised else "new"


def manifest_of(plan: Plan) -> Manifest | None:
    """The record of a planned run, if one with its very key was made."""
    if not (plan.run_folder / MANIFEST).is_file():
        return None
    manifest = read_manifest(plan.run_folder)
    return manifest if manifest is not None and manifest.key == plan.key else None
