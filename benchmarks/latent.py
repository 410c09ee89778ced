"""What latent tools say of trained runs: directions, projections, and whether seeds learned the same space.

    python benchmarks/latent.py [--runs DIR] [--data-dir DIR] [--only NAME ...] [--parts PART ...]

Trains what it needs into `--runs`, five seeds or eight of each recipe, unless a run is there already; it can be
interrupted and goes on. Then it measures: which of the dimensions that a write-up turned does what, beside the
strongest directions; how well training images and held-out ones are found by projection, for three recipes; how alike
the seeds' latent spaces are; and what truncation and rejection give and cost. Results are written to
`results/latent.json`, from which docs/latent.md is made.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
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
from sparring.analysis.latent_tools.truncation import truncation
from sparring.analysis.rejection import filtered
from sparring.analysis.stats import Spread
from sparring.analysis.wording import plus_minus
from sparring.record import RunFolder

RESULTS = Path(__file__).parent / "results" / "latent.json"
TRAINED = {"digits": (8, 5_000), "fashion-fc": (5, 23_450), "num-gan-all": (5, 60_000), "mnist-fast": (5, 3_000)}
"""Recipe -> seeds and rounds."""
PROJECTED = {"fashion-fc": (64, 4, 200), "num-gan-all": (64, 4, 200), "mnist-fast": (64, 4, 200)}
"""Recipes whose data have a held-out part -> how many training images, and as many held-out ones, are projected; the
restarts of each search, one for each class at least; and its steps."""
COMPARED = ("digits", "fashion-fc")
TRUNCATED = ("digits", "fashion-fc", "mnist-fast")
FILTERED = ("digits", "fashion-fc")
"""Those whose D judges an example without its class."""
PSIS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SAMPLES, PASSED = 1_000, 256
"""Of each seed: samples at each psi, and samples that pass D."""


def trained(name: str, runs: Path, data_dir: Path | None) -> RunFolder:
    """The run of a recipe, trained to its end."""
    seeds, rounds = TRAINED[name]
    recipe = sparring.recipe(name).replace(seeds=tuple(range(seeds)), rounds=rounds)
    return sparring.train(recipe, out=runs / name, data_dir=data_dir).folder


def directions_of(name: str, run: RunFolder, data_dir: Path | None) -> dict[str, Any]:
    made = survey(run, data_dir=data_dir)
    return {"across": all_across(made), "named": made.named()}


def projection_of(name: str, run: RunFolder, data_dir: Path | None) -> dict[str, Any]:
    recipe, tests, where = memorization_of(run, *PROJECTED[name], data_dir=data_dir)
    return plain_test(recipe, tests, where)


def spaces_of(name: str, run: RunFolder, data_dir: Path | None) -> dict[str, Any]:
    return spaces(run, data_dir=data_dir).plain()


def truncation_of(name: str, run: RunFolder, data_dir: Path | None) -> dict[str, Any]:
    return truncation(run, PSIS, SAMPLES, data_dir=data_dir).plain()


def rejection_of(name: str, run: RunFolder, data_dir: Path | None) -> dict[str, Any]:
    made = filtered(run, PASSED, data_dir=data_dir)
    return {"seeds": list(made.seeds), "n": PASSED, **made.plain(), "z_seeds": None}


PARTS: dict[str, tuple[Callable[[str, RunFolder, Path | None], dict[str, Any]], tuple[str, ...]]] = {
    "directions": (directions_of, ("fashion-fc",)),
    "projection": (projection_of, tuple(PROJECTED)),
    "spaces": (spaces_of, COMPARED),
    "truncation": (truncation_of, TRUNCATED),
    "rejection": (rejection_of, FILTERED),
}
"""What is asked, and of which recipes."""


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


def truncation_table(name: str) -> str:
    """Markdown: precision, recall and their harmonic mean over psi, mean ± SD over the seeds of a recipe."""
    found = _stored()[name]["truncation"]
    kinds = ("precision", "recall", "balance")
    lines = ["| psi | precision | recall | harmonic mean |", "| ---: | ---: | ---: | ---: |"]
    for row in found["psi"]:
        cells = (f"{row[kind]['mean']:.3f} ± {row[kind]['sd']:.3f}" for kind in kinds)
        psi = f"**{row['psi']:g}**" if row["psi"] == found["recommended"] else f"{row['psi']:g}"
        lines.append(f"| {psi} | {' | '.join(cells)} |")
    real = (f"{found['real'][kind]:.3f}" for kind in kinds)
    lines.append(f"| real data | {' | '.join(real)} |")
    return "\n".join(lines)


def recommended_table() -> str:
    """Markdown: the recommended psi of each recipe with its interval, and what it gains and costs."""
    lines = [
        "| recipe | n seeds | samples | recommended psi | 95 % interval | precision, psi 1 → there | recall |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in TRUNCATED:
        found = _stored()[name]["truncation"]
        best = next(row for row in found["psi"] if row["psi"] == found["recommended"])
        low, high = found["interval"]
        changes = (
            f"{found['psi'][-1][kind]['mean']:.3f} → {best[kind]['mean']:.3f}" for kind in ("precision", "recall")
        )
        row = [f"`{name}`", str(len(found["seeds"])), f"{found['n']:,}", f"{best['psi']:g}", f"{low:g} to {high:g}"]
        lines.append(f"| {' | '.join([*row, *changes])} |")
    return "\n".join(lines)


def rejection_table() -> str:
    """Markdown: how many samples pass D, how well D tells, and what that changes, mean ± SD over seeds."""
    lines = [
        "| recipe | n seeds | D calibrated on | passed | D's AUC | precision | recall | diversity |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in FILTERED:
        found = _stored()[name]["rejection"]
        seen = "held-out data" if found["unseen"] else "training data"
        share = 100 * np.array(found["acceptance"], dtype=float)
        passed = f"{share.mean():.0f} ± {share.std(ddof=1):.0f} %"
        changes = (_change(found["metrics"][kind]) for kind in ("precision", "recall", "diversity"))
        auc = plus_minus(Spread.of(np.array(found["auc"], dtype=float)))
        lines.append(f"| {' | '.join([f'`{name}`', str(len(found['seeds'])), seen, passed, auc, *changes])} |")
    return "\n".join(lines)


def _change(values: dict[str, list[float]]) -> str:
    """`0.625 → 0.715 (+0.090 ± 0.026)`: means without and with the filter, and the change over seeds."""
    before, after = np.array(values["all"], dtype=float), np.array(values["passed"], dtype=float)
    change = after - before
    return f"{before.mean():.3f} → {after.mean():.3f} ({change.mean():+.3f} ± {change.std(ddof=1):.3f})"


def _over(members: list[dict[str, Any]], key: str) -> Spread:
    return Spread.of(np.array([member[key] for member in members], dtype=float))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs/latent"))
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--only", nargs="*", choices=TRAINED)
    parser.add_argument("--parts", nargs="*", choices=PARTS)
    arguments = parser.parse_args()
    for name in arguments.only or TRAINED:
        run = trained(name, arguments.runs, arguments.data_dir)
        for part, (measure, recipes) in PARTS.items():
            if name not in recipes or (arguments.parts and part not in arguments.parts):
                continue
            found = measure(name, run, arguments.data_dir)
            stored = _stored() if RESULTS.exists() else {}
            facts = {"date": date.today().isoformat(), "torch": version("torch"), "round": run.story.round}
            stored[name] = {**stored.get(name, {}), **facts, part: found}
            RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
            print(f"{name}: {part} measured at round {facts['round']:,}", flush=True)


if __name__ == "__main__":
    main()
