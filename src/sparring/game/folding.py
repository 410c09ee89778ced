"""A generator's operations made fewer: what depends on weights alone is computed once, batch norm becomes weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from sparring.errors import SparringError
from sparring.game.network_graph import Graph, GraphNetwork

Node = dict[str, Any]
State = dict[str, Tensor]

BATCH_NORM = "aten.batch_norm.default"
OUTPUT_AXES: Mapping[str, int] = {
    "aten.linear.default": 0,
    **{f"aten.conv{n}d.default": 0 for n in (1, 2, 3)},
    **{f"aten.conv_transpose{n}d.{name}": 1 for n, name in ((1, "default"), (2, "input"), (3, "input"))},
}
"""Layers that batch norm folds into, and which axis of their weight their output channels are."""
CHECKS = ("aten._assert_tensor_metadata.default", "aten._assert_scalar.default")
"""Operations that compute nothing."""


def folded(graph: Graph, state: Mapping[str, Tensor], inputs: Sequence[Tensor]) -> tuple[Graph, State]:
    """The same network with fewer operations.

    What no input reaches (a weight over its spectral norm, a resampling matrix) becomes one stored tensor. Batch norm
    in evaluation mode is `scale * x + shift` for each channel: it goes into the weights of the layer before it, or else
    becomes that product and sum.

    Args:
        graph: As `graph_of` writes it.
        state: Parameters and buffers by name.
        inputs: An example of the network's inputs, which shows the number of axes that batch norm sees.

    Returns:
        A graph, and only the tensors that it needs.

    Raises:
        SparringError: The network draws random numbers of its own, so no file could give the same examples.
    """
    nodes, tensors = _without_constants(*_lifted(graph, dict(state)))
    nodes, tensors = _without_batch_norm({**graph, "nodes": nodes}, tensors, inputs)
    return _only_needed({**graph, "nodes": nodes}, tensors)


def references(node: Node) -> list[str]:
    """The names of the nodes and inputs that a node takes."""
    return list(_named_in([node["args"], list(node["kwargs"].values())]))


def _lifted(graph: Graph, state: State) -> tuple[Graph, State]:
    """Numbers that stand in the operations themselves become stored tensors."""
    state = dict(state)

    def lift(value: Any) -> Any:
        if isinstance(value, list):
            return [lift(each) for each in cast(list[Any], value)]
        if not isinstance(value, dict):
            return value
        found = cast(dict[str, Any], value)
        if "constant" not in found:
            return {key: lift(each) for key, each in found.items()}
        name = f"constants.given_{len(state)}"
        state[name] = torch.tensor(found["constant"], dtype=getattr(torch, found["dtype"]))
        return {"state": name}

    nodes = [
        {**node, "args": lift(node["args"]), "kwargs": {key: lift(each) for key, each in node["kwargs"].items()}}
        for node in graph["nodes"]
    ]
    return {**graph, "nodes": nodes}, state


def _without_constants(graph: Graph, state: State) -> tuple[list[Node], State]:
    varying = {str(name) for name in graph["inputs"]}
    constant: list[Node] = []
    for node in graph["nodes"]:
        if _draws(node):
            raise SparringError(
                f"this generator draws random numbers of its own ({_short(node)}), so an exported one could not give "
                "the same examples: let it take them as part of its latent vector"
            )
        if varying.intersection(references(node)):
            varying.add(node["name"])
        else:
            constant.append(node)
    names = [node["name"] for node in constant]
    plain = {"inputs": [], "nodes": constant, "output": [{"node": name} for name in names]}
    with torch.no_grad():
        found = dict(zip(names, cast(list[Any], GraphNetwork(plain, state)()), strict=True))
    made = {name: f"constants.{name}_value" for name, value in found.items() if isinstance(value, Tensor)}
    tensors = state | {made[name]: found[name].detach().clone().contiguous() for name in made}
    kept = [node for node in graph["nodes"] if node["name"] not in made]
    return [_renamed(node, made) for node in kept], tensors


def _without_batch_norm(graph: Graph, state: State, inputs: Sequence[Tensor]) -> tuple[list[Node], State]:
    nodes: list[Node] = graph["nodes"]
    if not any(node["op"] == BATCH_NORM for node in nodes):
        return nodes, state
    with torch.no_grad():
        values = GraphNetwork(graph, state).values(*inputs)
    uses = [name for node in nodes for name in references(node)] + list(_named_in(graph["output"]))
    by_name = {node["name"]: node for node in nodes}
    kept: list[Node] = []
    for node in nodes:
        scale_and_shift = _scale_and_shift(node, state)
        if scale_and_shift is None:
            kept.append(node)
            continue
        scale, shift = scale_and_shift
        before = by_name.get(node["args"][0].get("node", ""))
        if before is not None and uses.count(before["name"]) == 1 and _takes(before, len(scale), state):
            into = {"scale": scale, "shift": shift}
            kept[kept.index(before)] = _with_weights(before, node["name"], into, state)
        else:
            axes = [-1] + [1] * (values[node["name"]].dim() - 2)
            kept += _affine(node, scale.reshape(axes), shift.reshape(axes), state)
    return kept, state


def _scale_and_shift(node: Node, state: State) -> tuple[Tensor, Tensor] | None:
    """What batch norm multiplies and adds for each channel, in float64; None for any other node."""
    if node["op"] != BATCH_NORM or node["args"][5] or node["kwargs"]:
        return None
    _, weight, bias, mean, variance, _, _, epsilon, *_ = node["args"]
    if mean is None or variance is None:  # it normalizes by the batch at hand
        return None
    parts = [None if each is None else state[each["state"]].double() for each in (weight, bias, mean, variance)]
    weight, bias, mean, variance = parts
    assert mean is not None and variance is not None
    scale = (variance + epsilon).rsqrt() * (1.0 if weight is None else weight)
    return scale, (0.0 if bias is None else bias) - mean * scale


def _takes(layer: Node, channels: int, state: State) -> bool:
    """Whether a layer's weights can take up a scale of so many channels."""
    axis = OUTPUT_AXES.get(layer["op"])
    if axis is None or layer["kwargs"] or "state" not in layer["args"][1]:
        return False
    shape = state[layer["args"][1]["state"]].shape  # of a transposed convolution in groups, axis 1 is a group's
    return len(shape) > axis and shape[axis] == channels


