"""The rules for Cox and Fine-Gray models, log-rank and Gray's tests.

A model is refused when it has fewer events than the profile asks for, in all or per parameter: one
with about as many parameters as events can be solved for the persons behind it. Within a model:

- A category with too few persons or events, or with 1 to threshold - 1 persons without the event,
  loses its coefficient. The other categories' counts would subtract to it from the model's total,
  so n and events of the whole variable are hidden; when it is the reference, everything of the
  variable is, since every coefficient is a comparison with it.
- When 1 to threshold - 1 persons were left out for a missing covariate, the model's n and every
  count are hidden, since the cohort's n subtracts to them. The same goes when nearly all persons
  of the model had the event.

A test keeps its statistic; its table of groups is hidden when any number in it, or the
number without the event, is small.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.analysis.competing import FineGrayFit, GrayTest
from workbench.analysis.regression import CoxFit
from workbench.analysis.survival import LogRank
from workbench.errors import DisclosureError
from workbench.output.gate.judgement import (
    Judgement,
    hidden_only,
    is_small,
    nothing_hidden,
    rounded,
    significant,
    take_out,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile

LEVEL = ["variable", "level", "is_reference", "n", "events"]
ESTIMATES = [
    "coefficient",
    "std_error",
    "robust_std_error",
    "hazard_ratio",
    "lower",
    "upper",
    "z",
    "p_value",
]
PROPORTIONAL_HAZARDS = ["term", "statistic", "degrees_of_freedom", "p_value"]
SMALL_LEVEL = "categories of the model with few persons or events"


def judge_cox(fit: CoxFit | FineGrayFit, policy: ReleaseProfile) -> Judgement:
    """Refuse a model with too few events; hide categories with few persons or events."""
    _check_events(fit, policy)
    levels = fit.levels.reset_index(drop=True)
    levels["n"] = whole_counts(levels["n"], what="the persons behind the model's categories")
    levels["events"] = whole_counts(levels["events"], what="the events behind its categories")
    if set(fit.coefficients["term"]) - set(levels["term"]):
        raise DisclosureError(
            "The gate cannot judge this model: it does not tell the persons behind every term."
        )
    table = levels.merge(fit.coefficients, on="term", how="left", validate="one_to_one")
    table = rounded(table, ESTIMATES, decimals=policy.decimals)[["term", *LEVEL, *ESTIMATES]]
    few_spared = _few_spared(table["n"], table["events"], policy)
    is_category = table["level"] != ""
    bad = is_category & (
        (table["n"] < policy.level_persons) | (table["events"] < policy.level_events) | few_spared
    )
    in_bad_variable = table["variable"].isin(table.loc[bad, "variable"])
    bad_reference = table.loc[bad & table["is_reference"], "variable"]
    silent = bad | table["variable"].isin(bad_reference)
    totals = [fit.n_missing, fit.n - fit.events, fit.n]
    if isinstance(fit, FineGrayFit):
        totals += [fit.competing_events, fit.n - fit.events - fit.competing_events]
    totals_hidden = bool(is_small(totals, policy.threshold).any())
    table = table.astype({"n": "Int64", "events": "Int64"})
    counted = in_bad_variable | totals_hidden
    shown, hidden = table, nothing_hidden(table)
    shown, hidden, n_counts = take_out(shown, hidden, rows=counted, columns=["n", "events"])
    shown, hidden, n_estimates = take_out(shown, hidden, rows=silent, columns=ESTIMATES)
    counts = {
        SMALL_LEVEL: int(bad.sum()),
        "counts and estimates of the model that subtract to few persons": n_counts + n_estimates,
    }
    facts = _facts(fit, policy, totals_hidden)
    kind = "fine_gray" if isinstance(fit, FineGrayFit) else "cox"
    return Judgement(kind, shown, hidden, hidden_only(counts), _notes(policy, counts), facts)


def judge_test(test: LogRank | GrayTest, policy: ReleaseProfile) -> Judgement:
    """Keep the statistic; hide the table of groups when any number in it is small."""
    table = test.table.reset_index(drop=True)
    n = whole_counts(table["n"], what="the persons of the test")
    events = whole_counts(table["events"], what="the events of the test")
    if events.sum() < policy.threshold:
        raise DisclosureError(
            f"The test stands on fewer than {policy.threshold} events, the smallest "
            f'number that profile "{policy.name}" shows. Follow up for longer, or leave it out.'
        )
    unsafe = is_small(np.concatenate([n, events, n - events]), policy.threshold).any()
    table = rounded(table, ["observed", "expected"], decimals=policy.decimals)
    table = table.astype({"n": "Int64", "events": "Int64"})
    columns = ["n", "events", "observed", "expected"]
    rows = pd.Series(bool(unsafe), index=table.index)
    shown, hidden, n_cells = take_out(table, nothing_hidden(table), rows=rows, columns=columns)
    facts = {
        "by": tuple(column for column in table.columns if column not in columns),
        "statistic": round(float(test.statistic), policy.decimals),
        "degrees_of_freedom": int(test.degrees_of_freedom),
        "p_value": float(f"{test.p_value:.{policy.significant_digits}g}"),
    }
    counts = hidden_only({"numbers behind a test with small groups": n_cells})
    kind = "gray" if isinstance(test, GrayTest) else "logrank"
    return Judgement(kind, shown, hidden, counts, (), facts)


def judge_proportional_hazards(table: pd.DataFrame, policy: ReleaseProfile) -> Judgement:
    """A test of the model's terms: statistics of all persons together, which tell of no few."""
    safe = table.reset_index(drop=True)
    safe["statistic"] = rounded(safe, ["statistic"], decimals=policy.decimals)["statistic"]
    safe["p_value"] = significant(safe["p_value"], digits=policy.significant_digits)
    return Judgement("proportional_hazards", safe, nothing_hidden(safe))


