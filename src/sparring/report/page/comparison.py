"""One self-contained page that lays runs side by side: what each changes, what its author saw, what it shows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from PIL import Image

from sparring.analysis.comparison import Comparison
from sparring.analysis.facts import TITLES, Evaluation, Facts
from sparring.analysis.wording import count, number, plus_minus
from sparring.record import write_atomically
from sparring.record.grid import excerpts
from sparring.record.story import CURVES
from sparring.report.figures import multiples
from sparring.report.page.document import chart, document, more, shrunk, table, uri
from sparring.report.page.markup import Child, Markup, join, tag
from sparring.report.page.run import author, what
from sparring.report.terminal.evaluations import headlines, in_order, name_of, short
from sparring.report.terminal.sentences import remarks

FEW_SEEDS, FEW_EXAMPLES = 4, 16
"""Seeds that a run's samples are shown of, and examples of each."""
SMALL_WIDTH = 640
"""Pixels of a sample picture that does not say where its examples lie."""
MOST_CHANGES = 6
"""Changes up to which they lie open."""


def write_comparison(held: Comparison, out: Path) -> Path:
    """Write the page to `out`, whole or not at all."""
    text = comparison_page(held)
    return write_atomically(out, lambda path: path.write_text(text, encoding="utf-8"))


def comparison_page(held: Comparison) -> Markup:
    """The whole document."""
    return document(
        held.title,
        _header(held),
        _runs(held),
        _ends(held),
        _numbers(held),
        _looked(held),
        tag("h2", "Details"),
        _folders(held),
        written_from=f"the journals of {count(len(held.runs), 'run')}",
    )


def _header(held: Comparison) -> Markup:
    rest = (held.lineage or "").partition("\n")[2].strip()
    return join(
        tag("p", f"Sparring, {count(len(held.runs), 'run')} side by side", class_="kicker"),
        tag("h1", held.title),
        [tag("p", " ".join(part.split()), class_="soft") for part in rest.split("\n\n") if part],
        tag("ul", [tag("li", note) for note in held.notes], class_="notes") if held.notes else None,
    )


# Run by run.


def _runs(held: Comparison) -> Markup:
    cards = [_card(held, index) for index in range(len(held.runs))]
    # Wide enough for the columns and no wider, or two runs would lie far apart.
    width = f"max-width: {26 * _columns(len(cards))}rem"
    rounds = "" if held.lengths_compare else " Rounds are not: each run's fill its own axis."
    key = f"{_axes(held)}{rounds} Thick: the median over seeds. Thin: each seed. Dashed: once D cannot tell."
    return tag("section", tag("div", cards, class_="runs", style=width), tag("p", key, class_="soft key"), class_="all")


def _axes(held: Comparison) -> str:
    if held.losses_compare and held.answers_compare:
        return "Every run is drawn on the same axes."
    if held.answers_compare:
        return "D's answers are drawn on the same axes for every run, losses for runs of the same objective."
    return "Runs of the same objective are drawn on the same axes."


def _columns(runs: int) -> int:
    """Four or three beside each other, whichever leaves less of the last row empty."""
    return min(runs, min((4, 3), key=lambda columns: -runs % columns))


def _card(held: Comparison, index: int) -> Markup:
    facts = held.runs[index]
    return tag(
        "article",
        _name(held, index),
        _changes(held, index),
        _part("What its author saw", author(facts, changes=not held.shared_changes)),
        _part("What this run shows", _levels(facts), [tag("p", remark) for remark in remarks(facts)]),
        _samples(facts),
        _picture(held, index, "losses"),
        _picture(held, index, "answers"),
        id=f"run-{index + 1}",
    )


def _name(held: Comparison, index: int) -> Markup:
    facts = held.runs[index]
    played = (
        f"{facts.story.round:,}" if facts.story.round == facts.rounds else f"{facts.story.round:,} of {facts.rounds:,}"
    )
    status = tag("span", facts.story.status, class_=f"status {facts.story.status}")
    told = f"{count(len(facts.seeds), 'seed')}, {played} rounds"
    return tag(
        "div",
        tag("p", f"{index + 1} of {len(held.runs)} ", Markup("&middot; "), status, f", {told}", class_="kicker"),
        tag("h2", held.names[index]),
        tag("p", what(facts)) if what(facts) else None,
    )


def _changes(held: Comparison, index: int) -> Markup:
    if index == 0:
        return _part("Where it starts", tag("p", "The run that the others follow.", class_="soft"))
    told = held.steps[index]
    if not told:
        return _part(f"Changed from {held.names[index - 1]}", tag("p", "Nothing but seeds or what is recorded."))
    listed = tag("ul", [tag("li", change) for change in told], class_="changes")
    if len(told) > MOST_CHANGES:
        listed = more(count(len(told), "change"), listed)
    return _part(f"Changed from {held.names[index - 1]}", listed)


def _levels(facts: Facts) -> Markup:
    """The four numbers that two runs are first compared by."""
    pairs = [(name, facts.spreads[name], facts.equilibrium.get(name)) for name in CURVES]
    cells = [
        tag(
            "div", tag("dt", TITLES[name]), tag("dd", plus_minus(spread), tag("small", _beside(facts, spread.n, level)))
        )
        for name, spread, level in pairs
    ]
    return tag("dl", cells, class_="facts four")


def _beside(facts: Facts, n: int, level: float | None) -> str:
    seeds = f"n = {n:,}" if n == len(facts.seeds) else f"n = {n:,} of {len(facts.seeds):,}"
    return seeds if level is None else f"{seeds}; {number(level)} undecided"


