"""What every recipe must keep."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sparring import catalogue
from sparring.analysis.generators import sample
from sparring.datasets import Dataset
from sparring.datasets.digits import Digits
from sparring.datasets.fashion_mnist import FashionMNIST
from sparring.datasets.folder import Folder
from sparring.datasets.grid import Grid
from sparring.datasets.in_memory import InMemory
from sparring.datasets.mnist import MNIST
from sparring.datasets.pattern_1010 import Pattern1010
from sparring.datasets.ring import Ring
from sparring.datasets.stacked_mnist import StackedMNIST
from sparring.errors import UsageError
from sparring.game.assembly import game_of
from sparring.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.recipe import Recipe, find_recipe
from sparring.training import train
from sparring.training.about import changed_from_catalogue
from sparring.tricks.adaptive_augmentation import AdaptiveAugmentation
from sparring.tricks.r1_r2 import R1R2
from tests.miniature import LARGEST_BATCH, miniature


def test_a_recipe_builds_a_game_whose_first_rounds_are_finite(recipe: Recipe, data_dir: Path) -> None:
    small = miniature(recipe)
    game = game_of(small, small.data.open(data_dir, "cpu"))
    game.recording = True
    for _ in range(3):
        game.play()
    assert {"d_loss", "g_loss", "d_real", "d_fake"} <= game.logged.keys()
    assert all(torch.isfinite(figure).all() for figures in game.logged.values() for figure in figures)


MAX_REPEATS, WHOLE_ROUNDS = 4, 2
"""A few rounds repeat a move hundreds of times: that often they are played here, and in full for a few rounds."""


@pytest.mark.sampled
@pytest.mark.filterwarnings("ignore:TF32 acceleration")  # torch says so of Intel GPUs when oneDNN is switched back on
def test_a_recipe_plays_two_hundred_rounds(recipe: Recipe, data_dir: Path) -> None:
    """With the steps of its round: only the networks and the batch are smaller, and a move repeats no more than so."""
    moves = tuple(m for _, run in itertools.groupby(recipe.round) for m in itertools.islice(run, MAX_REPEATS))
    for round, rounds in {recipe.round: WHOLE_ROUNDS, moves: 200}.items():
        small = miniature(recipe).replace(round=round, batch=min(recipe.batch, 2), rounds=rounds)
        game = game_of(small, small.data.open(data_dir, "cpu"))
        # oneDNN takes twice as long over convolutions as small as these, and some rounds have hundreds of them.
        with torch.backends.mkldnn.flags(enabled=False):
            for _ in range(rounds):
                game.play()
        assert game.round == rounds
        assert all(torch.isfinite(t).all() for p in game.players.values() for t in p.networks.state().values())


def test_a_recipe_plays_at_its_full_size(recipe: Recipe, data_dir: Path) -> None:
    whole = recipe.replace(round=tuple(dict.fromkeys(recipe.round)), batch=min(recipe.batch, LARGEST_BATCH))
    game = game_of(whole, whole.data.open(data_dir, "cpu"))
    game.play()
    assert all(torch.isfinite(t).all() for p in game.players.values() for t in p.networks.state().values())


@pytest.mark.parametrize(
    ("name", "player", "low", "high"),
    [
        ("mnist-own", "G", 38e6, 42e6),
        ("mnist-own", "D", 5.34 * 1024, 5.36 * 1024),
        ("mnist-reference", "G", 0.95e6, 1.05e6),
        ("mnist-reference", "D", 38e6, 42e6),
    ],
)
def test_weights_have_the_sizes_that_the_write_up_gives(name: str, player: str, low: float, high: float) -> None:
    """In bytes of float32: about 40 MB, 5.35 KB, about 1 MB and about 40 MB."""
    recipe = find_recipe(name)
    takes, shape = (recipe.latent.size,), recipe.data.shape
    made = recipe.generator.build(takes, shape) if player == "G" else recipe.discriminator.build(shape, ())
    assert low <= 4 * sum(p.numel() for p in made.parameters()) <= high


def test_a_recipe_states_its_source_and_its_reference_result(recipe: Recipe) -> None:
    card = catalogue.entries("recipes")[recipe.name]
    assert card.facts["source"].strip()
    assert card.facts["verdict"].strip()
    assert card.summary.endswith(".")
    assert card.summary in card.text


def test_a_recipe_is_found_under_its_name(recipe: Recipe) -> None:
    assert find_recipe(recipe.name) == recipe


@pytest.mark.sampled
@pytest.mark.usefixtures("few_samples")
def test_a_recipe_trains_and_its_run_can_be_sampled(recipe: Recipe, data_dir: Path, tmp_path: Path) -> None:
    run = train(
        miniature(recipe).replace(seeds=(4, 2), rounds=12, log_points=3, samples_per_grid=4),
        tmp_path / "run",
        data_dir=data_dir,
        threads=1,
    )
    assert run.story.status == "finished"
    logged = {log_point["round"] for log_point in run.story.log_points}
    assert logged >= {0, 4, 8, 12}  # a checkpoint that is kept on the way has curves too
    assert len(run.story.pictures) == 4
    assert all((run.path / picture).read_bytes().startswith(b"\x89PNG") for picture in run.story.pictures)
    images = sample(run, 5)
    assert images.shape == (2, 5, *recipe.data.shape)
    assert images.dtype == np.float32
    assert np.isfinite(images).all()


def test_the_values_of_a_round_are_d_and_gs_own(recipe: Recipe, data_dir: Path) -> None:
    """D(x) lies where the objective's opinions lie, and the first losses are near those of a D that cannot tell."""
    small = miniature(recipe)
    game: Any = game_of(small, small.data.open(data_dir, "cpu"))
    game.recording = True
    game.play()
    for name in ("d_real", "d_fake"):
        for figure in game.logged[name]:
            assert figure.shape == (1,)
            assert 0 <= float(figure) <= 1
    assert len(game.logged["d_real"]) == len(game.logged["d_fake"]) == 1


