"""Runs that an older version wrote still open, say what they said then, and resume; their files are never edited.

Every test works on a copy. What the old version said of them (its verdicts, its numbers) is written down here.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparring import catalogue
from sparring.analysis.diagnosis import diagnose
from sparring.cli.main import OK, WRONG_USAGE, run
from sparring.recipe import Recipe, default_settings, reload
from sparring.recipe.encoding import encode
from sparring.record import RunFolder, legacy
from sparring.record.story import CURVES, GRADIENTS
from sparring.training import train
from sparring.training.distributed import coordinator
from sparring.training.distributed.status import Session

OLD_RUNS = Path(__file__).parent / "old_runs"
OLD_LEAVES: dict[str, list[dict[str, Any]]] = json.loads((Path(__file__).parent / "old_leaves.json").read_text())
"""Every objective, trick, network and so on, as the version before wrote its defaults into a recipe."""
WHOLE = ("finished", "stopped", "toy")
OLD_EVENTS = {"log": "tick", "real-baseline": "yardstick"}
OLD_METRICS = {
    "similarity-to-mean": "average-likeness",
    "nearest-neighbor": "nearest-training",
    "d_train": "d_seen",
    "d_held_out": "d_unseen",
}
SAID = {
    "finished": (
        "undertrained",
        [("undertrained", [0, 1], 0, 0.576)],
        [[1920.0, 240.0, 37.6806, 0.375811, 0.968479, 2.98163]],
        120,
    ),
    "stopped": ("undertrained", [("undertrained", [0, 1], 0, 0.576)], [[960.0, 120.0]], None),
    "toy": (
        "undertrained",
        [("undertrained", [0, 1, 2], 0, 0.576)],
        [[600.0, 0.000746688, 1800.0, 0.706761, 33.6554]],
        100,
    ),
}
"""What `diagnose` says of them: verdict, findings, the values of their evidence, the best round."""
FLAGS = (
    *("--rounds", "120", "--seeds", "2", "--log-points", "6", "--samples-per-grid", "4", "--batch", "16"),
    *("--generator", "fully-connected(hidden=(16,), output=tanh)", "--discriminator", "fully-connected(hidden=(16,))"),
    *("--tricks", "label-swapping", "r1-r2(gamma=0.5, every=2)", "learning-rate-schedule"),
    "exponential-moving-average(warm_up=0.05)",
)
"""What trains `stopped` and `finished`, as it is typed today."""


def old(name: str, tmp_path: Path) -> RunFolder:
    return RunFolder.open(shutil.copytree(OLD_RUNS / name, tmp_path / name))


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def command(*arguments: object) -> None:
    assert run([str(argument) for argument in arguments]) == OK


@pytest.mark.parametrize("name", [*WHOLE, "shards", "shards/parts/000", "shards/parts/001"])
def test_a_recipe_of_old_is_one_of_today(name: str) -> None:
    old_run = RunFolder.open(OLD_RUNS / name)
    recipe = reload(old_run.recipe)
    assert recipe.to_dict() == default_settings() | old_run.recipe
    before = json.loads(old_run.recipe_json)
    assert recipe.log_points == before["ticks"] and recipe.samples_per_grid == before["pictured"]
    assert getattr(recipe.generator_optimizer, "lr") == before["generator_optimiser"]["rate"]  # noqa: B009
    changed = old_run.about.get("changed") or {}
    assert changed.keys() <= recipe.to_dict().keys()
    assert all(here == old_run.recipe[field] for field, (_, here) in changed.items())


@pytest.mark.parametrize("name", WHOLE)
def test_curves_and_evaluations_are_the_old_numbers(name: str) -> None:
    story, events = RunFolder.open(OLD_RUNS / name).story, lines(OLD_RUNS / name)
    ticks = [event for event in events if event["event"] == "tick"]
    assert story.logged_rounds.tolist() == [round for tick in ticks for round in tick["noted"]]
    for curve in CURVES:
        np.testing.assert_array_equal(story.curve(curve), [row for tick in ticks for row in tick[curve]])
    for curve in GRADIENTS:
        np.testing.assert_array_equal(story.curve(curve), [row for tick in ticks for row in tick.get(curve, [])])
    looks = [tick for tick in ticks if "figures" in tick]
    rounds, metrics = story.evaluations
    assert rounds.tolist() == [look["round"] for look in looks]
    assert len(metrics) == (len(looks[0]["figures"]) if looks else 0)
    for metric, values in metrics.items():
        told = [look["figures"][OLD_METRICS.get(metric, metric)] for look in looks]
        np.testing.assert_array_equal(values, told, err_msg=metric)
    yardstick = next(event for event in events if event["event"] == "yardstick")
    baseline = story.real_baseline
    assert baseline is not None and baseline["held_out"] == yardstick["unseen"]
    assert baseline["metrics"] == {m: yardstick["figures"][OLD_METRICS.get(m, m)] for m in baseline["metrics"]}
    assert len(baseline["metrics"]) == len(yardstick["figures"])
    assert (story.round, story.status) == (events[-1]["round"], events[-1]["event"])


@pytest.mark.parametrize("name", WHOLE)
def test_the_diagnosis_is_made_of_the_old_numbers(name: str) -> None:
    verdict, findings, evidence, best = SAID[name]
    said = diagnose(OLD_RUNS / name).plain()
    assert said["verdict"] == verdict and said["best"] == best
    assert [(f["rule"], f["members"], f["since"], f["strength"]) for f in said["findings"]] == findings
    values = [[each["value"] for each in f["evidence"]] for f in said["findings"]]
    assert [pytest.approx(row, rel=1e-5) for row in evidence] == values


@pytest.mark.parametrize("name", WHOLE)
def test_every_command_reads_it_and_leaves_its_record_alone(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = old(name, tmp_path).path
    record = {
        file: file.read_bytes() for pattern in ("*.json", "*.jsonl", "weights/*") for file in folder.glob(pattern)
    }
    command("show", folder, "--json")
    shown = json.loads(capsys.readouterr().out)
    assert shown["status"] == ("stopped" if name == "stopped" else "finished")
    command("show", folder)
    assert shown["recipe"] in capsys.readouterr().out
    command("diagnose", folder)
    assert SAID[name][0] in capsys.readouterr().out
    command("sample", folder, "--count", 3, "--out", tmp_path / "samples.npy")
    examples = np.load(tmp_path / "samples.npy")
    assert examples.shape[:2] == (len(shown["seeds"]), 3) and np.isfinite(examples).all()
    assert {file: file.read_bytes() for file in record} == record


def test_pages_are_made_of_old_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sparring import report

    for name in WHOLE:
        page = report.write_report(old(name, tmp_path)).read_text()
        assert SAID[name][0] in page
    command("compare", tmp_path / "finished", tmp_path / "stopped", tmp_path / "toy", "--out", tmp_path / "c.html")
    assert "r1-r2" in (tmp_path / "c.html").read_text()
    measures = RunFolder.open(tmp_path / "finished").measures
    assert measures is not None and measures["metrics"]["modes"]["members"] == [1.0, 1.0]
    assert (measures["held_out"], measures["metrics"]["modes"]["space"]) == ("other training examples", "classes")
    assert RunFolder.open(tmp_path / "toy").measures is None


def test_a_run_of_old_resumes_with_the_same_command(tmp_path: Path) -> None:
    stopped = old("stopped", tmp_path)
    before = (stopped.path / "journal.jsonl").read_bytes()
    recipe = reload(stopped.recipe)
    command("train", "digits", *FLAGS, "--out", stopped.path)
    assert (stopped.path / "journal.jsonl").read_bytes().startswith(before)
    whole = train(recipe, tmp_path / "whole")
    assert_same(stopped, whole)
    story = stopped.story
    assert (story.status, story.round) == ("finished", 120)
    assert [event["round"] for event in story.events if event["event"] == "resumed"] == [60]
    assert story.logged_rounds.tolist() == list(range(1, 120, 10))
    np.testing.assert_allclose(story.curve("d_loss"), whole.story.curve("d_loss"), rtol=1e-4)
    assert story.evaluations[0].tolist()[-1:] == [120]


def test_the_recipe_of_an_old_run_is_trained_anew(tmp_path: Path) -> None:
    command("train", "--from", OLD_RUNS / "toy", "--rounds", 4, "--log-points", 2, "--out", tmp_path / "again")
    again, before = RunFolder.open(tmp_path / "again").recipe, RunFolder.open(OLD_RUNS / "toy").recipe
    assert again == {**before, "rounds": 4, "log_points": 2, "start_from": None}
    assert "optimiser" not in RunFolder.open(tmp_path / "again").recipe_json


def test_a_finished_run_of_old_is_what_today_trains(tmp_path: Path) -> None:
    finished = old("finished", tmp_path)
    assert_same(finished, train(reload(finished.recipe), tmp_path / "whole"))
    before = (finished.path / "journal.jsonl").read_bytes()
    command("train", "digits", *FLAGS, "--out", finished.path)
    assert (finished.path / "journal.jsonl").read_bytes() == before


def test_shards_of_old_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes go on, one from its checkpoint of round 499, until Ctrl-C stops both in one round."""
    for name, seconds in (("LEAD_SECONDS", 3.0), ("CATCH_UP_SECONDS", 300.0)):  # a busy machine may need longer
        monkeypatch.setattr(coordinator, name, seconds)
    shards = old("shards", tmp_path)
    assert (shards.shards.name, shards.story.status) == ("parts", "unfinished")
    beyond = 700

    def interrupt(session: Session) -> None:
        have_begun = all(status.rounds_per_second for status in session.statuses.values())
        if session.round >= beyond and have_begun and not session.stopping:  # else they stop at once, each where it is
            os.kill(os.getpid(), signal.SIGINT)

    made = train(
        reload(shards.recipe), shards.path, processes=2, threads=1, compile=False, session_watchers=[interrupt]
    )
    story = made.story
    assert story.status == "stopped" and beyond <= story.round < 9000
    (round, state), parts = made.load() or (0, {}), [RunFolder(made.shards / name) for name in ("000", "001")]
    assert round == story.round and made.shards.name == "parts"
    for name, array in state.items():
        each = [(part.load() or (0, {}))[1][name] for part in parts]
        np.testing.assert_array_equal(array, np.concatenate(each) if array.ndim else each[0], err_msg=name)
    second = next(event for event in lines(OLD_RUNS / "shards/parts/001") if event.get("round") == 499)
    np.testing.assert_array_equal(story.curve("d_loss")[: len(second["noted"]), 1], np.array(second["d_loss"])[:, 0])
    assert story.logged_rounds[: len(second["noted"])].tolist() == second["noted"]


