"""What latent tools say of trained runs: directions, projections, and whether seeds learned the same space.

    python benchmarks/latent.py [--runs DIR] [--data-dir DIR] [--only NAME ...]

Trains what it needs into `--runs`, five seeds or eight of each recipe, unless a run is there already; it can be
interrupted and goes on. Then it measures: which of the dimensions that a write-up turned does what, beside the
strongest directions; how well training images and held-out ones are found by projection, for three recipes; and how
alike the seeds' latent spaces are. Results are written to `results/latent.json`, from which docs/latent.md is made.
"""

from __future__ import annotations

import argparse
import json
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import sparring
from sparring.analysis.latent_tools.directions.across import all_across
from sparring.analysis.latent_tools.directions.survey import survey
from sparring.analysis.latent_tools.projected import memorization_of, plain_test
from sparring.analysis.latent_tools.spaces import Shared, spaces
from sparring.analysis.stats import Spread
from sparring.analysis.wording import plus_minus
from sparring.record import RunFolder

RESULTS = Path(__file__).parent / "results" / "latent.json"
TRAINED = {"digits": (8, 5_000), "fashion-fc": (5, 23_450), "num-gan-all": (5, 60_000), "mnist-fast": (5, 3_000)}
"""Recipe -> seeds and rounds."""
PROJECTED = {"fashion-fc": (64, 4, 200), "num-gan-all": (64, 4, 200), "mnist-fast": (16, 10, 100)}
"""Recipes whose data have a held-out part -> how many training images, and as many held-out ones, are projected; the
restarts of each search, one for each class at least; and its steps."""
COMPARED = ("digits", "fashion-fc")


def trained(name: str, runs: Path, data_dir: Path | None) -> RunFolder:
    """The run of a recipe, trained to its end."""
    seeds, rounds = TRAINED[name]
    recipe = sparring.recipe(name).replace(seeds=tuple(range(seeds)), rounds=rounds)
    return sparring.train(recipe, out=runs / name, data_dir=data_dir).folder


def measured(name: str, run: RunFolder, data_dir: Path | None) -> dict[str, Any]:
    """Everything that is asked of one recipe's run."""
    found: dict[str, Any] = {"date": date.today().isoformat(), "torch": version("torch"), "round": run.story.round}
    if name == "fashion-fc":
        made = survey(run, data_dir=data_dir)
        found["directions"] = {"across": all_across(made), "named": made.named()}
    if name in PROJECTED:
        recipe, tests, where = memorization_of(run, *PROJECTED[name], data_dir=data_dir)
        found["projection"] = plain_test(recipe, tests, where)
    if name in COMPARED:
        found["spaces"] = spaces(run, data_dir=data_dir).plain()
    return found


# Tables.


def _stored() -> dict[str, Any]:
    return json.loads(RESULTS.read_text())


def directions_table() -> str:
    """Markdown: single dimensions and the strongest directions of `fashion-fc`, in all seeds."""
    rows = _stored()["fashion-fc"]["directions"]["across"]
    lines = [
        "| | change | what it moves most, and in how many seeds | found in the others |",
        "| --- | ---: | --- | ---: |",
    ]
    for way, title in (("dims", "dim {}"), ("sensitivity", "strongest direction {}")):
        for row in rows[way]:
            change = f"{row['share']['mean']:.0%} ± {row['share']['sd']:.0%}".replace("%", " %")
            moves = ", ".join(f"{name} in {n}" for name, n in row["moves"].items())
            lines.append(f"| {title.format(row['label'])} | {change} | {moves} | {100 * row['found']:.0f} % |")
    return "\n".join(lines)


def projection_table() -> str:
    """Markdown: errors of training and held-out images, for each recipe."""
    lines = [
        "| recipe | rounds | n seeds | images | error, training | error, held-out | ratio | intervals above 1 |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    stored = _stored()
    for name in PROJECTED:
        members = stored[name]["projection"]["members"]
        columns = (plus_minus(_over(members, key)) for key in ("training", "held_out", "ratio"))
        above = sum(member["low"] > 1 for member in members)
        seeds, images = len(members), f"2 x {members[0]['n']}"
        row = [f"`{name}`", f"{stored[name]['round']:,}", str(seeds), images, *columns, f"{above} of {len(members)}"]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def spaces_table() -> str:
    """Markdown: what the seeds of each recipe share."""
    lines = [
        "| recipe | n seeds | same images | same arrangement | same directions |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name in COMPARED:
        found = _stored()[name]["spaces"]
        kinds = ("same_images", "same_arrangement", "same_directions")
        row = [f"`{name}`", str(len(found["seeds"])), *(Shared(**found[kind]).words for kind in kinds)]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def _over(members: list[dict[str, Any]], key: str) -> Spread:
    return Spread.of(np.array([member[key] for member in members], dtype=float))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs/latent"))
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--only", nargs="*", choices=TRAINED)
    arguments = parser.parse_args()
    for name in arguments.only or TRAINED:
        found = measured(name, trained(name, arguments.runs, arguments.data_dir), arguments.data_dir)
        stored = {**(_stored() if RESULTS.exists() else {}), name: found}
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
        print(f"{name}: measured at round {stored[name]['round']:,}", flush=True)


if __name__ == "__main__":
    main()
