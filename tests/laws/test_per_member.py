"""Members that differ in numbers are their solo runs with those numbers; numbers that are set hold from then on.

Every number of every optimizer, trick and objective is tried: it may differ between members, or is refused in one line.
"""

from __future__ import annotations

import dataclasses
import importlib
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring import catalogue
from sparring.errors import UsageError
from sparring.game.assembly import game_of, restore, state_of
from sparring.game.compile.compiled import CompiledGame
from sparring.game.compile.plan import plan
from sparring.game.game import Game
from sparring.game.moves import MODERN, TEXTBOOK
from sparring.game.runtime import threads_set
from sparring.networks.fully_connected import FullyConnected
from sparring.optimizers.adam import Adam
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe, find_recipe
from sparring.recipe.numbers import every_place, may_differ, parts_of, place, range_of, settings_of
from sparring.tricks.label_smoothing import LabelSmoothing
from sparring.tricks.label_swapping import LabelSwapping
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.r1 import R1

plan_module = importlib.import_module("sparring.game.compile.plan")  # the package names a function so

SMALL = find_recipe("digits").replace(
    tricks=(),
    generator=FullyConnected((12,), output="tanh"),
    discriminator=FullyConnected((12,)),
    batch=4,
    rounds=12,
    seeds=(4, 0, 99),
    round=MODERN,
)
ROUNDS = 5
DOUBLE = 1e-9
"""float64 keeps 16 digits, of which Adam magnifies what is lost (measured: 1e-13)."""
STARTS = {"adam": {"lr": 1e-2}, "adamw": {"lr": 1e-2}, "rmsprop": {"lr": 1e-2}, "sgd": {"lr": 0.1}}
"""Optimizers fast enough that each of their settings shows within a few rounds."""


def begun(recipe: Recipe) -> Game:
    return game_of(recipe, recipe.data.open(None, "cpu"), dtype=torch.float64)


def played(recipe: Recipe, rounds: int = ROUNDS) -> Game:
    game = begun(recipe)
    for _ in range(rounds):
        game.play()
    return game


def state(game: Game) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in state_of(game).items()}


def assert_members_are_their_solo_runs(recipe: Recipe, rounds: int = ROUNDS) -> None:
    together = state(played(recipe, rounds))
    for member in range(len(recipe.seeds)):
        plain = recipe.select([member])
        assert not plain.per_member
        for name, mine in state(played(plain, rounds)).items():
            theirs = together[name] if not together[name].ndim else together[name][member]
            size = np.abs(mine).max() or 1.0
            assert np.abs(theirs - mine.reshape(theirs.shape)).max() <= DOUBLE * size, (member, name)


def three(path: str, recipe: Recipe) -> list[Any]:
    """Three values that a number may have, a member each; the first is one that turns things off, where 0 does."""
    parts = parts_of(recipe)
    where = place(parts, path)
    value, range_ = where.value(parts), range_of(parts, where)
    assert not isinstance(range_, str)
    wide = isinstance(value, tuple)
    ends = [0.0 if range_.includes_low and not wide else 0.1, 0.3, 0.9 if range_.high else 2.0]
    if "lr" in path.split("."):
        ends = [1e-3, 1e-2, 2e-2]
    return [(end, end + 0.05) for end in (0.1, 0.4, 0.8)] if wide else ends


def holding(kind: str, name: str) -> Recipe:
    """A recipe in which every number of a component shows soon."""
    leaf = catalogue.find(kind, name)
    if kind == "optimizers":
        made = leaf(**STARTS[name])
        return SMALL.replace(generator_optimizer=made, discriminator_optimizer=made)
    if kind == "objectives":
        return SMALL.replace(objective=leaf())
    values = {"half_life": 2.0} if name == "exponential-moving-average" else {}
    values |= {"rate": 0.5} if name == "label-swapping" else {}
    values |= {"final": 0.5} if name in ("r1", "r2", "r1-r2") else {}
    adam = Adam(lr=1e-2, betas=(0.5, 0.9))
    return SMALL.replace(tricks=(leaf(**values),), generator_optimizer=adam, discriminator_optimizer=adam)


def numbers() -> list[Any]:
    """Every number of optimizers, objectives and tricks, once for each component."""
    found: list[Any] = []
    for kind in ("optimizers", "objectives", "tricks"):
        for name in catalogue.entries(kind):
            recipe = holding(kind, name)
            room = {"optimizers": "generator_optimizer", "objectives": "objective", "tricks": "tricks"}[kind]
            found += [(kind, name, w.path) for w in every_place(parts_of(recipe)) if w.room == room]
    return found


