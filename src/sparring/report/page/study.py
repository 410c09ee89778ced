"""One self-contained page with a study's answer: what each change buys, how sure that is, and what it rests on."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

from PIL import Image

from sparring.analysis.wording import count, number, short
from sparring.record import write_atomically
from sparring.report.figures.study import cells, courses
from sparring.report.figures.study.forest import forest
from sparring.report.figures.study.samples import median_samples, save_samples
from sparring.report.page.document import chart, document, more, table, uri
from sparring.report.page.markup import Child, Markup, join, tag
from sparring.report.study import (
    MAX_SENTENCES,
    cell_rows,
    needed_sentences,
    survival_rows,
    survival_sentence,
)
from sparring.study.answer import Answer
from sparring.study.effects import Effect
from sparring.study.factors import short_name
from sparring.study.plain import as_csv, cell_records, effect_records, member_records
from sparring.study.wording import (
    amount,
    brief_labels,
    change_text,
    contrast_text,
    difference_text,
    p_text,
    time_text,
)

PAGE = "study.html"
TABLES = {"cells.csv": cell_records, "effects.csv": effect_records, "members.csv": member_records}


def write_study(answer: Answer, folder: Path) -> Path:
    """Write the page, its figures as PNG files, the samples that it shows, and its tables as CSV files.

    Args:
        answer: The study's answer.
        folder: Where to; files of the same names are replaced.

    Returns:
        The page's path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_samples(answer, folder)
    charts = _charts(answer)
    for name, (_, png) in charts.items():
        _write(folder / "figures" / f"{name}.png", png)
    for name, records in TABLES.items():
        _write(folder / name, as_csv(records(answer)).encode())
    page = study_page(answer, {name: picture for name, (picture, _) in charts.items()})
    return _write(folder / PAGE, page.encode())


def study_page(answer: Answer, charts: dict[str, Markup]) -> Markup:
    """The whole document."""
    results = answer.results
    return document(
        _title(answer),
        _header(answer),
        _contributions(answer),
        _effects(answer, charts),
        _cells(answer, charts),
        _samples(answer),
        _interactions(answer, charts),
        _section("Quality over training", charts.get("courses"), _courses_caption(answer)),
        _survival(answer, charts),
        _needed(answer),
        tag("h2", "Details"),
        _anova(answer),
        _members(answer),
        _method(answer),
        written_from=f"the results of {count(len(results.rows), 'member')}",
    )


def _charts(answer: Answer) -> dict[str, tuple[Markup, bytes]]:
    """Every figure that there is something to draw in, for the page and as a PNG file."""
    drawn: dict[str, tuple[Markup, bytes]] = {}
    if any(each.mean is not None for each in (*answer.effects, *answer.comparisons)):
        drawn["effects"] = chart(partial(forest, answer), "Every effect with its interval, the largest first.")
    drawn["members"] = chart(partial(cells.members, answer), "The outcome of every seed of every cell.")
    if cells.interacting(answer):
        alt = "Means of one factor's levels at each level of another."
        drawn["interactions"] = chart(partial(cells.interactions, answer), alt)
    if courses.has_courses(answer):
        alt = "The metric over rounds and seconds: median and middle half of each cell's seeds."
        drawn["courses"] = chart(partial(courses.courses, answer), alt)
    if answer.survival is not None:
        drawn["reached"] = chart(
            partial(courses.reached, answer.survival, answer), "Share of seeds that reached the target by then."
        )
    return drawn


def _header(answer: Answer) -> Markup:
    results = answer.results
    factors = "; ".join(f"{short_name(f.name)}: {', '.join(f.levels)}" for f in results.factors)
    lead = answer.sentences[:1]
    return join(
        tag("p", f"Sparring, a study: {results.name}", class_="kicker"),
        tag("h1", _title(answer)),
        [tag("p", line, class_="lead") for line in lead],
        tag("p", f"Varied: {factors}.", class_="soft"),
        _at_a_glance(answer),
        tag("ul", [tag("li", note) for note in answer.notes], class_="notes") if answer.notes else None,
    )


def _title(answer: Answer) -> str:
    """The question, or else what is varied."""
    results = answer.results
    return results.question or f"{results.name}: {' × '.join(short_name(factor.name) for factor in results.factors)}"


def _at_a_glance(answer: Answer) -> Markup:
    results, members = answer.results, sum(each.seeds for each in answer.cells)
    lost, collapsed = (sum(getattr(each, name) for each in answer.cells) for name in ("diverged", "collapsed"))
    real = "" if answer.scores.real is None else f"real data scores {short(answer.scores.real)}"
    better = {-1: "lower is better", 1: "higher is better"}.get(answer.scores.direction, "")
    tiles = [
        ("Cells", f"{len(results.cells):,}", f"{results.design} design"),
        ("Seeds", f"{len(results.seeds):,}", "the same in every cell"),
        ("Diverged", f"{lost:,}", f"of {count(members, 'member')}"),
        ("Collapsed", f"{collapsed:,}", f"of {count(members, 'member')}"),
    ]
    glance = [tag("div", tag("dt", name), tag("dd", value, tag("small", beside))) for name, value, beside in tiles]
    beside = "; ".join(part for part in (better, real) if part)
    outcome = tag("p", "Outcome: ", tag("strong", answer.scores.title), f" ({beside})." if beside else ".")
    return join(outcome, tag("dl", glance, class_="facts"))


