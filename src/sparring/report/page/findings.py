"""The diagnosis on a run's page: each finding with its evidence, its picture and its remedy."""

from __future__ import annotations

from functools import partial

from sparring.analysis.diagnosis import NOT_SURE, Diagnosis
from sparring.analysis.facts import Facts
from sparring.languages import Name, Text, said
from sparring.report.figures.finding import finding_figure, has_range
from sparring.report.findings import (
    changes_of,
    evidence_table,
    is_healthy,
    members_of,
    out_of_range,
    since_of,
    when_to_stop,
)
from sparring.report.page.document import chart, table
from sparring.report.page.markup import Markup, join, tag
from sparring.rules import Finding


def section(facts: Facts, diagnosis: Diagnosis) -> Markup:
    """The verdict, every finding, and whether more training pays."""
    findings = [_finding(facts, diagnosis, finding, index) for index, finding in enumerate(diagnosis.findings)]
    return tag(
        "section",
        tag("h2", said("Diagnosis")),
        verdict(diagnosis),
        findings,
        tag("p", said(diagnosis.evaluated), class_="soft") if findings and diagnosis.evaluated else None,
        tag("p", said(out_of_range(diagnosis))),
        tag("p", said(when_to_stop(facts.run, diagnosis))),
        class_="diagnosis",
    )


def verdict(diagnosis: Diagnosis) -> Markup:
    """The verdict in one line."""
    good = diagnosis.verdict != NOT_SURE and not diagnosis.findings[0].fault
    text = tag("strong", said(Name(diagnosis.verdict))), _beside_verdict(diagnosis)
    return tag("p", *text, class_=f"lead verdict{' good' if good else ''}")


def _beside_verdict(diagnosis: Diagnosis) -> str:
    if diagnosis.verdict == NOT_SURE:
        return said(Text(": {text}.", text=diagnosis.why_not_sure))
    return said(Text(": {text}.", text=members_of(diagnosis.findings[0])))


def _finding(facts: Facts, diagnosis: Diagnosis, finding: Finding, index: int) -> Markup:
    evidence = finding.evidence
    columns, rows = evidence_table(finding)
    unhealthy = {k for k, each in enumerate(evidence) if not is_healthy(each)} if finding.fault else None
    picture, _ = chart(partial(finding_figure, facts, finding), finding.plot.title)
    band = ["Gray band: the healthy range. "] if has_range(finding.plot) else []
    crosses = ["Crosses: the last finite value of a seed. "] if finding.rule == "divergence" else []
    dotted = "Dotted line: the round since which the finding holds."
    caption = tag("figcaption", *map(said, [*band, *crosses, dotted]))
    holds = Text("{members}, {since}.", members=members_of(finding), since=since_of(finding))
    return tag(
        "article",
        tag("h3", f"{index + 1}. {said(Name(finding.rule))}"),
        tag("p", said(finding.claim)),
        tag("p", said(holds).capitalize(), class_="soft"),
        _line(finding),
        table([said(each) for each in columns], [list(map(said, row)) for row in rows], main=1, colored=unhealthy),
        tag("figure", tag("div", picture, class_="plate"), caption),
        _remedy(facts, diagnosis, finding),
    )


def _line(finding: Finding) -> Markup | None:
    """The line of the user's own loop, and what it should be."""
    if finding.line is None and not finding.mended:
        return None
    code = f"{finding.line}  {finding.line.code}" if finding.line else ""
    return join(
        tag("pre", tag("code", code), class_="command", tabindex=0) if code else None,
        tag("p", said("Instead: "), tag("code", said(finding.mended))) if finding.mended else None,
    )


def _remedy(facts: Facts, diagnosis: Diagnosis, finding: Finding) -> Markup | None:
    if not finding.remedies:
        return None
    first, *others = finding.remedies
    named = Text.joined([Name(each) for each in others], ", ")
    rest = said(Text(" Other remedies that fit this recipe: {names}.", names=named)) if others else ""
    changes = "; ".join(map(said, changes_of(diagnosis, first)))
    return join(
        tag("p", said("Remedy: "), tag("strong", said(Name(first))), said(Text(": {text}.", text=changes)), rest),
        tag("pre", tag("code", diagnosis.command(facts.run.path, first)), class_="command", tabindex=0),
    )
