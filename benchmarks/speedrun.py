"""Speedruns: how near to the data `auto` comes in so many minutes of two cores, beside a peer in the same minutes.

    python benchmarks/speedrun.py --out speedruns --tiles FOLDER      # everything: days of two cores
    python benchmarks/speedrun.py --out speedruns --only patches-32 --minutes 10 --seeds 1
    python benchmarks/speedrun.py --out speedruns --table             # what there is so far, as Markdown

    python benchmarks/speedrun.py --out speedruns --one-core --minutes 3      # on a machine that does other work too

Each cell (data, contender, minutes, seed) trains alone, with two threads, and is judged by the independent judge of its
data, by which no setting was chosen, with held-out real data beside it. What is finished is kept in OUT/rows and not
trained again; the same command goes on after any interruption (a run of ours where it was, a peer's from its start). 64
samples of each cell, none chosen, are drawn into OUT/sheets. Peers that need a GPU are listed as such. The table of a
whole set of cells goes to `results/speedrun.json` with `--keep`, beside the sets that are there.

With `--one-core`, minutes are processor time of one thread: all clocks of the process count it, as if it had a core to
itself, and that of its compilers. Other work on the machine then changes little, but for the memory bandwidth that all
share. Each cell finds no compiled code, as the first run on a machine.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from statistics import mean, median, mode, stdev
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import numpy as np
import torch
from matplotlib import image as plt_image
from PIL import Image
from plain import dcgan
from rounds import processor

import sparring
from sparring.analysis.judge_choice import independent_judge
from sparring.analysis.samples import real_data, views
from sparring.datasets import Dataset
from sparring.datasets.digits import Digits
from sparring.datasets.fashion_mnist import FashionMNIST
from sparring.datasets.folder import Folder
from sparring.datasets.mnist import MNIST
from sparring.game.compile import aot
from sparring.judges import Judge
from sparring.metrics.frechet_distance import FrechetDistance
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.record.files import write_atomically
from sparring.record.grid import save_grid
from sparring.report.figures.drawing import LIGHT, TEXT, as_png, blank

RESULTS = Path(__file__).parent / "results" / "speedrun.json"
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
SETS = ("tiles", "patches-32", "patches-64", "mnist", "fashion-mnist", "mnist-classes", "fashion-mnist-classes")
"""`tiles` is a folder of the caller's; `patches` are cut out of the two photographs that scikit-learn ships; `digits`,
which is not among them, is for tries."""
CONTENDERS = ("auto", "dcgan")
NEED_A_GPU = {
    "lightweight-gan 1.2.1": "asserts torch.cuda.is_available() when it is imported",
    "stylegan2_pytorch 1.9.0": "asserts torch.cuda.is_available() when it is imported",
}
"""Peers from PyPI that cannot be run on a CPU at all, and why."""
MINUTES, SEEDS, THREADS, SAMPLES, SHOWN = (10.0, 30.0, 60.0), 5, 2, 2_000, 64
PATCHES = 4_000
"""Cut at random places, so that they overlap: of two photographs of 640 x 427 pixels there is no more to be had."""


@dataclass(frozen=True)
class Cell:
    """One training."""

    data: str
    contender: str
    minutes: float
    seed: int
    one_core: bool = False
    """Whether its minutes are processor time of one thread."""

    @property
    def name(self) -> str:
        """Of its files."""
        core = "-one-core" if self.one_core else ""
        return f"{self.data}-{self.contender}-{self.minutes:g}min{core}-{self.seed}"

    @property
    def threads(self) -> int:
        """Of torch."""
        return 1 if self.one_core else THREADS

    @property
    def is_conditional(self) -> bool:
        """Whether both players are given classes."""
        return self.data.endswith("-classes")


def data_of(name: str, tiles: Path | None, home: Path) -> Dataset:
    """The data set of that name; patches are cut into `home` once."""
    known = {"mnist": MNIST, "fashion-mnist": FashionMNIST, "digits": Digits}
    base = name.removesuffix("-classes")
    if base in known:
        return known[base]()
    if name == "tiles":
        if tiles is None:
            raise SystemExit("--tiles FOLDER says where the images of the set `tiles` lie; --only leaves it out")
        return Folder(str(tiles), alpha=False)
    file = home / f"{name}.npy"
    if not file.is_file():
        home.mkdir(parents=True, exist_ok=True)
        np.save(file, patches(int(name.removeprefix("patches-")), PATCHES))
    return Folder(str(file))


def patches(side: int, count: int) -> np.ndarray:
    """Squares of the photographs that scikit-learn ships (CC BY 2.0, danielbuechele and vultilion): `(N, S, S, 3)`."""
    from sklearn.datasets import load_sample_images

    photographs, rng = load_sample_images().images, np.random.default_rng(0)
    cut: list[np.ndarray] = []
    for index in range(count):
        image = photographs[index % len(photographs)]
        top, left = (int(rng.integers(extent - side + 1)) for extent in image.shape[:2])
        cut.append(image[top : top + side, left : left + side])
    return np.stack(cut)


def trained(cell: Cell, data: Dataset, out: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """Samples `(n, C, H, W)` in [0, 1] of this cell, trained now or as far as it was, and what is known of its run."""
    if cell.contender == "auto":
        recipe = find_recipe("auto", sized_by=data, conditional=cell.is_conditional, minutes=cell.minutes)
        recipe = recipe.replace(seeds=(cell.seed,))
        run = sparring.train(recipe, out / "runs" / cell.name, minutes=cell.minutes, threads=cell.threads)
        folder = RunFolder(run.path)
        story = folder.story
        if story.status != "finished":  # it was asked to stop: no row of the whole time
            raise SystemExit(f"{cell.name} stopped at round {story.round:,}; the same command resumes it")
        told = {"rounds": run.recipe.rounds, "trained": story.seconds, "compiled": folder.about["compiled"]}
        return run.sample(SAMPLES)[0], told
    source: Any = data.open(None, "cpu")
    images = source.pixels.float().div(127.5).sub(1)
    labels = torch.from_numpy(source.classes) if cell.is_conditional else torch.zeros(len(images), dtype=torch.int64)
    classes = data.classes if cell.is_conditional else 0
    torch.set_num_threads(cell.threads)
    generator, rounds = dcgan.train(images, labels, classes, 60 * cell.minutes, cell.seed)
    kinds = labels[torch.randint(len(labels), (SAMPLES,), generator=torch.Generator().manual_seed(0))]
    return dcgan.sample(generator, kinds, SAMPLES, classes).numpy(), {"rounds": rounds, "trained": 60 * cell.minutes}


class Reporting:
    """A judge of a data set, and what it says of real data and of samples; the independent one, where none is given."""

    def __init__(self, data: Dataset, judge: Judge | None = None):
        self._judge = judge or independent_judge(data)
        real = real_data(data, SAMPLES)
        self._reference = views(real.reference, self._judge)["features"]
        self.count = len(real.reference)
        self.real = self.distance(real.held_out)

    def distance(self, images: np.ndarray) -> float:
        """The Fréchet distance of images `(n, C, H, W)` in [0, 1], of as many as there are real ones."""
        features = views(images[: self.count], self._judge)["features"]
        return float(FrechetDistance()(self._reference, features[None])[0])


class Named(Protocol):
    """What has a row."""

    @property
    def name(self) -> str:
        """Of its files."""
        ...


C = TypeVar("C", bound=Named)


def unfinished(cells: Sequence[C], out: Path) -> Iterator[tuple[C, Path]]:
    """Cells that have no row yet, each with the file that its row goes to."""
    for folder in ("rows", "sheets"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for cell in cells:
        row = out / "rows" / f"{cell.name}.json"
        if not row.exists():
            yield cell, row


def play(cells: Sequence[Cell], out: Path, tiles: Path | None) -> None:
    """Train and judge every cell that has no row yet."""
    judges: dict[str, Reporting] = {}
    for cell, row in unfinished(cells, out):
        data = data_of(cell.data, tiles, out / "data")
        if cell.data not in judges:
            judges[cell.data] = Reporting(data)
        judge, began = judges[cell.data], time.monotonic()
        with clocks_of(cell):
            images, told = trained(cell, data, out)
        told |= {"seconds": round(time.monotonic() - began, 1), "load": os.getloadavg()[0]}
        save_grid(images[None, :SHOWN], out / "sheets" / f"{cell.name}.png")
        told |= {"distance": judge.distance(images), "real": judge.real, "n": judge.count}
        where = {"processor": processor(), "torch": torch.__version__, "on": date.today().isoformat()}
        text = json.dumps({**asdict(cell), **told, **where}, indent=1)
        write_atomically(row, lambda path, text=text: path.write_text(text))
        print(
            f"{cell.name}: {told['distance']:.3g} (real {judge.real:.3g}) after {told['rounds']:,} rounds", flush=True
        )


@contextmanager
def clocks_of(cell: Cell) -> Generator[None]:
    """Clocks that count the processor time of this process and of those it waited for, where its minutes are that.

    What the compiler takes is a part of it: code that another cell compiled is not used.
    """
    clocks, compiled = (time.monotonic, time.perf_counter), aot.cache_dir
    with TemporaryDirectory() as empty:
        if cell.one_core:
            time.monotonic = time.perf_counter = processor_seconds
            aot.cache_dir = lambda: Path(empty)
        try:
            yield
        finally:
            time.monotonic, time.perf_counter = clocks
            aot.cache_dir = compiled


def processor_seconds() -> float:
    """Of this process, and of those that it started and waited for."""
    others = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + others.ru_utime + others.ru_stime


def cells_of(names: Sequence[str], minutes: Sequence[float], seeds: int, one_core: bool = False) -> Iterator[Cell]:
    """Every cell; both contenders of a seed follow each other, so that they meet the same machine."""
    for seed in range(seeds):
        for budget in minutes:
            for name in names:
                for contender in CONTENDERS:
                    yield Cell(name, contender, budget, seed, one_core)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: the distance by the independent judge, mean ± SD over seeds, the median of rounds, and real data's."""
    if not rows:
        return "Not run yet."
    budgets = sorted({_budget(row) for row in rows})
    lines = [
        f"| data | contender | seeds |{''.join(f' {_in_words(*budget)} |' for budget in budgets)} *real data* |",
        f"| --- | --- | ---: |{' --- |' * len(budgets)} ---: |",
    ]
    for name, contender in dict.fromkeys((row["data"], row["contender"]) for row in rows):
        mine = [row for row in rows if (row["data"], row["contender"]) == (name, contender)]
        parts = [[row for row in mine if _budget(row) == budget] for budget in budgets]
        seeds = max(map(len, parts))
        cells = [_cell(part, seeds) for part in parts]
        lines.append(f"| `{name}` | {contender} | {seeds} | {' | '.join(cells)} | {mine[0]['real']:.3g} |")
    lines += ["", *(f"- {peer} cannot take part on a CPU: it {why}." for peer, why in NEED_A_GPU.items())]
    return "\n".join(lines)


