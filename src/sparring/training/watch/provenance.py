"""Follows tensors while a few rounds are watched closely: what came from G, what is real, and what was done to both.

torch tells a `TorchFunctionMode` of every function that the program calls. The mode computes nothing that the program
sees: it calls the function, and then notes in a dictionary of weak references where the result comes from. It is on the
stack in the first rounds, and now and then later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

from sparring.record.loop import Line
from sparring.training.watch.class_traces import ClassTraces
from sparring.training.watch.eight_bits import goes_round
from sparring.training.watch.lines import user_line
from sparring.training.watch.squashing import SQUASHING, are_probabilities, are_unchanged, ends_of, sigmoid_by_hand
from sparring.training.watch.transforms import inside_transform
from sparring.training.watch.weights import weighed

REAL, FAKE, UNKNOWN = 0, 1, -1
"""What a row of a batch is; of several parts of a row, the largest: what has a generated part is generated."""
RESHAPING = frozenset({
    "view", "reshape", "flatten", "unflatten", "squeeze", "squeeze_", "unsqueeze", "permute", "transpose", "contiguous",
    "clone", "float", "to", "double", "type", "cpu", "cuda", "detach", "detach_", "view_as", "__getitem__", "expand",
    "movedim", "narrow", "chunk", "split", "index_select", "cat", "concat", "concatenate", "requires_grad_", "bfloat16",
    "half", "ravel", "type_as", "expand_as", "_to_copy", "swapaxes", "t", "adaptive_avg_pool2d", "mean", "vstack",
})  # fmt: skip
"""Functions that keep values, or average them, and so keep their limits."""
RANDOM = frozenset({
    "randn", "rand", "normal", "randn_like", "rand_like", "randint", "randint_like", "bernoulli", "randperm", "arange",
    "empty", "zeros", "ones", "full", "eye", "one_hot", "linspace", "tensor", "zeros_like", "ones_like", "full_like",
    "empty_like", "new_zeros", "new_ones", "new_full", "new_empty", "new_tensor", "normal_", "uniform_", "random_",
    "fill_",
})  # fmt: skip
"""Functions whose result is nobody's: noise and labels."""
LOSSES = frozenset({
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "smooth_l1_loss", "l1_loss", "huber_loss",
    "cross_entropy", "nll_loss", "hinge_embedding_loss", "soft_margin_loss",
})  # fmt: skip
CONCATENATING = frozenset({"cat", "concat", "concatenate", "vstack"})
AFFINE = frozenset({
    "add", "sub", "mul", "div", "neg", "rsub", "__radd__", "__rsub__", "__rmul__", "true_divide", "__add__", "__sub__",
    "__mul__", "clamp", "clamp_min", "clip",
}) | RESHAPING  # fmt: skip
"""Functions after which D's scores are still no probabilities if they were none before."""
SIGMOIDS = frozenset({"log_sigmoid", "softplus"})
"""Functions that a cross-entropy written by hand applies to scores: they hold the sigmoid, and its logarithm."""
LOGARITHMS = frozenset({"log", "log_", "log2", "log10"})
FLAT = frozenset(
    {"round", "round_", "floor", "floor_", "ceil", "trunc", "sign", "sgn", "heaviside", "argmax", "bucketize"}
)
"""Functions whose slope is 0 everywhere: the graph goes on, and no gradient comes back."""
SQUARES = frozenset({"square", "pow", "__pow__"})
UNCHANGED = " of outputs"
"""Ends the name of a square of D's outputs as they are: what pulls these to 0 need not be a loss of least squares."""
ADDING = frozenset({"add", "add_", "sub", "sub_", "__add__", "__radd__", "__iadd__"})
LEAVING = {"detach": "detach", "detach_": "detach", "numpy": "numpy", "item": "item", "tolist": "numpy"}
"""Functions after which no gradient finds its way back."""
DATA_OF_TENSOR = torch.Tensor.data.__get__  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]

TRANSPOSED = (torch.Tensor.T.__get__, torch.Tensor.mT.__get__)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


@dataclass(frozen=True)
class Trace:
    """Where a tensor comes from."""

    kinds: frozenset[str] = frozenset()
    """Of `real`, `fake`, `noise`, `score`, `slope`; and `weight` where scores without a gradient weigh what has one."""
    rows: np.ndarray | None = None
    """What each row of a batch is, int8 `(B,)`; None where that is not known."""
    squashed: str = ""
    """The function that limited its values, if nothing has been done to them since."""
    cut: Line | None = None
    """Where it left the graph."""
    cut_by: str = ""
    raw: bool = False
    """Whether these are D's scores before anything that could make them probabilities."""
    clean: Tensor | None = None
    """Real examples before noise was added to them."""
    ends: tuple[float, float] | None = None
    """Smallest and largest of D's outputs that these scores were made of."""
    changed: bool = False
    """Whether these are no longer D's outputs as they are, nor means of these."""

    @property
    def sees(self) -> str:
        """`real`, `fake`, `both`, or `` where it is neither."""
        known = self.kinds & {"real", "fake"}
        return "both" if len(known) == 2 else next(iter(known), "")


