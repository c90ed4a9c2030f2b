"""Histories that cannot be, seen against the population register in the store."""

from __future__ import annotations

from datetime import date

import pytest
from builders import AS_OF, write_csv

from workbench.data.intake import import_extract
from workbench.data.keys import Key
from workbench.registers.documents import parse_document
from workbench.registers.schema import Register

KEY = Key(bytes(range(1, 41)), "the tests")
NUMBER = {
    "type": "code", "sensitivity": "identity", "identity_scheme": "swedish", "required": "yes"
}  # fmt: skip
PLAIN = {"type": "code", "sensitivity": "pseudonym", "required": "yes"}
ANNA, BO, CAJ = "198611239883", "191212121212", "195005050512"
PERSONS = [f"{ANNA};1986-11-23;2;", f"{BO};1912-12-12;1;2000-05-01", f"{CAJ};1950-05-05;1;"]
MOVES = [
    f"{ANNA};2005-01-10;out", f"{ANNA};2006-06-01;in", f"{ANNA};2010-03-01;out",
    f"{CAJ};1990-01-01;in",
]  # fmt: skip


def _register(name, table, person=NUMBER, **variables):
    document = {
        "name": name,
        "label": name,
        "population": "people",
        "tables": {
            one: {
                "person": "nr",
                "set_aside_limit": "1",
                "variables": {"nr": person, **content.pop("variables")},
                **content,
            }
            for one, content in table.items()
        },
    }
    return parse_document(document, Register, where=name)


def _people(person=NUMBER):
    sex = {"type": "code", "codes": {"1": "male", "2": "female"}, "means": "sex"}
    move = {"type": "code", "codes": {"in": "immigration", "out": "emigration"}}
    return _register(
        "people",
        {
            "persons": {
                "role": "persons",
                "key": ["nr"],
                "variables": {
                    "born": {"type": "date", "means": "birth_date"},
                    "sex": sex,
                    "died": {"type": "date", "means": "death_date"},
                },
            },
            "moves": {
                "role": "migrations",
                "dated_by": "day",
                "variables": {"day": {"type": "date"}, "move": {**move, "means": "migration"}},
            },
            "changes": {
                "role": "number_changes",
                "variables": {"before": {**person, "means": "earlier_number"}},
            },
        },
        person,
    )


def _stays(person=NUMBER):
    variables = {"day": {"type": "date"}, "end": {"type": "date", "means": "registered_date"}}
    return _register("care", {"stays": {"dated_by": "day", "variables": variables}}, person)


def _bring(tmp_path, register, table, header, lines, **how):
    file = write_csv(tmp_path / f"{table}.csv", header, *lines)
    given = {"store_folder": tmp_path / "s", "as_of": AS_OF, "key": KEY, **how}
    return import_extract(register, table, [file], **given)


def _bring_people(tmp_path, *, moves=True, person=NUMBER):
    register = _people(person)
    _bring(tmp_path, register, "persons", "nr;born;sex;died", PERSONS)
    if moves:
        _bring(tmp_path, register, "moves", "nr;day;move", MOVES)


def _notes(done):
    found = {(note.rule, note.column): note.first_rows for note in done.version.notes}
    return {key: rows for key, rows in found.items() if key[0] != "test number"}


STAYS = [
    f"{ANNA};1986-11-22;",  # 1: the day before birth
    f"{ANNA};1986-11-23;",
    f"{BO};2000-05-01;2001-01-01",  # the day of death; registered later
    f"{BO};2000-05-02;",  # 4: the day after
    f"{ANNA};2005-01-10;",  # the day of leaving
    f"{ANNA};2005-01-11;",  # 6: abroad
    f"{ANNA};2006-05-31;",  # 7
    f"{ANNA};2006-06-01;",  # back
    f"{ANNA};2010-03-02;",  # 9: gone for good
    f"{CAJ};1989-12-31;",  # before the first immigration: nobody says where he was
    "199007212393;2020-01-01;",  # 11: not in the register
    f"{CAJ};;",
]


def test_what_cannot_be_is_told_and_kept(tmp_path):
    _bring_people(tmp_path)
    done = _bring(tmp_path, _stays(), "stays", "nr;day;end", STAYS)
    assert _notes(done) == {
        ("before birth", "day"): ("1",),
        ("after death", "day"): ("4",),
        ("while abroad", "day"): ("6", "7", "9"),
        ("not in the population register", "nr"): ("11",),
    }
    assert done.version.n_rows_set_aside == 0
    assert done.version.not_checked == ()


def test_rows_set_aside_are_not_told_twice(tmp_path):
    _bring_people(tmp_path)
    lines = [f"{ANNA};1986-11-22;2020-02-30", f"{ANNA};2020-01-01;"]
    done = _bring(tmp_path, _stays(), "stays", "nr;day;end", lines)
    assert set(_notes(done)) == {("while abroad", "day")}


