"""Every case: two halves that were fixed before a rule was chosen by them, and those that were written last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from stranger_cases.case import KINDS, Case
from stranger_cases.extra import extra_cases
from stranger_cases.mistakes import mistakes
from stranger_cases.new_more import new_more
from stranger_cases.new_pictures import new_pictures
from stranger_cases.new_rows import new_rows
from stranger_cases.own_data import folders, short_runs, signals, small_folders, tables


@cache
def cases(extra: Path | None = None) -> tuple[Case, ...]:
    """Every case. Of those of one kind the first, third, fifth, ... are in the part `tune`, the others in `report`.

    Those of the parts `new` and `new2` follow, and those on a folder that the reader of these lines has, `extra`, come
    last.
    """
    halves = _halved([*folders(), *small_folders(), *tables(), *signals(), *mistakes(), *short_runs()])
    found = [*halves, *new_pictures(), *new_rows(), *new_more()]
    assert len({case.slug for case in found}) == len(found)
    assert {case.kind for case in found} == set(KINDS)
    return (*found, *(extra_cases(extra) if extra else ()))


def _halved(every: list[Case]) -> Iterator[Case]:
    seen: Counter[str] = Counter()
    for case in every:
        yield replace(case, part="report" if seen[case.kind] % 2 else "tune")
        seen[case.kind] += 1
