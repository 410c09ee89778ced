from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, final

import numpy as np

from sparring.characters import printable, quoted
from sparring.datasets import Card, Dataset, Shape, Source
from sparring.datasets._scaling import SIGNAL as SIGNAL
from sparring.datasets._scaling import scaled, scaling, unscaled
from sparring.errors import SparringError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sparring.datasets.files.tables import TableFile

FOUND = ("found_shape", "found_content", "found_columns", "found_center", "found_sd")
"""The fields that are filled in from the file."""


@final
@dataclass(frozen=True)
class Table(Dataset):
    """Your own numbers: a table or signals, each row of a CSV, TSV, Parquet or Arrow file or of an array an example.

    Networks get numbers of mean 0 and standard deviation 1, and these are what metrics compare; samples are written and
    drawn in the units of the file. Columns of text or with few numbers, and rows with a missing or infinite number, are
    left out and listed.
    """

    path: str
    """Path of the .csv, .tsv, .txt, .parquet, .arrow, .feather, .npy or .npz file."""
    columns: str = "all"
    """Which columns: all that hold numbers, or some by their names, or by their places in the file from 1, with commas
    between."""
    scale: Literal["auto", "columns", "signals", "none"] = "auto"
    """How numbers are scaled: each column by itself, signals all alike, or not; auto takes more than 16 columns without
    names for signals."""
    found_shape: tuple[int, ...] = ()
    """Shape of one example, `(K,)`, filled in when training begins."""
    found_content: str = ""
    """Hash of all numbers, filled in when training begins: a run resumes only with the same ones."""
    found_columns: tuple[str, ...] = ()
    """Names of the columns, filled in when training begins."""
    found_center: tuple[float, ...] = ()
    """Means that are subtracted, of each column or of all, filled in when training begins."""
    found_sd: tuple[float, ...] = ()
    """Standard deviations that numbers are divided by, filled in when training begins."""

    places: ClassVar[tuple[str, ...]] = ("path",)
    card: ClassVar[Card] = Card("A table of numbers, or signals", None, "that of the file", "the user")
    class_advice: ClassVar[str] = "a table has none"

    def __post_init__(self) -> None:
        for name in ("path", "columns"):
            object.__setattr__(self, name, str(getattr(self, name)))  # a file called 2024, a column called 3

    @property
    def shape(self) -> Shape:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        """The shape of one example. Reads the file unless `resolved` has filled it in, as when training begins."""
        return self.found_shape if self.found_content else self._load().rows.shape[1:]

    def shape_and_count(self) -> tuple[Shape, int | None]:
        count, width = self._load().rows.shape
        return (width,), count

    def resolved(self) -> Self:
        return self if self.found_content else self._resolved(self._load())

    def with_opener(self, data_dir: Path | None, device: str | torch.device) -> tuple[Self, Callable[[], Source]]:
        if self.found_content:
            return self, lambda: self.open(data_dir, device)
        loaded = self._load()
        resolved = self._resolved(loaded)
        return resolved, lambda: resolved._source(loaded, device)

    def _resolved(self, loaded: TableFile) -> Self:
        from sparring.progress import say

        for line in loaded.lines():
            say(f"{printable(str(loaded.path))}: {line}")
        center, sd = self._scaling(loaded)
        found = (loaded.rows.shape[1:], loaded.content, loaded.columns, center, sd)
        return dataclasses.replace(self, path=str(loaded.path), **dict(zip(FOUND, found, strict=True)))

    def _scaling(self, loaded: TableFile) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Means and standard deviations; what is constant is only moved."""
        if self.scale == "none":
            return (0.0,), (1.0,)
        return scaling(loaded.rows, loaded.by_column)

    def changed_since(self, recorded: Mapping[str, Any]) -> str | None:
        mine = dataclasses.asdict(self)
        asked = [name for name in mine if name not in FOUND]
        if recorded.get("is") != "table" or any(recorded.get(name) != mine[name] for name in asked):
            return None
        content, columns = recorded.get("found_content"), tuple(recorded.get("found_columns") or ())
        if content == self.found_content:
            return None
        if (
            set(columns) > set(self.found_columns)
            and dataclasses.replace(self, found_columns=columns)._load().content == content
        ):
            left = ", ".join(quoted(name) for name in columns if name not in self.found_columns)
            return (
                f"it has columns of one number ({left}), which new runs leave out: "
                "`sparring train --from RUN --out RUN` with its folder for both resumes it"
            )
        return self._changed()

    def content_hash(self, source: Source) -> str:
        return f"BLAKE2b {self.found_content}" if self.found_content else ""

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> Source:
        loaded = self._load()
        if self.found_content and loaded.content != self.found_content:
            raise SparringError(self._changed())
        resolved = self if self.found_content else dataclasses.replace(self, **self._only_scaling(loaded))
        return resolved._source(loaded, device)

    def _only_scaling(self, loaded: TableFile) -> dict[str, Any]:
        center, sd = self._scaling(loaded)
        return {"found_center": center, "found_sd": sd}

    def _source(self, loaded: TableFile, device: str | torch.device) -> Source:
        import torch

        from sparring.datasets._stored import Rows

        rows = scaled(loaded.rows, self.found_center, self.found_sd)
        return Rows(torch.from_numpy(rows).to(device), None)

    def _changed(self) -> str:
        state = f"the numbers in {self.path} have changed since this run began"
        return f"{state}: restore them, or start a new run with another --out"

    @property
    def column_names(self) -> tuple[str, ...]:
        return self.found_columns

    def in_data_units(self, examples: Tensor) -> Tensor:
        return examples

    def in_own_units(self, examples: np.ndarray) -> np.ndarray:
        return unscaled(examples, self.found_center, self.found_sd)

    def _load(self) -> TableFile:
        from sparring.datasets.files.tables import read_table

        return read_table(self.path, self.columns, self.scale, self.found_columns)