def kept() -> str:
    """The table of what was kept for the docs, and where it was measured."""
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    if not rows:
        return table(rows)
    days = ", ".join(sorted({row["on"] for row in rows}))
    numbers = {row["data"]: row["n"] for row in rows}
    usual = mode(numbers.values())
    others = ", ".join(f"{number:,} of `{name}`" for name, number in numbers.items() if number != usual)
    count = f"{usual:,} samples of each run{others and f' ({others})'}, and as many real images."
    processors = " and ".join(dict.fromkeys(row["processor"] for row in rows))
    where = f"{processors}, torch {rows[0]['torch']}, {days}"
    what = "Mean ± SD over seeds, and the median of the rounds."
    return f"{table(rows)}\n\n{what} {count} {_time_taken(rows)}{where}."


def _time_taken(rows: Sequence[dict[str, Any]]) -> str:
    """How far from its minutes `auto` was, which chooses its rounds before it begins."""
    shares = [row["trained"] / (60 * row["minutes"]) for row in rows if row["contender"] == "auto" and "trained" in row]
    if not shares:
        return ""
    took = f"{min(shares):.2f} to {max(shares):.2f} times its minutes (median {median(shares):.2f})"
    return (
        f"`auto` chooses its rounds by a pilot, and they took {took}, the least where a compiler had the rest; DCGAN "
        "stops when its minutes are over. "
    )


