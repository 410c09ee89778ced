"""What became of the cases, in words and tables: for the terminal and for docs/diagnosis-measured.md."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from sparring import catalogue
from stranger_cases.case import EQUILIBRIUM, KINDS, NOT_SURE, UNDERTRAINED, WRITTEN_LAST
from stranger_cases.cases import cases
from stranger_cases.corrections import FRESH, USUAL, Entry, expected, is_hidden, times_real

RESULTS = Path(__file__).parents[1] / "results" / "strangers.json"
SPOILED = 1.5
"""Samples count as spoiled from this multiple of the distance that a sound run on such data has."""
PARTS = ("tune", "report", "seen", "fresh", *WRITTEN_LAST)
"""The halves, what of both rules may have been changed by, and what not, and the cases that were written last."""


def all_stored(results: Path = RESULTS) -> dict[str, Entry]:
    """The stored results, in the order of the cases."""
    every = json.loads(results.read_text()) if results.exists() else {}
    return {case.name: every[case.name] for case in cases() if case.name in every}


def stored(part: str, results: Path = RESULTS) -> dict[str, Entry]:
    """The results of one of the `PARTS`."""
    return {name: each for name, each in all_stored(results).items() if is_in(part, name, each["part"])}


def is_in(part: str, name: str, half: str) -> bool:
    """Whether a case of this name and half belongs to one of the `PARTS`."""
    if part in ("seen", "fresh"):
        return half not in WRITTEN_LAST and (name in FRESH) == (part == "fresh")
    return half == part


def counts(each: Entry, every: Mapping[str, Entry], corrected: bool = True) -> bool:
    """Whether the case counts: a mistake that was meant to spoil the samples did spoil them.

    Of the new cases a sound recipe that did not come to a good end is left out, as was settled beforehand.
    """
    if each["part"] in WRITTEN_LAST and each["state"] == "sound":
        return times_real(each) <= USUAL
    if each["state"] != "sick" or is_hidden(each, corrected):
        return True
    sound = [e for e in every.values() if expected(e, corrected).state == "sound" and e["drawn"] == each["drawn"]]
    return times_real(each) >= SPOILED * min(map(times_real, sound), default=USUAL)


def mark(each: Entry, corrected: bool = True) -> str:
    """`right`, or in what way it is wrong."""
    verdict, correct = each["verdict"], expected(each, corrected)
    if verdict in correct.right:
        return "right"
    if correct.state in ("sick", "failed") and verdict == EQUILIBRIUM:
        return "CALLED HEALTHY"
    if correct.state in ("sound", "unfinished") and verdict not in (EQUILIBRIUM, UNDERTRAINED, NOT_SURE):
        return "CALLED SICK"
    return "wrong"


def score(part: str, results: Path = RESULTS, corrected: bool = True) -> tuple[int, int, int, int]:
    """Correct verdicts, verdicts, sick GANs called healthy, sound or unfinished ones called sick."""
    known = all_stored(results)
    counted = [each for each in stored(part, results).values() if counts(each, known, corrected)]
    marks = Counter(mark(each, corrected) for each in counted)
    return marks["right"], len(counted), marks["CALLED HEALTHY"], marks["CALLED SICK"]


def score_in_words(part: str, results: Path = RESULTS, corrected: bool = True) -> str:
    """How many verdicts are correct, and how often a sick GAN was called healthy or the reverse."""
    known = all_stored(results)
    every = list(stored(part, results).values())
    counted = [each for each in every if counts(each, known, corrected)]
    if not counted:
        return f"Of the cases `{part}` none was run."
    sick = [each for each in counted if each["state"] == "sick"]
    others = [each for each in counted if expected(each, corrected).state in ("sound", "unfinished")]
    first = sum(each["verdict"] == each["right"][0] for each in sick)
    there = sum(is_in(part, case.name, case.part) for case in cases())
    spared = len(every) - len(counted)
    why = "broke nothing, or came to no good end" if part in WRITTEN_LAST else "mistakes broke nothing"
    broke = f" {spared} more {why}." if spared else ""
    done = "" if len(every) == there else f" {len(every)} of the {there} cases were run."
    right, _, called_healthy, called_sick = score(part, results, corrected)
    return (
        f"Cases `{part}`: {right} of {len(counted)} verdicts are correct ({right / len(counted):.0%}). Of {len(sick)} "
        f"sick GANs, {first} verdicts name exactly what was broken; {called_healthy} GANs are wrongly called "
        f"healthy. {called_sick} of {len(others)} sound or merely unfinished GANs are called "
        f"sick.{broke}{done}"
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
    rows = [name for name in known if any(expected(each).right[0] == name for each in every)]
    lines = [f"| what it is | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for row in rows:
        verdicts = Counter(each["verdict"] for each in every if expected(each).right[0] == row)
        lines.append(f"| {row} | {' | '.join(str(verdicts[c]) if verdicts[c] else '' for c in columns)} |")
    return "\n".join(lines)


def cases_in_markdown(part: str) -> str:
    """Every case of a half: how far off its samples were, the correct verdicts, and the verdict."""
    lines = [
        "| case | rounds | distance from the data (real: 1) | correct | verdict | also found |",
        "| --- | ---: | ---: | --- | --- | --- |",
    ]
    for name, each in stored(part).items():
        verdict, correct, counted = each["verdict"], expected(each), counts(each, all_stored())
        shown = f"`{verdict}`" if verdict in correct.right or not counted else f"**`{verdict}`**"
        also = ", ".join(f"`{rule}`" for rule in each["findings"] if rule != verdict)
        right = " or ".join(f"`{rule}`" for rule in correct.right) if counted else "(broke nothing)"
        right += " (corrected)" if counted and set(correct.right) != set(each["right"]) else ""
        far = times_real(each)
        times = "diverged" if math.isinf(far) else f"{far:.2g}" if far < 1_000 else "> 1,000"
        lines.append(f"| {name} | {each['rounds']:,} | {times} | {right} | {shown} | {also} |")
    return "\n".join(lines)
