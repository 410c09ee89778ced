"""Shards trained by real processes: killed, asked to stop, started by torchrun and by Ray."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.training.distributed.channel import SharedFolder
from sparring.training.distributed.ray import Mailbox
from sparring.training.distributed.shards import Job, Shard
from sparring.training.distributed.status import Session, Status
from tests.sharded_runs import ROUNDING, alone, assert_of_its_shards, assert_same, in_shards

ROOT = Path(__file__).parents[2]


def workers() -> list[int]:
    """Processes that train shards for this one."""
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [
        int(pid)
        for pid in text.split()
        if b"sparring.training.distributed.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


SLOW_RECIPE = """
import os, time
from dataclasses import replace
from sparring.recipe import Recipe, find_recipe

def takes_its_time(game):
    if "SLOWLY" in os.environ:
        time.sleep(0.01)

def slow() -> Recipe:
    base = find_recipe("pattern-1010").replace(rounds=1_000, log_points=10, seeds=4)
    return replace(base, name="", round=(*base.round, takes_its_time))
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds its processes as Linux tells them")
def test_a_worker_is_killed_and_all_are_stopped_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "slow.py"
    file.write_text(SLOW_RECIPE)
    recipe = find_recipe(str(file))
    monkeypatch.setenv("SLOWLY", "1")
    begun: list[int] = []

    def kill_one(session: Session) -> None:
        if not begun and session.round > 10:
            begun.extend(workers())
            os.kill(begun[0], signal.SIGKILL)
        elif (
            begun
            and not session.stopping
            and sum(session.deaths.values())
            and all(status.rounds_per_second for status in session.statuses.values())
        ):
            os.kill(os.getpid(), signal.SIGINT)

    run = in_shards(recipe, tmp_path / "run", 2, session_watchers=[kill_one])
    assert run.story.status == "stopped"
    assert 0 < run.story.round < recipe.rounds
    assert not workers()
    monkeypatch.delenv("SLOWLY")
    assert (in_shards(recipe, run.path, 2).story.status, run.story.round) == ("finished", recipe.rounds)
    assert [log.read_text() for log in sorted(run.shards.glob("*.log"))] == ["", ""]  # workers print no warnings
    assert_of_its_shards(run, [alone(recipe.replace(seeds=pair), tmp_path / f"{pair}") for pair in ((0, 1), (2, 3))])


def in_ranks(folder: Path, *flags: str) -> RunFolder:
    """The command in two processes, as torchrun starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    channel = [sys.executable, "-m", "sparring", "train", *flags, "--threads", "1", "--out", str(folder), "--json"]
    env = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            channel,
            cwd=ROOT,
            env={**os.environ, **env, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for rank in range(2)
    ]
    said = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert json.loads(said[0][0])["run"] == str(folder)
    assert not said[1][0]  # the first speaks for all
    return RunFolder.open(folder)


@pytest.mark.slow
@pytest.mark.parametrize("over", ["files", "an actor"])
def test_a_shard_past_the_round_to_stop_after_raises_it_for_all(tmp_path: Path, over: str) -> None:
    """Else the run would have weights of no round that all shards have come to."""
    stop, mailbox = tmp_path / "stop", Mailbox()

    def ask(round: int) -> None:
        mailbox.stop(round) if over == "an actor" else stop.write_text(str(round))

    def report(number: int, round: int) -> int | None:
        status = Status(round)
        if over == "an actor":
            return mailbox.report(number, status.plain())
        return SharedFolder(tmp_path / f"{number:03d}").report(status)

    assert report(0, 700) is None
    ask(1000)
    assert (report(1, 600), report(0, 1300), report(1, 900)) == (1000, 1300, 1300)
    ask(0)
    assert (report(0, 1400), report(1, 1000)) == (0, 0), "to stop at once is to stop at once"


def test_torchrun_distributes_members(tmp_path: Path) -> None:
    recipe = find_recipe("pattern-1010").replace(rounds=200, log_points=4, seeds=3)
    run = in_ranks(tmp_path / "run", "pattern-1010", "--rounds", "200", "--log-points", "4", "--seeds", "3")
    assert_same(run, alone(recipe, tmp_path / "whole"), ROUNDING)
    assert (run.about["processes"], len(list(run.shards.glob("*/recipe.json")))) == (2, 2)


@pytest.mark.slow
def test_torchrun_shares_batches_where_there_are_fewer_seeds(tmp_path: Path) -> None:
    recipe = find_recipe("digits").replace(rounds=40, log_points=4, batch=8, samples_per_grid=4)
    flags = ["digits", "--rounds", "40", "--log-points", "4", "--batch", "8", "--samples-per-grid", "4"]
    run = in_ranks(tmp_path / "run", *flags)
    assert_same(run, alone(recipe, tmp_path / "whole"), ROUNDING)
    assert (run.about["processes"], run.sharded) == (2, False)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs Ray: pip install 'sparring[cluster]'")
@pytest.mark.parametrize("shared", [True, False], ids=["one folder", "folders of their own"])
def test_ray_trains_shards_and_survives_the_loss_of_a_worker(
    shared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparring.training.distributed import ray as on_ray

    monkeypatch.setenv("RAY_worker_niceness", "0")
    start = on_ray.RayWorkers.start

    def on_a_host_that_sees_nothing(workers: on_ray.RayWorkers, shard: Shard, job: Job) -> None:
        (shard.folder.parent / "token").write_text("another run's")
        start(workers, shard, job)

    if not shared:
        monkeypatch.setattr(on_ray.RayWorkers, "start", on_a_host_that_sees_nothing)
    recipe = find_recipe("pattern-1010").replace(rounds=2_000, log_points=10, seeds=4)
    killed: list[int] = []

    def kill_one(session: Session) -> None:
        if not killed and session.round > 10:
            found = subprocess.run(["pgrep", "-f", "ray::train_shard"], capture_output=True, text=True, check=True)
            killed.append(int(found.stdout.split()[0]))
            os.kill(killed[0], signal.SIGKILL)

    run = in_shards(recipe, tmp_path / "run", 2, on="ray", session_watchers=[kill_one])
    assert killed
    assert run.story.status == "finished"
    assert_of_its_shards(run, [alone(recipe.replace(seeds=pair), tmp_path / f"{pair}") for pair in ((0, 1), (2, 3))])
