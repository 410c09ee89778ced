"""A story prepared for rules: D's outputs on the objective's own scale, what samples are like, and how both change.

Everything here is an array with an axis P of members, and NaN where the journal does not say.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sparring import catalogue
from sparring.metrics import Healthy, Metric, all_metrics
from sparring.recipe.encoding import decode
from sparring.record import Story
from sparring.rules._distance import Distance, Trend
from sparring.rules._measured import Measured, evaluated, of_rows, without_numbers
from sparring.rules._nearness import Nearness
from sparring.rules._noise import has_pattern, is_rough
from sparring.rules._outputs import curve_of, lead_of, ranks
from sparring.rules._progress import CONSTANT as CONSTANT
from sparring.rules._progress import Progress
from sparring.rules._ranges import POOR, Levels, Range
from sparring.rules._series import line, median, smoothed, spans
from sparring.tricks import Trick

FINAL = 0.1
"""Share of a curve's points, the last ones, whose mean is its final value."""
FINAL_EVALUATIONS = 3
"""How many of the last evaluations a metric's latest value is the median of."""
RECENT = 0.5
"""Share of the rounds played before which an evaluation says nothing of the samples now."""
EARLIER = 40
"""From how many earlier moments, at most, it is worked out since when something holds."""
TREND = 1 / 3
"""Share of the rounds, the last ones, in which trends are measured."""
SPANNED = 0.5
"""Share of that part which evaluations must span: what swings within a few rounds is no trend."""
NEAR = 0.2
"""How far, in data units, each number of an example may lie from the data's target."""

ALIKE = 0.5
"""Diversity (1: as real examples) below which samples are much alike."""
NEAR_MEAN = 1.45
"""Similarity to the mean (1: as real examples) above which samples that are alike are the mean of the data."""
BEATEN = 0.95
"""D's lead that it must have kept for the last half of the rounds to have beaten G: in runs that came to a good end it
was at most 0.65 for that long, and 0.82 in those that were mediocre."""
ON_MODES = 0.5
"""Share of what real data has in `high-quality` above which points lie on modes."""
UNDECIDED = 0.1
"""Share of the way from undecided to sure, up to which D's mean outputs say nothing of any example."""
DIED = 1e-4
"""Share of its largest gradient norm below which D no longer learns: in sound runs it was at least 0.02."""
UNCHANGED = 0.05
"""Change of the logarithm of the distance since the first evaluation, below which samples are as they were then."""
MAX_CHANGE = 10.0
"""Largest change of a logarithm that is reported."""


