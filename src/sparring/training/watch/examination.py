"""What is looked up in networks, optimizers and tensors themselves, a few times in a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sparring.record.loop import OptimizerFacts, Who

ROUNDED = 2.0**-25
"""Of a number in float32, the share that is lost when it is added."""
SNAPSHOT = 256
"""Numbers of each weight that are compared before and after a step."""
SAMPLED = 65_536
"""Numbers of a tensor that quantiles are taken of."""
MAX_DISTINCT = 1_000
MAX_NODES = 20_000
"""Nodes of a graph that are visited."""
SENSITIVE = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd, nn.AlphaDropout)  # pyright: ignore[reportPrivateUsage]
"""Layers that work differently in evaluation mode."""
SYMMETRIC = (nn.Linear, nn.modules.conv._ConvNd, nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)  # pyright: ignore[reportPrivateUsage]
"""Layers of many units that all see the same inputs, so that only their weights tell them apart. In others one value
everywhere is usual: a norm's scale, an embedding of classes, a position, an input that is learned."""
SCALES = ("weight_g", "original0")
"""Names of the lengths that weight normalization keeps apart from directions."""
SAME = 512
"""Steps that may have one learning rate while it rises: as many as a round, or a short epoch, has."""
IDLE = 1e-3
"""Share of the highest learning rate at which a player has all but stopped."""
WARM = 8
"""Steps in which a learning rate that begins at 0 has begun to rise, if it is raised in every step."""
WARM_SCHEDULED = 2_048
"""The same for a schedule of torch's, which may raise it once an epoch."""
FALLING = 64
"""Steps after which one that has only fallen since it was first seen is no warm-up."""


def unwrapped(module: nn.Module) -> nn.Module:
    """The network inside what DistributedDataParallel, DataParallel or torch.compile made of it."""
    while True:
        inner = module
        if isinstance(module, nn.parallel.DistributedDataParallel | nn.DataParallel):
            inner = module.module
        elif isinstance(module, torch._dynamo.OptimizedModule):  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
            inner = module._orig_mod  # pyright: ignore[reportPrivateUsage]
        if inner is module:
            return module
        module = inner


def is_wrapper(module: nn.Module) -> bool:
    """Whether a module only stands around a network."""
    return unwrapped(module) is not module or isinstance(module, torch.jit.ScriptModule)


def is_compiled(module: nn.Module) -> bool:
    """Whether torch.compile made it, or it was compiled in place."""
    made = isinstance(module, torch._dynamo.OptimizedModule)  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    return made or module._compiled_call_impl is not None  # pyright: ignore[reportPrivateUsage]


def last_layer(module: nn.Module) -> str:
    """`tanh` or `sigmoid` where the last of a network's layers is one, as a compiled network is written."""
    layers = [each for each in module.modules() if not any(True for _ in each.children())]
    last = layers[-1] if layers else None
    return "tanh" if isinstance(last, nn.Tanh) else "sigmoid" if isinstance(last, nn.Sigmoid) else ""


def parameters_in(optimizers: Sequence[Optimizer]) -> set[int]:
    """The ids of all parameters that some optimizers hold."""
    return {id(p) for each in optimizers for group in each.param_groups for p in group["params"]}


def optimizer_facts(
    who: Who, optimizer: Optimizer, players: Mapping[Who, nn.Module], optimizers: Mapping[Who, Sequence[Optimizer]]
) -> OptimizerFacts:
    """Whose weights an optimizer holds, and its settings; its learning rate is what it is now.

    A part of the other player that this one's optimizers alone hold is this one's, as a network that reads codes from
    D's features is; and where a player has an optimizer of its own weights, a second one may hold both players'.
    """
    rival: Who = "D" if who == "G" else "G"
    own, other = players[who], players[rival]
    listed = parameters_in([optimizer])
    group = optimizer.param_groups[0]
    settings = {k: v for k, v in group.items() if k not in ("params", "lr") and isinstance(v, int | float | tuple)}
    own_ids, other_ids = ({id(p) for p in net.parameters()} for net in (own, other))
    lr = max(float(each.get("lr", float("nan"))) for each in optimizer.param_groups)  # a part may be frozen by 0
    wrong = (listed & other_ids & parameters_in(optimizers[rival])) - own_ids
    if not listed & own_ids:
        wrong = (listed & other_ids) - own_ids
    elif any(parameters_in([each]) & own_ids and not parameters_in([each]) & other_ids for each in optimizers[who]):
        wrong = set[int]()
    return OptimizerFacts(who, type(optimizer).__name__, lr, len(listed & own_ids), len(wrong), settings)


