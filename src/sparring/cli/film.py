"""Show a run's training as a film of its samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from sparring.cli.flags import Json, RunDir, Spoken, flag, parse, print_json
from sparring.cli.main import OK
from sparring.errors import UsageError

PAUSE = 2.0
"""Seconds that the last frame stays."""


@dataclass
class FilmFlags:
    """Flags of `film`."""

    run: RunDir
    out: Annotated[
        Path | None, flag("FILE.gif, .png (APNG), .webp, or .mp4 with ffmpeg.", "FILE", "RUN/figures/film.webp")
    ] = None
    fps: Annotated[float, flag("Sample pictures in a second.", "N")] = 6.0
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Write the film and print where it is."""
    flags = parse(FilmFlags, "film", arguments, __doc__ or "")
    if not 0.1 <= flags.fps <= 60:
        raise UsageError(f"--fps must lie between 0.1 and 60, not {flags.fps:g}")
    from sparring.record import RunFolder
    from sparring.report.animation import check_format, save_animation
    from sparring.report.film import film

    out = check_format(flags.out or flags.run / "figures" / "film.webp")
    frames, rounds = film(RunFolder.open(flags.run))
    save_animation(frames, out, [*[1 / flags.fps] * (len(frames) - 1), PAUSE])
    if flags.json:
        return print_json({"out": str(out), "frames": len(frames), "rounds": rounds, "size": list(frames[0].size)})
    print(out)
    return OK
