"""How a loop calls G: which of its arguments is noise and which are classes, so that the watch can call it alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sparring.datasets._shares import in_shares
from sparring.errors import SparringError
from sparring.record.loop import Latents, Line
from sparring.training.watch.class_counts import ClassCounts
from sparring.training.watch.moments import Moments

ROWS, NUMBERS = 256, 2**24
"""Of what G is given in the first rounds, how many examples are kept at most, and about how many numbers in all."""
FORMS = 8
"""Ways of calling G that are remembered beside the latest."""
COLUMNS = 4_096
"""Of an example, as many numbers are examined."""
MIN_ROWS = 16
"""Rows from which on few values in a column mean something."""
PLAIN = (bool, int, float, complex, str, Enum, np.number, torch.device, torch.dtype, torch.Size, type(None))
"""Values that are kept as they are: others may be tied to the loop, as its random generators are."""


@dataclass
class Argument:
    """One value that G is called with, by itself or in a list."""

    value: Any = None
    """As it is, where it has no row for each example."""
    is_batch: bool = False
    rows: list[Tensor] = field(default_factory=list[Tensor])
    """The first rows of a batch."""
    head: Tensor | None = None
    """The batch of the call before, the first numbers of it."""
    changes: bool = False
    """Whether it was another one in some call."""
    classes: int = 0
    """Classes that it tells of; 0 where it is no class."""
    one_hot: bool = False
    counts: ClassCounts = field(default_factory=ClassCounts)

    @property
    def is_column(self) -> bool:
        """Whether classes are numbers `(B, 1)`."""
        return bool(self.rows) and self.rows[0].dim() == 2 and not self.one_hot

    @property
    def together(self) -> Tensor:
        """The rows of all calls, `(N, ...)`."""
        return torch.cat(self.rows)


@dataclass
class Form:
    """One way in which G is called."""

    nesting: Any
    """The values as they are nested, with their numbers in place of them."""
    names: tuple[str, ...]
    """Of those that are given by name, which are the last."""
    arguments: list[Argument]
    z: int = -1
    """Which of them is the latent vectors; -1 before that is known."""
    examined: int = 0
    """Examples that the next two rest on."""
    mixed: bool = False
    """Whether latent vectors have classes as a part of them."""
    made_of_classes: bool = False
    """Whether they were seen to be made of some, which their numbers need not show."""
    conditions: bool = False
    """Whether samples should follow such, or other values that tell of no class by themselves."""

    @property
    def has_classes(self) -> bool:
        """Whether G is given classes by themselves."""
        return any(argument.classes for argument in self.arguments)


class Calls:
    """What was seen of the calls of G in closely watched rounds. The latest way in which it was called counts."""

    def __init__(self) -> None:
        self.moments = Moments(in_row=True)
        """Of the latent vectors."""
        self.z = torch.empty(0)
        """Those of the last call."""
        self.of_classes: Callable[[Tensor], bool] = lambda _: False
        """Whether latent vectors were made of classes before G was called."""
        self._forms: list[Form] = []
        """The ways in which it is called, the latest last."""
        self._shape: tuple[int, ...] = ()
        self._flat = False
        """Whether the latent vectors are a batch of numbers, `(B,)`."""

    def see(
        self, inputs: Sequence[Any], names: Sequence[str], round: int, line: Line | None, unbatched: bool
    ) -> Latents | None:
        """A call: all values, of which the last were given by these names. None where G is given no noise."""
        leaves: list[Any] = []
        nesting = _nesting(list(inputs), leaves)
        batch = _batch_of([leaf for leaf in leaves if _is_floating(leaf)])
        if not batch:
            self.z = torch.empty(0)
            return None
        form = self._form_of(nesting, tuple(names), len(leaves))
        self._note(leaves, batch)
        at = self._noise(leaves)
        z = leaves[at]
        self._flat, shape = z.dim() == 1, tuple(z.shape[1:]) or (1,)
        if form.z not in (-1, at) or shape != self._shape:
            self.moments = Moments(in_row=True)
            for argument in form.arguments:
                argument.rows.clear()
        form.z, self._shape, self.z = at, shape, z.detach()
        form.made_of_classes |= self.of_classes(z)
        self.moments.add(z[:, None] if self._flat else z, round)
        self._keep(leaves)
        return self._latents(unbatched, line)

    def _form_of(self, nesting: Any, names: tuple[str, ...], count: int) -> Form:
        known = next((each for each in self._forms if (each.nesting, each.names) == (nesting, names)), None)
        form = known or Form(nesting, names, [Argument() for _ in range(count)])
        self._forms = [*[each for each in self._forms if each is not form][-FORMS:], form]
        return form

    @property
    def _arguments(self) -> list[Argument]:
        return self._forms[-1].arguments if self._forms else []

    @property
    def _z(self) -> int:
        return self._forms[-1].z if self._forms else -1

    def _note(self, leaves: Sequence[Any], batch: int) -> None:
        for argument, leaf in zip(self._arguments, leaves, strict=True):
            argument.is_batch = isinstance(leaf, Tensor) and leaf.dim() > 0 and len(leaf) == batch
            if not argument.is_batch:
                argument.value = leaf.detach().clone() if isinstance(leaf, Tensor) else leaf
                if not isinstance(leaf, (Tensor, *PLAIN)):
                    argument.value = _NotKept(type(leaf).__name__)
                continue
            head = leaf.detach().flatten()[:MIN_ROWS].cpu().clone()
            before, argument.head = argument.head, head
            argument.changes |= before is not None and not torch.equal(before, head)

    def _noise(self, leaves: Sequence[Any]) -> int:
        """Which value the latent vectors are: vectors rather than numbers, no classes, and others in each call."""
        changing = any(a.changes for a, leaf in zip(self._arguments, leaves, strict=True) if _is_noise_like(leaf))

        def rank(at: int) -> tuple[bool, bool, bool, int]:
            leaf, argument = leaves[at], self._arguments[at]
            return leaf.dim() == 1, not _is_noise_like(leaf), changing and not argument.changes, at

        return min((at for at, a in enumerate(self._arguments) if a.is_batch and _is_floating(leaves[at])), key=rank)

    def _keep(self, leaves: Sequence[Any]) -> None:
        """The first rows of every batch, the same examples of each; and what classes they tell of."""
        given = [(a, leaf) for a, leaf in zip(self._arguments, leaves, strict=True) if a.is_batch]
        room = min(ROWS, NUMBERS // max(1, sum(leaf[0].numel() for _, leaf in given))) - self.kept
        fits = all(not a.rows or a.rows[0].shape[1:] == leaf.shape[1:] for a, leaf in given)
        for argument, leaf in given:
            classes, one_hot = (0, False) if leaf is leaves[self._z] else _classes(leaf)
            is_other = bool(argument.rows) and (not argument.classes or argument.one_hot != one_hot)
            argument.classes = 0 if is_other or not classes else max(classes, argument.classes)
            argument.one_hot = one_hot
            if argument.classes:
                argument.counts.add(leaf, one_hot)
            if room > 0 and fits:
                argument.rows.append(leaf.detach()[:room].cpu().clone())

    def _latents(self, unbatched: bool, line: Line | None) -> Latents:
        form, (low, high) = self._forms[-1], self.moments.ends
        named = max(self._arguments, key=lambda argument: argument.classes)
        if self.kept != form.examined:
            new = _first_of(self.latent_vectors)
            form.examined = self.kept
            form.mixed = form.made_of_classes or _holds_classes(self.latent_vectors[new])
            others = (a for at, a in enumerate(self._arguments) if a.rows and at != form.z and not a.classes)
            form.conditions = form.mixed or any(_are_conditions(a.together[new]) for a in others)
        of_other_forms = any(each.has_classes for each in self._forms) and not form.has_classes
        return Latents(
            shape=self._shape,
            law="" if form.mixed else self.moments.law,
            low=low,
            high=high,
            repeats=self.moments.repeats,
            classes=named.classes,
            shares=named.counts.shares,
            one_hot=named.one_hot,
            unbatched=unbatched,
            conditions=of_other_forms or any(each.conditions for each in self._forms),
            line=line,
        )

    # To call G alike.

    @property
    def kept(self) -> int:
        """Examples of what G is given that are kept."""
        return sum(map(len, self._arguments[self._z].rows)) if self._z >= 0 else 0

    @property
    def latent_vectors(self) -> Tensor:
        """Those that are kept, `(N, *shape)`, float32."""
        z = self._arguments[self._z].together.float()
        return z[:, None] if self._flat else z

    @property
    def are_plain(self) -> bool:
        """Whether G is called as G(z) or G(z, y), with classes `(B,)` or one-hot."""
        if self._z or self._flat or not all(a.is_batch for a in self._arguments) or len(self._arguments) > 2:
            return False
        if not all(isinstance(each, int) for each in self._forms[-1].nesting):
            return False
        return all(argument.classes and not argument.is_column for argument in self._arguments[1:])

    @property
    def are_of_classes(self) -> bool:
        """Whether G is given no more than latent vectors, classes of one kind, and what never differs by example."""
        batches = [argument for at, argument in enumerate(self._arguments) if argument.is_batch and at != self._z]
        return len(batches) < 2 and all(argument.classes for argument in batches)

    def arguments(
        self, z: Tensor, y: Tensor | None = None, row: int | None = None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What to call G with.

        Args:
            z: `(B, *shape)`.
            y: Classes as G takes them, one-hot or as numbers `(B,)`; by default as often as the loop gives G each.
            row: For a G that takes no batches, which of them it is given.

        Raises:
            SparringError: G is given something that the watch does not keep.
        """
        nesting, names = self._forms[-1].nesting, self._forms[-1].names
        leaves = [self._leaf(at, argument, z, y) for at, argument in enumerate(self._arguments)]
        if row is not None:
            leaves = [leaf[row] if a.is_batch else leaf for a, leaf in zip(self._arguments, leaves, strict=True)]
        values = _filled(nesting, leaves)
        first = len(values) - len(names)
        return tuple(values[:first]), dict(zip(names, values[first:], strict=True))

    def _leaf(self, at: int, argument: Argument, z: Tensor, y: Tensor | None) -> Any:
        if at == self._z:
            return z.flatten() if self._flat else z
        if not argument.is_batch:
            if isinstance(argument.value, _NotKept):
                raise SparringError(f"it is called with a {argument.value.kind}, which a watch does not keep")
            return argument.value.to(z.device) if isinstance(argument.value, Tensor) else argument.value
        if not argument.classes:
            rows = argument.together
            return rows[torch.arange(len(z)) % len(rows)].to(z.device)
        made = y
        if made is None:
            made = classes_for(len(z), argument.classes, argument.counts.shares).to(z.device)
            made = nn.functional.one_hot(made, argument.classes) if argument.one_hot else made
        kind = argument.rows[0].dtype
        made = made.to(z.dtype if kind.is_floating_point else kind)
        return made[:, None] if argument.is_column else made