# `auto`, which sizes itself.


@pytest.fixture(params=[(16, 16), (32, 32), (36, 36), (64, 48), (100, 100), (12, 40)], ids=str)
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param


@pytest.fixture(params=["L", "RGB"])
def photos(request: pytest.FixtureRequest, size: tuple[int, int], tmp_path: Path) -> Folder:
    rng = np.random.default_rng(size[0])
    for number in range(20):
        pixels = Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).convert(request.param)
        pixels.save(tmp_path / f"{number}.png")
    return Folder(str(tmp_path))


def tricks_of(recipe: Recipe) -> list[type]:
    return [type(trick) for trick in recipe.tricks]


def test_auto_draws_any_images(photos: Folder, size: tuple[int, int]) -> None:
    """With convolutions unless they are small, whatever the size, and few images augmented as D needs it."""
    recipe = find_recipe("auto", sized_by=photos)
    assert recipe.data.shape[1:] == size
    assert isinstance(recipe.generator, FullyConnected if size == (16, 16) else DCGANGenerator)
    if isinstance(recipe.generator, DCGANGenerator):
        in_color = recipe.data.shape[0] == 3
        tried = size in ((32, 32), (12, 40)) or (in_color and size in ((36, 36), (64, 48)))
        assert recipe.generator.upsampling == ("nearest" if in_color and tried else "transposed")
        assert isinstance(recipe.discriminator, DCGANDiscriminator)
        assert recipe.discriminator.minibatch_deviation == tried
    assert recipe.generator.size((recipe.latent.size,), recipe.data.shape) < 3_500_000
    assert tricks_of(recipe)[0] is AdaptiveAugmentation
    assert recipe.data.span == (-1.0, 1.0)
    recipe = recipe.replace(batch=4)
    game = game_of(recipe, recipe.data.open(None, "cpu"))
    game.play()
    assert game.G(torch.zeros(1, 2, recipe.latent.size)).shape == (1, 2, *recipe.data.shape)
    assert all(torch.isfinite(t).all() for p in game.players.values() for t in p.networks.state().values())


@pytest.mark.parametrize("data", [MNIST(), StackedMNIST()], ids=["images", "stacks"])
def test_auto_does_not_augment_where_images_are_many(data: Any) -> None:
    assert AdaptiveAugmentation not in tricks_of(find_recipe("auto", sized_by=data))


@pytest.mark.parametrize(("data", "least", "most"), [(Ring(), 0.012, 0.014), (Grid(), 0.19, 0.21)])
def test_auto_weighs_the_penalty_by_the_spread_of_points(data: Any, least: float, most: float) -> None:
    recipe = find_recipe("auto", sized_by=data)
    (penalty,) = (trick for trick in recipe.tricks if isinstance(trick, R1R2))
    assert least <= penalty.gamma <= most
    assert recipe.replace(data=Ring(), tricks=()).id == find_recipe("grid").replace(data=Ring(), tricks=()).id


@pytest.mark.parametrize(
    ("channels", "side", "final"),
    [(3, 16, 1.0), (3, 17, 0.1), (3, 64, 0.1), (3, 65, 1.0), (1, 17, 0.1), (1, 32, 0.1), (1, 33, 1.0)],
)
def test_auto_lets_gamma_fall_for_images_of_which_that_was_measured(channels: int, side: int, final: float) -> None:
    data = InMemory.of(np.random.default_rng(0).integers(0, 256, (40, channels, side, side), dtype=np.uint8))
    (penalty,) = (trick for trick in find_recipe("auto", sized_by=data).tricks if isinstance(trick, R1R2))
    assert penalty.final == final


