"""The answer of a study: cells, ranked effects, what they explain, times to a target, seeds needed, and sentences."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from sparring.analysis.wording import count, named_seeds
from sparring.languages import Text
from sparring.study import wording
from sparring.study.anova import Anova, anova
from sparring.study.cells import CellSummary, summaries
from sparring.study.contrasts import contrasts
from sparring.study.contributions import Contribution, contributions
from sparring.study.effects import Effect, corrected, effect, ranked
from sparring.study.fractions import ALIASED, BOTH
from sparring.study.intervals import FEW_SEEDS, LEVEL
from sparring.study.looks import level_at
from sparring.study.power import Seeds, seeds_for_difference, seeds_for_precision, smallest_difference
from sparring.study.results import Results
from sparring.study.scores import Scores
from sparring.study.survival import Survival, survival
from sparring.study.wording import time_text


@dataclass(frozen=True)
class Needed:
    """How many seeds it takes, by the effect whose differences vary most; of interactions nothing is said."""

    n: int
    """The seeds that there are."""
    sd: float
    """Of that effect's paired differences."""
    alpha: float
    """What intervals may err by, 5 % but in a race, over all p that are shown."""
    sees: float
    """The smallest true difference that so many seeds show in 80 % of studies."""
    difference: float | None
    """What was asked for."""
    for_difference: Seeds | None
    """Seeds in all that show it in 80 % of studies."""
    for_precision: Seeds | None
    """Seeds in all for which every effect's interval reaches no further to either side."""

    @property
    def more(self) -> int:
        """Seeds to add for the difference asked for; 0 where there are enough, or nothing was asked."""
        return max(0, self.for_difference.expected - self.n) if self.for_difference else 0


@dataclass(frozen=True)
class Answer:
    """Everything that is shown of a study."""

    results: Results
    scores: Scores
    level: float
    """Confidence of every interval; more than 95 % in a race, whose looks have each their part of the error."""
    cells: list[CellSummary]
    effects: list[Effect]
    """What the design is for: main effects and interactions, steps, or cells against the reference; largest first."""
    comparisons: list[Effect]
    """Cells against the reference that are no effects already."""
    contributions: list[Contribution]
    """Of a stepwise study: each field over both orders."""
    anova: Anova | None
    survival: Survival | None
    needed: Needed | None

    @classmethod
    def of(cls, results: Results, *, target: float | None = None, max_order: int = 2) -> Answer:
        """Compute it.

        Args:
            results: The study's table.
            target: The value of the outcome's metric whose first time is compared; where the reference ends if None.
            max_order: The most factors of an interaction.

        Raises:
            SparringError: statsmodels is not installed.
        """
        level = level_at(0, len(results.looks) + 1) if results.looks else LEVEL
        scores = Scores.of(results)
        every = [effect(each, scores, level) for each in contrasts(results, max_order)]
        reached = survival(results, scores, target, level=level)
        every, others = corrected(every, [reached.p] if reached else [])
        if reached:
            reached = dataclasses.replace(reached, p_holm=others[0])
        effects = [each for each in every if each.contrast.kind != "cell"]
        comparisons = [each for each in every if each.contrast.kind == "cell"]
        if not effects:
            effects, comparisons = comparisons, []
        answer = cls(
            results=results,
            scores=scores,
            level=level,
            cells=summaries(results, scores, level),
            effects=ranked(effects),
            comparisons=ranked(comparisons),
            contributions=contributions(effects, level),
            anova=anova(results, scores, max_order),
            survival=reached,
            needed=None,
        )
        return dataclasses.replace(answer, needed=_needed(answer))

    @property
    def shown(self) -> int:
        """How many p values are shown, over all of which Holm's correction is."""
        ps = [each.p for each in (*self.effects, *self.comparisons)] + [self.survival.p if self.survival else None]
        return sum(p is not None for p in ps)

    @property
    def sentences(self) -> list[str]:
        """What each step contributes; then one for each effect, the largest first, and one for each comparison."""
        groups = (self.effects, self.comparisons)
        steps = [wording.contribution_sentence(each, self.scores) for each in self.contributions]
        return steps + [wording.sentence(each, group, self.results, self.scores) for group in groups for each in group]

    @property
    def method(self) -> str:
        """How intervals and p are made, in sentences."""
        percent = f"{100 * self.level:.3g} %"
        race = Text(
            " The study was a race with {looks} before its end. Each may err with its part of 5 % (Bonferroni): "
            "intervals are {percent}, and p is significant below {alpha}.",
            looks=count(len(self.results.looks), "look"),
            percent=percent,
            alpha=f"{1 - self.level:.3g}",
        )
        if len(self.results.cells) == 1:
            return Text(
                "There is one cell, and nothing to compare it with. In brackets {percent} intervals over seeds.",
                percent=percent,
            )
        return Text(
            "Differences are paired: every cell has the same seeds. In brackets {percent} intervals over seeds, by "
            "Student's t, since BCa bootstrap intervals of so few seeds are too short.{race}{tested}",
            percent=percent,
            race=race if self.results.looks else "",
            tested=_tested(self.shown),
        )

    @property
    def notes(self) -> list[str]:
        """What a reader must know before using the numbers."""
        return [*_few(self.results), *_failed(self), *_unknown(self), *_stopped(self.results), *_aliases(self.results)]


