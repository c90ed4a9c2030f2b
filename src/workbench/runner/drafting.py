"""Draft a study on a table: a commented working file with the table's own names in it."""

from __future__ import annotations

from workbench.registers.schema import Register, Table
from workbench.study import DAYS_IN

STANDARD_NOTEBOOK = "20_estimate_survival"


def draft_study(register: Register, table_name: str) -> str:
    """A study file that names the table's variables; what must be decided is marked '?'."""
    table = register.table(table_name)
    dates = [name for name, one in table.variables.items() if one.type == "date"]
    durations = [
        name
        for name, one in table.variables.items()
        if one.unit in DAYS_IN
        and one.type in {"integer", "decimal"}
        and not name.lower().startswith(("age", "ålder", "alder"))
    ]
    as_of = "as_of: 2020-12-31              # ? the last day on which events are known"
    lines = [
        "# A study to start from. Read every line marked '?' and mend it, then:",
        "#   workbench run THIS_FILE",
        f"title: {_quoted(register.label)}          # ?",
        "question: How long do patients live, and does it differ between groups?   # ?",
        f"register: {register.name}",
        f"table: {table_name}",
        *([as_of] if dates else []),
        f"notebook: {STANDARD_NOTEBOOK}",
        "",
        "cohort:",
        *_cohort_lines(table, dates),
        "",
        "follow_up:",
        "  outcome: death from any cause   # ? in words",
        *_follow_up_lines(table, dates, durations),
        "",
        *_variable_lines(table, {_status(table)} | set(durations[:1] if len(dates) < 2 else [])),
        "coverage: Not known.              # ? what is known of the register's coverage",
    ]
    return "\n".join(lines) + "\n"


def _cohort_lines(table: Table, dates: list[str]) -> list[str]:
    lines = ["  # The table has durations and no dates: no period can be chosen."]
    if dates:
        lines = [
            f"  index_date: {table.dated_by or dates[0]}        # ? persons are followed from here",
            "  # period: {from: 2010-01-01, to: 2019-12-31}",
        ]
    return [
        *lines,
        "  include: []   # - {variable: NAME, in: [CODE], because: why the others leave}",
        "  exclude: []   # - {variable: NAME, is_missing: yes, because: why these leave}",
    ]


def _follow_up_lines(table: Table, dates: list[str], durations: list[str]) -> list[str]:
    status = _status(table) or "STATUS"
    # Two dates make a follow-up; a number in years may as well be an age.
    if len(dates) < 2 and (durations or not dates):
        length = f"  duration: {durations[0] if durations else 'DURATION'}"
        length += "          # ? the variable with the length of follow-up"
    else:
        length = f"  end_date: {dates[-1]}         # ? the last day of follow-up"
    event = f"  event: {{variable: {status}, in: [1]}}   # ? the codes that are the event"
    other = "  # or: duration, end_date, or event_date (a date only those with the event have)"
    return [length, event, other, "  unit: years"]


def _variable_lines(table: Table, left_out: set[str]) -> list[str]:
    chosen = [name for name in _analysable(table) if name not in left_out]
    lines = ["variables:                        # what is described, compared and adjusted for"]
    lines += [
        f"  {name}: {{label: {_quoted(table.variables[name].label or name)}}}" for name in chosen
    ]
    lines += [] if chosen else ["  # ? name at least one"]
    groups = [name for name in chosen if table.variables[name].is_category]
    if groups:
        lines.append(f"group: {groups[0]}                # ? compare by this one")
    return [*lines, f"model: [{', '.join(chosen[:3])}]   # ? adjust for these"]


def _status(table: Table) -> str:
    """The likeliest status variable: a code named like one, in English or a Nordic language."""
    likely = ("stat", "event", "dead", "death", "död", "dod", "død", "avlid", "utfall")
    codes = [name for name, one in table.variables.items() if one.type in {"code", "boolean"}]
    return next((name for name in codes if name.lower().startswith(likely)), "")


def _analysable(table: Table) -> list[str]:
    return [
        name
        for name, one in table.variables.items()
        if one.type not in {"date", "text"}
        and name != table.person
        and one.sensitivity not in {"identity", "pseudonym"}
    ]


def _quoted(text: str) -> str:
    """Text as YAML takes it for one value."""
    return "'" + text.replace("'", "''") + "'" if set(text) & set(":#{}[],&*?|>%@`\"'") else text
