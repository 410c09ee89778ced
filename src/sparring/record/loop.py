"""What a watch has seen of a user's own training loop, as the journal keeps it. Loads no torch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

Who = Literal["G", "D"]
BYTES = 3.0
"""Pixels above this are not scaled to [0, 1] or [-1, 1], nor standardized."""
ONE_EXAMPLE = 0.1
"""Standard deviation up to which real examples are nearly one, half of how near to a target counts as near."""
UNORDERED = 6.0
"""Variance of batches' means over that of random batches, up to which these may be in no order."""
SAME_ROWS = "same rows"
"""Stands for a distribution where each batch has one latent vector alone, in all of its rows."""
GENERATOR, EXAMPLES, INPUTS = "generator.json", "examples.safetensors", "inputs.safetensors"
"""Files of a watched run: the operations of its generator, some of the real examples, and where what G is fed follows
no law that has a name, some of that."""


@dataclass(frozen=True)
class Line:
    """A line of the user's program."""

    file: str
    number: int
    code: str = ""
    """Its text, stripped; empty where the source cannot be read."""

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


@dataclass(frozen=True)
class LossCall:
    """A call of one of torch's loss functions on D's scores."""

    player: str
    """Whose step it led to: `G` or `D`."""
    function: str
    """`binary_cross_entropy`, `mse_loss`, ..."""
    sees: str
    """`real`, `fake`, or `both`: what D scored."""
    probability: bool
    """Whether the scores had passed a sigmoid or a softmax."""
    target: float | None = None
    """The mean label that the scores are compared with."""
    score_shape: tuple[int, ...] = ()
    target_shape: tuple[int, ...] = ()
    line: Line | None = None
    ends: tuple[float, float] | None = None
    """Smallest and largest score that it was given; None in runs of older versions."""
    unchanged: bool = True
    """Whether these were D's outputs as they are, or 1 less them."""


@dataclass(frozen=True)
class OptimizerFacts:
    """One optimizer, and whose weights it holds."""

    player: str
    kind: str
    """Its class: `Adam`."""
    lr: float
    """Its learning rate at last."""
    own: int
    """How many parameters of its own player it holds."""
    others: int
    """How many of the other player; of one that is `both` players', how many of those this player's loss moves."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Its other numbers: betas, momentum, weight decay."""
    highest: float | None = None
    """The highest learning rate that it has had; None in runs of older versions."""
    rises: bool = False
    """Whether it was rising when last seen, or few steps were seen: a warm-up begins at 0."""
    rose: int = -1
    """The step of its player at which it rose to this learning rate; -1 where it did not."""
    fell: int = -1
    """The step at which it first fell, where it had not risen before; -1 where it had, or has not fallen."""
    idle: int = -1
    """The step from which on it was a thousandth of the highest, or less; -1 where it is more."""
    both: bool = False


