"""Cox results agree with R's package survival (3.5-3, R 4.2.2).

Small vectors and their data lie in `vectors/survival.json` and `data/`. Where the project's
shared folder is present, every Efron Cox entry there is run too.
Curves and tests: test_curves_against_r.py. Cox coefficients to 1e-7.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import regression

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHARED = ROOT.parent / "shared" / "data"
EXAMPLE = ROOT / "examples" / "colorectal" / "data" / "colrec.csv"

# id: how the data are made, formula, the columns
COX = {
    "pbc.efron": (
        lambda d: d.assign(status=(d["status"] == 2).astype(int)),
        "age + edema + np.log(bili) + albumin + np.log(protime)",
        {},
    ),
    "pbc.robust.efron": (
        lambda d: d.assign(status=(d["status"] == 2).astype(int)),
        "age + edema + np.log(bili)",
        {},
    ),
    "colon.efron": (
        lambda d: _ordered(d[d["etype"] == 2], "rx", ["Obs", "Lev", "Lev+5FU"]),
        "rx + sex + age + obstruct + perfor + adhere + node4 + extent + surg",
        {},
    ),
    "colon.wlw.efron": (
        lambda d: _ordered(d, "rx", ["Obs", "Lev", "Lev+5FU"]),
        "rx + node4",
        {"strata": "etype"},
    ),
    "rotterdam.efron": (
        lambda d: _ordered(d, "size", ["<=20", "20-50", ">50"]),
        "age + meno + size + grade + np.minimum(nodes, 12) + np.log1p(pgr) + np.log1p(er)"
        " + hormon + chemo",
        {"duration": "dtime", "event": "death"},
    ),
    "rotterdam.cols30.efron": (
        lambda d: _ordered(d, "size", ["<=20", "20-50", ">50"]),
        "age + I(age**2) + meno + size + grade + np.minimum(nodes, 12) + np.sqrt(nodes)"
        " + np.log1p(pgr) + np.log1p(er) + hormon + chemo + C(year) + hormon:meno + chemo:grade",
        {"duration": "dtime", "event": "death"},
    ),
    "rotterdam.weights.efron": (
        lambda d: d.assign(w=0.5 + (d["pid"] % 4) / 4),
        "age + nodes + hormon",
        {"duration": "dtime", "event": "death", "weight": "w"},
    ),
    "rotterdam.strata.efron": (
        lambda d: d,
        "age + nodes + hormon",
        {"duration": "dtime", "event": "death", "strata": ["grade", "size"]},
    ),
    "rotterdam.lefttrunc.efron": (
        lambda d: _attained_age(d),
        "nodes + hormon + grade",
        {"duration": "t1", "event": "death", "entry": "t0"},
    ),
    "mgus2.months.efron": (
        lambda d: d,
        "age + sex + hgb + creat + mspike",
        {"duration": "futime", "event": "death"},
    ),
    "mgus2.years_heavyties.efron": (
        lambda d: d.assign(years=np.ceil((d["futime"] + 1) / 12)),
        "age + sex + hgb",
        {"duration": "years", "event": "death"},
    ),
    "colrec.efron": (
        lambda d: d.assign(
            agey=d["age"] / 365.241, yr=pd.to_datetime(d["diag"]).dt.year.astype(float) - 2000
        ),
        "agey + C(sex) + C(stage) + site + yr",
        {"event": "stat"},
    ),
    "sire.efron": (lambda d: _sire(d), "dg_age + yr", {}),
    "heart.timevarying.efron": (
        lambda d: d,
        "age + year + surgery + transplant",
        {"duration": "stop", "event": "event", "entry": "start"},
    ),
    "pbcseq.timevarying.efron": (
        lambda d: _visits(d),
        "age + np.log(bili) + albumin + np.log(protime) + edema",
        {"duration": "stop", "event": "event", "entry": "start"},
    ),
    "cgd.ag.cluster.efron": (
        lambda d: _ordered(d, "inherit", ["autosomal", "X-linked"]),
        "treat + inherit + steroids",
        {"duration": "tstop", "event": "status", "entry": "tstart"},
    ),
    "cgd.pwp.efron": (
        lambda d: d,
        "treat + steroids",
        {"duration": "tstop", "event": "status", "entry": "tstart", "strata": "enum"},
    ),
    "kidney.cluster.efron": (lambda d: d, "age + sex", {}),
    "lung.cluster_inst.efron": (
        lambda d: d[d["inst"].notna()].assign(status=lambda d: d["status"] - 1),
        "age + sex + ph_ecog",
        {},
    ),
    "rhdnase.cluster_inst.efron": (lambda d: _first_exacerbation(d), "trt + fev", {}),
}


def _ordered(persons: pd.DataFrame, column: str, levels: list[str]) -> pd.DataFrame:
    return persons.assign(**{column: pd.Categorical(persons[column], categories=levels)})


def _attained_age(persons: pd.DataFrame) -> pd.DataFrame:
    return persons.assign(t0=persons["age"] * 365, t1=persons["age"] * 365 + persons["dtime"])


def _sire(persons: pd.DataFrame) -> pd.DataFrame:
    diagnosis, left = pd.to_datetime(persons["dg_date"]), pd.to_datetime(persons["ex_date"])
    made = persons.assign(
        time=(left - diagnosis).dt.days,
        status=(persons["status"] > 0).astype(int),
        g=np.digitize(persons["dg_age"], [0, 45, 55, 65, 75]),
        st=1 + (diagnosis.dt.year >= 2003),
        yr=diagnosis.dt.year - 2000,
    )
    return made[diagnosis < left]


def _visits(visits: pd.DataFrame) -> pd.DataFrame:
    following = visits.groupby("id")["day"].shift(-1)
    last = following.isna()
    made = visits.assign(
        start=visits["day"],
        stop=following.where(~last, visits["futime"]),
        event=(last & (visits["status"] == 2)).astype(int),
    )
    return made[made["start"] < made["stop"]]


def _first_exacerbation(rows: pd.DataFrame) -> pd.DataFrame:
    persons = rows.drop_duplicates("id")
    followed = pd.to_datetime(persons["end_dt"]) - pd.to_datetime(persons["entry_dt"])
    until = persons["ivstart"].clip(lower=0.5).where(persons["ivstart"].notna(), followed.dt.days)
    return persons.assign(status=persons["ivstart"].notna().astype(int), time=until)


@functools.lru_cache
def _rows(dataset: str, folder: Path) -> pd.DataFrame:
    if dataset == "colrec" and folder == HERE / "data":
        if not EXAMPLE.exists():
            pytest.skip(f"{EXAMPLE.relative_to(ROOT)} is not in this checkout")
        return pd.read_csv(EXAMPLE)
    return pd.read_csv(folder / f"{dataset}.csv")


def _references(path: Path) -> dict[str, dict]:
    return {ref["id"]: ref for ref in json.loads(path.read_text(encoding="utf-8"))["refs"]}


SMALL = _references(HERE / "vectors" / "survival.json")
ALL: dict[str, dict] = {}
if SHARED.exists():
    for topic in ("cox",):
        ALL |= _references(SHARED / "reference" / f"{topic}.json")


def _is_supported(name: str) -> bool:
    return name in COX


def _cases(references: dict[str, dict], data: Path) -> list:
    return [pytest.param(ref, data, id=name) for name, ref in references.items()]


def _is_new(name: str) -> bool:
    # what the small vectors already cover is not run twice
    return name not in SMALL or (name.startswith("colrec") and not EXAMPLE.exists())


CASES = _cases(SMALL, HERE / "data") + _cases(
    {f"shared-{k}": ref for k, ref in ALL.items() if _is_supported(k) and _is_new(k)},
    SHARED / "open",
)


def _as_float(values: object) -> np.ndarray:
    flat = np.array(values, dtype=object)
    return np.array([np.nan if v is None else float(v) for v in flat.ravel()]).reshape(flat.shape)


def _assert_equal(found: object, reference: object, *, rtol: float = 1e-9) -> None:
    np.testing.assert_allclose(
        np.asarray(found, dtype=float), _as_float(reference), rtol=rtol, atol=1e-12
    )


def _of_kind(*parts: str) -> list:
    return [case for case in CASES if any(part in case.values[0]["id"] for part in parts)]


@pytest.mark.parametrize(("ref", "data"), _of_kind(".efron"))
def test_cox_equals_coxph(ref, data):
    make, formula, columns = COX[ref["id"]]
    persons, value = make(_rows(ref["id"].split(".")[0], data)), ref["value"]
    found = regression.cox(persons, formula, **({"duration": "time", "event": "status"} | columns))
    _assert_equal(found.coefficients["coefficient"], value["coef"], rtol=1e-7)
    _assert_equal(found.coefficients["std_error"], value["se"], rtol=1e-7)
    _assert_equal(found.log_likelihood, value["loglik"], rtol=1e-9)
    _assert_equal(found.concordance, value["concordance"], rtol=1e-9)
    assert (found.n, found.events) == (value["n"], value["nevent"])
    assert found.n_missing == len(persons) - value["n"]


if not ALL:

    def test_shared_references_are_run():
        pytest.skip("no shared/ beside this checkout: only the vectors in this folder were run")
