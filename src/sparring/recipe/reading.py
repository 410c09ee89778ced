"""What a user writes for a field of a recipe, as what it stands for: a name, a path, a list, an array.

The command and the Python interface read alike: `--objective hinge` is `objective="hinge"`.
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from sparring import catalogue
from sparring.catalogue import OwnPart
from sparring.datasets import Dataset
from sparring.errors import UsageError
from sparring.fields import as_int, described, hints_of, refusal, settled
from sparring.latents import Latent
from sparring.networks import Network
from sparring.objectives import Objective
from sparring.optimizers import Optimizer
from sparring.tricks import Trick

KIND_OF = catalogue.FIELDS
SEVERAL = ("tricks", "round")
"""Fields that take several parts."""
BASES: Mapping[str, type[Any]] = {
    "datasets": Dataset,
    "objectives": Objective,
    "latents": Latent,
    "tricks": Trick,
    "optimizers": Optimizer,
    "networks": Network,
}
"""Kind -> the class that its parts extend."""
TAKES = {
    "data": "a data set (datasets.MNIST(), 'mnist'), the path of a folder, arrays, tensors, a torch Dataset or a "
    "DataLoader",
    "generator": "a network: a built-in one ('dcgan'), an nn.Module, its class, or a function that makes one",
    "discriminator": "a network: a built-in one ('dcgan'), an nn.Module, its class, or a function that makes one",
    "objective": "an objective (objectives.Hinge(), 'hinge')",
    "latent": "a latent distribution (latents.Normal(64), 'normal(64)')",
    "tricks": "tricks in a list ([tricks.R1(gamma=1)], ['r1(gamma=1)', 'ema'])",
    "round": "moves ('d_sees_both g_fools_d')",
    "generator_optimizer": "an optimizer (optimizers.Adam(lr=2e-4), 'adam(lr=2e-4)')",
    "discriminator_optimizer": "an optimizer (optimizers.Adam(lr=2e-4), 'adam(lr=2e-4)')",
}
"""Field -> what it takes, in words."""
WELL_KNOWN: Mapping[str, Mapping[str, str]] = {
    "dcgan": {"generator": "dcgan", "discriminator": "dcgan"},
    "sngan": {"generator": "sngan", "discriminator": "sngan", "objective": "hinge"},
    "wgan-gp": {"objective": "wasserstein", "tricks": "gradient-penalty"},
    "r3gan": {
        "generator": "r3gan",
        "discriminator": "r3gan",
        "objective": "relativistic-paired",
        "tricks": "r1-r2",
    },
}
"""GANs that people name where a recipe, an objective or a trick belongs, as fields of a recipe."""
MAX_SEEDS = 1_000_000
"""More than that are a mistake: a seed (--seeds 20261127 is as many members) rather than their number."""
MAX_PARTS = 100_000
"""Tricks or moves of one recipe; more are a mistake, or have no end."""
LOSSES = {
    "BCEWithLogitsLoss": "'bce'",
    "BCELoss": "'bce', which takes D's score without a sigmoid",
    "MSELoss": "'least-squares'",
    "binary_cross_entropy_with_logits": "'bce'",
    "binary_cross_entropy": "'bce', which takes D's score without a sigmoid",
    "mse_loss": "'least-squares'",
}
"""Losses of torch, and the objective to write in their place."""


def read_field(field: str, value: Any) -> Any:
    """The value of a recipe's field whose parts are of a kind of the catalogue.

    Args:
        field: One of `KIND_OF`.
        value: A part, its text as on the command line, or for `data` what the examples are in; in a list for a field
            that takes several.

    Returns:
        The part, or a tuple of parts.

    Raises:
        UsageError: It is none of these; the message names the field and says what it takes.
    """
    if field in SEVERAL:
        return _several(field, value)
    if field == "data":
        return read_data(value)
    if isinstance(value, str):
        return read_part(field, value)
    return _part(field, value)


def as_text(name: str, value: Any) -> Any:
    """A field's value as it is typed on the command line."""
    if name == "seeds":
        return str(len(value)) if value == tuple(range(len(value))) else ",".join(map(str, value))
    if name not in KIND_OF:
        return value
    if not isinstance(value, tuple):
        return catalogue.to_text(value)
    repeats = [(text, len(list(same))) for text, same in itertools.groupby(map(catalogue.to_text, value))]
    return tuple(text if count == 1 else f"{text}*{count}" for text, count in repeats)


