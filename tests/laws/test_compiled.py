"""A compiled round is the game's own, and compiling changes nothing that a run promises.

Traced rounds are run here without a compiler, operation by operation, except in the slow tests.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import sparring.training.trainer
from sparring import catalogue
from sparring.game.assembly import game_of
from sparring.game.compile import aot, compiled
from sparring.game.compile.compiled import CompiledGame
from sparring.game.compile.cuda_graph import cuda_graph_of
from sparring.game.compile.errors import UncompilableError
from sparring.game.compile.plan import plan
from sparring.game.compile.tracer import Code, Traced, trace
from sparring.game.game import Game
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.training import Trainer, train
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.r1 import R1
from tests.contracts.trick_games import SMALL
from tests.laws.test_interrupted_is_uninterrupted import assert_same, leave_at, short
from tests.laws.user_modules import PAIRS
from tests.miniature import miniature

plan_module = importlib.import_module("sparring.game.compile.plan")  # the package names a function so

ROUNDS, EVERY = 12, 5
"""Rounds in all, of which every fifth is logged."""
DOUBLE = 1e-9
"""float64, after ROUNDS rounds, of a tensor's largest number (measured: 1e-12)."""
SINGLE, SINGLE_ROUNDS = 1e-3, 3
"""float32, after SINGLE_ROUNDS, of how far a tensor has moved in all."""
FAST = ("pattern-1010", "num-gan-2", "mnist-fast")
"""Recipes whose rounds are traced in every run of the tests; the others take minutes in all."""

ADAM: dict[str, Any] = {"generator_optimizer": Adam(1e-3), "discriminator_optimizer": Adam(1e-3, weight_decay=0.01)}


def pair(recipe: Recipe, data_dir: Path, dtype: torch.dtype = torch.float64) -> tuple[Game, Game]:
    source = recipe.data.open(data_dir, "cpu")
    return game_of(recipe, source, dtype=dtype), game_of(recipe, source, dtype=dtype)


def part_of(recipe: Recipe, data_dir: Path, dtype: torch.dtype = torch.float64) -> Callable[[int], Game]:
    """Makes the same game of its first members."""
    return lambda members: pair(recipe.replace(seeds=recipe.seeds[:members]), data_dir, dtype)[0]


def apart(mine: Tensor, theirs: Tensor) -> float:
    size = theirs.detach().abs().max().clamp(min=1e-30)
    return float((mine.detach() - theirs.detach()).abs().max() / size)