def _samples(facts: Facts) -> Markup:
    held = [name for name in facts.story.pictures if (facts.run.path / name).is_file()]
    if not held:
        return _part("Samples", tag("p", "No picture yet.", class_="soft"))
    with Image.open(facts.run.path / held[-1]) as picture:
        few = excerpts(picture, FEW_SEEDS, FEW_EXAMPLES)
        shown = list(_one_by_one(facts, few)) if few else [_whole(picture)]
    rest = len(facts.seeds) - len(shown)
    title = (
        f"Samples at the end, {len(shown)} of {count(len(facts.seeds), 'seed')}"
        if few and rest
        else "Samples at the end"
    )
    across = f"grid-template-columns: repeat({3 if len(shown) == 3 else 2}, 1fr)"
    return _part(title, tag("div", shown, class_="few", style=across))


def _one_by_one(facts: Facts, pictures: list[Image.Image]) -> Iterator[Markup]:
    for seed, picture in zip(facts.seeds, pictures, strict=False):
        file = io.BytesIO()
        picture.save(file, format="PNG")
        drawn = tag("img", src=uri(file.getvalue(), "png"), alt=f"Generated samples of seed {seed}", class_="pixels")
        yield tag("figure", drawn, tag("figcaption", f"seed {seed}"))


def _whole(picture: Image.Image) -> Markup:
    source, (width, height) = shrunk(picture, SMALL_WIDTH)
    return tag("img", src=source, width=width, height=height, alt="Generated samples", class_="whole")


def _picture(held: Comparison, index: int, name: str) -> Markup:
    draw, alt = {
        "losses": (multiples.losses, "D's loss and G's loss over the rounds"),
        "answers": (multiples.answers, "D's answers to real and to generated examples over the rounds"),
    }[name]
    facts = held.runs[index]
    title = f"Losses ({facts.objective})" if name == "losses" else "D's answers"
    return _part(title, chart(partial(draw, held, facts), f"{alt}, {held.names[index]}")[0])


def _part(title: str, *children: Child) -> Markup:
    return tag("section", tag("h3", title), *children)


# All of them.


def _ends(held: Comparison) -> Markup:
    alt = "Where D's answers to real and to generated examples ended, for every run and seed."
    told = "Far apart: D tells real from generated. Both at the dashed line: D cannot tell."
    plate = tag(
        "div", chart(partial(multiples.ends, held), alt)[0], class_="plate", tabindex=0, role="group", aria_label=alt
    )
    return tag(
        "section",
        tag("h2", "Where D's answers ended"),
        tag("figure", plate, tag("figcaption", told)),
        class_="narrow",
    )


def _numbers(held: Comparison) -> Markup:
    targets = any(facts.ends is not None for facts in held.runs)
    columns = [
        "run",
        "objective",
        *TITLES.values(),
        "n",
        "diverged",
        *(["near the target"] if targets else []),
        "rounds",
    ]
    rows: list[list[str]] = []
    for name, facts in zip(held.names, held.runs, strict=True):
        told = [name, facts.objective, *(plus_minus(facts.spreads[curve]) for curve in CURVES)]
        told += [f"{min(s.n for s in facts.spreads.values()):,} of {len(facts.seeds):,}", f"{len(facts.diverged):,}"]
        if targets:
            told.append(f"{int(facts.ends.near.sum()):,} of {len(facts.seeds):,}" if facts.ends is not None else "–")
        rows.append([*told, f"{facts.story.round:,}"])
    undecided = {f.objective: f.equilibrium["d_loss"] for f in held.runs if "d_loss" in f.equilibrium}
    levels = "; ".join(f"{number(level)} for {name}" for name, level in undecided.items())
    told = "Means over the last 5 % of the rounds noted, ± SD over seeds, of the sample. n: seeds with finite numbers."
    told += f" D's loss once it cannot tell: {levels}." if levels else ""
    return tag("section", tag("h2", "The numbers"), table(columns, rows, caption=told), class_="wide")


def _looked(held: Comparison) -> Markup | None:
    """What samples of each run were like at its last look."""
    evaluated = [facts.evaluated for facts in held.runs]
    found = in_order(dict.fromkeys(name for each in evaluated if each for name in headlines(each.metrics)))
    told = [name for name in found if name_of(name).headline] or found
    if not told:
        return None
    rows = [
        [name, str(each.judge or "–") if each else "–", *(_beside_real(each, figure) for figure in told)]
        for name, each in zip(held.names, evaluated, strict=True)
    ]
    columns = ("run", "judge", *(name_of(figure).title for figure in told))
    caption = (
        "Means ± SD over seeds at the last look, in brackets what real data scores. Figures through different judges "
        "do not compare. Diversity, roughness, similarity-to-mean and nearest-neighbor are shares of real data's."
    )
    return tag("section", tag("h2", "Samples beside real data"), table(columns, rows, caption=caption), class_="wide")


def _beside_real(evaluated: Evaluation | None, figure: str) -> str:
    if evaluated is None or figure not in evaluated.metrics:
        return "–"
    real = evaluated.real.get(figure)
    return plus_minus(evaluated.spreads[figure]) + ("" if real is None else f" ({short(real)})")


def _folders(held: Comparison) -> Markup:
    rows = [
        [name, str(facts.about.get("id") or "–"), str(facts.about.get("created") or "–")[:10], str(facts.run.path)]
        for name, facts in zip(held.names, held.runs, strict=True)
    ]
    return more("Where these runs lie", table(("run", "recipe id", "begun", "folder"), rows, words=3))