def test_names_of_today_are_in_the_catalogue() -> None:
    fields = set(Recipe.__dataclass_fields__)
    assert set(legacy.RECIPE_FIELDS.values()) <= fields and not set(legacy.RECIPE_FIELDS) & fields
    leaves = {name: catalogue.find(kind, name) for kind in OLD_LEAVES for name in catalogue.entries(kind)}
    assert set(legacy.LEAVES.values()) <= set(leaves) and not set(legacy.LEAVES) & set(leaves)
    for leaf, names in legacy.LEAF_FIELDS.items():
        fields = set(leaves[leaf].__dataclass_fields__)
        assert set(names.values()) <= fields and not set(names) & fields, leaf
    for leaf, field in legacy.LEAF_VALUES:
        assert field in leaves[leaf].__dataclass_fields__


@pytest.mark.parametrize(
    ("kind", "leaf"),
    [(kind, leaf) for kind, leaves in OLD_LEAVES.items() for leaf in leaves],
    ids=lambda value: value["is"] if isinstance(value, dict) else None,
)
def test_every_leaf_of_old_is_read(kind: str, leaf: dict[str, Any]) -> None:
    """Whatever a recipe of the version before said of a leaf, the leaf of today has: nothing renamed is forgotten."""
    plain = legacy.recipe({"tricks": [leaf]})["tricks"][0]
    made = catalogue.make(kind, plain["is"], {name: value for name, value in plain.items() if name != "is"})
    assert encode(made) | plain == encode(made)


