"""Data as a program has it: arrays, tensors, lists, torch's Dataset and DataLoader, with or without labels."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, SubsetRandomSampler, TensorDataset
from torch.utils.data import Dataset as TorchDataset

import sparring
from sparring import datasets, networks
from sparring.cli import main as cli
from sparring.datasets import InMemory
from sparring.datasets._stored import STORED
from sparring.errors import SparringError, UsageError
from sparring.recipe import Recipe
from sparring.record import RunFolder, plots
from sparring.record.grid_reading import first_examples
from sparring.record.scatter import SIDE
from sparring.rng import RandomStreams
from sparring.training import Trainer

rng = np.random.default_rng(0)
LEVELS = rng.integers(0, 256, (60, 1, 8, 8), dtype=np.uint8)
CLASSES = np.arange(60) % 3
UNIT = torch.from_numpy(LEVELS).float() / 255
BASE = sparring.recipe("digits").replace(rounds=6, log_points=1, batch=4, generator="fully-connected(output=tanh)")


class Items(TorchDataset[Any]):
    """What a user's own data set gives, one item at a time."""

    def __init__(self, *items: Any):
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        return self.items[index]


class Stream(IterableDataset[Tensor]):
    """Points without end."""

    def __iter__(self) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(1)
        while True:
            yield torch.randn(2, generator=generator)


IMAGES = [Image.fromarray(levels[0]) for levels in LEVELS]
SAME: dict[str, Any] = {
    "bytes": LEVELS,
    "fractions": UNIT,
    "fractions in float64": UNIT.double().numpy(),
    "channels last": LEVELS.transpose(0, 2, 3, 1),
    "without channels": LEVELS[:, 0],
    "a list of arrays": list(LEVELS),
    "a list of images": IMAGES,
    "a torch data set": TensorDataset(UNIT),
    "a data set of images": Items(*IMAGES),
    "a loader": DataLoader(TensorDataset(UNIT), batch_size=7),
    "a loader that shuffles and drops": DataLoader(TensorDataset(UNIT), batch_size=7, shuffle=True, drop_last=True),
}
LABELED: dict[str, Any] = {
    "a pair": (LEVELS, CLASSES),
    "a list of two": [UNIT, torch.from_numpy(CLASSES)],
    "one-hot labels": (LEVELS, np.eye(3)[CLASSES]),
    "labels in a column": (LEVELS, CLASSES[:, None]),
    "a torch data set": TensorDataset(UNIT, torch.from_numpy(CLASSES)),
    "a loader": DataLoader(TensorDataset(UNIT, torch.from_numpy(CLASSES)), batch_size=7, shuffle=True),
    "tuples": Items(*[(image, int(c)) for image, c in zip(IMAGES, CLASSES, strict=True)]),
    "dictionaries": Items(*[{"pixel_values": x, "label": int(c)} for x, c in zip(UNIT, CLASSES, strict=True)]),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_images_are_the_same_data_however_they_are_given(name: str) -> None:
    given = InMemory.of(SAME[name])
    assert given == InMemory.of(LEVELS) and (given.shape, given.count) == ((1, 8, 8), 60)
    streams = RandomStreams((0,))
    drawn = given.open().draw(streams, 60)[0].sort(0).values
    torch.testing.assert_close(drawn, UNIT.sort(0).values)


@pytest.mark.parametrize("name", LABELED)
def test_labels_come_along(name: str) -> None:
    given = InMemory.of(LABELED[name])
    assert given == InMemory.of(LEVELS, CLASSES) and given.classes == 3
    x, classes = given.open().draw_with_classes(RandomStreams((0,)), 20)
    for image, label in zip(x[0], classes[0], strict=True):
        index = int((UNIT - image).abs().flatten(1).sum(1).argmin())
        assert CLASSES[index] == label


def test_names_of_classes_are_numbered_in_order() -> None:
    given = InMemory.of(LEVELS, ["cat" if c else "ape" for c in CLASSES])
    assert given.classes == 2 and "classes in order: ape, cat" in given.stored.notes


@pytest.mark.parametrize(
    ("given", "span"),
    [
        (UNIT, (0, 1)),
        (UNIT * 2 - 1, (-1, 1)),
        (UNIT * 255, (0, 255)),
        (LEVELS, (0, 1)),
        (LEVELS.astype(int), (0, 1)),
        (LEVELS > 128, (0, 1)),
    ],
)
def test_networks_get_images_in_the_range_in_which_they_were_given(given: Any, span: tuple[float, float]) -> None:
    data = InMemory.of(given)
    assert data.span == span
    x = data.open().draw(RandomStreams((0,)), 60)
    assert x.min() == span[0] and x.max() == pytest.approx(span[1])
    assert data.in_data_units(x).max() == pytest.approx(1)


def test_a_built_in_generator_keeps_its_range_and_ones_own_gets_the_data_as_they_are() -> None:
    assert BASE.replace(data=UNIT).data.span == BASE.data.span == (-1.0, 1.0)
    own = lambda: nn.Sequential(nn.Linear(32, 64), nn.Sigmoid())  # noqa: E731
    assert BASE.replace(data=UNIT, generator=own).data.span == (0.0, 1.0)
    assert sparring.recipe("auto", UNIT).data.span == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        (rng.normal(size=(50, 2)), (2,)),
        (rng.normal(size=50), (1,)),
        (torch.randn(50, 2, 128), (2, 128)),
        ([[0.5, 1.5], [2.5, 3.5]], (2,)),
        (pandas.DataFrame({"a": [0.5, 1.5], "b": [1.0, 2.0]}), (2,)),
    ],
)
def test_numbers_that_are_no_images_stay_as_they_are(given: Any, shape: tuple[int, ...]) -> None:
    data = InMemory.of(given)
    assert data.shape == shape
    x = data.open().draw(RandomStreams((0, 1)), len(given))
    rows = np.asarray(given, dtype=np.float32).reshape(len(given), *shape)
    for member in x:
        np.testing.assert_array_equal(np.sort(member.flatten(1).numpy(), 0), np.sort(rows.reshape(len(given), -1), 0))
    assert torch.equal(data.in_data_units(x), x)


