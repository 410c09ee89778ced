"""One self-contained page for a run: the recipe and its reference result, and what this run shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from os import PathLike
from pathlib import Path

import numpy as np

from sparring.analysis.facts import TITLES, Facts
from sparring.analysis.wording import count, duration, example, number, plus_minus
from sparring.languages import Name, Text
from sparring.record import RunFolder
from sparring.record.grid import MAX_MEMBERS
from sparring.record.story import CURVES
from sparring.report.figures import run as figures
from sparring.report.metric_names import evaluation_caption, evaluation_rows
from sparring.report.page import findings, measurement
from sparring.report.page.document import chart, document, embedded, more, table
from sparring.report.page.markup import Markup, join, tag
from sparring.report.sentences import sentences

MAX_PICTURES = 12
"""Sample pictures on the page, evenly spaced over training."""
MAX_AWAY = 40
"""Seeds that ended away from the target and have a row of their own; further ones are counted."""

CAPTIONS = {
    "ends": Text("Each line is one seed and joins the numbers of one generated example at the end of training."),
    "outputs": Text(
        "Each panel is one seed. Each row is one number of G's output for a fixed latent vector, from the first "
        "round on the left to the last on the right."
    ),
    "curves": Text(
        "D's loss is the mean over real and generated examples. Dashed: the loss at equilibrium, when D cannot "
        "tell them apart."
    ),
    "metrics": Text(
        "The metrics of each evaluation of samples during training. Dashed: what held-out real data scores."
    ),
    "gradients": Text("The L2 norm of the gradient of each player's loss with respect to all its weights."),
    "scores": Text(
        "D's mean output for real and for generated examples. Dashed: equilibrium, when D cannot tell them apart."
    ),
}
ALT = {
    "ends": Text("Final output of every seed, and the target."),
    "outputs": Text("Heat maps of G's output over the rounds, one panel for each seed."),
    "curves": Text("D's loss and G's loss over the rounds, for every seed."),
    "metrics": Text(
        "Sample-quality metrics over the rounds for every seed beside real data's, one panel for each metric."
    ),
    "gradients": Text("Norms of D's and G's gradients over the rounds, for every seed."),
    "scores": Text("D(real) and D(fake) over the rounds, for every seed."),
}


def write_report(run: RunFolder | str | PathLike[str]) -> Path:
    """Write a run's `report.html`, and its figures into `figures/`.

    Args:
        run: The run.

    Returns:
        The page's path.

    Raises:
        SparringError: The run's folder is damaged.
    """
    run = run if isinstance(run, RunFolder) else RunFolder.open(run)
    facts = Facts.of(run)
    return run.write_text("report.html", page(facts, _draw(facts)))


def page(facts: Facts, pictures: Sequence[Markup]) -> Markup:
    """The whole document."""
    return document(
        Text("{label}: {text}", label=facts.name, text=count(len(facts.seeds), "seed")),
        _header(facts),
        _samples(facts),
        findings.section(facts, facts.diagnosis),
        tag("div", _results(facts), _recipe(facts), class_="beside"),
        measurement.section(facts.run),
        _final_values(facts),
        _evaluation(facts),
        _away(facts),
        tag("h2", Text("Training curves")),
        tag("div", *pictures, class_="wide"),
        tag("h2", Text("Details")),
        _seed_table(facts),
        _made_with(facts),
        _recipe_json(facts),
        written_from=f"{facts.run.path.name}/journal.jsonl",
    )


def _header(facts: Facts) -> Markup:
    status = tag("span", Text(facts.story.status), class_=f"status {facts.story.status}")
    return join(
        tag("p", Text("Sparring, one run "), Markup("&middot; "), status, class_="kicker"),
        tag("h1", facts.name),
        tag("p", recipe_summary(facts), class_="lead") if recipe_summary(facts) else None,
        findings.verdict(facts.diagnosis),
        _at_a_glance(facts),
    )


def recipe_summary(facts: Facts) -> str:
    """The recipe in one line; empty for a recipe or data of the user's own."""
    return Text(facts.entry.summary) if facts.entry and not facts.on_other_data else ""


def _at_a_glance(facts: Facts) -> Markup:
    seeds, played = count(len(facts.seeds), "seed"), facts.story.round
    speed = facts.rounds_per_second
    pace = Text("{count} rounds per second", count=f"{speed:,.0f}") if speed else Text("no round timed yet")
    tiles = [
        (
            Text("Seeds"),
            f"{len(facts.seeds):,}",
            Text("trained side by side" if len(facts.seeds) > 1 else "train several to see the spread"),
        ),
        (
            Text("Rounds"),
            f"{played:,}",
            Text("completed") if played == facts.rounds else Text("of {total}", total=f"{facts.rounds:,}"),
        ),
        (Text("Training time"), duration(facts.story.seconds), pace),
        (Text("Diverged"), f"{len(facts.diverged):,}", Text("of {total}", total=seeds)),
    ]
    return tag(
        "dl",
        [tag("div", tag("dt", name), tag("dd", value, tag("small", beside))) for name, value, beside in tiles],
        class_="facts",
    )


