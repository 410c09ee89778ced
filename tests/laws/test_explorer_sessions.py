"""What the explorer knows of the training processes that its pages start."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from sparring.explorer.session import Session
from sparring.record import RunFolder
from sparring.record.opened import Opened
from sparring.training.background import Background
from tests.made_runs import made_run


@pytest.fixture
def waiting() -> Generator[subprocess.Popen[bytes]]:
    """A process that does nothing until it is ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("event", ["stopped", "finished", "resumed"])
def test_a_run_is_being_started_until_its_journal_goes_on(
    tmp_path: Path, waiting: subprocess.Popen[bytes], event: str
) -> None:
    session, run = Session(Opened([tmp_path]), tmp_path), made_run(tmp_path / "run", until=2500, samples=False)

    def status() -> str:
        with session.following(run) as followed:
            return session.status_of(followed)

    before = status()
    time.sleep(0.01)  # the journal counts milliseconds
    with tempfile.TemporaryFile() as said:
        session.look_after(Background(run, waiting, said))
        assert (before, status()) == ("unfinished", "starting")
        time.sleep(0.01)
        run.journal.append(event, round=2500, seconds=9.0)
        assert status() == {"resumed": "unfinished"}.get(event, event)


@pytest.mark.parametrize(("status", "problem"), [(0, ""), (130, ""), (1, "no space is left")])
def test_why_a_training_ended_is_said_until_the_run_goes_on(tmp_path: Path, status: int, problem: str) -> None:
    session, run = Session(Opened([tmp_path]), tmp_path), made_run(tmp_path / "run", until=2500, samples=False)
    with tempfile.TemporaryFile() as said:
        code = f"import sys; print('sparring: no space is left', file=sys.stderr); sys.exit({status})"
        training = Background(run, subprocess.Popen([sys.executable, "-c", code], stderr=said), said)
        session.look_after(training)
        while training.ended is None:
            time.sleep(0.01)
        assert session.problem_of(run) == problem
        time.sleep(0.02)  # a file system counts some milliseconds
        run.journal.append("resumed", round=2500)
        assert session.problem_of(run) == ""


def test_a_run_without_a_word_yet_is_being_started(tmp_path: Path, waiting: subprocess.Popen[bytes]) -> None:
    session, run = Session(Opened([tmp_path]), tmp_path), RunFolder(tmp_path / "run")
    run.create((made_run(tmp_path / "other", samples=False).path / "recipe.json").read_text())
    with tempfile.TemporaryFile() as said, session.following(run) as followed:
        session.look_after(Background(run, waiting, said))
        assert session.status_of(followed) == "starting"
        assert followed.diagnose().beside_verdict.startswith("the samples have not been evaluated yet")
