"""A user edits a recipe's file and runs it again: what runs is what the file says now."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sparring.recipe import find_recipe

FILE = """
from sparring.recipe import Recipe, find_recipe

def mine() -> Recipe:
    return find_recipe("pattern-1010").replace(rounds=100)
"""


def test_an_edit_of_equal_length_within_a_second_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing tells the two files apart but what they say."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = tmp_path / "mine.py"
    for rounds in (100, 200):
        file.write_text(FILE.replace("100", str(rounds)))
        os.utime(file, (10**9, 10**9))
        assert find_recipe(str(file)).rounds == rounds
    assert list(tmp_path.iterdir()) == [file]
