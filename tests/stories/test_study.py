"""A study: asked in one command, killed at any moment and resumed, made larger later, and shown again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring
from sparring.analysis import evaluator
from sparring.cli.main import run as command
from sparring.errors import SparringError, UsageError
from sparring.record import RunFolder
from sparring.record.journal import Journal
from sparring.study import Study
from sparring.study.collecting import collect
from sparring.study.folder import StudyFolder
from sparring.study.results import Results
from sparring.study.training import Machine, train_study

pytestmark = pytest.mark.usefixtures("small_evaluations")
MACHINE = Machine(device="cpu", threads=1, samples=32)
ROUNDS = 40


def question(**settings: Any) -> Study:
    """Two factors of two levels, with a game that takes milliseconds."""
    base = sparring.recipe("pattern-1010").replace(log_points=4, samples_per_grid=1)
    return Study(base, {"objective": ["mse", "hinge"], "lr": [0.01, 0.1]}, **{"seeds": 2, "rounds": ROUNDS, **settings})


def timeless(results: Results) -> dict[str, Any]:
    """Everything but how long it took, and where it is."""
    data = json.loads(results.to_json())
    for row in data["rows"]:
        del row["seconds"]
        for series in row["series"].values():
            del series["seconds"]
    return {**data, "folder": ""}


def journals(folder: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in folder.glob("cells/*/journal.jsonl")}


@pytest.fixture(scope="module")
def small_evaluations() -> Iterator[None]:
    """As `few_samples`, for what is trained once for this file too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluator, "COUNT", evaluator.MIN_COUNT)
        patch.setattr(evaluator, "MAX_TRAINING", 4 * evaluator.MIN_COUNT)
        yield


