"""The world of processes that share every batch (data parallelism), in the sense of `torch.distributed`.

Every process has all P members, draws the random numbers of the whole batch, computes on its own share of the examples,
and averages gradients with the others before each step. So N processes compute what one process with the same total
batch does. What depends on several examples at once gathers the whole batch; autograd differentiates through that.
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

from sparring.errors import SparringError, UsageError


@dataclass(frozen=True)
class World:
    """The number of processes, and which of them this is; the default is one process."""

    rank: int = 0
    """0 to `size` - 1."""
    size: int = 1
    """Number of processes."""

    @property
    def is_main(self) -> bool:
        """Whether this process writes the run's files."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """This process's share of a whole batch, `(P, B, ...)` -> `(P, B / size, ...)`: a contiguous slice."""
        return batch if self.size == 1 else batch.chunk(self.size, 1)[self.rank]

    def all_gather(self, share: Tensor) -> Tensor:
        """The whole batch, to which every process contributes its share: `(P, B / size, ...)` -> `(P, B, ...)`."""
        if self.size == 1:
            return share
        rest = [torch.zeros_like(share)] * self.size
        return self.all_reduce(torch.cat([*rest[: self.rank], share, *rest[self.rank + 1 :]], 1))

    def all_reduce(self, numbers: Tensor) -> Tensor:
        """The sum over processes, in each of them; differentiable, also twice."""
        return numbers if self.size == 1 else _AllReduce.apply(numbers)  # pyright: ignore[reportReturnType]

    def mean(self, numbers: Tensor) -> Tensor:
        """The mean over processes, in each of them; differentiable, also twice."""
        return numbers if self.size == 1 else self.all_reduce(numbers) / self.size

    def mean_gradients(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Gradients averaged over processes, in one message for all of them."""
        if self.size == 1:
            return gradients
        flat = torch.cat([gradient.detach().flatten() for gradient in gradients])
        pieces = self.mean(flat).split([gradient.numel() for gradient in gradients])
        return [piece.view_as(gradient) for piece, gradient in zip(pieces, gradients, strict=True)]

    def any(self, flag: bool) -> bool:
        """Whether the flag is true in any process; the result is the same in all."""
        if self.size == 1:
            return flag
        votes = torch.tensor([float(flag)], device="cuda" if processes.get_backend() == "nccl" else "cpu")
        return bool(self.all_reduce(votes).item())

    def barrier(self) -> None:
        """Wait until every process has called this."""
        self.any(False)


ALONE = World()


class _AllReduce(torch.autograd.Function):
    """y = sum of x over processes. Its backward is such a sum again, so it can be differentiated twice."""

    @staticmethod
    def forward(ctx: Any, numbers: Tensor) -> Tensor:
        total = numbers.clone(memory_format=torch.contiguous_format)
        processes.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _AllReduce.apply(gradients[0])  # pyright: ignore[reportReturnType]


def world_from_env() -> World:
    """The world that torchrun describes in the environment; one process without torchrun. Nothing is connected yet.

    Raises UsageError for variables that torchrun does not set so.
    """
    rank, size = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    if not (rank.isdecimal() and size.isdecimal() and int(rank) < int(size)):
        raise UsageError(f"the variables RANK={rank} and WORLD_SIZE={size} are not torchrun's: unset them")
    if int(size) > 1 and "MASTER_ADDR" not in os.environ:
        raise UsageError(f"WORLD_SIZE={size} is set as if by torchrun, but MASTER_ADDR is not: unset WORLD_SIZE")
    return World(int(rank), int(size))


def local_device(device: str) -> str:
    """The device of this process: `cuda` becomes its own GPU of its machine, by torchrun's LOCAL_RANK."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if device == "cuda" else device


@contextmanager
def process_group(world: World, device: str = "cpu") -> Generator[World]:
    """Connect the processes of a world for the duration of a block, through gloo or, on GPUs, NCCL.

    Raises:
        SparringError: Another process ended, or the connection to it is lost.
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
        raise SparringError("another process of this run ended; start all of them again to resume") from error
    finally:
        processes.destroy_process_group()


def _is_of_connection(error: RuntimeError) -> bool:
    return isinstance(error, processes.DistError) or "gloo" in str(error) or "NCCL" in str(error)