def _tested(tests: int) -> str:
    """How p is made, of so many tests."""
    if tests < 2:
        return Text(" p is two-sided; it is one test, which needs no correction.") if tests else ""
    return Text(" p is two-sided and corrected by Holm over the {count} tests shown.", count=f"{tests:,}")


def _needed(answer: Answer) -> Needed | None:
    """By the widest of the effects that are differences of two sides."""
    every, level = (*answer.effects, *answer.comparisons), answer.level
    plain = [each for each in every if each.contrast.kind != "interaction" and each.sd is not None]
    if not plain:
        return None
    widest = max(plain, key=lambda each: each.sd or 0.0)
    sd, n, difference = widest.sd or 0.0, widest.n, answer.results.precision
    alpha = (1 - level) / answer.shown
    return Needed(
        n=n,
        sd=sd,
        alpha=alpha,
        sees=smallest_difference(sd, n, alpha),
        difference=difference,
        for_difference=seeds_for_difference(sd, n, difference, alpha) if difference else None,
        for_precision=seeds_for_precision(sd, n, difference, level) if difference else None,
    )


def _few(results: Results) -> list[str]:
    seeds = len(results.seeds)
    if seeds >= FEW_SEEDS:
        return []
    if seeds < 2:
        return [Text("One seed is an anecdote: no spread, no interval and no p can be given. Add seeds.")]
    few = Text(
        "Only {count} seeds: intervals are wide, and rest on the assumption that differences are roughly normal, "
        "which so few cannot show. {enough} or more are advised.",
        count=seeds,
        enough=FEW_SEEDS,
    )
    return [few]


def _failed(answer: Answer) -> list[str]:
    members = sum(each.seeds for each in answer.cells)
    horizon, unit = answer.scores.horizon, answer.results.asked.unit
    notes: list[str] = []
    if lost := sum(each.diverged for each in answer.cells):
        kept = Text("has no outcome: means, SD and intervals are of the others and say of how many")
        counted = answer.scores.diverged & np.isfinite(answer.scores.values)
        if horizon is not None and counted.any():
            kept = Text("counts as {time} in means, SD and intervals", time=time_text(horizon, unit))
        diverged = Text(
            "{some} of {total} members diverged. Such a member {kept}; in the IQM, in counts of seeds, in the "
            "probability of improvement and in p it is worse than every other one.",
            some=f"{lost:,}",
            total=f"{members:,}",
            kept=kept,
        )
        notes.append(diverged)
    if collapsed := sum(each.collapsed for each in answer.cells):
        notes.append(
            Text(
                "{some} of {total} members collapsed. They are in every number.",
                some=f"{collapsed:,}",
                total=f"{members:,}",
            )
        )
    if horizon is not None and (answer.scores.late & ~answer.scores.diverged).any():
        cut = Text(
            "Times are cut at {time}, the longest that all members were tried: who had not reached the target by then "
            "counts as that.",
            time=time_text(horizon, unit),
        )
        notes.append(cut)
    return notes


def _unknown(answer: Answer) -> list[str]:
    missing = np.array(np.isnan(answer.scores.badness))
    missing[[cell.stopped is not None for cell in answer.results.cells]] = False
    if not missing.any():
        return []
    seeds = [answer.results.seeds[index] for index in np.unique(np.nonzero(missing)[1])]
    unknown = Text(
        "{count} outcomes are not known yet, of {seeds}: every number is of the others, and not final.",
        count=f"{int(missing.sum()):,}",
        seeds=named_seeds(seeds),
    )
    return [unknown]


def _aliases(results: Results) -> list[str]:
    """What a fractional design cannot separate: kept with the results, as English sentences."""
    return [Text.read(line, ALIASED, BOTH) for line in results.aliases]


def _stopped(results: Results) -> list[str]:
    stopped = [cell for cell in results.cells if cell.stopped is not None]
    return [
        Text(
            "{cell} was stopped at round {round}, where it was losing; it has no outcome.",
            cell=cell.label,
            round=f"{cell.stopped:,}",
        )
        for cell in stopped
    ]