@dataclass(frozen=True)
class Batches:
    """What the batches of real examples are like."""

    shape: tuple[int, ...] = ()
    """Of one example."""
    size: int = 0
    """Examples in a batch."""
    parts: int = 0
    """Of how many batches D adds up gradients before it steps; 0 where that is not known."""
    dtype: str = ""
    quantiles: tuple[float, ...] = ()
    """Minimum, 1 %, median, 99 %, maximum over all values."""
    distinct: int = 0
    """Distinct values, counted up to 1,000."""
    repeats: float = 0.0
    """Share of batches that equal the batch before."""
    one_tensor: bool = False
    """Whether every batch was the very same tensor in memory."""
    total: int = 0
    """How many real examples there are; 0 where the watch was not given them."""
    labeled: bool = False
    """Whether the run keeps the class of each real example that it keeps."""
    given_differ: bool = False
    """Whether the watch was given other examples than D, and not the same ones on another scale."""
    spread: float | None = None
    """Variance of the batches' means over what it would be if each batch were drawn at random: 1 for shuffled data."""
    trend: float = 0.0
    """The same of what moves one way as training goes on, which `spread` leaves out; 0 for nothing."""
    renewed: bool = False
    """Whether the run keeps real examples of its last rounds, which are alike, in place of its first."""
    mean: tuple[float, ...] = ()
    """The mean example, where one is a few numbers."""
    deviation: float | None = None
    """The largest standard deviation of these numbers over examples."""
    wraps: Line | None = None
    """Where arithmetic on whole numbers of 8 bits came out as such, and so went round at 256."""
    line: Line | None = None
    """Where D is given real examples."""

    @property
    def may_be_all(self) -> bool:
        """Whether a batch that comes again and again may be all the examples there are."""
        return self.size >= self.total if self.total else self.one_tensor

    @property
    def changes(self) -> bool:
        """Whether what D is given moves one way as training goes on, and the run keeps none of what it is given now."""
        return self.trend > UNORDERED and not self.total and not self.renewed

    @property
    def are_images(self) -> bool:
        """Whether examples are images, `(C, H, W)` with one to four channels."""
        return len(self.shape) == 3 and self.shape[0] <= 4

    @property
    def are_patterns(self) -> bool:
        """Whether examples are a few numbers from 0 to 1, and nearly one pattern of these, as 1, 0, 1, 0."""
        levels = self.quantiles and self.quantiles[0] >= 0 and self.quantiles[-1] <= 1
        return bool(levels) and self.deviation is not None and self.deviation <= ONE_EXAMPLE

    @property
    def span(self) -> tuple[float, float]:
        """The numbers that stand for black and white; (0, 1) for what is no image."""
        if not (self.are_images and self.quantiles):
            return 0.0, 1.0
        low, high = self.quantiles[0], self.quantiles[-1]
        if high > BYTES:
            return (0.0, 255.0) if low > -BYTES else (-127.5, 127.5)
        return (-1.0, 1.0) if low < -0.01 else (0.0, 1.0)


@dataclass(frozen=True)
class Latents:
    """What G is fed."""

    shape: tuple[int, ...] = ()
    """Of one latent vector."""
    law: str = ""
    """`normal`, `uniform`, `constant`, SAME_ROWS, or `` where it is none of these."""
    low: float = 0.0
    high: float = 0.0
    repeats: float = 0.0
    """Share of G's training batches that were fed the very same latent vectors as the batch before."""
    own_repeats: float = 0.0
    """The same of the batches of G's own steps alone, where D's steps have others."""
    own_renewed: bool = False
    """Whether those of G's own steps were others at some time; False in runs of older versions."""
    classes: int = 0
    """Classes that G is given beside them; 0 for none."""
    shares: tuple[float, ...] = ()
    """How often it is given each, as a share; empty where about equally often, and in runs of older versions."""
    unbatched: bool = False
    """Whether G is given one vector at a time, without an axis for the batch."""
    one_hot: bool = False
    """Whether classes are given as one-hot vectors rather than numbers."""
    conditions: bool = False
    """Whether G is given more that samples should follow, and no judge knows: classes as a part of the latent vectors,
    or attributes beside them."""
    line: Line | None = None
    """Where G is called."""


@dataclass(frozen=True)
class Targets:
    """The numbers that losses of least squares pull D's scores to."""

    real: float = 1.0
    """D's loss those of real examples."""
    fake: float = 0.0
    """And those of generated ones."""
    g: float | None = None
    """G's loss those of generated ones; None where that is not known."""
    share: float = 0.5
    """The weight of real examples in D's loss, as a share."""

    @property
    def undecided(self) -> float:
        """The score of both kinds where D cannot tell."""
        return self.share * self.real + (1 - self.share) * self.fake

    @property
    def d_loss(self) -> float:
        """D's mean loss of these scores."""
        of_real, of_fake = (self.undecided - self.real) ** 2, (self.undecided - self.fake) ** 2
        return self.share * of_real + (1 - self.share) * of_fake


