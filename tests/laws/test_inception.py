"""Inception as a judge: what it is shown, and one clear line where its package or its weights cannot be had."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pooch
import pytest
import requests
import torch
from torch import Tensor

from sparring.errors import SparringError, UsageError
from sparring.judges import inception as room

WEIGHTS = b"the published weights"


class StandIn:
    """In place of torch-fidelity's extractor: as many features, of the colors of four quarters."""

    made: tuple[Any, ...] = ()
    shown: list[Tensor] = []  # noqa: RUF012 - what every one of them was shown

    def __init__(self, name: str, features: list[str], feature_extractor_weights_path: str):
        StandIn.made = name, features, feature_extractor_weights_path
        mixing = torch.randn(12, 2_048, generator=torch.Generator().manual_seed(0))
        self.mixing = mixing / 255

    def __call__(self, pixels: Tensor) -> tuple[Tensor]:
        assert pixels.dtype == torch.uint8 and pixels.shape[1] == 3
        StandIn.shown.append(pixels)
        quarters = torch.nn.functional.adaptive_avg_pool2d(pixels.float(), 2).flatten(1)
        return ((quarters @ self.mixing).relu(),)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType(room.PACKAGE)
    package.FeatureExtractorInceptionV3 = StandIn  # pyright: ignore[reportAttributeAccessIssue] - a stand-in
    monkeypatch.setitem(sys.modules, room.PACKAGE, package)
    monkeypatch.setattr(StandIn, "shown", [])


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of the right hash where the user's cache has it."""
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / project)
    monkeypatch.setattr(room, "SHA256", hashlib.sha256(WEIGHTS).hexdigest())
    path = tmp_path / "sparring" / "inception" / room.FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(WEIGHTS)
    return path


def answering(answer: Callable[[Path], None]) -> type:
    """In place of pooch's downloader."""

    class Downloader:
        def __init__(self, **settings: Any):
            assert settings["timeout"]

        def __call__(self, url: str, to: str, pooch: Any) -> None:
            assert url == room.URL
            answer(Path(to))

    return Downloader


def no_network(to: Path) -> None:
    raise requests.exceptions.ConnectionError("Max retries exceeded with url: ...")


@pytest.mark.usefixtures("installed")
def test_images_are_shown_in_three_channels_of_eight_bits_as_published(weights: Path) -> None:
    judge = room.inception()
    assert StandIn.made == ("inception", ["2048"], str(weights))
    levels = np.arange(2 * 6 * 5, dtype=np.float32).reshape(2, 1, 6, 5)
    opinion = judge(np.concatenate([levels / 255, levels / 255]).astype(np.float32))
    assert opinion.features.shape == (4, 2_048) and opinion.probabilities is None
    (shown,) = StandIn.shown
    assert (shown[:2] == torch.from_numpy(levels)).all() and shown.shape == (4, 3, 6, 5)
    colors = np.random.default_rng(0).uniform(-0.2, 1.2, (70, 3, 9, 9))
    assert judge(colors).features.shape == (70, 2_048)
    assert [len(part) for part in StandIn.shown[1:]] == [32, 32, 6]
    assert torch.cat(StandIn.shown[1:]).equal(torch.from_numpy(np.rint(255 * colors.clip(0, 1))).to(torch.uint8))


@pytest.mark.usefixtures("installed", "weights")
def test_other_channels_are_refused() -> None:
    with pytest.raises(UsageError, match=r"'inception' takes images of 1 or 3 channels, not \(2, 28, 28\)"):
        room.inception()(np.zeros((4, 2, 28, 28)))


@pytest.mark.usefixtures("weights")
def test_without_its_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, room.PACKAGE, None)
    with pytest.raises(SparringError, match=r"pip install 'sparring\[inception\]'") as told:
        room.inception()
    assert "\n" not in str(told.value)


@pytest.mark.usefixtures("installed")
def test_without_its_weights_one_line_says_where_to_put_them(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights.unlink()
    monkeypatch.setattr(pooch, "HTTPDownloader", answering(no_network))
    with pytest.raises(SparringError) as told:
        room.inception()
    assert str(told.value) == (
        f"cannot download Inception's weights (no network?): put the file {room.URL} into {weights.parent}"
    )


@pytest.mark.usefixtures("installed")
def test_a_file_that_is_not_the_published_one_is_never_opened(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights.write_bytes(b"something else")
    monkeypatch.setattr(pooch, "HTTPDownloader", answering(lambda to: to.write_bytes(b"a login page") and None))
    with pytest.raises(SparringError, match="something else was sent"):
        room.inception()
    monkeypatch.setattr(pooch, "HTTPDownloader", answering(lambda to: to.write_bytes(WEIGHTS) and None))
    assert room.inception().features == 2_048
    assert weights.read_bytes() == WEIGHTS
