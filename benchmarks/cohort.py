"""A cohort of a million persons with three windows over five million stays, beside pandas.

Both read the same Parquet files and must give the same frame; the ratio of medians, how time grows
with persons, and the largest memory are printed. Each runs as a process of its own.

    python benchmarks/cohort.py [PERSONS] [ROUNDS]      # also: PERSONS STAYS for one size alone
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

PERSONS, STAYS_EACH, ROUNDS = 1_000_000, 5, 3
MAKE = """
copy (select md5(i::varchar) as id, date '1930-01-01' + (hash(i) % 22000)::int as born,
    (1 + hash(i + 1) % 2)::varchar as sex,
    case when hash(i + 2) % 4 = 0 then date '2012-01-01' + (hash(i + 3) % 4000)::int end as died
  from range({persons}) rows(i)) to '{folder}/persons.parquet' (format parquet);
copy (select md5(i::varchar) as id, date '2012-01-01' + (hash(i + 5) % 2900)::int as start,
    ['f', 'c'][(1 + hash(i + 6) % 2)::int] as access
  from range({persons}) rows(i)) to '{folder}/starts.parquet' (format parquet);
copy (select md5((hash(i) % {persons})::varchar) as id,
    date '2005-01-01' + (hash(i + 7) % 5800)::int as admitted,
    ['E119', 'I509', 'I10', 'J189', 'C509', 'S7200'][(1 + hash(i + 8) % 6)::int] as diagnosis,
    (60 + hash(i + 9) % 100)::bigint as hb
  from range({stays}) rows(i)) to '{folder}/stays.parquet' (format parquet);
"""
OURS = """
import sys, time
sys.path.insert(0, sys.argv[1])
import cohort
cohort.ours(sys.argv[2])
"""
PANDAS = """
import sys
sys.path.insert(0, sys.argv[1])
import cohort
cohort.in_pandas(sys.argv[2])
"""
WINDOWS = {"diabetes": (-1826, -1, "E11"), "failure": (-365, -1, "I50")}


def definitions() -> dict:
    """The three tables as a register would define them."""
    person = {"type": "code", "sensitivity": "pseudonym", "required": "yes"}
    sex = {"type": "code", "codes": {"1": "male", "2": "female"}, "means": "sex"}
    persons = {
        "role": "persons", "person": "id", "key": ["id"], "dated_by": "born",
        "variables": {
            "id": person, "sex": sex, "born": {"type": "date", "means": "birth_date"},
            "died": {"type": "date", "means": "death_date"},
        },
    }  # fmt: skip
    starts = {
        "person": "id", "dated_by": "start",
        "variables": {
            "id": person, "start": {"type": "date"},
            "access": {"type": "code", "codes": {"f": "fistula", "c": "catheter"}},
        },
    }  # fmt: skip
    stays = {
        "person": "id", "dated_by": "admitted",
        "variables": {
            "id": person, "admitted": {"type": "date"},
            "diagnosis": {"type": "code", "code_system": "icd10se"}, "hb": {"type": "integer"},
        },
    }  # fmt: skip
    return {"people.persons": persons, "renal.starts": starts, "care.stays": stays}


def study() -> object:
    """Two windows on codes, one on a value, death from the population register."""
    from workbench.registers.documents import parse_document
    from workbench.study import Study

    variables: dict = {"access": {}}
    for name, (first, last, stem) in WINDOWS.items():
        where = [{"variable": "diagnosis", "in": [code for code in CODES if code[:3] == stem]}]
        days = {"from": first, "to": last}
        variables[name] = {"link": "care.stays", "take": "any", "days": days, "where": where}
    variables["hb"] = {"link": "care.stays", "take": "last", "from": "hb", "days": {"to": 0}}
    content = {
        "title": "t", "question": "q", "register": "renal", "table": "starts",
        "as_of": "2022-12-31", "notebook": "n", "population": "people",
        "cohort": {"index_date": "start"},
        "follow_up": {
            "outcome": "death", "event_in": {"link": "people.persons", "date": "died"},
            "unit": "days",
        },
        "variables": variables,
    }  # fmt: skip
    return parse_document(content, Study, where="study")


CODES = ("E119", "I509", "I10", "J189", "C509", "S7200")


def make_store(folder: Path) -> None:
    """Put the three files into a store, as an import would leave them."""
    import pyarrow.parquet as pq

    from workbench.data.store import ROWS, SET_ASIDE, Version, writing
    from workbench.registers.documents import parse_document
    from workbench.registers.schema import Table

    with writing(folder / "store") as writer:
        for name, content in definitions().items():
            source = folder / f"{name.split('.')[1]}.parquet"
            files = writer.staging / name
            files.mkdir()
            (files / ROWS).hardlink_to(source)
            pq.write_table(pq.read_table(source).slice(0, 0), files / SET_ASIDE)
            n = pq.read_metadata(source).num_rows
            made = Version(
                name="v0001", key=name, imported_at="2026-01-01", as_of=date(2026, 1, 1),
                sources=(), definition_sha256="", n_rows_read=n, n_rows_kept=n,
                definition=parse_document(content, Table, where=name), n_rows_set_aside=0,
                faults=(), notes=(), columns_left_out=(), first_date=None, last_date=None,
                rows_sha256="", workbench_version="",
            )  # fmt: skip
            writer.add_version(name, files, made)


def ours(folder: str) -> None:
    """The workbench's cohort, with its ledger and link report."""
    import ibis  # libraries are loaded before the clock starts, here and beside

    from workbench.analysis.cohort import select_cohort
    from workbench.data.store import open_store

    ibis.duckdb.connect()
    started = time.perf_counter()
    cohort = select_cohort(study(), open_store(Path(folder) / "store"))
    print(time.perf_counter() - started)
    persons = cohort.persons.assign(hb=cohort.persons["hb"].astype("Float64"))
    persons.to_parquet(Path(folder) / "ours.parquet")


