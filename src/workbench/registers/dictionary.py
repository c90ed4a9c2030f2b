"""A register's definition as a data dictionary: text for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.registers.schema import Register, Table
from workbench.registers.variables import Variable


def data_dictionary(register: Register) -> str:
    """Everything a definition says, as Markdown, for those who must know what the columns mean."""
    lines = [f"# {register.label}", ""]
    facts = {
        "Name": register.name,
        "Owner": register.owner,
        "Source": register.source,
        "Licence": register.licence,
    }
    lines += [f"- {key}: {value}" for key, value in facts.items() if value]
    lines += ["", register.description, ""] if register.description else [""]
    for name, table in register.tables.items():
        lines += _table_lines(f"{register.name}.{name}", table)
    return "\n".join(lines).rstrip() + "\n"


def _table_lines(full_name: str, table: Table) -> Iterator[str]:
    yield f"## {full_name}" + (f": {table.label}" if table.label else "")
    yield ""
    yield f"One row is {table.one_row_is}."
    if table.description:
        yield table.description
    yield (
        f"A person is {table.person}."
        if table.person
        else ("Rows carry no identity: every row counts as a person of its own.")
    )
    if table.key:
        yield f"Unique together: {', '.join(table.key)}."
    if table.dated_by:
        yield f"Dated by {table.dated_by}."
    if not table.has_dates:
        yield "There are durations and no dates, so that periods and days cannot be chosen."
    yield from (f"{first} is never after {second}." for first, second in table.date_order)
    yield f"An import is refused above {table.set_aside_limit:.0%} faulty rows."
    yield ""
    for name, variable in table.variables.items():
        yield from _variable_lines(name, variable)
    yield ""


def _variable_lines(name: str, variable: Variable) -> Iterator[str]:
    unit = f" in {variable.unit}" if variable.unit else ""
    required = ", required" if variable.required else ""
    label = f": {variable.label}" if variable.label else ""
    yield f"- **{name}** ({variable.type}{unit}{required}; {variable.sensitivity}){label}"
    limits = [
        f"{word} {limit}"
        for word, limit in (("from", variable.minimum), ("to", variable.maximum))
        if limit is not None
    ]
    years = [
        f"{word} {year}"
        for word, year in (("from", variable.first_year), ("until", variable.last_year))
        if year
    ]
    details = [
        variable.description,
        f"Delivered as {variable.delivered_as}." if variable.delivered_as else "",
        f"Values {' '.join(limits)}." if limits else "",
        f"Collected {' '.join(years)}." if years else "",
        f"Written like {variable.date_format}." if variable.date_format else "",
        f"Source: {variable.source}." if variable.source else "",
    ]
    yield from (f"  {text}" for text in details if text)
    for code, meaning in variable.codes.items():
        unknown = " (counts as missing)" if code in variable.unknown else ""
        yield f"  - {code} = {meaning}{unknown}"
