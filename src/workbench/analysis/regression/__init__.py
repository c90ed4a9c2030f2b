"""Regression models for outcomes of persons."""

from workbench.analysis.regression.cox import CoxFit, cox

__all__ = ["CoxFit", "cox"]
