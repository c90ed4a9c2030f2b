"""Relative survival: how patients live compared with people of the same age, sex and year."""

from workbench.analysis.relative.beside import survival_beside_population
from workbench.analysis.relative.comparison import NetSurvivalTest, net_survival_test
from workbench.analysis.relative.crude import crude_probability, years_of_life_lost
from workbench.analysis.relative.excess import ExcessHazardFit, excess_hazard
from workbench.analysis.relative.expected import expected_survival
from workbench.analysis.relative.life_table import LifeTable
from workbench.analysis.relative.standards import ICSS
from workbench.analysis.relative.survival import net_survival

__all__ = [
    "ICSS",
    "ExcessHazardFit",
    "LifeTable",
    "NetSurvivalTest",
    "crude_probability",
    "excess_hazard",
    "expected_survival",
    "net_survival",
    "net_survival_test",
    "survival_beside_population",
    "years_of_life_lost",
]
