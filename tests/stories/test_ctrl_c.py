"""Ctrl-C at any moment of a command: a line at once, an end soon, nothing lost and no process left behind.

A driver loads torch once and forks a process for each command; a function of the phase that is tried is slow there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import sparring.training
import sparring.training.single
from sparring import interruption
from sparring.cli.main import INTERRUPTED
from sparring.game.compile import aot
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.training import Trainer

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds until a test gives up; what is asked for takes less than one on an idle machine."""

DRIVER = """
import ctypes, importlib, json, os, signal, sys, threading, time
import torch
torch.set_num_threads(1)
import sparring.cli.train, sparring.cli.measure, sparring.report, sparring.training.start
import sparring.analysis.measure, sparring.game.compile.compiled, sklearn.datasets, sparring.training.single
from sparring import interruption
from sparring.cli import main
from sparring.game import runtime
os.fsync = lambda file: None
runtime.LOAD_INTERVAL = 0.0

def reached():
    open("reached", "w").close()

def sleep(*args, **settings):
    reached()
    time.sleep(600)

def deaf(*args, **settings):
    "A computation that hears no signal: another thread is given them, as in a library that computes for long."
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    reached()
    ctypes.CDLL(None).sleep(600)

def blank(run):
    return run.write_text("report.html", "")

def reaching(plain):
    def call(*args, **settings):
        result = plain(*args, **settings)
        reached()
        return result
    return call

def patch(where, how):
    module, _, names = where.partition(":")
    owner = importlib.import_module(module)
    *path, name = names.split(".")
    for each in path:
        owner = getattr(owner, each)
    setattr(owner, name, reaching(getattr(owner, name)) if how == "reaching" else globals()[how])

for line in sys.stdin:
    order = json.loads(line)
    pid = os.fork()
    if not pid:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what is in the background without
        os.chdir(order["folder"])
        for stream, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        os.environ.update(order["environment"])
        interruption.LIMIT_SECONDS = order["limit"]
        for where, how in order["patches"].items():
            patch(where, how)
        main.main(order["command"])
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    cache = str(tmp_path_factory.mktemp("cache"))
    own = {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": cache, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**{k: v for k, v in os.environ.items() if k != "SPARRING_DATA"}, **own},
    )
    yield process
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        stream.close()


@dataclass
class Ended:
    """What came of a command that was interrupted."""

    status: int
    said: str
    """On stderr after the signal."""
    before: str
    """On stderr before it."""


def struck(
    driver: subprocess.Popen[str],
    folder: Path,
    command: list[str],
    patches: dict[str, str],
    times: int = 1,
    limit: float = PATIENCE,
    **environment: str,
) -> Ended:
    """Run a command, interrupt it once the file `reached` is there, and wait until it ends."""
    assert driver.stdin is not None and driver.stdout is not None
    order = {"folder": str(folder), "command": command, "patches": patches, "limit": limit}
    print(json.dumps(order | {"environment": environment}), file=driver.stdin, flush=True)
    pid = int(driver.stdout.readline())
    wait_for(lambda: (folder / "reached").exists() or not alive(pid))
    before = (folder / "stderr").read_text()
    assert (folder / "reached").exists(), before
    for time_ in range(times):
        if time_:
            wait_for(lambda: "stopping" in (folder / "stderr").read_text())
        os.kill(pid, signal.SIGINT)
    wait_for(lambda: not alive(pid))
    return Ended(int(driver.stdout.readline()), (folder / "stderr").read_text().removeprefix(before), before)


def wait_for(what: Any) -> None:
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, or before it was read
        return False


QUICK = ["--rounds", "40", "--log-points", "2", "--batch", "4", "--samples-per-grid", "4", "--threads", "1"]
TRAIN = ["train", "digits", "--out", "run", *QUICK]

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
pytestmark = needs_proc


@pytest.mark.parametrize(
    ("command", "patches", "said"),
    [
        pytest.param(TRAIN, {"sparring.datasets.digits:Digits.open": "sleep"}, "interrupted", id="reading data"),
        pytest.param(
            ["train", "mnist", "--out", "run"],
            {"sparring.datasets._idx:_download": "sleep"},
            "interrupted",
            id="downloading",
        ),
        pytest.param(
            TRAIN,
            {"sparring.analysis.evaluator:Evaluator.of": "sleep"},
            "stopped before the first round of run; rerun the same command to begin it",
            id="preparing evaluations",
        ),
        pytest.param(
            ["train", "pattern-1010", "--rounds", "9", "--out", "run"],
            {"sparring.report:write_report": "sleep"},
            "interrupted",
            id="writing the report",
        ),
        pytest.param(
            [*TRAIN, "--seeds", "2", "--processes", "2"],
            {"sparring.training.distributed.workers:LocalWorkers.start": "reaching"},
            "stopped before the first round of run",
            id="starting workers",
        ),
    ],
)
def test_it_ends_with_one_line(
    driver: subprocess.Popen[str], tmp_path: Path, command: list[str], patches: dict[str, str], said: str
) -> None:
    ended = struck(driver, tmp_path, command, patches)
    assert ended.status == INTERRUPTED
    assert f"sparring: {said}" in ended.said and "Traceback" not in ended.said
    assert len([line for line in ended.said.splitlines() if line.startswith("sparring:")]) == 1


def test_while_rounds_are_played_it_says_so_and_saves(driver: subprocess.Popen[str], tmp_path: Path) -> None:
    patches = {"sparring.training.trainer:Trainer._set_turn": "reaching", "sparring.report:write_report": "blank"}
    command = ["train", "pattern-1010", "--rounds", "1000000", "--out", "run", "--no-compile", "--no-metrics"]
    ended = struck(driver, tmp_path, command, patches)
    assert ended.status == INTERRUPTED
    if "stopping: " in ended.said:  # on a busy machine it may have stopped before the guard wakes up
        assert "stopping: finishing the current step, saving a checkpoint (Ctrl-C again ends at once)" in ended.said
    run = RunFolder.open(tmp_path / "run")
    assert run.story.status == "stopped" and run.checkpoints() and run.story.round > 0
    where = f"stopped after round {run.story.round}, a checkpoint is saved in run; rerun the same command to resume"
    assert f"sparring: {where}" in ended.said
    assert "D's loss" in (tmp_path / "stdout").read_text() and (tmp_path / "run" / "report.html").exists()


def test_a_computation_that_hears_nothing_is_ended(driver: subprocess.Popen[str], tmp_path: Path) -> None:
    """What is being computed for too long is not waited for: what was saved before is kept."""
    ended = struck(driver, tmp_path, TRAIN, {"sparring.game.game:Game.play_to": "deaf"}, limit=0.3)
    assert ended.status == INTERRUPTED
    first, last = ended.said.strip().splitlines()
    assert first.startswith("stopping: finishing the current step")
    assert last == "sparring: ended at once; what was saved before is kept"
    assert RunFolder.open(tmp_path / "run").story.status == "unfinished"


def test_a_second_ctrl_c_ends_at_once(driver: subprocess.Popen[str], tmp_path: Path) -> None:
    ended = struck(driver, tmp_path, TRAIN, {"sparring.game.game:Game.play_to": "deaf"}, times=2)
    assert ended.status == INTERRUPTED
    assert ended.said.strip().splitlines()[-1] == "sparring: ended at once; what was saved before is kept"


def test_another_command_is_ended_too(driver: subprocess.Popen[str], tmp_path: Path) -> None:
    sparring.training.train(find_recipe("pattern-1010").replace(rounds=9), tmp_path / "run", threads=1, metrics=False)
    ended = struck(driver, tmp_path, ["measure", "run"], {"sparring.analysis.measure:measure": "deaf"}, limit=0.6)
    assert ended.status == INTERRUPTED
    first, last = ended.said.strip().splitlines()
    assert first == "interrupted: stopping (Ctrl-C again ends at once)" and "ended at once" in last


COMPILER = """#!/bin/sh
case "$*" in *round.so*|*-c*|*.cpp*) ;; *) exec g++ "$@";; esac
sleep 600 &
echo $$ $! > PLACE/compilers
touch PLACE/reached
wait
"""
"""A compiler that never ends, and a process that it has started, as g++ starts cc1plus."""


@pytest.mark.skipif(aot.compiler() is None, reason="there is no C++ compiler")
@pytest.mark.parametrize("command", ["train", pytest.param("compile", marks=pytest.mark.slow)])
def test_a_compiler_is_ended_at_once_and_none_stays_behind(
    driver: subprocess.Popen[str], tmp_path: Path, command: str
) -> None:
    compiler = tmp_path / "slow-g++"
    compiler.write_text(COMPILER.replace("PLACE", str(tmp_path)))
    compiler.chmod(0o755)
    flags = ["--rounds", "60", "--compile", "--out", "run", "--threads", "1"] if command == "train" else []
    own = {"CXX": str(compiler), "XDG_CACHE_HOME": str(tmp_path / "cache"), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    ended = struck(driver, tmp_path, [command, "pattern-1010", *flags], {}, **own)
    assert ended.status == INTERRUPTED
    assert "compiling the training step: about" in ended.before
    last = "stopped before the first round of run; rerun" if command == "train" else "interrupted"
    assert f"sparring: {last}" in ended.said and "Traceback" not in ended.said
    compilers = [int(pid) for pid in (tmp_path / "compilers").read_text().split()]
    wait_for(lambda: not any(map(alive, compilers)))
    left = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert all("decisions" in str(path) for path in left)  # no half of a library
    if command == "train":
        run = RunFolder.open(tmp_path / "run")
        assert run.story.status == "stopped" and run.about.get("compiled") is None
        again = sparring.training.train(find_recipe("pattern-1010").replace(rounds=60), run.path, threads=1)
        assert again.story.status == "finished"


# In a program of the user's own there is no guard, which would end it.


def test_in_python_it_says_so_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def strike(trainer: Trainer) -> None:
        if trainer.game.round and not trainer.stopping:
            os.kill(os.getpid(), signal.SIGINT)

    recipe = find_recipe("pattern-1010").replace(rounds=100_000, log_points=1000)
    run = sparring.training.train(recipe, tmp_path / "run", threads=1, watchers=[strike], metrics=False)
    assert run.story.status == "stopped" and 0 < run.story.round < 100_000
    assert "stopping: finishing the current step" in capsys.readouterr().err


@pytest.mark.parametrize("resumed", [False, True])
def test_in_python_preparing_ends_at_once_and_returns_the_run(
    resumed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = find_recipe("pattern-1010").replace(rounds=40, log_points=4)
    if resumed:
        sparring.training.train(recipe.replace(rounds=20), tmp_path / "run", threads=1, metrics=False)

    def slow(*rest: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it went on")

    with monkeypatch.context() as patch:
        patch.setattr(sparring.training.single, "plan", slow)
        run = sparring.training.train(recipe, tmp_path / "run", threads=1, metrics=False)
    assert (run.story.status, run.story.round) == ("stopped", 20 if resumed else 0)
    run = sparring.training.train(recipe, tmp_path / "run", threads=1, metrics=False)
    assert (run.story.status, run.story.round) == ("finished", 40)


def test_a_child_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! > {tmp_path}/other; wait"
    process = interruption.start_child(["sh", "-c", script])
    wait_for(lambda: (tmp_path / "other").exists() and (tmp_path / "other").read_text().strip())
    other = int((tmp_path / "other").read_text())
    assert alive(other)
    interruption.end_child(process)
    wait_for(lambda: not alive(other))
    interruption.end_child(process)  # which has ended already
