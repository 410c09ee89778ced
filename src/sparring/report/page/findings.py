"""A diagnosis, told: words for a terminal, a section with a picture for each finding on the page. Loads no torch."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparring.analysis.diagnosis import NOT_SURE, Diagnosis, command, remedied
from sparring.analysis.differences import between
from sparring.analysis.facts import Facts
from sparring.analysis.wording import count, named_seeds, number
from sparring.record import Run
from sparring.report.page.markup import Markup, join, tag
from sparring.rules import Evidence, Finding, Range
from sparring.rules._words import called

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sparring.report.figures.drawing import Scheme

HUES = {"d_real": "d_real", "d_fake": "d_fake", "d_gradient": "d_gradient", "g_gradient": "g_gradient"}
"""Curves drawn in a hue of their own; figures of samples have theirs."""


# In a terminal.


def diagnosis_text(run: Run, held: Diagnosis) -> RenderableType:
    """What `sparring diagnose` prints."""
    parts: list[RenderableType] = [_headline(held)]
    for finding in held.findings:
        parts += [Text(), *_finding_in_words(run, held, finding)]
    if told := when_to_stop(run, held):
        parts += [Text(), Text(told)]
    return Group(*parts)


def _headline(held: Diagnosis) -> Text:
    fault = held.verdict != NOT_SURE and held.findings[0].fault
    hue = "yellow" if held.verdict == NOT_SURE else "red" if fault else "green"
    told = Text.assemble(("verdict  ", "dim"), (held.verdict, f"bold {hue}"))
    if held.verdict == NOT_SURE:
        told.append("  nothing is clear for most seeds" if held.findings else "  nothing stands out, good or bad")
    return told


def _finding_in_words(run: Run, held: Diagnosis, finding: Finding) -> list[RenderableType]:
    hue = "red" if finding.fault and finding.widespread else "yellow" if finding.fault else "green"
    numbers = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("", "median", "least to most", "healthy"):
        numbers.add_column(title, justify="right" if title else "left", no_wrap=True)
    for each in finding.evidence:
        value = Text(number(each.value), "bold" if is_sound(each) else f"bold {hue}")
        numbers.add_row(each.name, value, reach(each), Text(range_in_words(each.healthy), "dim"))
    told: list[RenderableType] = [
        Text.assemble((finding.rule, f"bold {hue}"), (f"  {whose(finding)}, since round {finding.since:,}", "dim")),
        Text(finding.claim),
        Padding(numbers, (0, 0, 0, 2)),
    ]
    if finding.remedies:
        name = finding.remedies[0]
        told.append(Text.assemble(("remedy  ", "dim"), name, (f": {'; '.join(changes(held, name))}", "dim")))
        told.append(Text(f"  {command(run.path, name)}"))
    return told


# In words.


def when_to_stop(run: Run, held: Diagnosis) -> str:
    """Whether more training pays, and where the best checkpoint is; empty where nothing is known of either."""
    told = [held.plateau.words] if held.plateau else []
    if held.best is not None and run.best is not None:
        told.append(f"The best samples so far were those of round {held.best:,}, kept in weights/{run.best.name}.")
    return " ".join(told)


def whose(finding: Finding) -> str:
    """`11 of 16 seeds`, with their names where they are few."""
    if finding.of == 1:
        return named_seeds(finding.members)
    told = f"{len(finding.members):,} of {count(finding.of, 'seed')}"
    return told if len(finding.members) == finding.of else f"{told} ({named_seeds(finding.members, 8)})"


def reach(each: Evidence) -> str:
    """Least to most over members; nothing where they are one."""
    return "" if each.least == each.most else f"{number(each.least)} to {number(each.most)}"


def range_in_words(healthy: Range) -> str:
    """`0.75 to 1.3`, `at most 8.8`, or nothing where anything is healthy."""
    low, high = math.isfinite(healthy.low), math.isfinite(healthy.high)
    if low and high:
        return f"{healthy.low:.3g} to {healthy.high:.3g}"
    return f"at least {healthy.low:.3g}" if low else f"at most {healthy.high:.3g}" if high else ""


def is_sound(each: Evidence) -> bool:
    """Whether the median lies in the healthy range."""
    return bool(each.healthy.holds(np.array(each.value)))


def changes(held: Diagnosis, remedy: str) -> list[str]:
    """What a remedy changes in the run's recipe, in words."""
    recipe = held.story.recipe
    return between(recipe, remedied(recipe, remedy))


# On the page.


def section(facts: Facts, held: Diagnosis) -> Markup:
    """What the diagnosis says, each finding with its numbers, its picture and its remedy."""
    findings = [_finding(facts, held, finding, index) for index, finding in enumerate(held.findings)]
    return tag(
        "section",
        tag("h2", "Diagnosis"),
        tag("p", tag("strong", held.verdict), _beside_verdict(held), class_=_mood(held)),
        findings,
        tag("p", when_to_stop(facts.run, held)),
        class_="diagnosis",
    )


def _mood(held: Diagnosis) -> str:
    good = held.verdict != NOT_SURE and not held.findings[0].fault
    return f"lead verdict{' good' if good else ''}"


