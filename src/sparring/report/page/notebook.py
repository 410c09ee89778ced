"""A run as a notebook shows it: the verdict, the curves, the newest samples. One fragment of HTML, nothing fetched."""

from __future__ import annotations

from sparring.analysis.facts import Facts
from sparring.analysis.wording import count
from sparring.languages import said
from sparring.record import RunFolder
from sparring.report.figures.run import curves
from sparring.report.page.document import chart, embedded
from sparring.report.page.markup import Markup, tag

WIDEST = "max-width: 46rem"
"""Of a picture; a notebook's output cell is about as wide."""


def notebook_html(run: RunFolder) -> Markup:
    """What a cell shows that ends in a run."""
    facts = Facts.of(run)
    story = facts.story
    state = f"{facts.name}, {count(len(facts.seeds), 'seed')}, {story.status} at round {story.round:,}"
    return tag(
        "div",
        tag("p", tag("strong", state), f" in {run.path}"),
        tag("p", said(facts.diagnosis.line)),
        _curves(facts),
        _samples(facts),
    )


def _curves(facts: Facts) -> Markup | None:
    if not len(facts.story.logged_rounds):
        return None
    alt = "D's loss and G's loss over the rounds, for every seed."
    picture, _ = chart(lambda scheme: curves(facts, scheme), alt, small=True)
    return tag("div", picture, style=WIDEST)


def _samples(facts: Facts) -> Markup | None:
    pictures = [facts.run.path / name for name in facts.story.pictures]
    newest = next((path for path in reversed(pictures) if path.is_file()), None)
    if newest is None:
        return None
    source, (width, height) = embedded(newest)
    alt = f"Samples of every seed at round {facts.story.round:,}."
    return tag("img", src=source, width=width, height=height, alt=alt, style=f"{WIDEST}; height: auto")
