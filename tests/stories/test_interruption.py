"""What a user loses when training is killed, the disk fills up or a member's numbers burst: nothing that was saved.

The killing is done by a small driver process that forks a process for each session; each session is then killed as
`kill -9` does it, and what lies in the folder is checked from outside.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring.training.about
import sparring.training.chores.checkpoint
import sparring.training.trainer
from sparring.cli.main import FAILED, INTERRUPTED, OK
from sparring.errors import SparringError
from sparring.game.game import Game
from sparring.recipe import find_recipe
from sparring.record import Journal, RunFolder
from sparring.record.journal import replay
from sparring.training import train
from tests.forked import Programs
from tests.laws.user_modules import PAIRS

ROOT = Path(__file__).parents[2]

DRIVER = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np
import torch
torch.set_num_threads(1)
import sparring
import sparring.training.about
import sparring.training.chores.checkpoint
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.record.story import CURVES

sparring.training.chores.checkpoint.CHECKPOINT_SECONDS = 0
sparring.training.chores.checkpoint.CHECKPOINT_SHARE = 1
os.fsync = lambda file: None  # a killed process leaves what it wrote; only a loss of power would not
sparring.training.about._commit = lambda: None  # asks git: a process of its own, and no part of the run

# The driver trains once itself: what is loaded on first use is then loaded for every session.
def session(recipe, folder, before=lambda: None):
    "Train in a process of its own; its number."
    child = os.fork()
    if child:
        return child
    before()
    sparring.training.train(recipe, folder, threads=1)
    os._exit(0)

def end(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def check(folder):
    "What a user finds: a folder that opens."
    if Path(folder, "recipe.json").exists():
        run = RunFolder.open(folder)
        run.story.status, [run.story.curve(name) for name in CURVES], run.about, run.load()

def same(run, whole):
    (round, state), (_, wanted) = run.load(), whole.load()
    assert run.story.status == "finished" and round == int(run.recipe["rounds"])
    assert state.keys() == wanted.keys()
    assert all(np.array_equal(state[name], wanted[name]) for name in wanted)
    for name in CURVES:
        assert np.array_equal(run.story.curve(name), whole.story.curve(name)), name
    assert np.array_equal(run.story.outputs[0], whole.story.outputs[0])
    assert np.array_equal(run.story.outputs[1], whole.story.outputs[1])
    assert run.story.pictures == whole.story.pictures
    for picture in whole.story.pictures:
        assert (run.path / picture).read_bytes() == (whole.path / picture).read_bytes()

home = Path(sys.argv[1])
"""

AT_EVERY_STEP = (
    DRIVER
    + """
recipe = find_recipe("pattern-1010").replace(rounds=12, log_points=2, seeds=(7, 123456789012))
sparring.training.train(recipe, home / "whole", threads=1)
STEPS = {"open", "os.rename", "os.mkdir", "os.remove", "os.truncate"}

def killed_before(step):
    "Dies before the step-th thing it would do to a file of its run."
    done = 0
    def watch(event, facts):
        nonlocal done
        if event in STEPS and str(facts[0]).startswith(str(home / "run")):
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
    return lambda: sys.addaudithook(watch)

stride = int(sys.argv[2])
step = 0
while True:
    folder = home / f"run-{step}"
    status = end(session(recipe, folder, killed_before(step)))
    if status == 0:
        break
    assert status == -signal.SIGKILL, status
    check(folder)
    if step // stride % 3 == 0:  # killed once more on the way, then left in peace
        end(session(recipe, folder, killed_before(step // 2 + 7)))
        check(folder)
    assert end(session(recipe, folder)) == 0, f"cannot be resumed after step {step}"
    same(RunFolder.open(folder), RunFolder.open(home / "whole"))
    step += stride
print(step)
"""
)

AT_RANDOM = (
    DRIVER
    + """
rng = random.Random(0)
recipe = find_recipe("pattern-1010").replace(rounds=2000, log_points=200, seeds=4)
sparring.training.train(recipe.replace(rounds=10), home / "warm", threads=1)
began = time.monotonic()
assert end(session(recipe, home / "whole")) == 0
length = time.monotonic() - began

kills, rounds, number = 0, [], 0
while kills < 10:
    folder = home / f"run-{number}"
    child = session(recipe, folder)
    time.sleep(rng.uniform(0, length / 5))
    os.kill(child, signal.SIGKILL)
    status = end(child)
    check(folder)
    if status == 0:  # it was faster: this one is whole, kill the rest of the ten in another
        same(RunFolder.open(folder), RunFolder.open(home / "whole"))
        number += 1
        continue
    assert status == -signal.SIGKILL, status
    kills += 1
    rounds.append(RunFolder.open(folder).story.round if (folder / "recipe.json").exists() else 0)
assert end(session(recipe, folder)) == 0
same(RunFolder.open(folder), RunFolder.open(home / "whole"))
print(rounds)
"""
)


