"""The diagnosis on a run's page: each finding with its evidence, its picture and its remedy."""

from __future__ import annotations

from functools import partial

from sparring.analysis.diagnosis import NOT_SURE, Diagnosis
from sparring.analysis.facts import Facts
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
        tag("h2", "Diagnosis"),
        verdict(diagnosis),
        findings,
        tag("p", diagnosis.evaluated, class_="soft") if findings and diagnosis.evaluated else None,
        tag("p", out_of_range(diagnosis)),
        tag("p", when_to_stop(facts.run, diagnosis)),
        class_="diagnosis",
    )


def verdict(diagnosis: Diagnosis) -> Markup:
    """The verdict in one line."""
    good = diagnosis.verdict != NOT_SURE and not diagnosis.findings[0].fault
    text = tag("strong", diagnosis.verdict), _beside_verdict(diagnosis)
    return tag("p", *text, class_=f"lead verdict{' good' if good else ''}")


def _beside_verdict(diagnosis: Diagnosis) -> str:
    if diagnosis.verdict == NOT_SURE:
        return f": {diagnosis.why_not_sure}."
    return f": {members_of(diagnosis.findings[0])}."


def _finding(facts: Facts, diagnosis: Diagnosis, finding: Finding, index: int) -> Markup:
    evidence = finding.evidence
    columns, rows = evidence_table(finding)
    unhealthy = {k for k, each in enumerate(evidence) if not is_healthy(each)} if finding.fault else None
    picture, _ = chart(partial(finding_figure, facts, finding), finding.plot.title)
    band = "Gray band: the healthy range. " if has_range(finding.plot) else ""
    crosses = "Crosses: the last finite value of a seed. " if finding.rule == "divergence" else ""
    caption = tag("figcaption", f"{band}{crosses}Dotted line: the round since which the finding holds.")
    return tag(
        "article",
        tag("h3", f"{index + 1}. {finding.rule}"),
        tag("p", finding.claim),
        tag("p", f"{members_of(finding)}, {since_of(finding)}.".capitalize(), class_="soft"),
        _line(finding),
        table(columns, rows, main=1, colored=unhealthy),
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
        tag("p", "Instead: ", tag("code", finding.mended)) if finding.mended else None,
    )


def _remedy(facts: Facts, diagnosis: Diagnosis, finding: Finding) -> Markup | None:
    if not finding.remedies:
        return None
    first, *others = finding.remedies
    rest = f" Other remedies that fit this recipe: {', '.join(others)}." if others else ""
    return join(
        tag("p", "Remedy: ", tag("strong", first), f": {'; '.join(changes_of(diagnosis, first))}.{rest}"),
        tag("pre", tag("code", diagnosis.command(facts.run.path, first)), class_="command", tabindex=0),
    )
