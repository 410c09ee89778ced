"""Law 8: a watched loop computes exactly what the unwatched one does."""

from __future__ import annotations

import random
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sparring.training.watch.session import Watch
from tests.loops import called, later, rarer, sound, wrapped
from tests.loops.sound import Loop

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch.compile's own
ROUNDS = 20
LOOPS = {**sound.LOOPS, **later.SOUND, **wrapped.LOOPS, **rarer.SOUND, **called.SOUND}


def everything(loop: Loop, watching: Any) -> list[torch.Tensor]:
    """All that a loop leaves behind: weights, buffers, and the state of every generator."""
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002 - the one that a user's loop draws from
    random.seed(3)
    g, d = loop(watching, ROUNDS)
    tensors = [t for net in (g, d) for t in net.state_dict().values()]
    others = [np.random.rand(3), np.array([random.random()])]  # noqa: NPY002
    return [*tensors, torch.get_rng_state(), *map(torch.from_numpy, others)]


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("name", LOOPS)
def test_watching_changes_no_bit(name: str, tmp_path: Path) -> None:
    watches: list[Watch] = []

    def watching(*players: Any, **more: Any) -> Watch:
        watches.append(Watch(*players, out=tmp_path / "run", **more))
        return watches[-1]

    alone = everything(LOOPS[name], lambda *_, **__: nullcontext())
    watched = everything(LOOPS[name], watching)
    assert watches[0].trouble is None
    assert all(torch.equal(a, b) for a, b in zip(alone, watched, strict=True))
    assert watches[0].run.story.round == ROUNDS and watches[0].run.story.status == "finished"