def _recipe(facts: Facts) -> Markup:
    if facts.entry is None:
        return tag("section", tag("h2", Text("Recipe"), class_="small"), reference_result(facts))
    rest = "" if facts.on_other_data else facts.entry.text.removeprefix(facts.entry.summary).strip()
    return tag(
        "section",
        tag("h2", Text("Reference result"), class_="small"),
        reference_result(facts),
        paragraphs(rest),
    )


def paragraphs(text: str) -> list[Markup]:
    """Of what a recipe's documentation says."""
    return [tag("p", Text(" ".join(part.split())), class_="soft") for part in text.split("\n\n") if part]


def reference_result(facts: Facts, changes: bool = True) -> Markup:
    """What the recipe's author reported, the source, and with `changes` how this run differs from the recipe."""
    if facts.departure:
        return tag(
            "p",
            Text("Changed while it trained, so that it is no run of its recipe any more: {why}.", why=facts.departure),
        )
    if facts.entry is None:
        origin = facts.recipe.get("origin") or {}
        place = Text(", from {file}", file=origin["file"]) if origin else ""
        return tag("p", Text("A recipe of your own{place}: there is no reference result.", place=place))
    return join(
        tag("p", Text("Reported on other data than this run's:")) if facts.on_other_data else None,
        tag("blockquote", Text(facts.entry.facts["verdict"])),
        tag("p", Text("Source: {source}.", source=Text(facts.entry.facts["source"])), class_="soft"),
        tag(
            "p",
            Text("Expected diagnosis: "),
            [(Text(", ") if k else "", tag("code", Name(name))) for k, name in enumerate(facts.expects)],
        )
        if facts.expects
        else None,
        tag("p", Text("This run changes the recipe: {changes}.", changes=Text.joined(facts.changes, "; ")))
        if changes and facts.changes
        else None,
    )


def _results(facts: Facts) -> Markup:
    return tag(
        "section",
        tag("h2", Text("What this run shows"), class_="small"),
        [tag("p", sentence) for sentence in (*facts.history, *sentences(facts))],
    )


def _samples(facts: Facts) -> Markup | None:
    pictures = [name for name in facts.story.pictures if (facts.run.path / name).is_file()]
    if not pictures:
        return None
    spaced = np.linspace(0, len(pictures) - 1, min(MAX_PICTURES, len(pictures)))
    images = _images(facts, [pictures[k] for k in sorted({round(k) for k in spaced})])
    slider = tag(
        "input", type="range", min=0, max=len(images) - 1, value=len(images) - 1, aria_label=Text("Round of training")
    )
    scrub = tag(
        "div",
        tag("button", Text("Play"), type="button"),
        slider,
        tag("output"),
        class_="scrub",
        hidden=True,
        data_at=Text("round {round}"),
        data_play=Text("Play"),
        data_pause=Text("Pause"),
    )
    seeds = len(facts.seeds)
    shown = Text("The first {some} of {total} seeds. ", some=MAX_MEMBERS, total=f"{seeds:,}")
    caption = (shown if seeds > MAX_MEMBERS else "", Text("Every picture shows samples for the same latent vectors."))
    return tag(
        "section",
        tag("h2", Text("Samples")),
        tag(
            "figure",
            tag("div", images, class_="plate"),
            scrub if len(images) > 1 else None,
            tag("figcaption", caption),
            class_="samples",
        ),
        class_="wide",
    )


def _images(facts: Facts, names: Sequence[str]) -> list[Markup]:
    """The sample pictures, of which only the last is visible at first."""
    members = min(len(facts.seeds), MAX_MEMBERS)
    whose = (
        Text("seed {seed}", seed=facts.seeds[0]) if members == 1 else Text("{count} seeds side by side", count=members)
    )
    images: list[Markup] = []
    for name in names:
        played = f"{_round_of(name):,}"
        source, (width, height) = embedded(facts.run.path / name)
        images.append(
            tag(
                "img",
                src=source,
                width=width,
                height=height,
                alt=Text("Generated samples at round {round}, {whose}", round=played, whose=whose),
                data_round=played,
                hidden=name != names[-1],
            )
        )
    return images


def _draw(facts: Facts) -> list[Markup]:
    """Every figure in light and in dark; the light one is also saved in the run's folder."""
    drawn: list[Markup] = []
    for name, draw in figures.figures(facts).items():
        picture, light = chart(partial(draw, facts), ALT[name])
        figures.save_figure(facts.run, name, light)
        plate = tag("div", picture, class_="plate", tabindex=0, role="group", aria_label=ALT[name])
        drawn.append(tag("figure", plate, tag("figcaption", CAPTIONS[name]), id=name))
    return drawn


