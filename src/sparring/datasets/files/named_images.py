"""Which image a file of labels means by the path that it gives, and what to say where that is in doubt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from sparring.datasets.files.contents import shown, some


class Found(NamedTuple):
    """An image that a path may mean."""

    image: str
    exact: bool
    """Whether the path has its ending."""
    way: str
    """How far it agrees: WHOLE, END or OTHER."""
    shares_folder: bool
    """Whether the path, or the folder of the file that gives it, says the folder that the image lies in."""


WHOLE, END, OTHER = "whole", "end", "other"
"""The path has the image's whole path; only the end of it; or its last part alone, after other folders."""


class Finder:
    """Finds the image that a file of labels means.

    Args:
        names: Those of the images, also of broken ones: what is meant by their names is no other image.
        readable: Those of the images that can be read.
    """

    def __init__(self, names: Sequence[str], readable: Collection[str]):
        self._names = frozenset(names)
        self.readable = frozenset(readable)
        self._by_last: dict[str, list[str]] = defaultdict(list)
        for name in names:
            self._by_last[name.rpartition("/")[2]].append(name)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for last, names in self._by_last.items():
            found[_stem(last)] += names
        return found

    def find(self, text: str, folder: str = "") -> Found | None:
        """The image, named by its path from `folder` or from the top, or by the end of its path where only one fits;
        with or without its ending."""
        found = self.candidates(text, folder)
        return found[0] if len(found) == 1 else None

    def candidates(self, text: str, folder: str = "") -> list[Found]:
        """The image, or the several of which nothing says which is meant."""
        path = _path(text)
        if not path:
            return []
        if f"{folder}{path}" in self._names:
            image = f"{folder}{path}"
            return [Found(image, True, WHOLE, "/" in image)]
        if path in self._names:
            return [self._related(path, path, True, folder)]
        last = path.rpartition("/")[2]
        exact = last in self._by_last
        names = self._by_last[last] if exact else self._by_stem.get(last, [])
        found = [self._related(name, path, exact, folder) for name in names]
        if len(found) > 1:
            # Without endings, a broken image is not meant where one beside it can be read.
            found = _nearest(found)
            good = [each for each in found if each.image in self.readable]
            one_place = len({each.image.rpartition("/")[0] for each in found}) == 1
            found = good if len(good) == 1 and one_place else found
        return found

    def _related(self, name: str, path: str, exact: bool, folder: str) -> Found:
        bare = name if exact else _without_ending(name)
        outside = folder and "/" not in path  # a bare name is one beside the file before it is one at the top
        if bare == f"{folder}{path}" or (f"/{path}".endswith(f"/{bare}") and not outside):
            return Found(name, exact, WHOLE, "/" in name)
        if f"/{bare}".endswith(f"/{path}"):
            return Found(name, exact, END, "/" in path)
        return Found(name, exact, OTHER, False)


def _nearest(found: list[Found]) -> list[Found]:
    """Those of several that agree best with the path; all where none agrees with its folders."""
    whole = [each for each in found if each.way == WHOLE]
    if whole:
        longest = max(len(_without_ending(each.image)) for each in whole)
        return [each for each in whole if len(_without_ending(each.image)) == longest]
    return [each for each in found if each.way == END] or found


def _path(text: str) -> str:
    return text.strip().replace("\\", "/").removeprefix("./").strip("/")


def _stem(last: str) -> str:
    return last.rpartition(".")[0] or last


def _without_ending(name: str) -> str:
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{_stem(last)}"


@dataclass(frozen=True)
class Meant:
    """The images that the rows of a file mean."""

    images: tuple[str | None, ...]
    """Of each row; None where it names none that can be read, or where that is in doubt."""
    notes: tuple[str, ...]
    """What a user should know, a clause each."""


def images_meant(name: str, texts: Sequence[str], finder: Finder, folder: str) -> Meant:
    """The images that the rows of a file mean.

    Where others of its rows give whole paths, a name that is found in another folder only is of an image that is not
    there: the one in the other folder is not labeled by it.

    Args:
        name: That of the file.
        texts: What its rows give as the name of an image.
        finder: Of all images.
        folder: Where the file lies: nothing, or ending in a slash.
    """
    found = [finder.candidates(text, folder) for text in texts]
    sure = [each[0] for each in found if len(each) == 1]
    whole, shares = any(each.way == WHOLE for each in sure), any(each.shares_folder for each in sure)
    images: list[str | None] = []
    absent, several, guessed = dict[str, None](), dict[str, None](), dict[str, None]()
    for text, candidates in zip(texts, found, strict=True):
        image: str | None = None
        if len(candidates) > 1:
            several[text.strip()] = None
        elif candidates and not _is_elsewhere(candidates[0], folder, whole, shares):
            image = candidates[0].image
            if candidates[0].way == OTHER or (whole and candidates[0].way == END and not candidates[0].shares_folder):
                guessed[image] = None
        elif text.strip():
            absent[text.strip()] = None
        images.append(image if image in finder.readable else None)
    notes: list[str] = []
    if absent:
        notes.append(
            f"{shown(name)} names 1 image that is not there{_few(absent)}"
            if len(absent) == 1
            else f"{shown(name)} names {len(absent):,} images that are not there{_few(absent)}"
        )
    if several:
        notes.append(
            f"{shown(name)} has 1 name that fits several images, so it gives none a class{_few(several)}"
            if len(several) == 1
            else f"{shown(name)} has {len(several):,} names that fit several images, so they give none a class"
            f"{_few(several)}"
        )
    if guessed:
        notes.append(
            f"{shown(name)} gives {_images(len(guessed))} another folder than they lie in, or none{_few(guessed)}"
        )
    return Meant(tuple(images), tuple(notes))


def _is_elsewhere(found: Found, folder: str, whole: bool, shares: bool) -> bool:
    """Whether an image lies where the file does not mean it, by how its other rows name theirs."""
    if found.way == OTHER:
        return shares
    return found.way == END and not found.shares_folder and whole and not found.image.startswith(folder)


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _few(names: Collection[str]) -> str:
    return f" ({some(list(names))})"
