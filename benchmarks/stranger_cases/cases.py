"""Every case, in two halves that were fixed before a rule was chosen by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from stranger_cases.case import KINDS, Case
from stranger_cases.extra import extra_cases
from stranger_cases.mistakes import mistakes
from stranger_cases.own_data import folders, short_runs, signals, small_folders, tables


@cache
def cases(extra: Path | None = None) -> tuple[Case, ...]:
    """Every case. Of those of one kind the first, third, fifth, ... are in the part `tune`, the others in `report`.

    Those on a folder that the reader of these lines has, `extra`, come last.
    """
    found = list(_halved([*folders(), *small_folders(), *tables(), *signals(), *mistakes(), *short_runs()]))
    assert len({case.slug for case in found}) == len(found)
    assert {case.kind for case in found} == set(KINDS)
    return (*found, *(extra_cases(extra) if extra else ()))


def _halved(every: list[Case]) -> Iterator[Case]:
    seen: Counter[str] = Counter()
    for case in every:
        yield replace(case, part="report" if seen[case.kind] % 2 else "tune")
        seen[case.kind] += 1
