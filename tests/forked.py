"""Python programs that start at once: a process that has loaded torch and the package forks one for each of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVER = """
import json, os, runpy, signal, sys
import sparring, sparring.training.start, sparring.analysis.measure, sparring.report, sparring.training.watch.session
import sparring.cli.train, sparring.report.page.run
import torch

for line in sys.stdin:
    order = json.loads(line)
    pid = os.fork()
    if pid:
        print(pid, flush=True)
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


@dataclass
class Programs:
    """Starts one after the other."""

    _server: subprocess.Popen[str]
    _said: Path

    def start(self, *arguments: object, folder: Path, **environment: str) -> Program:
        """What `python ARGUMENTS` runs: a file, `-m MODULE` or `-c CODE`, each with arguments of its own."""
        assert self._server.stdin is not None and self._server.stdout is not None
        plain = [str(each) for each in arguments]
        order = {"arguments": plain, "folder": str(folder), "said": str(self._said)}
        print(json.dumps(order | {"environment": {**os.environ, **environment}}), file=self._server.stdin, flush=True)
        return Program(int(self._server.stdout.readline()), plain, self._said, self._server)

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
