"""What `sparring` offers a Python user: `train`, the handle on a run that it returns, and the functions around them."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, final

import numpy as np

from sparring import catalogue
from sparring.analysis.diagnosis import Diagnosis, diagnose
from sparring.errors import SparringError, UsageError
from sparring.fields import described, refusal
from sparring.recipe import Recipe, remember
from sparring.record import RunFolder, Story
from sparring.record.story import CURVES, GRADIENTS
from sparring.training import control

if TYPE_CHECKING:  # these load torch or matplotlib: the rest of this module does without
    from torch import nn

    from sparring.analysis.measure import Measurement
    from sparring.training.control import Steer

P = ParamSpec("P")


def measure(
    run: RunFolder | str | PathLike[str],
    count: int = 1_000,
    *,
    judge: str | None = None,
    metrics: Sequence[str] = (),
    seeds: Sequence[int] | None = None,
    data_dir: str | Path | None = None,
    recipe: Recipe | None = None,
) -> Measurement:
    """Measure the samples of every member of a run, beside what held-out real data score.

    Args:
        run: A run or its folder.
        count: Generated examples of each member, and real ones on either side.
        judge: Whose features to compare by: `digits`, `mnist`, `fashion-mnist`, `own` (trained on this data), or
            `inception`. By default the one that goes with the data.
        metrics: Names of metrics to measure; all that fit the data if empty.
        seeds: Members to measure; all if None.
        data_dir: The folder with the data set's files, where it is not the default one.
        recipe: The recipe with networks or data themselves, where they exist in memory only and were not trained here.

    Returns:
        The measurement, which is stored in the run's folder too, unless there is one of more by the same judge.

    Raises:
        SparringError: There is no checkpoint yet, or the data cannot be read.
        UsageError: There is no such judge, metric or member, or it does not fit the data.
    """
    from sparring.analysis.measure import keep
    from sparring.analysis.measure import measure as measure_run

    folder = run if isinstance(run, RunFolder) else RunFolder.open(run)
    home = Path(data_dir) if data_dir is not None else None
    measured = measure_run(folder, count, judge, home, None, seeds, tuple(metrics), recipe=recipe)
    keep(measured)
    return measured


RECIPE_WORDS = ("lr", "learning_rate", "optimizer", "batch_size", "loss", "seed")
"""Words for settings that belong to a recipe, beside the names of its fields."""
CHECKED: Mapping[str, Any] = {
    "int": int,
    "int | None": int | None,
    "bool": bool,
    "bool | None": bool | None,
    "float | None": float | None,
    "Literal['here', 'ray']": Literal["here", "ray"],
}
"""Annotations of arguments whose values are checked, as they are written -> the types themselves."""


@final
class Curves(Mapping[str, np.ndarray]):
    """Losses, scores and gradient norms over the rounds: `curves["d_loss"]` is float64 `(T, P)`, NaN where not finite.

    `curves.rounds`, int64 `(T,)`, says which round each row is of; columns are members, in the order of `curves.seeds`.
    """

    def __init__(self, story: Story):
        self._story = story
        self.rounds = story.logged_rounds
        self.seeds = tuple(story.names)
        self._names = [*CURVES, *(name for name in GRADIENTS if np.isfinite(story.curve(name)).any())]

    def __getitem__(self, name: str) -> np.ndarray:
        """Raises UsageError for a curve that this run does not have, with the nearest name that it has."""
        if name not in self._names:
            raise UsageError(catalogue.unknown("curves", str(name), self._names))
        return self._story.curve(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The curve of that name, or `default` where this run does not have it."""
        return self._story.curve(name) if name in self._names else default

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"Curves({', '.join(self._names)}; {len(self.rounds):,} rounds x {len(self.seeds):,} members)"

    def to_pandas(self) -> Any:
        """Collect all curves in one DataFrame.

        Returns:
            A `pandas.DataFrame`: its index is `round`, its columns are `(curve, seed)`.

        Raises:
            SparringError: pandas is not installed.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ImportError as error:
            raise SparringError("curves.to_pandas() needs pandas: pip install pandas") from error
        columns = pandas.MultiIndex.from_product([self._names, self.seeds], names=["curve", "seed"])
        values = np.concatenate([self[name] for name in self._names], 1)
        return pandas.DataFrame(values, index=pandas.Index(self.rounds, name="round"), columns=columns)


@final
class Run:
    """A run: what was trained, how it went, and what its generators make. In a notebook it displays itself.

    Args:
        folder: The run's folder; it may still be training.
        recipe: The recipe that it was trained with, for networks or data that exist in this process only. Without it
            the recipe is read from the folder.

    Raises:
        SparringError: The folder holds no run.
    """

    def __init__(self, folder: RunFolder | str | Path, recipe: Recipe | None = None):
        self.folder = folder if isinstance(folder, RunFolder) else RunFolder.open(folder)
        self._recipe = recipe
        if recipe is not None:
            remember(recipe)

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    def __fspath__(self) -> str:
        """A run stands for its folder's path wherever one is asked for."""
        return str(self.path)

    @property
    def recipe(self) -> Recipe:
        """What was trained. Raises SparringError where that needs a file of the user's own that is gone or changed."""
        from sparring.analysis.generators import recipe_of

        return recipe_of(self.folder, recipe=self._recipe)

    @property
    def seeds(self) -> tuple[int, ...]:
        """One for each member."""
        return tuple(self.folder.story.seeds)

    @property
    def round(self) -> int:
        """Rounds played so far."""
        return self.folder.story.round

    @property
    def status(self) -> str:
        """`finished`, `plateau` (stopped early), `stopped`, `diverged`, or `unfinished` (training, or killed)."""
        return self.folder.story.status

    @property
    def control(self) -> Steer:
        """Steers the run while it trains: `run.control.pause()`, `.step("D")`, `.set(lr=5e-5)`, `.rewind(400)`."""
        return control.Steer(self.folder)

    def branch(self, round: int, out: str | Path, **changes: Any) -> Run:
        """Make a run that goes on from a checkpoint of this one; `train(branch.recipe, branch)` trains it.

        Args:
            round: A round that there is a checkpoint of (`run.control.status()["checkpoints"]`).
            out: The new run's folder.
            changes: What is different from there on: `lr=5e-5`, `batch=32`, `rounds=20_000`, `objective="hinge"`.

        Returns:
            The new run, with this one's history up to that round.

        Raises:
            UsageError: There is no such checkpoint or setting, or `out` exists.
        """
        return Run(control.branch(self.folder, round, out, changes), self._recipe)

    @property
    def curves(self) -> Curves:
        """Losses, scores and gradient norms, `(rounds, members)` each."""
        return Curves(self.folder.story)

    def diagnose(self) -> Diagnosis:
        """Diagnose the run, finished or not, from its journal.

        Returns:
            What is wrong, or right: findings with their evidence, the strongest first, and remedies to try.

        Raises:
            SparringError: The run's files are damaged.
        """
        return diagnose(self.folder)

    def measure(
        self,
        count: int = 1_000,
        *,
        judge: str | None = None,
        metrics: Sequence[str] = (),
        seeds: Sequence[int] | None = None,
        data_dir: str | Path | None = None,
    ) -> Measurement:
        """Measure the samples of every member, beside what held-out real data score.

        Args:
            count: Generated examples of each member, and real ones on either side.
            judge: Whose features to compare by: `digits`, `mnist`, `fashion-mnist`, `own` (trained on this data), or
                `inception`. By default the one that goes with the data.
            metrics: Names of metrics to measure; all that fit the data if empty.
            seeds: Members to measure; all if None.
            data_dir: The folder with the data set's files, where it is not the default one.

        Returns:
            The measurement, which is stored in the run's folder too, unless there is one of more by the same judge.

        Raises:
            SparringError: There is no checkpoint yet, or the data cannot be read.
            UsageError: There is no such judge, metric or member, or it does not fit the data.
        """
        return measure(
            self.folder, count, judge=judge, metrics=metrics, seeds=seeds, data_dir=data_dir, recipe=self._recipe
        )

    def generator(self, seed: int | None = None, best: bool = False) -> nn.Module:
        """One member's generator as an ordinary module: latent vectors `(B, size)` -> examples `(B, *shape)`.

        Args:
            seed: The member; the first if None.
            best: Take the checkpoint whose samples were nearest to the data, in place of the newest.

        Returns:
            A module in evaluation mode whose output is in data units ([0, 1] for images; `recipe.data.in_own_units`
            takes those of scaled tables and signals back), with averaged (EMA) weights where the recipe keeps such. A
            class-conditional generator takes the classes, `(B,)` integers, as a second argument.

        Raises:
            SparringError: There is no such checkpoint.
            UsageError: The run has no such member.
        """
        from sparring.analysis.generators import generator_module

        return generator_module(self.folder, self.seeds[0] if seed is None else seed, best, recipe=self._recipe)

    def sample(
        self,
        count: int = 64,
        *,
        seeds: Sequence[int] | None = None,
        best: bool = False,
        z_seeds: Sequence[int] | None = None,
    ) -> np.ndarray:
        """Generate examples with every member.

        Args:
            count: Examples of each member: those of its latent vectors 0 to count - 1.
            seeds: Members; all if None.
            best: Take the checkpoint whose samples were nearest to the data, in place of the newest.
            z_seeds: Which latent vectors instead of the first `count`; the same number gives the same example.

        Returns:
            `(P, count, *shape)` in data units: [0, 1] for images, those of the file for a table; float32, or float64
            for a table of which float32 is too coarse.

        Raises:
            SparringError: There is no such checkpoint.
            UsageError: The run has no such member, or a number is out of range.
        """
        from sparring.analysis.generators import sample

        return sample(self.folder, count, z_seeds=z_seeds, seeds=seeds, best=best, recipe=self._recipe)

    def summary(self) -> dict[str, Any]:
        """Summarize the run.

        Returns:
            What `sparring show --json` prints: plain data, with None where there is no finite number.

        Raises:
            SparringError: The run's files are damaged.
        """
        from sparring.analysis.summary import summary

        return summary(self.folder)

    def report(self) -> Path:
        """Write report.html, one self-contained page, and the figures beside it.

        Returns:
            The page's path.

        Raises:
            SparringError: The run's files are damaged, or the disk is full.
        """
        from sparring.report import write_report

        return write_report(self)

    def __repr__(self) -> str:
        story = self.folder.story
        name = story.recipe["name"] or self.path.name
        members = f"{len(story.seeds):,} seed{'s' if len(story.seeds) > 1 else ''}"
        return f"<Run {str(self.path)!r}: {name}, {members}, {story.status} at round {story.round:,}>"

    def _repr_html_(self) -> str:
        from sparring.report.page.notebook import notebook_html

        return notebook_html(self.folder)


