"""Survival curves, quantiles, means and tests agree with R's package survival (3.5-3, R 4.2.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from agreement import Reference, agrees, as_numbers, dataset, references

from workbench.analysis import survival

# what R's `prep` does: duration, event, grouping g and stratum st, perhaps entry and weight
FOLLOW_UP = {
    "colon.death": lambda d: _columns(d[d["etype"] == 2], "time", "status", "rx", "node4"),
    "colon.recur": lambda d: _columns(d[d["etype"] == 1], "time", "status", "rx", "node4"),
    "colrec.all": lambda d: _columns(d, "time", "stat", "stage", "site"),
    # R sorts these labels with a capital-blind alphabet
    "rotterdam.death": lambda d: _columns(
        d.assign(size=pd.Categorical(d["size"], ["<=20", ">50", "20-50"])),
        *("dtime", "death", "size", "grade"),
    ),
    "mgus2.death": lambda d: _columns(
        d.assign(st=pd.cut(d["dxyr"], [0, 1979, 1989, 2000]).astype(str)),
        *("futime", "death", "sex", "st"),
    ),
    "pbc.death": lambda d: _columns(
        d.assign(status=(d["status"] == 2).astype(int)), "time", "status", "edema", "sex"
    ),
    "lung.death": lambda d: _columns(
        d.assign(status=d["status"] - 1).dropna(subset="ph_ecog"),
        *("time", "status", "sex", "ph_ecog"),
    ),
    "sire.death": lambda d: _sire(d),
    "ovarian.death": lambda d: _columns(d, "futime", "fustat", "rx", "resid_ds"),
    "rotterdam.km": lambda d: _columns(d, "dtime", "death", "hormon", "grade"),
    "lung.more": lambda d: (
        _columns(d.assign(status=d["status"] - 1), "time", "status", "sex", "sex")
        .assign(entry=lambda d: d["age"] - 39.0, duration=lambda d: d["time"] + d["age"] - 39.0)
        .assign(weight=lambda d: 0.5 + (d["age"] % 4) / 4)
    ),
}
TESTS = {
    "logrank": {},
    "own": {},
    "peto_rho1": {"weighting": "peto"},
    "rho05": {"rho": 0.5},
    "gehan": {"weighting": "gehan"},
    "tarone_ware": {"weighting": "tarone-ware"},
    "fh_0_1": {"gamma": 1},
    "fh_1_1": {"rho": 1, "gamma": 1},
}
KM, TESTED, MORE = references("km"), references("tests"), references("cox_more")
BASIC = {"duration": "duration", "event": "event"}


def _columns(persons: pd.DataFrame, time: str, status: str, group: str, layer: str) -> pd.DataFrame:
    facts = {"duration": persons[time], "event": persons[status]}
    return persons.assign(**facts, g=persons[group], st=persons[layer])


def _sire(persons: pd.DataFrame) -> pd.DataFrame:
    diagnosis, left = pd.to_datetime(persons["dg_date"]), pd.to_datetime(persons["ex_date"])
    made = persons.assign(
        duration=(left - diagnosis).dt.days,
        event=(persons["status"] > 0).astype(int),
        g=np.digitize(persons["dg_age"], [0, 45, 55, 65, 75]),
        st=1 + (diagnosis.dt.year >= 2003),
    )
    return made[diagnosis < left]


def _persons(ref: Reference) -> pd.DataFrame:
    return FOLLOW_UP[".".join(ref.id.split(".")[:2])](dataset(ref.dataset))


def _of(refs: dict[str, Reference], *kinds: str) -> list:
    chosen = [r for name, r in refs.items() if any(kind in f"{name}." for kind in kinds)]
    chosen = [r for r in chosen if (".more." in r.id) == (".more." in kinds)]
    return [pytest.param(ref, id=ref.id) for ref in chosen]


def _text(group: object) -> str:
    return f"{group:g}" if isinstance(group, float) else str(group)


def _group(label: str) -> str:
    return label.partition("=")[2]


def _beside(found: pd.DataFrame, at: pd.DataFrame) -> pd.DataFrame:
    """R's rows with ours at the same group and time; R leaves out times past the follow-up."""
    ours = found.assign(strata=found["g"].map(_text) if "g" in found else "")
    theirs = at.assign(strata=at["strata"].map(_group))
    both = ours.merge(theirs, on=["strata", "time"], how="outer", suffixes=("", "_r"))
    assert both["at_risk"].notna().all()
    first_r = next(name for name in at if name not in ("strata", "time"))
    first_r = f"{first_r}_r" if first_r in ours else first_r
    in_r = both[both[first_r].notna()]
    assert both.loc[both[first_r].isna(), "estimate"].isna().all()
    assert len(in_r) == len(at)
    return in_r


