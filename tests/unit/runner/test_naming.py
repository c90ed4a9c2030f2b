"""Units called by numbers: one number a unit in every table, and no name that slips through."""

from __future__ import annotations

import pandas as pd
import pytest

from workbench.analysis.count_table import CountTable
from workbench.errors import DisclosureError
from workbench.output.disclosure import release
from workbench.output.gate.lag_rules import LagTable
from workbench.registers.profiles import load_profile
from workbench.runner.sessions.naming import Naming

NAMING = Naming("unit", {"Alpha": "Unit 2", "Beta": "Unit 1"})
TABLE = pd.DataFrame({"unit": ["Alpha", "Beta", "Own"], "n": [90, 80, 70], "events": 40})


def test_each_unit_has_its_number_in_every_kind_of_table():
    counts = NAMING.number(CountTable(TABLE, ("unit",))).table
    assert counts.set_index("unit")["n"].to_dict() == {"Own": 70, "Unit 1": 80, "Unit 2": 90}
    lags = NAMING.number(LagTable(TABLE.assign(days=3), ("unit",)))
    assert lags.table["unit"].tolist() == ["Own", "Unit 1", "Unit 2"]
    yearly = CountTable(TABLE.assign(year=2020).drop(columns="unit"), ("year",))
    assert NAMING.number(yearly) is yearly


def test_a_result_that_still_names_a_unit_is_refused():
    named = release(CountTable(TABLE, ("unit",)), load_profile("standard"), title="Counts")
    with pytest.raises(DisclosureError, match='"Counts" names units'):
        NAMING.check(named)
    numbered = NAMING.number(CountTable(TABLE, ("unit",)))
    NAMING.check(release(numbered, load_profile("standard"), title="Counts"))
