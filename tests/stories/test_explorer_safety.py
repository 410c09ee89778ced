"""A stranger, on the network or as the author of a run folder, gets nothing from the explorer."""

from __future__ import annotations

import contextlib
import json
import random
import socket
from pathlib import Path
from urllib.parse import quote

import pytest

from sparring.explorer.frames import read_frame
from sparring.explorer.lessons import points
from tests.explorers import Launched, launched, run_folders
from tests.forked import Programs
from tests.made_runs import made_run

SOCKET = "/_nicegui_ws/socket.io/?EIO=4"
PAGES = ("/", "/run?run=runs/digits", "/data/curves?run=runs/digits", "/static/store.js", "/_nicegui_ws/socket.io/")


@pytest.fixture(scope="module")
def cookie(explorer: Launched) -> dict[str, str]:
    return {"Cookie": explorer.cookie()}


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_there_without_the_token(explorer: Launched, page: str) -> None:
    answer = explorer.get(page)
    assert answer.status == 401
    assert b"token" in answer.body and b"runs/" not in answer.body


@pytest.mark.parametrize("page", PAGES[:4])
def test_the_cookie_of_the_token_opens_every_page(explorer: Launched, cookie: dict[str, str], page: str) -> None:
    assert explorer.get(page, cookie).status == 200


def test_the_token_gives_a_cookie_that_scripts_and_other_sites_never_see(explorer: Launched) -> None:
    answer = explorer.get(f"/run?run=a&token={explorer.token}")
    assert answer.status == 200
    assert "HttpOnly" in answer.headers["set-cookie"] and "SameSite=Strict" in answer.headers["set-cookie"]
    assert explorer.token not in answer.headers["set-cookie"]
    assert b"/run?run=a" in answer.body and explorer.token.encode() not in answer.body
    assert explorer.get("/?token=wrong").status == 401
    assert explorer.get("/?token=").status == 401


@pytest.mark.parametrize(
    "host", ["evil.example:{port}", "evil.example", "127.0.0.1.evil.example:{port}", "127.0.0.1", ""]
)
def test_a_rebound_name_is_refused_even_with_the_cookie(explorer: Launched, cookie: dict[str, str], host: str) -> None:
    headers = {**cookie, "Host": host.format(port=explorer.port)}
    assert explorer.get("/", headers).status == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:{port}"])