@pytest.mark.parametrize(
    ("shape", "conditional", "gamma"),
    [
        ((1_000, 1, 20, 20), False, 0.3),
        ((1_000, 3, 20, 20), False, 3.0),
        ((1_000, 1, 20, 20), True, 3.0),
        ((999, 1, 20, 20), False, 3.0),
        ((1_000, 1, 36, 36), False, 3.0),
    ],
    ids=["gray", "color", "with classes", "few", "large"],
)
def test_auto_begins_with_less_gamma_where_there_are_clusters(
    shape: tuple[int, ...], conditional: bool, gamma: float
) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    data = InMemory.of((images, np.arange(len(images)) % 2))
    recipe = find_recipe("auto", sized_by=data, conditional=conditional)
    (penalty,) = (trick for trick in recipe.tricks if isinstance(trick, R1R2))
    assert penalty.gamma == gamma


def test_auto_takes_numbers_that_are_no_points() -> None:
    recipe = find_recipe("auto", sized_by=Pattern1010()).replace(batch=8)
    game = game_of(recipe, recipe.data.open(None, "cpu"))
    game.play()
    assert game.G(torch.zeros(1, 2, recipe.latent.size)).shape == (1, 2, 4)


def test_a_recipe_that_does_not_size_itself_keeps_its_networks_on_the_data_that_is_asked_for(tmp_path: Path) -> None:
    digits, ring = find_recipe("digits"), Ring()
    assert find_recipe("digits", sized_by=ring, minutes=60) == digits.replace(data=ring)
    assert find_recipe("digits", conditional=True) == digits.replace(conditional=True)
    assert find_recipe("mnist-fast", conditional=False) == find_recipe("mnist-fast").replace(conditional=False)
    with pytest.raises(UsageError, match="conditional needs data whose classes are known"):
        find_recipe("digits", sized_by=ring, conditional=True)
    file = tmp_path / "mine.py"
    file.write_text("import sparring\n\ndef mine() -> sparring.Recipe:\n    return sparring.recipe('digits')\n")
    assert find_recipe(file, sized_by=ring).data == ring


@pytest.mark.parametrize(
    ("asked", "refused"),
    [({"minutes": "5"}, "minutes takes a number or None"), ({"conditional": "yes"}, "conditional takes ")],
)
def test_what_a_recipe_is_asked_for_has_to_be_of_its_kind(asked: Any, refused: str) -> None:
    with pytest.raises(UsageError, match=f"find_recipe: {refused}"):
        find_recipe("auto", **asked)


@pytest.mark.parametrize("conditional", [None, False, True])
def test_auto_chooses_the_loss_by_whether_classes_are_asked_for(conditional: bool | None) -> None:
    recipe = find_recipe("auto", sized_by=MNIST(), conditional=conditional)
    assert recipe.conditional is bool(conditional)
    assert type(recipe.objective) is (BCEWithLogits if conditional else RelativisticPaired)
    plain = recipe.replace(
        conditional=False,
        clusters=128,
        objective=RelativisticPaired(),
        tricks=find_recipe("auto", sized_by=MNIST()).tricks,
    )
    assert plain == find_recipe("auto", sized_by=MNIST()) and recipe.clusters == (0 if conditional else 128)


@pytest.mark.parametrize(
    ("data", "clusters"), [(Digits(), 42), (Ring(), 0), (Pattern1010(), 0), (StackedMNIST(), 0), (FashionMNIST(), 128)]
)
def test_auto_has_clusters_of_images_that_can_be_counted(data: Dataset, clusters: int) -> None:
    assert find_recipe("auto", sized_by=data).clusters == clusters


def test_auto_has_no_clusters_of_photographs_or_of_few_images() -> None:
    images = np.random.default_rng(0).integers(0, 256, (1_000, 3, 8, 8), dtype=np.uint8)
    assert find_recipe("auto", sized_by=InMemory.of(images)).clusters == 0
    assert find_recipe("auto", sized_by=InMemory.of(images[:, :1])).clusters == 32
    assert find_recipe("auto", sized_by=InMemory.of(images[:999, :1])).clusters == 0


@pytest.mark.parametrize(("data", "is_tried"), [(MNIST(), True), (FashionMNIST(), True), (Digits(), False)])
def test_auto_has_the_relativistic_loss_with_classes_where_it_is_given_ten_minutes(
    data: Dataset, is_tried: bool
) -> None:
    """In so long the non-saturating one brings gray images no nearer than in three (docs/choosing.md)."""
    short, long = (find_recipe("auto", sized_by=data, conditional=True, minutes=minutes) for minutes in (9, 10))
    assert short == find_recipe("auto", sized_by=data, conditional=True)
    assert (long != short) is is_tried and long.conditional
    assert type(long.objective) is (RelativisticPaired if is_tried else BCEWithLogits)


def test_what_was_changed_is_told_of_data_without_the_classes_that_a_recipe_needs() -> None:
    changed = changed_from_catalogue(find_recipe("mnist-fast").replace(conditional=False, data=Ring()))
    assert changed is not None and {"data", "conditional"} <= changed.keys()
