"""What every remedy must keep: what it changes runs as it stands, and it is silent where it has nothing to offer."""

from __future__ import annotations

import atexit
import copy
import dataclasses
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sparring import catalogue
from sparring.analysis.diagnosis import remedied
from sparring.datasets.digits import Digits
from sparring.datasets.folder import Folder
from sparring.errors import UsageError
from sparring.game.assembly import game_of
from sparring.latents.uniform import Uniform
from sparring.networks.fully_connected import FullyConnected
from sparring.networks.layers import UpsampledConvolution
from sparring.objectives.minimax import Minimax
from sparring.objectives.wasserstein import Wasserstein
from sparring.optimizers.adam import Adam
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe, find_recipe
from sparring.rules._stories import story
from sparring.tricks.label_swapping import LabelSwapping
from tests.miniature import miniature

RULES = {name: catalogue.find("rules", name)() for name in catalogue.entries("rules")}


class OwnGenerator(torch.nn.Sequential):
    def __init__(self) -> None:
        super().__init__(torch.nn.Linear(32, 64), torch.nn.Tanh(), torch.nn.Unflatten(1, (1, 8, 8)))


class OwnDiscriminator(torch.nn.Sequential):
    def __init__(self) -> None:
        super().__init__(torch.nn.Flatten(), torch.nn.Linear(64, 1), torch.nn.Sigmoid())


