"""Turn agreement on fields into the weight of a pair, and into a probability.

The weight of a level is log2(m / u); the weights of a pair's fields add up (Fellegi and Sunter
1969). A name counts by how rare it is. The share of true pairs, which turns weights into
probabilities, is found from the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.analysis.pair_comparison import ComparedPairs, FieldKind, prepared_values

ROUNDS, CLOSE_ENOUGH = 200, 1e-10  # of the search for the share of true pairs


def weigh_pairs(
    compared: ComparedPairs,
    left: pd.DataFrame,
    right: pd.DataFrame,
    fields: Mapping[str, FieldKind],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pairs with weight and probability, and the parameters behind them.

    The share of true pairs among all pairs is the one that the probabilities add up to. Random
    pairs hold true ones too, in small files many; u is freed of them with that share. How often
    values are equal is counted over all pairs, since rare events are not seen in a sample.
    """
    n_all, n_persons = len(left) * len(right), min(len(left), len(right))
    sides = {
        name: [prepared_values(records[name], kind) for records in (left, right)]
        for name, kind in fields.items()
    }
    names = {name: sides[name] for name, kind in fields.items() if kind == "name"}
    rarity = _name_rarity(compared.pairs, names)
    parameters, least_u = _with_equal_counted(compared.parameters, sides, 0.5 / n_all)
    is_unknown = parameters["m"].isna() & parameters["u"].isna()
    parameters["m"] = parameters["m"].fillna(0).clip(lower=0.5 / n_persons)
    seen_u = parameters["u"].fillna(0)
    share = n_persons / n_all / 2
    for _ in range(ROUNDS):
        by_chance = (seen_u - share * parameters["m"]) / (1 - share)
        parameters["u"] = by_chance.clip(lower=least_u)
        says = np.log2(parameters["m"] / parameters["u"])
        parameters["weight"] = says.where(~is_unknown, 0.0)
        weights = _summed(compared.pairs, parameters, rarity)
        odds = np.exp2(weights + np.log2(share / (1 - share)))
        probabilities = odds / (1 + odds)
        before, share = share, float(np.clip(probabilities.sum() / n_all, 1 / n_all, 0.5))
        if abs(share - before) <= CLOSE_ENOUGH * before:
            break
    pairs = compared.pairs[["left_row", "right_row"]].copy()
    pairs["match_weight"], pairs["match_probability"] = weights, probabilities
    levels = compared.pairs[[*fields]].rename(columns={name: f"{name}_level" for name in fields})
    return pairs.join(levels), parameters


def _summed(
    pairs: pd.DataFrame, parameters: pd.DataFrame, rarity: Mapping[str, np.ndarray]
) -> np.ndarray:
    """The weight of each pair: the sum over its fields; a missing value adds nothing."""
    total = np.zeros(len(pairs))
    for field, learnt in parameters.groupby("field", sort=False):
        levels = pairs[field].cat
        weights = learnt.set_index("level")["weight"].reindex(levels.categories, fill_value=0.0)
        total += weights.to_numpy()[levels.codes]
        if field in rarity:
            usual = np.log2(learnt.set_index("level")["u"]["equal"])
            total += np.where(np.isnan(rarity[field]), 0.0, usual - rarity[field])
    return total


def _with_equal_counted(
    parameters: pd.DataFrame, sides: Mapping[str, Sequence[pd.Series]], least: float
) -> tuple[pd.DataFrame, pd.Series]:
    """Parameters whose u of equal values is counted, and for each the least that u can be."""
    counted, least_u = parameters.copy(), pd.Series(least, parameters.index)
    for at in parameters.index[parameters["level"] == "equal"]:
        equal, by_chance = _equal_pairs(*sides[parameters["field"][at]])
        counted.loc[at, "u"], least_u[at] = equal, max(least, by_chance / 2)
    return counted, least_u


def _equal_pairs(left: pd.Series, right: pd.Series) -> tuple[float, float]:
    """The share of pairs that are equal: of all pairs between the files, and within a file.

    A person is once in each file, so that what is equal within a file is equal by chance. The
    first is missing when a file has no values.
    """
    counts = [side.value_counts() for side in (left, right)]
    n_left, n_right = (int(count.sum()) for count in counts)
    if not n_left or not n_right:
        return np.nan, 0.0
    between = float((counts[0] * counts[1]).sum()) / (n_left * n_right)
    within = [
        float((count * (count - 1)).sum()) / max(n * (n - 1), 1)
        for count, n in zip(counts, (n_left, n_right), strict=True)
    ]
    return between, min(within)


def _name_rarity(
    pairs: pd.DataFrame, names: Mapping[str, Sequence[pd.Series]]
) -> dict[str, np.ndarray]:
    """How common the name is on which a pair agrees (log2 of its share); agreeing on a rare name
    says more. Missing where the names are not equal.
    """
    rarity = {}
    for field, sides in names.items():
        shares = pd.concat(sides).value_counts(normalize=True)
        found = sides[0].iloc[pairs["left_row"]].map(shares).to_numpy(dtype=float)
        rarity[field] = np.where(pairs[field] == "equal", np.log2(found), np.nan)
    return rarity
