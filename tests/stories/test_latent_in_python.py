"""What docs/latent.md shows in Python is run as it stands, and gives the shapes that stand beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring

PAGE = Path(__file__).parents[2] / "docs" / "latent.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The names that the page's examples leave, one after another."""
    folder = tmp_path_factory.mktemp("python")
    few = {"rounds": 20, "batch": 16, "log_points": 1, "samples_per_grid": 4, "seeds": (3, 5, 8)}
    sparring.train(sparring.recipe("digits").replace(**few), out=folder / "runs/digits", threads=1, metrics=False)
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in BLOCKS:
            # The last value of a block, as a notebook shows it, under its number.
            *rest, last = block.rstrip().split("\n")
            exec("\n".join([*rest, f"_{len(names)} = {last}" if "=" not in last.split("(")[0] else last]), names)
    return names


def test_every_tool_of_the_page_is_shown() -> None:
    shown = "\n".join(BLOCKS)
    for tool in ("loop", "sensitivity", "effects", "project", "memorization", "arrangement", "over_psi", "rejection"):
        assert f" {tool}(" in f" {shown}".replace("\n", " "), tool


def test_examples_have_the_shapes_that_stand_there(ran: dict[str, Any]) -> None:
    assert ran["frames"].shape == (3, 24, 1, 8, 8) and ran["uneven"].shape == (3,)
    assert ran["found"].vectors.shape == (5, 32) and ran["found"].strength.shape == (5,)
    assert len(ran["moved"]) == 5 and ran["moved"][0].change.shape == (1, 8, 8)
    assert ran["images"].shape == (8, 1, 8, 8)
    assert ran["nearest"].z.shape == (8, 32) and ran["nearest"].error.shape == (8,)
    assert ran["alike"].shape == (2, 2) and ran["changes"][0].shape == (5, 64)
    assert sorted(ran["match"]) == list(range(5)) and ran["likeness"].shape == (5,)


def test_truncated_examples_vary_less_and_those_that_pass_are_those_that_d_scores_highest(ran: dict[str, Any]) -> None:
    spread = ran["over_psi"](ran["G"], ran["z"], ran["recipe"].latent, [0.5, 1.0], ran["spread"])["spread"]
    assert spread.shape == (2, 3) and (spread[0] < spread[1]).all()
    scores = ran["D"](ran["G"](ran["z"]))
    passing = ran["accepts"].log_probability(scores)
    assert scores.shape == passing.shape == (3, 64) and ran["accepts"].auc.shape == (3,)
    for member in range(3):
        order = np.sign(ran["accepts"].slope[member]) * scores[member].numpy()
        assert (np.diff(passing[member][np.argsort(order)]) >= 0).all()
    assert ((passing > 0).mean(1) < 0.5).all(), "few pass always"
