"""What a PyTorch user types, and the example notebook."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from torch import nn

import sparring
from sparring import objectives, optimizers, tricks
from sparring.analysis.latent_tools.blend import blend
from sparring.errors import SparringError, UsageError
from sparring.recipe import memory

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


def test_a_diagnosis_goes_from_one_process_to_another(run: sparring.Run) -> None:
    found = run.diagnose()
    again: Any = ForkingPickler.loads(ForkingPickler.dumps(found))
    assert again == found and [each.since for each in again.findings] == [each.since for each in found.findings]


@pytest.mark.parametrize("wrong", [0, "0", ["a"], [0.5], [None]])
@pytest.mark.parametrize("name", ["seeds", "z_seeds"])
def test_numbers_that_are_none_are_named(name: str, wrong: Any, run: sparring.Run) -> None:
    with pytest.raises(UsageError, match=f"^{name} must be a list of whole numbers") as raised:
        run.sample(2, **{name: wrong})
    assert repr(wrong) in str(raised.value)


def test_a_misspelt_run_is_named_by_its_neighbor(run: sparring.Run, tmp_path: Path) -> None:
    with pytest.raises(SparringError, match=f"does not exist; did you mean {run.path}"):
        sparring.Run(run.path.with_name("a-"))
    with pytest.raises(SparringError, match="would make it"):
        sparring.Run(tmp_path / "nothing-like-it")


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


@pytest.mark.parametrize("count", [2.5, "3", 0, True])
def test_how_many_samples_is_a_whole_number(run: sparring.Run, count: Any) -> None:
    with pytest.raises(UsageError, match="count must be a whole number of at least 1"):
        run.sample(count)


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
    everywhere = sparring.sample(run, 3), sparring.sample(run.path, 3), sparring.Run(run.path).sample(3)
    assert all(np.array_equal(images, run.sample(3)) for images in everywhere)
    assert sparring.measure(run.path, count=50).n == 50
    again, G = sparring.explorable(run)
    z = sparring.latent_vectors(again, range(3))
    np.testing.assert_allclose(G(z).numpy(), run.sample(3), atol=1e-6)
    assert G(blend(z[:, :2], steps=5)).shape == (2, 5, 1, 8, 8)


def test_another_process_needs_the_recipe_and_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = lambda: nn.Sequential(nn.Linear(32, 64), nn.Tanh())  # noqa: E731
    recipe = sparring.recipe("digits").replace(generator=generator, rounds=2, log_points=1)
    run = sparring.train(recipe, tmp_path / "run", threads=1, metrics=False)
    monkeypatch.setattr(memory, "_recipes", OrderedDict())  # as in a process that did not train it
    elsewhere = sparring.Run(run.path)
    for call in (elsewhere.sample, elsewhere.measure, elsewhere.generator, lambda: sparring.explorable(run.path)):
        with pytest.raises(SparringError, match=r"can only be loaded together with .* \(recipe=... in Python\)"):
            call()
    assert elsewhere.diagnose().line and elsewhere.curves["d_loss"].size
    wanted = run.sample(2)
    for images in (
        sparring.sample(run.path, 2, recipe=recipe),
        sparring.explorable(run.path, recipe=recipe)[1](sparring.latent_vectors(recipe, range(2))).numpy(),
        sparring.Run(run.path, recipe).sample(2),
    ):
        np.testing.assert_allclose(images, wanted, atol=1e-6)
    assert sparring.measure(run.path, count=50, recipe=recipe).n == 50
    assert sparring.Run(run.path).sample(2).shape == (1, 2, 1, 8, 8), "a handle made with the recipe has told it"


CELL = """
from torch import nn
width = {width}

def layers():
    return nn.Linear(32, width), nn.{activation}()

class G(nn.Module):
    kept = {kept}
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(*layers(), nn.Linear(width, 64))
    def forward(self, z):
        return self.model(z).view(-1, 1, 8, 8)

make = lambda: G()
"""


def test_a_part_of_a_notebook_is_what_all_its_cells_make_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that is run again with other numbers makes another part, also where it is another cell's."""

    def ids(**changes: Any) -> tuple[str, str]:
        module = ModuleType("notebook_without_a_file")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        cell = CELL.format(**{"width": 16, "activation": "ReLU", "kept": 1, **changes})
        exec(compile(cell, "<cell>", "exec"), vars(module))
        recipe = sparring.recipe("digits")
        return recipe.replace(generator=module.G).id, recipe.replace(generator=module.make).id

    assert ids() == ids()
    for changes in ({"width": 17}, {"activation": "Tanh"}, {"kept": 2}):
        assert all(one != other for one, other in zip(ids(), ids(**changes), strict=True)), changes


def test_a_notebook_shows_the_verdict_the_curves_and_samples(run: sparring.Run) -> None:
    html = run._repr_html_()
    assert run.diagnose().line.partition(":")[0] in html and "4 seeds, finished at round 40" in html
    assert html.count("<img") == 2 and "http" not in html


def test_a_run_stands_for_its_folder(run: sparring.Run) -> None:
    assert sparring.sample(run, 2).shape == (4, 2, 1, 8, 8)
    assert run.report() == run.path / "report.html"


def executed(name: str, folder: Path) -> Any:
    notebook = nbformat.read(ROOT / "examples" / name, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def test_networks_and_data_of_a_notebooks_cells_work_everywhere(tmp_path: Path) -> None:
    notebook = executed("06_notebook_own_networks.ipynb", tmp_path)
    said = [
        str(o.get("text") or o.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        for o in cell.get("outputs", [])
    ]
    assert any("the generator Generator gets (B, 32, 1, 1), from (B, 32)" in " ".join(text.split()) for text in said)
    assert "((2, 8, 1, 8, 8), torch.Size([5, 1, 8, 8]))" in said and "torch.Size([2, 9, 1, 8, 8])" in said
    assert any("'frechet-distance'" in text for text in said)
    assert any("the code of its discriminator, Discriminator, has changed since" in text for text in said)
    assert "(2, 100, 2)" in said


def test_the_example_notebook_runs(tmp_path: Path) -> None:
    notebook = executed("04_notebook.ipynb", tmp_path)
    rich = [o for cell in notebook.cells for o in cell.get("outputs", []) if "text/html" in o.get("data", {})]
    assert any("seeds, finished at round" in "".join(o["data"]["text/html"]) for o in rich)
