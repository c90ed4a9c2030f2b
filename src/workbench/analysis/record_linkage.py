"""Link records of two files that share no identity number, and say how sure the links are.

Agreement on each field adds evidence, disagreement takes it away (Fellegi and Sunter 1969). From
the evidence comes the probability that two records are of the same person; each record is linked
once at most, to its best partner. How many links are expected to be false, and how many true pairs
missed, comes with the result. Everything here is persons' data and stays in the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
import pandas as pd

from workbench.analysis.match_weights import weigh_pairs
from workbench.analysis.pair_comparison import FieldKind, check_choices, compare_pairs
from workbench.errors import DataError, StudyError, did_you_mean

THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
LEAST = 0.01  # no pair below this probability is ever linked
SAME_WEIGHT = 6  # decimals within which two pairs are equally good


@dataclass(frozen=True)
class RecordLinkage:
    """What came of linking two files; every frame but the last two is about persons."""

    pairs: pd.DataFrame  # left_id, right_id, match_weight, match_probability, FIELD_level, is_best
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
    if not LEAST <= review_from <= threshold < 1:
        raise StudyError(
            f"review_from {review_from} and threshold {threshold} must lie between {LEAST} and 1, "
            "the first not above the second."
        )
    check_choices(left, right, fields, blocking, key)
    compared = compare_pairs(left, right, fields=fields, blocking=blocking, seed=seed)
    pairs, parameters = weigh_pairs(compared, left, right, fields)
    pairs = pairs.sort_values(
        ["match_weight", "left_row", "right_row"], ascending=[False, True, True], kind="stable"
    )
    for side, records in (("left", left), ("right", right)):
        ids = records[key].to_numpy()[pairs.pop(f"{side}_row")]
        pairs.insert(0 if side == "left" else 1, f"{side}_id", ids)
    pairs = pairs.reset_index(drop=True)
    pairs["is_best"] = _best_of_each(pairs)
    linked = _linked(pairs, threshold)
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
        links = linkage.pairs.loc[_linked(linkage.pairs, threshold), ["left_id", "right_id"]]
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


def _best_of_each(pairs: pd.DataFrame) -> np.ndarray:
    """Which pairs are the best for both their records, the strongest first, each record once.

    A record that two pairs claim equally well is in none of them; chance would decide. A stronger
    pair never depends on a weaker one, so that this holds for every threshold.
    """
    weights = pairs["match_weight"].round(SAME_WEIGHT)
    likely = (pairs["match_probability"] >= LEAST).to_numpy()
    rows = zip(weights[likely], pairs["left_id"][likely], pairs["right_id"][likely], strict=True)
    best: list[bool] = []
    taken: tuple[set[object], set[object]] = (set(), set())
    for _, equal in groupby(rows, key=itemgetter(0)):
        claims = [(left, right) for _, left, right in equal]
        is_free = [left not in taken[0] and right not in taken[1] for left, right in claims]
        free = [pair for pair, free in zip(claims, is_free, strict=True) if free]
        n_left, n_right = (Counter(side) for side in zip(*free, strict=True)) if free else ({}, {})
        for (left, right), free_pair in zip(claims, is_free, strict=True):
            best.append(free_pair and n_left[left] == 1 and n_right[right] == 1)
        taken[0].update(n_left)
        taken[1].update(n_right)
    chosen = np.zeros(len(pairs), dtype=bool)
    chosen[likely] = best
    return chosen


def _linked(pairs: pd.DataFrame, threshold: float) -> pd.Series:
    return pairs["is_best"] & (pairs["match_probability"] >= threshold)


def _touching(pairs: pd.DataFrame, linked: pd.Series) -> pd.Series:
    """Which pairs hold a record that is in a link."""
    links = pairs[linked]
    return pairs["left_id"].isin(links["left_id"]) | pairs["right_id"].isin(links["right_id"])


def _expected_errors(pairs: pd.DataFrame, threshold: float) -> dict[str, float]:
    """How many links should be false, and how many compared true pairs not linked."""
    linked = _linked(pairs, threshold)
    certain = _probability_among_rivals(pairs)
    expected_true = float(certain[linked].sum())
    open_pairs = pairs.loc[~_touching(pairs, linked), ["left_id", "match_probability"]]
    missed = float(open_pairs.groupby("left_id")["match_probability"].sum().clip(upper=1).sum())
    n_links = int(linked.sum())
    return {
        "threshold": threshold,
        "n_links": n_links,
        "expected_false": n_links - expected_true,
        "expected_missed": missed,
        "precision": expected_true / n_links if n_links else np.nan,
        "recall": expected_true / (expected_true + missed) if expected_true + missed else np.nan,
    }


def _probability_among_rivals(pairs: pd.DataFrame) -> np.ndarray:
    """The probability of a pair when each record has one partner at most."""
    chance = pairs["match_probability"].clip(upper=1 - 1e-15)
    odds = chance / (1 - chance)
    rivals = odds.groupby(pairs["left_id"]).transform("sum")
    rivals = rivals + odds.groupby(pairs["right_id"]).transform("sum") - 2 * odds
    return (odds / (1 + odds + rivals)).to_numpy()