def draw(name: str, out: Path, data: Dataset) -> None:
    """Real images, and what each contender came to with seed 0 in the longest time that all of them had, and in longer
    ones that one had: 64 of each, none chosen."""
    rows = [row for row in rows_in(out) if row["data"] == name and row["seed"] == 0]
    longest = [max(_budget(row) for row in rows if row["contender"] == kind) for kind in {r["contender"] for r in rows}]
    shown = [row for row in rows if _budget(row) >= min(longest)]
    sheets = [Cell(**{key: row[key] for key in Cell.__dataclass_fields__}) for row in shown]
    real = out / "sheets" / f"{name}-real.png"
    save_grid(real_data(data, SHOWN).held_out[None, :SHOWN], real)
    pictures = {"real images": real}
    pictures |= {
        f"{cell.contender}, {_in_words(cell.threads, cell.minutes)}": out / "sheets" / f"{cell.name}.png"
        for cell in sheets
    }
    figure = blank(LIGHT, 0.5 + 8.1 / len(pictures))  # inches: titles, and squares as wide as there is room
    for axes, (title, file) in zip(figure.subplots(1, len(pictures)), pictures.items(), strict=True):
        axes.imshow(plt_image.imread(file), interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(title, fontsize=TEXT, color=LIGHT.ink)
    with Image.open(io.BytesIO(as_png(figure))) as drawn:  # photographs and noise with 256 colors: a third of the bytes
        few = drawn.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(PICTURES / f"speedrun-{name}.png", optimize=True)


def _budget(row: dict[str, Any]) -> tuple[int, float]:
    """Threads and minutes."""
    return (1 if row.get("one_core") else THREADS), row["minutes"]


def _in_words(threads: int, minutes: float) -> str:
    return f"{minutes:g} min" if threads == THREADS else f"{minutes:g} min of one core"


def _cell(rows: Sequence[dict[str, Any]], seeds: int) -> str:
    """`4.85 ± 0.41 (9,130 rounds)`, and how many seeds where these are fewer than the others; empty for no rows."""
    if not rows:
        return ""
    fewer = "" if len(rows) == seeds else ", 1 seed" if len(rows) == 1 else f", {len(rows)} seeds"
    distance = _spread([row["distance"] for row in rows])
    return f"{distance} ({median(row['rounds'] for row in rows):,.0f} rounds{fewer})"


def _spread(values: Sequence[float]) -> str:
    finite = [value for value in values if np.isfinite(value)]
    lost = f" ({len(values) - len(finite)} diverged)" if len(finite) < len(values) else ""
    spread = f" ± {stdev(finite):.2g}" if len(finite) > 1 else ""
    return (f"{mean(finite):.3g}{spread}" if finite else "none") + lost


def rows_in(out: Path) -> list[dict[str, Any]]:
    """What is finished."""
    return in_order([json.loads(file.read_text()) for file in sorted((out / "rows").glob("*.json"))])


def in_order(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """In the order of the sets."""
    order = {name: index for index, name in enumerate(SETS)}
    return sorted(rows, key=lambda row: (order.get(row["data"], len(SETS)), row["contender"], row["minutes"]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is asked for and not there yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("speedruns"), help="where runs, rows and sheets are kept")
    parser.add_argument("--tiles", type=Path, help="a folder or an archive of images for the set `tiles`")
    parser.add_argument("--only", nargs="+", choices=(*SETS, "digits", "digits-classes"), default=SETS, metavar="SET")
    parser.add_argument("--minutes", nargs="+", type=float, default=MINUTES)
    parser.add_argument("--one-core", action="store_true", help="minutes are processor time of one thread")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--table", action="store_true", help="train nothing")
    parser.add_argument("--keep", action="store_true", help="put these sets into results/speedrun.json, for docs")
    asked = parser.parse_args(arguments)
    if not asked.table:
        play(list(cells_of(asked.only, asked.minutes, asked.seeds, asked.one_core)), asked.out, asked.tiles)
    rows = rows_in(asked.out)
    if asked.keep:
        sets = {row["data"] for row in rows}
        others = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        both = in_order([*(row for row in others if row["data"] not in sets), *rows])
        RESULTS.write_text(json.dumps(both, indent=1) + "\n")
        for name in sets:
            draw(name, asked.out, data_of(name, asked.tiles, asked.out / "data"))
    print(table(rows))


if __name__ == "__main__":
    main()
