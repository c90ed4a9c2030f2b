"""The ledger: who was in, who left at which step and why; its columns always add up.

It is counted on the engine from rows that carry `_person` and `_step`, the number of the first step
at which a row leaves (from 1; missing for rows that stay).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import ibis
import pandas as pd
from ibis import _

from workbench.analysis.cohort.covariates import is_in_words, unit_factor, variable_words, words_of
from workbench.analysis.cohort.link_report import LinkReport
from workbench.analysis.cohort.linkage import Sources
from workbench.analysis.cohort.moves import MOVES_BOTH_WAYS, n_moves_both_ways
from workbench.analysis.cohort.windows import linked_column
from workbench.analysis.row_tests import value_of
from workbench.data.store import Version
from workbench.registers.schema import Table
from workbench.registers.variables import Variable
from workbench.study import Covariate, Study, column_variable


@dataclass(frozen=True)
class Ledger:
    """Every step from the delivered rows to the persons studied.

    `steps`: one row a step, in order: step, reason, n_rows_in, n_rows_out, n_persons_in,
    n_persons_out. What goes into a step is what the step before left; the last row is the study
    population, which nobody leaves. The first step is what import set aside: of those rows nobody
    knows how many persons they are, so its persons are missing where persons have identities.
    For the gate also n_persons_concerned: persons with a row that leaves at the step, whether they
    stay with other rows or not.

    `leavers`: a short profile of those who left: one row a step, variable and level: step,
    variable, level (blank for numbers), n (persons), n_missing, mean (of numbers).

    `checks`: what is worth knowing and removed nobody: check, n_rows, and for the gate n_persons
    (missing where they were not counted).

    `comparison`: the steps of comparison persons, from those drawn to those studied, where there
    are any; `n_wanted`: how many the study asked for in all, `n_short`: patients who got too few.
    `links`: how the cohort fits the other registers, where others are read.
    """

    steps: pd.DataFrame
    leavers: pd.DataFrame
    checks: pd.DataFrame
    comparison: pd.DataFrame | None = None
    links: LinkReport | None = None
    n_wanted: int | None = None
    n_short: int | None = None

    def __post_init__(self) -> None:
        """Refuse to exist when a row or a person is lost between two steps."""
        for steps in (self.steps, *([] if self.comparison is None else [self.comparison])):
            for what in ("rows", "persons"):
                entered, left = steps[f"n_{what}_in"], steps[f"n_{what}_out"]
                remaining = (entered - left).iloc[:-1].reset_index(drop=True)
                following = entered.iloc[1:].reset_index(drop=True)
                if not (remaining == following).fillna(True).all():
                    raise AssertionError(f"the ledger's {what} do not add up")

    def with_checks(self, checks: Mapping[str, int]) -> Ledger:
        """The same ledger with more that is worth knowing."""
        more = pd.DataFrame({"check": list(checks), "n_rows": list(checks.values())})
        if more.empty:
            return self
        return replace(self, checks=pd.concat([self.checks, more], ignore_index=True))


def count_ledger(
    rows: ibis.Table, reasons: Sequence[str], *, study: Study, sources: Sources, n_unlinked: int
) -> Ledger:
    """Count the ledger of a cohort whose rows carry `_step`; `reasons` are the steps' in order.

    Those who left in the first `n_unlinked` left before covariates of other registers were
    looked up.
    """
    version = sources.versions[sources.main]
    steps = count_steps(rows, reasons, population="study population")
    ledger = Ledger(
        steps=_with_set_aside(steps, version, has_identity=version.definition.person is not None),
        leavers=_profile_leavers(rows, study, sources, n_unlinked),
        checks=_count_checks(rows, version.definition),
    )
    return ledger.with_checks(_population_checks(sources))


def count_steps(rows: ibis.Table, reasons: Sequence[str], *, population: str) -> pd.DataFrame:
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
    several = per_row.index[per_row > per_person.reindex(per_row.index, fill_value=0)].tolist()
    step = rows._step
    concerned = (
        rows.filter(step.isin([one for one in several if one < last]))
        .group_by(step=step)
        .agg(n=_._person.nunique())
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
            "reason": [*reasons, population],
            "n_rows_in": remaining["rows"].to_numpy(),
            "n_rows_out": [*out["rows"].iloc[:-1], 0],
            "n_persons_in": remaining["persons"].to_numpy(),
            "n_persons_out": [*out["persons"].iloc[:-1], 0],
            # Where as many rows as persons leave, each of them has one row there.
            "n_persons_concerned": [
                *concerned.reindex(order).fillna(out["persons"]).iloc[:-1], 0,
            ],
        }
    )  # fmt: skip
    return steps.astype({name: "Int64" for name in steps.columns if name.startswith("n_")})


def _with_set_aside(steps: pd.DataFrame, version: Version, *, has_identity: bool) -> pd.DataFrame:
    """The steps with what import set aside before them."""
    aside = version.n_rows_set_aside
    persons_aside = pd.NA if has_identity and aside else aside
    persons_read = pd.NA if has_identity and aside else version.n_rows_read
    if has_identity and not aside:
        persons_read = int(steps["n_persons_in"].iloc[0])
    first = pd.DataFrame(
        {
            "step": [0],
            "reason": ["set aside at import"],
            "n_rows_in": [version.n_rows_read],
            "n_rows_out": [aside],
            "n_persons_in": [persons_read],
            "n_persons_out": [persons_aside],
            "n_persons_concerned": [persons_aside],
        }
    )
    counts = {name: "Int64" for name in first.columns if name.startswith("n_")}
    return pd.concat([first.astype(counts), steps], ignore_index=True)


def _profile_leavers(
    rows: ibis.Table, study: Study, sources: Sources, n_unlinked: int
) -> pd.DataFrame:
    """Of those who left at each step: the levels of categories, the mean of numbers."""
    tables = {name: version.definition for name, version in sources.versions.items()}
    left = rows.filter(_._step.notnull())
    parts = []
    for name, covariate in study.variables.items():
        variable = column_variable(study, name, tables)
        if covariate.link is None:
            value = value_of(left, study.source_of(name), tables[sources.main])
            part = _profile(left.mutate(_value=value), covariate, variable)
        else:
            asked = left.filter(left._step > n_unlinked)
            part = _profile(asked.mutate(_value=asked[linked_column(name)]), covariate, variable)
        if part is not None:
            parts.append(part.assign(variable=name))
    columns = ["step", "variable", "level", "n", "n_missing", "mean"]
    if not parts:
        return pd.DataFrame(columns=columns)
    whole = pd.concat(parts, ignore_index=True)[columns]
    return whole.sort_values(["step", "variable", "level"], ignore_index=True, kind="stable")


def _profile(left: ibis.Table, covariate: Covariate, variable: Variable) -> pd.DataFrame | None:
    """One variable of those who left, by step."""
    if is_in_words(covariate, variable):
        level = left._value.cast("string").fill_null("")
        counted = left.group_by(step=left._step, level=level).agg(n=_._person.nunique())
        counted = counted.mutate(n_missing=ibis.literal(0), mean=ibis.null("float64"))
        frame = counted.execute()
        words = words_of(variable)
        levels = frame["level"].map(lambda code: words.get(code, code) if code else code)
        return frame.assign(level=levels)
    if covariate.cut is not None:
        return None
    value = left._value * unit_factor(covariate, variable)
    counted = left.group_by(step=left._step).agg(
        n=left._person.nunique(where=left._value.notnull()),
        n_missing=left._person.nunique(where=left._value.isnull()),
        mean=value.mean(),
    )
    return counted.mutate(level=ibis.literal("")).execute()


def _population_checks(sources: Sources) -> dict[str, int]:
    """What the population register says that cannot be so, and was set right by a rule."""
    checks = {
        "number changes that lead in a circle": sources.n_circles,
        "earlier numbers with more than one successor, followed to none": sources.n_forks,
    }
    if sources.has_renumbered and "persons" in sources.roles:
        name = sources.roles["persons"]
        rows, used = sources.linked(name), sources.one_row_a_person(name)
        n_double = int(rows.count().execute()) - int(used.count().execute())
        checks["rows of persons under a number they no longer have, not used"] = n_double
    if "migrations" in sources.roles:
        checks[MOVES_BOTH_WAYS] = n_moves_both_ways(sources)
    return {check: n for check, n in checks.items() if n}


def _count_checks(rows: ibis.Table, table: Table) -> pd.DataFrame:
    """Impossible orders of dates and follow-up of no length: counted and shown, never dropped."""
    checks = {
        f"{variable_words(first, table)} after {variable_words(second, table)}": rows[first]
        > rows[second]
        for first, second in table.date_order
    }
    stays = rows._step.isnull()
    if "_length" in rows.columns:
        checks["in the study with follow-up of no length"] = stays & (rows._length == 0)
    if not checks:
        return pd.DataFrame({"check": pd.Series(dtype=str), "n_rows": pd.Series(dtype=int)})
    counted = rows.agg(
        **{f"c{at}": test.sum().fill_null(0) for at, test in enumerate(checks.values())},
        **{f"p{at}": rows._person.nunique(where=test) for at, test in enumerate(checks.values())},
    )
    values = counted.execute().iloc[0].astype(int).to_list()
    n = len(checks)
    return pd.DataFrame({"check": list(checks), "n_rows": values[:n], "n_persons": values[n:]})
