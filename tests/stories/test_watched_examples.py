"""What a watched loop gives D and G as often as it does: rows of a table, images, classes of unequal size."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.utils.data import TensorDataset

import sparring
from sparring.analysis.diagnosis import diagnosis
from sparring.analysis.judge_choice import Choice, judge_of
from sparring.analysis.sample_comparison import Comparison
from sparring.analysis.watched import SeenExamples
from sparring.datasets._images import Images
from sparring.datasets._shares import class_shares
from sparring.datasets.digits import Digits
from sparring.record import Story
from sparring.record.loop import EXAMPLES, UNORDERED
from sparring.rules._loops import SOUND, loop_story
from sparring.training.watch.class_counts import ClassCounts
from sparring.training.watch.recurring import as_in_the_data
from tests.loops.sound import adam, images, mlp

ROWS, GIVEN = 300, 2_048
SHARES = (0.85, 0.05, 0.05, 0.05)
BATCH = 64
ZIPF = 1 / torch.arange(1, 401) ** 1.3

# Rows.


def half_of(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As many as D is given, of which half are the first one."""
    at = rng.integers(len(images), size=GIVEN)
    at[rng.random(GIVEN) < 0.5] = 0
    return images[at]


def table(rows: np.ndarray) -> np.ndarray:
    """Two columns of whole numbers from 0 to 19."""
    return np.stack([rows % 20, rows // 20], 1)


def numbers(count: int, columns: int = 64) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, columns))


GIVEN_TO_D: dict[str, tuple[Callable[[np.random.Generator], np.ndarray], float, float]] = {
    "in passes": (lambda rng: np.concatenate([rng.permutation(numbers(ROWS)) for _ in range(7)])[:GIVEN], ROWS, 0),
    "at random": (lambda rng: numbers(ROWS)[rng.integers(ROWS, size=GIVEN)], ROWS, 0),
    "of two columns": (lambda rng: numbers(ROWS, 2)[rng.integers(ROWS, size=GIVEN)], ROWS, 0),
    "of many": (lambda rng: numbers(9_000)[rng.integers(9_000, size=GIVEN)], 1_830, 0),
    "half of many": (lambda rng: half_of(numbers(9_000), rng), GIVEN, 0.5),
    "half of few": (lambda rng: half_of(numbers(ROWS), rng), 2 * ROWS, 0.5),
    "Zipf": (lambda rng: table(rng.choice(400, GIVEN, p=ZIPF.numpy() / ZIPF.sum().item())), GIVEN, 0.3),
    "each cell": (lambda rng: table(rng.integers(400, size=GIVEN)), GIVEN, 0),
    "counts": (lambda rng: rng.poisson(4, size=(GIVEN, 1)), GIVEN, 0.2),
}
"""What D is given; about how many rows are kept of it, and the share of the most frequent one."""


@pytest.mark.parametrize("name", GIVEN_TO_D)
def test_rows_are_kept_as_often_as_the_data_has_them(name: str) -> None:
    """But not as often as the loop goes through the data."""
    given, count, share = GIVEN_TO_D[name]
    rows = given(np.random.default_rng(0))
    kept = rows[as_in_the_data(rows, are_images=False)]
    times = np.unique(kept, axis=0, return_counts=True)[1]
    assert len(kept) == pytest.approx(count, rel=0.05)
    assert times.max() / len(kept) == pytest.approx(share, abs=0.04)


