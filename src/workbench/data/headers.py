"""Match the headers of an extract with the variables of a table's definition."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import DataError, did_you_mean, gathered
from workbench.registers.schema import Table


def match_headers(
    headers: Sequence[str], table: Table, *, where: str
) -> tuple[dict[str, int], tuple[str, ...]]:
    """At which place each variable stands, and the headers that the definition does not know.

    Capitals and surrounding blanks do not count. Raises `DataError` naming every missing and every
    double column. A file without a header line has persons' values where headers should be, so
    that a header of the file is repeated only when it resembles one that is missing and most of
    the definition's own headers were found.
    """
    by_name: dict[str, list[int]] = {}
    for place, header in enumerate(headers):
        by_name.setdefault(header.strip().casefold(), []).append(place)
    wanted = {name: table.header_of(name).strip() for name in table.variables}
    found = {name: by_name.get(header.casefold(), []) for name, header in wanted.items()}
    columns = {name: at[0] for name, at in found.items() if at}
    strangers = [place for place in range(len(headers)) if place not in columns.values()]
    faults = [
        f'the column "{wanted[name]}" stands more than once'
        for name, at in found.items()
        if len(at) > 1
    ]
    repeatable = [headers[at] for at in strangers] if 2 * len(columns) >= len(wanted) else []
    faults += [_missing(wanted[name], repeatable) for name, at in found.items() if not at]
    if faults:
        raise DataError(_message(where, faults, n_headers=len(headers)))
    return columns, tuple(headers[at].strip() or f"(column {at + 1})" for at in strangers)


def _missing(header: str, strangers: Sequence[str]) -> str:
    near = did_you_mean(header, [stranger for stranger in strangers if stranger.strip()])
    resembling = near.replace("Did you mean", "Is it") if near.startswith(" Did you mean") else ""
    return f'the column "{header}" is missing.{resembling}'


def _message(where: str, faults: Sequence[str], *, n_headers: int) -> str:
    count = "1 header" if n_headers == 1 else f"{n_headers} headers"
    heading = f"{where} does not fit the definition; its first line was read as {count}:"
    advice = (
        "Check that the first line holds the headers, and the delimiter; a header that differs is "
        "declared with delivered_as."
    )
    return gathered(heading, faults) + "\n" + advice
