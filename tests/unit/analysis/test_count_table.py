"""Tables of counts: numbered units, tables beside each other."""

from __future__ import annotations

import pandas as pd

from workbench.analysis.count_table import CountTable

TABLE = pd.DataFrame({"unit": list("abcd"), "n": [9, 8, 7, 6], "events": [5, 5, 5, 5]})


def test_units_missing_beside_another_table_have_no_cases_there():
    other = CountTable(pd.DataFrame({"unit": ["a", "z"], "both": [3, 4]}), ("unit",))
    whole = CountTable(TABLE, ("unit",)).beside(other).table.set_index("unit")
    assert whole.loc["a", "both"] == 3 and whole.loc["b", "both"] == 0
    assert whole.loc["z", ["n", "events", "both"]].tolist() == [0, 0, 4]
