"""A run whose members are distributed over processes is the run of one process, whatever becomes of them on the way.

Most tests use workers that train shards in this very process, one after the other; what real processes add, being
killed and being asked to stop, is in test_processes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from torch import nn

import sparring.training.trainer
from sparring import report
from sparring.analysis.diagnosis import diagnose
from sparring.analysis.generators import sample
from sparring.cli.main import WRONG_USAGE
from sparring.cli.main import run as command
from sparring.cli.train import where_it_stopped
from sparring.errors import SparringError, UsageError
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.record.joining import join
from sparring.training import Trainer, single
from sparring.training.chores.evaluate import Evaluate
from sparring.training.distributed import coordinator
from sparring.training.distributed.channel import SharedFolder, reported_status
from sparring.training.distributed.shards import Job, Shard, ShardPlan
from sparring.training.distributed.status import Session, Status
from sparring.training.distributed.worker import work
from sparring.training.distributed.workers import Exit
from sparring.training.prepare import Settings, prepare
from tests.sharded_runs import ROUNDING, Here, alone, assert_of_its_shards, assert_same, content_of, in_shards

SEEDS = (3, 5, 123456789012, 8, 1)
DIGITS = find_recipe("digits").replace(rounds=40, log_points=4, seeds=SEEDS, batch=8, samples_per_grid=4)


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
    assert where_it_stopped(run).startswith(
        f"stopped after round 20, checkpoints of its shards are saved in {run.shards};"
    )
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
