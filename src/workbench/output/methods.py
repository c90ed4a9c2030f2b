"""What was computed and where the method comes from, in sentences that stand under a result."""

from __future__ import annotations

METHODS = {
    "flow": "Each row is counted at the first reason that holds, in the order shown.",
    "table_one": (
        "Shares are of those with a known value; missing values are counted apart. Standardised "
        "difference: difference in means over the pooled standard deviation; for categories the "
        "Mahalanobis form (Yang and Dalton, SAS Global Forum 2012); with more than two groups the "
        "largest of all pairs."
    ),
    "kaplan_meier": (
        "Kaplan-Meier estimate with Greenwood's variance and 95 % intervals on the log-log scale. "
        "Steps that stand for too few events are merged, so that the drawn curve may drop up to one "
        "step later than the exact one; at every drawn step it is exact."
    ),
    "read_off": (
        "Read off the released Kaplan-Meier curve: the estimate of the last drawn step up to the "
        "time asked for."
    ),
    "median": (
        "The first drawn step of the released Kaplan-Meier curve at or below one half; its "
        "interval inverts the curve's pointwise 95 % interval (Brookmeyer and Crowley, 1982)."
    ),
    "logrank": (
        "Log-rank test (Mantel, 1966) with the hypergeometric variance. It asks whether the curves "
        "differ at all, without adjustment."
    ),
    "cox": (
        "Cox's proportional hazards model with Efron's method for ties, 95 % intervals by Wald. "
        "Persons with a missing covariate are left out and counted. Whether hazards are "
        "proportional has not been tested here."
    ),
}
