"""A judge for a user's own data: made before the run, said in one line, kept, and left out on request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sparring
from sparring.analysis.measure import measure
from sparring.cli.main import OK, run
from sparring.datasets.ring import Ring
from sparring.networks.fully_connected import FullyConnected
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.training.distributed.shards import Job
from sparring.training.prepare import Settings
from tests.laws.rows import Rows

pytestmark = pytest.mark.usefixtures("few_samples")

SMALL = (
    *("--rounds", "4", "--log-points", "2", "--batch", "8", "--threads", "1"),
    *("--generator", "fully-connected(hidden=(9,), output=tanh)", "--discriminator", "fully-connected(hidden=(9,))"),
)


def command(*arguments: object) -> None:
    assert run([str(argument) for argument in arguments]) == OK


def photos(folder: Path, count: int) -> Path:
    """Pictures of 8 x 8 pixels, each a bright bar of some color."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        light = np.exp(-(((np.arange(8) - rng.uniform(1, 6)) / 2) ** 2))[:, None]
        picture = np.broadcast_to((rng.integers(150, 256, 3) * light)[:, None], (8, 8, 3))
        Image.fromarray(picture.astype(np.uint8)).save(folder / f"{number}.png")
    return folder


def small(**changed: Any) -> Recipe:
    network = FullyConnected(hidden=(9,))
    recipe = find_recipe("digits").replace(generator=network, discriminator=network, rounds=4, log_points=2, batch=8)
    return recipe.replace(seeds=2, **changed)


def baseline(path: Path) -> dict[str, Any]:
    found = RunFolder.open(path).story.real_baseline
    assert found is not None
    return found


def test_a_judge_is_trained_before_the_first_run_on_images_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = photos(tmp_path / "photos", 200)
    for name in ("first", "second"):
        command("train", "auto", "--data", images, *SMALL, "--out", tmp_path / name)
        said = [line for line in capsys.readouterr().err.splitlines() if "training a judge" in line]
        assert [line.startswith("training a judge on 100 images without classes") for line in said] == [True] * (
            name == "first"
        )
    first, second = (baseline(tmp_path / name) for name in ("first", "second"))
    assert first["judge"] == second["judge"] and first["judge"].startswith("own:")
    assert {"frechet-distance", "coverage", "recall", "precision"} <= set(first["metrics"])
    assert first["errors"]["frechet-distance"] > 0 and first["spreads"]["frechet-distance"] > 0
    rounds, metrics = RunFolder.open(tmp_path / "first").story.evaluations
    assert rounds[-1] == 4 and np.isfinite(metrics["coverage"]).all()
    assert RunFolder.open(tmp_path / "first").story.evaluation_errors["frechet-distance"].shape == (len(rounds), 1)


def test_without_a_judge_no_verdict_is_good_and_the_line_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(
        "train", "auto", "--data", photos(tmp_path / "photos", 200), *SMALL, "--no-judge", "--out", tmp_path / "run"
    )
    assert "training a judge" not in capsys.readouterr().err
    found = baseline(tmp_path / "run")
    assert (
        found["judge"] is None
        and "--no-judge" in found["judge_missing"]
        and "sparring measure" in found["judge_missing"]
    )
    assert "frechet-distance" not in found["metrics"] and "diversity" in found["metrics"]
    signals = sparring.rules.Signals(RunFolder.open(tmp_path / "run").story)
    assert not signals.nearness.is_sure.any() and signals.nearness.missing == found["judge_missing"]


def test_images_that_are_too_few_are_counted(tmp_path: Path) -> None:
    command("train", "auto", "--data", photos(tmp_path / "photos", 100), *SMALL, "--out", tmp_path / "run")
    found = baseline(tmp_path / "run")
    assert found["judge"] is None and found["judge_missing"].startswith(
        "100 images are too few to train a judge on (128"
    )


def test_rows_have_a_judge_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = sparring.train(small(data=Rows()), tmp_path / "run", threads=1)
    found = baseline(made.path)
    assert (
        found["judge"].startswith("fixed:") and found["n"] == 64 and "training a judge" not in capsys.readouterr().err
    )
    assert {"frechet-distance", "coverage", "recall", "precision"} <= set(found["metrics"])
    command("show", made.path)
    assert f"using fixed features ({found['judge']})" in " ".join(capsys.readouterr().out.split())
    again = sparring.train(small(data=Rows()), tmp_path / "without", threads=1, judge=False)
    assert baseline(again.path)["judge"] is None


@pytest.mark.parametrize("data", ["rows", "ring", "digits", "photos"])
def test_a_measurement_has_every_metric_that_evaluations_have(data: str, tmp_path: Path) -> None:
    leaf = {"rows": Rows, "ring": Ring}.get(data)
    recipe = small(data=leaf()) if leaf else small()
    if data == "photos":
        recipe = small(data=sparring.datasets.Folder(str(photos(tmp_path / "photos", 200))))
    made = sparring.train(recipe, tmp_path / "run", threads=1)
    evaluated = {name for name in made.folder.story.evaluations[1] if not name.startswith("d_")}
    scores = measure(made.folder, 100).scores
    assert evaluated <= set(scores)
    for name in evaluated:
        # The same judge and the same real examples: values are alike, but for the number of samples.
        assert not np.isnan(scores[name].members).any(), name
        low, high = scores[name].metric.healthy.ends(scores[name].real, scores[name].spread)
        assert low <= scores[name].real <= high
    plain = json.loads(json.dumps(measure(made.folder, 100).plain()))
    assert set(plain["metrics"]["diversity"]) >= {"members", "real", "healthy"}


@pytest.mark.parametrize("judge", [True, False])
def test_every_shard_is_told_whether_there_is_a_judge(judge: bool) -> None:
    job = Job.of(small(), Settings(judge=judge), members=2, threads=1)
    assert Job(**json.loads(json.dumps(job.plain()))).settings.judge == judge
