"""A study's persons beside the life table it names: units converted once, for every notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from workbench.analysis import relative
from workbench.errors import StudyError
from workbench.registers.life_tables import LifeTableFile
from workbench.registers.variables import Variable
from workbench.study import DAYS_IN, Study

DAYS, AGE = "_days", "_age_in_days"
WHOLE_DAYS = 6  # decimals: a conversion to years and back leaves a rest far below


def open_life_table(file: LifeTableFile) -> relative.LifeTable:
    """Read a life table as its definition says; its sexes become the words male and female."""
    is_called = file.definition
    texts = dict.fromkeys((is_called.sex, *is_called.strata), str)
    frame = pd.read_csv(file.path, dtype=texts)
    if is_called.sex in frame:
        words = {code: word for word, code in is_called.sexes.items()}
        frame = frame.assign(**{is_called.sex: frame[is_called.sex].map(words)})
        frame = frame[frame[is_called.sex].notna()]
    return relative.LifeTable.from_frame(
        frame,
        age=is_called.age,
        year=is_called.year,
        sex=is_called.sex,
        hazard=is_called.hazard,
        probability=is_called.probability,
        per=is_called.per,
        strata=is_called.strata,
        days_per_year=is_called.days_per_year,
    )


def beside_population(
    persons: pd.DataFrame,
    study: Study,
    life_table: relative.LifeTable,
    age: Variable,
    *,
    times: Sequence[float],
    by: str | None,
) -> pd.DataFrame:
    """Observed, expected and net survival at times in the study's unit.

    `age` is what the study's age variable is; see `relative.survival_beside_population`.
    """
    rules = study.relative_survival
    if rules is None or study.follow_up is None:
        raise StudyError("The study names no life table: give it relative_survival.")
    in_days = DAYS_IN[study.follow_up.unit]
    age_unit = str(study.variables[rules.age].unit or age.unit)
    frame = persons.assign(
        **{
            DAYS: (persons["follow_up"] * in_days).round(WHOLE_DAYS),
            AGE: (persons[rules.age] * DAYS_IN[age_unit]).round(WHOLE_DAYS),
        }
    )
    columns: dict[str, Any] = {"age": AGE, "sex": rules.sex, "start_date": "index_date"}
    found = relative.survival_beside_population(
        frame,
        life_table,
        duration=DAYS,
        event="has_event",
        by=by,
        times=[time * in_days for time in times],
        age_unit="days",
        **columns,
    )
    return found.assign(time=(found["time"] / in_days).round(WHOLE_DAYS))
