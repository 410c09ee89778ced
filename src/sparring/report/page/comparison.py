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
from sparring.record import write_atomically
from sparring.record.grid import excerpts
from sparring.record.story import CURVES
from sparring.report.figures import multiples
from sparring.report.metric_names import headlines, in_order, name_of
from sparring.report.page.document import chart, document, more, shrunk, table, uri
from sparring.report.page.markup import Child, Markup, join, tag
from sparring.report.page.run import recipe_summary, reference_result
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
        tag("h2", "Details"),
        _folders(comparison),
        written_from=f"the journals of {count(len(comparison.runs), 'run')}",
    )


def _header(comparison: Comparison) -> Markup:
    rest = (comparison.lineage or "").partition("\n")[2].strip()
    return join(
        tag("p", f"Sparring, {count(len(comparison.runs), 'run')} compared", class_="kicker"),
        tag("h1", comparison.title),
        [tag("p", " ".join(part.split()), class_="soft") for part in rest.split("\n\n") if part],
        tag("ul", [tag("li", note) for note in comparison.notes], class_="notes") if comparison.notes else None,
    )


def _runs(comparison: Comparison) -> Markup:
    cards = [_card(comparison, index) for index in range(len(comparison.runs))]
    # Wide enough for the columns and no wider, or two runs would lie far apart.
    width = f"max-width: {26 * _columns(len(cards))}rem"
    rounds = "" if comparison.linear_rounds else " Rounds are on a logarithmic axis: the runs differ much in length."
    key = f"{_axes(comparison)}{rounds} Thick line: the median over seeds. Thin lines: the seeds. "
    key += "Dashed line: the value at equilibrium."
    return tag("section", tag("div", cards, class_="runs", style=width), tag("p", key, class_="soft key"), class_="all")


def _axes(comparison: Comparison) -> str:
    if comparison.losses_comparable and comparison.outputs_comparable:
        return "All runs are drawn on the same axes."
    if comparison.outputs_comparable:
        return "D's outputs are drawn on the same axes for all runs, losses for runs of the same objective."
    return "Runs of the same objective are drawn on the same axes."


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
        _part("What this run shows", _key_values(facts), [tag("p", remark) for remark in remarks(facts)]),
        _part("Reference result", reference_result(facts, changes=not comparison.shared_changes)),
        _picture(comparison, index, "losses"),
        _picture(comparison, index, "outputs"),
        id=f"run-{index + 1}",
    )


def _name(comparison: Comparison, index: int) -> Markup:
    facts = comparison.runs[index]
    played = (
        f"{facts.story.round:,}" if facts.story.round == facts.rounds else f"{facts.story.round:,} of {facts.rounds:,}"
    )
    status = tag("span", facts.story.status, class_=f"status {facts.story.status}")
    size = f"{count(len(facts.seeds), 'seed')}, {played} rounds"
    return tag(
        "div",
        tag("p", f"{index + 1} of {len(comparison.runs)} ", Markup("&middot; "), status, f", {size}", class_="kicker"),
        tag("h2", comparison.names[index]),
        tag("p", recipe_summary(facts)) if recipe_summary(facts) else None,
    )


def _changes(comparison: Comparison, index: int) -> Markup:
    if index == 0:
        return _part("Starting point", tag("p", "The first run of the comparison.", class_="soft"))
    changes, title = comparison.steps[index], f"Changed from {comparison.names[index - 1]}"
    if not changes:
        return _part(title, tag("p", "Nothing but the seeds or what is logged."))
    listed = tag("ul", [tag("li", change) for change in changes], class_="changes")
    if len(changes) > MAX_OPEN_CHANGES:
        listed = more(count(len(changes), "change"), listed)
    return _part(title, listed)


def _key_values(facts: Facts) -> Markup:
    """The final values of the four curves."""
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
    return seeds if level is None else f"{seeds}; {number(level)} at equilibrium"


def _samples(facts: Facts) -> Markup:
    pictures = [name for name in facts.story.pictures if (facts.run.path / name).is_file()]
    if not pictures:
        return _part("Samples", tag("p", "No picture yet.", class_="soft"))
    with Image.open(facts.run.path / pictures[-1]) as picture:
        few = excerpts(picture, FEW_SEEDS, FEW_EXAMPLES)
        images = list(_one_by_one(facts, few)) if few else [_whole(picture)]
    rest = len(facts.seeds) - len(images)
    title = f"Final samples, {len(images)} of {count(len(facts.seeds), 'seed')}" if few and rest else "Final samples"
    across = f"grid-template-columns: repeat({len(images) if len(images) in (1, 3) else 2}, 1fr)"
    return _part(title, tag("div", images, class_="few", style=across))