def _round_of(picture: str) -> int:
    return int(Path(picture).stem.rpartition("-")[2])


def _final_values(facts: Facts) -> Markup:
    if len(facts.seeds) == 1:
        title = Text("Final values of seed {seed}", seed=facts.seeds[0])
        columns = Text.each("", "value", "at equilibrium")
        rows = [[Text(TITLES[name]), number(s.mean), _level(facts, name)] for name, s in facts.spreads.items()]
    else:
        title = Text("Final values over seeds")
        columns = Text.each("", "mean ± SD", "median", "min", "max", "n", "at equilibrium")
        rows = [
            [Text(TITLES[name]), plus_minus(s), *map(number, (s.median, s.min, s.max)), f"{s.n:,}", _level(facts, name)]
            for name, s in facts.spreads.items()
        ]
    lost = len(facts.seeds) - min(s.n for s in facts.spreads.values())
    missing = Text(" n leaves out {seeds} without finite values.", seeds=count(lost, "seed")) if lost else ""
    caption = Text(
        "Each seed's value is its mean over the last 5 % of logged rounds. SD: sample standard deviation.{missing}",
        missing=missing,
    )
    return tag("section", tag("h2", title), table(columns, rows, main=1, caption=caption))


def _evaluation(facts: Facts) -> Markup | None:
    """The metrics of the last evaluation."""
    if facts.evaluation is None:
        return None
    rows, caption = evaluation_rows(facts.evaluation), evaluation_caption(facts.evaluation)
    columns = Text.each("", "real data", "mean ± SD", "min", "max", "n")
    if len(facts.seeds) == 1:
        columns, rows = Text.each("", "real data", "value"), [row[:3] for row in rows]
    return tag("section", tag("h2", Text("Sample quality")), table(columns, rows, main=2, caption=caption))


def _away(facts: Facts) -> Markup | None:
    """The seeds that ended away from the target, with what their curves show."""
    if facts.ends is None or facts.ends.near.all():
        return None
    members = np.flatnonzero(~facts.ends.near).tolist()
    rows = [[str(facts.seeds[m]), example(facts.ends.outputs[m]), facts.why(m)] for m in members[:MAX_AWAY]]
    more_of_them = Text("{count} more are in the table of all seeds.", count=f"{len(members) - MAX_AWAY:,}")
    rest = more_of_them if len(members) > MAX_AWAY else None
    return tag(
        "section",
        tag("h2", Text("Off target: {seeds}", seeds=count(len(members), "seed"))),
        table(Text.each("seed", "output", "what its curves show"), rows, words=2, caption=rest),
    )


def _seed_table(facts: Facts) -> Markup:
    outputs = facts.outputs[1][-1] if facts.outputs is not None else None
    columns = [Text("seed"), *map(Text, TITLES.values()), *([Text("output")] if outputs is not None else [])]
    columns.append(Text("diverged at round"))
    outliers = set(facts.outliers)
    rows: list[list[str]] = []
    for member, seed in enumerate(facts.seeds):
        cells = [str(seed), *(number(facts.last[name][member]) for name in CURVES)]
        if outputs is not None:
            cells.append(example(outputs[member]))
        rows.append([*cells, f"{facts.diverged[seed]:,}" if seed in facts.diverged else ""])
    caption = Text("Colored: outliers, which diverged, ended away from the target, or lie far from the other seeds.")
    seeds = table(columns, rows, colored=outliers, caption=caption if outliers else None)
    return more(Text("All seeds ({count})", count=f"{len(facts.seeds):,}"), seeds)


def _made_with(facts: Facts) -> Markup:
    about = facts.about
    versions = about.get("versions") or {}
    items = {
        Text("run"): str(facts.run.path),
        Text("recipe id"): about.get("id"),
        Text("started"): about.get("created"),
        Text("device"): about.get("device"),
        Text("processor"): about.get("processor"),
        Text("cores"): about.get("cores"),
        Text("threads"): about.get("threads"),
        Text("platform"): about.get("platform"),
        "Python": about.get("python"),
        Text("versions"): ", ".join(f"{name} {number}" for name, number in versions.items()) or None,
        Text("commit"): about.get("commit"),
    }
    pairs = [(tag("dt", k), tag("dd", str(v))) for k, v in items.items() if v is not None]
    return more(Text("Hardware and software"), tag("dl", pairs, class_="plain"))


def _recipe_json(facts: Facts) -> Markup:
    return more(
        Text("Full recipe (JSON)"), tag("pre", tag("code", json.dumps(facts.recipe, indent=2, ensure_ascii=False)))
    )


def _level(facts: Facts, name: str) -> str:
    return number(facts.equilibrium.get(name))
