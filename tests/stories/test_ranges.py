"""A person's G gives other values than their data has, or their D ends in a sigmoid: said before round 1 and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import nn

import sparring
import sparring.training
from sparring.datasets.digits import Digits
from sparring.datasets.folder import Folder
from sparring.objectives.least_squares import LeastSquares
from sparring.recipe import Recipe
from sparring.rules._signals import Signals
from sparring.rules._stories import story
from sparring.rules.range_mismatch import RangeMismatch


def generator(*ending: nn.Module) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Linear(32, 64), *ending, nn.Unflatten(1, (1, 8, 8)))


def discriminator(*ending: nn.Module) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 1), *ending)


def digits(span: tuple[float, float] = (-1.0, 1.0), **changes: Any) -> Recipe:
    return sparring.find_recipe("digits").replace(
        data=Digits(span=span), rounds=12, log_points=2, batch=8, seeds=2, **changes
    )


SICK = {
    "pixels of 0 to 255": (digits((0.0, 255.0), generator=generator(nn.Tanh())), "range-mismatch", "0 and 255"),
    "a sigmoid": (digits(generator=generator(nn.Sigmoid())), "range-mismatch", "between 0 and 1"),
    "a ReLU": (digits(generator=generator(nn.ReLU())), "range-mismatch", "of at least 0"),
    "nothing scaled": (digits((0.0, 255.0), generator=generator()), "range-mismatch", "Nothing scales the data"),
    "D ends in a sigmoid": (digits(discriminator=discriminator(nn.Sigmoid())), "bounded-scores", "0.5 and 0.731"),
}
SOUND = {
    "tanh": digits(generator=generator(nn.Tanh())),
    "sigmoid": digits((0.0, 1.0), generator=generator(nn.Sigmoid())),
    "softplus": digits((0.0, 1.0), generator=generator(nn.Softplus())),
    "linear": digits(generator=generator()),
    "a D of least squares": digits(discriminator=discriminator(nn.Sigmoid()), objective=LeastSquares()),
}


@pytest.mark.parametrize("case", SICK)
def test_it_is_said_before_the_first_round_and_is_the_verdict(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, rule, words = SICK[case]
    run = sparring.training.train(recipe, tmp_path / "run")
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert words in line
    found = sparring.diagnose(run)
    assert found.verdict == rule
    assert found.findings[0].reasons and found.findings[0].since == 0


@pytest.mark.parametrize("case", SOUND)
def test_nothing_is_said_of_what_fits(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = sparring.training.train(SOUND[case].replace(rounds=4, log_points=1), tmp_path / "run")
    assert "warning" not in capsys.readouterr().err
    assert not {"range-mismatch", "bounded-scores"} & {each.rule for each in sparring.diagnose(run).findings}


def images(folder: Path, darkest: int, brightest: int) -> Folder:
    """Forty images of 8 x 8 pixels, each between these levels."""
    folder.mkdir()
    for index in range(40):
        levels = np.linspace(darkest, brightest, 64).astype(np.uint8)
        Image.fromarray(np.roll(levels, index).reshape(8, 8)).save(folder / f"{index}.png")
    return Folder(str(folder), span=(-1.0, 1.0))


def test_of_dark_images_it_says_how_to_stretch_them_and_gives_g_time_to_learn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = digits(generator=generator(nn.Tanh())).replace(data=images(tmp_path / "dark", 0, 89))
    run = sparring.training.train(recipe, tmp_path / "run")
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert "between -1 and -0.302" in line and "--levels used" in line
    assert sparring.diagnose(run).verdict == "undertrained"
    sparring.training.train(recipe.replace(data=replace(recipe.data, levels="used")), tmp_path / "stretched")
    assert "warning" not in capsys.readouterr().err


def test_a_g_that_never_kept_to_dark_images_is_found_in_the_end() -> None:
    dark = (-1.0, -1.0, -1.0, -0.7, -0.35, -0.3, -0.3)
    wide = story(
        metrics={"frechet-distance": 60.0, "confidence": 0.5, "nearest-neighbor": 2.5, "diversity": 0.4, "modes": 2.0},
        quantiles=(-1.0, -0.99, -0.9, -0.2, 0.6, 0.9, 1.0),
        real_quantiles=dark,
    )
    found = RangeMismatch().find(Signals(wide))
    assert found is not None and found.remedies[0] == "used-levels"


def test_data_of_one_value_are_named_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = digits(generator=generator(nn.Tanh())).replace(data=images(tmp_path / "black", 0, 0))
    run = sparring.training.train(recipe, tmp_path / "run")
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert "All values of the data are -1: there is nothing to learn" in line and "sparring doctor" in line
    assert "range-mismatch" not in {each.rule for each in sparring.diagnose(run).findings}


def test_a_resumed_run_is_not_warned_of_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = SICK["a sigmoid"][0]

    def stop(trainer: Any) -> None:
        trainer.stopping = trainer.game.round > 0

    sparring.training.train(recipe, tmp_path / "run", watchers=[stop])
    capsys.readouterr()
    assert sparring.training.train(recipe, tmp_path / "run").story.status == "finished"
    assert "warning" not in capsys.readouterr().err


def test_it_is_said_once_where_several_processes_train(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = sparring.find_recipe("digits").replace(data=Digits(span=(0.0, 255.0)), rounds=2, log_points=1, seeds=2)
    run = sparring.training.train(recipe, tmp_path / "run", processes=2)
    assert capsys.readouterr().err.count("warning: G can only give values between -1 and 1") == 1
    assert sparring.diagnose(run).verdict == "range-mismatch"