def has_made_steps(optimizer: Optimizer) -> bool:
    """Whether it keeps something of earlier steps; Adagrad, for one, has a state before the first."""
    return any(not isinstance(each, dict) or float(each.get("step", 1)) > 0 for each in optimizer.state.values())


def scheduled(now: OptimizerFacts, before: OptimizerFacts | None, step: int, resumed: bool = False) -> OptimizerFacts:
    """An optimizer's facts at that step, from 0 on, with what earlier ones showed of its learning rate's course.

    One that had made steps before the first that was seen, as after a checkpoint, may have had a higher rate then.
    """
    base = now.settings.get("initial_lr", now.lr)  # which a schedule of torch's notes, and nothing else does
    known = [now.lr] if before is None or before.highest is None else [now.lr, before.highest]
    highest = max([*known, base] if before is None and resumed else known)
    rose, fell = -1, -1 if before is None else before.fell
    if before is not None and now.lr >= before.lr:
        rose = step if now.lr > before.lr else before.rose
    elif before is not None and before.rose < 0 and before.lr == before.highest:
        fell = step
    falls = fell >= 0 and rose < 0 and step - fell >= FALLING
    is_early = step < (WARM_SCHEDULED if base > highest and not falls else WARM)
    rises = is_early or (rose >= 0 and step - rose < SAME)
    idle = -1 if before is None or now.lr > IDLE * highest else before.idle
    if idle < 0 and before is not None and now.lr <= IDLE * highest < before.lr:
        idle = step
    return replace(now, highest=highest, rises=rises, rose=rose, fell=fell, idle=idle)


def shared_parameters(g: nn.Module, d: nn.Module) -> int:
    """How many parameters both players hold and train; where all of a player is frozen, it is for a while."""
    for_a_while = any(not any(p.requires_grad for p in net.parameters()) for net in (g, d))
    trained = {p.data_ptr() for p in g.parameters() if p.requires_grad or for_a_while}
    return len(trained & {p.data_ptr() for p in d.parameters()} - {0})


