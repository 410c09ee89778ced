"""The fields of a recipe as flags of `train`, in groups, and the recipe that such flags make of another."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from sparring import catalogue
from sparring.cli import folder_flags
from sparring.cli.flags import flag
from sparring.errors import UsageError

if TYPE_CHECKING:
    from sparring.recipe import Recipe

GROUPS: Mapping[str, tuple[str, ...]] = {
    "run": (
        *("out", "rounds", "seeds", "log_points", "samples_per_grid", "metrics", "judge", "early_stop", "start_from"),
        *("keep", "paused"),
    ),
    "data": ("data", "data_dir", "batch", "conditional", "clusters"),
    "images of your own": folder_flags.NAMES,
    "game": ("lr", "optimizer", "objective", "tricks", "round", "generator_optimizer", "discriminator_optimizer"),
    "networks": ("generator", "discriminator", "latent"),
    "machine": ("device", "threads", "precision", "compile", "processes", "on", "share_batch"),
}
"""Flags of `train` in the order in which `--help` shows them. What is not listed comes last in the first group."""
NO_FLAG = ("name", "origin", "start_from", "per_member", "cluster_sizes")
"""Fields of a recipe that are not typed as such: `--start-from` is a flag of `train`, since it names a run."""
METAVARS = {"data": "NAME|DIR", "seeds": "SEEDS", "round": "MOVE ...", "tricks": "NAME ...", "precision": "TYPE"}
"""What a flag's value is called in `--help`; else N for a number, NAME for a leaf of the catalogue."""


def check_well_known(kind: str, name: str) -> None:
    """Raises UsageError for the name of a whole GAN where the catalogue has none of this kind, with what to type."""
    from sparring.recipe.reading import WELL_KNOWN

    if name in WELL_KNOWN and name not in catalogue.entries(kind):
        raise UsageError(f"no {catalogue.SINGULAR[kind]} called {name!r}: {name} is `{well_known_flags(name)}`")


def well_known_flags(name: str) -> str:
    """What to type for a GAN that people know by this name."""
    from sparring.recipe.reading import WELL_KNOWN

    return " ".join(f"--{field} {text}" for field, text in WELL_KNOWN[name].items())


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
    from sparring.recipe.reading import as_text, read_data

    changes: dict[str, Any] = {}
    for f in dataclasses.fields(recipe):
        if f.name in NO_FLAG:
            continue
        given, current = getattr(flags, f.name), getattr(recipe, f.name)
        if given == as_text(f.name, current):
            continue
        if (kind := KIND_OF.get(f.name)) and kind not in ("datasets", "moves"):
            for text in (given,) if isinstance(given, str) else given:
                _check_named(kind, f.name, text)
        changes[f.name] = read_data(given, current) if f.name == "data" else given
    if settings := folder_flags.given(flags):
        changes["data"] = folder_flags.with_settings(changes.get("data", recipe.data), settings)
    if flags.optimizer:
        changes["optimizer"] = flags.optimizer
    if flags.lr is not None:
        changes["lr"] = flags.lr
    return recipe.replace(**changes)


def _flag_of(name: str, value: Any) -> tuple[str, Any, Any]:
    """Name, type and default of a recipe's field as a flag."""
    from sparring.recipe import KIND_OF
    from sparring.recipe.reading import as_text

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


def _check_named(kind: str, field_name: str, text: str) -> None:
    """Raises UsageError for the name of a whole GAN where it is no part of this kind, with what to type."""
    name = text.partition("(")[0].strip()
    if not (kind == "networks" and catalogue.has(field_name, name)):
        check_well_known(kind, name)
