"""A run told in a terminal: its numbers over seeds, its seeds one by one or the odd ones out, and where to look."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.facts import TITLES, Facts, files
from sparring.analysis.wording import count, duration, example, number, plus_minus
from sparring.record import Run
from sparring.record.story import CURVES
from sparring.report.terminal import evaluations as looks
from sparring.report.terminal.sentences import sentences

MOST_SEEDS = 16
"""Seeds up to which each has a line; beyond, only the odd ones out."""


def run_text(run: Run) -> RenderableType:
    """What `sparring show` prints. Loads no torch."""
    facts = Facts.of(run)
    parts: list[RenderableType] = [_headline(facts), Text(), _verdict(facts)]
    if len(facts.story.logged_rounds):
        parts += [Text(), _numbers(facts), *_looked(facts), *(_seeds(facts) if len(facts.seeds) > 1 else [])]
    parts.append(_where(facts))
    return Group(*parts)


def _headline(facts: Facts) -> Text:
    story = facts.story
    hue = {"finished": "green", "diverged": "red"}.get(story.status, "yellow")
    played = f"{story.round:,}" if story.round == facts.rounds else f"{story.round:,} of {facts.rounds:,}"
    told = [count(len(facts.seeds), "seed"), f"{played} rounds", duration(story.seconds)]
    if facts.pace:
        told.append(f"{facts.pace:,.0f} rounds/s")
    if facts.diverged:
        told.append(f"{len(facts.diverged):,} diverged")
    return Text.assemble((facts.name, "bold"), "  ", (story.status, hue), "  ", ", ".join(told))


def _verdict(facts: Facts) -> RenderableType:
    """What the recipe's author saw, and right below it what this run shows, line by line."""
    told = Table.grid(padding=(0, 2, 0, 0))
    told.add_column(style="dim", no_wrap=True)
    told.add_column()
    if facts.card is None:
        told.add_row("recipe", Text("of the user's own"))
    else:
        where = "on other data, " if facts.on_other_data else ""
        told.add_row(f"{where}its author saw", Text(facts.card.facts["verdict"]))
    for index, sentence in enumerate(sentences(facts)):
        told.add_row("" if index else "this run shows", Text(sentence, "bold" if sentence == facts.ended else ""))
    if facts.expects:
        told.add_row("findings to be made", Text(", ".join(facts.expects)))
    if len(facts.story.logged_rounds):
        told.add_row("diagnosis", Text(facts.diagnosis.line))
    if facts.changes:
        told.add_row("this run changes", Text("; ".join(facts.changes)))
    return told


def _numbers(facts: Facts) -> Table:
    if len(facts.seeds) == 1:
        return _numbers_of_one(facts)
    table = _table("", "mean ± SD", "median", "least", "most", "n", "when D cannot tell")
    for name, spread in facts.spreads.items():
        middle = [number(value) for value in (spread.median, spread.min, spread.max)]
        level = number(facts.equilibrium.get(name))
        table.add_row(TITLES[name], Text(plus_minus(spread), "bold"), *middle, f"{spread.n:,}", Text(level, "dim"))
    return table


def _numbers_of_one(facts: Facts) -> Table:
    table = _table("", "value", "when D cannot tell")
    for name, spread in facts.spreads.items():
        table.add_row(TITLES[name], Text(number(spread.mean), "bold"), Text(number(facts.equilibrium.get(name)), "dim"))
    if facts.outputs is not None:
        table.add_row("output", Text(example(facts.outputs[1][-1, 0]), "bold"), "")
    return table


def _looked(facts: Facts) -> list[RenderableType]:
    """What samples were like at the last look, beside real data."""
    if facts.evaluated is None:
        return []
    several = len(facts.seeds) > 1
    table = _table("samples", "mean ± SD" if several else "value", "real data", *(("least", "most") if several else ()))
    for title, real, middle, least, most, _ in looks.rows(facts.evaluated):
        table.add_row(title, Text(middle, "bold"), Text(real, "dim"), *((least, most) if several else ()))
    return [Text(), table, Text(looks.taken_with(facts.evaluated), "dim")]


def _seeds(facts: Facts) -> list[RenderableType]:
    members, title = list(range(len(facts.seeds))), ""
    if len(members) > MOST_SEEDS:
        members = facts.odd
        title = f"{len(members):,} of {count(len(facts.seeds), 'seed')} stand out"
        if not members:
            return [Text("\nNo seed stands out from the others.", style="dim")]
    outputs = facts.outputs[1][-1] if facts.outputs is not None else None
    table = _table("seed", *TITLES.values(), *(["output"] if outputs is not None else []), "")
    for member in members[:MOST_SEEDS]:
        seed = facts.seeds[member]
        told = [str(seed), *(number(facts.last[name][member]) for name in CURVES)]
        if outputs is not None:
            told.append(example(outputs[member]))
        table.add_row(*told, _mark(facts, member))
    rest = len(members) - MOST_SEEDS
    more: list[RenderableType] = [Text(f"and {rest:,} more; --json lists all", style="dim")] if rest > 0 else []
    return [Text(), *([Text(title, style="dim")] if title else []), table, *more]


def _mark(facts: Facts, member: int) -> Text:
    seed = facts.seeds[member]
    if seed in facts.diverged:
        return Text(f"diverged at round {facts.diverged[seed]:,}", "red")
    if facts.ends is not None and not facts.ends.near[member]:
        return Text("away", "yellow")
    return Text("far out" if member in facts.odd else "", "yellow")


def _where(facts: Facts) -> Text:
    held = files(facts.run, facts.story)
    pictures = held["pictures"]
    told = Text("\n")
    for what, path in (("page", held["report"]), ("samples", pictures[-1] if pictures else None)):
        if path:
            told.append(f"{what:<8}", "dim").append(f"{facts.run.path / path}\n")
    if held["figures"]:
        told.append(f"{'figures':<8}", "dim").append(f"{facts.run.path / 'figures'}\n")
    told.rstrip()
    return told


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for index, title in enumerate(columns):
        table.add_column(title, justify="left" if index == 0 or not title else "right", no_wrap=True)
    return table
