"""Long computations of a page: each is a command of Sparring in a process of its own, which can be canceled."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sparring.characters import quoted
from sparring.errors import SparringError, UsageError
from sparring.languages import ENGLISH, LANGUAGES, VARIABLE, Text, language
from sparring.progress import LEFT as ESTIMATE
from sparring.record import RunFolder, write_atomically
from sparring.training.background import refuse_own_code

FOLDER, EXPORT = "figures", "export"
"""Where a run keeps what the commands draw, and what they say; and the generator that is exported."""
MAX_SAID = 2_000
"""Bytes of what a process said last that are read."""
LEFT = [re.compile(re.escape(language(code)(ESTIMATE)).replace(re.escape("{seconds}"), r"(\d+)")) for code in LANGUAGES]
"""What a command says on stderr while it works."""
MAX_SAVED = 2**26
"""Bytes of an answer that is read."""
MAX_RUNNING = 4
"""Computations at a time."""
END_SECONDS = 2.0
"""At the end of the server, for what has ended to be kept."""


@dataclass(frozen=True)
class Task:
    """A command: what it is called, and what is given to it."""

    name: str
    """Of its answer's file too."""
    command: str
    picture: str = ""
    """The picture that it writes into the run's folder of figures; empty for none."""
    flags: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    """Flags that a person may fill in."""
    speaks: bool = False
    """Whether it writes words for people, in the language of the page."""

    def arguments(self, folder: str, values: Mapping[str, str], image: Path | None = None) -> list[str]:
        """What to type, without `--json`. Values stand behind an equals sign, so that none is taken for a flag."""
        given = [f"--{name}={value}" for name, value in values.items() if name in self.asked and value]
        to = [f"--to={Path(folder) / EXPORT}"] if self.command == "export" else []
        spoken = [f"--language={values['language']}"] if self.speaks and values.get("language") else []
        return [self.command, folder, *([str(image)] if image else []), *self.flags, *given, *to, *spoken]


TASKS = {
    task.name: task
    for task in (
        Task("directions", "directions", "directions.png", asked=("dims",)),
        Task("project", "project", "project.png"),
        Task("memorization", "project", asked=("count",)),
        Task("truncation", "truncation", asked=("count",)),
        Task("filter", "sample", "sample.png", ("--filter=d", "--count=256")),
        Task("spaces", "spaces", "spaces.html"),
        Task("loop", "loop", "loop.webp", asked=("z-seeds", "frames")),
        Task("film", "film", "film.webp", asked=("fps",)),
        Task("export", "export", asked=("seed",), speaks=True),
    )
}


@dataclass
class Running:
    """A process that computes, and what it says."""

    process: subprocess.Popen[bytes]
    answer: IO[bytes]
    said: IO[bytes]
    since: float = field(default_factory=time.monotonic)
    canceled: bool = False
    estimate: str = ""
    """The last line that said how long it takes still, and below when that was read."""
    read_at: float = 0.0
    keeper: threading.Thread | None = None
    """Waits for its end, and keeps what it answered."""
    _reading: threading.Lock = field(default_factory=threading.Lock, repr=False)
    """Pages read what it says, and so does its keeper."""

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.since

    @property
    def last_line(self) -> str:
        """What it said last; empty while it said nothing, and when all of it was read."""
        with self._reading:
            if self.said.closed:
                return ""
            self.said.seek(0, 2)
            self.said.seek(max(0, self.said.tell() - MAX_SAID))
            lines = self.said.read().decode(errors="replace").replace("\r", "\n").split("\n")
        return next((line.removeprefix("sparring: ").strip() for line in reversed(lines) if line.strip()), "")

    @property
    def seconds_left(self) -> float | None:
        """By its last estimate; None where there is none, or it is over."""
        line = self.last_line
        found = next((found for pattern in LEFT if (found := pattern.search(line))), None)
        if found is None:
            return None
        if line != self.estimate:
            self.estimate, self.read_at = line, time.monotonic()
        left = float(found[1]) - (time.monotonic() - self.read_at)
        return left if left > 0 else None

    def json(self) -> Any:
        """What it printed; None where that is no JSON."""
        self.answer.seek(0)
        try:
            return json.loads(self.answer.read())
        except ValueError:
            return None

    def close(self) -> None:
        """When all of it was read."""
        with self._reading:
            self.answer.close()
            self.said.close()


