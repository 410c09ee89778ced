"""Members that are played in groups, several at once, are the members that are played together."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import sparring.training.trainer
from sparring import catalogue
from sparring.game.compile import aot, builder, compiled, groups
from sparring.game.compile.compiled import CompiledGame, Specialization
from sparring.game.compile.groups import balanced, group_size, groups_like, single_group
from sparring.game.compile.plan import plan
from sparring.game.compile.tracer import trace
from sparring.game.runtime import threads_set
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.training import train
from tests.laws.test_compiled import (
    ADAM,
    EVERY,
    SINGLE,
    SINGLE_ROUNDS,
    apart,
    assert_plays_alike,
    pair,
    part_of,
    some,
)
from tests.laws.test_interrupted_is_uninterrupted import assert_same, leave_at, short
from tests.laws.user_modules import PAIRS


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize(("members", "group", "threads"), [(4, 2, 1), (4, 2, 2), (3, 1, 2), (5, 1, 3), (4, 1, 1)])
def test_groups_are_the_population(members: int, group: int, threads: int, data_dir: Path) -> None:
    with threads_set(threads):
        assert_plays_alike(some("pattern-1010", members), data_dir, group)


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize("which", ["num-gan-2", "mnist-fast"])
def test_groups_of_other_games_are_the_population(which: str, data_dir: Path) -> None:
    with threads_set(2):
        assert_plays_alike(some(which, 2), data_dir, 1)


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize("which", ["own forward", "batch normalization"])
def test_groups_of_a_users_own_modules_are_the_population(which: str, tmp_path: Path) -> None:
    """A lone member's module has its weights without the axis of members."""
    generator, discriminator = PAIRS[which]
    recipe = some("digits", 3).replace(generator=generator, discriminator=discriminator, batch=4)
    assert_plays_alike(recipe, tmp_path, 1)


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize(
    "text",
    ["learning-rate-schedule(course='cosine', until=0.5)", "exponential-moving-average(half_life=3)", "r1(every=3)"],
)
def test_groups_follow_what_changes_with_the_round(text: str, data_dir: Path) -> None:
    with threads_set(2):
        recipe = some("pattern-1010", 4).replace(tricks=(catalogue.read("tricks", text),), **ADAM)
        assert_plays_alike(recipe, data_dir, 2)


@pytest.mark.usefixtures("no_compiler")
def test_what_does_not_come_apart_is_played_together(data_dir: Path) -> None:
    five = pair(some("pattern-1010", 5), data_dir)[0]
    part = part_of(some("pattern-1010", 5), data_dir)(2)
    assert groups_like(part, five) is None
    assert len(CompiledGame(five, part).groups) == 1


@pytest.mark.usefixtures("no_compiler")
def test_a_run_in_groups_that_is_left_goes_on_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparring.training.trainer, "BEAT_SECONDS", -1.0)
    recipe = short(find_recipe("pattern-1010"))
    together = train(recipe, tmp_path / "together", threads=2, compile=True, watchers=[leave_at(11)])
    assert together.about["group"] is None
    monkeypatch.setattr(groups, "MIN_BYTES", 0)
    train(recipe, tmp_path / "together")
    assert RunFolder(tmp_path / "together").about["group"] is None
    whole = train(recipe, tmp_path / "whole", threads=2, compile=True)
    assert whole.about["group"] == 1
    train(recipe, tmp_path / "parts", threads=2, compile=True, watchers=[leave_at(11)])
    monkeypatch.undo()
    monkeypatch.setattr(compiled, "load_or_compile", lambda traced, at_once: lambda inputs: traced.graph(*inputs))
    parts = train(recipe, tmp_path / "parts")
    assert RunFolder(parts.path).about["group"] == 1
    assert_same(parts, whole)


