"""Queries: DuckDB over tables that are made of the runs' own files, in memory. There is no database that is kept.

Only the tables that a query names are made, and of each run only what has changed since the last query of this process.
"""

from __future__ import annotations

import datetime
import importlib
import math
import os
import re
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from sparring import catalogue
from sparring.analysis.query.columns import TABLES
from sparring.analysis.query.rows import Columns, Opened, cells_in, empty, joined
from sparring.errors import SparringError, UsageError
from sparring.languages import Text, said_again
from sparring.progress import say
from sparring.record import RunFolder

FILES = ("journal.jsonl", "recipe.json", "about.json", "measures.json")
"""Files of a run that its rows are made of."""

_known: dict[tuple[str, str, str], tuple[tuple[Any, ...], Columns]] = {}
"""Folder, run and table -> the state of the files that its rows were made of, and the rows."""


@dataclass(frozen=True)
class Answer:
    """What a query returns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    """Numbers, text, truth values, or None."""
    left_out: tuple[str, ...] = ()
    """Names of runs that cannot be read."""

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"columns": list(self.columns), "rows": [list(row) for row in self.rows]}

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame`. Raises SparringError where pandas is not installed."""
        try:
            pandas = importlib.import_module("pandas")
        except ImportError as error:
            raise SparringError("to_pandas() needs pandas: pip install pandas") from error
        return pandas.DataFrame(list(self.rows), columns=list(self.columns))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def _repr_html_(self) -> str:
        return self.to_pandas().to_html(index=False)


def query(
    sql: str,
    folder: str | PathLike[str] = ".",
    *,
    runs: Iterable[RunFolder] | None = None,
    max_rows: int | None = None,
    seconds: float | None = None,
) -> Answer:
    """Query all runs under a folder with SQL.

    Args:
        sql: A query of the tables `runs`, `curves`, `evaluations` and `findings`, in DuckDB's SQL: `sparring query
            --tables` says which columns they have.
        folder: Runs in it, at any depth, are queried. Runs that cannot be read are named and left out.
        runs: Those of them that are queried; all if None.
        max_rows: Return so many rows at most; all of them if None.
        seconds: Give up on a query that takes longer than that, without the time in which files are read.

    Returns:
        Columns and rows.

    Raises:
        UsageError: The query is none, or names a table or column that there is not, or takes too long.
        SparringError: DuckDB is not installed, or there is no such folder.
    """
    duckdb = _duckdb()
    named = [table for table in TABLES if re.search(rf"\b{table}\b", sql, re.IGNORECASE)]
    # Files are read here, and nothing is written: a query sees the tables and nothing else.
    connection = duckdb.connect(":memory:", config={"enable_external_access": "false"})
    try:
        tables, left_out = _tables(Path(folder), named, runs)
        for table, columns in tables.items():
            connection.register(table, columns)
        if (statements := len(connection.extract_statements(sql))) != 1:
            raise UsageError("ask one query at a time" if statements else "the query is empty")
        with _interrupted_after(seconds, connection):
            relation = connection.execute(sql)
            if relation.description is None:
                return Answer((), (), left_out)
            names = tuple(str(column[0]) for column in relation.description)
            rows = relation.fetchall() if max_rows is None else relation.fetchmany(max_rows)
        return Answer(names, tuple(tuple(map(_plain, row)) for row in rows), left_out)
    except duckdb.InterruptException as error:
        raise UsageError(f"the query takes more than {seconds:g} s: ask for less") from error
    except duckdb.Error as error:
        raise UsageError(_in_one_line(str(error))) from error
    finally:
        connection.close()


@contextmanager
def _interrupted_after(seconds: float | None, connection: Any) -> Generator[None]:
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, connection.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def runs_under(folder: Path) -> Iterator[RunFolder]:
    """Every run in a folder, at any depth, in the order of their paths; shards of a run are part of it."""
    for place, folders, files in os.walk(folder):
        if "recipe.json" in files:
            folders.clear()
            yield RunFolder(place)
        else:
            folders[:] = sorted(name for name in folders if not name.startswith("."))


def _tables(
    folder: Path, names: Sequence[str], runs: Iterable[RunFolder] | None
) -> tuple[dict[str, Columns], tuple[str, ...]]:
    """The tables of these names, and the names of runs that cannot be read."""
    if not folder.is_dir():
        raise SparringError(f"{folder} is no folder, so there are no runs to query in it")
    left_out: list[str] = []
    parts: dict[str, list[Columns]] = {name: [empty(name)] for name in names}
    opened = list(_opened(folder, runs_under(folder) if runs is None else runs)) if names else []
    for each in opened:
        try:
            made = {name: _table(folder, each, name) for name in names}
        except SparringError as error:
            say(Text("left out: {error}", error=said_again(str(error))))
            left_out.append(each.name)
            continue
        for name, columns in made.items():
            parts[name].append(columns)
    return {name: joined(some) for name, some in parts.items()}, tuple(left_out)


def _opened(folder: Path, runs: Iterable[RunFolder]) -> Iterator[Opened]:
    """Every run, with the cell of a study that it is, if it is one."""
    cells: dict[Path, Any] = {}
    for run in runs:
        name = run.path.relative_to(folder).as_posix()
        study = run.path.parent.parent
        if run.path.parent.name != "cells" or not (study / "study.json").is_file():
            yield Opened(run, name, None, None)
            continue
        labels = cells.setdefault(study, cells_in(study))
        label = next((text for id, text in labels.items() if f"-{id}" in run.path.name), None)
        inside = study.relative_to(folder).as_posix() if study.is_relative_to(folder) else study.name
        yield Opened(run, name, inside, label)


def _table(folder: Path, opened: Opened, name: str) -> Columns:
    """A run's rows, made anew only where its files have changed."""
    key = (str(folder.resolve()), opened.name, name)
    state = (*(_state(opened.run.path / file) for file in FILES), opened.study, opened.cell)
    if key not in _known or _known[key][0] != state:
        _known[key] = state, opened.table(name)
    return _known[key][1]


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _plain(value: Any) -> Any:
    """A value of a row as JSON has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    return str(value)


def _in_one_line(message: str) -> str:
    """What DuckDB says, without its picture of the query, and with our tables where one is missing."""
    first = " ".join(message.partition("\n\n")[0].split())
    if found := re.search(r"Table with name (\S+) does not exist", first):
        return catalogue.unknown("tables", found[1], TABLES)
    return f"{first} (`sparring query --tables` lists tables and columns)"


def _duckdb() -> Any:
    try:
        return importlib.import_module("duckdb")
    except ImportError as error:
        raise SparringError("queries need DuckDB: pip install 'sparring[query]'") from error
