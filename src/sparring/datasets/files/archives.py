"""Zip and tar archives, read without unpacking them to the disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import stat
import tarfile
import tempfile
import threading
import weakref
import zipfile
import zlib
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO, cast

from sparring.datasets.files.contents import Contents, Entry, is_hidden, sorted_out
from sparring.datasets.files.formats import BrokenError
from sparring.errors import SparringError

PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
"""The first bytes of compressed files, and what reads them."""
ENCRYPTED = 0x1
"""Flag bit of an entry of a zip archive."""
NAMED_IN_UTF8 = 0x800
"""Flag bit: without it, no more is known of a name than its bytes."""
UNIX = 3
"""The system that an entry says it comes from."""
DAMAGES = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)
"""What a damaged archive raises, or one packed in a way that Python does not know; and OSError."""
SAME_PATH = "has the path of another file, but for `..`"


def zip_contents(path: Path) -> Contents:
    """The files in a zip archive. Raises SparringError for one that cannot be read."""
    try:
        archive = zipfile.ZipFile(path)
    except (*DAMAGES, OSError) as error:
        raise damaged(path, "zip", error) from error
    entries, broken, members = list[Entry](), dict[str, str](), dict[str, zipfile.ZipInfo]()
    for member in archive.infolist():
        name = _zip_name(member)
        if member.is_dir() or is_hidden(name):
            continue
        if member.flag_bits & ENCRYPTED:
            broken[name] = "is encrypted"
        elif stat.S_ISLNK(member.external_attr >> 16):
            broken[name] = "is a link inside an archive"
        elif name in members and _differ_in_dots(member.filename, members[name].filename):
            broken[member.filename] = SAME_PATH
        else:
            members[name] = member
    entries = [Entry(name, member.file_size, member.CRC) for name, member in members.items()]

    def open_member(name: str) -> AbstractContextManager[IO[bytes]]:
        try:
            return io.BytesIO(archive.read(members[name]))
        except (*DAMAGES, RuntimeError) as error:
            raise BrokenError(f"is damaged in the archive ({error})") from error

    return sorted_out(path, "zip archive", entries, broken, open_member)


def tar_contents(path: Path) -> Contents:
    """The files in a tar archive; a compressed one is unpacked into a temporary file first.

    Raises SparringError for one that cannot be read.
    """
    try:
        plain = None if _is_plain_tar(path) else _unpacked(path)
        with tarfile.open(path, "r:") if plain is None else tarfile.open(fileobj=plain, mode="r:") as archive:
            listed = archive.getmembers()
    except (*DAMAGES, OSError) as error:
        raise damaged(path, "tar", error) from error
    broken, members = dict[str, str](), dict[str, tarfile.TarInfo]()
    for member in listed:
        name = _clean(member.name)
        if member.isdir() or is_hidden(name):
            continue
        if member.isfile() and name in members and _differ_in_dots(member.name, members[name].name):
            broken[member.name] = SAME_PATH
        elif member.isfile():
            members[name] = member
        else:
            broken[name] = "is a link inside an archive" if member.islnk() or member.issym() else "is no file"
    entries = [Entry(name, member.size, int(member.mtime)) for name, member in members.items()]
    reading = threading.Lock()  # a file has one position

    def open_member(name: str) -> AbstractContextManager[IO[bytes]]:
        start, length = members[name].offset_data, members[name].size
        if plain is None:
            with path.open("rb") as file:
                return _part(file, start, length)
        with reading:
            return _part(plain, start, length)

    if plain is not None:
        weakref.finalize(open_member, plain.close)
    return sorted_out(path, "tar archive", entries, broken, open_member)


def damaged(path: Path, kind: str, error: Exception) -> SparringError:
    """The error for an archive that cannot be read."""
    return SparringError(f"{path} is no {kind} archive that can be read ({error}): copy or pack it again")


def _part(file: IO[bytes], start: int, length: int) -> IO[bytes]:
    file.seek(start)
    return io.BytesIO(file.read(length))


def _is_plain_tar(path: Path) -> bool:
    try:
        with tarfile.open(path, "r:"):
            return True
    except tarfile.ReadError:
        return False


def _unpacked(path: Path) -> IO[bytes]:
    """The tar archive in a compressed one."""
    with path.open("rb") as file:
        beginning = file.read(6)
    opener = next((opener for magic, opener in PACKED.items() if beginning.startswith(magic)), gzip.open)
    plain = tempfile.TemporaryFile()  # noqa: SIM115 - it is read until the contents are dropped
    with opener(path, "rb") as packed:
        shutil.copyfileobj(cast(IO[bytes], packed), plain)
    plain.seek(0)
    return plain


def _zip_name(member: zipfile.ZipInfo) -> str:
    """A member's path. Where it does not say how it is encoded, Python takes it for code page 437.

    Unix and macOS write UTF-8 then, and Chinese Windows GBK. Accents of code page 437 are no pairs of GB 2312.
    """
    name = member.filename
    if not member.flag_bits & NAMED_IN_UTF8 and not name.isascii():
        raw = name.encode("cp437")
        for encoding in ("utf-8", "gb2312") if member.create_system == UNIX else ("gb2312", "utf-8"):
            with suppress(UnicodeDecodeError):
                name = raw.decode(encoding)
                break
    return _clean(name.replace("\\", "/"))


def _differ_in_dots(one: str, other: str) -> bool:
    """Whether names of one path are two files: a name that comes again is a newer copy."""
    return one != other and ".." in f"{one}/{other}".replace("\\", "/").split("/")


def _clean(name: str) -> str:
    """A path inside without what says nothing: `./a//b` is `a/b`, and so is `../a/c/../b`, as nothing is unpacked."""
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