@pytest.mark.parametrize(
    ("members", "threads", "cache", "minimum", "size"),
    [
        (8, 1, 1, 0, 2),  # twice the cache holds two
        (8, 2, 1, 0, 2),
        (8, 2, 1000, 0, 4),  # no larger than leaves each thread a group
        (9, 2, 1000, 0, 3),  # all groups are of one size
        (7, 2, 1000, 0, 1),
        (7, 2, 1000, 2, 7),  # too small a group does not pay
        (8, 1, 0.1, 0, 1),  # one member is more than the cache holds
        (1, 2, 1000, 0, 1),
        (3, 8, 1000, 0, 1),
    ],
)
def test_group_size(
    members: int,
    threads: int,
    cache: float,
    minimum: float,
    size: int,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cache and minimum size in members."""
    game = pair(some("pattern-1010", members), data_dir)[0]
    each = sum(t.numel() * t.element_size() for t in game.tensors) / members
    monkeypatch.setattr(groups, "cache_bytes", lambda: cache * each + 1)
    monkeypatch.setattr(groups, "MIN_BYTES", minimum * each)
    assert group_size(game, threads) == size


def test_cache_is_found_or_taken_to_be_of_a_usual_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = tmp_path / "size"
    size.write_text("16384K\n")
    monkeypatch.setattr(groups, "CACHE", size)
    assert groups.cache_bytes() == 16 * 2**20
    size.write_text("unknown")
    assert groups.cache_bytes() == groups.CACHE_BYTES
    size.unlink()
    assert groups.cache_bytes() == groups.CACHE_BYTES


@pytest.mark.parametrize(("rounds", "count", "threads"), [(10, 4, 2), (10, 3, 2), (1, 3, 2), (7, 5, 4), (0, 3, 2)])
def test_a_turn_in_pieces_is_the_turn(rounds: int, count: int, threads: int) -> None:
    turn = range(5, 5 + rounds)
    pieces = balanced(turn, count, threads)
    assert [round for piece in pieces for round in piece] == list(turn)
    if count % threads == 0:
        assert len(pieces) == 1


@pytest.mark.slow
@pytest.mark.skipif(aot.compiler() is None, reason="there is no C++ compiler")
def test_a_round_is_compiled_in_another_process_for_several_threads(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aot, "cache_dir", lambda: tmp_path)
    # The code is called once: the C++ compiler need not spend seconds on making it fast.
    monkeypatch.setitem(builder.SETTINGS, "aot_inductor.compile_wrapper_opt_level", "O0")
    mine, theirs = pair(some("pattern-1010", 1), data_dir, torch.float32)
    traced = trace(mine, 0, False)
    code = aot.load_or_compile(traced, at_once=2)
    assert aot.library_path(traced).is_file() and [path.name for path in tmp_path.iterdir()] == [
        aot.library_path(traced).parent.name
    ]
    group = single_group(mine)
    group[0].rng.begin(0)
    Specialization(traced, code, group).play(0, 0)
    theirs.play()
    for one, other in zip(mine.tensors, theirs.tensors, strict=True):
        assert apart(one, other) <= SINGLE


@pytest.mark.slow
@pytest.mark.skipif(aot.compiler() is None, reason="there is no C++ compiler")
def test_compiled_code_that_two_threads_play_at_once(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aot, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(groups, "MIN_BYTES", 0)
    # The code is called some hundred times: the C++ compiler need not spend seconds on making it fast.
    monkeypatch.setitem(builder.SETTINGS, "aot_inductor.compile_wrapper_opt_level", "O0")
    recipe = some("pattern-1010", 3)
    mine, theirs = pair(recipe, data_dir, torch.float32)
    begun = [t.detach().clone() for t in theirs.tensors]
    with threads_set(2):
        how = plan(mine, True, recipe.id, part_of(recipe, data_dir, torch.float32))
    assert how.group == 1
    assert "groups of 1, 2 at once" in how.message
    logged, expected = how.play_to(SINGLE_ROUNDS, EVERY), theirs.play_to(SINGLE_ROUNDS, EVERY)
    for name, wanted in expected[0][1].items():
        assert apart(logged[0][1][name], wanted) <= SINGLE
    for one, other, before in zip(mine.tensors, theirs.tensors, begun, strict=True):
        moved = float((other.detach() - before).norm() + 1e-5 * before.norm())
        assert float((one.detach() - other.detach()).norm()) <= SINGLE * moved
    with threads_set(2):
        again = CompiledGame(pair(recipe, data_dir, torch.float32)[0], part_of(recipe, data_dir, torch.float32)(1))
    assert not again.fresh