def _compare_curve(ref: Reference, what: str, in_r: pd.DataFrame, *, entry: bool = False) -> None:
    if not entry:
        # with entry, R counts at risk at the next event after the time, not at the time itself
        agrees(ref, f"{what}: at_risk", in_r["at_risk"], in_r["n_risk"].tolist())
    agrees(ref, f"{what}: estimate", in_r["estimate"], in_r["surv"].tolist())
    agrees(ref, f"{what}: std_error", in_r["std_error"], in_r["std_err"].tolist())
    # in one place (sire, no event before day 30) R leaves the interval of an estimate of 1 empty
    in_r = in_r[in_r["lower_r"].notna() | (in_r["surv"] < 1)]
    agrees(ref, f"{what}: lower", in_r["lower"], in_r["lower_r"].tolist())
    agrees(ref, f"{what}: upper", in_r["upper"], in_r["upper_r"].tolist())


def _interval(ref: Reference) -> str:
    quoted = [kind for kind in ("log-log", "plain") if f'"{kind}"' in ref.call]
    return quoted[0] if quoted else "log"


@pytest.mark.parametrize("ref", _of(KM, ".km."))
def test_kaplan_meier_equals_survfit(ref):
    persons, at = _persons(ref), pd.DataFrame(ref.value["at"])
    options = BASIC | {"by": "g" if at["strata"].iloc[0] else None}
    found = survival.kaplan_meier(
        persons, **options, times=sorted(at["time"].unique()), interval=_interval(ref)
    )
    _compare_curve(ref, "survival.kaplan_meier", _beside(found, at))
    every_time = survival.kaplan_meier(persons, **options)
    total = every_time["events"].sum()
    agrees(ref, "survival.kaplan_meier: events", total, ref.value["n_event_total"])


@pytest.mark.parametrize("ref", _of(MORE, "rotterdam.km."))
def test_kaplan_meier_with_entry_or_weights_equals_survfit(ref):
    at = pd.DataFrame(ref.value["at"])
    persons, options, entry = _persons(ref), BASIC, "lefttrunc" in ref.id
    if entry:
        t0 = persons["age"] * 365
        persons = persons.assign(entry=t0, duration=t0 + persons["dtime"])
        persons, options = persons[persons["age"] >= 60], options | {"entry": "entry"}
    else:
        persons = persons.assign(weight=0.5 + (persons["pid"] % 4) / 4)
        options = options | {"by": "g", "weight": "weight"}
    times = sorted(at["time"].unique())
    found = survival.kaplan_meier(persons, **options, times=times, interval="log")
    _compare_curve(ref, "survival.kaplan_meier", _beside(found, at), entry=entry)


@pytest.mark.parametrize("ref", _of(KM, ".more."))
def test_entry_and_weights_together_equal_survfit(ref):
    persons = _persons(ref)
    if "entry" not in ref.id and "quantiles" not in ref.id:
        persons = persons.drop(columns="entry")
    if ref.id.endswith(".entry"):
        persons = persons.drop(columns="weight")
    options = {name: name for name in ("entry", "weight") if name in persons}
    options = BASIC | options | {"by": "g"}
    if ref.id.endswith("quantiles"):
        found = survival.quantiles(persons, **options, q=[0.25, 0.5], interval="log")
        for name, theirs in (("estimate", "quantile"), ("lower", "lower"), ("upper", "upper")):
            agrees(ref, f"survival.quantiles: {name}", found[name], ref.value[theirs])
        return
    at, times = pd.DataFrame(ref.value), sorted(set(ref.value["time"]))
    curve = _beside(survival.kaplan_meier(persons, **options, times=times, interval="log"), at)
    hazard = _beside(survival.nelson_aalen(persons, **options, times=times), at)
    what = "survival.kaplan_meier"
    agrees(ref, f"{what}: estimate", curve["estimate"], curve["surv"].tolist())
    agrees(ref, f"{what}: std_error", curve["std_error"], curve["std_err"].tolist())
    agrees(ref, f"{what}: lower", curve["lower"], curve["lower_r"].tolist())
    agrees(ref, f"{what}: upper", curve["upper"], curve["upper_r"].tolist())
    what = "survival.nelson_aalen"
    agrees(ref, f"{what}: estimate", hazard["estimate"], hazard["cumhaz"].tolist())
    agrees(ref, f"{what}: std_error", hazard["std_error"], hazard["std_chaz"].tolist())


