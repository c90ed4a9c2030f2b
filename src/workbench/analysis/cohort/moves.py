"""When persons lived abroad: one rule for patients and for comparison persons.

A person's state changes on the days of their moves. Before the first move a person is where that
move leaves from: abroad if it is an immigration. A day with moves both ways changes nothing, in
whatever order the file has them. Who comes back on a day is in the country on that day; who leaves
on a day is in the country until then.
"""

from __future__ import annotations

import ibis

from workbench.analysis.cohort.linkage import Sources

MOVES_BOTH_WAYS = "days with moves out of the country and into it, counted as no move"


def times_abroad(sources: Sources) -> ibis.Table:
    """Every time abroad: `_who`, `_left` and `_back`, missing where it has no beginning or end."""
    days = sources.once("days_of_moves", _days_of_moves)
    days = days.filter(days._is_out != days._is_in)
    next_day = days._moved.lead().over(group_by=days._who, order_by=days._moved)
    days = days.mutate(_next=next_day)
    away = days.filter(days._is_out).select("_who", _left=days._moved, _back=days._next)
    first = days.group_by("_who").agg(_moved=days._moved.min(), _is_in=_first_is_in(days))
    before = first.filter(first._is_in).select("_who", _left=ibis.null("date"), _back=first._moved)
    return ibis.union(away, before)


def n_moves_both_ways(sources: Sources) -> int:
    """How many days of a person have moves both ways."""
    days = sources.once("days_of_moves", _days_of_moves)
    return int(days.filter(days._is_out & days._is_in).count().execute())


def _days_of_moves(sources: Sources) -> ibis.Table:
    """One row a person and day with moves: whether any leads out, whether any leads in."""
    name = sources.roles["migrations"]
    table, moves = sources.table(name), sources.linked(name)
    direction = str(table.meaning("migration"))
    words = table.variables[direction].words
    codes = {word: [code for code, w in words.items() if w == word] for word in words.values()}
    text = moves[direction].cast("string")
    moves = moves.select(
        _who=moves._person,
        _moved=moves[str(table.dated_by)],
        _is_out=text.isin(codes.get("emigration", [])),
        _is_in=text.isin(codes.get("immigration", [])),
    )
    known = moves.filter(moves._who.notnull() & moves._moved.notnull())
    days = known.group_by("_who", "_moved").agg(
        _is_out=known._is_out.any(), _is_in=known._is_in.any()
    )
    return days.filter(days._is_out | days._is_in)


def _first_is_in(days: ibis.Table) -> ibis.Value:
    return days._is_in.argmin(days._moved)
