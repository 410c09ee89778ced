"""A user's own images of more than 8 bits, with alpha, of several frames, very large, with much text in them."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from sparring.analysis.doctor import Examination
from sparring.datasets.files import pixels as pixels_module
from sparring.datasets.files.loading import FolderImages, load_folder
from sparring.datasets.files.settings import ImageSettings
from sparring.datasets.files.summary import summary_lines
from sparring.datasets.folder import Folder
from sparring.errors import UsageError
from tests.stories.image_files import ALPHA, RGB, RGBA, RNG, complaint, saved, sparring

LEVELS = RNG.integers(0, 65_536, (6, 5, 4), dtype=np.uint16)
EIGHT = np.floor(LEVELS / 257 + 0.5).astype(np.uint8)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


def load(path: Path, **settings: Any) -> FolderImages:
    return load_folder(path, ImageSettings(**settings))


def only(path: Path, **settings: Any) -> np.ndarray:
    """The one image, `(H, W, C)`."""
    loaded = load(path, **settings)
    assert len(loaded.pixels) == 1
    return loaded.pixels[0].transpose(1, 2, 0)


def lines(path: Path, **settings: Any) -> list[str]:
    loaded = load(path, **settings)
    return summary_lines(loaded.info, loaded.pixels.shape[1:], ImageSettings(**settings))


def png16(levels: np.ndarray, *chunks: tuple[bytes, bytes]) -> Callable[[Path], None]:
    """A PNG of 16 bits, `(H, W, C)` with 1 to 4 channels, which Pillow does not write."""
    height, width, channels = levels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    packed = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels))
    head = struct.pack(">2I5B", width, height, 16, kind, 0, 0, 0)
    parts = [png_chunk(*each) for each in ((b"IHDR", head), *chunks, (b"IDAT", packed), (b"IEND", b""))]
    return lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts)) and None


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# 16 bits


def test_16_bits_round_alike_in_gray_and_in_color(home: Path) -> None:
    png16(LEVELS[..., :3])(home / "a.png")
    np.testing.assert_array_equal(only(home), EIGHT[..., :3])


@pytest.mark.parametrize("channels", [2, 4])
def test_16_bits_with_alpha(home: Path, channels: int) -> None:
    png16(LEVELS[..., :channels])(home / "a.png")
    expected = EIGHT.copy() if channels == 4 else np.dstack([EIGHT[..., :1]] * 3 + [EIGHT[..., 1:2]])
    np.testing.assert_array_equal(only(home, alpha=True), expected)


def test_one_level_of_16_bits_is_transparent(home: Path) -> None:
    gray, color = LEVELS[..., :1], LEVELS[..., :3]
    png16(gray, (b"tRNS", struct.pack(">H", int(gray[2, 3, 0]))))(home / "a.png")
    assert (only(home, alpha=True)[..., 3] == 0).sum() == (gray == gray[2, 3, 0]).sum()
    png16(color, (b"tRNS", struct.pack(">3H", *map(int, color[2, 3]))))(home / "a.png")
    assert np.argwhere(only(home, alpha=True)[..., 3] == 0).tolist() == [[2, 3]]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("highest", "proposed", "grays"), [(4_095, "0:4095", 17), (1_023, "0:1023", 5), (300, "0:511", 2)]
)
def test_twelve_of_sixteen_bits_are_said_and_stretched(
    home: Path, channels: int, highest: int, proposed: str, grays: int
) -> None:
    dark = (LEVELS[..., :channels].astype(float) / 65_535 * highest).round().astype(np.uint16)
    dark[0, 0], dark[0, 1] = 0, highest
    png16(dark)(home / "a.png")
    said = f"1 16-bit image uses only levels 0 to {highest:,} of 65,535 ({grays} of 256 gray levels, nearly black): "
    assert f"{said}--levels {proposed} stretches them" in lines(home)
    assert Examination.of(home).summary()["few_levels"] == [f"{said}--levels {proposed} stretches them"]
    stretched = only(home, levels=proposed)
    np.testing.assert_array_equal(stretched, np.floor(dark / int(proposed[2:]) * 255 + 0.5).astype(np.uint8))
    used = only(home, levels="used")
    np.testing.assert_array_equal(used, np.floor(dark / highest * 255 + 0.5).astype(np.uint8))
    assert not any("levels" in line for line in lines(home, levels="used"))


def test_masks_of_8_bits_are_said_to_be_black_too(home: Path) -> None:
    mask = np.arange(30, dtype=np.uint8).reshape(6, 5) % 3
    saved(mask)(home / "a.png")
    assert any("1 8-bit image uses only levels 0 to 2 of 255" in line for line in lines(home))
    np.testing.assert_array_equal(only(home, levels="used")[..., 0], np.array([0, 128, 255])[mask])
    np.testing.assert_array_equal(only(home, levels="0:2")[..., 0], np.array([0, 128, 255])[mask])


def test_levels_of_deep_images_leave_others_beside_them_alone(home: Path) -> None:
    saved(RGB)(home / "a.png")
    saved((LEVELS[..., 0] // 16).astype(np.uint16))(home / "b.png")
    loaded = load(home, levels="0:4095")
    np.testing.assert_array_equal(loaded.pixels[0].transpose(1, 2, 0), RGB)
    assert loaded.pixels[1].max() > 200


def test_fractions_are_read_once_their_levels_are_given(home: Path) -> None:
    saved((LEVELS[..., 0] / 65_535).astype(np.float32))(home / "a.tif")
    complaint(lambda: load(home), "do not say which level is white: --levels used or --levels=LOW:HIGH says it")
    np.testing.assert_array_equal(only(home, levels="0:1")[..., 0], EIGHT[..., 0])
    assert (only(home, levels="used").min(), only(home, levels="used").max()) == (0, 255)


@pytest.mark.parametrize("levels", ["12", "5:5", "9:1", "low:high", "", "0-4095"])
def test_levels_that_are_none_are_refused(levels: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="levels must be full, used or LOW:HIGH"):
        Folder(str(home), levels=levels)
    assert sparring("doctor", home, "--levels", levels) == 2
    assert "levels must be full, used or LOW:HIGH, such as 0:4095" in capsys.readouterr().err


@pytest.mark.parametrize("field", ["size", "fit", "background", "colors", "alpha", "frames", "levels"])
@pytest.mark.parametrize("value", [-1, 2.5, None, "sideways", (), {}, [64], b"crop", float("nan"), object])
def test_a_setting_that_is_none_is_refused_by_its_name(field: str, value: Any, home: Path) -> None:
    saved(RGB)(home / "a.png")
    with pytest.raises((ValueError, UsageError), match=rf"^(Folder: )?{field} (must be|takes) "):
        Folder(str(home), **{field: value}).resolved()


# Alpha


def test_alpha_is_a_fourth_channel_whose_hidden_colors_are_the_background(home: Path) -> None:
    hidden = RGBA.copy()
    hidden[:2, :, 3] = 0
    saved(hidden)(home / "a.png")
    assert "1 transparent, seen on #000000: --alpha keeps the transparency" in " ".join(lines(home, alpha=False))
    found = only(home, alpha=True, background=(9, 8, 7))
    np.testing.assert_array_equal(found[2:], RGBA[2:])
    assert (found[:2] == (9, 8, 7, 0)).all()
    assert not any("transparent" in line for line in lines(home, alpha=True))
    assert "red, green, blue and alpha" in lines(home, alpha=True)[0]


@pytest.mark.parametrize("kind", ["palette", "gray and alpha", "opaque", "bilevel"])
def test_images_of_every_mode_get_an_alpha_channel(home: Path, kind: str) -> None:
    image = Image.fromarray(RGB)
    if kind == "palette":
        image.quantize(3).save(home / "a.png", transparency=bytes([255, 0, 255]))
    elif kind == "gray and alpha":
        Image.merge("LA", (image.convert("L"), Image.fromarray(ALPHA))).save(home / "a.png")
    else:
        (image.convert("1") if kind == "bilevel" else image).save(home / "a.png")
    with Image.open(home / "a.png") as opened:
        expected = np.array(opened.convert("RGBA"))
    expected[expected[..., 3] == 0] = 0
    np.testing.assert_array_equal(only(home, alpha=True), expected)


def test_alpha_is_resized_without_the_colors_that_it_hides(home: Path) -> None:
    square = np.zeros((16, 16, 4), np.uint8)
    square[..., 1] = 255  # green that nothing shows
    square[4:12, 4:12] = 255, 0, 0, 255
    saved(square)(home / "a.png")
    for fit in ("crop", "pad", "stretch"):
        found = only(home, alpha=True, size=8, fit=fit).astype(int)
        assert found[..., 1].max() <= 2 and found[4, 4].tolist() == [255, 0, 0, 255] and (found[0, 0] == 0).all()


def test_colors_that_nothing_shows_count_for_nothing(home: Path) -> None:
    art = np.zeros((16, 16, 4), np.uint8)
    art[4:12, 4:12] = 200, 0, 0, 255
    art[6:10, 6:10] = 0, 200, 0, 255
    for index in range(2):
        noisy = art.copy()
        hidden = noisy[..., 3] == 0
        noisy[hidden, :3] = np.random.default_rng(index).integers(0, 256, (int(hidden.sum()), 3))
        saved(noisy)(home / f"{index}.png")
    found = Examination.of(home, ImageSettings(alpha=True))
    assert found.survey.pixel_art.why and found.duplicates == [["0.png", "1.png"]]
    used = Examination.of(home, ImageSettings(alpha=True, levels="used")).survey.stretch()
    assert used.shallow == (0, 200)


QUICK = ("--rounds", 4, "--log-points", 2, "--batch", 4, "--samples-per-grid", 6, "--threads", 1, "--no-compile")


def test_a_run_with_alpha_from_training_to_measuring(home: Path, tmp_path: Path) -> None:
    for index in range(36):
        saved(RNG.integers(0, 256, (8, 8, 4), dtype=np.uint8))(home / f"{index}.png")
    out, grid = tmp_path / "run", tmp_path / "s.png"
    assert sparring("train", "--data", home, "--alpha", "--out", out, *QUICK) == 0
    assert json.loads((out / "recipe.json").read_text())["data"]["found_shape"] == [4, 8, 8]
    assert sparring("sample", out, "--count", 4, "--out", grid) == 0
    assert sparring("sample", out, "--count", 4, "--out", tmp_path / "s.npy") == 0
    assert np.load(tmp_path / "s.npy").shape == (1, 4, 4, 8, 8)
    assert sparring("measure", out, "--count", 16) == 0
    assert sparring("show", out) == 0
    with Image.open(grid) as picture:
        assert picture.mode == "RGB"


def test_a_picture_shows_transparency_as_a_checkerboard() -> None:
    from sparring.record.grid import in_color

    images = np.zeros((2, 4, 16, 16), np.float32)
    images[1] = 1
    clear, white = in_color(images)
    np.testing.assert_allclose(np.unique(clear), [0.8, 1], atol=1e-6)
    assert (white == 1).all()


# Frames


def animated(path: Path, count: int = 3, **how: Any) -> list[np.ndarray]:
    """A file of so many frames, and the frames."""
    frames = [np.full((6, 5, 3), 40 * index + 20, np.uint8) for index in range(count)]
    first, *rest = map(Image.fromarray, frames)
    first.save(path, save_all=True, append_images=rest, **how)
    return frames


@pytest.mark.parametrize(
    ("name", "how"),
    [("a.gif", {}), ("a.png", {}), ("a.webp", {"lossless": True}), ("a.tiff", {}), ("a.apng", {"format": "PNG"})],
)
def test_all_frames_are_used_if_asked_else_said(home: Path, name: str, how: dict[str, Any]) -> None:
    frames = animated(home / name, **how)
    first, every = load(home), load(home, frames="all")
    assert len(first.pixels) == 1
    assert "1 file has several frames or pages (3), of which the first is used: --frames all uses all" in lines(home)
    assert not any("frames" in line for line in lines(home, frames="all"))
    assert every.pixels[:, 0, 0, 0].tolist() == [frame[0, 0, 0] for frame in frames]
    examined = Examination.of(home, ImageSettings(frames="all")).summary()
    assert (examined["images"], examined["animated"]) == (3, {"files": 1, "frames": 3})


def test_frames_of_a_class_are_of_that_class_and_broken_ones_leave_none(home: Path) -> None:
    for label in ("a", "b"):
        (home / label).mkdir()
        animated(home / label / "1.gif", 2)
    animated(home / "b" / "2.gif", 4)
    content = (home / "b" / "2.gif").read_bytes()
    (home / "b" / "0 cut.gif").write_bytes(content[: len(content) * 2 // 3])
    loaded = load(home, frames="all")
    assert loaded.labels is not None and loaded.labels.tolist().count(0) == 2
    assert len(loaded.pixels) == len(loaded.labels) >= 8


def test_a_smaller_copy_in_a_tiff_is_no_page(home: Path) -> None:
    copy = Image.fromarray(RGB[:3, :2])
    copy.encoderinfo = {"tiffinfo": {254: 1}}  # type: ignore[attr-defined]
    Image.fromarray(RGB).save(home / "a.tif", save_all=True, append_images=[copy])
    assert load(home, frames="all").info.images == 1


# Large images, long texts


def test_a_large_image_is_read_and_only_one_that_memory_cannot_hold_is_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if 178 megapixels, from which Pillow refuses files, were 300, and a large image 200."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150)
    monkeypatch.setattr(pixels_module, "LARGE", 200)
    Image.new("RGB", (30, 20), (200, 100, 50)).save(home / "a.png")
    Image.new("RGB", (30, 20), (200, 100, 50)).save(home / "b.jpg", quality=100)
    Image.new("L", (30, 20), 90).save(home / "c.tif")
    assert load(home, size=4).info.images == 3
    monkeypatch.setattr(pixels_module, "available_memory", lambda: 600)
    complaint(lambda: load(home, size=8), "has 0 megapixels, too many for the memory that is free: shrink it")


@pytest.mark.slow
def test_182_megapixels_are_read(home: Path) -> None:
    Image.new("L", (13_500, 13_500), 90).save(home / "a.png")
    Image.new("L", (13_500, 13_500), 90).save(home / "b.jpg")
    loaded = load(home, size=16)
    assert loaded.info.images == 2 and (loaded.pixels == 90).all()


def test_a_png_with_more_text_or_color_profile_than_pillow_takes_is_read(home: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", "a" * 2**21, zip=True)
    Image.fromarray(RGB).save(home / "text.png", pnginfo=texts)
    Image.fromarray(RGB).save(home / "profile.png", icc_profile=bytes(2**21))
    Image.fromarray(RGB).save(home / "behind.png")
    content = (home / "behind.png").read_bytes()
    behind = png_chunk(b"zTXt", b"late\0\0" + zlib.compress(b"a" * 2**21))
    (home / "behind.png").write_bytes(content[:-12] + behind + content[-12:])
    loaded = load(home)
    assert (loaded.info.images, loaded.info.broken) == (3, ())
    assert all((image.transpose(1, 2, 0) == RGB).all() for image in loaded.pixels)


def test_a_damaged_png_with_much_text_stays_broken(home: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", "a" * 2**21, zip=True)
    Image.fromarray(RGB).save(home / "a.png", pnginfo=texts)
    content = bytearray((home / "a.png").read_bytes())
    content[content.index(b"IDAT") + 10] ^= 255
    (home / "a.png").write_bytes(content)
    complaint(lambda: load(home), "broken: a.png (is damaged)")


# Formats that lose something, and one that needs a plugin


@pytest.mark.parametrize(
    ("name", "how"), [("a.avif", {"quality": 95}), ("a.jp2", {}), ("a.j2k", {}), ("a", {"format": "AVIF"})]
)
def test_avif_and_jpeg_2000_are_read(home: Path, name: str, how: dict[str, Any]) -> None:
    smooth = np.stack(np.meshgrid(np.arange(40), np.arange(40)), -1).sum(-1).astype(np.uint8) * 3
    Image.fromarray(smooth).convert("RGB").save(home / name, **how)
    assert np.abs(only(home, colors="gray")[..., 0].astype(int) - smooth).max() <= 4


def test_heic_names_the_plugin_that_it_needs(home: Path) -> None:
    saved(RGB)(home / "a.png")
    (home / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (home / "no ending").write_bytes(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic")
    assert dict(load(home).info.broken) == dict.fromkeys(
        ("phone.HEIC", "no ending"), "is HEIC, which needs a plugin: pip install pillow-heif"
    )


def test_few_images_are_said_to_end_in_copies(home: Path) -> None:
    for index in range(5):
        saved(RNG.integers(0, 256, (4, 4, 3), dtype=np.uint8))(home / f"{index}.png")
    assert "few (5): expect copies of them rather than new images" in lines(home)
    for index in range(5, 100):
        saved(RNG.integers(0, 256, (4, 4, 3), dtype=np.uint8))(home / f"{index}.png")
    assert not any("few" in line for line in lines(home))


def test_settings_of_images_are_refused_for_other_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sparring.cli.folder_flags import with_settings
    from sparring.datasets.digits import Digits

    with pytest.raises(UsageError, match="--alpha is for images of your own"):
        with_settings(Digits(), {"alpha": True})
    assert sparring("train", "digits", "--frames", "all", "--out", tmp_path / "run") == 2
    assert capsys.readouterr().err.startswith(
        "sparring: --frames is for images of your own (--data DIR), not for digits"
    )


@pytest.mark.parametrize("copies", [1, 2, 20])
def test_a_run_on_one_image_or_on_copies_of_it_goes_through(
    home: Path, tmp_path: Path, copies: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for index in range(copies):
        saved(RGB)(home / f"{index}.png")
    out = tmp_path / "run"
    assert sparring("train", "--data", home, "--out", out, *QUICK) == 0
    assert "expect copies" in capsys.readouterr().err
    assert sparring("diagnose", out) == sparring("show", out) == 0
    assert sparring("measure", out) == 1
    said = capsys.readouterr().err
    assert f"too few real examples to measure with: {copies // 2} to compare with" in said
