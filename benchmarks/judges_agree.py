"""Whether the two judges of a folder of images rank runs alike.

    python benchmarks/judges_agree.py --images DIR_OR_TAR --out runs/agree

Ten runs on one folder, from far too short to as good as a few minutes make them and with settings that help or harm,
are measured by both judges: the one that runs are watched with, and the independent one. Kendall's tau compares the two
rankings. Runs and measurements resume. Results are written to `results/judges-agree.json`, from which docs/metrics.md
is made.
"""

from __future__ import annotations

import argparse
import json
import os
from datetime import date
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "10000")

from scipy.stats import kendalltau

from sparring.analysis.measure import keep, measure
from sparring.datasets.folder import Folder
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.hinge import Hinge
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe
from sparring.recipes.modern import auto
from sparring.record import write_atomically
from sparring.training import train

RESULTS = Path(__file__).parent / "results" / "judges-agree.json"
FRECHET = "frechet-distance"
SLOW, FAST = Adam(2e-5, betas=(0.0, 0.9)), Adam(3e-3, betas=(0.0, 0.9))


def runs(data: Folder) -> dict[str, Recipe]:
    """Ten recipes by name: one seed each, since it is rankings that are compared."""
    whole = auto(data).replace(seeds=1, log_points=2)
    plain = whole.replace(tricks=())
    return {
        "auto, 40 rounds": whole.replace(rounds=40),
        "auto, 150 rounds": whole.replace(rounds=150),
        "auto, 400 rounds": whole.replace(rounds=400),
        "auto, 1,000 rounds": whole.replace(rounds=1_000),
        "auto, 2,000 rounds": whole.replace(rounds=2_000),
        "without penalties and averaging, 400 rounds": plain.replace(rounds=400),
        "BCE without penalties, 1,000 rounds": plain.replace(objective=BCEWithLogits(), rounds=1_000),
        "hinge, 400 rounds": whole.replace(objective=Hinge(), rounds=400),
        "lr a tenth, 400 rounds": whole.replace(generator_optimizer=SLOW, discriminator_optimizer=SLOW, rounds=400),
        "lr ten times, 400 rounds": whole.replace(generator_optimizer=FAST, discriminator_optimizer=FAST, rounds=400),
    }


def main() -> None:
    """Train, measure, compare."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--images", type=Path, required=True)
    asked.add_argument("--out", type=Path, required=True)
    flags = asked.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    for number, (name, recipe) in enumerate(runs(Folder(str(flags.images.resolve()), alpha=False)).items()):
        measured = measure(train(recipe, flags.out / f"{number:02}"))
        keep(measured)
        assert measured.independent is not None and measured.judge is not None
        first, second = measured.scores[FRECHET], measured.independent.scores[FRECHET]
        rows[name] = {
            "first": float(first.members[0]),
            "first_real": first.real,
            "independent": float(second.members[0]),
            "independent_real": second.real,
        }
        tau = kendalltau(*([row[k] for row in rows.values()] for k in ("first", "independent")))
        made = {"date": date.today().isoformat(), "n": measured.n, "tau": float(tau.statistic), "p": float(tau.pvalue)}
        text = json.dumps(made | {"rows": rows}, indent=2) + "\n"
        write_atomically(RESULTS, lambda path, text=text: path.write_text(text))
        print(name, rows[name], f"tau {tau.statistic:.2f}", flush=True)


def table() -> str:
    """Markdown: both judges' distances of every run, the best first, and how far the rankings agree."""
    stored = json.loads(RESULTS.read_text())
    rows = sorted(stored["rows"].items(), key=lambda item: item[1]["independent"])
    real = rows[0][1]
    lines = [
        f"| run | first judge (real data: {real['first_real']:.3g}) "
        f"| independent judge (real data: {real['independent_real']:.3g}) |",
        "| --- | ---: | ---: |",
        *(f"| {name} | {row['first']:.3g} | {row['independent']:.3g} |" for name, row in rows),
    ]
    agreed = f"Kendall's tau of the two rankings: {stored['tau']:.2f} (p = {stored['p']:.1g}, {len(rows)} runs)."
    return "\n".join([*lines, "", f"{agreed} Fréchet distances of {stored['n']:,} examples; {stored['date']}."])


if __name__ == "__main__":
    main()
