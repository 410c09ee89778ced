"""One self-contained page with a study's answer: what each change buys, how sure that is, and what it rests on."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

from PIL import Image

from sparring.analysis.wording import count, short
from sparring.languages import Text
from sparring.record import write_atomically
from sparring.report.figures.study import cells, courses
from sparring.report.figures.study.forest import forest
from sparring.report.figures.study.samples import median_samples, save_samples
from sparring.report.page import study_details as details
from sparring.report.page.document import chart, document, more, plate, table, uri
from sparring.report.page.markup import Markup, join, tag
from sparring.report.study import MAX_SENTENCES, cell_rows
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
        _section(Text("Quality over training"), charts.get("courses"), _courses_caption(answer)),
        details.survival(answer, charts),
        details.needed(answer),
        tag("h2", Text("Details")),
        details.anova(answer),
        details.members(answer),
        details.method(answer),
        written_from=Text("the results of {members}", members=count(len(results.rows), "member")),
    )


def _charts(answer: Answer) -> dict[str, tuple[Markup, bytes]]:
    """Every figure that there is something to draw in, for the page and as a PNG file."""
    drawn: dict[str, tuple[Markup, bytes]] = {}
    if any(each.mean is not None for each in (*answer.effects, *answer.comparisons)):
        drawn["effects"] = chart(partial(forest, answer), Text("Every effect with its interval, the largest first."))
    drawn["members"] = chart(partial(cells.members, answer), Text("The outcome of every seed of every cell."))
    if cells.interacting(answer):
        alt = Text("Means of one factor's levels at each level of another.")
        drawn["interactions"] = chart(partial(cells.interactions, answer), alt)
    if courses.has_courses(answer):
        alt = Text("The metric over rounds and seconds: median and middle half of each cell's seeds.")
        drawn["courses"] = chart(partial(courses.courses, answer), alt)
    if answer.survival is not None:
        drawn["reached"] = chart(
            partial(courses.reached, answer.survival, answer), Text("Share of seeds that reached the target by then.")
        )
    return drawn


def _header(answer: Answer) -> Markup:
    results = answer.results
    factors = "; ".join(f"{short_name(f.name)}: {', '.join(f.levels)}" for f in results.factors)
    lead = answer.sentences[:1]
    return join(
        tag("p", Text("Sparring, a study: {name}", name=results.name), class_="kicker"),
        tag("h1", _title(answer)),
        [tag("p", line, class_="lead") for line in lead],
        tag("p", Text("Varied: {factors}.", factors=factors), class_="soft"),
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
    real = "" if answer.scores.real is None else Text("real data scores {value}", value=short(answer.scores.real))
    better = {-1: Text("lower is better"), 1: Text("higher is better")}.get(answer.scores.direction, "")
    of = Text("of {total}", total=count(members, "member"))
    tiles = [
        (Text("Cells"), f"{len(results.cells):,}", Text("{design} design", design=Text(results.design))),
        (Text("Seeds"), f"{len(results.seeds):,}", Text("the same in every cell")),
        (Text("Diverged"), f"{lost:,}", of),
        (Text("Collapsed"), f"{collapsed:,}", of),
    ]
    glance = [tag("div", tag("dt", name), tag("dd", value, tag("small", beside))) for name, value, beside in tiles]
    beside = Text.joined([part for part in (better, real) if part], "; ")
    end = Text(" ({beside}).", beside=beside) if beside else Text(".")
    outcome = tag("p", Text("Outcome: "), tag("strong", answer.scores.title), end)
    return join(outcome, tag("dl", glance, class_="facts"))


def _effects(answer: Answer, charts: dict[str, Markup]) -> Markup:
    said = answer.sentences[
        1 : min(len(answer.contributions) or len(answer.effects), MAX_SENTENCES)
    ]  # the first is the lead
    rest = answer.sentences[1 + len(said) :]
    listed = tag("ul", [tag("li", line) for line in said], class_="notes")
    return tag(
        "section",
        tag("h2", Text("What each change does")),
        tag("div", listed, class_="text") if said else None,
        plate(charts["effects"], Text("Effects, the largest first"), answer.method) if "effects" in charts else None,
        _effect_table(answer.effects, answer, Text("effect")),
        _effect_table(answer.comparisons, answer, Text("cell against the baseline")) if answer.comparisons else None,
        more(Text("In sentences"), tag("ul", [tag("li", line) for line in rest], class_="notes")) if rest else None,
        class_="wide study",
    )


def _effect_table(effects: list[Effect], answer: Answer, title: str) -> Markup:
    percent = f"{100 * answer.level:.3g} %"
    better = Text("better in" if answer.scores.direction else "higher in")
    columns = (title, Text("difference [{percent}]", percent=percent), better, *Text.each("p (Holm)", "P(better)"))
    rows = [_effect_row(each, answer) for each in effects]
    return table(columns, rows, main=1, colored={k for k, e in enumerate(effects) if _harms(e)})


def _harms(effect: Effect) -> bool:
    return effect.contrast.kind != "interaction" and effect.significant() and effect.worse > effect.better


def _effect_row(each: Effect, answer: Answer) -> list[str]:
    improved = "–"
    if each.improvement is not None:
        interval = each.improvement.interval
        improved = f"{each.improvement.probability:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
    seeds: str = "–"
    if each.seeds:
        seeds = Text("{some} of {total}", some=f"{each.better:,}", total=f"{each.seeds:,}")
    p = Text.joined([p_text(each.p_holm), *([Text(" (ranks)")] if each.by_ranks else [])])
    return [contrast_text(each.contrast, answer.results), difference_text(each), seeds, p, improved]


def _cells(answer: Answer, charts: dict[str, Markup]) -> Markup:
    percent = f"{100 * answer.level:.3g} %"
    timed = [Text("reached")] if answer.scores.reached is not None else []
    columns = [*Text.each("cell", "mean ± SD"), Text("mean [{percent}]", percent=percent), *timed]
    columns += Text.each("IQM", "n", "collapsed", "diverged", "top finding")
    texts = (
        (row.label, row.mean, row.interval, row.reached, row.iqm, row.n, row.collapsed, row.diverged, row.finding)
        for row in cell_rows(answer)
    )
    rows = [[text for text in row if text is not None] for row in texts]
    failed = {k for k, each in enumerate(answer.cells) if 2 * (each.collapsed + each.diverged) > each.seeds}
    caption = Text(
        "Over seeds; SD is the sample's. IQM: the mean of the middle half, in which a seed that diverged is the worst. "
        "Collapsed: samples lack variety. Top finding: what the diagnosis says of most seeds, and its share. Colored: "
        "more than half of the seeds failed."
    )
    return tag(
        "section",
        tag("h2", Text("Every cell")),
        table(columns, rows, main=1, colored=failed, caption=caption),
        plate(charts["members"], Text("The outcome of every seed")),
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
            _picture(
                pictures[each.cell.id],
                Text("Samples of {cell}, seed {seed}", cell=labels[each.cell.id], seed=each.median_seed),
            ),
            tag("figcaption", tag("strong", labels[each.cell.id]), Text(", seed {seed}", seed=each.median_seed)),
        )
        for each in answer.cells
        if each.cell.id in pictures
    ]
    caption = Text(
        "The seed of each cell whose {outcome} is the median, at the end of training.", outcome=answer.scores.title
    )
    return tag(
        "section",
        tag("h2", Text("Samples of the median seed")),
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
    return tag("section", tag("h2", title), plate(picture, title, caption, narrow), class_="wide study")


def _interactions(answer: Answer, charts: dict[str, Markup]) -> Markup | None:
    found = cells.interacting(answer)
    significant = any(each.significant() for each in found)
    caption = Text(
        "{which}: means over seeds and all other factors, with intervals. Parallel lines: no interaction.",
        which=Text(
            "Every significant interaction of two factors" if significant else "The largest interaction of two factors"
        ),
    )
    picture = charts.get("interactions")
    return _section(Text("Where two changes depend on each other"), picture, caption, narrow=len(found) == 1)


def _courses_caption(answer: Answer) -> str:
    members = {row.members for row in answer.results.rows}
    shared = Text(" Cells were trained in populations of different sizes, which differ in speed.")
    return Text(
        "Lines: the median over seeds. Bands: the middle half of the seeds. Seconds are those that the population took "
        "in which a seed was trained, without evaluations.{shared}",
        shared="" if len(members) == 1 else shared,
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
    orders = Text.each("in the first order", "in the reverse order")[: len(answer.contributions[0].orders)]
    columns = (*Text.each("step", "mean of both orders"), *orders, Text("first − reverse"))
    caption = Text("* The order matters: the interval of the difference between both orders leaves out 0.")
    return tag(
        "section",
        tag("h2", Text("What each step contributes")),
        table(columns, rows, main=1, caption=caption),
        class_="wide",
    )


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_atomically(path, lambda where: where.write_bytes(data))
