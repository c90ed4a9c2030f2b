"""Match the headers of an extract with the variables of a table's definition."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import DataError, did_you_mean, gathered
from workbench.registers.schema import Table


def match_headers(
    headers: Sequence[str], table: Table, *, where: str
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Which column holds which variable, and the headers that the definition does not know.

    Capitals do not count. Raises `DataError` naming every missing and every double column. A file
    without a header line has persons' values where headers should be, so that an error only
    repeats headers that resemble the definition's own names.
    """
    by_name: dict[str, list[str]] = {}
    for header in headers:
        by_name.setdefault(header.strip().casefold(), []).append(header)
    wanted = {name: table.header_of(name).strip() for name in table.variables}
    columns = {
        name: by_name[header.casefold()][0]
        for name, header in wanted.items()
        if header.casefold() in by_name
    }
    missing = [header for name, header in wanted.items() if name not in columns]
    double = [header for header in wanted.values() if len(by_name.get(header.casefold(), [])) > 1]
    strangers = tuple(header for header in headers if header not in columns.values())
    if missing or double:
        raise DataError(_faults(where, missing, double, strangers, n_headers=len(headers)))
    return columns, strangers


def _faults(
    where: str,
    missing: Sequence[str],
    double: Sequence[str],
    strangers: Sequence[str],
    *,
    n_headers: int,
) -> str:
    faults = [f'the column "{header}" stands more than once' for header in double]
    for header in missing:
        near = did_you_mean(header, [name for name in strangers if name])
        resembling = near if near.startswith(" Did you mean") else ""
        faults.append(f'the column "{header}" is missing.{resembling.replace("Did you mean", "Is it")}')
    heading = f"{where} does not fit the definition; its first line was read as {n_headers} headers:"
    advice = (
        "Check that the first line holds the headers, and the delimiter; a header that differs is "
        "declared with delivered_as."
    )
    return gathered(heading, faults) + "\n" + advice
