"""Where things lie: a project folder, and what the workbench itself brings along.

A project is a folder with `params/` (studies, registers, profiles), `notebooks/`, `store/` and
`runs/`. A study may lie in another project's `params/studies/`: it then brings that project's
definitions and notebooks with it, while the store and the runs stay in the open project.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.errors import StudyError, did_you_mean

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Project:
    """The folders one command works with; all paths are absolute."""

    root: Path
    store_folder: Path
    runs_folder: Path
    origins: tuple[Path, ...]  # project folders whose params/ and notebooks/ count, nearest first

    @property
    def params_folders(self) -> tuple[Path, ...]:
        """Folders with `registers/` and `profiles/`, the nearest first."""
        return tuple(origin / "params" for origin in self.origins)

    def find_notebook(self, name: str) -> Path:
        """The notebook of that name: the study's project, the open project, then the workbench's.

        Raises `StudyError` when there is none, naming the nearest.
        """
        folders = [*(origin / "notebooks" for origin in self.origins), house_folder("notebooks")]
        stem = name.removesuffix(".ipynb")
        for folder in folders:
            if (folder / f"{stem}.ipynb").is_file():
                return folder / f"{stem}.ipynb"
        known = [path.stem for folder in folders for path in folder.glob("*.ipynb")]
        raise StudyError(f'There is no notebook "{name}".{did_you_mean(stem, known)}')


def open_project(
    folder: Path | str = ".",
    *,
    store: Path | str | None = None,
    runs: Path | str | None = None,
    study_file: Path | str | None = None,
) -> Project:
    """The project in a folder, with the definitions that a study file from elsewhere brings."""
    root = Path(folder).resolve()
    origins = [root]
    if study_file is not None:
        beside = Path(study_file).resolve().parent
        if beside.name == "studies" and beside.parent.name == "params":
            origins.insert(0, beside.parent.parent)
    return Project(
        root=root,
        store_folder=Path(store).resolve() if store else root / "store",
        runs_folder=Path(runs).resolve() if runs else root / "runs",
        origins=tuple(dict.fromkeys(origins)),
    )


def house_folder(name: str) -> Path:
    """A folder the workbench ships (`notebooks`, `examples`): in the wheel, or the checkout."""
    packaged = _PACKAGE / name
    return packaged if packaged.is_dir() else _PACKAGE.parents[1] / name
