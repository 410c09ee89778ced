"""What the explorer costs: how fast its pages open, what a page does to a training, and whether memory stays flat.

    python benchmarks/explorer.py [--part open|cost|memory|frames ...] [--minutes M] [--pairs N]

It needs Chromium, which it finds by itself. Values and the table go to `results/explorer.json`.

- open: seconds from asking for a page until its words and figures are there, in a browser that has the scripts cached;
  the median of several times: a list of 100 runs, and the page of a run of 1,000 members. Beside them the seconds of
  processor time that server and browser took together, which a busy machine does not lengthen as much.
- cost: a training is watched and not watched in turns of a few seconds each, a page beside it that follows the newest
  round; the ratio of its rounds per second of processor time, and per second, over all pairs of turns.
- memory: a page follows a training for M minutes; the resident memory of the server and the heap of the page after a
  collection, each minute.
- frames: pictures per second of the latent plane while it is dragged in circles for some seconds, of a generator of 28
  pixels (`mnist`, whose files SPARRING_DATA has).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import psutil
from playwright.sync_api import sync_playwright
from rounds import RESULTS, processor

sys.path.insert(0, str(Path(__file__).parents[1]))

from sparring.record import RunFolder
from sparring.training.control import Steer
from tests.explorers import CHROMIUM_FLAGS, Launched, chromium, launched
from tests.made_runs import made_run

RECIPE, SEEDS, ROUNDS, LOG_POINTS = "ring", 8, 1_000_000, 400
"""What is trained: long enough for an hour, and a log point, with an evaluation, every half a minute or so."""
TIMES = 7
FILE = RESULTS / "explorer.json"
TURN_SECONDS, DRAG_SECONDS = 8.0, 5.0


@contextmanager
def a_browser() -> Generator[Any]:
    with sync_playwright() as playwright:
        path = chromium()
        assert path, "no Chromium here: apt-get install chromium"
        opened = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        yield opened
        opened.close()


def signed_in(browser: Any, explorer: Launched) -> Any:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(explorer.address)
    page.wait_for_selector(".page")
    return page


def opening(folder: Path) -> dict[str, Any]:
    """Seconds until pages are there."""
    for number in range(100):
        made_run(folder / "many" / f"run-{number:03d}", samples=False, scores=False)
    made_run(folder / "large", members=1000)
    waits = {
        "a list of 100 runs": ("/", "document.querySelectorAll('.runs tbody tr').length >= 100"),
        "a run of 1,000 members": (
            "/run?run=runs/large",
            "document.querySelector('.curves .legend b') && document.querySelector('.samples .legend').innerText "
            "&& document.querySelector('.verdict strong')",
        ),
    }
    found: dict[str, Any] = {}
    with launched(folder) as explorer, a_browser() as browser:
        page = signed_in(browser, explorer)
        for name, (path, there) in waits.items():
            seconds: list[float] = []
            worked: list[float] = []
            for _ in range(TIMES):
                page.goto("about:blank")
                time.sleep(0.5)
                began, before = time.perf_counter(), processor_seconds()
                page.goto(f"{explorer.origin}{path}")
                while not page.evaluate(there):  # the page's policy refuses `wait_for_function`, which evaluates text
                    time.sleep(0.01)
                seconds.append(time.perf_counter() - began)
                worked.append(processor_seconds() - before)
            found[name] = {"first": seconds[0], "median": median(seconds), "all": seconds}
            found[name] |= {"processor_seconds": {"first": worked[0], "median": median(worked), "all": worked}}
            found[name] |= {"load": os.getloadavg()[0]}
    return found


def processor_seconds() -> float:
    """Of the server and of the browser, in all their processes."""
    return sum(sum(each.cpu_times()[:2]) for each in psutil.Process().children(recursive=True))


@contextmanager
def a_training(folder: Path) -> Generator[RunFolder]:
    """A training in a process of its own that does not end by itself."""
    out = folder / "trained"
    command = [sys.executable, "-m", "sparring", "train", RECIPE, "--seeds", str(SEEDS), "--rounds", str(ROUNDS)]
    command += ["--log-points", str(LOG_POINTS), "--no-compile", "--threads", "1", "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run = RunFolder(out)
    while not (run.exists and run.story.round > 0):
        time.sleep(0.5)
        assert process.poll() is None
    try:
        yield run
    finally:
        Steer(run).stop()
        process.wait()


def cost(folder: Path, pairs: int) -> dict[str, Any]:
    """The training's pace with a page beside it, as a ratio to its pace without."""
    per_second: list[float] = []
    per_processor_second: list[float] = []
    with launched(folder) as explorer, a_browser() as browser, a_training(folder) as run:
        trainer = next(p for p in psutil.process_iter(["cmdline"]) if str(run.path) in (p.info["cmdline"] or []))
        page = signed_in(browser, explorer)
        for number in range(pairs):
            paces: dict[bool, tuple[float, float]] = {}
            for watched in (True, False) if number % 2 else (False, True):
                page.goto(f"{explorer.origin}/run?run=runs/trained" if watched else "about:blank")
                time.sleep(2)
                paces[watched] = pace(run, trainer)
            per_second.append(paces[True][0] / paces[False][0])
            per_processor_second.append(paces[True][1] / paces[False][1])
            print(f"pair {number + 1}: {per_second[-1]:.3f} {per_processor_second[-1]:.3f}", file=sys.stderr)
    spreads = {"per second": per_second, "per second of processor time": per_processor_second}
    return {name: {"mean": mean(v), "se": stdev(v) / len(v) ** 0.5, "all": v} for name, v in spreads.items()}


