"""A traced round as one CUDA graph: the CPU launches its hundreds of kernels with one call per round.

The graph reads from fixed addresses in the GPU's memory: from the game's own tensors, and, for inputs that change from
round to round, from static copies that are filled before each replay.
"""

# torch documents its foreach functions, but their names are private.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sparring.game.compile.tracer import Code, Traced
from sparring.game.game import Game

Round = Callable[[], Sequence[Tensor]]
"""Plays the round on fixed tensors, and returns its logged values in fixed tensors."""
WARM_UP = 3
"""Plays before the capture: libraries choose their kernels in the first."""


def on_gpu(game: Game) -> bool:
    """Whether a game's rounds are replayed as CUDA graphs, rather than compiled for the CPU."""
    return game.rng.device.type != "cpu"


def cuda_graph_of(traced: Traced, device: torch.device, capture: Callable[[Round], Round] | None = None) -> Code:
    """A round as one call that takes inputs in the order of `traced.inputs` and reads only draws and scalars from them.

    Capturing plays the round a few times, so the caller has to restore the game's state afterwards.
    """
    changing = [at for at, _ in (*traced.draws, *traced.scalars)]
    static = [t.detach() for t in traced.inputs]
    for at in changing:
        static[at] = static[at].to(device, copy=True)
    replay = (capture or cuda_graph)(lambda: traced.graph(*static))

    def play(inputs: list[Tensor]) -> Sequence[Tensor]:
        if changing:
            torch._foreach_copy_([static[at] for at in changing], [inputs[at] for at in changing], non_blocking=True)
        return [values.clone() for values in replay()]

    return play


def cuda_graph(round: Round) -> Round:
    """Capture a round after warming up on a side stream, as CUDA requires."""
    side_stream = torch.cuda.Stream()
    side_stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side_stream):
        for _ in range(WARM_UP):
            round()
    torch.cuda.current_stream().wait_stream(side_stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        values = round()

    def replay() -> Sequence[Tensor]:
        graph.replay()
        return values

    return replay
