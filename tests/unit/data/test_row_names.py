from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.data.extracts import Extract, Misfit, Survey
from workbench.data.row_names import RowNames


def _extract(fits):
    """An extract from what each of its rows is: one that fits, or a misfit."""
    misfits = tuple(Misfit(row, "") for row, fit in enumerate(fits, 1) if not fit)
    survey = Survey(sum(fits), {}, frozenset())
    return Extract("", {}, (), survey, misfits, True, "")


@given(st.lists(st.lists(st.booleans(), max_size=12), min_size=1, max_size=4))
def test_every_row_has_the_name_it_has_in_its_file(files):
    names = [f"{at}.csv" for at in range(len(files))]
    rows = RowNames(names, [_extract(fits) for fits in files])
    several = len(files) > 1
    named = [
        (f"{name} row {row}" if several else str(row), fit)
        for name, fits in zip(names, files, strict=True)
        for row, fit in enumerate(fits, 1)
    ]
    fitting = [name for name, fit in named if fit]
    assert rows.of_places(range(1, len(fitting) + 1)) == fitting
    assert [name for name, _ in rows.of_misfits()] == [name for name, fit in named if not fit]