def pace(run: RunFolder, trainer: psutil.Process) -> tuple[float, float]:
    """Rounds per second, and per second of the training's processor time, over one turn."""
    steer = Steer(run)

    def now() -> tuple[int, float, float]:
        return steer.checkpoint()["round"], time.perf_counter(), sum(trainer.cpu_times()[:2])

    before = now()
    time.sleep(TURN_SECONDS)
    after = now()
    rounds = after[0] - before[0]
    return rounds / (after[1] - before[1]), rounds / (after[2] - before[2])


def memory(folder: Path, minutes: float, keep: Callable[[Any], None]) -> list[dict[str, float]]:
    """What the server and the page hold, each minute; kept at once, so that a stop loses nothing."""
    rows: list[dict[str, float]] = []
    with launched(folder) as explorer, a_browser() as browser, a_training(folder) as run:
        server = psutil.Process(explorer.process.pid)
        page = signed_in(browser, explorer)
        page.goto(f"{explorer.origin}/run?run=runs/trained")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        for minute in range(int(minutes) + 1):
            session.send("HeapProfiler.collectGarbage")
            values = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
            row = {
                "minute": minute,
                "server_mb": server.memory_info().rss / 1e6,
                "heap_mb": values["JSHeapUsedSize"] / 1e6,
            }
            rows.append(row | {"nodes": values["Nodes"], "round": run.story.round})
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
            keep(rows)
            if minute < minutes:
                page.wait_for_timeout(60_000)
    return rows


def frames(folder: Path) -> list[dict[str, float]]:
    """How many pictures per second the latent page shows while its plane is dragged, several times."""
    command = [sys.executable, "-m", "sparring", "train", "mnist", "--rounds", "2", "--seeds", "1", "--no-judge"]
    subprocess.run([*command, "--no-metrics", "--out", str(folder / "mnist")], check=True, stdout=subprocess.DEVNULL)
    found: list[dict[str, float]] = []
    with launched(folder) as explorer, a_browser() as browser:
        page = signed_in(browser, explorer)
        page.goto(f"{explorer.origin}/latent?run=runs/mnist")
        page.wait_for_selector(".latentPlane canvas")
        page.wait_for_timeout(3_000)
        box = page.locator(".latentPlane canvas").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        for _ in range(TIMES):
            first, began, moves = shown(page), time.perf_counter(), 0
            while time.perf_counter() - began < DRAG_SECONDS:
                moves += 1
                page.mouse.move(x + 100 * math.cos(moves / 20), y + 100 * math.sin(moves / 20))
            seconds = time.perf_counter() - began
            found.append({"frames": (shown(page) - first) / seconds, "moves": moves / seconds})
            found[-1]["load"] = os.getloadavg()[0]
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
        page.mouse.up()
    return found


def shown(page: Any) -> int:
    """Pictures that the page has shown so far."""
    return int(page.get_attribute(".latentTiles canvas", "data-shown"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=("open", "cost", "memory", "frames"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--pairs", type=int, default=12)
    flags = parser.parse_args()
    parts: dict[str, Callable[[Path], Any]] = {
        "open": opening,
        "cost": lambda folder: cost(folder, flags.pairs),
        "memory": lambda folder: memory(folder, flags.minutes, partial(keep, "memory")),
        "frames": frames,
    }
    for part in flags.part or parts:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "runs"
            folder.mkdir()
            keep(part, parts[part](folder))
    print(FILE)


def keep(part: str, values: Any) -> None:
    """Put what a part found into the file of results, beside what the others found."""
    found = json.loads(FILE.read_text()) if FILE.exists() else {}
    about = {"date": str(date.today()), "processor": processor(), "cores": os.cpu_count()}
    found[part] = values
    found[f"{part}_measured"] = {**about, "python": platform.python_version(), "nicegui": version("nicegui")}
    FILE.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
