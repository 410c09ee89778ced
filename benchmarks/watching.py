"""Does the watch name the mistakes of loops that others wrote, and what does it cost?

    python benchmarks/watching.py [--part tune|report|second|overhead]

`tune`: the loops of the tests (tests/loops), by which the rules were chosen. `report`: loops in six other styles
(loops_report.py), written afterwards and run once. `second`: 98 loops in ten further styles (loops_second/), written
without a look at the rules after what `report` showed was mended, and run once. `overhead`: a DCGAN's seconds with a
watch over those without, in turns. Results are in `results/watching.json`, from which
benchmarks/README.md takes its tables.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import nullcontext, suppress
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))

from sparring.analysis.diagnosis import diagnosis
from sparring.errors import SparringError
from sparring.training.watch.session import Watch

RESULTS = Path(__file__).parent / "results" / "watching.json"
ROUNDS, PAIRS, OVERHEAD_ROUNDS = 40, 5, 150


def halves(part: str) -> dict[str, tuple[Any, str]]:
    """The loops of a half: a name -> the loop, and the rule that it should get first; empty for a sound one."""
    if part == "report":
        import loops_report

        sound, broken = loops_report.SOUND, loops_report.BROKEN
    elif part == "second":
        import loops_second

        sound, broken = loops_second.SOUND, loops_second.BROKEN
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
        bugs = [finding.rule for finding in findings if finding.rule.startswith("bug-")]
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


def dcgan(rounds: int, out: Path | None) -> float:
    """Processor seconds of a DCGAN for 32 x 32 color images, batch 32, one thread; watched where there is an `out`."""
    torch.manual_seed(0)
    torch.set_num_threads(1)

    def up(a: int, b: int) -> list[nn.Module]:
        return [nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(True)]

    def down(a: int, b: int) -> list[nn.Module]:
        return [nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2, True)]

    g = nn.Sequential(
        nn.ConvTranspose2d(100, 256, 4, 1, 0, bias=False), nn.BatchNorm2d(256), nn.ReLU(True),
        *up(256, 128), *up(128, 64),
        nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    d = nn.Sequential(
        nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True), *down(64, 128), *down(128, 256),
        nn.Conv2d(256, 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0),
    )  # fmt: skip
    opt_g, opt_d = (torch.optim.Adam(net.parameters(), 2e-4, betas=(0.5, 0.999)) for net in (g, d))
    x, bce = torch.rand(1024, 3, 32, 32) * 2 - 1, nn.BCELoss()
    ones, zeros = torch.ones(32), torch.zeros(32)
    began = time.process_time()
    with Watch(g, d, opt_g, opt_d, out=out) if out else nullcontext():
        for _ in range(rounds):
            d.zero_grad()
            bce(d(x[torch.randint(len(x), (32,))]), ones).backward()
            fake = g(torch.randn(32, 100, 1, 1))
            bce(d(fake.detach()), zeros).backward()
            opt_d.step()
            g.zero_grad()
            bce(d(fake), ones).backward()
            opt_g.step()
    return time.process_time() - began


def overhead() -> dict[str, Any]:
    """The ratios of pairs of turns, after a pair of warm-up."""
    ratios: list[float] = []
    for pair in range(PAIRS + 1):
        alone = dcgan(OVERHEAD_ROUNDS, None)
        with tempfile.TemporaryDirectory() as folder:
            watched = dcgan(OVERHEAD_ROUNDS, Path(folder) / "run")
        if pair:
            ratios.append(watched / alone)
            print(f"{alone:.1f} s alone, {watched:.1f} s watched: {watched / alone:.3f}", flush=True)
    return {
        "rounds": OVERHEAD_ROUNDS,
        "ratios": [round(ratio, 4) for ratio in ratios],
        "median": round(median(ratios), 4),
    }


def table() -> str:
    """Markdown of the results."""
    if not RESULTS.exists():
        return "Not measured yet: `python benchmarks/watching.py`."
    stored = json.loads(RESULTS.read_text(encoding="utf-8"))
    lines = ["| half | broken loops named first | sound loops accused | measured on |", "| --- | ---: | ---: | --- |"]
    for part in ("tune", "report", "second"):
        if part in stored:
            rows = stored[part]["loops"]
            broken, sound = [r for r in rows if r["expected"]], [r for r in rows if not r["expected"]]
            named, accused = sum(r["right"] for r in broken), sum(not r["right"] for r in sound)
            lines.append(f"| {part} | {named} of {len(broken)} | {accused} of {len(sound)} | {stored[part]['date']} |")
    for part in ("tune", "report", "second"):
        for row in stored.get(part, {}).get("loops", []):
            if not row["right"]:
                got, expected = ", ".join(row["found"]) or "nothing", row["expected"] or "nothing"
                lines += ["", f"- {part}: {row['loop']}: {got}, not {expected}"]
    if "overhead" in stored:
        cost = stored["overhead"]
        ends = f"{min(cost['ratios']):.3f} to {max(cost['ratios']):.3f}, {len(cost['ratios'])} pairs"
        lines += [
            "",
            f"A DCGAN of 32 x 32 pixels, {cost['rounds']} rounds of batch 32 on one thread: processor seconds watched",
            f"are {cost['median']:.3f} times those alone ({ends}; {cost['date']}).",
        ]
    return "\n".join(lines)


def main() -> None:
    """Measure a part and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--part", choices=("tune", "report", "second", "overhead"), nargs="*", default=["tune", "overhead"]
    )
    stored: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for part in parser.parse_args().part:
        measured = overhead() if part == "overhead" else {"loops": verdicts(part)}
        stored[part] = {"date": date.today().isoformat(), **measured}
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    print(table())


if __name__ == "__main__":
    main()
