"""Inventing all nine registers: seconds, largest memory and rows a table.

The figures to reach are 10 s for 20,000 persons, and 6 minutes within 4 GiB for a million. Each
size runs as a process of its own.

    python benchmarks/invent.py [PERSONS ...] [--dirty]
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from tempfile import TemporaryDirectory

SIZES = ("20000", "1000000")
LIMITS = {20_000: (10, 4096), 1_000_000: (360, 4096)}  # seconds, MiB
ONE = """
import json, resource, sys, time
from pathlib import Path
from workbench.data.invent import invent_registers
persons, folder, dirty = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "dirty"
begin = time.perf_counter()
made = invent_registers(folder, persons=persons, dirty=dirty)
seconds = time.perf_counter() - begin
unit = 2**20 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
rows = {f"{one.register}.{one.table}": one.n_rows for one in made.tables}
size = sum(one.file.stat().st_size for one in made.tables) / 2**20
print(json.dumps({"seconds": seconds, "peak": peak, "rows": rows, "size": size}))
"""


def measure(persons: str, *, dirty: bool) -> dict:
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-c", ONE, persons, folder, "dirty" if dirty else "clean"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    given = sys.argv[1:]
    dirty = "--dirty" in given
    print(f"Python {platform.python_version()}{', with planted faults' if dirty else ''}")
    for persons in [one for one in given if one != "--dirty"] or SIZES:
        found = measure(persons, dirty=dirty)
        n = sum(found["rows"].values())
        print(
            f"\n{int(persons):,} persons: {found['seconds']:.1f} s, peak {found['peak']:.0f} MiB, "
            f"{n:,} rows, {found['size']:.0f} MiB of CSV, {n / found['seconds']:,.0f} rows a second"
        )
        if limits := LIMITS.get(int(persons)):
            kept = found["seconds"] <= limits[0] and found["peak"] <= limits[1]
            print(f"  limit {limits[0]} s, {limits[1]} MiB: {'kept' if kept else 'NOT KEPT'}")
        for table, rows in found["rows"].items():
            print(f"  {table:28}{rows:>12,}")


if __name__ == "__main__":
    main()
