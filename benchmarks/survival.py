"""Survival at register scale, beside lifelines and R: ratios of median times, and peak memory.

All tools see the same persons; data are in memory in the form each wants, except where a row says
"from the store" (a Parquet file, counted by the engine). R runs in its own process and times the
call alone. A tool that is not installed is left out. One function a row.

    python benchmarks/survival.py [ROW ...] [--persons N] [--rounds K]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import ibis
import numpy as np
import pandas as pd

from workbench.analysis import competing, survival
from workbench.analysis.counts import event_counts

GROUPS, LONGEST = 21, 5479
NAMES = {"duration": "days", "event": "died"}
READ_IN_R = """
n <- {n}
t <- readBin("{folder}/days", "{kind}", n, size = {size})
e <- readBin("{folder}/what", "integer", n, size = 4)
g <- readBin("{folder}/region", "integer", n, size = 4)
s <- numeric(0)
for (i in 1:{rounds}) s <- c(s, system.time({call})[["elapsed"]])
cat(median(s))
"""


def persons(n: int, *, whole: bool, seed: int = 4) -> pd.DataFrame:
    """Invented persons: three fifths censored, two causes, 21 regions."""
    random = np.random.default_rng(seed)
    region = random.integers(0, GROUPS, n).astype(np.int32)
    until = random.exponential(5000 * (1 + region / 40), n)
    censored = random.uniform(0, LONGEST, n)
    days = np.minimum(until, censored)
    what = np.where(until <= censored, 1 + (random.random(n) < 0.23), 0).astype(np.int32)
    if whole:
        days = np.floor(days).astype(np.int32)
    return pd.DataFrame({"days": days, "what": what, "region": region})


def median_time(call: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def in_r(table: pd.DataFrame, folder: Path, call: str, rounds: int, package: str) -> float | None:
    """Median seconds of a call in R, or None where R or its package is missing."""
    for name in table:
        table[name].to_numpy().tofile(folder / name)
    kind = "integer" if table["days"].dtype.kind == "i" else "double"
    facts = {"n": len(table), "folder": folder, "rounds": rounds, "call": call, "kind": kind}
    script = f"suppressMessages(library({package}))\n"
    script += READ_IN_R.format(**facts, size=table["days"].dtype.itemsize)
    try:
        done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return float(done.stdout.split()[-1])


def by_lifelines(table: pd.DataFrame) -> None:
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import multivariate_logrank_test

    for _, part in table.groupby("region"):
        KaplanMeierFitter().fit(part["days"], part["died"])
    multivariate_logrank_test(table["days"], table["region"], table["died"])


def by_us(table: pd.DataFrame | ibis.Table) -> None:
    made = event_counts(table, **NAMES, by="region")
    survival.kaplan_meier(made, by="region")
    survival.logrank(made, by="region")


def from_store(file: Path) -> None:
    by_us(ibis.duckdb.connect().read_parquet(file))


KM_IN_R = "{survfit(Surv(t, e) ~ g); survdiff(Surv(t, e) ~ g)}"


def km_store(n: int, rounds: int, folder: Path) -> dict[str, float | None]:
    """Kaplan-Meier and log-rank of 21 groups, whole days, from the store (goal: 12x / 60x)."""
    table = persons(n, whole=True).assign(died=lambda d: (d["what"] > 0).astype(np.int32))
    table.to_parquet(folder / "persons.parquet")
    found = {"workbench": median_time(lambda: from_store(folder / "persons.parquet"), rounds)}
    found["workbench, frame"] = median_time(lambda: by_us(table), rounds)
    few = 1 if n > 3_000_000 else rounds
    found["lifelines"] = median_time(lambda: by_lifelines(table), few)
    two = table.assign(what=table["died"]).drop(columns="died")
    found["R survival"] = in_r(two, folder, KM_IN_R, few, "survival")
    return found


def km_continuous(n: int, rounds: int, folder: Path) -> dict[str, float | None]:
    """Kaplan-Meier and log-rank of 21 groups, every time its own (goal: 1x / 3x)."""
    n = min(n, 1_000_000)
    table = persons(n, whole=False).assign(died=lambda d: (d["what"] > 0).astype(np.int32))
    found = {"workbench": median_time(lambda: by_us(table), rounds)}
    found["lifelines"] = median_time(lambda: by_lifelines(table), rounds)
    two = table.assign(what=table["died"]).drop(columns="died")
    found["R survival"] = in_r(two, folder, KM_IN_R, 1, "survival")
    return found


def incidence(n: int, rounds: int, folder: Path) -> dict[str, float | None]:
    """Aalen-Johansen of two causes with variance, whole days (goal: 50x the fastest)."""
    n = min(n, 1_000_000)
    table = persons(n, whole=True)
    names = {"duration": "days", "event": "what"}
    found = {
        "workbench": median_time(lambda: competing.cumulative_incidence(table, **names), rounds)
    }
    found["R cuminc"] = in_r(table, folder, "cuminc(t, e)", rounds, "cmprsk")
    found["R prodlim"] = in_r(table, folder, "prodlim(Hist(t, e) ~ 1)", rounds, "prodlim")
    if find_spec("sksurv"):
        from sksurv.nonparametric import cumulative_incidence_competing_risks as by_sksurv

        what, days = table["what"].to_numpy(), table["days"].to_numpy(float)
        call = lambda: by_sksurv(what, days, conf_type="log-log")  # noqa: E731
        found["scikit-survival"] = median_time(call, 1)
    return found


ROWS = {"km_store": km_store, "km_continuous": km_continuous, "incidence": incidence}
PEAK = """
import sys
sys.path.insert(0, sys.argv[1])
import survival
from pathlib import Path
survival.from_store(Path(sys.argv[2]))
survival.print_peak()
"""


def print_peak() -> None:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def peak_memory(n: int, folder: Path) -> float:
    """Largest memory in MiB of a process of its own that reads and counts from the store."""
    file = folder / "peak.parquet"
    persons(n, whole=True).assign(died=lambda d: (d["what"] > 0).astype(np.int32)).to_parquet(file)
    command = [sys.executable, "-c", PEAK, str(Path(__file__).parent), str(file)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def versions() -> str:
    found = []
    for name in ("numpy", "pandas", "duckdb", "lifelines", "scikit-survival"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="rows to run (all)")
    parser.add_argument("--persons", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(
        f"{date.today()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions()}"
    )
    with TemporaryDirectory() as name:
        folder = Path(name)
        for row in asked.rows or ROWS:
            print(f"\n{ROWS[row].__doc__}")
            found = ROWS[row](asked.persons, asked.rounds, folder)
            for tool, seconds in found.items():
                told = "not installed" if seconds is None else f"{seconds:9.3f} s"
                ratio = "" if seconds is None else f"  {seconds / found['workbench']:8.1f} x"
                print(f"  {tool:20s} {told}{ratio}")
        if not asked.rows or "km_store" in asked.rows:
            print(f"\nPeak memory from the store: {peak_memory(asked.persons, folder):.0f} MiB")


if __name__ == "__main__":
    main()