def constant_weights(module: nn.Module) -> tuple[str, ...]:
    """Weights that have one value everywhere, in layers whose units differ by nothing else.

    Zeros count where most such layers have them: a network learns well whose last layer, or the last one of each of its
    blocks, begins at 0.
    """
    weights = {
        f"{path}.{name}".lstrip("."): (p, _has_twins(layer))
        for path, layer in module.named_modules()
        if isinstance(layer, SYMMETRIC)
        for name, p in layer.named_parameters()
        if p.dim() >= 2 and p.numel() > 1 and p.requires_grad and not name.endswith(SCALES)
    }
    if not weights:  # layers that are all written by hand: if they do not differ in anything
        own = _written_by_hand(module)
        weights = own if all(bool((p == p.flatten()[0]).all()) for p, _ in own.values()) else {}
    zeros = {name for name, (p, _) in weights.items() if not bool(p.any())}
    dead = len(zeros) > max(1, len(weights) // 2)
    constant = (name for name, (p, twins) in weights.items() if twins and bool((p == p.flatten()[0]).all()))
    return tuple(name for name in constant if dead or name not in zeros)


def _written_by_hand(module: nn.Module) -> dict[str, tuple[nn.Parameter, bool]]:
    """Trained weights of layers that are none of torch's."""
    return {
        f"{path}.{name}".lstrip("."): (p, True)
        for path, layer in module.named_modules()
        if not type(layer).__module__.startswith("torch.")
        for name, p in layer.named_parameters(recurse=False)
        if p.dim() >= 2 and p.numel() > 1 and p.requires_grad
    }


def _has_twins(layer: nn.Module) -> bool:
    """Whether a layer has several units that see the same inputs."""
    if isinstance(layer, nn.Linear):
        return layer.out_features > 1
    if isinstance(layer, nn.modules.conv._ConvNd):  # pyright: ignore[reportPrivateUsage]
        return layer.out_channels > layer.groups
    return True


def sensitive(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """Layers that work differently in evaluation mode, and are not frozen: a pretrained part keeps its statistics."""
    frozen = _frozen_inside(module)
    return [(name, m) for name, m in module.named_modules() if isinstance(m, SENSITIVE) and m not in frozen]


def _frozen_inside(module: nn.Module) -> set[nn.Module]:
    """What is in parts none of whose weights are to be trained; empty where that goes for the whole."""
    if not any(p.requires_grad for p in module.parameters()):
        return set()
    found: set[nn.Module] = set()
    for part in module.modules():
        own = list(part.parameters())
        if own and not any(p.requires_grad for p in own):
            found.update(part.modules())
    return found


def in_evaluation_mode(module: nn.Module) -> tuple[str, ...]:
    """Layers that would work differently if they were in training mode."""
    return tuple(name for name, m in sensitive(module) if not m.training)


def without_gradient(module: nn.Module, used: set[int]) -> tuple[str, ...]:
    """Parameters that got no gradient, or ask for none; not those that nothing has used, as in `idle`."""
    is_known = any(id(p) in used for p in module.parameters())
    return tuple(
        name
        for name, p in module.named_parameters()
        if not p.requires_grad or (p.grad is None and (id(p) in used or not is_known))
    )


def has_gradient(module: nn.Module, among: set[int] | None = None) -> bool:
    """Whether any parameter, or any of those with these ids, holds a gradient that is not 0."""
    some = (p for p in module.parameters() if among is None or id(p) in among)
    return any(p.grad is not None and bool(p.grad.any()) for p in some)


def gradient_norm(module: nn.Module) -> Tensor | None:
    """Of all gradients together, `()`; None where there is none."""
    found = (p.grad.detach() for p in module.parameters() if p.grad is not None)
    gradients = [(each.coalesce().values() if each.layout == torch.sparse_coo else each).float() for each in found]
    if not gradients:
        return None
    return torch.nn.utils.get_total_norm(gradients)


def snapshot(module: nn.Module) -> list[Tensor]:
    """The first numbers of every weight, copied."""
    return [p.detach().flatten()[:SNAPSHOT].clone() for p in module.parameters()]


def compared(
    before: Sequence[Tensor], after: Sequence[Tensor], counted: Sequence[bool], idle: Sequence[bool] = ()
) -> tuple[float, float]:
    """The share of the counted weights that moved, and the size of the step over the size of the weights.

    Those that are `idle` are left out where they have not moved; of no others, the share is 1.
    """
    if not any(counted):
        return 0.0, 0.0
    changed = [bool((a != b).any()) for a, b in zip(after, before, strict=True)]
    counts = zip(changed, counted, idle or [False] * len(changed), strict=True)
    moved = [each for each, is_counted, is_idle in counts if is_counted and (each or not is_idle)] or [True]
    step = sum(float((a - b).double().square().sum()) for a, b in zip(after, before, strict=True))
    size = sum(float(b.double().square().sum()) for b in before)
    return sum(moved) / len(moved), (step / max(size, 1e-24)) ** 0.5


def moved_by_step(
    module: nn.Module, before: Sequence[Tensor], optimizers: Sequence[Optimizer], used: set[int]
) -> tuple[float, float]:
    """What `compared` says of a step that these optimizers have made from a snapshot."""
    counted = to_be_trained(module, optimizers)
    return compared(before, snapshot(module), counted, idle(module, optimizers, used))


def to_be_trained(module: nn.Module, optimizers: Sequence[Optimizer]) -> list[bool]:
    """Of each parameter, whether it asks for a gradient or an optimizer holds it: others are frozen on purpose."""
    listed = parameters_in(optimizers)
    return [p.requires_grad or id(p) in listed for p in module.parameters()]


def idle(module: nn.Module, optimizers: Sequence[Optimizer], used: set[int]) -> list[bool]:
    """Of each parameter, whether a step leaves it where it is though it is not frozen.

    Its gradient is there, and 0 or too small to change it, or no optimizer has it; or nothing has used it, as a layer
    that a network which grows begins to use later. `used` has the ids of what was, and none of this player's where that
    is not known.
    """
    rates = {id(p): float(g.get("lr", 0.0)) for each in optimizers for g in each.param_groups for p in g["params"]}
    is_known = any(id(p) in used for p in module.parameters())
    return [
        (p.requires_grad and is_known and id(p) not in used)
        if p.grad is None
        else id(p) not in rates or _is_flat(p.detach(), p.grad, rates[id(p)])
        for p in module.parameters()
    ]


def _is_flat(weight: Tensor, gradient: Tensor, rate: float) -> bool:
    """Whether a gradient is 0, or so small that a step along it is lost in rounding."""
    if not gradient.numel() or gradient.layout != torch.strided:
        return False
    slope = float(gradient.abs().max())
    return slope == 0 or 0 < rate * slope < ROUNDED * float(weight.abs().max())


def reaches(loss: Tensor, players: dict[Who, nn.Module]) -> dict[Who, bool]:
    """Whose weights a loss sends gradients to; empty where its graph is too large to say so."""
    wanted: dict[Who, set[int]] = {who: {id(p) for p in net.parameters()} for who, net in players.items()}
    found: dict[Who, bool] = dict.fromkeys(players, False)
    stack: list[Any] = [loss.grad_fn] if loss.grad_fn is not None else []
    known: set[Any] = set(stack)
    while stack and len(known) < MAX_NODES and not all(found.values()):
        node = stack.pop()
        variable = getattr(node, "variable", None)  # only AccumulateGrad has it
        if variable is not None:
            for who, ids in wanted.items():
                found[who] |= id(variable) in ids
        for following, _ in node.next_functions:
            if following is not None and following not in known:
                known.add(following)
                stack.append(following)
    return {} if stack and not any(found.values()) else found


def score_in(output: Any, batch: int) -> Tensor | None:
    """D's scores in what it returns: of several tensors one of scores, and of those the one with the fewest numbers."""
    tensors = [t for t in _flat(output) if t.is_floating_point() and (t.shape[0] if t.dim() else 1) == batch]
    return min(tensors, key=lambda t: (not _are_scores(t), t.numel()), default=None)


def is_one_score(output: Any) -> bool:
    """Whether what D returns is one tensor that it learns by, or one of scores beside classes, and not several."""
    learned = [t for t in _flat(output) if t.is_floating_point() and t.requires_grad]
    return len(learned) == 1 or sum(map(_are_scores, learned)) == 1


def _are_scores(t: Tensor) -> bool:
    """Whether it is one number for each example, or one map."""
    return t.dim() < 2 or t.shape[1] == 1


def example_in(output: Any) -> Tensor | None:
    """The examples in what G returns: of several tensors the largest."""
    tensors = (t for t in _flat(output) if t.is_floating_point() and t.dim() > 0)
    return max(tensors, key=lambda t: t.numel(), default=None)


def has_batch(inputs: Any) -> bool:
    """Whether any of these is more than one vector."""
    return any(t.dim() > 1 for t in _flat(inputs) if t.is_floating_point())


def asks_for_gradient(inputs: Any) -> bool:
    """Whether a gradient may flow back through any of these."""
    return any(t.requires_grad for t in _flat(inputs))


def quantiles(values: Tensor) -> tuple[float, ...]:
    """Minimum, 1 %, median, 99 %, maximum."""
    flat = values.detach().flatten().float()
    ends = float(flat.min()), float(flat.max())
    some = flat[:: max(1, len(flat) // SAMPLED)]
    low, middle, high = torch.quantile(some[:SAMPLED], torch.tensor([0.01, 0.5, 0.99], device=some.device)).tolist()
    return ends[0], low, middle, high, ends[1]


def distinct(values: Tensor) -> int:
    """Distinct values among the first of a tensor, counted up to MAX_DISTINCT."""
    return min(MAX_DISTINCT, len(torch.unique(values.detach().flatten()[:SAMPLED])))


def _flat(output: Any) -> Iterable[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, dict):
        for each in output.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _flat(each)
    elif isinstance(output, list | tuple):
        for each in output:  # pyright: ignore[reportUnknownVariableType]
            yield from _flat(each)


def same_storage(a: Tensor, b: Tensor) -> bool:
    """Whether one is a view of the other's memory, as after detach()."""
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()
