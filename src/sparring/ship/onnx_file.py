"""generator.onnx: written by torch's exporter from a generator's operations, and run with onnxruntime."""

# pyright: basic
# onnx, onnxscript and onnxruntime describe few of their types.

from __future__ import annotations

import json
import logging
import re
import warnings
from importlib.util import find_spec
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from sparring.errors import SparringError, in_one_line, shortened
from sparring.game.runtime import preserving_torch_rng
from sparring.ship.portable import Portable

NEEDED = ("onnx", "onnxscript", "onnxruntime", "huggingface_hub")
"""What the extra `ship` installs."""
METADATA = "sparring"
"""The key of the file's metadata under which the facts are, as JSON."""
OPERATOR = re.compile(r"OpOverload\(op='([\w.]+)'|\b(aten\.[\w.]+)")


def check_installed() -> None:
    """Raises SparringError where the extra `ship` is not installed."""
    for package in NEEDED:
        if find_spec(package) is None:  # importing them takes seconds, and what follows may be refused
            raise SparringError(f'exporting needs {package}: pip install "sparring[ship]"')


def to_onnx(portable: Portable) -> bytes:
    """The generator as one ONNX file, with its weights inside, for any batch size.

    Args:
        portable: The generator.

    Returns:
        The file's bytes. Inputs are `z` and, in class-conditional runs, `classes`; the output is `examples`. The
        metadata key `sparring` has the facts as JSON.

    Raises:
        SparringError: An operation cannot be exported; one line names it.
    """
    import onnx

    batch = torch.export.Dim("batch", min=1)
    module = _Single(portable.network()) if portable.classes is None else _WithClasses(portable.network())
    quiet, level = logging.getLogger("torch.onnx"), logging.getLogger("torch.onnx").level
    try:
        quiet.setLevel(logging.CRITICAL)
        with preserving_torch_rng(), warnings.catch_warnings(action="ignore"):  # about torch's own corners
            program = torch.onnx.export(
                module.eval(),
                portable.inputs,
                input_names=portable.input_names,
                output_names=["examples"],
                dynamic_shapes=tuple({0: batch} for _ in portable.inputs),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # the exporter fails in many ways
        raise SparringError(f"not exported: ONNX has no form of {_operator(error)}") from error
    finally:
        quiet.setLevel(level)
    model = cast(Any, program).model_proto
    _without_traces(model)
    model.producer_name, model.doc_string = portable.facts["made_by"], ""
    onnx.helper.set_model_props(model, {METADATA: json.dumps(portable.facts)})
    return model.SerializeToString(deterministic=True)


def run_onnx(model: bytes, portable: Portable) -> np.ndarray:
    """What onnxruntime makes of the 64 latent vectors, float32 `(64, *shape)`.

    Raises SparringError where onnxruntime cannot run the file.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        given = {name: each.numpy() for name, each in zip(portable.input_names, portable.inputs, strict=True)}
        (examples,) = session.run(None, given)
    except Exception as error:  # its errors have no common base
        raise SparringError(f"not exported: onnxruntime cannot run it: {shortened(in_one_line(error), 160)}") from error
    return cast(np.ndarray, examples)


class _Single(nn.Module):
    """The exporter asks for inputs by name."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, z: Tensor) -> Tensor:
        return self.network(z)


class _WithClasses(nn.Module):
    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, z: Tensor, classes: Tensor) -> Tensor:
        return self.network(z, classes)


def _operator(error: Exception) -> str:
    """The operation that an error of the exporter is about, or else the error in one line."""
    chain: BaseException | None = error
    while chain is not None:
        text = str(chain)
        if "No ONNX function found" in text or "No decompositions registered" in text:
            found = OPERATOR.search(text)
            if found:
                return f"the operation {found[1] or found[2]}"
        chain = chain.__cause__
    root: BaseException = error
    while root.__cause__ is not None:
        root = root.__cause__
    return f"this generator: {shortened(in_one_line(root), 160)}"


def _without_traces(model: Any) -> None:
    """Deletes what the exporter notes of where each node came from: it names files of the user's machine."""
    graph = model.graph
    for each in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        each.ClearField("metadata_props")
        each.ClearField("doc_string")
    graph.ClearField("metadata_props")
    graph.ClearField("doc_string")
    graph.ClearField("value_info")
    model.ClearField("metadata_props")
    graph.name = "generator"
