"""What `sparring show` prints: a run's values over seeds, its seeds or the outliers among them, and its files."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.facts import TITLES, Facts
from sparring.analysis.summary import files
from sparring.analysis.wording import count, duration, example, number, plus_minus
from sparring.record import RunFolder
from sparring.record.story import CURVES
from sparring.report.metric_names import evaluation_caption, evaluation_rows
from sparring.report.sentences import sentences, target_reached
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
    played = f"{story.round:,}" if story.round == facts.rounds else f"{story.round:,} of {facts.rounds:,}"
    texts = [count(len(facts.seeds), "seed"), f"{played} rounds", duration(story.seconds)]
    if facts.rounds_per_second:
        texts.append(f"{facts.rounds_per_second:,.0f} rounds/s")
    if facts.diverged:
        texts.append(f"{len(facts.diverged):,} diverged")
    return Text.assemble((facts.name, "bold"), "  ", (story.status, hue), "  ", ", ".join(texts))


def _verdict(facts: Facts) -> RenderableType:
    """The reference result, what this run shows, and the diagnosis, a row each."""
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    if facts.departure:
        rows.add_row("recipe", Text(f"changed while it trained: {facts.departure}", "bold"))
    elif facts.entry is None:
        rows.add_row("recipe", Text("your own, without a reference result"))
    else:
        where = " (on other data)" if facts.on_other_data else ""
        rows.add_row(f"reference result{where}", Text(facts.entry.facts["verdict"]))
    for index, sentence in enumerate(sentences(facts)):
        style = "bold" if sentence == target_reached(facts) else ""
        rows.add_row("" if index else "this run shows", Text(sentence, style))
    if facts.expects:
        rows.add_row("expected diagnosis", Text(", ".join(facts.expects)))
    if len(facts.story.logged_rounds):
        rows.add_row("diagnosis", Text(facts.diagnosis.line))
    for index, sentence in enumerate(facts.history):
        rows.add_row("" if index else "history", Text(sentence))
    if facts.changes:
        rows.add_row("changed from recipe", Text("; ".join(facts.changes)))
    return rows


def _values(facts: Facts) -> RenderableType:
    if len(facts.seeds) == 1:
        return _values_of_one(facts)
    columns = ("", "mean ± SD", "median", "min", "max", "n", "at equilibrium")
    table = FittingTable(columns, optional=("median", "n", "min", "max"))
    for name, spread in facts.spreads.items():
        numbers = [number(value) for value in (spread.median, spread.min, spread.max)]
        level = number(facts.equilibrium.get(name))
        table.add_row(TITLES[name], Text(plus_minus(spread), "bold"), *numbers, f"{spread.n:,}", Text(level, "dim"))
    return table


def _values_of_one(facts: Facts) -> RenderableType:
    table = FittingTable(("", "value", "at equilibrium"))
    for name, spread in facts.spreads.items():
        table.add_row(TITLES[name], Text(number(spread.mean), "bold"), Text(number(facts.equilibrium.get(name)), "dim"))
    if facts.outputs is not None:
        table.add_row("output", Text(example(facts.outputs[1][-1, 0]), "bold"), "")
    return table


def _evaluation(facts: Facts) -> list[RenderableType]:
    """The metrics of the last evaluation beside real data's."""
    if facts.evaluation is None:
        return []
    several = len(facts.seeds) > 1
    columns = ("samples", "mean ± SD" if several else "value", "real data", *(("min", "max") if several else ()))
    table = FittingTable(columns, optional=("min", "max"))
    for title, real, mean, min_, max_, _ in evaluation_rows(facts.evaluation):
        table.add_row(title, Text(mean, "bold"), Text(real, "dim"), *((min_, max_) if several else ()))
    return [Text(), table, Text(evaluation_caption(facts.evaluation), "dim")]


def _seeds(facts: Facts) -> list[RenderableType]:
    members, title = list(range(len(facts.seeds))), ""
    if len(members) > MAX_SEEDS:
        members = facts.outliers
        title = f"outliers: {len(members):,} of {count(len(facts.seeds), 'seed')}"
        if not members:
            return [Text("\nNo seed is an outlier.", style="dim")]
    outputs = facts.outputs[1][-1] if facts.outputs is not None else None
    columns = ("seed", *TITLES.values(), *(["output"] if outputs is not None else []), "")
    table = FittingTable(columns, optional=("output",))
    for member in members[:MAX_SEEDS]:
        seed = facts.seeds[member]
        cells = [str(seed), *(number(facts.last[name][member]) for name in CURVES)]
        if outputs is not None:
            cells.append(example(outputs[member]))
        table.add_row(*cells, _remark(facts, member))
    rest = len(members) - MAX_SEEDS
    more: list[RenderableType] = [Text(f"and {rest:,} more; --json lists them all", style="dim")] if rest > 0 else []
    return [Text(), *([Text(title, style="dim")] if title else []), table, *more]


def _remark(facts: Facts, member: int) -> Text:
    seed = facts.seeds[member]
    if seed in facts.diverged:
        return Text(f"diverged at round {facts.diverged[seed]:,}", "red")
    if facts.ends is not None and not facts.ends.near[member]:
        return Text("off target", "yellow")
    return Text("outlier" if member in facts.outliers else "", "yellow")


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
            lines.append(f"{title:<9}", "dim").append(f"{facts.run.path / path}\n")
    lines.rstrip()
    return lines
