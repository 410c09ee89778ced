"""What the explorer's lessons come to: every training of the lessons on the circle, and how each ends.

    python benchmarks/lessons.py

For each: the spots of eight that every seed reaches (with at least 4 of 400 samples within 0.15), the median length of
the arrows in the picture of the last checkpoint over all seeds, and the seconds that it trained.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np

import sparring
from sparring.analysis.plane import planes_of
from sparring.explorer.lessons import lessons
from sparring.record import RunFolder

COUNT, ENOUGH, NEAR = 400, 4, 0.15
CENTERS = np.array([(math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8)])


def spots(samples: np.ndarray) -> list[int]:
    """How many of the eight spots each member's samples `(P, N, 2)` reach."""
    far = np.linalg.norm(samples[:, :, None] - CENTERS, axis=-1)
    nearest, near = far.argmin(-1), far.min(-1) < NEAR
    return [int((np.bincount(spot[ok], minlength=8) >= ENOUGH).sum()) for spot, ok in zip(nearest, near, strict=True)]


def arrows(run: RunFolder) -> float:
    """The median length of the arrows in the picture of the newest checkpoint."""
    round, path = max(run.rounds_saved().items())
    pushes = planes_of(run.recipe).at(round, run.load_file(path)).arrays["arrows"]
    return float(np.median(np.hypot(pushes[..., 0], pushes[..., 1])))


def main() -> None:
    """Train them all, and print a line for each."""
    for lesson in lessons().values():
        for trial in lesson.trials:
            recipe = trial.make()
            if recipe.data.shape != (2,):
                continue
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "run"
                trained = sparring.train(recipe, out=out, compile=False)
                run = RunFolder.open(out)
                reached, length = spots(trained.sample(count=COUNT)), arrows(run)
                seconds = run.story.seconds
                print(f"{lesson.name} {trial.name}: {reached}, arrows {length:.3g}, {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
