"""Person-years, standardised ratios and rates equal popEpi's, survival's and R's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from agreement import SHARED, agrees, dataset, references

from workbench.analysis import rates, regression
from workbench.analysis.rates.time_scales import calendar_years

REFS = references("rates")
if SHARED.exists():
    EXPECTED = references("expected")
FOLLOWED = {"start": "dg_date", "end": "ex_date", "event": "dead"}
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared folder is not here")


def sire() -> pd.DataFrame:
    persons = dataset("sire").assign(dead=lambda d: (d["status"] > 0).astype(int))
    return persons[persons["dg_date"] < persons["ex_date"]]


def time_since(cuts: list[float]) -> rates.Scale:
    return rates.scale(cuts, origin="dg_date")


@needs_shared
def test_person_years_by_follow_up():
    ref = REFS["sire.f.persontime.fot"]
    scales = {"fot": time_since([0, 1 / 12, 0.25, 0.5, 1, 2, 3, 5, 10, 20])}
    found = rates.person_time(sire(), **FOLLOWED, scales=scales, years="calendar")
    agrees(ref, "rates.person_time: person_years", found["person_years"], ref.value["pyrs"])
    agrees(ref, "rates.person_time: events", found["events"], ref.value["from0to1"])
    agrees(ref, "rates.person_time: n", found["n"], ref.value["at.risk"])


@needs_shared
def test_person_years_by_age_and_calendar_year():
    ref = REFS["sire.f.persontime.agexperiod"]
    ages = rates.scale([0, *range(40, 91, 5), np.inf], origin="bi_date")
    scales = {"agegroup": ages, "period": rates.scale(range(1994, 2014))}
    found = rates.person_time(sire(), **FOLLOWED, scales=scales, years="calendar")
    theirs = pd.DataFrame(ref.value)
    both = found.merge(theirs, on=["agegroup", "period"], how="outer")
    assert len(both) == len(found) == len(theirs)
    agrees(ref, "rates.person_time: person_years", both["person_years"], both["pyrs"])
    agrees(ref, "rates.person_time: events", both["events"], both["from0to1"])


def cells() -> pd.DataFrame:
    scales = {
        "fot": time_since([0, 1, 5, 10, np.inf]),
        "agegroup": rates.scale(range(1, 101), origin="bi_date"),
        "year": rates.scale(range(1993, 2014)),
    }
    found = rates.person_time(sire(), **FOLLOWED, scales=scales, years="calendar")
    return found.assign(sex=1)


def ratio(**how: object) -> pd.DataFrame:
    return rates.standardised_ratio(
        cells(), dataset("popmort_fi"), on=["sex", "year", "agegroup"], rate="haz", **how
    )


@needs_shared
def test_observed_over_expected_with_exact_intervals():
    ref = REFS["sire.f.sir.unrounded"]
    found, value = ratio(by="fot"), ref.value
    names = {"observed": "obs", "expected": "exp", "person_years": "pyrs", "estimate": "smr"}
    for ours, theirs in {**names, "lower": "lo_exact", "upper": "hi_exact"}.items():
        agrees(ref, f"rates.standardised_ratio: {ours}", found[ours], value[theirs])


@needs_shared
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("sire.f.sir.all", {"interval": "profile"}),
        ("sire.f.sir.fot", {"by": "fot", "interval": "profile"}),
        ("sire.f.sir.wald", {"by": "fot", "interval": "wald"}),
    ],
)
def test_observed_over_expected_as_popepi_rounds_it(name, how):
    ref, found = REFS[name], ratio(**how)
    for ours, theirs in {"estimate": "sir", "lower": "sir.lo", "upper": "sir.hi"}.items():
        agrees(
            ref,
            f"rates.standardised_ratio ({how['interval']}): {ours}",
            found[ours].round(4),
            ref.value[theirs],
            rtol=1e-7,
            atol=1.1e-4,
        )


def test_directly_standardised_rates():
    ref = REFS["lungdk.directstd"]
    deaths = dataset("lungdk")
    standard = dict(zip(range(0, 90, 5), dataset("stdpop18")["nordic"], strict=True))
    found = rates.direct_standardised(
        deaths, stratum="A5", weights=standard, events="D", person_years="Y", by="P5"
    )
    for ours, theirs in {"estimate": "asr", "std_error": "se", "crude": "crude"}.items():
        agrees(ref, f"rates.direct_standardised: {ours}", found[ours], ref.value[theirs])


@needs_shared
def test_person_years_by_attained_age_as_survivals_pyears():
    ref = EXPECTED["mgus2.pyears.attained"]
    persons = dataset("mgus2").assign(
        start=pd.Timestamp("2000-01-01"),
        end=lambda d: d["start"] + pd.to_timedelta(d["futime"] * 30.5 + 1, unit="D"),
    )
    # ages in days of 365.25 to a year; ours of 365.2425: the birth date is moved so that they meet
    born = persons["start"] - pd.to_timedelta((persons["age"] * 365.25).round(), unit="D")
    found = rates.person_time(
        persons.assign(born=born), start="start", end="end", event="death", by="sex",
        scales={"age": rates.scale([0, *range(50, 101, 10), 120], origin="born")},
    )  # fmt: skip
    table = found.pivot_table(index="age", columns="sex", values="person_years", fill_value=0)
    agrees(
        ref,
        "rates.person_time: person_years",
        table.to_numpy() * 365.2425 / 365.25,
        ref.value["pyears"],
        rtol=2e-3,
        atol=0.6,
        because="survival counts 365.25 days a year, half days included; ours is the calendar's",
    )


@needs_shared
def test_piecewise_exponential_rates_as_glm_on_popepis_cells():
    ref, value = REFS["sire.f.poisson.piecewise"], REFS["sire.f.poisson.piecewise"].value
    persons = sire()
    first, last = (
        calendar_years(
            (pd.to_datetime(persons[name]) - pd.Timestamp("1970-01-01")).dt.days.to_numpy()
        )
        for name in ("dg_date", "ex_date")
    )
    ages = pd.cut(persons["dg_age"], [0, 55, 65, 75, np.inf], right=False, labels=False)
    fit = regression.piecewise_exponential(
        persons.assign(t=last - first, agegrp=ages.astype(str)), "interval + agegrp",
        duration="t", event="dead", cuts=[0, 0.25, 1, 3, 5],
    )  # fmt: skip
    what, why = "regression.piecewise_exponential", "glm stopped at epsilon = 1e-8: a step behind"
    table = fit.coefficients
    agrees(ref, f"{what}: coefficient", table["coefficient"], value["coef"], rtol=1e-7)
    agrees(ref, f"{what}: std_error", table["std_error"], value["se"], rtol=5e-6, because=why)