def assert_plays_alike(recipe: Recipe, data_dir: Path, group: int | None = None) -> CompiledGame:
    mine, theirs = pair(recipe, data_dir)
    code = CompiledGame(mine, part_of(recipe, data_dir)(group) if group else None)
    assert len(code.groups) == (mine.G.size // group if group else 1)
    begun = [t.detach().clone() for t in theirs.tensors]
    for turn in (1, recipe.rounds - 3, recipe.rounds):
        logged, expected = code.play_to(turn, EVERY), theirs.play_to(turn, EVERY)
        assert [round for round, _ in logged] == [round for round, _ in expected]
        for (round, values), (_, wanted) in zip(logged, expected, strict=True):
            assert values.keys() == wanted.keys()
            for name in wanted:
                assert apart(values[name], wanted[name]) <= DOUBLE, f"{name}, round {round}"
    assert mine.round == theirs.round
    for one, other in zip(mine.tensors, theirs.tensors, strict=True):
        assert apart(one, other) <= DOUBLE
    moved = [not torch.equal(tensor, before) for tensor, before in zip(theirs.tensors, begun, strict=True)]
    # Where the objective compares, what D adds to every score makes no difference, and stays with its memory as it was.
    assert moved.count(False) <= (3 if recipe.objective.relativistic else 0)
    return code


def some(which: str, seeds: int = 2) -> Recipe:
    return miniature(find_recipe(which)).replace(rounds=ROUNDS, seeds=seeds)


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize("which", FAST)
def test_a_traced_round_is_the_round(which: str, data_dir: Path) -> None:
    assert_plays_alike(some(which), data_dir)


@pytest.mark.slow
@pytest.mark.usefixtures("no_compiler")
def test_a_traced_round_is_the_round_of_every_recipe(recipe: Recipe, data_dir: Path) -> None:
    assert_plays_alike(some(recipe.name), data_dir)


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize(
    ("text", "specializations"),
    [
        ("label-swapping(rate=0.4, until=0.5)", 2),
        pytest.param("learning-rate-schedule(course='linear', warm_up=0.3)", 1, marks=pytest.mark.slow),
        ("learning-rate-schedule(course='cosine', until=0.5)", 1),
        pytest.param("beta-schedule", 1, marks=pytest.mark.slow),
        ("exponential-moving-average(half_life=3)", 1),
        ("r1(gamma=4, every=3)", 2),
        pytest.param("instance-noise(sd=0.3, until=0.5)", 2, marks=pytest.mark.slow),
        pytest.param("two-time-scales", 1, marks=pytest.mark.slow),
    ],
)
def test_what_changes_with_the_round_is_followed(text: str, specializations: int, data_dir: Path) -> None:
    recipe = some("pattern-1010").replace(tricks=(catalogue.read("tricks", text),), **ADAM)
    code = assert_plays_alike(recipe, data_dir)
    assert {len(each) for each in code.specializations.values()} == {specializations}


@pytest.mark.usefixtures("no_compiler")
def test_a_run_left_twice_is_the_run_never_left(data_dir: Path, tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))

    def left(cuts: tuple[int, ...], folder: str) -> RunFolder:
        for cut in cuts:
            run = train(recipe, tmp_path / folder, threads=1, compile=True, watchers=[leave_at(cut)])
            assert run.story.round == min(cut, recipe.rounds)
        assert run.about["compiled"] is True
        return run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparring.training.trainer, "BEAT_SECONDS", -1.0)
        whole, parts = left((recipe.rounds,), "whole"), left((11, recipe.rounds), "parts")
    assert_same(parts, whole)


@pytest.mark.usefixtures("no_compiler")
def test_a_run_goes_on_as_it_was_begun(tmp_path: Path) -> None:
    recipe = short(find_recipe("pattern-1010"))
    for wanted in (True, False):
        folder = tmp_path / str(wanted)
        train(recipe, folder, threads=1, compile=wanted, watchers=[leave_at(20)])
        played: list[Any] = []

        def look(trainer: Trainer, played: list[Any] = played) -> None:
            played.append(trainer.play_to)

        train(recipe, folder, threads=1, watchers=[look])
        assert isinstance(played[-1].__self__, Game) is not wanted
        assert json.loads((folder / "about.json").read_text())["compiled"] is wanted


@pytest.mark.parametrize(
    ("what", "why"),
    [("hidden randomness", "random numbers of its own"), ("a buffer that every call replaces", "replaces its buffers")],
)
def test_a_round_that_cannot_be_traced_is_played_uncompiled(what: str, why: str, tmp_path: Path) -> None:
    generator, discriminator = PAIRS[what]
    recipe = some("digits", 1).replace(generator=generator, discriminator=discriminator, batch=4)
    mine, theirs = pair(recipe, tmp_path)
    how = plan(mine, True, recipe.id)
    assert not how.compiled
    assert why in how.message
    assert len(how.message.splitlines()) == 1
    how.play_to(3, EVERY)
    theirs.play_to(3, EVERY)
    for one, other in zip(mine.tensors, theirs.tensors, strict=True):
        assert torch.equal(one, other)  # trying left no trace


