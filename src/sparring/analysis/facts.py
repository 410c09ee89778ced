"""Facts of one run, computed once: the same numbers for the page, the terminal and `--json`. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sparring import catalogue
from sparring.analysis.diagnosis import Diagnosis, diagnosis, story_of
from sparring.analysis.differences import field_changes
from sparring.analysis.history import history
from sparring.analysis.stats import Spread
from sparring.analysis.steered import departure, steering_sentences
from sparring.languages import Text
from sparring.record import RunFolder, Story
from sparring.record.story import CURVES, GRADIENTS
from sparring.record.story import TITLES as ALL_TITLES
from sparring.rules import NEAR

TITLES = {name: ALL_TITLES[name] for name in CURVES}
GRADIENT_TITLES = {name: f"{ALL_TITLES[name]} norm" for name in GRADIENTS}
LATE, APPROACHED = 0.2, 0.02
"""A member still approaches the target if it came this much nearer (data units) over this last share of rounds."""
FENCE = 3.0
"""A seed is an outlier when it lies this many interquartile ranges beyond the quartiles: Tukey's outer fence."""
MIN_SEEDS_FOR_OUTLIERS = 4
"""With fewer seeds, quartiles mean nothing."""


@dataclass(frozen=True)
class Ends:
    """The last logged output of each member's generator, and the target of the data set."""

    round: int
    outputs: np.ndarray
    """One example of each member, `(P, K)`."""
    target: np.ndarray
    """The mean real example, `(K,)`."""

    @property
    def near(self) -> np.ndarray:
        """Which members ended within NEAR of the target in every number, bool `(P,)`."""
        return np.nan_to_num(np.abs(self.outputs - self.target), nan=np.inf).max(1) <= NEAR


@dataclass(frozen=True)
class Evaluation:
    """An evaluation of samples while the run trained."""

    round: int
    metrics: dict[str, np.ndarray]
    """Each `(P,)`."""
    real: dict[str, float]
    """What held-out real data scores, for the metrics where that is meaningful."""
    n: int | None
    """Generated examples per member, and real ones, behind metrics of features, classes or modes."""
    judge: str | None
    """Whose features and classes were used."""
    played: int
    """Rounds that the run has played by now."""

    @cached_property
    def spreads(self) -> dict[str, Spread]:
        """The spread over seeds of each metric."""
        return {name: Spread.of(values) for name, values in self.metrics.items()}


