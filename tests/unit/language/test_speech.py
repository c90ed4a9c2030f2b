"""The language is spoken where it was asked for, and numbers and dates are written as it does."""

from __future__ import annotations

import datetime
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import language
from workbench.errors import StudyError
from workbench.language import (
    counted,
    current,
    date,
    inside,
    month,
    number,
    per_cent,
    retold,
    share,
    speaking,
    spoken,
    text,
)

DAY = datetime.date(2024, 3, 5)
THIN, HARD = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("tongue", "told"),
    [
        ("en", ("1 234 567", "12.5", "−0.25", "45 %", "5 March 2024", "March 2024", "3 units")),
        ("sv", ("1 234 567", "12,5", "−0,25", "45 %", "5 mars 2024", "mars 2024", "3 enheter")),
        ("nb", ("1 234 567", "12,5", "−0,25", "45 %", "5. mars 2024", "mars 2024", "3 enheter")),
    ],
)
def test_numbers_and_dates_are_written_as_the_language_does(tongue, told):
    with speaking(tongue):
        units = counted(3, "{n} unit", "{n} units")
        found = (number(1234567), number(12.5, 1), number(-0.25, 2), share(0.45), date(DAY),
                 month(DAY), units)  # fmt: skip
    assert tuple(one.replace(THIN, " ").replace(HARD, " ") for one in found) == told


def test_a_label_inside_a_sentence_is_small_unless_it_is_a_name():
    assert inside("Age at diagnosis") == "age at diagnosis"
    assert [inside(name) for name in ("Ann Arbor stage", "WHO performance status", "")] == [
        "Ann Arbor stage", "WHO performance status", "",
    ]  # fmt: skip


def test_one_is_singular_and_none_is_plural():
    with speaking("nb"):
        assert counted(1, "{n} unit", "{n} units") == "1 enhet"
        assert counted(0, "{n} unit", "{n} units") == "0 enheter"


def test_the_language_ends_with_its_block_and_belongs_to_its_thread():
    def speak(tongue: str) -> list[str]:
        with speaking(tongue):
            return [text("Persons") + text("Events") for _ in range(200)]

    with ThreadPoolExecutor(3) as pool:
        told = dict(zip(("en", "sv", "nb"), pool.map(speak, ("en", "sv", "nb")), strict=True))
    assert [set(one) for one in told.values()] == [
        {"PersonsEvents"}, {"PersonerHändelser"}, {"PersonerHendelser"},
    ]  # fmt: skip
    assert current() == "en"


def test_a_language_without_texts_is_refused():
    with (
        pytest.raises(StudyError, match=r'"fi" has no texts. Choose one of en, sv, nb'),
        speaking("fi"),
    ):
        pass


def test_methods_and_properties_of_an_object_speak_its_language():
    @spoken(lambda one: one.tongue)
    class Session:
        def __init__(self, tongue):
            self.tongue = tongue

        @property
        def word(self):
            return text("Persons")

        def say(self):
            return text("Events")

        @staticmethod
        def plain():
            return text("Events")

    session = Session("sv")
    assert (session.word, session.say(), session.plain()) == ("Personer", "Händelser", "Events")


@pytest.mark.parametrize(
    ("english", "swedish"),
    [
        ("Years with few persons are shown together.", "År med få personer visas tillsammans."),
        ("not decided between moderate and low", "inte avgjort mellan måttlig och låg"),
        ("2013-01-01 to 2023-12-31, followed to 2024-12-31",
         "1 januari 2013 till 31 december 2023, uppföljning till 31 december 2024"),
        ("Lund, by year", "Lund, per år"),
        ("no such sentence; in the future", "no such sentence; i framtiden"),
        ("Distribution of age", "Distribution of age"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_sentence_made_elsewhere_is_told_again_and_the_studys_own_is_left(english, swedish):
    with speaking("sv"):
        assert retold(english) == swedish
    assert retold(english) == english


@given(st.text())
def test_any_text_can_be_retold(sentence):
    for tongue in language.LANGUAGES:
        with speaking(tongue):
            assert isinstance(retold(sentence), str)


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_a_number_reads_back_the_same_in_every_language(value, decimals):
    read = set()
    for tongue in language.LANGUAGES:
        with speaking(tongue):
            told = number(value, decimals)
        read.add(float(told.replace(THIN, "").replace(",", ".").replace("−", "-")))
    assert read == {round(value, decimals)}


@given(st.floats(0, 100))
def test_a_percentage_is_its_number_and_its_sign(value):
    with speaking("nb"):
        assert per_cent(value, 1) == number(value, 1) + HARD + "%"
