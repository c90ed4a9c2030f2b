"""Who is in a study, what is known of them before, and how long they are followed.

linkage      the study's tables on one engine, and whom each row is about
steps        reasons to leave, in order
windows      covariates from other registers         covariates  as the study wants them
follow_up    what ends it                            comparison  persons drawn from the population
ledger       who left where                          link_report how the registers fit
selection    all of it, in order
"""

from workbench.analysis.cohort.selection import Cohort, select_cohort

__all__ = ["Cohort", "select_cohort"]