def classes_for(count: int, classes: int, shares: Sequence[float]) -> Tensor:
    """So many classes, each as often as its share says; one after another without shares."""
    return torch.tensor(in_shares(np.array(shares) if shares else None, classes, count))


class Called(nn.Module):
    """G as a network of latent vectors and classes alone, called as the loop calls it."""

    def __init__(self, g: nn.Module, calls: Calls):
        super().__init__()
        self.g, self._calls = g, calls

    def forward(self, z: Tensor, y: Tensor | None = None) -> Any:
        args, kwargs = self._calls.arguments(z, y)
        return self.g(*args, **kwargs)


@dataclass(frozen=True)
class _NotKept:
    """Stands for a value that may be tied to the loop."""

    kind: str


def without_wrapper(graph: Any) -> Any:
    """The graph of a `Called` with weights named as in G's own state."""
    if isinstance(graph, list):
        return [without_wrapper(each) for each in graph]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(graph, dict):
        return graph
    plain: dict[str, Any] = graph  # pyright: ignore[reportUnknownVariableType]
    if plain.keys() == {"state"}:
        return {"state": str(plain["state"]).removeprefix("g.")}
    return {name: without_wrapper(each) for name, each in plain.items()}


def _nesting(value: Any, leaves: list[Any]) -> Any:
    """The same lists, tuples and dicts, with the number of each value in place of it; the values go into `leaves`."""
    if type(value) is list or type(value) is tuple:
        inner: list[Any] = [_nesting(each, leaves) for each in value]  # pyright: ignore[reportUnknownVariableType]
        return inner if type(value) is list else tuple(inner)
    if type(value) is dict:
        return {name: _nesting(each, leaves) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    leaves.append(value)
    return len(leaves) - 1


def _filled(nesting: Any, leaves: Sequence[Any]) -> Any:
    """The inverse."""
    if isinstance(nesting, int):
        return leaves[nesting]
    if isinstance(nesting, dict):
        return {name: _filled(each, leaves) for name, each in nesting.items()}  # pyright: ignore[reportUnknownVariableType]
    inner: list[Any] = [_filled(each, leaves) for each in nesting]
    return tuple(inner) if isinstance(nesting, tuple) else inner


def _batch_of(tensors: Sequence[Tensor]) -> int:
    """How many examples there are: rows of the first batch; maps of noise for all, `(1, ...)`, may be larger."""
    several = [each for each in tensors if each.dim() > 1 and len(each) > 1]
    found = several[0] if several else max(tensors, key=Tensor.numel, default=None)
    return 0 if found is None else len(found)


def _is_floating(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and value.dim() > 0


def _is_noise_like(value: Any) -> bool:
    """Whether there are numbers other than 0 and 1 among floating-point ones."""
    return _is_floating(value) and not bool(((value == 0) | (value == 1)).all())


def _classes(labels: Tensor) -> tuple[int, bool]:
    """How many classes a batch of labels tells of, 0 where they are no classes; and whether by one-hot vectors."""
    if labels.dtype != torch.bool and not labels.is_floating_point() and tuple(labels.shape[1:]) in ((), (1,)):
        return (int(labels.max()) + 1, False) if int(labels.min()) >= 0 else (0, False)
    return (labels.shape[1], True) if _are_one_hot(labels) and labels.shape[1] > 1 else (0, False)


def classes_of(labels: Tensor, count: int) -> np.ndarray | None:
    """The class of each of so many examples, int64 `(count,)`; None where labels are no classes of these."""
    if len(labels) != count or not labels.numel() or not (found := _classes(labels))[0]:
        return None
    return (labels.argmax(1) if found[1] else labels.flatten()).detach().cpu().long().numpy()


def _are_one_hot(rows: Tensor) -> bool:
    return rows.dim() == 2 and bool(((rows == 0) | (rows == 1)).all()) and bool((rows.sum(1) == 1).all())


def _holds_classes(z: Tensor) -> bool:
    """Whether columns of latent vectors have few values, as classes have that were put beside noise; noise has not.

    Where all columns have few values, they are noise of a kind, unless they are one-hot.
    """
    columns = z.flatten(2)[..., :1].flatten(1) if z.dim() > 2 else z
    if z.dim() > 2:  # of maps, those that are the same number everywhere
        columns = columns[:, (z.flatten(2) == columns[..., None]).all(2).all(0)]
    if not columns.shape[1]:
        return False
    rows = torch.unique(columns[:, :COLUMNS], dim=0)
    is_all = columns.shape[1] == z.shape[1]
    if is_all and len(rows) > 1 and _are_one_hot(rows):
        return True
    few = _have_few_values(columns[:, :COLUMNS] if not is_all else rows)
    return bool(few.any()) and not (is_all and bool(few.all()))


def _first_of(z: Tensor) -> Tensor:
    """The rows without those that came before, as the noise of D's step does in G's; all where few differ."""
    _, same = torch.unique(z.flatten(1)[:, :COLUMNS], dim=0, return_inverse=True)
    new = torch.tensor(np.unique(same.numpy(), return_index=True)[1]).sort().values
    return new if len(new) >= MIN_ROWS else torch.arange(len(z))


def _are_conditions(rows: Tensor) -> bool:
    """Whether what is given beside latent vectors says what to make: whole numbers, or few values; not always one."""
    flat = rows.flatten(1)[:, :COLUMNS]
    if not rows.is_floating_point():
        return bool((flat != flat[:1]).any())
    return bool(_have_few_values(flat.float()).any())


def _have_few_values(rows: Tensor) -> Tensor:
    """Columns of which each value is that of two rows, on average or more, and not of all; bool `(K,)`."""
    distinct = 1 + (rows.sort(0).values.diff(dim=0) != 0).sum(0)
    return (distinct > 1) & (distinct <= len(rows) / 2) & (len(rows) >= MIN_ROWS)
