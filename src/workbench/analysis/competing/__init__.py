"""Competing events: cumulative incidence, and tests and models of it."""

from workbench.analysis.competing.fine_gray import FineGrayFit, fine_gray
from workbench.analysis.competing.gray import GrayTest, gray_test
from workbench.analysis.competing.incidence import cumulative_incidence

__all__ = ["FineGrayFit", "GrayTest", "cumulative_incidence", "fine_gray", "gray_test"]
