"""Person-years and rates on a part of the data that is always here, and counts of every size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from agreement import Reference, agrees, dataset, references

from workbench.analysis import rates, regression

REFS = references("rates")
FOLLOWED = {"start": "dg_date", "end": "ex_date", "event": "dead"}


def part() -> pd.DataFrame:
    persons = dataset("sire_part").assign(dead=lambda d: (d["status"] > 0).astype(int))
    return persons[persons["dg_date"] < persons["ex_date"]]


def test_person_years_since_diagnosis():
    ref = REFS["part.lexpand.fot"]
    cuts = [0, 1 / 12, 0.25, 0.5, 1, 2, 3, 5, 10, 20]
    scales = {"fot": rates.scale(cuts, origin="dg_date")}
    found = rates.person_time(part(), **FOLLOWED, scales=scales, years="calendar")
    for ours, theirs in {"person_years": "pyrs", "n": "at.risk", "events": "from0to1"}.items():
        agrees(ref, f"rates.person_time: {ours}", found[ours], ref.value[theirs])


def test_person_years_by_age_and_period():
    ref = REFS["part.lexpand.agexperiod"]
    scales = {
        "agegroup": rates.scale([0, 50, 70, np.inf], origin="bi_date"),
        "period": rates.scale([1994, 2000, 2006, 2013]),
    }
    found = rates.person_time(part(), **FOLLOWED, scales=scales, years="calendar")
    agrees(ref, "rates.person_time: person_years", found["person_years"], ref.value["pyrs"])
    agrees(ref, "rates.person_time: events", found["events"], ref.value["from0to1"])


def test_person_years_in_years_of_so_many_days_as_survivals_pyears():
    ref = REFS["part.pyears"]
    scales = {
        "age": rates.scale([0, 50, 60, 70, 80, 120], origin="bi_date"),
        "year": rates.scale([1993, 1998, 2003, 2008, 2013]),
    }
    # calendar years begin on 1 January whatever a year of age is
    years = [pd.Timestamp(f"{year}-01-01") for year in (1993, 1998, 2003, 2008, 2013)]
    days = [(day - pd.Timestamp("1970-01-01")).days / 365.25 for day in years]
    persons = part().assign(epoch="1970-01-01")
    scales["year"] = rates.scale(days, origin="epoch")
    found = rates.person_time(persons, **FOLLOWED, scales=scales, years=365.25)
    for ours, theirs in {"person_years": "pyears", "events": "event", "n": "n"}.items():
        table = found.pivot_table(index="age", columns="year", values=ours, fill_value=0)
        agrees(ref, f"rates.person_time: {ours}", table.to_numpy(), np.array(ref.value[theirs]))


def test_whole_days_between_birthdays():
    ref = REFS["part.by_birthdays"]
    scales = {
        "age": rates.scale(range(0, 116, 5), origin="bi_date"),
        "year": rates.scale(range(1993, 2015)),
    }
    found = rates.person_time(part(), **FOLLOWED, scales=scales)
    found = found[found["age"].isin([40, 65, 70, 85])]
    both = found.merge(
        pd.DataFrame(ref.value), on=["age", "year"], how="outer", suffixes=("", "_r")
    )
    agrees(ref, "rates.person_time: days", both["person_years"] * 365.2425, both["days"])
    agrees(ref, "rates.person_time: events", both["events"], both["events_r"])
    agrees(ref, "rates.person_time: n", both["n"], both["n_r"])


def test_rates_by_time_are_a_piecewise_exponential_model():
    ref, value = REFS["part.piecewise"], REFS["part.piecewise"].value
    persons = part()
    length = (pd.to_datetime(persons["ex_date"]) - pd.to_datetime(persons["dg_date"])).dt.days
    dead = persons["dead"].where(length <= 1826, 0)
    persons = persons.assign(t=length.clip(upper=1826), dead=dead, old=persons["dg_age"] >= 70)
    fit = regression.piecewise_exponential(
        persons.assign(old=persons["old"].astype(int)), "interval + old",
        duration="t", event="dead", cuts=[0, 91, 365, 1096, 1826],
    )  # fmt: skip
    what = "regression.piecewise_exponential"
    agrees(ref, f"{what}: coefficient", fit.coefficients["coefficient"], value["coef"], rtol=1e-7)
    agrees(ref, f"{what}: std_error", fit.coefficients["std_error"], value["se"], rtol=1e-7)


def observed_over_expected(value: dict[str, list[float]], **how: object) -> pd.DataFrame:
    group = [f"{i:02}" for i in range(len(value["observed"]))]
    table = pd.DataFrame({"g": group, "events": value["observed"], "person_years": 1.0})
    known = pd.DataFrame({"g": group, "rate": value["expected"]})
    return rates.standardised_ratio(table, known, on="g", by="g", **how)


@pytest.mark.parametrize("interval", ["exact", "byar", "mid-p", "profile"])
def test_limits_of_observed_over_expected(interval):
    ref = REFS[f"counts.{interval.replace('-', '')}"]
    found = observed_over_expected(ref.value, interval=interval)
    rtol = 1e-9 if interval in {"exact", "byar"} else 1e-7
    agrees(ref, "rates.standardised_ratio: lower", found["lower"], ref.value["lower"], rtol=rtol)
    agrees(ref, "rates.standardised_ratio: upper", found["upper"], ref.value["upper"], rtol=rtol)
    if "p_value" in ref.value:
        what = "rates.standardised_ratio: p_value"
        agrees(ref, what, found["p_value"], ref.value["p_value"], atol=1e-12)


def test_groups_beside_each_other():
    ref, value = REFS["counts.homogeneity"], REFS["counts.homogeneity"].value
    ratios = pd.DataFrame({name: value[name] for name in ("observed", "expected", "score")})
    found = rates.homogeneity(ratios)
    for name in ("statistic", "p_value"):
        agrees(ref, f"rates.homogeneity: {name}", found[name], value[name])
    trend = rates.homogeneity(ratios, trend="score")
    agrees(ref, "rates.homogeneity: trend", trend["statistic"], value["trend"])


@pytest.mark.parametrize(("name", "parts", "how"), [
    ("lungdk.gamma", 1, {}), ("lungdk.gamma.few", 100, {"confidence": 0.9}),
])  # fmt: skip
def test_directly_standardised_rates_with_gamma_limits(name, parts, how):
    ref = REFS[name]
    standard = dict(zip(range(0, 90, 5), dataset("stdpop18")["nordic"], strict=True))
    deaths = dataset("lungdk").groupby(["A5", "P5"])[["D", "Y"]].sum().reset_index()
    deaths["D"] //= parts
    found = rates.direct_standardised(
        deaths, stratum="A5", weights=standard, events="D", person_years="Y", by="P5", **how
    )
    names = {"crude": "crude", "estimate": "rate", "lower": "lower", "upper": "upper"}
    for ours, theirs in names.items():
        agrees(ref, f"rates.direct_standardised: {ours}", found[ours], ref.value[theirs])


def compared(ref: Reference, parts: int) -> tuple[pd.Series, pd.Series]:
    deaths = dataset("lungdk").groupby(["A5", "P5"])[["D", "Y"]].sum().reset_index()
    deaths["D"] //= parts
    how = {"group": "P5", "reference": 1943, "strata": "A5", "events": "D", "person_years": "Y"}
    both = deaths[deaths["P5"].isin([1943, 1993])]
    return rates.rate_ratio(both, **how).iloc[0], rates.rate_difference(both, **how).iloc[0]


def test_mantel_haenszel_ratio_and_difference_of_rates():
    ratio, difference = REFS["lungdk.mh.irr"], REFS["lungdk.mh.ird"]
    found_ratio, found_difference = compared(ratio, 1)
    for name, theirs in {"estimate": "b", "lower": "lower", "upper": "upper"}.items():
        agrees(
            ratio, f"rates.rate_ratio: log {name}", np.log(found_ratio[name]), ratio.value[theirs]
        )
        what = f"rates.rate_difference: {name}"
        agrees(difference, what, found_difference[name], difference.value[theirs])


def test_mantel_haenszel_with_strata_without_events():
    ref = REFS["lungdk.mh.few"]
    ratio, difference = compared(ref, 100)
    agrees(ref, "rates.rate_ratio: log estimate", np.log(ratio["estimate"]), ref.value["b"])
    agrees(ref, "rates.rate_ratio: p_value", ratio["p_value"], ref.value["p_value"])
    found = difference["estimate"]
    agrees(ref, "rates.rate_difference: estimate", found, ref.value["difference"])
    half = (difference["upper"] - difference["lower"]) / 2 / 1.959963984540054
    agrees(ref, "rates.rate_difference: std_error", half, ref.value["difference_se"])


def test_crude_ratio():
    ref = REFS["crude.ratio"]
    table = pd.DataFrame({"g": ["a", "b"], "events": [34, 2], "person_years": [1500, 1300]})
    found = rates.rate_ratio(table, group="g", reference="b").iloc[0]
    for name in ("estimate", "lower", "upper"):
        agrees(ref, f"rates.rate_ratio: {name}", found[name], ref.value[name])
