"""What `sparring study` prints: its answer in sentences, a table of cells, and how many seeds it would take."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.wording import count, short
from sparring.report.study import MAX_SENTENCES, cell_rows, needed_sentences, survival_sentence
from sparring.report.terminal.tables import FittingTable
from sparring.study.answer import Answer
from sparring.study.effects import Effect
from sparring.study.wording import contrast_text, difference_text, p_text

MIN_LABEL = 16
"""Characters of a cell's label, or an effect's, that wraps."""


def study_text(answer: Answer) -> RenderableType:
    """The whole answer, for a terminal of any width."""
    parts: list[RenderableType] = [_headline(answer), Text(), _cells(answer), Text(_cells_caption(answer), "dim")]
    for group in (answer.effects, answer.comparisons):
        if group:
            parts += [Text(), _effects(group, answer)]
    parts += [Text(_effects_caption(answer), "dim"), Text(), *_sentences(answer)]
    notes = [*answer.notes, *needed_sentences(answer)]
    parts += [Text(f"\n{note}", "yellow" if index < len(answer.notes) else "") for index, note in enumerate(notes)]
    return Group(*parts)


def _headline(answer: Answer) -> Text:
    results = answer.results
    size = f"{count(len(results.cells), 'cell')} × {count(len(results.seeds), 'seed')}, {results.design}"
    title = Text.assemble((results.name, "bold"), "  ", size)
    return title.append(f"\n{results.question}") if results.question else title


def _cells(answer: Answer) -> RenderableType:
    timed = ["reached"] if answer.scores.reached is not None else []
    columns = ("cell", "mean ± SD", *timed, "IQM", "n", "collapsed", "diverged", "top finding")
    table = FittingTable(columns, optional=("IQM", "n", "top finding"), label=MIN_LABEL)
    for row in cell_rows(answer):
        others = (row.reached, row.iqm, row.n, row.collapsed, row.diverged, row.finding)
        table.add_row(row.label, Text(row.mean, "bold"), *(text for text in others if text is not None))
    return table


def _cells_caption(answer: Answer) -> str:
    real = "" if answer.scores.real is None else f"; real data scores {short(answer.scores.real)}"
    better = {-1: ", lower is better", 1: ", higher is better"}.get(answer.scores.direction, "")
    return f"{answer.scores.title}{better}{real}."


def _effects(group: Sequence[Effect], answer: Answer) -> RenderableType:
    is_cells = group[0].contrast.kind == "cell" and bool(answer.comparisons)
    title = "cell against the baseline" if is_cells else "effect"
    table = FittingTable(
        (title, "difference", "better in", "p", "P(better)"), optional=("P(better)", "better in"), label=MIN_LABEL
    )
    for each in group:
        improved = "–" if each.improvement is None else f"{each.improvement.probability:.2f}"
        better = f"{each.better:,}/{each.seeds:,}" if answer.scores.direction else f"{each.better:,}/{each.seeds:,} up"
        style = "bold" if each.significant() else ""
        size = Text(difference_text(each), style)
        name = contrast_text(each.contrast, answer.results)
        table.add_row(name, size, better, Text(p_text(each.p_holm), style), improved)
    return table


def _effects_caption(answer: Answer) -> str:
    return answer.method


def _sentences(answer: Answer) -> list[RenderableType]:
    rows = Table.grid(padding=(0, 1, 0, 0))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    said = [*answer.sentences[: min(len(answer.contributions) or len(answer.effects), MAX_SENTENCES)]]
    if reached := survival_sentence(answer):
        said.append(reached)
    for line in said:
        rows.add_row("•", Text(line))
    return [rows]
