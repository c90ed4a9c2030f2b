"""A study: one typed document that says which persons, from when, until what, shown how.

Everything that definitions alone can decide is checked here, before anything runs, and all faults
are told together. What needs the notebook or the store is added by the runner's plan.
"""

from workbench.study.checks import check_study
from workbench.study.definitions import Definitions, column_variable, load_definitions
from workbench.study.model import (
    DAYS_IN,
    Covariate,
    RelativeSurvival,
    Study,
    UnitRules,
    is_study_key,
    load_study,
)
from workbench.study.rows import CodeChoice, Condition, LinkedEvent, RowTest, Window
from workbench.study.source_rules import Lag, SourceComparison

__all__ = [
    "DAYS_IN",
    "CodeChoice",
    "Condition",
    "Covariate",
    "Definitions",
    "Lag",
    "LinkedEvent",
    "RelativeSurvival",
    "RowTest",
    "SourceComparison",
    "Study",
    "UnitRules",
    "Window",
    "check_study",
    "column_variable",
    "is_study_key",
    "load_definitions",
    "load_study",
]
