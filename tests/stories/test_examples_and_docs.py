"""Examples run, and what the docs show is what the code does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sparring import catalogue
from sparring.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")]
QUIET = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120", "NO_COLOR": "1"}


ARGUMENTS = {"05_from_scratch": ["40"]}
"""This example takes half a minute, so it runs for a few rounds; tests/laws/test_from_scratch.py checks its numbers."""


@pytest.mark.parametrize("example", sorted(ROOT.glob("examples/*.py")), ids=lambda p: p.stem)
def test_every_example_runs(example: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(example), *ARGUMENTS.get(example.stem, ())],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=QUIET,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("page", [p for p in PAGES if "[[[cog" in p.read_text()], ids=lambda p: p.name)
def test_generated_sections_are_up_to_date(page: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", str(page)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=QUIET,
        check=False,
    )
    assert done.returncode == 0, f"run `make docs`: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_anchor_is_a_heading(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*\.md|)#([^)]+)\)", page.read_text()):
        assert anchor in anchors(page.parent / target if target else page), (target, anchor)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings: lower case, no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_shown_exists(page: Path) -> None:
    for line in re.findall(r"^sparring .*$", page.read_text(), flags=re.MULTILINE):
        command, *rest = line.split("#")[0].split()[1:]
        assert command in COMMANDS, line
        if command == "train" and not rest[0].endswith(".py") and rest[0].islower() and rest[0][0].isalpha():
            assert rest[0] in catalogue.entries("recipes"), line


def test_both_readmes_show_the_same_commands() -> None:
    shown = [
        re.findall(r"^(?:sparring|make) [^#\n]*", (ROOT / n).read_text(), re.MULTILINE)
        for n in ("README.md", "README.zh-CN.md")
    ]
    assert [line.strip() for line in shown[0]] == [line.strip() for line in shown[1]]
