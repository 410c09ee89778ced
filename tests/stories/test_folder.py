"""A user's own folder of images: every format and mode, sizes, what is broken."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparring.analysis.doctor import Examination
from sparring.datasets.files.loading import load_folder
from sparring.datasets.files.settings import ImageSettings
from sparring.datasets.files.survey import chosen_size
from sparring.datasets.folder import Folder
from sparring.errors import UsageError
from tests.stories.image_files import ALPHA, GREY, RGB, RGBA, RNG, complaint, pixels_of, saved

DEEP = RNG.integers(0, 65536, (6, 5), dtype=np.uint16)


INDEX = (np.arange(30, dtype=np.uint8) % 3).reshape(6, 5)


PALETTE = [250, 10, 20, 30, 240, 50, 60, 70, 230]


ORANGE = (255, 128, 0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


def palette(transparency: Any = None) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        image = Image.fromarray(INDEX)
        image.putpalette(PALETTE)
        image.save(path, **({} if transparency is None else {"transparency": transparency}))

    return save


def deep_color(path: Path) -> None:
    """A PNG of 16 bits in each of three channels, which Pillow reads and does not write."""
    rows = b"".join(b"\0" + row.tobytes() for row in RGB.astype(">u2") * 257)
    chunks = [(b"IHDR", struct.pack(">2I5B", 5, 6, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    parts = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def tiff(
    pixels: np.ndarray, bits: int, photometric: int = 1, order: str = "<", extra: int | None = None, form: int = 1
) -> Callable[[Path], None]:
    """A plain TIFF of levels `(H, W)` or `(H, W, C)`, of kinds that Pillow reads and does not write."""
    height, width, *rest = pixels.shape
    channels = rest[0] if rest else 1
    if bits == 12:
        rows = [np.unpackbits(row.astype(">u2")[:, None].view(np.uint8), axis=1)[:, 4:].flatten() for row in pixels]
        data = b"".join(np.packbits(row).tobytes() for row in rows)
    else:
        data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    start, each = 8, {"H": 3, "I": 4}
    tags = [
        (256, "H", [width]),
        (257, "H", [height]),
        (258, "H", [bits] * channels),
        (259, "H", [1]),  # not compressed
        (262, "H", [photometric]),
        (273, "I", [start]),
        (277, "H", [channels]),
        (278, "H", [height]),
        (279, "I", [len(data)]),
        *([] if extra is None else [(338, "H", [extra])]),
        (339, "H", [form] * channels),
    ]
    directory = start + len(data) + len(data) % 2
    further = directory + 2 + 12 * len(tags) + 4
    entries, tail = b"", b""
    for number, kind, values in tags:
        packed = struct.pack(f"{order}{len(values)}{kind}", *values)
        place = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack(f"{order}I", further + len(tail))
        tail += packed if len(packed) > 4 else b""
        entries += struct.pack(f"{order}HHI", number, each[kind], len(values)) + place
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", directory)
    body = data.ljust(directory - start, b"\0") + struct.pack(f"{order}H", len(tags)) + entries + b"\0" * 4 + tail

    def save(path: Path) -> None:
        path.write_bytes(head + body)

    return save


def film(path: Path) -> None:
    frames = [Image.fromarray(INDEX), Image.fromarray(2 - INDEX)]
    for frame in frames:
        frame.putpalette(PALETTE)
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)


def pages(path: Path) -> None:
    Image.fromarray(RGB).save(path, save_all=True, append_images=[Image.fromarray(GREY), Image.new("RGB", (9, 9))])


def thrice(gray: np.ndarray) -> np.ndarray:
    return np.dstack([gray] * 3)


def over(background: tuple[int, int, int], rgba: np.ndarray) -> np.ndarray:
    color, alpha = rgba[..., :3].astype(float), rgba[..., 3:].astype(float) / 255
    return np.floor(color * alpha + np.array(background) * (1 - alpha) + 0.5).astype(np.uint8)


COLORS = np.array(PALETTE, np.uint8).reshape(3, 3)[INDEX]


LA = np.dstack([thrice(GREY), ALPHA])


HOLES = np.dstack([COLORS, np.where(INDEX == 1, 0, 255)])


VEILS = np.dstack([COLORS, np.array([255, 100, 7])[INDEX]])


ONE_LEVEL = np.dstack([thrice(INDEX), np.where(INDEX == 1, 0, 255)])


SIXTEEN = thrice(np.floor(DEEP / 257 + 0.5).astype(np.uint8))


TWELVE = thrice(np.floor(DEEP // 16 / 4095 * 255 + 0.5).astype(np.uint8))


VEILED = np.dstack([np.where(INDEX == 1, 0, GREY), np.where(INDEX == 1, 0, 255)]).astype(np.uint8)


UNVEILED = np.dstack([thrice(VEILED[..., 0]), VEILED[..., 1]])


BILEVEL = thrice(np.where(GREY > 127, 255, 0).astype(np.uint8))


KINDS: dict[str, tuple[str, Callable[[Path], None], np.ndarray]] = {
    "png bilevel": ("png", saved(np.where(GREY > 127, 255, 0).astype(np.uint8), "1"), BILEVEL),
    "png gray": ("png", saved(GREY), thrice(GREY)),
    "png gray with one level transparent": ("png", saved(INDEX, transparency=1), over(ORANGE, ONE_LEVEL)),
    "png gray and alpha": ("png", saved(np.dstack([GREY, ALPHA])), over(ORANGE, LA)),
    "png palette": ("png", palette(), COLORS),
    "png palette with a hole": ("png", palette(1), over(ORANGE, HOLES)),
    "png palette with veils": ("png", palette(bytes([255, 100, 7])), over(ORANGE, VEILS)),
    "png rgb": ("png", saved(RGB), RGB),
    "png rgba": ("png", saved(RGBA), over(ORANGE, RGBA)),
    "png 16-bit gray": ("png", saved(DEEP), SIXTEEN),
    "png 16-bit rgb": ("png", deep_color, RGB),
    "webp rgb": ("webp", saved(RGB, lossless=True), RGB),
    "webp rgba": ("webp", saved(RGBA, lossless=True, exact=True), over(ORANGE, RGBA)),
    "bmp gray": ("bmp", saved(GREY), thrice(GREY)),
    "bmp palette": ("bmp", palette(), COLORS),
    "bmp rgb": ("BMP", saved(RGB), RGB),
    "gif": ("gif", palette(), COLORS),
    "gif with a hole": ("gif", palette(1), over(ORANGE, HOLES)),
    "gif film": ("gif", film, COLORS),
    "tiff bilevel": ("tif", saved(np.where(GREY > 127, 255, 0).astype(np.uint8), "1"), BILEVEL),
    "tiff gray": ("tif", saved(GREY), thrice(GREY)),
    "tiff gray, 0 is white": ("tif", tiff(GREY, 8, 0), thrice(255 - GREY)),
    "tiff gray and alpha": ("tiff", saved(np.dstack([GREY, ALPHA])), over(ORANGE, LA)),
    "tiff gray, alpha and premultiplied": ("tiff", tiff(VEILED, 8, extra=1), over(ORANGE, UNVEILED)),
    "tiff palette": ("tif", palette(), COLORS),
    "tiff rgb": ("TIF", saved(RGB), RGB),
    "tiff rgb, packed": ("tiff", saved(RGB, compression="tiff_lzw"), RGB),
    "tiff rgb, deflated": ("tiff", saved(RGB, compression="tiff_adobe_deflate"), RGB),
    "tiff rgba": ("tiff", saved(RGBA), over(ORANGE, RGBA)),
    "tiff 12-bit gray": ("tiff", tiff(DEEP // 16, 12), TWELVE),
    "tiff 16-bit gray": ("tiff", saved(DEEP), SIXTEEN),
    "tiff 16-bit gray, packed": ("tiff", saved(DEEP, compression="tiff_lzw"), SIXTEEN),
    "tiff 16-bit gray, high byte first": ("tiff", tiff(DEEP, 16, order=">"), SIXTEEN),
    "tiff 16-bit gray, 0 is white": ("tiff", tiff(DEEP, 16, 0), 255 - SIXTEEN),
    "tiff 16-bit rgb": ("tiff", tiff(RGB.astype(np.uint16) * 257, 16, 2), RGB),
    "tiff 16-bit rgb, high byte first": ("tiff", tiff(RGB.astype(np.uint16) * 257, 16, 2, ">"), RGB),
    "tiff of pages": ("tiff", pages, RGB),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_and_mode_is_read_exactly(home: Path, kind: str) -> None:
    ending, save, expected = KINDS[kind]
    save(home / f"a.{ending}")
    found = pixels_of(home, background="#ff8000", colors="rgb")[0]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_is_read_nearly_exactly(home: Path, mode: str) -> None:
    smooth = np.stack(np.meshgrid(np.arange(40), np.arange(40)), -1).sum(-1).astype(np.uint8) * 3
    Image.fromarray(smooth).convert("RGB").convert(mode).save(home / "a.jpeg", quality=98)
    assert np.abs(pixels_of(home, colors="rgb")[0].astype(int) - thrice(smooth)).max() <= 4


def test_a_jpeg_with_a_second_picture_is_the_first(home: Path) -> None:
    first, second = (Image.new("RGB", (8, 8), color) for color in ("white", "black"))
    first.save(home / "a.jpg", format="MPO", save_all=True, append_images=[second])
    assert (pixels_of(home) > 250).all()
    assert Examination.of(home).formats == {"JPEG": 1}


@pytest.mark.parametrize("alpha", [0, 1, 2, 63, 64, 127, 128, 129, 200, 254, 255])
def test_compositing_rounds_to_the_nearest_level(alpha: int) -> None:
    from sparring.datasets.files.pixels import opaque

    levels = np.arange(256, dtype=np.uint8)
    rgba = np.stack([levels, levels[::-1], levels, np.full(256, alpha, np.uint8)], -1)[None]
    found = np.asarray(opaque(Image.fromarray(rgba), (10, 200, 255)))
    exact = rgba[..., :3].astype(float) * alpha / 255 + np.array([10, 200, 255]) * (255 - alpha) / 255
    assert np.abs(found - exact).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_upright(home: Path, orientation: int, ending: str) -> None:
    turned = {
        1: RGB,
        2: RGB[:, ::-1],
        3: RGB[::-1, ::-1],
        4: RGB[::-1],
        5: RGB.transpose(1, 0, 2),
        6: RGB[::-1].transpose(1, 0, 2),
        7: RGB[::-1, ::-1].transpose(1, 0, 2),
        8: RGB[:, ::-1].transpose(1, 0, 2),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(RGB).save(home / f"a.{ending}", exif=exif)
    np.testing.assert_array_equal(pixels_of(home)[0], turned)


def test_a_tiff_whose_levels_say_nothing_is_named_with_why(home: Path) -> None:
    saved(RGB)(home / "good.tiff")
    saved(DEEP.astype(np.float32))(home / "fractions.tiff")
    saved(DEEP.astype(np.int32))(home / "long.tiff")
    tiff(DEEP.astype(np.int16), 16, form=2)(home / "signed.tiff")
    tiff(np.dstack([DEEP, DEEP]), 16, extra=2)(home / "rare.tiff")
    (home / "cut.tiff").write_bytes((home / "good.tiff").read_bytes()[:40])
    for settings in (ImageSettings(), ImageSettings(size=4)):
        info = load_folder(home, settings).info
        assert info.images == 1
        faults = dict(info.broken)
        for name in ("fractions", "long", "signed"):
            assert "do not say which level is white" in faults.pop(f"{name}.tiff")
        assert faults == dict.fromkeys(
            ("cut.tiff", "rare.tiff"), "is a damaged TIFF, or of a kind that is not supported"
        )


def test_a_folder_without_color_is_grey_unless_asked(home: Path) -> None:
    saved(thrice(GREY))(home / "a.png")
    saved(GREY)(home / "b.png")
    assert pixels_of(home).shape == (2, 6, 5, 1)
    assert pixels_of(home, colors="rgb").shape == (2, 6, 5, 3)
    saved(RGB)(home / "c.png")
    assert pixels_of(home).shape == (3, 6, 5, 3)
    gray = pixels_of(home, colors="gray")
    np.testing.assert_array_equal(gray[0, ..., 0], GREY)
    np.testing.assert_allclose(gray[2, ..., 0], RGB @ np.array([0.299, 0.587, 0.114]), atol=0.51)


# Sizes


@pytest.mark.parametrize(
    ("sizes", "chosen", "why"),
    [
        pytest.param([(9, 7)] * 3, (9, 7), "the size of all", id="one"),
        pytest.param([(9, 7)] * 9 + [(50, 50)], (9, 7), "the size of 90%", id="nearly-one"),
        pytest.param([(9, 9)] * 8 + [(50, 50)] * 2, (8, 8), "sizes differ; the median shorter side is 9", id="two"),
        pytest.param([(33, 90), (90, 35)], (32, 32), "the median shorter side is 34", id="short-side"),
        pytest.param([(640, 480), (500, 700)], (64, 64), "the median shorter side is 490", id="capped"),
        pytest.param([(200, 300)] * 5, (64, 64), "most are 200x300, larger than 128", id="large"),
        pytest.param([(1, 1), (1, 2)], (1, 1), "sizes differ", id="tiny"),
    ],
)
def test_the_size_suits_the_images_and_is_said(sizes: list[tuple[int, int]], chosen: tuple[int, int], why: str) -> None:
    size, reason = chosen_size(sizes)
    assert size == chosen
    assert why in reason


def test_mixed_sizes_are_made_alike_and_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, (width, height) in enumerate([(40, 20), (20, 40), (30, 30), (16, 16)]):
        left = np.zeros((height, width, 3), np.uint8)
        left[:, : width // 2] = 255, 0, 0
        Image.fromarray(left).save(home / f"{number}.png")
    assert Folder(str(home)).resolved().shape == (3, 16, 16)
    assert "4 images, 16x16, red, green and blue (sizes differ; the median shorter side is 20)" in (
        said := capsys.readouterr().err
    )
    assert "3 of another size scaled and cropped to 16x16" in said
    cropped = pixels_of(home, size=16)
    assert (cropped[0, :, :7, 0] > 200).all() and (cropped[0, :, 9:, 0] < 50).all()
    padded = pixels_of(home, size=16, fit="pad", background="white")
    assert (padded[0, :4] == 255).all() and (padded[0, -4:] == 255).all()
    assert (padded[1, :, :4] == 255).all() and (padded[1, :, -4:] == 255).all()
    assert not (pixels_of(home, size=16, fit="stretch")[0, :3] == 255).all()
    Folder(str(home), size=16, fit="pad").resolved()
    assert "scaled and padded to 16x16" in capsys.readouterr().err


def test_a_large_jpeg_is_as_good_as_one_shrunk_from_all_its_pixels(home: Path) -> None:
    wave = (np.sin(np.mgrid[:800, :1200] / 40).prod(0) * 100 + 128).astype(np.uint8)
    Image.fromarray(wave).save(home / "a.jpg", quality=95)
    plain = np.asarray(Image.open(home / "a.jpg").resize((32, 32), Image.Resampling.BICUBIC))
    assert np.abs(pixels_of(home, size=32, fit="stretch")[0, ..., 0].astype(int) - plain).mean() < 2


# What is in a folder beside good images


def test_subfolders_are_classes_counted_from_where_they_part(home: Path) -> None:
    for place in ("all/cats/a.png", "all/cats/young/b.png", "all/dogs/c.png", "all/d.png"):
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        saved(RGB)(home / place)
    source: Any = Folder(str(home)).open(None, "cpu")
    assert source.labels.tolist() == [1, 1, 0, 2]  # in the order of paths; classes are "(none)", "cats" and "dogs"
    assert load_folder(home, ImageSettings()).info.classes == ("(none)", "cats", "dogs")
    shutil.rmtree(home / "all" / "dogs")
    (home / "all" / "d.png").unlink()
    source = Folder(str(home)).open(None, "cpu")
    assert source.labels.tolist() == [0, 1]  # "(none)" and "young"


def test_stray_and_broken_files_are_named_and_skipped(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved(RGB)(home / "good.png")
    (home / "notes.txt").write_text("hello")
    (home / ".DS_Store").write_text("hidden")
    (home / "empty.png").touch()
    (home / "text.jpg").write_text("no image at all")
    (home / "cut.png").write_bytes((home / "good.png").read_bytes()[:60])
    (home / "gone.webp").symlink_to(home / "nowhere")
    opened = load_folder(home, ImageSettings())
    assert opened.info.images == 1
    assert dict(opened.info.broken).keys() == {"empty.png", "text.jpg", "cut.png", "gone.webp"}
    assert dict(opened.info.broken)["empty.png"] == "is empty"
    assert dict(opened.info.broken)["text.jpg"] == "is no image"
    assert opened.info.stray == ("notes.txt",)
    Folder(str(home)).resolved()
    said = capsys.readouterr().err
    assert "not images, skipped: notes.txt" in said
    assert (
        "broken, skipped: cut.png (is cut short); empty.png (is empty); gone.webp (is a link to nothing); "
        "text.jpg (is no image)"
    ) in said


def test_a_folder_that_holds_a_link_to_itself(home: Path) -> None:
    saved(RGB)(home / "a.png")
    (home / "again").symlink_to(home)
    assert len(pixels_of(home)) == 1


def test_what_is_no_folder_of_images_is_told_in_one_line(home: Path) -> None:
    complaint(
        lambda: pixels_of(home),
        home,
        "holds no image (PNG, JPEG, WebP, GIF, TIFF, BMP, PPM, AVIF, JPEG 2000 and others): name a folder",
    )
    complaint(lambda: pixels_of(home / "no"), home / "no", "does not exist: name a folder of images")
    (home / "a.txt").touch()
    complaint(lambda: pixels_of(home), "only a.txt: name a folder")
    complaint(lambda: pixels_of(home / "a.txt"), "a.txt is a file: name a folder of images")
    (home / "b.png").write_text("no")
    complaint(lambda: pixels_of(home), "holds no image that can be read; broken: b.png (is no image). Copy")
    complaint(lambda: pixels_of(home, size=8), "holds no image that can be read; broken: b.png (is no image). Copy")
    with pytest.raises(UsageError, match="background must be a color"):
        pixels_of(home, background="mauve-ish")
    with pytest.raises(ValueError, match="size must be at least 1"):
        Folder("x", size=-3)


def test_one_image_is_enough(home: Path) -> None:
    from sparring.rng import RandomStreams

    saved(RGB)(home / "a.png")
    drawn = Folder(str(home), span=(-1.0, 1.0)).open(None, "cpu").draw(RandomStreams((0, 1)), 3)
    assert drawn.shape == (2, 3, 3, 6, 5)
    np.testing.assert_allclose(drawn[1, 2].permute(1, 2, 0).numpy(), RGB / 127.5 - 1, atol=1e-6)
