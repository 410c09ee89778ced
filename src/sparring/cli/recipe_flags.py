"""The fields of a recipe as flags of `train`, in groups, and the recipe that such flags make of another."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from sparring import catalogue
from sparring.cli import folder_flags
from sparring.cli.flags import flag
from sparring.errors import UsageError

if TYPE_CHECKING:
    from sparring.recipe import Recipe

GROUPS: Mapping[str, tuple[str, ...]] = {
    "run": ("out", "rounds", "seeds", "log_points", "samples_per_grid", "metrics", "early_stop", "start_from"),
    "data": ("data", "data_dir", "batch", "conditional"),
    "images of your own": folder_flags.NAMES,
    "game": ("lr", "optimizer", "objective", "tricks", "round", "generator_optimizer", "discriminator_optimizer"),
    "networks": ("generator", "discriminator", "latent"),
    "machine": ("device", "threads", "precision", "compile", "processes", "on", "share_batch"),
}
"""Flags of `train` in the order in which `--help` shows them. What is not listed comes last in the first group."""
NO_FLAG = ("name", "origin", "start_from")
"""Fields of a recipe that are not typed as such: `--start-from` is a flag of `train`, since it names a run."""
METAVARS = {"data": "NAME|DIR", "seeds": "SEEDS", "round": "MOVE ...", "tricks": "NAME ...", "precision": "TYPE"}
"""What a flag's value is called in `--help`; else N for a number, NAME for a leaf of the catalogue."""

WELL_KNOWN = {
    "dcgan": "--generator dcgan --discriminator dcgan",
    "sngan": "--generator sngan --discriminator sngan --objective hinge",
    "wgan-gp": "--objective wasserstein --tricks gradient-penalty",
    "r3gan": "--generator r3gan --discriminator r3gan --objective relativistic-paired --tricks r1-r2",
}
"""GANs that people name where a recipe, an objective or a trick belongs, as flags of `train`."""


def check_well_known(kind: str, name: str) -> None:
    """Raises UsageError for the name of a whole GAN where the catalogue has none of this kind, with what to type."""
    if name in WELL_KNOWN and name not in catalogue.entries(kind):
        raise UsageError(f"no {catalogue.SINGULAR[kind]} called {name!r}: {name} is `{WELL_KNOWN[name]}`")


def flags_of(static: type[Any], recipe: Recipe) -> type[Any]:
    """A dataclass of flags in groups: those of the dataclass `static` and one for every field of the recipe.

    The recipe's values are the defaults.
    """
    hints = get_type_hints(static, include_extras=True)
    every: dict[str, tuple[str, Any, Any]] = {f.name: (f.name, hints[f.name], f) for f in dataclasses.fields(static)}
    hints = get_type_hints(folder_flags.FolderFlags, include_extras=True)
    every |= {f.name: (f.name, hints[f.name], f) for f in dataclasses.fields(folder_flags.FolderFlags)}
    for f in dataclasses.fields(recipe):
        if f.name not in NO_FLAG:
            every[f.name] = _flag_of(f.name, getattr(recipe, f.name))
    listed = {name for names in GROUPS.values() for name in names}
    first = next(iter(GROUPS))
    groups: list[tuple[str, Any, Any]] = []
    for group, names in GROUPS.items():
        chosen = [*names, *(name for name in every if name not in listed)] if group == first else names
        made = dataclasses.make_dataclass(group.replace(" ", "_"), [every[name] for name in chosen], kw_only=True)
        made.__doc__ = " "  # else tyro shows the signature
        groups.append((group.replace(" ", "_"), made, field(default_factory=made)))
    return dataclasses.make_dataclass("TrainFlags", groups, kw_only=True)


def flat(flags: Any) -> SimpleNamespace:
    """The flags of all groups side by side."""
    return SimpleNamespace(**{name: value for group in vars(flags).values() for name, value in vars(group).items()})


def changed(recipe: Recipe, flags: Any) -> Recipe:
    """The recipe with the fields that a flag changed. Raises UsageError for a value that does not fit."""
    from sparring.recipe import KIND_OF

    changes: dict[str, Any] = {}
    optimizers = ("generator_optimizer", "discriminator_optimizer")
    for f in dataclasses.fields(recipe):
        if f.name in NO_FLAG:
            continue
        given, current = getattr(flags, f.name), getattr(recipe, f.name)
        if given == as_text(f.name, current):
            continue
        if f.name == "seeds":
            changes["seeds"] = read_seeds(given)
        elif f.name == "data":
            changes["data"] = read_data(given, current)
        elif kind := KIND_OF.get(f.name):
            several = not isinstance(given, str)
            changes[f.name] = (
                read_all(kind, given) if several else catalogue.read(kind, _full_name(kind, f.name, given))
            )
        else:
            changes[f.name] = given
    if settings := folder_flags.given(flags):
        changes["data"] = folder_flags.with_settings(changes.get("data", recipe.data), settings)
    if flags.optimizer:
        chosen = catalogue.read("optimizers", flags.optimizer)
        changes = dict.fromkeys(optimizers, chosen) | changes
    if flags.lr is not None:
        for name in optimizers:
            changes[name] = _with_lr(changes.get(name, getattr(recipe, name)), flags.lr)
    return recipe.replace(**changes)


