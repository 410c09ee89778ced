"""A run whose members are distributed over processes is the run of one process, whatever becomes of them on the way.

Most tests use workers that train shards in this very process, one after the other; what real processes add, being
killed and being asked to stop, has a test of its own.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from torch import nn

import sparring.training.trainer
from sparring import report
from sparring.analysis.diagnosis import diagnose
from sparring.analysis.generators import sample
from sparring.cli.main import WRONG_USAGE
from sparring.cli.main import run as command
from sparring.errors import SparringError, UsageError
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.record.grid import LAYOUT
from sparring.record.joining import join
from sparring.record.story import CURVES, GRADIENTS
from sparring.training import Trainer, single
from sparring.training.chores.evaluate import Evaluate
from sparring.training.distributed import coordinator
from sparring.training.distributed.channel import SharedFolder, reported_status
from sparring.training.distributed.shards import Job, Shard, ShardPlan
from sparring.training.distributed.status import Session, Status
from sparring.training.distributed.worker import work
from sparring.training.distributed.workers import Exit, Workers
from sparring.training.prepare import Settings, prepare

ROOT = Path(__file__).parents[2]
SEEDS = (3, 5, 123456789012, 8, 1)
DIGITS = find_recipe("digits").replace(rounds=40, log_points=4, seeds=SEEDS, batch=8, samples_per_grid=4)
ROUNDING = 2e-3
"""float32 after 40 rounds; law 1 finds as much after 30."""


class Here(Workers):
    """Trains a shard at once, in this process, when it is started."""

    def __init__(self, plan: ShardPlan, n_workers: int):
        self.n_workers = min(n_workers, len(plan.shards))

    def start(self, shard: Shard, job: Job) -> None:
        work(job, shard.folder, SharedFolder(shard.folder))

    def status(self, shard: Shard) -> Status | None:
        return reported_status(shard.folder)

    def exited(self, shard: Shard) -> Exit | None:
        return Exit("its end", died=False)

    def stop(self, round: int) -> None:
        pass

    def shut_down(self) -> None:
        pass


class Lost(Here):
    """Every process dies before it has reported anything."""

    def start(self, shard: Shard, job: Job) -> None:
        pass

    def exited(self, shard: Shard) -> Exit | None:
        return Exit("signal 9 (Killed)", died=True)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordinator, "LocalWorkers", Here)
    monkeypatch.setattr(coordinator, "POLL_SECONDS", 0.0)


def content_of(run: RunFolder) -> dict[str, Any]:
    """All that does not depend on the time that things took."""
    story = run.story
    round, state = run.load() or (0, {})
    facts: dict[str, Any] = {f"curve {name}": story.curve(name) for name in (*CURVES, *GRADIENTS)}
    facts |= {f"state {name}": array for name, array in state.items()}
    for name in story.pictures:
        with Image.open(run.path / name) as picture:
            facts |= {name: np.asarray(picture) / 255, f"{name} layout": picture.info[LAYOUT]}
    facts |= {"logged": story.logged_rounds, "round": round, "status": story.status, "diverged": story.diverged}
    facts["log_points"] = [log_point["round"] for log_point in story.log_points if "picture" in log_point]
    facts["real-baseline"] = (story.real_baseline or {}).get("metrics")
    facts |= {f"in the end, {name}": values[-1] for name, values in story.evaluations[1].items()}
    return facts | {"outputs": None if story.outputs is None else story.outputs[1]}


def assert_same(run: RunFolder, whole: RunFolder, tolerance: float = 0.0) -> None:
    mine, theirs = content_of(run), content_of(whole)
    assert mine.keys() == theirs.keys()
    for name, value in theirs.items():
        if tolerance and isinstance(value, np.ndarray) and value.dtype.kind == "f":
            np.testing.assert_allclose(mine[name], value, rtol=tolerance, atol=tolerance, err_msg=name)
        else:
            np.testing.assert_equal(mine[name], value, err_msg=name)


def assert_of_its_shards(run: RunFolder, shards: list[RunFolder]) -> None:
    """Bit for bit."""
    mine, *theirs = ((each.load() or (0, {}))[1] for each in (run, *shards))
    for name, array in mine.items():
        each = [state[name] for state in theirs]
        np.testing.assert_array_equal(array, np.concatenate(each) if array.ndim else each[0], err_msg=name)


def in_shards(recipe: Recipe, folder: Path, processes: int = 3, **more: Any) -> RunFolder:
    return sparring.training.train(recipe, folder, processes=processes, threads=1, compile=False, **more)


def alone(recipe: Recipe, folder: Path) -> RunFolder:
    return sparring.training.train(recipe, folder, threads=1, compile=False)


@pytest.mark.usefixtures("here")
def test_a_sharded_run_is_the_run_in_one_process_and_reads_like_it(tmp_path: Path) -> None:
    """To rounding: of how many members a matrix product is changes the order in which it adds up, as in law 1."""
    run, whole = in_shards(DIGITS, tmp_path / "shards"), alone(DIGITS, tmp_path / "whole")
    assert_same(run, whole, ROUNDING)
    assert_of_its_shards(
        run, [alone(DIGITS.replace(seeds=s), tmp_path / f"{s}") for s in (SEEDS[:1], SEEDS[1:3], SEEDS[3:])]
    )
    assert (run.about["processes"], run.about["seeds"]) == (3, list(SEEDS))
    np.testing.assert_allclose(sample(run, 5), sample(whole, 5), atol=ROUNDING)
    assert diagnose(run).story.seeds == list(SEEDS)
    assert report.summary(run)["rounds"] == report.summary(whole)["rounds"]
    assert json.loads((run.shards / "plan.json").read_text())["seeds"] == [[3], [5, 123456789012], [8, 1]]
    assert in_shards(DIGITS, run.path).story.status == alone(DIGITS, run.path).story.status == "finished"


@pytest.mark.usefixtures("here")
def test_joining_again_changes_nothing(tmp_path: Path) -> None:
    run = in_shards(DIGITS.replace(rounds=10), tmp_path / "run", 2)
    before = content_of(run), (run.path / "journal.jsonl").read_bytes()
    join(run, [RunFolder(shard) for shard in sorted(run.shards.glob("0*")) if shard.is_dir()], "id")
    assert (run.path / "journal.jsonl").read_bytes() == before[1].replace(DIGITS.replace(rounds=10).id.encode(), b"id")
    np.testing.assert_equal(content_of(run), before[0])


class Score(nn.Module):
    """No chain: a lone member calls it itself, several go through vmap."""

    def __init__(self) -> None:
        super().__init__()
        self.channel = nn.Linear(64, 1)

    def forward(self, x: Any) -> Any:
        return self.channel(x.flatten(1)) * 2


def own_network() -> Recipe:
    return DIGITS.replace(rounds=8, discriminator=Score)


@pytest.mark.usefixtures("here")
def test_lone_members_of_a_users_own_network_are_joined_within_rounding(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from sparring.recipe import Recipe\nfrom tests.stories.test_distributed import own_network\n\n\n"
        "def mine() -> Recipe:\n    return own_network()\n"
    )
    recipe = find_recipe(str(file))
    run, whole = in_shards(recipe, tmp_path / "shards", 5), alone(recipe, tmp_path / "whole")
    assert_same(run, whole, ROUNDING)
    assert alone(recipe, run.path).story.status == "finished"


@pytest.mark.usefixtures("here")
def test_a_shard_whose_members_are_all_lost_goes_on_for_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in one process; when all members are lost it ends, and says so."""
    made = single.game_of

    def broken(lost: Callable[[int], bool]) -> Callable[..., Any]:
        def game_of(recipe: Recipe, *more: Any, **named: Any) -> Any:
            game = made(recipe, *more, **named)
            for member, seed in enumerate(recipe.seeds):
                if lost(seed):
                    for weight in game.players["D"].networks.parameters:
                        weight.data[member] = np.nan
            return game

        return game_of

    monkeypatch.setattr(single, "game_of", broken(lambda seed: seed == 3))
    run, whole = in_shards(DIGITS, tmp_path / "shards"), alone(DIGITS, tmp_path / "whole")
    assert_same(run, whole, ROUNDING)
    assert run.story.diverged == {0: 10}
    monkeypatch.setattr(single, "game_of", broken(lambda seed: True))
    with pytest.raises(SparringError, match="every member diverged by round"):
        in_shards(DIGITS, tmp_path / "all")
    assert RunFolder(tmp_path / "all").story.status == "diverged"


