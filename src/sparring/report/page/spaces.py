"""One self-contained page that shows whether the seeds of a run learned the same latent space."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sparring.analysis.latent_tools.directions.effects import unique_names
from sparring.analysis.stats import Spread
from sparring.analysis.wording import count, plus_minus
from sparring.analysis.written import measured, read
from sparring.languages import Text
from sparring.record import write_atomically
from sparring.report.figures import spaces as figures
from sparring.report.page.document import chart, document, more, table
from sparring.report.page.markup import Markup, join, tag

if TYPE_CHECKING:
    from sparring.analysis.latent_tools.spaces import Spaces


def write_spaces(found: Spaces, out: Path) -> Path:
    """Write the page; it is replaced in one step. Returns `out`."""
    text = spaces_page(found)
    return write_atomically(out, lambda path: path.write_text(text, encoding="utf-8"))


def spaces_page(found: Spaces) -> Markup:
    """The whole document."""
    name, seeds = found.recipe.name or "run", count(len(found.recipe.seeds), "seed")
    return document(
        Text("{name}: latent spaces of {seeds}", name=name, seeds=seeds),
        _header(found, name, seeds),
        _images(found),
        _pairs(found),
        _directions(found),
        tag("h2", Text("Details")),
        more(Text("Every image and seed"), _errors(found)),
        more(Text("How this is measured"), *(tag("p", text) for text in METHOD)),
        written_from=Text("{seeds} of one run", seeds=seeds),
    )


METHOD = Text.each(
    "Latent vectors of two seeds cannot be compared number by number: which number does what is decided by the weights "
    "that a seed begins with. So seeds are compared by what they make of their latent vectors.",
    "Same images: samples of each seed are projected into every seed, that is, the latent vector is searched whose "
    "example is nearest. The share is 100 % where another seed finds them as well as the seed that made them, and 0 % "
    "where the search gains nothing over a random sample.",
    "Same arrangement: the distances between the latent vectors of the same images, in two seeds, are correlated; a "
    "turned or mirrored space has the same distances. The search itself is not exact, so the correlation is given as a "
    "share of that of two searches in one seed.",
    "Same directions: the most sensitive directions of two seeds (eigenvectors of mean JᵀJ) are paired by the map of "
    "what they change. A direction is found again where the cosine of both maps is above what 95 % of random "
    "directions reach.",
    "Intervals are 95 % intervals over seeds, by leaving out one after the other.",
)


def _header(found: Spaces, name: str, seeds: str) -> Markup:
    within = np.diag(found.arranged).mean()
    between = found.arranged[~np.eye(len(found.arranged), dtype=bool)].mean()
    top = len(found.effects[0])
    facts = [
        (Text("Same images"), found.same_images, Text("as well as a seed finds its own")),
        (
            Text("Same arrangement"),
            found.same_arrangement,
            Text(
                "r = {across} across seeds, {within} within one, {shuffled} for shuffled images",
                across=f"{between:.2f}",
                within=f"{within:.2f}",
                shuffled=f"{found.shuffled:.2f}",
            ),
        ),
        (
            Text("Same directions"),
            found.same_directions,
            Text("of the {top} strongest are found in another seed", top=top),
        ),
    ]
    cells = [
        tag("div", tag("dt", title), tag("dd", shared.words, tag("small", words))) for title, shared, words in facts
    ]
    return join(
        tag("p", Text("Sparring, {seeds} of {name}", seeds=seeds, name=name), class_="kicker"),
        tag("h1", Text("Did the seeds learn the same space?")),
        tag("p", read(found.says), class_="lead"),
        tag("dl", cells, class_="facts"),
    )


def _figure(title: str, picture: Markup, caption: str) -> Markup:
    plate = tag("div", picture, class_="plate", tabindex=0, role="group", aria_label=title)
    return tag("section", tag("h2", title), tag("figure", plate, tag("figcaption", caption)), class_="wide")


def _images(found: Spaces) -> Markup:
    caption = Text(
        "Images of {origin}, and the nearest example that each seed makes. Below each: the root-mean-square "
        "difference, in data units.",
        origin=measured(found.origin),
    )
    alt = Text("Each image beside the nearest example of every seed")
    picture, _ = chart(partial(figures.nearest, found), alt, small=True)
    return _figure(Text("The same image in every seed"), picture, caption)


def _pairs(found: Spaces) -> Markup:
    caption = Text(
        "Left: {samples} of each seed projected into every seed; 100 % is the difference between a sample of one and "
        "one of the other. On the diagonal a seed finds its own. Right: correlation of the distances between the "
        "latent vectors of the same images; on the diagonal of two searches in one seed.",
        samples=count(found.samples, "sample"),
    )
    picture, _ = chart(partial(figures.pairs, found), Text("Two matrices, seed by seed: errors, and correlations"))
    return _figure(Text("Each two seeds"), picture, caption)


def _directions(found: Spaces) -> Markup:
    caption = Text(
        "What the strongest directions of seed {seed} change, and the direction of every other seed that does most "
        "nearly the same: red becomes brighter, blue darker. Below each: the cosine of both maps, in bold where random "
        "directions do not reach it.",
        seed=found.recipe.seeds[0],
    )
    alt = Text("Maps of what each direction of the first seed changes, beside its match in the others")
    picture, _ = chart(partial(figures.matching, found, names(found, 0)), alt, small=True)
    rows = [_direction(found, k) for k in range(len(found.effects[0]))]
    columns = Text.each("direction", "change", "found in", "alike", "random", "what it moves")
    beside = table(columns, rows, words=5)
    return join(_figure(Text("Directions, matched"), picture, caption), tag("section", beside))


def names(found: Spaces, member: int) -> list[str]:
    """What each direction of a member moves."""
    mine = found.effects[member]
    pairs = zip(unique_names(mine), mine, strict=True)
    return [" – ".join(name) if name else each.words for name, each in pairs]


def _direction(found: Spaces, k: int) -> list[str]:
    effect, stable = found.effects[0][k], found.stability[0][k]
    return [
        str(k + 1),
        "–" if np.isnan(effect.share) else f"{effect.share:.0%}".replace("%", " %"),
        Text("{count} of {total}", count=stable.found, total=stable.of),
        plus_minus(stable.likeness),
        f"{stable.baseline:.2f}",
        read(names(found, 0)[k]),
    ]


def _errors(found: Spaces) -> Markup:
    rows = [
        [name, *(f"{value:.3f}" for value in found.error[:, k]), plus_minus(Spread.of(found.error[:, k]))]
        for k, name in enumerate(found.names)
    ]
    seeds = [Text("seed {seed}", seed=seed) for seed in found.recipe.seeds]
    return table([Text("image"), *seeds, Text("mean ± SD")], rows)
