"""What a browser shows of an address without a page."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from nicegui import Client, core
from nicegui.page import page

from sparring.errors import shortened
from sparring.explorer.components import link, tag
from sparring.explorer.pages.frame import page_frame
from sparring.explorer.words import Words

MAX_SHOWN = 200
"""Characters of the address."""


def add_missing_page() -> None:
    """Answer unknown addresses, and values that cannot be read, with a page. NiceGUI's own evaluates text."""
    core.app.add_exception_handler(404, _missing)
    core.app.add_exception_handler(RequestValidationError, _missing)


def _missing(request: Request, error: Exception) -> Response:
    if request.url.path.startswith(("/_nicegui", "/data/")):  # which no person opens
        return JSONResponse({"problem": f"there is no {shortened(request.url.path)}"}, 404)
    status = 404 if not isinstance(error, RequestValidationError) else 422
    with Client(page(""), request=request) as client:
        words, asked = Words(), request.url.path + (f"?{request.url.query}" if request.url.query else "")
        with page_frame(words, words("no-page")):
            tag("h1", words("no-page"))
            tag("p", words("no-page-help", address=shortened(asked, MAX_SHOWN)), "problem")
            link(words("to-runs"), "/", "button primary")
    return client.build_response(request, status)
