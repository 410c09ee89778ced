"""Helpers of the explorer's stories: what a page says, its address, a picture of it, and runs that seem to train.

Set SPARRING_SCREENSHOTS to a folder to get the pictures that these stories take.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from tests.explorers import FakeTraining
from tests.made_runs import made_run

WIDE, NARROW = 1280, 390
WINDOWS = (
    (WIDE, "light"),
    (NARROW, "dark"),
    pytest.param(WIDE, "dark", marks=pytest.mark.slow),
    pytest.param(NARROW, "light", marks=pytest.mark.slow),
)
"""Widths and color schemes. The fast suite takes each once."""
IMPATIENT = """{
  const wait = window.setTimeout;
  const sooner = { 1000: 200, 2000: 400, 5000: 500, 10000: 1000 };
  window.setTimeout = (then, ms, ...rest) => {
    const reads = /native code|this\\.read\\(\\)/.test(then);
    return wait(then, (reads && sooner[ms]) || ms, ...rest);
  };
}"""
"""Pages read a run again sooner than for users (`begin` of store.js, sides.js), because stories would wait for it.
All else takes as long as ever, above all what keeps the connection to the server."""
Open = Callable[..., Any]


def picture(page: Any, name: str) -> None:
    """Keep what is seen, where a folder for it is named. The page may not scroll sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} is too wide"
    if folder := os.environ.get("SPARRING_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def eventually(get: Callable[[], Any], wanted: Callable[[Any], Any], seconds: float = 90.0) -> Any:
    """The first value that is wanted; else the last one, which fails."""
    until = time.monotonic() + seconds
    while True:
        value = get()
        if wanted(value):
            return value
        assert time.monotonic() < until, f"still {value!r}"
        time.sleep(0.05)


def says(page: Any, text: str, within: str = ".page") -> None:
    """The page comes to say this."""
    # Not `wait_for_function`: it evaluates text in the page, which the page's policy refuses.
    found = "(place) => [...document.querySelectorAll(place)].map((each) => each.innerText)"
    eventually(lambda: page.evaluate(found, within), lambda texts: any(text in each for each in texts))


def query_of(page: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlparse(page.evaluate("location.href")).query).items()}


@contextmanager
def training(folder: Path, name: str, until: int = 2500) -> Generator[FakeTraining]:
    """A run that a process has, gone again afterwards."""
    run = made_run(folder / name, until=until)
    with FakeTraining(run) as fake:
        yield fake
    shutil.rmtree(run.path)
