"""What earlier releases of the same study showed stays known, and so do differences to them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis.count_table import CountTable
from workbench.errors import DisclosureError
from workbench.output.disclosure import release
from workbench.output.formats.report import ReportContext
from workbench.output.gate.earlier_counts import as_text, read_counts
from workbench.output.gate.seals import counts_behind
from workbench.output.publication import Publication
from workbench.registers.profiles import load_profile

PROFILE = load_profile("standard")
CONTEXT = ReportContext(title="T", question="Q?", facts={}, provenance={})
FIRST = [90, 40, 60, 55]


def units(n):
    table = pd.DataFrame({"unit": [f"u{at}" for at in range(len(n))], "n": n})
    return CountTable(table, ("unit",))


def let_go(place, run, n):
    """Publish one table in a run of the study and record that it has left."""
    publication = Publication(place / "study" / run / "release")
    publication.add(publication.release(units(n), PROFILE, title="Units"), name="u", heading="U")
    folder = publication.write(CONTEXT)
    (place / "study" / "left").mkdir(exist_ok=True)
    kept = folder.parent / "shown_counts.json"
    shutil.copy(kept, place / "study" / "left" / f"{run}.json")
    return folder


def later(place, n, *, title="Units"):
    publication = Publication(place / "study" / "later" / "release")
    return publication.release(units(n), PROFILE, title=title)


def test_counts_are_kept_beside_the_release_and_not_in_it(tmp_path):
    folder = let_go(tmp_path, "first", [90, 3, 60, 2])
    assert "shown_counts.json" not in {one.name for one in folder.iterdir()}
    told = json.loads((folder.parent / "shown_counts.json").read_text(encoding="utf-8"))
    assert told["tables"][0]["rows"][1] == ["u1", 3]  # private, as the notebook is


def test_the_same_counts_can_be_released_again(tmp_path):
    let_go(tmp_path, "first", [90, 3, 60, 2])
    again = later(tmp_path, [90, 3, 60, 2])
    assert again.hidden["n"].tolist() == [False, True, False, True]


def test_small_differences_to_an_earlier_release_are_hidden(tmp_path):
    let_go(tmp_path, "first", FIRST)
    changed = later(tmp_path, [90 + 2, 40 + 3, 60 + 30, 55])
    assert changed.hidden["n"].tolist() == [True, True, False, False]
    assert changed.facts["n"] == 280


@pytest.mark.parametrize("n", [[92, 40, 60, 55], [92, 36, 60, 85]])
def test_differences_that_cannot_be_hidden_refuse_the_table(tmp_path, n):
    let_go(tmp_path, "first", FIRST)
    with pytest.raises(DisclosureError, match="earlier release by fewer than 5 persons"):
        later(tmp_path, n)


def test_large_differences_and_other_tables_are_shown(tmp_path):
    let_go(tmp_path, "first", FIRST)
    assert not later(tmp_path, [100, 50, 60, 40]).hidden.any(axis=None)
    assert not later(tmp_path, [92, 40, 60, 55], title="Others").hidden.any(axis=None)


def test_a_record_that_cannot_be_read_is_refused(tmp_path):
    let_go(tmp_path, "first", FIRST)
    (tmp_path / "study" / "left" / "broken.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DisclosureError, match=r"broken.json.*Copy the file again"):
        later(tmp_path, FIRST)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(5, 20), st.integers(0, 9)), min_size=3, max_size=6))
def test_no_small_difference_of_one_unit_is_told(pairs):
    before, added = [a for a, _ in pairs], [b for _, b in pairs]
    first = release(units(before), PROFILE, title="Units")
    left = [
        type(one)(**{**vars(one), "has_left": True}) for one in counts_behind([first])
    ]  # fmt: skip
    after = [a + b for a, b in pairs]
    try:
        second = release(units(after), PROFILE, title="Units", earlier=left)
    except DisclosureError:
        assert any(0 < one < PROFILE.threshold for one in (*added, sum(added)))
        return
    known = ~(first.hidden["n"] | second.hidden["n"]).to_numpy()
    small = np.array([0 < one < PROFILE.threshold for one in added])
    assert not (known & small).any()
    if small.any():
        out = np.array(added)[~known]
        assert len(out) > 1
        assert out.sum() >= PROFILE.threshold - 1  # any of them can be 1 to 4


def test_kept_counts_come_back_as_they_were(tmp_path):
    released = release(units([90, 3, 60, 2]), PROFILE, title="Units")
    (tmp_path / "kept.json").write_text(as_text(counts_behind([released])), encoding="utf-8")
    (back,) = read_counts(tmp_path / "kept.json")
    (was,) = counts_behind([released])
    assert back.hidden.tolist() == was.hidden.tolist()
    assert back.system.cells.counts.tolist() == was.system.cells.counts.tolist()
    assert back.has_left
