"""Compare the records of two files field by field, and learn how much each agreement says.

Only pairs that agree on some blocking rule are compared. For every field and level of agreement,
m is how often true pairs show it and u how often other pairs do: u is counted among random pairs,
m is estimated by expectation maximisation within each blocking rule (Fellegi and Sunter 1969, as
splink does it). This module is the only door to splink, an optional extra.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args

import duckdb
import pandas as pd

from workbench.errors import DataError, RunError, StudyError, did_you_mean, gathered
from workbench.registers.classifications import normalise

FieldKind = Literal["exact", "name", "date", "code", "number"]

# Conditions on the two values, the best agreement first; what fulfils none is different.
LEVELS: dict[FieldKind, dict[str, str]] = {
    "exact": {"equal": "{l} = {r}"},
    "code": {"equal": "{l} = {r}"},
    # the limits of splink's own comparison of names
    "name": {
        "equal": "{l} = {r}",
        "close": "jaro_winkler_similarity({l}, {r}) >= 0.92",
        "similar": "jaro_winkler_similarity({l}, {r}) >= 0.8",
    },
    # one sign wrong, two swapped, or day and month swapped; then the same year
    "date": {
        "equal": "{l} = {r}",
        "close": (
            "(damerau_levenshtein({l}, {r}) <= 1 or "
            "{l} = substr({r}, 1, 5) || substr({r}, 9, 2) || '-' || substr({r}, 6, 2))"
        ),
        "similar": "substr({l}, 1, 4) = substr({r}, 1, 4)",
    },
    "number": {
        "equal": "{l} = {r}",
        "close": "abs({l} - {r}) <= 0.1 * greatest(abs({l}), abs({r}))",
    },
}
DIFFERENT, MISSING = "different", "missing"
RANDOM_PAIRS = 500_000  # among which u is counted
MOST_PAIRS = 50_000_000  # more than this is a blocking rule that is too wide


@dataclass(frozen=True)
class ComparedPairs:
    """Pairs that agree on some blocking rule, by their rows, and what the levels say."""

    pairs: pd.DataFrame  # left_row, right_row, and for each field its level of agreement
    parameters: pd.DataFrame  # field, level, m, u; missing where nothing could be learnt


def levels_of(kind: FieldKind) -> tuple[str, ...]:
    """The levels of agreement of a kind of field, the best first."""
    return (*LEVELS[kind], DIFFERENT)


def check_choices(
    left: pd.DataFrame,
    right: pd.DataFrame,
    fields: Mapping[str, FieldKind],
    blocking: Sequence[Sequence[str]],
    key: str,
) -> None:
    """Raise `StudyError` or `DataError` with everything that cannot be used."""
    faults = [
        f'fields.{name}: "{kind}" is no kind of field.{did_you_mean(kind, get_args(FieldKind))}'
        for name, kind in fields.items()
        if kind not in LEVELS
    ]
    if not fields or not blocking or not all(blocking):
        faults.append("give fields, and blocking rules of at least one column each.")
    untrained = [name for name in fields if all(name in rule for rule in blocking)]
    if blocking and untrained:
        faults.append(
            f"{', '.join(untrained)}: in every blocking rule, so that nothing can be learnt of it. "
            "Add a rule without it."
        )
    if faults:
        raise StudyError(gathered("The records cannot be linked like this:", faults))
    for side, records in (("left", left), ("right", right)):
        faults += _column_faults(side, records, [key, *fields, *(n for r in blocking for n in r)])
        if key in records and (
            n := int(records[key].isna().sum() + records[key].duplicated().sum())
        ):
            faults.append(f"{side}.{key}: {n} rows have no value or that of another row.")
        if records.empty:
            faults.append(f"{side}: there are no records.")
    if faults:
        raise DataError(gathered("The records cannot be linked:", faults))


def compare_pairs(
    left: pd.DataFrame,
    right: pd.DataFrame,
    *,
    fields: Mapping[str, FieldKind],
    blocking: Sequence[Sequence[str]],
    seed: int,
) -> ComparedPairs:
    """Compare all pairs that agree on some blocking rule; the same in gives the same out.

    Raises `DataError` for values that cannot be read and for rules without pairs or with too many,
    and `RunError` when the extra is not installed.
    """
    names = list(dict.fromkeys([*fields, *(name for rule in blocking for name in rule)]))
    columns = {name: f"f{at}" for at, name in enumerate(names)}
    files = [_prepared(side, fields, columns) for side in (left, right)]
    rules = [tuple(columns[name] for name in rule) for rule in blocking]
    for named, rule in zip(blocking, rules, strict=True):
        _check_size(files, rule, named)
    splink = _library()
    with _quiet(), duckdb.connect() as engine:
        engine.execute("set threads = 1")  # sums in one order only: the same in, the same out
        try:
            return _compared(splink, engine, files, fields, columns, rules, seed)
        except (duckdb.Error, splink.internals.exceptions.SplinkException) as reason:
            raise RunError(
                "The records could not be compared: the model found no answer with these fields "
                "and blocking rules. Give rules that bring more true pairs together."
            ) from reason


def _compared(
    splink: Any,
    engine: Any,
    files: list[pd.DataFrame],
    fields: Mapping[str, FieldKind],
    columns: Mapping[str, str],
    rules: list[tuple[str, ...]],
    seed: int,
) -> ComparedPairs:
    blocks = [splink.block_on(*rule) for rule in rules]
    settings = splink.SettingsCreator(
        link_type="link_only",
        comparisons=[_comparison(splink, columns[name], kind) for name, kind in fields.items()],
        blocking_rules_to_generate_predictions=blocks,
        unique_id_column_name="row",
        retain_matching_columns=True,  # the levels come with them; the values are left here
    )
    linker = splink.Linker(
        files, settings, splink.DuckDBAPI(connection=engine), set_up_basic_logging=False,
        input_table_aliases=["file_1_left", "file_2_right"],
    )  # fmt: skip
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=seed)
    compared = {columns[name] for name in fields}
    for block, rule in zip(blocks, rules, strict=True):
        if compared - set(rule):
            linker.training.estimate_parameters_using_expectation_maximisation(block)
    found = linker.inference.predict().as_pandas_dataframe()
    pairs = found.rename(columns={"row_l": "left_row", "row_r": "right_row"})
    for name, kind in fields.items():
        levels = [*levels_of(kind), MISSING]
        # splink numbers the levels from different (0) up, and missing -1
        codes = len(levels) - 2 - pairs[f"gamma_{columns[name]}"]
        pairs[name] = pd.Categorical.from_codes(codes, categories=levels)
    pairs = pairs[["left_row", "right_row", *fields]].sort_values(["left_row", "right_row"])
    return ComparedPairs(pairs.reset_index(drop=True), _parameters(linker, fields))


def _comparison(splink: Any, column: str, kind: FieldKind) -> Any:
    left, right = f"{column}_l", f"{column}_r"
    levels: list[dict[str, Any]] = [
        {
            "sql_condition": f"{left} is null or {right} is null",
            "label_for_charts": MISSING,
            "is_null_level": True,
        }
    ]
    levels += [
        {"sql_condition": condition.format(l=left, r=right), "label_for_charts": name}
        for name, condition in LEVELS[kind].items()
    ]
    levels.append({"sql_condition": "ELSE", "label_for_charts": DIFFERENT})
    return splink.comparison_library.CustomComparison(
        output_column_name=column, comparison_levels=levels
    )


def _parameters(linker: Any, fields: Mapping[str, FieldKind]) -> pd.DataFrame:
    """What was learnt, for each field and level."""
    model = linker.misc.save_model_to_json()
    rows = [
        (name, level["label_for_charts"], level.get("m_probability"), level.get("u_probability"))
        for name, comparison in zip(fields, model["comparisons"], strict=True)
        for level in comparison["comparison_levels"]
        if level["label_for_charts"] != MISSING
    ]
    parameters = pd.DataFrame(rows, columns=["field", "level", "m", "u"])
    return parameters.astype({"m": float, "u": float})


def _prepared(
    records: pd.DataFrame, fields: Mapping[str, FieldKind], columns: Mapping[str, str]
) -> pd.DataFrame:
    """The columns that are compared, in one form, under names that mean nothing."""
    prepared = pd.DataFrame({"row": range(len(records))})
    for name, column in columns.items():
        prepared[column] = prepared_values(records[name], fields.get(name, "exact")).to_numpy()
    return prepared


def prepared_values(values: pd.Series, kind: FieldKind) -> pd.Series:
    """Values as they are compared: names without capitals, hyphens and double blanks."""
    if kind == "number":
        numbers = pd.to_numeric(values, errors="coerce").astype(float)
        _check_read(values, numbers, "numbers")
        return numbers
    if kind == "date":
        days = pd.to_datetime(values, errors="coerce", format="ISO8601")
        _check_read(values, days, "dates like 2020-12-31")
        return days.dt.strftime("%Y-%m-%d").astype(object).where(days.notna(), None)
    texts = values.astype(object).where(values.notna(), None)
    texts = texts.map(str, na_action="ignore")
    if kind == "code":
        texts = texts.map(normalise, na_action="ignore")
    if kind == "name":
        texts = texts.map(_folded, na_action="ignore")
    return texts.where(texts.astype(bool), None)


def _folded(name: str) -> str:
    return " ".join(name.casefold().replace("-", " ").replace(".", " ").split())


def _check_read(values: pd.Series, read: pd.Series, expected: str) -> None:
    if n := int((read.isna() & values.notna()).sum()):
        raise DataError(f"{values.name}: {n} values cannot be read; expected {expected}.")


def _column_faults(side: str, records: pd.DataFrame, names: Sequence[str]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if name not in records:
            near = did_you_mean(name, map(str, records.columns))
            yield f'{side}: there is no column "{name}".{near}'


def _check_size(files: list[pd.DataFrame], rule: Sequence[str], named: Sequence[str]) -> None:
    """Count the pairs of a blocking rule before anything is compared."""
    left, right = (side.groupby(list(rule)).size() for side in files)
    n_pairs = int((left * right).fillna(0).sum())
    words = " and ".join(named)
    if n_pairs == 0:
        raise DataError(f"No two records of the files agree on {words}; choose other rules.")
    if n_pairs > MOST_PAIRS:
        raise DataError(
            f"{n_pairs} pairs of records agree on {words}, more than {MOST_PAIRS}. "
            "Block on more columns at once."
        )


def _library() -> Any:
    try:
        import splink
        import splink.comparison_library
        import splink.internals.exceptions
    except ImportError:
        raise RunError(
            "Linking without identity numbers needs an extra that is not installed. "
            "Install it: pip install 'register-workbench[linkage]'"
        ) from None
    return splink


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library from talking; what it would say may name values."""
    log = logging.getLogger("splink")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
