"""What metrics of pictures themselves say of real pictures, and of real pictures with a fault put into them.

    python benchmarks/artifacts.py [--data-dir DIR] [--folder NAME=DIR ...] [--only NAME ...] [--draws 20]

Each draw takes some real pictures to compare with and 256 others in the place of generated ones. These are left as they
are, which shows how far the metrics of sound samples may lie from 1, or from 0 for color distance; or they get a fault.
Results are written to `results/artifacts.json`, from which docs/metrics.md is made. `--folder` adds a folder of one's
own, which the results keep under that name.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage
from stranger_cases import drawing

from sparring.analysis.relative import RelativeMetrics
from sparring.datasets import Dataset
from sparring.datasets._images import Images
from sparring.datasets.digits import Digits
from sparring.datasets.fashion_mnist import FashionMNIST
from sparring.datasets.folder import Folder
from sparring.datasets.mnist import MNIST
from sparring.metrics import all_metrics

RESULTS = Path(__file__).parent / "results" / "artifacts.json"
METRICS = ("checkerboard", "sharpness", "colors", "roughness")
SIZES = (20, 100, 1_000)
"""Real pictures that are compared with: as in small folders and in large ones."""
SAMPLES, DRAWN, SIDE = 256, 1_500, 32
"""Pictures in the place of generated ones; of each drawn kind; and their side in pixels."""
KINDS = ("tinted", "shapes", "textures", "photographs")
PUBLISHED: dict[str, Dataset] = {"digits": Digits(), "mnist": MNIST(), "fashion-mnist": FashionMNIST()}
Fault = Callable[[np.ndarray], np.ndarray]


def pattern(strength: float) -> Fault:
    """A chessboard of single pixels, brighter and darker by this much."""
    return lambda x: np.clip(x + strength * (-1.0) ** np.indices(x.shape[-2:]).sum(0), 0, 1)


def blur(sd: float) -> Fault:
    """A Gaussian blur with this standard deviation, in pixels."""
    return lambda x: ndimage.gaussian_filter(x, (0, 0, sd, sd))


def saturation(factor: float) -> Fault:
    """How far colors are from gray, times this."""
    return lambda x: np.clip((gray := x.mean(1, keepdims=True)) + factor * (x - gray), 0, 1)


FAULTS: dict[str, Fault] = {
    "chessboard, ±2 %": pattern(0.02),
    "chessboard, ±5 %": pattern(0.05),
    "chessboard, ±10 %": pattern(0.1),
    "blur, SD 0.5 px": blur(0.5),
    "blur, SD 0.7 px": blur(0.7),
    "blur, SD 1 px": blur(1.0),
    "half of the saturation": saturation(0.5),
    "gray": saturation(0.0),
    "red and green exchanged": lambda x: x[:, [1, 0, *range(2, x.shape[1])]],
    "no blue": lambda x: x * np.array([1.0, 1.0, 0.0]).reshape(1, 3, 1, 1),
    "noise, SD 0.1": lambda x: np.clip(x + np.random.default_rng(1).normal(0, 0.1, x.shape), 0, 1),
}
COLORED = ("half of the saturation", "gray", "red and green exchanged", "no blue")


def pictures(name: str, data_dir: Path | None, folders: dict[str, Path]) -> np.ndarray:
    """Pictures of a set, float32 `(N, C, H, W)` in [0, 1]."""
    if name in KINDS:
        drawn = np.stack([drawing.KINDS[name](number, SIDE) for number in range(DRAWN)])
        return drawn.transpose(0, 3, 1, 2).astype(np.float32) / 255
    data = Folder(str(folders[name]), alpha=False) if name in folders else PUBLISHED[name]
    source = data.open(data_dir, "cpu")
    assert isinstance(source, Images)
    return source.pixels[: 4 * DRAWN].numpy().astype(np.float32) / 255


def measured(real: np.ndarray, draws: int) -> dict[str, Any]:
    """Metric -> for each size and for each fault a value per draw."""
    found: dict[str, dict[str, list[float]]] = {}
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(real))
        others = real[order[:SAMPLES]]
        for size in SIZES:
            rest = real[order[SAMPLES : SAMPLES + size]]
            if len(rest) == size:
                _add(found, f"{size:,}", rest, others)
        for name, fault in FAULTS.items():
            if real.shape[1] == 3 or name not in COLORED:
                _add(found, name, real[order[SAMPLES : SAMPLES + max(SIZES)]], fault(others).astype(np.float32))
    return found


def _add(found: dict[str, dict[str, list[float]]], row: str, real: np.ndarray, fake: np.ndarray) -> None:
    for name, value in _scored(real, fake):
        found.setdefault(name, {}).setdefault(row, []).append(round(value, 4))


def _scored(real: np.ndarray, fake: np.ndarray) -> Iterator[tuple[str, float]]:
    metrics = {name: all_metrics()[name]() for name in METRICS if all_metrics()[name]().fits(real.shape[1:])}
    scores = {name: metric.leave_one_out(real, len(real)) for name, metric in metrics.items()}
    for name, values in RelativeMetrics(real, metrics, scores)(fake[None]).items():
        yield name, float(values[0])


# Tables.


def table() -> str:
    """Markdown: of each set the range of every metric among real pictures, and the median of each fault."""
    stored = json.loads(RESULTS.read_text())
    return "\n\n".join(_metric_table(stored, metric) for metric in METRICS[:3])


def _metric_table(stored: dict[str, Any], metric: str) -> str:
    sets = {name: entry["values"][metric] for name, entry in stored.items() if metric in entry["values"]}
    faults = {"checkerboard": FAULTS.keys(), "sharpness": FAULTS.keys(), "colors": COLORED}[metric]
    lines = [f"| {all_metrics()[metric].title} | {' | '.join(sets)} |", "| --- |" + " ---: |" * len(sets)]
    for size in map("{:,}".format, SIZES):
        cells = [f"{min(v[size]):.2f} to {max(v[size]):.2f}" if size in v else "" for v in sets.values()]
        lines.append(f"| real, beside {size} | {' | '.join(cells)} |")
    for fault in faults:
        if metric == "colors" or fault not in COLORED:
            cells = [f"{np.median(v[fault]):.2f}" if fault in v else "" for v in sets.values()]
            lines.append(f"| {fault} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--folder", action="append", default=[], help="NAME=DIR")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--draws", type=int, default=20)
    arguments = parser.parse_args()
    folders = {name: Path(path) for name, _, path in (each.partition("=") for each in arguments.folder)}
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in arguments.only or (*PUBLISHED, *KINDS, *folders):
        real = pictures(name, arguments.data_dir, folders)
        values = measured(real, arguments.draws)
        stored[name] = {
            "date": date.today().isoformat(),
            "shape": real.shape[1:],
            "pictures": len(real),
            "values": values,
        }
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
        print(f"{name}: {len(real):,} pictures of shape {real.shape[1:]}", flush=True)


if __name__ == "__main__":
    main()
