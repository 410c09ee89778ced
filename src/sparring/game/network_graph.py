"""A network as plain data: the tensor operations of its forward pass, which need none of the code that made it.

torch.export finds the operations. Its own file format is not used, because reading it can run code that the file brings
along; this one names operations of torch and nothing else.
"""

from __future__ import annotations

import copy
import io
import logging
import operator
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from typing import Any, cast

import torch
from torch import Tensor, nn

from sparring.errors import SparringError, in_one_line, shortened
from sparring.game.runtime import preserving_torch_rng

ARITHMETIC: dict[str, Callable[..., Any]] = {
    name: getattr(operator, name)
    for name in (
        "add",
        "sub",
        "mul",
        "floordiv",
        "truediv",
        "mod",
        "neg",
        "getitem",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
    )
}
"""Functions of sizes that may stand in a graph beside operations of torch."""
FORBIDDEN = ("from_file", "_from_file", "save", "load")
NAMED: Mapping[str, type] = {
    "dtype": torch.dtype,
    "layout": torch.layout,
    "memory_format": torch.memory_format,
}
"""Kinds of argument that are written by their name in torch."""

RUNNING = slice(3, 5)
"""Where batch norm takes its running mean and variance: after the input, the weight and the bias."""
Graph = dict[str, Any]
"""`inputs`: their names; `nodes`: name, op, args, kwargs of each; `output`: what the network returns."""


def graph_of(module: nn.Module, inputs: Sequence[Tensor], batched: bool = True) -> Graph:
    """The operations of a module in evaluation mode, for any batch size.

    Args:
        module: It is copied, to the CPU, and left alone.
        inputs: An example of what it is called with; the first axis is the batch.
        batched: Whether there is such an axis; otherwise the operations are those for one example.

    Returns:
        Plain data for JSON; parameters and buffers are named as in the module's `state_dict`.

    Raises:
        SparringError: It cannot be written so; the message names the reason in one line.
    """
    try:
        with preserving_torch_rng(), torch.no_grad(), _torch_says_nothing():
            copied = copy.deepcopy(module).cpu()
            for each in copied.modules():  # not by eval(), which a class with a method `train` of its own has lost
                each.training = False
            batch = torch.export.Dim("batch", min=1)
            some = tuple(each.detach().cpu() for each in inputs)
            shapes = tuple({0: batch} for _ in some) if batched else None
            if batched:  # torch.export takes a size of 1 for a constant
                some = tuple(each[:2].repeat(2, *[1] * (each.dim() - 1)) for each in some)
            # What a module computes once and keeps is computed before: the exporter would leave it without numbers.
            copied(*some)
            return _written(_without_vmap(_exported(copied, some, shapes)))
    except SparringError:
        raise
    except Exception as error:  # any module may come, and torch.export fails in many ways
        if type(error).__name__ == "GuardOnDataDependentSymNode":  # its module takes a second to import
            raise SparringError(
                "cannot be written without its code: it asks for the values of tensors, in an if, a loop or an item(); "
                "torch.where decides without"
            ) from error
        raise SparringError(f"cannot be written without its code: {shortened(in_one_line(error), 160)}") from error


class _FromOthers(io.TextIOBase):
    """stderr without what this thread writes."""

    def __init__(self) -> None:
        self.stream, self.here = sys.stderr, threading.get_ident()

    def write(self, text: str, /) -> int:
        return len(text) if threading.get_ident() == self.here else self.stream.write(text)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether another thread logs it."""
        return record.thread != self.here


@contextmanager
def _torch_says_nothing() -> Generator[None]:
    """What torch logs and prints in this thread is about its own corners: the error says what a user can change."""
    others, known = _FromOthers(), logging.root.manager.loggerDict
    torchs = [known[name] for name in known if name.partition(".")[0] == "torch"]
    handlers = [handler for each in torchs if isinstance(each, logging.Logger) for handler in each.handlers]
    for handler in handlers:
        handler.addFilter(others.filter)
    try:
        with redirect_stderr(others):
            yield
    finally:
        for handler in handlers:
            handler.removeFilter(others.filter)


def _exported(module: nn.Module, inputs: tuple[Tensor, ...], shapes: Any) -> Any:
    """The program of a module. Tracing takes `len(z)` for a constant; reading the code takes longer and does not."""
    try:
        return torch.export.export(module, inputs, dynamic_shapes=shapes, strict=False)
    except Exception as error:
        try:
            return torch.export.export(module, inputs, dynamic_shapes=shapes, strict=True)
        except Exception:
            raise error from None


class GraphNetwork(nn.Module):
    """A network that was written by `graph_of`, with the same names in its `state_dict`.

    Args:
        graph: Plain data.
        state: The parameters and buffers by their names; shapes and types are taken from these.

    Raises:
        SparringError: The data is no such graph, or names something that is no operation of torch.
    """

    def __init__(self, graph: Graph, state: Mapping[str, Tensor]):
        super().__init__()
        try:
            self._inputs = [str(name) for name in graph["inputs"]]
            self._nodes = [(str(n["name"]), _function(n["op"]), n["args"], n["kwargs"]) for n in graph["nodes"]]
            statistics = {name for n in graph["nodes"] for name in _running_statistics(n["op"], n["args"])}
            self._output = graph["output"]
        except (KeyError, TypeError) as error:
            raise SparringError(f"this is no graph of a network: {in_one_line(error)}") from error
        for name, tensor in state.items():
            _put(self, name, tensor, trained=name not in statistics)

    def forward(self, *inputs: Tensor) -> Any:
        """The network's output for inputs in the order in which it takes them."""
        return self._read(self._output, self.values(*inputs))

    def values(self, *inputs: Tensor) -> dict[str, Any]:
        """What every operation gives for these inputs, by the names of the nodes; the inputs themselves too."""
        values: dict[str, Any] = dict(zip(self._inputs, inputs, strict=True))
        for name, function, args, kwargs in self._nodes:
            # A keyword may be called `device`, as a marker is: keywords are read one by one.
            named = {key: self._read(each, values) for key, each in kwargs.items()}
            values[name] = function(*self._read(args, values), **named)
        return values

    def _read(self, value: Any, values: Mapping[str, Any]) -> Any:
        if isinstance(value, list):
            return [self._read(each, values) for each in cast(list[Any], value)]
        if not isinstance(value, dict):
            return value
        plain = cast(dict[str, Any], value)
        if "node" in plain:
            return values[plain["node"]]
        if "state" in plain:
            return _tensor_at(self, plain["state"])
        if "constant" in plain:
            return torch.tensor(plain["constant"], dtype=_named("dtype", plain["dtype"]), device=self._device)
        if "device" in plain:
            return self._device
        if "torch" in plain:
            return _named(plain["kind"], plain["torch"])
        return {key: self._read(each, values) for key, each in plain.items()}

    @property
    def _device(self) -> torch.device:
        return next((t.device for t in (*self.parameters(), *self.buffers())), torch.device("cpu"))


