"""What a loss is made of: the functions that it applies to D's scores, and how much of each is in it.

Read from the graph of the loss, so that what a program computes of scores only to print it does not count.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch.nn.functional as F
from torch import Tensor

Kind = Literal["logits", "probabilities", "hinge", "square", "linear", "other"]
Compared = Literal["", "pairs", "averages", "means"]

LOGITS, PROBABILITIES, HINGE, SQUARE, LINEAR, OTHER = "logits", "probabilities", "hinge", "square", "linear", "other"
MAIN: tuple[Kind, ...] = (LOGITS, PROBABILITIES, HINGE, LINEAR, SQUARE)
"""The first of these that is there is the loss; squares beside one of the others keep scores where they are, as LeCam,
a drift term or consistency do."""
KINDS: dict[str, Kind] = {
    **dict.fromkeys(("Softplus", "LogSigmoid", "BinaryCrossEntropyWithLogits", "SoftMarginLoss"), LOGITS),
    **dict.fromkeys(("BinaryCrossEntropy", "Log", "Log2", "Log10"), PROBABILITIES),
    **dict.fromkeys(("Relu", "Threshold", "Clamp", "ClampMin", "ClampMax", "Minimum", "Maximum"), HINGE),
    **dict.fromkeys(("Pow", "MseLoss"), SQUARE),
}
"""Nodes of a graph, without `Backward0`."""
LINEAR_NODES = frozenset({
    "Mean", "Sum", "Add", "Sub", "Rsub", "Neg", "Mul", "Div", "View", "UnsafeView", "ReshapeAlias", "Alias",
    "AsStrided", "Squeeze", "Unsqueeze", "Select", "Slice", "Split", "SplitWithSizes", "Unbind", "Cat", "Stack",
    "Index", "IndexSelect", "Gather", "Topk", "T", "Transpose", "Permute", "Expand", "Clone", "ToCopy", "Copy",
    "Roll", "Flip", "Repeat", "RepeatInterleave",
})  # fmt: skip
SQUASHES = frozenset({"Sigmoid", "Softmax", "LogSoftmax", "Tanh", "Exp", "Log1P", "Reciprocal"})
BELOW = LINEAR_NODES | SQUASHES | KINDS.keys()
"""Nodes between a term and D's scores."""
BELOW_0 = frozenset({"Log", "Log2", "Log10", "LogSigmoid", "Minimum", "ClampMax"})
"""Nodes whose values are below 0 where D cannot tell."""
MAX_NODES = 256
SUM = 2
"""`reduction` of a loss function that adds up."""
CLASSES = "classes"
"""Stands among terms for a cross-entropy of classes beside them."""
LIKELIHOODS = frozenset({"NllLoss", "NllLoss2D", "NllLossNd"})
"""Nodes that pick and weigh logarithms of probabilities of classes."""
ATTRIBUTES = ("BinaryCrossEntropyWithLogits", "BinaryCrossEntropy")
SHAPES = frozenset({
    "View", "UnsafeView", "ReshapeAlias", "Alias", "AsStrided", "Squeeze", "Unsqueeze", "Select", "Slice", "Split",
    "SplitWithSizes", "Unbind", "Cat", "ToCopy", "Clone",
})  # fmt: skip
"""Nodes that leave numbers and their order as they are."""
SAME_TARGET = 1e-4
"""Up to which share of the size of scores targets are one number."""
MARK = "sparring score"


@dataclass(frozen=True)
class Mark:
    """D's scores, where a graph has them."""

    rows: np.ndarray
    """What each example is, `(B,)`."""
    scores: Tensor
    """A copy, flat, `(N,)`."""

    @property
    def kinds(self) -> frozenset[int]:
        """Of its examples."""
        return frozenset(self.rows.tolist())


@dataclass
class Beside:
    """A cross-entropy of classes in a loss."""

    value: float | Tensor = 0.0
    """What it adds to the loss; known once that was back-propagated."""


@dataclass(frozen=True)
class Target:
    """What a square pulls some scores to, on average, and which share of all its scores these are."""

    mean: float
    share: float
    is_one: bool = True
    """Whether all of these are pulled to one number."""