@pytest.mark.usefixtures("here")
def test_all_shards_evaluate_samples_in_the_rounds_in_which_the_first_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = iter([True, False, True] * 100)
    monkeypatch.setattr(Evaluate, "_is_due", lambda *_: next(due))
    run = in_shards(DIGITS, tmp_path / "run")
    rounds, metrics = run.story.evaluations
    assert rounds.tolist() == [0, 20, 30]
    assert all(values.shape == (3, len(SEEDS)) and np.isfinite(values).all() for values in metrics.values())


@pytest.mark.usefixtures("here")
def test_shards_that_were_left_in_different_rounds_are_joined_up_to_what_all_have_come_to(tmp_path: Path) -> None:
    whole = alone(DIGITS, tmp_path / "whole")
    stopped: list[int] = []

    def leave(trainer: Trainer) -> None:
        if trainer.game.round >= 20 + 5 * len(stopped):
            stopped.append(trainer.game.round)
            trainer.stopping = True

    beat, sparring.training.trainer.BEAT_SECONDS = sparring.training.trainer.BEAT_SECONDS, -1.0
    try:
        plan = ShardPlan.of(RunFolder(tmp_path / "shards"), SEEDS, 2, 1)
        for shard in plan.shards:
            settings = Settings(threads=1, compile=False)
            task = prepare(DIGITS.replace(seeds=shard.seeds), shard.folder, settings, sharded=False)
            single.train_here(task, settings, [leave], single.SharedRun(len(SEEDS)))
    finally:
        sparring.training.trainer.BEAT_SECONDS = beat
    run = RunFolder(tmp_path / "shards")
    run.create(DIGITS.to_json())
    plan.write(run)
    join(run, [shard.run for shard in plan.shards], DIGITS.id)
    assert (run.story.status, run.story.round, stopped) == ("stopped", 20, [20, 25])
    keep = whole.story.logged_rounds <= 20
    np.testing.assert_allclose(run.story.curve("d_loss"), whole.story.curve("d_loss")[keep], atol=ROUNDING)
    with pytest.raises(UsageError, match="begun by several processes"):
        alone(DIGITS, run.path)
    assert_same(in_shards(DIGITS, run.path), whole, ROUNDING)


