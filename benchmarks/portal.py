"""The portal with one visitor and with ten at once: time to the first picture, memory, the next.

Invented releases of 40 units are served; visitors are pages of one headless browser on the same
machine, so its work is in the times too. Run: `python benchmarks/portal.py [VISITORS]`.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.async_api import Browser, async_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from releases import write_run

from workbench.output.portal.launch import Served, serving
from workbench.project import house_folder

PORT, ROUNDS = 8899, 3
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def shares(n_units: int) -> str:
    lines = ["unit,n,events,estimate,lower,upper,level,level_probability,level_words"]
    for at in range(n_units):
        n, events = 100 + at * 10, 40 + at * 5
        told = f"{events / n:.3f},{events / n - 0.05:.3f},{events / n + 0.05:.3f}"
        lines.append(f"Unit {at},{n},{events},{told},high,0.99,high")
    return "\n".join(lines) + "\n"


def megabytes(pid: int) -> float:
    """Memory of a process and all it started; shared pages are divided among their users."""
    total = 0.0
    for one in [pid, *children(pid)]:
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in text.splitlines() if line[:4] == "Pss:")
    return total / 1024


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in path.read_text(encoding="ascii").split()]


async def visit(browser: Browser, served: Served) -> tuple[float, object]:
    context = await browser.new_context()
    page = await context.new_page()
    started = time.perf_counter()
    await page.goto(f"{served.address}results", timeout=120_000)
    await page.locator(".portal-picture svg").wait_for(timeout=120_000)
    return time.perf_counter() - started, context


async def change(context: object) -> float:
    page = context.pages[0]
    started = time.perf_counter()
    await page.get_by_label("Table", exact=True).check()
    await page.get_by_role("table").wait_for()
    return time.perf_counter() - started


async def measure(served: Served, visitors: int) -> None:
    async with async_playwright() as driver:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = await driver.chromium.launch(executable_path=path, args=QUIET)
        for at in range(ROUNDS):
            seconds, context = await visit(browser, served)
            print(f"one visitor, round {at + 1}: {seconds:.1f} s to the first picture,"
                  f" {1000 * await change(context):.0f} ms to a change")  # fmt: skip
            await context.pages[0].close(run_before_unload=True)
            await asyncio.sleep(6)
        found = await asyncio.gather(*(visit(browser, served) for _ in range(visitors)))
        times = sorted(seconds for seconds, _ in found)
        print(f"{visitors} at once: median {times[len(times) // 2]:.1f} s, last {times[-1]:.1f} s")
        print(f"memory of the portal: {megabytes(served.process.pid):.0f} MB")
        page = await browser.new_page()
        answer = await page.goto(f"{served.address}results")
        print(f"the next: {answer.status}, {await page.locator('h1').inner_text()}")
        await browser.close()


def main() -> None:
    visitors = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    page = house_folder("notebooks") / "portal" / "results.ipynb"
    with tempfile.TemporaryDirectory() as folder:
        tables = {f"i{at}": (f"Indicator {at}", shares(40)) for at in range(10)}
        write_run(Path(folder) / "runs", tables=tables)
        with serving(Path(folder) / "runs", page, port=PORT, places=visitors) as served:
            time.sleep(12)
            asyncio.run(measure(served, visitors))


if __name__ == "__main__":
    main()