@dataclass
class Term:
    """One function of scores in a loss."""

    kind: Kind
    compared: Compared = ""
    """Whether it is given differences of scores: one from another, from the mean of others, or of two means."""
    weight: float | Tensor = 0.0
    """By how much the loss grows with its mean, or falls where that is below 0, as a logarithm's is; known once the
    loss was back-propagated."""
    targets: dict[int, Target] = field(default_factory=dict[int, Target])
    """Of a square, REAL, FAKE -> what it pulls scores of these to; empty where that is not known."""

    def __str__(self) -> str:
        return f"{self.kind} of {self.compared}" if self.compared else self.kind


def mark(score: Tensor, rows: np.ndarray) -> Tensor:
    """D's scores of examples of these kinds, `(B,)`, so that they are known in the graphs of losses."""
    if score.grad_fn is not None:
        score.grad_fn.metadata[MARK] = Mark(rows, score.detach().flatten().float().clone())  # pyright: ignore[reportIndexIssue]
    return score


def terms_of(loss: Tensor, value: Tensor) -> list[Term]:
    """The terms of a loss that is about to be back-propagated; `value` is that loss before a GradScaler's factor."""
    last: Any = loss.grad_fn
    if MARK in last.metadata and loss.numel() > 1:
        return []  # scores themselves, which a checkpointed network sends back
    factor = _factor(loss, value)
    found: list[Term] = []
    for node in _down([loss.grad_fn], LINEAR_NODES, into_products=False):
        if MARK in node.metadata:
            found.append(Term(LINEAR))
        elif (_name(node) not in LINEAR_NODES or _is_product(node)) and _is_of_scores(node):
            found.append(Term(_kind(node), _compared(node), targets=_targets(node)))
            _weigh(node, found[-1], factor)
    return found


def beside(loss: Tensor, value: Tensor) -> list[Beside]:
    """The cross-entropies of classes in such a loss: of whatever is no score of D's, or of some of its outputs."""
    found, factor = list[Beside](), _factor(loss, value)
    for node in _down([loss.grad_fn], LINEAR_NODES | LIKELIHOODS, into_products=False):
        name = _name(node)
        if MARK in node.metadata or (name != "LogSoftmax" and _is_of_scores(node)):
            continue
        read = _classes_of if name in ("LogSoftmax", "Log") else _attributes_of if name in ATTRIBUTES else None
        if read is not None and (output := read(node)) is not None and not _is_of_all(node, output):
            found.append(Beside())
            _add_up(node, output, found[-1], factor)
    return found


def _factor(loss: Tensor, value: Tensor) -> float:
    """A loss is this much less before a GradScaler's factor."""
    if value is loss:
        return 1.0
    factor = float(value.detach().sum()) / (float(loss.detach().float().sum()) or math.inf)
    return factor if math.isfinite(factor) and factor else 1.0


def main_kind(terms: Iterable[str]) -> str:
    """The kind that decides which objective it is; `` where there is none."""
    kinds = {name.partition(" ")[0] for name in terms}
    return next((kind for kind in MAIN if kind in kinds), "")


def scale_of(terms: Iterable[Term]) -> float:
    """The loss over that of one term, where D cannot tell real from generated examples; 0 where it is not known."""
    known = list(terms)
    kind = main_kind(map(str, known))
    chosen = [term for term in known if term.kind == kind and (kind != SQUARE or not term.compared)]
    return sum(float(term.weight) for term in chosen)


def _down(start: Iterable[Any], through: frozenset[str], into_products: bool = True) -> Iterator[Any]:
    """Nodes from these down to D's scores, or to the first nodes that are not of those to go through."""
    waiting = [node for node in start if node is not None]
    known = set(waiting)
    while waiting and len(known) < MAX_NODES:
        node = waiting.pop(0)
        yield node
        if MARK in node.metadata or _name(node) not in through or (not into_products and _is_product(node)):
            continue
        fresh = [each for each in _parents(node) if each not in known]
        known.update(fresh)
        waiting += fresh


def _parents(node: Any) -> list[Any]:
    return [following for following, _ in node.next_functions if following is not None]


def _name(node: Any) -> str:
    return re.sub(r"Backward\d*$", "", node.name())


