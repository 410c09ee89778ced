"""Train the judges that come with the package, and write their weights into it.

    python benchmarks/judges.py [--data-dir DIR] [--only digits digits-independent ...] [--out DIR]

Of each data set there are two: one that settings were chosen by, and an independent one, of another architecture and
training, that results are reported by. The judges of MNIST and Fashion-MNIST are tested on the test splits, those of
the digits on a fixed fifth of them. The result is reproducible on one machine with one version of torch.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from sparring import judges
from sparring.datasets import _idx
from sparring.judges.independent import LR, SEED, train_independent_judge
from sparring.judges.residual import ResidualNetwork
from sparring.judges.training import TrainingSettings, train_judge

Labeled = tuple[np.ndarray, np.ndarray]
LESSONS = {
    "digits": TrainingSettings(epochs=60, shift=1, batch=64, dropout=0.2),
    "mnist": TrainingSettings(epochs=4, shift=2),
    "fashion-mnist": TrainingSettings(epochs=12, shift=1, mirrored=True, dropout=0.2),
    "digits-independent": TrainingSettings(epochs=80, shift=0, batch=64, lr=LR, seed=SEED),
    "mnist-independent": TrainingSettings(epochs=8, shift=0, lr=LR, seed=SEED),
    "fashion-mnist-independent": TrainingSettings(epochs=14, shift=0, lr=LR, seed=SEED),
}


def digits(_: Path | None) -> tuple[Labeled, Labeled]:
    """Training part and held-out fifth: every fifth of a shuffle with a fixed seed."""
    from sklearn.datasets import load_digits

    digits_data = load_digits()
    pixels = (digits_data.images[:, None] * (255 / 16)).round().astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(pixels))
    test, train = order[::5], np.delete(order, np.s_[::5])
    return (pixels[train], digits_data.target[train]), (pixels[test], digits_data.target[test])


def idx(archive: _idx.Archive) -> Callable[[Path | None], tuple[Labeled, Labeled]]:
    def both(data_dir: Path | None) -> tuple[Labeled, Labeled]:
        return split("train", data_dir), split("test", data_dir)

    def split(name: str, data_dir: Path | None) -> Labeled:
        return _idx.images(archive, name, data_dir), _idx.labels(archive, name, data_dir)

    return both


DATA = {"digits": digits, "mnist": idx(_idx.MNIST), "fashion-mnist": idx(_idx.FASHION_MNIST)}


def accuracy(judge: judges.Judge, test: Labeled) -> float:
    """Share of images `(N, C, H, W)`, uint8, that it classifies correctly."""
    pixels, labels = test
    return float((judge(pixels / 255).probabilities.argmax(1) == labels).mean())


def print_progress(step: int, steps: int, loss: float) -> None:
    """Print progress ten times per training."""
    if step % max(1, steps // 10) == 0:
        print(f"step {step:,} of {steps:,}: loss {loss:.4f}", flush=True)


def main() -> None:
    """Train each judge, save it, test it and print its accuracy."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--data-dir", type=Path)
    asked.add_argument("--only", nargs="+", choices=LESSONS, default=list(LESSONS))
    asked.add_argument("--out", type=Path, default=judges.HERE)
    flags = asked.parse_args()
    torch.set_num_threads(1)  # sums over threads depend on how many there are
    for name in flags.only:
        train, test = DATA[name.removesuffix(judges.INDEPENDENT)](flags.data_dir)
        begun, settings, is_independent = time.perf_counter(), LESSONS[name], name.endswith(judges.INDEPENDENT)
        network = (train_independent_judge if is_independent else train_judge)(*train, settings, print_progress)
        path, seconds = flags.out / f"{name}.safetensors", time.perf_counter() - begun
        facts = {
            "shape": list(train[0].shape[1:]),
            "classes": 10,
            "trained_on": len(train[0]),
            "held_out": len(test[0]),
            "parameters": sum(p.numel() for p in network.parameters()),
            "lesson": asdict(settings),
        }
        if isinstance(network, ResidualNetwork):
            facts |= {"architecture": "residual", "features": network.features}
        judges.write(network, path, {**facts, "accuracy": 0.0})
        # Tested as it will be used: from its file, in half precision.
        right = accuracy(judges.read(path), test)
        judges.write(network, path, {**facts, "accuracy": right})
        print(f"{name}: {right:.2%} of {len(test[0]):,}, {path.stat().st_size:,} bytes, {seconds:.0f} s")


if __name__ == "__main__":
    main()
