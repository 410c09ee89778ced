"""Measure precision and recall over truncation.

Latent vectors are moved toward the center of their distribution by a factor psi. Samples become more typical and less
varied: precision rises and recall falls. The recommended psi has the largest harmonic mean of both, over all seeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from sparring.cli._latent import say_state
from sparring.cli.flags import (
    DataDir,
    Json,
    Members,
    RunDir,
    Source,
    Spoken,
    check_count,
    decimals,
    flag,
    members,
    parse,
    print_json,
    print_rich,
)
from sparring.cli.main import OK


@dataclass
class TruncationFlags:
    """Flags of `truncation`."""

    run: RunDir
    psi: Annotated[str, flag("Values of psi.", "VALUES")] = "0.3,0.4,0.5,0.6,0.7,0.8,0.9,1"
    count: Annotated[int, flag("Samples of each member at each psi, and as many real examples.", "N")] = 1_000
    data_dir: DataDir = None
    seeds: Members = ""
    source: Source = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Print the table and the recommended value."""
    flags = parse(TruncationFlags, "truncation", arguments, __doc__ or "")
    psis = decimals("--psi", flags.psi)
    check_count("--count", flags.count, low=32)
    seeds = members(flags.seeds)
    from sparring.analysis.latent_tools.truncation import truncation
    from sparring.record import RunFolder

    say_state(flags.run, seeds)
    made = truncation(RunFolder.open(flags.run), psis, flags.count, seeds, flags.data_dir, flags.source)
    if flags.json:
        return print_json(made.plain())
    from sparring.report.terminal.truncation import truncation_text

    print_rich(truncation_text(made))
    return OK
