"""A user's own images that are mostly transparent: their transparency is kept without being asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparring.analysis.doctor import Examination
from sparring.datasets.files import loading
from sparring.datasets.folder import Folder
from sparring.record import RunFolder
from tests.stories.image_files import RNG, sparring

SIDE = 16
QUICK = ("--rounds", 2, "--log-points", 1, "--batch", 4, "--samples-per-grid", 4, "--no-judge", "--no-metrics")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def sprite(hole: float, alpha: int = 0) -> Image.Image:
    """Noise of which a share has this alpha."""
    pixels = RNG.integers(0, 256, (SIDE, SIDE, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    pixels[: round(hole * SIDE), :, 3] = alpha
    return Image.fromarray(pixels)


def written(folder: Path, *holes: float, alpha: int = 0) -> Path:
    folder.mkdir()
    for number, hole in enumerate(holes):
        sprite(hole, alpha).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize(
    ("holes", "alpha", "channels"),
    [
        ((0.5, 0.5, 0.0), 0, 4),
        ((0.5, 0.0), 0, 3),  # not more than half of them
        ((0.0, 0.0, 0.0), 0, 3),
        ((1 / SIDE,) * 3, 0, 3),  # as round corners are
        ((0.5,) * 3, 200, 3),  # shadows, nearly opaque
    ],
)
def test_it_is_kept_where_most_images_have_transparent_areas(
    tmp_path: Path,
    holes: tuple[float, ...],
    alpha: int,
    channels: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = written(tmp_path / "mine", *holes, alpha=alpha)
    data = Folder(str(home)).resolved()
    assert data.shape == (channels, SIDE, SIDE)
    said = capsys.readouterr().err
    assert ("have transparent areas: kept, as a fourth channel" in said) is (channels == 4)
    summary = Examination.of(home, data.settings).summary()
    assert summary["training"]["alpha"] is (channels == 4)
    assert summary["training"]["shape"] == [channels, SIDE, SIDE]
    assert data.alpha is (channels == 4)
    monkeypatch.setattr(loading, "_decoded", None)  # nothing is decoded twice
    for same in (Folder(str(home)), data, Folder(str(home), alpha=channels == 4)):
        again: Any = same.open(None, "cpu")
        assert again.pixels.shape[1] == channels


def test_one_broken_image_among_them_changes_nothing(tmp_path: Path) -> None:
    home = written(tmp_path / "mine", 0.5, 0.5, 0.5)
    whole = (home / "1.png").read_bytes()
    (home / "1.png").write_bytes(whole[: len(whole) // 2])
    assert Folder(str(home)).resolved().shape == (4, SIDE, SIDE)


def test_a_black_outline_is_of_one_color_on_black_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = written(tmp_path / "mine", 0.5, 0.5)
    black = np.zeros((SIDE, SIDE, 4), np.uint8)
    black[4:12, 4:12, 3] = 255
    Image.fromarray(black).save(home / "outline.png")
    assert sparring("doctor", home) == 0
    assert "outline.png" not in capsys.readouterr().out
    assert sparring("doctor", home, "--no-alpha") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "outline.png; all of them transparent: another --background may show them" in said


@pytest.mark.parametrize(
    "how", [{"alpha": False}, {"background": "white"}, {"background": "black"}, {"colors": "gray"}]
)
def test_a_background_or_no_alpha_draws_them_on_a_background(tmp_path: Path, how: dict[str, Any]) -> None:
    home = written(tmp_path / "mine", 0.5, 0.5)
    assert Folder(str(home), **how).resolved().shape == (1 if "colors" in how else 3, SIDE, SIDE)
    assert Folder(str(home), **{**how, "alpha": True}).resolved().shape == (4, SIDE, SIDE)


def test_the_flags_of_train_and_doctor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = written(tmp_path / "mine", *(0.5,) * 8)
    for flags, channels, proposed in (
        ((), 4, f"--data {home} --seeds"),
        (("--no-alpha",), 3, f"--data {home} --no-alpha --seeds"),
        (("--background", "white"), 3, f"--data {home} '--background=#ffffff' --seeds"),
        (("--background", "white", "--alpha"), 4, f"--data {home} '--background=#ffffff' --alpha --seeds"),
    ):
        assert sparring("doctor", home, *flags) == 0
        assert proposed in capsys.readouterr().out
        out = tmp_path / f"run{'-'.join(flags)}"
        assert sparring("train", "--data", home, *flags, "--out", out, *QUICK) == 0
        recorded = RunFolder(out).recipe["data"]
        assert recorded["found_shape"] == [channels, SIDE, SIDE]
        assert recorded["alpha"] is (channels == 4)
        assert sparring("train", "--data", home, *flags, "--out", out, *QUICK) == 0  # resumes
    assert sparring("train", "--data", home, "--alpha", "--no-alpha", "--out", tmp_path / "none", *QUICK) == 2
    assert "give one of them" in capsys.readouterr().err


def test_the_contact_sheet_shows_kept_transparency_on_a_checkerboard(tmp_path: Path) -> None:
    home = written(tmp_path / "mine", 0.5, 0.5)
    for flags, grounds in (((), 2), (("--no-alpha",), 1)):
        assert sparring("doctor", home, *flags, "--out", tmp_path / "sheet.png") == 0
        sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB"))
        transparent = sheet[26:50, 10:58].reshape(-1, 3)  # the upper half of the first image
        assert len(np.unique(transparent, axis=0)) == grounds
