"""How long a study will take on this machine: a few rounds, and the price of an evaluation, of each distinct cost."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sparring.analysis.evaluator import Evaluator
from sparring.analysis.judge_choice import NO_JUDGE, choose_judge
from sparring.analysis.wording import count
from sparring.errors import SparringError
from sparring.game.assembly import game_of, threads_for
from sparring.game.game import Game
from sparring.game.pace import seconds_per_call
from sparring.game.runtime import preserving_torch_rng, threads_set
from sparring.languages import Text
from sparring.recipe import Recipe
from sparring.study.populations import Unit
from sparring.training.prepare import Settings

FREE = ("name", "origin", "rounds", "log_points", "samples_per_grid", "seeds", "start_from", "per_member")
"""Fields of a recipe that a round's cost does not depend on, or that are counted by themselves."""
NUMBERS = ("generator_optimizer", "discriminator_optimizer", "objective")
"""Fields of which only the kind matters for the cost."""
MAX_SECONDS = 20.0
"""Spent on pilots; costs that are left then are taken to be the mean of the others."""


@dataclass(frozen=True)
class Cost:
    """Seconds, for a population of a certain size."""

    round: float
    evaluation: float

    def of(self, recipe: Recipe, rounds: int) -> float:
        """Of so many rounds of a recipe, with the evaluations at their log points."""
        return rounds * self.round + recipe.log_points * rounds / recipe.rounds * self.evaluation


@dataclass(frozen=True)
class Pilot:
    """What was measured before anything is trained."""

    costs: Mapping[str, Cost]
    """By `kind`."""
    metrics: frozenset[str]
    """What samples of every kind are evaluated by."""

    def seconds(self, unit: Unit, until: int) -> float:
        """To train a unit until that round, from where it is."""
        known = self.costs.get(kind(unit.recipe)) or _mean(list(self.costs.values()))
        return known.of(unit.recipe, max(0, until - unit.played))


def kind(recipe: Recipe) -> str:
    """Recipes of one kind cost the same: they have the same networks, data and moves, and as many members."""
    plain = {k: v for k, v in recipe.to_dict().items() if k not in FREE}
    for field in NUMBERS:
        plain[field] = plain[field].get("is", plain[field])
    plain["tricks"] = [(trick.get("is"), trick.get("every")) for trick in plain["tricks"]]
    return json.dumps([plain, len(recipe.seeds)], sort_keys=True)


def pilot(units: Sequence[Unit], settings: Settings) -> Pilot:
    """Play a few rounds of each kind of unit. Nothing is kept of them.

    Raises SparringError where a recipe cannot be trained, before any other has been.
    """
    costs: dict[str, Cost] = {}
    metrics: list[frozenset[str]] = []
    seen: set[str] = set()
    began = time.monotonic()
    for unit in units:
        key = kind(unit.recipe)
        if key in seen:
            continue
        seen.add(key)
        try:
            if not costs or time.monotonic() - began < MAX_SECONDS:
                costs[key], names = _cost(unit.recipe, settings)
                metrics.append(names)
            else:
                _opened(unit.recipe, settings)
        except SparringError as error:
            raise type(error)(f"{unit.label}: {error}") from error
    return Pilot(costs, frozenset.intersection(*metrics) if metrics else frozenset())


def _opened(recipe: Recipe, settings: Settings) -> tuple[Recipe, Any, Game]:
    """The recipe with settled data, its opened data, and its game."""
    data, open_data = recipe.data.with_opener(settings.data_dir, settings.device)
    recipe = recipe.replace(data=data, start_from=None)
    source = open_data()
    return recipe, source, game_of(recipe, source, settings.device)


def _cost(recipe: Recipe, settings: Settings) -> tuple[Cost, frozenset[str]]:
    with preserving_torch_rng(), threads_set(settings.threads or threads_for(recipe)):
        recipe, source, game = _opened(recipe, settings)
        with game.preserving_state():
            game.play()  # the first takes longer than those that follow
        seconds = seconds_per_call(game, game.play_to)
        choice = choose_judge(recipe.data, settings.data_dir, source if settings.device == "cpu" else None)
        evaluator = Evaluator.of(
            recipe, game, settings.data_dir, len(recipe.seeds), choice if settings.judge else NO_JUDGE
        )
        start = time.perf_counter()
        names = frozenset(evaluator.evaluate(game))
        return Cost(seconds, time.perf_counter() - start), names


def _mean(costs: Sequence[Cost]) -> Cost:
    if not costs:
        return Cost(0.0, 0.0)
    count = len(costs)
    return Cost(sum(c.round for c in costs) / count, sum(c.evaluation for c in costs) / count)


def in_words(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`, `2.1 days`."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return Text("{count} days", count=f"{seconds / 86400:.1f}")


def forecast(pilot: Pilot, units: Sequence[Unit], processes: int) -> str:
    """What is said before a study begins, in one line."""
    seconds = sum(pilot.seconds(unit, unit.recipe.rounds) for unit in units)
    at_once = max(1, min(processes, len(units)))
    runs = sum(len(unit.tasks) for unit in units)
    together = [Text(" as {populations}", populations=count(len(units), "population"))] if len(units) < runs else []
    shared = [Text(" in {count} processes", count=at_once)] if at_once > 1 else []
    kinds = len(pilot.costs)
    return Text(
        "{runs} to train{shared}: about {time} here, by a pilot of {kinds} kind of cell, before compiling"
        if kinds == 1
        else "{runs} to train{shared}: about {time} here, by a pilot of {kinds} kinds of cell, before compiling",
        runs=count(runs, "run"),
        shared=Text.joined([*together, *shared]),
        time=in_words(seconds / at_once),
        kinds=kinds,
    )


def plain(pilot: Pilot) -> list[dict[str, Any]]:
    """For the study's journal."""
    return [{"round": round(cost.round, 6), "evaluation": round(cost.evaluation, 4)} for cost in pilot.costs.values()]
