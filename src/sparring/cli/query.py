"""Query all runs under a folder with SQL.

For example: sparring query "select recipe, avg(value) from evaluations join runs using (run) where metric =
'frechet-distance' and source = 'measure' group by recipe". The SQL is DuckDB's.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from sparring.cli.flags import Json, Spoken, Switch, flag, parse, print_json, print_rich
from sparring.cli.main import OK
from sparring.errors import UsageError
from sparring.languages import Text as Said
from sparring.languages import said

if TYPE_CHECKING:
    from sparring.analysis.query.database import Answer

FOLDED = 10
"""Characters of a cell that has to fit beside its neighbors; the rest of it may go on below."""


@dataclass
class QueryFlags:
    """Flags of `query`."""

    sql: Annotated[tyro.conf.Positional[str], flag("The query.", "[SQL]", "")] = ""
    under: Annotated[Path, flag("Query the runs in this folder, at any depth.", "DIR")] = Path()
    tables: Annotated[Switch, flag("List the tables with their columns.", default="")] = False
    csv: Annotated[Switch, flag("Print comma-separated values.", default="")] = False
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Print the answer, or what can be asked."""
    flags = parse(QueryFlags, "query", arguments, __doc__ or "")
    if flags.csv and flags.json:
        raise UsageError("--csv and --json are two forms of the same answer: choose one")
    if flags.tables:
        return _print_tables(flags.json)
    if not flags.sql:
        raise UsageError(
            'say what to query: sparring query "select * from runs" (`sparring query --tables` lists them)'
        )
    from sparring.analysis.query.database import query

    answer = query(flags.sql, flags.under)
    if flags.json:
        return print_json(answer.plain())
    if flags.csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([answer.columns, *answer.rows])
        return OK
    print_rich(_picture(answer))
    return OK


def _picture(answer: Answer) -> Any:
    """A table; where the terminal is too narrow for its columns, each row as a block of lines."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    texts = [[_text(value) for value in row] for row in answer.rows]
    cells = zip(answer.columns, *texts, strict=True)
    wide = [max(min(len(text), FOLDED) for text in (name, *column)) for name, *column in cells]
    if sum(wide) + 2 * (len(wide) - 1) > Console().width:
        return _blocks(answer.columns, texts)
    table = Table(box=None, pad_edge=False)
    numeric = [all(isinstance(row[i], int | float | None) for row in answer.rows) for i in range(len(answer.columns))]
    for name, right in zip(answer.columns, numeric, strict=True):
        table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    for row in texts:
        table.add_row(*map(Text, row))
    return table


def _blocks(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    """Each row as a block of lines, a column on each."""
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return Text(said(Said("no rows of {names}", names=", ".join(names))))
    block = Table.grid(padding=(0, 2, 0, 0))
    block.add_column(no_wrap=True)
    block.add_column(overflow="fold")
    for number, row in enumerate(rows):
        if number:
            block.add_row()
        for name, text in zip(names, row, strict=True):
            block.add_row(Text(name, style="bold"), Text(text))
    return block


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _print_tables(as_json: bool) -> int:
    from sparring.analysis.query.columns import TABLES

    if as_json:
        return print_json({name: {"rows": rows, "columns": dict(columns)} for name, (rows, columns) in TABLES.items()})
    for name, (rows, columns) in TABLES.items():
        print(f"{name}: {said(rows)}")
        width = max(map(len, columns))
        for column, words in columns.items():
            print(f"  {column:<{width}}  {said(words)}")
    return OK