@dataclass(frozen=True)
class PlayerFacts:
    """One player's network and its steps."""

    name: str = ""
    """The class of its module."""
    parameters: int = 0
    ends_in: str = ""
    """The last function that changes values: `sigmoid`, `tanh`, `relu`, ...; empty for none."""
    range: tuple[float, float] | None = None
    """Smallest and largest output so far."""
    steps: float = 0.0
    """Optimizer steps in a round."""
    frozen: tuple[str, ...] = ()
    """Parameters that no gradient reaches, or that are not to be trained."""
    left_out: tuple[str, ...] = ()
    left_out_share: float = 0.0
    """Parameters that its loss has gradients for and no optimizer holds, and their share of all that ask for them."""
    moved: float | None = None
    """Share of its parameters that its steps change, of those that are used and have a gradient to follow."""
    update: float | None = None
    """Size of a step over the size of the weights."""
    constant: tuple[str, ...] = ()
    """Weights of two or more axes that began with one and the same value everywhere."""
    in_eval: tuple[str, ...] = ()
    """Modules that were in evaluation mode while the player trained; `` stands for the network itself."""
    no_gradient: bool = False
    """Whether its step came with no gradient at all."""
    stale: str = ""
    """Whose earlier gradients were still there at its step: `own`, `other`; empty for none."""
    stale_line: Line | None = None
    lost: str = ""
    """What its steps learn nothing of, since gradients are cleared: `real`, `fake` or `all`; empty for nothing."""
    lost_line: Line | None = None
    """Where the next one is; None for `all`."""
    learns_of: tuple[str, ...] = ()
    """What the losses of D's steps depend on: `real`, `fake`, `both`, or `` where unknown; empty in older runs."""
    step_line: Line | None = None
    terms: tuple[str, ...] = ()
    """What its losses are made of: `logits`, `probabilities`, `hinge`, `square`, `linear` or `other` functions of D's
    scores, or `logits of pairs`, `of averages` and so on where they are given differences; `classes` for a
    cross-entropy of classes beside these, which its curve leaves out. Empty if not known, and of G in older runs."""
    on_real: float | None = None
    """Sign of the gradient of its loss with respect to D's scores of real examples, from -1 (raise them) to 1, averaged
    over steps; None before there are a few."""
    on_fake: float | None = None
    """The same for generated examples."""
    loss_line: Line | None = None
    """Where its loss is back-propagated."""
    retains: bool = False
    """Whether its backward keeps the graph."""
    rebuilds: bool = False
    """Whether it gives examples of the shape that it is given: of D, that it is an autoencoder."""