def read_part(field: str, text: str) -> Any:
    """A part from its text, for a field of one part other than `data`; `dcgan` is DCGAN's generator as a generator."""
    kind, name = KIND_OF[field], text.partition("(")[0].strip()
    player = f"{name}-{field}"
    if kind == "networks" and player in catalogue.entries(kind):
        return catalogue.read(kind, player + text[text.index(name) + len(name) :])
    check_well_known(kind, name)
    if kind == "latents" and name.isdigit():
        raise UsageError(f"latent takes {TAKES['latent']}, not {text!r}: say normal({name})")
    return catalogue.read(kind, text)


def read_all(kind: str, texts: Iterable[str]) -> tuple[Any, ...]:
    """Parts in a row; `g_fools_d*200` is two hundred of them."""
    found: list[Any] = []
    for text in texts:
        repeated = re.fullmatch(r"(.+)\*(\d{1,9})", text)
        check_well_known(kind, text)
        times = int(repeated[2]) if repeated else 1
        if len(found) + times > MAX_PARTS:
            raise UsageError(f"{text!r} makes more than {MAX_PARTS:,} {kind}")
        found += [catalogue.read(kind, repeated[1] if repeated else text)] * times
    return tuple(found)


def read_data(value: Any, current: Dataset | None = None) -> Any:
    """A data set from its name, from the path of a folder of images, or from examples in memory.

    A name is never taken for a folder. Where the text says no span (the range of pixel values that the networks see),
    it is that of the recipe's `current` data, because the generator's last layer was chosen for it.
    """
    if isinstance(value, os.PathLike):
        return _with_span(_own_files(os.fspath(value)), current)
    if not isinstance(value, str) or not value.strip():
        return _part("data", value) if isinstance(value, Dataset | OwnPart) else _given(value, current)
    known, path = catalogue.entries("datasets"), Path(value)
    as_leaf = value.strip() in known or (value.partition("(")[0].strip() in known and not path.is_dir())
    is_path = not as_leaf and ("/" in value or os.sep in value or path.exists())
    name = value.partition("(")[0].strip()
    if not is_path and not catalogue.has("datasets", name):
        raise UsageError(f"there is no file or folder {value!r} here, and {catalogue.unknown('datasets', name, known)}")
    try:
        made = _own_files(value) if is_path else catalogue.read("datasets", value)
    except UsageError as error:
        if not is_path and path.exists():
            raise UsageError(f"{error}, or ./{value} for what is called so here") from error
        raise
    return made if "span" in value.partition("(")[2] else _with_span(made, current)


def _own_files(path: str) -> Any:
    """Images of the user's own, or the numbers of a table."""
    from sparring.datasets.files.tables import is_table

    return catalogue.make("datasets", "table" if is_table(path) else "folder", {"path": path})


def read_seeds(value: Any) -> tuple[int, ...]:
    """Random seeds: 8 or `8` is 0 to 7, `3-10` has both ends, `1,5,9` and whole numbers in a list are these."""
    takes = "seeds takes a count (8), a range ('3-10') or a list (1,5,9)"
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d+\s*", value):
        value = int(value)
    if (count := as_int(value)) is not None:
        if not 1 <= count <= MAX_SEEDS:
            raise UsageError(f"seeds: their number must lie between 1 and {MAX_SEEDS:,}, not at {count}")
        return tuple(range(count))
    if isinstance(value, str):
        if found := re.fullmatch(r"\s*(\d+)\s*-\s*(\d+)\s*", value):
            first, last = int(found[1]), int(found[2])
            if last < first:
                raise UsageError(f"seeds: the range {value.strip()} ends before it begins")
            return tuple(first + k for k in _finite(range(max(0, last - first + 1)), "seeds", MAX_SEEDS))
        parts: list[Any] = [int(part) if part.strip().isdecimal() else part for part in value.split(",")]
    elif isinstance(value, Iterable) and not isinstance(value, bytes | Mapping):
        parts = _finite(cast(Iterable[Any], value), "seeds", MAX_SEEDS)
    else:
        raise UsageError(f"{takes}, not {described(value)}")
    seeds = [as_int(part) for part in parts]
    if None in seeds:
        raise UsageError(f"{takes}, not {described(value)}")
    return tuple(seed for seed in seeds if seed is not None)


def check_well_known(kind: str, name: str) -> None:
    """Raises UsageError for the name of a whole GAN where the catalogue has none of this kind, with what to write."""
    if name in WELL_KNOWN and name not in catalogue.entries(kind):
        fields = ", ".join(f"{field}={value!r}" for field, value in WELL_KNOWN[name].items())
        raise UsageError(f"no {catalogue.SINGULAR[kind]} called {name!r}: as fields of a recipe {name} is {fields}")


