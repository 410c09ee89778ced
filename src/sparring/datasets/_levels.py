"""Examples as they are kept in memory: images as 8-bit levels, whatever range they came in, or float32 numbers."""

from __future__ import annotations

from typing import Literal

import numpy as np

from sparring.errors import UsageError

Range = tuple[float, float]

SLACK = 1e-3
"""By how much values may exceed a range, by rounding."""
NEAR = 0.5
"""By how much resampling may exceed [0, 1]: images whose lowest value is above -NEAR are not in [-1, 1]."""
UNIT, SIGNED, BYTES = (0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)
ROUNDED = 0.05
"""Share of a level from which on rounding to whole levels is mentioned."""
CHANNELS = (1, 3, 4)
LAST = (*CHANNELS, 2)
"""Channels that may come last; two, such as gray with alpha, do not come first where a side is as short."""
MIN_GRAY_SIDE = 4
"""Arrays of three dimensions whose sides are shorter are no images."""
SIDE = 8
"""Sides from which on numbers that are no images may have been meant as some, which is said."""
MAX_SHARE = 0.8
"""Share of the free memory that examples may take."""
COARSE = 1e-4
"""Share of a column's range by which float32 may round its numbers; of timestamps it would leave a few."""
MAX_NUMBER = float(np.finfo(np.float32).max)
AT_ONCE = 1_024
"""Examples that are rounded at a time, to save memory."""