def counted(evaluated: np.ndarray, rounds: int) -> int:
    """How many of the last evaluations, at these rounds `(T,)`, a metric's latest value is the median of."""
    recent = int((evaluated >= RECENT * rounds).sum())
    return min(recent, FINAL_EVALUATIONS, max(1, len(evaluated) // 2))


class Signals:
    """One story, prepared for rules."""

    def __init__(self, story: Story):
        story = evaluated(story)
        self.story = story
        self.members = len(story.seeds)
        self.rounds = max(story.round, 1)
        """Rounds played."""
        self.logged_rounds = story.logged_rounds
        tricks = decode("tricks", list(story.recipe.get("tricks") or ()))
        # Nothing is known of a user's own tricks.
        self.levels = Levels.of(story, [trick for trick in tricks if isinstance(trick, Trick)])
        self._curves: dict[str, np.ndarray] = {}
        self._smoothed: dict[str, np.ndarray] = {}
        self._latest: dict[str, np.ndarray] = {}
        self._earlier: dict[int, Signals] = {}

    # Earlier.

    @cached_property
    def earlier_rounds(self) -> list[int]:
        """The log points before now, oldest first: not more of them than EARLIER."""
        rounds = sorted({e["round"] for e in self.story.log_points if 0 < e["round"] < self.rounds})
        return rounds[:: -(-len(rounds) // EARLIER) or 1]

    def at(self, round: int) -> Signals:
        """The same run as it was once this round had been played."""
        if round not in self._earlier:
            self._earlier[round] = Signals(self.story.until(round))
        return self._earlier[round]

    # Curves.

    def curve(self, name: str) -> np.ndarray:
        """`(T, P)`: one of the journal's curves, or `lead`."""
        if name not in self._curves:
            is_lead = name == "lead"
            self._curves[name] = lead_of(self.story, self.levels) if is_lead else curve_of(self.story, name)
        return self._curves[name]

    def smoothed(self, name: str) -> np.ndarray:
        """A curve's moving mean, `(T, P)`."""
        if name not in self._smoothed:
            self._smoothed[name] = smoothed(self.curve(name))
        return self._smoothed[name]

    def final(self, name: str) -> np.ndarray:
        """A curve's final value, `(P,)`: the mean of its last points."""
        part = self.curve(name)[-max(1, int(FINAL * len(self.logged_rounds))) :]
        return part.mean(0) if len(part) else np.full(self.members, np.nan)

    @cached_property
    def ranks(self) -> np.ndarray:
        """Members whose D tells by the order of its scores, bool `(P,)`, where the loss is of their differences."""
        return ranks(self.story, self.latest("d_right"))

    @cached_property
    def diverged(self) -> np.ndarray:
        """Members whose numbers are no longer finite, or those of their newest samples, bool `(P,)`."""
        diverged = without_numbers(self.story)
        diverged[list(self.story.diverged)] = True
        return diverged

    # Metrics of samples.

    @property
    def evaluated_rounds(self) -> np.ndarray:
        """Rounds at which samples were evaluated, `(T,)`."""
        return self.story.evaluations[0]

    def metric(self, name: str) -> np.ndarray:
        """A metric at each evaluation, `(T, P)`; all NaN for one that this run does not have."""
        rounds, values = self.story.evaluations
        return values.get(name, np.full((len(rounds), self.members), np.nan))

    def latest(self, name: str) -> np.ndarray:
        """A metric's latest value, `(P,)`: the median of the last evaluations; NaN where these are long ago."""
        if name not in self._latest:
            count = counted(self.evaluated_rounds, self.rounds)
            rows = self.metric(name)[-count:]
            self._latest[name] = median(rows) if count else np.full(self.members, np.nan)
        return self._latest[name]

    def real(self, name: str) -> float:
        """What real data scores in a metric; NaN for one that this run does not have."""
        return float(((self.story.real_baseline or {}).get("metrics") or {}).get(name, np.nan))

    def has(self, *names: str) -> bool:
        """Whether the journal has all of these metrics, and what real data scores in them."""
        return all(name in self.story.evaluations[1] and np.isfinite(self.real(name)) for name in names)

    def healthy(self, name: str) -> Range:
        """The healthy range of a metric in this run.

        Training examples of narrow modes, and of few numbers that depend on one another, lie so close that any other
        distance is many times theirs. How far samples are from the data is then measured by `high-quality`, on the
        modes' own scale, or in a judge's features; `nearest-neighbor` shows copies only.
        """
        return self._without_end(name, Range.of(self._declared(name), self.real(name), self._spread(name)))

    def _declared(self, name: str) -> Healthy:
        return all_metrics()[name].healthy_of(of_rows(self.story))

    def _spread(self, name: str) -> float | None:
        """How far real examples are from their mean, in the unit of this distance; None where it is not stated."""
        return ((self.story.real_baseline or {}).get("spreads") or {}).get(name)

    def _without_end(self, name: str, healthy: Range) -> Range:
        narrow = self.has("high-quality") or (self.has_judge and not self.has("roughness"))
        return healthy.at_least if name == "nearest-neighbor" and narrow else healthy

    def metrics_with(self, attribute: str) -> dict[str, type[Metric]]:
        """Of the metrics that this run has, those whose declaration sets `attribute`, by name."""
        return {name: m for name, m in all_metrics().items() if getattr(m, attribute) and self.has(name)}

    @property
    def has_judge(self) -> bool:
        """Whether metrics used a judge's features."""
        return bool((self.story.real_baseline or {}).get("judge"))

    @cached_property
    def quality_metrics(self) -> list[str]:
        """The metrics that say whether samples are good.

        Distances in an unknown unit do not. None where the data names its target and outputs are logged: those say it
        then.
        """
        judged = self.has_judge or bool(self.measured and self.measured.has_judge)
        known = [name for name, m in all_metrics().items() if m.quick and (self.has(name) or self._is_measured(name))]
        known = [name for name in known if all_metrics()[name].space != "features" or judged]
        return known if self.target_errors is None else []

    @cached_property
    def measured(self) -> Measured | None:
        """A measurement that says more of the samples than the last evaluation does; None where there is none."""
        return Measured.of(self.story)

    def _is_measured(self, name: str) -> bool:
        return self.measured is not None and self.measured.has(name)

    def quality(self, name: str) -> tuple[np.ndarray, Range]:
        """What is known best of one of the `quality_metrics`: values `(P,)`, and their healthy range."""
        if self.measured is None or not self.measured.has(name):
            return self.latest(name), self.healthy(name)
        return self.measured.values(name), self._without_end(name, self.measured.healthy(name))

    @cached_property
    def badness(self) -> np.ndarray:
        """How far samples are from healthy, `(P,)` in [0, 1]: in their worst metric; NaN if nothing is known."""
        names = [name for name in self.quality_metrics if not all_metrics()[name].demanding]
        latest = [self.quality(name) for name in names]
        if self.target_error is not None:
            latest.append((self.target_error, Range(high=NEAR)))
        excess = [np.where(np.isfinite(values), healthy.excess(values), -np.inf) for values, healthy in latest]
        worst = np.max([np.full(self.members, -np.inf), *excess], axis=0)
        return np.where(self.diverged, 1.0, np.where(np.isfinite(worst), worst, np.nan))

    @property
    def quality_known(self) -> bool:
        """Whether anything says if samples are good, of any member."""
        return bool(np.isfinite(self.badness).any())

    @cached_property
    def good(self) -> np.ndarray:
        """Members whose samples are healthy in every metric, bool `(P,)`; none where nothing is known."""
        demanding = [name for name in self.quality_metrics if all_metrics()[name].demanding]
        met = [healthy.contains(values) for values, healthy in map(self.quality, demanding)]
        return np.all([self.badness <= 0, *met], axis=0)

    @cached_property
    def nearness(self) -> Nearness:
        """How sure it is that samples are like the data."""
        return Nearness(self)

    @property
    def poor(self) -> np.ndarray:
        """Members whose samples are far from healthy, bool `(P,)`; none where nothing is known."""
        return self.badness > POOR

    @cached_property
    def target_errors(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Rounds `(T,)`, and how far each member's output was from the data's target in its worst number, `(T, P)`.

        In data units. None for data that names no target.
        """
        name = (self.story.recipe.get("data") or {}).get("is", "")
        target = catalogue.find("datasets", name).target if name in catalogue.entries("datasets") else None
        target = target or (self.story.loop.target if self.story.loop else None)
        if target is None or self.story.outputs is None:
            return None
        rounds, outputs = self.story.outputs
        return rounds, np.abs(outputs.reshape(len(rounds), self.members, -1) - np.array(target)).max(2)

    @property
    def target_error(self) -> np.ndarray | None:
        """The last of the `target_errors`, `(P,)`; None where there are none."""
        return None if self.target_errors is None else np.nan_to_num(self.target_errors[1][-1], nan=np.inf)

    @property
    def noise(self) -> np.ndarray:
        """Members whose samples are noise, bool `(P,)`; False where samples are not images."""
        rough = is_rough(self.latest("roughness"), self.latest("nearest-neighbor"))
        return (rough | self.unstructured) & ~has_pattern(self.latest("checkerboard"))

    @property
    def unstructured(self) -> np.ndarray:
        """Members in whose samples neighboring pixels have little to do with one another, bool `(P,)`.

        However faint or scattered they are: such samples may be no rougher than the data.
        """
        return self.latest("structure") < self.healthy("structure").low

    def lack(self, name: str) -> np.ndarray:
        """How far a metric of variety lies beyond the range in which samples are varied, `(P,)` in [0, 1].

        Of recall only where samples are like real examples: else it is low because they are far off.
        """
        variety = all_metrics()[name].variety
        assert variety is not None
        lack = Range.of(variety, self.real(name)).excess(self.latest(name))
        if name != "recall":
            return lack
        among = Range.of(all_metrics()["precision"].healthy, self.real("precision"))
        return np.where(among.contains(self.latest("precision")), lack, 0.0)

    @property
    def alike(self) -> np.ndarray:
        """Members whose samples lack variety, bool `(P,)`."""
        return np.max([np.zeros(self.members), *map(self.lack, self.metrics_with("variety"))], axis=0) > 0

    @cached_property
    def mean_like(self) -> np.ndarray:
        """Members whose samples are alike and near the data's mean, bool `(P,)`."""
        alike = (self.latest("diversity") < ALIKE) & (self.latest("similarity-to-mean") > NEAR_MEAN)
        # Points that lie on a mode are examples of the data, though the mode be in its middle.
        on_modes = self.latest("high-quality") > ON_MODES * self.real("high-quality")
        return alike & ~on_modes

    # How samples change.

    @cached_property
    def distance(self) -> Distance:
        """How far samples are from real data, as one number that falls as they get better.

        The distance from the target, of data that names one; that to the nearest training example, of points about
        modes, whose mean and covariance are right long before the modes are; the Fréchet distance; or, without any of
        these, how far the ratios of relative metrics are from 1.
        """
        if self.target_errors is not None:
            rounds, errors = self.target_errors
            return Distance("distance from the target", rounds, errors, NEAR / 4, NEAR)
        name = "nearest-neighbor" if self.has("high-quality", "nearest-neighbor") else "frechet-distance"
        if self.has(name):
            floor = max(self.real(name), 1e-9)
            _, goal = self._declared(name).ends(self.real(name), self._spread(name))
            frechet = name == "frechet-distance"  # points nearer to modes than real ones are no better
            return Distance(name, self.evaluated_rounds, self.metric(name), floor, max(goal, floor), frechet)
        relative = self.metrics_with("relative")
        if not relative:
            return Distance("", self.evaluated_rounds[:0], np.empty((0, self.members)))
        ratios = [np.abs(np.log(np.maximum(self.metric(n), 1e-3))) for n in relative]
        return Distance("relative metrics", self.evaluated_rounds, np.mean(ratios, axis=0), 0.02)

    @property
    def change(self) -> np.ndarray:
        """By how much the distance changed over the last third of the rounds, `(P,)`: -0.2 is 20 % nearer; or NaN."""
        return np.expm1(self.trend.change)

    def improving(self, limit: float) -> np.ndarray:
        """Members whose change is below a limit by more than two standard errors of noise, bool `(P,)`.

        A constant output that wanders nearer to the data is no improvement, nor is one that would not arrive.
        """
        within_noise = self.trend.change > -2 * self.trend.error
        wanders = (self.latest("diversity") < CONSTANT) | self.progress.out_of_reach
        return (self.change < limit) & ~within_noise & ~wanders

    @cached_property
    def progress(self) -> Progress:
        """How far the run has come, and of which members it is too early to say what is wrong."""
        return Progress(self)

    @cached_property
    def beaten(self) -> np.ndarray:
        """Members whose D was all but sure of every example throughout the last half of the rounds, bool `(P,)`."""
        lead = self.curve("lead")[self.logged_rounds >= RECENT * self.rounds]
        if not len(lead) or self.levels is None or self.levels.sure is None:
            return np.zeros(self.members, dtype=bool)
        return lead.min(0) > BEATEN

    @cached_property
    def undecided(self) -> np.ndarray:
        """Members whose D gives real and generated examples about the output of equilibrium, bool `(P,)`."""
        if self.levels is None:
            return np.zeros(self.members, dtype=bool)
        if self.levels.sure is None:  # a critic's scores have no bound: undecided where they hardly differ
            return np.abs(self.final("lead")) < UNDECIDED
        outputs = np.array([self.final(name) for name in ("d_real", "d_fake")])
        return np.abs(outputs - self.levels.output).max(0) < UNDECIDED * self.levels.sure

    def share_of_largest(self, name: str) -> np.ndarray:
        """A curve's final value as a share of the largest of its moving mean, `(P,)`; NaN where that is 0."""
        largest = np.nan_to_num(self.smoothed(name), nan=-np.inf).max(0, initial=-np.inf)
        return np.divide(self.final(name), largest, out=np.full(self.members, np.nan), where=largest > 0)

    @cached_property
    def d_died(self) -> np.ndarray:
        """Members whose D says the same of every example and cannot learn otherwise, bool `(P,)`."""
        silent = (self.share_of_largest("d_gradient") < DIED) | (self.final("d_gradient") == 0)
        return self.undecided & silent & ~self.ranks

    @property
    def unchanged(self) -> np.ndarray:
        """Members whose samples are as they were at the first evaluation, bool `(P,)`."""
        values, enough = self.distance.values, spans(self.distance.rounds, self.rounds / 2)
        return np.abs(np.log(values[-1] / values[0])) < UNCHANGED if enough else np.zeros(self.members, bool)

    @cached_property
    def trend(self) -> Trend:
        """Of the logarithm of the distance at the evaluations in the last third of the rounds."""
        late = self.distance.rounds >= (1 - TREND) * self.rounds
        count, unknown = int(late.sum()), np.full(self.members, np.nan)
        rounds, values = self.distance.rounds[late], self.distance.values[late]
        as_real = np.asarray((values <= self.distance.floor).all(0)) & self.distance.below_floor
        if not spans(rounds, SPANNED * TREND * self.rounds):
            return Trend(count, unknown, unknown, as_real)
        slope, error = line(rounds / self.rounds, np.log(values))
        return Trend(count, np.clip(slope * TREND, -MAX_CHANGE, MAX_CHANGE), TREND * error, as_real)
