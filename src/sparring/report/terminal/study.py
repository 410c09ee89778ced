"""What `sparring study` prints: its answer in sentences, a table of cells, and how many seeds it would take."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.wording import count, short
from sparring.languages import Text as Said
from sparring.languages import said
from sparring.report.study import MAX_SENTENCES, cell_rows, needed_sentences, survival_sentence
from sparring.report.terminal.prose import Prose
from sparring.report.terminal.tables import FittingTable
from sparring.study.answer import Answer
from sparring.study.effects import Effect
from sparring.study.wording import contrast_text, difference_text, p_text

MIN_LABEL = 16
"""Characters of a cell's label, or an effect's, that wraps."""


def study_text(answer: Answer) -> RenderableType:
    """The whole answer, for a terminal of any width."""
    parts: list[RenderableType] = [
        _headline(answer),
        Text(),
        _cells(answer),
        Prose(said(_cells_caption(answer)), "dim"),
    ]
    for group in (answer.effects, answer.comparisons):
        if group:
            parts += [Text(), _effects(group, answer)]
    parts += [Prose(said(answer.method), "dim"), Text(), *_sentences(answer)]
    notes = [*answer.notes, *needed_sentences(answer)]
    parts += [
        Prose(f"\n{said(note)}", "yellow" if index < len(answer.notes) else "") for index, note in enumerate(notes)
    ]
    return Group(*parts)


def _headline(answer: Answer) -> Text:
    results = answer.results
    size = " × ".join(map(said, (count(len(results.cells), "cell"), count(len(results.seeds), "seed"))))
    size += said(Said(", {design}", design=Said(results.design)))
    title = Text.assemble((results.name, "bold"), "  ", size)
    return title.append(f"\n{results.question}") if results.question else title


def _cells(answer: Answer) -> RenderableType:
    timed = Said.each("reached") if answer.scores.reached is not None else []
    columns = [*Said.each("cell", "mean ± SD"), *timed, *Said.each("IQM", "n", "collapsed", "diverged", "top finding")]
    table = FittingTable(
        list(map(said, columns)), optional=list(map(said, ("IQM", "n", "top finding"))), label=MIN_LABEL
    )
    for row in cell_rows(answer):
        others = (row.reached, row.iqm, row.n, row.collapsed, row.diverged, row.finding)
        cells = (said(text) for text in others if text is not None)
        table.add_row(said(row.label), Text(row.mean, "bold"), *cells)
    return table


def _cells_caption(answer: Answer) -> str:
    scores = answer.scores
    better = {-1: Said(", lower is better"), 1: Said(", higher is better")}.get(scores.direction, "")
    real = "" if scores.real is None else Said("; real data scores {value}", value=short(scores.real))
    return Said("{outcome}{better}{real}.", outcome=scores.title, better=better, real=real)


def _effects(group: Sequence[Effect], answer: Answer) -> RenderableType:
    is_cells = group[0].contrast.kind == "cell" and bool(answer.comparisons)
    columns = (Said("cell against the baseline" if is_cells else "effect"), *Said.each("difference", "better in"))
    others = ("p", Said("P(better)"))
    table = FittingTable(
        [said(title) for title in (*columns, *others)],
        optional=list(map(said, ("P(better)", "better in"))),
        label=MIN_LABEL,
    )
    for each in group:
        improved = "–" if each.improvement is None else f"{each.improvement.probability:.2f}"
        better = f"{each.better:,}/{each.seeds:,}"
        if not answer.scores.direction:
            better = said(Said("{share} up", share=better))
        style = "bold" if each.significant() else ""
        size = Text(difference_text(each), style)
        name = said(contrast_text(each.contrast, answer.results))
        table.add_row(name, size, better, Text(p_text(each.p_holm), style), improved)
    return table


def _sentences(answer: Answer) -> list[RenderableType]:
    rows = Table.grid(padding=(0, 1, 0, 0))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    lines = [*answer.sentences[: min(len(answer.contributions) or len(answer.effects), MAX_SENTENCES)]]
    if reached := survival_sentence(answer):
        lines.append(reached)
    for line in lines:
        rows.add_row("•", Prose(said(line)))
    return [rows]