class Gathered:
    """Examples that come in pieces `(n, ...)`, as one array in the end.

    Args:
        kind: `images`, `numbers`, or `auto`: then arrays of four dimensions are images, and those of three are gray
            images if their values are those of images.
    """

    def __init__(self, kind: Literal["auto", "images", "numbers"]):
        self.kind = kind
        self.sorts = False
        """Whether the examples are put in an order that depends on nothing but themselves."""
        self.order: np.ndarray | None = None
        """The index that each of them had when it came, if so."""
        self.count, self.nbytes = 0, 0
        self._pieces: list[np.ndarray] = []
        self._levels: Range | None = None
        """The range whose 8-bit levels the pieces are; None while they are kept as they came."""
        self._low, self._high = np.inf, -np.inf
        self._whole = True
        self._rounded = 0.0

    def add(self, piece: np.ndarray) -> None:
        """Add some examples. Raises UsageError for what are no numbers, or of another shape than those before."""
        if piece.ndim == 0 or not piece.size:
            raise UsageError(f"there is no example in an array of shape {piece.shape}")
        if self._pieces and piece.shape[1:] != self._pieces[0].shape[1:]:
            raise UsageError(
                f"examples differ in shape: {self._pieces[0].shape[1:]} and {piece.shape[1:]}; give them one size"
            )
        self._look_at(piece)
        if self.count == 0:
            # Whether examples of two dimensions are images, only the range of all of them says.
            known = self.kind == "images" or piece.ndim == 4
            usual = self._range() in (UNIT, SIGNED, BYTES)  # others show in all of the examples only
            self._levels = self._range() if known and usual and self._are_images(piece) else None
        elif self._levels is not None and self._range() != self._levels:
            self._pieces = [_from_levels(each, self._levels) for each in self._pieces]
            self._levels = None
        self._pieces.append(self._kept(piece))
        self.count += len(piece)
        self.nbytes += self._pieces[-1].nbytes

    def check_memory(self, piece: np.ndarray, count: int) -> None:
        """Raises UsageError where so many examples like these would not fit, before they are read."""
        from sparring.datasets.files.memory import as_size, available_memory

        levels = self.kind != "numbers" and (piece.ndim == 4 or (piece.ndim == 3 and self.kind == "images"))
        each = int(np.prod(piece.shape[1:])) * (1 if levels else piece.itemsize)
        free = available_memory()
        if each * count > MAX_SHARE * free:
            fit = int(MAX_SHARE * free / each)
            raise UsageError(
                f"{count:,} examples of {piece.shape[1:]} need {as_size(each * count)} of memory, of which "
                f"{as_size(free)} are free: give at most {fit:,} (torch.utils.data.Subset), or smaller ones"
            )

    def finished(self) -> tuple[np.ndarray, Range, tuple[str, ...]]:
        """All examples, `(N, C, H, W)` uint8 or `(N, ...)` of fractions, the range they came in, and notes."""
        if not self._pieces:
            raise UsageError("there is no example")
        array = self._pieces[0] if len(self._pieces) == 1 else np.concatenate(self._pieces)
        self._pieces = []
        self._check_size(array)
        if self.kind == "images" and array.ndim not in (3, 4):
            raise UsageError(f"images are (N, H, W), (N, C, H, W) or (N, H, W, C), not {array.shape}")
        if not self._are_images(array):
            return self._numbers(array)
        notes: list[str] = []
        span = self._range()
        if self._levels is None:
            array, self._rounded = _to_levels(array, span)
        array = self._sorted(array)
        if span not in (UNIT, SIGNED, BYTES) and span[0] > -NEAR and span[1] < 1 + NEAR:
            notes.append(
                f"values from {span[0]:g} to {span[1]:g} are taken for black and white; np.clip(images, 0, 1) makes "
                "these 0 and 1"
            )
        if self._dtype.kind in "iu" and span not in (UNIT, BYTES, self._levels_of_type()):
            notes.append(
                f"levels {span[0]:,.0f} to {span[1]:,.0f} became black and white: networks and samples have shares of "
                "this range"
            )
        if self._rounded > ROUNDED:
            notes.append(f"images are kept in 256 levels, from {span[0]:g} to {span[1]:g}")
        if array.ndim == 3:
            array = array[:, None]
            notes.append(f"arrays of {array.shape[2:]} are gray images; kind='numbers' takes them as they are")
        elif array.shape[-1] in LAST and array.shape[1] not in LAST:
            array = np.ascontiguousarray(array.transpose(0, 3, 1, 2))
            notes.append("channels came last and are first now, as networks take them")
        return array, UNIT if self._dtype.kind in "iub" else span, tuple(notes)

    def _numbers(self, array: np.ndarray) -> tuple[np.ndarray, Range, tuple[str, ...]]:
        if array.ndim > 4:
            raise UsageError(f"examples have up to three dimensions, not {array.ndim - 1}: {array.shape[1:]}")
        array = self._sorted(_as_fractions(array))
        if array.ndim == 1:
            return array[:, None], UNIT, ()
        side = int(array.shape[1] ** 0.5)
        flat = array.ndim == 2 and side >= SIDE and side**2 == array.shape[1] and self._range() in (UNIT, SIGNED, BYTES)
        note = f"examples are vectors of {side**2} numbers; reshape(-1, 1, {side}, {side}) makes them images"
        if array.ndim == 3 and self.kind == "auto" and min(array.shape[1:]) >= SIDE and _is_broad(array.shape[1:]):
            note = (
                f"arrays of {array.shape[1:]} are taken for signals, as their values, {self._low:g} to "
                f"{self._high:g}, are in no range of images; kind='images' makes them gray images"
            )
            return array, UNIT, (note,)
        return array, UNIT, (note,) if flat else ()

    def _levels_of_type(self) -> Range:
        limits = np.iinfo(self._dtype)
        return float(limits.min), float(limits.max)

    def _sorted(self, array: np.ndarray) -> np.ndarray:
        if not self.sorts:
            return array
        self.order = np.argsort([row.tobytes() for row in array.reshape(len(array), -1)], kind="stable")
        return array[self.order]

    def _check_size(self, array: np.ndarray) -> None:
        """Raises UsageError for numbers that float32, in which networks get them, cannot hold."""
        if max(-self._low, self._high) > MAX_NUMBER:
            index = int((np.abs(array.reshape(len(array), -1)) > MAX_NUMBER).any(1).argmax())
            raise UsageError(f"example {index} has a number beyond {MAX_NUMBER:.2g}, the largest of float32: scale it")

    def _look_at(self, piece: np.ndarray) -> None:
        """Remember the range of the values. Raises UsageError for one that is not finite."""
        if piece.dtype.kind == "f" and not np.isfinite(piece).all():
            index = int((~np.isfinite(piece).reshape(len(piece), -1).all(1)).argmax())
            raise UsageError(f"example {self.count + index} has values that are no numbers (NaN or infinite)")
        self._dtype = piece.dtype
        self._low, self._high = min(self._low, float(piece.min())), max(self._high, float(piece.max()))
        if self._whole and piece.dtype.kind == "f":
            self._whole = bool((piece == np.round(piece)).all())

    def _range(self) -> Range:
        """The usual range that the values so far lie in, or else their own."""
        if self._low >= -SLACK and self._high <= 1 + SLACK:
            return UNIT
        if self._dtype.kind in "iu" and self._low >= 0 and self._high <= 255:
            return BYTES
        if self._low >= -1 - SLACK and self._high <= 1 + SLACK and self._low <= -NEAR:
            return SIGNED
        if self._low >= 0 and self._high <= 255 and self._whole:
            return BYTES
        return self._low, self._high if self._high > self._low else self._low + 1

    def _are_images(self, array: np.ndarray) -> bool:
        if self.kind != "auto" or array.ndim not in (3, 4):
            return self.kind == "images" and array.ndim in (3, 4)
        usual = (self._low >= -1 - SLACK and self._high <= 1 + SLACK) or self._range() == BYTES
        return array.ndim == 4 or (min(array.shape[1:]) >= MIN_GRAY_SIDE and usual)

    def _kept(self, piece: np.ndarray) -> np.ndarray:
        """A copy, as levels where the pieces are levels."""
        if self._levels is None:
            return piece.copy()
        levels, rounded = _to_levels(piece, self._levels)
        self._rounded = max(self._rounded, rounded)
        return levels


