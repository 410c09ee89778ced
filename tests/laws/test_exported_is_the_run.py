"""Law 9: an exported generator agrees with the one in the run, for every network and for modules of one's own."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

import sparring
from sparring import catalogue, datasets, latents
from sparring.analysis.latent_tools.directions.sensitivity import sensitivity
from sparring.errors import SparringError
from sparring.game.folding import folded
from sparring.game.network_graph import GraphNetwork, graph_of
from sparring.networks.layers import SpectralNorm
from sparring.ship.export import export
from sparring.ship.portable import TOLERANCE
from tests.contracts.network_cases import narrow
from tests.loops import sound

pytestmark = pytest.mark.usefixtures("operators_are_read_once")
BASE = sparring.recipe("digits").replace(batch=4, rounds=2, log_points=1, samples_per_grid=4, seeds=(3, 5))
GENERATORS = {
    name: leaf
    for name, leaf in ((name, narrow(catalogue.find("networks", name)())) for name in catalogue.entries("networks"))
    if not name.endswith("discriminator") and name != "convolutional"
}


@pytest.fixture(autouse=True, scope="module")
def pages_have_no_directions() -> Iterator[None]:
    """They take longer to find than the rest of an export; stories have pages with them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sparring.ship.demo._directions", lambda portable: [])
        yield


def trained(out: Path, **changes: Any) -> sparring.Run:
    return sparring.train(BASE.replace(**changes), out=out, threads=1, metrics=False)


