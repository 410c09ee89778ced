"""A run's facts, read once: the same numbers for the page, the terminal and `--json`. Loads no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sparring import catalogue
from sparring.analysis.diagnosis import Diagnosis, diagnosis, story_of
from sparring.analysis.differences import differences
from sparring.analysis.stats import Spread
from sparring.analysis.wording import count
from sparring.record import Run, Story
from sparring.record.story import CURVES, GRADIENTS
from sparring.rules import NEAR

TITLES = {"d_loss": "D's loss", "g_loss": "G's loss", "d_real": "D(real)", "d_fake": "D(fake)"}
GRADIENT_TITLES = {"d_gradient": "D's gradient norm", "g_gradient": "G's gradient norm"}
LATE, MOVED = 0.2, 0.02
"""A member that came so much nearer (data units) to the target over that last share of rounds is still on its way."""
ODD = 3.0
"""Interquartile ranges beyond the quartiles from which on a seed is called odd: Tukey's outer fence."""


@dataclass(frozen=True)
class Ends:
    """Where each member's generator ended, beside the target that its data set names."""

    round: int
    outputs: np.ndarray
    """One example of each member, `(P, K)`."""
    target: np.ndarray
    """`(K,)`."""

    @property
    def near(self) -> np.ndarray:
        """Which members came within NEAR of the target in every number, bool `(P,)`."""
        return np.nan_to_num(np.abs(self.outputs - self.target), nan=np.inf).max(1) <= NEAR


@dataclass(frozen=True)
class Evaluation:
    """What samples were like when they were last looked at while the run trained."""

    round: int
    metrics: dict[str, np.ndarray]
    """Each `(P,)`."""
    real: dict[str, float]
    """What real data scores, where that says something."""
    n: int | None
    """Examples on either side of what is seen through features, classes or modes."""
    judge: str | None

    @cached_property
    def spreads(self) -> dict[str, Spread]:
        return {name: Spread.of(values) for name, values in self.metrics.items()}