def test_a_shard_that_is_asked_to_stop_after_a_round_does(tmp_path: Path) -> None:
    plan = ShardPlan.of(RunFolder(tmp_path / "run"), SEEDS, 2, 1)
    first = plan.shards[0]
    job = Job(
        recipe=DIGITS.replace(seeds=first.seeds).to_dict(),
        members=len(SEEDS),
        data_dir=None,
        device="cpu",
        threads=1,
        metrics=False,
        compile=False,
    )
    channel = SharedFolder(first.folder)
    first.folder.parent.mkdir(parents=True)
    (first.folder.parent / "stop").write_text("17")
    exited = work(job, first.folder, channel)
    assert (exited.end, exited.round, reported_status(first.folder)) == ("stopped", 17, exited)
    assert (first.run.load() or (0,))[0] == 17
    (first.folder.parent / "stop").unlink()
    assert work(job, first.folder, channel).end == "finished"


def test_what_cannot_be_distributed_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alone_in = str(alone(DIGITS.replace(rounds=2, log_points=1, seeds=2), tmp_path / "run").path)
    for flags, channel in {
        ("--early-stop",): "early stopping does not go with several processes",
        ("--processes", "0"): "processes must be at least 1",
        ("--share-batch",): "torchrun --nproc-per-node",
    }.items():
        status = command(["train", "digits", "--processes", "2", "--out", str(tmp_path / "new"), *flags])
        assert (status, channel in capsys.readouterr().err) == (WRONG_USAGE, True), channel
    with pytest.raises(UsageError, match="other processes do not have the discriminator"):
        in_shards(own_network(), tmp_path / "own")
    with pytest.raises(UsageError, match="holds another run"):
        in_shards(DIGITS, Path(alone_in))
    monkeypatch.setattr(coordinator, "LocalWorkers", Lost)
    with pytest.raises(SparringError, match=r"seed 3 .*lost 3 times, the last time by signal 9 .*run the same command"):
        in_shards(DIGITS, tmp_path / "lost")


def test_people_see_every_shard() -> None:
    shards = [Shard(0, (0, 1), Path("000")), Shard(1, (2, 5), Path("001")), Shard(2, (9,), Path("002"))]
    session = Session(DIGITS, shards, 2, 1)
    recent = {"d_loss": [0.5, 0.7]}
    session.statuses = {0: Status(40, 9.0, 4.0, end="finished"), 1: Status(10, 5.0, 2.0, recent=recent, n_diverged=1)}
    session.deaths = {1: 2}
    assert (session.round, session.rounds_per_second, session.seconds_left) == (0, 5.0, None)
    session.statuses[2] = Status(20, 10.0, 2.0)
    assert session.seconds_left == 6.0
    console = Console(width=120, file=io.StringIO(), record=True)
    from sparring.report.live.shards import picture, plain_line

    console.print(picture(session, 120))
    shown = " ".join(console.export_text().split())
    for words in (
        "10 of 40 by the slowest shard, 15 rounds/s by 3 shards together, 6.0 s left",
        "seeds 0 to 1",
        "40, done",
        "seeds 2, ..., 5",
        "10, 5 rounds/s, 1 seed diverged, worker died and was restarted 2 times",
        "D's loss 0.600 ± 0.141",
        "2 workers with 1 thread each. Ctrl-C saves",
    ):
        assert words in shown, words
    assert "slowest shard at round 10 of 40 (25%), D's loss 0.600 ± 0.141" in plain_line(session)


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