def test_a_stream_is_read_up_to_a_limit_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from sparring.datasets import _given

    monkeypatch.setattr(_given, "MAX_STREAMED", 500)
    given = InMemory.of(Stream())
    assert given == InMemory.of(Stream()) and given.count == 512
    assert "Stream does not say where it ends: its first 512 examples are used" in given.stored.notes
    assert InMemory.of(DataLoader(Stream(), batch_size=100)).count == 500


def test_what_a_sampler_chooses_is_the_same_data_in_any_order() -> None:
    def loader() -> DataLoader[Any]:
        data = TensorDataset(UNIT, torch.from_numpy(CLASSES))
        return DataLoader(data, batch_size=7, sampler=SubsetRandomSampler(range(20)))

    one, other = InMemory.of(loader()), InMemory.of(loader())
    assert one == other and one.count == 20
    assert "not by the SubsetRandomSampler" in one.stored.notes[0]


class Noisy(TorchDataset[Any]):
    def __len__(self) -> int:
        return 30

    def __getitem__(self, index: int) -> Tensor:
        return UNIT[index] * float(torch.rand(())) * random.random() * np.random.rand()  # noqa: NPY002


def test_random_transforms_give_the_same_each_time_and_that_is_said() -> None:
    random.seed(3)
    torch.manual_seed(3)
    before = random.getstate(), torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    one, other = InMemory.of(Noisy()), InMemory.of(Noisy())
    assert one == other and "its transforms are random" in one.stored.notes[0]
    assert random.getstate() == before[0] and torch.equal(torch.random.get_rng_state(), before[1])
    assert np.array_equal(np.random.get_state()[1], before[2])  # noqa: NPY002


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.zeros((0, 2)), "no example"),
        (np.array([[1.0], [np.nan]]), "example 1 has values that are no numbers"),
        (np.array(["a", "b"]), "must be numbers, not text"),
        (pandas.DataFrame({"a": ["x"]}), "must be numbers, not DataFrame"),
        (np.zeros((2, 2, 2, 2, 2)), "up to three dimensions"),
        ([np.zeros(2), np.zeros(3)], "differ in shape"),
        (Items(UNIT[0], UNIT[0, :, :7]), "differ in shape: the first is (1, 8, 8), another (1, 7, 8)"),
        (Items(), "no example in Items"),
        (Items({"text": 3}), "no example in a dictionary of text"),
        (Items(None), "must be numbers"),
    ],
)
def test_what_are_no_examples_is_told_in_one_line(given: Any, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        BASE.replace(data=given)
    assert says in str(caught.value) and len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("labels", [[1, 2], CLASSES - 1, CLASSES + 0.5])
def test_labels_that_do_not_fit_are_refused_where_they_are_given_and_passed_over_where_they_come_along(
    labels: Any,
) -> None:
    with pytest.raises(UsageError, match="labels"):
        InMemory.of(LEVELS, labels)
    if len(labels) == 60:
        came = InMemory.of(Items(*zip(LEVELS, labels, strict=True)))
        assert came.classes == 0 and any("not used" in note for note in came.stored.notes)


def test_more_than_fits_in_memory_is_told_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from sparring.datasets.files import memory

    class Many(TorchDataset[Any]):
        def __len__(self) -> int:
            return 10**6

        def __getitem__(self, index: int) -> Tensor:
            assert index < 1000, "they must not be read"
            return torch.zeros(3, 64, 64)

    monkeypatch.setattr(memory, "available_memory", lambda: 10**9)
    with pytest.raises(UsageError, match=r"need 12\.3 GB of memory, of which 1 GB are free: give at most 65,104"):
        InMemory.of(Many())


# In a recipe.


def test_a_run_on_given_data_trains_is_measured_and_resumes_bit_for_bit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(trainer: Trainer) -> None:
        trainer.stopping = trainer.game.round >= 3

    recipe = BASE.replace(data=(UNIT, CLASSES), conditional=True, seeds=2)
    whole = sparring.train(recipe, out=tmp_path / "whole", threads=1, metrics=False)
    assert "60 images (1, 8, 8) in 3 classes, given in Python" in " ".join(capsys.readouterr().err.split())
    sparring.train(recipe, out=tmp_path / "part", threads=1, metrics=False, watchers=[stop])
    again = Recipe.from_json((tmp_path / "part" / "recipe.json").read_text())
    assert again == recipe, "the recipe names its data by their content"
    part = sparring.train(BASE.replace(data=(LEVELS, CLASSES), conditional=True, seeds=2), tmp_path / "part", threads=1)
    np.testing.assert_array_equal(whole.sample(4), part.sample(4))
    assert whole.measure(count=20, metrics=["support-size"]).scores


def test_a_batch_of_more_than_there_are_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for rounds in (2, 4):
        recipe = BASE.replace(data=UNIT, batch=100, rounds=rounds)
        sparring.train(recipe, out=tmp_path / "run", threads=1, metrics=False)
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("a batch of 100 has examples more than once: the data are 60") == 1


def test_examples_stay_while_a_recipe_has_them_whoever_else_was_given_the_same() -> None:
    recipe = BASE.replace(data=LEVELS + 0)
    other = BASE.replace(data=LEVELS + 0)
    assert BASE.replace(data=LEVELS + 0).data == other.data == recipe.data, "the first of them is forgotten at once"
    del other
    assert recipe.replace(rounds=3).data.open().draw(RandomStreams((0,)), 4).shape == (1, 4, 1, 8, 8)


def test_other_examples_do_not_go_on_in_the_same_folder(tmp_path: Path) -> None:
    sparring.train(BASE.replace(data=UNIT), out=tmp_path / "run", threads=1, metrics=False)
    with pytest.raises(SparringError, match="not those that this run began with"):
        sparring.train(BASE.replace(data=UNIT[:50]), out=tmp_path / "run", threads=1)


def test_a_run_opens_without_its_examples_and_says_what_needs_them(tmp_path: Path) -> None:
    pixels = rng.integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
    recipe: Any = BASE.replace(data=pixels)
    content = recipe.data.content
    sparring.train(recipe, out=tmp_path / "run", threads=1, metrics=False)
    del recipe
    gc.collect()
    assert content not in STORED, "examples that nothing describes any more are given up"
    run = sparring.Run(tmp_path / "run")
    assert run.sample(2).shape == (1, 2, 1, 8, 8) and run.diagnose().line
    with pytest.raises(SparringError, match=r"40 examples of \(1, 8, 8\) were given in Python"):
        run.measure()
    with pytest.raises(UsageError, match="in-memory is for examples given in Python"):
        BASE.replace(data="in-memory").data.open()
    again = BASE.replace(data=pixels)
    assert sparring.measure(run, count=20, metrics=["support-size"], recipe=again).n == 20


def test_examples_are_copied_so_that_a_program_may_change_its_own() -> None:
    mine = np.ones((4, 2), dtype=np.float32)
    given = InMemory.of(mine)
    mine[:] = 7
    assert given.open().draw(RandomStreams((0,)), 4).unique().tolist() == [1]


def test_other_processes_of_this_machine_find_the_examples_that_are_handed_over(tmp_path: Path) -> None:
    data = InMemory.of(rng.integers(0, 256, (30, 1, 8, 8), dtype=np.uint8), np.arange(30) % 2)
    drawn = data.open().draw(RandomStreams((0,)), 5)
    data.hand_over()
    plain, found = {f: getattr(data, f) for f in ("content", "found_shape", "count", "found_classes", "span")}, data
    del data, found
    gc.collect()
    assert plain["content"] not in STORED
    torch.testing.assert_close(InMemory(**plain).open().draw(RandomStreams((0,)), 5), drawn)


@pytest.mark.parametrize("shape", [(1, 25, 18), (3, 20, 44)])
def test_images_of_any_height_and_width_train_with_convolutions(shape: tuple[int, ...], tmp_path: Path) -> None:
    recipe = sparring.recipe("auto", rng.random((30, *shape), dtype=np.float32))
    assert isinstance(recipe.generator, networks.DCGANGenerator) and isinstance(recipe.data, datasets.InMemory)
    small = recipe.replace(generator="dcgan(width=4, output=tanh)", discriminator="dcgan(width=4, normalization=none)")
    run = sparring.train(small.replace(rounds=2, log_points=1, batch=4, seeds=2), tmp_path / "run", threads=1)
    assert run.sample(3).shape == (2, 3, *shape)


def test_signals_of_two_channels_are_compared_by_a_judge_and_without(tmp_path: Path) -> None:
    waves = np.sin(np.arange(32) / 5 + 6 * rng.random((60, 1)))
    recipe = sparring.recipe("auto", np.stack([waves, waves**2], 1)).replace(rounds=2, log_points=1, batch=4, seeds=2)
    for judge in (True, False):
        run = sparring.train(recipe, tmp_path / f"run{judge}", threads=1, judge=judge)
        scores = run.measure(count=16).scores
        assert scores["frechet-distance"].members.shape == scores["nearest-neighbor"].members.shape == (2,)
        assert run.sample(3).shape == (2, 3, 2, 32)


# Pictures of plain numbers.


TABLE = np.stack([rng.normal(0, 1, 300), rng.exponential(1, 300), rng.integers(0, 2, 300)], 1).astype(np.float32)
WAVES = np.sin(np.arange(64) / 5 + 6 * rng.random((300, 1))).astype(np.float32)


@pytest.mark.parametrize("examples", [TABLE[:, :1], TABLE, WAVES], ids=["a column", "a table", "signals"])
def test_numbers_are_plotted_over_real_ones(examples: np.ndarray, tmp_path: Path) -> None:
    recipe = sparring.recipe("auto", examples).replace(rounds=3, log_points=1, seeds=3, batch=8)
    run = sparring.train(recipe, out=tmp_path / "run")
    blocks = first_examples(run.path / RunFolder.open(run.path).story.pictures[-1], 1)
    assert blocks is not None and blocks.shape == (3, SIDE, SIDE, 3), "one plot for each member"
    for block in blocks.astype(int):
        red, blue = block[..., 0], block[..., 2]
        assert (blue - red > 60).any(), "generated ones"
        assert ((blue == red) & (blue < 190)).any(), "real ones"
    assert cli.run(["sample", str(run.path), "--count", "9", "--out", str(tmp_path / "some.png")]) == 0
    alone = first_examples(tmp_path / "some.png", 1)
    assert alone is not None and alone.shape == blocks.shape


def test_what_is_not_finite_or_beyond_the_data_is_no_fault_of_a_plot() -> None:
    far = np.array([[np.nan, 0.0, 0.0], [np.inf, 0.0, 0.0], [1e30, -1e30, 0.0]], dtype=np.float32)
    for examples in (far, far[:2], far[:0]):
        for real in (TABLE, TABLE[:0]):
            assert plots.plot(examples, plots.Numbers(real)).size == (SIDE, SIDE)
    constant = np.ones((5, 64), np.float32)
    assert plots.plot(constant, plots.Numbers(constant)).size == (SIDE, SIDE)


def test_labels_of_another_length_are_counted() -> None:
    with pytest.raises(UsageError, match="there are 49 labels for 50 examples: give one for each"):
        sparring.recipe("auto", (np.zeros((50, 1, 8, 8), np.float32), np.zeros(49)))