def _reaching(node: Any) -> list[list[Any]]:
    """For each operand that is made of scores, the nodes down to these."""
    paths = [list(_down([each], BELOW)) for each in _parents(node)]
    return [path for path in paths if any(MARK in each.metadata for each in path)]


def _is_product(node: Any) -> bool:
    """Whether scores are multiplied with scores."""
    return _name(node) in ("Mul", "Div") and len(_reaching(node)) == 2


def _is_of_scores(node: Any) -> bool:
    return any(MARK in each.metadata for each in _down(_parents(node), BELOW))


def _is_of_all(node: Any, output: Tensor) -> bool:
    """Whether it is of all that D gives, which is then no score beside classes: real and generated may be two."""
    marks = _marks(_down(_parents(node), BELOW))
    return bool(marks) and sum(len(each.scores) for each in marks) <= output.numel()


def _kind(node: Any) -> Kind:
    name = _name(node)
    if name == "Mul" and len(set(_parents(node))) == 1:
        return SQUARE
    if _is_softplus(node):
        return LOGITS
    if name == "Pow" and getattr(node, "_saved_exponent", None) != 2:
        return OTHER
    return KINDS.get(name, OTHER)


def _compared(node: Any) -> Compared:
    """What differences of scores a function is given."""
    of_losses = [node] if _name(node) == "MseLoss" else []
    between = [each for each in _down(_parents(node), BELOW) if _name(each) in ("Sub", "Add", "Rsub")]
    for each in [*of_losses, *between]:
        if MARK in each.metadata:
            continue
        operands = _reaching(each)
        if len(operands) == 2 and (_kind(node) == SQUARE or _differ(*operands)):
            averaged = sum(any(map(_is_average, path)) for path in operands)
            return ("pairs", "averages", "means")[averaged]
    return ""


def _differ(one: list[Any], other: list[Any]) -> bool:
    """Whether these are scores of real and of generated examples, or parts of a batch of both."""
    seen = [frozenset[int]().union(*(each.kinds for each in _marks(path))) for path in (one, other)]
    return seen[0] != seen[1] or len(seen[0]) > 1


def _marks(path: Iterable[Any]) -> list[Mark]:
    return [each.metadata[MARK] for each in path if MARK in each.metadata]


def _is_average(node: Any) -> bool:
    """Whether it is a mean over the examples of a batch."""
    if _name(node) not in ("Mean", "Sum") or MARK in node.metadata:
        return False
    return 0 in getattr(node, "_saved_dim", (0,))


def _is_softplus(node: Any) -> bool:
    """Whether it is log(1 + exp(x)), or log1p of that exponential."""
    path = [node]
    while len(path) <= 3 and len(_parents(path[-1])) == 1 and _name(path[-1]) in ("Log", "Log1P", "Add", "Rsub"):
        path.append(_parents(path[-1])[0])
    names = [_name(each) for each in path]
    return names[:3] == ["Log", "Add", "Exp"] or names[:2] == ["Log1P", "Exp"]


def _has_no_low_end(node: Any) -> bool:
    return _name(node) == "Clamp" and node._saved_min is None


