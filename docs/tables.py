"""Tables of the documentation in Markdown, read off the leaves: recipes, rules, remedies, metrics, judges, ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from textwrap import fill
from typing import Any

from sparring import catalogue, judges
from sparring.analysis.diagnosis import rules
from sparring.analysis.differences import recipe_parts
from sparring.analysis.facts import TITLES
from sparring.game.equilibrium import equilibrium_levels
from sparring.metrics import all_metrics
from sparring.recipe import find_recipe
from sparring.report.metric_names import name_of
from sparring.rules import Levels, Range, Rule
from sparring.rules._stories import story

WIDTH = 120
CURVES = ("d_real", "d_fake", "d_loss", "g_loss")

OF_IMAGES = (
    "blur",
    "checkerboard",
    "wrong-colors",
    "fixed-pattern",
    "outliers",
    "memorization",
    "noise-output",
    "average-image",
    "mode-collapse",
)
"""Rules that say what is to be seen in samples, in the order in which a page tells them."""
NO_FAULT = ("equilibrium", "undertrained")
"""Rules that name no fault."""


def recipes_in_markdown() -> str:
    """Every recipe by lineage: what it is, its source and reference result, and its parts."""
    lines: list[str] = []
    for _, entries in groupby(catalogue.entries("recipes").values(), lambda entry: entry.module):
        lineage = list(entries)
        title, _, rest = catalogue.lineage(lineage[0]).partition("\n")
        lines += [f"## {title.rstrip('.')}", "", *_paragraphs(rest)]
        for entry in lineage:
            lines += _recipe(entry)
    return "\n".join(lines).rstrip()


def rules_in_markdown() -> str:
    """Every rule: what it says, the evidence that it gives, and its remedies in order."""
    lines: list[str] = []
    for name, rule in rules().items():
        text = catalogue.entries("rules")[name].text
        lines += [f"### `{name}`", "", *_paragraphs(text), *_evidence(rule), *_remedies(rule)]
    return "\n".join(lines).rstrip()


def verdicts_in_markdown() -> str:
    """Every verdict in a sentence: those that name no fault first, and mistakes in a loop last, in one row."""
    entries = catalogue.entries("rules")
    bugs = [name for name in entries if name.startswith("bug-")]
    no_fault, faults = (
        [(f"[`{name}`](#{name})", entry.summary) for name, entry in entries.items() if (name in NO_FAULT) == first]
        for first in (True, False)
    )
    unsure = "Nothing was found, or nothing that two thirds of the seeds share; its line says what is missing or mixed."
    mistake = f"One of {len(bugs)} mistakes in a [loop of your own that is watched](your-loop.md): a rule for each."
    ends = " to ".join(f"[`{name}`](#{name})" for name in (bugs[0], bugs[-1]))
    shown = [row for row in faults if not row[0].startswith("[`bug-")]
    return _table(("verdict", "what it says"), [*no_fault, ("`not-sure`", unsure), *shown, (ends, mistake)])


def findings_of_images_in_markdown() -> str:
    """Rules that speak of images, each with what it says of a run that has the fault."""
    some_copies = story({"d_real": 0.55, "d_fake": 0.45}, {"near-copies": 0.2})
    stories = {name: rules()[name].sick() for name in OF_IMAGES} | {"memorization": some_copies}
    found = {name: rules()[name](sick) for name, sick in stories.items()}
    rows = [(f"[`{n}`](diagnosis.md#{n})", finding.claim) for n, finding in found.items() if finding is not None]
    return _table(["rule", "what it says"], rows)


def remedies_in_markdown() -> str:
    """Every remedy: what it changes, and which rules offer it."""
    rows = [
        (f"`{name}`", entry.summary, ", ".join(f"`{rule}`" for rule, leaf in rules().items() if name in leaf.remedies))
        for name, entry in catalogue.entries("remedies").items()
    ]
    return _table(("remedy", "what it changes", "offered by"), rows)


def healthy_curves_in_markdown() -> str:
    """The healthy range of each curve for every objective, and what each curve is at equilibrium."""
    rows: list[list[str]] = []
    for name in catalogue.entries("objectives"):
        equilibrium = equilibrium_levels(catalogue.make("objectives", name, {}))
        levels = Levels.from_curves(equilibrium)
        healthy = [levels.healthy(curve).words() or "any" for curve in CURVES]
        rows.append([f"`{name}`", *healthy, ", ".join(f"{equilibrium[key]:.3g}" for key in CURVES[:1] + CURVES[2:])])
    titles = (TITLES[curve] for curve in CURVES)
    return _table(("objective", *titles, "at equilibrium: D(x), D's loss, G's loss"), rows)


def healthy_metrics_in_markdown() -> str:
    """The healthy range of each sample-quality metric, relative to what real data scores."""
    rows: list[list[str]] = []
    for name, metric in ((name, metric) for name, metric in all_metrics().items() if metric.quick):
        healthy = metric.healthy
        texts = [f"at least {healthy.min_ratio:g} times real data's"] if math.isfinite(healthy.min_ratio) else []
        texts += [f"at most {healthy.max_ratio:g} times real data's"] if math.isfinite(healthy.max_ratio) else []
        if math.isfinite(healthy.max_spread):
            texts.append(f"at most {healthy.max_spread:g} of real data's variance above real data's")
        elif math.isfinite(healthy.max_above):
            texts.append(f"at most {healthy.max_above:g} above real data's")
        if metric.of_rows is not None:
            texts.append(f"of tables and signals at least {metric.of_rows.min_ratio:g} times real data's")
        rows.append([name_of(name).title, name_of(name).unit, ", ".join(texts), healthy.why])
    return _table(("metric", "what it is", "healthy", "because"), rows)


def metrics_in_markdown() -> str:
    """Every metric: which way is better, its range, what it is computed from, what it detects, its source."""
    rows: list[list[str]] = []
    for name in catalogue.entries("metrics"):
        leaf = catalogue.find("metrics", name)
        low, high = (_end(end) for end in leaf.range)
        rows.append([f"`{name}`", leaf.better, f"{low} to {high}", leaf.space, ", ".join(leaf.catches), leaf.source])
    return _table(("metric", "better", "range", "computed from", "detects", "source"), rows)


def judges_in_markdown() -> str:
    """Every judge that comes with the package: its accuracy, its size, and how it was trained."""
    rows: list[list[str]] = []
    for name in judges.names():
        facts, size = judges.judge(name).facts, (judges.HERE / f"{name}.safetensors").stat().st_size
        accuracy = f"{facts['accuracy']:.2%} of {facts['held_out']:,}"
        rows.append([f"`{name}`", accuracy, f"{facts['parameters']:,}", f"{size:,}", _training(facts)])
    columns = ("judge", "accuracy on held-out data", "parameters", "bytes", "trained on")
    return _table(columns, rows, numeric=(1, 2, 3))


def _recipe(entry: catalogue.Entry) -> Iterator[str]:
    yield from (f"### `{entry.name}`", "", *_paragraphs(entry.text))
    items = {"Source": entry.facts["source"], "Reference result": entry.facts["verdict"]}
    if expects := entry.facts.get("expects"):
        items["Expected diagnosis"] = ", ".join(f"`{name}`" for name in expects)
    yield from (fill(f"- **{title}:** {text}", WIDTH, subsequent_indent="  ") for title, text in items.items())
    # Code spans: a user's own brackets and bars must not become links or columns.
    rows = [(name, f"`{text.replace('|', chr(92) + '|')}`") for name, text in _parts(entry.name)]
    yield from ("", _table(("part", "what it is"), rows), "")


def _parts(recipe: str) -> list[tuple[str, str]]:
    return list(recipe_parts(find_recipe(recipe).to_dict()).items())


def _evidence(rule: Rule) -> Iterator[str]:
    finding = rule(rule.sick())
    assert finding is not None
    rows = [(each.name, each.range) for each in finding.evidence if _has_end(each.healthy)]
    yield from (_table(("evidence", "healthy, for digits with cross-entropy"), rows), "")


def _remedies(rule: Rule) -> Iterator[str]:
    if rule.remedies:
        names = ", ".join(f"`{name}`" for name in rule.remedies)
        yield from (fill(f"Remedies, the first that fits the recipe: {names}.", WIDTH, break_on_hyphens=False), "")


def _has_end(healthy: Range) -> bool:
    return math.isfinite(healthy.low) or math.isfinite(healthy.high)


def _training(facts: Mapping[str, Any]) -> str:
    lesson = facts["lesson"]
    moved = f"shifts of up to {lesson['shift']} px"
    if facts.get("architecture") == "residual":
        moved = "turned, scaled and shifted, labels smoothed"
    texts = [f"{facts['trained_on']:,} images", f"{lesson['epochs']} epochs", moved]
    if lesson["mirrored"]:
        texts.append("half of them mirrored")
    if lesson["dropout"]:
        texts.append(f"dropout {lesson['dropout']:g}")
    return ", ".join(texts)


def _end(value: float) -> str:
    return f"{value:g}" if math.isfinite(value) else ("−∞" if value < 0 else "∞")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[int] = ()) -> str:
    rules_ = ["---:" if index in numeric else "---" for index in range(len(columns))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (columns, rules_, *rows))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        if paragraph:
            yield from (fill(" ".join(paragraph.split()), WIDTH, break_on_hyphens=False), "")