def as_text(name: str, value: Any) -> Any:
    """A field's value as it is typed: the inverse of what `changed` reads."""
    from sparring.recipe import KIND_OF

    if name == "seeds":
        return str(len(value)) if value == tuple(range(len(value))) else ",".join(map(str, value))
    if name not in KIND_OF:
        return value
    if not isinstance(value, tuple):
        return catalogue.to_text(value)
    repeats = [(text, len(list(same))) for text, same in itertools.groupby(map(catalogue.to_text, value))]
    return tuple(text if count == 1 else f"{text}*{count}" for text, count in repeats)


def read_all(kind: str, texts: Sequence[str]) -> tuple[Any, ...]:
    """Leaves in a row; `g_fools_d*200` is two hundred of them."""
    found: list[Any] = []
    for text in texts:
        repeated = re.fullmatch(r"(.+)\*(\d+)", text)
        check_well_known(kind, text)
        found += [catalogue.read(kind, repeated[1] if repeated else text)] * int(repeated[2] if repeated else 1)
    return tuple(found)


def read_data(text: str, current: Any) -> Any:
    """A data set by its name, or the folder of images at a path; a name is never taken for a folder.

    It keeps the span (the range of pixel values that the networks see) of the recipe's `current` data unless the text
    says one, because the generator's last layer was chosen for it.
    """
    known, path = catalogue.entries("datasets"), Path(text)
    as_leaf = text.strip() in known or (text.partition("(")[0].strip() in known and not path.is_dir())
    is_path = not as_leaf and ("/" in text or os.sep in text or path.exists())
    made = catalogue.make("datasets", "folder", {"path": text}) if is_path else catalogue.read("datasets", text)
    spans = "span" in {f.name for f in dataclasses.fields(made)} and "span" not in text.partition("(")[2]
    return dataclasses.replace(made, span=current.span) if spans else made


def read_seeds(text: str) -> tuple[int, ...]:
    """`8` is 0 to 7, `3-10` both ends included, `1,5,9` these."""
    try:
        if re.fullmatch(r"\d+", text):
            return tuple(range(int(text)))
        if found := re.fullmatch(r"(\d+)-(\d+)", text):
            return tuple(range(int(found[1]), int(found[2]) + 1))
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--seeds takes a count (8), a range (3-10) or a list (1,5,9), not {text!r}") from None


def _flag_of(name: str, value: Any) -> tuple[str, Any, Any]:
    """Name, type and default of a recipe's field as a flag."""
    from sparring.recipe import KIND_OF

    kind = KIND_OF.get(name)
    help = " ".join(catalogue.field_docs("recipe.definition", "Recipe")[name].split())
    if kind:
        what = "Built in" if kind in ("networks", "datasets") else "One of"
        other = {"generator": "-discriminator", "discriminator": "-generator"}.get(name, "*")
        help = f"{help} {what}: {', '.join(n for n in catalogue.entries(kind) if not n.endswith(other))}."
    text = as_text(name, value)
    if isinstance(value, bool):
        return name, Annotated[bool, flag(help, default="on" if value else "off")], field(default=text)
    if isinstance(value, int):
        type_of, metavar, shown = int, "N", str(value)
    elif isinstance(text, tuple):
        type_of, metavar, shown = tuple[str, ...], "NAME ...", " ".join(text) or "none"
    else:
        type_of, metavar, shown = str, "NAME", text
    return name, Annotated[type_of, flag(help, METAVARS.get(name, metavar), shown)], field(default=text)


def _full_name(kind: str, field_name: str, text: str) -> str:
    """A leaf as the catalogue names it: `dcgan` is `dcgan-generator` as a generator."""
    name = text.partition("(")[0].strip()
    player = f"{name}-{field_name}"
    if kind == "networks" and player in catalogue.entries(kind):
        return player + text[text.index(name) + len(name) :]
    check_well_known(kind, name)
    return text


def _with_lr(optimizer: Any, lr: float) -> Any:
    if "lr" not in {f.name for f in dataclasses.fields(optimizer)}:
        raise UsageError(f"--lr: {catalogue.to_text(optimizer)} has no learning rate to set")
    return dataclasses.replace(optimizer, lr=lr)
