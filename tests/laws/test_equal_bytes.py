"""Two equal runs end in equal bytes with real compiled code: whether it was kept from the first or is compiled anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparring.game.compile import aot
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.training import train
from tests.miniature import miniature

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(aot.compiler() is None, reason="there is no C++ compiler"),
]


def short(name: str, seeds: int) -> Recipe:
    return miniature(find_recipe(name)).replace(rounds=60, log_points=3, samples_per_grid=4, seeds=seeds)


def files(run: RunFolder) -> dict[str, bytes]:
    """What does not depend on when and how fast a run was trained."""
    paths = [*run.path.glob("weights/round-*.safetensors"), *run.path.glob("samples/*.png"), run.path / "recipe.json"]
    assert len(paths) > 4
    return {str(path.relative_to(run.path)): path.read_bytes() for path in paths}


@pytest.mark.parametrize(("name", "seeds", "threads"), [("pattern-1010", 3, 1), ("num-gan-2", 2, 2)])
def test_equal_runs_end_in_equal_bytes(
    name: str, seeds: int, threads: int, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`weights/` has the checkpoints before the last as well, so that the runs are equal on the way too."""
    recipe = short(name, seeds)

    def trained(folder: str, cache: str) -> RunFolder:
        monkeypatch.setattr(aot, "cache_dir", lambda: tmp_path / cache)
        run = train(recipe, tmp_path / folder, data_dir=data_dir, threads=threads, compile=True, metrics=False)
        assert run.about["compiled"] is True
        return run

    first = files(trained("first", "kept"))
    libraries = set((tmp_path / "kept").glob("*/round.so"))
    assert len(libraries) == 2
    assert files(trained("second", "kept")) == first
    assert set((tmp_path / "kept").glob("*/round.so")) == libraries
    assert files(trained("third", "anew")) == first
    assert {path.parent.name for path in (tmp_path / "anew").glob("*/round.so")} == {
        path.parent.name for path in libraries
    }