def _is_broad(sides: tuple[int, ...]) -> bool:
    """Whether two sides are as those of images, and not as the few channels of a long signal."""
    return max(sides) <= 2 * min(sides)


def _to_levels(values: np.ndarray, span: Range) -> tuple[np.ndarray, float]:
    """8-bit levels of values in a range, and by how much of a level the farthest was rounded."""
    if values.dtype == np.uint8 and span == BYTES:
        return values.copy(), 0.0
    made, farthest = np.empty(values.shape, np.uint8), 0.0
    for start in range(0, len(values), AT_ONCE):
        block = slice(start, start + AT_ONCE)
        exact = (values[block].astype(np.float32) - span[0]) * (255 / (span[1] - span[0]))
        levels = np.rint(exact)
        made[block] = levels.clip(0, 255)
        farthest = max(farthest, float(np.abs(exact - levels).max()))
    return made, farthest


def _from_levels(levels: np.ndarray, span: Range) -> np.ndarray:
    return levels.astype(np.float32) * ((span[1] - span[0]) / 255) + span[0]


def _as_fractions(array: np.ndarray) -> np.ndarray:
    """Numbers as float32; as float64 where that would round those of a column to few."""
    if np.can_cast(array.dtype, np.float32, "safe"):
        return array.astype(np.float32)
    rounded = array.astype(np.float32)
    by_column = array.reshape(len(array), -1) if array.ndim <= 2 else array.reshape(-1, 1)
    off = np.zeros(by_column.shape[1])
    at_once = max(1, AT_ONCE * AT_ONCE // by_column.shape[1])
    for start in range(0, len(by_column), at_once):
        block = slice(start, start + at_once)
        exact = by_column[block].astype(np.float64)
        off = np.maximum(off, np.abs(exact - rounded.reshape(by_column.shape)[block]).max(0))
    reach = by_column.max(0).astype(np.float64) - by_column.min(0)
    return array.astype(np.float64) if (off > COARSE * reach)[reach > 0].any() else rounded