def _one_by_one(facts: Facts, pictures: list[Image.Image]) -> Iterator[Markup]:
    for seed, picture in zip(facts.seeds, pictures, strict=False):
        file = io.BytesIO()
        picture.save(file, format="PNG")
        image = tag("img", src=uri(file.getvalue(), "png"), alt=f"Generated samples of seed {seed}", class_="pixels")
        yield tag("figure", image, tag("figcaption", f"seed {seed}"))


def _whole(picture: Image.Image) -> Markup:
    source, (width, height) = shrunk(picture, SMALL_WIDTH)
    return tag("img", src=source, width=width, height=height, alt="Generated samples", class_="whole")


def _picture(comparison: Comparison, index: int, name: str) -> Markup:
    draw, alt = {
        "losses": (multiples.losses, "D's loss and G's loss over the rounds"),
        "outputs": (multiples.outputs, "D(real) and D(fake) over the rounds"),
    }[name]
    facts = comparison.runs[index]
    title = f"Losses ({facts.objective})" if name == "losses" else "D's outputs"
    return _part(title, chart(partial(draw, comparison, facts), f"{alt}, {comparison.names[index]}", small=True)[0])


def _part(title: str, *children: Child) -> Markup:
    return tag("section", tag("h3", title), *children)


def _final_outputs(comparison: Comparison) -> Markup:
    alt = "D(real) and D(fake) at the end of training, for every run and seed."
    caption = "Far apart: D tells real from generated examples. Both on the dashed line: equilibrium."
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
        tag("h2", "Final outputs of D"),
        tag("figure", plate, tag("figcaption", caption)),
        class_="narrow",
    )


def _final_values(comparison: Comparison) -> Markup:
    targets = any(facts.ends is not None for facts in comparison.runs)
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
    for name, facts in zip(comparison.names, comparison.runs, strict=True):
        cells = [name, facts.objective, *(plus_minus(facts.spreads[curve]) for curve in CURVES)]
        cells += [f"{min(s.n for s in facts.spreads.values()):,} of {len(facts.seeds):,}", f"{len(facts.diverged):,}"]
        if targets:
            cells.append(f"{int(facts.ends.near.sum()):,} of {len(facts.seeds):,}" if facts.ends is not None else "–")
        rows.append([*cells, f"{facts.story.round:,}"])
    equilibrium = {f.objective: f.equilibrium["d_loss"] for f in comparison.runs if "d_loss" in f.equilibrium}
    levels = "; ".join(f"{number(level)} for {name}" for name, level in equilibrium.items())
    caption = (
        "Mean ± sample SD over seeds of each seed's mean over the last 5 % of logged rounds. n: seeds with finite "
        "values."
    )
    caption += f" D's loss at equilibrium: {levels}." if levels else ""
    return tag("section", tag("h2", "Final values"), table(columns, rows, caption=caption), class_="wide")


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
    columns = ("run", "classifier", *(name_of(metric).title for metric in names))
    caption = (
        "Mean ± SD over seeds at the last evaluation, and in brackets what real data scores. Values that use different "
        "classifiers are not comparable. Diversity, roughness, similarity to the mean and nearest neighbor are "
        "relative to real data."
    )
    return tag("section", tag("h2", "Sample quality"), table(columns, rows, caption=caption), class_="wide")


def _beside_real(evaluation: Evaluation | None, metric: str) -> str:
    if evaluation is None or metric not in evaluation.metrics:
        return "–"
    real = evaluation.real.get(metric)
    return plus_minus(evaluation.spreads[metric]) + ("" if real is None else f" ({short(real)})")


def _folders(comparison: Comparison) -> Markup:
    rows = [
        [name, str(facts.about.get("id") or "–"), str(facts.about.get("created") or "–")[:10], str(facts.run.path)]
        for name, facts in zip(comparison.names, comparison.runs, strict=True)
    ]
    return more("Folders", table(("run", "recipe id", "started", "folder"), rows, words=3))
