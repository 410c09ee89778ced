"""Law 6: imports go down only, and the rooms that must answer at once load no torch."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from sparring import catalogue
from sparring.catalogue.source import PACKAGE

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "scipy", "sklearn", "matplotlib", "safetensors.torch")


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "code",
    [
        "import sparring; dir(sparring); sparring.Recipe, sparring.find_recipe, sparring.Run, sparring.SparringError",
        "import sparring; assert sparring.recipe('digits').replace(objective=sparring.objectives.Hinge()).id",
        "from sparring.tricks import R1; from sparring import optimizers; R1(gamma=1), optimizers.Adam(lr=1e-3)",
        "import sparring.record, sparring.record.grid",
        "import sparring.recipe",
        "import sparring.cli.main",
        "import sparring.catalogue as c; [c.entries(s) for s in c.KINDS]",
        "import sparring.catalogue as c; [c.find(s, name) for s in c.KINDS for name in c.entries(s)]",
        "from sparring.cli.main import run; assert run(['--help']) == 0",
        "from sparring.cli.main import run; assert run(['recipes']) == 0",
        "from sparring.cli.main import run; assert run(['recipes', '--json']) == 0",
        "from sparring.cli.main import run; assert run(['trian']) == 2",
        "from sparring.analysis.diagnosis import diagnosis, rules; [diagnosis(r.sick()) for r in rules().values()]",
        "from sparring.recipe import find_recipe\ntry: find_recipe('patern-1010')\nexcept Exception as e: print(e)",
    ],
)
def test_nothing_heavy_is_loaded_by(code: str) -> None:
    tail = f"\nimport sys; print([m for m in {HEAVY} if m in sys.modules])"
    assert run(code + tail).splitlines()[-1] == "[]"


READ_EVERY_RECIPE = """
from sparring import catalogue
from sparring.catalogue.source import PACKAGE
from sparring.recipe import Recipe, find_recipe
for name in catalogue.entries("recipes"):
    recipe = find_recipe(name)
    assert Recipe.from_json(recipe.to_json()) == recipe
    recipe.id, recipe.replace(seeds=3, tricks=(), objective=catalogue.make("objectives", "hinge", {}))
"""


def test_every_recipe_is_built_written_and_read_without_the_heavy_libraries() -> None:
    assert run(f"{READ_EVERY_RECIPE}\nimport sys; print([m for m in {HEAVY} if m in sys.modules])") == "[]\n"


def test_imports_go_down_only() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("shelf", catalogue.KINDS)
def test_every_kind_has_entries_and_each_is_found_under_its_name(shelf: str) -> None:
    cards = catalogue.entries(shelf)
    assert cards
    for name, card in cards.items():
        leaf = catalogue.find(shelf, name)
        assert card.summary.endswith((".", '"real".', '"fake".')), f"{name} says in its first line what it is"
        assert catalogue.name_of(leaf) == name or shelf == "recipes"


@pytest.mark.parametrize("kind", ["objectives", "tricks", "networks", "datasets", "optimizers", "latents", "metrics"])
def test_classes_are_attributes_of_their_package(kind: str) -> None:
    package = importlib.import_module(f"sparring.{kind}")
    classes = {entry.attribute: catalogue.find(kind, name) for name, entry in catalogue.entries(kind).items()}
    assert dir(package) == sorted(classes)
    assert all(getattr(package, name) is found for name, found in classes.items())
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        package.Nothing  # noqa: B018 - asking is the test


def test_every_file_of_a_kind_has_an_entry() -> None:
    for shelf in set(catalogue.KINDS) - {"moves"}:
        files = {p.stem for p in (PACKAGE / shelf).glob("*.py") if not p.name.startswith("_")}
        lost = files - {card.module.rpartition(".")[2] for card in catalogue.entries(shelf).values()}
        assert lost == set()
