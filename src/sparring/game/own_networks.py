"""Networks of a user's own: tried with two examples, and fitted where their shapes are written in another way.

A generator that takes (B, 100, 1, 1) or gives flat images needs no change, nor does a discriminator that takes flat
images or gives (B, 1, 1, 1), a map of scores, or several outputs: what was done about it is a note. What does not fit
is an error that gives the shapes and says what to change.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from sparring.errors import SparringError, in_one_line
from sparring.game.runtime import preserving_torch_rng
from sparring.networks import Shape
from sparring.networks.layers import ChosenOutput, ClassesApart, Scores

TRIED = 2
"""Examples that a network is tried with."""
Wrap = Callable[[nn.Module], nn.Module]


@dataclass(frozen=True)
class Fitted:
    """Makes a user's own network, with what fits it to the game around it."""

    make_own: Callable[[], nn.Module]
    wraps: tuple[Wrap, ...]
    notes: tuple[str, ...]
    """What was done to fit it, a line each."""

    def __call__(self) -> nn.Module:
        made = self.make_own()
        for wrap in self.wraps:
            made = wrap(made)
        return made


def fitted(part: Any, who: str, takes: Shape, gives: Shape, classes: int = 0) -> Fitted:
    """A function that makes a user's own network, after trying out how its shapes fit.

    Args:
        part: A module class, a function that returns a module, or a module.
        who: `generator` or `discriminator`.
        takes: Shape of one input: `(size,)` of a latent vector, or the shape of an example.
        gives: Shape of one output: that of an example, or `()` for a score.
        classes: If not 0, training is class-conditional: one-hot classes are the last numbers of a generator's input,
            and a second input of a discriminator.

    Raises:
        SparringError: The network cannot be made, or does not fit; the message says what to change.
    """
    name = getattr(part, "__name__", type(part).__name__)

    def make_own() -> nn.Module:
        made = _fresh_copy(part) if isinstance(part, nn.Module) else part()
        if not isinstance(made, nn.Module):
            raise SparringError(f"a network must be an nn.Module or make one; {part!r} made {type(made).__name__}")
        if any(isinstance(p, UninitializedParameter) for p in made.parameters()):
            _initialize_lazy(made, who, takes, classes)
        if not any(p.requires_grad for p in made.parameters()):
            raise SparringError(f"the {who} {name} has no weights to train")
        return made.float()  # as the game computes; weights may have been made in float64

    with preserving_torch_rng(), torch.no_grad():
        try:
            network = make_own()
        except SparringError:
            raise
        except Exception as error:
            raise SparringError(f"{name} cannot be made: {in_one_line(error)}{_how_to_make(part, error)}") from error
        trial = _Trial(f"{who} {name}", network, who, takes, gives, classes)
        wraps, notes = trial.inputs()
        more_wraps, more_notes = trial.outputs()
    if isinstance(part, nn.Module):
        fresh = f"the {who} is a module: every seed starts with new weights, from its layers' reset_parameters()"
        notes = [fresh, *notes]
    return Fitted(make_own, (*wraps, *more_wraps), (*notes, *more_notes))