WARNINGS_ARE_ERRORS = """
import warnings
warnings.simplefilter("error")
"""


def drive(programs: Programs, code: str, home: Path, *more: str) -> str:
    done = programs.run("-c", WARNINGS_ARE_ERRORS + code, home, *more, folder=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("stride", ["7", pytest.param("1", marks=pytest.mark.slow)])
def test_a_run_killed_before_any_of_its_steps_opens_and_ends_as_if_never_killed(
    tmp_path: Path, programs: Programs, stride: str
) -> None:
    steps = int(drive(programs, AT_EVERY_STEP, tmp_path, stride))
    assert steps > 30, "the steps were not seen"


@pytest.mark.slow
def test_a_run_killed_at_ten_random_moments_ends_as_if_never_killed(tmp_path: Path, programs: Programs) -> None:
    rounds = drive(programs, AT_RANDOM, tmp_path)
    assert len(set(rounds.strip("[]\n").split(", "))) > 1, f"every kill fell into the same round: {rounds}"


# Ctrl-C, as a user types it.

SLOW_RECIPE = """
import os, time
from dataclasses import replace
from sparring.recipe import Recipe, find_recipe

def takes_its_time(game):
    if "SLOWLY" in os.environ:
        time.sleep(0.05)

def slow() -> Recipe:
    base = find_recipe("pattern-1010")
    return replace(base, name="", round=(*base.round, takes_its_time), rounds=200, log_points=10)
"""


COMMAND = f"""
{WARNINGS_ARE_ERRORS}
import runpy
runpy.run_module("sparring", run_name="__main__", alter_sys=True)
"""


def test_ctrl_c_ends_the_round_saves_and_the_same_command_goes_on(tmp_path: Path, programs: Programs) -> None:
    file, out = tmp_path / "slow.py", tmp_path / "run"
    file.write_text(SLOW_RECIPE)
    command = ["train", str(file), "--out", str(out), "--threads", "1"]
    process = programs.start("-c", COMMAND, *command, folder=tmp_path, SLOWLY="1")
    journal = out / "journal.jsonl"
    began = time.monotonic()
    while time.monotonic() - began < 90 and not (journal.exists() and '"log"' in journal.read_text()):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    stopped = process.ended()
    assert stopped.returncode == INTERRUPTED, stopped.stderr
    assert "Traceback" not in stopped.stderr
    run = RunFolder.open(out)
    assert run.story.status == "stopped"
    assert (run.load() or (-1,))[0] == run.story.round < 200
    again = programs.run("-m", "sparring", *command, folder=tmp_path)
    assert again.returncode == OK, again.stderr
    assert run.story.status == "finished"
    whole = train(find_recipe(f"{file}"), tmp_path / "whole", threads=1)
    assert_same_weights(run, whole)


# A full disk.


def assert_same_weights(run: RunFolder, whole: RunFolder) -> None:
    mine, theirs = run.load(), whole.load()
    assert mine is not None
    assert theirs is not None
    assert mine[0] == theirs[0]
    assert mine[1].keys() == theirs[1].keys()
    for name, array in theirs[1].items():
        np.testing.assert_array_equal(mine[1][name], array, err_msg=name)


def assert_one_line(error: BaseException, *parts: str) -> None:
    assert len(str(error).splitlines()) == 1
    for part in parts:
        assert part in str(error)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint at every log point."""
    monkeypatch.setattr(sparring.training.chores.checkpoint, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr(sparring.training.chores.checkpoint, "CHECKPOINT_SHARE", 1e9)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 600 KB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)]
    if os.getuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("spare", [20, 90, 120])
def test_a_full_disk_is_one_line_and_the_run_is_resumed_once_there_is_space(
    spare: int, small_disk: Path, tmp_path: Path
) -> None:
    """`spare` KB are left, so that it is now a picture, now the journal, now a checkpoint that does not fit."""
    recipe = find_recipe("pattern-1010").replace(rounds=80, log_points=40, seeds=32)
    whole = train(recipe, tmp_path / "whole", threads=1)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1024 * (600 - spare)))
    with pytest.raises(SparringError, match="the disk is full") as caught:
        train(recipe, small_disk / "run", threads=1)
    assert_one_line(caught.value, "cannot write", str(small_disk))
    run = RunFolder.open(small_disk / "run")
    saved = run.load()
    assert ("nothing was saved yet" if saved is None else f"saved up to round {saved[0]}") in str(caught.value)
    ballast.unlink()
    elsewhere = tmp_path / "moved"  # the whole run needs more than the small disk holds
    subprocess.run(["cp", "-r", str(run.path), str(elsewhere)], check=True)
    assert_same_weights(train(recipe, elsewhere, threads=1), whole)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("nth", [4, 5, 6, 11])
def test_a_disk_that_refuses_any_write_stops_the_run_and_what_was_saved_stays(
    nth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above where no disk can be mounted: the nth time something must reach the disk, it is full."""
    recipe = find_recipe("pattern-1010").replace(rounds=60, log_points=6, seeds=3)
    whole = train(recipe, tmp_path / "whole", threads=1)
    count = 0

    def fsync(file: int) -> None:
        nonlocal count
        count += 1
        if count >= nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(SparringError, match="the disk is full") as caught:
            train(recipe, tmp_path / "run", threads=1)
    run = RunFolder.open(tmp_path / "run")
    saved = run.load()
    says = "nothing was saved yet" if saved is None else f"saved up to round {saved[0]}"
    assert_one_line(caught.value, "cannot write", says, "run the same command to resume")
    assert not list(run.path.rglob("*.partial"))
    assert_same_weights(train(recipe, run.path, threads=1), whole)


def test_a_line_that_does_not_fit_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    """A file may not grow beyond 150 bytes here: half of the second line is written, then refused."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append("first")
    before = journal.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150, limits[1]))
    try:
        with pytest.raises(SparringError, match="cannot write") as caught:
            journal.append("second", text="x" * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_one_line(caught.value, str(journal.path))
    assert journal.path.read_bytes() == before
    journal.append("third")
    assert [event["event"] for event in replay(journal.path)] == ["first", "third"]


def test_the_command_tells_a_full_disk_in_one_line(small_disk: Path, programs: Programs) -> None:
    (small_disk / "ballast").write_bytes(bytes(1024 * 560))
    flags = ("--rounds", "2000", "--out", small_disk / "run")
    done = programs.run("-m", "sparring", "train", "pattern-1010", *flags, folder=ROOT)
    assert done.returncode == FAILED
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("sparring: cannot write")


# Numbers that burst.

LOST = 5


def poisoned(game: Game) -> None:
    """Whoever has the seed LOST gets a NaN into D in round 20."""
    if game.round == 20 and LOST in game.rng.seeds:
        member = game.rng.seeds.index(LOST)
        game.players["D"].networks.parameters[0].data[member].fill_(float("nan"))


@pytest.mark.parametrize("networks", ["layered", "batch normalization", "dropout"])
def test_a_member_that_diverges_is_counted_and_the_others_play_on_as_alone(networks: str, tmp_path: Path) -> None:
    recipe = find_recipe("digits").replace(rounds=40, log_points=8, samples_per_grid=2, batch=8)
    recipe = recipe.replace(round=(*recipe.round, poisoned))
    if networks != "layered":
        recipe = recipe.replace(generator=PAIRS[networks][0], discriminator=PAIRS[networks][1])
    run = train(recipe.replace(seeds=(3, LOST, 0)), tmp_path / "run", threads=1)
    assert run.story.status == "finished"
    assert list(run.story.diverged) == [1]
    assert 20 <= run.story.diverged[1] <= 40
    _, state = run.load() or (0, {})
    assert np.isnan(next(array for name, array in state.items() if name.startswith("D."))[1]).any()
    for member, seed in ((0, 3), (2, 0)):
        alone = train(recipe.replace(seeds=(seed,)), tmp_path / str(seed), threads=1)
        assert not alone.story.diverged
        for name in ("d_loss", "g_loss", "d_real", "d_fake"):
            mine, theirs = run.story.curve(name)[:, member], alone.story.curve(name)[:, 0]
            np.testing.assert_allclose(mine, theirs, rtol=0.05, atol=0.01, err_msg=name)  # 40 rounds of float32
        assert all(np.isfinite(array[member]).all() for array in state.values() if array.ndim)


def test_a_run_whose_members_all_diverge_stops_and_says_what_to_try(tmp_path: Path) -> None:
    sgd: Any = type(find_recipe("fashion-fc").generator_optimizer)
    recipe = find_recipe("digits").replace(
        generator_optimizer=sgd(1e30), discriminator_optimizer=sgd(1e30), seeds=3, rounds=200, batch=4
    )
    with pytest.raises(SparringError, match="every member diverged by round") as caught:
        train(recipe, tmp_path / "run", threads=1)
    assert_one_line(caught.value, "learning rate")
    story = RunFolder.open(tmp_path / "run").story
    assert story.status == "diverged"
    assert sorted(story.diverged) == [0, 1, 2]
    assert story.round < 200
