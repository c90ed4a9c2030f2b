"""The ledger: who was in, who left at which step and why; its columns always add up."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Ledger:
    """Every step from the delivered rows to the persons studied.

    `steps`: one row a step, in order: step, reason, n_rows_in, n_rows_out, n_persons_in,
    n_persons_out. What goes into a step is what the step before left; the last row is the study
    population, which nobody leaves. The first step is what import set aside: of those rows nobody
    knows how many persons they are, so its persons are missing where persons have identities.

    `leavers`: a short profile of those who left: one row a step, variable and level: step,
    variable, level (blank for numbers), n (persons), n_missing, mean (of numbers).

    `checks`: what is worth knowing and removed nobody: check, n_rows.
    """

    steps: pd.DataFrame
    leavers: pd.DataFrame
    checks: pd.DataFrame

    def __post_init__(self) -> None:
        """Refuse to exist when a row or a person is lost between two steps."""
        for what in ("rows", "persons"):
            entered, left = self.steps[f"n_{what}_in"], self.steps[f"n_{what}_out"]
            remaining = (entered - left).iloc[:-1].reset_index(drop=True)
            following = entered.iloc[1:].reset_index(drop=True)
            if not (remaining == following).fillna(True).all():
                raise AssertionError(f"the ledger's {what} do not add up")
