"""Recipe: everything that decides what a run computes, as one frozen value that survives JSON.

Two recipes with the same `id` compute the same numbers. No torch is loaded here: leaves are found when they are used.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.util
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from sparring import catalogue
from sparring.datasets import Dataset
from sparring.errors import SparringError, UsageError, in_one_line
from sparring.latents import Latent
from sparring.networks import Network
from sparring.objectives import Objective
from sparring.optimizers import Optimizer
from sparring.tricks import Trick

SHELF = {
    "data": "datasets",
    "generator": "networks",
    "discriminator": "networks",
    "objective": "objectives",
    "latent": "latents",
    "tricks": "tricks",
    "round": "moves",
    "generator_optimizer": "optimizers",
    "discriminator_optimizer": "optimizers",
}
"""The shelf that a field's leaves are found on."""
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Origin:
    """The user's own file that a recipe came from."""

    file: str
    function: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to train on, who plays, what they want, how they step, for how long, and from which seeds."""

    name: str = ""
    data: Dataset
    """Where real examples come from."""
    generator: Network | Any
    """A network leaf; or any nn.Module, its class or a function that makes one: (B, latent size) -> (B, *shape)."""
    discriminator: Network | Any
    """The same for D: (B, *shape) -> (B,) or (B, 1), a logit."""
    objective: Objective
    """What each player wants."""
    latent: Latent
    """The law of the vectors that the generator is fed."""
    round: tuple[Callable[[Any], None], ...]
    """The moves of one round, in order; on the command line g_fools_d*200 is two hundred of them."""
    generator_optimizer: Optimizer
    """How G steps."""
    discriminator_optimizer: Optimizer
    """How D steps."""
    tricks: tuple[Trick, ...] = ()
    """Changes to the game, applied in order."""
    conditional: bool = False
    """Whether both players are told the class of every example."""
    batch: int = 64
    """Examples a member sees at a time."""
    precision: str = "float32"
    """What networks reckon in: float32, or bfloat16 where that is faster; weights and optimizers stay in float32."""
    rounds: int = 10_000
    """Rounds to play."""
    seeds: tuple[int, ...] = (0,)
    """One member for each; on the command line a count (8), a range (3-10) or a list (1,5,9)."""
    log_points: int = 50
    """How often, over the whole run, to measure, record and draw."""
    samples_per_grid: int = 64
    """Examples of each member in a picture."""
    origin: Origin | None = None

    def __post_init__(self) -> None:
        for field in ("round", "tricks", "seeds"):  # a list or a range will do
            object.__setattr__(self, field, tuple(getattr(self, field)))
        for field in ("batch", "rounds", "log_points", "samples_per_grid"):
            if getattr(self, field) < 1:
                raise UsageError(f"{field} must be at least 1, not {getattr(self, field)}")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise UsageError(f"seeds must be distinct and at least one, not {list(self.seeds)}")
        if min(self.seeds) < 0 or max(self.seeds) >= 2**63:
            raise UsageError("a seed must lie between 0 and 2**63 - 1")
        if self.conditional and not self.data.classes:
            raise UsageError("conditional needs data whose classes are known")
        if self.precision not in PRECISIONS:
            raise UsageError(f"precision is {' or '.join(PRECISIONS)}, not {self.precision}")
        if self.log_points > self.rounds:
            object.__setattr__(self, "log_points", self.rounds)

    def replace(self, *, seeds: int | Iterable[int] | None = None, **changes: Any) -> Self:
        """A changed copy. `seeds=8` means seeds 0 to 7."""
        if seeds is not None:
            changes["seeds"] = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
        return dataclasses.replace(self, **changes)

    @property
    def classes(self) -> int:
        """That both players are told; 0 where they are told none."""
        return self.data.classes if self.conditional else 0

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that depend on everything but the origin and the name."""
        plain = {k: v for k, v in self.to_dict().items() if k not in ("origin", "name")}
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        """Plain data. A user's own part is its name and a hash of its source."""
        return {f.name: _encode(getattr(self, f.name)) for f in dataclasses.fields(self)}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], base: Recipe | None = None) -> Recipe:
        """The recipe that `to_dict` gave. A user's own parts are taken from `base`, the recipe their file returns."""
        known = {f.name for f in dataclasses.fields(cls)}
        values: dict[str, Any] = {}
        for name, value in data.items():
            if name not in known:
                raise SparringError(catalogue.unknown("recipe fields", name, known))
            if _is_yours(value):
                if base is None:
                    raise SparringError(
                        f"the {name} of this recipe is a user's own ({_yours(value)}); "
                        "it can only be loaded together with the file or the recipe that defines it"
                    )
                values[name] = getattr(base, name)
            else:
                values[name] = _decode(SHELF.get(name), value)
        if values.get("origin"):
            values["origin"] = Origin(**values["origin"])
        missing = sorted(f.name for f in dataclasses.fields(cls) if f.name not in values and _required(f))
        if missing:
            raise SparringError(f"this recipe lacks {', '.join(missing)}")
        return cls(**values)

    @classmethod
    def from_json(cls, text: str, base: Recipe | None = None) -> Recipe:
        """Raises SparringError for text that is not a recipe."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise SparringError(f"not a recipe: {error}") from error
        if not isinstance(data, dict):
            raise SparringError("not a recipe: a JSON object was expected")
        return cls.from_dict(data, base)


def settings_by_default() -> dict[str, Any]:
    """What the fields of a recipe are that none need tell, as plain data."""
    return {f.name: _encode(f.default) for f in dataclasses.fields(Recipe) if f.default is not dataclasses.MISSING}


def recipe(
    name: str, *, source: str, verdict: str, expects: tuple[str, ...] = (), sweep: tuple[int, ...] = ()
) -> Callable[[Callable[..., Recipe]], Callable[..., Recipe]]:
    """Marks a function that returns a Recipe and names it.

    `source` is where it comes from, `verdict` what its author saw, `expects` the findings that a diagnosis should then
    come to, `sweep` the latent dimensions (the first is 1) that a sweep moves if nothing else is said. The arguments
    are literals, because the catalogue reads them without running the file. A function that takes `data` sizes the
    recipe by it, and has data to return a recipe for when none is given.
    """

    def mark(function: Callable[..., Recipe]) -> Callable[..., Recipe]:
        @functools.wraps(function)
        def named(*data: Dataset) -> Recipe:
            return dataclasses.replace(function(*data), name=name)

        return named

    return mark


def find_recipe(name: str, sized_by: Dataset | None = None) -> Recipe:
    """A recipe by its catalogue name, or from a user's file: `my_recipe.py`, or `my_recipe.py:function`.

    `sized_by` is data for a recipe that sizes itself, as `auto` does; any other is what it is without.
    Raises UsageError for a name that does not exist, SparringError for a file that does not give a recipe.
    """
    path, _, function = name.partition(":")
    if path.endswith(".py"):
        return _from_file(Path(path), function, sized_by)
    return _made(catalogue.find("recipes", name), sized_by)


def reload(data: Mapping[str, Any], file: Path | None = None) -> Recipe:
    """The recipe of a run from its plain data.

    For a user's own recipe their file is run again, if it is still the one the run was made with: a run folder from
    elsewhere never brings code along that runs by itself. `file` names another place to find it.
    """
    origin = data.get("origin")
    if not origin:
        return Recipe.from_dict(data)
    path = file or Path(origin["file"])
    if not path.is_file() or (file is None and _sha256(path) != origin["sha256"]):
        state = "has changed since" if path.is_file() else "is gone"
        raise SparringError(
            f"this run was made with {path}, which {state}; "
            "read the copy in the run's folder (source.py) and, if you trust it, pass --source FILE"
        )
    return Recipe.from_dict(data, base=_from_file(path, origin["function"]))


def _from_file(path: Path, function: str, sized_by: Dataset | None = None) -> Recipe:
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    module = _run_file(path)
    makers = {
        n: f
        for n, f in vars(module).items()
        if inspect.isfunction(f) and f.__module__ == module.__name__ and not n.startswith("_") and _returns_recipe(f)
    }
    if function and function not in makers:
        raise UsageError(f"{path} has no function {function!r} that returns a Recipe")
    if not makers:
        raise UsageError(f"{path} defines no function annotated `-> Recipe`")
    if not function and len(makers) > 1:
        raise UsageError(f"{path} defines several recipes; say which: {', '.join(f'{path}:{n}' for n in makers)}")
    function = function or next(iter(makers))
    try:
        made = _made(makers[function], sized_by)
    except SparringError:
        raise
    except Exception as error:
        raise SparringError(f"{path}:{function} fails: {in_one_line(error)}") from error
    if not isinstance(made, Recipe):
        raise UsageError(f"{path}:{function} returned {type(made).__name__}, not a Recipe")
    origin = Origin(str(path.resolve()), function, _sha256(path))
    return dataclasses.replace(made, origin=origin, name=made.name or function.replace("_", "-"))


def _run_file(path: Path) -> ModuleType:
    name = f"sparring_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that dataclasses and inspect find the file's own names
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SparringError(f"{path} fails when it is run: {in_one_line(error)}") from error
    return module


def _made(function: Callable[..., Any], sized_by: Dataset | None) -> Any:
    sizes_itself = sized_by is not None and "data" in inspect.signature(function).parameters
    return function(sized_by) if sizes_itself else function()


def _returns_recipe(function: Callable[..., Any]) -> bool:
    return str(inspect.signature(function).return_annotation).rpartition(".")[2].rstrip("'>") == "Recipe"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _encode(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_encode(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Origin):
        return dataclasses.asdict(value)
    if inspect.isfunction(value) or inspect.isclass(value):
        return catalogue.name_of(value) or _encode_yours(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        name = catalogue.name_of(type(value))
        return {"is": name, **fields} if name else {**_encode_yours(type(value)), **fields}
    part = value.func if isinstance(value, functools.partial) else type(value)
    held = sorted(vars(value).items()) if type(value).__repr__ is object.__repr__ else value
    return {**_encode_yours(part), "as": _without_addresses(str(held))}


def _without_addresses(text: str) -> str:
    """Where an object lies in memory differs from process to process."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


def _encode_yours(part: Any) -> dict[str, str]:
    try:
        source = inspect.getsource(part)
    except (OSError, TypeError):
        source = _without_addresses(repr(part))
    return {"yours": part.__qualname__, "sha256": hashlib.sha256(source.encode()).hexdigest()[:16]}


def _is_yours(value: Any) -> bool:
    return any("yours" in v for v in (value if isinstance(value, list) else [value]) if isinstance(v, dict))


def _yours(value: Any) -> str:
    return next(v["yours"] for v in (value if isinstance(value, list) else [value]) if "yours" in v)


def _decode(shelf: str | None, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(shelf, v) for v in value)
    if shelf == "moves":
        return catalogue.find(shelf, value)
    if shelf and isinstance(value, dict):
        fields = {k: _decode(None, v) for k, v in value.items() if k != "is"}
        return catalogue.make(shelf, value.get("is", ""), fields)
    return value


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
