"""Scores of units and nation beside how many answered, shown only where enough did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.units.counted import check_level
from workbench.analysis.units.intervals import proportion
from workbench.errors import DataError, StudyError
from workbench.registers.proms import Prom

FEW_PATIENTS, FEW_ANSWERS = "too few patients", "too few answers"


@dataclass(frozen=True)
class DisplayRule:
    """When results of a unit are shown: so many patients asked, so many answers.

    The usual numbers are those of the Swedish airway register (Luftvägsregistret): 30 patients, 15
    answers, and grey where fewer than 60 % answered.
    """

    patients: int = 30
    answers: int = 15
    low_response: float = 0.60

    def __post_init__(self) -> None:
        if self.patients < 1 or self.answers < 2 or not 0 <= self.low_response <= 1:
            raise StudyError(
                "display rule: expected at least 1 patient, 2 answers and a share from 0 to 1."
            )


USUAL = DisplayRule()


def response(
    asked: pd.DataFrame, *, answered: str, by: str | Sequence[str] | None = None,
    rule: DisplayRule = USUAL, confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Give the share of patients who answered, by unit.

    Parameters
    ----------
    asked
        One row a patient who was asked. `answered` is whether a form came back (0, 1 or a boolean).

    Returns
    -------
    One row a group: the columns of `by`, `n` (asked), `events` (answered), `estimate`, `lower`,
    `upper` (Wilson), `is_low` (under the rule's share), `reason` ("", "too few patients", "too few
    answers": why scores of the group are not shown).

    Raises
    ------
    DataError, StudyError
        Columns that are not there, groups or answers that are missing or neither yes nor no.
    """
    names = inputs.names_of(by)
    inputs.check_frame(asked, [*names, answered])
    inputs.check_groups(asked, names)
    came = pd.to_numeric(asked[answered], errors="coerce").to_numpy(float, na_value=np.nan)
    if n_odd := int((~np.isin(came, (0.0, 1.0))).sum()):
        raise DataError(f'column "{answered}": {n_odd} rows are neither 0 nor 1.')
    rows = asked[names].assign(events=came.astype(np.int64), n=1)
    if names:
        table = rows.groupby(names, observed=True, sort=True)[["n", "events"]].sum().reset_index()
    else:
        table = rows[["n", "events"]].sum().to_frame().T
    found = table.join(proportion(table["events"], table["n"], confidence=confidence))
    reason = np.select(
        [found["n"] < rule.patients, found["events"] < rule.answers], [FEW_PATIENTS, FEW_ANSWERS],
        "",
    )  # fmt: skip
    return found.assign(is_low=found["estimate"] < rule.low_response, reason=reason)


def summarise(
    asked: pd.DataFrame, prom: Prom, *, answered: str, by: str | Sequence[str] | None = None,
    rule: DisplayRule = USUAL, confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Give mean and spread of each scale by unit, beside how many answered.

    Parameters
    ----------
    asked
        One row a patient who was asked, with the columns that `score` made; those who did not
        answer have none (join the scored forms to the patients, keeping all patients).

    Returns
    -------
    One row a group and scale: the columns of `by`, `scale`, `label`, `n` (asked), `n_answered`,
    `response` (share), `n_scored` (forms with this scale), `estimate` (mean), `std_dev`, `lower`,
    `upper` (Student), `is_low_response`, `reason`. Where the rule, or the answers to this scale,
    do not suffice, numbers of the scale are missing and `reason` says why.

    Raises
    ------
    DataError, StudyError
        As `response`; scores that are not there or infinite; scores of a patient who did not
        answer.
    """
    names = inputs.names_of(by)
    answers = response(asked, answered=answered, by=by, rule=rule, confidence=confidence)
    scales = list(prom.labels)
    inputs.check_frame(asked, scales)
    _check_scores(asked, scales, answered)
    tail, parts = check_level(confidence), []
    for name in scales:
        counted = _moments(asked, name, names)
        rows = answers.merge(counted, on=names, how="left") if names else answers.join(counted)
        parts.append(_shown(rows, names, name, prom, rule, tail))
    whole = pd.concat(parts, ignore_index=True)
    order = [*names, "scale"]
    whole["scale"] = pd.Categorical(whole["scale"], scales)
    whole = whole.sort_values(order, ignore_index=True, kind="stable")
    return whole.assign(scale=whole["scale"].astype(str))


def _check_scores(asked: pd.DataFrame, scales: Sequence[str], answered: str) -> None:
    values = asked[scales].to_numpy(float, na_value=np.nan)
    if n_odd := int(np.isinf(values).any(axis=1).sum()):
        raise DataError(f"scores: infinite in {n_odd} rows. Score the forms anew.")
    is_silent = ~asked[answered].to_numpy(bool)
    if n_odd := int((is_silent & ~np.isnan(values).all(axis=1)).sum()):
        raise DataError(
            f'column "{answered}": {n_odd} patients have a score and did not answer. '
            "Find out which is right."
        )


def _moments(asked: pd.DataFrame, name: str, by: Sequence[str]) -> pd.DataFrame:
    how = {"n_scored": "count", "mean": "mean", "std_dev": "std"}
    if by:
        return asked.groupby(list(by), observed=True)[name].agg(**how).reset_index()
    whole = asked[name].astype(float)
    return pd.DataFrame([{new: whole.agg(old) for new, old in how.items()}])


def _shown(
    rows: pd.DataFrame, by: Sequence[str], name: str, prom: Prom, rule: DisplayRule, tail: float
) -> pd.DataFrame:
    n = rows["n_scored"].to_numpy(float)
    reason = np.where((rows["reason"] == "") & (n < rule.answers), FEW_ANSWERS, rows["reason"])
    hidden = reason != ""
    spread = np.where(hidden, np.nan, rows["std_dev"].to_numpy(float))
    middle = np.where(hidden, np.nan, rows["mean"].to_numpy(float))
    half = stats.t.isf(tail, np.maximum(n - 1, 1)) * spread / np.sqrt(np.maximum(n, 1))
    return rows[list(by)].assign(
        scale=name, label=prom.labels[name], n=rows["n"], n_answered=rows["events"],
        response=rows["estimate"], n_scored=n.astype(np.int64), estimate=middle, std_dev=spread,
        lower=middle - half, upper=middle + half, is_low_response=rows["is_low"], reason=reason,
    )  # fmt: skip
