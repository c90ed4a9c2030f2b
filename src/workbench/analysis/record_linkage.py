"""Link records of two files that share no identity number, and say how sure the links are.

Agreement on each field adds evidence, disagreement takes it away (Fellegi and Sunter 1969). From
the evidence comes the probability that two records are of the same person; each record is linked
once at most, to its best partner. How many links are expected to be false, and how many true pairs
missed, comes with the result. Everything here is persons' data and stays in the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis.pair_comparison import (
    MISSING,
    ComparedPairs,
    FieldKind,
    check_choices,
    compare_pairs,
    levels_of,
    prepared_values,
)
from workbench.errors import DataError, StudyError, did_you_mean

THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
ROUNDS, CLOSE_ENOUGH = 200, 1e-10  # of the search for the share of true pairs
SAME_WEIGHT = 6  # decimals within which two pairs are equally good


@dataclass(frozen=True)
class RecordLinkage:
    """What came of linking two files; every frame but the last two is about persons."""

    pairs: pd.DataFrame  # left_id, right_id, match_weight, match_probability, FIELD_level
    links: pd.DataFrame  # pairs at or above the threshold, each record once
    clerical_review: pd.DataFrame  # undecided pairs of records that are in no link
    parameters: pd.DataFrame  # field, level, m, u, weight
    error_estimates: pd.DataFrame  # threshold, n_links, expected_false, expected_missed, ...
    threshold: float


def link_records(
    left: pd.DataFrame,
    right: pd.DataFrame,
    *,
    key: str,
    fields: Mapping[str, FieldKind],
    blocking: Sequence[Sequence[str]],
    seed: int,
    threshold: float = 0.95,
    review_from: float = 0.5,
) -> RecordLinkage:
    """Find the records of two files that are of the same person.

    Parameters
    ----------
    left, right
        One row a person in each; the same person at most once in each file.
    key
        The column that names a row in both files; it is not compared.
    fields
        The columns to compare, and how: `exact`, `code` (without dots and capitals), `name`
        (spelling may differ), `date` (a sign may be wrong, day and month swapped) or `number`.
        A missing value says neither yes nor no.
    blocking
        Rules; two records are compared when they agree on all columns of one of them. Each field
        must be left out of one rule at least. True pairs that agree on no rule are never found,
        and no estimate here can see them.
    seed
        Decides which random pairs are drawn.
    threshold, review_from
        Probability from which a pair may be linked, and from which it is worth a look.

    Raises
    ------
    StudyError
        A kind of field that does not exist, rules that cannot be learnt from, or thresholds out of
        order.
    DataError
        A column that is not there, keys that repeat, values that cannot be read, a rule that
        brings no records together or too many.
    RunError
        The extra is not installed.

    References
    ----------
    Fellegi and Sunter, J Am Stat Assoc 1969;64:1183-1210. Compared with a known truth in
    tests/unit/analysis/test_record_linkage.py.
    """
    if not 0 < review_from <= threshold < 1:
        raise StudyError(
            f"review_from {review_from} and threshold {threshold} must lie between 0 and 1, the "
            "first not above the second."
        )
    check_choices(left, right, fields, blocking, key)
    compared = compare_pairs(left, right, fields=fields, blocking=blocking, seed=seed)
    pairs, parameters = _scored(compared, left, right, fields)
    pairs = pairs.sort_values(
        ["match_weight", "left_row", "right_row"], ascending=[False, True, True], kind="stable"
    )
    for side, records in (("left", left), ("right", right)):
        ids = records[key].to_numpy()[pairs.pop(f"{side}_row")]
        pairs.insert(0 if side == "left" else 1, f"{side}_id", ids)
    pairs = pairs.reset_index(drop=True)
    linked = _one_to_one(pairs, threshold)
    estimates = [_expected_errors(pairs, at) for at in sorted({*THRESHOLDS, threshold})]
    open_pairs = pairs[(pairs["match_probability"] >= review_from) & ~_touching(pairs, linked)]
    return RecordLinkage(
        pairs=pairs,
        links=pairs[linked].reset_index(drop=True),
        clerical_review=open_pairs.reset_index(drop=True),
        parameters=parameters,
        error_estimates=pd.DataFrame(estimates),
        threshold=threshold,
    )


def compare_with_truth(linkage: RecordLinkage, truth: pd.DataFrame) -> pd.DataFrame:
    """Count, at every threshold, the links that are true and false and the true ones missed.

    `truth` has one row a true pair, `left_id` and `right_id`. True pairs that no blocking rule
    brought together are counted as missed too. `precision` is missing where there are no links.
    """
    for name in ("left_id", "right_id"):
        if name not in truth:
            near = did_you_mean(name, map(str, truth.columns))
            raise DataError(f'truth: there is no column "{name}".{near}')
    true_pairs = pd.MultiIndex.from_frame(truth[["left_id", "right_id"]].drop_duplicates())
    rows = []
    for threshold in linkage.error_estimates["threshold"]:
        links = linkage.pairs.loc[_one_to_one(linkage.pairs, threshold), ["left_id", "right_id"]]
        found = int(pd.MultiIndex.from_frame(links).isin(true_pairs).sum())
        rows.append(
            {
                "threshold": threshold,
                "true_links": len(true_pairs),
                "found": found,
                "false": len(links) - found,
                "missed": len(true_pairs) - found,
                "precision": found / len(links) if len(links) else np.nan,
                "recall": found / len(true_pairs) if len(true_pairs) else np.nan,
            }
        )
    return pd.DataFrame(rows)


def _scored(
    compared: ComparedPairs,
    left: pd.DataFrame,
    right: pd.DataFrame,
    fields: Mapping[str, FieldKind],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pairs with weight and probability, and the parameters behind them.

    The share of true pairs among all pairs is the one that the probabilities add up to. Random
    pairs hold true ones too, in small files many; u is freed of them with that share.
    """
    n_all = len(left) * len(right)
    parameters = compared.parameters.copy()
    least_m, least_u = 0.5 / min(len(left), len(right)), 0.5 / n_all
    unknown = parameters["m"].isna() & parameters["u"].isna()
    m = parameters["m"].fillna(0).clip(lower=least_m)
    seen_u = parameters["u"].fillna(0)
    rareness = _rareness(compared.pairs, left, right, fields, parameters)
    share, weights = min(len(left), len(right)) / n_all / 2, np.zeros(len(compared.pairs))
    for _ in range(ROUNDS):
        parameters["u"] = ((seen_u - share * m) / (1 - share)).clip(lower=least_u)
        parameters["m"] = m
        parameters["weight"] = np.where(unknown, 0.0, np.log2(m / parameters["u"]))
        weights = _summed(compared.pairs, parameters, fields) + rareness(parameters)
        odds = np.exp2(weights + np.log2(share / (1 - share)))
        probabilities = odds / (1 + odds)
        before, share = share, float(np.clip(probabilities.sum() / n_all, 1 / n_all, 0.5))
        if abs(share - before) <= CLOSE_ENOUGH * before:
            break
    pairs = compared.pairs[["left_row", "right_row"]].copy()
    pairs["match_weight"], pairs["match_probability"] = weights, probabilities
    levels = compared.pairs[[*fields]].rename(columns={name: f"{name}_level" for name in fields})
    return pairs.join(levels), parameters
