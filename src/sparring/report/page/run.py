"""One self-contained page for a run: what the recipe is, what its author saw, and what this run shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from sparring.analysis.facts import TITLES, Facts
from sparring.analysis.wording import count, duration, example, number, plus_minus
from sparring.record import Run
from sparring.record.grid import MAX_MEMBERS
from sparring.record.story import CURVES
from sparring.report.figures import run as figures
from sparring.report.page import findings, measures
from sparring.report.page.document import carried, chart, document, more, table
from sparring.report.page.markup import Markup, join, tag
from sparring.report.terminal import evaluations as looks
from sparring.report.terminal.sentences import sentences

MOST_PICTURES = 12
"""Sample pictures that the page carries, evenly chosen from those of training."""
MOST_AWAY = 40
"""Rows of seeds that ended away from the target; more are counted."""

ABOUT_FIGURES = {
    "ends": "Each line is one seed: the four corners of a pattern are the numbers that its generator gives in the end.",
    "outputs": "Each panel is one seed. A row is one number of G's output for the same latent vector, from the first "
    "round on the left to the last on the right.",
    "curves": "D's loss is averaged over real and generated examples. Dashed: the loss once D cannot tell them apart.",
    "metrics": "What samples were like each time they were looked at, beside what real data scores.",
    "gradients": "How strongly each player is pushed in a step: the norm of its loss's gradient over all its weights.",
    "scores": "How D scores real and generated examples. Where both meet the dashed line, D cannot tell.",
}
ALT = {
    "ends": "Lines of each seed's final output against the target.",
    "outputs": "Heat maps of G's output by round, one panel for each seed.",
    "curves": "D's loss and G's loss over the rounds, for every seed.",
    "metrics": "Figures of the samples over the rounds beside real data's, a panel for each, for every seed.",
    "gradients": "Norms of D's and G's gradients over the rounds, for every seed.",
    "scores": "D's answers to real and to generated examples over the rounds, for every seed.",
}


def write_report(run: Run) -> Path:
    """Write `report.html`, and the figures that it shows beside it. Returns the page's path."""
    facts = Facts.of(run)
    return run.write_text("report.html", page(facts, _draw(facts)))


def page(facts: Facts, pictures: Sequence[Markup]) -> Markup:
    """The whole document."""
    return document(
        f"{facts.name}: {count(len(facts.seeds), 'seed')}",
        _header(facts),
        tag("div", _recipe(facts), _shown(facts), class_="beside"),
        findings.section(facts, facts.diagnosis),
        _samples(facts),
        measures.section(facts.run),
        _numbers(facts),
        _looked(facts),
        _away(facts),
        tag("h2", "Through training"),
        tag("div", *pictures, class_="wide"),
        tag("h2", "Details"),
        _seed_table(facts),
        _made_with(facts),
        _recipe_json(facts),
        written_from=f"{facts.run.path.name}/journal.jsonl",
    )


# The top.


def _header(facts: Facts) -> Markup:
    status = tag("span", facts.story.status, class_=f"status {facts.story.status}")
    return join(
        tag("p", "Sparring, one run ", Markup("&middot; "), status, class_="kicker"),
        tag("h1", facts.name),
        tag("p", what(facts), class_="lead") if what(facts) else None,
        _at_a_glance(facts),
    )


def what(facts: Facts) -> str:
    """The recipe in one line, when the catalogue has it and the run has its data."""
    return facts.card.summary if facts.card and not facts.on_other_data else ""


def _at_a_glance(facts: Facts) -> Markup:
    seeds, played = count(len(facts.seeds), "seed"), facts.story.round
    pace = f"{facts.pace:,.0f} rounds a second" if facts.pace else "no round timed"
    tiles = [
        ("Seeds", f"{len(facts.seeds):,}", "side by side" if len(facts.seeds) > 1 else "an anecdote"),
        ("Rounds", f"{played:,}", "all of them" if played == facts.rounds else f"of {facts.rounds:,}"),
        ("Training time", duration(facts.story.seconds), pace),
        ("Diverged", f"{len(facts.diverged):,}", f"of {seeds}"),
    ]
    return tag(
        "dl",
        [tag("div", tag("dt", name), tag("dd", value, tag("small", beside))) for name, value, beside in tiles],
        class_="facts",
    )


