"""Directions that a generator's first layer amplifies most (SeFa), with batch norm folded into it."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from sparring.analysis.latent_tools.directions.sensitivity import Directions, signed
from sparring.errors import SparringError
from sparring.game.folding import folded, references
from sparring.game.network_graph import GraphNetwork, graph_of

AFFINE = (
    "linear",
    "matmul",
    "mm",
    "addmm",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "add",
    "sub",
    "mul",
    "div",
    "neg",
    "cat",
    "unflatten",
    "flatten",
    "view",
    "reshape",
    "unsqueeze",
    "squeeze",
    "permute",
    "transpose",
    "slice",
    "expand",
    "to",
    "contiguous",
    "clone",
    "dropout",
)
"""Operations that are affine in one of their inputs while the others do not depend on z."""
JOINS = ("add", "sub", "cat")
"""Of these, the ones that may depend on z in several inputs."""


def first_layer(generator: nn.Module, z: Tensor, count: int, size: int | None = None) -> Directions:
    """Directions that the first layer turns into the longest vectors.

    With A the linear part of all that happens to z before the first activation, batch norm in evaluation mode included,
    the eigenvectors of AᵀA: |A v| is largest. Y. Shen and B. Zhou, "Closed-form factorization of latent semantics in
    GANs" (SeFa), CVPR 2021.

    Args:
        generator: Latent vectors `(B, size)` -> examples.
        z: Two or more latent vectors, or with one-hot classes appended.
        count: How many directions.
        size: How many of a vector's numbers are its own, without the class; all if None.

    Returns:
        Orthonormal directions; their strength is |A v|.

    Raises:
        SparringError: The generator cannot be written as operations, or its first layer is not affine.
    """
    size = size or z.shape[1]
    graph, state = folded(graph_of(generator, (z[:2],)), dict(generator.state_dict()), (z[:2],))
    affine = {str(graph["inputs"][0])}
    ends: list[str] = []
    for node in graph["nodes"]:
        name, given = node["op"].split(".")[1 if "." in node["op"] else 0], references(node)
        from_z = affine.intersection(given)
        fits = name in AFFINE and set(given) <= affine and (len(given) == 1 or name in JOINS)
        if from_z and fits:
            affine.add(node["name"])
        elif from_z:
            ends += sorted(from_z)
    network = GraphNetwork({**graph, "output": [{"node": name} for name in dict.fromkeys(ends)]}, state)
    with torch.no_grad():
        points = torch.cat([torch.zeros(1, z.shape[1]), torch.eye(size, z.shape[1])])
        made = torch.cat([each.flatten(1) for each in cast(list[Any], network(points))], 1).double()
    A = made[1:] - made[0]  # (size, outputs of the first layer)
    if not ends or torch.equal(A @ A.T, torch.eye(size, dtype=A.dtype)):
        raise SparringError("nothing linear happens to the latent vector before the first activation")
    values, vectors = torch.linalg.eigh(A @ A.T)
    count = min(count, size)
    strength = values.flip(0)[:count].clamp(min=0).sqrt()
    return Directions(signed(vectors.flip(1).T[:count]).to(z.dtype), strength.to(z.dtype))