@dataclass(frozen=True)
class Facts:
    """One run of P members, as its folder describes it at one moment."""

    run: RunFolder
    story: Story
    about: dict[str, Any]

    @classmethod
    def of(cls, run: RunFolder) -> Facts:
        """Read a run's journal and its about.json."""
        return cls(run, story_of(run), run.about_for_reports)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What the rules find in the run."""
        return diagnosis(self.story)

    @property
    def recipe(self) -> dict[str, Any]:
        """The recipe in force since the last change; `story.recipe` is what the run began with."""
        return self.story.recipe_now

    @property
    def name(self) -> str:
        """The recipe's name, or the folder's where the recipe has none; a run that was changed says so."""
        name = self.recipe["name"] or self.run.path.name
        return Text("{name} (changed)", name=name) if self.departure else name

    @property
    def rounds(self) -> int:
        """Rounds that the recipe asks for."""
        return self.recipe["rounds"]

    @cached_property
    def seeds(self) -> list[Any]:
        """The members' seeds; where members differ in numbers, `3 (lr 0.001)`: see `Story.names`."""
        return self.story.names

    @property
    def rounds_per_second(self) -> float | None:
        """Of all members side by side; None before the first logged round."""
        return self.story.round / self.story.seconds if self.story.seconds else None

    @cached_property
    def diverged(self) -> dict[Any, int]:
        """Seed -> the round at which its first NaN or infinity was noticed."""
        return {self.seeds[member]: round for member, round in sorted(self.story.diverged.items())}

    @cached_property
    def entry(self) -> catalogue.Entry | None:
        """The recipe's entry in the catalogue; None for a recipe of the user's own, and for a run that was changed."""
        if self.recipe.get("origin") or self.departure:
            return None
        return catalogue.entries("recipes").get(self.recipe["name"])

    @property
    def expects(self) -> list[str]:
        """The expected diagnosis: names of the findings that a run of this recipe should show."""
        return list(self.entry.facts.get("expects", ())) if self.entry and not self.on_other_data else []

    @property
    def on_other_data(self) -> bool:
        """Whether the run's data are not the recipe's, so that the reference result does not apply."""
        old, new = self.changed.get("data", ({}, {}))
        return old.get("is") != new.get("is")

    @property
    def changed(self) -> dict[str, list[Any]]:
        """Field -> its value in the catalogue's recipe, and its value in this run."""
        return self.about.get("changed") or {}

    @cached_property
    def history(self) -> list[str]:
        """Sentences on what was done to the run besides training it: started from another, made longer, data moved,
        settings changed."""
        return [*history(self.story), *(sentence for _, sentence in steering_sentences(self.story))]

    @cached_property
    def departure(self) -> str:
        """What was changed while it trained, in a phrase; empty for a run that is its recipe's."""
        return departure(self.story)

    @property
    def changes(self) -> list[str]:
        """The same as text: `rounds 10,000 → 200`, `generator optimizer lr 0.01 → 0.1`."""
        return [text for field, (old, new) in self.changed.items() for text in field_changes(field, old, new)]

    @property
    def equilibrium(self) -> dict[str, float]:
        """The value of each curve at equilibrium, when D is at chance level."""
        return self.about.get("equilibrium") or {}

    @property
    def objective(self) -> str:
        """The name of the objective's class, for the label of an axis."""
        objective = self.recipe["objective"]
        entry = catalogue.entries("objectives").get(objective.get("is", ""))
        return entry.attribute if entry else str(objective.get("yours") or objective.get("is"))

    @cached_property
    def last(self) -> dict[str, np.ndarray]:
        """Each curve's mean over the last 5 % of its logged rounds, `(P,)`."""
        return {name: self.story.last(name) for name in CURVES}

    @cached_property
    def spreads(self) -> dict[str, Spread]:
        """The spread of `last` over seeds, for each curve."""
        return {name: Spread.of(values) for name, values in self.last.items()}

    @cached_property
    def gradients(self) -> dict[str, np.ndarray]:
        """Each player's gradient norm, its mean over the last 5 % of logged rounds, `(P,)`; empty for older runs."""
        return {name: self.story.last(name) for name in GRADIENTS if np.isfinite(self.story.curve(name)).any()}

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """The last evaluation of samples; None for a run without any."""
        rounds, _ = self.story.evaluations
        return self.evaluation_at(int(rounds[-1])) if len(rounds) else None

    def evaluation_at(self, round: int) -> Evaluation | None:
        """The evaluation of samples after this round; None where there was none."""
        rounds, metrics = self.story.evaluations
        found = np.flatnonzero(rounds == round)
        if not len(found):
            return None
        real = self.story.real_baseline or {}
        then = {name: values[found[-1]] for name, values in metrics.items()}
        scores, played = dict(real.get("metrics", {})), self.story.round
        return Evaluation(round, then, scores, real.get("n"), real.get("judge"), played)

    @cached_property
    def outputs(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Rounds `(T,)` and one example per member `(T, P, K)`; None for data too large to be in the journal."""
        if self.story.outputs is None:
            return None
        rounds, examples = self.story.outputs
        return rounds, examples.reshape(*examples.shape[:2], -1)

    @cached_property
    def ends(self) -> Ends | None:
        """Final outputs beside the target; None when the data set has no target."""
        target = self.about.get("target") or (self.story.loop.target if self.story.loop else None)
        if self.outputs is None or target is None:
            return None
        rounds, examples = self.outputs
        return Ends(int(rounds[-1]), examples[-1], np.array(target, dtype=np.float64))

    @cached_property
    def outliers(self) -> list[int]:
        """Members to have a look at: diverged, away from the target, or far from the others in some curve."""
        outlying = np.zeros(len(self.seeds), dtype=bool)
        outlying[list(self.story.diverged)] = True
        if self.ends is not None:
            outlying |= ~self.ends.near
        for values in self.last.values():
            outlying |= _beyond_fence(values)
        return np.flatnonzero(outlying).tolist()

    def why(self, member: int) -> str:
        """What the curves show of a member that ended away from the target: evidence, not a diagnosis."""
        seed = self.seeds[member]
        if seed in self.diverged:
            return Text("diverged at round {round}", round=f"{self.diverged[seed]:,}")
        values = [
            Text("{curve} {value}", curve=Text(TITLES[name]), value=f"{self.last[name][member]:.3f}")
            for name in ("d_real", "d_fake", "d_loss")
        ]
        return Text.joined([self._approach(member), Text.joined(values, ", ")], "; ")

    def _approach(self, member: int) -> str:
        """Whether a member that is away from the target was still approaching it."""
        assert self.outputs is not None and self.ends is not None
        rounds, examples = self.outputs
        since = int(np.searchsorted(rounds, (1 - LATE) * rounds[-1]))
        before, now = np.abs(examples[[since, -1], member] - self.ends.target).max(1)
        return Text(
            "{trend}: {before} from the target at round {round}, {now} at the end",
            trend=Text("still approaching" if before - now > APPROACHED else "no longer approaching"),
            before=f"{before:.2f}",
            round=f"{rounds[since]:,}",
            now=f"{now:.2f}",
        )


def _beyond_fence(values: np.ndarray) -> np.ndarray:
    """Which of `(P,)` values are outliers, bool `(P,)`; none among fewer than MIN_SEEDS_FOR_OUTLIERS finite ones."""
    finite = values[np.isfinite(values)]
    if len(finite) < MIN_SEEDS_FOR_OUTLIERS:
        return np.zeros(len(values), dtype=bool)
    low, high = np.quantile(finite, [0.25, 0.75])
    reach = FENCE * (high - low)
    return (values < low - reach) | (values > high + reach)
