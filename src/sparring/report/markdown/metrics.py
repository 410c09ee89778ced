"""Metrics and judges as Markdown, read off the leaves and the files themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sparring import catalogue, judges


def metrics_in_markdown() -> str:
    """Every metric in one table: which way is better, its range, what it looks through, what it catches, its source."""
    lines = ["| metric | better | range | through | sure to show | source |", "| --- | --- | --- | --- | --- | --- |"]
    for name in catalogue.entries("metrics"):
        leaf = catalogue.find("metrics", name)
        low, high = (_end(end) for end in leaf.range)
        faults = ", ".join(leaf.catches)
        lines.append(f"| `{name}` | {leaf.better} | {low} to {high} | {leaf.through} | {faults} | {leaf.source} |")
    return "\n".join(lines)


def judges_in_markdown() -> str:
    """Every judge that comes with the package: how many it gets right, how large it is, how it was trained."""
    lines = [
        "| judge | right on held-out data | parameters | bytes | trained on |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for name in judges.names():
        facts, size = judges.judge(name).facts, (judges.HERE / f"{name}.safetensors").stat().st_size
        right = f"{facts['accuracy']:.2%} of {facts['held_out']:,}"
        lines.append(f"| `{name}` | {right} | {facts['parameters']:,} | {size:,} | {_lesson(facts)} |")
    return "\n".join(lines)


def _lesson(facts: Mapping[str, Any]) -> str:
    lesson = facts["lesson"]
    told = [f"{facts['trained_on']:,} images", f"{lesson['epochs']} epochs", f"shifts of up to {lesson['shift']} px"]
    if lesson["mirrored"]:
        told.append("half of them mirrored")
    if lesson["dropout"]:
        told.append(f"dropout {lesson['dropout']:g}")
    return ", ".join(told)


def _end(value: float) -> str:
    return f"{value:g}" if math.isfinite(value) else ("−∞" if value < 0 else "∞")
