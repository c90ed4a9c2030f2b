"""The counts of a funnel, read and checked: shares, ratios to what is expected, rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis.units.counted import read_amounts, read_counts, read_pair
from workbench.analysis.units.mid_p import Binomial, Counts, Poisson
from workbench.errors import DataError, StudyError

N_CURVE = 200


@dataclass(frozen=True)
class FunnelCounts:
    """Counts of units and what chance makes of them; `size` is n, expected events or exposure.

    A count times `scale` is the estimate; `kind` is "share", "ratio" or "rate". Of patients who
    have the event once at most, `n` and `chance` are how many they are and their mean chance.
    """

    events: np.ndarray
    size: np.ndarray
    among: Counts
    scale: np.ndarray
    kind: str
    centre: float
    n: np.ndarray | None = None
    chance: np.ndarray | None = None

    def along(self) -> FunnelCounts:
        """The same at sizes as a drawing needs them, each unit exactly at the centre."""
        largest = float(self.size.max())
        if self.n is None:
            size = np.linspace(largest / N_CURVE, largest, N_CURVE)
            return _of_times(size * self.centre, size, self.kind, self.centre)
        per_patient = float(self.size.sum() / self.n.sum())  # 1 for shares
        n = np.unique(np.linspace(1, np.ceil(largest / per_patient), N_CURVE).round())
        size = n * per_patient
        return _of_patients(size * self.centre, size, n, self.kind, self.centre)


def read_funnel(
    table: pd.DataFrame, events: str, given: Mapping[str, str | None], centre: float | None
) -> FunnelCounts:
    """Read a funnel's counts; `given` says which of n, expected and exposure is which column.

    Raises
    ------
    DataError, StudyError
        As `funnel`.
    """
    columns = {kind: column for kind, column in given.items() if column is not None}
    if set(columns) not in ({"n"}, {"expected"}, {"exposure"}, {"expected", "n"}):
        raise StudyError("funnel: give one of n, expected, exposure; with expected perhaps n.")
    if set(columns) == {"n"}:
        return _shares(table, events, columns["n"], centre)
    if "exposure" in columns:
        return _ratios(table, events, columns["exposure"], "rate", centre)
    found = _ratios(table, events, columns["expected"], "ratio", centre)
    return _bounded(found, table, events, columns) if "n" in columns else found


def _shares(table: pd.DataFrame, events: str, n: str, centre: float | None) -> FunnelCounts:
    x, size = read_pair(table[events], table[n], (events, n))
    if not size.sum():
        raise DataError(f"{n}: no unit has patients.")
    middle = float(x.sum() / size.sum()) if centre is None else centre
    if not 0 <= middle <= 1:
        raise StudyError("centre: expected a share between 0 and 1.")
    return _of_patients(x, size, size, "share", middle)


def _ratios(
    table: pd.DataFrame, events: str, column: str, kind: str, centre: float | None
) -> FunnelCounts:
    x, size = read_counts(table[events], events), read_amounts(table[column], column)
    if n_odd := int(((size == 0) & (x > 0)).sum()):
        raise DataError(
            f"{column}: 0 in {n_odd} units that have events. Look at these units first."
        )
    if not size.any():
        raise DataError(f"{column}: 0 in every unit.")
    middle = 1.0 if kind == "ratio" else float(x.sum() / size.sum())
    middle = middle if centre is None else centre
    if middle < 0:
        raise StudyError("centre: expected a number of 0 or more.")
    return _of_times(x, size, kind, middle)


def _bounded(
    found: FunnelCounts, table: pd.DataFrame, events: str, columns: Mapping[str, str]
) -> FunnelCounts:
    """Ratios of patients: no more events than there are patients, nor expected ones."""
    _, n = read_pair(table[events], table[columns["n"]], (events, columns["n"]))
    most = n * (1 + 1e-9)  # a sum of chances that are all but 1 may round to more
    if n_odd := int((found.size * max(found.centre, 1.0) > most).sum()):
        raise DataError(
            f"{columns['expected']}: more than {columns['n']} in {n_odd} units, at the centre "
            f"{found.centre:g}. Leave {columns['n']} out if a patient can have several events."
        )
    return _of_patients(found.events, found.size, n, found.kind, found.centre)


def _of_patients(
    events: np.ndarray, size: np.ndarray, n: np.ndarray, kind: str, centre: float
) -> FunnelCounts:
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.where(n > 0, np.minimum(size * centre / n, 1.0), 0.0)
        return FunnelCounts(
            events, size, Binomial(n, chance), 1 / size, kind, centre, n=n, chance=chance
        )


def _of_times(events: np.ndarray, size: np.ndarray, kind: str, centre: float) -> FunnelCounts:
    with np.errstate(divide="ignore"):
        return FunnelCounts(events, size, Poisson(size * centre), 1 / size, kind, centre)
