"""Small IDX files, good and bad."""

from __future__ import annotations

import gzip
import hashlib
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from sparring.datasets._idx import Archive
from sparring.errors import SparringError

IMAGES = "train-images-idx3-ubyte"


LABELS = "train-labels-idx1-ubyte"


PIXELS = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)


CLASSES = np.array([5, 0, 4, 1, 9], dtype=np.uint8)


def idx(array: np.ndarray) -> bytes:
    """`array`, uint8, as the content of an IDX file."""
    return struct.pack(f">2xBB{array.ndim}I", 0x08, array.ndim, *array.shape) + array.tobytes()


GOOD_IMAGES, GOOD_LABELS = idx(PIXELS), idx(CLASSES)


NOISE = np.random.default_rng(1).bytes(4096)


def complaint(call: Callable[[], object], *parts: object) -> str:
    """The message of the SparringError that `call` raises: one line that contains all `parts`."""
    with pytest.raises(SparringError) as caught:
        call()
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    for part in parts:
        assert str(part) in message
    return message


# Downloads


class Mirror:
    """A server on this machine with a folder per mirror, which keeps the addresses that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pages: dict[str, tuple[bytes, dict[str, str]]] = {}
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                if self.path not in mirror.pages:
                    self.send_error(404)
                    return
                content, headers = mirror.pages[self.path]
                self.send_response(200)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def serving(self, content: bytes, **headers: str) -> str:
        """The base address of one more mirror, where the image file, gzipped, is `content`, packed here if plain."""
        base = f"/{len(self.pages)}/"
        packed = gzip.compress(content) if content == GOOD_IMAGES else content
        self.pages[f"{base}{IMAGES}.gz"] = packed, {k.replace("_", "-"): v for k, v in headers.items()}
        return f"http://127.0.0.1:{self.server.server_port}{base}"


def tiny(*mirrors: str) -> Archive:
    """An archive called mnist whose published training images are `GOOD_IMAGES`."""
    published = {"train": (IMAGES, hashlib.sha256(GOOD_IMAGES).hexdigest())}
    return Archive("mnist", mirrors, images=published, labels={"train": (LABELS, "0" * 64)})
