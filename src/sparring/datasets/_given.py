"""Reads examples out of what a program has: arrays, tensors, lists, torch's Dataset and DataLoader."""

from __future__ import annotations

import random
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager, nullcontext
from itertools import chain
from typing import Any, Literal, cast

import numpy as np

from sparring.datasets._levels import Gathered
from sparring.datasets._stored import Stored, keep
from sparring.errors import SparringError, UsageError, in_one_line
from sparring.fields import described

MAX_STREAMED = 100_000
"""Examples that are read of a stream that does not say how many it has."""
MAX_STREAMED_BYTES = 2 * 10**9
"""Bytes that they may take."""
AT_ONCE = 256
"""Examples that are taken at a time."""
NAMED = 10
"""Labels that a note lists by name; it counts the others."""
EXAMPLES = ("image", "images", "img", "pixel_values", "x", "data", "example", "input", "inputs", "features")
LABELS = ("label", "labels", "y", "target", "targets", "class", "classes")
"""Keys of a dictionary under which an example and its label are found."""


def read_examples(given: Any, labels: Any = None, kind: Literal["auto", "images", "numbers"] = "auto") -> Stored:
    """Read examples into memory.

    Args:
        given: What `InMemory.of` takes.
        labels: The class of each example, where `given` does not have it.
        kind: Whether they are images or plain numbers; `auto` finds out.

    Raises:
        UsageError: They cannot be read; the message says why.
    """
    if labels is None and (pair := _pair(given)):
        given, labels = pair
    gathered, found = Gathered(kind), list[Any]()
    notes: list[str] = []
    if _is_array(given):
        gathered.add(_as_array(given))
    else:
        found = _gather(given, gathered, notes)
    array, span, more_notes = gathered.finished()
    came_with = found if found and len(found) == len(array) else None
    numbers, classes, note = _as_classes(came_with if labels is None else labels, len(array))
    if numbers is None and note:
        if labels is not None:
            raise UsageError(note)
        note = f"{note}: not used"
    if numbers is not None and gathered.order is not None:
        numbers = numbers[gathered.order]
    return keep(array, numbers, classes, span, (*notes, *more_notes, *([note] if note else [])))


def _pair(given: Any) -> tuple[Any, Any] | None:
    """Examples and their labels, where that is what was given: two arrays of one length, of which one is of labels."""
    if not isinstance(given, tuple | list) or len(cast(Sequence[Any], given)) != 2:
        return None
    x, y = cast(Sequence[Any], given)
    if not _is_array(x) or len(x) < 1:
        return None
    if _is_array(y) and len(np.shape(x)) > 1 == len(np.shape(y)) and len(x) != len(y):
        raise UsageError(f"there are {len(y):,} labels for {len(x):,} examples: give one for each")
    return (x, y) if (y is None and isinstance(given, tuple)) or _could_be_labels(y, len(x)) else None


def is_given(value: Any) -> bool:
    """Whether a value is something that examples can be read out of, as far as its type says."""
    if isinstance(value, str | bytes | Mapping | type) or value is None:
        return False
    torch = sys.modules.get("torch")
    if torch is not None:
        if isinstance(value, torch.nn.Module):
            return False
        if isinstance(value, torch.utils.data.DataLoader | torch.utils.data.Dataset):
            return True
    if isinstance(value, tuple | list):
        return _holds_arrays(cast(Sequence[Any], value))
    return _is_array(value) or (isinstance(value, Sized) and _has_items(value))


def _gather(given: Any, gathered: Gathered, notes: list[str]) -> list[Any]:
    """Adds every example; the labels that came with them, in the same order."""
    torch = sys.modules.get("torch")
    with _repeatable():
        if torch is not None and isinstance(given, torch.utils.data.DataLoader):
            return _from_loader(given, gathered, notes)
        if torch is not None and isinstance(given, torch.utils.data.IterableDataset):
            return _add_all(_one_by_one(given), None, type(given).__name__, gathered, notes)
        if isinstance(given, Sized) and _has_items(given):
            count, by_index = len(given), cast(Any, given)
            items = (by_index[index] for index in range(count))
            labels = _add_all(_one_by_one(items), count, type(given).__name__, gathered, notes)
            if not _is_same(by_index[0], by_index[0]):
                notes.append("its transforms are random, and every example is kept as it came the first time")
            return labels
    raise UsageError(
        f"no examples can be read out of {described(given)}: give an array, a tensor, a torch Dataset or a DataLoader"
    )


