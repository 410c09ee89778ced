"""Law 2: N processes that share every batch are one process with the same total batch.

Sums over a batch are added up in another order, so it holds to rounding, as law 1 does: in double precision, as the
largest difference in a tensor over the largest magnitude in it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sparring.errors import UsageError
from sparring.game.assembly import game_of
from sparring.game.moves import MODERN, d_sees_mixture, g_fools_d
from sparring.game.world import World
from sparring.recipe import Recipe, find_recipe
from sparring.rng import RandomStreams
from sparring.tricks.dragan import DRAGAN
from sparring.tricks.packing import Packing
from tests.laws.shared_batches import PROCESSES, cases, play

ROOT = Path(__file__).parents[2]
TOLERANCE = 1e-10


@pytest.fixture(scope="module")
def played(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the states of all cases lie, as each process of several saw them."""
    out = tmp_path_factory.mktemp("shared")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    script = [sys.executable, "-m", "tests.laws.shared_batches", str(data_dir), str(out)]
    variables = {"WORLD_SIZE": str(PROCESSES), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(script, cwd=ROOT, env={**os.environ, **variables}, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return out


@pytest.mark.parametrize("case", cases())
def test_processes_that_share_a_batch_are_one_process(case: str, played: Path, data_dir: Path) -> None:
    alone = play(cases()[case], data_dir)
    each = [dict(np.load(played / f"{case}-{rank}.npz")) for rank in range(PROCESSES)]
    for name, array in alone.items():
        for mine in each:
            scale = np.abs(array).max() or 1.0
            assert np.abs(mine[name] - array).max() <= TOLERANCE * scale, name
            np.testing.assert_array_equal(mine[name], each[0][name], err_msg=name)  # they never drift apart


def test_a_share_of_a_draw_is_that_of_its_examples() -> None:
    whole, rng = RandomStreams((3, 4)), RandomStreams((3, 4))
    shares = [rng.share(rank, 2) for rank in range(2)]
    for draw in ("uniform", "normal"):
        wanted = getattr(whole, draw)("noise", (6, 5))
        drawn: list[torch.Tensor] = []
        for share in shares:
            rng.begin(0)
            drawn.append(getattr(share, draw)("noise", (3, 5)))
        assert torch.equal(torch.cat(drawn, 1), wanted)
        whole.begin(0)


class Normalized(nn.Module):
    """A user's own: it looks across the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(64, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.line((x - x.mean(0)).flatten(1))


class ByItself(Normalized):
    """One that does not."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.line(x.flatten(1))


REFUSED = {
    "DRAGAN": {"tricks": (DRAGAN(),)},
    "d_sees_mixture": {"round": (d_sees_mixture, g_fools_d), "tricks": ()},
    "a batch of 7": {"batch": 7},
    "packing by 4": {"batch": 12, "tricks": (Packing(4),)},
    "D's network": {"discriminator": Normalized},
}


def shared(recipe: Recipe, tmp_path: Path) -> None:
    game_of(recipe, recipe.data.open(tmp_path, "cpu"), world=World(1, 2))


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_shared_is_refused_by_name(what: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=what):
        shared(find_recipe("digits").replace(**{"batch": 8, "round": MODERN, **REFUSED[what]}), tmp_path)


def test_a_users_own_network_that_treats_examples_one_by_one_is_not_refused(tmp_path: Path) -> None:
    shared(find_recipe("digits").replace(batch=8, discriminator=ByItself), tmp_path)
