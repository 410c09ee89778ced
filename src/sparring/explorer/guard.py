"""Who may talk to the page: a token for each launch, the Host and Origin of every request, and what a page may load.

An ASGI middleware around the whole application, sockets included. NiceGUI's own server accepts a socket from any
origin, so nothing may reach it before these checks.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MAX_QUERY = 16_384
"""Bytes of a query string, which may have a query in SQL; longer ones are refused before anything reads them."""
SCRIPTS = (
    '<script type="importmap">',
    "<script>\n      addStyle = (c)",
    '<script type="module">\n      import * as Vue from "vue";',
    '<script type="module">\n      // Load DOMPurify',
)
"""How the four scripts inside NiceGUI's page begin. Each gets the nonce; a script that got in otherwise has none."""


@dataclass
class Guard:
    """Lets through what comes from a browser that was opened with the token, on a page of this very address."""

    app: App
    port: int
    host: str = "127.0.0.1"
    """The address that the server listens on."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    """What the address on the command's output carries."""
    session: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    """What the cookie carries: not the token, which stands in histories and terminals."""

    @property
    def cookie(self) -> str:
        """The cookie's name; cookies do not know ports, and several explorers may run."""
        return f"sparring-{self.port}"

    @property
    def origin(self) -> str:
        """Where its own pages come from."""
        shown = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"

    def address(self, path: str = "/") -> str:
        """What to open in the browser."""
        return f"{self.origin}{path}{'&' if '?' in path else '?'}token={self.token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = _headers(scope)
        why = self._refusal(scope, headers)
        if why:
            await _refuse(scope, receive, send, *why)
        elif (token := _token_in(scope)) is not None:
            await self._admit(scope, send, token)
        elif not self._has_session(headers):
            await _refuse(scope, receive, send, 401, NO_TOKEN)
        else:
            await self._pass_on(scope, receive, send)

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """Status and reason for a request that no token makes welcome."""
        if len(scope.get("query_string", b"")) > MAX_QUERY:
            return 414, "The address is too long."
        host = headers.get("host", "")
        if not self.is_own_host(host):
            return 421, "This server is not known by that name."
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return 403, "Requests from other sites are refused."
        if origin is None and (scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")):
            return 403, "A request that changes something must say where it comes from."
        if headers.get("sec-fetch-site", "none") in ("cross-site", "same-site") and not _is_navigation(headers):
            return 403, "Requests from other sites are refused."
        return None

    def is_own_host(self, host: str) -> bool:
        """Whether a Host header names this server: a page that rebinds its own name to this address does not."""
        name, _, port = host.rpartition(":")
        if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) != self.port:
            return False
        name = name.removeprefix("[").removesuffix("]").lower()
        if name in LOOPBACK or name == self.host.lower():
            return True
        # Listening on every address: whichever the other machine has typed, as long as it is no name.
        return self.host in ("0.0.0.0", "::") and _is_address(name)

    def _has_session(self, headers: dict[str, str]) -> bool:
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and secrets.compare_digest(morsel.value.encode(), self.session.encode())

    async def _admit(self, scope: Scope, send: Send, token: str) -> None:
        """Exchange the token for the cookie, and go to the same address without it."""
        if scope["type"] != "http" or not secrets.compare_digest(token.encode(), self.token.encode()):
            await _respond(scope, send, 401, NO_TOKEN)
            return
        rest = [(k, v) for k, v in parse_qsl(scope["query_string"].decode("latin-1")) if k != "token"]
        # A path that begins with two slashes would be another server's.
        target = f"/{scope['path'].lstrip('/')}" + (f"?{urlencode(rest)}" if rest else "")
        cookie = f"{self.cookie}={self.session}; Path=/; HttpOnly; SameSite=Strict"
        # Not a redirect: a browser that came from another site would not send the cookie along with it.
        page = f'<meta http-equiv="refresh" content="0;url={escape(target)}">'
        await _respond(scope, send, 200, page, markup=True, extra=[(b"set-cookie", cookie.encode())])

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Proxies' headers are a way for a stranger to put text into pages.
        kept = [(k, v) for k, v in scope["headers"] if not k.lower().startswith(b"x-forwarded")]
        scope = {**scope, "headers": kept}
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, Protected(send))


class Protected:
    """Sends a response with the headers that protect it; a page's own scripts get the nonce of its policy."""

    def __init__(self, send: Send):
        self._send = send
        self._nonce = secrets.token_urlsafe(16)
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            names = dict(message["headers"])
            is_page = names.get(b"content-type", b"").startswith(b"text/html")
            message["headers"] = [*message["headers"], *protecting(policy(self._nonce))]
            if is_page:
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            body = with_nonce(self._body.decode(), self._nonce).encode() if self._body else b""
            kept = [(k, v) for k, v in self._start["headers"] if k.lower() != b"content-length"]
            self._start["headers"] = [*kept, (b"content-length", str(len(body)).encode())]
            await self._send(self._start)
            self._start = None
            message = {"type": "http.response.body", "body": body}
        await self._send(message)


def policy(nonce: str) -> str:
    """The content security policy of a page.

    Scripts are the server's own files and the four that NiceGUI writes into its page; nothing is evaluated. Styles may
    stand in the page, because Vue and Quasar write them.
    """
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def protecting(policy: str) -> Iterable[tuple[bytes, bytes]]:
    """Headers that every response has."""
    return (
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"x-frame-options", b"DENY"),
    )


def with_nonce(page: str, nonce: str) -> str:
    """The page with the nonce on NiceGUI's own scripts. Raises ValueError where these are not as they should be."""
    for script in SCRIPTS:
        if page.count(script) != 1:
            raise ValueError(f"NiceGUI's page has {page.count(script)} scripts that begin with {script!r}, not one")
        page = page.replace(script, script.replace("<script", f'<script nonce="{nonce}"', 1))
    return page


NO_TOKEN = (
    "This page needs the token of its launch: open the address that `sparring explore` printed in the terminal, "
    "token included."
)


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _token_in(scope: Scope) -> str | None:
    query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
    return query.get("token")


def _is_navigation(headers: dict[str, str]) -> bool:
    """Whether a person followed a link to here; the cookie, which is strict, is not sent along then."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await _respond(scope, send, status, why)


async def _respond(
    scope: Scope, send: Send, status: int, text: str, markup: bool = False, extra: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    body = (f"<!doctype html><title>Sparring</title>{text}" if markup else f"{text}\n").encode()
    kind = b"text/html; charset=utf-8" if markup else b"text/plain; charset=utf-8"
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *protecting("default-src 'none'; frame-ancestors 'none'"),
        *extra,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope.get("method") == "HEAD" else body})
