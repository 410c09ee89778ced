"""A launch of the explorer in a process of its own, as the command makes it, and a browser to open it with."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, Protocol, Self, cast
from urllib.parse import parse_qs, urlparse

import numpy as np

from sparring.record import RunFolder, training_lock
from sparring.record.story import CURVES, GRADIENTS
from sparring.training.control.inbox import Command, Inbox
from tests.forked import Programs
from tests.made_runs import histograms

CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""The first draws no windows of its own, which takes half of a browser's time."""
CHROMIUM_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--disable-extensions", "--disable-dev-shm-usage", "--mute-audio"),
)


def chromium() -> str | None:
    """The system's own browser, or None."""
    return os.environ.get("SPARRING_CHROMIUM") or next(
        (path for name in CHROMIUM if (path := shutil.which(name))), None
    )


class Process(Protocol):
    """That of a server."""

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int | None: ...
    def send_signal(self, number: signal.Signals, /) -> None: ...
    def kill(self) -> None: ...


@dataclass
class Launched:
    """A server, and its address with the token."""

    process: Process
    address: str

    @property
    def origin(self) -> str:
        parts = urlparse(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def port(self) -> int:
        return cast(int, urlparse(self.address).port)

    @property
    def token(self) -> str:
        return parse_qs(urlparse(self.address).query)["token"][0]

    def cookie(self) -> str:
        """What the server gives for the token."""
        answer = self.get(f"/?token={self.token}")
        return str(answer.headers["set-cookie"]).partition(";")[0]

    def get(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        """The answer to a request, whatever its status."""
        request = urllib.request.Request(f"{self.origin}{path}", headers=dict(headers or {}), method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return Answer.of(cast(HTTPResponse, response))
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers.items()), error.read())


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, response: HTTPResponse) -> Answer:
        return cls(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())


@contextmanager
def launched(*arguments: Any, programs: Programs | None = None) -> Generator[Launched]:
    """`sparring explore ARGUMENTS` on a free port, stopped by Ctrl-C at the end.

    With `programs` it is one of these, which begins without the seconds that loading torch and NiceGUI takes.
    """
    command = ["-m", "sparring", "explore", *map(str, arguments), "--port", "0", "--no-browser"]
    with tempfile.TemporaryDirectory() as folder:
        said = {name: Path(folder, name) for name in ("stdout", "stderr")}  # not pipes: full ones would stop the server
        if programs is not None and hasattr(os, "pidfd_open"):
            process: Process = programs.start_apart(*command, folder=Path.cwd(), said=Path(folder))
        else:
            with said["stdout"].open("w") as out, said["stderr"].open("w") as err:
                process = subprocess.Popen([sys.executable, *command], stdout=out, stderr=err)
        try:
            yield Launched(process, first_line(said, process))
        finally:
            stop(process)


def first_line(said: Mapping[str, Path], process: Process) -> str:
    """The address that a launch prints."""
    while True:
        has_ended = process.poll() is not None
        line, end, _ = said["stdout"].read_text().partition("\n") if said["stdout"].exists() else ("", "", "")
        if end:
            return line.strip()
        assert not has_ended, said["stderr"].read_text()
        time.sleep(0.02)


def stop(process: Process) -> None:
    """As Ctrl-C does; by force where that takes too long."""
    process.send_signal(signal.SIGINT)
    try:
        ended = process.wait(15) is not None
    except subprocess.TimeoutExpired:
        ended = False
    if not ended:
        process.kill()
        process.wait()


def run_folders(folder: Path) -> list[str]:
    """Every file of a folder with its size, to see whether anything changed."""
    return sorted(f"{path.relative_to(folder)} {path.stat().st_size}" for path in folder.rglob("*") if path.is_file())


class FakeTraining:
    """A process that trains, as a page sees it: it has the lock, logs points, and does what it is asked for.

    The numbers are those of a synthetic story; `Control` itself is tested with real ones elsewhere.
    """

    def __init__(self, run: RunFolder):
        self.run = run
        self.asked: list[Command] = []
        self._inbox = Inbox(run.path)
        self._stop, self._lock = threading.Event(), ExitStack()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._lock.enter_context(training_lock(self.run.path))
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._lock.close()

    def log(self, round: int, value: float = 0.5) -> None:
        """One more point of every curve."""
        rows = {name: [[value] * len(self.run.recipe["seeds"])] for name in (*CURVES, *GRADIENTS)}
        self.run.journal.append("log", round=round, seconds=float(round), logged=[round], **rows)

    def _work(self) -> None:
        while not self._stop.wait(0.05):
            for command in self._inbox.new():
                self.asked.append(command)
                self._answer(command)

    def _answer(self, command: Command) -> None:
        journal, about = self.run.journal, {"round": self.run.story.round, "command": command.id, "by": command.by}
        if command.do in ("pause", "round"):
            journal.append("paused", **about)
        elif command.do == "go":
            journal.append("continued", **about)
        elif command.do == "slow":
            journal.append("slowed", **about)
        elif command.do == "step":
            player = str(command.values.get("player", "D"))
            number = len(self.asked)
            move = {"move": "d_sees_both" if player == "D" else "g_fools_d", "player": player}
            where = {"position": 0 if player == "D" else 1, "of": 2, "extra": False}
            self._report({"number": number, "round": about["round"], **move, **where})
            journal.append("stepped", **about, **move, **where, index=0, report=number)
        elif command.do == "set":
            settings = {"batch": [64, int(command.values["settings"]["batch"])]}
            journal.append("changed", **about, settings=settings)
        elif command.do == "rewind":
            journal.append("rewound", **{**about, "round": int(command.values["round"])})

    def _report(self, fields: dict[str, Any]) -> None:
        members = len(self.run.recipe["seeds"])
        shown = histograms(np.random.default_rng(0), members)
        both = {name: shown[name] * 2 for name in ("real", "fake")}
        means = [[[0.6] * members, [0.4] * members], [[0.7] * members, [0.3] * members]]
        with (self.run.path / "moves.jsonl").open("a") as file:
            file.write(json.dumps({**fields, "edges": shown["edges"], **both, "means": means, "values": {}}) + "\n")
