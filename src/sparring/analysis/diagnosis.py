"""What is wrong with a GAN, or right: every rule asked of one run's story, what they found in order. Loads no torch."""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from sparring import catalogue
from sparring.errors import UsageError
from sparring.record import Run, Story
from sparring.rules import Finding, Rule, Signals

NOT_SURE = "not-sure"
"""The verdict where no finding holds for most members."""
SURE = 0.95
"""Share of the time that an interval over members holds what it is about."""
PAYS = 0.05
"""Part of the distance from the data that another third of the run must promise to take away, to be worth it."""


@dataclass(frozen=True)
class Plateau:
    """Whether samples are still getting better, as a change over the last third of the rounds."""

    figure: str
    """What falls as samples get better."""
    change: float
    """Mean over members: -0.2 is a fifth nearer to the data."""
    low: float
    high: float
    """Ends of the interval for that mean: by how far members differ, or with one by how far its looks lie from a line.

    NaN where there are too few of both.
    """

    @property
    def improving(self) -> bool | None:
        """Whether more training pays; None where members do not agree well enough to say."""
        if np.isnan(self.low):
            return None
        if self.high < 0 and self.change < -PAYS:
            return True
        return False if self.low > -2 * PAYS else None

    @property
    def pays(self) -> bool:
        """Whether to go on: members agree that samples get better, or at least they do on average."""
        return bool(self.improving) or self.change < -PAYS

    @classmethod
    def of(cls, signals: Signals) -> Plateau | None:
        """None where samples were looked at less than twice in that part."""
        line = signals.line
        sound = np.isfinite(line.change) & ~signals.lost
        change = line.change[sound]
        if not len(change):
            return None
        middle, reach = float(change.mean()), float("nan")
        if len(change) > 1:
            reach = students_t(len(change) - 1, SURE) * float(change.std(ddof=1)) / len(change) ** 0.5
        elif line.looks > 2:
            reach = students_t(line.looks - 2, SURE) * float(line.error[sound][0])
        low, high = middle - reach, middle + reach
        return cls(signals.distance.name, float(np.expm1(middle)), float(np.expm1(low)), float(np.expm1(high)))

    @property
    def words(self) -> str:
        """One sentence."""
        way = "nearer to" if self.change < 0 else "further from"
        ends = f" ({SURE:.0%} interval: {_as_moved(self.low)} to {_as_moved(self.high)})"
        between = ends if np.isfinite(self.low) else ""
        came = f"Over the last third of the rounds samples came {abs(self.change):.0%} {way} the data{between}"
        end = {
            True: "more training pays.",
            False: "more training would add little.",
            None: "that does not tell whether more training pays.",
        }
        return f"{came}: {end[self.improving]}"

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        numbers = {"change": self.change, "low": self.low, "high": self.high}
        told = {key: float(f"{value:.4g}") if np.isfinite(value) else None for key, value in numbers.items()}
        return {"figure": self.figure, **told, "improving": self.improving}


@dataclass(frozen=True)
class Diagnosis:
    """Every finding of one run, the strongest first."""

    story: Story = field(repr=False)
    findings: tuple[Finding, ...]
    plateau: Plateau | None

    @property
    def verdict(self) -> str:
        """The name of the strongest finding that holds for most members, or NOT_SURE."""
        return self.findings[0].rule if self.findings and self.findings[0].widespread else NOT_SURE

    @property
    def line(self) -> str:
        """The verdict in one line."""
        if not self.findings:
            return f"{NOT_SURE}: nothing stands out, good or bad"
        first = self.findings[0]
        held = f"{len(first.members):,} of {first.of:,}"
        if first.widespread:
            return f"{first.rule} ({held}): {first.claim}"
        return f"{NOT_SURE}: nothing is clear for most seeds; {first.rule} in {held}"

    @property
    def best(self) -> int | None:
        """The round whose samples were nearest to the data, of those looked at; its checkpoint is kept."""
        told = [event["round"] for event in self.story.events if event["event"] == "best"]
        return told[-1] if told else None

    def plain(self, run: str | Path | None = None) -> dict[str, Any]:
        """What `sparring diagnose --json` tells."""
        return {
            "verdict": self.verdict,
            "findings": [_plain(finding, run) for finding in self.findings],
            "plateau": self.plateau.plain() if self.plateau else None,
            "best": self.best,
            "round": self.story.round,
        }


