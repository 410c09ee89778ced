"""A run of several cells, split, is the runs of its cells alone; each goes on by itself."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.analysis.diagnosis import NOT_SURE, diagnose, remedied
from sparring.analysis.facts import Facts
from sparring.cli.main import run as command
from sparring.errors import UsageError
from sparring.interface import Run
from sparring.networks.fully_connected import FullyConnected
from sparring.optimizers.sgd import SGD
from sparring.recipe import find_recipe, together
from sparring.record import RunFolder, Story
from sparring.record.grid import cut_grid, save_grid
from sparring.record.splitting import folder_of, slug
from sparring.record.story import CURVES, GRADIENTS
from sparring.training import train
from sparring.training.chores.record import Record
from sparring.training.splitting import split
from sparring.tricks.r1 import R1

RECIPE = find_recipe("digits").replace(
    generator=FullyConnected((12,), output="tanh"),
    discriminator=FullyConnected((12,)),
    tricks=[R1()],
    generator_optimizer=SGD(),
    batch=4,
    rounds=40,
    log_points=4,
    samples_per_grid=4,
    seeds=[0, 3, 0, 3],
    per_member={"generator_optimizer.momentum": [0, 0, 0.5, 0.5], "tricks.r1.gamma": [0, 0, 1, 1]},
)
SINGLE = 1e-5
"""float32 after so few rounds (measured: 5e-8)."""
HOW: dict[str, Any] = {"threads": 1, "metrics": False, "compile": False}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return train(RECIPE, tmp_path_factory.mktemp("runs") / "whole", **HOW)


def files(run: RunFolder) -> set[Path]:
    """But for checkpoints: how many there are before the last is a matter of time."""
    return {path.relative_to(run.path) for path in run.path.rglob("*.*") if "weights" not in path.parts}


def assert_alike(one: RunFolder, other: RunFolder) -> None:
    assert one.recipe_json == other.recipe_json
    mine, theirs = one.story, other.story
    assert (mine.status, mine.round, mine.seeds) == (theirs.status, theirs.round, theirs.seeds)
    assert {e["event"]: sorted(e) for e in mine.events} == {e["event"]: sorted(e) for e in theirs.events}
    for name in CURVES:
        np.testing.assert_allclose(mine.curve(name), theirs.curve(name), atol=SINGLE)
    (round, state), (expected, wanted) = one.load() or (0, {}), other.load() or (0, {})
    assert round == expected and state.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_allclose(state[name], array, atol=SINGLE, err_msg=name)
    for name in theirs.pictures:
        with Image.open(one.path / name) as a, Image.open(other.path / name) as b:
            assert a.info == b.info and np.abs(np.asarray(a, int) - np.asarray(b, int)).max() <= 1
    assert one.about["seeds"] == other.about["seeds"] and one.about["id"] == other.about["id"]


def test_the_parts_of_a_run_are_the_runs_of_its_cells_alone(whole: RunFolder, tmp_path: Path) -> None:
    parts = split(whole, tmp_path / "parts")
    assert [part.path.name for part in parts] == [
        "000-generator-momentum-0-r1-gamma-0",
        "001-generator-momentum-0.5-r1-gamma-1",
    ]
    for number, (part, cell) in enumerate(zip(parts, RECIPE.cells, strict=True)):
        alone = train(RECIPE.select(cell.members), tmp_path / str(number), **HOW)
        assert_alike(part, alone)
        assert files(part) == files(alone)
        assert {p.name for p in part.kept()} == {p.name for p in whole.kept()}
    before = {p: p.read_bytes() for part in parts for p in part.path.rglob("*.*")}
    split(whole, tmp_path / "parts")
    assert before == {p: p.read_bytes() for part in parts for p in part.path.rglob("*.*")}


def test_the_folder_of_a_cell_has_the_signs_of_its_numbers(tmp_path: Path) -> None:
    names = {
        "lr 1e+08": "lr-1e08", "lr 1e-08": "lr-1e-08", "beta -0.5": "beta--0.5", "betas (-.5, 0.9)": "betas--.5-0.9",
        "r1:2 gamma a+b - c--d-": "r1-2-gamma-a-b-c-d", "": "",
    }  # fmt: skip
    for label, name in names.items():
        assert slug(label) == name
        assert folder_of(tmp_path, 7, label) == tmp_path / f"007-{name}".removesuffix("-")
    (tmp_path / "007-lr-1e-08").mkdir()
    assert folder_of(tmp_path, 7, "lr 1e+08") == tmp_path / "007-lr-1e-08", "what was split off before is found again"


def test_a_picture_has_every_member_of_every_cell(tmp_path: Path) -> None:
    examples = np.random.default_rng(0).random((70, 4, 1, 8, 8))
    save_grid(examples, tmp_path / "whole.png", [f"{member % 8} (lr {member // 8})" for member in range(70)])
    cut_grid(tmp_path / "whole.png", [66, 69], tmp_path / "part.png", [2, 5])
    save_grid(examples[[66, 69]], tmp_path / "alone.png", [2, 5])
    assert (tmp_path / "part.png").read_bytes() == (tmp_path / "alone.png").read_bytes()


def test_a_part_goes_on_by_itself_and_is_not_overwritten(whole: RunFolder, tmp_path: Path) -> None:
    part = split(whole, tmp_path / "parts")[1]
    recipe = RECIPE.select(RECIPE.cells[1].members).replace(rounds=60)
    alone = train(recipe.replace(rounds=40), tmp_path / "alone", **HOW)
    for run in (part, alone):
        train(recipe, run.path, **HOW)
    assert part.story.status == "finished" and part.story.round == 60
    (_, state), (_, wanted) = part.load() or (0, {}), alone.load() or (0, {})
    assert all(np.abs(state[name] - array).max() <= SINGLE for name, array in wanted.items())
    with pytest.raises(UsageError, match="holds another run"):
        split(whole, tmp_path / "parts")


def test_cells_are_made_one_recipe_and_come_apart_again() -> None:
    cells = [RECIPE.select(cell.members) for cell in RECIPE.cells]
    assert together(cells) == RECIPE and together([RECIPE]) == RECIPE
    assert all(not cell.per_member for cell in cells)
    with pytest.raises(UsageError, match="batch"):
        together([cells[0], cells[1].replace(batch=8)])
    with pytest.raises(UsageError, match="r1"):
        together([cells[0], cells[1].replace(tricks=())])
    with pytest.raises(UsageError, match="every cannot differ"):
        together([cells[0], cells[1].replace(tricks=[R1(every=2)])])
    with pytest.raises(UsageError, match="seeds must be distinct"):
        together([cells[0], cells[0]])


def test_members_are_called_by_seed_and_numbers(whole: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    facts, found = Facts.of(whole), diagnose(whole)
    assert facts.seeds[0] == "0 (generator momentum 0, r1 gamma 0)" and len(set(facts.seeds)) == 4
    assert [label for label, _ in found.cells] == [cell.label for cell in RECIPE.cells]
    for finding in found.findings:
        assert set(finding.members) <= set(facts.seeds)
        assert finding.claim.startswith(tuple(cell.label for cell in RECIPE.cells))
    assert found.verdict == NOT_SURE or len({cell.verdict for _, cell in found.cells}) == 1
    for words in (["show", str(whole.path)], ["diagnose", str(whole.path)]):
        assert command(words) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert "r1 gamma 0" in said
    with pytest.raises(UsageError, match="split"):
        remedied(RECIPE, "lower-lr")


def test_a_seed_with_several_numbers_is_no_single_generator(whole: RunFolder) -> None:
    run = Run(whole.path)
    assert run.curves.seeds[2] == "0 (generator momentum 0.5, r1 gamma 1)"
    assert run.report().is_file()
    with pytest.raises(UsageError, match="seed 0 is there 2 times"):
        run.generator(seed=0)


def test_a_cell_is_diagnosed_as_a_run_of_its_own(whole: RunFolder, tmp_path: Path) -> None:
    for (_, cell), part in zip(diagnose(whole).cells, split(whole, tmp_path), strict=True):
        alone = diagnose(part)
        assert cell.verdict == alone.verdict
        assert [(f.rule, f.claim, f.members) for f in cell.findings] == [
            (f.rule, f.claim, f.members) for f in alone.findings
        ]


def test_the_command_splits_a_run_and_says_what_is_not_to_be_split(
    whole: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["split", str(whole.path), "--out", str(tmp_path), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert [each["seeds"] for each in made] == [[0, 3], [0, 3]]
    assert all(RunFolder.open(each["run"]).story.status == "finished" for each in made)
    assert command(["split", made[0]["run"]]) == 2
    assert "differ in nothing but their seeds" in capsys.readouterr().err


def test_of_a_member_that_diverged_only_its_cell_tells(tmp_path: Path) -> None:
    recipe = RECIPE.replace(generator_optimizer=SGD(), per_member={"lr": [0.01, 0.01, 1e38, 1e38]})
    sound, lost = split(train(recipe, tmp_path / "whole", **HOW))
    assert sound.story.status == "finished" and not sound.story.diverged
    assert lost.story.status == "diverged" and len(lost.story.diverged) == 2
    assert lost.story.round < 40


def test_a_log_event_without_points_has_the_keys_of_one_with_points() -> None:
    """Whether there is one is a matter of time: a slow machine logs between two points."""
    members = SimpleNamespace(seeds=(0, 3))
    trainer: Any = SimpleNamespace(recipe=members, at_log_point=False, latest=SimpleNamespace(recent=[], curves={}))
    record = Record()
    record.after_turn(trainer, [(1, {name: torch.zeros(2) for name in (*CURVES, *GRADIENTS)})])
    full, empty = record.log_fields(trainer), record.log_fields(trainer)
    assert full.keys() == empty.keys() == {"logged", *CURVES, *GRADIENTS}
    assert empty["logged"] == empty["d_gradient"] == []
    story = Story({"seeds": [0, 3]}, [{"event": "log", "round": n, **each} for n, each in ((1, full), (2, empty))])
    assert story.curve("d_gradient").shape == (1, 2)