@pytest.mark.parametrize("ref", _of(KM, ".fleming_harrington"))
def test_fleming_harrington_equals_survfit(ref):
    at = pd.DataFrame(ref.value["at"])
    found = survival.fleming_harrington(
        _persons(ref), **BASIC, by="g", times=sorted(at["time"].unique()), interval="log"
    )
    _compare_curve(ref, "survival.fleming_harrington", _beside(found, at))


@pytest.mark.parametrize("ref", _of(KM, ".nelson_aalen"))
def test_nelson_aalen_equals_survfit(ref):
    at = pd.DataFrame(ref.value)
    found = survival.nelson_aalen(_persons(ref), **BASIC, by="g", times=sorted(at["time"].unique()))
    in_r = _beside(found, at)
    agrees(ref, "survival.nelson_aalen: estimate", in_r["estimate"], in_r["cumhaz"].tolist())
    agrees(ref, "survival.nelson_aalen: std_error", in_r["std_error"], in_r["std_chaz"].tolist())


@pytest.mark.parametrize("ref", _of(KM, ".quantiles."))
def test_quantiles_equal_quantile_survfit(ref):
    value = ref.value
    found = survival.quantiles(
        _persons(ref), **BASIC, by="g", q=value["probs"], interval=_interval(ref)
    )
    assert found["g"].map(_text).drop_duplicates().tolist() == list(map(_group, value["strata"]))
    for name, theirs in (("estimate", "quantile"), ("lower", "lower"), ("upper", "upper")):
        ours = found[name].to_numpy().reshape(len(value["strata"]), -1)
        agrees(ref, f"survival.quantiles: {name}", ours, value[theirs])


@pytest.mark.parametrize("ref", _of(KM, ".rmst"))
def test_restricted_mean_equals_summary_survfit(ref):
    value = ref.value
    found = survival.restricted_mean(_persons(ref), **BASIC, by="g", horizon=value["tau"])
    assert found["g"].map(_text).tolist() == list(map(_group, value["strata"]))
    agrees(ref, "survival.restricted_mean: estimate", found["estimate"], value["rmean"])
    agrees(ref, "survival.restricted_mean: std_error", found["std_error"], value["se"])


@pytest.mark.parametrize("ref", [pytest.param(ref, id=name) for name, ref in TESTED.items()])
def test_log_rank_tests_equal_survdiff(ref):
    parts, value = ref.id.split("."), ref.value
    kind = "own" if parts[-1] == "own" else parts[2]
    strata = "st" if parts[-1] == "strata" else None
    found = survival.logrank(_persons(ref), **BASIC, by="g", strata=strata, **TESTS[kind])
    table, what = found.table, "survival.logrank"
    assert table["g"].map(_text).tolist() == [g.removeprefix("g=") for g in value["groups"]]
    agrees(ref, f"{what}: statistic", found.statistic, value["chisq"])
    agrees(ref, f"{what}: p_value", found.p_value, value["p"])
    agrees(ref, f"{what}: degrees_of_freedom", found.degrees_of_freedom, value["df"])
    scale = np.abs(as_numbers(value["variance"])).max()
    agrees(ref, f"{what}: variance", found.variance / scale, as_numbers(value["variance"]) / scale)
    if "U" in value:
        ours, theirs = table["observed"] - table["expected"], as_numbers(value["U"])
        size = np.abs(theirs).max()
        agrees(ref, f"{what}: observed - expected", ours / size, theirs / size)
    else:
        for column in ("n", "observed", "expected"):
            agrees(ref, f"{what}: {column}", table[column], value[column])


if not any(not ref.is_compact for ref in KM.values()):

    def test_shared_references_are_run():
        pytest.skip("no shared/ beside this checkout: only the vectors in this folder were run")
