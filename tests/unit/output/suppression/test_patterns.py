"""Patterns of hidden cells: safe for whoever tries every table, few cells, always the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import DataError, DefinitionError, DisclosureError
from workbench.output.gate.suppression import (
    Protection,
    attack,
    cells_of,
    holders,
    protect,
    ratio_bands,
    row_and_column,
    shown_before,
)

SMALL = Protection(threshold=3)
QUICK = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@st.composite
def hierarchies(draw, *, most_units=6, most=5):
    """Units in regions (some alone in theirs), perhaps over two years; at most six leaves."""
    n_years = draw(st.integers(1, 2))
    n_units = draw(st.integers(1, most_units // n_years))
    parents = {f"u{unit}": f"r{draw(st.integers(0, 2))}" for unit in range(n_units)}
    rows = [
        {"unit": unit, "year": str(year), "n": draw(st.integers(0, most))}
        for unit in parents
        for year in range(n_years)
    ]
    return pd.DataFrame(rows), parents


@st.composite
def groups(draw):
    """Counts with the sizes of their groups, at most three leaves."""
    n_units = draw(st.integers(1, 3))
    parents = {f"u{unit}": f"r{draw(st.integers(0, 1))}" for unit in range(n_units)}
    sizes = [draw(st.integers(0, 6)) for _ in parents]
    counts = [draw(st.integers(0, size)) for size in sizes]
    return pd.DataFrame({"unit": list(parents), "n": counts, "size": sizes}), parents


def made(frame, parents, **more):
    dimensions = [name for name in ("unit", "year") if name in frame]
    return cells_of(frame, count="n", dimensions=dimensions, hierarchies={"unit": parents}, **more)


@QUICK
@given(hierarchies())
def test_no_small_count_is_ever_narrower_than_its_range(possible_values, table):
    frame, parents = table
    cells = made(frame, parents)
    pattern = protect(cells, SMALL)
    found = possible_values(frame, cells.names, ~pattern.hidden, parents, count="n", most=7)
    small = (cells.counts > 0) & (cells.counts < 3)
    assert pattern.hidden[small].all()
    assert all({1, 2} <= found[cell] for cell in np.flatnonzero(small))


@QUICK
@given(groups(), st.booleans())
def test_neither_a_count_nor_the_rest_of_its_group_is_ever_narrower(
    possible_values, table, hides_zero
):
    frame, parents = table
    cells = made(frame, parents, total="size")
    protection = Protection(threshold=3, hides_zero=hides_zero)
    pattern = protect(cells, protection)
    shown = cells.is_printed & ~pattern.hidden
    found = possible_values(frame, cells.names, shown, parents, count="n", total="size", most=8)
    wanted = {0, 1, 2} if hides_zero else {1, 2}
    small = (cells.counts > 0) & (cells.counts < 3)
    if hides_zero:
        size = frame.set_index("unit")["size"]
        size = pd.concat([size, size.groupby(parents).sum(), pd.Series({"all": size.sum()})])
        small |= (cells.counts == 0) & (cells.names["unit"].map(size).to_numpy() > 0)
    assert all(wanted <= found[cell] for cell in np.flatnonzero(small))


@QUICK
@given(hierarchies(most=2), st.randoms(use_true_random=False))
def test_the_attack_says_what_trying_every_table_says(possible_values, table, random):
    frame, parents = table
    cells = made(frame, parents)
    everything = (cells.names["unit"] == "all").to_numpy() & (cells.counts == frame["n"].sum())
    hidden = np.array([random.random() < 0.6 for _ in range(len(cells))]) & ~everything
    report = attack(cells, hidden, SMALL)
    most = min(int(frame["n"].sum()), 7)
    found = possible_values(frame, cells.names, ~hidden, parents, count="n", most=most)
    small = np.flatnonzero((cells.counts > 0) & (cells.counts < 3))
    if frame["n"].sum() <= 7:
        assert report["is_safe"].tolist() == [{1, 2} <= found[cell] for cell in small]


@settings(QUICK, max_examples=12)
@given(hierarchies())
def test_a_unit_with_its_own_pack_learns_no_more(possible_values, table):
    frame, parents = table
    cells = made(frame, parents)
    readers = holders(cells, "unit", sorted(parents))
    pattern = protect(cells, SMALL, readers=readers)
    small = (cells.counts > 0) & (cells.counts < 3)
    for own in readers:
        shown = own | ~pattern.hidden
        found, without = (
            possible_values(frame, cells.names, known, parents, count="n", most=7)
            for known in (shown, own)  # a sum cannot be less than what one knows of it
        )
        assert all({1, 2} & without[cell] <= found[cell] for cell in np.flatnonzero(small))


@QUICK
@given(hierarchies(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_the_pattern(table, random):
    frame, parents = table
    mixed = frame.sample(frac=1, random_state=random.randint(0, 99))
    one, other = (protect(made(rows, parents), SMALL) for rows in (frame, mixed))
    assert (one.hidden == other.hidden).all()
    pd.testing.assert_frame_equal(one.table, other.table)


@QUICK
@given(hierarchies())
def test_printed_percentages_are_part_of_what_is_known(possible_values, table):
    frame, parents = table
    cells = made(frame, parents)
    whole = np.flatnonzero(cells.counts == frame["n"].sum())[0]
    of_all = np.flatnonzero((cells.names["unit"] != "all").to_numpy())
    bands = ratio_bands(cells, of_all, [whole] * len(of_all), decimals=0)
    total = int(cells.counts[whole])
    small = np.flatnonzero((cells.counts > 0) & (cells.counts < 3))

    def prints_alike(values):
        sizes = values[:, whole]
        alike = np.ones(len(values), dtype=bool)
        for cell in of_all:
            if total == 0:
                continue
            edge = 200 * values[:, cell] - 2 * round(100 * cells.counts[cell] / total) * sizes
            true = 200 * cells.counts[cell] - 2 * round(100 * cells.counts[cell] / total) * total
            inside = np.abs(edge) < sizes
            alike &= inside | ((np.abs(true) == total) & (edge == np.sign(true) * sizes))
        return alike

    try:
        pattern = protect(cells, SMALL, bands=bands)
    except DisclosureError:
        return
    found = possible_values(
        frame, cells.names, ~pattern.hidden, parents, count="n", most=7, fits=prints_alike
    )
    values = [{1, 2} <= found[cell] for cell in small]
    # the tables tried here end at 7 a leaf; those the pattern was proved with may be larger
    assert all(values) or pattern.hidden[whole]


@pytest.fixture
def hospitals():
    """The table of a region whose only other hospital would give the first one away."""
    counts = {"A": 3, "B": 20, "C": 12, "D": 9, "E": 2, "F": 30, "G": 4}
    parents = dict(zip("ABCDEFG", ["R1", "R1", "R2", "R2", "R3", "R3", "R3"], strict=True))
    return pd.DataFrame({"unit": list(counts), "n": counts.values()}), parents


def test_hidden_cells_say_why_and_shown_ones_keep_their_counts(hospitals):
    frame, parents = hospitals
    pattern = protect(made(frame, parents), Protection())
    table = pattern.table.set_index("unit")
    assert table.loc[["A", "E", "G"], "reason"].eq("small").all()
    assert table.loc["B", "reason"] == "complementary" or table.loc["R1", "count"] is pd.NA
    assert table.loc["all", "count"] == 80 and table.loc["C", "count"] == 12
    assert table["count"].isna().eq(table["reason"] != "").all()
    assert pattern.kept_share == pytest.approx(7 / 11)


def test_the_attack_tells_how_a_count_is_found_out(hospitals):
    frame, parents = hospitals
    cells = made(frame, parents)
    nothing = np.zeros(len(cells), dtype=bool)
    assert attack(cells, nothing, Protection())["decided_by"].eq("shown").all()
    small = (cells.counts > 0) & (cells.counts < 5)
    report = attack(cells, small, Protection()).set_index("unit")
    assert report["is_safe"].to_dict() == {"A": False, "E": True, "G": True}
    assert report.loc["A", "decided_by"] == "sums"
    assert report.loc["E", ["lowest", "highest"]].tolist() == [1, 4]


def test_several_sums_together_are_found_out_by_the_solver():
    # every row and every column hides two cells, and yet the upper left square is known
    counts = np.array([[2, 30, 9, 9], [40, 9, 30, 9], [9, 30, 9, 30], [9, 9, 40, 9]])
    hidden = np.zeros((4, 4), dtype=bool)
    hidden[[0, 0, 1, 1], [0, 1, 0, 2]] = True
    hidden[[2, 2], [1, 2]] = True
    rows, columns = np.indices(counts.shape)
    frame = pd.DataFrame(
        {"unit": [f"u{row}" for row in rows.ravel()], "year": columns.ravel(), "n": counts.ravel()}
    )
    cells = made(frame, {})
    inside = {(f"u{row}", year) for row, year in zip(*np.nonzero(hidden), strict=True)}
    chosen = np.array([key in inside for key in cells.names.itertuples(index=False, name=None)])
    report = attack(cells, chosen, Protection())
    assert report["is_safe"].tolist() == [True]
    everything = np.where(cells.is_printed, chosen, False)
    own = np.array([(cells.names["unit"] == "u2").to_numpy()])
    assert not attack(cells, everything, Protection(), readers=own)["is_safe"].any()


def test_time_that_runs_out_is_not_safe(hospitals):
    frame, parents = hospitals
    cells = made(frame, parents)
    without_boxes = type(cells)(cells.names, cells.counts, cells.relations, cells.is_printed)
    hidden = protect(cells, Protection()).hidden
    report = attack(without_boxes, hidden, Protection(), seconds=0)
    assert not report["is_safe"].any() and report["decided_by"].eq("timed out").all()
    assert attack(without_boxes, hidden, Protection())["is_safe"].all()


def test_tables_without_a_grid_are_protected_by_the_solver(hospitals):
    frame, parents = hospitals
    cells = made(frame, parents)
    bare = type(cells)(cells.names, cells.counts, cells.relations, cells.is_printed)
    assert protect(bare, Protection()).hidden.sum() == protect(cells, Protection()).hidden.sum()


def test_what_was_shown_before_cannot_be_hidden_now(hospitals):
    frame, parents = hospitals
    cells = made(frame, parents)
    earlier = shown_before(cells, pd.DataFrame({"unit": ["B", "F"]}))
    pattern = protect(cells, Protection(), earlier=earlier)
    assert not pattern.hidden[earlier].any()
    told = shown_before(cells, pd.DataFrame({"unit": ["A"]}))
    assert attack(cells, pattern.hidden, Protection(), earlier=told)["is_safe"].sum() == 2
    with pytest.raises(DisclosureError, match="1 small counts were shown in an earlier release"):
        protect(cells, Protection(), earlier=told)


def test_percentages_of_hidden_counts_give_them_away(hospitals):
    frame, parents = hospitals
    cells = cells_of(
        frame.assign(size=200), count="n", total="size", dimensions=["unit"],
        hierarchies={"unit": parents},
    )  # fmt: skip
    pattern = protect(cells, Protection())
    small = np.flatnonzero(pattern.reason == "small")
    bands = ratio_bands(cells, small, cells.total_of[small], decimals=1)
    assert not attack(cells, pattern.hidden, Protection(), bands=bands)["is_safe"].any()
    assert protect(cells, Protection(), bands=bands).hidden[cells.total_of[small]].all()
    sizes = cells.names["measure"].eq("total").to_numpy()
    with pytest.raises(DisclosureError, match="3 small counts cannot be proved safe"):
        protect(cells, Protection(), bands=bands, earlier=sizes)
    coarse = ratio_bands(cells, small, cells.total_of[small], decimals=0, times=1)
    assert attack(cells, pattern.hidden, Protection(), bands=coarse)["is_safe"].all()


def test_a_small_rest_hides_the_count_unless_the_profile_says_otherwise():
    frame = pd.DataFrame({"unit": list("abcd"), "n": [18, 9, 30, 11], "size": [20, 40, 60, 50]})
    cells = made(frame, {}, total="size")
    reasons = protect(cells, Protection()).table.set_index(["unit", "measure"])["reason"]
    assert reasons["a", "count"] == "the rest is small" and reasons["a", "total"] == ""
    assert protect(cells, Protection(hides_rest=False)).kept_share == 1


def test_nobody_and_everybody_are_hidden_when_the_profile_says_so():
    frame = pd.DataFrame({"unit": list("abcd"), "n": [0, 40, 30, 11], "size": [20, 40, 60, 50]})
    cells = made(frame, {}, total="size")
    assert protect(cells, Protection()).kept_share == 1
    reasons = protect(cells, Protection(hides_zero=True)).table.set_index(["unit", "measure"])
    assert reasons.loc[("a", "count"), "reason"] == "small"
    assert reasons.loc[("b", "count"), "reason"] == "the rest is small"


@pytest.mark.parametrize("counts", [[0, 0, 0], [9, 9, 9], [5, 50, 500]])
def test_nothing_is_hidden_where_nothing_is_small(counts):
    cells = made(pd.DataFrame({"unit": list("abc"), "n": counts}), {})
    pattern = protect(cells, Protection())
    assert pattern.kept_share == 1 and not len(attack(cells, pattern.hidden, Protection()))


@pytest.mark.parametrize("counts", [[3], [3, 9], [1, 1, 1]])
def test_few_units_hide_their_total_too_where_it_must_be(counts):
    frame = pd.DataFrame({"unit": list("abc")[: len(counts)], "n": counts})
    pattern = protect(made(frame, {}), Protection())
    assert pattern.hidden[0] == (len(counts) != 2) or pattern.hidden.sum() == 2


def test_the_usual_method_hides_the_smallest_cell_of_a_telling_sum(hospitals):
    frame, parents = hospitals
    cells = made(frame, parents)
    hidden = cells.names["unit"][row_and_column(cells, Protection())]
    assert set(hidden) == {"A", "B", "E", "G"}


def test_limits_and_masks_that_cannot_be_used_are_refused(hospitals):
    frame, parents = hospitals
    cells = made(frame, parents)
    for threshold in (2, 61, 4.5):
        with pytest.raises(DefinitionError, match="cannot be the smallest count shown"):
            Protection(threshold=threshold)
    with pytest.raises(DisclosureError, match="one truth for each of the 11 cells"):
        attack(cells, np.zeros(3, dtype=bool), Protection())
    with pytest.raises(DataError, match="one truth for each reader"):
        attack(cells, cells.counts < 0, Protection(), readers=np.zeros((2, 3), dtype=bool))
    with pytest.raises(DisclosureError, match="above 0 for each cell"):
        protect(cells, Protection(), price=np.zeros(len(cells)))
    with pytest.raises(DataError, match='Did you mean "unit"'):
        holders(cells, "units")
    with pytest.raises(DataError, match="has no Z"):
        holders(cells, "unit", ["Z"])
    with pytest.raises(DataError, match="1 rows name no cell"):
        shown_before(cells, pd.DataFrame({"unit": ["Z"]}))
    with pytest.raises(DataError, match='no column "unit"'):
        shown_before(cells, pd.DataFrame({"units": ["A"]}))


def test_a_large_table_is_safe_where_the_usual_method_is_not():
    draw = np.random.default_rng(11)
    shape = (12, 3, 3)
    counts = draw.poisson(
        draw.gamma(1.2, 8, 12)[:, None, None] * np.array([2, 1, 0.3]) * np.ones(shape)
    )
    unit, year, kind = (one.ravel() for one in np.indices(shape))
    frame = pd.DataFrame({"unit": [f"u{one}" for one in unit], "year": year, "kind": kind})
    cells = cells_of(
        frame.assign(n=counts.ravel()), count="n", dimensions=["unit", "year", "kind"],
        hierarchies={"unit": {f"u{one}": f"r{one % 3}" for one in range(12)}},
    )  # fmt: skip
    pattern = protect(cells, Protection())
    report = attack(cells, pattern.hidden, Protection())
    assert len(report) > 20 and report["is_safe"].all()
    usual = row_and_column(cells, Protection())
    left = attack(cells, usual, Protection())
    assert (
        not left["is_safe"].all()
        and left["decided_by"].isin(["tables", "sums", "lp", "milp"]).all()
    )
    assert pattern.hidden.sum() <= 1.1 * usual.sum()
