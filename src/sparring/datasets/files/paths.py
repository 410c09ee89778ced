"""The contents of whatever a user names as images: a folder, an archive, or a file of arrays or rows."""

from __future__ import annotations

import contextlib
import tarfile
import zipfile
from pathlib import Path

from sparring.datasets.files.archives import tar_contents, zip_contents
from sparring.datasets.files.arrays import array_contents
from sparring.datasets.files.contents import ARRAYS, BEGINNING, Contents
from sparring.datasets.files.formats import ending, format_of
from sparring.datasets.files.left_out import without_listed
from sparring.datasets.files.listing import folder_contents
from sparring.datasets.files.rows import FILES, row_contents, row_files
from sparring.datasets.files.settings import ImageSettings
from sparring.errors import SparringError

NAME_IT = "name a folder of images, a zip or tar archive of them, an .npy or .npz array, or a CSV or Parquet file"
NOT_READ = {
    "h5": "an HDF5 file",
    "hdf5": "an HDF5 file",
    "mat": "a MATLAB file",
    "tfrecord": "a TFRecord file",
    "tfrecords": "a TFRecord file",
    "lmdb": "an LMDB database",
    "mdb": "an LMDB database",
    "pt": "a PyTorch file",
    "pth": "a PyTorch file",
    "pkl": "a Python pickle",
    "7z": "a 7z archive",
    "rar": "a RAR archive",
    "mp4": "a video",
    "mov": "a video",
    "avi": "a video",
    "mkv": "a video",
    "webm": "a video",
}
"""Endings of files that may hold images and are not read."""
SHEETS = {
    "xlsx": "an Excel workbook",
    "xls": "an Excel workbook",
    "ods": "an OpenDocument spreadsheet",
    "numbers": "a Numbers spreadsheet",
    "json": "a JSON file",
    "jsonl": "a JSON file",
}
"""Endings of files that may hold tables and are not read."""


def expanded(path: str | Path) -> Path:
    """The absolute path of data; a leading ~ is the home folder, or part of the name without such a home.

    Raises SparringError for what no file can be called.
    """
    path = Path(path)
    try:
        with contextlib.suppress(RuntimeError):
            path = path.expanduser()
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a link in a circle, a name too long, a zero byte
        raise SparringError(f"cannot open {path} ({error}): {NAME_IT}") from error


def contents_of(path: str | Path, settings: ImageSettings) -> Contents:
    """The images at a path, but for those that a list leaves out, and what else is there.

    Raises SparringError where there is nothing, or nothing that holds images and can be read.
    """
    contents = _whole(path, settings)
    return without_listed(contents, expanded(settings.leave_out)) if settings.leave_out else contents


def _whole(path: str | Path, settings: ImageSettings) -> Contents:
    found = expanded(path)
    try:
        if found.is_dir():
            contents = folder_contents(found)
            files = row_files(contents)
            in_rows = row_contents(found, files, settings.labels) if files else None
            return in_rows or contents
        if not found.is_file():
            state = "is neither a file nor a folder" if found.exists() else "does not exist"
            raise SparringError(f"{found} {state}: {NAME_IT}")
        if found.suffix.lower() in ARRAYS:
            return array_contents(found, settings)
        if ending(found.name) in FILES:
            contents = row_contents(found, [found], settings.labels)
            if contents is None:
                raise SparringError(f"{found} has no column of images; as numbers it is table(path=...)")
            return contents
        if sheet := SHEETS.get(ending(found.name)):  # an Excel workbook is a zip file
            raise SparringError(
                f"{found} is {sheet}, which is not read: save its numbers as a CSV file, in Excel as CSV UTF-8"
            )
        if zipfile.is_zipfile(found):
            return zip_contents(found)
        if tarfile.is_tarfile(found):
            return tar_contents(found)
        with found.open("rb") as file:
            format = format_of(file.read(BEGINNING))
    except OSError as error:
        raise SparringError(f"cannot open {found} ({error.strerror}): make it a file that you may read") from error
    raise SparringError(_no_data(found, format))


def _no_data(path: Path, format: str) -> str:
    if format:
        return f"{path} is one image: name the folder that it lies in"
    kind = NOT_READ.get(ending(path.name))
    if kind:
        return f"{path} is {kind}, which is not read: save its images as files in a folder, or as an .npz array"
    if ending(path.name) in ("csv", "tsv"):
        return (
            f"{path} is a table, not images: as numbers it is table(path=...); of classes of images, name the folder "
            "that it describes"
        )
    if ending(path.name) in ("gz", "bz2", "xz") and ending(path.name.rpartition(".")[0]) != "tar":
        return f"{path} is one compressed file, no archive of images: unpack it first"
    if path.name.lower().endswith((".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz")):
        return f"{path} is no archive that can be read: copy or pack it again"
    return f"{path} is a file: {NAME_IT}"