def _from_loader(loader: Any, gathered: Gathered, notes: list[str]) -> list[Any]:
    from torch.utils.data import DataLoader, IterableDataset, RandomSampler, SequentialSampler

    dataset, in_batches = loader.dataset, loader.batch_sampler is not None
    name, items = f"the DataLoader of {type(dataset).__name__}", _batches if in_batches else _one_by_one
    if isinstance(dataset, IterableDataset):
        return _add_all(_batches(loader) if loader.batch_size else items(loader), None, name, gathered, notes)
    if type(loader.sampler) in (RandomSampler, SequentialSampler) and loader.batch_size is not None:
        # Its own order is random; that of the data set is the same each time, and nothing is dropped.
        workers, collate = loader.num_workers, loader.collate_fn
        ordered = DataLoader(dataset, AT_ONCE, shuffle=False, num_workers=workers, collate_fn=collate)
        notes.append(f"its batches of {loader.batch_size} are not used: the recipe says how many examples a batch has")
        return _add_all(_batches(ordered), len(dataset), name, gathered, notes)
    gathered.sorts = True  # what a sampler chooses comes in another order each time
    sampler = loader.batch_sampler if in_batches and loader.batch_size is None else loader.sampler
    notes.append(f"examples are drawn shuffled, not by the {type(sampler).__name__} of {name}")
    return _add_all(items(loader), None, name, gathered, notes)


@contextmanager
def _repeatable() -> Generator[None]:
    """Random transforms give the same each time, and the program's own random numbers stay as they are."""
    torch = sys.modules.get("torch")
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - the program's own, which is restored
    with torch.random.fork_rng(devices=[]) if torch is not None else nullcontext():
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        if torch is not None:
            torch.manual_seed(0)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002


Pieces = Iterator[tuple[np.ndarray, list[Any]]]
"""Several examples `(n, ...)` at a time, with the labels that came with them, or none."""


def _batches(batches: Iterable[Any]) -> Pieces:
    for batch in batches:
        x, labels = _parted(batch)
        yield _as_array(x), [] if labels is None else list(np.atleast_1d(_as_array(labels)))


def _one_by_one(items: Iterable[Any]) -> Pieces:
    examples: list[np.ndarray] = []
    labels: list[Any] = []
    for item in items:
        x, label = _parted(item)
        examples.append(_as_array(x))
        if examples[-1].shape != examples[0].shape:
            same_size = _is_image(x) and examples[-1].shape[:2] == examples[0].shape[:2]
            mend = "convert them to one mode, such as image.convert('RGB')" if same_size else "give them one size"
            raise UsageError(
                f"examples differ in shape: the first is {examples[0].shape}, another {examples[-1].shape}; {mend}"
            )
        labels += [] if label is None else [label]
        if len(examples) == AT_ONCE:
            yield np.stack(examples), labels
            examples, labels = examples[:0], []
    if examples:
        yield np.stack(examples), labels


def _add_all(pieces: Pieces, count: int | None, name: str, gathered: Gathered, notes: list[str]) -> list[Any]:
    """Adds what comes, up to the limits where nobody knows how much there is. The labels that came with it."""
    from sparring.progress import progress

    labels: list[Any] = []
    if count == 0:
        raise UsageError(f"there is no example in {name}")
    try:
        first = next(pieces, None)
        if first is None:
            raise UsageError(f"there is no example in {name}")
        if count is not None:
            gathered.check_memory(first[0], count)
        showing = progress(f"reading {count:,} examples of {name}", count) if count and count > AT_ONCE else None
        with showing or nullcontext(lambda done: None) as advance:
            for x, some in chain([first], pieces):
                gathered.add(x)
                labels += some
                advance(gathered.count)
                if count is None and (gathered.count >= MAX_STREAMED or gathered.nbytes >= MAX_STREAMED_BYTES):
                    notes.append(f"{name} does not say where it ends: its first {gathered.count:,} examples are used")
                    break
    except SparringError:
        raise
    except Exception as error:
        raise UsageError(f"{name} fails after {gathered.count:,} examples: {in_one_line(error)}") from error
    return labels


