"""Import of a five-million-row patient register with identity numbers, beside a bare DuckDB copy.

A million persons, codes, dates, and one row in a thousand with a fault. Both run in turn as
processes of their own; the ratio of medians and the largest memory are printed. Whoever imports by
hand would write that copy: it checks nothing, and the numbers are in it.

    python benchmarks/import_csv.py [ROWS] [ROUNDS] [clean]
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

ROWS, ROUNDS, FAULTS_IN = 5_000_000, 3, 1000
KEY = bytes(range(40)).hex()
DEFINITION = """\
name: big
label: A large patient register
tables:
  stays:
    person: lopnr
    key: [lopnr, indatum, sjukhus, klinik, hdia, lkf]
    dated_by: indatum
    date_order: [[indatum, utdatum]]
    variables:
      lopnr: {type: code, sensitivity: identity, identity_scheme: swedish, required: yes}
      kon: {type: code, codes: {1: male, 2: female}, means: sex, required: yes}
      indatum: {type: date, required: yes}
      utdatum: {type: date}
      hdia: {type: code, code_system: icd10se, required: yes}
      bdia: {type: code, code_system: icd10se, separated_by: blank}
      op: {type: code, code_system: kva, separated_by: blank}
      sjukhus: {type: code}
      klinik: {type: code}
      insatt: {type: code, codes: {1: hospital, 2: home, 3: nursing home}}
      utsatt: {type: code, codes: {1: hospital, 2: home, 3: nursing home, 4: dead}}
      lkf: {type: code}
"""
# Persons' birth dates and serial numbers follow from their running numbers; the check digit is
# Luhn's, one off in the rows that are to be faulty.
MAKE = """
import duckdb, sys
rows, file, faults_in = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
duckdb.sql(f'''copy (
  with rows as (select i, (hash(i * 17) % greatest({rows} // 5, 1))::bigint as person
      from range({rows}) of_rows(i)),
    born as (select *, date '1920-01-01' + (hash(person) % 36000)::int as day,
      (hash(person + 5) % 980)::int as serial from rows),
    numbered as (select *, strftime(day, '%Y%m%d') || lpad(serial::varchar, 3, '0') as eleven
      from born),
    checked as (select *, list_sum([
      case when place % 2 = 1 then (eleven[place:place]::int * 2) // 10
        + (eleven[place:place]::int * 2) % 10 else eleven[place:place]::int end
      for place in range(3, 12)])::int as total from numbered)
  select
    eleven || ((10 - total % 10 + ((i + 1) % {faults_in} = 0)::int) % 10)::varchar as lopnr,
    2 - serial % 2 as kon,
    date '1997-01-01' + (hash(i + 7) % 9000)::int as indatum,
    date '1997-01-01' + (hash(i + 7) % 9000)::int + (hash(i + 8) % 20)::int as utdatum,
    ['I219', 'C189', 'K359', 'J189', 'N185', 'E119', 'M169', 'F329', 'S720', 'A099']
      [(1 + hash(i + 9) % 10)::int] as hdia,
    ['', 'I109', 'E119', 'Z951', 'C189 I109', 'I489'][(1 + hash(i + 10) % 6)::int] as bdia,
    ['', 'JHB00', 'NFB29', 'FNG05', 'AF037'][(1 + hash(i + 11) % 5)::int] as op,
    lpad((1000 + hash(i + 12) % 90)::varchar, 5, '0') as sjukhus,
    ['101', '241', '301', '551'][(1 + hash(i + 13) % 4)::int] as klinik,
    1 + hash(i + 14) % 3 as insatt, 1 + hash(i + 15) % 4 as utsatt,
    lpad((hash(i + 16) % 2500)::varchar, 4, '0') as lkf
  from checked) to '{file}' (header)''')
"""
BARE = """
import duckdb, sys
duckdb.execute(f"copy (from read_csv('{sys.argv[1]}')) to '{sys.argv[2]}' (format parquet)")
"""


def timed(*command: str) -> float:
    started = time.perf_counter()
    environment = {**os.environ, "WORKBENCH_KEY": KEY}
    environment.pop("WORKBENCH_KEY_FILE", None)
    subprocess.run(
        [sys.executable, *command], check=True, stdout=subprocess.DEVNULL, env=environment
    )
    return time.perf_counter() - started


def main(rows: int, rounds: int, faults_in: int) -> None:
    with TemporaryDirectory() as folder:
        place = Path(folder)
        registers = place / "params" / "registers"
        registers.mkdir(parents=True)
        (registers / "big.yaml").write_text(DEFINITION, encoding="utf-8")
        extract = place / "big.csv"
        timed("-c", MAKE, str(rows), str(extract), str(faults_in))
        ours, bare = [], []
        for at in range(rounds):
            bare.append(timed("-c", BARE, str(extract), str(place / "bare.parquet")))
            words = ["-m", "workbench", "import", "big.stays", str(extract)]
            ours.append(timed(*words, "--project", folder, "--store", str(place / f"store{at}")))
        size = extract.stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6  # kilobytes on Linux
    ratio = statistics.median(ours) / statistics.median(bare)
    print(
        f"{rows:,} rows of {rows // 5:,} persons, {size:.0f} MB, {rounds} rounds in turn, "
        f"Python {platform.python_version()}"
    )
    print(f"DuckDB {version('duckdb')}; median of whole processes, start-up included")
    print(f"  bare DuckDB CSV to Parquet    {statistics.median(bare):5.1f} s")
    print(f"  import, checked, pseudonyms   {statistics.median(ours):5.1f} s")
    print(f"  ratio                         {ratio:5.1f} (at most 5)")
    print(f"  largest memory of any       {peak:6.2f} GB (at most 2)")


if __name__ == "__main__":
    is_clean = "clean" in sys.argv
    given = [int(one) for one in sys.argv[1:] if one != "clean"]
    rows, rounds = (*given, *[ROWS, ROUNDS][len(given) :])
    main(rows, rounds, rows + 1 if is_clean else FAULTS_IN)