class _Trial:
    """Finds how a network takes what the game has, and how what it gives becomes what the game needs."""

    def __init__(self, name: str, network: nn.Module, who: str, takes: Shape, gives: Shape, classes: int):
        self.name, self.network, self.who = name, network, who
        self.takes, self.gives, self.classes = takes, gives, classes
        self.given: Any = None
        """What the network gave in the trial that worked."""

    def inputs(self) -> tuple[list[Wrap], list[str]]:
        """What to put before the network. Raises SparringError where it takes the input in no form."""
        errors: list[Exception] = []
        for wraps, note in self._forms_of_input():
            network = self.network
            for wrap in wraps:
                network = wrap(network)
            try:
                self.given = network(*self._example())
            except Exception as error:
                errors.append(error)
            else:
                return wraps, [note] if note else []
        noun = "latent vectors" if self.who == "generator" else "examples"
        said = f"the {self.name} does not take {noun} {batch_of(self.takes)}: {in_one_line(errors[0])}"
        raise SparringError(said + self._mend_of_input(str(errors[0]))) from errors[0]

    def outputs(self) -> tuple[list[Wrap], list[str]]:
        """What to put behind the network. Raises SparringError where its output is of no use."""
        wraps: list[Wrap] = []
        notes: list[str] = []
        given = self.given
        if not isinstance(given, Tensor):
            key, given = self._chosen(given)
            wraps.append(lambda network: ChosenOutput(network, key))
            notes.append(f"of the outputs of the {self.name}, {key!r} is used: {batch_of(tuple(given.shape[1:]))}")
        ending, note = self._example_from(given) if self.gives else self._score_from(given)
        return [*wraps, *ending], [*notes, *([note] if note else [])]

    def _example(self) -> tuple[Tensor, ...]:
        x = torch.zeros(TRIED, *self.takes)
        if not self.classes:
            return (x,)
        hot = nn.functional.one_hot(torch.arange(TRIED) % self.classes, self.classes).to(x.dtype)
        if self.who == "discriminator":
            return x, hot
        x[:, -self.classes :] = hot
        return (x,)

    def _forms_of_input(self) -> Iterator[tuple[list[Wrap], str]]:
        yield [], ""
        if self.classes:
            size = self.takes[0] - self.classes if self.who == "generator" else 0
            for as_numbers, what in ((False, "one-hot classes"), (True, "classes as integers")):
                wrap: Wrap = lambda network, as_numbers=as_numbers: ClassesApart(network, size, as_numbers)  # noqa: E731
                if self.who == "generator" or as_numbers:
                    yield [wrap], f"the {self.name} gets {what} as a second input"
            return
        forms = [(*self.takes, 1, 1), (*self.takes, 1)] if self.who == "generator" else []
        if self.who == "discriminator":
            forms = [(math.prod(self.takes),)] if len(self.takes) > 1 else [(1, *self.takes), (*self.takes, 1, 1)]
        for form in forms:
            layer = nn.Flatten if len(form) == 1 else lambda form=form: nn.Unflatten(1, form)
            wrap = lambda network, layer=layer: nn.Sequential(layer(), network)  # noqa: E731
            yield [wrap], f"the {self.name} gets {batch_of(form)}, from {batch_of(self.takes)}"

    def _chosen(self, given: Any) -> tuple[int | str, Tensor]:
        """The one of several outputs that has the shape that is needed."""
        pairs: Any = enumerate(given) if isinstance(given, list | tuple) else ()
        pairs = given.items() if isinstance(given, Mapping) else pairs
        tensors = {key: each for key, each in pairs if isinstance(each, Tensor)}
        fitting = {k: t for k, t in tensors.items() if self._fits(tuple(t.shape))}
        if len(fitting) == 1:
            return next(iter(fitting.items()))
        what = "score" if not self.gives else "example"
        shapes = ", ".join(f"{key!r}: {batch_of(tuple(t.shape[1:]))}" for key, t in tensors.items())
        listed = f" ({shapes})" if shapes else ""
        how_many = f"{len(fitting)} of them could be" if fitting else "none of them is"
        if not tensors:
            raise SparringError(f"the {self.name} returns {type(given).__name__}: it must return a tensor")
        raise SparringError(
            f"the {self.name} returns {len(tensors)} tensors{listed}, and {how_many} the {what}: return that one alone"
        )

    def _fits(self, shape: Shape) -> bool:
        if self.gives:
            return shape[1:] == self.gives or (len(shape) > 1 and math.prod(shape[1:]) == math.prod(self.gives))
        return shape[:1] == (TRIED,) and (math.prod(shape) == TRIED or _is_map(shape))

    def _score_from(self, given: Tensor) -> tuple[list[Wrap], str]:
        shape = tuple(given.shape)
        if shape[:1] == (TRIED,) and math.prod(shape) == TRIED:
            return [self._ended(nn.Flatten(0))], ""
        if _is_map(shape):
            ending = nn.AvgPool2d((shape[-2], shape[-1])) if len(shape) > 2 else nn.Identity()
            note = f"the {self.name} gives maps of scores {batch_of(shape[1:])}: their mean is the score of an example"
            return [self._ended(ending, nn.Flatten(0))], note
        expected = f"the {self.name} must return a score for each example, (B,) or (B, 1)"
        if not shape:
            raise SparringError(f"{expected}, and returns one number for the whole batch: leave out the mean over it")
        if shape[0] != TRIED:
            per = shape[0] / TRIED
            flat = f"{per:g} for each example: it flattens maps of scores together with the batch, so return the maps"
            rest = flat if len(shape) <= 2 and per > 1 and per == int(per) else f"{shape} for {TRIED} examples"
            raise SparringError(f"{expected}, and returns {rest}")
        mend = f"end in nn.Linear({shape[1]}, 1)" if len(shape) == 2 else "end in one channel, (B, 1, H, W)"
        raise SparringError(f"{expected}, and returns {batch_of(shape[1:])}: {mend}")

    def _example_from(self, given: Tensor) -> tuple[list[Wrap], str]:
        shape, gives = tuple(given.shape[1:]), self.gives
        if shape == gives and given.shape[0] == TRIED:
            return [], ""
        if given.shape[:1] == (TRIED,) and math.prod(shape) == math.prod(gives):
            without_ones = [[side for side in each if side != 1] for each in (shape, gives)]
            if len(shape) == 1 or without_ones[0] == without_ones[1]:
                layers = [*([nn.Flatten] if len(shape) > 1 else []), lambda: nn.Unflatten(1, gives)]
                ending: Wrap = lambda network: nn.Sequential(network, *(layer() for layer in layers))  # noqa: E731
                note = f"the {self.name} gives {batch_of(shape)}, which is reshaped to {batch_of(gives)}"
                return ([ending] if len(gives) > 1 else [lambda network: nn.Sequential(network, nn.Flatten())]), note
        expected = f"the {self.name} must return examples {batch_of(gives)}, as the data are"
        found = batch_of(shape) if given.shape[:1] == (TRIED,) else f"{tuple(given.shape)} for {TRIED} latent vectors"
        raise SparringError(f"{expected}, and returns {found}{_mend_of_example(shape, gives)}")

    def _ended(self, *layers: nn.Module) -> Wrap:
        if self.classes:
            return Scores
        return lambda network: nn.Sequential(network, *(copy.deepcopy(layer) for layer in layers))

    def _mend_of_input(self, error: str) -> str:
        """What to change, where the error or the first layer shows it; empty elsewhere."""
        works_for_others = _fixed_batch(self.network, self.takes, error) if not self.classes else ""
        if works_for_others:
            return works_for_others
        layers = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)
        first = next((m for m in self.network.modules() if isinstance(m, layers)), None)
        if first is not None:
            wants = first.in_features if isinstance(first, nn.Linear) else first.in_channels
            if self.who == "generator" and wants != self.takes[0]:
                if self.classes:
                    return f"; the last {self.classes} are the one-hot class, which may also be a second argument"
                return f"; its first layer takes {wants} numbers: latent=latents.Normal({wants})"
            if self.who == "discriminator" and not isinstance(first, nn.Linear) and wants != self.takes[0]:
                return f"; its first layer takes {wants} channels, and the data have {self.takes[0]}"
        product = re.search(r"\((\d+)x(\d+) and (\d+)x(\d+)\)", error)
        if product:
            return f"; a linear layer gets {product[2]} numbers and takes {product[3]}: nn.Linear({product[2]}, ...)"
        return ""


