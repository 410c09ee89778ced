"""Examples run, and what the docs show is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sparring import catalogue
from sparring.cli.main import COMMANDS
from tests.forked import Programs

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")]
QUIET = {"OMP_NUM_THREADS": "1", "COLUMNS": "120", "NO_COLOR": "1"}


ARGUMENTS = {
    "05_from_scratch": ["40"],
    "06_watch_1010": ["300"],
    "07_watch_mnist": ["100"],
    "08_watch_dcgan": ["2"],
}
"""These examples take half a minute and more, so they run for a few rounds; tests/laws/test_from_scratch.py checks the
numbers of the first."""


@pytest.mark.parametrize("example", sorted(ROOT.glob("examples/*.py")), ids=lambda p: p.stem)
def test_every_example_runs(example: Path, tmp_path: Path, programs: Programs) -> None:
    done = programs.run(example, *ARGUMENTS.get(example.stem, ()), folder=tmp_path, **QUIET)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize(
    ("example", "rounds", "verdict"),
    [
        pytest.param("06_watch_1010", "10000", "equilibrium", marks=pytest.mark.slow),
        pytest.param("07_watch_mnist", "5000", "average-image", marks=pytest.mark.slow),
        ("08_watch_dcgan", "2", "bug-double-sigmoid"),
    ],
)
def test_a_watched_example_gets_its_diagnosis(
    example: str, rounds: str, verdict: str, tmp_path: Path, programs: Programs
) -> None:
    done = programs.run(ROOT / "examples" / f"{example}.py", rounds, folder=tmp_path, **QUIET)
    assert done.returncode == 0, done.stderr
    assert f"{verdict} (1 of 1): " in " ".join(done.stderr.split()), done.stderr


GENERATED = [p for p in PAGES if "[[[cog" in p.read_text()]


@pytest.fixture(scope="module")
def checked(programs: Programs) -> dict[str, str]:
    """What cog says of each page with generated sections, and under "" how it ended. One process checks them all."""
    done = programs.run("-m", "cogapp", "--check", *GENERATED, folder=ROOT, **QUIET)
    words = [said.partition("\n") for said in re.split(r"^Checking ", done.stdout, flags=re.MULTILINE)[1:]]
    said = {first.removesuffix("  (changed)"): f"{first}\n{rest}" for first, _, rest in words}
    return said | {"": f"ended with {done.returncode}: {done.stderr}"}


@pytest.mark.parametrize("page", GENERATED, ids=lambda p: p.name)
def test_generated_sections_are_up_to_date(page: Path, checked: dict[str, str]) -> None:
    assert str(page) in checked, f"not checked: {checked['']}"
    assert "(changed)" not in checked[str(page)], f"run `make docs`: {checked[str(page)]}"


def test_every_page_was_checked_to_its_end(checked: dict[str, str]) -> None:
    changed = any("(changed)" in said for said in checked.values())
    assert changed or checked[""].startswith("ended with 0:"), checked[""]


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
