"""Law 9: an exported generator agrees with the one in the run, for every network and for modules of one's own."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor

import sparring
from sparring import catalogue, latents
from sparring.ship.export import export
from sparring.ship.portable import TOLERANCE
from tests.contracts.network_cases import narrow

pytestmark = pytest.mark.usefixtures("blank_figures")

BASE = sparring.recipe("digits").replace(batch=4, rounds=2, log_points=1, samples_per_grid=4, seeds=(3, 5))
GENERATORS = {
    name: leaf
    for name, leaf in ((name, narrow(catalogue.find("networks", name)())) for name in catalogue.entries("networks"))
    if not name.endswith("discriminator") and name != "convolutional"
}


def trained(out: Path, **changes: Any) -> sparring.Run:
    return sparring.train(BASE.replace(**changes), out=out, threads=1, metrics=False)


def in_onnxruntime(folder: Path, *inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(folder / "generator.onnx"), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    return np.asarray(session.run(None, dict(zip(names, inputs, strict=True)))[0])


def in_torch(folder: Path, *inputs: Tensor) -> np.ndarray:
    G, _, _ = runpy.run_path(str(folder / "sample.py"))["load"](folder / "generator.safetensors")
    return G(*inputs).numpy()


def check(run: sparring.Run, folder: Path, seed: int) -> None:
    """On vectors that the export has not seen, and for every size of a batch."""
    generator = run.generator(seed)
    size, classes = run.recipe.latent.size, run.recipe.classes
    for count in (1, 2, 7):
        z = torch.randn(count, size)
        inputs = (z, torch.arange(count) % classes) if classes else (z,)
        with torch.no_grad():
            expected = generator(*inputs).numpy()
        assert np.abs(in_onnxruntime(folder, *(each.numpy() for each in inputs)) - expected).max() <= TOLERANCE
        assert np.abs(in_torch(folder, *inputs) - expected).max() <= TOLERANCE


@pytest.mark.parametrize("name", GENERATORS)
def test_every_network_that_makes_examples(name: str, tmp_path: Path) -> None:
    latent = latents.Normal(256 if name == "fully-convolutional" else 16)
    run = trained(tmp_path / "run", generator=GENERATORS[name], latent=latent, tricks="ema")
    made = export(run.folder, tmp_path / "out", seed=5)
    assert (made.seed, made.round) == (5, 2)
    assert max(made.differences.values()) <= TOLERANCE
    check(run, tmp_path / "out", 5)


def test_a_class_conditional_generator_takes_classes(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", conditional=True, generator=GENERATORS["dcgan-generator"])
    export(run, tmp_path / "out", seed="3")
    check(run, tmp_path / "out", 3)