def batch_of(shape: Shape) -> str:
    """The shape of a batch of such examples: `(B, 1, 28, 28)`."""
    return f"({', '.join(['B', *map(str, shape)])}{'' if shape else ','})"


def _is_map(shape: Shape) -> bool:
    """Whether scores are those of patches: `(B, 1, H, W)`, `(B, 1, L)` or `(B, H, W)`."""
    return shape[:1] == (TRIED,) and (len(shape) == 3 or (len(shape) == 4 and shape[1] == 1))


def _mend_of_example(shape: Shape, gives: Shape) -> str:
    if len(shape) != 3 or len(gives) != 3:
        wanted = math.prod(gives)
        return f": end in nn.Linear(..., {wanted})" if len(shape) == 1 and shape[0] != wanted else ""
    if shape == (*gives[1:], gives[0]):
        return ": its channels are last, so end with permute(0, 3, 1, 2)"
    if shape[0] != gives[0] and shape[1:] == gives[1:]:
        one = ": its last layer must give 1 channel"
        return one if gives[0] == 1 else f": its last layer must give {gives[0]} channels"
    return f": add or leave out a layer that doubles the side, or take data of {shape[1]} x {shape[2]} pixels"


def _fixed_batch(network: nn.Module, takes: Shape, error: str) -> str:
    """Says so where a network reshapes to a number of examples that is written into it."""
    found = re.search(r"shape '\[(\d+),[^']*\]' is invalid for input", error)
    if found is None or int(found[1]) in (1, TRIED):
        return ""
    try:
        network(torch.zeros(int(found[1]), *takes))
    except Exception:
        return ""
    return f"; it works for {found[1]} examples only: reshape with x.size(0) in place of {found[1]}"


def _how_to_make(part: Any, error: Exception) -> str:
    needs_arguments = isinstance(error, TypeError) and "required positional argument" in str(error)
    name = getattr(part, "__name__", "")
    return f"; give a function that passes them: lambda: {name}(...)" if needs_arguments and name else ""


def _initialize_lazy(network: nn.Module, who: str, takes: Shape, classes: int) -> None:
    """Calls a network once, so that its lazy layers find out their sizes and draw their weights."""
    was_training = network.training
    network.eval()
    inputs: tuple[Tensor, ...] = (torch.zeros(TRIED, *takes),)
    if classes and who == "discriminator":
        inputs += (torch.zeros(TRIED, classes),)
    with torch.no_grad():
        network(*inputs)
    network.train(was_training)


def _fresh_copy(module: nn.Module) -> nn.Module:
    """A copy with newly drawn weights, for a user who gave a module rather than a function that makes one."""
    fresh = copy.deepcopy(module)
    for layer in fresh.modules():
        reset = getattr(layer, "reset_parameters", None)
        if reset is not None:
            reset()
        elif any(True for _ in layer.parameters(recurse=False)):
            raise SparringError(
                f"{type(layer).__name__} has weights but no reset_parameters(), so all members would start alike; "
                "give the class, or a function that makes the network"
            )
    return fresh
