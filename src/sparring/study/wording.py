"""Effects in plain words: what was changed, by how much, in how many seeds, and whether it is the only one of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from sparring.analysis.wording import MANY, count, listed
from sparring.languages import Text
from sparring.study.contrasts import Change, Contrast
from sparring.study.contributions import Contribution
from sparring.study.effects import Counts, Effect
from sparring.study.factors import short_name
from sparring.study.intervals import FEW_SEEDS, Interval
from sparring.study.results import Results
from sparring.study.scores import Scores

NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MAX_NAMED = 3
"""When all of more factors than that are changed at once, they are not named."""
OPAQUE = ("on", "off", "none", "true", "false")
"""Levels that say nothing without the name of their factor."""
WHOLE_CELLS = ("full", "fractional")
"""Designs whose cells have a level of every factor."""
BOUNDS = {1: "≥", -1: "≤", 0: ""}
"""What a true difference is of the one that is seen, by `Effect.bound`."""
GROUPS = {
    "main": Text("changes"),
    "step": Text("steps"),
    "cell": Text("cells"),
    "interaction": Text("interactions"),
}


def brief_labels(results: Results) -> dict[str, str]:
    """A cell's id -> its label; of its levels alone, `Adam 1e-4, sigmoid`, where these say what they are levels of."""
    levels = [level for factor in results.factors for level in factor.levels]
    says = len(set(levels)) == len(levels) and all(level[:1].isalpha() and level not in OPAQUE for level in levels)
    if not says or results.design not in WHOLE_CELLS or len(results.factors) < 2:
        return {cell.id: cell.label for cell in results.cells}
    return {cell.id: ", ".join(cell.levels[factor.name] for factor in results.factors) for cell in results.cells}


def change_text(change: Change) -> str:
    """`optimizer Adam in place of SGD`; a remedy that is on is its name."""
    factor, level, before = change
    if (level, before) == ("on", "off"):
        return short_name(factor)
    chosen = level if factor == "recipe" else f"{short_name(factor)} {level}"
    return Text("{level} in place of {before}", level=chosen, before=before)


def contrast_text(contrast: Contrast, results: Results) -> str:
    """What is compared."""
    if contrast.kind == "interaction":
        return " × ".join(f"{short_name(factor)} {level}" for factor, level, _ in contrast.changes)
    if contrast.kind == "step":
        where = step_text(contrast, results)
        return Text("{change} ({step})", change=change_text(contrast.changes[0]), step=where)
    if contrast.kind != "cell" or len(results.factors) == 1 or results.design == "one-at-a-time":
        return Text.joined(map(change_text, contrast.changes), " and ")
    if len(contrast.changes) == 1:
        return Text("{change} alone", change=_level_text(contrast.changes[0]))
    if len(contrast.changes) == len(results.factors) > MAX_NAMED:
        return Text("all {count} changes together", count=len(contrast.changes))
    return Text("{changes} together", changes=listed([_level_text(change) for change in contrast.changes]))


def _level_text(change: Change) -> str:
    factor, level, before = change
    return short_name(factor) if (level, before) == ("on", "off") else f"{short_name(factor)} {level}"


def contribution_sentence(contribution: Contribution, scores: Scores) -> str:
    """What a step is worth over both orders, and whether that depends on the order."""
    subject, mean = _upper(change_text(contribution.change)), contribution.mean
    if mean is None:
        return Text("{subject}: not known.", subject=subject)
    size = amount(abs(mean), _turned(contribution.interval, mean))
    said = Text("{subject}: {by}", subject=subject, by=_lower_by(mean, scores.title, size))
    if len(contribution.orders) < 2:
        return Text("{fell}.", fell=said)
    first, last = (amount(order.mean, signed=True) for order in contribution.orders)
    return Text(
        "{said} over both orders; {first} in the first and {last} in the reverse one: {depends}.",
        said=said,
        first=first,
        last=last,
        depends=Text(
            "it depends on what was changed before" if contribution.depends else "no dependence on the order is shown"
        ),
    )


def _lower_by(mean: float, title: str, size: str) -> Text:
    """Which way an outcome differs, and by how much."""
    return Text("{outcome} lower by {size}" if mean < 0 else "{outcome} higher by {size}", outcome=title, size=size)


def step_text(contrast: Contrast, results: Results) -> str:
    """Where a step stands in its order: `step 2 of 5, reverse order`."""
    order = results.steps[contrast.order]
    place = order.index(results.cells[contrast.pairs[0][0]].id)
    return Text(
        "step {place} of {total}, reverse order" if contrast.order else "step {place} of {total}, first order",
        place=place,
        total=len(order) - 1,
    )


