"""One self-contained page that compares runs: what each changes, its reference result, and what it shows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from PIL import Image

from sparring.analysis.comparison import Comparison
from sparring.analysis.facts import TITLES, Evaluation, Facts
from sparring.analysis.wording import count, number, plus_minus, short
from sparring.languages import Text
from sparring.record import write_atomically
from sparring.record.grid import excerpts
from sparring.record.story import CURVES
from sparring.report.figures import multiples
from sparring.report.metric_names import headlines, in_order, name_of
from sparring.report.page.document import chart, document, more, shrunk, table, uri
from sparring.report.page.markup import Child, Markup, join, tag
from sparring.report.page.run import paragraphs, recipe_summary, reference_result
from sparring.report.sentences import remarks

FEW_SEEDS, FEW_EXAMPLES = 4, 16
"""How many seeds of a run have samples on the page, and how many examples of each."""
SMALL_WIDTH = 640
"""Width in pixels of a sample picture whose metadata do not say where its examples lie."""
MAX_OPEN_CHANGES = 6
"""A longer list of changes is collapsed."""


def write_comparison(comparison: Comparison, out: Path) -> Path:
    """Write the page that compares runs.

    Args:
        comparison: The runs.
        out: The HTML file; it is replaced in one step, so that it is never half written.

    Returns:
        `out`.
    """
    text = comparison_page(comparison)
    return write_atomically(out, lambda path: path.write_text(text, encoding="utf-8"))


def comparison_page(comparison: Comparison) -> Markup:
    """The whole document."""
    return document(
        comparison.title,
        _header(comparison),
        _runs(comparison),
        _final_outputs(comparison),
        _final_values(comparison),
        _evaluations(comparison),
        tag("h2", Text("Details")),
        _folders(comparison),
        written_from=Text("the journals of {runs}", runs=count(len(comparison.runs), "run")),
    )


def _header(comparison: Comparison) -> Markup:
    rest = (comparison.lineage or "").partition("\n")[2].strip()
    return join(
        tag("p", Text("Sparring, {runs} compared", runs=count(len(comparison.runs), "run")), class_="kicker"),
        tag("h1", comparison.title),
        paragraphs(rest),
        tag("ul", [tag("li", note) for note in comparison.notes], class_="notes") if comparison.notes else None,
    )


def _runs(comparison: Comparison) -> Markup:
    cards = [_card(comparison, index) for index in range(len(comparison.runs))]
    # Wide enough for the columns and no wider, or two runs would lie far apart.
    width = f"max-width: {26 * _columns(len(cards))}rem"
    rounds = Text(" Rounds are on a logarithmic axis: the runs differ much in length.")
    key = Text(
        "{axes}{rounds} Thick line: the median over seeds. Thin lines: the seeds. Dashed line: the value at "
        "equilibrium.",
        axes=_axes(comparison),
        rounds="" if comparison.linear_rounds else rounds,
    )
    return tag("section", tag("div", cards, class_="runs", style=width), tag("p", key, class_="soft key"), class_="all")


def _axes(comparison: Comparison) -> str:
    if comparison.losses_comparable and comparison.outputs_comparable:
        return Text("All runs are drawn on the same axes.")
    if comparison.outputs_comparable:
        return Text("D's outputs are drawn on the same axes for all runs, losses for runs of the same objective.")
    return Text("Runs of the same objective are drawn on the same axes.")


def _columns(runs: int) -> int:
    """Four or three columns, whichever leaves less of the last row empty."""
    return min(runs, min((4, 3), key=lambda columns: -runs % columns))


def _card(comparison: Comparison, index: int) -> Markup:
    facts = comparison.runs[index]
    return tag(
        "article",
        _name(comparison, index),
        _samples(facts),
        _changes(comparison, index),
        _part(Text("What this run shows"), _key_values(facts), [tag("p", remark) for remark in remarks(facts)]),
        _part(Text("Reference result"), reference_result(facts, changes=not comparison.shared_changes)),
        _picture(comparison, index, "losses"),
        _picture(comparison, index, "outputs"),
        id=f"run-{index + 1}",
    )


def _name(comparison: Comparison, index: int) -> Markup:
    facts = comparison.runs[index]
    played: str = f"{facts.story.round:,}"
    if facts.story.round != facts.rounds:
        played = _of(facts.story.round, facts.rounds)
    status = tag("span", Text(facts.story.status), class_=f"status {facts.story.status}")
    size = Text.joined([count(len(facts.seeds), "seed"), Text("{played} rounds", played=played)], ", ")
    place = _of(index + 1, len(comparison.runs))
    return tag(
        "div",
        tag("p", place, " ", Markup("&middot; "), status, Text(", "), size, class_="kicker"),
        tag("h2", comparison.names[index]),
        tag("p", recipe_summary(facts)) if recipe_summary(facts) else None,
    )


def _of(some: int, total: int) -> Text:
    return Text("{some} of {total}", some=f"{some:,}", total=f"{total:,}")


def _changes(comparison: Comparison, index: int) -> Markup:
    if index == 0:
        return _part(Text("Starting point"), tag("p", Text("The first run of the comparison."), class_="soft"))
    changes, title = comparison.steps[index], Text("Changed from {run}", run=comparison.names[index - 1])
    if not changes:
        return _part(title, tag("p", Text("Nothing but the seeds or what is logged.")))
    listed = tag("ul", [tag("li", change) for change in changes], class_="changes")
    if len(changes) > MAX_OPEN_CHANGES:
        listed = more(count(len(changes), "change"), listed)
    return _part(title, listed)


def _key_values(facts: Facts) -> Markup:
    """The final values of the four curves."""
    pairs = [(name, facts.spreads[name], facts.equilibrium.get(name)) for name in CURVES]
    cells = [
        tag(
            "div",
            tag("dt", Text(TITLES[name])),
            tag("dd", plus_minus(spread), tag("small", _beside(facts, spread.n, level))),
        )
        for name, spread, level in pairs
    ]
    return tag("dl", cells, class_="facts four")


def _beside(facts: Facts, n: int, level: float | None) -> str:
    seeds = Text("n = {count}", count=f"{n:,}" if n == len(facts.seeds) else _of(n, len(facts.seeds)))
    return seeds if level is None else Text("{seeds}; {level} at equilibrium", seeds=seeds, level=number(level))


def _samples(facts: Facts) -> Markup:
    pictures = [name for name in facts.story.pictures if (facts.run.path / name).is_file()]
    if not pictures:
        return _part(Text("Samples"), tag("p", Text("No picture yet."), class_="soft"))
    with Image.open(facts.run.path / pictures[-1]) as picture:
        few = excerpts(picture, FEW_SEEDS, FEW_EXAMPLES)
        images = list(_one_by_one(facts, few)) if few else [_whole(picture)]
    rest = len(facts.seeds) - len(images)
    title = Text("Final samples")
    if few and rest:
        seeds = count(len(facts.seeds), "seed")
        title = Text("Final samples, {some} of {seeds}", some=len(images), seeds=seeds)
    across = f"grid-template-columns: repeat({len(images) if len(images) in (1, 3) else 2}, 1fr)"
    return _part(title, tag("div", images, class_="few", style=across))


def _one_by_one(facts: Facts, pictures: list[Image.Image]) -> Iterator[Markup]:
    for seed, picture in zip(facts.seeds, pictures, strict=False):
        file = io.BytesIO()
        picture.save(file, format="PNG")
        alt = Text("Generated samples of seed {seed}", seed=seed)
        image = tag("img", src=uri(file.getvalue(), "png"), alt=alt, class_="pixels")
        yield tag("figure", image, tag("figcaption", Text("seed {seed}", seed=seed)))


def _whole(picture: Image.Image) -> Markup:
    source, (width, height) = shrunk(picture, SMALL_WIDTH)
    return tag("img", src=source, width=width, height=height, alt=Text("Generated samples"), class_="whole")


def _picture(comparison: Comparison, index: int, name: str) -> Markup:
    draw, alt = {
        "losses": (multiples.losses, Text("D's loss and G's loss over the rounds")),
        "outputs": (multiples.outputs, Text("D(real) and D(fake) over the rounds")),
    }[name]
    facts = comparison.runs[index]
    title = Text("Losses ({objective})", objective=facts.objective) if name == "losses" else Text("D's outputs")
    whose = Text.joined([alt, comparison.names[index]], ", ")
    return _part(title, chart(partial(draw, comparison, facts), whose, small=True)[0])


def _part(title: str, *children: Child) -> Markup:
    return tag("section", tag("h3", title), *children)


def _final_outputs(comparison: Comparison) -> Markup:
    alt = Text("D(real) and D(fake) at the end of training, for every run and seed.")
    caption = Text("Far apart: D tells real from generated examples. Both on the dashed line: equilibrium.")
    plate = tag(
        "div",
        chart(partial(multiples.final_outputs, comparison), alt)[0],
        class_="plate",
        tabindex=0,
        role="group",
        aria_label=alt,
    )
    return tag(
        "section",
        tag("h2", Text("Final outputs of D")),
        tag("figure", plate, tag("figcaption", caption)),
        class_="narrow",
    )


def _final_values(comparison: Comparison) -> Markup:
    targets = any(facts.ends is not None for facts in comparison.runs)
    columns = [*Text.each("run", "objective"), *map(Text, TITLES.values()), *Text.each("n", "diverged")]
    columns += [*([Text("near the target")] if targets else []), Text("rounds")]
    rows: list[list[str]] = []
    for name, facts in zip(comparison.names, comparison.runs, strict=True):
        cells = [name, facts.objective, *(plus_minus(facts.spreads[curve]) for curve in CURVES)]
        finite = min(s.n for s in facts.spreads.values())
        cells += [_of(finite, len(facts.seeds)), f"{len(facts.diverged):,}"]
        if targets:
            cells.append("–" if facts.ends is None else _of(int(facts.ends.near.sum()), len(facts.seeds)))
        rows.append([*cells, f"{facts.story.round:,}"])
    equilibrium = {f.objective: f.equilibrium["d_loss"] for f in comparison.runs if "d_loss" in f.equilibrium}
    levels = [Text("{level} for {objective}", level=number(v), objective=name) for name, v in equilibrium.items()]
    at_rest = Text(" D's loss at equilibrium: {levels}.", levels=Text.joined(levels, "; "))
    caption = Text(
        "Mean ± sample SD over seeds of each seed's mean over the last 5 % of logged rounds. n: seeds with finite "
        "values.{levels}",
        levels=at_rest if levels else "",
    )
    return tag("section", tag("h2", Text("Final values")), table(columns, rows, caption=caption), class_="wide")


def _evaluations(comparison: Comparison) -> Markup | None:
    """The headline metrics of each run's last evaluation."""
    evaluations = [facts.evaluation for facts in comparison.runs]
    found = in_order(dict.fromkeys(name for each in evaluations if each for name in headlines(each.metrics)))
    names = [name for name in found if name_of(name).headline] or found
    if not names:
        return None
    rows = [
        [name, str(each.judge or "–") if each else "–", *(_beside_real(each, metric) for metric in names)]
        for name, each in zip(comparison.names, evaluations, strict=True)
    ]
    columns = (*Text.each("run", "classifier"), *(Text(name_of(metric).title) for metric in names))
    caption = Text(
        "Mean ± SD over seeds at the last evaluation, and in brackets what real data scores. Values that use different "
        "classifiers are not comparable. Diversity, roughness, similarity to the mean and nearest neighbor are "
        "relative to real data."
    )
    return tag("section", tag("h2", Text("Sample quality")), table(columns, rows, caption=caption), class_="wide")


def _beside_real(evaluation: Evaluation | None, metric: str) -> str:
    if evaluation is None or metric not in evaluation.metrics:
        return "–"
    real = evaluation.real.get(metric)
    beside = [] if real is None else [Text(" ({level})", level=short(real))]
    return Text.joined([plus_minus(evaluation.spreads[metric]), *beside])


def _folders(comparison: Comparison) -> Markup:
    rows = [
        [name, str(facts.about.get("id") or "–"), str(facts.about.get("created") or "–")[:10], str(facts.run.path)]
        for name, facts in zip(comparison.names, comparison.runs, strict=True)
    ]
    return more(Text("Folders"), table(Text.each("run", "recipe id", "started", "folder"), rows, words=3))
