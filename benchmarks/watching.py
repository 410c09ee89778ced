"""Does the watch name the mistakes of loops that others wrote, and what does it cost?

    python benchmarks/watching.py [--part tune|report|second|third|overhead] [--again]

`tune`: the loops of the tests (tests/loops), by which the rules were chosen. `report`: loops in six other styles
(loops_report.py), written afterwards and run once. `second`: 98 loops in ten further styles (loops_second/), written
without a look at the rules after what `report` showed was mended, and run once. `third`: 54 loops (loops_third/), most
of them sound and unusual, written after that by somebody who knew the watch, and run once. `--again` runs a set with
the rules as they are now, mended by what it showed: its result is kept beside the first one. `overhead`: processor
seconds of a DCGAN with a watch over those without, two processes that take turns of ten rounds; pairs are added to
those that are there. Results are in `results/watching.json`, from which benchmarks/README.md takes its tables.
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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))

from sparring.analysis.diagnosis import diagnosis
from sparring.errors import SparringError
from sparring.training.watch.session import Watch

RESULTS = Path(__file__).parent / "results" / "watching.json"
ROUNDS = 40
OVERHEAD_BATCH, WARM_UP, BLOCK = 16, 2, 10
WIDTHS = {32: (256, 128, 64), 64: (512, 256, 128, 64)}
"""Images of so many pixels a side -> the widths of G's layers, and of D's the other way round. 64 is DCGAN's own."""
LENGTHS = (500, 500, 500, 1500)
OPEN = ("undertrained",)
"""Findings that accuse a loop of nothing."""
AGAIN = " again"
"""Ends the name of a result that is not a set's first."""
SETS = ("tune", *(f"{part}{again}" for part in ("report", "second", "third") for again in ("", AGAIN)))
STEADY = 100
"""Rounds after which only what every round costs is left."""


def halves(part: str) -> dict[str, tuple[Any, str]]:
    """The loops of a half: a name -> the loop, and the rule that it should get first; empty for a sound one."""
    if part == "report":
        import loops_report

        sound, broken = loops_report.SOUND, loops_report.BROKEN
    elif part == "second":
        import loops_second

        sound, broken = loops_second.SOUND, loops_second.BROKEN
    elif part == "third":
        import loops_third

        sound, broken = loops_third.SOUND, loops_third.BROKEN
    else:
        from tests.loops import broken as broken_loops
        from tests.loops import sound as sound_loops

        sound, broken = sound_loops.LOOPS, broken_loops.BROKEN
    return {**broken, **{name: (loop, "") for name, loop in sound.items()}}


def verdicts(part: str) -> list[dict[str, Any]]:
    """What each loop of a half gets."""
    found: list[dict[str, Any]] = []
    for name, (loop, rule) in halves(part).items():
        torch.manual_seed(1)
        watches: list[Watch] = []
        with tempfile.TemporaryDirectory() as folder:
            with suppress(RuntimeError, ValueError):
                loop(_watching(Path(folder) / "run", watches), ROUNDS)
            try:
                told = diagnosis(watches[0].run.story)
            except SparringError as error:  # a run that does not open is a wrong answer too
                found.append({"loop": name, "expected": rule, "found": [], "right": False, "trouble": str(error)})
                print("WRONG", name, error, flush=True)
                continue
        findings = told.findings
        bugs = [finding.rule for finding in findings if finding.fault and finding.rule not in OPEN]
        right = [finding.rule for finding in findings[:1]] == [rule] if rule else not bugs
        found.append(
            {
                "loop": name,
                "expected": rule,
                "found": bugs,
                "right": right,
                "verdict": told.verdict,
                "trouble": str(watches[0].trouble or ""),
            }
        )
        print("right" if right else "WRONG", name, rule, bugs, flush=True)
    return found


def _watching(out: Path, watches: list[Watch]) -> Any:
    """What a loop calls to be watched; the watch is put into the list."""

    def watching(*players: Any, **more: Any) -> Watch:
        watches.append(Watch(*players, out=out, **more))
        return watches[-1]

    return watching


