"""A launch of the explorer in a process of its own, as the command makes it, and a browser to open it with."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlparse

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--disable-extensions", "--disable-dev-shm-usage", "--mute-audio"),
)


def chromium() -> str | None:
    """The system's own browser, or None."""
    return os.environ.get("SPARRING_CHROMIUM") or next(
        (path for name in CHROMIUM if (path := shutil.which(name))), None
    )


@dataclass
class Launched:
    """A server, and its address with the token."""

    process: subprocess.Popen[str]
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
def launched(*arguments: Any, env: Mapping[str, str] | None = None) -> Generator[Launched]:
    """`sparring explore ARGUMENTS` on a free port, stopped by Ctrl-C at the end."""
    command = [sys.executable, "-m", "sparring", "explore", *map(str, arguments), "--port", "0", "--no-browser"]
    with tempfile.TemporaryFile("w+") as said:  # not a pipe: one that nobody empties would stop the server
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, text=True, env={**os.environ, **(env or {})}
        )
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            said.seek(0)
            assert address, said.read()
            yield Launched(process, address)
        finally:
            stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """As Ctrl-C does; by force where that takes too long."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def run_folders(folder: Path) -> list[str]:
    """Every file of a folder with its size, to see whether anything changed."""
    return sorted(f"{path.relative_to(folder)} {path.stat().st_size}" for path in folder.rglob("*") if path.is_file())
