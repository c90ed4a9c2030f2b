"""Tables of one release that share sums are hidden, and attacked, together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from attacker import interval
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workbench.analysis.count_table import CountTable
from workbench.errors import DisclosureError
from workbench.output.disclosure import release, release_reading
from workbench.output.formats.report import ReportContext
from workbench.output.publication import Publication
from workbench.registers.profiles import load_profile

PROFILE = load_profile("standard")
CONTEXT = ReportContext(title="T", question="Q?", facts={}, provenance={})
LOWEST, HIGHEST = 1, PROFILE.threshold - 1


def cells_of_people(sizes, *, n_years):
    """Regions of hospitals x years: one row each, in the order of `sizes`."""
    rows = [
        {"region": f"r{at % 2}", "hospital": f"h{at}", "year": 2020 + year}
        for at in range(len(sizes) // n_years)
        for year in range(n_years)
    ]
    return pd.DataFrame(rows).assign(n=sizes[: len(rows)])


def table_by(people, *by):
    return CountTable(people.groupby(list(by))["n"].sum().reset_index(), by)


def told(tables):
    """What a reader knows: shown numbers and sums, over the finest cells."""
    shown, sums = {}, []
    for released, people in tables:
        by, frame = list(released.facts["by"]), released.frame
        for row in frame[~released.hidden["n"]].to_dict("records"):
            inside = np.logical_and.reduce([people[key] == row[key] for key in by])
            name = f"{by} {[row[key] for key in by]}"
            shown[name] = float(row["n"])
            sums.append({name: -1.0, **{f"c{at}": 1.0 for at in np.flatnonzero(inside)}})
        shown["all"] = float(people["n"].sum())
    sums.append({"all": -1.0, **{f"c{at}": 1.0 for at in range(len(people))}})
    return shown, sums


def require_secret(tables, people):
    """Every small cell and small sum can be anything from 1 to 4, for an attacker of our own."""
    shown, sums = told(tables)
    for released, _ in tables:
        by = list(released.facts["by"])
        for _, rows in people.groupby(by):
            if LOWEST <= rows["n"].sum() <= HIGHEST:
                wanted = {f"c{at}": 1.0 for at in rows.index}
                least, greatest = interval(wanted, shown, equal_zero=sums, at_least_zero=[])
                assert least <= LOWEST
                assert greatest >= HIGHEST


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(0, 15), min_size=8, max_size=8),
    st.permutations([("hospital",), ("hospital", "year"), ("region",), ("region", "year")]),
)
def test_no_small_number_of_a_hierarchy_follows_from_all_tables_of_a_release(sizes, order):
    people = cells_of_people(sizes, n_years=2)
    assume(people["n"].sum() > HIGHEST)
    shown = []
    # the first table tells the gate which hospital lies in which region
    for by in (("region", "hospital"), *order[:3]):
        try:
            shown.append(release(table_by(people, *by), PROFILE, title=str(by), beside=shown))
        except DisclosureError:
            if not shown:
                return
    require_secret([(one, people) for one in shown], people)


def test_a_table_hides_what_one_before_it_hides():
    people = cells_of_people([2, 2, 30, 40, 60, 50, 20, 25], n_years=2)
    units = release(table_by(people, "hospital"), PROFILE, title="Units")
    years = release(table_by(people, "hospital", "year"), PROFILE, title="Years", beside=[units])
    assert units.hidden["n"].tolist() == [True, False, False, True]
    whole = years.frame["hospital"].isin(["h3"]) & years.hidden["n"]
    assert whole.any()  # what h3 counts in all must not follow from its years
    require_secret([(units, people), (years, people)], people)


@pytest.mark.parametrize("sizes", [[2, 1, 22, 28, 1, 4, 24, 28], [2, 1, 7, 6, 23, 24, 15, 4]])
def test_tables_that_tell_something_together_are_not_published(tmp_path, sizes):
    """Each is safe by itself; one shows what the other hides."""
    people = cells_of_people(sizes, n_years=2)
    publication = Publication(tmp_path / "release")
    for by in (("hospital",), ("hospital", "year")):
        alone = release(table_by(people, *by), PROFILE, title=f"By {by[-1]}")
        publication.add(alone, name=by[-1], heading=by[-1])
    with pytest.raises(DisclosureError, match='"By hospital", "By year" would tell'):
        publication.write(CONTEXT)
    assert not (tmp_path / "release").exists()
    minding = Publication(tmp_path / "release")
    for by in (("hospital",), ("hospital", "year")):
        one = minding.release(table_by(people, *by), PROFILE, title=f"By {by[-1]}")
        minding.add(one, name=by[-1], heading=by[-1])
    minding.write(CONTEXT)
    require_secret([(one.released, people) for one in minding.sections], people)


def test_the_publication_attacks_tables_behind_readings_too(tmp_path):
    units = pd.DataFrame({"hospital": list("abcd"), "n": [9, 40, 60, 45], "events": [5, 2, 30, 20]})
    publication = Publication(tmp_path / "release")
    counts = publication.release(CountTable(units, ("hospital",)), PROFILE, title="Units")
    again = publication.release(CountTable(units, ("hospital",)), PROFILE, title="Again")
    assert again.hidden.equals(counts.hidden)
    for at, one in enumerate((counts, again)):
        shares = release_reading(one, "shares", title="Shares")
        publication.add(shares, name=f"shares-{at}", heading="Shares")
    text = (publication.write(CONTEXT) / "release.json").read_text(encoding="utf-8")
    assert '"attacked_together": 2' in text


def test_another_population_is_not_minded():
    people = cells_of_people([2, 2, 30, 40, 60, 50, 20, 25], n_years=2)
    others = people.assign(n=people["n"] + 100)
    first = release(table_by(people, "hospital"), PROFILE, title="Units")
    second = release(table_by(others, "hospital"), PROFILE, title="Others", beside=[first])
    assert not second.hidden.any(axis=None)


@pytest.mark.parametrize("years", [1, 3])
def test_a_region_with_one_hospital_tells_nothing_of_it(years):
    rows = [
        {"region": f"r{at // 3}", "hospital": f"h{at}", "year": year, "n": 20 + 7 * at + year}
        for at in range(7)
        for year in range(years)
    ]
    people = pd.DataFrame(rows)
    people.loc[people["hospital"] == "h6", "n"] = 1
    tables = []
    for by in (("region",), ("region", "hospital"), ("hospital", "year")):
        before = [one for one, _ in tables]
        one = release(table_by(people, *by), PROFILE, title=str(by), beside=before)
        tables.append((one, people))
    require_secret(tables, people)
