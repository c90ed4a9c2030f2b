"""Forty indicators of eighty units in ten years, counted in one pass: beside pandas in a loop.

The figure to reach is five times as fast as a pandas groupby for each indicator, with 10 million
rows, in less than 2 GiB. Rows lie in a Parquet file, as in the store. Results are compared.

    python benchmarks/indicator_aggregation.py [ROWS]
"""

from __future__ import annotations

import platform
import resource
import sys
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import ibis
import pandas as pd

from workbench.analysis.indicators import aggregate
from workbench.registers.documents import parse_document
from workbench.registers.indicator_model import Indicator, IndicatorDefinition
from workbench.registers.schema import Register

ROWS, UNITS, INDICATORS, YEARS = 10_000_000, 80, 40, 10
GOAL, MOST_GIB = 5, 2
QUESTIONS = [f"q{at}" for at in range(10)]
FIRST_YEAR = 2014


def indicators() -> list[Indicator]:
    """Four indicators of each question: shares of all, and of three kinds of care."""
    variables: dict[str, object] = {
        "day": {"type": "date"},
        "unit": {"type": "code", "means": "unit"},
        "care": {"type": "code", "codes": {"1": "ward", "2": "home", "3": "clinic"}},
    }
    answers = {"type": "code", "codes": {"0": "no", "1": "yes", "9": "?"}, "unknown": ["9"]}
    variables |= dict.fromkeys(QUESTIONS, answers)
    table = {"dated_by": "day", "variables": variables}
    invented = {"name": "bench", "label": "Invented", "tables": {"rows": table}}
    register = parse_document(invented, Register, where="benchmark")
    chosen = []
    for question in QUESTIONS:
        for care in ("", "1", "2", "3"):
            definition = {
                "name": f"{question}_{care or 'all'}", "label": question, "specialty": "bench",
                "table": "bench.rows", "type": "proportion", "denominator_kind": "incident",
                "denominator": [{"variable": "care", "in": [care]}] if care else [],
                "numerator": [{"variable": question, "in": ["1"]}],
                "direction": "high", "units": {"treatment": "unit"},
            }  # fmt: skip
            read = parse_document(definition, IndicatorDefinition, where="benchmark")
            chosen.append(Indicator(read, register.table("rows")))
    assert len(chosen) == INDICATORS
    return chosen


def write_rows(file: Path, n: int) -> None:
    """Invent rows, a million at a time, so that they are never all in memory."""
    engine = ibis.duckdb.connect()
    answers = ", ".join(
        f"case when random() < 0.05 then '9' when random() < 0.8 then '1' else '0' end as {one}"
        for one in QUESTIONS
    )
    engine.raw_sql("set threads = 1")
    engine.raw_sql("select setseed(0.5)")
    engine.raw_sql(
        f"copy (select date '{FIRST_YEAR}-01-01' + cast(random() * {YEARS * 365} as integer) as "
        f"day, 'U' || lpad(cast(floor(random() * {UNITS}) as integer)::text, 2, '0') as unit, "
        f"cast(1 + floor(random() * 3) as integer)::text as care, {answers} from range({n})) "
        f"to '{file}' (format parquet)"
    )
    engine.disconnect()


def in_a_loop(rows: pd.DataFrame, chosen: list[Indicator]) -> pd.DataFrame:
    """What an analyst writes: a groupby for each indicator."""
    year = rows["day"].dt.year
    parts = []
    for one in chosen:
        definition = one.definition
        counted = rows[definition.numerator[0].variable] != "9"
        for test in definition.denominator:
            counted &= rows[test.variable].isin(test.is_in)
        here = rows[counted]
        events = here[definition.numerator[0].variable] == "1"
        found = events.groupby([here["unit"], year[counted]], observed=True).agg(["size", "sum"])
        parts.append(found.set_axis(["n", "events"], axis=1).assign(indicator=one.name))
    return pd.concat(parts).rename_axis(["place", "year"]).reset_index()


def same(ours: pd.DataFrame, theirs: pd.DataFrame) -> bool:
    """Whether both counted alike."""
    keys = ["indicator", "place", "year"]
    units = ours[ours["place_level"] == "unit"]
    both = units.merge(theirs.astype({"place": str}), on=keys, suffixes=("", "_loop"))
    alike = (both["n"] == both["n_loop"]) & (both["events"] == both["events_loop"])
    return len(both) == len(units) == len(theirs) and bool(alike.all())


def peak_gib() -> float:
    """The most memory this process has had, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    chosen = indicators()
    print(f"{n:,} rows, {UNITS} units, {len(chosen)} indicators, {YEARS} years; "
          f"Python {platform.python_version()}")  # fmt: skip
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        write_rows(file, n)
        engine = ibis.duckdb.connect()
        engine.raw_sql("set memory_limit = '1GB'")
        begin = time.perf_counter()
        ours = aggregate(engine.read_parquet(file), chosen, as_of=date(2030, 1, 1))
        in_one_pass = time.perf_counter() - begin
        memory = peak_gib()
        engine.disconnect()
        rows = pd.read_parquet(file).assign(day=lambda d: pd.to_datetime(d["day"]))
    told = "kept" if memory < MOST_GIB else "NOT KEPT"
    print(f"one pass, from the file  {in_one_pass:6.2f} s, peak {memory:.2f} GiB ({told})")
    begin = time.perf_counter()
    of_frame = aggregate(rows, chosen, as_of=date(2030, 1, 1))
    print(f"one pass, from a frame   {time.perf_counter() - begin:6.2f} s")
    texts = [name for name in rows.columns if name != "day"]
    plain = {"text": rows, "categories": rows.astype(dict.fromkeys(texts, "category"))}
    for kind, frame in plain.items():
        begin = time.perf_counter()
        looped = in_a_loop(frame, chosen)
        seconds = time.perf_counter() - begin
        times = seconds / in_one_pass
        told = "kept" if times >= GOAL else "NOT KEPT"
        alike = same(ours.table, looped) and same(of_frame.table, looped)
        print(f"pandas in a loop, {kind:<10} {seconds:6.2f} s, {times:.1f} times (goal {GOAL}: "
              f"{told}); same counts: {alike}")  # fmt: skip


if __name__ == "__main__":
    main()
