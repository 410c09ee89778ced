"""Someone's own loop has a mistake: the watch names it first, with its line; a sound loop is accused of nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from sparring.analysis.diagnosis import Finding, diagnosis
from sparring.training.watch import samples
from sparring.training.watch.session import Watch
from tests.loops import broken, later, one_optimizer, own_steps, parts, rarer, scores, sound, usual, wrapped

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch.compile's own
ROUNDS = 30
BROKEN = {
    **broken.BROKEN,
    **later.BROKEN,
    **rarer.BROKEN,
    **scores.BROKEN,
    **usual.BROKEN,
    **own_steps.BROKEN,
    **one_optimizer.BROKEN,
    **parts.BROKEN,
}
SOUND = {
    **sound.LOOPS,
    **later.SOUND,
    **wrapped.LOOPS,
    **rarer.SOUND,
    **scores.SOUND,
    **usual.SOUND,
    **own_steps.SOUND,
    **one_optimizer.SOUND,
    **parts.SOUND,
}


@pytest.fixture(autouse=True)
def generators_are_not_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that samples can be drawn elsewhere, which takes a fifth of these tests and changes no finding."""
    monkeypatch.setattr(samples, "graph_of", lambda *_, **__: {})


def findings_of(loop: Any, out: Path) -> tuple[Finding, ...]:
    """What the diagnosis of a watched loop says."""
    torch.manual_seed(1)
    watches: list[Watch] = []

    def watching(*players: Any, **more: Any) -> Watch:
        watches.append(Watch(*players, out=out, **more))
        return watches[-1]

    with suppress(RuntimeError):  # torch itself refuses some of them
        loop(watching, ROUNDS)
    assert watches[0].trouble is None
    return diagnosis(watches[0].run.story).findings


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_named_first(name: str, tmp_path: Path) -> None:
    loop, rule = BROKEN[name]
    first = findings_of(loop, tmp_path / "run")[0]
    assert first.rule == rule
    assert first.mended
    if first.line is not None:
        assert "tests/loops/" in first.line.file and first.line.code


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_loop_is_accused_of_nothing(name: str, tmp_path: Path) -> None:
    found = findings_of(SOUND[name], tmp_path / "run")
    assert not [f.claim for f in found if f.fault and f.rule != "undertrained"]
