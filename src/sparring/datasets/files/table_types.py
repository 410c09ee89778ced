"""The columns of a Parquet or Arrow file: those of numbers, by their types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from sparring.datasets.files.contents import shown
from sparring.datasets.files.counted import n_numbers
from sparring.datasets.files.rows import RowFile, arrow_errors
from sparring.datasets.files.table_texts import Columns
from sparring.errors import SparringError

INDEX = re.compile(r"__index_level_\d+__")
"""Columns of a Parquet file in which pandas keeps the index of the rows."""


def columns_with_types(file: RowFile) -> Columns:
    """Those of a file whose columns have types."""
    from pyarrow import types

    def is_numeric(kind: Any) -> bool:
        return types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)

    def read(places: Sequence[int]) -> np.ndarray:
        values = (file.column(every[numeric[k]]) for k in places)
        columns = [np.array([np.nan if value is None else float(value) for value in column]) for column in values]
        return np.stack(columns, 1)

    if not sum(file.counts):
        raise SparringError(f"{file.path} holds no rows")
    every = tuple(file.schema.names)
    numeric = tuple(place for place, field in enumerate(file.schema) if is_numeric(field.type))
    index = tuple(k for k, place in enumerate(numeric) if INDEX.fullmatch(every[place]))
    lists = tuple(field.name for field in file.schema if is_numeric(_within(field.type)) and not is_numeric(field.type))
    notes = tuple(_list_line(file, name) for name in lists)
    return Columns(every, numeric, read, index, notes=notes, lists=lists)


def _within(kind: Any) -> Any:
    """The type of what lists of a type hold, or lists of lists."""
    from pyarrow import types

    while types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        kind = kind.value_type
    return kind


def _list_line(file: RowFile, name: str) -> str:
    """That a column holds several numbers in each row, and what to do."""
    with arrow_errors(file.path):
        part = next(part for part, count in enumerate(file.counts) if count)
        values = file.read(part, [name])[name].slice(0, 1).to_pylist()
    array = np.asarray(values[0] or [], dtype=object)
    return (
        f"{shown(name)} holds lists of {n_numbers(array.size)}, which are left out: save them as an .npy array, "
        "(N, K) for rows or signals and (N, H, W) for images"
    )
