"""A round on a GPU as one CUDA graph: the processor asks once a round for all of its hundreds of kernels.

What is captured is the round that `tracing.py` wrote down, and reads from fixed places in the GPU's memory: the game's
own tensors, and for what changes from round to round a place of its own, filled before each replay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sparring.game.compile.tracer import Code, Traced

Round = Callable[[], Sequence[Tensor]]
"""Plays the round on fixed tensors, and gives its figures in fixed tensors."""
WARM_UP = 3
"""Plays before the one that is captured: libraries choose their kernels in the first."""


def cuda_graph_of(traced: Traced, device: torch.device, capture: Callable[[Round], Round] | None = None) -> Code:
    """A round as one call, of inputs in the order of `traced.inputs`; only draws and numbers are read from them.

    It is played a few times over while it is captured, so that the game has to be put back afterwards.
    """
    changing = [at for at, _ in (*traced.draws, *traced.numbers)]
    held = [t.detach() for t in traced.inputs]
    for at in changing:
        held[at] = held[at].to(device, copy=True)
    replay = (capture or cuda_graph)(lambda: traced.graph(*held))

    def play(inputs: list[Tensor]) -> Sequence[Tensor]:
        for at in changing:
            held[at].copy_(inputs[at], non_blocking=True)
        return [figures.clone() for figures in replay()]

    return play


def cuda_graph(round: Round) -> Round:
    """Capture it; the stream that it warms up on is another than the program's, as CUDA asks."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP):
            round()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        figures = round()

    def replay() -> Sequence[Tensor]:
        graph.replay()
        return figures

    return replay