NOTHING = Trace()


@dataclass(frozen=True)
class LossSeen:
    """A call of one of torch's loss functions on scores."""

    function: str
    sees: str
    probability: bool
    ends: tuple[float, float] | None
    """Smallest and largest score that it was given."""
    unchanged: bool
    """Whether these were D's outputs, or 1 less them."""
    target: Tensor | None
    score_shape: tuple[int, ...]
    target_shape: tuple[int, ...]
    value: Tensor
    """What it returned, averaged, `()`."""
    line: Line | None


@dataclass
class Observed:
    """What the mode noticed since it was last asked."""

    losses: list[LossSeen] = field(default_factory=list[LossSeen])
    broadcast: Line | None = None
    wraps: Line | None = None
    functions: set[str] = field(default_factory=set[str])
    """Functions that were called on scores, for real, fake and both: `fake softplus`."""
    cuts: list[tuple[str, Line | None]] = field(default_factory=list[tuple[str, Line | None]])
    """Generated examples that left the graph: how, and where."""


class Provenance(TorchFunctionMode):
    """Traces of the tensors of a loop, while it is on the stack and not `quiet`."""

    SKIPPED: ClassVar[frozenset[str]] = frozenset(
        {"__get__", "__set__", "size", "dim", "is_complex", "numel", "stride"}
    )

    def __init__(self) -> None:
        super().__init__()
        self.quiet = 0
        """Above 0 nothing is recorded: while an optimizer steps, or the watch itself computes."""
        self.traces = WeakIdKeyDictionary()
        self.of_classes = ClassTraces()
        self.inside = False
        """Whether one of the players is being called."""
        self.used: set[int] = set()
        """The ids of the weights that functions inside the players' calls were given."""
        self.observed = Observed()
        self.data_shape: tuple[int, ...] | None = None
        """Of one example, once G has made one."""
        self.unbatched = False
        """Whether examples come one at a time, without an axis for the batch."""
        self.trouble: Exception | None = None
        """The first failure of the bookkeeping, which the program must not notice."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            result = func(*args, **(kwargs or {}))
        except Exception:
            self._note_refusal(func, args, kwargs or {})
            raise
        if not self.quiet and self.trouble is None and not inside_transform():
            self.quiet += 1
            try:
                self._note(func, args, kwargs or {}, result)
            except Exception as error:  # whatever the program does, its loop goes on
                self.trouble = error
            finally:
                self.quiet -= 1
        return result

    def of(self, tensor: Tensor) -> Trace:
        """What is known of a tensor."""
        return cast(Trace, self.traces.get(tensor, NOTHING))  # pyright: ignore[reportUnknownMemberType]

    def mark(self, tensor: Tensor, trace: Trace) -> None:
        """Say where a tensor comes from."""
        self.traces[tensor] = trace

    def _note(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any) -> None:
        name = getattr(func, "__name__", "")
        if name == "__get__" and func == DATA_OF_TENSOR:
            name = "detach"
            how = "data"
        else:
            how = LEAVING.get(name, "")
            name = "t" if name == "__get__" and func in TRANSPOSED else name
        if name in self.SKIPPED:
            return
        tensors = list(_tensors((*args, *kwargs.values())))
        if self.inside:
            self.used.update(id(each) for each in tensors if isinstance(each, nn.Parameter))
        parents = [(tensor, self._traced(tensor)) for tensor in tensors]
        for _, trace in parents:
            if "score" in trace.kinds and "slope" not in trace.kinds:
                as_they_are = UNCHANGED if name in SQUARES and not trace.changed else ""
                self.observed.functions.add(f"{trace.sees} {name}{as_they_are}")
        if name in LOSSES:
            self._note_loss(name, parents, result)
        elif name in LOGARITHMS and parents and parents[0][1].raw:
            self._note_loss("log", parents, torch.zeros(()))
        elif name in SIGMOIDS and any(t.squashed == "sigmoid" and "score" in t.kinds for _, t in parents):
            self._note_loss(name, parents, torch.zeros(()))
        if how and parents and "fake" in parents[0][1].kinds and "score" not in parents[0][1].kinds:
            self.observed.cuts.append((how, user_line()))
        for made in _tensors((result,)):
            self.of_classes.note(name, args, tensors, made)
            if name in RANDOM:
                if not any(made is tensor for tensor in tensors):
                    self.mark(made, Trace(frozenset({"noise"})))
                continue
            self._note_broadcast(parents, made)
            if not self.observed.wraps and goes_round(func, args, kwargs, made):
                self.observed.wraps = user_line()
            trace = self._derived(name, args, parents, made, how)
            if trace != NOTHING:
                self.mark(made, trace)

    def _note_refusal(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """A loss function that refused its arguments was called all the same."""
        name = getattr(func, "__name__", "")
        if name in LOSSES and not self.quiet:
            parents = [(tensor, self._traced(tensor)) for tensor in _tensors((*args, *kwargs.values()))]
            self._note_loss(name, parents, torch.tensor(float("nan")))

    def _traced(self, tensor: Tensor) -> Trace:
        """A tensor's trace; one of the data's shape that comes from nowhere is a batch of real examples."""
        trace = self.of(tensor)
        if trace is NOTHING and self.data_shape is not None and _is_leaf_batch(tensor, self.data_shape, self.unbatched):
            count = 1 if self.unbatched else len(tensor)
            trace = Trace(frozenset({"real"}), np.full(count, REAL, np.int8))
            self.mark(tensor, trace)
        return trace

    def _derived(
        self, name: str, args: tuple[Any, ...], parents: list[tuple[Tensor, Trace]], made: Tensor, how: str
    ) -> Trace:
        kinds = frozenset(kind for tensor, trace in parents if _counts(tensor, trace, parents) for kind in trace.kinds)
        if not any("noise" in trace.kinds and tensor.is_floating_point() for tensor, trace in parents):
            kinds -= {"noise"}  # a random choice of rows makes no noise of them
        kinds = kinds - {"noise"} or kinds
        squashed = SQUASHING.get(name, "") or sigmoid_by_hand(name, [trace.squashed for _, trace in parents])
        if not squashed and name in RESHAPING and parents:
            squashed = parents[0][1].squashed
        cut = next(((t.cut, t.cut_by) for _, t in parents if t.cut_by), (None, ""))
        if name in FLAT and parents[0][0].is_floating_point() and "score" not in kinds:
            how = "round"
        if how and kinds & {"fake"}:
            cut = (user_line(), how)
        rows = self._rows(name, args, parents, made) if kinds & {"real", "fake"} else None
        are_known = all(trace.rows is not None for _, trace in parents if trace.kinds & {"real", "fake"})
        if rows is not None and are_known and len(rows) and (rows == rows[0]).all() and rows[0] != UNKNOWN:
            kinds = kinds - {"fake" if rows[0] == REAL else "real"}  # a part of a batch of both
        kinds |= weighed(name, [tensor for tensor, trace in parents if "score" in trace.kinds], made)
        raw = name in AFFINE and any(trace.raw for _, trace in parents)
        known = [trace.ends for _, trace in parents if trace.ends is not None]
        ends = (min(low for low, _ in known), max(high for _, high in known)) if known else None
        changed = "score" in kinds and (name not in RESHAPING or any(trace.changed for _, trace in parents))
        return Trace(kinds, rows, squashed, *cut, raw, self._clean(name, parents, made), ends, changed)

    def _clean(self, name: str, parents: list[tuple[Tensor, Trace]], made: Tensor) -> Tensor | None:
        """Real examples without the noise that was added to them."""
        if not parents or made.requires_grad:
            return None
        first, trace = parents[0]
        if name in RESHAPING and trace.clean is not None and trace.clean.shape == made.shape:
            return trace.clean
        noisy = name in ADDING and len(parents) == 2 and "noise" in parents[1][1].kinds
        if noisy and trace.kinds == frozenset({"real"}) and first.shape == made.shape and made.is_floating_point():
            return first.detach() if trace.clean is None else trace.clean
        return None

    def _rows(
        self, name: str, args: tuple[Any, ...], parents: list[tuple[Tensor, Trace]], made: Tensor
    ) -> np.ndarray | None:
        if made.dim() == 0:
            return None
        if name in CONCATENATING and all(tensor.dim() for tensor, _ in parents):
            parts = [_rows_or_unknown(tensor, trace) for tensor, trace in parents]
            if made.shape[0] == sum(map(len, parts)):
                return np.concatenate(parts)
            if all(len(part) == len(made) for part in parts):  # a condition beside an example
                return np.maximum.reduce(parts)
        known = [(tensor, trace.rows) for tensor, trace in parents if trace.rows is not None]
        if not known:
            return None
        tensor, rows = known[0]
        if len(made) == len(rows) and all(np.array_equal(rows, other) for _, other in known[1:]):
            picked = _picked(name, args, rows)
            return rows if picked is None else picked
        if len(known) > 1:
            return None
        picked = _picked(name, args, rows)
        if picked is not None and len(picked) == len(made):
            return picked
        return _slice_of(tensor, rows, made)

    def _note_loss(self, name: str, parents: list[tuple[Tensor, Trace]], result: Tensor) -> None:
        scores = next(((tensor, trace) for tensor, trace in parents if "score" in trace.kinds), None)
        if scores is None:
            return
        score, trace = scores
        ends = ends_of(score)
        target = next((tensor for tensor, _ in parents if tensor is not score), None)
        self.observed.losses.append(
            LossSeen(
                name,
                trace.sees,
                are_probabilities(trace.squashed, trace.raw, trace.ends, ends),
                ends,
                are_unchanged(trace.ends, ends),
                None if target is None else target.detach().float().mean(),
                tuple(score.shape),
                () if target is None else tuple(target.shape),
                result.detach().float().mean(),
                user_line(),
            )
        )
        if target is not None and _broadcasts(score, target):
            self.observed.broadcast = self.observed.broadcast or user_line()

    def _note_broadcast(self, parents: list[tuple[Tensor, Trace]], made: Tensor) -> None:
        """Scores (B, 1) meet labels (B,) in arithmetic that is written by hand."""
        if len(parents) == 2 and any("score" in trace.kinds for _, trace in parents):
            a, b = parents[0][0], parents[1][0]
            if _broadcasts(a, b) and made.shape == torch.broadcast_shapes(a.shape, b.shape):
                self.observed.broadcast = self.observed.broadcast or user_line()


def with_kind(trace: Trace, kind: str) -> Trace:
    """The same trace with one more kind."""
    return replace(trace, kinds=trace.kinds | {kind})


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    """Tensors among values, also one level down in lists and tuples."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from (each for each in cast(list[Any], value) if isinstance(each, Tensor))


