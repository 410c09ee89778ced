"""What a run's numbers say, in full sentences. Naming what is wrong is the diagnosis' work."""

from __future__ import annotations

from sparring.analysis.curves import course
from sparring.analysis.facts import Facts
from sparring.analysis.wording import count, named_seeds, plus_minus
from sparring.rules import NEAR


def sentences(facts: Facts) -> list[str]:
    """What this run shows, the sentence nearest to a verdict first."""
    return [*_outcome(facts), *_final_values(facts), *_caveats(facts)]


def remarks(facts: Facts) -> list[str]:
    """The same without the curves' final values, for where those stand beside it."""
    return [*_outcome(facts), *_caveats(facts)]


def target_reached(facts: Facts) -> str | None:
    """How many seeds ended near the data's target; None when the data set has no target."""
    if facts.ends is None:
        return None
    target = ", ".join(f"{t:g}" for t in facts.ends.target)
    near = f"{int(facts.ends.near.sum()):,} of {count(len(facts.seeds), 'seed')}"
    return f"{near} ended within {NEAR:g} of [{target}] in every number."


def _outcome(facts: Facts) -> list[str]:
    return [text for text in (target_reached(facts), course(facts, "d_loss")) if text]


def _caveats(facts: Facts) -> list[str]:
    if not len(facts.story.logged_rounds):
        return ["No round has been played yet."]
    texts: list[str] = []
    if facts.diverged:
        diverged = f"{len(facts.diverged):,} of {count(len(facts.seeds), 'seed')}"
        texts.append(f"{diverged} diverged ({named_seeds(list(facts.diverged))}); the means leave them out.")
    if facts.story.status in ("stopped", "unfinished"):
        texts.append(
            f"The run has reached round {facts.story.round:,} of {facts.rounds:,}, so these values are not final."
        )
    return texts


def _final_values(facts: Facts) -> list[str]:
    if not len(facts.story.logged_rounds):
        return []
    if not any(spread.n for spread in facts.spreads.values()):
        return ["No seed has finite values at the end."]
    d_loss, g_loss, d_real, d_fake = (
        plus_minus(facts.spreads[name]) for name in ("d_loss", "g_loss", "d_real", "d_fake")
    )
    texts = [
        f"D's loss ends at {d_loss} and G's loss at {g_loss}{_equilibrium(facts, 'd_loss', 'g_loss')}.",
        f"D(real) ends at {d_real} and D(fake) at {d_fake}{_equilibrium(facts, 'd_real', 'd_fake')}.",
    ]
    finite = len(facts.seeds) - len(facts.diverged)
    if len(cells := facts.story.cells) > 1:
        texts.append(
            f"Its members differ in numbers, with {len(cells):,} settings of them, so means over all say little: "
            "`sparring split` makes a run of each."
        )
    return [*texts, f"Values are means ± SD over {finite:,} seeds."] if len(facts.seeds) > 1 else texts


def _equilibrium(facts: Facts, first: str, second: str) -> str:
    """In brackets, what two curves are at equilibrium."""
    levels = [facts.equilibrium[name] for name in (first, second) if name in facts.equilibrium]
    values = " and ".join(dict.fromkeys(f"{level:.3g}" for level in levels))
    return f" (at equilibrium: {values})" if levels else ""