def amount(value: float | None, interval: Interval | None = None, signed: bool = False) -> str:
    """A number with as many decimals as its interval shows two digits of: `-9.1 [-12.3, -5.9]`."""
    if value is None:
        return "–"
    decimals = decimals_of(interval, value)
    text = _fixed(value, decimals, signed)
    if interval is None:
        return text
    return f"{text} [{_fixed(interval.low, decimals)}, {_fixed(interval.high, decimals)}]"


def difference_text(effect: Effect) -> str:
    """The mean difference with its interval, and whether it is a bound: `≥ 207 [153, 260]`."""
    return f"{BOUNDS[effect.bound]} {amount(effect.mean, effect.interval)}".lstrip()


def time_text(value: float, unit: str) -> str:
    """`400 rounds`, `1 round`, `2.5 s`."""
    if unit == "rounds":
        return Text("{count} round" if value == 1 else "{count} rounds", count=f"{value:,.4g}")
    return f"{value:,.4g} {unit.removesuffix('s') if value == 1 and len(unit) > 1 else unit}"


def decimals_of(interval: Interval | None, value: float) -> int:
    """How many decimals a number with this interval has."""
    size = interval.half_width if interval is not None and interval.half_width > 0 else abs(value) / 10
    return min(6, max(0, 1 - math.floor(math.log10(size)))) if size > 0 else 1