def dcgan(out: Path | None, side: int = 32) -> Iterator[float]:
    """A DCGAN for color images on one thread: processor seconds so far, first after the start, then for rounds.

    Closing the generator ends the loop, and with it the watch, which is there where there is an `out`."""
    torch.manual_seed(0)
    torch.set_num_threads(1)

    def up(a: int, b: int) -> list[nn.Module]:
        return [nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(True)]

    def down(a: int, b: int) -> list[nn.Module]:
        return [nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2, True)]

    widths = WIDTHS[side]
    g = nn.Sequential(
        nn.ConvTranspose2d(100, widths[0], 4, 1, 0, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(True),
        *(layer for a, b in pairwise(widths) for layer in up(a, b)),
        nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    d = nn.Sequential(
        nn.Conv2d(3, widths[-1], 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True),
        *(layer for a, b in pairwise(reversed(widths)) for layer in down(a, b)),
        nn.Conv2d(widths[0], 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0),
    )  # fmt: skip
    opt_g, opt_d = (torch.optim.Adam(net.parameters(), 2e-4, betas=(0.5, 0.999)) for net in (g, d))
    x, bce = torch.rand(1024, 3, side, side) * 2 - 1, nn.BCELoss()
    ones, zeros = torch.ones(OVERHEAD_BATCH), torch.zeros(OVERHEAD_BATCH)

    def play() -> None:
        d.zero_grad()
        bce(d(x[torch.randint(len(x), (OVERHEAD_BATCH,))]), ones).backward()
        fake = g(torch.randn(OVERHEAD_BATCH, 100, 1, 1))
        bce(d(fake.detach()), zeros).backward()
        opt_d.step()
        g.zero_grad()
        bce(d(fake), ones).backward()
        opt_g.step()

    for _ in range(WARM_UP):
        play()
    began = time.process_time()
    if out:
        from sparring.training.watch.session import Watch  # what a loop without a watch does not import
    with Watch(g, d, opt_g, opt_d, out=out) if out else nullcontext():  # pyright: ignore[reportPossiblyUnbound]
        while True:
            try:
                yield time.process_time() - began
            except GeneratorExit:
                break
            for _ in range(BLOCK):
                play()
    print(f"{time.process_time() - began:.6f}", flush=True)


def turns(out: Path | None, side: int) -> None:
    """A process of its own, which plays a block of rounds for each line that it is given, and ends with the last."""
    loop = dcgan(out, side)
    print(f"{next(loop):.6f}", flush=True)
    for _ in sys.stdin:
        print(f"{next(loop):.6f}", flush=True)
    loop.close()


def pair(rounds: int, side: int = 32) -> dict[str, Any]:
    """Processor seconds of a loop alone and a watched one, which take turns of a few rounds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--side", str(side), "--turns"]
        started = [
            subprocess.Popen([*command, out], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for out in ("", str(Path(folder) / "run"))
        ]
        seconds = np.array([[float(str(one.stdout.readline())) for one in started]])
        for _ in range(rounds // BLOCK):
            row: list[float] = []
            for one in started:
                one.stdin.write("\n")
                one.stdin.flush()
                row.append(float(one.stdout.readline()))
            seconds = np.vstack([seconds, row])
        for one in started:
            one.stdin.close()
        last = [float(one.stdout.readline()) for one in started]
        for one in started:
            one.wait()
    alone, watched = np.diff(seconds, axis=0).T
    steady = slice(STEADY // BLOCK, None)
    each_round = float(np.mean(alone)) / BLOCK
    return {
        "side": side,
        "rounds": rounds,
        "alone": round(last[0], 2),
        "watched": round(last[1], 2),
        "whole": round(last[1] / last[0], 4),
        "each_round": round(each_round, 4),
        "steady": round(float(np.sum(watched[steady]) / np.sum(alone[steady])), 4) if rounds > STEADY else None,
        "start": round(float(seconds[0, 1] + np.sum((watched - alone)[: STEADY // BLOCK])), 2),
        "end": round(last[1] - seconds[-1, 1], 2),
    }


def overhead(lengths: Sequence[int], side: int) -> dict[str, Any]:
    """Pairs of loops of these lengths."""
    pairs: list[dict[str, Any]] = []
    for rounds in lengths:
        pairs.append(pair(rounds, side))
        print(pairs[-1], flush=True)
    return {"batch": OVERHEAD_BATCH, "cpu": cpu_name(), "torch": torch.__version__, "pairs": pairs}


def cpu_name() -> str:
    """The processor's name, where the system says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def table() -> str:
    """Markdown of the results."""
    if not RESULTS.exists():
        return "Not measured yet: `python benchmarks/watching.py`."
    stored = json.loads(RESULTS.read_text(encoding="utf-8"))
    lines = ["| set | mistakes named first | sound loops accused | measured on |", "| --- | ---: | ---: | --- |"]
    for part in SETS:
        if part in stored:
            rows = stored[part]["loops"]
            broken, sound = [r for r in rows if r["expected"]], [r for r in rows if not r["expected"]]
            named, accused = sum(r["right"] for r in broken), sum(not r["right"] for r in sound)
            lines.append(f"| {part} | {named} of {len(broken)} | {accused} of {len(sound)} | {stored[part]['date']} |")
    for part in SETS:
        for row in stored.get(part, {}).get("loops", []):
            if not row["right"]:
                got, expected = ", ".join(row["found"]) or "nothing", row["expected"] or "nothing"
                lines += ["", f"- {part}: {row['loop']}: {got}, not {expected}"]
    return "\n".join([*lines, "", *overhead_lines(stored.get("overhead", {}).get("pairs", []))])


def overhead_lines(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table of the pairs, a line for each length."""
    lines = [
        "| pixels | rounds | pairs | seconds alone | watched over alone | from the 100th round on | start | end |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for side, rounds in sorted({(int(each["side"]), int(each["rounds"])) for each in pairs}):
        some = [each for each in pairs if (each["side"], each["rounds"]) == (side, rounds)]

        def middle(name: str, of: Sequence[Mapping[str, Any]] = some) -> float:
            return median(math.nan if each[name] is None else each[name] for each in of)

        ends = f"{min(e['whole'] for e in some):.3f} to {max(e['whole'] for e in some):.3f}"
        steady = f"{middle('steady'):.3f}" if rounds > STEADY else "–"
        lines.append(
            f"| {side} x {side} | {rounds:,} | {len(some)} | {middle('alone'):.0f} | {middle('whole'):.3f} ({ends}) | "
            f"{steady} | {middle('start'):.1f} s | {middle('end'):.1f} s |"
        )
    return lines if pairs else []


def main() -> None:
    """Measure a part and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--part", choices=("tune", "report", "second", "third", "overhead"), nargs="*", default=["tune"]
    )
    parser.add_argument("--lengths", type=int, nargs="*", default=LENGTHS, help="rounds of each pair of `overhead`")
    parser.add_argument("--side", type=int, choices=WIDTHS, default=32, help="pixels a side of its images")
    parser.add_argument("--again", action="store_true", help="keep the result beside the set's first one")
    parser.add_argument("--turns", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.turns is not None:
        turns(Path(asked.turns) if asked.turns else None, asked.side)
        return
    for part in asked.part:
        measured = overhead(asked.lengths, asked.side) if part == "overhead" else {"loops": verdicts(part)}
        stored: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        if part == "overhead":
            measured["pairs"] = stored.get(part, {}).get("pairs", []) + measured["pairs"]
        stored[part + AGAIN if asked.again else part] = {"date": date.today().isoformat(), **measured}
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    print(table())


if __name__ == "__main__":
    main()
