"""The run folder: which file is where. A reader needs none of the code that wrote it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import safetensors

from sparring.characters import quoted
from sparring.errors import SparringError
from sparring.record import legacy, schema
from sparring.record.files import disk_errors, link_or_copy, save_arrays, write_atomically
from sparring.record.journal import Journal, replay
from sparring.record.story import Story

MEASURES = "measures.json"
START = "weights/start.safetensors"
MENDS = {
    "recipe.json": "restore the file, or train the recipe again",
    "about.json": "restore the file, or delete it: reports then say less",
    MEASURES: "measure the run again, or delete the file",
}
"""What to do about a damaged file."""
KEPT = "weights/kept"
"""The folder of checkpoints that were kept along the way."""
KEPT_CHECKPOINTS = 2
"""How many of the newest checkpoints stay: the newest, and the one before it in case the newest cannot be read."""


class RunFolder:
    """The folder of a run at `path`, which may not exist yet.

    It has recipe.json, journal.jsonl, about.json, weights/*.safetensors, samples/*.png, and later report.html and
    measures.json. Files that an older version wrote are read in today's names.
    """

    def __init__(self, path: str | PathLike[str]):
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @classmethod
    def open(cls, path: str | PathLike[str]) -> RunFolder:
        """Open an existing run.

        Raises:
            SparringError: There is no such folder, or it has no recipe.json.
        """
        run = cls(path)
        if not run.path.exists():
            if near := _alike(run.path):
                raise SparringError(f"{path} does not exist; did you mean {near}?")
            raise SparringError(f"{path} does not exist; `sparring train RECIPE --out {path}` would make it")
        if not run.exists and cls(run.path.parent).exists:
            raise SparringError(f"{path} lies in the run {run.path.parent}: name that folder")
        if not run.exists:
            raise SparringError(f"{path} is not a run: it has no recipe.json")
        return run

    @property
    def exists(self) -> bool:
        """Whether the folder is a run, that is whether it has a recipe."""
        return (self.path / "recipe.json").is_file()

    @property
    def has_begun(self) -> bool:
        """Whether any of it was trained: a page makes the folder first, to show it. Raises SparringError if damaged."""
        return self.sharded or bool(self.story.events)

    @property
    def shards(self) -> Path:
        """The folder of the shards, for a run whose members are trained by several processes."""
        old = self.path / legacy.SHARDS
        return old if old.is_dir() else self.path / "shards"

    @property
    def sharded(self) -> bool:
        """Whether several processes train this run's members."""
        return self.shards.is_dir()

    @property
    def shards_are_saved(self) -> bool:
        """Whether a shard has a checkpoint: the run has none while its shards are in different rounds."""
        return any(RunFolder(shard).checkpoints() for shard in self.shards.glob("*/"))

    @property
    def is_blank(self) -> bool:
        """Whether the folder is empty, or has only what a run leaves that was killed before its recipe was written."""
        inside = (path for path in self.path.rglob("*") if not path.is_dir())
        return all(path.name.endswith(".partial") or path == self.start for path in inside)

    def create(self, recipe_json: str) -> None:
        """Make the folder. The recipe is written first: without it the folder is no run."""
        write_atomically(self.path / "recipe.json", lambda path: path.write_text(recipe_json, encoding="utf-8"))
        with disk_errors(self.path):
            for folder in ("weights", "samples", "figures"):
                (self.path / folder).mkdir(parents=True, exist_ok=True)

    @property
    def recipe_json(self) -> str:
        """The text of recipe.json as it is on the disk. Raises SparringError when it cannot be read."""
        return self._text("recipe.json")

    @property
    def recipe(self) -> dict[str, Any]:
        """The recipe as plain data. Raises SparringError when the file is damaged, or of a newer version."""
        recipe = self._json("recipe.json", legacy.recipe)
        if unknown := sorted(recipe.keys() - schema.RECIPE.keys()):
            raise SparringError(
                f"{self.path / 'recipe.json'} has what this version of sparring does not know: {', '.join(unknown)}; "
                "update sparring, if a newer version wrote it, or restore the file"
            )
        fields = schema.RECIPE if recipe.get("per_member") else {**schema.RECIPE, "seeds": schema.DISTINCT_SEEDS}
        return self._checked("recipe.json", recipe, lambda value: schema.check(value, fields, tuple(schema.REQUIRED)))

    @property
    def journal(self) -> Journal:
        """The journal, for appending. Raises SparringError where the folder is no run, any more."""
        self._check_is_there()
        return Journal(self.path / "journal.jsonl")

    @property
    def story(self) -> Story:
        """The journal, replayed. Raises SparringError when it is damaged."""
        return Story(self.recipe, replay(self.path / "journal.jsonl"))

    @property
    def about(self) -> dict[str, Any]:
        """What about.json says of the machine, the versions and the settings; empty before it is written.

        Raises SparringError when it is damaged.
        """
        if not (self.path / "about.json").exists():
            return {}
        about = self._json("about.json", legacy.about)
        return self._checked("about.json", about, lambda value: schema.check(value, schema.ABOUT))

    @property
    def about_for_reports(self) -> dict[str, Any]:
        """What about.json says; nothing where it is damaged, which is said once: reports then say less."""
        try:
            return self.about
        except SparringError as error:
            _say_once(str(error))
            return {}

    @property
    def measures(self) -> dict[str, Any] | None:
        """What `sparring measure` last wrote, as plain data, or None. Raises SparringError when the file is damaged."""
        if not (self.path / MEASURES).exists():
            return None
        measures = self._json(MEASURES, legacy.measures)
        return self._checked(MEASURES, measures, schema.check_measures)

    @property
    def measured_at(self) -> int:
        """When `sparring measure` last wrote, in nanoseconds since 1970; 0 where it never did."""
        try:
            return (self.path / MEASURES).stat().st_mtime_ns
        except OSError:
            return 0

    def _text(self, name: str) -> str:
        path = self.path / name
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise SparringError(f"{path} is not text in UTF-8; {MENDS[name]}") from error
        except OSError as error:
            self._check_is_there()
            raise SparringError(f"cannot read {path}: {error.strerror}") from error

    def _json(self, name: str, renamed: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """A file's JSON in today's names."""
        try:
            return renamed(schema.check(json.loads(self._text(name)), {}))
        except (ValueError, RecursionError) as error:
            what = "not JSON" if isinstance(error, json.JSONDecodeError | RecursionError) else "damaged"
            raise SparringError(f"{self.path / name} is {what} ({error}); {MENDS[name]}") from error
        except (KeyError, TypeError, AttributeError) as error:
            raise SparringError(f"{self.path / name} is damaged; {MENDS[name]}") from error

    def _checked(self, name: str, data: Any, check: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        try:
            return check(data)
        except ValueError as error:
            raise SparringError(f"{self.path / name} is damaged: {error}; {MENDS[name]}") from error

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file of the run; see `write_atomically`."""
        return self.write(name, lambda path: path.write_text(text, encoding="utf-8"))

    def write(self, name: str, write: Callable[[Path], object]) -> Path:
        """Write any file of the run; see `write_atomically`. Raises SparringError where the folder is no run, too."""
        self._check_is_there()
        return write_atomically(self.path / name, write)

    def _check_is_there(self) -> None:
        # Whoever removes or moves a folder that is being trained would else find half of a run in its place.
        if not self.exists:
            raise SparringError(
                f"{self.path} is not a run any more: it was removed or moved; put it back, or name its new place, to "
                "go on from its last checkpoint"
            )

    def save(self, round: int, state: Mapping[str, np.ndarray]) -> Path:
        """Save a checkpoint, the state after `round` rounds, then delete all but the newest KEPT_CHECKPOINTS."""
        path = self._save(f"round-{round:09d}", round, state)
        for old in self.checkpoints()[:-KEPT_CHECKPOINTS]:
            old.unlink(missing_ok=True)
        return path

    def save_best(self, round: int, state: Mapping[str, np.ndarray]) -> Path:
        """Save the best checkpoint, in place of the best so far."""
        path = self._save(f"best-round-{round:09d}", round, state)
        for old in (self.path / "weights").glob("best-*.safetensors"):
            if old != path:
                old.unlink(missing_ok=True)
        return path

    def _save(self, name: str, round: int, state: Mapping[str, np.ndarray]) -> Path:
        metadata = {"round": str(round)}  # one key: safetensors writes several in random order
        return self.write(f"weights/{name}.safetensors", lambda path: save_arrays(state, path, metadata))

    @property
    def best(self) -> Path | None:
        """The checkpoint of the evaluated round whose samples were closest to the data; None if none was evaluated."""
        found = sorted((self.path / "weights").glob(f"best-round-{'[0-9]' * 9}.safetensors"))
        return found[-1] if found else None

    @property
    def start(self) -> Path:
        """The weights that the members started with, where they were another run's."""
        return self.path / START

    def save_start(self, state: Mapping[str, np.ndarray]) -> Path:
        """Keep the weights of another run that the members start with; the folder need not be a run yet."""
        return write_atomically(self.start, lambda path: save_arrays(state, path, {"round": "0"}))

    def load_file(self, path: Path) -> dict[str, np.ndarray]:
        """All arrays of one file of weights. Raises SparringError when it cannot be read."""
        try:
            with safetensors.safe_open(path, framework="numpy") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no __iter__
        except (safetensors.SafetensorError, OSError) as error:
            raise SparringError(f"{path} cannot be read ({error})") from error

    def checkpoints(self) -> list[Path]:
        """Checkpoint files, oldest first."""
        return sorted((self.path / "weights").glob(f"round-{'[0-9]' * 9}.safetensors"))

    def kept(self) -> list[Path]:
        """Checkpoints that were kept along the way, oldest first."""
        return sorted((self.path / KEPT).glob(f"round-{'[0-9]' * 9}.safetensors"))

    def keep(self, checkpoint: Path) -> Path:
        """Keep a checkpoint along the way: a second name of the same file, which takes no further space."""
        self._check_is_there()
        return link_or_copy(checkpoint, self.path / KEPT / checkpoint.name)

    def save_kept(self, round: int, state: Mapping[str, np.ndarray]) -> Path:
        """Save a checkpoint that is kept along the way and is not one to resume from."""
        return self._save(f"kept/round-{round:09d}", round, state)

    def rounds_saved(self) -> dict[int, Path]:
        """Every round that there is a checkpoint of, in order, with the file: the newest, those kept, the best."""
        paths = [*([self.best] if self.best else []), *self.kept(), *self.checkpoints()]
        return dict(sorted((round_of(path), path) for path in paths))

    def forget_after(self, round: int) -> None:
        """Make the checkpoint of this round the newest, which there is; what is of later ones is deleted."""
        newest = self.path / "weights" / f"round-{round:09d}.safetensors"
        if not newest.exists():
            link_or_copy(self.rounds_saved()[round], newest)
        later = [path for path in (*self.kept(), *self.checkpoints()) if round_of(path) > round]
        for path in (*later, *([self.best] if self.best and round_of(self.best) > round else [])):
            path.unlink(missing_ok=True)
        self._forget_measurement_after(round)

    def _forget_measurement_after(self, round: int) -> None:
        try:
            measures = self.measures
        except SparringError:
            return  # nobody goes by what cannot be read
        if measures is not None and measures["round"] > round:
            (self.path / MEASURES).unlink(missing_ok=True)

    def load(
        self, prefix: str = "", best: bool = False, round: int | None = None
    ) -> tuple[int, dict[str, np.ndarray]] | None:
        """Load the newest checkpoint that can be read.

        Args:
            prefix: Only arrays whose name starts with it.
            best: Load the best checkpoint instead of the newest.
            round: Load the checkpoint of this round instead, one of `rounds_saved`.

        Returns:
            Its round and its arrays; None if there is no such checkpoint yet.

        Raises:
            SparringError: There are checkpoints, but none can be read.
        """
        problems: list[str] = []
        paths = ([self.best] if self.best else []) if best else list(reversed(self.checkpoints()))
        if round is not None:
            paths = [path for saved, path in self.rounds_saved().items() if saved == round]
        for path in paths:
            try:
                with safetensors.safe_open(path, framework="numpy") as file:
                    names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118 - no __iter__
                    return int((file.metadata() or {})["round"]), {name: file.get_tensor(name) for name in names}
            except (safetensors.SafetensorError, KeyError, ValueError, OSError) as error:
                problems.append(f"{path.name}: {error}")
        if problems:
            raise SparringError(
                f"no checkpoint in {self.path / 'weights'} can be read ({'; '.join(problems)}): {self._way_out(paths)}"
            )
        return None

    def _way_out(self, damaged: Sequence[Path]) -> str:
        """What to do where these checkpoints cannot be read: go by another, or else begin again."""
        readable = [p for p in self.rounds_saved().values() if p not in damaged and _is_readable(p)]
        newest = self.checkpoints()[-1:]
        if newest and newest[0] in readable:  # one that is not the newest was asked for
            return f"the newest, {newest[0].name}, can be read"
        run = quoted(self.path)
        best = self.best if self.best not in damaged and self.best is not None and _is_readable(self.best) else None
        if not readable:
            if best is not None:
                return f"`sparring sample {run} --best` samples from {best.name}"
            return "restore the files, or delete them: training then starts again from round 0"
        before = round_of(readable[-1])
        if best is None:
            return f"`sparring rewind {run} {before}` goes back to that round"
        return f"`sparring sample {run} --best` samples from {best.name}, `sparring rewind {run} {before}` goes back"


def _is_readable(checkpoint: Path) -> bool:
    try:
        with safetensors.safe_open(checkpoint, framework="numpy"):
            return True
    except (safetensors.SafetensorError, OSError):
        return False


def _alike(path: Path) -> Path | None:
    """The run beside a path that is not there whose name is most like its own."""
    try:
        runs = [each.name for each in path.parent.iterdir() if RunFolder(each).exists]
    except OSError:
        return None
    return next((path.parent / name for name in difflib.get_close_matches(path.name, runs, n=1)), None)


@cache
def _say_once(line: str) -> None:
    from sparring.progress import say

    say(line)


def round_of(checkpoint: Path) -> int:
    """The round of a checkpoint, by its name."""
    return int(checkpoint.stem.rpartition("-")[2])
