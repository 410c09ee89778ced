"""A run's folder is moved or removed while it trains: training ends, and nothing appears in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sparring.errors import SparringError
from sparring.recipe import find_recipe
from sparring.training import train
from sparring.training.chores.record import Record
from sparring.training.trainer import Trainer

GONE = "is not a run any more: it was removed or moved; put it back, or name its new place"


@pytest.mark.parametrize("chore", ["log_fields", "after_log", "after_turn"])
def test_a_folder_that_is_moved_away_while_it_trains_is_not_made_anew(
    chore: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = find_recipe("pattern-1010").replace(seeds=1, rounds=300)
    run, moved = tmp_path / "run", tmp_path / "moved"

    def move(self: Record, trainer: Trainer, *_: Any) -> dict[str, Any]:
        if trainer.game.round >= 100 and run.exists():
            run.rename(moved)
        return getattr(usual, chore)(self, trainer, *_)

    usual = type("Usual", (), {chore: getattr(Record, chore)})
    monkeypatch.setattr(Record, chore, move)
    with pytest.raises(SparringError, match=GONE) as caught:
        train(recipe, run, threads=1)
    assert str(caught.value).startswith(f"{run} ") and "\n" not in str(caught.value)
    assert not run.exists()
    assert train(recipe, moved, threads=1).story.status == "finished"
