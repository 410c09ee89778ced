"""Pages: which parts they have, and where they are."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from nicegui import ui

from sparring.explorer.pages.all_runs import all_runs_page
from sparring.explorer.pages.compare import compare_page
from sparring.explorer.pages.dissect import dissect_page
from sparring.explorer.pages.draw import draw_page
from sparring.explorer.pages.home import home
from sparring.explorer.pages.latent import latent_page
from sparring.explorer.pages.lessons import lesson_page, lessons_page
from sparring.explorer.pages.missing import add_missing_page
from sparring.explorer.pages.new import new_page
from sparring.explorer.pages.query import query_page
from sparring.explorer.pages.run import run_page
from sparring.explorer.parts.all_runs import Asked
from sparring.explorer.parts.sides import MAX_SIDES
from sparring.explorer.session import Session

PAGE_SECONDS = 60.0
"""How long a page may take that reads a run: a long journal on a busy machine takes more than a few seconds."""


def add_pages(session: Session) -> None:
    """Every page of the explorer."""
    add_missing_page()

    @ui.page("/")
    def _home(text: str = "") -> None:  # pyright: ignore[reportUnusedFunction]
        home(session, text)

    @ui.page("/run", response_timeout=PAGE_SECONDS)
    async def _run(  # pyright: ignore[reportUnusedFunction]
        run: str = "", view: str = "live", round: str = ""
    ) -> None:
        await run_page(session, run, view, round)

    @ui.page("/latent")
    def _latent(run: str = "") -> None:  # pyright: ignore[reportUnusedFunction]
        latent_page(session, run)

    @ui.page("/compare")
    def _compare(of: Annotated[list[str] | None, Query()] = None) -> None:  # pyright: ignore[reportUnusedFunction]
        compare_page(session, of or [])

    @ui.page("/all")
    def _all(  # pyright: ignore[reportUnusedFunction]
        folder: int = 0,
        sort: str = "",
        order: str = "",
        text: str = "",
        status: str = "",
        of: Annotated[list[str] | None, Query()] = None,
    ) -> None:
        all_runs_page(session, folder, Asked(sort, order, text, status, tuple(dict.fromkeys(of or []))[:MAX_SIDES]))

    @ui.page("/dissect")
    def _dissect(run: str = "") -> None:  # pyright: ignore[reportUnusedFunction]
        dissect_page(session, run)

    @ui.page("/query")
    def _query(folder: int = 0, sql: str = "") -> None:  # pyright: ignore[reportUnusedFunction]
        query_page(session, folder, sql)

    @ui.page("/lessons")
    def _lessons() -> None:  # pyright: ignore[reportUnusedFunction]
        lessons_page(session)

    @ui.page("/lesson", response_timeout=PAGE_SECONDS)
    async def _lesson(  # pyright: ignore[reportUnusedFunction]
        name: str = "", run: str = "", round: str = ""
    ) -> None:
        await lesson_page(session, name, run, round)

    @ui.page("/draw")
    def _draw() -> None:  # pyright: ignore[reportUnusedFunction]
        draw_page(session)

    @ui.page("/new")
    def _new(recipe: str = "") -> None:  # pyright: ignore[reportUnusedFunction]
        new_page(session, recipe)