def test_a_remedy_of_old_is_answered_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    remedies = catalogue.entries("remedies")
    assert set(legacy.REMEDIES.values()) <= set(remedies) and not set(legacy.REMEDIES) & set(remedies)
    assert run(["train", "--from", str(OLD_RUNS / "toy"), "--remedy", "longer"]) == WRONG_USAGE
    assert "the remedy longer is now called more-rounds" in capsys.readouterr().err


def test_a_folders_path_is_no_name() -> None:
    """Only the fields that are meant change their values."""
    folder = {"is": "folder", "path": "grey", "colours": "grey", "span": [0.0, 1.0]}
    assert legacy.recipe({"data": folder})["data"] == {
        "is": "folder",
        "path": "grey",
        "colors": "gray",
        "span": [0.0, 1.0],
    }
    policy = legacy.recipe({"tricks": [{"is": "diff-augment", "policy": ["colour", "cutout"]}]})
    assert policy["tricks"][0]["policy"] == ["color", "cutout"]


def assert_same(run: RunFolder, whole: RunFolder) -> None:
    """The same weights, to what another build of torch may round differently."""
    (round, mine), (last, theirs) = run.load() or (0, {}), whole.load() or (0, {})
    assert round == last and mine.keys() == theirs.keys()
    for name, array in theirs.items():
        np.testing.assert_allclose(mine[name], array, rtol=1e-5, atol=1e-5, err_msg=name)
