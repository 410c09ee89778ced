"""Parts of a study's page below its effects: times to a target, seeds needed, analysis of variance, every member."""

from __future__ import annotations

from sparring.analysis.wording import number
from sparring.languages import Text
from sparring.report.page.document import more, plate, table
from sparring.report.page.markup import Markup, tag
from sparring.report.study import needed_sentences, survival_rows, survival_sentence
from sparring.study.answer import Answer
from sparring.study.factors import short_name
from sparring.study.wording import brief_labels, p_text, time_text


def survival(answer: Answer, charts: dict[str, Markup]) -> Markup | None:
    found, sentence = answer.survival, survival_sentence(answer)
    if found is None or sentence is None:
        return None
    median = Text("median rounds" if found.clock == "rounds" else "median seconds")
    columns = (*Text.each("cell", "reached"), median, *Text.each("mean", "difference"))
    caption = Text(
        "Kaplan and Meier's estimate: a seed that never reached the target, also one that diverged, is censored where "
        "all end, and not left out. The mean is of times within {time}, the end that all reached. Times are those of "
        "the first evaluation that reached the target. Difference: from the baseline, paired by seed.",
        time=time_text(found.horizon, found.clock),
    )
    return tag(
        "section",
        tag("h2", Text("Time to a target")),
        tag("p", sentence, class_="text"),
        plate(charts["reached"], Text("Share of seeds that reached the target"), narrow=True),
        table(columns, survival_rows(answer), main=2, caption=caption),
        class_="wide study",
    )


def needed(answer: Answer) -> Markup | None:
    lines = needed_sentences(answer)
    if not lines:
        return None
    how = Text(
        "From the spread of this study's paired differences: of its effects, interactions aside, the one that varies "
        "most. How many seeds are added depends on the spread alone, so testing again with more of them is fair."
    )
    return tag(
        "section",
        tag("h2", Text("How many seeds it takes")),
        [tag("p", line) for line in lines],
        tag("p", how, class_="soft"),
    )


def anova(answer: Answer) -> Markup | None:
    found = answer.anova
    if found is None:
        return None
    names = {"seed": Text("seed"), "residual": Text("residual")}
    rows = [
        [
            Text.joined([names.get(factor, short_name(factor)) for factor in term.factors], " × "),
            f"{term.freedom:g}",
            number(term.squares),
            number(term.f),
            p_text(term.p_holm),
            "–" if term.explained is None else f"{100 * term.explained:.0f} %",
        ]
        for term in found.terms
    ]
    lost = Text(" {count} members without an outcome are left out.", count=f"{found.left_out:,}")
    caption = Text(
        "Of {count} members, the seed being a block; type II sums of squares. p is corrected by Holm over this table. "
        "Explained: partial eta squared.{lost}",
        count=f"{found.n:,}",
        lost=lost if found.left_out else "",
    )
    columns = [Text("source"), "df", Text("sum of squares"), "F", *Text.each("p (Holm)", "explained")]
    return more(Text("Analysis of variance"), table(columns, rows, main=5, caption=caption))


def members(answer: Answer) -> Markup:
    seeds = [Text("seed {seed}", seed=seed) for seed in answer.results.seeds]
    labels, rows = brief_labels(answer.results), list[list[str]]()
    for index, each in enumerate(answer.cells):
        values, lost = answer.scores.values[index], answer.scores.diverged[index]
        rows.append(
            [
                labels[each.cell.id],
                *(Text("diverged") if gone else number(v) for v, gone in zip(values, lost, strict=True)),
            ]
        )
    return more(Text("Every member"), table((Text("cell"), *seeds), rows))


def method(answer: Answer) -> Markup:
    if len(answer.cells) == 1:
        return more(Text("How this was computed"), [tag("p", answer.method)])
    labels, reference = brief_labels(answer.results), answer.results.reference
    texts = [
        answer.method,
        Text(
            "P(better), the probability of improvement: of two runs drawn at random, one with the change and one "
            "without, how likely the first is better (the Mann-Whitney statistic, as rliable defines it), averaged "
            "over pairs of cells that differ in nothing else; its interval is Newcombe's score interval."
        ),
        Text("The interaction of two changes is what both together give beyond the sum of what each gives alone."),
        *([Text("The baseline is {cell}.", cell=labels[reference])] if reference in labels else []),
    ]
    return more(Text("How this was computed"), [tag("p", text) for text in texts])
