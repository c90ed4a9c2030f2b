"""Net survival (Pohar Perme with intervals): seconds here, in relsurv and in popEpi (monthly).

Patients are drawn from the Slovene colorectal example with new days of diagnosis and follow-up.
The figures to reach at 100,000 patients are 80 times rs.surv and 50 times survtab. R is run once
a size, where Rscript and the packages are there; its reading of the file is not counted.

    python benchmarks/relative.py [PATIENTS ...] [--without-r]
"""

from __future__ import annotations

import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from workbench.analysis import relative

DATA = Path(__file__).parents[1] / "examples" / "colorectal" / "data"
SIZES = (10_000, 100_000)
CALL = {
    "duration": "time", "event": "stat", "age": "age", "age_unit": "days", "sex": "sex",
    "start_date": "diag", "sex_codes": {1: "male", 2: "female"},
}  # fmt: skip
R_CODE = """
suppressMessages({library(relsurv); library(popEpi); library(Epi)})
d <- read.csv(commandArgs(TRUE)[1])
d$yr <- date::as.date(as.integer(as.Date(d$diag)) + 3653L)
cat(system.time(rs.surv(Surv(time, stat) ~ 1, data = d, ratetable = slopop,
  method = "pohar-perme", rmap = list(age = age, sex = sex, year = yr)))[["elapsed"]], "seconds\\n")
p <- read.csv(gzfile(commandArgs(TRUE)[2]))
p <- data.frame(sex = p$sex, CAL = p$year, AGE = p$age, haz = p$hazard_per_day * 365.242199)
p <- p[p$CAL >= 1980, ]
d$sex <- c("male", "female")[d$sex]
d$end <- as.Date(d$diag) + d$time
x <- Lexis(entry = list(FUT = 0, AGE = age / 365.241, CAL = get.yrs(as.Date(diag))),
  exit = list(CAL = get.yrs(end)), data = d, exit.status = factor(stat), merge = TRUE)
cat(system.time(survtab(FUT ~ 1, data = x, surv.type = "surv.rel", relsurv.method = "pp",
  pophaz = p, breaks = list(FUT = seq(0, 15, 1/12))))[["elapsed"]], "seconds\\n")
"""


def draw(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    rows = pd.read_csv(DATA / "colrec.csv").sample(n, replace=True, random_state=11)
    day = pd.to_datetime(rows["diag"]) + pd.to_timedelta(rng.integers(-60, 60, n), unit="D")
    moved = np.minimum(rows["time"] + rng.integers(1, 30, n), 5479)
    return rows.assign(diag=day, time=moved).reset_index(drop=True)


def seconds_here(rows: pd.DataFrame, table: relative.LifeTable) -> float:
    taken = []
    for _ in range(5 if len(rows) <= 100_000 else 3):
        begin = time.perf_counter()
        relative.net_survival(rows, table, **CALL)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def seconds_in_r(rows: pd.DataFrame) -> list[float]:
    with TemporaryDirectory() as folder:
        file, code = Path(folder) / "rows.csv", Path(folder) / "net.R"
        rows.to_csv(file, index=False)
        code.write_text(R_CODE, encoding="utf-8")
        command = ["Rscript", str(code), str(file), str(DATA / "slopop.csv.gz")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1] if done.stderr else "R failed")
    return [float(line.split()[0]) for line in done.stdout.splitlines() if line.endswith("seconds")]


def main() -> None:
    given = sys.argv[1:]
    sizes = [int(one) for one in given if one != "--without-r"] or SIZES
    has_r = "--without-r" not in given and shutil.which("Rscript") is not None
    population = pd.read_csv(DATA / "slopop.csv.gz")
    table = relative.LifeTable.from_frame(
        population, age="age", year="year", sex="sex", hazard="hazard_per_day", per="day"
    )
    begin = time.perf_counter()
    relative.net_survival(draw(20_000), table, **CALL)
    print(f"Python {platform.python_version()}; first call {time.perf_counter() - begin:.1f} s")
    for n in sizes:
        rows = draw(n)
        here = seconds_here(rows, table)
        line = f"{n:>10,} patients: {here:.3f} s"
        for name, taken in zip(("rs.surv", "survtab"), seconds_in_r(rows) if has_r else []):  # noqa: B905
            line += f"; {name} {taken:.1f} s = {taken / here:.0f} x"
        print(line, flush=True)


if __name__ == "__main__":
    main()