class Zipf(nn.Module):
    """Makes each row of the table as often as the data has it."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))
        self.register_buffer("ends", ZIPF.cumsum(0) / ZIPF.sum())

    def forward(self, z: Tensor) -> Tensor:
        row = (z > self.get_buffer("ends")).sum(1).clamp(max=len(ZIPF) - 1)
        return torch.stack([row % 20, row // 20], 1) * self.scale


def test_a_table_of_few_distinct_rows_is_not_memorized(tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = Zipf(), mlp(2, 16, 1)
    opt_g, opt_d = adam(g, 1e-6), adam(d)
    data = g(torch.rand(4_000, 1)).detach()
    with sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "run"):
        for _ in range(40):
            opt_d.zero_grad()
            real = data[torch.randint(len(data), (BATCH,))]
            (softplus(-d(real)) + softplus(d(g(torch.rand(BATCH, 1)).detach()))).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(g(torch.rand(BATCH, 1)))).mean().backward()
            opt_g.step()
    measured = sparring.measure(tmp_path / "run", count=1_000)
    distance = measured.scores["frechet-distance"]
    assert distance.members[0] < distance.real + 2 and "nearest-neighbor" not in measured.scores
    assert measured.scores["copying"].members[0] == 0
    kept = safetensors.numpy.load_file(tmp_path / "run" / EXAMPLES)["examples"]
    assert len(kept) > 2 * len(np.unique(kept, axis=0))


@pytest.mark.parametrize(("share", "known"), [(0.1, True), (0.5, False)])
def test_neighbors_say_nothing_where_many_images_are_the_same(share: float, known: bool, tmp_path: Path) -> None:
    source = Digits().open(None, "cpu")
    assert isinstance(source, Images)
    images = np.random.default_rng(0).permutation(source.pixels.numpy())
    images[: int(share * len(images))] = images[0]
    safetensors.numpy.save_file({"examples": np.ascontiguousarray(images)}, tmp_path / EXAMPLES)  # as older runs have
    seen = SeenExamples(str(tmp_path), (1, 8, 8))
    compared = Comparison.of(seen, seen.open(), 256, None, Choice(judge_of(seen, "digits")), 256)
    assert {name in compared.metrics for name in ("coverage", "recall", "precision")} == {known}
    assert ("nearest-neighbor" in compared.real_baseline) == known


def test_examples_are_kept_anew_once_what_d_is_given_changes_no_more(tmp_path: Path) -> None:
    """A contrast that grows until the 162nd round."""
    x, (g, d) = images().flatten(1), (mlp(4, 16, 64), mlp(64, 8, 1))
    opt_g, opt_d = adam(g), adam(d)
    with sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "run") as watch:
        for round in range(560):
            contrast = min(1.0, 0.1 + round / 180)
            opt_d.zero_grad()
            real = contrast * x[torch.randint(len(x), (BATCH,))]
            (softplus(-d(real)) + softplus(d(g(torch.randn(BATCH, 4)).detach()))).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(g(torch.randn(BATCH, 4)))).mean().backward()
            opt_g.step()
    assert watch.trouble is None
    loop = watch.run.story.loop
    assert loop is not None and loop.data.renewed and not loop.data.changes and (loop.data.spread or 0) < UNORDERED
    kept = safetensors.numpy.load_file(tmp_path / "run" / EXAMPLES)["examples"]
    assert len(kept) >= 64 and {row.tobytes() for row in kept} <= {row.tobytes() for row in x.numpy()}
    assert [event for event in watch.run.story.events if event["event"] == "real-baseline"][-1]["renewed"]


# Classes.


def test_shares_are_of_the_classes_that_g_was_given() -> None:
    torch.manual_seed(0)
    counts, equal, hot = ClassCounts(), ClassCounts(), ClassCounts()
    for _ in range(24):
        labels = torch.multinomial(torch.tensor(SHARES), BATCH, replacement=True)
        for _ in range(2):  # as D's step and G's have the same
            counts.add(labels, one_hot=False)
        equal.add(torch.randint(10, (BATCH,)), one_hot=False)
        hot.add(torch.nn.functional.one_hot(torch.randint(2, (BATCH,)), 4), one_hot=True)
    np.testing.assert_allclose(counts.shares, SHARES, atol=0.03)
    assert not equal.shares
    np.testing.assert_allclose(hot.shares, (0.5, 0.5, 0, 0), atol=0.05)


class Classes(nn.Module):
    """A cloud of points for each class."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        angle = y.float() * 2 * math.pi / len(SHARES)
        return (torch.stack([angle.cos(), angle.sin()], 1) + 0.15 * z) * self.scale


class OfClasses(nn.Module):
    """Examples and their classes."""

    def __init__(self, numbers: int = 3) -> None:
        super().__init__()
        self.net = mlp(numbers, 16, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.net(torch.cat([x.flatten(1), y[:, None]], 1))


def test_samples_have_the_shares_in_which_g_was_given_classes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = Classes(), OfClasses()
    opt_g, opt_d = adam(g, 1e-6), adam(d)
    classes = torch.multinomial(torch.tensor(SHARES), 4_000, replacement=True)
    data = g(torch.randn(4_000, 2), classes).detach()
    with sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "run"):
        for _ in range(40):
            at = torch.randint(len(data), (BATCH,))
            y, fake = classes[at], g(torch.randn(BATCH, 2), classes[at])
            opt_d.zero_grad()
            (softplus(-d(data[at], y)) + softplus(d(fake.detach(), y))).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(fake, y)).mean().backward()
            opt_g.step()
    run = sparring.Run(tmp_path / "run")
    loop = run.folder.story.loop
    assert loop is not None
    np.testing.assert_allclose(loop.latent.shares, SHARES, atol=0.05)
    drawn = [json.loads(line) for line in (run.path / "journal.jsonl").read_text().splitlines()]
    outputs = np.array([event["outputs"] for event in drawn if "outputs" in event][-1])
    assert (outputs[:, 0] > 0.5).mean() > 0.75, "the picture"
    known = class_shares(SeenExamples.of(run.path, loop).open(), 4)
    assert known is not None and known[0] == pytest.approx(SHARES[0], abs=0.05)
    distance = run.measure().scores["frechet-distance"]
    assert distance.members[0] < distance.real + 2


