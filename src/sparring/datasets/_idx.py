"""MNIST and Fashion-MNIST files in IDX format: find them in a folder or download them, check them, read them.

An IDX file is a magic number (two zero bytes, the type of its numbers, its count of dimensions), the dimensions as
big-endian 32-bit integers, and the numbers. MNIST and Fashion-MNIST use the same file names, so they
are distinguished by checksum.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import os
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sparring.errors import SparringError, UsageError

Bytes = npt.NDArray[np.uint8]

CLASSES = 10
SIDE = 28
"""Height and width of an image, in pixels."""


@dataclass(frozen=True)
class Archive:
    """The published files of a data set."""

    name: str
    """Also the name of its subfolder in a data folder."""
    mirrors: tuple[str, ...]
    """Base URLs, tried in order; each serves the files below with `.gz` appended."""
    images: dict[str, tuple[str, str]]
    """Split -> (file name, SHA-256 of the uncompressed file)."""
    labels: dict[str, tuple[str, str]]

    @property
    def files(self) -> dict[str, str]:
        """File name -> checksum, for all of them."""
        return dict((*self.images.values(), *self.labels.values()))


# Checksums are of the uncompressed files, because mirrors may compress the same bytes differently.
MNIST = Archive(
    name="mnist",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    images={
        "train": ("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        "test": ("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    },
    labels={
        "train": ("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        "test": ("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    },
)
FASHION_MNIST = Archive(
    name="fashion-mnist",
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",  # the authors' own; it speaks no HTTPS
    ),
    images={
        "train": ("train-images-idx3-ubyte", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        "test": ("t10k-images-idx3-ubyte", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
    },
    labels={
        "train": ("train-labels-idx1-ubyte", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        "test": ("t10k-labels-idx1-ubyte", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    },
)

_OWNER = {checksum: archive.name for archive in (MNIST, FASHION_MNIST) for checksum in archive.files.values()}
_KIND = {1: "labels", 3: "images"}
_NUMBERS = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
_GZIP = b"\x1f\x8b"
_SIGNATURES = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"PK\x03\x04": "a zip archive",
    b"\x93NUMPY": "a NumPy array",
    b"version https://git-lfs": "a Git LFS pointer (git lfs pull fetches the file)",
    b"<": "a web page",
    _GZIP: "a gzip file compressed twice",
}
_AGAIN = "copy or download it again"
_POINT = "point --data-dir or SPARRING_DATA at"


def images(archive: Archive, split: str, data_dir: Path | None) -> Bytes:
    """Every image of a split, uint8 `(N, 1, 28, 28)`, 0 is background.

    Files come from `data_dir`, else from the folder that SPARRING_DATA names, else from a download kept in the user's
    cache. If a folder is named, nothing is downloaded. Raises SparringError when a file is missing,
    damaged, of another kind, of another size or another data set's, and when nothing can be downloaded.
    """
    path, content = _find(archive, archive.images, split, data_dir)
    pixels = _parse(content, path, dims=3)
    count, height, width = pixels.shape
    if (height, width) != (SIDE, SIDE):
        raise SparringError(
            f"{path} has images of {height}x{width} pixels, {SIDE}x{SIDE} expected: {_POINT} images of that size"
        )
    return pixels.reshape(count, 1, SIDE, SIDE)


def labels(archive: Archive, split: str, data_dir: Path | None) -> Bytes:
    """The class of every image of a split, uint8 `(N,)` in 0..9. Finds the file, and raises, as `images` does."""
    path, content = _find(archive, archive.labels, split, data_dir)
    classes = _parse(content, path, dims=1)
    if classes.max() >= CLASSES:
        raise SparringError(
            f"{path} has label {classes.max()}, 0 to {CLASSES - 1} expected: {_POINT} labels of {CLASSES} classes"
        )
    return classes


def read_idx(path: Path, dims: int) -> Bytes:
    """The numbers of an IDX file of unsigned bytes, plain or gzipped: `(N, height, width)` images for `dims` 3,
    `(N,)` labels for `dims` 1.

    Raises SparringError when the file cannot be read, is damaged, is of another kind or is not as long as its header
    says.
    """
    return _parse(_content(path), path, dims)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SparringError(f"cannot read {path} ({error.strerror}): make it a file that you may read") from error
    try:
        return _unpacked(content)
    except EOFError as error:
        raise SparringError(f"{path} is a gzip file cut short: {_AGAIN}") from error
    except (OSError, zlib.error) as error:
        raise SparringError(f"{path} is a damaged gzip file: {_AGAIN}") from error


def _unpacked(content: bytes) -> bytes:
    """`content` decompressed if it is gzip, whatever its name says: browsers and servers decompress unasked."""
    return gzip.decompress(content) if content.startswith(_GZIP) else content


def _parse(content: bytes, path: Path, dims: int) -> Bytes:
    kind = _KIND[dims]
    if not content:
        raise SparringError(f"{path} is empty: {_AGAIN}")
    if content[:4] != bytes((0, 0, 0x08, dims)):
        raise SparringError(f"{path} {_likeness(content)}, {kind} expected: put an IDX file of {kind} in its place")
    start = 4 + 4 * dims
    if len(content) < start:
        raise SparringError(f"{path} is cut short inside its header: {_AGAIN}")
    shape = [int(size) for size in np.frombuffer(content, ">u4", dims, offset=4)]
    declared, found = math.prod(shape), len(content) - start
    if declared == 0:
        raise SparringError(f"{path} holds no {kind}: {_AGAIN}")
    if found < declared:
        whole = found // math.prod(shape[1:])
        raise SparringError(f"{path} is cut short, it declares {shape[0]} {kind} and holds {whole}: {_AGAIN}")
    if found > declared:
        raise SparringError(f"{path} goes on for {found - declared} bytes after its {shape[0]} {kind}: {_AGAIN}")
    # A copy, because torch warns about read-only memory.
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def _likeness(content: bytes) -> str:
    """What a file of the wrong kind seems to be, as the end of a sentence "FILE ..."."""
    if len(content) >= 4 and content.startswith(b"\0\0") and content[2] in _NUMBERS:
        numbers, dims = _NUMBERS[content[2]], content[3]
        if numbers == "uint8" and dims in _KIND:
            return f"is {'a label' if dims == 1 else 'an image'} file"
        return f"is an IDX file of {numbers} in {dims} dimensions"
    text = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    for signature, meaning in _SIGNATURES.items():
        if text.startswith(signature):
            return f"looks like {meaning}"
    return f"is no IDX file (it starts with {content[:8]!r})"


def _find(archive: Archive, files: dict[str, tuple[str, str]], split: str, data_dir: Path | None) -> tuple[Path, bytes]:
    """The path of the split's file, and its uncompressed content."""
    if split not in files:
        raise UsageError(f"{archive.name} has no split {split!r}; there are: {', '.join(files)}")
    name, checksum = files[split]
    named = data_dir or os.environ.get("SPARRING_DATA")
    if not named:
        return _download(archive, name, checksum)
    path = _locate(archive, name, Path(named).expanduser())
    content = _content(path)
    owner = _OWNER.get(_sha256(content), archive.name)
    if owner != archive.name:
        raise SparringError(
            f"{path.parent} holds {owner}, not {archive.name}: {_POINT} {archive.name}'s files, or ask for {owner}"
        )
    return path, content


