"""How many rows, columns or numbers there are, as text."""

from __future__ import annotations


def n_rows(number: int) -> str:
    """So many rows of a table."""
    return "1 row" if number == 1 else f"{number:,} rows"


def n_columns(number: int) -> str:
    """So many columns of a table."""
    return "1 column" if number == 1 else f"{number:,} columns"


def n_numbers(number: int) -> str:
    """So many numbers of a row."""
    return "1 number" if number == 1 else f"{number:,} numbers"
