"""A study: one typed document that says which persons, from when, until what, shown how.

Everything that definitions alone can decide is checked here, before anything runs, and all faults
are told together. What needs the notebook or the store is added by the runner's plan.
"""

from workbench.study.checks import check_study
from workbench.study.model import DAYS_IN, Condition, Study, is_study_key, load_study

__all__ = ["DAYS_IN", "Condition", "Study", "check_study", "is_study_key", "load_study"]
