"""What a PyTorch user types, and the example notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from torch import nn

import sparring
from sparring import objectives, optimizers, tricks
from sparring.errors import SparringError, UsageError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> sparring.Run:
    recipe = sparring.recipe("digits").replace(objective=objectives.Hinge(), tricks=[tricks.R1(gamma=1)], seeds=4)
    recipe = recipe.replace(rounds=40, log_points=2)
    return sparring.train(recipe, out=tmp_path_factory.mktemp("runs") / "a", threads=1)


def test_curves_are_rounds_by_members(run: sparring.Run) -> None:
    curves = run.curves
    assert curves["d_loss"].shape == (len(curves.rounds), 4) and np.isfinite(curves["d_loss"]).all()
    assert list(curves) == ["d_loss", "g_loss", "d_real", "d_fake", "d_gradient", "g_gradient"] and len(curves) == 6
    assert "d_loss" in curves and "loss" not in curves
    with pytest.raises(UsageError, match="did you mean 'd_loss'"):
        curves["d_los"]


def test_curves_as_a_data_frame(run: sparring.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = run.curves.to_pandas()
    assert frame.index.name == "round" and frame.columns.names == ["curve", "seed"]
    np.testing.assert_array_equal(frame["d_loss"][2].to_numpy(), run.curves["d_loss"][:, 2])

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("sparring.interface.importlib.import_module", missing)
    with pytest.raises(SparringError, match="pip install pandas"):
        run.curves.to_pandas()


def test_a_run_tells_how_it_went(run: sparring.Run) -> None:
    assert (run.status, run.round, run.seeds) == ("finished", 40, (0, 1, 2, 3))
    assert run.recipe == sparring.Run(run.path).recipe and run.recipe.objective == objectives.Hinge()
    assert run.diagnose().verdict == run.summary()["diagnosis"]["verdict"] == sparring.diagnose(run).verdict
    assert "digits, 4 seeds, finished at round 40" in repr(run)


def test_a_measurement_is_beside_real_data_and_stays_with_the_run(run: sparring.Run) -> None:
    measured = run.measure(count=50, metrics=["modes", "frechet-distance"], seeds=[1, 3])
    assert {name: score.members.shape for name, score in measured.scores.items()}["frechet-distance"] == (2,)
    assert json.loads((run.path / "measures.json").read_text())["seeds"] == [1, 3]


def test_a_generator_is_an_ordinary_module(run: sparring.Run) -> None:
    G = run.generator(seed=3)
    assert isinstance(G, nn.Module) and not G.training
    images = G(torch.zeros(5, 32))
    assert images.shape == (5, 1, 8, 8) and images.min() >= 0 and images.max() <= 1
    assert sum(p.numel() for p in G.parameters()) > 1000 and images.requires_grad
    z = sparring.latent_vectors(run.recipe, range(6))
    for member, seed in enumerate(run.seeds):
        mine = run.generator(seed)(z[member]).detach().numpy()
        np.testing.assert_allclose(mine, run.sample(6)[member], atol=1e-6)
    with pytest.raises(UsageError, match="no seed 9"):
        run.generator(9)
    with pytest.raises(ValueError, match=r"\(B, 32\), not \(5, 3\)"):
        G(torch.zeros(5, 3))
    with pytest.raises(ValueError, match="takes no classes"):
        G(torch.zeros(5, 32), torch.zeros(5, dtype=torch.int64))


def test_a_class_conditional_generator_asks_for_classes(data_dir: Path, tmp_path: Path) -> None:
    recipe = sparring.recipe("mnist-fast").replace(rounds=1, log_points=1, batch=4)
    run = sparring.train(recipe, tmp_path / "run", data_dir=data_dir, threads=1, metrics=False)
    G = run.generator()
    assert G(torch.zeros(3, 64), torch.tensor([0, 5, 9])).shape == (3, 1, 28, 28)
    with pytest.raises(ValueError, match="give it classes"):
        G(torch.zeros(3, 64))


def test_networks_that_live_in_this_process_alone_are_remembered(tmp_path: Path) -> None:
    def generator() -> nn.Module:
        return nn.Sequential(nn.Linear(32, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))

    recipe = sparring.recipe("digits").replace(generator=generator, rounds=4, log_points=1, seeds=2)
    recipe = recipe.replace(generator_optimizer=optimizers.RMSprop(1e-3), discriminator_optimizer=optimizers.AdamW())
    run = sparring.train(recipe, tmp_path / "run", threads=1)
    assert run.sample(3).shape == (2, 3, 1, 8, 8) and run.generator(1)(torch.zeros(2, 32)).shape == (2, 1, 8, 8)
    assert run.measure(count=50).n == 50 and run.recipe.generator is generator
    with pytest.raises(SparringError, match="can only be loaded together with"):
        sparring.Run(run.path).sample(3)
    assert sparring.Run(run.path, recipe).sample(3).shape == (2, 3, 1, 8, 8)


def test_a_notebook_shows_the_verdict_the_curves_and_samples(run: sparring.Run) -> None:
    html = run._repr_html_()
    assert run.diagnose().line.partition(":")[0] in html and "4 seeds, finished at round 40" in html
    assert html.count("<img") == 2 and "http" not in html


def test_a_run_stands_for_its_folder(run: sparring.Run) -> None:
    assert sparring.sample(run, 2).shape == (4, 2, 1, 8, 8)
    assert run.report() == run.path / "report.html"


def test_the_example_notebook_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(ROOT / "examples" / "04_notebook.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    rich = [o for cell in notebook.cells for o in cell.get("outputs", []) if "text/html" in o.get("data", {})]
    assert any("seeds, finished at round" in "".join(o["data"]["text/html"]) for o in rich)
