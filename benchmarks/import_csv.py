"""Import of a five-million-row CSV with checks, beside a bare DuckDB copy of the same file.

Both run in turn as processes of their own; the ratio of medians and the largest memory are printed.
Whoever imports by hand would write that copy: it checks nothing.

    python benchmarks/import_csv.py [ROWS] [ROUNDS]
"""

from __future__ import annotations

import platform
import resource
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

ROWS, ROUNDS = 5_000_000, 3
DEFINITION = """\
name: big
label: A large register
tables:
  rows:
    key: [id]
    dated_by: diag
    variables:
      id: {type: integer, required: yes}
      sex: {type: code, codes: {1: male, 2: female}, required: yes}
      age: {type: integer, unit: days, minimum: 0, maximum: 40177, required: yes}
      diag: {type: date, required: yes}
      time: {type: integer, unit: days, minimum: 0, required: yes}
      stat: {type: code, codes: {0: alive, 1: dead}, required: yes}
      stage: {type: code, codes: {1: one, 2: two, 3: three, 99: unknown}, unknown: [99]}
      site: {type: code, codes: {colon: colon, rectum: rectum}, required: yes}
      hb: {type: decimal, unit: g/l, minimum: 0, maximum: 300}
"""
MAKE = """
import duckdb, sys
duckdb.sql(f'''copy (
  select i as id, 1 + i % 2 as sex, 10000 + (hash(i) % 25000) as age,
    date '1994-01-01' + (hash(i + 7) % 2500)::int as diag, hash(i + 3) % 4000 as time,
    hash(i + 4) % 2 as stat, [1, 2, 3, 99][(1 + hash(i + 5) % 4)::int] as stage,
    ['colon', 'rectum'][(1 + hash(i + 9) % 2)::int] as site,
    round((hash(i + 11) % 10000) / 100.0, 2) as hb
  from range({sys.argv[1]}) rows(i)) to '{sys.argv[2]}' (header)''')
"""
BARE = """
import duckdb, sys
duckdb.execute(f"copy (from read_csv('{sys.argv[1]}')) to '{sys.argv[2]}' (format parquet)")
"""


def timed(*command: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main(rows: int, rounds: int) -> None:
    with TemporaryDirectory() as folder:
        place = Path(folder)
        registers = place / "params" / "registers"
        registers.mkdir(parents=True)
        (registers / "big.yaml").write_text(DEFINITION, encoding="utf-8")
        extract = place / "big.csv"
        timed("-c", MAKE, str(rows), str(extract))
        ours, bare = [], []
        for at in range(rounds):
            bare.append(timed("-c", BARE, str(extract), str(place / "bare.parquet")))
            words = ["-m", "workbench", "import", "big.rows", str(extract)]
            ours.append(timed(*words, "--project", folder, "--store", str(place / f"store{at}")))
        size = extract.stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6  # kilobytes on Linux
    ratio = statistics.median(ours) / statistics.median(bare)
    print(
        f"{rows:,} rows, {size:.0f} MB, {rounds} rounds in turn, Python {platform.python_version()}"
    )
    print(f"DuckDB {version('duckdb')}; median of whole processes, start-up included")
    print(f"  bare DuckDB CSV to Parquet  {statistics.median(bare):5.1f} s")
    print(f"  workbench import, checked   {statistics.median(ours):5.1f} s")
    print(f"  ratio                       {ratio:5.1f} (at most 4)")
    print(f"  largest memory of any     {peak:6.2f} GB (at most 2)")


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    main(*(given + [ROWS, ROUNDS][len(given) :]))
