"""Fine-Gray results agree with R's cmprsk::crr, and with survival::finegray + coxph (Breslow)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from agreement import Reference, agrees, dataset, references

from workbench.analysis.competing.fine_gray import fine_gray

REFS = {
    key: ref
    for topic in ("fine_gray", "competing")
    for key, ref in references(topic).items()
    if ".finegray." in key
}
GROUPED = (
    "crr's sandwich with cengroup has a convention of its own, up to 0.2 % away; ours is Fine and "
    "Gray's formula summed over the groups, near the jackknife in the unit tests"
)


def _persons(name: str) -> pd.DataFrame:
    """What R's `prep` makes of the data set: time, cause, g and x1 to x3."""
    d = dataset(name)
    if name == "mgus2":
        columns = {
            "time": np.where(d["pstat"] == 1, d["ptime"], d["futime"]),
            "cause": np.where(d["pstat"] == 1, 1, 2 * d["death"]),
            **{"g": d["sex"], "x1": d["age"], "x2": (d["sex"] == "M").astype(int)},
            "x3": d["mspike"],
        }
    elif name == "rotterdam":
        columns = {
            "time": np.minimum(d["rtime"], d["dtime"]),
            "cause": np.where(d["recur"] == 1, 1, 2 * d["death"]),
            **{"g": d["grade"], "x1": d["age"] / 10, "x2": d["nodes"], "x3": d["hormon"]},
        }
    elif name == "pbc":
        columns = _pbc(d)
    else:
        columns = _sire(d)
    return pd.DataFrame(columns).dropna()


def _pbc(d: pd.DataFrame) -> dict[str, object]:
    return {
        "time": d["time"],
        "cause": d["status"].map({0: 0, 1: 2, 2: 1}),
        **{"g": d["sex"], "x1": d["age"], "x2": np.log(d["bili"]), "x3": d["albumin"]},
    }


def _sire(d: pd.DataFrame) -> dict[str, object]:
    start, end = pd.to_datetime(d["dg_date"]), pd.to_datetime(d["ex_date"])
    d, start, end = (part[start < end] for part in (d, start, end))
    return {
        "time": (end - start).dt.days,
        "cause": d["status"],
        "g": pd.cut(d["dg_age"], [0, 65, 75, np.inf], right=False, labels=False),
        "x1": d["dg_age"] / 10,
        "x2": start.dt.year - 2000,
        "x3": (d["dg_age"] > 80).astype(int),
    }


# Ties are Breslow's here, as in crr; Efron's are not offered for Fine-Gray.
OFFERED = {name: ref for name, ref in REFS.items() if ".efron." not in name}


@pytest.mark.parametrize("ref", OFFERED.values(), ids=OFFERED)
def test_fine_gray(ref: Reference):
    value = ref.value
    found = fine_gray(
        _persons(ref.dataset),
        "x1 + x2 + x3",
        duration="time",
        event="cause",
        cause=2 if ref.id.endswith(".c2") else 1,
        censoring_by="g" if ref.id.endswith(".cengroup") else None,
        convention="finegray" if ".coxph." in ref.id else "crr",
    )
    table, what = found.coefficients, "competing.fine_gray: "
    is_crr = ".crr." in ref.id
    agrees(ref, what + "coefficient", table["coefficient"], value["coef"], rtol=1e-7)
    plain, robust = ("se_info", "se") if is_crr else ("se", "robust_se")
    agrees(ref, what + "std_error", table["std_error"], value[plain], rtol=1e-7)
    agrees(ref, what + "log_likelihood", found.log_likelihood, value["loglik"])
    agrees(ref, what + "null_log_likelihood", found.null_log_likelihood, value["loglik_null"])
    loose = {"rtol": 3e-3, "because": GROUPED} if ref.id.endswith(".cengroup") else {"rtol": 1e-7}
    agrees(ref, what + "robust_std_error", table["robust_std_error"], value[robust], **loose)
    if not ref.id.endswith(".cengroup"):
        covariance = found.covariance.to_numpy()
        agrees(ref, what + "covariance", covariance, value["vcov"], rtol=1e-7, atol=1e-11)
    if is_crr:
        theirs = value["baseline"]
        jump = np.diff(found.baseline["cumulative_hazard"], prepend=0.0)
        place = np.searchsorted(found.baseline["time"], theirs["time"])
        agrees(ref, what + "baseline", jump[place], theirs["jump"], rtol=1e-7)