def test_without_the_register_it_is_said_that_nothing_was_checked(tmp_path):
    done = _bring(tmp_path, _stays(), "stays", "nr;day;end", STAYS)
    assert done.version.not_checked == (
        "not checked against the population register: people.persons is not in the store",
    )
    assert _notes(done) == {}


def test_without_migrations_that_part_is_not_checked(tmp_path):
    _bring_people(tmp_path, moves=False)
    done = _bring(tmp_path, _stays(), "stays", "nr;day;end", STAYS)
    assert ("while abroad", "day") not in _notes(done)
    (left,) = done.version.not_checked
    assert "people has no migrations in the store" in left


def test_importing_again_once_the_register_is_there_makes_up_for_it(tmp_path):
    first = _bring(tmp_path, _stays(), "stays", "nr;day;end", STAYS)
    _bring_people(tmp_path)
    again = _bring(tmp_path, _stays(), "stays", "nr;day;end", STAYS)
    assert again.is_new and again.version.notes != first.version.notes
    assert again.version.rows_sha256 == first.version.rows_sha256
    assert not _bring(tmp_path, _stays(), "stays", "nr;day;end", STAYS).is_new


@pytest.mark.parametrize(("people", "care"), [(NUMBER, PLAIN), (PLAIN, NUMBER)])
def test_persons_named_in_another_way_cannot_be_compared(tmp_path, people, care):
    register = _people(people)
    names = [line.replace(ANNA, "a").replace(BO, "b").replace(CAJ, "c") for line in PERSONS]
    _bring(tmp_path, register, "persons", "nr;born;sex;died", names if people is PLAIN else PERSONS)
    lines = ["a;2020-01-01;"] if care is PLAIN else [f"{ANNA};2020-01-01;"]
    done = _bring(tmp_path, _stays(care), "stays", "nr;day;end", lines)
    assert done.version.not_checked == (
        "not checked against the population register: people.persons names persons in another way",
    )


def test_running_numbers_are_compared_as_they_are(tmp_path):
    register = _people(PLAIN)
    _bring(tmp_path, register, "persons", "nr;born;sex;died", ["a;1950-01-01;1;1999-01-01"])
    lines = ["a;1949-01-01;", "a;1999-01-02;", "b;1990-01-01;"]
    done = _bring(tmp_path, _stays(PLAIN), "stays", "nr;day;end", lines)
    assert {rule for rule, _ in _notes(done)} == {
        "before birth", "after death", "not in the population register"
    }  # fmt: skip


def test_the_register_is_compared_with_itself_but_for_its_list_of_persons(tmp_path):
    register = _people()
    done = _bring(tmp_path, register, "persons", "nr;born;sex;died", PERSONS)
    assert done.version.not_checked == ()
    moves = [*MOVES, f"{BO};2001-01-01;out", "199007212393;2020-01-01;in"]
    done = _bring(tmp_path, register, "moves", "nr;day;move", moves)
    assert set(_notes(done)) == {
        ("after death", "day"), ("not in the population register", "nr")
    }  # fmt: skip


def test_a_dry_run_is_compared_too(tmp_path):
    _bring_people(tmp_path)
    dry = _bring(tmp_path, _stays(), "stays", "nr;day;end", STAYS, dry_run=True)
    assert len(_notes(dry)) == 4


def test_leaving_twice_without_coming_back_is_one_absence(tmp_path):
    register = _people()
    _bring(tmp_path, register, "persons", "nr;born;sex;died", PERSONS)
    moves = [f"{ANNA};2001-01-01;out", f"{ANNA};2002-01-01;out", f"{ANNA};2003-01-01;in"]
    _bring(tmp_path, register, "moves", "nr;day;move", moves)
    lines = [f"{ANNA};{day};" for day in (date(2002, 6, 1), date(2003, 6, 1))]
    done = _bring(tmp_path, _stays(), "stays", "nr;day;end", lines)
    assert _notes(done) == {("while abroad", "day"): ("1",)}


def test_an_earlier_number_is_its_persons(tmp_path):
    _bring_people(tmp_path)
    earlier = "195005650519"  # Caj's coordination number
    done = _bring(tmp_path, _stays(), "stays", "nr;day;end", [f"{earlier};1949-01-01;"])
    assert set(_notes(done)) == {("not in the population register", "nr")}
    changes = [f"{CAJ};{earlier}", f"{ANNA};{ANNA}", f"{BO};"]
    register = _people()
    _bring(tmp_path, register, "changes", "nr;before", [*changes[:2]])
    lines = [f"{earlier};1949-01-01;", f"{CAJ};1949-01-01;", f"{ANNA};2007-01-01;"]
    done = _bring(tmp_path, _stays(), "stays", "nr;day;end", lines)
    assert _notes(done) == {("before birth", "day"): ("1", "2")}
