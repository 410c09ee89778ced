"""demo.html: one file with a generator, onnxruntime-web and all that steers it, which opens without a network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.analysis.facts import Facts
from sparring.analysis.latent_tools.directions.effects import effects, unique_names
from sparring.analysis.latent_tools.directions.sensitivity import sensitivity
from sparring.analysis.latent_tools.distributions import sd_of
from sparring.analysis.stats import Spread
from sparring.analysis.wording import plus_minus, whole_number
from sparring.errors import SparringError
from sparring.languages import LANGUAGES, language
from sparring.recipe import Recipe
from sparring.report.measurement import measurement_rows
from sparring.report.metric_names import headlines, name_of
from sparring.ship.measured import Measured
from sparring.ship.onnx_file import run_onnx
from sparring.ship.portable import TOLERANCE, Portable

WEB = Path(__file__).with_name("web")
MAX_BYTES = 10_000_000
"""The largest page."""
SHOWN = 6
"""Directions with a slider."""
REACH = 3.0
"""Standard deviations of the latent distribution that a direction is followed, either way."""
MANTISSA = 23
"""Bits of a float32's mantissa."""
ROUNDED = (15, 13, 11, 9)
"""Bits of mantissa to try, one after another, for a generator that is too large for the page."""
FIRST_SIGN, BITS = 0x3400, 15
"""Bytes stand in the page as signs of Unicode, 15 bits in each: none of them means anything to HTML, and in UTF-16 they
take 1.07 bytes for each byte, where base64 takes 1.33."""
STATED = 100_000
"""Numbers of the run's own examples that the page holds, to check itself with, at most."""


@dataclass(frozen=True)
class Demo:
    """The page."""

    html: bytes
    bits: int
    """Bits of mantissa that the weights have there; MANTISSA where they are exact."""
    difference: float
    """The largest difference of the weights in the page from the run's generator, in onnxruntime."""


def demo_page(portable: Portable, model: bytes, facts: Facts, measured: Measured, recipe: Recipe) -> Demo:
    """The page for a generator.

    Args:
        portable: The generator.
        model: Its ONNX file.
        facts: Of its run.
        measured: Its figures, and how its seed was chosen.
        recipe: What was trained.

    Returns:
        A page of at most MAX_BYTES. Weights are exact if they fit; else they are rounded to as many bits as fit, as
        long as no example changes by more than TOLERANCE.

    Raises:
        SparringError: It does not fit even so.
    """
    data = _data(portable, facts, measured, recipe)
    room = (MAX_BYTES - len(_page(data, ""))) // 2
    for bits in (MANTISSA, *ROUNDED):
        near = rounded(model, bits)
        packed = _packed(near)
        if len(packed) > room:
            continue
        found = portable.difference(run_onnx(near, portable))
        if found > TOLERANCE:
            raise SparringError(
                f"its {portable.parameters:,} parameters do not fit into a page of {MAX_BYTES / 1e6:g} MB; rounded to "
                f"fit, they change examples by {found:.1e}, and {TOLERANCE:g} is allowed"
            )
        inside = {"bits": 0 if bits == MANTISSA else bits, "length": len(near)}
        return Demo(_page({**data, **inside}, packed), bits, found)
    raise SparringError(
        f"its {portable.parameters:,} parameters do not fit into a page of {MAX_BYTES / 1e6:g} MB, even rounded"
    )


def rounded(model: bytes, bits: int) -> bytes:
    """An ONNX file with its float32 weights rounded to so many bits of mantissa; the others are 0 and compress away."""
    if bits >= MANTISSA:
        return model
    import onnx

    parsed = onnx.ModelProto.FromString(model)
    drop = MANTISSA - bits
    for each in parsed.graph.initializer:
        if each.data_type == onnx.TensorProto.FLOAT and each.raw_data:
            whole = np.frombuffer(each.raw_data, "<u4").astype(np.uint64)
            near = ((whole + (1 << (drop - 1))) >> drop << drop).astype("<u4")
            each.raw_data = near.tobytes()
    return parsed.SerializeToString(deterministic=True)


def _packed(model: bytes) -> str:
    """The gzipped file as signs, its bytes in four planes: those of exponents lie together and compress well."""
    padded = np.frombuffer(model + bytes(-len(model) % 4), np.uint8)
    return as_signs(gzip.compress(padded.reshape(-1, 4).T.tobytes(), 9, mtime=0))