@pytest.mark.parametrize(
    "page", ["/", "/data/curves?run=runs/digits", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"]
)
def test_requests_of_other_sites_are_refused(
    explorer: Launched, cookie: dict[str, str], page: str, origin: str
) -> None:
    headers = {**cookie, "Origin": origin.format(port=explorer.port)}
    assert explorer.get(page, headers).status == 403
    assert explorer.get(page, {**cookie, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}).status == 403


def test_a_request_that_changes_something_must_say_where_it_comes_from(
    explorer: Launched, cookie: dict[str, str]
) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert explorer.get("/", cookie, method).status == 403


@pytest.mark.parametrize(
    ("origin", "with_cookie", "accepted"),
    [
        (None, True, False),
        ("http://evil.example", True, False),
        ("null", True, False),
        ("http://127.0.0.1:{port}", False, False),
        ("http://127.0.0.1:{port}", True, True),
    ],
)
def test_a_socket_is_for_pages_of_the_explorer_alone(
    explorer: Launched, cookie: dict[str, str], origin: str | None, with_cookie: bool, accepted: bool
) -> None:
    headers = {**(cookie if with_cookie else {}), **({"Origin": origin.format(port=explorer.port)} if origin else {})}
    assert (upgrade(explorer, headers) == 101) is accepted


def upgrade(explorer: Launched, headers: dict[str, str]) -> int:
    """The status of an attempt to open NiceGUI's socket."""
    path = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{explorer.port}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection(("127.0.0.1", explorer.port), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(connection.recv(4096).split()[1])


def test_pages_may_load_nothing_from_elsewhere_and_evaluate_nothing(explorer: Launched, cookie: dict[str, str]) -> None:
    page = explorer.get("/run?run=runs/digits", cookie)
    policy = page.headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in scripts and "http" not in policy and "*" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert b"http://" not in page.body.replace(explorer.origin.encode(), b"").replace(b"http://www.w3.org", b"")
    assert b"https://" not in page.body


@pytest.mark.parametrize(
    "key", ["../secret", "runs/../../secret", "/etc", "runs/digits/../../secret", "..%2Fsecret", "runs/linked", ""]
)
def test_a_key_that_is_no_run_of_the_opened_folder_opens_nothing(
    explorer: Launched, cookie: dict[str, str], run_shelf: Path, key: str
) -> None:
    if not (run_shelf / "linked").exists():
        made_run(run_shelf.parent / "secret", samples=False)
        (run_shelf / "linked").symlink_to(run_shelf.parent / "secret")
    for route in ("curves", "samples", "scores", "plane"):
        assert explorer.get(f"/data/{route}?round=0&run={quote(key)}", cookie).status == 404
    assert explorer.get("/static/../guard.py", cookie).status == 404
    assert explorer.get("/static/%2e%2e/guard.py", cookie).status == 404


def test_a_hostile_run_folder_reads_nothing_outside_and_writes_no_markup(tmp_path: Path, programs: Programs) -> None:
    folder = tmp_path / "opened"
    (tmp_path / "secret.png").write_bytes(b"secret")
    evil = "<img src=x onerror=alert(1)>`${alert(1)}</script><script>alert(1)</script>"
    run = made_run(folder / "<script>alert(1)", samples=False, recipe={"name": evil, "data": {"is": evil}})
    log = {"logged": [5000], "seconds": 1.0, **{n: [[0.5] * 8] for n in ("d_loss", "g_loss", "d_real", "d_fake")}}
    for round, name in enumerate(("../../secret.png", "/etc/passwd", "samples/link.png"), 5001):
        run.journal.append("log", round=round, picture=name, **log)
    (run.path / "samples" / "link.png").symlink_to(tmp_path / "secret.png")
    for part, target in (("journal.jsonl", "/etc/passwd"), ("recipe.json", tmp_path / "recipe.json")):
        linked = folder / f"linked-{part}"
        linked.mkdir()
        (linked / "recipe.json").write_text(json.dumps(run.recipe))
        (linked / part).unlink(missing_ok=True)
        (linked / part).symlink_to(target)
    (tmp_path / "recipe.json").write_text(json.dumps(run.recipe))
    with launched(folder, programs=programs) as explorer:
        cookie = {"Cookie": explorer.cookie()}
        home = explorer.get("/", cookie).body
        key = quote("opened/<script>alert(1)")
        page = explorer.get(f"/run?run={key}", cookie).body
        for body in (home, page):
            assert b"<script>alert" not in body and b"<img src=x" not in body and b"`${alert" not in body
        assert b"linked-" not in home
        for round in (5001, 5002, 5003):
            answer = explorer.get(f"/data/samples?run={key}&round={round}", cookie)
            assert answer.status == 422 and b"no file of this run" in answer.body


def test_a_strangers_run_is_not_drawn_from_files_or_code_elsewhere(tmp_path: Path, programs: Programs) -> None:
    folder, secret = tmp_path / "opened", tmp_path / "secret.csv"
    secret.write_text("x,y\n" + "1,2\n" * 50)
    plain = points().to_dict()
    table = {"is": "table", "path": str(secret), "found_shape": [2], "found_content": "0"}
    for name, changes in {
        "elsewhere": {"data": table},
        "code": {"origin": {"file": str(secret), "function": "x", "sha256": "0" * 64}},
        "large": {"generator": {**plain["generator"], "hidden": [10**9]}},
        "linked": {},
    }.items():
        made_run(folder / name, members=6, samples=False, recipe={**plain, **changes, "seeds": list(range(6))})
    (tmp_path / "planes").mkdir()
    (folder / "linked" / "planes").symlink_to(tmp_path / "planes")
    with launched(folder, programs=programs) as explorer:
        cookie = {"Cookie": explorer.cookie()}
        for name, why in {"elsewhere": "data", "code": "own", "large": "large"}.items():
            answer = explorer.get(f"/data/plane?run=opened/{name}", cookie)
            assert read_frame(answer.body)[0]["missing"] == f"no-plane-{why}"
        assert explorer.get("/data/plane?run=opened/linked", cookie).status == 404


def test_a_thousand_malformed_messages_change_nothing(
    explorer: Launched, cookie: dict[str, str], run_shelf: Path
) -> None:
    websockets = pytest.importorskip("websockets")
    client = pytest.importorskip("websockets.sync.client")
    before, rng = run_folders(run_shelf), random.Random(0)
    headers = {**cookie, "Origin": explorer.origin}
    url = f"ws://127.0.0.1:{explorer.port}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    sent = 0
    while sent < 1000:
        # The server hangs up on some of them, and is called again.
        with (
            client.connect(url, additional_headers=headers, open_timeout=20) as connection,
            contextlib.suppress(OSError, websockets.exceptions.ConnectionClosed),
        ):
            while sent < 1000:
                sent += 1
                connection.send(malformed(rng, sent))
    assert explorer.get("/", cookie).status == 200
    assert explorer.get("/data/curves?run=runs/digits", cookie).status == 200
    assert run_folders(run_shelf) == before
    assert explorer.process.poll() is None


def malformed(rng: random.Random, number: int) -> str | bytes:
    """A message that no page sends."""
    values = [None, -1, 1e308, "x" * 300, [], {}, [[[]]], {"client_id": None}, {"client_id": "no", "id": 1, "args": []}]
    event = rng.choice(["event", "handshake", "ack", "log", "javascript_response", "no such", 7])
    return [
        rng.randbytes(rng.randrange(200)),
        "40",
        f"42{json.dumps([event, rng.choice(values)])}",
        f"42{json.dumps([event])}",
        "42" + "[" * 500,
        "451-" + json.dumps([event, {"_placeholder": True, "num": 0}]),
        "".join(chr(rng.randrange(32, 0x2FFF)) for _ in range(50)),
        f"4{rng.randrange(10)}{rng.choice(['', '[]', '{}', 'null', '[1,2', '/x,'])}",
    ][number % 8]


@pytest.mark.parametrize(
    "query",
    ["round=x", "round=-1", "round=1e400", "round=99999999999999999999", "since=-5", "since=1e9", "member=-99&round=0"],
)
def test_numbers_that_are_none_get_an_answer_in_words(explorer: Launched, cookie: dict[str, str], query: str) -> None:
    for route in ("curves", "samples", "scores", "plane"):
        assert explorer.get(f"/data/{route}?run=runs/digits&{query}", cookie).status in (200, 404, 422)


def test_only_this_machine_s_own_address_is_listened_on(explorer: Launched) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", explorer.port), timeout=5)


def test_another_address_needs_the_token_too(run_shelf: Path, programs: Programs) -> None:
    with launched(run_shelf, "--host", "127.0.0.2", programs=programs) as other:
        assert other.address.startswith("http://127.0.0.2:") and other.get("/").status == 401
        assert other.get("/", {"Cookie": other.cookie()}).status == 200
        assert other.get("/", {"Cookie": other.cookie(), "Host": f"evil.example:{other.port}"}).status == 421