@dataclass(frozen=True)
class LoopFacts:
    """One loop."""

    g: PlayerFacts = PlayerFacts()
    d: PlayerFacts = PlayerFacts()
    losses: tuple[LossCall, ...] = ()
    optimizers: tuple[OptimizerFacts, ...] = ()
    data: Batches = Batches()
    latent: Latents = Latents()
    makes: tuple[int, ...] = ()
    """The shape of an example that G makes; D may be given more: a condition beside it, or several at once."""
    alike: bool = False
    """Whether the examples of each of G's batches were all the same."""
    shared: int = 0
    """Parameters that both players hold."""
    d_loss_reaches_g: bool = False
    """Whether D's loss sends gradients into G."""
    d_loss_scale: float = 2.0
    """D's loss over the mean of its losses on real and on generated examples: 2 where both are added."""
    g_loss_scale: float | None = None
    """G's loss over its loss on generated examples: 2 where a relativistic one on real examples is added; None where
    that is not known."""
    targets: Targets | None = None
    """Of losses of least squares; None where that is not known, and in runs of older versions."""
    fake_line: Line | None = None
    """Where D scores generated examples in its own step."""
    cut: Line | None = None
    """Where generated examples leave the graph on their way to G's loss."""
    cut_by: str = ""
    """How: `detach`, `data`, `numpy`, `item`, `no_grad`, or `round` for a function without a slope."""
    cut_beside: bool = False
    """Whether all that G's losses make of D's scores is cut off so, whatever else is in them."""
    broadcast: Line | None = None
    """Where (B, 1) and (B,) became (B, B)."""
    penalties: int = 0
    """Gradients of D's scores that were taken for a penalty, in a round."""
    penalties_used: bool = True
    """Whether any of them reached a loss, as something to learn from."""
    penalty_line: Line | None = None
    graphs_kept: int = 0
    """Losses of earlier rounds that something still holds, with their graphs."""
    error: str = ""
    """The exception that ended the loop, in one line."""
    error_line: Line | None = None

    @property
    def comparable(self) -> bool:
        """Whether D is given real examples of the shape that G makes."""
        return not self.makes or self.makes == self.data.shape

    @property
    def target(self) -> tuple[float, ...] | None:
        """The mean real example, where G is always fed the same number and so can make but one example; else None.

        Only where real examples are nearly that one: the mean of examples that vary is like none of them. Of numbers
        between -1 and 1 alone: how near to the target counts as near is stated for such.
        """
        ends = self.data.quantiles[:1] + self.data.quantiles[-1:]
        is_known = self.latent.law == "constant" and self.comparable and ends and max(map(abs, ends)) <= 1
        deviation = self.data.deviation
        return (self.data.mean or None) if is_known and deviation is not None and deviation <= ONE_EXAMPLE else None

    def player(self, who: str) -> PlayerFacts:
        """Of `G` or `D`."""
        return self.g if who == "G" else self.d

    def plain(self) -> dict[str, Any]:
        """For the journal."""
        return _writable(dataclasses.asdict(self))

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> LoopFacts:
        """The inverse of `plain`; fields that this version does not know are left out."""
        return cast(LoopFacts, _decoded(cls, data))


_LINES = (
    "line", "wraps", "stale_line", "lost_line", "step_line", "loss_line", "fake_line", "cut", "broadcast",
    "penalty_line", "error_line",
)  # fmt: skip
_NESTED: dict[str, type] = {
    **dict.fromkeys(_LINES, Line),
    "g": PlayerFacts,
    "d": PlayerFacts,
    "losses": LossCall,
    "optimizers": OptimizerFacts,
    "data": Batches,
    "latent": Latents,
    "targets": Targets,
}
"""Field -> the class of what it holds."""


def _writable(value: Any) -> Any:
    """The same with numbers that are not finite, which JSON does not have, as `{"float": "nan"}`."""
    if isinstance(value, dict):
        return {name: _writable(each) for name, each in cast(dict[str, Any], value).items()}
    if isinstance(value, list | tuple):
        return [_writable(each) for each in cast(list[Any], value)]
    return {"float": str(value)} if isinstance(value, float) and not math.isfinite(value) else value


def _read(value: Any) -> Any:
    """The inverse, with tuples for lists."""
    if isinstance(value, list):
        return tuple(map(_read, cast(list[Any], value)))
    if not isinstance(value, dict):
        return value
    entries = cast(dict[str, Any], value)
    return float(entries["float"]) if entries.keys() == {"float"} else {name: _read(v) for name, v in entries.items()}


def _decoded(kind: type, data: Any) -> Any:
    if isinstance(data, list | tuple):
        return tuple(_decoded(kind, each) for each in cast(list[Any], data))
    if not isinstance(data, dict):
        return data
    known = {f.name for f in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for name, value in cast(dict[str, Any], data).items():
        nested = None if name == "data" and kind is not LoopFacts else _NESTED.get(name)
        if name not in known:
            continue
        if nested is not None:
            values[name] = _decoded(nested, value)
        else:
            values[name] = _read(value)
    return kind(**values)
