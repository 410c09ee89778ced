"""One explorer, one browser and one warm Python for all stories that need them, and windows of that browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.explorer_pages import IMPATIENT, WIDE, Open
from tests.explorers import CHROMIUM_FLAGS, Launched, chromium, launched
from tests.forked import Programs, warm_python
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
def explorer(run_shelf: Path, programs: Programs) -> Generator[Launched]:
    pytest.importorskip("nicegui", reason="the explorer needs NiceGUI: pip install 'sparring[explore]'")
    with launched(run_shelf, programs=programs) as server:
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


@pytest.fixture(scope="session")
def contexts(browser: Any) -> dict[tuple[str, int, str], Any]:
    """Address with the token, width and color scheme -> windows that have its cookie, and have loaded its scripts."""
    return {}


@pytest.fixture(scope="module")
def signed_in(explorer: Launched, browser: Any, contexts: dict[tuple[str, int, str], Any]) -> Callable[..., Any]:
    """Makes windows that have the token's cookie, of any width, light or dark."""

    def context(width: int, scheme: str) -> Any:
        key = explorer.address, width, scheme
        if key not in contexts:
            size = {"width": width, "height": 900 if width > 500 else 844}
            contexts[key] = browser.new_context(viewport=size, color_scheme=scheme)
            contexts[key].set_default_timeout(90_000)  # ms; on a busy machine a page takes its time
            contexts[key].add_init_script(IMPATIENT)
            name, _, value = explorer.cookie().partition("=")
            contexts[key].add_cookies([{"name": name, "value": value, "url": explorer.origin}])
        return contexts[key]

    return context


@pytest.fixture
def opened(explorer: Launched, signed_in: Callable[..., Any]) -> Generator[Open]:
    """Opens pages. None of them may say anything in the browser's console, or ask another server for anything."""
    pages: list[Any] = []
    complaints: list[str] = []

    def open_page(path: str = "/", width: int = WIDE, scheme: str = "light", **query: Any) -> Any:
        page = signed_in(width, scheme).new_page()
        page.on("console", lambda said: complaints.append(f"{said.type}: {said.text} ({said.location['url']})"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: expect_own(request.url))
        pages.append(page)
        page.goto(f"{explorer.origin}{path}{'?' if query else ''}{urlencode(query, doseq=True)}")
        page.wait_for_selector(".page")
        if path == "/run":
            page.wait_for_selector(".verdict .line, .problem:visible")
        return page

    def expect_own(url: str) -> None:
        if not re.match(rf"({re.escape(explorer.origin)}|ws://{explorer.origin[7:]})/|data:|blob:", url):
            complaints.append(f"asked for {url}")

    yield open_page
    for page in pages:
        page.close()
    assert complaints == []


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Generator[Programs]:
    """Starts Python programs, each in a process of its own, without the seconds that loading torch takes."""
    with warm_python(tmp_path_factory.mktemp("programs")) as made:
        yield made
