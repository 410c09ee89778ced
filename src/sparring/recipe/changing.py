"""Changes of a recipe by names: its fields, and what other tools call them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from sparring import catalogue
from sparring.errors import UsageError
from sparring.fields import described, refusal, settled
from sparring.networks import Network
from sparring.recipe.encoding import decode
from sparring.recipe.reading import KIND_OF, read_data, read_field

if TYPE_CHECKING:
    from sparring.recipe.definition import Recipe

OPTIMIZERS = ("generator_optimizer", "discriminator_optimizer")
SAME = {"batch_size": "batch", "learning_rate": "lr", "dataset": "data", "loss": "objective", "seed": "seeds"}
"""Names that other tools use -> ours, for fields that take the same values."""
LENGTHS = ("epochs", "num_epochs", "n_epochs")


def fields_of(recipe: Recipe, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that these changes set, by their own names.

    Args:
        recipe: What is changed.
        changes: Field -> value. `lr` is the learning rate of both optimizers, and `optimizer` is both.

    Raises:
        UsageError: There is no such field, or a value does not fit.
    """
    known = [f.name for f in dataclasses.fields(recipe)]
    made: dict[str, Any] = {}
    for name, value in changes.items():
        field = SAME.get(name, name)
        if field in LENGTHS:
            raise UsageError(f"training is counted in rounds, not epochs: say rounds=N ({epoch_in_words(recipe)})")
        if field == "optimizer":
            made = dict.fromkeys(OPTIMIZERS, read_field(OPTIMIZERS[0], value)) | made
        elif field == "data":
            made["data"] = read_data(value, _spanned(recipe, changes, value))
        elif field == "seeds" and name == "seed":
            made["seeds"] = (value,)
        elif field in known:
            made[field] = value
        elif field != "lr":
            raise UsageError(catalogue.unknown("recipe fields", name, [*known, "lr", "optimizer"]))
    if "lr" in {SAME.get(name, name) for name in changes}:
        lr = next(value for name, value in changes.items() if SAME.get(name, name) == "lr")
        apart = made.get("per_member", recipe.per_member)
        made["per_member"] = {path: values for path, values in apart.items() if not path.endswith(".lr")}
        for field in OPTIMIZERS:
            made[field] = _with_lr(read_field(field, made.get(field, getattr(recipe, field))), lr)
    # Of classes and clusters, what is asked for takes the other's place.
    if made.get("conditional") and "clusters" not in made:
        made["clusters"] = 0
    if made.get("clusters") and "conditional" not in made:
        made["conditional"] = False
    return made


def with_plain(recipe: Recipe, plain: Mapping[str, Any]) -> Recipe:
    """A recipe with the values of another that is given as plain data: parts that are the same stay the objects they
    are, a user's own among them.

    Raises SparringError where a value does not fit.
    """
    mine = recipe.to_dict()
    changes: dict[str, Any] = {}
    for field, value in plain.items():
        if field not in mine or mine[field] == value:
            continue
        kind = KIND_OF.get(field)
        if isinstance(value, list) and kind:
            known = list(zip(mine[field], getattr(recipe, field), strict=True))
            changes[field] = tuple(_same_or_read(kind, each, known) for each in cast(list[Any], value))
        else:
            changes[field] = decode(kind, value)
    return dataclasses.replace(recipe, **changes) if changes else recipe


def _same_or_read(kind: str, plain: Any, known: list[tuple[Any, Any]]) -> Any:
    same = [part for old, part in known if old == plain]
    return same[0] if same else decode(kind, plain)


def epoch_in_words(recipe: Recipe) -> str:
    """An epoch in rounds."""
    examples = recipe.data.card.examples
    if not examples:
        return "a round takes one or two batches of real examples"
    return f"one epoch of {recipe.name} is {-(-examples // recipe.batch):,} rounds with batches of {recipe.batch}"


def _spanned(recipe: Recipe, changes: Mapping[str, Any], value: Any) -> Any:
    """The data whose span new data keeps, because a built-in generator was chosen for it; None where it keeps its own.

    Examples in memory go as they are to a generator of the user's own.
    """
    built_in = isinstance(changes.get("generator", recipe.generator), Network | str)
    named = isinstance(value, str | os.PathLike)
    has_span = dataclasses.is_dataclass(recipe.data) and "span" in {f.name for f in dataclasses.fields(recipe.data)}
    return recipe.data if has_span and (named or built_in) else None


def _with_lr(optimizer: Any, lr: Any) -> Any:
    if (takes := refusal(float, lr)) is not None:
        raise UsageError(f"lr takes {takes}, not {described(lr)}")
    if "lr" not in {f.name for f in dataclasses.fields(optimizer)}:
        raise UsageError(f"lr: {catalogue.to_text(optimizer)} has no learning rate to set")
    try:
        return dataclasses.replace(optimizer, lr=settled(float, lr))
    except ValueError as error:
        raise UsageError(str(error)) from error