def in_onnxruntime(folder: Path, *inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(folder / "generator.onnx"), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    return np.asarray(session.run(None, dict(zip(names, inputs, strict=True)))[0])


def in_torch(folder: Path, *inputs: Tensor) -> np.ndarray:
    script = runpy.run_path(str(folder / "sample.py"))
    about, tensors = script["load"](folder / "generator.safetensors")
    return script["run"](about["generator"], tensors, *inputs).numpy()


def check(run: sparring.Run, folder: Path, seed: int) -> None:
    """On vectors that the export has not seen, and for every size of a batch."""
    generator = run.generator(seed)
    size, classes = run.recipe.latent.size + run.recipe.clusters, run.recipe.data_classes
    for count in (1, 2, 7):
        z = torch.randn(count, size)
        inputs = (z, torch.arange(count) % classes) if classes else (z,)
        with torch.no_grad():
            expected = generator(*inputs).numpy()
        assert np.abs(in_onnxruntime(folder, *(each.numpy() for each in inputs)) - expected).max() <= TOLERANCE
        assert np.abs(in_torch(folder, *inputs) - expected).max() <= TOLERANCE


@pytest.mark.sampled(every=2)
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


def test_a_generator_with_clusters_draws_them_as_often_as_the_data(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", clusters=4)
    export(run.folder, tmp_path / "out", seed=3)
    check(run, tmp_path / "out", 3)
    torch_script, onnx_script = (runpy.run_path(str(tmp_path / "out" / f"sample{kind}.py")) for kind in ("", "_onnx"))
    about, tensors = torch_script["load"](tmp_path / "out" / "generator.safetensors")
    _, facts = onnx_script["load"](tmp_path / "out" / "generator.onnx")
    shares = np.array(run.recipe.cluster_sizes) / sum(run.recipe.cluster_sizes)
    torch.manual_seed(0)
    drawn = torch_script["run"](about["draw"], tensors, 4_000).numpy()
    for z in (drawn, onnx_script["draw"](facts["latent"], 4_000, np.random.default_rng(0))):
        assert z.shape == (4_000, facts["size"]) and (z[:, -4:].sum(1) == 1).all()
        assert np.abs(z[:, -4:].mean(0) - shares).max() < 0.04


def numbers(columns: int) -> np.ndarray:
    """Of very different sizes, the last one seconds since 1970."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((200, columns)) * np.logspace(-3, 5, columns) + np.append([31.0] * (columns - 1), 1.7e9)


@pytest.mark.parametrize("kind", ["table", "signals", "given"])
def test_numbers_are_exported_in_the_units_of_their_file(kind: str, tmp_path: Path) -> None:
    rows = numbers(4 if kind == "table" else 20)
    if kind == "table":
        np.savetxt(tmp_path / "t.csv", rows, delimiter=",", header="age,b,c,when", comments="", fmt="%.17g")
    np.save(tmp_path / "t.npy", rows[:, :-1])
    data = (
        datasets.InMemory.of(rows, kind="numbers", scale="columns")
        if kind == "given"
        else datasets.Table(str(tmp_path / ("t.csv" if kind == "table" else "t.npy")))
    )
    few = {"rounds": 2, "batch": 4, "log_points": 1, "samples_per_grid": 4, "seeds": (3, 5)}
    run = sparring.train(sparring.recipe("auto", data).replace(**few), out=tmp_path / "run", threads=1, metrics=False)
    made = export(run.folder, tmp_path / "out", seed=5)
    assert max(made.differences.values()) <= TOLERANCE and "demo.html" in made.files
    expected = run.sample(64, seeds=[5])[0]
    z = sparring.latent_vectors(run.recipe, range(64))[1]
    for found in (in_onnxruntime(tmp_path / "out", z.numpy()), in_torch(tmp_path / "out", z)):
        assert found.dtype == np.float64 and found.shape == expected.shape
        own, sd = rows[:, : found.shape[1]], rows.std(0)[: found.shape[1]] if kind != "signals" else rows[:, :-1].std()
        assert (np.abs(found - own.mean(0)) < 30 * sd).all()
        assert (np.abs(found - expected) <= TOLERANCE * sd + np.spacing(np.abs(expected))).all()
    manifest = json.loads((tmp_path / "out" / "export.json").read_text())
    units = "the units of the examples given" if kind == "given" else "the units of the file"
    assert manifest["units"] == units and manifest["columns"] == (["age", "b", "c", "when"] if kind == "table" else [])
    assert len(manifest["scale"]["sd"]) == {"table": 4, "signals": 1, "given": 20}[kind]
    card = (tmp_path / "out" / "README.md").read_text()
    assert units in card and "data units" not in card and "float64 (16, " in card


# Modules of one's own.


class Odd(nn.Module):
    """Batch norm before and after layers, a weight of its own that is normalized, in-place and grouped operations."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Linear(16, 32), nn.BatchNorm1d(32)
        self.spectral = SpectralNorm(nn.Linear(32, 64, bias=False))
        self.up = nn.ConvTranspose2d(4, 8, 4, 2, 1, groups=2)
        self.before, self.last = nn.BatchNorm2d(8), nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        h = self.spectral(torch.relu_(self.norm(self.first(z)))).view(-1, 4, 4, 4)
        return torch.tanh(self.last(nn.functional.dropout(self.before(self.up(h)), 0.5, self.training)))


class Noisy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(16, 64)

    def forward(self, z: Tensor) -> Tensor:
        return self.last(z + torch.randn_like(z)).view(-1, 1, 8, 8)


class Unusual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(16, 64)

    def forward(self, z: Tensor) -> Tensor:
        return torch.special.i1(self.last(z)).view(-1, 1, 8, 8)


class Deciding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(16, 64)

    def forward(self, z: Tensor) -> Tensor:
        h = self.last(z)
        return (h.sort(1).values if h.sum() > 0 else h).view(-1, 1, 8, 8)


def test_a_users_own_module_with_everything_folded(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", generator=Odd, latent=latents.Normal(16))
    export(run.folder, tmp_path / "out", seed=3)
    check(run, tmp_path / "out", 3)
    operations = [node.op_type for node in onnx.load(tmp_path / "out" / "generator.onnx").graph.node]
    assert "BatchNormalization" not in operations
    assert "Dropout" not in operations


def test_batch_norm_folds_into_every_kind_of_layer() -> None:
    torch.manual_seed(0)
    for layer, norm, x in (
        (nn.Linear(5, 4), nn.BatchNorm1d(4), torch.randn(3, 5)),
        (nn.Linear(5, 4, bias=False), nn.BatchNorm1d(4, affine=False), torch.randn(3, 5)),
        (nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), torch.randn(3, 2, 6, 6)),
        (nn.Conv1d(2, 4, 3, groups=2), nn.BatchNorm1d(4), torch.randn(3, 2, 6)),
        (nn.ConvTranspose2d(2, 4, 3), nn.BatchNorm2d(4), torch.randn(3, 2, 6, 6)),
        (nn.ConvTranspose2d(2, 4, 3, groups=2), nn.BatchNorm2d(4), torch.randn(3, 2, 6, 6)),
    ):
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
        network = nn.Sequential(layer, norm, nn.ReLU()).eval()
        graph, state = folded(graph_of(network, (x,)), dict(network.state_dict()), (x,))
        assert not [node for node in graph["nodes"] if "batch_norm" in node["op"]]
        torch.testing.assert_close(GraphNetwork(graph, state)(x), network(x), rtol=1e-5, atol=1e-6)


def test_a_resampling_matrix_is_made_once() -> None:
    network = GENERATORS["r3gan-generator"].build((8,), (1, 16, 16)).eval().requires_grad_(False)
    z = torch.randn(2, 8)
    graph, state = folded(graph_of(network, (z,)), dict(network.state_dict()), (z,))
    assert len(graph["nodes"]) < 50, "hundreds of operations make the matrices of its bilinear filters"
    torch.testing.assert_close(GraphNetwork(graph, state)(z), network(z))


@pytest.mark.parametrize(
    ("generator", "words"),
    [
        (Noisy, "draws random numbers of its own (aten.randn_like)"),
        (Unusual, "ONNX has no form of the operation prims.bessel_i1"),
        (Deciding, "it asks for the values of tensors, in an if, a loop or an item()"),
    ],
)
def test_what_cannot_be_exported_is_named(
    generator: type[nn.Module], words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = trained(tmp_path / "run", generator=generator, latent=latents.Normal(16))
    capfd.readouterr()
    with pytest.raises(SparringError) as caught:
        export(run.folder, tmp_path / "out", seed=3)
    assert words in str(caught.value) and len(str(caught.value).splitlines()) == 1
    assert re.fullmatch("(exporting seed 3.*\n)+", capfd.readouterr().err), "torch says nothing beside"
    assert not (tmp_path / "out").exists()


def one_vector_at_a_time(watching: sound.Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """Players that know no batches, as the 1010 toy is often written."""
    g, d = sound.mlp(1, 3, 4, last=nn.Sigmoid()), sound.mlp(4, 3, 1, last=nn.Sigmoid())
    opt_g, opt_d, loss = sound.adam(g), sound.adam(d), nn.MSELoss()
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            opt_d.zero_grad()
            (loss(d(torch.rand(4)), torch.ones(1)) + loss(d(g(torch.rand(1)).detach()), torch.zeros(1))).backward()
            opt_d.step()
            opt_g.zero_grad()
            loss(d(g(torch.rand(1))), torch.ones(1)).backward()
            opt_g.step()
    return g, d


LOOPS = {loop.__name__: loop for loop in (sound.textbook, sound.conditional, one_vector_at_a_time)}


@pytest.mark.parametrize("name", LOOPS)
def test_a_watched_loop(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    LOOPS[name](lambda *players, **more: sparring.watch(*players, out=tmp_path / "run", **more), 12)
    made = export(tmp_path / "run", tmp_path / "out")
    assert max(made.differences.values()) <= TOLERANCE
    assert "training loop of its author's own" in (tmp_path / "out" / "README.md").read_text()
    assert np.isfinite(sparring.Run(tmp_path / "run").sample(2)).all()


def test_a_watched_generator_is_differentiable_by_its_latent_vectors_and_weights(tmp_path: Path) -> None:
    """Batch norm's running statistics are none of its weights."""
    torch.manual_seed(0)
    sound.textbook(lambda *players, **more: sparring.watch(*players, out=tmp_path / "run", **more), 12)
    generator = sparring.Run(tmp_path / "run").generator()
    z = torch.randn(3, 12, requires_grad=True)
    generator(z).sum().backward()
    assert z.grad is not None and z.grad.abs().sum() > 0
    assert all(weight.grad is not None for weight in generator.parameters())
    assert any("running_mean" in name for name, _ in generator.named_buffers())
    found = sensitivity(generator, torch.randn(4, 12), 2)
    assert found.vectors.shape == (2, 12)
