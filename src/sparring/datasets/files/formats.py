"""Image files by their names and first bytes, and opened whatever the size of their image or of the text in them."""

from __future__ import annotations

import importlib
import io
import logging
import struct
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import IO

from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "DIB", "PPM", "AVIF", "JPEG2000", "QOI", "DDS")
"""Formats that their first bytes tell. Pillow reports a JPEG with a second picture, as some cameras write, as MPO."""
BY_NAME = {"tga": "TGA", "pcx": "PCX", "sgi": "SGI", "ico": "ICO"}
"""Formats whose first bytes say too little, by the ending that a file of each must have."""
ENDINGS = frozenset(
    (
        *("png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "tif", "tiff", "bmp", "dib"),
        *("ppm", "pgm", "pbm", "pnm", "pfm", "avif", "jp2", "j2k", "jpf", "jpx", "j2c", "heic", "heif", "hif"),
        *("qoi", "dds", *BY_NAME),
    )
)
KINDS = "PNG, JPEG, WebP, GIF, TIFF, BMP, PPM, AVIF, JPEG 2000 and others"
NO_IMAGES = frozenset(
    (
        *("txt", "caption", "json", "jsonl", "csv", "tsv", "xml", "yaml", "yml", "toml", "ini", "md", "html", "htm"),
        *("py", "ipynb", "sh", "log", "pdf", "doc", "docx", "xls", "xlsx", "db", "lnk", "url", "cfg", "mat", "pkl"),
        *("npy", "npz", "h5", "hdf5", "parquet", "tfrecord", "tfrecords", "lmdb", "mdb", "arrow", "pt", "pth"),
        *("zip", "tar", "gz", "tgz", "bz2", "xz", "7z", "rar", "safetensors", "ckpt", "bin", "onnx"),
        *("mp4", "avi", "mov", "mkv", "webm", "m4v", "mp3", "wav", "flac", "svg", "psd", "ai", "eps", "xcf"),
        # Raw files of cameras look like TIFFs whose first page is a small preview.
        *("cr2", "cr3", "nef", "arw", "dng", "orf", "rw2", "pef", "raf", "srw"),
    )
)
"""Endings of files whose first bytes are not read."""
BRANDS = {b"avif": "AVIF", b"avis": "AVIF"} | dict.fromkeys(
    (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "HEIF"
)
"""Brands of ISO media files, which stand after `ftyp`."""
BEGINNING = 32
"""How many bytes tell a format."""
SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),  # BigTIFF
    (b"MM\0+", "TIFF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
)
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
"""Chunks of a PNG that hold text or a color profile, which its pixels do not depend on."""
Image.init()  # registers all formats; until then Pillow knows only some


class BrokenError(Exception):
    """A file that is no readable image; the message says why."""


def ending(name: str) -> str:
    """What follows a name's last dot, in lower case; nothing without a dot."""
    stem, dot, last = name.rpartition("/")[2].rpartition(".")  # a Path for each of 50,000 would take longer
    return last.lower() if dot and stem else ""


def named_as_image(name: str) -> bool | None:
    """Whether a file's name says that it is an image; None where only its first bytes can tell."""
    found = ending(name)
    return True if found in ENDINGS else False if found in NO_IMAGES else None


def format_of(beginning: bytes) -> str:
    """The format that a file's first bytes tell, as Pillow calls it; nothing if they tell none."""
    for signature, format in SIGNATURES:
        if beginning.startswith(signature):
            return format
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "WEBP"
    if beginning[4:8] == b"ftyp":
        return BRANDS.get(beginning[8:12], "")
    if beginning[:2] == b"BM" and beginning[6:10] == b"\0\0\0\0" and beginning[15:18] == b"\0\0\0":
        return "BMP"
    if beginning[:1] == b"P" and beginning[1:2] in b"123456fF" and beginning[2:3] in (b"\n", b" ", b"\t", b"\r"):
        return "PPM"
    return ""


def opened(file: IO[bytes], name: str) -> Image.Image:
    """An image whose pixels are not decoded yet. Raises BrokenError, or what Pillow raises, for any other file."""
    beginning = file.read(BEGINNING)
    format, by_name = format_of(beginning), BY_NAME.get(ending(name))
    formats = (*FORMATS, *_heif(format), *([by_name] if by_name else []))
    file.seek(0)
    try:
        return Image.open(file, formats=formats)
    except Image.UnidentifiedImageError as error:
        raise BrokenError(_unidentified(beginning, format)) from error


def says_more_behind(file: IO[bytes]) -> bool:
    """Whether an opened PNG has text or EXIF data behind its pixels, where only decoding finds it."""
    here, at, behind, name = file.tell(), 8, False, b""
    while name != b"IEND":
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            break
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        if behind and name in (b"eXIf", *TEXT_CHUNKS):
            break
        behind = behind or name == b"IDAT"
        at += 12 + length
    file.seek(here)
    return name != b"IEND"


@contextmanager
def tolerant_pillow() -> Generator[None]:
    """Pillow without its limit and its comments.

    It refuses images from 179 megapixels, which are welcome where memory holds them; and what it warns about (a
    palette's transparency, odd EXIF data) is either handled here or an error later on.
    """
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    log = logging.getLogger("PIL")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit
        log.setLevel(level)


def without_text(file: IO[bytes]) -> IO[bytes]:
    """A PNG without text and color profile, which may be longer than Pillow takes; any other file as it is."""
    file.seek(0)
    content = file.read()
    if format_of(content[:BEGINNING]) != "PNG":
        return io.BytesIO(content)
    return io.BytesIO(b"".join([content[:8], *(chunk for name, chunk in _chunks(content) if name not in TEXT_CHUNKS)]))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and whole content of every chunk of a PNG."""
    at = 8
    while at + 8 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        yield content[at + 4 : at + 8], content[at : at + 12 + length]
        at += 12 + length


def _heif(format: str) -> tuple[str, ...]:
    """Pillow's name for HEIC photographs, once the plugin that reads them is registered."""
    if format != "HEIF":
        return ()
    try:
        # By its name, because it is no dependency: libheif is large, and few need it.
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        raise BrokenError("is HEIC, which needs a plugin: pip install pillow-heif") from None
    return ("HEIF",)


def _unidentified(beginning: bytes, format: str) -> str:
    if format:
        return f"is a damaged {format}, or of a kind that is not supported"
    return "is no image" if beginning else "is empty"
