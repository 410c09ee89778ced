"""A study's answer as text, for the terminal and the page: rows of cells, times to a target, seeds needed."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.analysis.stats import Spread
from sparring.analysis.wording import count, number, plus_minus, short
from sparring.languages import Name, Text
from sparring.study.answer import Answer, Needed
from sparring.study.cells import CellSummary
from sparring.study.outcome import quantity_of
from sparring.study.survival import GIVEN, Reaching
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
    sees = Text(
        "With {seeds} a true difference of {difference} in {what} is found in 80 % of such studies, after correction, "
        "and a smaller one in fewer.",
        seeds=seeds,
        difference=short(float(f"{found.sees:.2g}")),
        what=what,
    )
    if found.difference is None:
        return [sees]
    return [sees, *_for_difference(found, what)]


def survival_sentence(answer: Answer) -> str | None:
    """How soon cells reach the target, in one sentence."""
    found = answer.survival
    if found is None:
        return None
    why = "" if found.why == GIVEN else Text(" ({why})", why=Text(found.why))
    title, target = Text.of(quantity_of(found.quantity).title), short(float(f"{found.target:.3g}"))
    goal = Text("{metric} {target}{why}", metric=title, target=target, why=why)
    labels = brief_labels(answer.results)
    soonest = min(found.cells, key=lambda each: each.restricted_mean)
    if not soonest.reached:
        return Text(
            "Time to {goal}: no seed of any cell reached it within {time}.",
            goal=goal,
            time=time_text(found.horizon, found.clock),
        )
    alike = [each for each in found.cells if each.restricted_mean == soonest.restricted_mean]
    p = "" if found.p_holm is None else _equal(found.p_holm)
    test = Text("; log-rank p {p} over all cells", p=p) if p else ""
    if len(alike) > 1:
        some = Text.joined([labels[each.cell] for each in alike], " and ")
        return Text(
            "Time to {goal}: {which} take as long on average, {time}{test}.",
            goal=goal,
            which=Text("all cells") if len(alike) == len(found.cells) else some,
            time=time_text(soonest.restricted_mean, found.clock),
            test=test,
        )
    by = "" if soonest.median is None else Text(", half of them by {time}", time=_time(soonest.median, found.clock))
    return Text(
        "Time to {goal}: soonest with {cell}, where {some} of {seeds} reached it{median}{test}.",
        goal=goal,
        cell=labels[soonest.cell],
        some=f"{soonest.reached:,}",
        seeds=count(soonest.n, "seed"),
        median=by,
        test=test,
    )


def survival_rows(answer: Answer) -> list[list[str]]:
    """For each cell: label, how many reached the target, median with its interval, mean within the horizon, and how
    much that differs from the reference's."""
    if answer.survival is None:
        return []
    labels = brief_labels(answer.results)
    return [[labels[each.cell], *_reaching(each)] for each in answer.survival.cells]


def _reached(each: CellSummary) -> str:
    """How many of the seeds of which it is known; of a cell that was not trained to the end it says nothing."""
    return "–" if each.cell.stopped is not None else _of(each.reached or 0, each.n)


def _of(some: int, total: int) -> str:
    return Text("{some} of {total}", some=f"{some:,}", total=f"{total:,}")


def _cell(answer: Answer, each: CellSummary, label: str) -> CellRow:
    spread = Spread(each.n, each.mean, each.sd, None, None, None)
    found = [Name(each.finding), f" {100 * each.share:.0f} %"] if each.finding else []
    stopped = [] if each.cell.stopped is None else [Text(" (stopped at round {round})", round=f"{each.cell.stopped:,}")]
    is_reference = each.cell.id == answer.results.reference and len(answer.cells) > 1
    reference = [Text(" (baseline)")] if is_reference else []
    return CellRow(
        label=Text.joined([label, *reference, *stopped]),
        mean=plus_minus(spread),
        reached=None if each.reached is None else _reached(each),
        iqm=number(each.iqm),
        interval=amount(each.mean, each.interval),
        n=f"{each.n:,}" if each.n == each.seeds else _of(each.n, each.seeds),
        collapsed=f"{each.collapsed:,}",
        diverged=f"{each.diverged:,}",
        finding=Text.joined(found),
    )


def _for_difference(found: Needed, what: str) -> list[str]:
    if found.for_difference is None or found.for_precision is None or found.difference is None:
        return []
    stated = short(found.difference)
    texts: list[str] = []
    for seeds, goal in (
        (
            found.for_difference,
            Text(
                "To find a true difference of {difference} in {what} in 80 % of such studies",
                difference=stated,
                what=what,
            ),
        ),
        (found.for_precision, Text("To know every effect to ± {difference}", difference=stated)),
    ):
        more = max(0, seeds.expected - found.n)
        if not more:
            texts.append(Text("{goal}: these seeds are enough.", goal=goal))
            continue
        add = Text(
            "{goal}: add {more}, {total} in all (up to {upper}, as {seeds} tell the spread only roughly).",
            goal=goal,
            more=count(more, "seed"),
            total=f"{seeds.expected:,}",
            upper=f"{seeds.upper:,}",
            seeds=count(found.n, "seed"),
        )
        texts.append(add)
    return texts


def _reaching(each: Reaching) -> list[str]:
    low, high = (("–" if end is None else f"{end:,.4g}") for end in (each.median_low, each.median_high))
    median = "–" if each.median is None else f"{each.median:,.4g} [{low}, {high}]"
    return [
        _of(each.reached, each.n),
        median,
        f"{each.restricted_mean:,.4g}",
        "–" if each.difference is None else amount(each.difference, each.interval, signed=True),
    ]


def _equal(p: float) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"


def _time(value: float, clock: str) -> str:
    return Text("round {round}", round=f"{value:,.0f}") if clock == "rounds" else f"{value:,.4g} s"