def as_signs(data: bytes) -> str:
    """Bytes as text: how many bytes to drop from the end of what is read, then the bits, 15 in a sign."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    rows = np.pad(bits, (0, -len(bits) % BITS)).reshape(-1, BITS)
    numbers = rows @ (1 << np.arange(BITS - 1, -1, -1, dtype=np.uint16))
    spare = len(rows) * BITS // 8 - len(data)
    signs = np.concatenate([[spare], numbers]) + FIRST_SIGN
    return signs.astype("<u2").tobytes().decode("utf-16-le")


def _page(data: dict[str, Any], model: str) -> bytes:
    read = lambda name: (WEB / name).read_text(encoding="utf-8")  # noqa: E731
    style, script = read("demo.css"), read("onnxruntime-web.js") + read("demo.js")
    parts = {
        "policy": (
            f"default-src 'none'; script-src {_hash(script)} 'wasm-unsafe-eval'; style-src {_hash(style)}; "
            "img-src data:; base-uri 'none'; form-action 'none'"
        ),
        "title": f"{data['facts']['name']}, a GAN generator",
        "style": style,
        "script": script,
        "data": json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"),
        "model": model,
        "wasm": as_signs((WEB / "onnxruntime-web.wasm.gz").read_bytes()),
    }
    page = read("demo.html")
    for name, content in parts.items():
        before, _, after = page.partition("{{" + name + "}}")
        escaped = content if name != "title" else content.replace("&", "&amp;").replace("<", "&lt;")
        page = before + escaped + after
    return page.encode("utf-16")  # with a byte order mark, which goes before what a server says


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _data(portable: Portable, facts: Facts, measured: Measured, recipe: Recipe) -> dict[str, Any]:
    stated = max(1, min(len(portable.z), STATED // max(1, portable.expected[0].size)))
    card = recipe.data.card
    return {
        "facts": portable.facts,
        "words": json.loads((WEB / "words.json").read_text(encoding="utf-8")),
        "directions": _directions(portable),
        "latents": _floats(portable.z),
        "expected": _floats(torch.from_numpy(_scaled(portable, portable.expected[:stated]))),
        "varied": bool((portable.z != portable.z[0]).any()),
        "seeds": len(facts.seeds),
        "diverged": len(facts.diverged),
        "verdict": _in_every_language(facts.diagnosis.line),
        "metrics": _metrics(facts, measured),
        "measured": _how_measured(measured),
        "data": card.title,
        "source": card.source,
        "license": card.license,
        "bits": 0,
        "length": 0,
    }


def _scaled(portable: Portable, examples: np.ndarray) -> np.ndarray:
    """Examples as the network makes them, whose columns are alike in size and fit into float32."""
    return examples if portable.scale is None else portable.scale.scaled(examples)


def _directions(portable: Portable) -> list[dict[str, Any]]:
    """The strongest directions, with what each moves; none where torch cannot differentiate the generator."""
    network, size, classes = portable.network(), portable.facts["size"], portable.facts["classes"]
    scale = (
        None
        if portable.scale is None
        else [torch.from_numpy(each) for each in (portable.scale.center, portable.scale.sd)]
    )
    z = portable.z
    if portable.classes is not None:
        z = torch.cat([z, torch.nn.functional.one_hot(portable.classes, classes).to(z.dtype)], 1)

    def G(x: Tensor) -> Tensor:
        made = network(x[:, :size], x[:, size:].argmax(1)) if classes else network(x)
        return made if scale is None else ((made - scale[0]) / scale[1]).float()

    reach = REACH * sd_of(portable.facts["latent"], portable.z)
    try:
        found = sensitivity(G, z, SHOWN, size)
    except SparringError:
        return []
    moved = effects(G, z, found.vectors, reach)
    moving = [k for k, strength in enumerate(found.strength.tolist()) if strength > 0]
    names = unique_names([moved[k] for k in moving])
    return [_direction(found.vectors[k], moved[k].share, reach, name) for k, name in zip(moving, names, strict=True)]


def _direction(vector: Tensor, share: float, reach: float, name: tuple[str, str] | None) -> dict[str, Any]:
    return {
        "vector": _floats(vector),
        "reach": reach,
        "share": None if np.isnan(share) else round(share, 4),
        "name": name,
    }


def _metrics(facts: Facts, measured: Measured) -> list[dict[str, Any]]:
    """A row for each of a few metrics; by the independent judge, where it was asked."""
    seed, evaluation, measures = measured.choice.seed, measured.evaluation, measured.measures
    if measures is not None:
        keys = [*measures["metrics"], *measured.independent]
        named = zip(keys, measurement_rows(measures), strict=True)
        rows = {key: row for key, row in named if row.independent == bool(measured.independent)}
        at = measures["seeds"].index(seed) if measured.is_own else None
        return [_row(key, rows[key].real, rows[key].members, at) for key in headlines(rows)]
    if evaluation is None:
        return []
    at = facts.seeds.index(seed) if measured.is_own else None
    metrics = evaluation.metrics
    return [_row(key, evaluation.real.get(key), metrics[key], at) for key in headlines(metrics)]


def _row(key: str, real: float | None, members: np.ndarray, at: int | None) -> dict[str, Any]:
    spread = Spread.of(members)
    return {
        "name": _in_every_language(name_of(key).title),
        "real": whole_number(real),
        "here": whole_number(None if at is None else float(members[at])),
        "mean": plus_minus(spread),
        "n": spread.n,
    }


def _how_measured(measured: Measured) -> dict[str, Any]:
    """What to say below the figures. The page puts it into words."""
    choice = measured.choice
    return {
        "round": measured.of_round,
        "own": measured.is_own or measured.of_round is None,
        "independent": bool(measured.independent),
        "of": choice.of if measured.is_own else 1,
        "metric": _in_every_language(name_of(choice.metric).title),
        "judge": choice.judge or "",
        "at": choice.round,
    }


def _in_every_language(text: str) -> dict[str, str]:
    return {code: language(code)(text) for code in LANGUAGES}


def _floats(values: Tensor) -> str:
    return as_signs(values.detach().float().contiguous().numpy().astype("<f4").tobytes())
