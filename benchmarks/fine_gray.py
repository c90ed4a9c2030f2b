"""Fine-Gray with sandwich errors, ten covariates: seconds, beside R's crr and finegray + coxph.

The figure to reach is 100 times R at 10,000 persons. R runs where Rscript is installed with cmprsk
and survival; crr's work grows with the square of the persons, so R gets the first size only.

    python benchmarks/fine_gray.py [PERSONS ...] [--no-r]
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

from workbench.analysis.competing import fine_gray

SIZES = (10_000, 100_000, 1_000_000)
TERMS = [f"x{i}" for i in range(1, 11)]
FORMULA = " + ".join(TERMS)
GOAL = 100
R_CODE = f"""
suppressMessages(library(survival))
d <- read.csv(commandArgs(TRUE)[1])
x <- as.matrix(d[, 1:{len(TERMS)}])
s <- system.time({{
  d$id <- seq_len(nrow(d))
  f <- finegray(Surv(days, factor(cause)) ~ ., data = d, etype = "1", id = id)
  m <- coxph(Surv(fgstart, fgstop, fgstatus) ~ {FORMULA}, weights = fgwt, data = f,
             cluster = id, ties = "breslow")
}})[["elapsed"]]
cat("finegray+coxph", s, coef(m), "\\n")
if (requireNamespace("cmprsk", quietly = TRUE)) {{
  s <- system.time(m <- cmprsk::crr(d$days, d$cause, x, gtol = 1e-9))[["elapsed"]]
  cat("crr", s, m$coef, "\\n")
}}
"""


def persons(n: int) -> pd.DataFrame:
    """Invent follow-up in whole days, at most 15 years, with two causes."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, len(TERMS))).round(3)
    effect = np.linspace(-0.3, 0.3, len(TERMS))
    ended = rng.exponential(4000 * np.exp(-x @ effect))
    out = rng.uniform(0, 5479, n)
    cause = np.where(ended < out, np.where(rng.random(n) < 0.75, 1, 2), 0)
    frame = pd.DataFrame(x, columns=TERMS)
    return frame.assign(days=np.ceil(np.minimum(ended, out)).astype(int), cause=cause)


def ours(frame: pd.DataFrame, repeats: int) -> tuple[float, float, np.ndarray]:
    """Seconds of the first call and the median of the others, and the coefficients."""
    seconds = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        fit = fine_gray(frame, FORMULA, duration="days", event="cause")
        seconds.append(time.perf_counter() - begin)
    found = fit.coefficients["coefficient"].to_numpy()
    return seconds[0], statistics.median(seconds[1:]), found


def theirs(frame: pd.DataFrame) -> dict[str, tuple[float, np.ndarray]]:
    """Seconds and coefficients of R, by the name of the tool."""
    with TemporaryDirectory() as folder:
        data, script = Path(folder) / "persons.csv", Path(folder) / "run.R"
        frame.to_csv(data, index=False)
        script.write_text(R_CODE, encoding="utf-8")
        command = ["Rscript", str(script), str(data)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    return {name: (float(s), np.array(rest, dtype=float)) for name, s, *rest in lines}


def main() -> None:
    given = sys.argv[1:]
    sizes = [int(one) for one in given if one != "--no-r"] or list(SIZES)
    print(f"Fine-Gray, {len(TERMS)} covariates; Python {platform.python_version()}")
    for n in sizes:
        frame = persons(n)
        first, warm, coefficient = ours(frame, repeats=3 if n >= 1_000_000 else 5)
        print(f"{n:>10,}  workbench {warm:.3f} s (first call {first:.3f} s)")
        if n != sizes[0] or "--no-r" in given or shutil.which("Rscript") is None:
            continue
        for name, (seconds, other) in theirs(frame).items():
            times, apart = seconds / warm, np.abs(other / coefficient - 1).max()
            kept = "kept" if times >= GOAL else "NOT KEPT"
            print(
                f"{'':>10}  {name} {seconds:.2f} s, {times:.0f} times ours (goal {GOAL}: {kept}); "
                f"coefficients apart by {apart:.0e}"
            )


if __name__ == "__main__":
    main()
