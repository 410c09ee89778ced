"""Reads examples out of what a program has: arrays, tensors, lists, torch's Dataset and DataLoader."""

from __future__ import annotations

import random
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager, nullcontext
from itertools import chain
from typing import Any, Literal, cast

import numpy as np

from sparring.datasets._items import as_array, holds_arrays, is_array, is_image, parted
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
    if is_array(given):
        gathered.add(as_array(given))
    else:
        found = _gather(given, gathered, notes)
    array, span, more_notes = gathered.finished()
    came_with = found if found and len(found) == len(array) else None
    if found and labels is None and came_with is None:
        notes.append(f"labels came with {len(found):,} of {len(array):,} examples: not used")
    numbers, classes, note = _as_classes(came_with if labels is None else labels, len(array))
    if numbers is None and note:
        if labels is not None:
            raise UsageError(note)
        note = f"{note}: not used"
    if numbers is not None and gathered.order is not None:
        numbers = numbers[gathered.order]
    return keep(array, numbers, classes, span, (*notes, *more_notes, *([note] if note else [])))


def _pair(given: Any) -> tuple[Any, Any] | None:
    """Examples, an array or a list of arrays or images, and as many labels, where that is what was given."""
    if not isinstance(given, tuple | list) or len(cast(Sequence[Any], given)) != 2:
        return None
    x, y = cast(Sequence[Any], given)
    listed = isinstance(given, tuple) and _are_examples(x) and not _are_parts(y)
    if not (listed or is_array(x)) or len(x) < 1:
        return None
    if is_array(y) and (listed or len(np.shape(x)) > 1) and len(np.shape(y)) == 1 and len(x) != len(y):
        raise UsageError(f"there are {len(y):,} labels for {len(x):,} examples: give one for each")
    return (x, y) if (y is None and isinstance(given, tuple)) or _could_be_labels(y, len(x)) else None


def _are_examples(value: Any) -> bool:
    """Whether it is a list of images or arrays."""
    if not isinstance(value, list) or not value:
        return False
    first = cast(list[Any], value)[0]
    return is_image(first) or (is_array(first) and len(np.shape(first)) > 0)


def _are_parts(value: Any) -> bool:
    """Whether it is no labels, but several things of which each may be an example."""
    if isinstance(value, list | tuple):
        return holds_arrays(cast(Sequence[Any], value))
    return value is not None and not is_array(value)


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
        return holds_arrays(cast(Sequence[Any], value))
    return is_array(value) or (isinstance(value, Sized) and _has_items(value))


def _gather(given: Any, gathered: Gathered, notes: list[str]) -> list[Any]:
    """Adds every example; the labels that came with them, in the same order."""
    torch = sys.modules.get("torch")
    if isinstance(given, Mapping):
        keys = ", ".join(map(str, cast(Mapping[str, Any], given)))
        raise UsageError(f"no examples can be read out of a dictionary of {keys}: give (examples, labels)")
    with _repeatable():
        if torch is not None and isinstance(given, torch.utils.data.DataLoader):
            return _from_loader(given, gathered, notes)
        if torch is not None and isinstance(given, torch.utils.data.IterableDataset):
            return _add_all(_one_by_one(given, gathered, notes), None, type(given).__name__, gathered, notes)
        if isinstance(given, Sized) and _has_items(given):
            count, by_index = len(given), cast(Any, given)
            items = (by_index[index] for index in range(count))
            labels = _add_all(_one_by_one(items, gathered, notes), count, type(given).__name__, gathered, notes)
            if not _is_same(by_index[0], by_index[0]):
                notes.append("its transforms are random, and every example is kept as it came the first time")
            return labels
    raise UsageError(
        f"no examples can be read out of {described(given)}: give an array, a tensor, a torch Dataset or a DataLoader"
    )


