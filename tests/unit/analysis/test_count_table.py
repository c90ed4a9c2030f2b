"""Tables of counts: numbered units, tables beside each other."""

from __future__ import annotations

import pandas as pd
import pytest

from workbench.analysis.count_table import CountTable, number_units
from workbench.errors import WorkbenchError

TABLE = pd.DataFrame({"unit": list("abcd"), "n": [9, 8, 7, 6], "events": [5, 5, 5, 5]})


def test_numbers_take_names_away_and_keep_the_own_one():
    counts = number_units(CountTable(TABLE, ("unit",)), unit="unit", own="c", seed=1)
    names = counts.table["unit"].tolist()
    assert "c" in names and not {"a", "b", "d"} & set(names)
    assert sorted(counts.table["n"]) == sorted(TABLE["n"])
    assert counts.table.set_index("unit").loc["c", "n"] == 7


def test_numbers_are_the_same_for_a_seed_and_others_for_another():
    def numbered(seed: int) -> list[int]:
        table = number_units(CountTable(TABLE, ("unit",)), unit="unit", own=None, seed=seed).table
        return table.sort_values("unit")["n"].tolist()

    assert numbered(1) == numbered(1)
    assert len({tuple(numbered(seed)) for seed in range(20)}) > 5  # no order that tells


def test_units_missing_beside_another_table_have_no_cases_there():
    other = CountTable(pd.DataFrame({"unit": ["a", "z"], "both": [3, 4]}), ("unit",))
    whole = CountTable(TABLE, ("unit",)).beside(other).table.set_index("unit")
    assert whole.loc["a", "both"] == 3 and whole.loc["b", "both"] == 0
    assert whole.loc["z", ["n", "events", "both"]].tolist() == [0, 0, 4]


def test_a_unit_column_that_is_not_there_is_named():
    with pytest.raises(WorkbenchError, match="ward"):
        number_units(CountTable(TABLE, ("unit",)), unit="ward", own=None, seed=1)