def dark_images() -> Path:
    """A folder of eight, which is gone when the tests are."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    for index in range(8):
        levels = np.random.default_rng(index).integers(0, 90, (8, 8), dtype=np.uint8)
        Image.fromarray(levels).save(folder / f"{index}.png")
    return folder


@cache
def broken() -> dict[str, Recipe]:
    """Recipes of which each has something that a remedy mends."""
    digits = find_recipe("digits")
    return {
        "as it comes": digits,
        "wrong scale": digits.replace(data=Digits(span=(0.0, 255.0))),
        "uneven": digits.replace(round=(digits.round[0], *(digits.round[1],) * 300), rounds=100),
        "flipped": digits.replace(tricks=(LabelSwapping(0.5, 0.0),)),
        "rates": digits.replace(discriminator_optimizer=Adam(5e-2), generator_optimizer=SGD(0.0, momentum=0.9)),
        "saturating": digits.replace(objective=Minimax()),
        "free critic": digits.replace(objective=Wasserstein(), tricks=()),
        "narrow": digits.replace(generator=FullyConnected((1,), "sigmoid", output="tanh"), latent=Uniform(1)),
        "own": digits.replace(generator=OwnGenerator),
        "own, wrong scale": digits.replace(generator=OwnGenerator, data=Digits(span=(0.0, 255.0))),
        "own D": digits.replace(discriminator=OwnDiscriminator),
        "sigmoid D": digits.replace(discriminator=FullyConnected((64,), output="sigmoid")),
        "linear, wrong scale": digits.replace(generator=FullyConnected((64,)), data=Digits(span=(0.0, 255.0))),
        "dark": digits.replace(data=Folder(str(dark_images()), span=(-1.0, 1.0))),
        "points": find_recipe("pattern-1010"),
        "one at a time": find_recipe("num-gan"),
    }


def fitting(remedy: Any) -> dict[str, Recipe]:
    """Those of the broken recipes that a remedy fits, changed."""
    found = {name: remedy(recipe) for name, recipe in broken().items()}
    return {name: changed for name, changed in found.items() if changed is not None}


def test_it_fits_one_of_the_broken_recipes_at_least(remedy: Any) -> None:
    assert fitting(remedy)


def test_what_it_changes_runs_five_rounds(remedy: Any, data_dir: Path) -> None:
    for name, changed in fitting(remedy).items():
        small = miniature(changed).replace(seeds=(0,), batch=min(changed.batch, 8))
        game = game_of(small, small.data.open(data_dir, "cpu"))
        for _ in range(5):
            game.play()
        weights = [t for p in game.players.values() for t in p.networks.state().values()]
        assert all(torch.isfinite(w).all() for w in weights), name


def test_whatever_is_found_there_is_something_to_try() -> None:
    for name, recipe in broken().items():
        for finding, rule in RULES.items():
            if finding.startswith("bug-"):
                continue  # of a user's own loop, which no recipe changes
            fits = [r for r in rule.remedies if catalogue.make("remedies", r, {})(recipe) is not None]
            assert fits or not rule.fault, f"{finding} in {name}"


def test_it_changes_the_recipe_and_leaves_the_one_it_was_given(remedy: Any) -> None:
    for recipe in broken().values():
        before = copy.deepcopy(recipe.to_dict())
        changed = remedy(recipe)
        assert recipe.to_dict() == before
        assert changed is None or (changed.to_dict() != before and changed.to_dict().keys() == before.keys())
        assert changed is None or changed.name == recipe.name


def test_it_is_named_by_a_rule_and_has_no_settings(remedy: Any) -> None:
    name = catalogue.name_of(type(remedy))
    assert any(name in rule.remedies for rule in RULES.values())
    assert not dataclasses.fields(remedy)


def test_one_that_does_not_fit_is_refused_with_those_that_do() -> None:
    with pytest.raises(
        UsageError, match=r"no-label-swapping has nothing to change in this recipe; these have: .*modern"
    ):
        remedied(find_recipe("digits"), "no-label-swapping")
    with pytest.raises(UsageError, match="did you mean 'modern'"):
        remedied(find_recipe("digits"), "modrn")


@pytest.mark.parametrize(
    ("finding", "name", "first"),
    [
        ("discriminator-wins", "uneven", "equal-steps"),
        ("weak-discriminator", "flipped", "no-label-swapping"),
        ("weak-discriminator", "rates", "usual-lr"),
        ("discriminator-wins", "wrong scale", "matching-data-range"),
        ("vanishing-gradient", "saturating", "cross-entropy"),
        ("vanishing-gradient", "own", "fully-connected-generator"),
        ("discriminator-wins", "narrow", "wider-networks"),
        ("divergence", "free critic", "gradient-penalty"),
        ("divergence", "rates", "usual-lr"),
        ("divergence", "as it comes", "lower-lr"),
        ("mode-collapse", "narrow", "larger-latent"),
        ("mode-collapse", "one at a time", "larger-latent"),
        ("memorization", "as it comes", "augmentation"),
        ("oscillation", "as it comes", "r1-r2-penalty"),
        ("undertrained", "as it comes", "more-rounds"),
        ("range-mismatch", "wrong scale", "matching-data-range"),
        ("range-mismatch", "linear, wrong scale", "matching-data-range"),
        ("bounded-scores", "sigmoid D", "unbounded-discriminator"),
        ("bounded-scores", "own D", "least-squares"),
    ],
)
def test_the_first_remedy_that_fits_mends_what_the_recipe_shows_is_wrong(finding: str, name: str, first: str) -> None:
    recipe = broken()[name]
    fits = [r for r in RULES[finding].remedies if catalogue.make("remedies", r, {})(recipe) is not None]
    assert fits[0] == first


@pytest.mark.parametrize(
    ("ending", "first", "span"),
    [
        ([0.0, 1.0], "unit-data-range", (0.0, 1.0)),
        ([0.0, None], "unit-data-range", (0.0, 1.0)),
        ([-1.0, 1.0], "signed-data-range", (-1.0, 1.0)),
        ([None, None], "signed-data-range", (-1.0, 1.0)),
        ([0.0, 2.0], "fully-connected-generator", None),
    ],
)
def test_the_data_of_a_g_of_ones_own_is_scaled_to_what_it_gives(
    ending: list[float | None], first: str, span: tuple[float, float] | None
) -> None:
    recipe = broken()["own, wrong scale"]
    numbers = (0.0, 0.0, 0.0, 10.0, 250.0, 255.0, 255.0)
    poor = {"frechet-distance": 60.0, "confidence": 0.5}
    finding = RULES["range-mismatch"](
        story(
            metrics=poor, ranges={"generator": ending}, real_quantiles=numbers, recipe=recipe.replace(seeds=8).to_dict()
        )
    )
    assert finding is not None
    fits = [r for r in finding.remedies if catalogue.make("remedies", r, {})(recipe) is not None]
    assert fits[0] == first
    assert span is None or remedied(recipe, first).data.span == span


def test_a_player_that_does_not_learn_takes_the_rule_of_the_other() -> None:
    recipe = find_recipe("ring").replace(discriminator_optimizer=SGD(0.0))
    changed = remedied(recipe, "usual-lr")
    assert changed.discriminator_optimizer == changed.generator_optimizer == recipe.generator_optimizer
    too_slow = recipe.replace(generator_optimizer=Adam(1e-9))
    both = remedied(too_slow, "usual-lr")
    assert both.discriminator_optimizer == both.generator_optimizer != too_slow.generator_optimizer


def test_resize_convolution_changes_only_how_dcgan_enlarges() -> None:
    recipe = find_recipe("mnist")
    remedy = catalogue.find("remedies", "resize-convolution")()
    mended = recipe.replace(**remedy.changes(recipe))
    assert mended.generator == dataclasses.replace(recipe.generator, upsampling="nearest")
    layers = [type(layer) for layer in mended.generator.build((64,), (1, 28, 28))]
    assert UpsampledConvolution in layers and torch.nn.ConvTranspose2d not in layers
    assert remedy.changes(mended) == {}
