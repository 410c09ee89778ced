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

from sparring.game.assembly import game_of
from sparring.game.game import Game
from sparring.recipe import find_recipe
from sparring.record import RunFolder, Story
from sparring.record.story import CURVES
from sparring.training import Trainer
from sparring.training.chores.evaluate import EVALUATION_SHARE, Evaluate
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
        generate=lambda game: torch.zeros(1, 1, 4),
        evaluate_with_errors=evaluated,
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
    assert spent <= EVALUATION_SHARE * 600
    assert rounds[-1] == 600 and 0 not in rounds
    assert rounds[0] == 10 or 2 * evaluation + setup > EVALUATION_SHARE * 600
    # What may be spent is spent: one more would not have fitted in, or there was one at nearly every log point.
    assert spent + 2 * evaluation > EVALUATION_SHARE * 600 or len(rounds) >= 50


def test_a_run_too_short_for_evaluations_has_one_at_its_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    story, _ = timed(monkeypatch, tmp_path / "run", 20, 20, evaluation=5.0)
    assert story.evaluations[0].tolist() == [20]
