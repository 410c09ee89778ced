"""Lessons: a page of text, a small training before one's eyes, and one thing to try, a lesson in a file. No torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from sparring.datasets.ring import Ring
from sparring.game.moves import MODERN
from sparring.latents.normal import Normal
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe

ORDER = ("pattern", "loss_returns", "collapse", "strong_discriminator", "penalties", "seeds")
"""The lessons as they are read, by the names of their files."""
ALL = ("field", "real", "fake", "arrows", "latent")
"""Layers of the picture of the plane."""


@dataclass(frozen=True)
class Trial:
    """What a learner may train: the lesson's recipe, or the recipe with something changed."""

    name: str
    """In addresses and names of folders."""
    title: str
    """On its button."""
    make: Callable[[], Recipe]


@dataclass(frozen=True)
class Lesson:
    """One lesson. Its texts are English messages."""

    name: str
    """In addresses."""
    title: str
    question: str
    text: tuple[str, ...]
    """Paragraphs."""
    watch: str
    """What to look at while it trains."""
    attempt: str
    """The one thing to try."""
    trials: tuple[Trial, ...]
    """The lesson's own training first, then what there is to try."""
    layers: tuple[str, ...] = ALL
    """Which layers of the plane are shown to begin with."""
    curves: str = "losses"
    """The figure of curves beside it."""


@cache
def lessons() -> Mapping[str, Lesson]:
    """Every lesson by its name, in order."""
    made = [import_module(f"{__name__}.{name}").LESSON for name in ORDER]
    return {lesson.name: lesson for lesson in made}


def points() -> Recipe:
    """Eight Gaussians on a circle, and two small networks that learn them in seconds."""
    adam = Adam(2e-3, betas=(0.5, 0.99))
    return Recipe(
        data=Ring(),
        generator=FullyConnected(hidden=(64, 64), activation="relu"),
        discriminator=FullyConnected(hidden=(64, 64)),
        objective=BCEWithLogits(),
        latent=Normal(2),
        round=MODERN,
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        batch=128,
        rounds=1_500,
        log_points=50,
        seeds=tuple(range(6)),
        samples_per_grid=200,
    )