def p_text(p: float | None) -> str:
    """`0.03`, `< 0.001`, a dash where there is none."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.01 else f"{p:.2f}"


def sentence(effect: Effect, others: Sequence[Effect], results: Results, scores: Scores) -> str:
    """What one effect is, in one sentence.

    Args:
        effect: The effect.
        others: All effects that it is shown with, itself among them.
        results: The study.
        scores: Its outcome.
    """
    subject = _upper(contrast_text(effect.contrast, results))
    if effect.mean is None:
        return Text("{subject}: {said}.", subject=subject, said=_unknown(effect, results))
    if effect.unreached == effect.contrast.cells:
        parts = [Text("no seed reached the target, with it or without"), _failures(effect)]
    else:
        said = _by(effect, scores) if effect.contrast.kind != "interaction" else _together(effect, scores)
        parts = [said, _never(effect), _failures(effect), _only(effect, others, scores)]
    return Text("{subject}: {said}.", subject=subject, said=Text.joined(part for part in parts if part))


def _by(effect: Effect, scores: Scores) -> str:
    mean, interval = effect.mean or 0.0, effect.interval
    if not effect.better and not effect.worse:
        return Text(
            "no difference in {outcome}, {some} of {seeds}",
            outcome=scores.title,
            some=f"{effect.seeds:,}",
            seeds=count(effect.seeds, "seed"),
        )
    agreeing, against = (effect.better, effect.worse) if _helps(effect, scores) else (effect.worse, effect.better)
    rest = Text(" (one seed tells no spread)") if interval is None else _of_the_rest(effect)
    said = Text(
        "{by}, {some} of {seeds}{rest}",
        by=_lower_by(mean, scores.title, _size(effect)),
        some=f"{agreeing:,}",
        seeds=count(effect.seeds, "seed"),
        rest=rest,
    )
    if interval is None or effect.significant():
        return said
    doubt = Text("no effect is shown" if against else "not significant")
    if agreeing == effect.seeds >= FEW_SEEDS:
        doubt = Text("every seed agrees, but by amounts that differ too much for their mean to be significant")
    return Text("{said}; {doubt} (p = {p})", said=said, doubt=doubt, p=p_text(effect.p_holm))


def _together(effect: Effect, scores: Scores) -> str:
    mean = effect.mean or 0.0
    said = Text(
        "together, {outcome} is {size} lower than the {number} changes add up to"
        if mean < 0
        else "together, {outcome} is {size} higher than the {number} changes add up to",
        outcome=scores.title,
        size=_size(effect),
        number=_in_words(len(effect.contrast.changes)),
    )
    if not effect.significant():
        return Text("{said}; no interaction is shown (p = {p})", said=said, p=p_text(effect.p_holm))
    if effect.late and not effect.bound:
        return Text(
            "{said}; {count} members did not reach the target, and the end of training alone can look so",
            said=said,
            count=f"{effect.late:,}",
        )
    if not scores.direction:
        return said
    return Text(
        "{said}: each does better with the other"
        if _helps(effect, scores)
        else "{said}: each does worse with the other",
        said=said,
    )


def _size(effect: Effect) -> str:
    """How large the difference is, whichever way: `9.1 [5.9, 12.3]`, `at least 207 [153, 260]`."""
    mean = effect.mean or 0.0
    size = amount(abs(mean), _turned(effect.interval, mean))
    return Text("at least {size}", size=size) if effect.bound else size


def _helps(effect: Effect, scores: Scores) -> bool:
    """Whether the mean goes the better way; where neither way is better, whether it is higher."""
    return (effect.mean or 0.0) * (scores.direction or 1) > 0


def _of_the_rest(effect: Effect) -> str:
    """The seeds that the mean leaves out, because one of their members diverged."""
    if effect.n == effect.seeds:
        return ""
    return Text(" (the difference is of the {count} that did not diverge)", count=f"{effect.n:,}")


def _never(effect: Effect) -> str:
    """Where no seed reached the target, so that the end of training is all that is compared."""
    if not effect.unreached:
        return ""
    weights = effect.contrast.weights
    for words, side in (
        (Text("; with it no seed reached the target"), [w > 0 for w in weights]),
        (Text("; without it no seed reached the target"), [w < 0 for w in weights]),
    ):
        if effect.unreached == tuple(index for index, there in enumerate(side) if there):
            return words
    return Text(
        "; in {some} of {total} cells no seed reached the target, so what it does there is not known",
        some=f"{len(effect.unreached):,}",
        total=f"{len(effect.contrast.cells):,}",
    )


def _failures(effect: Effect) -> str:
    """Diverged and collapsed members, where the two sides differ in them."""
    if effect.contrast.kind == "interaction":
        return ""
    texts = [
        Text(
            "; {what}: {some} of {total} with it, {others} without",
            what=what,
            some=f"{counts.with_change:,}",
            total=f"{counts.of_with:,}",
            others=f"{counts.without:,}",
        )
        for what, counts in ((Text("diverged"), effect.diverged), (Text("collapsed"), effect.collapsed))
        if counts.differ
    ]
    return Text.joined(texts)


def _only(effect: Effect, others: Sequence[Effect], scores: Scores) -> str:
    """Whether it is the only one of its kind of which something good holds, or where nothing is better, something."""
    same = [each for each in others if each.contrast.kind == effect.contrast.kind]
    if len(same) < 2:
        return ""
    kind = GROUPS[effect.contrast.kind]
    for holds, words in _DISTINCTIONS:
        if holds in _HELPS and not scores.direction:
            continue
        if holds(effect) and not any(holds(each) for each in same if each is not effect):
            return Text(
                "; the only one of the {number} {kind} that {does}", number=_in_words(len(same)), kind=kind, does=words
            )
    return ""


def _helps_significantly(effect: Effect) -> bool:
    return effect.contrast.kind != "interaction" and effect.significant() and effect.better > effect.worse


def _helps_in_every_seed(effect: Effect) -> bool:
    return effect.contrast.kind != "interaction" and 1 < effect.seeds == effect.better


def _ends(counts: Counts) -> bool:
    return counts.without > 0 and counts.with_change == 0


_DISTINCTIONS: tuple[tuple[Callable[[Effect], bool], str], ...] = (
    (_helps_significantly, Text("helps significantly")),
    (Effect.significant, Text("is significant")),
    (_helps_in_every_seed, Text("helps in every seed")),
    (lambda effect: _ends(effect.collapsed), Text("leaves no seed collapsed")),
    (lambda effect: _ends(effect.diverged), Text("leaves no seed diverged")),
)


_HELPS = (_helps_significantly, _helps_in_every_seed)


def _unknown(effect: Effect, results: Results) -> str:
    stopped = [results.cells[i].label for i in effect.contrast.cells if results.cells[i].stopped is not None]
    if stopped:
        one = Text("not known, as {cell} was stopped", cell=stopped[0])
        return one if len(stopped) == 1 else Text("not known, as cells were stopped")
    if effect.unreached:
        return Text(
            "not known, as in {some} of {total} cells no seed reached the target",
            some=f"{len(effect.unreached):,}",
            total=f"{len(effect.contrast.cells):,}",
        )
    if effect.diverged.with_change or effect.diverged.without:
        diverged = effect.diverged
        return Text(
            "no seed has an outcome on both sides: {some} of {total} diverged with it, {others} of {all} without",
            some=f"{diverged.with_change:,}",
            total=f"{diverged.of_with:,}",
            others=f"{diverged.without:,}",
            all=f"{diverged.of_without:,}",
        )
    return Text("not known yet")


def _turned(interval: Interval | None, mean: float) -> Interval | None:
    """The interval of a difference as that of its size."""
    if interval is None or mean >= 0:
        return interval
    return Interval(-interval.high, -interval.low)


def _fixed(value: float, decimals: int, signed: bool = False) -> str:
    form = f",.{decimals}f" if abs(value) < MANY else ".3g"
    text = f"{value:{'+' if signed else ''}{form}}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("+-")


def _in_words(number: int) -> str:
    return Text(NUMBERS[number]) if number < len(NUMBERS) else f"{number:,}"


def _upper(text: str) -> str:
    """With a capital, unless the first word is a name that has none, such as `d_loss`."""
    return Text.of(text).capitalized() if text.split(" ")[0].isalpha() else text
