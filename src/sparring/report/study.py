"""A study's answer as text, for the terminal and the page: rows of cells, times to a target, seeds needed."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.analysis.stats import Spread
from sparring.analysis.wording import count, number, plus_minus, short
from sparring.study.answer import Answer, Needed
from sparring.study.cells import CellSummary
from sparring.study.outcome import quantity_of
from sparring.study.survival import Reaching
from sparring.study.wording import amount, brief_labels, p_text, time_text

MAX_SENTENCES = 12
"""Effects that have a sentence where there is little room; tables have all."""


@dataclass(frozen=True)
class CellRow:
    """One cell as text."""

    label: str
    mean: str
    reached: str | None
    """How many reached the target; None where the outcome is no time to one."""
    iqm: str
    interval: str
    n: str
    collapsed: str
    diverged: str
    finding: str
    """The finding that is the first of most seeds, with its share."""


def cell_rows(answer: Answer) -> list[CellRow]:
    """Every cell, in the order of the study."""
    labels = brief_labels(answer.results)
    return [_cell(answer, each, labels[each.cell.id]) for each in answer.cells]


def needed_sentences(answer: Answer) -> list[str]:
    """How many seeds a stated difference needs; else which difference the study could see."""
    found = answer.needed
    if found is None or not found.sd:
        return []
    what, seeds = answer.scores.title, count(found.n, "seed")
    sees = (
        f"With {seeds} a true difference of {short(float(f'{found.sees:.2g}'))} in {what} is found in 80 % of such "
        "studies, after correction, and a smaller one in fewer."
    )
    if found.difference is None:
        return [sees]
    return [sees, *_for_difference(found, what)]


def survival_sentence(answer: Answer) -> str | None:
    """How soon cells reach the target, in one sentence."""
    found = answer.survival
    if found is None:
        return None
    title = quantity_of(found.quantity).title
    goal = f"{title} {short(float(f'{found.target:.3g}'))}" + ("" if found.why == "given" else f" ({found.why})")
    labels = brief_labels(answer.results)
    soonest = min(found.cells, key=lambda each: each.restricted_mean)
    if not soonest.reached:
        return f"Time to {goal}: no seed of any cell reached it within {time_text(found.horizon, found.clock)}."
    alike = [each for each in found.cells if each.restricted_mean == soonest.restricted_mean]
    test = "" if found.p_holm is None else f"; log-rank p {_equal(found.p_holm)} over all cells"
    median = "" if soonest.median is None else f", half of them by {_time(soonest.median, found.clock)}"
    reached = f"{soonest.reached:,} of {count(soonest.n, 'seed')} reached it"
    if len(alike) > 1:
        which = "all cells" if len(alike) == len(found.cells) else " and ".join(labels[each.cell] for each in alike)
        on_average = time_text(soonest.restricted_mean, found.clock)
        return f"Time to {goal}: {which} take as long on average, {on_average}{test}."
    return f"Time to {goal}: soonest with {labels[soonest.cell]}, where {reached}{median}{test}."


def survival_rows(answer: Answer) -> list[list[str]]:
    """For each cell: label, how many reached the target, median with its interval, mean within the horizon, and how
    much that differs from the reference's."""
    if answer.survival is None:
        return []
    labels = brief_labels(answer.results)
    return [[labels[each.cell], *_reaching(each)] for each in answer.survival.cells]


def _reached(each: CellSummary) -> str:
    """How many of the seeds of which it is known; of a cell that was not trained to the end it says nothing."""
    return "–" if each.cell.stopped is not None else f"{each.reached:,} of {each.n:,}"


def _cell(answer: Answer, each: CellSummary, label: str) -> CellRow:
    spread = Spread(each.n, each.mean, each.sd, None, None, None)
    share = f" {100 * each.share:.0f} %" if each.finding else ""
    stopped = "" if each.cell.stopped is None else f" (stopped at round {each.cell.stopped:,})"
    reference = " (baseline)" if each.cell.id == answer.results.reference and len(answer.cells) > 1 else ""
    return CellRow(
        label=f"{label}{reference}{stopped}",
        mean=plus_minus(spread),
        reached=None if each.reached is None else _reached(each),
        iqm=number(each.iqm),
        interval=amount(each.mean, each.interval),
        n=f"{each.n:,}" if each.n == each.seeds else f"{each.n:,} of {each.seeds:,}",
        collapsed=f"{each.collapsed:,}",
        diverged=f"{each.diverged:,}",
        finding=f"{each.finding}{share}",
    )


def _for_difference(found: Needed, what: str) -> list[str]:
    if found.for_difference is None or found.for_precision is None or found.difference is None:
        return []
    stated = short(found.difference)
    texts: list[str] = []
    for seeds, goal in (
        (found.for_difference, f"To find a true difference of {stated} in {what} in 80 % of such studies"),
        (found.for_precision, f"To know every effect to ± {stated}"),
    ):
        more = max(0, seeds.expected - found.n)
        enough = "these seeds are enough" if not more else f"add {count(more, 'seed')}, {seeds.expected:,} in all"
        doubt = f" (up to {seeds.upper:,}, as {count(found.n, 'seed')} tell the spread only roughly)"
        texts.append(f"{goal}: {enough}{doubt if more else ''}.")
    return texts


def _reaching(each: Reaching) -> list[str]:
    low, high = (("–" if end is None else f"{end:,.4g}") for end in (each.median_low, each.median_high))
    median = "–" if each.median is None else f"{each.median:,.4g} [{low}, {high}]"
    return [
        f"{each.reached:,} of {each.n:,}",
        median,
        f"{each.restricted_mean:,.4g}",
        "–" if each.difference is None else amount(each.difference, each.interval, signed=True),
    ]


def _equal(p: float) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"


def _time(value: float, clock: str) -> str:
    return f"round {value:,.0f}" if clock == "rounds" else f"{value:,.4g} s"