def diagnose(run: Run | str | Path) -> Diagnosis:
    """What a run's journal says is wrong with it, or right. Raises SparringError for a folder that holds no run."""
    run = run if isinstance(run, Run) else Run.open(run)
    return diagnosis(story_of(run))


def story_of(run: Run) -> Story:
    """A run's story, with the objective's levels from about.json where an older journal does not tell them."""
    story, levels = run.story, run.about.get("equilibrium")
    if not levels or any(event.get("levels") for event in story.events):
        return story
    return Story(story.recipe, [{"event": "levels", "levels": levels}, *story.events])


def diagnosis(story: Story) -> Diagnosis:
    """Of a story."""
    signals = Signals(story)
    found = [finding for finding in (rule.find(signals) for rule in rules().values()) if finding is not None]
    found.sort(key=lambda finding: (-finding.widespread, -finding.strength))
    return Diagnosis(story, tuple(_with_fitting(story.recipe, finding) for finding in found), Plateau.of(signals))


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule there is, by name."""
    return {name: catalogue.find("rules", name)() for name in catalogue.entries("rules")}


def remedied(recipe: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A recipe, as plain data, changed by a remedy. Raises UsageError for one that does not exist or does not fit."""
    changed = catalogue.make("remedies", name, {})(recipe)
    if changed is None:
        fitting = fitting_of(recipe, list(catalogue.entries("remedies")))
        raise UsageError(f"the remedy {name} has nothing to change in this recipe; these have: {', '.join(fitting)}")
    return changed


def fitting_of(recipe: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    """Of these remedies, those that change something in a recipe."""
    return tuple(name for name in names if catalogue.make("remedies", name, {})(recipe) is not None)


def command(run: str | Path, remedy: str) -> str:
    """What to type to try a remedy."""
    return f"sparring train --from {shlex.quote(str(run))} --remedy {remedy}"


def students_t(freedom: int, share: float) -> float:
    """How far from 0, in standard errors, that share of Student's t with so many degrees of freedom lies.

    In closed form for one and two degrees, else by the expansion about the normal quantile (Abramowitz and Stegun,
    Handbook of mathematical functions, 1964, 26.7.5), good to three digits at 95 %. Scipy would take longer to load
    than all else here to run.
    """
    if freedom == 1:
        return math.tan(math.pi / 2 * share)
    if freedom == 2:
        return share * math.sqrt(2 / (1 - share**2))
    z, n = NormalDist().inv_cdf((1 + share) / 2), freedom
    terms = (
        z,
        (z**3 + z) / (4 * n),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3),
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92_160 * n**4),
    )
    return sum(terms)


def _as_moved(change: float) -> str:
    """A change of a distance: `20% nearer`, `5% further`, `9 times as far`."""
    if change >= 1:
        return f"{1 + change:,.0f} times as far"
    return f"{abs(change):.0%} {'nearer' if change < 0 else 'further'}"


def _with_fitting(recipe: Mapping[str, Any], finding: Finding) -> Finding:
    whole = {"generator_optimizer", "discriminator_optimizer", "round", "tricks", "data"} <= recipe.keys()
    return dataclasses.replace(finding, remedies=fitting_of(recipe, finding.remedies) if whole else finding.remedies)


def _plain(finding: Finding, run: str | Path | None) -> dict[str, Any]:
    remedy = finding.remedies[0] if finding.remedies else None
    return {
        "rule": finding.rule,
        "claim": finding.claim,
        "members": list(finding.members),
        "of": finding.of,
        "since": finding.since,
        "evidence": [each.plain() for each in finding.evidence],
        "remedy": remedy,
        "remedies": list(finding.remedies),
        "command": command(run, remedy) if run is not None and remedy else None,
        "strength": finding.strength,
    }