@dataclass(frozen=True)
class Facts:
    """One run of P members, as its folder tells it at one moment."""

    run: Run
    story: Story
    about: dict[str, Any]

    @classmethod
    def of(cls, run: Run) -> Facts:
        return cls(run, story_of(run), run.about)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What is wrong with the run, or right."""
        return diagnosis(self.story)

    @property
    def recipe(self) -> dict[str, Any]:
        return self.story.recipe

    @property
    def name(self) -> str:
        return self.recipe["name"] or self.run.path.name

    @property
    def rounds(self) -> int:
        """Rounds that the recipe asks for."""
        return self.recipe["rounds"]

    @cached_property
    def seeds(self) -> list[int]:
        return self.story.seeds

    @property
    def pace(self) -> float | None:
        """Rounds a second."""
        return self.story.round / self.story.seconds if self.story.seconds else None

    @cached_property
    def diverged(self) -> dict[int, int]:
        """Seed -> the round at which its numbers were first seen not to be finite."""
        return {self.seeds[member]: round for member, round in sorted(self.story.diverged.items())}

    @cached_property
    def card(self) -> catalogue.Entry | None:
        """What the catalogue says of the recipe, when it is one of ours."""
        return None if self.recipe.get("origin") else catalogue.entries("recipes").get(self.recipe["name"])

    @property
    def expects(self) -> list[str]:
        """Names of the findings that a run of this recipe should come to."""
        return list(self.card.facts.get("expects", ())) if self.card and not self.on_other_data else []

    @property
    def on_other_data(self) -> bool:
        """Whether the run was given other data than its author's, so that what the author says is not of it."""
        old, new = self.changed.get("data", ({}, {}))
        return old.get("is") != new.get("is")

    @property
    def changed(self) -> dict[str, list[Any]]:
        """Field -> what the catalogue's recipe of this name has, and what this run has."""
        return self.about.get("changed") or {}

    @property
    def changes(self) -> list[str]:
        """The same in words: `rounds 10000 → 200`, `generator optimizer rate 0.01 → 0.1`."""
        return [told for field, (old, new) in self.changed.items() for told in differences(field, old, new)]

    @property
    def equilibrium(self) -> dict[str, float]:
        """What each curve is once D cannot tell real from fake."""
        return self.about.get("equilibrium") or {}

    @property
    def objective(self) -> str:
        """What the objective is called, for the label of an axis."""
        told = self.recipe["objective"]
        card = catalogue.entries("objectives").get(told.get("is", ""))
        return card.attribute if card else str(told.get("yours") or told.get("is"))

    @cached_property
    def last(self) -> dict[str, np.ndarray]:
        """Each curve's mean over the last 5 % of its points, `(P,)`."""
        return {name: self.story.last(name) for name in CURVES}

    @cached_property
    def spreads(self) -> dict[str, Spread]:
        return {name: Spread.of(values) for name, values in self.last.items()}

    @cached_property
    def gradients(self) -> dict[str, np.ndarray]:
        """Norm of each player's gradients, its mean over the last 5 % of the points, `(P,)`; of runs that tell it."""
        return {name: self.story.last(name) for name in GRADIENTS if np.isfinite(self.story.curve(name)).any()}

    @cached_property
    def evaluated(self) -> Evaluation | None:
        """What samples were like when they were last looked at; None for a run that has no such figures."""
        rounds, figures = self.story.evaluations
        if not len(rounds):
            return None
        told = self.story.real_baseline or {}
        last = {name: values[-1] for name, values in figures.items()}
        return Evaluation(int(rounds[-1]), last, dict(told.get("metrics", {})), told.get("n"), told.get("judge"))

    @cached_property
    def outputs(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Rounds `(T,)` and examples `(T, P, K)`, of data small enough for the journal to tell."""
        told = self.story.outputs
        return (told[0], told[1].reshape(*told[1].shape[:2], -1)) if told else None

    @cached_property
    def ends(self) -> Ends | None:
        """None when the data set names no target."""
        target = self.about.get("target")
        if self.outputs is None or target is None:
            return None
        rounds, examples = self.outputs
        return Ends(int(rounds[-1]), examples[-1], np.array(target, dtype=np.float64))

    @cached_property
    def odd(self) -> list[int]:
        """Members that a reader should look at: diverged, away from the target, or far outside the others."""
        odd = np.zeros(len(self.seeds), dtype=bool)
        odd[list(self.story.diverged)] = True
        if self.ends is not None:
            odd |= ~self.ends.near
        if len(self.seeds) >= 4:
            for values in self.last.values():
                odd |= _far_out(values)
        return np.flatnonzero(odd).tolist()

    @property
    def ended(self) -> str | None:
        """How many ended near the target, as a sentence; None when the data set names no target."""
        if self.ends is None:
            return None
        target = ", ".join(f"{t:g}" for t in self.ends.target)
        near = f"{int(self.ends.near.sum()):,} of {count(len(self.seeds), 'seed')}"
        return f"{near} ended within {NEAR:g} of [{target}] in every number."

    def why(self, member: int) -> str:
        """What the curves say of a member that ended away from the target. Evidence, not a diagnosis."""
        seed = self.seeds[member]
        if seed in self.diverged:
            return f"diverged at round {self.diverged[seed]:,}"
        told = ", ".join(f"{TITLES[name]} {self.last[name][member]:.3f}" for name in ("d_real", "d_fake", "d_loss"))
        return f"{self._approach(member)}; {told}"

    def _approach(self, member: int) -> str:
        """Whether a member that is away from the target was still on its way there."""
        assert self.outputs is not None and self.ends is not None
        rounds, examples = self.outputs
        since = int(np.searchsorted(rounds, (1 - LATE) * rounds[-1]))
        before, now = np.abs(examples[[since, -1], member] - self.ends.target).max(1)
        if before - now > MOVED:
            return f"still on its way, {before:.2f} from the target at round {rounds[since]:,} and {now:.2f} at the end"
        return f"no longer nearing it, {before:.2f} from the target at round {rounds[since]:,} and {now:.2f} at the end"


def summary(run: Run) -> dict[str, Any]:
    """All that `sparring show --json` tells: plain data, with null where there is no finite number."""
    facts = Facts.of(run)
    story = facts.story
    return {
        "run": str(run.path),
        "recipe": facts.name,
        "id": facts.about.get("id"),
        "status": story.status,
        "round": story.round,
        "rounds": facts.rounds,
        "seeds": facts.seeds,
        "seconds": round(story.seconds, 3),
        "rounds_per_second": round(facts.pace, 3) if facts.pace else None,
        "equilibrium": facts.equilibrium.get("d_loss"),
        "diverged": {str(seed): at for seed, at in facts.diverged.items()},
        "curves": {name: _curve(facts, name) for name in CURVES},
        "gradients": {
            name: {"members": plain(values), **asdict(Spread.of(values))} for name, values in facts.gradients.items()
        },
        "metrics": _figures(facts),
        "ends": _ends(facts),
        "diagnosis": facts.diagnosis.plain(run.path),
        "source": facts.card.facts["source"] if facts.card else None,
        "verdict": facts.card.facts["verdict"] if facts.card else None,
        "expects": facts.expects,
        "changed": facts.changed,
        "made_with": {k: facts.about.get(k) for k in ("device", "processor", "cores", "threads", "versions", "commit")},
        "files": files(run, story),
    }


def files(run: Run, story: Story) -> dict[str, Any]:
    """Paths, relative to the run's folder, of what there is to look at."""
    return {
        "report": "report.html" if (run.path / "report.html").is_file() else None,
        "figures": sorted(f"figures/{path.name}" for path in (run.path / "figures").glob("[!.]*.png")),
        "pictures": [name for name in story.pictures if (run.path / name).is_file()],
    }


def plain(values: np.ndarray) -> Any:
    """Nested lists; None for what is not finite."""
    if values.ndim == 0:
        return float(values) if np.isfinite(values) else None
    return [plain(value) for value in values]


def _curve(facts: Facts, name: str) -> dict[str, Any]:
    return {
        "members": plain(facts.last[name]),
        **asdict(facts.spreads[name]),
        "equilibrium": facts.equilibrium.get(name),
    }


def _figures(facts: Facts) -> dict[str, Any] | None:
    evaluated = facts.evaluated
    if evaluated is None:
        return None
    values = {
        name: {"members": plain(members), **asdict(evaluated.spreads[name]), "real": evaluated.real.get(name)}
        for name, members in evaluated.metrics.items()
    }
    return {"round": evaluated.round, "examples": evaluated.n, "judge": evaluated.judge, "values": values}


def _ends(facts: Facts) -> dict[str, Any] | None:
    ends = facts.ends
    if ends is None:
        return None
    return {
        "round": ends.round,
        "target": plain(ends.target),
        "within": NEAR,
        "near": int(ends.near.sum()),
        "of": len(facts.seeds),
        "outputs": plain(ends.outputs),
        "away": [
            {"seed": facts.seeds[m], "output": plain(ends.outputs[m]), "why": facts.why(m)}
            for m in np.flatnonzero(~ends.near).tolist()
        ],
    }


def _far_out(values: np.ndarray) -> np.ndarray:
    finite = values[np.isfinite(values)]
    if len(finite) < 4:
        return np.zeros(len(values), dtype=bool)
    low, high = np.quantile(finite, [0.25, 0.75])
    reach = ODD * (high - low)
    return (values < low - reach) | (values > high + reach)