def _with_weights(layer: Node, name: str, into: Mapping[str, Tensor], state: State) -> Node:
    """The layer under batch norm's name, with its scale and shift in the weights."""
    x, weight, *rest = layer["args"]
    bias, others = (rest[0] if rest else None), rest[1:]
    axis = OUTPUT_AXES[layer["op"]]
    old = state[weight["state"]]
    shape = [1] * old.dim()
    shape[axis] = -1
    state[f"{name}.weight"] = (old.double() * into["scale"].reshape(shape)).to(old.dtype)
    old_bias = 0.0 if bias is None else state[bias["state"]].double()
    state[f"{name}.bias"] = (old_bias * into["scale"] + into["shift"]).to(old.dtype)
    return {**layer, "name": name, "args": [x, {"state": f"{name}.weight"}, {"state": f"{name}.bias"}, *others]}


def _affine(node: Node, scale: Tensor, shift: Tensor, state: State) -> list[Node]:
    state[f"{node['name']}.scale"], state[f"{node['name']}.shift"] = scale.float(), shift.float()
    scaled = {"name": f"{node['name']}_scaled", "op": "aten.mul.Tensor", "kwargs": {}}
    shifted = {"name": node["name"], "op": "aten.add.Tensor", "kwargs": {}}
    return [
        {**scaled, "args": [node["args"][0], {"state": f"{node['name']}.scale"}]},
        {**shifted, "args": [{"node": scaled["name"]}, {"state": f"{node['name']}.shift"}]},
    ]


def _only_needed(graph: Graph, state: State) -> tuple[Graph, State]:
    """Without the nodes and tensors that the output does not depend on."""
    needed = set(_named_in(graph["output"]))
    kept: list[Node] = []
    for node in reversed(graph["nodes"]):
        in_place = node["op"].split(".")[1].endswith("_") if node["op"].startswith("aten.") else False
        if (node["name"] in needed or in_place) and node["op"] not in CHECKS:
            kept.append(node)
            needed.update(references(node))
    kept.reverse()
    names = dict.fromkeys(name for node in kept for name in _named_in([node["args"], node["kwargs"]], "state"))
    names |= dict.fromkeys(_named_in(graph["output"], "state"))
    return {**graph, "nodes": kept}, {name: state[name].detach().contiguous() for name in names}


def _named_in(value: Any, kind: str = "node") -> Iterator[str]:
    """Names of nodes, or of tensors of the state, in a node's arguments."""
    if isinstance(value, list):
        for each in cast(list[Any], value):
            yield from _named_in(each, kind)
    elif isinstance(value, dict):
        found = cast(dict[str, Any], value)
        if isinstance(found.get(kind), str):
            yield found[kind]
        elif not {"node", "state", "constant", "torch"}.intersection(found):
            for each in found.values():
                yield from _named_in(each, kind)


def _renamed(value: Any, made: Mapping[str, str]) -> Any:
    """Arguments with references to constant nodes turned into references to stored tensors."""
    if isinstance(value, list):
        return [_renamed(each, made) for each in cast(list[Any], value)]
    if isinstance(value, dict):
        found = cast(dict[str, Any], value)
        if isinstance(found.get("node"), str):
            return {"state": made[found["node"]]} if found["node"] in made else found
        return {key: _renamed(each, made) for key, each in found.items()}
    return value


def _draws(node: Node) -> bool:
    """Whether an operation draws random numbers. Dropout in evaluation mode does not."""
    op = node["op"]
    if not op.startswith("aten.") or (op == "aten.dropout.default" and not node["args"][2]):
        return False
    _, name, overload = op.split(".")
    found = getattr(getattr(torch.ops.aten, name), overload)
    return torch.Tag.nondeterministic_seeded in found.tags


def _short(node: Node) -> str:
    return node["op"].rsplit(".", 1)[0]
