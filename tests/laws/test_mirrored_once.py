"""A mirror sends each round once, and only what counts, however often a run is left, killed, taken back and resumed."""

from __future__ import annotations

from pathlib import Path

import pytest

import sparring
from sparring.record import RunFolder
from sparring.training.chores import checkpoint
from sparring.training.control.rewind import rewind_folder
from sparring.training.loggers import Logger, Mirror, mirror
from sparring.training.trainer import Trainer, Watcher


class Sent(Logger):
    """Keeps what it is sent."""

    def __init__(self, has_earlier: bool = False):
        self.steps: list[int] = []
        """Of D's loss."""
        self.forgotten: list[int] = []
        self._has_earlier = has_earlier

    @property
    def has_earlier(self) -> bool:
        return self._has_earlier

    def forget_after(self, round: int) -> None:
        self.forgotten.append(round)

    def scalar(self, name: str, value: float, step: int) -> None:
        if name == "d_loss":
            self.steps.append(step)

    def picture(self, name: str, path: Path, step: int) -> None:
        pass

    def text(self, name: str, text: str, step: int) -> None:
        pass

    def close(self) -> None:
        pass


def train(out: Path, *watchers: Watcher, until: int = 200) -> RunFolder:
    def leave(trainer: Trainer) -> None:
        if trainer.game.round >= until:
            trainer.stopping = True

    recipe = sparring.recipe("pattern-1010").replace(rounds=200, log_points=10, seeds=1)
    return sparring.train(recipe, out, threads=1, metrics=False, watchers=[*watchers, leave]).folder


def checkpoint_before(run: RunFolder, round: int) -> int:
    return max(each for each in run.rounds_saved() if each < round)


@pytest.fixture
def often_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SHARE", 1e9)


def test_a_session_that_resumes_sends_what_is_new(tmp_path: Path) -> None:
    first, second, late = Sent(), Sent(has_earlier=True), Sent()
    run = train(tmp_path / "run", Mirror(lambda _: first), until=100)
    train(run.path, Mirror(lambda _: second), Mirror(lambda _: late))
    rounds = run.story.logged_rounds.tolist()
    assert [*first.steps, *second.steps] == rounds and second.forgotten == [100]
    assert late.steps == rounds and late.forgotten == [], "nothing was sent there before"


@pytest.mark.usefixtures("often_saved")
def test_rounds_that_were_lost_are_not_sent(tmp_path: Path) -> None:
    run = train(tmp_path / "run", until=100)
    rewind_folder(run, checkpoint_before(run, 100))
    train(run.path)
    whole = Sent()
    Mirror(lambda _: whole).close(run)
    assert whole.steps == run.story.logged_rounds.tolist() and len(set(whole.steps)) == len(whole.steps)


def test_what_was_sent_is_forgotten_when_a_run_is_taken_back(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.create(sparring.recipe("pattern-1010").replace(seeds=1).to_json())

    def log(round: int) -> None:
        curves = {name: [[0.5]] for name in ("d_loss", "g_loss", "d_real", "d_fake")}
        run.journal.append("log", round=round, seconds=1.0, logged=[round], **curves)

    sent = Sent()
    watching = Mirror(lambda _: sent)
    run.journal.append("started", round=0)
    for round in (0, 10, 20):
        log(round)
    watching.update(run)
    log(30)
    run.journal.append("rewound", round=10, **{"from": 30})
    log(15)
    watching.update(run)
    log(17)
    watching.update(run)
    run.journal.append("resumed", round=15)
    log(18)
    watching.update(run)
    assert sent.steps == [0, 10, 20, 15, 17, 18] and sent.forgotten == [10, 15]


@pytest.mark.usefixtures("often_saved")
def test_tensorboard_shows_each_round_once(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = RunFolder(tmp_path / "run")
    first, second = mirror("tensorboard"), mirror("tensorboard")
    train(run.path, first, until=160)
    first.close(run)
    rewind_folder(run, checkpoint_before(run, 160))
    train(run.path, second)
    second.close(run)
    shown = EventAccumulator(str(run.path / "tensorboard"))
    shown.Reload()
    assert [each.step for each in shown.Scalars("d_loss")] == run.story.logged_rounds.tolist()
