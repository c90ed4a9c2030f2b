"""The folder in which a delivery is prepared before anything reaches the store."""

from __future__ import annotations

from pathlib import Path


def next_place(staging: Path, suffix: str) -> Path:
    """A file that is not there yet; files of one delivery may have equal names."""
    return staging / f"staged-{len(list(staging.iterdir()))}{suffix}"
