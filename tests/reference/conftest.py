"""The page of all comparisons with R is written when the last of them has run."""

from __future__ import annotations

import agreement


def pytest_sessionfinish() -> None:
    agreement.finish()
