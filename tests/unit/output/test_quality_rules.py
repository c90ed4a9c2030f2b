"""A table's quality that leaves tells of no few persons, in no part and by no subtraction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from attacker import interval, tells_of_few
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.analysis.quality import Quality
from workbench.errors import DisclosureError
from workbench.output.disclosure import release
from workbench.output.figures import quality_figure

PER_TEST = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
DELIVERED = ["n_rows_read", "n_rows_kept", "n_rows_set_aside"]


def quality_of(rows, *, collected=None, faults=(), deliveries=None, n_aside=0):
    """The quality of rows (person, year, and values of variables), counted in plain pandas."""
    variables = [name for name in rows.columns if name not in ("person", "year")]
    years = rows.groupby("year", as_index=False).agg(
        n_rows=("person", "size"), n_persons=("person", "nunique")
    )
    seen = rows[["person", "year"]].drop_duplicates().sort_values(["person", "year"])
    seen["year_before"] = seen.groupby("person")["year"].shift()
    returns = seen.dropna().groupby(["year", "year_before"]).size()
    returns = returns.rename("n_persons").reset_index()
    missing = []
    for name in variables:
        for year, of_year in rows.groupby("year"):
            if year not in (collected or {}).get(name, {year}):
                continue
            lacks = of_year[name].isna()
            missing.append({
                "variable": name, "year": year, "n_rows": len(of_year), "n_missing": lacks.sum(),
                "n_persons_missing": of_year.loc[lacks, "person"].nunique(),
                "n_persons_known": of_year.loc[~lacks, "person"].nunique(),
            })  # fmt: skip
    again = rows["person"].duplicated(keep=False)
    n_again = len(rows) - rows["person"].nunique()
    whose = rows.loc[again, "person"].nunique()
    repeats = [{"check": "further rows of a person", "n_rows": n_again, "n_persons": whose}]
    told = deliveries or [(len(rows) + n_aside, len(rows), n_aside)]
    versions = pd.DataFrame(told, columns=DELIVERED)
    versions.insert(0, "version", [f"v{at}" for at in range(len(told))])
    columns = ["variable", "year", "n_rows", "n_missing", "n_persons_missing", "n_persons_known"]
    return Quality(
        deliveries=versions,
        faults=pd.DataFrame(list(faults), columns=["rule", "column", "outcome", "n_rows"]),
        years=years,
        returns=returns,
        missing=pd.DataFrame(missing, columns=columns),
        repeats=pd.DataFrame(repeats),
    )


def rows_of(n_by_year, **values):
    """Rows of so many different persons each year, with one value a variable."""
    years = [year for year, n in n_by_year.items() for _ in range(n)]
    return pd.DataFrame({"person": range(len(years)), "year": years, **values})


def span_of(words, years):
    ends = words.split(" to ")
    return [year for year in years if ends[0] <= year <= ends[-1]]


ROW = st.tuples(st.integers(0, 14), st.integers(0, 4), st.booleans(), st.booleans())


@settings(PER_TEST, max_examples=150)
@given(
    rows=st.lists(ROW, min_size=1, max_size=90),
    late=st.integers(0, 3),
    until=st.integers(0, 4),
)
def test_no_few_persons_can_be_read_or_subtracted(policy, rows, late, until):
    frame = pd.DataFrame(rows, columns=["person", "year", "late", "early"])
    frame["year"] = (2010 + frame["year"]).astype(str)
    frame[["late", "early"]] = frame[["late", "early"]].astype(object).replace({False: None})
    years = sorted(frame["year"].unique())
    collected = {
        "late": {year for year in years if year >= str(2010 + late)},
        "early": {year for year in years if year <= str(2010 + until)},
    }
    quality = quality_of(frame, collected=collected)
    if frame["person"].nunique() < 5:
        with pytest.raises(DisclosureError, match="fewer than 5 persons"):
            release(quality, policy, title="x")
        return
    released = release(quality, policy, title="x")
    sizes = released.parts["years"].frame.set_index("years")["n_rows"]
    assert sizes.sum() == len(frame)
    for words in sizes.index:
        inside = frame[frame["year"].isin(span_of(words, years))]
        assert inside["person"].nunique() >= 5
        lines = released.frame[released.frame["years"] == words].dropna(subset=["n_rows"])
        asked = {"all": set(years)} | {name: collected[name] for name in lines["variable"]}
        for one in asked.values():
            for other in asked.values():
                apart = inside.loc[inside["year"].isin(one - other), "person"].nunique()
                assert not 0 < apart < 5
        for line in lines.dropna(subset=["n_missing"]).to_dict("records"):
            own = inside[inside["year"].isin(collected[line["variable"]])]
            lacks = own[line["variable"]].isna()
            assert (line["n_rows"], line["n_missing"]) == (len(own), lacks.sum())
            assert not 0 < own.loc[lacks, "person"].nunique() < 5
            assert not 0 < own.loc[~lacks, "person"].nunique() < 5


def test_few_persons_with_rows_in_many_years_are_few(policy):
    rows = rows_of({"2010": 20, "2018": 20}, x="1")
    same = [{"person": at, "year": f"201{year}", "x": "1"} for year in range(1, 6) for at in (0, 1)]
    quality = quality_of(pd.concat([rows, pd.DataFrame(same)], ignore_index=True))
    shown = release(quality, policy, title="x").parts["years"].frame
    # Ten rows of 2011 to 2015 are two persons', who cannot stand alone.
    assert shown["years"].tolist() == ["2010", "2011 to 2018"]
    assert shown["n_rows"].tolist() == [20, 30]


def test_years_with_few_persons_are_merged_and_not_refused(policy):
    quality = quality_of(rows_of(dict.fromkeys(["2010", "2011", "2012", "2013"], 3), x="1"))
    shown = release(quality, policy, title="x").parts["years"].frame
    assert shown["years"].tolist() == ["2010 to 2011", "2012 to 2013"]


def test_rows_of_a_year_without_the_variable_do_not_follow_from_the_span(policy):
    """Three rows of 2010 would be what 2010 to 2011 has more than the variable."""
    rows = rows_of({"2010": 3, "2011": 50}, x="1", late="1")
    released = release(quality_of(rows, collected={"late": {"2011"}}), policy, title="x")
    frame = released.frame.set_index("variable")
    assert released.parts["years"].frame["n_rows"].tolist() == [53]
    assert frame.loc["x", "n_rows"] == 53
    assert frame.loc["late", ["n_rows", "n_missing", "percent"]].isna().all()
    late = released.texts().set_index("variable").loc["late"]
    assert late[["n_rows", "n_missing", "percent"]].tolist() == ["[c]", "[c]", "[c]"]
    many = rows_of({"2010": 9, "2011": 50}, x="1", late="1")
    released = release(quality_of(many, collected={"late": {"2011"}}), policy, title="x")
    assert not released.hidden.any(axis=None)


def test_missing_values_are_judged_by_persons(policy):
    """Twelve rows without a value, all of one person."""
    rows = rows_of({"2010": 40}, x="1")
    one = pd.DataFrame({"person": 0, "year": "2010", "x": [None] * 12})
    quality = quality_of(pd.concat([rows, one], ignore_index=True))
    frame = release(quality, policy, title="x").frame
    assert frame["n_rows"].tolist() == [52]
    assert frame["n_missing"].isna().all()


def attack_deliveries(released, n_faults):
    """What an attacker makes of the rows set aside and of each fault, when a row has one."""
    shown = {"kept": float(released.parts["years"].frame["n_rows"].sum())}
    newest = released.parts["deliveries"].frame[DELIVERED].iloc[-1].dropna()
    words = {"n_rows_read": "read", "n_rows_kept": "kept", "n_rows_set_aside": "aside"}
    shown |= {words[name]: float(value) for name, value in newest.items()}
    faults = released.parts["faults"].frame["n_rows"]
    shown |= {f"f{at}": float(n) for at, n in enumerate(faults) if pd.notna(n)}
    equal = [
        {"read": 1, "kept": -1, "aside": -1},
        {"aside": 1, **{f"f{at}": -1 for at in range(n_faults)}},
    ]
    wanted = [{"aside": 1}, *({f"f{at}": 1} for at in range(n_faults))]
    return [interval(one, shown, equal_zero=equal, at_least_zero=[]) for one in wanted]


@settings(PER_TEST, max_examples=60)
@given(st.lists(st.integers(1, 12), max_size=4))
def test_few_rows_set_aside_do_not_follow_from_years_or_faults(policy, faults):
    lines = [(f"rule {at}", "x", "set aside", n) for at, n in enumerate(faults)]
    rows = rows_of({"2010": 40, "2011": 30}, x="1")
    quality = quality_of(rows, faults=lines, n_aside=sum(faults))
    released = release(quality, policy, title="x")
    assert not any(tells_of_few(ends, 5) for ends in attack_deliveries(released, len(faults)))


def test_the_attacker_would_find_few_in_what_was_shown_before():
    """The attack is real: rows read less the rows of the years are the rows set aside."""
    sums = [{"read": 1, "kept": -1, "aside": -1}]
    ends = interval({"aside": 1}, {"read": 73, "kept": 70}, equal_zero=sums, at_least_zero=[])
    assert tells_of_few(ends, 5)


@pytest.mark.parametrize(
    ("faults", "n_aside", "shown"),
    [
        ([30, 20], 50, [True, True]),
        ([30, 3], 33, [False, False]),  # 33 may stand in the ledger
        ([30, 20], 48, [False, True]),  # two rows have both faults
        ([47, 20], 50, [False, False]),  # three have only the other one
    ],
)
def test_faults_and_their_total(policy, faults, n_aside, shown):
    lines = [(f"rule {at}", "x", "set aside", n) for at, n in enumerate(faults)]
    quality = quality_of(rows_of({"2010": 40}, x="1"), faults=lines, n_aside=n_aside)
    parts = release(quality, policy, title="x").parts
    assert parts["deliveries"].frame[DELIVERED].notna().all(axis=None) == shown[0]
    assert parts["faults"].frame["n_rows"].notna().iloc[0] == shown[1]


def test_what_nearly_every_row_has_is_hidden(policy):
    for n, shown in ((38, False), (40, True), (20, True)):
        quality = quality_of(
            rows_of({"2010": 40}, x="1"), faults=[("odd", "x", "worth knowing", n)]
        )
        part = release(quality, policy, title="x").parts["faults"]
        assert part.frame["n_rows"].notna().tolist() == [shown]


def test_deliveries_that_differ_by_few_rows_are_not_shown_side_by_side(policy):
    told = [(500, 480, 20), (37, 37, 0), (40, 40, 0)]
    quality = quality_of(rows_of({"2010": 40}, x="1"), deliveries=told)
    frame = release(quality, policy, title="x").parts["deliveries"].frame
    assert frame["n_rows_kept"].notna().tolist() == [True, False, True]


def test_repeats_are_judged_by_persons_and_beside_each_other(policy):
    quality = quality_of(rows_of({"2010": 40}, x="1"))
    for lines, shown in (
        ([(20, 9), (10, 6)], [True, True]),
        ([(20, 2), (0, 0)], [False, True]),
        ([(20, 9), (18, 8)], [True, False]),  # two rows are of another day
        ([(38, 9), (10, 6)], [False, True]),
    ):
        repeats = pd.DataFrame(lines, columns=["n_rows", "n_persons"])
        repeats.insert(0, "check", ["person", "day"])
        part = release(replace(quality, repeats=repeats), policy, title="x").parts["repeats"]
        assert part.frame["n_rows"].notna().tolist() == shown
        assert part.frame.columns.tolist() == ["check", "n_rows"]


def test_a_table_without_variables_to_look_at_has_years_only(policy):
    released = release(quality_of(rows_of({"2010": 40})), policy, title="x")
    assert released.frame.empty
    assert released.parts["years"].frame["n_rows"].tolist() == [40]


def test_the_figure_says_so_when_every_number_is_hidden(policy):
    values = [None if at < 2 else "1" for at in range(40)]
    released = release(quality_of(rows_of({"2010": 40}, x=np.array(values))), policy, title="x")
    assert quality_figure.describe(released, {}).endswith("Every number is hidden ([c]).")
