"""The ledger: who was in, who left at which step and why; its columns always add up.

It is counted on the engine from rows that carry `_person` and `_step`, the number of the first step
at which a row leaves (from 1; missing for rows that stay).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import pandas as pd
from ibis import _

from workbench.analysis.covariates import is_in_words, unit_factor, variable_words
from workbench.data.store import Version
from workbench.registers.schema import Table
from workbench.registers.variables import Variable
from workbench.study import Study


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


def count_ledger(
    rows: ibis.Table, reasons: Sequence[str], *, study: Study, version: Version
) -> Ledger:
    """Count the ledger of a cohort whose rows carry `_step`; `reasons` are the steps' in order."""
    table = version.definition
    return Ledger(
        steps=_count_steps(rows, reasons, version, has_identity=table.person is not None),
        leavers=_profile_leavers(rows, study, table),
        checks=_count_checks(rows, table),
    )


def _count_steps(
    rows: ibis.Table, reasons: Sequence[str], version: Version, *, has_identity: bool
) -> pd.DataFrame:
    """Rows and persons in and out of every step; a person leaves with the last of their rows."""
    last = len(reasons) + 1
    staying = rows._step.fill_null(last)
    per_row = rows.group_by(step=staying).agg(n=_.count()).execute().set_index("step")["n"]
    per_person = (
        rows.group_by("_person")
        .agg(step=staying.max())
        .group_by("step")
        .agg(n=_.count())
        .execute()
        .set_index("step")["n"]
    )
    order = range(1, last + 1)
    out = pd.DataFrame(
        {
            "rows": per_row.reindex(order, fill_value=0),
            "persons": per_person.reindex(order, fill_value=0),
        }
    )
    remaining = out[::-1].cumsum()[::-1]
    steps = pd.DataFrame(
        {
            "step": list(order),
            "reason": [*reasons, "study population"],
            "n_rows_in": remaining["rows"].to_numpy(),
            "n_rows_out": [*out["rows"].iloc[:-1], 0],
            "n_persons_in": remaining["persons"].to_numpy(),
            "n_persons_out": [*out["persons"].iloc[:-1], 0],
        }
    )
    aside = version.n_rows_set_aside
    persons_aside = pd.NA if has_identity and aside else aside
    persons_read = pd.NA if has_identity and aside else version.n_rows_read
    if has_identity and not aside:
        persons_read = int(remaining["persons"].iloc[0])
    first = pd.DataFrame(
        {
            "step": [0],
            "reason": ["set aside at import"],
            "n_rows_in": [version.n_rows_read],
            "n_rows_out": [aside],
            "n_persons_in": [persons_read],
            "n_persons_out": [persons_aside],
        }
    )
    counts = {name: "Int64" for name in first.columns if name.startswith("n_")}
    return pd.concat([first.astype(counts), steps.astype(counts)], ignore_index=True)


def _profile_leavers(rows: ibis.Table, study: Study, table: Table) -> pd.DataFrame:
    """Of those who left at each step: the levels of categories, the mean of numbers."""
    left = rows.filter(_._step.notnull())
    parts = []
    for name in study.variables:
        source, variable = study.source_of(name), table.variables[study.source_of(name)]
        if is_in_words(study, name, table):
            level = left[source].cast("string").fill_null("")
            counted = left.group_by(step=left._step, level=level).agg(n=_._person.nunique())
            counted = counted.mutate(n_missing=ibis.literal(0), mean=ibis.null("float64"))
        elif study.variables[name].cut is None:
            value = left[source] * unit_factor(study, name, table)
            counted = left.group_by(step=left._step).agg(
                n=left._person.nunique(where=left[source].notnull()),
                n_missing=left._person.nunique(where=left[source].isnull()),
                mean=value.mean(),
            )
            counted = counted.mutate(level=ibis.literal(""))
        else:
            continue
        frame = counted.execute().assign(variable=name)
        frame["level"] = _level_words(frame["level"], variable)
        parts.append(frame)
    columns = ["step", "variable", "level", "n", "n_missing", "mean"]
    if not parts:
        return pd.DataFrame(columns=columns)
    whole = pd.concat(parts, ignore_index=True)[columns]
    return whole.sort_values(["step", "variable", "level"], ignore_index=True, kind="stable")


def _level_words(levels: pd.Series, variable: Variable) -> pd.Series:
    return levels.map(lambda code: variable.codes.get(code, code) if code else code)


def _count_checks(rows: ibis.Table, table: Table) -> pd.DataFrame:
    """Impossible orders of dates and follow-up of no length: counted and shown, never dropped."""
    checks = {
        f"{variable_words(first, table)} after {variable_words(second, table)}": rows[first]
        > rows[second]
        for first, second in table.date_order
    }
    stays = rows._step.isnull()
    checks["in the study with follow-up of no length"] = stays & (rows._length == 0)
    counted = rows.agg(
        **{f"c{at}": test.sum().fill_null(0) for at, test in enumerate(checks.values())}
    )
    values = counted.execute().iloc[0].astype(int).to_list()
    return pd.DataFrame({"check": list(checks), "n_rows": values})
