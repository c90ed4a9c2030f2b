"""What becomes of input that cannot be: a test for each line of docs/bad-input.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import competing, regression, relative, survival
from workbench.errors import DataError, WorkbenchError

PAGE = Path(__file__).parents[3] / "docs" / "bad-input.md"
FOLLOWED = {"duration": "t", "event": "e"}


def persons_of(n: int = 200, **changes: object) -> pd.DataFrame:
    draw = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "t": draw.integers(1, 900, n).astype(float),
            "e": draw.integers(0, 2, n),
            "age": draw.uniform(40, 80, n),
            "sex": draw.choice(["male", "female"], n),
            "g": draw.choice(["a", "b"], n),
            "start": pd.Timestamp("2000-06-01"),
            "entry": 0.0,
            "w": 1.0,
        }
    )
    return frame.assign(**changes)


def with_value(column: str, value: object) -> pd.DataFrame:
    """The persons, with one value in three rows."""
    persons = persons_of()
    persons[column] = persons[column].astype(object)
    persons.loc[persons.index[:3], column] = value
    return persons.infer_objects()


def curve(persons: pd.DataFrame, **how: object) -> pd.DataFrame:
    return survival.kaplan_meier(persons, **FOLLOWED, **how)


def model(persons: pd.DataFrame, formula: str = "age + g", **how: object) -> object:
    return regression.cox(persons, formula, **FOLLOWED, **how)


def life_table(**changes: object) -> relative.LifeTable:
    ages = pd.DataFrame({"age": range(100)}).merge(
        pd.DataFrame({"sex": ["male", "female"]}), how="cross"
    )
    frame = ages.assign(**{"year": 2000, "hazard": 0.01, **changes})
    return relative.LifeTable.from_frame(frame, age="age", year="year", sex="sex", hazard="hazard")


def net(persons: pd.DataFrame, **how: object) -> pd.DataFrame:
    columns = {"age": "age", "sex": "sex", "start_date": "start", "times": [365]}
    return relative.net_survival(persons, life_table(), **FOLLOWED, **columns, **how)


def separated() -> pd.DataFrame:
    persons = persons_of()
    return persons.assign(all_dead=persons["e"] * 1.0)


# name of the line in the page -> what is called, and what the refusal says
REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a negative time": (lambda: curve(with_value("t", -1.0)), '"t": negative in 3 rows'),
    "a missing time": (lambda: curve(with_value("t", np.nan)), '"t": missing in 3 rows'),
    "an infinite time": (lambda: curve(with_value("t", np.inf)), '"t": infinite in 3 rows'),
    "a text where a time should be": (lambda: curve(with_value("t", "x")), "expected numbers"),
    "an event that is neither 0 nor 1": (
        lambda: curve(with_value("e", 2)), "cumulative_incidence",
    ),
    "a cause that is no whole number": (
        lambda: competing.cumulative_incidence(with_value("e", 1.5), **FOLLOWED), "1.5|whole|cause",
    ),
    "entry at or after the end": (
        lambda: curve(with_value("entry", 1000.0), entry="entry"), 'not before "t" in 3 rows',
    ),
    "a weight of 0": (lambda: curve(with_value("w", 0.0), weight="w"), "above 0"),
    "a negative weight": (lambda: curve(with_value("w", -1.0), weight="w"), "negative in 3 rows"),
    "one group where two are compared": (
        lambda: survival.logrank(persons_of(g="a"), **FOLLOWED, by="g"), "one group only",
    ),
    "no event at all, compared": (
        lambda: survival.logrank(persons_of(e=0), **FOLLOWED, by="g"), "no events",
    ),
    "no event at all, modelled": (lambda: model(persons_of(e=0)), "no events among 200 persons"),
    "a missing group": (lambda: curve(with_value("g", None), by="g"), '"g": missing in 3'),
    "nobody": (lambda: curve(persons_of().iloc[:0]), "no persons"),
    "a column that is not there": (
        lambda: survival.kaplan_meier(persons_of(), duration="tt", event="e"), 'mean "t"',
    ),
    "a covariate that tells the event (separation)": (
        lambda: model(separated(), "all_dead"), '"all_dead"|separation',
    ),
    "a level without events": (
        lambda: model(persons_of(e=lambda d: d["e"] * (d["g"] == "a"))), r'no events in "g\[T.b\]"',
    ),
    "a covariate that follows from others (collinear)": (
        lambda: model(persons_of(twice=lambda d: 2 * d["age"]), "age + twice"), "collinear",
    ),
    "a covariate that is the same for all": (
        lambda: model(persons_of(same=1.0), "age + same"), "collinear|same",
    ),
    "a factor of which one level is left": (
        lambda: model(persons_of(g="a")), "one level only",
    ),
    "a sex that the life table does not know": (
        lambda: net(with_value("sex", "M")), "sex",
    ),
    "an age in days given as years": (
        lambda: net(persons_of(age=25_000.0)), "age",
    ),
    "a life table with a yearly hazard above 20": (
        lambda: life_table(hazard=30.0), "hazard",
    ),
}  # fmt: skip


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_is_refused_with_column_and_number(line):
    call, words = REFUSED[line]
    with pytest.raises(WorkbenchError, match=words):
        call()


def test_a_time_of_zero_is_at_risk_and_may_have_the_event():
    persons = pd.DataFrame({"t": [0.0, 0.0, 5.0, 9.0], "e": [1, 0, 1, 0]})
    found = curve(persons)
    assert found["at_risk"].tolist() == [4, 2, 1]
    assert found["estimate"].tolist() == [0.75, 0.375, 0.375]


def test_a_group_without_events_has_survival_1():
    persons = persons_of(e=lambda d: d["e"] * (d["g"] == "a"))
    found = curve(persons, by="g", times=[400])
    assert found.loc[found["g"] == "b", ["estimate", "lower", "upper"]].to_numpy().tolist() == [
        [1, 1, 1]
    ]


def test_a_factor_level_that_vanishes_with_exclusions_is_no_term():
    persons = persons_of(g=lambda d: pd.Categorical(d["g"], categories=["a", "b", "c"]))
    fit = model(persons)
    assert not fit.coefficients["term"].str.contains("T.c").any()
    found = curve(persons, by="g")
    assert found["g"].unique().tolist() == ["a", "b"]


def test_two_hundred_categories_are_fitted_where_each_has_events():
    persons = persons_of(4000, place=lambda d: (np.arange(len(d)) % 200).astype(str))
    fit = model(persons, "C(place)")
    assert len(fit.coefficients) == 199
    assert np.isfinite(fit.coefficients["coefficient"]).all()


def test_ages_and_years_outside_the_life_table_take_its_nearest_cell_and_are_counted():
    old = persons_of(age=105.0)
    found = net(old)
    assert any("200" in note for note in found.attrs["notes"])
    assert found["estimate"].notna().all()


def test_persons_with_a_missing_covariate_are_left_out_and_counted():
    fit = model(with_value("age", np.nan))
    assert (fit.n, fit.n_missing) == (197, 3)


def test_every_line_of_the_page_has_its_test():
    text = PAGE.read_text("utf-8").split("## Units, indicators")[0]
    lines = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    told = {line for line in lines if line not in {"input", "---"}}
    kept = {
        "a time of 0", "a group without events", "a factor level that vanishes with exclusions",
        "200 categories", "an age or year outside the life table", "a missing covariate",
    }  # fmt: skip
    assert told == {*REFUSED, *kept}


def test_a_refusal_never_tells_a_value():
    with pytest.raises(DataError) as told:
        curve(with_value("t", "19121212-1212"))
    assert "1912" not in str(told.value)