def _from_loader(loader: Any, gathered: Gathered, notes: list[str]) -> list[Any]:
    from torch.utils.data import DataLoader, IterableDataset, RandomSampler, SequentialSampler

    dataset, in_batches = loader.dataset, loader.batch_sampler is not None
    name = f"the DataLoader of {type(dataset).__name__}"

    def items(loader: Any) -> Pieces:
        return _batches(loader, notes) if in_batches else _one_by_one(loader, gathered, notes)

    if isinstance(dataset, IterableDataset):
        return _add_all(_batches(loader, notes) if loader.batch_size else items(loader), None, name, gathered, notes)
    if type(loader.sampler) in (RandomSampler, SequentialSampler) and loader.batch_size is not None:
        # Its own order is random; that of the data set is the same each time, and nothing is dropped.
        workers, collate = loader.num_workers, loader.collate_fn
        ordered = DataLoader(dataset, AT_ONCE, shuffle=False, num_workers=workers, collate_fn=collate)
        notes.append(f"its batches of {loader.batch_size} are not used: the recipe says how many examples a batch has")
        return _add_all(_batches(ordered, notes), len(dataset), name, gathered, notes)
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


def _batches(batches: Iterable[Any], notes: list[str]) -> Pieces:
    for number, batch in enumerate(batches):
        x, labels, parts = parted(batch, is_batch=True)
        if not number:
            _say_parts(parts, notes)
        yield (array := as_array(x)), [] if labels is None else _labels_of_batch(labels, len(array))


def _labels_of_batch(labels: Any, count: int) -> list[Any]:
    """Labels as `collate_fn` gives them, one for each example; None in place of what is no label."""
    try:
        found = list(np.atleast_1d(as_array(labels)))
    except UsageError:
        found = list(cast(Sequence[Any], labels)) if isinstance(labels, tuple | list) else []  # names
    return found if len(found) == count else [None] * count


def _say_parts(parts: int, notes: list[str]) -> None:
    if parts > 2:
        notes.append(f"items have {parts} parts, of which the first two are used: an example and its label")


def _one_by_one(items: Iterable[Any], gathered: Gathered, notes: list[str]) -> Pieces:
    examples: list[np.ndarray] = []
    labels: list[Any] = []
    for number, item in enumerate(items):
        x, label, parts = parted(item)
        if not number:
            _say_parts(parts, notes)
            if gathered.kind == "auto" and is_image(x):
                gathered.kind = "images"  # also of 16 bits, whose range says nothing
        examples.append(as_array(x))
        if examples[-1].shape != examples[0].shape:
            same_size = is_image(x) and examples[-1].shape[:2] == examples[0].shape[:2]
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


def _is_same(one: Any, other: Any) -> bool:
    """Whether an example that was read twice is the same."""
    return np.array_equal(as_array(parted(one)[0]), as_array(parted(other)[0]))


def _has_items(value: Any) -> bool:
    return callable(getattr(type(value), "__getitem__", None))


def _could_be_labels(value: Any, count: int) -> bool:
    try:
        value = _without_names(value)
        array = np.asarray(as_array(value) if is_array(value) else value)
    except (UsageError, ValueError, TypeError):
        return False
    return array.ndim in (1, 2) and len(array) == count and array.shape[1:] != (1, 1)


def _as_classes(labels: Any, count: int) -> tuple[np.ndarray | None, int, str]:
    """Labels as int64 `(N,)`, the number of classes, and a note where they are not used or have names."""
    if labels is None:
        return None, 0, ""
    try:
        labels = _without_names(labels)
        if not is_array(labels):
            labels = [_plain(each) for each in labels]
            missing = sum(each is None or (isinstance(each, float) and each != each) for each in labels)
            if 0 < missing < len(labels):
                return None, 0, f"{missing:,} of {len(labels):,} labels are missing"
        array = np.squeeze(as_array(labels)) if is_array(labels) else np.asarray(labels)
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


def _without_names(labels: Any) -> Any:
    """Labels as they are; an array of text or objects as a list."""
    torch = sys.modules.get("torch")
    if not is_array(labels) or (torch is not None and isinstance(labels, torch.Tensor)):
        return labels
    array = np.asarray(labels)
    return array.tolist() if array.dtype.kind in "OUS" else labels


def _plain(label: Any) -> Any:
    """A label as Python's own value."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(label, torch.Tensor):
        return label.detach().cpu().numpy()
    return label
