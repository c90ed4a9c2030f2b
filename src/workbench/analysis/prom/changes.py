"""From before to after: how large a change is, and how many noticed one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.prom.summaries import USUAL, DisplayRule
from workbench.analysis.units.counted import check_level
from workbench.analysis.units.intervals import proportion
from workbench.errors import DataError, StudyError, did_you_mean
from workbench.registers.proms import ImportantChange, Prom

AFTER = "_after"
NUMBERS = (
    "mean_before",
    "mean_after",
    "estimate",
    "lower",
    "upper",
    "effect_size",
    "response_mean",
)
TOLD = ("n_better", "share_better", "n_worse", "share_worse")


def change(
    before: pd.DataFrame, after: pd.DataFrame, prom: Prom, *, person: str,
    by: str | Sequence[str] | None = None, rule: DisplayRule = USUAL,
    important: Mapping[str, ImportantChange] | None = None, confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Say how scores changed in patients who answered both before and after.

    Parameters
    ----------
    before, after
        Scored forms (`score`), one row a patient each. Groups (`by`) are those of `before`.
    rule
        Scales answered both times by fewer patients than its `answers` are not shown.
    important
        The smallest change that patients notice, by scale, with its source; else those of the
        questionnaire's definition. A scale without one gets no shares.

    Returns
    -------
    One row a group and scale: the columns of `by`, `scale`, `label`, `n` (patients before),
    `n_both`, `mean_before`, `mean_after`, `estimate` (mean change), `lower`, `upper` (Student, of
    pairs), `effect_size` (mean change over the standard deviation before), `response_mean`
    (standardised: over the standard deviation of changes), `important` (points), `n_better`,
    `share_better`, `n_worse`, `share_worse`, `source`, `reason`. A positive change is a higher
    score; better is what the scale calls better.

    Raises
    ------
    DataError, StudyError
        Columns that are not there; a person missing or in two rows; an important change of a scale
        that is not there.

    References
    ----------
    Cohen, Statistical Power Analysis, 1988; Kazis, Anderson and Meenan, Med Care 1989;27:S178-189
    (effect size); Liang, Fossel and Larson, Med Care 1990;28:632-642 (standardised response mean).
    """
    names, scales = inputs.names_of(by), list(prom.labels)
    limits = dict(prom.important_changes if important is None else important)
    for name in limits:
        if name not in prom.labels:
            near = did_you_mean(name, prom.labels)
            raise StudyError(f'important: {prom.name} has no scale "{name}".{near}')
    pairs = _pairs(before, after, person, names, scales)
    tail, rows = check_level(confidence), []
    groups = pairs.groupby(names, observed=True, sort=True) if names else [((), pairs)]
    for key, group in groups:
        labels = dict(zip(names, key, strict=True))
        for name in scales:
            told = {"scale": name, "label": prom.labels[name], "n": len(group)}
            told |= _of_scale(group, name, prom.is_better(name), limits.get(name), rule, tail)
            rows.append(labels | told)
    return pd.DataFrame(rows)


def _pairs(
    before: pd.DataFrame, after: pd.DataFrame, person: str, by: list[str], scales: list[str]
) -> pd.DataFrame:
    for words, forms, columns in (("before", before, [person, *by]), ("after", after, [person])):
        inputs.check_frame(forms, [*columns, *scales])
        n_missing = int(forms[person].isna().sum())
        n_double = int(forms[person].duplicated().sum())
        if n_missing or n_double:
            raise DataError(
                f'{words}, column "{person}": missing in {n_missing} rows, and {n_double} rows '
                "have a person who stands above. Choose one form a person first."
            )
    inputs.check_groups(before, by)
    first = before[[person, *by, *scales]]
    return first.merge(after[[person, *scales]], on=person, how="left", suffixes=("", AFTER))


def _of_scale(
    group: pd.DataFrame, name: str, better: str, limit: ImportantChange | None, rule: DisplayRule,
    tail: float,
) -> dict[str, object]:  # fmt: skip
    first, last = (group[one].to_numpy(float) for one in (name, name + AFTER))
    both = ~np.isnan(first) & ~np.isnan(last)
    first, last, n = first[both], last[both], int(both.sum())
    told: dict[str, object] = {"n_both": n, **dict.fromkeys(NUMBERS, np.nan)}
    told |= {"important": np.nan if limit is None else limit.points, **dict.fromkeys(TOLD, np.nan)}
    told |= {"source": "" if limit is None else limit.source, "reason": ""}
    if n < rule.answers:
        return told | {"reason": "too few answered both times"}
    apart = last - first
    middle, spread, spread_before = (float(of) for of in (
        apart.mean(), apart.std(ddof=1), first.std(ddof=1)))  # fmt: skip
    half = float(stats.t.isf(tail, n - 1)) * spread / np.sqrt(n)
    told |= {"mean_before": float(first.mean()), "mean_after": float(last.mean())}
    told |= {"estimate": middle, "lower": middle - half, "upper": middle + half}
    told |= {"effect_size": middle / spread_before if spread_before > 0 else np.nan}
    told |= {"response_mean": middle / spread if spread > 0 else np.nan}
    return told if limit is None else told | _noticed(apart, better, limit.points)


def _noticed(apart: np.ndarray, better: str, points: float) -> dict[str, object]:
    gain = apart if better == "high" else -apart
    # scores are means of whole points: a hair under the limit is the limit
    n_better, n_worse = (int((way >= points - 1e-9).sum()) for way in (gain, -gain))
    shares = proportion([n_better, n_worse], [len(apart)] * 2)["estimate"]
    return {
        "n_better": n_better, "share_better": float(shares.iloc[0]),
        "n_worse": n_worse, "share_worse": float(shares.iloc[1]),
    }  # fmt: skip