def _effects(answer: Answer, charts: dict[str, Markup]) -> Markup:
    said = answer.sentences[
        1 : min(len(answer.contributions) or len(answer.effects), MAX_SENTENCES)
    ]  # the first is the lead
    rest = answer.sentences[1 + len(said) :]
    listed = tag("ul", [tag("li", line) for line in said], class_="notes")
    return tag(
        "section",
        tag("h2", "What each change does"),
        tag("div", listed, class_="text") if said else None,
        _plate(charts["effects"], "Effects, the largest first", answer.method) if "effects" in charts else None,
        _effect_table(answer.effects, answer, "effect"),
        _effect_table(answer.comparisons, answer, "cell against the baseline") if answer.comparisons else None,
        more("In sentences", tag("ul", [tag("li", line) for line in rest], class_="notes")) if rest else None,
        class_="wide study",
    )


def _effect_table(effects: list[Effect], answer: Answer, title: str) -> Markup:
    percent = f"{100 * answer.level:.3g} %"
    better = "better in" if answer.scores.direction else "higher in"
    columns = (title, f"difference [{percent}]", better, "p (Holm)", "P(better)")
    rows = [_effect_row(each, answer) for each in effects]
    return table(columns, rows, main=1, colored={k for k, e in enumerate(effects) if _harms(e)})


def _harms(effect: Effect) -> bool:
    return effect.contrast.kind != "interaction" and effect.significant() and effect.worse > effect.better


def _effect_row(each: Effect, answer: Answer) -> list[str]:
    improved = "–"
    if each.improvement is not None:
        interval = each.improvement.interval
        improved = f"{each.improvement.probability:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
    seeds = f"{each.better:,} of {each.seeds:,}" if each.seeds else "–"
    p = f"{p_text(each.p_holm)}{' (ranks)' if each.by_ranks else ''}"
    return [contrast_text(each.contrast, answer.results), difference_text(each), seeds, p, improved]


def _cells(answer: Answer, charts: dict[str, Markup]) -> Markup:
    percent = f"{100 * answer.level:.3g} %"
    timed = ["reached"] if answer.scores.reached is not None else []
    columns = ("cell", "mean ± SD", f"mean [{percent}]", *timed, "IQM", "n", "collapsed", "diverged", "top finding")
    texts = (
        (row.label, row.mean, row.interval, row.reached, row.iqm, row.n, row.collapsed, row.diverged, row.finding)
        for row in cell_rows(answer)
    )
    rows = [[text for text in row if text is not None] for row in texts]
    failed = {k for k, each in enumerate(answer.cells) if 2 * (each.collapsed + each.diverged) > each.seeds}
    caption = (
        "Over seeds; SD is the sample's. IQM: the mean of the middle half, in which a seed that diverged is the worst. "
        "Collapsed: samples lack variety. Top finding: what the diagnosis says of most seeds, and its share. Colored: "
        "more than half of the seeds failed."
    )
    return tag(
        "section",
        tag("h2", "Every cell"),
        table(columns, rows, main=1, colored=failed, caption=caption),
        _plate(charts["members"], "The outcome of every seed"),
        class_="wide study",
    )


def _samples(answer: Answer) -> Markup | None:
    pictures = median_samples(answer)
    if not pictures:
        return None
    labels = brief_labels(answer.results)
    figures = [
        tag(
            "figure",
            _picture(pictures[each.cell.id], f"Samples of {labels[each.cell.id]}, seed {each.median_seed}"),
            tag("figcaption", tag("strong", labels[each.cell.id]), f", seed {each.median_seed}"),
        )
        for each in answer.cells
        if each.cell.id in pictures
    ]
    caption = f"The seed of each cell whose {answer.scores.title} is the median, at the end of training."
    return tag(
        "section",
        tag("h2", "Samples of the median seed"),
        tag("div", figures, class_="medians"),
        tag("p", caption, class_="soft under"),
        class_="wide study",
    )


def _picture(picture: Image.Image, alt: str) -> Markup:
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return tag("img", src=uri(file.getvalue(), "png"), alt=alt, width=picture.width, height=picture.height)


def _section(title: str, picture: Markup | None, caption: str, narrow: bool = False) -> Markup | None:
    if picture is None:
        return None
    return tag("section", tag("h2", title), _plate(picture, title, caption, narrow), class_="wide study")


def _plate(picture: Markup, label: str, caption: str = "", narrow: bool = False) -> Markup:
    plate = tag("div", picture, class_="plate", tabindex=0, role="group", aria_label=label)
    return tag("figure", plate, tag("figcaption", caption) if caption else None, class_="narrow" if narrow else None)


