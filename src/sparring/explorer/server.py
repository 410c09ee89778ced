"""The explorer's server: NiceGUI behind the guard, on one address, until it is stopped."""

from __future__ import annotations

import gc
import logging
import os
import socket
import threading
import time
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from nicegui import core, ui
from nicegui.staticfiles import CacheControlledStaticFiles

from sparring.analysis.diagnosis import rules
from sparring.errors import SparringError, in_one_line
from sparring.explorer.components import STATIC
from sparring.explorer.figure_routes import add_figure_routes
from sparring.explorer.guard import Guard
from sparring.explorer.latent_routes import add_latent_routes
from sparring.explorer.pages import add_pages
from sparring.explorer.routes import add_routes
from sparring.explorer.session import Session
from sparring.progress import say

PORTS = range(8123, 8143)
"""Tried in turn where no port is asked for."""
MAX_MESSAGE = 2**18
"""Bytes of a message that a browser may send over the socket; what the pages send is far below."""
COLLECT_SECONDS = 30.0
"""Between two garbage collections."""


def application(session: Session) -> FastAPI:
    """The pages and the binary route, without the guard."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_routes(app, session)
    add_latent_routes(app, session)
    add_figure_routes(app, session)
    # Asked for again by every page, so that a browser does not go on with the files of a version before.
    app.mount("/static", CacheControlledStaticFiles(directory=STATIC, max_cache_age=0), name="static")
    add_pages(session)
    # The guard rewrites pages, so they must not be compressed; on the machine itself that would only cost time.
    ui.run_with(
        app,
        title="Sparring",
        favicon=STATIC / "icon.svg",
        gzip_middleware_factory=None,
        tailwind=False,
        dark=None,
        show_welcome_message=False,
    )
    core.app.config.socket_io_js_transports = ["websocket"]
    core.app.config.quasar_config["loadingBar"] = {"skipHijack": True}
    core.sio.eio.max_http_buffer_size = MAX_MESSAGE
    return app


def listening(host: str, port: int | None) -> socket.socket:
    """A socket that listens. Raises SparringError where the port is taken, or the address is not this machine's."""
    problems: list[str] = []
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in PORTS if port is None else [port]:
        opened = socket.socket(family)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((host, number))
            opened.listen()
        except OSError as error:
            problems.append(f"{host}:{number}: {error.strerror}")
            opened.close()
        else:
            return opened
    raise SparringError(f"cannot listen on {problems[0]}; name another with --port N (0: any that is free)")


def serve(session: Session, host: str, port: int | None, opened: Callable[[str], object], start_at: str = "/") -> None:
    """Serve until Ctrl-C.

    Args:
        session: What to show.
        host: The address to listen on.
        port: Its port; None for the first free one of PORTS.
        opened: Called with the address to open, once there is a socket behind it.
        start_at: The page that this address shows.
    """
    with listening(host, port) as listener:
        guard = Guard(application(session), listener.getsockname()[1], host)
        core.sio.eio.cors_allowed_origins = (
            None  # the socket's own check, in its default: the page's origin and no other
        )
        config = uvicorn.Config(
            guard,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws_max_size=MAX_MESSAGE,
            lifespan="on",
            log_config=None,
        )
        _keep_quiet()
        threading.Thread(target=_prepare, daemon=True).start()
        server = uvicorn.Server(config)
        opened(guard.address(start_at))
        server.run(sockets=[listener])


def _prepare() -> None:
    """Load what the first page with a verdict needs; then let go of what pages leave behind, now and then.

    Python itself collects in full only once a quarter as many objects are new as there were before, and modules alone
    are several hundred thousand. These are kept out of it, so that a collection takes milliseconds.
    """
    rules()
    gc.collect()
    gc.freeze()
    while True:
        time.sleep(COLLECT_SECONDS)
        gc.collect()


def _keep_quiet() -> None:
    """What strangers send is no news, and a page that failed says so itself; SPARRING_TRACEBACK=1 shows all."""
    if "SPARRING_TRACEBACK" in os.environ:
        return
    for name in ("asyncio", "engineio.server", "socketio.server", "uvicorn.error", "uvicorn", "nicegui"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    core.app.on_exception(lambda error: say(f"sparring: the explorer failed: {in_one_line(error)}"))
