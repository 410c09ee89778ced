"""The parts of an item that a program gives: an example and its label, as arrays."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence, Sized
from typing import Any, cast

import numpy as np

from sparring.errors import UsageError, in_one_line

EXAMPLES = ("image", "images", "img", "pixel_values", "x", "data", "example", "input", "inputs", "features")
LABELS = ("label", "labels", "y", "target", "targets", "class", "classes")
"""Keys of a dictionary under which an example and its label are found."""


def parted(item: Any, is_batch: bool = False) -> tuple[Any, Any, int]:
    """An item or a batch as its example and its label, and how many parts it has; the label is None where there is
    none."""
    if isinstance(item, Mapping):
        found = cast(Mapping[str, Any], item)
        key = next((each for each in EXAMPLES if each in found), None)
        if key is None:
            raise UsageError(f"no example in a dictionary of {', '.join(map(str, found))}: call it 'image' or 'x'")
        return found[key], next((found[each] for each in LABELS if each in found), None), 2
    parts: Sequence[Any] = cast(Sequence[Any], item) if isinstance(item, tuple | list) else []
    if not holds_arrays(parts) or (not is_batch and _is_example(parts)):
        return item, None, 1
    return parts[0], parts[1] if len(parts) > 1 else None, len(parts)


def _is_example(parts: Sequence[Any]) -> bool:
    """Whether several things are one example together, as the rows of an image or the numbers of a row, rather than an
    example, its label and what else there is of it."""
    first, two = parts[0], len(parts) == 2
    if isinstance(first, np.generic):
        # A row of a table has numbers of one type; (0.5, 3) is a number and its class.
        return not (two and first.dtype.kind == "f" and not _is_fraction(parts[1]))
    try:
        if isinstance(first, tuple | list):
            array = np.asarray(parts)
            is_pair = two and (isinstance(parts, tuple) or _is_one_hot(array[1]))
            return array.dtype.kind in "biuf" and array.ndim > 1 and not is_pair
        if two or not isinstance(parts, list):
            return False
        shapes = {np.shape(each) for each in parts}
    except (ValueError, TypeError, RuntimeError):
        return False  # of unlike shapes, or no numbers
    return is_array(first) and len(shapes) == 1 and shapes != {()}


def _is_fraction(value: Any) -> bool:
    return isinstance(value, float | np.floating)


def _is_one_hot(values: np.ndarray) -> bool:
    return values.ndim == 1 and sorted(values.tolist()) == [0] * (len(values) - 1) + [1]


def as_array(value: Any) -> np.ndarray:
    """Any array, tensor, image or number as an array of numbers. Raises UsageError for what is none."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return np.asarray(value.float() if value.dtype == torch.bfloat16 else value)
    try:
        if is_image(value):
            from sparring.datasets.files.pixels import in_levels

            value = in_levels(value)
        array = np.asarray(value)
    except Exception as error:
        raise UsageError(f"examples must be numbers: {in_one_line(error)}") from error
    if array.dtype.kind not in "biuf":
        of = "text" if array.dtype.kind in "US" else f"{type(value).__name__} of {array.dtype}"
        mend = ": keep its columns of numbers, select_dtypes('number')" if type(value).__name__ == "DataFrame" else ""
        raise UsageError(f"examples must be numbers, not {of}{mend}")
    return array


def is_image(value: Any) -> bool:
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(value, pillow.Image)


def is_array(value: Any) -> bool:
    """Whether it is an array of examples: NumPy's, torch's, or of any library that NumPy can read (a data frame)."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return True
    return isinstance(value, np.ndarray) or (isinstance(value, Sized) and callable(getattr(value, "__array__", None)))


def holds_arrays(items: Sequence[Any]) -> bool:
    """Whether the first of several things is an array, an image, or again several things."""
    if not len(items):
        return False
    first = items[0]
    read_by_numpy = getattr(first, "__array__", None) or getattr(first, "__array_interface__", None)
    return isinstance(first, tuple | list | Mapping) or read_by_numpy is not None
