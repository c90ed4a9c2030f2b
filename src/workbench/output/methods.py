"""What was computed and where the method comes from, in sentences that stand under a result."""

from __future__ import annotations

METHODS = {
    "flow": "Each row is counted at the first reason that holds.",
    "leavers": "Persons who left at each step, where enough of them did; the mean of numbers.",
    "checks": "Rows counted and shown; none of them was left out for this.",
    "comparison": (
        "Comparison persons are drawn from the population for each patient, alike in what the "
        "study matches on, alive and in the country on the index date and no patient until "
        "then; by the study's seed, without replacement for one patient."
    ),
    "links": (
        "Persons are the same when their pseudonyms are; rows under an earlier identity number "
        "count for the person who has the new one. Found means at least one row, whenever."
    ),
    "conflicts": "Rows of the cohort beside the population register, where both say something.",
    "quality": (
        "Missing is no value, or a code that means not known; only years in which the variable was "
        "collected. A jump is a change of 10 percentage points or more from the year before and "
        "beyond four standard errors."
    ),
    "deliveries": "Rows read are rows kept and rows set aside; each version stays in the store.",
    "faults": "Rows set aside broke a rule of the definition; what is worth knowing was kept.",
    "repeats": "Rows beyond the first that share these values; they may be true.",
    "table_one": (
        "Shares are of those with a known value; missing values are counted apart. Standardised "
        "difference: difference in means over the pooled standard deviation; for categories the "
        "Mahalanobis form (Yang and Dalton, SAS Global Forum 2012); with more than two groups the "
        "largest of all pairs."
    ),
    "kaplan_meier": (
        "Kaplan-Meier estimate with Greenwood's variance and 95 % intervals on the log-log scale. "
        "No step points at a person: the released curve is made from batches of persons."
    ),
    "incidence": (
        "Share of persons who have had each event (Aalen and Johansen, 1978), the others "
        "competing, with 95 % intervals on the log-log scale. No step points at a person: the "
        "released curves are made from batches of persons."
    ),
    "gray": (
        "Gray's test (1988): whether the incidence of the event differs between the groups, those "
        "who had a competing event staying at risk with their chance of not being censored."
    ),
    "fine_gray": (
        "Fine and Gray's model (1999) of the subdistribution hazard, with their robust variance. A "
        "ratio above 1 means a larger share with the event in the end, all else being equal."
    ),
    "net_survival": (
        "Net survival (Pohar Perme, Stare and Esteve, 2012): the share that would live on if "
        "nobody died of anything else; intervals on the log scale. Expected survival: Ederer I; "
        "observed: Kaplan-Meier. Times with few persons are joined with the next."
    ),
    "read_off": (
        "Read off the released Kaplan-Meier curve, whose distance from the exact one stands there."
    ),
    "median": (
        "The first time at which the released Kaplan-Meier curve is at or below one half; its "
        "interval inverts the curve's pointwise 95 % interval (Brookmeyer and Crowley, 1982)."
    ),
    "restricted_mean": (
        "Mean time without the event from the start to a given time: the area under the released "
        "Kaplan-Meier curve, with Greenwood's variance (Klein and Moeschberger, 2003, section 4.5)."
    ),
    "log_log": (
        "The released curves on the scale log(-log S) against log time. Where hazards are "
        "proportional the lines lie a constant distance apart; where they cross or close in, one "
        "hazard ratio does not tell the whole."
    ),
    "proportional_hazards": (
        "Score test for a change of each hazard ratio with time (Grambsch and Therneau, 1994, in "
        "the exact form of R's cox.zph since 2019), time on the scale of the Kaplan-Meier curve. A "
        "small p value: one ratio does not tell the whole. With many events small changes show too."
    ),
    "logrank": (
        "Log-rank test (Mantel, 1966) with the hypergeometric variance. It asks whether the curves "
        "differ at all, without adjustment."
    ),
    "cox": (
        "Cox's proportional hazards model with Efron's method for ties, 95 % intervals by Wald. "
        "Persons with a missing covariate are left out and counted. One ratio stands for all "
        "times; whether that holds is tested below."
    ),
    "funnel": (
        "Funnel around the nation's own share (sum over sum): mid-p binomial limits at 95 and "
        "99.8 %, the same function for curve and flag. From ten units on limits and flags allow "
        "for what units differ anyway (additive, winsorised at a tenth; Spiegelhalter, 2005); the "
        "grey lines are those of chance alone. Not adjusted for who the patients are."
    ),
    "ratios": (
        "Observed over expected by one national logistic model without the units; mid-p binomial "
        "limits, each patient of a unit with the unit's mean chance, which is a little wider than "
        "their own chances would be (Hoeffding, 1956). From ten units on limits and flags allow "
        "for what units differ anyway (additive). A unit's ratio is comparable with the nation, "
        "not with another unit's."
    ),
    "levels": (
        "Levels by the rule of the Norwegian portal (limits inclusive). A level is decided where "
        "the Jeffreys posterior gives it 95 % or more, and otherwise called not decided."
    ),
    "effects": (
        "Random-intercept logistic model (adaptive quadrature, 15 nodes): shares drawn to the "
        "nation the more the fewer patients a unit has. Median odds ratio: the median, over pairs "
        "of units, of how many times as high the odds are in the higher one."
    ),
    "trends": (
        "Shares by year with Wilson intervals. An arrow only where the score test for a linear "
        "trend, corrected for continuity, is below 5 %; broken line: the units shown, together."
    ),
    "changes": (
        "Score test for a linear trend over the years, corrected for continuity; p values adjusted "
        "for the number of indicators and regions (Benjamini and Hochberg, 1995). An arrow where "
        "the adjusted p is below 5 %: of all arrows at most one in twenty is expected to be chance."
    ),
    "composition": "Shares of each unit's patients; units with few of some kind are not shown.",
    "coverage": (
        "Cases linked by person and day. Union: register over either source; gold standard: those "
        "of the reference that the register has; frequency: numbers alone, above 1 possible; "
        "Chapman: an estimate of all cases, with those in neither source."
    ),
    "basis": (
        "Coverage: of the other source's cases of the unit, those the register has. Lowest and "
        "highest: the share if none or all of the missing cases had the event. Tipping point: the "
        "part of them that must have had it for the unit to be where the nation is."
    ),
    "standing": (
        "What data can answer is answered from this report's own numbers; the rest is what the "
        "register says of itself, with year and place. What nobody has answered counts as not met."
    ),
    "prom": (
        "Mean scores of those who answered, with Student's interval; shown from 30 patients asked "
        "and 15 answers. Hollow and grey where fewer than 60 % answered: those who did may differ "
        "from those who did not."
    ),
    "response": "Answers over questionnaires sent, with Wilson's interval, 95 %.",
    "change": (
        "Difference of the pooled shares after and before, Newcombe's interval, widened where "
        "points vary more than chance makes. A difference after a change is not proof of its cause."
    ),
    "charts": (
        "Laney's P' chart with limits no narrower than the binomial ones, and the NHS rules: a "
        "point outside the limits, seven on one side, seven rising or falling, two of three near a "
        "limit. Below ten points there are no limits."
    ),
    "found": "Cases of the reference that the register has, linked by person and day.",
    "lag": (
        "Reverse-time Kaplan-Meier (Lagakos, 1988): reports that have not come yet are allowed "
        "for. Said among reports that arrive within the longest delay of the study."
    ),
    "nowcast": (
        "Reported over the part of reports that has come, negative binomial around it, with the "
        "uncertainty of the lag. Provisional years may still change."
    ),
    "backlog": "Cases of the reference that have no form, times the minutes a form takes.",
}
