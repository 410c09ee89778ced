"""Binary answers for the canvas: a few facts as JSON, then arrays as they lie in memory.

A frame is: the length of the JSON as uint32, the JSON, zeros up to a multiple of 8, then each array, padded likewise.
The JSON has the facts, and under `arrays` the name, type, shape and offset of each array.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

TYPES = {"float32": np.dtype("<f4"), "float64": np.dtype("<f8"), "uint8": np.dtype("u1")}
"""Types that both ends know."""
ALIGNMENT = 8


def frame(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Facts and arrays as bytes."""
    described: list[dict[str, Any]] = []
    bodies: list[bytes] = []
    offset = 0
    for name, array in arrays.items():
        kind = next(name for name, dtype in TYPES.items() if dtype == array.dtype)
        body = np.ascontiguousarray(array, dtype=TYPES[kind]).tobytes()
        described.append({"name": name, "type": kind, "shape": array.shape, "offset": offset})
        padding = -len(body) % ALIGNMENT
        bodies += [body, b"\0" * padding]
        offset += len(body) + padding
    head = json.dumps({**facts, "arrays": described}, allow_nan=False, separators=(",", ":")).encode()
    return b"".join([len(head).to_bytes(4, "little"), head, b"\0" * (-(len(head) + 4) % ALIGNMENT), *bodies])


def read_frame(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The facts and the arrays of a frame."""
    length = int.from_bytes(data[:4], "little")
    facts = json.loads(data[4 : 4 + length])
    start = 4 + length + -(length + 4) % ALIGNMENT
    arrays: dict[str, np.ndarray] = {}
    for each in facts.pop("arrays"):
        count = int(np.prod(each["shape"]))
        values = np.frombuffer(data, TYPES[each["type"]], count, start + each["offset"])
        arrays[each["name"]] = values.reshape(each["shape"])
    return facts, arrays
