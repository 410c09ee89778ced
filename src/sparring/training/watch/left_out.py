"""Weights that a player's loss has gradients for, and that no optimizer moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sparring.record.loop import Who
from sparring.training.watch.examination import parameters_in

MIN_STEPS = 8
"""Steps after which weights that have not moved have nobody who moves them now and then."""
FEW = 4_096
"""Numbers of each weight, and of its gradient, that are compared."""


class LeftOut:
    """What stays where it began, though it asks for gradients and gets them from its own player's loss.

    An optimizer that the watch was not given moves its weights, and a part in evaluation mode, whose statistics stay,
    is frozen on purpose.
    """

    def __init__(self) -> None:
        self._began: dict[tuple[Who, str], Tensor] = {}
        self._gradients: dict[tuple[Who, str], Tensor] = {}
        """At the last step of either player."""
        self._steps = Counter[tuple[Who, str]]()
        self._cared_for: set[tuple[Who, str]] = set()
        """What is in an optimizer, or has moved."""
        self._sizes: dict[Who, dict[str, int]] = {}
        """How many numbers each weight has that asks for a gradient."""

    def see(self, who: Who, players: Mapping[Who, nn.Module], optimizers: Mapping[Who, Sequence[Optimizer]]) -> None:
        """A player is about to make a closely watched step."""
        listed = set[int]().union(*(parameters_in(each) for each in optimizers.values()))
        for each, net in players.items():
            if each == who:  # between its steps a player may be frozen for a while
                self._sizes[who] = {name: p.numel() for name, p in net.named_parameters() if p.requires_grad}
            for name, p in _asking(net):
                key = each, name
                if key in self._cared_for:
                    continue
                now = _some(p)
                if id(p) in listed or not torch.equal(now, self._began.setdefault(key, now)):
                    self._cared_for.add(key)
                    continue
                # What the other player's loss left there is no gradient of this one's.
                before, gradient = self._gradients.pop(key, None), None if p.grad is None else _some(p.grad)
                if gradient is None:
                    continue
                self._gradients[key] = gradient
                is_new = before is None or not torch.equal(gradient, before)
                self._steps[key] += each == who and is_new and bool(p.grad is not None and p.grad.any())

    def found(self, who: Who) -> dict[str, Any]:
        """Such weights of a player, and their share of all numbers of it that ask for gradients, as its facts."""
        sizes = self._sizes.get(who, {})
        names = (name for name in sizes if self._steps[who, name] >= MIN_STEPS and (who, name) not in self._cared_for)
        some = tuple(names)
        share = sum(sizes[name] for name in some) / max(1, sum(sizes.values()))
        return {"left_out": some, "left_out_share": share}


def _asking(net: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Weights that ask for gradients, of parts in training mode where the whole is."""
    still = {id(p) for m in net.modules() if net.training and not m.training for p in m.parameters(recurse=False)}
    return [(name, p) for name, p in net.named_parameters() if p.requires_grad and id(p) not in still]


def _some(values: Tensor) -> Tensor:
    """A few numbers of a tensor, copied."""
    if values.layout != torch.strided:
        return torch.zeros(0)
    flat = values.detach().flatten()
    return flat[:: max(1, len(flat) // FEW)].clone()
