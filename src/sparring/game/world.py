"""Which process am I, and how do processes agree? One, or several that share every batch.

A population's members are never split here: every process holds all P of them, draws the chance of the whole batch and
sees its own share of the examples, and gradients are averaged before a step. So N processes are one process with the
same total batch. What looks at several examples at once asks for the whole batch, and autograd finds its way back
through that to every process.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch import distributed as processes

from sparring.errors import SparringError


@dataclass(frozen=True)
class World:
    """`size` processes, of which this is number `rank`."""

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes the journal, the weights and the pictures."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """This process's examples of a whole batch, `(P, B, ...)` -> `(P, B / size, ...)`: neighbors stay together."""
        return batch if self.size == 1 else batch.chunk(self.size, 1)[self.rank]

    def all_gather(self, share: Tensor) -> Tensor:
        """The whole batch, of which every process gives its share: `(P, B / size, ...)` -> `(P, B, ...)`."""
        if self.size == 1:
            return share
        rest = [torch.zeros_like(share)] * self.size
        return self.all_reduce(torch.cat([*rest[: self.rank], share, *rest[self.rank + 1 :]], 1))

    def all_reduce(self, numbers: Tensor) -> Tensor:
        """Summed over processes, in each of them. What is made of the sum anywhere can be differentiated everywhere."""
        return numbers if self.size == 1 else _Total.apply(numbers)  # pyright: ignore[reportReturnType]

    def mean(self, numbers: Tensor) -> Tensor:
        """The mean over processes, likewise."""
        return numbers if self.size == 1 else self.all_reduce(numbers) / self.size

    def mean_gradients(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Gradients averaged over processes, in order: one message for all of them."""
        if self.size == 1:
            return gradients
        flat = torch.cat([gradient.detach().flatten() for gradient in gradients])
        pieces = self.mean(flat).split([gradient.numel() for gradient in gradients])
        return [piece.view_as(gradient) for piece, gradient in zip(pieces, gradients, strict=True)]

    def any(self, said: bool) -> bool:
        """Whether any process says so: all come to the same answer."""
        if self.size == 1:
            return said
        votes = torch.tensor([float(said)], device="cuda" if processes.get_backend() == "nccl" else "cpu")
        return bool(self.all_reduce(votes).item())

    def barrier(self) -> None:
        """Returns once every process has come here."""
        self.any(False)


ALONE = World()


class _Total(torch.autograd.Function):
    """y = sum over processes of x. Its derivative is a sum over processes again, and so open to differentiation."""

    @staticmethod
    def forward(ctx: Any, numbers: Tensor) -> Tensor:
        total = numbers.clone(memory_format=torch.contiguous_format)
        processes.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _Total.apply(gradients[0])  # pyright: ignore[reportReturnType]


def world_from_env() -> World:
    """Where torchrun has put this process; rank 0 of 1 without it. Nothing is connected yet."""
    return World(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


def local_device(device: str) -> str:
    """`cuda` is each process's own GPU of its machine."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if device == "cuda" else device


@contextmanager
def process_group(world: World, device: str = "cpu") -> Generator[World]:
    """For as long as this lasts the processes can hear one another: through gloo, or NCCL on GPUs.

    Raises SparringError when another process is gone.
    """
    if world.size == 1:
        yield world
        return
    if device != "cpu":
        torch.cuda.set_device(device)
    processes.init_process_group("gloo" if device == "cpu" else "nccl", rank=world.rank, world_size=world.size)
    try:
        yield world
    except RuntimeError as error:
        if not _is_of_connection(error):
            raise
        raise SparringError("another process of this run is gone; start all again to go on") from error
    finally:
        processes.destroy_process_group()


def _is_of_connection(error: RuntimeError) -> bool:
    return isinstance(error, processes.DistError) or "gloo" in str(error) or "NCCL" in str(error)
