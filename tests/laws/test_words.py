"""The lint step for words finds what should be said otherwise, and nothing else."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "check_words.py"
spec = importlib.util.spec_from_file_location("check_words", TOOL)
assert spec is not None and spec.loader is not None
check_words = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = check_words
spec.loader.exec_module(check_words)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("told = {}", "told"),
        ("def _told(x):", "told"),
        ("the members it held", "held"),
        ("Seeds are dealt out", "dealt"),
        ("rng = Chance(seeds)", "Chance"),
        ("generator_optimiser=adam", "optimiser"),
        ("what its\n    # author saw", "what its # author saw"),
        ("MOST_ROWS = 3", "MOST_ROWS"),
        ("def clip(least=0.5):", "least"),
        ("ax.plot(ticks)", "ticks"),
        ("博弈炸了", "博弈炸了"),
    ],
)
def test_a_planted_word_is_found_with_its_line(text: str, word: str, tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text(f"fine\n\n{text}\n")
    assert [(line, found) for line, found, _ in check_words.hits(page.read_text(), "page.py")] == [(3, word)]
    said = subprocess.run([sys.executable, str(TOOL), str(page)], capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stdout.startswith(f"{page}:3: {word} -> ")


def test_words_that_are_fine_are_left_alone() -> None:
    fine = (
        "held-out data, held_out, ax.set_ticks([]), yticks, at chance, understand, withheld from, `shield`",
        "return rng.normal('latent'); tolding; leads to; the law of large numbers; at least 3, at most 4",
        'recipe.latent.draw(rng, "probe", count)',
    )
    assert check_words.hits("\n".join(fine), "src/page.py") == []


def test_some_words_are_wrong_only_in_one_folder() -> None:
    text = "the paper's answers"
    assert check_words.hits(text, "src/sparring/tricks/r1.py") == []
    assert len(check_words.hits(text, "src/sparring/game/compile/plan.py")) == 2
