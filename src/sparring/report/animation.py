"""Animations: pictures one after another, as GIF, APNG or WebP, and as MP4 where ffmpeg is installed."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from sparring.errors import SparringError, UsageError, in_one_line
from sparring.languages import Text
from sparring.progress import MIN_SECONDS_LEFT, expected_progress, progress
from sparring.record import write_atomically

FORMATS = {".gif": "GIF", ".png": "PNG", ".apng": "PNG", ".webp": "WEBP", ".mp4": "MP4"}
"""Suffix -> the format that is written."""
TRIED = 3
"""Frames that are encoded to find out how long all of them will take."""


def check_format(path: Path) -> Path:
    """The path. Raises UsageError for a suffix that is no format of animations, or for .mp4 without ffmpeg."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"--out must end in {', '.join(FORMATS)}, not {path.suffix or 'in nothing'!r}")
    if path.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        raise UsageError("--out: .mp4 needs ffmpeg, which is not installed: write .webp, .gif or .png")
    return path


def save_animation(frames: Sequence[Image.Image], path: Path, seconds: Sequence[float], loops: bool = True) -> Path:
    """Write an animation.

    Args:
        frames: Pictures of one size.
        path: Its suffix says the format.
        seconds: How long each frame stays.
        loops: Whether it begins again at its end.

    Returns:
        `path`.

    Raises:
        SparringError: The file cannot be written, or ffmpeg fails.
        UsageError: The suffix is no format of animations.
    """
    kind = FORMATS[check_format(path).suffix.lower()]
    if kind == "MP4":
        return write_atomically(path, lambda partial: _mp4(frames, partial, seconds, path.name))
    expected = _expected_seconds(frames, kind)
    with expected_progress(Text("writing {name}", name=path.name), expected, with_estimate=True) as begin:
        if expected > MIN_SECONDS_LEFT:
            begin()
        return write_atomically(path, lambda partial: _encode(frames, partial, kind, seconds, loops))


def _expected_seconds(frames: Sequence[Image.Image], kind: str) -> float:
    """How long it takes to encode them all, by a few of them; 0 where there are so few that it is not worth asking."""
    if len(frames) < 10 * TRIED:
        return 0.0
    some = [frames[k * len(frames) // TRIED] for k in range(TRIED)]
    began = time.perf_counter()
    _encode(some, io.BytesIO(), kind, [1.0] * TRIED)
    return (time.perf_counter() - began) * len(frames) / TRIED


def _encode(
    frames: Sequence[Image.Image],
    into: Path | io.BytesIO,
    kind: str,
    seconds: Sequence[float],
    loops: bool = True,
) -> None:
    times = [max(20, round(1_000 * each)) for each in seconds]
    repeat = {"loop": 0} if loops else {"loop": 1}
    extra = {"lossless": True, "method": 4} if kind == "WEBP" else {"disposal": 1} if kind == "GIF" else {}
    first, *rest = (frame.convert("P", palette=Image.Palette.ADAPTIVE) for frame in frames) if kind == "GIF" else frames
    first.save(into, format=kind, save_all=True, append_images=rest, duration=times, **repeat, **extra)


def _mp4(frames: Sequence[Image.Image], path: Path, seconds: Sequence[float], name: str) -> None:
    """Through ffmpeg, with frames repeated so that each stays as long as it should."""
    rate = 1 / min(seconds)
    width, height = (side - side % 2 for side in frames[0].size)  # H.264 takes even sides
    command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command += ["-r", f"{rate:.3f}", "-i", "-", "-pix_fmt", "yuv420p", "-f", "mp4", str(path)]
    try:
        ffmpeg = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise SparringError(f"ffmpeg cannot be run: {in_one_line(error)}") from error
    with ffmpeg, progress(Text("writing {name}", name=name), len(frames), quiet=True) as update:
        assert ffmpeg.stdin is not None and ffmpeg.stderr is not None
        with contextlib.suppress(BrokenPipeError):  # it says why on stderr
            for k, (frame, each) in enumerate(zip(frames, seconds, strict=True)):
                content = frame.convert("RGB").crop((0, 0, width, height)).tobytes()
                ffmpeg.stdin.write(content * max(1, round(each * rate)))
                update(k + 1)
            ffmpeg.stdin.close()
        said = ffmpeg.stderr.read().decode(errors="replace")
    if ffmpeg.returncode:
        raise SparringError(f"ffmpeg cannot write {name}: {said[:160]}")