def _recipe(facts: Facts) -> Markup:
    if facts.card is None:
        return tag("section", tag("h2", "The recipe", class_="small"), author(facts))
    rest = "" if facts.on_other_data else facts.card.text.removeprefix(facts.card.summary).strip()
    return tag(
        "section",
        tag("h2", "What its author saw", class_="small"),
        author(facts),
        [tag("p", " ".join(part.split()), class_="soft") for part in rest.split("\n\n") if part],
    )


def author(facts: Facts, changes: bool = True) -> Markup:
    """What the author of a run's recipe saw, where that stands, and if wanted how this run departs from the recipe."""
    if facts.card is None:
        origin = facts.recipe.get("origin") or {}
        return tag("p", f"A recipe of the user's own{', from ' + origin['file'] if origin else ''}.")
    return join(
        tag("p", "This run has other data than the author's, who saw:") if facts.on_other_data else None,
        tag("blockquote", facts.card.facts["verdict"]),
        tag("p", f"From: {facts.card.facts['source']}.", class_="soft"),
        tag(
            "p",
            "Findings to be made: ",
            [(", " if k else "", tag("code", name)) for k, name in enumerate(facts.expects)],
        )
        if facts.expects
        else None,
        tag("p", f"This run changes the recipe: {'; '.join(facts.changes)}.") if changes and facts.changes else None,
    )


def _shown(facts: Facts) -> Markup:
    return tag(
        "section",
        tag("h2", "What this run shows", class_="small"),
        [tag("p", sentence) for sentence in sentences(facts)],
    )


# Pictures.


def _samples(facts: Facts) -> Markup | None:
    held = [name for name in facts.story.pictures if (facts.run.path / name).is_file()]
    if not held:
        return None
    chosen = [held[k] for k in sorted({round(k) for k in np.linspace(0, len(held) - 1, min(MOST_PICTURES, len(held)))})]
    shown = min(len(facts.seeds), MAX_MEMBERS)
    whose = f"seed {facts.seeds[0]}" if shown == 1 else f"{shown} seeds side by side"
    images: list[Markup] = []
    for name in chosen:
        played = f"{_round_of(name):,}"
        source, (width, height) = carried(facts.run.path / name)
        last = name == chosen[-1]
        images.append(
            tag(
                "img",
                src=source,
                width=width,
                height=height,
                alt=f"Generated samples at round {played}, {whose}",
                data_round=played,
                hidden=not last,
            )
        )
    slider = tag(
        "input", type="range", min=0, max=len(images) - 1, value=len(images) - 1, aria_label="Round of training"
    )
    scrub = tag("div", tag("button", "Play", type="button"), slider, tag("output"), class_="scrub", hidden=True)
    less = f"The first {shown} of {len(facts.seeds):,} seeds. " if shown < len(facts.seeds) else ""
    caption = f"{less}Every picture shows what the generators make of the same latent vectors."
    return tag(
        "section",
        tag("h2", "Samples"),
        tag(
            "figure",
            tag("div", images, class_="plate"),
            scrub if len(images) > 1 else None,
            tag("figcaption", caption),
            class_="samples",
        ),
        class_="wide",
    )


def _draw(facts: Facts) -> list[Markup]:
    """Every figure, in light and in dark; the light one is kept in the run's folder too."""
    drawn: list[Markup] = []
    for name, draw in figures.figures(facts).items():
        picture, light = chart(partial(draw, facts), ALT[name])
        figures.save_figure(facts.run, name, light)
        plate = tag("div", picture, class_="plate", tabindex=0, role="group", aria_label=ALT[name])
        drawn.append(tag("figure", plate, tag("figcaption", ABOUT_FIGURES[name]), id=name))
    return drawn


