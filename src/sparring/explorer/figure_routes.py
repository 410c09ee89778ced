"""Files of a run's folder of figures: pictures to look at, others to keep; and pictures that are dropped on a page."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from sparring.errors import SparringError, UsageError
from sparring.explorer.session import Session
from sparring.explorer.tasks import FOLDER
from sparring.explorer.uploads import MAX_BYTES, save_dropped
from sparring.explorer.words import Spoken, Words

SHOWN = {".png": "image/png", ".gif": "image/gif", ".webp": "image/webp"}
"""What a page shows; anything else is only given to be kept."""
NAME = re.compile(r"[a-z0-9-]{1,40}\.(png|gif|webp|html|json)")


def add_figure_routes(app: FastAPI, session: Session) -> None:
    """The routes."""

    @app.get("/data/figure")
    def _figure(run: str, name: str, keep: int = 0) -> Response:  # pyright: ignore[reportUnusedFunction]
        return figure(session, run, name, bool(keep))

    @app.post("/data/picture")
    async def _picture(run: str, request: Request, words: Spoken) -> Response:  # pyright: ignore[reportUnusedFunction]
        data = bytearray()
        async for part in request.stream():
            data += part
            if len(data) > MAX_BYTES:
                break
        return await asyncio.to_thread(picture, session, words, run, bytes(data))


def figure(session: Session, key: str, name: str, keep: bool) -> Response:
    """A file of the run's figures; never shown as a page of this server."""
    found = session.find(key)
    if found is None or not NAME.fullmatch(name):
        return JSONResponse({"problem": "there is no such picture here"}, 404)
    try:
        content = session.opened.file(found, f"{FOLDER}/{name}").read_bytes()
    except (SparringError, OSError):
        return JSONResponse({"problem": "there is no such picture here"}, 404)
    kind = SHOWN.get(Path(name).suffix)
    headers = {"Cache-Control": "no-store"}
    if keep or kind is None:
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(content, media_type=kind or "application/octet-stream", headers=headers)


def picture(session: Session, words: Words, key: str, data: bytes) -> Response:
    """Keep a dropped picture. What is wrong with it is an answer too, which the page shows as a sentence."""
    try:
        found = session.find(key)
        if found is None:
            raise UsageError("there is no such run here")
        return JSONResponse({"name": save_dropped(found, data)})
    except SparringError as error:
        return JSONResponse({"problem": words.error(error)})
