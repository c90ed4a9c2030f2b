"""One invented result, read the way the portal reads it."""

from __future__ import annotations

import pytest
from releases import write_run

from workbench.output.portal.releases import find_releases
from workbench.output.portal.results import Result, results_of


@pytest.fixture
def result(tmp_path) -> Result:
    write_run(tmp_path / "runs", nation={"n": 2000, "events": 800})
    return results_of(find_releases(tmp_path / "runs")[0])[0][0]
