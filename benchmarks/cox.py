"""Cox with Efron's ties beside R's coxph, lifelines and coxstream: ratios of median times.

Every tool starts from a frame in memory and, where it knows one, a formula; R is timed in its own
process, reading left out. A tool that is not installed is left out. Compile time is printed apart:
it is paid once a machine, then kept. Concordance is counted by R within the call, by us when asked.

    python benchmarks/cox.py [ROW ...] [--persons N] [--rounds K]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from workbench.analysis import regression

COLUMNS = {"duration": "days", "event": "died"}
NUMBERS = "age + sex + stage + comorbidity + smoking + bmi + year + surgery + x9 + x10"
FEW = "sex + C(stage) + C(comorbidity) + smoking + surgery + C(treatment)"
MANY = FEW + " + C(region)"
IN_R = """
suppressMessages(library(survival))
d <- read.csv("{file}")
s <- numeric(0)
for (i in 1:{rounds}) {{
  t <- system.time(f <- coxph(Surv(days, died) ~ {formula}, d))
  s <- c(s, t[["elapsed"]])
}}
cat(median(s), coef(f)[1])
"""
FRESH = """
import sys, time
sys.path.insert(0, sys.argv[1])
import cox
table = cox.persons(10_000)
start = time.perf_counter()
cox.{call}(table, cox.NUMBERS)
print(time.perf_counter() - start)
"""


def persons(n: int, seed: int = 1) -> pd.DataFrame:
    """Invented cancer patients followed in whole days for at most 15 years, half of them dead."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "age": random.normal(68, 11, n).round(),
            "sex": random.integers(0, 2, n),
            "stage": random.integers(1, 5, n),
            "comorbidity": random.poisson(0.8, n).clip(0, 4),
            "smoking": random.integers(0, 2, n),
            "bmi": random.normal(26, 4, n).round(1),
            "year": random.integers(2000, 2015, n),
            "surgery": random.integers(0, 2, n),
            "x9": random.normal(size=n),
            "x10": random.normal(size=n),
            "treatment": random.integers(0, 3, n),
            "region": random.integers(1, 22, n),
        }
    )
    score = 0.04 * (table["age"] - 68) + 0.5 * (table["stage"] - 1) - 0.3 * table["surgery"]
    until, out = random.exponential(7000 * np.exp(-score)), random.uniform(0, 5479, n)
    days = np.ceil(np.minimum(until, out)).astype(int)
    return table.assign(days=days, died=(until <= out).astype(int))


def median_time(call: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def by_us(table: pd.DataFrame, formula: str) -> None:
    regression.cox(table, formula, **COLUMNS)


def by_lifelines(table: pd.DataFrame, formula: str) -> None:
    from lifelines import CoxPHFitter

    CoxPHFitter().fit(table, "days", "died", formula=formula)


def by_coxstream(table: pd.DataFrame, formula: str) -> None:
    from coxstream import CoxPH

    matrix = table[formula.split(" + ")].to_numpy(float)
    CoxPH(ties="efron").fit(matrix, table["days"].to_numpy(float), table["died"].to_numpy())


def in_r(table: pd.DataFrame, formula: str, rounds: int) -> float | None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "persons.csv"
        table.to_csv(file, index=False)
        text = formula.replace("C(", "factor(")
        script = IN_R.format(file=file, formula=text, rounds=rounds)
        try:
            command = ["Rscript", "-e", script]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
    return float(done.stdout.split()[0])


def beside(n: int, formula: str, rounds: int, *, others: bool) -> dict[str, float | None]:
    table = persons(n)
    first = median_time(lambda: by_us(table, formula), 1)
    found: dict[str, float | None] = {
        "workbench": median_time(lambda: by_us(table, formula), max(rounds, 3)),
        "first call": first,
        "R coxph": in_r(table, formula, rounds),
    }
    if others:
        found["lifelines"] = median_time(lambda: by_lifelines(table, formula), rounds)
        found["coxstream"] = None
        if find_spec("coxstream"):
            found["coxstream"] = median_time(lambda: by_coxstream(table, formula), rounds)
    return found


def numbers(n: int, rounds: int) -> dict[str, float | None]:
    """Ten columns, from a frame with a formula (goal: R 12x, lifelines 10x, coxstream 2x)."""
    return beside(n, NUMBERS, rounds, others=True)


def few_patterns(n: int, rounds: int) -> dict[str, float | None]:
    """Categories, about 500 patterns (goal: R 25x)."""
    return beside(n, FEW, rounds, others=False)


def many_patterns(n: int, rounds: int) -> dict[str, float | None]:
    """Categories, about 10,000 patterns (goal: R 20x)."""
    return beside(n, MANY, rounds, others=False)


def small(n: int, rounds: int) -> dict[str, float | None]:
    """Ten columns of 10,000 persons, warm (goal: R 0.5x)."""
    return beside(min(n, 10_000), NUMBERS, 5 * rounds, others=True)


def fresh(n: int, rounds: int) -> dict[str, float | None]:
    """The first call in a fresh process, 10,000 persons (goal: lifelines 3x)."""
    found: dict[str, float | None] = {}
    for name, call in (("workbench", "by_us"), ("lifelines", "by_lifelines")):
        command = [sys.executable, "-c", FRESH.format(call=call), str(Path(__file__).parent)]
        times = [
            float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            for _ in range(rounds)
        ]
        found[name] = statistics.median(times)
    return found


ROWS = {
    "numbers": numbers,
    "few_patterns": few_patterns,
    "many_patterns": many_patterns,
    "small": small,
    "fresh": fresh,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="rows to run (all)")
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(f"{date.today()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for row in asked.rows or ROWS:
        print(f"\n{ROWS[row].__doc__}")
        found = ROWS[row](asked.persons, asked.rounds)
        for tool, seconds in found.items():
            told = "not installed" if seconds is None else f"{seconds:9.3f} s"
            ratio = "" if seconds is None else f"  {seconds / found['workbench']:8.1f} x"
            print(f"  {tool:20s} {told}{ratio}")


if __name__ == "__main__":
    main()
