"""Pixel art is found by itself, resized to the nearest pixel and augmented without changes of color; photos are not."""

from __future__ import annotations

import os
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparring.datasets.files.loading import load_folder
from sparring.datasets.files.pixel_art import Grain, PixelArt, found_in, grain_of
from sparring.datasets.files.settings import ImageSettings
from sparring.datasets.folder import Folder
from sparring.networks.dcgan import DCGANGenerator
from sparring.recipe import find_recipe
from sparring.training.about import changed_from_catalogue
from sparring.tricks.adaptive_augmentation import AdaptiveAugmentation
from tests.stories.image_files import sparring

TILES = Path(os.environ.get("SPARRING_DATA") or "nowhere") / "crawl-tiles-32.tar"
PALETTE = np.array([(0, 0, 0), (200, 40, 40), (40, 160, 60), (240, 220, 90)], np.uint8)
COUNT = 40
RNG = np.random.default_rng(0)


def sprite(side: int = 16) -> np.ndarray:
    """Blots of four colors, mirrored, as sprites are."""
    half = RNG.integers(0, 4, (side, side // 2)) * (RNG.random((side, side // 2)) < 0.6)
    return PALETTE[np.hstack([half, half[:, ::-1]])]


def patches(side: int, count: int = COUNT) -> list[np.ndarray]:
    """Parts of two photographs, as they are."""
    from sklearn.datasets import load_sample_images

    photos = load_sample_images().images
    corners = [(int(RNG.integers(427 - side)), int(RNG.integers(640 - side))) for _ in range(count)]
    return [photos[k % 2][y : y + side, x : x + side] for k, (y, x) in enumerate(corners)]


def shrunk(image: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def enlarged(image: np.ndarray, times: int) -> np.ndarray:
    return image.repeat(times, 0).repeat(times, 1)


def letters(side: int) -> list[np.ndarray]:
    """Smoothed edges and little else."""
    from PIL import ImageDraw, ImageFont

    made: list[np.ndarray] = []
    for letter in "ABCDEGJKMNOPQRSUVWXYZ&%@":
        page = Image.new("RGB", (4 * side, 4 * side))
        ImageDraw.Draw(page).text((side // 2, 0), letter, font=ImageFont.load_default(3.2 * side))
        made.append(np.asarray(page.resize((side, side), Image.Resampling.BOX)))
    return made


def gradient(side: int) -> np.ndarray:
    """One color that fades from top to bottom, in steps that are far apart in a small picture."""
    fading = np.linspace(0.2, 1, side)[:, None, None] * np.ones((side, side, 1))
    return (fading * RNG.integers(100, 256, 3)).astype(np.uint8)


def found(images: list[np.ndarray]) -> PixelArt:
    return found_in([grain_of(image) for image in images])


HEALTHY = {
    "photographs, 16 pixels": lambda: patches(16),
    "photographs, 32 pixels": lambda: patches(32),
    "photographs, 128 pixels": lambda: patches(128, 8),
    "shrunk photographs": lambda: [shrunk(patch, 32) for patch in patches(256, 16)],
    "smoothed pixel art": lambda: [shrunk(sprite(), 48) for _ in range(COUNT)],
    "letters": lambda: letters(32),
    "gradients": lambda: [gradient(16) for _ in range(COUNT)],
    "noise": lambda: [RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(8)],
    "one color": lambda: [np.full((16, 16, 3), 7, np.uint8)] * 8,
}


@pytest.mark.parametrize("kind", HEALTHY)
def test_what_is_no_pixel_art_is_not_taken_for_it(kind: str) -> None:
    assert found(HEALTHY[kind]()) == PixelArt()


def test_few_colors_with_hard_edges_are_pixel_art() -> None:
    assert found([sprite() for _ in range(COUNT)]) == PixelArt("100% of the images have few colors and hard edges")


@pytest.mark.parametrize("times", [2, 3, 8])
def test_enlarged_pixels_are_pixel_art_of_any_colors(times: int) -> None:
    art = found([enlarged(image, times) for image in (*patches(16, 20), np.zeros((16, 16, 3), np.uint8))])
    assert art == PixelArt(f"the pixels of 100% of the images are enlarged {times} times", times)


def test_a_few_among_many_photographs_make_no_pixel_art() -> None:
    assert found([*(sprite() for _ in range(6)), *patches(16, 14)]) == PixelArt()
    assert found([*(sprite() for _ in range(12)), *patches(16, 8)]).why.startswith("60% of the images")
    assert found([*(enlarged(sprite(), 2) for _ in range(8)), *patches(32, 4)]).enlarged == 1


def test_a_square_of_two_colors_is_not_enlarged() -> None:
    halves = np.repeat(np.array([[[0, 0, 0]], [[255, 255, 255]]], np.uint8), 8, 0).repeat(16, 1)
    assert grain_of(halves) == Grain(block=1, hard=True)


@pytest.mark.skipif(not TILES.is_file(), reason="the tiles are not here")
def test_the_tiles_of_a_game_are_pixel_art() -> None:
    images: list[np.ndarray] = []
    with tarfile.open(TILES) as archive:
        for member in [m for m in archive if m.name.endswith(".png")][::16]:
            file = archive.extractfile(member)
            assert file is not None
            tile = Image.open(BytesIO(file.read())).convert("RGBA")
            images.append(np.asarray(Image.alpha_composite(Image.new("RGBA", tile.size, "black"), tile).convert("RGB")))
    assert found(images).why.endswith("of the images have few colors and hard edges")


@pytest.fixture
def sprites(tmp_path: Path) -> Path:
    """Eight of 16 pixels, enlarged four times."""
    return written(tmp_path / "sprites", [enlarged(sprite(), 4) for _ in range(8)])


def written(folder: Path, images: list[np.ndarray], ending: str = "png") -> Path:
    folder.mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index:03}.{ending}")
    return folder


def pixels(path: Path, **settings: Any) -> np.ndarray:
    return load_folder(path, ImageSettings(**settings)).pixels


def test_enlarged_pixels_become_one_pixel_each(sprites: Path) -> None:
    loaded = load_folder(sprites, ImageSettings())
    assert loaded.info.size == (16, 16)
    assert loaded.info.reason == "the size of all images, once 4x4 pixels are one"
    first = np.asarray(Image.open(sprites / "000.png"))[::4, ::4]
    assert (loaded.pixels[0] == first.transpose(2, 0, 1)).all()


@pytest.mark.parametrize(("size", "fit"), [(32, "crop"), (20, "stretch"), (48, "pad")])
def test_no_resizing_gives_pixel_art_another_color(sprites: Path, size: int, fit: str) -> None:
    allowed = {tuple(color) for color in PALETTE.tolist()}
    made, smoothed = (pixels(sprites, size=size, fit=fit, resample=how) for how in ("auto", "bicubic"))
    assert made.shape == smoothed.shape == (8, 3, size, size)
    assert set(map(tuple, made.transpose(0, 2, 3, 1).reshape(-1, 3).tolist())) <= allowed
    assert len(np.unique(smoothed.transpose(0, 2, 3, 1).reshape(-1, 3), axis=0)) > 4 * len(allowed)


def test_the_contact_sheet_shows_what_training_sees(sprites: Path, tmp_path: Path) -> None:
    colors: dict[str, int] = {}
    for how in ("auto", "bicubic"):
        assert sparring("doctor", sprites, "--size", 20, "--resample", how, "--out", tmp_path / f"{how}.png") == 0
        with Image.open(tmp_path / f"{how}.png") as sheet:
            below = np.asarray(sheet)[26:]  # the caption
        colors[how] = len(np.unique(below.reshape(-1, 3), axis=0))
    assert colors["auto"] == len(PALETTE) + 1 < colors["bicubic"]  # and white between


def test_photographs_are_smoothed_unless_asked_otherwise(tmp_path: Path) -> None:
    home = written(tmp_path / "photos", patches(32, 12))
    assert (pixels(home, size=16) == pixels(home, size=16, resample="bicubic")).all()
    assert (pixels(home, size=16) != pixels(home, size=16, resample="nearest")).any()


def test_a_format_that_changes_pixels_has_no_pixel_art(tmp_path: Path) -> None:
    home = written(tmp_path / "flat", [enlarged(sprite(), 4) for _ in range(4)], "jpg")
    assert load_folder(home, ImageSettings()).info.pixel_art == ""


def test_auto_augments_pixel_art_without_changes_of_color(sprites: Path, tmp_path: Path) -> None:
    photos = written(tmp_path / "photos", patches(32, 12))
    kinds: dict[str, tuple[Path, Any]] = {
        "art": (sprites, "auto"),
        "art, smoothed": (sprites, "bicubic"),
        "photos": (photos, "auto"),
        "photos, nearest": (photos, "nearest"),
    }
    changes = {
        name: changes_of(find_recipe("auto", sized_by=Folder(str(path), resample=how)).tricks[0])
        for name, (path, how) in kinds.items()
    }
    moved, all_changes = {"flips", "translations"}, {"translations", "scaling", "colors"}
    assert changes == {"art": moved, "art, smoothed": all_changes, "photos": all_changes, "photos, nearest": moved}


def test_auto_makes_pixel_art_with_transposed_convolutions_and_photographs_without(tmp_path: Path) -> None:
    art = written(tmp_path / "art", [sprite(32) for _ in range(12)])
    photos = written(tmp_path / "photos", patches(32, 12))
    folders = {"art": Folder(str(art)), "smoothed": Folder(str(art), resample="bicubic"), "photos": Folder(str(photos))}
    made = {name: find_recipe("auto", sized_by=folder).generator for name, folder in folders.items()}
    upsampling = {
        name: generator.upsampling for name, generator in made.items() if isinstance(generator, DCGANGenerator)
    }
    assert upsampling == {"art": "transposed", "smoothed": "nearest", "photos": "nearest"}


def test_pixel_art_in_color_has_wider_networks_where_there_is_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = np.stack([sprite(20) for _ in range(1_000)])
    for name, images in {"art": drawn, "gray": drawn[..., 0]}.items():
        np.save(tmp_path / f"{name}.npy", images)
        data = Folder(str(tmp_path / f"{name}.npy"))
        short, long = (find_recipe("auto", sized_by=data, minutes=minutes) for minutes in (9, 60))
        assert (short.generator == long.generator) is (name != "art")
    changed = changed_from_catalogue(find_recipe("auto", sized_by=Folder(str(tmp_path / "art.npy")), minutes=60)) or {}
    assert changed.keys() == {"data"}, "nobody but auto chose its networks"
    with pytest.raises(SystemExit):  # as --help does
        sparring("train", "--data", tmp_path / "art.npy", "--hours=0.2", "--help")
    shown = "".join(capsys.readouterr().out.split())
    assert "dcgan-discriminator(width=32," in shown and "dcgan-generator(width=32," in shown


def changes_of(trick: Any) -> set[str]:
    assert isinstance(trick, AdaptiveAugmentation)
    return {name for name in ("flips", "rotations", "translations", "scaling", "colors") if getattr(trick, name)}


def test_doctor_and_train_say_it_in_one_line(sprites: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    why = "the pixels of 100% of the images are enlarged 4 times"
    what = "where auto augments it, colors stay (--resample bicubic: as if it were none)"
    Folder(str(sprites)).resolved()
    assert f"{sprites}: pixel art: {why}: resized to the nearest pixel, and {what}" in capsys.readouterr().err
    assert sparring("doctor", sprites) == 0
    assert f"pixel art {why}: resized to the nearest pixel, and {what}" in " ".join(capsys.readouterr().out.split())
    Folder(str(sprites), resample="bicubic").resolved()
    assert "pixel art" not in capsys.readouterr().err
    assert sparring("doctor", sprites, "--resample", "bicubic") == 0
    said = capsys.readouterr().out
    assert "pixel art" not in said and "--resample=bicubic" in said
    Folder(str(written(tmp_path / "photos", patches(32, 12)))).resolved()
    assert "pixel art" not in capsys.readouterr().err
