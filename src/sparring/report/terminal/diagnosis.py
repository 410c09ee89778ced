"""What `sparring diagnose` prints."""

from __future__ import annotations

from functools import partial

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from sparring.analysis.diagnosis import NOT_SURE, Diagnosis
from sparring.languages import Name, said
from sparring.languages import Text as Said
from sparring.record import RunFolder
from sparring.report.findings import (
    changes_of,
    evidence_table,
    is_healthy,
    members_of,
    out_of_range,
    since_of,
    when_to_stop,
)
from sparring.report.terminal.commands import Pasteable
from sparring.report.terminal.prose import Prose
from sparring.report.terminal.tables import FittingTable
from sparring.rules import Finding


def diagnosis_text(run: RunFolder, diagnosis: Diagnosis) -> RenderableType:
    """The verdict, then every finding with its evidence and its first remedy, then whether more training pays."""
    parts: list[RenderableType] = [_verdict(diagnosis)]
    for finding in diagnosis.findings:
        parts += [Text(), *_finding(run, diagnosis, finding)]
    if diagnosis.findings and diagnosis.evaluated:
        parts += [Text(), Prose(said(diagnosis.evaluated), "dim")]
    if others := out_of_range(diagnosis):
        parts += [Text(), Prose(said(others))]
    if diagnosis.departure:
        parts += [Text(), Prose(said(Said("Changed while it trained: {why}.", why=diagnosis.departure)))]
    if advice := when_to_stop(run, diagnosis):
        parts += [Text(), Prose(said(advice))]
    return Group(*parts)


def _verdict(diagnosis: Diagnosis) -> Text:
    unsure = diagnosis.verdict == NOT_SURE
    fault = not unsure and diagnosis.findings[0].fault
    hue = "yellow" if unsure else "red" if fault else "green"
    line = Prose.assemble((f"{said('verdict')}  ", "dim"), (said(Name(diagnosis.verdict)), f"bold {hue}"))
    if unsure:
        line.append(f"  {said(diagnosis.why_not_sure)}")
    return line


def _finding(run: RunFolder, diagnosis: Diagnosis, finding: Finding) -> list[RenderableType]:
    hue = "red" if finding.fault and finding.widespread else "yellow" if finding.fault else "green"
    columns, rows = evidence_table(finding)
    table = FittingTable([said(column) for column in columns], optional=(said("min to max"),))
    for evidence, (name, value, *others, healthy) in zip(finding.evidence, rows, strict=True):
        style = "bold" if is_healthy(evidence) else f"bold {hue}"
        table.add_row(said(name), Text(value, style), *map(said, others), Text(said(healthy), "dim"))
    holds = Said("  {members}, {since}", members=members_of(finding), since=since_of(finding))
    parts: list[RenderableType] = [
        Text.assemble((said(Name(finding.rule)), f"bold {hue}"), (said(holds), "dim")),
        Prose(said(finding.claim)),
        Padding(table, (0, 0, 0, 2)),
    ]
    if finding.line is not None:
        parts.append(Text.assemble((f"{finding.line}  ", "dim"), finding.line.code))
    if finding.mended:
        parts.append(Text.assemble((f"{said('instead')}  ", "dim"), said(finding.mended)))
    if finding.remedies:
        name = finding.remedies[0]
        changes = "; ".join(map(said, changes_of(diagnosis, name)))
        parts.append(Text.assemble((f"{said('remedy')}  ", "dim"), said(Name(name)), (f": {changes}", "dim")))
        parts.append(Pasteable(partial(diagnosis.command, run.path, name)))
    return parts