class Bank(nn.Module):
    """Makes real digits of a class: the one that it is asked for, or of any."""

    def __init__(self, images: Tensor, classes: Tensor, follows: bool) -> None:
        super().__init__()
        few = [images[classes == k][:170] for k in range(10)]
        self.register_buffer("images", torch.stack(few))
        self.scale, self.follows = nn.Parameter(torch.ones(1, 8, 8)), follows

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        shares = torch.special.ndtr(z)
        k = y if self.follows else (10 * shares[:, 1]).long().clamp(max=9)
        return self.get_buffer("images")[k, (170 * shares[:, 0]).long().clamp(max=169)] * self.scale


def watched_digits(out: Path, follows: bool, rounds: int = 40, **data: Any) -> sparring.Run:
    """A loop of digits and their classes, both given to G and D."""
    source = Digits().open(None, "cpu")
    assert isinstance(source, Images) and source.classes is not None
    x, y = source.pixels.float() / 127.5 - 1, torch.from_numpy(source.classes)
    torch.manual_seed(0)
    g, d = Bank(x, y, follows), OfClasses(65)
    opt_g, opt_d = adam(g, 1e-6), adam(d)
    given = {name: TensorDataset(x, y) if each == "with classes" else x for name, each in data.items()}
    with sparring.watch(g, d, opt_g, opt_d, out=out, judge="digits", **given):
        for _ in range(rounds):
            at = torch.randint(len(x), (BATCH,))
            fake = g(torch.randn(BATCH, 2), y[at])
            opt_d.zero_grad()
            (softplus(-d(x[at], y[at])) + softplus(d(fake.detach(), y[at]))).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(fake, y[at])).mean().backward()
            opt_g.step()
    return sparring.Run(out)


@pytest.mark.parametrize("follows", [True, False])
def test_a_measurement_says_whether_samples_are_of_the_classes_asked_for(follows: bool, tmp_path: Path) -> None:
    run = watched_digits(tmp_path / "run", follows)
    accuracy = run.measure(judge="digits").scores["class-accuracy"]
    assert accuracy.real > 0.9 and (accuracy.members[0] > 0.9) == follows


@pytest.mark.parametrize(("data", "labeled"), [({}, True), ({"data": "with classes"}, True), ({"data": ""}, False)])
def test_classes_come_from_d_or_from_the_given_data(data: dict[str, str], labeled: bool, tmp_path: Path) -> None:
    """Of few rounds, what D was given is less than the data that the watch was given without classes."""
    run = watched_digits(tmp_path / "run", True, 3, **data)
    loop = run.folder.story.loop
    assert loop is not None and loop.data.labeled == labeled
    source = SeenExamples.of(run.path, loop).open()
    assert isinstance(source, Images) and (source.classes is not None) == labeled
    if labeled:
        given = Digits().open(None, "cpu")
        assert isinstance(given, Images) and given.classes is not None
        known = {image.tobytes(): k for image, k in zip(given.pixels.numpy(), given.classes, strict=True)}
        assert all(known[image.tobytes()] == k for image, k in zip(source.pixels.numpy(), source.classes, strict=True))


def test_what_no_measurement_can_say_is_not_advised() -> None:
    recipe = {**loop_story().recipe, "conditional": True, "discriminator": {"yours": "OfClasses"}}
    latent = replace(SOUND.latent, classes=10)
    for labeled in (True, False):
        made = loop_story(good=True, latent=latent, data=replace(SOUND.data, labeled=labeled))
        found = diagnosis(Story(recipe, made.events))
        assert found.verdict == "not-sure" and ("`sparring measure` does" in found.line) == labeled, found.line
        assert ("does not keep the classes of real examples" in found.line) == (not labeled)


# A G that cannot be called for a moment.


class RefusingOnce(nn.Sequential):
    """As where memory is short: the first call outside of training fails."""

    refused = False

    def forward(self, input: Tensor) -> Tensor:
        if not (self.training or self.refused):
            self.refused = True
            raise RuntimeError("out of memory")
        return super().forward(input)


def test_samples_are_drawn_again_once_what_went_wrong_has_passed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    g, d, data = RefusingOnce(nn.Linear(8, 4)), mlp(4, 16, 1), torch.randn(256, 4)
    opt_g, opt_d = adam(g), adam(d)
    with sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "run"):
        for _ in range(14):
            fake = g(torch.randn(BATCH, 8))
            opt_d.zero_grad()
            (softplus(-d(data[torch.randperm(256)[:BATCH]])) + softplus(d(fake.detach()))).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(fake)).mean().backward()
            opt_g.step()
    story = sparring.Run(tmp_path / "run").folder.story
    assert capsys.readouterr().err.count("samples of G cannot be drawn") == 1
    assert any("outputs" in event for event in story.events) and story.loop is not None
    assert not story.loop.latent.conditions
