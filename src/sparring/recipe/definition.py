"""The recipe itself: its fields, what they may be, its id, and its JSON."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sparring import catalogue
from sparring.catalogue import OwnPart
from sparring.datasets import Dataset
from sparring.errors import SparringError, UsageError, shortened
from sparring.fields import described, hints_of, refusal, refused, settled, whole_numbers
from sparring.latents import Latent
from sparring.networks import Network
from sparring.objectives import Objective
from sparring.optimizers import Optimizer
from sparring.recipe.changing import fields_of
from sparring.recipe.encoding import decode, encode, own_part
from sparring.recipe.numbers import parts_of
from sparring.recipe.per_member import Cell, cells_of, check_distinct, selected
from sparring.recipe.per_member import settled as settled_numbers
from sparring.recipe.reading import KIND_OF, read_field, read_seeds
from sparring.recipe.start_from import StartFrom
from sparring.tricks import Trick

COUNTS = {"batch": 2**31, "rounds": 2**53, "log_points": 2**31, "samples_per_grid": 2**31}
"""Fields that are at least 1, and below what: no computer has the memory or the time for more."""
PRECISIONS = ("float32", "bfloat16")
LATER = ("per_member", "clusters", "cluster_sizes")
"""Fields that are written where they say something: recipes without them read as ever, and keep their ids."""


@dataclass(frozen=True)
class Origin:
    """The user's own file that a recipe came from."""

    file: str
    """Absolute path."""
    function: str
    """The function in it that returns the recipe."""
    sha256: str
    """Of the file's bytes."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a training run computes.

    Two recipes with the same `id` compute the same numbers. The docstring of each field is also the help of its flag.
    """

    name: str = ""
    """Name in lists and reports; it changes nothing that is computed."""
    data: Dataset
    """The real examples: a data set by name, or the path of your own: images in a folder, a zip or tar archive, an
    array or a Parquet file; or a table of numbers."""
    generator: Network | Any
    """G, from latent vectors to examples: a built-in network; in Python also an nn.Module, its class or a function that
    returns one, (B, latent size) -> (B, *shape)."""
    discriminator: Network | Any
    """D, from examples to scores (logits): a built-in network; in Python also an nn.Module, its class or a function
    that returns one, (B, *shape) -> (B,) or (B, 1)."""
    objective: Objective
    """The loss functions of D and of G."""
    latent: Latent
    """Latent distribution: what the vectors that G takes are drawn from, and their size."""
    round: tuple[Callable[[Any], None], ...]
    """The optimizer steps of one round, in order; on the command line g_fools_d*200 is 200 such steps."""
    generator_optimizer: Optimizer
    """Optimizer of G, with its learning rate."""
    discriminator_optimizer: Optimizer
    """Optimizer of D, with its learning rate."""
    tricks: tuple[Trick, ...] = ()
    """Additions to plain training (penalties, schedules, augmentation, weight averaging), applied in the order
    given."""
    conditional: bool = False
    """Class-conditional training: G and D are both given the class of every example."""
    clusters: int = 0
    """For data without classes: clusters of similar examples, found by k-means, that take the place of classes; 0 for
    none. Samples are of each cluster as often as the data are."""
    batch: int = 64
    """Batch size: real examples that each member sees in a step, and as many generated ones."""
    precision: str = "float32"
    """Compute precision of the networks: float32, or bfloat16 for speed on recent GPUs; weights and optimizers stay in
    float32."""
    rounds: int = 10_000
    """Number of rounds to train for; `round` lists the optimizer steps of one."""
    seeds: tuple[int, ...] = (0,)
    """Random seeds; one member is trained from each, independently: a count (8 is seeds 0 to 7), a range (3-10) or a
    list (1,5,9)."""
    log_points: int = 50
    """Points, evenly spaced over the run, at which curves are written, samples drawn and, where affordable, quality
    evaluated."""
    samples_per_grid: int = 64
    """Samples of each member in a picture."""
    start_from: StartFrom | None = None
    """Another run whose weights of G and D the members start with (fine-tuning); in Python also its folder, as text or
    path. None draws them anew."""
    per_member: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict[str, Any], hash=False)
    """Numbers in which members differ: a path, as tricks.r1.gamma or lr, with a value for each member in the order of
    the seeds. A seed may occur several times, with other numbers."""
    cluster_sizes: tuple[int, ...] = ()
    """Examples in each cluster, filled in when training begins."""
    origin: Origin | None = None
    """The user's file that the recipe came from; None for a recipe of the catalogue or one made in Python."""

    def __post_init__(self) -> None:
        """Raises UsageError for a value that does not fit its field, or another field."""
        for field, wanted in hints_of(type(self)).items():
            value = getattr(self, field)
            if field in KIND_OF:
                read = read_field(field, value)
            elif field == "seeds":
                read = read_seeds(value)
            elif (takes := refusal(wanted, value)) is not None:
                raise UsageError(f"{field} takes {takes}, not {described(value)}")
            else:
                read = settled(wanted, value)
            object.__setattr__(self, field, read)
        if self.start_from is not None:
            object.__setattr__(self, "start_from", StartFrom.read(self.start_from))
        if self.origin is not None and not isinstance(self.origin, Origin):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(f"origin is filled in for a recipe from a file: it is not {described(self.origin)}")
        columns, parts = settled_numbers(parts_of(self), self.seeds, self.per_member)
        for field, value in {**parts, "per_member": columns}.items():
            object.__setattr__(self, field, value)
        for field, limit in COUNTS.items():
            if not 1 <= getattr(self, field) < limit:
                size = "at least 1" if getattr(self, field) < 1 else f"less than {limit:,}"
                raise UsageError(f"{field} must be {size}, not {getattr(self, field)}")
        if not self.round:
            raise UsageError("round must have at least one move, such as d_sees_both or g_fools_d")
        check_distinct(self.seeds, columns)
        if min(self.seeds) < 0 or max(self.seeds) >= 2**63:
            raise UsageError("a seed must lie between 0 and 2**63 - 1")
        if self.conditional and not isinstance(self.data, OwnPart) and not self.data.classes:
            raise UsageError(f"conditional needs data whose classes are known: {self.data.class_advice}")
        if self.clusters < 0 or self.clusters == 1:
            raise UsageError(f"clusters must be at least 2, or 0 for none, not {self.clusters}")
        if self.clusters and self.conditional:
            raise UsageError("clusters take the place of classes: clusters or conditional, not both")
        if len(self.cluster_sizes) != self.clusters:
            object.__setattr__(self, "cluster_sizes", ())  # those of another number
        if self.precision not in PRECISIONS:
            raise UsageError(f"precision is {' or '.join(PRECISIONS)}, not {self.precision}")
        if self.log_points > self.rounds:
            object.__setattr__(self, "log_points", self.rounds)

    def replace(self, *, seeds: int | Iterable[int] | None = None, **changes: Any) -> Self:
        """A copy with some fields changed.

        Args:
            seeds: the random seeds of the members, or their number: `seeds=8` means seeds 0 to 7.
            **changes: any other fields, by name: `objective=Hinge(), tricks=[R1(gamma=1)], batch=128`. Text is read as
                on the command line: `objective="hinge"`. `lr` and `optimizer` are those of both players.

        Returns:
            A new recipe; this one stays as it is.

        Raises:
            UsageError: there is no such field, or a value is not allowed.
        """
        if seeds is not None:
            changes["seeds"] = seeds
        return dataclasses.replace(self, **fields_of(self, changes))

    def select(self, members: Iterable[int]) -> Recipe:
        """The recipe of some of the members, with their seeds and numbers.

        Args:
            members: their places among the seeds, from 0. `select(cell.members)` is the plain recipe of a cell.

        Raises:
            UsageError: there is no such member.
        """
        return selected(self, members)

    def members_with(self, seeds: Iterable[int]) -> list[int]:
        """The places of the members with these random seeds, in the order of `seeds`.

        Raises:
            UsageError: no member has such a seed.
        """
        wanted = whole_numbers("seeds", seeds)
        if absent := sorted(set(wanted) - set(self.seeds)):
            raise UsageError(f"this run has no seed {absent[0]}; it has {shortened(', '.join(map(str, self.seeds)))}")
        return [member for seed in wanted for member, its in enumerate(self.seeds) if its == seed]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The members in groups that have the same numbers; one group where no member differs from another."""
        return cells_of(self)

    @property
    def classes(self) -> int:
        """Classes that G and D are conditioned on, or clusters; 0 where training is not class-conditional."""
        return self.clusters or self.data_classes

    @property
    def data_classes(self) -> int:
        """Classes of the data that G and D are conditioned on; 0 where training is not class-conditional."""
        if not self.conditional or isinstance(self.data, OwnPart):
            return 0
        return self.data.classes

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that depend on every field but `origin` and `name`, and not on where the run is
        that it starts from."""
        plain = {k: v for k, v in self.to_dict().items() if k not in ("origin", "name", "start_from")}
        if self.start_from is not None:
            plain["start_from"] = encode(self.start_from.what_counts)
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        """Plain data: numbers, strings, lists and dicts. A user's own part is its name and a hash of its source."""
        return {
            f.name: dataclasses.asdict(value)
            if isinstance(value := getattr(self, f.name), Origin | StartFrom)
            else encode(value)
            for f in dataclasses.fields(self)
            if f.name not in LATER or getattr(self, f.name)
        }

    def to_json(self) -> str:
        """`to_dict` as indented JSON: the content of a run's recipe.json."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], base: Recipe | None = None, *, placeholders: bool = False) -> Recipe:
        """The recipe that `to_dict` described.

        Args:
            data: what `to_dict` returned. A field that is missing takes its default.
            base: the recipe that the user's own file returns, where parts are a user's own: they are taken from it.
            placeholders: instead of that, put an `OwnPart` for each user's own part. Such a recipe can be read,
                compared and changed, and `to_dict` gives the same data again, but it cannot be trained.

        Raises:
            SparringError: a field, a name or a value does not exist or is missing, or a part is a user's own and there
                is neither `base` nor `placeholders`.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        values: dict[str, Any] = {}
        for name, value in data.items():
            if name not in known:
                raise SparringError(catalogue.unknown("recipe fields", name, known))
            own = None if placeholders else own_part(value)
            if own is None:
                values[name] = decode(KIND_OF.get(name), value)
            elif base is not None:
                values[name] = getattr(base, name)
            else:
                raise SparringError(
                    f"the {name} of this recipe is a user's own ({own}); "
                    "it can only be loaded together with the file or the recipe that defines it (recipe=... in Python)"
                )
        for name, kind in (("origin", Origin), ("start_from", StartFrom)):
            if values.get(name):
                values[name] = _made(kind, name, values[name])
        missing = sorted(f.name for f in dataclasses.fields(cls) if f.name not in values and _required(f))
        if missing:
            raise SparringError(f"this recipe lacks {', '.join(missing)}")
        return cls(**values)

    @classmethod
    def from_json(cls, text: str, base: Recipe | None = None) -> Recipe:
        """The recipe that `to_json` wrote; see `from_dict`. Raises SparringError for text that is not a recipe."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise SparringError(f"not a recipe: {error}") from error
        if not isinstance(data, dict):
            raise SparringError("not a recipe: a JSON object was expected")
        return cls.from_dict(data, base)


def default_settings() -> dict[str, Any]:
    """The fields of a recipe that have a default and are always written, with it, as plain data."""
    fields = [f for f in dataclasses.fields(Recipe) if f.default is not dataclasses.MISSING and f.name not in LATER]
    return {f.name: encode(f.default) for f in fields}


def recipe(
    name: str,
    *,
    source: str,
    verdict: str,
    expects: tuple[str, ...] = (),
    sweep: tuple[int, ...] = (),
    start: bool = False,
) -> Callable[[Callable[..., Recipe]], Callable[..., Recipe]]:
    """Puts a function that returns a Recipe into the catalogue.

    Arguments must be literals, because the catalogue reads them without running the file. A function with a parameter
    `data` chooses the networks by the data, one with a parameter `conditional` the loss by whether training is to be
    class-conditional; it must return a recipe for some data of its own when called without.

    Args:
        name: the recipe's name.
        source: where it comes from: a paper, a write-up.
        verdict: the reference result: what training it is known to give.
        expects: the expected diagnosis: names of the rules that should find something, for most seeds.
        sweep: latent dimensions, counted from 1, that a latent sweep moves unless others are given.
        start: whether lists name it among the recipes to start with.
    """

    def mark(function: Callable[..., Recipe]) -> Callable[..., Recipe]:
        @functools.wraps(function)
        def named(*given: Any, **by_name: Any) -> Recipe:
            return dataclasses.replace(function(*given, **by_name), name=name)

        return named

    return mark


def _made(kind: Callable[..., Any], name: str, fields: Any) -> Any:
    """An instance from plain data. Raises SparringError where its fields are not as they are written."""
    if not isinstance(fields, Mapping) or refused(kind, fields):
        raise SparringError(f"the {name} of this recipe is not as recipes write it: {shortened(fields)}")
    return kind(**fields)


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