def _parted(item: Any) -> tuple[Any, Any]:
    """An item or a batch as its example and its label; the label is None where there is none."""
    if isinstance(item, Mapping):
        found = cast(Mapping[str, Any], item)
        key = next((each for each in EXAMPLES if each in found), None)
        if key is None:
            raise UsageError(f"no example in a dictionary of {', '.join(map(str, found))}: call it 'image' or 'x'")
        return found[key], next((found[each] for each in LABELS if each in found), None)
    if isinstance(item, tuple | list) and _holds_arrays(parts := cast(Sequence[Any], item)):
        return parts[0], parts[1] if len(parts) > 1 else None
    return item, None


def _is_same(one: Any, other: Any) -> bool:
    """Whether an example that was read twice is the same."""
    return np.array_equal(_as_array(_parted(one)[0]), _as_array(_parted(other)[0]))


def _as_array(value: Any) -> np.ndarray:
    """Any array, tensor, image or number as an array of numbers. Raises UsageError for what is none."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return np.asarray(value.float() if value.dtype == torch.bfloat16 else value)
    try:
        if _is_image(value):
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


def _is_image(value: Any) -> bool:
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(value, pillow.Image)


def _is_array(value: Any) -> bool:
    """Whether it is an array of examples: NumPy's, torch's, or of any library that NumPy can read (a data frame)."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return True
    return isinstance(value, np.ndarray) or (isinstance(value, Sized) and callable(getattr(value, "__array__", None)))


def _holds_arrays(items: Sequence[Any]) -> bool:
    """Whether the first of several things is an array, an image, or again several things."""
    if not len(items):
        return False
    first = items[0]
    as_array = getattr(first, "__array__", None) or getattr(first, "__array_interface__", None)
    return isinstance(first, tuple | list | Mapping) or as_array is not None


def _has_items(value: Any) -> bool:
    return callable(getattr(type(value), "__getitem__", None))


def _could_be_labels(value: Any, count: int) -> bool:
    try:
        array = np.asarray(_as_array(value) if _is_array(value) else value)
    except (UsageError, ValueError, TypeError):
        return False
    return array.ndim in (1, 2) and len(array) == count and array.shape[1:] != (1, 1)


def _as_classes(labels: Any, count: int) -> tuple[np.ndarray | None, int, str]:
    """Labels as int64 `(N,)`, the number of classes, and a note where they are not used or have names."""
    if labels is None:
        return None, 0, ""
    try:
        array = np.squeeze(_as_array(labels)) if _is_array(labels) else np.asarray([_plain(each) for each in labels])
    except (UsageError, ValueError, TypeError):
        return None, 0, "what comes with the examples is no class of them"
    if array.ndim == 2 and len(array) == count and np.isin(array, (0, 1)).all() and (array.sum(1) == 1).all():
        array = array.argmax(1)
    if array.dtype.kind not in "biufUS":
        return None, 0, "what comes with the examples is no class of them"
    if array.ndim != 1 or len(array) != count:
        return None, 0, f"labels of shape {array.shape} do not go with {count:,} examples"
    values, numbers = np.unique(array, return_inverse=True)
    if array.dtype.kind not in "US":
        if not (np.isfinite(values) & (values == np.floor(values))).all():
            return None, 0, "labels that are fractions are no classes"
        if values[0] < 0:
            return None, 0, "labels below 0 are no classes"
        # Classes that no example has would be asked for in samples all the same.
        values = values.astype(np.int64)
    named = ", ".join(map(str, values[:NAMED])) + (f" and {len(values) - NAMED:,} more" if len(values) > NAMED else "")
    note = "" if np.array_equal(values, np.arange(len(values))) else f"classes in order: {named}"
    return numbers.astype(np.int64), len(values), note


def _plain(label: Any) -> Any:
    """A label as Python's own value."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(label, torch.Tensor):
        return label.detach().cpu().numpy()
    return label
