"""Looks at samples cost a run at most their share of its time."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring.analysis.evaluator import DRAWS
from sparring.game.assembly import game_of
from sparring.game.game import Game
from sparring.recipe import find_recipe
from sparring.record import RunFolder, Story
from sparring.record.story import CURVES
from sparring.training import Trainer
from sparring.training.chores.evaluate import EVALUATION_SHARE, FINAL_SHARE, Evaluate, mean_of
from sparring.training.single import chores_for


class Clock:
    """Time that passes only when `now` is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


def timed(
    monkeypatch: pytest.MonkeyPatch, folder: Path, rounds: int, log_points: int, evaluation: float, setup: float = 0.0
) -> tuple[Story, float]:
    """A run whose rounds take a second each, and its evaluations as long as given; with what these took in all."""
    clock, spent = Clock(), [setup]
    monkeypatch.setattr(time, "monotonic", clock.monotonic)
    recipe = find_recipe("pattern-1010").replace(rounds=rounds, log_points=log_points)
    game = game_of(recipe, recipe.data.open(None, "cpu"))

    def played() -> None:
        clock.now += 1
        game.round += 1
        game.logged |= {name: [torch.ones(1)] for name in CURVES}

    def evaluated(game: Game, generated: Tensor) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        clock.now += evaluation
        spent.append(evaluation)
        return {"diversity": np.ones(1)}, {}

    monkeypatch.setattr(game, "play", played)
    run = RunFolder(folder)
    run.create(recipe.to_json())
    baseline = {"diversity": 1.0}
    evaluator: Any = SimpleNamespace(
        generate=lambda game, draw=0: torch.zeros(1, 1, 4),
        evaluate_with_errors=evaluated,
        latents=[torch.zeros(1, 1, 4)] * DRAWS,
        setup_seconds=setup,
        expected_seconds=evaluation,
        real_baseline=baseline,
        baseline_event=lambda: {"metrics": baseline},
    )
    Trainer(recipe, game, run, chores_for(Evaluate(lambda: evaluator))).go()
    return run.story, sum(spent)


@pytest.mark.parametrize("evaluation", [0.01, 0.3, 3.0, 12.0])
@pytest.mark.parametrize("setup", [0.0, 2.0])
def test_evaluations_take_at_most_their_share(
    evaluation: float, setup: float, monkeypatch: Any, tmp_path: Path
) -> None:
    story, spent = timed(monkeypatch, tmp_path / "run", 600, 60, evaluation, setup)
    rounds = story.evaluations[0].tolist()
    drawn = story.log_points[-1].get("draws", 1)
    assert spent <= (EVALUATION_SHARE if drawn == 1 else FINAL_SHARE) * 600
    assert rounds[-1] == 600 and 0 not in rounds
    assert rounds[0] == 10 or 2 * evaluation + setup > EVALUATION_SHARE * 600
    # What may be spent is spent: one more would not have fitted in, or there was one at nearly every log point.
    assert spent + 2 * evaluation > EVALUATION_SHARE * 600 or len(rounds) >= 50


@pytest.mark.parametrize(("evaluation", "draws"), [(0.3, None), (4.0, 3), (9.0, 2), (14.0, None)])
def test_where_a_verdict_rests_on_the_last_evaluation_it_is_of_several_draws(
    evaluation: float, draws: int | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    story, _ = timed(monkeypatch, tmp_path / "run", 600, 60, evaluation)
    assert [event.get("draws") for event in story.log_points if "metrics" in event][-1] == draws
    assert not any("draws" in event for event in story.log_points[:-1])


def test_the_error_of_a_mean_of_draws_is_smaller_than_that_of_one() -> None:
    rng = np.random.default_rng(0)
    one = [({"m": rng.normal(0, 2, 1_000)}, {"m": np.full(1_000, 2.0)}) for _ in range(3)]
    metrics, errors = mean_of(one)
    assert errors["m"].tolist() == pytest.approx([2 / 3**0.5] * 1_000)
    assert metrics["m"].std() == pytest.approx(2 / 3**0.5, rel=0.1)
    assert mean_of(one[:1])[1]["m"].tolist() == [2.0] * 1_000


def test_a_run_too_short_for_evaluations_has_one_at_its_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    story, _ = timed(monkeypatch, tmp_path / "run", 20, 20, evaluation=5.0)
    assert story.evaluations[0].tolist() == [20]
