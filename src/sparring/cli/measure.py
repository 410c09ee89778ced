"""Measure a run with every metric, beside what real data scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from sparring.cli.flags import (
    DataDir,
    Json,
    Members,
    RunDir,
    Source,
    Spoken,
    check_count,
    flag,
    members,
    parse,
    print_json,
    print_rich,
)
from sparring.cli.main import FAILED, OK, complain, said
from sparring.errors import SparringError


@dataclass
class MeasureFlags:
    """Flags of `measure`."""

    run: RunDir
    count: Annotated[int, flag("Samples of each member, and as many real examples.", "N")] = 1_000
    judge: Annotated[
        str,
        flag(
            "The classifier whose features and classes the metrics use: digits, mnist, fashion-mnist, or one of these "
            "with -independent, by which no setting was chosen; own, trained on this data once and cached; inception, "
            "for published FID.",
            "NAME",
            "the one of the data set, else own",
        ),
    ] = ""
    metrics: Annotated[tuple[str, ...], flag("Only these metrics.", "NAME ...", "all that fit")] = ()
    data_dir: DataDir = None
    seeds: Members = ""
    source: Source = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Measure, save the numbers in the run's folder, print them and update the run's report page."""
    flags = parse(MeasureFlags, "measure", arguments, __doc__ or "")
    check_count("--count", flags.count)
    seeds = members(flags.seeds)
    from sparring import report
    from sparring.analysis.measure import keep, measure
    from sparring.progress import say

    measured = measure(flags.run, flags.count, flags.judge or None, flags.data_dir, flags.source, seeds, flags.metrics)
    if measured.n < flags.count:
        say(f"{measured.n:,} samples are compared: there are no more real examples to compare them with")
    page, trouble = None, None
    try:
        keep(measured)
        page = report.write_report(measured.run)
    except SparringError as error:  # what took minutes is shown nevertheless
        trouble = error
    if flags.json:
        print_json(measured.plain())
    else:
        print_rich(report.measurement_text(measured.plain()))
        print(page or "", end="\n" if page else "")
    return complain(said(trouble), FAILED) if trouble else OK