def _check_arguments(call: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raises UsageError for an argument that `train` does not have, or of the wrong type, with what to write."""
    known = inspect.signature(call).parameters
    for name in kwargs.keys() - known.keys():
        if name in ("epochs", "num_epochs"):
            raise UsageError("training is counted in rounds: sparring.train(recipe.replace(rounds=...), out=...)")
        if name in RECIPE_WORDS or name in {f.name for f in dataclasses.fields(Recipe)}:
            raise UsageError(f"{name} belongs to the recipe: sparring.train(recipe.replace({name}=...), out=...)")
        if name in ("gpu", "cuda"):
            raise UsageError(f"{name} is a device: sparring.train(..., device={name!r})")
        raise UsageError(f"train: {catalogue.unknown('arguments', name, known)}")
    given = dict(zip(known, args, strict=False)) | dict(kwargs)
    if not isinstance(given.get("recipe"), Recipe | str):
        takes = f"train takes a recipe, or the name of one, not {described(given.get('recipe'))}"
        raise UsageError(f"{takes}: sparring.train(sparring.recipe('auto'))")
    if not isinstance(given.get("out"), str | os.PathLike):
        raise UsageError("say in which folder the run is to be kept: sparring.train(recipe, out='runs/mine')")
    for name, value in given.items():
        wanted = CHECKED.get(str(known[name].annotation))
        if wanted is not None and (takes := refusal(wanted, value)) is not None:
            raise UsageError(f"train: {name} takes {takes}, not {described(value)}")


def _with_handle(call: Callable[P, RunFolder]) -> Callable[P, Run]:
    """The same call, which returns the handle and remembers the recipe it was given."""

    @functools.wraps(call)
    def train_and_wrap(*args: P.args, **kwargs: P.kwargs) -> Run:
        _check_arguments(call, args, kwargs)
        recipe = kwargs.get("recipe", args[0] if args else None)
        if isinstance(recipe, Recipe):
            remember(recipe)  # before it is trained, so that an interrupted run can be opened too
        return Run(call(*args, **kwargs), recipe if isinstance(recipe, Recipe) else None)

    return train_and_wrap


if TYPE_CHECKING:
    from sparring.training.start import train as _train

    train = _with_handle(_train)


def __getattr__(name: str) -> Any:
    """`train`, whose signature and docstring are those of the trainer's, is made when first used."""
    if name != "train":
        raise AttributeError(f"module 'sparring.interface' has no attribute {name!r}")
    from sparring.training.start import train

    return globals().setdefault("train", _with_handle(train))