@pytest.mark.parametrize(("kind", "name", "path"), numbers())
def test_a_number_may_differ_between_members_or_is_refused_in_one_line(kind: str, name: str, path: str) -> None:
    recipe = holding(kind, name)
    if not may_differ(parts_of(recipe), place(parts_of(recipe), path)):
        value = place(parts_of(recipe), path).value(parts_of(recipe))
        other = not value if isinstance(value, bool) else type(value)(value / 2) if value > 1 else type(value)(1)
        values = (value, value, other if other != value else value + 1)
        with pytest.raises(UsageError) as refused:
            recipe.replace(per_member={path: values})
        assert path in str(refused.value) and len(str(refused.value).splitlines()) == 1
        return
    varied = recipe.replace(seeds=(4, 0, 4), per_member={path: three(path, recipe)})
    # Seed 4 is there twice, with other numbers.
    assert list(varied.per_member) == [path] and len(varied.cells) == 3
    assert_members_are_their_solo_runs(varied)
    weights = state(played(varied))
    if (kind, name) != ("objectives", "handwritten-cross-entropy"):  # which changes nothing but the last digits
        assert any(np.abs(t[0] - t[2]).max() > 1e-6 for n, t in weights.items() if t.ndim and "memory" not in n)


@pytest.mark.parametrize("kind", ["networks", "latents", "datasets"])
def test_numbers_of_what_is_built_before_the_first_round_are_refused_in_one_line(kind: str) -> None:
    rooms = [room for room, its in catalogue.FIELDS.items() if its == kind]
    for room, name in itertools.product(rooms, catalogue.entries(kind)):
        for field in dataclasses.fields(catalogue.find(kind, name)):
            with pytest.raises(UsageError, match=f"{room}.{field.name} cannot differ between members") as refused:
                SMALL.replace(per_member={f"{room}.{field.name}": [1, 2, 3]})
            assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("path", ["batch", "rounds", "round.g_fools_d", "precision", "seeds"])
def test_what_all_members_have_in_common_is_refused_in_one_line(path: str) -> None:
    with pytest.raises(UsageError, match=path) as refused:
        SMALL.replace(per_member={path: [1, 2, 3]})
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("which", catalogue.entries("optimizers"))
def test_members_with_all_settings_of_their_own_are_their_solo_runs(which: str) -> None:
    """Both players, with a schedule of the learning rate on top, penalties and labels."""
    recipe = holding("optimizers", which).replace(
        tricks=(R1(gamma=1), LabelSmoothing(), LabelSwapping(), LearningRateSchedule(warm_up=0.2))
    )
    paths = [w.path for w in every_place(parts_of(recipe)) if may_differ(parts_of(recipe), w)]
    columns = {path: three(path, recipe) for path in paths if path != "tricks.learning-rate-schedule.warm_up"}
    assert_members_are_their_solo_runs(recipe.replace(per_member=columns))


def test_members_of_the_textbooks_round_are_their_solo_runs() -> None:
    recipe = SMALL.replace(round=TEXTBOOK, tricks=(LabelSmoothing(), R1(gamma=1, every=2)))
    apart = {"lr": [1e-3, 1e-2, 1e-4], "tricks.label-smoothing.real": [(0.9, 0.9), (0.7, 1), (1, 1)]}
    assert_members_are_their_solo_runs(recipe.replace(per_member=apart))


def test_where_no_number_differs_nothing_is_computed_otherwise() -> None:
    same = SMALL.replace(seeds=(0, 1, 2), tricks=(R1(),), per_member={"lr": [1e-3] * 3, "tricks.r1.gamma": [2.0] * 3})
    plain = SMALL.replace(seeds=(0, 1, 2), tricks=(R1(2.0),), lr=1e-3)
    assert same == plain and same.id == plain.id and "per_member" not in same.to_dict()


# Compiled play.