@pytest.fixture(scope="module")
def trained(small_evaluations: None, tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    folder = StudyFolder(tmp_path_factory.mktemp("studies") / "whole")
    train_study(question(), folder, MACHINE)
    return folder


def test_every_cell_has_every_seed_with_an_outcome_a_finding_and_real_scores(trained: StudyFolder) -> None:
    results = collect(trained)
    assert results.table().shape == (4, 2) and (results.table() >= 0).all()
    assert results.asked.title == "distance from the data" and results.asked.better == "lower"
    assert [cell.label for cell in results.cells] == [
        f"objective {objective}, lr {lr}" for objective in ("mse", "hinge") for lr in ("0.01", "0.1")
    ]
    for row in results.rows:
        assert row.status == "finished" and row.rounds == ROUNDS and row.finding
        assert row.members == 4  # the cells that differ in lr were trained as one population
        assert row.values["frechet-distance"].measured is not None
        assert row.series["distance"].rounds == (0, 10, 20, 30, 40)
        assert results.path(row).is_dir()
    assert results.cells[0].real_measured["frechet-distance"] is not None
    assert Results.from_json((trained.path / "results.json").read_text()) == Results.from_json(results.to_json())


def test_cells_that_differ_in_numbers_are_trained_together_and_are_runs_of_their_own(trained: StudyFolder) -> None:
    together = [event for event in trained.events if event["event"] == "split"]
    assert [len(event["runs"]) for event in together][:2] == [2, 2]
    assert not list((trained.path / ".populations").glob("[!.]*"))
    for event in together:
        for name in event["runs"]:
            run = RunFolder.open(trained.path / name)
            assert run.story.status == "finished" and run.checkpoints() and "per_member" not in run.recipe


def test_cells_of_a_population_keep_its_best_checkpoint_and_have_an_independent_judge(tmp_path: Path) -> None:
    base = sparring.recipe("digits").replace(log_points=2, samples_per_grid=1)
    study = Study(base, {"lr": [1e-3, 1e-4]}, seeds=2, rounds=4)
    results = train_study(study, StudyFolder(tmp_path / "digits"), MACHINE).results
    assert [row.members for row in results.rows] == [4] * 4
    assert any(RunFolder.open(results.path(row)).best for row in results.rows)
    assert results.outcome == "frechet-distance" and results.judge == "digits-independent"
    row = results.rows[0]
    measures = RunFolder.open(results.path(row)).measures or {}
    assert row.outcome == measures["independent"]["metrics"]["frechet-distance"]["members"][0]
    # A cell that is not measured yet has no outcome, rather than one by the judge that settings were chosen with.
    (results.path(row) / "measures.json").unlink()
    known = [each.outcome is not None for each in collect(StudyFolder(tmp_path / "digits")).rows]
    assert known == [each.cell != row.cell for each in results.rows]


def test_a_trained_study_is_shown_again_without_training(
    trained: StudyFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    before = journals(trained.path)
    assert command(["study", str(trained.path), "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) and not shown.err
    assert command(["study", str(trained.path), "--outcome", "modes"]) == 2
    assert "no run of this study has modes; they have: frechet-distance" in capsys.readouterr().err
    assert journals(trained.path) == before


def test_results_alone_are_enough_to_show_a_study(trained: StudyFolder, tmp_path: Path) -> None:
    for name in ("study.json", "results.json"):
        (tmp_path / name).write_text((trained.path / name).read_text())
    stored = Results.from_json((trained.path / "results.json").read_text())
    assert sparring.StudyRun(tmp_path).results == stored == sparring.study(tmp_path).results
    assert command(["study", str(tmp_path), "--json"]) == 0 and not (tmp_path / "cells").exists()


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the program's own runs after it but what unlocks files."""


def test_a_study_killed_at_ten_moments_ends_with_the_same_table(
    trained: StudyFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, study, written = StudyFolder(tmp_path / "killed"), question(), 0
    kill_at = iter([1, 3, 8, 15, 24, 40, 41, 60, 75, 100])
    next_kill = next(kill_at)

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def count_and_call(*args: Any, **settings: Any) -> Any:
            nonlocal written
            written += 1
            if written == next_kill:
                raise Killed
            return call(*args, **settings)

        return count_and_call

    monkeypatch.setattr(Journal, "append", counted(Journal.append))
    monkeypatch.setattr(RunFolder, "write", counted(RunFolder.write))
    kills = 0
    while True:
        try:
            finished = train_study(study, folder, MACHINE)
            break
        except Killed:
            kills += 1
            next_kill = next(kill_at, -1)
    assert kills == 10 and not finished.stopped
    assert timeless(collect(folder)) == timeless(collect(trained))


def test_seeds_that_are_added_are_trained_alone(trained: StudyFolder) -> None:
    before = journals(trained.path)
    first = timeless(collect(trained))
    results = train_study(question(seeds=3), trained, MACHINE).results
    after = journals(trained.path)
    assert {name: after[name] for name in before} == before
    assert sorted(set(after) - set(before)) == [f"{name}-seeds-2" for name in sorted(before)]
    assert results.table().shape == (4, 3) and len(results.cells[0].folders) == 2
    kept = [row for row in timeless(results)["rows"] if row["seed"] < 2]
    assert kept == first["rows"]


def test_levels_that_are_added_are_trained_alone_and_old_ones_stay(trained: StudyFolder) -> None:
    before = journals(trained.path)
    larger = Study(question().base, {"objective": ["mse", "hinge", "minimax"], "lr": [0.01, 0.1]}, 2, rounds=ROUNDS)
    results = train_study(larger, trained, MACHINE).results
    assert len(results.cells) == 6 and results.table().shape == (6, 2)
    after = journals(trained.path)
    assert {name: after[name] for name in before} == before and len(after) == len(before) + 2


def test_another_study_is_not_trained_in_the_same_folder(trained: StudyFolder, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds another study"):
        train_study(question(rounds=60), trained, MACHINE)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not a study"):
        train_study(question(), StudyFolder(tmp_path), MACHINE)


def test_a_study_in_steps_goes_from_one_recipe_to_the_other_in_both_orders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.py").write_text(
        "import sparring\n"
        "from sparring.study import Study\n\n"
        "def steps() -> Study:\n"
        "    base = sparring.recipe('pattern-1010').replace(log_points=2, samples_per_grid=1)\n"
        "    end = base.replace(objective='hinge', batch=2)\n"
        "    return Study.stepwise(base, end, seeds=2, rounds=20, name='to-hinge')\n"
    )
    out = tmp_path / "out"
    flags = ["--out", str(out), "--threads", "1", "--samples", "32", "--json"]
    assert command(["study", str(tmp_path / "study.py"), *flags]) == 0
    capsys.readouterr()
    results = collect(StudyFolder(out))
    assert results.design == "stepwise" and len(results.cells) == 4
    forward, backward = results.steps
    assert forward[0] == backward[0] and forward[-1] == backward[-1] and forward[1] != backward[1]


def test_cells_that_lose_are_stopped_at_the_look_and_stay_stopped(tmp_path: Path) -> None:
    base = sparring.recipe("pattern-1010").replace(log_points=4, samples_per_grid=1, objective="hinge")
    study = Study(base, {"lr": [0.1, 1e-6]}, 4, rounds=200, looks=[0.5])
    folder = StudyFolder(tmp_path / "race")
    results = train_study(study, folder, MACHINE).results
    assert [cell.stopped for cell in results.cells] == [None, 100]
    assert {row.rounds for row in results.rows if row.cell == results.cells[1].id} == {100}
    before = journals(folder.path)
    train_study(study, folder, MACHINE)
    assert journals(folder.path) == before
    (look,) = [event for event in folder.events if event["event"] == "look"]
    assert look["stopped"] == {results.cells[1].id: 100}


def test_a_cell_that_diverges_in_every_seed_is_a_result(tmp_path: Path) -> None:
    base = sparring.recipe("pattern-1010").replace(log_points=4, samples_per_grid=1, objective="least-squares")
    study = Study(base, {"lr": [0.01, 1e30]}, 2, rounds=ROUNDS)
    results = train_study(study, StudyFolder(tmp_path / "wild"), MACHINE).results
    wild = results.by_cell[results.cells[1].id]
    assert all(row.diverged and row.outcome is None for row in wild)
    assert all(not row.diverged for row in results.by_cell[results.cells[0].id])


def test_a_time_to_a_target_that_is_not_reached_is_censored(trained: StudyFolder) -> None:
    study = question(outcome="rounds-to(distance, 0.0001)")
    rows = collect(trained, study).rows
    assert all(row.censored and row.outcome == ROUNDS for row in rows)
    reached = collect(trained, question(outcome="rounds-to(distance, 5)")).rows
    assert all(not row.censored and row.outcome == 0 for row in reached)


def test_python_asks_in_one_line_and_gets_a_handle(tmp_path: Path) -> None:
    base = sparring.recipe("pattern-1010").replace(log_points=2, samples_per_grid=1)
    settings = {"seeds": 2, "rounds": 20, "out": tmp_path / "s", "threads": 1, "device": "cpu", "samples": 32}
    made = sparring.study(base, {"objective": ["mse", "hinge"]}, **settings)
    assert [row["cell"] for row in made.table] == ["objective mse", "objective hinge"] and made.table[0][1] is not None
    assert "2 cells x 2 seeds" in repr(made)
    assert made.run("objective hinge").recipe.objective == sparring.objectives.Hinge()
    assert list(made.to_pandas()["seed"]) == [0, 1, 0, 1]
    with pytest.raises(UsageError, match="no recipe, study or folder called 'nope'"):
        sparring.study("nope")
    with pytest.raises(UsageError, match="no cell 'hinge'"):
        made.run("hinge")
    assert sparring.StudyRun(tmp_path / "s").results == made.results


def test_sql_sees_the_runs_of_a_study_with_their_cells(
    trained: StudyFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    home = trained.path.parent
    rows = sparring.query("select study, cell, members, status from runs where cell = 'objective hinge, lr 0.1'", home)
    assert ("whole", "objective hinge, lr 0.1", 2, "finished") in rows.rows
    count = "select count(distinct seed), max(round) from curves"
    assert command(["query", count, "--under", str(home), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0][0] >= 2
    assert command(["query", "select run, rule from findings", "--under", str(home), "--csv"]) == 0
    assert capsys.readouterr().out.startswith("run,rule\n")
    measured = "select distinct metric from evaluations where source = 'measure' and real is not null"
    assert ("frechet-distance",) in sparring.query(measured, home).rows


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select * from rnus", "no table called 'rnus'; did you mean 'runs'?"),
        ("select nonsense from runs", "--tables"),
        ("copy runs to 'x.csv'", "disabled"),
        ("", "say what to query"),
        ("select 1; select 2", "ask one query at a time"),
        ("-- nothing", "the query is empty"),
    ],
)
def test_a_wrong_query_is_answered_in_one_line(
    sql: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["query", *([sql] if sql else []), "--under", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


def test_a_query_may_be_bounded_in_rows_and_in_seconds(tmp_path: Path) -> None:
    assert len(sparring.query("select * from range(1000)", tmp_path, max_rows=7)) == 7
    endless = "select count(*) from range(1000000) a, range(1000000) b where a.range * b.range % 7 = 3"
    with pytest.raises(UsageError, match=r"takes more than 0.1 s"):
        sparring.query(endless, tmp_path, seconds=0.1)


def test_queries_without_duckdb_say_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(SparringError, match=r"pip install 'sparring\[query\]'"):
        sparring.query("select * from runs", tmp_path)


def test_a_study_on_ray_without_ray_says_what_to_install_and_begins_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert command(["study", "pattern-1010", "--vary", "lr=0.1,0.2", "--on", "ray"]) == 1
    said = capsys.readouterr().err
    assert "pip install 'sparring[cluster]'" in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["digits"], "say what is varied of digits"),
        (["digits", "--vary", "objectve=a,b"], "did you mean 'objective'?"),
        (["digits", "--vary", "objective=hinge,mse", "--to", "ring"], "say what is varied"),
        (["why-the-reference", "--rounds", "3"], "a whole study says itself"),
        (["nowhere.py"], "nowhere.py does not exist"),
        (["collapse-remedie"], "called 'collapse-remedie'; did you mean 'collapse-remedies'?"),
        (["nope"], "no recipe, study or folder called 'nope'; `sparring recipes` lists recipes"),
        (["studies/nope"], "studies/nope does not exist"),
        (["digits", "--vary", "batch=1,2", "--looks", "0.5"], "say --race too"),
        (["digits", "--vary", "batch=1,2", "--samples", "3"], "samples must be at least 16"),
        (["digits", "--vary", "batch=1,2", "--processes", "0"], "processes must be at least 1"),
        (["digits", "--vary", "batch=1,2", "--seeds", "many"], "seeds takes a count"),
        (["digits", "--vary", "batch=1,2", "--until", "1", "--precision", "1"], "give one of them"),
        (["pattern-1010", "--vary", "lr=0.1,0.2", "--rounds", "9", "--outcome", "modes"], "modes is not evaluated"),
        (["digits", "--vary", "rounds=0,5"], "rounds=0: rounds must be at least 1"),
    ],
)
def test_a_wrong_command_is_answered_in_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(["study", *arguments]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


def test_a_dry_run_lists_the_cells_and_trains_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(["study", "collapse-remedies", "--dry-run"]) == 0
    assert capsys.readouterr().out.count("\n") == 17
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_processes_killed_for_real_lose_nothing(tmp_path: Path) -> None:
    """Cells in two processes; the coordinator and its workers get SIGKILL several times."""
    (tmp_path / "study.py").write_text(
        "import sparring\n"
        "from sparring.study import Study\n\n"
        "def cells() -> Study:\n"
        "    base = sparring.recipe('pattern-1010').replace(log_points=4, samples_per_grid=1)\n"
        "    return Study(base, {'objective': ['mse', 'hinge'], 'lr': [0.01, 0.1]}, 2, rounds=3000)\n"
    )
    call = [sys.executable, "-m", "sparring", "study", "study.py", "--threads", "1", "--samples", "32", "--out"]

    def start(out: str, *flags: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*call, out, *flags], cwd=tmp_path, start_new_session=True, stdout=subprocess.DEVNULL)

    for wait in (6.0, 9.0, 12.0):
        process = start("killed", "--processes", "2")
        time.sleep(wait)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(3.0)  # workers notice that their coordinator is gone, and save
    assert start("killed", "--processes", "2").wait() == 0
    assert start("whole").wait() == 0
    killed, whole = (collect(StudyFolder(tmp_path / name)) for name in ("killed", "whole"))
    assert timeless(killed) == timeless(whole)


def test_a_study_on_images_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`auto` is sized by them, as `sparring train --data` does it; without anything to vary it is one line."""
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).integers(0, 256, (40, 20, 20, 3), dtype=np.uint8))
    vary = ("--vary", "tricks.r1-r2.gamma=0.3,3", "--seeds", "2", "--dry-run", "--json")
    assert command(["study", "auto", "--data", str(tmp_path / "mine.npy"), *vary]) == 0
    study = Study.from_dict(json.loads(capsys.readouterr().out))
    assert study.base.data.shape == (3, 20, 20) and type(study.base.data).__name__ == "Folder"
    assert len(study.cells) == 2 and study.base == sparring.recipe("auto", sized_by=study.base.data)
    assert command(["study", "digits", "--data", "ring", *vary[2:], "--vary", "batch=8,16"]) == 0
    assert Study.from_dict(json.loads(capsys.readouterr().out)).base == sparring.recipe("digits").replace(data="ring")
    assert command(["study", "auto", "--data", str(tmp_path / "mine.npy")]) == 2
    assert "say what is varied of it too" in capsys.readouterr().err