def _several(field: str, value: Any) -> tuple[Any, ...]:
    kind = KIND_OF[field]
    if isinstance(value, str):  # blanks part moves, commas part tricks
        return read_all(kind, value.replace(",", " ").split() if kind == "moves" else catalogue.parts(value))
    if isinstance(value, BASES.get(kind, ())) or (kind == "moves" and inspect.isfunction(value)):
        value = (value,)
    if not isinstance(value, Iterable) or isinstance(value, bytes | Mapping):
        raise UsageError(_refused(field, value))
    found: list[Any] = []
    for each in _finite(cast(Iterable[Any], value), field, MAX_PARTS):
        found += read_all(kind, (each,)) if isinstance(each, str) else (_part(field, each),)
    return tuple(found)


def _finite(values: Iterable[Any], field: str, limit: int) -> list[Any]:
    """All values of an iterable. Raises UsageError for one that has too many, and perhaps no end."""
    found = list(itertools.islice(values, limit + 1))
    if len(found) > limit:
        raise UsageError(f"{field}: at most {limit:,}, and these are more or have no end")
    return found


def _part(field: str, value: Any) -> Any:
    """A part that is no text, with its fields in Python's own types. Raises UsageError where it does not belong."""
    kind = KIND_OF[field]
    if isinstance(value, OwnPart):
        return value
    if kind == "moves":
        fits = callable(value) and not inspect.isclass(value)
    elif kind == "networks":
        fits = isinstance(value, Network) or _makes_a_network(value)
    else:
        fits = isinstance(value, BASES[kind])
    if fits:
        return _settled_fields(value)
    raise UsageError(_refused(field, value))


def _makes_a_network(value: Any) -> bool:
    """Whether it is a module, a module's class, or something that may make one when it is called."""
    if inspect.isclass(value):
        torch = sys.modules.get("torch")  # without torch there are no modules
        return torch is not None and issubclass(value, torch.nn.Module)
    return callable(value)


def _refused(field: str, value: Any) -> str:
    kind, is_class = KIND_OF[field], inspect.isclass(value)
    base = BASES.get(kind)
    if is_class and base is not None and issubclass(value, base):
        return f"{field} takes an instance, not a class: write {value.__name__}()"
    of = cast(type[Any], value if is_class else type(value))
    name = getattr(value, "__name__", of.__name__)
    where = str(getattr(value, "__module__", of.__module__))
    if kind == "objectives" and where.startswith("torch.") and name in LOSSES:
        return f"{field} takes a loss of G and one of D: in place of torch's {name} write {LOSSES[name]}"
    if kind == "optimizers" and where.startswith("torch.optim"):
        known = name if name in {e.attribute for e in catalogue.entries(kind).values()} else "Adam"
        return (
            f"{field} takes an optimizer that steps all seeds at once: in place of torch's {name} write "
            f"optimizers.{known}(lr=...)"
        )
    for other, its_base in BASES.items():
        if isinstance(value, its_base):
            called = f"{catalogue.to_text(value)}, one of the {other}"
            return f"{field} takes {TAKES[field]}, not {called}"
    return f"{field} takes {TAKES[field]}, not {described(value)}"


def _settled_fields(part: Any) -> Any:
    """A part of the catalogue whose fields are Python's own types, which JSON knows: tuples for lists, and so on."""
    if isinstance(part, type) or not dataclasses.is_dataclass(part) or catalogue.name_of(type(part)) is None:
        return part
    changes: dict[str, Any] = {}
    for name, wanted in hints_of(type(part)).items():
        value = getattr(part, name)
        if refusal(wanted, value) is None and (simple := settled(wanted, value)) is not value:
            changes[name] = simple
    return dataclasses.replace(cast(Any, part), **changes) if changes else part


def _given(value: Any, current: Dataset | None) -> Any:
    """Examples in memory; images keep the span of `current`, where that is of images too."""
    from sparring.datasets._given import is_given
    from sparring.datasets.in_memory import InMemory

    if not is_given(value):
        raise UsageError(_refused("data", value))
    made = InMemory.of(value)
    return _with_span(made, current) if current is not None and len(made.shape) == 3 else made


def _with_span(data: Any, current: Dataset | None) -> Any:
    has_span = "span" in {f.name for f in dataclasses.fields(data)}
    return dataclasses.replace(data, span=current.span) if has_span and current is not None else data
