"""Quality indicators as they are agreed: found and read, together with the table they count.

An indicator is a YAML file named after itself, in a project's `params/indicators/` or the
workbench's `definitions/indicators/`. The file says all that a result needs beside its data; what
a result is computed from stands in `workbench.analysis.indicators`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from workbench.errors import DefinitionError, did_you_mean, gathered
from workbench.registers.documents import read_document
from workbench.registers.indicator_checks import faults_of
from workbench.registers.indicator_model import Indicator, IndicatorDefinition
from workbench.registers.schema import DEFINITIONS, Register, Table, find_registers, load_register

__all__ = ["Indicator", "IndicatorDefinition", "find_indicators", "indicator_of", "load_indicator"]


def find_indicators(folders: Sequence[Path] = ()) -> dict[str, Path]:
    """Every indicator that can be seen, by name; the nearest folder wins."""
    found: dict[str, Path] = {}
    for folder in (*(folder / "indicators" for folder in folders), DEFINITIONS / "indicators"):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return found


def load_indicator(name: str, folders: Sequence[Path] = ()) -> Indicator:
    """An indicator by its name, with the table of the register it counts.

    Parameters
    ----------
    name
        The indicator's name, which is its file's name without `.yaml`.
    folders
        A project's params folders, the nearest first; the workbench's own definitions come last.

    Raises
    ------
    DefinitionError
        No such indicator (the nearest name is offered), a file that cannot be used (every fault
        with its line), or a register without that table.
    """
    found = find_indicators(folders)
    if name not in found:
        raise DefinitionError(
            f'There is no indicator "{name}".{did_you_mean(name, found)} '
            f"An indicator is a file params/indicators/{name}.yaml."
        )
    definition = read_document(found[name], IndicatorDefinition)
    if definition.name != name:
        raise DefinitionError(
            f'{found[name]}: the key name says "{definition.name}", the file is called '
            f'"{name}.yaml". Make them equal.'
        )
    return indicator_of(definition, folders, where=str(found[name]))


def indicator_of(
    definition: IndicatorDefinition, folders: Sequence[Path] = (), *, where: str = ""
) -> Indicator:
    """Join a definition with its table.

    Raises `DefinitionError` when the register or the table is not there, or with everything in the
    definition that the table does not have, and limits on the wrong side.
    """
    indicator = Indicator(definition, table_of(definition, folders))
    if faults := [fault.sentence for fault in faults_of(indicator)]:
        raise DefinitionError(gathered(f"{where or definition.name} cannot be used:", faults))
    return indicator


def table_of(definition: IndicatorDefinition, folders: Sequence[Path] = ()) -> Table:
    """The table that an indicator counts, read once however many indicators count it.

    Raises `DefinitionError` when the register or the table is not there.
    """
    register, table = definition.table.split(".")
    file = find_registers(folders).get(register)
    stamp = file.stat().st_mtime_ns if file else 0
    return _register(register, tuple(folders), file, stamp).table(table)


@lru_cache(maxsize=32)
def _register(name: str, folders: tuple[Path, ...], file: Path | None, stamp: int) -> Register:
    """A register as its file was at a time; the file and the time tell the cache what is new."""
    return load_register(name, folders)
