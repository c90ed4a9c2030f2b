"""Answers to a questionnaire turned into scales, by its definition and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.errors import DataError, StudyError, did_you_mean, gathered
from workbench.registers.proms import Prom, Scale


def score(
    forms: pd.DataFrame, prom: Prom, *, columns: Mapping[str, str] | None = None,
    missing_codes: Sequence[int] = (),
) -> pd.DataFrame:  # fmt: skip
    """Turn the answers of each form into the scales and composites of its questionnaire.

    Parameters
    ----------
    forms
        One row a form that was handed in, answers as the numbers printed on it.
    prom
        What `registers.proms.load_prom` gave ("rand36", "rand12", or a project's own).
    columns
        The column of each item, where it is not named as the item: {"q1": "rand_1"}.
    missing_codes
        Numbers that stand for "not answered" (-1, 99). None is guessed.

    Returns
    -------
    The columns of `forms` that are no items, and one for each scale and composite; missing where
    too few items are answered. `attrs["not_scored"]` has how many forms lack each of them.

    Raises
    ------
    DataError
        Columns that are not there, or named as a scale; answers that the questionnaire does not
        have: every item at once, with how many forms and never the answer.
    StudyError
        A column is named for an item that the questionnaire does not have.

    References
    ----------
    As named in the questionnaire's definition (`prom.source`).
    """
    place = _places(forms, prom, columns or {})
    points = _points(forms, prom, place, missing_codes)
    scores = {name: _scale(points, scale) for name, scale in prom.scales.items()}
    for name, one in prom.composites.items():  # a missing scale makes its composite missing
        scores[name] = np.column_stack([scores[part] for part in one.scales]).mean(axis=1)
    kept = forms.drop(columns=[column for column in place.values() if column in forms])
    if taken := sorted(set(scores) & set(kept.columns)):
        raise DataError(f"forms: rename {', '.join(taken)}; the scales of {prom.name} have these.")
    scored = kept.assign(**scores)
    scored.attrs["not_scored"] = {name: int(np.isnan(of).sum()) for name, of in scores.items()}
    return scored


def _places(forms: pd.DataFrame, prom: Prom, columns: Mapping[str, str]) -> dict[str, str]:
    """The column of each item that is read, all of them there."""
    if not isinstance(forms, pd.DataFrame):
        raise DataError("forms: expected a pandas frame with one row per form.")
    for item in columns:
        if item not in prom.key_of:
            near = did_you_mean(item, prom.key_of)
            raise StudyError(f'columns: {prom.name} has no item "{item}".{near}')
    asked = [item for scale in prom.scales.values() for item in scale.items]
    place = {item: columns.get(item, item) for item in dict.fromkeys(asked)}
    known = [one for one in forms.columns if isinstance(one, str)]
    faults = [
        f'item {item}: no column "{column}".{did_you_mean(column, known)}'
        for item, column in place.items()
        if column not in known
    ]
    if faults:
        raise DataError(gathered(f"forms: columns of {prom.name} are not there.", faults))
    if len(set(place.values())) < len(place):
        raise StudyError("columns: two items are read from one column. Name each once.")
    return place


def _points(
    forms: pd.DataFrame, prom: Prom, place: Mapping[str, str], missing_codes: Sequence[int]
) -> dict[str, np.ndarray]:
    """Points of each item, missing where it is not answered."""
    found, faults = {}, []
    for item, column in place.items():
        key = prom.key_of[item]
        if doubled := sorted(set(missing_codes) & set(key)):
            raise StudyError(f"missing_codes: {doubled} are answers to item {item}.")
        given = forms[column]
        answers = pd.to_numeric(given, errors="coerce").to_numpy(float, na_value=np.nan)
        is_answered = given.notna().to_numpy(bool) & ~np.isin(answers, list(missing_codes))
        points = pd.Series(answers).map(dict(key)).to_numpy(float, na_value=np.nan)
        if n_odd := int((is_answered & np.isnan(points)).sum()):
            told = ", ".join(str(answer) for answer in sorted(key))
            faults.append(f'column "{column}": {n_odd} forms have none of {told}')
        found[item] = np.where(is_answered, points, np.nan)
    if faults:
        advice = "Name codes for no answer in missing_codes, or set these forms aside, counted."
        raise DataError(gathered(f"forms: answers {prom.name} does not have. {advice}", faults))
    return found


def _scale(points: Mapping[str, np.ndarray], scale: Scale) -> np.ndarray:
    table = np.column_stack([points[item] for item in scale.items])
    n_answered = (~np.isnan(table)).sum(axis=1)
    total = np.nansum(table, axis=1)
    mean = np.divide(
        total, n_answered, out=np.full(len(table), np.nan), where=n_answered >= scale.n_needed
    )
    return mean * len(scale.items) if scale.method == "sum" else mean
