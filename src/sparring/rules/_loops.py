"""What rules about mistakes in a user's own loop share: a bug's words, its line, and stories of loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparring.record import Story
from sparring.record.loop import Batches, Latents, Line, LoopFacts, LossCall, OptimizerFacts, PlayerFacts
from sparring.rules._evidence import Evidence, Explanation, Plot, evidence
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals
from sparring.rules._stories import story

LOSSES = Plot("curves", ("d_loss", "g_loss"), "Losses", Range())
SCORES = Plot("curves", ("d_real", "d_fake"), "D's outputs", Range())
GRADIENTS = Plot("curves", ("d_gradient", "g_gradient"), "Gradient norms", Range(), log=True)


@dataclass(frozen=True)
class Bug:
    """A mistake that was found in a loop."""

    headline: str
    """What is wrong, without a number."""
    name: str
    """Of the number that it rests on, as a table shows it."""
    value: float
    healthy: Range
    phrase: str = ""
    """How a sentence gives the number: `its scores pass {value} sigmoids`."""
    line: Line | None = None
    """Where it happens."""
    mended: str = ""
    """That line as it should be, or what to do."""
    context: tuple[tuple[str, float, Range], ...] = ()
    """Other numbers that help to understand it."""
    aside: str = ""
    """What follows the number in a sentence, as in `Explanation`."""


def bug_detection(signals: Signals, bug: Bug | None):
    """The detection of a bug in every member, of which a watched loop has one; None for a run that was not watched."""
    from sparring.rules import Detection

    if signals.story.loop is None:
        return None
    found = np.full(signals.members, bug is not None)
    return Detection(holds=found, severity=np.ones(signals.members), since=np.zeros(signals.members, dtype=np.int64))


def bug_explanation(signals: Signals, members: np.ndarray, bug: Bug | None, plot: Plot = LOSSES) -> Explanation:
    """A bug in words."""
    assert bug is not None  # it was detected

    def shown(name: str, value: float, healthy: Range, phrase: str = "") -> Evidence:
        return evidence(name, np.full(signals.members, value), members, healthy, phrase)

    reason = shown(bug.name, bug.value, bug.healthy, bug.phrase)
    context = [shown(*each) for each in bug.context]
    return Explanation(bug.headline, [reason], plot, context, bug.aside, line=bug.line, mended=bug.mended)


# Stories.

HERE = Line("train.py", 31, "loss_d = criterion(D(real), ones) + criterion(D(fake.detach()), zeros)")
G_LINE = Line("train.py", 37, "loss_g = criterion(D(fake), ones)")
SOUND = LoopFacts(
    g=PlayerFacts(
        name="Generator", parameters=90_000, ends_in="tanh", range=(-1.0, 1.0), steps=1.0, moved=1.0, update=2e-3,
        on_fake=-1.0, loss_line=G_LINE, step_line=Line("train.py", 39, "opt_g.step()"),
    ),
    d=PlayerFacts(
        name="Discriminator", parameters=80_000, ends_in="", range=(-4.0, 4.0), steps=1.0, moved=1.0, update=2e-3,
        on_real=-1.0, on_fake=1.0, loss_line=HERE, step_line=Line("train.py", 34, "opt_d.step()"),
    ),
    losses=(
        LossCall("D", "binary_cross_entropy_with_logits", "real", False, 1.0, (64, 1), (64, 1), HERE),
        LossCall("D", "binary_cross_entropy_with_logits", "fake", False, 0.0, (64, 1), (64, 1), HERE),
        LossCall("G", "binary_cross_entropy_with_logits", "fake", False, 1.0, (64, 1), (64, 1), G_LINE),
    ),
    optimizers=(OptimizerFacts("D", "Adam", 2e-4, 8, 0), OptimizerFacts("G", "Adam", 2e-4, 10, 0)),
    data=Batches(
        shape=(1, 28, 28), size=64, dtype="float32", quantiles=(-1.0, -1.0, -1.0, 1.0, 1.0), distinct=256, spread=1.0,
        line=HERE,
    ),
    latent=Latents(shape=(100,), law="normal", low=-4.2, high=4.3, line=Line("train.py", 29, "fake = G(noise)")),
    fake_line=HERE,
)  # fmt: skip
"""A loop without a mistake."""


def loop_story(
    good: bool = False, g: Mapping[str, Any] | None = None, d: Mapping[str, Any] | None = None, **changes: Any
) -> Story:
    """The story of a watched loop of one member, with these facts, and these of its players, changed.

    Its curves are sound; its samples were not evaluated, unless it is a `good` one.
    """
    facts = replace(SOUND, g=replace(SOUND.g, **(g or {})), d=replace(SOUND.d, **(d or {})), **changes)
    good_run = story() if good else story(metrics={})
    event = {"event": "loop", "round": 12, **facts.plain()}
    return Story({**good_run.recipe, "seeds": [0]}, [*(_of_one(each) for each in good_run.events), event])


def _of_one(event: dict[str, Any]) -> dict[str, Any]:
    """The first member's part of an event."""
    per_member = {name: [row[:1] for row in value] for name, value in event.items() if _is_rows(value)}
    metrics = {name: values[:1] for name, values in event.get("metrics", {}).items() if isinstance(values, list)}
    return {**event, **per_member, **({"metrics": metrics} if metrics else {})}


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)