def _beside_verdict(held: Diagnosis) -> str:
    if held.verdict == NOT_SURE:
        return ": nothing is clear for most seeds." if held.findings else ": nothing stands out, good or bad."
    return f": {whose(held.findings[0])}."


def _finding(facts: Facts, held: Diagnosis, finding: Finding, index: int) -> Markup:
    from sparring.report.page.document import chart, table

    rows = [[e.name, number(e.value), reach(e), range_in_words(e.healthy)] for e in finding.evidence]
    odd = {k for k, each in enumerate(finding.evidence) if not is_sound(each)}
    picture, _ = chart(partial(draw, facts, finding), finding.plot.title)
    band = "Gray: the healthy range. " if _has_range(finding) else ""
    ends = "Crosses: where numbers end. " if finding.rule == "divergence" else ""
    caption = tag("figcaption", f"{band}{ends}Dotted: the round since which it holds.")
    return tag(
        "article",
        tag("h3", f"{index + 1}. {finding.rule}"),
        tag("p", finding.claim),
        tag("p", f"{whose(finding)}, since round {finding.since:,}.".capitalize(), class_="soft"),
        table(("", "median", "least to most", "healthy"), rows, main=1, odd=odd if finding.fault else None),
        tag("figure", tag("div", picture, class_="plate"), caption),
        _remedy(facts, held, finding),
    )


def _has_range(finding: Finding) -> bool:
    return math.isfinite(finding.plot.healthy.low) or math.isfinite(finding.plot.healthy.high)


def _remedy(facts: Facts, held: Diagnosis, finding: Finding) -> Markup | None:
    if not finding.remedies:
        return None
    first, *others = finding.remedies
    rest = f" Others that fit: {', '.join(others)}." if others else ""
    return join(
        tag("p", "Remedy: ", tag("strong", first), f": {'; '.join(changes(held, first))}.{rest}"),
        tag("pre", tag("code", command(facts.run.path, first)), class_="command", tabindex=0),
    )


def draw(facts: Facts, finding: Finding, scheme: Scheme) -> Figure:
    """The picture that shows a finding: its numbers over the rounds, the healthy range in gray."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    from sparring.report.figures import drawing

    plot = finding.plot
    figure = drawing.blank(scheme, 3.0)
    axes = figure.subplots()
    drawing.dress(axes, scheme)
    drawing.log_rounds(axes)
    drawing.label_rounds([axes], scheme)
    axes.set_xlim(0, max(facts.story.round, 1))
    axes.set_title(plot.title, loc="left", fontsize=drawing.TITLE, color=scheme.ink)
    every: list[np.ndarray] = []
    keys: list[Line2D] = []
    for name in plot.names:
        rounds, values = _drawn(facts, finding, name)
        if not len(rounds):
            continue
        hue = scheme.hues.get(name, scheme.hues["samples"])
        drawing.draw_members(axes, rounds, values, hue, scheme)
        _mark_ends(axes, rounds, values, hue)
        keys.append(Line2D([], [], color=hue, linewidth=2.2, label=called(name)))
        every.append(values.ravel())
    shown = np.concatenate(every) if every else np.empty(0)
    ends = [end for end in (plot.healthy.low, plot.healthy.high) if math.isfinite(end)]
    if plot.log and (above := shown[np.isfinite(shown) & (shown > 0)]).size:
        low, high = drawing.limits(np.log10(above), [math.log10(end) for end in ends if end > 0])
        axes.set_yscale("log")
        axes.set_ylim(10**low, 10**high)
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if high - low > 2 else (1.0, 2.0, 5.0), numticks=6))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(*drawing.limits(shown, ends))
    if ends:
        bottom, top = axes.get_ylim()
        low, high = max(plot.healthy.low, bottom), min(plot.healthy.high, top)
        axes.axhspan(low, high, color=scheme.rule, linewidth=0, zorder=0)
    axes.axvline(finding.since, color=scheme.soft, linewidth=1, linestyle=(0, (2, 2)), zorder=1)
    if len(plot.names) > 1:
        drawing.place_legend(figure, keys, scheme)
    return figure


def _mark_ends(axes: Axes, rounds: np.ndarray, values: np.ndarray, hue: str) -> None:
    """A cross where a member's numbers end before the run does: of one lost at once there is nothing else to see."""
    for line in values.T:
        held = np.flatnonzero(np.isfinite(line))
        if len(held) and held[-1] < len(line) - 1:
            axes.plot(rounds[held[-1]], line[held[-1]], "x", color=hue, markersize=7, markeredgewidth=1.8, zorder=5)


def _drawn(facts: Facts, finding: Finding, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Rounds and values of the members that the finding holds for."""
    members = [facts.seeds.index(seed) for seed in finding.members]
    if finding.plot.drawn == "curves":
        from sparring.report.figures.smoothing import shown

        return facts.story.logged_rounds, shown(facts, name)[:, members]
    rounds, figures = facts.story.evaluations
    return (rounds, figures[name][:, members]) if name in figures else (rounds[:0], np.empty((0, len(members))))
