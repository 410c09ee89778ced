"""Rules, remedies and healthy ranges as Markdown, read off the leaves themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from textwrap import fill

from sparring import catalogue
from sparring.analysis.diagnosis import rules
from sparring.game.equilibrium import equilibrium_levels
from sparring.report.page.findings import range_in_words
from sparring.report.terminal.evaluations import name_of
from sparring.rules import FIGURES, Levels, Range, Rule

WIDTH = 120
CURVES = {"d_real": "D(real)", "d_fake": "D(fake)", "d_loss": "D's loss", "g_loss": "G's loss"}


def rules_in_markdown() -> str:
    """Every rule: what it says, the numbers it says it with, and the remedies it tries, in order."""
    lines: list[str] = []
    for name, rule in rules().items():
        card = catalogue.entries("rules")[name]
        lines += [f"### `{name}`", "", *_paragraphs(card.text), *_numbers(rule), *_remedies(rule)]
    return "\n".join(lines).rstrip()


def remedies_in_markdown() -> str:
    """Every remedy and what it changes."""
    lines = ["| remedy | what it changes | offered by |", "| --- | --- | --- |"]
    for name, card in catalogue.entries("remedies").items():
        by = ", ".join(f"`{rule}`" for rule, leaf in rules().items() if name in leaf.remedies)
        lines.append(f"| `{name}` | {card.summary} | {by} |")
    return "\n".join(lines)


def curves_in_markdown() -> str:
    """What is healthy for the curves of every objective, and what each is once D cannot tell."""
    lines = [
        f"| objective | {' | '.join(CURVES.values())} | when D cannot tell: D(x), D's loss, G's loss |",
        f"| --- |{' --- |' * len(CURVES)} --- |",
    ]
    for name in catalogue.entries("objectives"):
        told = equilibrium_levels(catalogue.make("objectives", name, {}))
        levels = Levels.told(told)
        healthy = [range_in_words(levels.healthy(curve)) or "any" for curve in CURVES]
        at = ", ".join(f"{told[key]:.3g}" for key in ("d_real", "d_loss", "g_loss"))
        lines.append(f"| `{name}` | {' | '.join(healthy)} | {at} |")
    return "\n".join(lines)


def figures_in_markdown() -> str:
    """What is healthy for figures of samples, beside what real data scores."""
    lines = ["| figure | what it is | healthy | because |", "| --- | --- | --- | --- |"]
    for name, beside in FIGURES.items():
        told = [f"at least {beside.least:g} times real data's"] if math.isfinite(beside.least) else []
        told += [f"at most {beside.most:g} times real data's"] if math.isfinite(beside.most) else []
        told += [f"at most {beside.more:g} above real data's"] if math.isfinite(beside.more) else []
        lines.append(f"| {name_of(name).title} | {name_of(name).unit} | {', '.join(told)} | {beside.why} |")
    return "\n".join(lines)


def _numbers(rule: Rule) -> Iterator[str]:
    finding = rule(rule.sick())
    assert finding is not None
    ranged = [each for each in finding.evidence if _has_end(each.healthy)]
    yield from ("| number | healthy, as in digits with cross-entropy |", "| --- | --- |")
    yield from (f"| {each.name} | {range_in_words(each.healthy)} |" for each in ranged)
    yield ""


def _remedies(rule: Rule) -> Iterator[str]:
    if rule.remedies:
        told = ", ".join(f"`{name}`" for name in rule.remedies)
        yield from (fill(f"Remedies, the first that fits the recipe: {told}.", WIDTH, break_on_hyphens=False), "")


def _has_end(healthy: Range) -> bool:
    return math.isfinite(healthy.low) or math.isfinite(healthy.high)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        yield from (fill(" ".join(paragraph.split()), WIDTH, break_on_hyphens=False), "")