def _targets(node: Any) -> dict[int, Target]:
    """What a square pulls scores of each kind to; empty where its graph does not say so."""
    path = list(_down(_parents(node), BELOW))
    marks = _marks(path)
    if _kind(node) != SQUARE or not marks or _is_packed(node._raw_saved_self):
        return {}
    rows = np.concatenate([np.repeat(each.rows, len(each.scores) // len(each.rows)) for each in marks])
    scores = np.concatenate([each.scores.cpu().numpy() for each in marks])
    found = _of_mse(node, scores) if _name(node) == "MseLoss" else _by_hand(node, path, scores)
    if found is None or len(rows) != len(scores):
        return {}
    at, targets = found
    rows = rows[at : at + len(targets)]
    chosen = {kind: targets[rows == kind] for kind in np.unique(rows).tolist()}
    return {
        kind: Target(float(each.mean()), len(each) / len(targets), _is_one_number(each, each))
        for kind, each in chosen.items()
    }


Found = tuple[int, np.ndarray] | None
"""Where among D's scores those begin that a function is given, and the target of each."""


def _of_mse(node: Any, scores: np.ndarray) -> Found:
    pair = [each.detach().flatten().float().cpu().numpy() for each in (node._saved_self, node._saved_target)]
    if len(pair[0]) != len(pair[1]):
        return None
    for given, target in (pair, pair[::-1]):
        for at in range(0, len(scores) - len(given) + 1, len(given)):
            if np.array_equal(scores[at : at + len(given)], given):
                return at, target
    return None


def _by_hand(node: Any, path: list[Any], scores: np.ndarray) -> Found:
    """Of (score - target) ** 2, or the other way round."""
    between = [each for each in path if MARK not in each.metadata]
    apart = [each for each in between if _name(each) in ("Sub", "Rsub", "Add")]
    if len(apart) > 1 or not all(each in apart or _name(each) in SHAPES for each in between):
        return None
    given = node._saved_self.detach().flatten().float().cpu().numpy()
    is_turned = bool(apart) and (_name(apart[0]) == "Rsub" or (_name(apart[0]) == "Sub" and not _comes_first(apart[0])))
    places = range(0, len(scores) - len(given) + 1, len(given))
    targets = [(at, scores[at : at + len(given)] + (given if is_turned else -given)) for at in places]
    if len(targets) > 1:  # a part of a batch of both, which its target tells from other parts
        targets = [(at, each) for at, each in targets if _is_one_number(each, given)]
    return targets[0] if len(targets) == 1 else None


def _is_one_number(targets: np.ndarray, given: np.ndarray) -> bool:
    """Whether all are, but for the rounding of what they were computed of."""
    return bool(targets.std() <= SAME_TARGET * (1 + np.abs(given).max()))


def _comes_first(node: Any) -> bool:
    """Whether scores are the first of two operands."""
    first = node.next_functions[0][0]
    return first is not None and bool(_marks(_down([first], BELOW)))


def _classes_of(node: Any) -> Tensor | None:
    """What the logarithm of a softmax, or of another node's probabilities, came to."""
    if _name(node) == "LogSoftmax":
        return None if _is_packed(node._raw_saved_result) else node._saved_result.detach()
    below = _parents(node)
    if not below or _name(below[0]) != "Softmax" or _is_packed(node._raw_saved_self):
        return None
    return node._saved_self.detach().log()


def _attributes_of(node: Any) -> Tensor | None:
    """The cross-entropy of several attributes of each example, `(B, K)`."""
    if _is_packed(node._raw_saved_self) or _is_packed(node._raw_saved_target):
        return None
    given, labels = node._saved_self.detach(), node._saved_target.detach()
    if given.dim() != 2 or given.shape[1] < 2:
        return None
    weights = {"weight": node._saved_weight, "reduction": ("none", "mean", "sum")[node._saved_reduction]}
    if _name(node) == "BinaryCrossEntropy":
        return F.binary_cross_entropy(given, labels, **weights)
    return F.binary_cross_entropy_with_logits(given, labels, pos_weight=node._saved_pos_weight, **weights)


def _is_packed(saved: Any) -> bool:
    """Whether something else unpacks it, as a checkpoint does, and only once."""
    return saved.unpack_hook is not None


def _add_up(node: Any, output: Tensor, found: Beside, factor: float) -> None:
    """Ask for what a node's output adds to the loss, which is linear in it."""

    def arrived(gradients: Any) -> None:
        handle.remove()
        if gradients and gradients[0] is not None:
            gradient = gradients[0].detach().double()
            found.value = (gradient * output.double())[gradient != 0].sum() * factor

    handle = node.register_prehook(arrived)


def _weigh(node: Any, term: Term, factor: float) -> None:
    """Ask for a term's weight, which is what the gradient of its mean is."""
    is_below = (_name(node) in BELOW_0 and not _is_softplus(node)) or _has_no_low_end(node)
    size = -1.0 if is_below else 1.0
    if getattr(node, "_saved_reduction", None) == SUM:
        size *= float(node._saved_self.numel())

    def arrived(gradients: Any) -> None:
        handle.remove()
        if gradients and gradients[0] is not None:
            term.weight = gradients[0].detach().double().sum() * size * factor

    handle = node.register_prehook(arrived)
