"""Patterns of hidden cells against the best ones there are, and what is given away without them.

The vectors were worked out by trying every pattern of small tables; they come from a specification
and not from R.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from agreement import HERE, SHARED, Reference, agrees

from workbench.output.gate.suppression import (
    Protection,
    attack,
    cells_of,
    counts_that_print,
    protect,
)


def vectors():
    """The suppression vectors by id; the compact copy where the shared folder is absent."""
    shared, compact = SHARED / "reference" / "units_rules.json", HERE / "vectors/suppression.json"
    path = shared if shared.exists() else compact
    found = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    return {one["id"]: one for one in found if one["id"].startswith("suppression")}


VECTORS = vectors()
TABLES = [name for name in VECTORS if "table" in VECTORS[name]["input"]]


def reference(name):
    return Reference("suppression", name, "", VECTORS[name]["call"], "", VECTORS[name]["output"])


def test_every_vector_is_compared():
    named = {"suppression_hierarchy", "suppression_percent_leak"}
    assert set(VECTORS) == named | set(TABLES) and len(TABLES) == 2


@pytest.fixture(params=TABLES)
def case(request):
    """A table of units by years: its cells, its protection and what is best."""
    given = VECTORS[request.param]["input"]
    table = np.array(given["table"])
    rows, columns = np.indices(table.shape)
    frame = pd.DataFrame({"row": rows.ravel(), "column": columns.ravel(), "n": table.ravel()})
    cells = cells_of(frame, count="n", dimensions=["row", "column"])
    return cells, Protection(threshold=given["threshold"]), reference(request.param)


def test_without_other_cells_the_sums_give_small_counts_away(case):
    cells, protection, ref = case
    report = attack(cells, protection.small(cells), protection)
    assert not report["is_safe"].any()
    found = report[["row", "column", "lowest", "highest"]].astype(float)
    agrees(
        ref, "suppression.attack: lowest, highest", found, ref.value["interval_after_primary_only"]
    )


def test_as_few_cells_are_hidden_as_can_be(case):
    cells, protection, ref = case
    pattern = protect(cells, protection)
    assert attack(cells, pattern.hidden, protection)["is_safe"].all()
    # totals may be hidden here; the vectors show them all, which can cost a cell more
    n_hidden = int((pattern.reason == "complementary").sum())
    assert n_hidden <= ref.value["minimum_complementary_cells"]


def test_with_all_totals_shown_the_pattern_is_the_optimal_one(case):
    cells, protection, ref = case
    is_total = (cells.names == "all").any(axis=1).to_numpy()
    pattern = protect(cells, protection, price=np.where(is_total, 1000.0, 1.0))
    complementary = cells.names[pattern.reason == "complementary"]
    agrees(
        ref, "suppression.protect: cells hidden besides, totals shown", len(complementary),
        ref.value["minimum_complementary_cells"],
    )  # fmt: skip
    by_size = protect(cells, protection, price=np.where(is_total, 1e5, 100.0 + cells.counts))
    agrees(
        ref, "suppression.protect: persons in the cells hidden besides, totals shown",
        cells.counts[by_size.reason == "complementary"].sum(),
        ref.value["smallest_sum_hidden_complementary"],
    )  # fmt: skip


def test_the_optimal_patterns_pass_the_attack(case):
    cells, protection, ref = case
    places = list(cells.names.itertuples(index=False, name=None))
    for pattern in ref.value["optimal_patterns"]:
        chosen = {tuple(cell) for cell in [*pattern, *ref.value["primary"]]}
        hidden = np.array([place in chosen for place in places])
        assert attack(cells, hidden, protection)["is_safe"].all()


def test_a_hospital_inside_a_region_with_two():
    vector = VECTORS["suppression_hierarchy"]
    ref = reference("suppression_hierarchy")
    regions = vector["input"]["regions"]
    rows = [(unit, region, n) for region in regions for unit, n in regions[region].items()]
    frame = pd.DataFrame(rows, columns=["unit", "region", "n"])
    cells = cells_of(
        frame, count="n", dimensions=["unit"],
        hierarchies={"unit": frame.set_index("unit")["region"].to_dict()},
    )  # fmt: skip
    protection = Protection(threshold=vector["input"]["threshold"])
    report = attack(cells, protection.small(cells), protection).set_index("unit")
    assert sorted(report.index) == ref.value["primary"]
    told = report.loc["A", ["lowest", "highest"]].astype(float)
    agrees(
        ref, "suppression.attack: the hospital alone", told,
        [ref.value["recovered_after_primary_only"]["A"]] * 2,
    )  # fmt: skip
    assert report["is_safe"].to_dict() == {"A": False, "E": True, "G": True}
    hidden = set(cells.names["unit"][protect(cells, protection).hidden])
    assert {"A", "E", "G"} < hidden and hidden & {"B", "R1"}


def test_a_percentage_gives_its_count_away():
    given = VECTORS["suppression_percent_leak"]["input"]
    ref = reference("suppression_percent_leak")
    what = "suppression.counts_that_print: counts"
    first = counts_that_print(f"{given['percent_printed']:.1f}", given["n"])
    second = counts_that_print(f"{given['percent_printed2']:.0f}", given["n2"])
    agrees(ref, what, first, ref.value["x_candidates"])
    agrees(ref, f"{what}, without decimals", second, ref.value["x_candidates2"])
