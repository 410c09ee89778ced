"""One explorer and one browser for all stories that need them."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.explorers import CHROMIUM_FLAGS, Launched, chromium, launched
from tests.made_runs import made_run


@pytest.fixture(scope="session")
def run_shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs that are finished."""
    folder = tmp_path_factory.mktemp("explorer") / "runs"
    made_run(folder / "digits")
    made_run(folder / "collapsed", metrics={"modes": (3.0, 1.0), "diversity": (0.3, 0.05)})
    made_run(folder / "one-member", members=1)
    made_run(folder / "bare", samples=False, scores=False, metrics={})
    return folder


@pytest.fixture(scope="session")
def explorer(run_shelf: Path) -> Generator[Launched]:
    pytest.importorskip("nicegui", reason="the explorer needs NiceGUI: pip install 'sparring[explore]'")
    with launched(run_shelf) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Generator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        yield opened
        opened.close()