def _is_leaf_batch(tensor: Tensor, shape: tuple[int, ...], unbatched: bool) -> bool:
    of_example = tuple(tensor.shape if unbatched else tensor.shape[1:])
    return tensor.grad_fn is None and tensor.dim() == len(shape) + (not unbatched) and of_example == shape


def _counts(tensor: Tensor, trace: Trace, parents: list[tuple[Tensor, Trace]]) -> bool:
    """Whether a result is of what this is: noise times the deviation of real examples is noise."""
    is_statistic = trace.kinds == frozenset({"real"}) and tensor.dim() < max(other.dim() for other, _ in parents)
    return not is_statistic or not any("noise" in other.kinds for _, other in parents)


def _rows_or_unknown(tensor: Tensor, trace: Trace) -> np.ndarray:
    return np.full(len(tensor), UNKNOWN, np.int8) if trace.rows is None else trace.rows


def _picked(name: str, args: tuple[Any, ...], rows: np.ndarray) -> np.ndarray | None:
    """The rows that an index picks; None where the function picks none by index."""
    index = None
    if name == "__getitem__" and len(args) == 2:
        index = args[1][0] if isinstance(args[1], tuple) and args[1] else args[1]
    elif name == "index_select" and len(args) == 3 and args[1] == 0:
        index = args[2]
    if isinstance(index, Tensor) and index.dim() == 1 and index.dtype in (torch.int64, torch.int32, torch.bool):
        return rows[index.detach().cpu().numpy()]
    return None


def _slice_of(tensor: Tensor, rows: np.ndarray, made: Tensor) -> np.ndarray | None:
    """The rows of a view that covers some of a tensor's rows."""
    if tensor.dim() == 0 or not tensor.stride(0) or made.data_ptr() == 0:
        return None
    if made.untyped_storage().data_ptr() != tensor.untyped_storage().data_ptr():
        return None
    start, rest = divmod(int(made.storage_offset() - tensor.storage_offset()), int(tensor.stride(0)))
    if rest or start < 0 or start + len(made) > len(rows) or made.stride(0) != tensor.stride(0):
        return None
    return rows[start : start + len(made)]


def _broadcasts(a: Tensor, b: Tensor) -> bool:
    """Whether (B, 1) or (B, 1, 1, 1) meets (B,), so that each number of one meets every number of the other.

    Of (B, 1) and (1, B) the program means to compare all pairs.
    """
    if a.dim() == b.dim() or a.numel() != b.numel() or a.shape[:1] != b.shape[:1]:
        return False
    sides = list(zip(reversed(a.shape), reversed(b.shape), strict=False))
    return all(m == n or 1 in (m, n) for m, n in sides) and any(m != n for m, n in sides)