def varied(members: int = 4) -> Recipe:
    """Groups of two members each have one learning rate, and differ in it from each other."""
    lr = [1e-3 if member < members / 2 else 1e-2 for member in range(members)]
    return SMALL.replace(
        seeds=[0, 1] * (members // 2),
        tricks=(R1(gamma=1), LabelSwapping(until=0), LearningRateSchedule()),
        generator_optimizer=Adam(1e-2),
        discriminator_optimizer=SGD(),
        per_member={"lr": lr, "tricks.label-swapping.rate": [0.1 * (member + 1) for member in range(members)]},
    )


def apart(mine: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    pairs = zip(mine, theirs, strict=True)
    return max(float((m - t).detach().abs().max() / t.detach().abs().max().clamp(min=1e-30)) for m, t in pairs)


def of_first(recipe: Recipe) -> Any:
    """Makes the same game of its first members, in float64."""
    return lambda members: begun(recipe.select(range(members)))


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize(("group", "threads"), [(None, 1), (2, 2)])
def test_compiled_and_in_groups_members_have_their_own_numbers(group: int | None, threads: int) -> None:
    recipe = varied()
    mine, theirs = begun(recipe), begun(recipe)
    part = of_first(recipe)(group) if group else None
    if part:
        part.numbers.follow(mine.numbers)
    with threads_set(threads):
        code = CompiledGame(mine, part)
        assert len(code.groups) == (4 // group if group else 1)
        code.play_to(ROUNDS, 3), theirs.play_to(ROUNDS, 3)
    assert apart(mine.tensors, theirs.tensors) <= DOUBLE


# Numbers that are set while a game plays.

SET: dict[str, Any] = {
    "lr": 3e-3,
    "generator_optimizer.betas": (0.3, 0.8),
    "discriminator_optimizer.momentum": 0.5,
    "tricks.r1.gamma": 0.5,
    "tricks.r1.every": 2,
    "tricks.label-swapping.rate": 0.4,
    "batch": 6,
    "round.g_fools_d": 3,
    "round.d_sees_both": 0,
}
PLAIN = SMALL.replace(
    tricks=(R1(gamma=1), LabelSwapping(), LearningRateSchedule()), discriminator_optimizer=SGD(), seeds=2
)


def with_number(recipe: Recipe, path: str, value: Any) -> Recipe:
    """The recipe that has this number from the start."""
    if path == "batch":
        return recipe.replace(batch=value)
    if path.startswith("round."):
        name = path.removeprefix("round.")
        return recipe.replace(round=[m for move in MODERN for m in [move] * (value if move.__name__ == name else 1)])
    if path == "lr":
        return recipe.replace(lr=value)
    where = place(parts_of(recipe), path)
    return recipe.replace(**{where.room: where.with_value(parts_of(recipe), value)[where.room]})


@pytest.mark.parametrize("path", SET)
def test_from_the_next_round_on_a_game_plays_with_what_was_set(path: str) -> None:
    game, other = played(PLAIN, 3), begun(with_number(PLAIN, path, SET[path]))
    restore(other, 3, {**state(other), **state(game)})
    game.set_number(path, SET[path])
    assert game.numbers.value(path if path != "lr" else "generator_optimizer.lr") in (SET[path], [SET[path]] * 2)
    for each in (game, other):
        each.play_to(7, 100)
    mine, theirs = state(game), state(other)
    for name, array in theirs.items():
        assert np.abs(mine[name] - array).max() <= DOUBLE * max(1.0, np.abs(array).max()), name
    unchanged = state(played(PLAIN, 7))
    assert any(np.abs(mine[name] - array).max() > 1e-6 for name, array in unchanged.items() if array.ndim)


def test_each_member_may_be_given_a_value_of_its_own() -> None:
    game = played(PLAIN, 3)
    game.set_number("lr", [0.0, 1e-2])
    before = state(game)
    game.play_to(6, 100)
    moved = {n: np.abs(a - before[n]) for n, a in state(game).items() if n[:2] in ("G.", "D.") and "memory" not in n}
    assert all(change[0].max() == 0 for change in moved.values())
    assert all(change[1].max() > 0 for change in moved.values())


def test_a_checkpoint_holds_what_was_set_and_a_game_goes_on_from_it_with_the_same_bits() -> None:
    game = played(PLAIN, 3)
    for path, value in SET.items():
        game.set_number(path, value)
    saved, round = state(game), game.round
    game.play_to(7, 100)
    other = played(PLAIN, 5)
    other.set_number("generator_optimizer.weight_decay", 0.1)  # it is not in the checkpoint
    restore(other, round, saved)
    other.play_to(7, 100)
    assert all(np.array_equal(array, state(other)[name]) for name, array in state(game).items())
    fresh = state(begun(PLAIN))
    restore(other, 0, fresh)
    assert other.batch == PLAIN.batch and other.moves == PLAIN.round and not other.numbers.tensors
    other.play_to(7, 100)
    assert all(np.array_equal(array, state(other)[name]) for name, array in state(played(PLAIN, 7)).items())


def test_a_momentum_that_is_set_again_after_a_checkpoint_goes_on_where_it_was() -> None:
    game, other = played(PLAIN, 2), begun(PLAIN)
    game.set_number("discriminator_optimizer.momentum", 0.5)
    game.play_to(4, 100)
    restore(other, 4, {name: array for name, array in state(game).items() if not name.startswith("number")})
    other.set_number("discriminator_optimizer.momentum", 0.5)
    game.play_to(6, 100), other.play_to(6, 100)
    assert all(np.array_equal(array, state(other)[name]) for name, array in state(game).items())


def test_a_game_whose_numbers_were_not_set_has_none_in_its_checkpoint() -> None:
    assert not [name for name in state(begun(varied())) if name.startswith("number")]


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("lr", -1, "lr must be at least 0"),
        ("lr", [1e-3, 1e-2, 1e-1], "takes one value, or one for each of 2 members, not 3"),
        ("lr", "fast", "takes a number"),
        ("tricks.r1.every", [1, 2], "cannot differ between members"),
        ("tricks.r2.gamma", 1, "no such trick"),
        ("generator.hidden", 3, "the networks are built with it"),
        ("batch", 0, "at least 1"),
        ("round.g_fools_d", -1, "at least 0"),
        ("round.d_sees_real", 1, "is not in the round"),
        ("speed", 1, "no numbers of adam called 'speed'"),
        ("rounds", 1, "all members train for as long"),
    ],
)
def test_what_cannot_be_set_is_refused_in_one_line_and_changes_nothing(path: str, value: Any, says: str) -> None:
    game, other = played(PLAIN, 2), played(PLAIN, 2)
    with pytest.raises(UsageError) as refused:
        game.set_number(path, value)
    assert says in str(refused.value) and len(str(refused.value).splitlines()) == 1
    game.play_to(4, 100), other.play_to(4, 100)
    assert all(np.array_equal(array, state(other)[name]) for name, array in state(game).items())


def test_a_batch_that_a_trick_or_a_round_cannot_have_is_refused() -> None:
    packed = begun(PLAIN.replace(tricks=[catalogue.make("tricks", "packing", {"count": 2})]))
    with pytest.raises(UsageError, match="multiple of 2, not 5"):
        packed.set_number("batch", 5)
    with pytest.raises(UsageError, match="counts before the first round only"):
        packed.set_number("tricks.packing.count", 4)
    assert packed.batch == PLAIN.batch
    packed.play()


def test_a_recipes_settings_are_what_its_game_takes() -> None:
    game = begun(PLAIN)
    for setting in settings_of(PLAIN):
        assert setting.value == game.numbers.value(setting.path)
        game.set_number(setting.path, setting.value)
        if setting.low is not None and not isinstance(setting.value, tuple):
            with pytest.raises(UsageError):
                game.set_number(setting.path, setting.low - 1)
        assert setting.help


@pytest.mark.usefixtures("no_compiler")
def test_compiled_play_follows_what_is_set_and_compiles_again_only_where_it_must(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In groups of one member, none of which differs from another at first."""
    made: list[CompiledGame] = []
    monkeypatch.setattr(plan_module, "CompiledGame", lambda *a, **k: made.append(CompiledGame(*a, **k)) or made[-1])
    recipe = PLAIN.replace(tricks=())
    mine, theirs = begun(recipe), begun(recipe)
    how = plan(mine, True, recipe.id, of_first(recipe), 1)
    assert how.compiled and len(made) == 1
    steps = [("lr", 1e-2, 2), ("lr", [1e-3, 1e-4], 2), ("batch", 6, 3), ("lr", 1e-3, 3)]
    for end, (path, value, compiled) in enumerate(steps, 1):
        for game in (mine, theirs):
            game.set_number(path, value)
        how.play_to(2 * end, 3), theirs.play_to(2 * end, 3)
        assert len(made) == compiled, path
        assert apart(mine.tensors, theirs.tensors) <= DOUBLE
