"""Checkpoints that are kept along the way are spread evenly in the logarithm of the round, within their budget."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import sparring.training
from sparring.errors import UsageError
from sparring.recipe import find_recipe
from sparring.record.run import round_of
from sparring.rules import Signals
from sparring.rules._stories import story
from sparring.training.chores import best, keep
from sparring.training.chores.keep import Budget, target_rounds, too_close


@pytest.mark.parametrize("rounds", [1, 7, 300, 10_000, 1_000_000])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 24])
def test_target_rounds_are_evenly_spaced_in_the_logarithm(rounds: int, count: int) -> None:
    targets = target_rounds(rounds, count)
    assert len(targets) <= count and targets == sorted(set(targets))
    if count > 1:
        assert (targets[0], targets[-1]) == (0, rounds)
        steps = [math.log((1 + b) / (1 + a)) for a, b in itertools.pairwise(targets)]
        # A round is a whole number, so that the first steps cannot be smaller.
        assert max(steps) <= max(math.log(2), 1.5 * math.log(1 + rounds) / (count - 1)) + 1e-9


def test_thinning_as_a_run_grows_keeps_the_spacing_the_first_and_the_last() -> None:
    kept: list[int] = []
    for round in (0, *itertools.accumulate([1] * 30 + [10] * 30 + [100] * 60)):
        kept.append(round)
        if len(kept) > 12:
            kept.pop(too_close(kept))
    assert (kept[0], kept[-1], len(kept)) == (0, 6_330, 12)
    steps = [math.log((1 + b) / (1 + a)) for a, b in itertools.pairwise(kept)]
    assert max(steps) < 4 * min(steps)


@pytest.mark.parametrize(
    ("text", "count", "size"),
    [("24", 24, 2**62), ("500MB", 10_000, 500 * 10**6), ("1.5 GB", 10_000, 1_500 * 10**6), ("none", 0, 0), ("0", 0, 0)],
)
def test_a_budget_is_a_count_or_a_size(text: str, count: int, size: int) -> None:
    assert Budget.read(text) == Budget(count, size)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "many", "5 apples", "99999", "1e3", "nan"])
def test_what_is_no_budget_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"^keep takes") as caught:
        Budget.read(text)
    assert len(str(caught.value).splitlines()) == 1


def test_a_run_keeps_what_its_budget_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "KEEP_SHARE", 1e9)
    recipe = find_recipe("pattern-1010").replace(rounds=60, log_points=2, seeds=1)
    run = sparring.training.train(recipe, tmp_path / "run", threads=1, metrics=False, keep=6)
    rounds = [round_of(path) for path in run.kept()]
    assert rounds == target_rounds(60, 6) == [0, 1, 4, 11, 26, 60]
    assert set(run.rounds_saved()) >= set(rounds) and run.load("G") is not None
    # A second name of the file that is there anyway takes no space.
    assert run.kept()[-1].stat().st_ino == run.checkpoints()[-1].stat().st_ino
    longer = sparring.training.train(recipe.replace(rounds=400), run.path, threads=1, metrics=False, keep=6)
    rounds = [round_of(path) for path in longer.kept()]
    assert len(rounds) == 6 and (rounds[0], rounds[-1]) == (0, 400)


def test_where_one_takes_more_than_the_budget_none_is_kept_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = find_recipe("pattern-1010").replace(rounds=20, log_points=2, seeds=1)
    run = sparring.training.train(recipe, tmp_path / "run", threads=1, metrics=False, keep="100B")
    assert run.kept() == [] and run.checkpoints()
    assert "no checkpoints are kept along the way" in capsys.readouterr().err
    assert sparring.training.train(recipe, tmp_path / "none", threads=1, metrics=False, keep="none").kept() == []
    assert capsys.readouterr().err.count("kept") == 0


@pytest.mark.parametrize(
    ("metrics", "kept"),
    [
        ({"frechet-distance": (60.0, 0.5, 0.3, 0.2, 0.25)}, [1, 2, 3, 4]),
        # Of copies, which come ever nearer, and of points nearer to their modes than real ones, the first.
        ({"frechet-distance": (60.0, 0.5, 0.3, 0.2, 0.1), "near-copies": (0.0, 0.0, 0.6, 0.6, 0.6)}, [1, 2]),
        ({"nearest-neighbor": (60.0, 0.9, 0.8, 0.7, 0.6), "high-quality": 0.9}, [1, 2]),
    ],
    ids=["samples", "copies", "points"],
)
def test_of_samples_nearer_than_held_out_data_the_nearest_are_the_best(
    metrics: dict[str, tuple[float, ...] | float], kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = list[int]()
    monkeypatch.setattr(best, "state_of", lambda game: {})
    chore: Any = best.Best(SimpleNamespace(), SimpleNamespace(save_seconds=0.0))  # pyright: ignore[reportArgumentType]
    journal = SimpleNamespace(append=lambda *event, **fields: None)
    run = SimpleNamespace(save_best=lambda round, state: saved.append(round), journal=journal)
    for count in range(1, 6):
        so_far = {name: each[:count] if isinstance(each, tuple) else each for name, each in metrics.items()}
        made = story(metrics=so_far, evaluations=count, jitter=0.0)
        real = made.events[1]
        made.events[1] = {**real, "metrics": {**real["metrics"], "high-quality": 0.97}}
        signals = Signals(made)
        assert (signals.distance.values[1:] == signals.distance.floor).all(), "nearer than held-out data"
        chore._keep_if_best(SimpleNamespace(run=run, game=SimpleNamespace(round=count)), signals)
    assert saved == kept