def _locate(archive: Archive, name: str, folder: Path) -> Path:
    """The file called `name` in `folder`, or in its subfolder named after the data set if that holds any of its files.

    All files of a data set come from one folder, so that images are never combined with another set's labels.
    """
    home, (files, folders) = folder, _listing(folder)
    if archive.name in folders:
        inside, _ = _listing(folder / archive.name)
        if any(variant in inside for published in archive.files for variant in _variants(published)):
            home, files = folder / archive.name, inside
    for variant in _variants(name):
        if variant in files:
            return home / variant
    raise SparringError(
        f"{home} holds no {name}[.gz]: put it there, or {_POINT} a folder that holds it, itself or in {archive.name}/"
    )


def _listing(folder: Path) -> tuple[set[str], set[str]]:
    """Names of the files in `folder` and of the folders in it: some archivers unpack to folders named like the
    files."""
    try:
        with os.scandir(folder) as entries:
            is_folder = {entry.name: entry.is_dir() for entry in entries}
    except FileNotFoundError as error:
        raise SparringError(f"there is no folder {folder}: {_POINT} the folder that holds the IDX files") from error
    except NotADirectoryError as error:
        raise SparringError(f"{folder} is a file: {_POINT} the folder that holds the IDX files") from error
    except OSError as error:
        raise SparringError(f"cannot open {folder} ({error.strerror}): {_POINT} a folder that you may read") from error
    folders = {name for name, yes in is_folder.items() if yes}
    return is_folder.keys() - folders, folders


def _variants(name: str) -> list[str]:
    """File names in common use, uncompressed ones first because they are faster to read."""
    return [stem + end for stem in (name, name.replace("-idx", ".idx")) for end in ("", ".gz")]


def _download(archive: Archive, name: str, checksum: str) -> tuple[Path, bytes]:
    """The published file, from the user's cache or else from the first mirror that serves it intact."""
    import pooch

    path = Path(pooch.os_cache("sparring")) / archive.name / name
    try:
        # Checked on every read, so that a cache file damaged by a crash or a full disk is downloaded again.
        if path.is_file() and _sha256(content := path.read_bytes()) == checksum:
            return path, content
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written atomically, also when two processes download at once.
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            content = _published(archive, name, checksum)
            part = Path(scratch) / name
            part.write_bytes(content)
            part.replace(path)
    except OSError as error:
        raise SparringError(
            f"cannot save {archive.name} in {path.parent} ({error.strerror}): "
            f"give --data-dir DIR or set SPARRING_DATA to a folder with {name}[.gz]"
        ) from error
    return path, content


def _published(archive: Archive, name: str, checksum: str) -> bytes:
    """The uncompressed content of a published file, over the network."""
    import pooch

    fetch = pooch.HTTPDownloader(chunk_size=2**16, timeout=(5, 30))  # seconds: to connect, between two pieces
    why = "no network?"
    for mirror in archive.mirrors:
        url, packed = f"{mirror}{name}.gz", io.BytesIO()
        pooch.get_logger().info("downloading %s", url)
        try:
            fetch(url, packed, None)
        except OSError:  # of which every failure of requests is one
            continue
        try:
            content = _unpacked(packed.getvalue())
        except (OSError, EOFError, zlib.error):
            content = b""
        if _sha256(content) == checksum:
            return content
        why = "a mirror sent a file with another checksum"
    raise SparringError(
        f"cannot download {archive.name} ({why}): give --data-dir DIR or set SPARRING_DATA to a folder with {name}[.gz]"
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