def _check_events(fit: CoxFit | FineGrayFit, policy: ReleaseProfile) -> None:
    n_parameters = len(fit.coefficients)
    needed = max(policy.model_events, policy.parameter_events * n_parameters)
    if fit.events < needed:
        raise DisclosureError(
            f"A model with {n_parameters} parameters needs at least {needed} events under profile "
            f'"{policy.name}" ({policy.model_events} in all, {policy.parameter_events} for each '
            "parameter); this one has fewer. Use fewer or coarser covariates, or follow up longer."
        )
    if not np.isfinite(fit.coefficients[["coefficient", "std_error"]].to_numpy(float)).all():
        raise DisclosureError("The model has no finite estimate for a term; the gate refuses it.")


def _few_spared(n: pd.Series, events: pd.Series, policy: ReleaseProfile) -> pd.Series:
    """Whether nearly everyone had the event, so that the few who had not are a small count."""
    return pd.Series(is_small(n - events, policy.threshold), index=n.index)


def _facts(
    fit: CoxFit | FineGrayFit, policy: ReleaseProfile, totals_hidden: bool
) -> dict[str, object]:
    facts: dict[str, object] = {
        "n": None if totals_hidden else int(fit.n),
        "events": None if totals_hidden else int(fit.events),
        "n_missing": None if totals_hidden else int(fit.n_missing),
        "log_likelihood": round(float(fit.log_likelihood), policy.decimals),
    }
    if isinstance(fit, FineGrayFit):
        return facts | {"competing_events": None if totals_hidden else int(fit.competing_events)}
    return facts | {"concordance": round(float(fit.concordance), policy.decimals)}


def _notes(policy: ReleaseProfile, counts: dict[str, int]) -> tuple[str, ...]:
    if not any(counts.values()):
        return ()
    return (
        f"Categories with fewer than {policy.level_persons} persons or {policy.level_events} "
        "events, and numbers they could be worked out from, are hidden.",
    )
