"""Python programs that start at once: a process that has loaded torch and the package forks one for each of them."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVER = """
import gc, importlib.util, json, os, runpy, signal, sys
import sparring, sparring.training.start, sparring.analysis.measure, sparring.report, sparring.training.watch.session
import sparring.cli.train, sparring.report.page.run
import torch
if importlib.util.find_spec("nicegui"):
    import sparring.explorer.launch, sparring.analysis.diagnosis
    sparring.analysis.diagnosis.rules()
gc.freeze()

apart = set()
for line in sys.stdin:
    order = json.loads(line)
    apart -= {pid for pid in apart if os.waitpid(pid, os.WNOHANG)[0]}
    pid = os.fork()
    if pid:
        print(pid, flush=True)
        if order["apart"]:
            apart.add(pid)
        else:
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        continue
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what is in the background without
    os.chdir(order["folder"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(os.path.join(order["said"], name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    os.environ.clear()
    os.environ.update(order["environment"])
    first, *rest = order["arguments"]
    if first in ("-m", "-c"):
        what, *rest = rest
        sys.argv, sys.path[0] = [first, *rest], order["folder"]
        if first == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv, sys.path[0] = [first, *rest], os.path.dirname(first)
        runpy.run_path(first, run_name="__main__")
    sys.exit()
"""


@dataclass
class Program:
    """One that runs."""

    pid: int
    arguments: list[str]
    _said: Path
    _answers: subprocess.Popen[str]

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def ended(self) -> subprocess.CompletedProcess[str]:
        """Once it has."""
        assert self._answers.stdout is not None
        status = int(self._answers.stdout.readline())
        said, errors = ((self._said / name).read_text() for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(self.arguments, status, said, errors)


class Apart:
    """One that runs beside others, as a server does; how it ended is not known."""

    def __init__(self, pid: int):
        self.pid = pid
        self._ends = os.pidfd_open(pid)  # can be read from once it has ended

    def poll(self) -> int | None:
        """None while it runs."""
        return self.wait(0.0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Until it ends, or for some seconds; None if it runs still."""
        return 0 if select.select([self._ends], [], [], timeout)[0] else None

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@dataclass
class Programs:
    """Starts one after the other, and beside them some that run apart."""

    _server: subprocess.Popen[str]
    _said: Path

    def start(self, *arguments: object, folder: Path, **environment: str) -> Program:
        """What `python ARGUMENTS` runs: a file, `-m MODULE` or `-c CODE`, each with arguments of its own."""
        plain = [str(each) for each in arguments]
        pid = self._forked(plain, folder, self._said, environment, apart=False)
        return Program(pid, plain, self._said, self._server)

    def start_apart(self, *arguments: object, folder: Path, said: Path, **environment: str) -> Apart:
        """The same for one that others do not wait for, and that writes into a folder of its own, `said`."""
        return Apart(self._forked([str(each) for each in arguments], folder, said, environment, apart=True))

    def _forked(
        self, arguments: list[str], folder: Path, said: Path, environment: Mapping[str, str], apart: bool
    ) -> int:
        assert self._server.stdin is not None and self._server.stdout is not None
        order = {"arguments": arguments, "folder": str(folder), "said": str(said), "apart": apart}
        print(json.dumps(order | {"environment": {**os.environ, **environment}}), file=self._server.stdin, flush=True)
        return int(self._server.stdout.readline())

    def run(self, *arguments: object, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Until it ends, whatever its status."""
        return self.start(*arguments, folder=folder, **environment).ended()


@contextmanager
def warm_python(said: Path) -> Generator[Programs]:
    """Starts programs with one thread each, which write into the folder `said`."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    with server:
        yield Programs(server, said)
        assert server.stdin is not None
        server.stdin.close()
