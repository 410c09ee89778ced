"""What a run's numbers say, in full sentences. Naming what is wrong is the diagnosis' work."""

from __future__ import annotations

from sparring.analysis.curves import course
from sparring.analysis.facts import Facts
from sparring.analysis.wording import count, named_seeds, plus_minus
from sparring.languages import Text
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
    return Text(
        "{some} of {seeds} ended within {near} of [{target}] in every number.",
        some=f"{int(facts.ends.near.sum()):,}",
        seeds=count(len(facts.seeds), "seed"),
        near=f"{NEAR:g}",
        target=target,
    )


def _outcome(facts: Facts) -> list[str]:
    return [text for text in (target_reached(facts), course(facts, "d_loss")) if text]


def _caveats(facts: Facts) -> list[str]:
    if not len(facts.story.logged_rounds):
        return [Text("No round has been played yet.")]
    texts: list[str] = []
    if facts.diverged:
        diverged = Text(
            "{some} of {seeds} diverged ({named}); the means leave them out.",
            some=f"{len(facts.diverged):,}",
            seeds=count(len(facts.seeds), "seed"),
            named=named_seeds(list(facts.diverged)),
        )
        texts.append(diverged)
    if facts.story.status in ("stopped", "unfinished"):
        reached = Text(
            "The run has reached round {round} of {rounds}, so these values are not final.",
            round=f"{facts.story.round:,}",
            rounds=f"{facts.rounds:,}",
        )
        texts.append(reached)
    return texts


def _final_values(facts: Facts) -> list[str]:
    if not len(facts.story.logged_rounds):
        return []
    if not any(spread.n for spread in facts.spreads.values()):
        return [Text("No seed has finite values at the end.")]
    d_loss, g_loss, d_real, d_fake = (
        plus_minus(facts.spreads[name]) for name in ("d_loss", "g_loss", "d_real", "d_fake")
    )
    losses, outputs = _equilibrium(facts, "d_loss", "g_loss"), _equilibrium(facts, "d_real", "d_fake")
    texts: list[str] = [
        Text("D's loss ends at {d} and G's loss at {g}{levels}.", d=d_loss, g=g_loss, levels=losses),
        Text("D(real) ends at {real} and D(fake) at {fake}{levels}.", real=d_real, fake=d_fake, levels=outputs),
    ]
    finite = len(facts.seeds) - len(facts.diverged)
    if len(cells := facts.story.cells) > 1:
        differ = Text(
            "Its members differ in numbers, with {count} settings of them, so means over all say little: "
            "`sparring split` makes a run of each.",
            count=f"{len(cells):,}",
        )
        texts.append(differ)
    means = Text("Values are means ± SD over {count} seeds.", count=f"{finite:,}")
    return [*texts, means] if len(facts.seeds) > 1 else texts


def _equilibrium(facts: Facts, first: str, second: str) -> str:
    """In brackets, what two curves are at equilibrium."""
    levels = [facts.equilibrium[name] for name in (first, second) if name in facts.equilibrium]
    values = Text.joined(dict.fromkeys(f"{level:.3g}" for level in levels), " and ")
    return Text(" (at equilibrium: {values})", values=values) if levels else ""
