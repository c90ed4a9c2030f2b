"""Commands that write a file to start from: a definition, a study, a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.console import ProjectOption, StoreOption, out, shown
from workbench.data.drafting import blank_register, draft_register, name_of
from workbench.data.keys import create_key, default_key_file
from workbench.errors import StudyError
from workbench.project import open_project
from workbench.registers.schema import DEFINITIONS, Register, find_registers, load_register
from workbench.runner.drafting import draft_study


def new_register(
    extract: Annotated[
        Path | None, typer.Argument(metavar="[EXTRACT]", help="A file as it is delivered.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Its name. Default: the file's.")] = None,
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Draft the definition of a register, from an extract if given; no value of it enters."""
    name = name or (name_of(extract) if extract else "my_register")
    path = open_project(project, store=store).root / "params" / "registers" / f"{name}.yaml"
    _write_new(path, lambda: draft_register(name, extract) if extract else blank_register(name))


def new_study(
    table: Annotated[
        str | None, typer.Argument(metavar="[REGISTER.TABLE]", help="What is studied.")
    ] = None,
    name: Annotated[str, typer.Option(help="Its name, which its file gets.")] = "my_study",
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Write a commented study to start from, on a table that the project defines."""
    here = open_project(project, store=store)
    path = here.root / "params" / "studies" / f"{name}.yaml"
    register, table_name = _defined_table(table, here.params_folders)
    _write_new(path, lambda: draft_study(register, table_name))


def _defined_table(wanted: str | None, folders: Sequence[Path]) -> tuple[Register, str]:
    """The table asked for, or the only one that the project defines."""
    if wanted and Path(wanted).is_file():
        raise StudyError(
            f"{wanted} is a file; a study is made on a table. Define it first: "
            f"workbench new register {wanted}"
        )
    if wanted:
        register_name, _, table_name = wanted.partition(".")
        register = load_register(register_name, folders)
        return register, table_name or next(iter(register.tables))
    # Those that the workbench brings along are many; a project's own are meant.
    own = [one for one, path in find_registers(folders).items() if DEFINITIONS not in path.parents]
    registers = [load_register(one, folders) for one in own]
    tables = [(register, table) for register in registers for table in register.tables]
    if len(tables) != 1:
        known = ", ".join(f"{register.name}.{table}" for register, table in tables) or "none"
        raise StudyError(f"Say on which table: workbench new study REGISTER.TABLE. Known: {known}.")
    return tables[0]


def _write_new(path: Path, draft: Callable[[], str]) -> None:
    if path.exists():
        raise StudyError(f"{path} is there already and stays as it is. Choose another name.")
    text = draft()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    out.print(f"Written: {shown(path)}\nRead it, and answer every line marked '?'.", markup=False)


def new_key(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where it is written.")
    ] = None,
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Make the secret key of the pseudonyms, once; only you can read it."""
    here = open_project(project, store=store)
    path = file.expanduser() if file else default_key_file()
    create_key(path, outside=[here.root, here.store_folder])
    out.print(f"Written: {shown(path)}", markup=False)
    out.print(
        "Keep a copy in a safe place, away from the data: without it nothing can be added to a "
        "store, and with it persons can be found there by their numbers."
    )
    if file:
        out.print(f"Say where it is: export WORKBENCH_KEY_FILE={path.resolve()}", markup=False)
