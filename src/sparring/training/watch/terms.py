"""What a loss is made of: the functions that it applies to D's scores, and how much of each is in it.

Read from the graph of the loss, so that what a program computes of scores only to print it does not count.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
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
MARK = "sparring score"


@dataclass
class Term:
    """One function of scores in a loss."""

    kind: Kind
    compared: Compared = ""
    """Whether it is given differences of scores: one from another, from the mean of others, or of two means."""
    weight: float | Tensor = 0.0
    """By how much the loss grows with its mean, or falls where that is below 0, as a logarithm's is; known once the
    loss was back-propagated."""

    def __str__(self) -> str:
        return f"{self.kind} of {self.compared}" if self.compared else self.kind


def mark(score: Tensor, rows: np.ndarray) -> Tensor:
    """D's scores of examples of these kinds, `(B,)`, so that they are known in the graphs of losses."""
    if score.grad_fn is not None:
        score.grad_fn.metadata[MARK] = frozenset(rows.tolist())  # pyright: ignore[reportIndexIssue]
    return score


def terms_of(loss: Tensor, value: Tensor) -> list[Term]:
    """The terms of a loss that is about to be back-propagated; `value` is that loss before a GradScaler's factor."""
    last: Any = loss.grad_fn
    if MARK in last.metadata and loss.numel() > 1:
        return []  # scores themselves, which a checkpointed network sends back
    factor = 1.0
    if value is not loss:
        factor = float(value.detach().sum()) / (float(loss.detach().float().sum()) or math.inf)
    factor = factor if math.isfinite(factor) and factor else 1.0
    found: list[Term] = []
    for node in _down([loss.grad_fn], LINEAR_NODES, into_products=False):
        if MARK in node.metadata:
            found.append(Term(LINEAR))
        elif (_name(node) not in LINEAR_NODES or _is_product(node)) and _is_of_scores(node):
            found.append(Term(_kind(node), _compared(node)))
            _weigh(node, found[-1], factor)
    return found


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
    seen = [frozenset[int]().union(*(each.metadata.get(MARK, ()) for each in path)) for path in (one, other)]
    return seen[0] != seen[1] or len(seen[0]) > 1


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
