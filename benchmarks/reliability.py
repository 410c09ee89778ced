"""How often the diagnosis is right, on each of its benchmarks: a table for docs/diagnosis.md. Trains nothing."""

from __future__ import annotations

import broken_gans
import diagnosis_ladder
from stranger_cases import tables


def table() -> str:
    """Markdown: correct verdicts, sick GANs that are called healthy, and sound ones that are called sick."""
    right, count = diagnosis_ladder.score()
    return "\n".join(
        [
            "| benchmark | correct verdicts | sick, called healthy | sound, called sick |",
            "| --- | --- | ---: | ---: |",
            _row("GANs of strangers, written when the rules were settled", tables.score("new2")),
            _row("earlier ones, as they were read; two rules were changed by them since", tables.score("new")),
            _row("older GANs of strangers that no rule was changed by", tables.score("fresh")),
            _row("the same, by the expectations as first written", tables.score("fresh", corrected=False)),
            _row("GANs broken on purpose that no threshold was chosen by", broken_gans.score("report")),
            f"| reference results of the ladder's write-ups | {right} of {count} ({right / count:.0%}) | | |",
        ]
    )


def _row(title: str, score: tuple[int, int, int, int]) -> str:
    right, count, called_healthy, called_sick = score
    return f"| {title} | {right} of {count} ({right / count:.0%}) | {called_healthy} | {called_sick} |"


if __name__ == "__main__":
    print(table())
