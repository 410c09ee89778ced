"""generator.safetensors: a generator's tensors, and in its metadata its operations, which sample.py does with torch."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors.torch import save

from sparring.analysis.latent_tools.distributions import Part
from sparring.errors import SparringError, in_one_line
from sparring.game.network_graph import Graph
from sparring.ship.portable import Portable

SCRIPTS = Path(__file__).with_name("scripts")
"""The programs that are exported as they are: each needs one library and not Sparring."""
LATENTS = "latents"
"""The tensor with the run's latent vectors 0 to 63."""
SHARES = "shares"
"""The tensor with the share of each cluster, where latent vectors end in one."""
Program = dict[str, Any]
"""`inputs`: names; `steps`: name, operation, arguments and named arguments of each; `output`. An argument is a number,
a text, a list of arguments, or `{"value": name}` for a tensor, an earlier step, or a type of torch."""


def to_safetensors(portable: Portable) -> bytes:
    """The file's bytes. Raises SparringError for a tensor that has the name of another."""
    parts: Sequence[Part] = portable.facts["latent"]
    shares = [torch.tensor(part["shares"]) for part in parts if part["law"] == "one-hot"]
    added = {LATENTS: portable.z} | ({SHARES: shares[0]} if shares else {})
    if taken := added.keys() & portable.state.keys():
        raise SparringError(f"not exported: the generator has a tensor of its own called {min(taken)}")
    tensors = {**portable.state, **added}
    # Tensors that share memory would be refused.
    own = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    about = {
        "facts": portable.facts,
        "types": {name: str(tensor.dtype).removeprefix("torch.") for name, tensor in own.items()},
        "generator": program_of(portable.graph),
        "draw": drawing(parts),
    }
    return save(own, {name: json.dumps(value) for name, value in about.items()})


def program_of(graph: Graph) -> Program:
    """A network's operations as sample.py reads them: steps have names that no tensor has."""
    steps = [
        [
            f"step {node['name']}",
            node["op"].removeprefix("aten."),
            _argument(node["args"]),
            {key: _argument(each) for key, each in node["kwargs"].items()},
        ]
        for node in graph["nodes"]
    ]
    return {
        "inputs": [f"step {name}" for name in graph["inputs"]],
        "steps": steps,
        "output": _argument(graph["output"]),
    }


def _argument(value: Any) -> Any:
    if isinstance(value, list):
        return [_argument(each) for each in cast(list[Any], value)]
    match value:
        case {"node": name}:
            return {"value": f"step {name}"}
        case {"state": name}:
            return {"value": name}
        case {"device": _}:
            return "cpu"
        case {"torch": name}:
            return {"value": name}
        case _:
            return value


def drawing(parts: Sequence[Part]) -> Program:
    """New latent vectors `(B, size)` as a program of one input, B.

    Of a distribution that is unknown the first ones in the file, which are at most 64.
    """
    steps: list[list[Any]] = []

    def step(op: str, *arguments: Any) -> dict[str, str]:
        steps.append([f"step {len(steps)}", op, list(arguments), {}])
        return {"value": steps[-1][0]}

    drawn: list[dict[str, str]] = [] if parts else [step("slice.Tensor", {"value": LATENTS}, 0, 0, {"value": "count"})]
    for part in parts:
        shape = [{"value": "count"}, part["size"]]
        match part["law"]:
            case "normal":
                drawn.append(step("randn.default", shape))
            case "uniform":
                scaled = step("mul.Tensor", step("rand.default", shape), part["high"] - part["low"])
                drawn.append(step("add.Tensor", scaled, part["low"]))
            case "signs":
                coins = step("mul.Tensor", step("bernoulli.p", step("ones.default", shape), 0.5), 2.0)
                drawn.append(step("sub.Tensor", coins, 1.0))
            case "one-hot":
                chosen = step("multinomial.default", {"value": SHARES}, {"value": "count"}, True)
                drawn.append(step("index_select.default", step("eye.default", part["size"]), 0, chosen))
            case _:
                drawn.append(step("full.default", shape, part["value"]))
    return {"inputs": ["count"], "steps": steps, "output": step("cat.default", drawn, 1)}


def run_script(file: Path, portable: Portable) -> np.ndarray:
    """What sample.py makes of the file with the 64 latent vectors, float32 `(64, *shape)`."""
    spec = importlib.util.spec_from_file_location("sparring_exported_sample", SCRIPTS / "sample.py")
    assert spec is not None and spec.loader is not None
    script: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    try:
        about, tensors = script.load(file)
        return script.run(about["generator"], tensors, *portable.inputs).numpy()
    except (RuntimeError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise SparringError(f"not exported: sample.py cannot run it: {in_one_line(error)}") from error