class Tasks:
    """The computations of all windows, by the run's folder and the task's name.

    Each has a thread that waits for its end and keeps its answer, so that none is lost when nobody looks.
    """

    def __init__(self) -> None:
        self._running: dict[tuple[Path, str], Running] = {}
        self._problems: dict[tuple[Path, str], str] = {}
        self._lock = threading.Lock()
        atexit.register(self.end)

    def start(self, run: RunFolder, name: str, values: Mapping[str, str], image: Path | None = None) -> None:
        """Begin one.

        Raises UsageError where it runs already, many others do, the run's code would be executed, or a folder that is
        written to is a link.
        """
        refuse_own_code(run.recipe, run.path)
        task, key = TASKS[name], (run.path, name)
        for folder in (FOLDER, EXPORT) if task.command == "export" else (FOLDER,):
            own_folder(run, folder)
        with self._lock:
            if key in self._running:
                raise UsageError("this is being computed already")
            if len(self._running) >= MAX_RUNNING:
                raise UsageError(f"{MAX_RUNNING} computations run already: wait for one, or cancel it")
            command = task.arguments(str(run.path.resolve()), values, image)
            answer, said = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - as long as it runs
            process = subprocess.Popen(
                [sys.executable, "-m", "sparring", *command, "--json"],
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=said,
                env={**os.environ, VARIABLE: ENGLISH},  # it is translated for each page
            )
            self._problems.pop(key, None)
            running = self._running[key] = Running(process, answer, said)
            running.keeper = threading.Thread(target=self._keep, args=(run, name, running), daemon=True)
            running.keeper.start()

    def cancel(self, run: RunFolder, name: str) -> None:
        """End one; what it has written is kept, and what was there before too."""
        running = self._running.get((run.path, name))
        if running is not None:
            running.canceled = True
            running.process.terminate()

    def running(self, run: RunFolder, name: str) -> Running | None:
        """The computation, until its answer is in the run's folder, or its problem is known."""
        return self._running.get((run.path, name))

    def problem(self, run: RunFolder, name: str) -> str:
        """Why the last one failed; empty where it did not."""
        return self._problems.get((run.path, name), "")

    def end(self) -> None:
        """End all of them, with the server."""
        with self._lock:
            left = list(self._running.values())
        for running in left:
            running.canceled = True
            with contextlib.suppress(OSError):
                running.process.terminate()
        until = time.monotonic() + END_SECONDS
        for running in left:
            if running.keeper is not None:
                running.keeper.join(max(0.0, until - time.monotonic()))

    def _keep(self, run: RunFolder, name: str, running: Running) -> None:
        problem = ""
        try:
            problem = _kept(run, name, running)
        finally:
            running.close()
            with self._lock:
                if problem:
                    self._problems[run.path, name] = problem
                del self._running[run.path, name]


def _kept(run: RunFolder, name: str, running: Running) -> str:
    """Wait for a computation, and keep its answer in the run's folder. Returns why there is none; empty if canceled."""
    status = running.process.wait()
    answer = running.json() if status == 0 else None
    if answer is None:
        if running.canceled:
            return ""
        return running.last_line or Text("the command ended with status {status} and gave no answer", status=status)
    text = json.dumps(answer)
    try:
        own_folder(run, FOLDER)
        write_atomically(answer_file(run, name), lambda path: path.write_text(text, encoding="utf-8"))
    except SparringError as error:
        return str(error)
    return ""


def own_folder(run: RunFolder, name: str) -> Path:
    """A folder of a run, to write to. Raises UsageError for a link: who made the run may have put it there."""
    folder = run.path / name
    if folder.is_symlink():
        raise UsageError(f"{folder} is a link to another place, where nothing is written")
    return folder


def answer_file(run: RunFolder, name: str) -> Path:
    """Where a computation's answer is kept."""
    return run.path / FOLDER / f"{name}.json"


def answer_of(run: RunFolder, name: str) -> Any:
    """What a computation answered last, as JSON, which may be anybody's; None where there is none."""
    return saved_json(answer_file(run, name))


def typed(run: RunFolder, name: str, values: Mapping[str, str], image: Path | None = None) -> str:
    """The command as one types it in a terminal."""
    arguments = TASKS[name].arguments(shown_path(run.path), values, image)
    words = [part for each in arguments for part in (each.split("=", 1) if each.startswith("--") else [each])]
    return " ".join(["sparring", *map(quoted, words)])


def saved_json(path: Path) -> Any:
    """What a file of the run's folder says, which may be anybody's; None for one that is no JSON, or too large."""
    try:
        if path.is_symlink() or path.parent.is_symlink() or path.stat().st_size > MAX_SAVED:
            return None
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def shown_path(path: Path) -> str:
    """A path as a person would type it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
