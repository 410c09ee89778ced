"""What a run's numbers say, in sentences beside its author's verdict. Naming what is wrong is the diagnosis' work."""

from __future__ import annotations

from sparring.analysis.facts import Facts
from sparring.analysis.wording import count, named_seeds, plus_minus
from sparring.report.figures.smoothing import course


def sentences(facts: Facts) -> list[str]:
    """What this run shows, the nearest to a verdict first."""
    return [*_way(facts), *_levels_reached(facts), *_caveats(facts)]


def remarks(facts: Facts) -> list[str]:
    """The same without the numbers that curves ended at, for where those stand beside it."""
    return [*_way(facts), *_caveats(facts)]


def _way(facts: Facts) -> list[str]:
    """How many came near a target, and how D's loss ran."""
    return [told for told in (facts.ended, course(facts, "d_loss")) if told]


def _caveats(facts: Facts) -> list[str]:
    if not len(facts.story.logged_rounds):
        return ["No round has been played yet."]
    told: list[str] = []
    if facts.diverged:
        lost = f"{len(facts.diverged):,} of {count(len(facts.seeds), 'seed')}"
        told.append(f"{lost} diverged, {named_seeds(list(facts.diverged))}: counted, and left out of the means.")
    if facts.story.status in ("stopped", "unfinished"):
        told.append(f"The run stands at round {facts.story.round:,} of {facts.rounds:,}; these are not final numbers.")
    return told


def _levels_reached(facts: Facts) -> list[str]:
    if not len(facts.story.logged_rounds):
        return []
    if not any(spread.n for spread in facts.spreads.values()):
        return ["No seed has finite numbers at the end."]
    losses, answers = _pair(facts, "d_loss", "g_loss"), _pair(facts, "d_real", "d_fake")
    told = [
        f"D's loss ends at {losses[0]}, G's at {losses[1]}{losses[2]}.",
        f"D answers {answers[0]} to real examples, {answers[1]} to generated ones{answers[2]}.",
    ]
    seeds = len(facts.seeds)
    return [*told, f"Ends are means ± SD over {seeds - len(facts.diverged):,} seeds."] if seeds > 1 else told


def _pair(facts: Facts, first: str, second: str) -> tuple[str, str, str]:
    """Two curves' numbers, and in brackets what both are when D cannot tell."""
    levels = [facts.equilibrium[name] for name in (first, second) if name in facts.equilibrium]
    beside = (
        f" ({' and '.join(dict.fromkeys(f'{level:.3g}' for level in levels))} when D cannot tell)" if levels else ""
    )
    return plus_minus(facts.spreads[first]), plus_minus(facts.spreads[second]), beside
