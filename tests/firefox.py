"""Firefox for a test: opens one page with every way to the network closed, and says what a script finds in it.

Playwright drives a Firefox of its own only; this one speaks WebDriver BiDi, which Debian's firefox-esr understands.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
PREFERENCES: dict[str, Any] = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "browser.shell.checkDefaultBrowser": False,
}
"""The proxy is a port where nothing listens: whatever asks for the network is refused."""
SECONDS = 60


def asked_of_firefox(page: Path, ready: str, script: str) -> tuple[Any, list[str]]:
    """Open a page, wait until the expression `ready` is true, and evaluate `script`, which gives JSON as text.

    Returns:
        What it gave, and what the page wrote to the console: errors, and warnings.
    """
    with tempfile.TemporaryDirectory() as profile:
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items())
        Path(profile, "user.js").write_text("\n".join(lines))
        assert FIREFOX is not None
        command = [FIREFOX, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as firefox:
            try:
                assert firefox.stderr is not None
                address = next(found[1] for line in firefox.stderr if (found := re.search(r"(ws://\S+)", line)))
                conversation = _conversation(address, page.resolve().as_uri(), ready, script)
                with ThreadPoolExecutor(1) as other:  # a browser of Playwright's has an event loop in this thread
                    return other.submit(asyncio.run, conversation).result()
            finally:
                firefox.terminate()


async def _conversation(address: str, url: str, ready: str, script: str) -> tuple[Any, list[str]]:
    import websockets

    said: list[str] = []
    async with websockets.connect(f"{address}/session", max_size=None, origin=None) as socket:

        async def call(number: int, method: str, **params: Any) -> Any:
            await socket.send(json.dumps({"id": number, "method": method, "params": params}))
            while True:
                answer = json.loads(await socket.recv())
                if answer.get("method") == "log.entryAdded":
                    said.append(str(answer["params"].get("text")))
                if answer.get("id") == number:
                    assert answer["type"] == "success", answer
                    return answer["result"]

        await call(1, "session.new", capabilities={})
        await call(2, "session.subscribe", events=["log.entryAdded"])
        context = (await call(3, "browsingContext.getTree"))["contexts"][0]["context"]
        await call(4, "browsingContext.navigate", context=context, url=url, wait="complete")
        target = {"context": context}
        for number in range(5, 5 + 10 * SECONDS):
            found = await call(number, "script.evaluate", expression=ready, target=target, awaitPromise=True)
            if said or found["result"].get("value") is True:
                break
            await asyncio.sleep(0.1)
        found = await call(10_000, "script.evaluate", expression=script, target=target, awaitPromise=True)
        return json.loads(found["result"]["value"]), said