@pytest.mark.parametrize("group", [None, 1])
def test_code_that_computes_something_else_is_refused(
    group: int | None, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(traced: Traced, at_once: int) -> Code:
        def play(inputs: list[Tensor]) -> Sequence[Tensor]:
            figures = traced.graph(*inputs)
            for tensor in inputs[: len(mine.tensors)]:
                if tensor.is_floating_point():
                    tensor.add_(0.1)
            return figures

        return play

    monkeypatch.setattr(aot, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(compiled, "load_or_compile", wrong)
    recipe = some("pattern-1010")
    mine, theirs = pair(recipe, data_dir)
    with pytest.raises(UncompilableError, match="computes something else"):
        CompiledGame(mine, part_of(recipe, data_dir)(group) if group else None)
    for one, other in zip(mine.tensors, theirs.tensors, strict=True):
        assert torch.equal(one, other)  # trying left no trace


def test_without_a_compiler_a_run_is_played_uncompiled_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(aot, "compiler", lambda: None)
    run = train(short(find_recipe("pattern-1010")), tmp_path / "run", threads=1, compile=True)
    assert run.story.status == "finished"
    assert run.about["compiled"] is False
    assert "there is no C++ compiler" in capsys.readouterr().err


def test_a_short_run_is_not_compiled_and_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = train(short(find_recipe("pattern-1010")), tmp_path / "run", threads=1)
    assert run.about["compiled"] is False
    assert not capsys.readouterr().err


def test_compiling_again_is_no_time_of_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A compiler of ten seconds, by a clock that the test sets forward; a round of this recipe takes a millisecond."""
    compiler = {"calls": 0, "ahead": 0.0}
    now = time.monotonic

    def compiling(game: Game, *_: Any) -> Any:
        compiler["calls"] += 1
        compiler["ahead"] += 10.0
        return plan_module.Plan(game.play_to, True)

    def change(trainer: Trainer) -> None:
        if trainer.game.round and compiler["calls"] == 1:
            trainer.game.set_number("generator_optimizer.lr", 1e-4)

    monkeypatch.setattr(time, "monotonic", lambda: now() + compiler["ahead"])
    monkeypatch.setattr(plan_module, "_compiled", compiling)
    recipe = short(find_recipe("pattern-1010"))
    run = train(recipe, tmp_path / "run", threads=1, compile=True, watchers=[change])
    assert compiler["calls"] == 2 and run.story.seconds < 9


@pytest.mark.slow
@pytest.mark.skipif(aot.compiler() is None, reason="there is no C++ compiler")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_compiled_code_plays_the_round(
    recipe: Recipe, dtype: torch.dtype, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aot, "cache_dir", lambda: tmp_path)  # other recipes may have the same code
    if dtype == torch.float64 and recipe.name not in FAST:
        pytest.skip("compiled once, in single precision")
    mine, theirs = pair(some(recipe.name), data_dir, dtype)
    try:
        code = CompiledGame(mine)
    except UncompilableError as reason:
        pytest.skip(str(reason))
    begun = [t.detach().clone() for t in theirs.tensors]
    code.play_to(SINGLE_ROUNDS, EVERY)
    theirs.play_to(SINGLE_ROUNDS, EVERY)
    for one, other, before in zip(mine.tensors, theirs.tensors, begun, strict=True):
        moved = float((other.detach() - before).double().norm() + 1e-5 * before.double().norm())
        assert float((one.detach() - other.detach()).double().norm()) <= SINGLE * moved
    again = CompiledGame(pair(some(recipe.name), data_dir, dtype)[0])
    assert code.fresh
    assert not again.fresh


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for a GPU: what a CUDA graph would replay is played on the tensors that it would read."""
    for module in (compiled, plan_module):
        monkeypatch.setattr(module, "on_gpu", lambda game: True)
    monkeypatch.setattr(compiled, "cuda_graph_of", partial(cuda_graph_of, capture=lambda it: it))


@pytest.mark.usefixtures("gpu")
def test_round_for_a_gpu_is_the_games_own(data_dir: Path) -> None:
    recipe = some("pattern-1010").replace(
        **ADAM, tricks=(LearningRateSchedule(), ExponentialMovingAverage(), R1(every=4))
    )
    assert_plays_alike(recipe, data_dir)


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("conditional", [False, True])
def test_a_gpu_computes_with_the_kernels_of_the_game_itself(conditional: bool, data_dir: Path) -> None:
    """What is fused stays fused: each operation is a launch there. So the bits are those of the game."""
    recipe = miniature(find_recipe("digits")).replace(
        **ADAM, batch=4, rounds=ROUNDS, seeds=2, conditional=conditional, tricks=(LearningRateSchedule(),)
    )
    mine, theirs = pair(recipe, data_dir, torch.float32)
    code = CompiledGame(mine)
    code.play_to(SINGLE_ROUNDS, EVERY)
    theirs.play_to(SINGLE_ROUNDS, EVERY)
    for one, other in zip(mine.tensors, theirs.tensors, strict=True):
        assert torch.equal(one, other)
    operations = str(trace(mine, 1, False, fused=True).graph.code)
    assert operations.count("aten._fused_adam_.") == len(recipe.round)


def assert_a_gpu_replays(recipe: Recipe) -> None:
    mine, theirs = pair(recipe.replace(seeds=(1, 5), rounds=ROUNDS), Path())
    CompiledGame(mine).play_to(4, 2)
    theirs.play_to(4, 2)
    for one, other in zip(mine.tensors, theirs.tensors, strict=True):
        assert apart(one, other) <= DOUBLE


@pytest.mark.usefixtures("gpu")
def test_a_gpu_replays_every_trick(trick: Any) -> None:
    assert_a_gpu_replays(SMALL.replace(tricks=(trick,)))


@pytest.mark.usefixtures("gpu")
def test_a_gpu_replays_every_optimizer_with_a_schedule(optimizer: Any) -> None:
    players = {"generator_optimizer": optimizer, "discriminator_optimizer": optimizer}
    assert_a_gpu_replays(SMALL.replace(tricks=(LearningRateSchedule(warm_up=0.3),), **players))


@pytest.mark.usefixtures("gpu")
def test_a_gpu_replays_every_objective(objective: Any) -> None:
    assert_a_gpu_replays(SMALL.replace(objective=objective))


@pytest.mark.usefixtures("gpu")
def test_on_a_gpu_all_but_the_shortest_runs_are_cuda_graphs(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(aot, "cache_dir", lambda: tmp_path / "cache")
    recipe = some("pattern-1010")
    for rounds, expected in ((plan_module.GPU_ROUNDS, True), (plan_module.GPU_ROUNDS - 1, False)):
        game, _ = pair(recipe.replace(rounds=rounds), data_dir)
        how = plan(game, None, recipe.id)
        assert how.compiled is expected
        assert ("CUDA graphs" in how.message) is expected
        assert game.round == 0
    assert not (tmp_path / "cache").exists()  # nothing is kept of it


def test_a_round_is_traced_by_a_torch_whose_reversed_nodes_are_no_iterator(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before torch 2.13: they can be iterated over, and are no iterator themselves."""
    nodes = type(torch.fx.Graph().nodes)
    plain = nodes.__reversed__
    monkeypatch.setattr(nodes, "__reversed__", lambda self: list(plain(self)))
    game, _ = pair(some("pattern-1010"), data_dir)
    assert "aten" in trace(game, 0, False).graph.code


@pytest.mark.slow
def test_populations_compile_where_the_compiler_trips_over_outer_loops(data_dir: Path) -> None:
    """pytorch#196570: two members of `num-gan-2` at its own size came to a KeyError."""
    recipe = find_recipe("num-gan-2").replace(seeds=2)
    mine, theirs = pair(recipe, data_dir, torch.float32)
    CompiledGame(mine).play_to(1, EVERY)
    theirs.play_to(1, EVERY)
    for one, other in zip(mine.tensors, theirs.tensors, strict=True):
        assert apart(one, other) <= SINGLE


def test_the_compiler_is_reached_through_plan_alone() -> None:
    """Elsewhere in the package nothing else of `game/compile` is imported, so that it can change freely."""
    package = Path(sparring.__file__).parent
    imported = {
        line.strip()
        for path in package.rglob("*.py")
        if package / "game" / "compile" not in path.parents
        for line in path.read_text(encoding="utf-8").splitlines()
        if "sparring.game.compile" in line and "import" in line
    }
    assert imported == {
        "from sparring.game.compile.plan import plan",
        "from sparring.game.compile.plan import compile_ahead as compile_game",
    }


@pytest.mark.usefixtures("no_compiler")
def test_rounds_of_every_optimizer_are_traced_with_a_schedule_of_its_learning_rate(
    optimizer: Any, data_dir: Path
) -> None:
    tricks = (LearningRateSchedule(warm_up=0.3),)
    players = {"generator_optimizer": optimizer, "discriminator_optimizer": optimizer}
    assert_plays_alike(some("pattern-1010").replace(tricks=tricks, **players), data_dir)
