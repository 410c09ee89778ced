"""A study as a notebook shows it: its effects in sentences, the cells in a table, and the forest plot of effects."""

from __future__ import annotations

from functools import partial

from sparring.analysis.wording import count
from sparring.report.figures.study.forest import forest
from sparring.report.page.document import chart
from sparring.report.page.markup import Markup, tag
from sparring.report.page.notebook import WIDEST
from sparring.report.study import cell_rows
from sparring.study.answer import Answer

MAX_SENTENCES = 5


def study_html(answer: Answer) -> Markup:
    """What a cell shows that ends in a study."""
    results = answer.results
    size = f"{count(len(results.cells), 'cell')} × {count(len(results.seeds), 'seed')}"
    return tag(
        "div",
        tag("p", tag("strong", f"{results.name}, {size}"), f" in {results.folder}"),
        tag("ul", [tag("li", sentence) for sentence in answer.sentences[:MAX_SENTENCES]]),
        _cells(answer),
        _effects(answer),
    )


def _cells(answer: Answer) -> Markup:
    timed = ["reached"] if answer.scores.reached is not None else []
    head = tag("tr", [tag("th", name) for name in ("cell", answer.scores.title, *timed, "collapsed", "diverged")])
    rows = [
        [text for text in (row.label, row.mean, row.reached, row.collapsed, row.diverged) if text is not None]
        for row in cell_rows(answer)
    ]
    return tag("table", head, [tag("tr", [tag("td", text) for text in row]) for row in rows])


def _effects(answer: Answer) -> Markup | None:
    if not any(each.mean is not None for each in (*answer.effects, *answer.comparisons)):
        return None
    picture, _ = chart(partial(forest, answer), "Every effect with its interval, the largest first.", small=True)
    return tag("div", picture, style=WIDEST)
