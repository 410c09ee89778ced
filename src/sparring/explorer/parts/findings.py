"""The verdict and the findings behind it, in words."""

from __future__ import annotations

from sparring.analysis.diagnosis import NOT_SURE, Diagnosis
from sparring.analysis.followed import Moment
from sparring.analysis.wording import count, duration
from sparring.explorer.components import prose, tag
from sparring.explorer.words import Words
from sparring.languages import Text
from sparring.report.findings import changes_of, evidence_table, is_healthy, members_of, out_of_range, since_of
from sparring.rules import Finding


def facts_line(words: Words, now: Moment) -> None:
    """Whether it trains, how many members it has, how far it is."""
    with tag("p", classes="facts"):
        tag("span", words(f"status-{now.status}"), f"status {now.status}")
        members, time = words.said(count(now.members, "seed")), duration(now.seconds)
        tag(
            "span", words("facts", members=members, round=f"{now.round:,}", rounds=f"{now.rounds:,}", time=time), "soft"
        )


def steered(words: Words, now: Moment) -> None:
    """What people did to the run, where it is no longer its recipe's."""
    if now.departs:
        tag("p", words("departs", why=words.said(now.departs)), "departs")


def verdict(words: Words, diagnosis: Diagnosis, round: int | None) -> None:
    """The verdict in one line, and of which round it is where that is not the newest."""
    good = diagnosis.verdict != NOT_SURE and not diagnosis.findings[0].fault
    with tag("p", classes="line good" if good else "line"):
        tag("strong", words.named(diagnosis.verdict))
        prose("span", words.said(diagnosis.beside_verdict))
        if round is not None:
            tag("span", words("so-far", round=f"{diagnosis.story.round:,}"), "soft")


def findings(words: Words, now: Moment, run: str) -> None:
    """Every finding with its evidence and remedies, and what people did to the run, which is in the folder `run`."""
    diagnosis = now.diagnosis
    if not diagnosis.findings:
        tag("p", words("no-findings"), "soft")
    for finding in diagnosis.findings:
        _finding(words, diagnosis, finding, run)
    if diagnosis.findings and diagnosis.evaluated:
        prose("p", words.said(diagnosis.evaluated), "soft")
    if rest := out_of_range(diagnosis):
        prose("p", words.said(rest))
    if diagnosis.plateau:
        prose("p", words.said(diagnosis.plateau.words))
    for _, sentence in now.done:
        prose("p", words.said(sentence))


def _finding(words: Words, diagnosis: Diagnosis, finding: Finding, run: str) -> None:
    with tag("article", classes="finding fault" if finding.fault else "finding"):
        tag("h3", words.named(finding.rule))
        prose("p", words.said(finding.claim))
        holds = Text("{members}, {since}.", members=members_of(finding), since=since_of(finding))
        tag("p", words.said(holds).capitalize(), "soft")
        columns, rows = evidence_table(finding)
        with tag("div", classes="table"), tag("table"):
            with tag("thead"), tag("tr"):
                for column in columns:
                    tag("th", words.said(column), scope="col")
            with tag("tbody"):
                for each, row in zip(finding.evidence, rows, strict=True):
                    unhealthy = finding.fault and not is_healthy(each)
                    with tag("tr", classes="colored" if unhealthy else ""):
                        tag("th", words.said(row[0]), scope="row")
                        for cell in row[1:]:
                            tag("td", words.said(cell))
        _line(words, finding)
        _remedies(words, diagnosis, finding, run)


def _line(words: Words, finding: Finding) -> None:
    """The line of the user's own loop, and what it should be."""
    if finding.line:
        tag("code", f"{finding.line}  {finding.line.code}", "command")
    if finding.mended:
        with tag("p"):
            tag("span", words.said("Instead: "))
            tag("code", words.said(finding.mended))


def _remedies(words: Words, diagnosis: Diagnosis, finding: Finding, run: str) -> None:
    """The first remedy with what to type for it, and the others by name."""
    if not finding.remedies:
        return
    first, *others = finding.remedies
    with tag("p"):
        tag("b", words("remedy-named", name=words.named(first)))
        tag("span", f" ({'; '.join(map(words.said, changes_of(diagnosis, first)))})")
        if others:
            names = ", ".join(map(words.named, others))
            tag("span", words.said(Text(" Other remedies that fit this recipe: {names}.", names=names)))
    tag("code", diagnosis.command(run, first), "command")