def _running_statistics(op: str, args: list[Any]) -> set[str]:
    """Names of the running mean and variance of batch norm, by which torch cannot differentiate."""
    taken = args[RUNNING] if "batch_norm" in op else []
    return {str(cast(Any, each)["state"]) for each in taken if isinstance(each, dict) and "state" in each}


def _put(root: nn.Module, name: str, tensor: Tensor, trained: bool) -> None:
    """Register a tensor under a dotted name, with modules on the way as needed."""
    *way, last = name.split(".")
    module = root
    for step in way:
        if step not in module._modules:  # pyright: ignore[reportPrivateUsage]
            module.add_module(step, nn.Module())
        module = cast(nn.Module, module._modules[step])  # pyright: ignore[reportPrivateUsage]
    if trained and tensor.is_floating_point():
        module.register_parameter(last, nn.Parameter(tensor, requires_grad=False))
    else:
        module.register_buffer(last, tensor)


def _tensor_at(root: nn.Module, name: str) -> Tensor:
    *way, last = name.split(".")
    module = root
    for step in way:
        module = cast(nn.Module, module._modules[step])  # pyright: ignore[reportPrivateUsage]
    return getattr(module, last)


def _without_vmap(exported: Any) -> Any:
    """A program whose calls of torch.vmap, which are no operations, became batched operations."""
    calls = (node.target for node in exported.graph.nodes if node.op == "call_function")
    if not any(getattr(call, "__module__", "") == "torch._functorch.predispatch" for call in calls):
        return exported
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # about a class of torch's own
        return exported.run_decompositions({})


def _written(exported: Any) -> Graph:
    signature = exported.graph_signature
    names_of = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    names: dict[str, Any] = {name: {"state": target} for name, target in names_of.items()}
    lifted = signature.inputs_to_lifted_tensor_constants
    constants = {name: exported.constants[target] for name, target in lifted.items()}
    names |= {
        name: {"constant": tensor.tolist(), "dtype": str(tensor.dtype).removeprefix("torch.")}
        for name, tensor in constants.items()
    }
    nodes: list[dict[str, Any]] = []
    output: Any = None
    for node in exported.graph.nodes:
        if node.op == "output":
            made = [spec.arg.name for spec in signature.output_specs if spec.kind.name == "USER_OUTPUT"]
            output = {"node": made[0]} if len(made) == 1 else [{"node": name} for name in made]
        elif node.op == "call_function":
            arguments = [_plain(each, names) for each in node.args]
            named = {key: _plain(each, names) for key, each in node.kwargs.items()}
            nodes.append({"name": node.name, "op": _op_name(node.target), "args": arguments, "kwargs": named})
    return {"inputs": list(signature.user_inputs), "nodes": nodes, "output": output}


def _op_name(target: Any) -> str:
    if isinstance(target, torch._ops.OpOverload) and target.namespace == "aten":  # pyright: ignore[reportPrivateUsage]
        return f"aten.{target._schema.name.partition('::')[2]}.{target._overloadname}"  # pyright: ignore[reportPrivateUsage]
    name = getattr(target, "__name__", "")
    if ARITHMETIC.get(name) is target:
        return name
    raise SparringError(f"cannot be written without its code: it calls {target}")


def _function(name: str) -> Callable[..., Any]:
    if name in ARITHMETIC:
        return ARITHMETIC[name]
    space, _, rest = name.partition(".")
    op, _, overload = rest.partition(".")
    packet = getattr(torch.ops.aten, op, None) if space == "aten" and op not in FORBIDDEN else None
    function = getattr(packet, overload, None) if packet is not None else None
    if not isinstance(function, torch._ops.OpOverload):  # pyright: ignore[reportPrivateUsage]
        raise SparringError(f"{name!r} is no operation of torch")
    return function


def _plain(value: Any, names: Mapping[str, Any]) -> Any:
    """An argument for JSON."""
    if isinstance(value, torch.fx.Node):
        return names.get(value.name, {"node": value.name})
    if isinstance(value, list | tuple):
        return [_plain(each, names) for each in cast(Sequence[Any], value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, torch.device):
        return {"device": "own"}
    for kind, type_ in NAMED.items():
        if isinstance(value, type_):
            return {"torch": str(value).removeprefix("torch."), "kind": kind}
    raise SparringError(f"cannot be written without its code: an operation takes {value!r}")


def _named(kind: str, name: str) -> Any:
    value = getattr(torch, name, None)
    if kind not in NAMED or not isinstance(value, NAMED[kind]):
        raise SparringError(f"{name!r} is no {kind} of torch")
    return value
