"""What became of the cases, in words and tables: for the terminal and for docs/diagnosis.md."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from sparring import catalogue
from stranger_cases.case import EQUILIBRIUM, KINDS, MEMORIZATION, NOT_SURE, OVERFITTING, UNDERTRAINED
from stranger_cases.cases import cases

RESULTS = Path(__file__).parents[1] / "results" / "strangers.json"
SPOILED = 1.5
"""Samples count as spoiled from this multiple of the distance that a sound run on such data has."""
USUAL = 4.0
"""The distance of a sound run, in multiples of real data's, where none was trained on such data."""

Entry = Mapping[str, Any]


def all_stored(results: Path = RESULTS) -> dict[str, Entry]:
    """The stored results, in the order of the cases."""
    every = json.loads(results.read_text()) if results.exists() else {}
    return {case.name: every[case.name] for case in cases() if case.name in every}


def stored(part: str) -> dict[str, Entry]:
    """The results of one half."""
    return {name: each for name, each in all_stored().items() if each["part"] == part}


def times_real(each: Entry) -> float:
    """How far samples are from held-out data in the median over seeds, in multiples of real data's distance."""
    return median(math.inf if value is None else value for value in each["times_real"])


def counts(each: Entry, every: Mapping[str, Entry]) -> bool:
    """Whether the case counts: a mistake that was meant to spoil the samples did spoil them."""
    if each["state"] != "sick" or each["right"][0] in (OVERFITTING, MEMORIZATION):
        return True
    sound = [times_real(e) for e in every.values() if e["state"] == "sound" and e["drawn"] == each["drawn"]]
    return times_real(each) >= SPOILED * min(sound, default=USUAL)


def mark(each: Entry) -> str:
    """`right`, or in what way it is wrong."""
    verdict = each["verdict"]
    if verdict in each["right"]:
        return "right"
    if each["state"] == "sick" and verdict == EQUILIBRIUM:
        return "CALLED HEALTHY"
    if each["state"] in ("sound", "unfinished") and verdict not in (EQUILIBRIUM, UNDERTRAINED, NOT_SURE):
        return "CALLED SICK"
    return "wrong"


def score_in_words(part: str, results: Path = RESULTS) -> str:
    """How many verdicts are correct, and how often a sick GAN was called healthy or the reverse."""
    known = all_stored(results)
    every = [each for each in known.values() if each["part"] == part]
    counted = [each for each in every if counts(each, known)]
    if not counted:
        return f"The half `{part}` was not run."
    sick = [each for each in counted if each["state"] == "sick"]
    others = [each for each in counted if each["state"] in ("sound", "unfinished")]
    right = sum(mark(each) == "right" for each in counted)
    first = sum(each["verdict"] == each["right"][0] for each in sick)
    healthy, called_sick = (sum(mark(e) == wrong for e in counted) for wrong in ("CALLED HEALTHY", "CALLED SICK"))
    there = sum(case.part == part for case in cases())
    spared = len(every) - len(counted)
    broke = f" {spared} more mistakes broke nothing." if spared else ""
    done = "" if len(every) == there else f" {len(every)} of its {there} cases were run."
    return (
        f"Half `{part}`: {right} of {len(counted)} verdicts are correct ({right / len(counted):.0%}). Of {len(sick)} "
        f"sick GANs, {first} verdicts name exactly what was broken, and {healthy} call the GAN healthy. {called_sick} "
        f"of {len(others)} sound or merely unfinished GANs are called sick.{broke}{done}"
    )


def kinds_in_markdown(part: str) -> str:
    """For each kind of case, how many were named rightly."""
    lines = [
        "| kind | cases | correct | sick, called healthy | sound or unfinished, called sick | `not-sure` |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind in KINDS:
        counted = [each for each in stored(part).values() if each["kind"] == kind and counts(each, all_stored())]
        marks = Counter(mark(each) for each in counted)
        unsure = sum(each["verdict"] == NOT_SURE for each in counted)
        numbers = (len(counted), marks["right"], marks["CALLED HEALTHY"], marks["CALLED SICK"], unsure)
        lines.append(f"| {kind} | {' | '.join(str(number) for number in numbers)} |")
    return "\n".join(lines)


def matrix_in_markdown(part: str) -> str:
    """Confusion matrix: a row for the first correct verdict, a column for each verdict."""
    every = [each for each in stored(part).values() if counts(each, all_stored())]
    known = [*catalogue.entries("rules"), NOT_SURE]
    columns = [name for name in known if any(each["verdict"] == name for each in every)]
    rows = [name for name in known if any(each["right"][0] == name for each in every)]
    lines = [f"| what it is | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for row in rows:
        verdicts = Counter(each["verdict"] for each in every if each["right"][0] == row)
        lines.append(f"| {row} | {' | '.join(str(verdicts[c]) if verdicts[c] else '' for c in columns)} |")
    return "\n".join(lines)


def cases_in_markdown(part: str) -> str:
    """Every case of a half: how far off its samples were, the correct verdicts, and the verdict."""
    lines = [
        "| case | rounds | distance from the data (real: 1) | correct | verdict | also found |",
        "| --- | ---: | ---: | --- | --- | --- |",
    ]
    for name, each in stored(part).items():
        verdict, counted = each["verdict"], counts(each, all_stored())
        shown = f"`{verdict}`" if verdict in each["right"] or not counted else f"**`{verdict}`**"
        also = ", ".join(f"`{rule}`" for rule in each["findings"] if rule != verdict)
        right = " or ".join(f"`{rule}`" for rule in each["right"]) if counted else "(broke nothing)"
        far = times_real(each)
        times = "diverged" if math.isinf(far) else f"{far:.2g}" if far < 1_000 else "> 1,000"
        lines.append(f"| {name} | {each['rounds']:,} | {times} | {right} | {shown} | {also} |")
    return "\n".join(lines)
