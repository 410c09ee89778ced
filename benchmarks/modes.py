"""How many modes the modern recipes keep, by the protocols of the published tables.

    python benchmarks/modes.py [--data-dir DIR] [--out runs/modes] [--only ring grid stacked-mnist]

Ring and grid: 32 seeds, 2,500 samples of each (Lin et al., PacGAN, NeurIPS 2018: within three standard deviations of a
center is of high quality; a mode that has one such sample is covered). The protocol does not detect whether samples
spread within a mode as the data do, so the table also gives the standard deviation of high-quality samples about the
mean of their mode, divided by that of the data. Two-digit stacked MNIST: 5 seeds, 26,000 samples of each, classified
digit by digit by the judge of MNIST. The scores of real data at the same n stand beside them.

It first prints how long it will take. Runs resume where they were when the script is started again. Results are written
to `results/modes.json`, from which docs/choosing.md takes its tables.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import mean, stdev
from typing import Any

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import torch
from broken_gans import in_words, is_done, seconds_of, trained, write
from rounds import processor
from torch import Tensor

from sparring.analysis.generators import sample
from sparring.analysis.measure import keep, measure
from sparring.datasets import Modes
from sparring.recipe import Recipe, find_recipe

RESULTS = Path(__file__).parent / "results" / "modes.json"
HIGH = 0.98
"""The target share of high-quality samples; real data reach 0.989."""


@dataclass(frozen=True)
class Protocol:
    """How one data set is evaluated."""

    seeds: int
    samples: int
    """Of each seed, and of real data."""
    modes: int
    """In the data."""
    reached: str
    """The metric that counts the modes reached; the next compares how often each is."""
    divergence: str
    quality: str
    published: str
    """The best published result."""


PROTOCOLS = {
    "ring": Protocol(
        32, 2_500, 8, "reached-modes", "mode-divergence", "high-quality", "8 modes; 93.6 to 99.5 % of high quality"
    ),
    "grid": Protocol(
        32, 2_500, 25, "reached-modes", "mode-divergence", "high-quality", "25 modes; 93.6 to 99.5 % of high quality"
    ),
    "stacked-mnist": Protocol(5, 26_000, 100, "modes", "class-divergence", "confidence", "none for two digits"),
}


def recipe_of(name: str) -> Recipe:
    return find_recipe(name).replace(seeds=PROTOCOLS[name].seeds)


def played(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train one recipe, or resume, and return the results."""
    protocol = PROTOCOLS[name]
    run = trained(recipe_of(name), arguments.out / name, arguments.data_dir)
    wanted = (protocol.reached, protocol.divergence, protocol.quality)
    measured = measure(run, protocol.samples, data_dir=arguments.data_dir, metrics=wanted)
    keep(measured)
    modes = recipe_of(name).data.modes
    return {
        "spread": None
        if modes is None
        else [spread(torch.from_numpy(x), modes) for x in sample(run, protocol.samples)],
        "recipe": recipe_of(name).id,
        "rounds": run.story.round,
        "seconds": round(run.story.seconds),
        "machine": f"{processor()}, one thread, torch {torch.__version__}",
        "date": date.today().isoformat(),
        "measured": measured.plain(),
    }


def spread(samples: Tensor, modes: Modes) -> float:
    """SD of high-quality samples, of all samples `(n, 2)`, about the mean of their mode, divided by the data's SD."""
    distance, mode = torch.cdist(samples, torch.tensor(modes.centers)).min(1)
    near = [samples[(mode == k) & (distance < 3 * modes.sd)] for k in range(len(modes.centers))]
    return round(float(torch.cat([x - x.mean(0) for x in near if len(x) > 1]).std() / modes.sd), 4)


def table() -> str:
    """Markdown: our results beside the best published ones, for each data set that was measured."""
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not stored:
        return "Not run yet."
    lines = [
        "| data (modes) | seeds | samples of each | seeds with every mode | modes, fewest | high quality or confidence "
        "| worst seed | KL, nats | spread in a mode | published best |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: | --- | --- | --- |",
    ]
    for name in (n for n in PROTOCOLS if n in stored):
        protocol, measured = PROTOCOLS[name], stored[name]["measured"]
        reached, quality, divergence = (
            measured["metrics"][metric] for metric in (protocol.reached, protocol.quality, protocol.divergence)
        )
        counts = [value or 0 for value in reached["members"]]
        spreads = stored[name]["spread"]
        spreading = f"{mean(spreads):.2f} ± {stdev(spreads):.2f}" if spreads else ""
        full = sum(count == protocol.modes for count in counts)
        lines.append(
            f"| `{name}` ({protocol.modes}) | {len(counts)} | {measured['n']:,} | {full} of {len(counts)} "
            f"| {min(counts):.0f} | {_cell(quality)} | {min(_found(quality), default=0):.4f} | {_cell(divergence)} "
            f"| {spreading} | {protocol.published} |"
        )
    return "\n".join(
        [*lines, "", "Mean ± SD over seeds, and in parentheses the score of real data.", "", *_made(stored)]
    )


def _made(stored: dict[str, Any]) -> Iterator[str]:
    for name in (n for n in PROTOCOLS if n in stored):
        entry, protocol = stored[name], PROTOCOLS[name]
        quality = _found(entry["measured"]["metrics"][protocol.quality])
        aim = f"; {sum(q >= HIGH for q in quality)} of {protocol.seeds} seeds at {100 * HIGH:.0f} % or more"
        yield (
            f"- `{name}`: {entry['rounds']:,} rounds of {protocol.seeds} seeds in {in_words(entry['seconds'])} on "
            f"{entry['machine']}, beside other work; {entry['date']}"
            f"{aim if protocol.quality == 'high-quality' else ''}."
        )


def _found(metric: dict[str, Any]) -> list[float]:
    """Of the seeds that did not diverge."""
    return [value for value in metric["members"] if value is not None]


def _cell(metric: dict[str, Any]) -> str:
    found = _found(metric)
    if len(found) < 2:
        return "diverged" if not found else f"{found[0]:.3g}"
    lost = len(metric["members"]) - len(found)
    text = f"{mean(found):.4f} ± {stdev(found):.4f} ({metric['real']:.4f})"
    return f"{text}, {lost} infinite or diverged" if lost else text


def main() -> None:
    """Train them all, saving the results after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/modes"))
    parser.add_argument("--only", nargs="*", default=list(PROTOCOLS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    left = [n for n in arguments.only if not is_done(arguments.out / n)]
    taken = sum(seconds_of(recipe_of(name), arguments.data_dir) for name in left)
    print(f"{len(left)} trainings, about {in_words(taken)}", flush=True)
    for name in arguments.only:
        entry = played(name, arguments)
        write(RESULTS, name, entry)
        print(f"{name}: {entry['rounds']} rounds in {in_words(entry['seconds'])}", flush=True)
    print(table())


if __name__ == "__main__":
    main()
