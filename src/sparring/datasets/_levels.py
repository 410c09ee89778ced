"""Examples as they are kept in memory: images as 8-bit levels, whatever range they came in, or float32 numbers."""

from __future__ import annotations

from typing import Literal

import numpy as np

from sparring.errors import UsageError

Range = tuple[float, float]

SLACK = 1e-3
"""By how much values may exceed a range, by rounding."""
UNIT, SIGNED, BYTES = (0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)
ROUNDED = 0.05
"""Share of a level from which on rounding to whole levels is mentioned."""
CHANNELS = (1, 3, 4)
MIN_GRAY_SIDE = 4
"""Arrays of three dimensions whose sides are shorter are no images."""
MAX_SHARE = 0.8
"""Share of the free memory that examples may take."""


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
        """The range whose 8-bit levels the pieces are; None while they are fractions."""
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
            self._levels = self._range() if self._are_images(piece) else None
        elif self._levels is not None and self._range() != self._levels:
            self._pieces = [_from_levels(each, self._levels) for each in self._pieces]
            self._levels = None
        self._pieces.append(self._kept(piece))
        self.count += len(piece)
        self.nbytes += self._pieces[-1].nbytes

    def check_memory(self, piece: np.ndarray, count: int) -> None:
        """Raises UsageError where so many examples like these would not fit, before they are read."""
        from sparring.datasets.files.memory import as_size, available_memory

        each = int(np.prod(piece.shape[1:])) * (1 if piece.ndim > 2 else 4)
        free = available_memory()
        if each * count > MAX_SHARE * free:
            fit = int(MAX_SHARE * free / each)
            raise UsageError(
                f"{count:,} examples of {piece.shape[1:]} need {as_size(each * count)} of memory, of which "
                f"{as_size(free)} are free: give at most {fit:,} (torch.utils.data.Subset), or smaller ones"
            )

    def finished(self) -> tuple[np.ndarray, Range, tuple[str, ...]]:
        """All examples, `(N, C, H, W)` uint8 or `(N, ...)` float32, the range they came in, and notes."""
        if not self._pieces:
            raise UsageError("there is no example")
        array = self._pieces[0] if len(self._pieces) == 1 else np.concatenate(self._pieces)
        self._pieces = []
        if self.sorts:
            self.order = np.argsort([row.tobytes() for row in array.reshape(len(array), -1)], kind="stable")
            array = array[self.order]
        if self.kind == "images" and array.ndim not in (3, 4):
            raise UsageError(f"images are (N, H, W), (N, C, H, W) or (N, H, W, C), not {array.shape}")
        if not self._are_images(array):
            return self._numbers(array)
        notes: list[str] = []
        span = self._range()
        if self._levels is None:
            array, self._rounded = _to_levels(array, span)
        if self._rounded > ROUNDED:
            notes.append(f"images are kept in 256 levels, from {span[0]:g} to {span[1]:g}")
        if array.ndim == 3:
            array = array[:, None]
            notes.append(f"arrays of {array.shape[2:]} are gray images; kind='numbers' takes them as they are")
        elif array.shape[-1] in CHANNELS and array.shape[1] not in (*CHANNELS, 2):
            array = np.ascontiguousarray(array.transpose(0, 3, 1, 2))
            notes.append("channels came last and are first now, as networks take them")
        return array, UNIT if self._dtype.kind in "iub" else span, tuple(notes)

    def _numbers(self, array: np.ndarray) -> tuple[np.ndarray, Range, tuple[str, ...]]:
        if array.ndim > 4:
            raise UsageError(f"examples have up to three dimensions, not {array.ndim - 1}: {array.shape[1:]}")
        array = array.astype(np.float32)
        if array.ndim == 1:
            return array[:, None], UNIT, ()
        side = int(array.shape[1] ** 0.5)
        flat = array.ndim == 2 and side >= 8 and side**2 == array.shape[1] and self._range() in (UNIT, SIGNED, BYTES)
        note = f"examples are vectors of {side**2} numbers; reshape(-1, 1, {side}, {side}) makes them images"
        return array, UNIT, (note,) if flat else ()

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
        if self._low >= -1 - SLACK and self._high <= 1 + SLACK:
            return SIGNED
        if self._low >= 0 and self._high <= 255 and self._whole:
            return BYTES
        return self._low, self._high if self._high > self._low else self._low + 1

    def _are_images(self, array: np.ndarray) -> bool:
        if self.kind != "auto" or array.ndim not in (3, 4):
            return self.kind == "images" and array.ndim in (3, 4)
        usual = self._range() in (UNIT, SIGNED, BYTES)
        return array.ndim == 4 or (min(array.shape[1:]) >= MIN_GRAY_SIDE and usual)

    def _kept(self, piece: np.ndarray) -> np.ndarray:
        """A copy, as levels where the pieces are levels."""
        if self._levels is None:
            return piece.astype(np.float32)
        levels, rounded = _to_levels(piece, self._levels)
        self._rounded = max(self._rounded, rounded)
        return levels


def _to_levels(values: np.ndarray, span: Range) -> tuple[np.ndarray, float]:
    """8-bit levels of values in a range, and by how much of a level the farthest was rounded."""
    if values.dtype == np.uint8 and span == BYTES:
        return values.copy(), 0.0
    exact = (values.astype(np.float32) - span[0]) * (255 / (span[1] - span[0]))
    levels = np.rint(exact)
    return levels.clip(0, 255).astype(np.uint8), float(np.abs(exact - levels).max())


def _from_levels(levels: np.ndarray, span: Range) -> np.ndarray:
    return levels.astype(np.float32) * ((span[1] - span[0]) / 255) + span[0]
