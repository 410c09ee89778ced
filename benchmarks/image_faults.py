"""Which faults of images the metrics behind the findings see: real images that nobody trained on, made faulty.

    python benchmarks/image_faults.py --tiles FOLDER

Nothing is trained. Each fault is put at several strengths into 256 images of a folder of colored tiles, of MNIST and of
Fashion-MNIST, which are then compared with training images as an evaluation does it. Results go to
results/image-faults.json, from which `make docs` takes the table in docs/own-images.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from sparring.analysis.relative import RelativeMetrics
from sparring.datasets import Dataset
from sparring.datasets.fashion_mnist import FashionMNIST
from sparring.datasets.folder import Folder
from sparring.datasets.mnist import MNIST
from sparring.metrics import all_metrics
from sparring.rules import Range

RESULTS = Path(__file__).parent / "results" / "image-faults.json"
TRAINING, SAMPLES = 2_048, 256
"""As many as in an evaluation."""
METRICS = {
    "blurred": "sharpness",
    "checkered": "checkerboard",
    "wrong colors": "colors",
    "fixed": "fixed-pattern",
    "copied": "near-copies",
}
"""The metric that each kind of fault is found by."""


@dataclass(frozen=True)
class Case:
    """One fault at one strength."""

    kind: str
    what: str
    strength: float
    images: np.ndarray
    """float32 `(n, C, H, W)` in [0, 1]."""


def cases(unseen: np.ndarray, training: np.ndarray) -> Iterator[Case]:
    """Every fault, the faintest first."""
    for sd in (0.4, 0.5, 0.7, 1.0):
        yield Case("blurred", "Gaussian blur, SD in pixels", sd, ndimage.gaussian_filter(unseen, (0, 0, sd, sd)))
    down, across = np.indices(unseen.shape[-2:])
    chessboard, dots = (-1.0) ** (down + across), np.where((down % 2 == 0) & (across % 2 == 0), 1, -1 / 3)
    coarse = np.where((down % 4 == 1) & (across % 4 == 1), 1, -1 / 15)
    patterns = {"chessboard": chessboard, "every second pixel": dots, "every fourth pixel": coarse}
    for what, pattern in patterns.items():
        for height in (0.02, 0.05, 0.1, 0.2):
            yield Case("checkered", f"{what}, of 1", height, np.clip(unseen + height * pattern, 0, 1))
    if unseen.shape[1] == 3:
        gray, red = unseen.mean(1, keepdims=True), np.array([1, 0, 0])[:, None, None]
        for lost in (0.3, 0.5, 0.7, 1.0):
            yield Case("wrong colors", "color lost, share", lost, gray + (1 - lost) * (unseen - gray))
        for tint in (0.05, 0.1, 0.2):
            yield Case("wrong colors", "too much red, of 1", tint, np.clip(unseen + tint * red, 0, 1))
        yield Case("wrong colors", "red and blue exchanged", 1.0, unseen[:, ::-1])
    corner, middle, border = (np.zeros(unseen.shape[-2:], dtype=bool) for _ in range(3))
    corner[0, 0] = middle[len(middle) // 2, len(middle) // 2] = border[-1] = True
    for what, place in {"corner pixel": corner, "middle pixel": middle, "last row": border}.items():
        for level in (0.15, 0.3, 0.5, 1.0):
            yield Case("fixed", f"{what} always at, of 1", level, np.where(place, level, unseen))
    noise = np.random.default_rng(1).normal(0, 0.02, unseen.shape)
    copies = training[: len(unseen)] + noise
    for what, these in {"copies": copies, "copies moved by a pixel": np.roll(copies, 1, -1)}.items():
        for share in (0.05, 0.1, 0.2, 0.5):
            copied = np.arange(len(unseen))[:, None, None, None] < share * len(unseen)
            yield Case("copied", f"{what} among samples, share", share, np.where(copied, these, unseen))


def measured(data: Dataset) -> list[dict[str, Any]]:
    """What each fault scores in its metric on this data, and whether that is out of the healthy range."""
    pixels = data.open(None, "cpu").pixels.numpy()  # pyright: ignore[reportAttributeAccessIssue] - images have them
    images = pixels[np.random.default_rng(0).permutation(len(pixels))].astype(np.float32) / 255
    held_out = data.held_out(None)
    training, unseen = images[:TRAINING], images[TRAINING : TRAINING + SAMPLES]
    if held_out is not None:
        held_out = held_out[: 2 * SAMPLES].astype(np.float32) / 255
        unseen, held_out = held_out[:SAMPLES], held_out[SAMPLES:]
    metrics = RelativeMetrics.of(data, training, held_out, SAMPLES)
    rows: list[dict[str, Any]] = []
    sound = Case("sound", "nothing", 0.0, unseen)
    for case in (sound, *cases(unseen, training)):
        scores = metrics(np.ascontiguousarray(case.images, dtype=np.float32)[None])
        names = METRICS.values() if case is sound else [METRICS[case.kind]]
        for name in (name for name in names if name in scores):
            healthy, value = Range.of(all_metrics()[name].healthy, metrics.baseline[name]), float(scores[name][0])
            found = not bool(healthy.contains(np.array(value)))
            row = {"kind": case.kind, "what": case.what, "strength": case.strength, "metric": name}
            rows.append({**row, "value": round(value, 4), "healthy": healthy.words(), "found": found})
    return rows


def table() -> str:
    """For the docs: from which strength on each fault is found; and that sound images are not accused."""
    told = json.loads(RESULTS.read_text())
    faults = list(dict.fromkeys((row["kind"], row["what"]) for rows in told.values() for row in rows))
    lines = [f"| fault | {' | '.join(told)} |", f"| --- |{' ---: |' * len(told)}"]
    for kind, what in faults:
        cells = [_cell([row for row in rows if (row["kind"], row["what"]) == (kind, what)]) for rows in told.values()]
        lines.append(f"| {'none: found' if kind == 'sound' else f'{kind}: {what}'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(rows: list[dict[str, Any]]) -> str:
    found = [row["strength"] for row in rows if row["found"]]
    if rows and rows[0]["kind"] == "sound":
        return ", ".join(row["metric"] for row in rows if row["found"]) or "nothing"
    if not rows:
        return ""
    if not found:
        return "not found"
    return "found" if len(rows) == 1 else f"from {min(found):g}"


def main() -> None:
    """Measure, and keep what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=Path, required=True, help="a folder or an archive of colored images")
    tiles = str(parser.parse_args().tiles)
    sets = {"tiles, 32x32 in color": Folder(tiles, alpha=False), "MNIST": MNIST(), "Fashion-MNIST": FashionMNIST()}
    RESULTS.write_text(json.dumps({name: measured(data) for name, data in sets.items()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
