"""What a person sees while a run trains: progress, numbers over seeds, sparklines and a few samples.

On a terminal it is one live picture, drawn seldom enough to cost next to nothing; elsewhere, a plain line now and then.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live as Display
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from sparring.analysis.diagnosis import diagnosis, story_of
from sparring.analysis.facts import TITLES
from sparring.analysis.stats import Spread
from sparring.analysis.wording import count, duration, number, plus_minus
from sparring.record.grid import in_color
from sparring.record.story import CURVES
from sparring.report.live.scatters import Scatters
from sparring.report.metric_names import phrases

if TYPE_CHECKING:
    from sparring.datasets import Modes
    from sparring.training.trainer import Trainer

REFRESH_SECONDS = 0.5
COST = 0.004
"""Share of the time that drawing may take: a slow terminal is drawn to less often."""
PLAIN_SECONDS = 10.0
"""Between two lines where there is no terminal."""
VERDICT_SECONDS, VERDICT_COST = 5.0, 0.01
"""Between two diagnoses, at least; and the share of the time that they may take."""
SPARK_WIDTH = 48
BARS, SHADES = "▁▂▃▄▅▆▇█", " ░▒▓█"
IMAGE_SIDE = 16
"""Pixels; larger samples are shrunk to this."""
IMAGE_ROWS = 8
"""Lines of the terminal that the preview may take."""
VECTORS = 8
"""Seeds whose numbers are shown, for data that is a few numbers."""
TALL, ROOMY = 20, 26
"""Lines that a terminal must have for the preview, and for sparklines beside all the rest."""


class Live:
    """A watcher of one training. Use it as a context: `with Live() as live: train(..., watchers=[live])`."""

    def __init__(self, console: Console | None = None):
        # Asked of the stream itself: FORCE_COLOR must not send escape codes into a file.
        self.console = console or Console(stderr=True, force_terminal=sys.stderr.isatty())
        self._display: Display | None = None
        self._trainer: Trainer | None = None
        self._threads: int | None = None
        self._losses: dict[str, list[float]] = {"d_loss": [], "g_loss": []}
        self._next = 0.0
        self._drawn: tuple[np.ndarray, RenderableType] | None = None
        self._told = -1
        self._verdict, self._next_verdict = "", 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._trainer is not None and self._trainer.game.round != self._told:
            self._show(self._trainer)
        if self._display is not None:
            self._display.stop()

    def __call__(self, trainer: Trainer) -> None:
        if self._trainer is not trainer:
            self._begin(trainer)
        now = time.monotonic()
        if now < self._next:
            return
        began = time.thread_time()
        self._show(trainer)
        cost = time.thread_time() - began
        self._next = now + (max(REFRESH_SECONDS, cost / COST) if self._display else PLAIN_SECONDS)

    def _begin(self, trainer: Trainer) -> None:
        self._trainer, self._threads = trainer, trainer.run.about.get("threads")
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self._display = Display(console=self.console, auto_refresh=False)
            self._display.start()
        else:
            recipe = trainer.recipe
            told = [count(len(recipe.seeds), "seed"), count(recipe.rounds, "round"), _threads(self._threads)]
            self._line(f"{recipe.name}: {', '.join(told)}; {SAFE}")
            self._next = time.monotonic() + PLAIN_SECONDS
            self._told = trainer.game.round

    def _show(self, trainer: Trainer) -> None:
        self._told = trainer.game.round
        self._diagnose(trainer)
        lately = {name: Spread.of(values) for name, values in trainer.latest.recent_means().items()}
        for name, history in self._losses.items():
            middle = lately[name].median if name in lately else None
            if middle is not None:
                history.append(middle)
        if self._display is not None:
            self._display.update(self._picture(trainer, lately), refresh=True)
        else:
            self._line(plain_line(trainer, lately, self._verdict.partition(":")[0]))

    def _diagnose(self, trainer: Trainer) -> None:
        """What the journal says so far; seldom enough to cost next to nothing."""
        began = time.monotonic()
        if began < self._next_verdict or not trainer.game.round:
            return
        cost = time.thread_time()
        self._verdict = diagnosis(story_of(trainer.run)).line
        cost = time.thread_time() - cost
        self._next_verdict = began + max(VERDICT_SECONDS, cost / VERDICT_COST)

    def _line(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _picture(self, trainer: Trainer, lately: dict[str, Spread]) -> RenderableType:
        parts: list[RenderableType] = [_progress(trainer, self.console.width)]
        evaluated = _looked(trainer)
        if lately:
            parts += [Text(), spreads_table(lately)]
        if lately and (not evaluated or self.console.height >= ROOMY):
            parts += [Text(), *self._sparklines()]
        if evaluated:
            parts += [Text(), Text.assemble(("samples  ", "bold"), ", ".join(evaluated))]
        if self._verdict:
            parts += [Text(), _so_far(self._verdict)]
        if trainer.latest.picture is not None and self.console.height >= TALL:
            parts += [Text(), self._preview(trainer.latest.picture, trainer)]
        threads = _threads(self._threads)
        safe = "stopping: this round is ended and saved" if trainer.stopping else SAFE
        return Group(*parts, Text(), Text(f"{threads}. {safe}", "dim", no_wrap=True, overflow="ellipsis"))

    def _sparklines(self) -> Iterable[Text]:
        for name, history in self._losses.items():
            if len(history) > 1:
                low, high = min(history), max(history)
                told = f"  {number(low)} to {number(high)}"
                yield Text.assemble((f"{TITLES[name]:<9}", "bold"), (sparkline(history), _HUES[name]), (told, "dim"))

    def _preview(self, examples: np.ndarray, trainer: Trainer) -> RenderableType:
        """Drawn again only when there is a new picture."""
        if self._drawn is None or self._drawn[0] is not examples:
            recipe, color = trainer.recipe, self.console.color_system is not None
            drawn = preview(examples, recipe.seeds, self.console.width, color, recipe.data.modes)
            self._drawn = examples, drawn
        return self._drawn[1]


SAFE = "Ctrl-C saves; the same command goes on"
_HUES = {"d_loss": "blue", "g_loss": "yellow"}


def _so_far(verdict: str) -> Text:
    """The verdict so far, on one line of the terminal."""
    return Text.assemble(("so far   ", "bold"), verdict, no_wrap=True, overflow="ellipsis")


def plain_line(trainer: Trainer, lately: dict[str, Spread], verdict: str = "") -> str:
    """Progress in one line, for logs."""
    played, rounds = trainer.game.round, trainer.recipe.rounds
    told = [f"round {played:,} of {rounds:,} ({played / rounds:.0%})"]
    told += [f"{TITLES[name]} {plus_minus(spread)}" for name, spread in lately.items()]
    told += [*_looked(trainer), *([f"so far {verdict}"] if verdict else []), *_pace(trainer)]
    return ", ".join(told)


def sparkline(values: Sequence[float], width: int = SPARK_WIDTH) -> str:
    """A line of block characters between the least and the most of `values`, averaged down to `width`."""
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return ""
    bins = np.array([part.mean() for part in np.array_split(finite, min(width, len(finite)))])
    low, high = bins.min(), bins.max()
    levels = (bins - low) / (high - low) if high > low else np.zeros(len(bins))
    return "".join(BARS[level] for level in np.minimum((levels * len(BARS)).astype(int), len(BARS) - 1))


def preview(
    examples: np.ndarray, seeds: Sequence[int], width: int, color: bool = True, modes: Modes | None = None
) -> RenderableType:
    """A few of `(P, N, *shape)` examples in data units, as small pictures, as points over `modes`, or as numbers."""
    if modes is not None:
        return Scatters(examples, modes, seeds, width)
    if examples.ndim == 5:
        return Pictures(examples, seeds, width, color)
    vectors = examples.reshape(*examples.shape[:2], -1)[:, 0]
    table = Table.grid(padding=(0, 2, 0, 0))
    for seed, vector in zip(seeds[:VECTORS], vectors, strict=False):
        table.add_row(Text(f"seed {seed}", "dim"), *(_cell(value) for value in vector[: max(1, (width - 12) // 9)]))
    return table


def _cell(value: float) -> Text:
    if not np.isfinite(value):
        return Text("lost", "red")
    return Text(f"{value:.2f} {BARS[int(np.clip(value, 0, 1) * (len(BARS) - 1))]}")


class Pictures:
    """Images of the first seeds that fit: a character is two pixels, the upper as ink, the lower as paper."""

    def __init__(self, examples: np.ndarray, seeds: Sequence[int], width: int, color: bool = True):
        pixels = _shrunk(np.nan_to_num(examples[:VECTORS].clip(0, 1)).astype(np.float64))
        members, count, _, height, across = pixels.shape
        slots = max(1, (width + 2) // (across + 2))
        shown = min(members, slots)
        each = min(count, max(1, slots // shown))
        rows = min(max(1, count // each), max(1, IMAGE_ROWS // -(-height // 2)))
        gap = [Segment("  ")]
        captions = [Segment(f"seed {seed}"[: across + 1].ljust(each * (across + 2)), _DIM) for seed in seeds[:shown]]
        self.lines: list[list[Segment]] = [captions]
        for row in range(rows):
            images = [pixels[m, row * each + k] for m in range(shown) for k in range(each)]
            blocks = [_half_blocks(image) if color else _shaded(image) for image in images]
            self.lines += [[s for part in parts for s in (*part, *gap)] for parts in zip(*blocks, strict=True)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.lines:
            yield from line
            yield Segment.line()


_DIM = Style(dim=True)


def _shrunk(images: np.ndarray) -> np.ndarray:
    """Averaged over squares of pixels until no side is longer than IMAGE_SIDE; an odd last line is dropped."""
    height, width = images.shape[-2:]
    by = -(-max(height, width) // IMAGE_SIDE)
    height, width = height // by, width // by
    cut = images[..., : height * by, : width * by]
    return cut.reshape(*cut.shape[:-2], height, by, width, by).mean((-3, -1))


def _half_blocks(image: np.ndarray) -> list[list[Segment]]:
    """Lines of one `(C, H, W)` image."""
    height, width = image.shape[1:]
    rgb = in_color((image * 255).round().astype(int)).transpose(1, 2, 0)
    if height % 2:
        rgb = np.concatenate([rgb, np.zeros((1, width, 3), dtype=int)])
    return [
        [Segment("▀", Style(color=_rgb(above), bgcolor=_rgb(below))) for above, below in zip(*pair, strict=True)]
        for pair in zip(rgb[::2], rgb[1::2], strict=True)
    ]


def _rgb(pixel: np.ndarray) -> str:
    return "#{:02x}{:02x}{:02x}".format(*pixel.tolist())


def _shaded(image: np.ndarray) -> list[list[Segment]]:
    """The same in gray characters, for a terminal without color."""
    gray = image.mean(0)
    if gray.shape[0] % 2:
        gray = np.concatenate([gray, np.zeros((1, gray.shape[1]))])
    levels = (gray.reshape(-1, 2, gray.shape[1]).mean(1) * (len(SHADES) - 1)).round().astype(int)
    return [[Segment("".join(SHADES[level] for level in line))] for line in levels]


def _looked(trainer: Trainer) -> list[str]:
    """What samples were like at the last look; nothing before the first."""
    latest = trainer.latest
    return phrases({name: Spread.of(values) for name, values in latest.metrics.items()}, latest.real_baseline)


def _progress(trainer: Trainer, width: int) -> Table:
    played, rounds = trainer.game.round, trainer.recipe.rounds
    table = Table.grid(padding=(0, 2, 0, 0))
    told = ", ".join([f"{played:,} of {rounds:,}", *_pace(trainer)])
    table.add_row(
        Text(trainer.recipe.name, "bold"),
        ProgressBar(total=rounds, completed=played, width=max(8, width // 4 - 8)),
        Text(told, no_wrap=True, overflow="ellipsis"),
    )
    return table


def _pace(trainer: Trainer) -> list[str]:
    told: list[str] = []
    if trainer.rounds_per_second:
        told.append(f"{trainer.rounds_per_second:,.0f} rounds/s")
    left = trainer.seconds_left
    if left is not None and trainer.game.round < trainer.recipe.rounds:
        told.append(f"{duration(left)} left")
    return [*told, f"{duration(trainer.seconds)} spent"]


def spreads_table(lately: dict[str, Spread]) -> Table:
    """Each curve lately: its spread over seeds."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 3, 0, 0))
    table.add_column("lately", style="bold")
    for title in ("mean ± SD over seeds", "least", "most", "n"):
        table.add_column(title, justify="right", no_wrap=True)
    for name in CURVES:
        if name in lately:
            spread = lately[name]
            table.add_row(TITLES[name], plus_minus(spread), number(spread.min), number(spread.max), f"{spread.n:,}")
    return table


def _threads(threads: int | None) -> str:
    return count(threads, "thread") if threads else "threads unknown"