def _interactions(answer: Answer, charts: dict[str, Markup]) -> Markup | None:
    found = cells.interacting(answer)
    significant = any(each.significant() for each in found)
    which = "Every significant interaction of two factors" if significant else "The largest interaction of two factors"
    caption = f"{which}: means over seeds and all other factors, with intervals. Parallel lines: no interaction."
    picture = charts.get("interactions")
    return _section("Where two changes depend on each other", picture, caption, narrow=len(found) == 1)


def _courses_caption(answer: Answer) -> str:
    members = {row.members for row in answer.results.rows}
    shared = (
        "" if len(members) == 1 else " Cells were trained in populations of different sizes, which differ in speed."
    )
    return (
        "Lines: the median over seeds. Bands: the middle half of the seeds. Seconds are those that the population took "
        f"in which a seed was trained, without evaluations.{shared}"
    )


def _survival(answer: Answer, charts: dict[str, Markup]) -> Markup | None:
    found, sentence = answer.survival, survival_sentence(answer)
    if found is None or sentence is None:
        return None
    columns = (
        "cell",
        "reached",
        f"median {found.clock}",
        "mean",
        "difference",
    )
    caption = (
        "Kaplan and Meier's estimate: a seed that never reached the target, also one that diverged, is censored where "
        f"all end, and not left out. The mean is of times within {time_text(found.horizon, found.clock)}, the end that "
        "all reached. Times are those of the first evaluation that reached the target. Difference: from the baseline, "
        "paired by seed."
    )
    return tag(
        "section",
        tag("h2", "Time to a target"),
        tag("p", sentence, class_="text"),
        _plate(charts["reached"], "Share of seeds that reached the target", narrow=True),
        table(columns, survival_rows(answer), main=2, caption=caption),
        class_="wide study",
    )


def _needed(answer: Answer) -> Markup | None:
    lines = needed_sentences(answer)
    if not lines:
        return None
    how = (
        "From the spread of this study's paired differences: of its effects, interactions aside, the one that varies "
        "most. How many seeds are added depends on the spread alone, so testing again with more of them is fair."
    )
    return tag(
        "section",
        tag("h2", "How many seeds it takes"),
        [tag("p", line) for line in lines],
        tag("p", how, class_="soft"),
    )


def _contributions(answer: Answer) -> Markup | None:
    if not answer.contributions:
        return None
    rows = [
        [
            change_text(each.change),
            amount(each.mean, each.interval),
            *(amount(order.mean, order.interval) for order in each.orders),
            amount(each.dependence, each.dependence_interval) + (" *" if each.depends else ""),
        ]
        for each in answer.contributions
    ]
    orders = ["in the first order", "in the reverse order"][: len(answer.contributions[0].orders)]
    columns = ("step", "mean of both orders", *orders, "first − reverse")
    caption = "* The order matters: the interval of the difference between both orders leaves out 0."
    return tag(
        "section", tag("h2", "What each step contributes"), table(columns, rows, main=1, caption=caption), class_="wide"
    )


def _anova(answer: Answer) -> Markup | None:
    found = answer.anova
    if found is None:
        return None
    rows = [
        [
            " × ".join(map(short_name, term.factors)),
            f"{term.freedom:g}",
            number(term.squares),
            number(term.f),
            p_text(term.p_holm),
            "–" if term.explained is None else f"{100 * term.explained:.0f} %",
        ]
        for term in found.terms
    ]
    lost = f" {found.left_out:,} members without an outcome are left out." if found.left_out else ""
    caption = (
        f"Of {found.n:,} members, the seed being a block; type II sums of squares. p is corrected by Holm over this "
        f"table. Explained: partial eta squared.{lost}"
    )
    columns = ("source", "df", "sum of squares", "F", "p (Holm)", "explained")
    return more("Analysis of variance", table(columns, rows, main=5, caption=caption))


def _members(answer: Answer) -> Markup:
    seeds = [f"seed {seed}" for seed in answer.results.seeds]
    labels, rows = brief_labels(answer.results), list[list[Child]]()
    for index, each in enumerate(answer.cells):
        values, lost = answer.scores.values[index], answer.scores.diverged[index]
        rows.append(
            [labels[each.cell.id], *("diverged" if gone else number(v) for v, gone in zip(values, lost, strict=True))]
        )
    return more("Every member", table(("cell", *seeds), [[str(cell) for cell in row] for row in rows]))


def _method(answer: Answer) -> Markup:
    if len(answer.cells) == 1:
        return more("How this was computed", [tag("p", answer.method)])
    labels, reference = brief_labels(answer.results), answer.results.reference
    texts = [
        answer.method,
        "P(better), the probability of improvement: of two runs drawn at random, one with the change and one without, "
        "how likely the first is better (the Mann-Whitney statistic, as rliable defines it), averaged over pairs of "
        "cells that differ in nothing else; its interval is Newcombe's score interval.",
        "The interaction of two changes is what both together give beyond the sum of what each gives alone.",
        *([f"The baseline is {labels[reference]}."] if reference in labels else []),
    ]
    return more("How this was computed", [tag("p", text) for text in texts])


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_atomically(path, lambda where: where.write_bytes(data))
