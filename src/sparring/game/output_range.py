"""Between which values a network's outputs can lie, whatever its weights become: G's examples, D's scores.

A network that ends in a well-known layer is read off that layer. Any other is tried: with weights far larger than any
that training gives, an output that is bounded comes to its bounds, and one that is not keeps growing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sparring.game.assembly import maker_of_discriminators, maker_of_generators
from sparring.game.runtime import preserving_torch_rng
from sparring.objectives import Objective
from sparring.recipe import Recipe

INF = math.inf
SHAPING = (nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout, nn.Dropout2d)
"""Layers that leave a bounded output bounded, as far as evaluation is concerned."""
UNBOUNDED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.LeakyReLU)
BOUNDS: dict[type[nn.Module], tuple[float, float]] = {
    nn.Sigmoid: (0.0, 1.0),
    nn.Hardsigmoid: (0.0, 1.0),
    nn.Softmax: (0.0, 1.0),
    nn.Tanh: (-1.0, 1.0),
    nn.Softsign: (-1.0, 1.0),
    nn.ReLU: (0.0, INF),
    nn.ReLU6: (0.0, 6.0),
    nn.Softplus: (0.0, INF),
    nn.LogSigmoid: (-INF, 0.0),
}
DRAWS, INPUTS = 4, 4
"""Random weights that are tried at either scale, and inputs for each."""
SCALE, MAX_EXPONENT = 30.0, 240.0
"""How much larger than the initial weights they are, and their square in the second trial; the power of ten below which
the product over all layers stays, for a network in double precision."""
GROWTH = 1.02
"""By how much an end must grow from the first trial to the second to count as open."""


@dataclass(frozen=True)
class OutputRange:
    """The lowest and the highest value that a network can give; infinite where it has no bound."""

    low: float = -INF
    high: float = INF

    def plain(self) -> list[float | None]:
        """For JSON: None for an open end."""
        return [end if math.isfinite(end) else None for end in (self.low, self.high)]


def output_ranges(recipe: Recipe) -> dict[str, OutputRange]:
    """Of G's examples as the networks have them, of D's scores, and of D(x), its output as the curves show it.

    They are named `generator`, `discriminator` and `d_output`; what could not be found out is left out.
    """
    shape = recipe.data.shape
    for trick in recipe.tricks:
        shape = trick.shape(shape)
    classes = recipe.classes
    tried = {
        "generator": (maker_of_generators(recipe), (recipe.latent.size + classes,), 0),
        "discriminator": (maker_of_discriminators(recipe), shape, classes),
    }
    found = {player: output_range(*each) for player, each in tried.items()}
    known = {player: each for player, each in found.items() if each is not None}
    scores = known.get("discriminator")
    return known if scores is None else {**known, "d_output": _d_output(recipe.objective, scores)}


def _d_output(objective: Objective, scores: OutputRange) -> OutputRange:
    """What a range of scores comes to in D(x), which a relativistic objective takes of differences of scores."""
    low, high = scores.low, scores.high
    if objective.relativistic:
        low, high = low - high, high - low
    ends = objective.output(torch.tensor([low, high], dtype=torch.float64))
    return OutputRange(float(ends[0]), float(ends[1]))


def output_range(make: Callable[[], nn.Module], takes: tuple[int, ...], classes: int = 0) -> OutputRange | None:
    """The range of a network's outputs over all weights and inputs; None where the network does not allow a trial.

    Args:
        make: Makes the network.
        takes: Shape of one input.
        classes: If not 0, the network takes one-hot classes `(B, classes)` as a second input.
    """
    with preserving_torch_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = make().eval()
        ending = _ending(network)
        if isinstance(ending, UNBOUNDED):
            return OutputRange()
        if isinstance(ending, nn.Hardtanh) and not isinstance(ending, nn.ReLU6):
            return OutputRange(ending.min_val, ending.max_val)
        if type(ending) in BOUNDS:
            return OutputRange(*BOUNDS[type(ending)])
        for dtype in (torch.float64, torch.float32):
            try:
                return _tried(network.to(dtype), takes, classes, dtype)
            except Exception:
                continue
    return None


def _ending(network: nn.Module) -> nn.Module:
    """The last layer of a sequence that changes values."""
    while isinstance(network, nn.Sequential):
        layers = [layer for layer in network if not isinstance(layer, SHAPING)]
        if type(network) is not nn.Sequential and type(network).forward is not nn.Sequential.forward:
            return network
        if not layers:
            break
        network = layers[-1]
    return network


def _tried(network: nn.Module, takes: tuple[int, ...], classes: int, dtype: torch.dtype) -> OutputRange | None:
    """By two trials, the second with far larger weights than the first."""
    small, large = (_extremes(network, takes, classes, dtype, power) for power in (1, 2))
    if not torch.isfinite(small).all() or torch.isnan(large).any():
        return None
    (low, high), (lowest, highest) = small.aminmax(), large.aminmax()
    if low == high:  # far from its initial weights it gives one value only, which says nothing of the others
        return None
    reach = max(abs(float(low)), abs(float(high)))
    room = (GROWTH - 1) * reach
    return OutputRange(-INF if lowest < low - room else float(lowest), INF if highest > high + room else float(highest))


def _extremes(network: nn.Module, takes: tuple[int, ...], classes: int, dtype: torch.dtype, power: int) -> Tensor:
    """Outputs for random inputs under random weights, SCALE to this power times as large as the initial ones."""
    weights = dict(network.named_parameters())
    exponent = MAX_EXPONENT if dtype == torch.float64 else MAX_EXPONENT / 8
    scale = min(SCALE, 10 ** (exponent / 2 / max(1, len(weights)))) ** power
    outputs: list[Tensor] = []
    for _ in range(DRAWS):
        x = scale * torch.randn(INPUTS, *takes, dtype=dtype)
        labels = (torch.eye(classes, dtype=dtype)[torch.arange(INPUTS) % classes],) if classes else ()
        outputs.append(functional_call(network, _random(weights, scale), (x, *labels)).flatten())
    return torch.cat(outputs)


def _random(weights: dict[str, nn.Parameter], scale: float) -> dict[str, Tensor]:
    """Initial weights, each row with a random sign, or random ones where all begin at 0."""
    made: dict[str, Tensor] = {}
    for name, weight in weights.items():
        signs = torch.empty(weight.shape[:1] + (1,) * (weight.ndim - 1)).bernoulli_(0.5).mul_(2).sub_(1)
        values = weight if weight.any() else torch.randn_like(weight)
        made[name] = scale * signs.to(weight) * values
    return made
