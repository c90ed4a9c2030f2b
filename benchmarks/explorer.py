"""How long it takes from a change of a filter to the redrawn figure, and to everything redrawn.

    python benchmarks/explorer.py PROJECT [STUDY] [--changes N]

The project's store should hold a population of a million (`workbench invent`, then import). The
first answer looks persons up in other registers and is told apart; what is timed are changes of
the period, the ages and the sexes, drawn from a seed. Goal on two cores: median under 500 ms,
P95 under 1.5 s to the redrawn figure.
"""

from __future__ import annotations

import argparse
import random
import time
from datetime import date
from pathlib import Path

import numpy as np

from workbench.output.explorer.results import CURVE
from workbench.output.explorer.view import Explorer

STUDY = Path(__file__).parents[1] / "params" / "studies" / "lymphoma_survival.yaml"


def main() -> None:
    """Measure and print."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("project", type=Path)
    given.add_argument("study", type=Path, nargs="?", default=STUDY)
    given.add_argument("--changes", type=int, default=40)
    asked = given.parse_args()
    begun = time.perf_counter()
    explorer = Explorer(asked.project, asked.study)
    explorer.wait(600)
    print(f"first answer {time.perf_counter() - begun:.1f} s")
    times = {"figure": [], "everything": []}
    chance = random.Random(1)
    for _ in range(asked.changes):
        figure, everything = _one_change(explorer, chance)
        times["figure"].append(figure)
        times["everything"].append(everything)
    for what, seconds in times.items():
        median, late = np.quantile(seconds, [0.5, 0.95]) * 1000
        print(f"{what}: median {median:.0f} ms, P95 {late:.0f} ms, {len(seconds)} changes")
    explorer.close()


def _one_change(explorer: Explorer, chance: random.Random) -> tuple[float, float]:
    """Seconds until the figure and until everything is redrawn after one change of a filter."""
    place, shown, drawn = explorer._places[CURVE], explorer.controls, []

    def seen(_: object) -> None:
        drawn.append(time.perf_counter())

    place.observe(seen, names="value")
    what = chance.choice(["age", "first_day", "sex"])
    begun = time.perf_counter()
    if what == "age":
        shown.age.value = (chance.randint(18, 50), chance.randint(60, 105))
    elif what == "first_day":
        shown.first_day.value = date(chance.randint(2005, 2015), chance.randint(1, 12), 1)
    else:
        values = [value for _, value in shown.sex.options]
        chosen = [one for one in values if one not in shown.sex.value] or values
        shown.sex.value = (chosen[0],)
    explorer.wait(60)
    ended = time.perf_counter()
    place.unobserve(seen, names="value")
    return (drawn[0] if drawn else ended) - begun, ended - begun


if __name__ == "__main__":
    main()