def in_pandas(folder: str) -> None:
    """The same frame as a researcher writes it in pandas; no ledger, no link report."""
    import pandas as pd

    started = time.perf_counter()
    place = Path(folder)
    persons, starts, stays = (
        pd.read_parquet(place / f"{name}.parquet") for name in ("persons", "starts", "stays")
    )
    dates = {"persons": ["died"], "starts": ["start"], "stays": ["admitted"]}
    for frame, columns in zip((persons, starts, stays), dates.values(), strict=True):
        frame[columns] = frame[columns].apply(pd.to_datetime)
    cohort = starts.merge(persons[["id", "died"]], on="id")
    cohort = cohort[cohort["died"].isna() | (cohort["died"] >= cohort["start"])]
    joined = cohort[["id", "start"]].merge(stays, on="id")
    joined["day"] = (joined["admitted"] - joined["start"]).dt.days
    cohort = cohort.set_index("id")
    for name, (first, last, stem) in WINDOWS.items():
        hits = joined[joined["day"].between(first, last) & joined["diagnosis"].str.startswith(stem)]
        cohort[name] = cohort.index.isin(hits["id"])
    past = joined[joined["day"] <= 0].sort_values("day", kind="stable")
    cohort["hb"] = past.groupby("id")["hb"].last()
    end = cohort["died"].fillna(pd.Timestamp("2022-12-31")).clip(upper=pd.Timestamp("2022-12-31"))
    cohort["follow_up"] = (end - cohort["start"]).dt.days
    cohort["has_event"] = cohort["died"] <= pd.Timestamp("2022-12-31")
    print(time.perf_counter() - started)
    cohort.sort_index().reset_index().to_parquet(place / "pandas.parquet")


def assert_equal(folder: Path) -> None:
    """Both frames say the same of every person."""
    import pandas as pd

    left = pd.read_parquet(folder / "ours.parquet").set_index("person").sort_index()
    right = pd.read_parquet(folder / "pandas.parquet").set_index("id").sort_index()
    assert left.index.tolist() == right.index.tolist()
    for name in WINDOWS:
        assert (left[name].astype(str) == right[name].map({True: "yes", False: "no"})).all(), name
    assert (left["hb"].astype(float).fillna(-1) == right["hb"].fillna(-1)).mean() > 0.999  # ties
    assert (left["follow_up"] == right["follow_up"]).all()
    assert (left["has_event"] == right["has_event"]).all()


def engine() -> object:
    """A quiet engine session."""
    import duckdb

    session = duckdb.connect()
    session.execute("set enable_progress_bar = false")
    return session


def timed(code: str, folder: Path) -> tuple[float, float]:
    """Seconds that a process tells, and its peak memory in GB."""
    here = str(Path(__file__).parent)
    process = subprocess.Popen(
        [sys.executable, "-c", code, here, str(folder)], stdout=subprocess.PIPE, text=True
    )
    told = process.stdout.read()
    _pid, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("the benchmark failed")
    return float(told.split()[-1]), used.ru_maxrss / 1e6


def measure(persons: int, stays: int, rounds: int, *, beside: bool) -> tuple[float, float]:
    """Median seconds of the workbench at one size, printed with what stands beside it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        engine().execute(MAKE.format(persons=persons, stays=stays, folder=folder))
        make_store(folder)
        own, other = [], []
        for _ in range(rounds):
            own.append(timed(OURS, folder))
            if beside:
                other.append(timed(PANDAS, folder))
        seconds = statistics.median(one for one, _ in own)
        peak = max(one for _, one in own)
        print(
            f"{persons:>10,} persons, {stays:>11,} stays: {seconds:6.1f} s, {peak:.2f} GB", end=""
        )
        if beside:
            assert_equal(folder)
            theirs = statistics.median(one for one, _ in other)
            memory = max(one for _, one in other)
            print(f"; pandas {theirs:.1f} s, {memory:.2f} GB; ratio {theirs / seconds:.1f}", end="")
        print()
    return seconds, peak


def main(persons: int, rounds: int) -> None:
    print(
        f"Python {platform.python_version()}, DuckDB {version('duckdb')}; libraries loaded before"
    )
    small, _ = measure(persons // 10, persons // 10 * STAYS_EACH, rounds, beside=False)
    large, _ = measure(persons, persons * STAYS_EACH, rounds, beside=True)
    print(f"ten times the persons take {large / small:.1f} times as long")


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    if len(given) == 2 and given[1] > 100:
        measure(given[0], given[1], 1, beside=False)
    else:
        main(*(given + [PERSONS, ROUNDS][len(given) :]))
