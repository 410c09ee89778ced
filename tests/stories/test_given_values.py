"""What a program's values mean: labels with gaps, modes of images, ranges that are just missed, large numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

import sparring
from sparring.analysis.generators import classes_of_z_seeds
from sparring.datasets import InMemory
from sparring.datasets.files.loading import load_folder
from sparring.datasets.files.settings import ImageSettings
from sparring.errors import SparringError, UsageError
from sparring.metrics import all_metrics
from sparring.rng import RandomStreams

rng = np.random.default_rng(0)
LEVELS = rng.integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
GAPS = np.where(np.arange(40) % 3, 7, 3)
BASE = sparring.recipe("digits").replace(rounds=2, log_points=1, batch=4, generator="fully-connected(output=tanh)")


# Labels.


@pytest.mark.parametrize(
    "given",
    [
        lambda: InMemory.of(LEVELS, GAPS),
        lambda: InMemory.of(LEVELS, GAPS.astype(float)),
        lambda: InMemory.of(LEVELS, np.eye(9)[GAPS]),
        lambda: InMemory.of(TensorDataset(torch.from_numpy(LEVELS), torch.from_numpy(GAPS))),
        lambda: InMemory.of(DataLoader(TensorDataset(torch.from_numpy(LEVELS), torch.from_numpy(GAPS)), 7)),
    ],
    ids=["an array", "an array of floats", "one-hot rows", "a torch data set", "a loader"],
)
def test_labels_with_gaps_make_no_class_without_examples(given: Callable[[], Any]) -> None:
    data = given()
    assert data.classes == 2 and "classes in order: 3, 7" in data.stored.notes
    recipe = BASE.replace(data=data, conditional=True)
    assert recipe.classes == 2 and classes_of_z_seeds(recipe, range(4)) == [0, 1, 0, 1]
    x, classes = data.open().draw_with_classes(RandomStreams((0,)), 40)
    for image, label in zip(x[0], classes[0], strict=True):
        index = int((torch.from_numpy(LEVELS) / 255 - image).abs().flatten(1).sum(1).argmin())
        assert GAPS[index] == (3, 7)[int(label)]


NAMES = np.array(["ape", "cat"])[(GAPS == 7).astype(int)]
PICTURES = [Image.fromarray(levels[0]) for levels in LEVELS]


@pytest.mark.parametrize(
    "given",
    [
        lambda: InMemory.of((LEVELS, NAMES)),
        lambda: InMemory.of((LEVELS, pandas.Series(NAMES, dtype="category"))),
        lambda: InMemory.of(LEVELS, NAMES.astype(object)),
        lambda: InMemory.of((PICTURES, NAMES)),
        lambda: InMemory.of((list(LEVELS), GAPS.tolist())),
        lambda: InMemory.of(DataLoader([*zip(LEVELS, NAMES.tolist(), strict=True)], 7)),  # pyright: ignore[reportArgumentType]
    ],
    ids=["an array", "a series", "objects", "images", "a list of arrays", "a loader"],
)
def test_names_of_classes_come_in_any_form(given: Callable[[], Any]) -> None:
    assert given() == InMemory.of(LEVELS, GAPS)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((PICTURES, NAMES[:9]), "there are 9 labels for 40 examples: give one for each"),
        ({"images": LEVELS, "labels": GAPS}, r"a dictionary of images, labels: give \(examples, labels\)"),
    ],
)
def test_what_are_no_examples_with_labels_is_said(given: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        InMemory.of(given)


@pytest.mark.parametrize("absent", [None, float("nan")])
def test_labels_that_are_missing_are_said(absent: Any) -> None:
    items = [
        {"image": x, **({"label": int(c)} if k else {})} for k, (x, c) in enumerate(zip(LEVELS, GAPS, strict=True))
    ]
    for given in (items, [(each["image"], each.get("label")) for each in items]):
        data = InMemory.of(given)
        assert data.classes == 0 and "labels came with 39 of 40 examples: not used" in data.stored.notes
    names = pandas.Series([*NAMES[:-1], absent], dtype=object)
    with pytest.raises(UsageError, match="1 of 40 labels are missing"):
        InMemory.of(LEVELS, names)
    loaded = InMemory.of(DataLoader([(x, {"box": x}) for x in LEVELS], 7))  # pyright: ignore[reportArgumentType]
    assert loaded.classes == 0 and "what comes with the examples is no class of them: not used" in loaded.stored.notes


# Items.


ROWS = rng.normal(size=(40, 4)).astype(np.float32)


@pytest.mark.parametrize(
    ("given", "array"),
    [
        ([tuple(row) for row in ROWS], ROWS),
        ([tuple(row) for row in ROWS[:, :2]], ROWS[:, :2]),
        ([tuple(row) for row in LEVELS[:, 0, 0] // 9], LEVELS[:, 0, 0] // 9),
        (LEVELS[:, 0].tolist(), LEVELS),
        ([[*image] for image in LEVELS[:, 0]], LEVELS),
        (LEVELS.reshape(40, 8, 8, 1).tolist(), LEVELS),
        (ROWS.reshape(40, 2, 2).tolist(), ROWS.reshape(40, 2, 2)),
    ],
    ids=["rows", "pairs", "whole numbers", "gray images", "lists of arrays", "channels last", "signals"],
)
def test_rows_and_nested_lists_are_examples_as_a_whole(given: list[Any], array: np.ndarray) -> None:
    assert InMemory.of(given) == InMemory.of(array)


@pytest.mark.parametrize(
    "given",
    [
        [*zip(ROWS[:, 0], GAPS, strict=True)],
        [*zip(ROWS[:, :1].tolist(), GAPS.tolist(), strict=True)],
        [[row[:1].tolist(), [float(c == 3), float(c == 7)]] for row, c in zip(ROWS, GAPS, strict=True)],
        [(row[:1], c, "a") for row, c in zip(ROWS, GAPS, strict=True)],
    ],
    ids=["numbers", "lists", "one-hot", "three parts"],
)
def test_an_example_and_its_label_are_told_apart(given: list[Any]) -> None:
    data, said = InMemory.of(given), "items have 3 parts, of which the first two are used: an example and its label"
    assert data.found_shape == (1,) and data.classes == 2 and (said in data.stored.notes) is (len(given[0]) == 3)


def test_arrays_in_files_number_such_labels_alike(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=LEVELS, labels=GAPS)
    loaded = load_folder(tmp_path / "a.npz", ImageSettings())
    stored = InMemory.of(LEVELS, GAPS).stored
    assert loaded.labels is not None and loaded.info.classes == ("3", "7")
    np.testing.assert_array_equal(loaded.labels, stored.labels)


def test_labels_from_one_are_numbered_from_zero_and_those_without_gaps_stay_as_they_are() -> None:
    from_zero = InMemory.of(LEVELS, np.arange(40) % 10)
    assert from_zero.classes == 10 and not from_zero.stored.notes
    from_one = InMemory.of(LEVELS, np.arange(40) % 12 + 1)
    assert from_one.classes == 12
    assert "classes in order: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more" in from_one.stored.notes
    np.testing.assert_array_equal(from_one.stored.labels, np.arange(40) % 12)


@pytest.mark.parametrize("labels", [np.where(GAPS == 3, np.inf, 1), [None, *GAPS[1:]]], ids=["infinite", "missing"])
def test_labels_that_are_no_numbers_are_refused_in_one_line(labels: Any) -> None:
    with pytest.raises(UsageError, match=r"labels that are fractions|1 of 40 labels are missing"):
        InMemory.of(LEVELS, labels)


def test_a_run_from_when_each_number_was_a_class_is_sampled_as_before_and_does_not_go_on(tmp_path: Path) -> None:
    recipe = BASE.replace(data=InMemory.of(LEVELS, np.arange(40) % 8), conditional=True)
    run = sparring.train(recipe, out=tmp_path / "run", threads=1, metrics=False)
    before = run.sample(9)
    plain = json.loads((run.path / "recipe.json").read_text())
    plain["data"]["content"] = "of labels that were not numbered anew"
    (run.path / "recipe.json").write_text(json.dumps(plain))
    np.testing.assert_array_equal(sparring.Run(run.path).sample(9), before)
    with pytest.raises(SparringError, match="make 2 classes, and this run began with 8"):
        sparring.train(recipe.replace(data=InMemory.of(LEVELS, GAPS)), out=run.path, threads=1)


# Images.


def in_mode(mode: str) -> Image.Image:
    """Red, half of it transparent where the mode has that."""
    image = Image.new("RGBA", (8, 8), (200, 30, 30, 255))
    image.paste((200, 30, 30, 0), (0, 0, 4, 8))
    if mode in ("RGBA", "LA"):
        return image.convert(mode)
    if mode == "P":
        return image.convert("RGB").quantize(2)
    return image.convert("RGB").convert(mode)


@pytest.mark.parametrize(
    ("mode", "color"),
    [
        *((mode, (200, 30, 30)) for mode in ("RGB", "P", "CMYK", "YCbCr", "HSV", "LAB")),
        ("L", (81,)),
        ("LA", (81, 81, 81)),
        ("RGBA", (200, 30, 30)),
    ],
)
def test_images_are_seen_in_their_colors_whatever_their_mode(mode: str, color: tuple[int, ...]) -> None:
    array = InMemory.of([in_mode(mode)] * 3).stored.array
    alpha = mode in ("LA", "RGBA")
    assert array.shape == (3, len(color) + alpha, 8, 8)
    assert np.abs(array[0, : len(color), 0, 7].astype(int) - color).max() <= 3
    if alpha:
        assert array[0, 3, 0].tolist() == [0] * 4 + [255] * 4


def test_images_of_several_modes_are_told_how_to_be_of_one() -> None:
    with pytest.raises(UsageError, match=r"convert them to one mode, such as image\.convert\('RGB'\)"):
        InMemory.of([in_mode("RGB"), in_mode("L")])


def test_two_channels_that_come_last_are_channels() -> None:
    assert InMemory.of(rng.random((5, 8, 9, 2), dtype=np.float32)).shape == (2, 8, 9)
    assert InMemory.of(rng.random((5, 2, 8, 9), dtype=np.float32)).shape == (2, 8, 9)


# Ranges.


@pytest.mark.parametrize("shape", [(30, 1, 8, 8), (30, 8, 8)])
def test_images_that_just_undershoot_black_keep_their_levels(shape: tuple[int, ...]) -> None:
    images = rng.random(shape, dtype=np.float32)
    images.flat[0] = -0.02
    data = InMemory.of(images)
    assert data.shape == (1, 8, 8) and data.span == pytest.approx((-0.02, 1), abs=0.01)
    assert data.stored.array.min() == 0 and (data.stored.array < 100).mean() > 0.3
    assert any("np.clip(images, 0, 1) makes these 0 and 1" in note for note in data.stored.notes)
    assert InMemory.of(2 * rng.random(shape, dtype=np.float32) - 1).span == (-1, 1)


def test_an_array_in_a_file_that_just_undershoots_black_is_asked_what_is_black(tmp_path: Path) -> None:
    images = rng.random((9, 8, 8), dtype=np.float32)
    images[0, 0, 0] = -0.02
    np.save(tmp_path / "a.npy", images)
    with pytest.raises(SparringError, match=r"a\.npy has levels from -0\.02 to .*--levels=LOW:HIGH"):
        load_folder(tmp_path / "a.npy", ImageSettings())
    assert load_folder(tmp_path / "a.npy", ImageSettings(levels="0:1")).pixels.min() == 0


@pytest.mark.parametrize(
    ("low", "kind", "says"),
    [(1_000, "u2", "levels 1,000 to 2,020 became black and white"), (-300, "i2", "levels -300 to 720 became")],
)
def test_levels_that_were_stretched_are_said(low: int, kind: str, says: str) -> None:
    images = low + 4 * LEVELS.astype(kind)
    images.flat[:2] = low, low + 1_020
    assert any(note.startswith(says) for note in InMemory.of(images).stored.notes)
    full = 257 * LEVELS.astype("u2")
    full.flat[:2] = 0, 65_535
    assert InMemory.of(full).stored.notes == InMemory.of(LEVELS).stored.notes == ()


def test_gray_images_of_16_bits_are_images() -> None:
    deep = 257 * LEVELS[:, 0].astype("u2")
    deep.flat[:2] = 0, 65_535
    given = InMemory.of([Image.fromarray(image) for image in deep])
    assert given.shape == (1, 8, 8) and given == InMemory.of(deep, kind="images")
    says = "arrays of (8, 8) are taken for signals, as their values, 0 to 65535, are in no range of images; "
    assert InMemory.of(deep).stored.notes == (f"{says}kind='images' makes them gray images",)
    assert InMemory.of(deep.reshape(-1, 2, 32)).stored.notes == InMemory.of(deep, kind="numbers").stored.notes == ()


def test_signals_are_not_rounded_though_the_first_of_them_could_be_images() -> None:
    signals = rng.random((300, 8, 64), dtype=np.float32)
    signals[299] *= 9
    for given in (signals, list(signals)):
        np.testing.assert_array_equal(InMemory.of(given).stored.array, signals)
    gray = InMemory.of(list(signals[:299]))
    assert gray.shape == (1, 8, 64) and gray == InMemory.of(signals[:299])


# Numbers.


@pytest.mark.parametrize(
    "column",
    [1_764_500_000.0 + np.arange(300), 10**12 + np.arange(300), 1e-296 * np.arange(300)],
    ids=["times", "long numbers", "tiny ones"],
)
def test_numbers_that_float32_would_round_to_few_are_kept(column: np.ndarray) -> None:
    rows = np.stack([column, rng.normal(size=300)], 1)
    for given in (rows, list(rows), torch.from_numpy(rows)):
        array = InMemory.of(given).stored.array
        assert len(np.unique(array[:, 0])) == 300 and array.dtype == np.float64
    assert InMemory.of(rows).open().draw(RandomStreams((0,)), 300).dtype == torch.float32


def test_other_numbers_are_float32_so_that_runs_from_before_go_on() -> None:
    rows = rng.normal(100, 15, (300, 3))
    rows[:, 1] = 0.1
    for given in (rows, rows.astype(int), list(rows)):
        assert InMemory.of(given).stored.array.dtype == np.float32


def test_numbers_beyond_float32_are_refused_in_one_line() -> None:
    with pytest.raises(UsageError, match=r"example 1 has a number beyond 3\.4e\+38"):
        InMemory.of([[1.0, 2.0], [1.0, -1e300]])


def test_what_is_measured_of_numbers_too_does_not_speak_of_images() -> None:
    assert "image" not in all_metrics()["similarity-to-mean"].title
