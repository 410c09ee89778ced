"""Computations of a page: what they answer is kept whether anybody looks or not, and only in the run's folder."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sparring.errors import UsageError
from sparring.explorer import tasks
from sparring.explorer.tasks import MAX_RUNNING, TASKS, Tasks, answer_of
from sparring.explorer.uploads import save_dropped
from sparring.explorer.words import Words
from sparring.languages import LANGUAGES, Text, language
from sparring.record import RunFolder, write_atomically
from tests.made_runs import made_run

Program = Callable[[str], None]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return made_run(tmp_path / "runs" / "run", samples=False)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    """Makes this program what commands are."""
    start = subprocess.Popen

    def instead(code: str) -> None:
        command = partial(start, [sys.executable, "-c", code])
        monkeypatch.setattr(tasks.subprocess, "Popen", lambda _, **streams: command(**streams))

    return instead


def eventually(there: Callable[[], Any]) -> None:
    until = time.monotonic() + 60
    while not there():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_nobody_waits_for_is_kept_and_makes_room(run: RunFolder, program: Program) -> None:
    computations, names = Tasks(), list(TASKS)
    program("print('{\"psi\": 1}')")
    for name in names[: MAX_RUNNING - 1]:
        computations.start(run, name, {})
    program("import sys; sys.exit('sparring: it is too hot')")
    computations.start(run, names[MAX_RUNNING - 1], {})
    eventually(lambda: computations.problem(run, names[MAX_RUNNING - 1]) == "it is too hot")
    eventually(lambda: all(answer_of(run, name) == {"psi": 1} for name in names[: MAX_RUNNING - 1]))
    eventually(lambda: not any(computations.running(run, name) for name in names))
    computations.start(run, names[MAX_RUNNING], {})
    assert not any(computations.problem(run, name) for name in names[: MAX_RUNNING - 1])
    computations.end()


def test_what_ends_without_a_word_is_said_in_the_language_of_the_page(run: RunFolder, program: Program) -> None:
    computations, name = Tasks(), next(iter(TASKS))
    program("import sys; sys.exit(3)")
    computations.start(run, name, {})
    eventually(lambda: computations.problem(run, name))
    problem = computations.problem(run, name)
    assert isinstance(problem, Text) and problem.fields == {"status": 3}
    for code in LANGUAGES:
        assert Words(code).error(problem) == language(code)(problem) and "3" in Words(code).error(problem)


def test_more_than_a_few_at_a_time_are_refused_and_end_with_the_server(run: RunFolder, program: Program) -> None:
    computations, names = Tasks(), list(TASKS)
    program("import time; time.sleep(600)")
    for name in names[:MAX_RUNNING]:
        computations.start(run, name, {})
    with pytest.raises(UsageError, match="run already"):
        computations.start(run, names[MAX_RUNNING], {})
    computations.cancel(run, names[0])
    eventually(lambda: computations.running(run, names[0]) is None)
    assert computations.problem(run, names[0]) == ""
    computations.end()
    eventually(lambda: not any(computations.running(run, name) for name in names))
    assert not any(answer_of(run, name) for name in names)


def test_what_has_ended_is_kept_when_the_server_ends(run: RunFolder, program: Program) -> None:
    computations = Tasks()
    program("print('{\"psi\": 2}', flush=True)")
    computations.start(run, "truncation", {})
    running = computations.running(run, "truncation")
    if running is not None:
        running.process.wait()
    computations.end()
    assert answer_of(run, "truncation") == {"psi": 2}


@pytest.mark.parametrize("folder", ["figures", "export"])
def test_nothing_is_written_through_a_link(folder: str, run: RunFolder, tmp_path: Path, program: Program) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    if (run.path / folder).is_dir():
        (run.path / folder).rmdir()
    (run.path / folder).symlink_to(outside)
    program(f"open({str(outside / 'drawn')!r}, 'w'); print('{{}}')")
    computations, file = Tasks(), io.BytesIO()
    Image.new("RGB", (3, 3)).save(file, "PNG")
    with pytest.raises(UsageError, match="is a link"):
        computations.start(run, "export", {})
    if folder == "figures":
        with pytest.raises(UsageError, match="is a link"):
            save_dropped(run, file.getvalue())
    assert not list(outside.iterdir())


def test_a_link_that_is_made_while_it_computes_is_not_followed_either(
    run: RunFolder, tmp_path: Path, program: Program
) -> None:
    computations, go = Tasks(), tmp_path / "go"
    program(f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\nprint('{{}}')")
    computations.start(run, "truncation", {})
    (run.path / "figures").rmdir()
    (run.path / "figures").symlink_to(tmp_path)
    go.touch()
    eventually(lambda: "is a link" in computations.problem(run, "truncation"))
    assert not (tmp_path / "truncation.json").exists()


def test_a_link_in_place_of_an_unfinished_file_is_not_written_through(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (run.path / "figures" / ".spaces.json.partial").symlink_to(tmp_path / "mine")
    write_atomically(run.path / "figures" / "spaces.json", lambda path: path.write_text(json.dumps({})))
    assert (tmp_path / "mine").read_text() == "mine" and answer_of(run, "spaces") == {}


def test_what_is_exported_speaks_the_language_of_the_page() -> None:
    values = {"seed": "2", "language": "zh"}
    assert "--language=zh" in TASKS["export"].arguments("runs/a", values)
    assert all("--language=zh" not in task.arguments("runs/a", values) for task in TASKS.values() if not task.speaks)
    assert Words("zh").sentences("甲。", "", "乙。") == "甲。乙。" and Words("en").sentences("A.", "B.") == "A. B."
