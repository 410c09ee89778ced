"""What `sparring show` prints: a run's values over seeds, its seeds or the outliers among them, and its files."""

from __future__ import annotations

from rich.cells import set_cell_size
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.facts import TITLES, Facts
from sparring.analysis.summary import files
from sparring.analysis.wording import count, duration, example, number, plus_minus
from sparring.languages import Name, said
from sparring.languages import Text as Said
from sparring.record import RunFolder
from sparring.record.story import CURVES
from sparring.report.metric_names import evaluation_caption, evaluation_rows
from sparring.report.sentences import sentences, target_reached
from sparring.report.terminal.prose import Prose
from sparring.report.terminal.tables import FittingTable

MAX_SEEDS = 16
"""Up to this many seeds each has a line; of more seeds, only the outliers have."""


def run_text(run: RunFolder) -> RenderableType:
    """The run's state, its reference result beside its own, tables of values, and its files. Loads no torch."""
    facts = Facts.of(run)
    parts: list[RenderableType] = [_headline(facts), Text(), _verdict(facts)]
    if len(facts.story.logged_rounds):
        parts += [Text(), _values(facts), *_evaluation(facts), *(_seeds(facts) if len(facts.seeds) > 1 else [])]
    parts.append(_files(facts))
    return Group(*parts)


def _headline(facts: Facts) -> Text:
    story = facts.story
    hue = {"finished": "green", "diverged": "red"}.get(story.status, "yellow")
    played = Said("{round} of {rounds}", round=f"{story.round:,}", rounds=f"{facts.rounds:,}")
    if story.round == facts.rounds:
        played = f"{story.round:,}"
    texts = [count(len(facts.seeds), "seed"), Said("{played} rounds", played=played), duration(story.seconds)]
    if facts.rounds_per_second:
        texts.append(Said("{count} rounds/s", count=f"{facts.rounds_per_second:,.0f}"))
    if facts.diverged:
        texts.append(Said("{count} diverged", count=f"{len(facts.diverged):,}"))
    facts_of = said(Said.joined(texts, ", "))
    return Text.assemble((facts.name, "bold"), "  ", (said(story.status), hue), "  ", facts_of)


def _verdict(facts: Facts) -> RenderableType:
    """The reference result, what this run shows, and the diagnosis, a row each."""
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    if facts.departure:
        rows.add_row(said("recipe"), Prose(said(Said("changed while it trained: {why}", why=facts.departure)), "bold"))
    elif facts.entry is None:
        rows.add_row(said("recipe"), Prose(said("your own, without a reference result")))
    elif not facts.on_other_data:  # else it would be that of data which nobody asked about
        rows.add_row(said("reference result"), Prose(said(facts.entry.facts["verdict"])))
    for index, sentence in enumerate(sentences(facts)):
        style = "bold" if sentence == target_reached(facts) else ""
        rows.add_row("" if index else said("this run shows"), Prose(said(sentence), style))
    if facts.expects:
        rows.add_row(said("expected diagnosis"), Text(", ".join(said(Name(each)) for each in facts.expects)))
    if len(facts.story.logged_rounds):
        rows.add_row(said("diagnosis"), Prose(said(facts.diagnosis.line)))
    for index, sentence in enumerate(facts.history):
        rows.add_row("" if index else said("history"), Prose(said(sentence)))
    if facts.changes:
        rows.add_row(said("changed from recipe"), Prose(said(Said.joined(facts.changes, "; "))))
    return rows


def _values(facts: Facts) -> RenderableType:
    if len(facts.seeds) == 1:
        return _values_of_one(facts)
    table = _table(("", "mean ± SD", "median", "min", "max", "n", "at equilibrium"), ("median", "n", "min", "max"))
    for name, spread in facts.spreads.items():
        numbers = [number(value) for value in (spread.median, spread.min, spread.max)]
        level = number(facts.equilibrium.get(name))
        table.add_row(
            said(TITLES[name]), Text(plus_minus(spread), "bold"), *numbers, f"{spread.n:,}", Text(level, "dim")
        )
    return table


def _values_of_one(facts: Facts) -> RenderableType:
    table = _table(("", "value", "at equilibrium"))
    for name, spread in facts.spreads.items():
        level = Text(number(facts.equilibrium.get(name)), "dim")
        table.add_row(said(TITLES[name]), Text(number(spread.mean), "bold"), level)
    if facts.outputs is not None:
        table.add_row(said("output"), Text(example(facts.outputs[1][-1, 0]), "bold"), "")
    return table


def _evaluation(facts: Facts) -> list[RenderableType]:
    """The metrics of the last evaluation beside real data's."""
    if facts.evaluation is None:
        return []
    several = len(facts.seeds) > 1
    columns = ("samples", "mean ± SD" if several else "value", "real data", *(("min", "max") if several else ()))
    table = _table(columns, ("min", "max"))
    for title, real, mean, min_, max_, _ in evaluation_rows(facts.evaluation):
        table.add_row(said(title), Text(mean, "bold"), Text(real, "dim"), *((min_, max_) if several else ()))
    return [Text(), table, Text(said(evaluation_caption(facts.evaluation)), "dim")]


def _seeds(facts: Facts) -> list[RenderableType]:
    members, title = list(range(len(facts.seeds))), ""
    if len(members) > MAX_SEEDS:
        members = facts.outliers
        seeds = count(len(facts.seeds), "seed")
        title = said(Said("outliers: {some} of {seeds}", some=f"{len(members):,}", seeds=seeds))
        if not members:
            return [Text(f"\n{said('No seed is an outlier.')}", style="dim")]
    outputs = facts.outputs[1][-1] if facts.outputs is not None else None
    columns = ("seed", *TITLES.values(), *(["output"] if outputs is not None else []), "")
    table = _table(columns, ("output",))
    for member in members[:MAX_SEEDS]:
        seed = facts.seeds[member]
        cells = [str(seed), *(number(facts.last[name][member]) for name in CURVES)]
        if outputs is not None:
            cells.append(example(outputs[member]))
        table.add_row(*cells, _remark(facts, member))
    rest = len(members) - MAX_SEEDS
    more: list[RenderableType] = []
    if rest > 0:
        more = [Text(said(Said("and {count} more; --json lists them all", count=f"{rest:,}")), style="dim")]
    return [Text(), *([Text(title, style="dim")] if title else []), table, *more]


def _table(columns: tuple[str, ...], optional: tuple[str, ...] = ()) -> FittingTable:
    return FittingTable([said(column) for column in columns], optional=tuple(map(said, optional)))


def _remark(facts: Facts, member: int) -> Text:
    seed = facts.seeds[member]
    if seed in facts.diverged:
        return Text(said(Said("diverged at round {round}", round=f"{facts.diverged[seed]:,}")), "red")
    if facts.ends is not None and not facts.ends.near[member]:
        return Text(said("off target"), "yellow")
    return Text(said("outlier") if member in facts.outliers else "", "yellow")


def _files(facts: Facts) -> Text:
    existing = files(facts.run, facts.story)
    pictures = existing["pictures"]
    lines = Text("\n", no_wrap=True, overflow="ignore")  # a path in two lines could not be copied
    for title, path in (
        ("report", existing["report"]),
        ("samples", pictures[-1] if pictures else None),
        ("figures", "figures" if existing["figures"] else None),
    ):
        if path:
            lines.append(f"{set_cell_size(said(title), 8)} ", "dim").append(f"{facts.run.path / path}\n")
    lines.rstrip()
    return lines