def _round_of(picture: str) -> int:
    return int(Path(picture).stem.rpartition("-")[2])


# Numbers.


def _numbers(facts: Facts) -> Markup:
    if len(facts.seeds) == 1:
        title, columns = f"Numbers of seed {facts.seeds[0]}", ("", "value", "when D cannot tell")
        rows = [[TITLES[name], number(s.mean), _level(facts, name)] for name, s in facts.spreads.items()]
    else:
        title = "Numbers over seeds"
        columns = ("", "mean ± SD", "median", "least", "most", "n", "when D cannot tell")
        rows = [
            [TITLES[name], plus_minus(s), *map(number, (s.median, s.min, s.max)), f"{s.n:,}", _level(facts, name)]
            for name, s in facts.spreads.items()
        ]
    lost = len(facts.seeds) - min(s.n for s in facts.spreads.values())
    missing = f" n falls short of {len(facts.seeds):,} by {lost:,} whose numbers are not finite." if lost else ""
    told = f"Means over the last 5 % of the rounds noted. SD: of the sample.{missing}"
    return tag("section", tag("h2", title), table(columns, rows, main=1, caption=told))


def _looked(facts: Facts) -> Markup | None:
    """What samples were like at the last look."""
    if facts.evaluated is None:
        return None
    columns = ("", "real data", "mean ± SD", "least", "most", "n")
    told = table(columns, looks.rows(facts.evaluated), main=2, caption=looks.taken_with(facts.evaluated))
    return tag("section", tag("h2", "Samples beside real data"), told)


def _away(facts: Facts) -> Markup | None:
    """The seeds that ended away from the target, with what their curves say."""
    if facts.ends is None or facts.ends.near.all():
        return None
    members = np.flatnonzero(~facts.ends.near).tolist()
    rows = [[str(facts.seeds[m]), example(facts.ends.outputs[m]), facts.why(m)] for m in members[:MOST_AWAY]]
    rest = f"{len(members) - MOST_AWAY:,} more are in the table of every seed." if len(members) > MOST_AWAY else None
    return tag(
        "section",
        tag("h2", f"Away from the target: {count(len(members), 'seed')}"),
        table(("seed", "output", "what its curves say"), rows, words=2, caption=rest),
    )


def _seed_table(facts: Facts) -> Markup:
    outputs = facts.outputs[1][-1] if facts.outputs is not None else None
    columns = ["seed", *TITLES.values(), *(["output"] if outputs is not None else []), "diverged at round"]
    odd = set(facts.odd)
    rows: list[list[str]] = []
    for member, seed in enumerate(facts.seeds):
        told = [str(seed), *(number(facts.last[name][member]) for name in CURVES)]
        if outputs is not None:
            told.append(example(outputs[member]))
        rows.append([*told, f"{facts.diverged[seed]:,}" if seed in facts.diverged else ""])
    marked = "Colored: diverged, away from the target, or far outside the other seeds." if odd else None
    return more(f"Every seed ({len(facts.seeds):,})", table(columns, rows, odd=odd, caption=marked))


def _made_with(facts: Facts) -> Markup:
    about = facts.about
    versions = about.get("versions") or {}
    told = {
        "run": str(facts.run.path),
        "recipe id": about.get("id"),
        "begun": about.get("created"),
        "device": about.get("device"),
        "processor": about.get("processor"),
        "cores": about.get("cores"),
        "threads": about.get("threads"),
        "platform": about.get("platform"),
        "Python": about.get("python"),
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()) or None,
        "commit": about.get("commit"),
    }
    pairs = [(tag("dt", k), tag("dd", str(v))) for k, v in told.items() if v is not None]
    return more("What it ran on", tag("dl", pairs, class_="plain"))


def _recipe_json(facts: Facts) -> Markup:
    return more("The recipe, in full", tag("pre", tag("code", json.dumps(facts.recipe, indent=2, ensure_ascii=False))))


def _level(facts: Facts, name: str) -> str:
    return number(facts.equilibrium.get(name))
