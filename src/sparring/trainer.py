"""The clock: rounds, ticks, and the chores that each tick does.

A tick records the curves, draws the same latent vectors again as a picture, and now and then saves a checkpoint.
What is computed does not depend on when a tick or a checkpoint falls, so a run that was killed goes on as if it had
not been.
"""

from __future__ import annotations

import platform
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sparring import catalogue
from sparring.chance import Chance
from sparring.errors import SparringError, UsageError, in_one_line
from sparring.game import Game, Player
from sparring.networks import Network, Shape
from sparring.objectives import Objective
from sparring.population import Population
from sparring.recipe import Recipe, find_recipe, reload
from sparring.record import Run, locked
from sparring.record.grid import save_grid
from sparring.record.story import CURVES
from sparring.world import cores, idle_cores

CURVE_NUMBERS = 64_000
"""About how many points of each curve a run writes down, over all its members."""
CURVE_STEP = 10
"""Rounds between two points of a curve, at least: the write-ups' step."""
LATELY = 100
"""Points of a curve that `lately` averages: one round's number is noise at small batches."""
BEAT_SECONDS = 0.5
"""How often watchers are called between ticks."""
CHECKPOINT_SECONDS = 2.0
CHECKPOINT_SHARE = 0.05
"""A checkpoint is saved at a tick when the last is older than the first, and saving costs less than the second."""
STEP_WORK = 8
"""Examples that a weight's gradient and optimiser step cost as much as."""
THREAD_WORK = 5_000_000
"""Weights x examples in a round that keep one thread busy."""
SPELLED_OUT = 16
"""Numbers in an example up to which the journal tells the example itself."""

Watcher = Callable[["Trainer"], None]


@dataclass
class Trainer:
    """One training: a game, the folder it is recorded in, and those who watch."""

    recipe: Recipe
    game: Game
    run: Run
    watchers: Sequence[Watcher] = ()
    seconds: float = 0.0
    """Spent training, earlier sittings included."""
    stopping: bool = False
    """Set to leave after the round in progress."""

    def __post_init__(self) -> None:
        recipe = self.recipe
        self.started_at = self.game.round
        """The round this sitting began with."""
        self.step = max(CURVE_STEP, recipe.rounds * len(recipe.seeds) // CURVE_NUMBERS)
        self.tick_rounds = {round(k * recipe.rounds / recipe.ticks) for k in range(recipe.ticks + 1)}
        self.latest: dict[str, np.ndarray] = {}
        """The last point of each curve, `(P,)`."""
        self.picture: np.ndarray | None = None
        """What the generators make of the run's own latent vectors, `(P, N, *shape)` in data units."""
        self.sitting_seconds = 0.0
        self._noted: list[tuple[int, dict[str, Tensor]]] = []
        self._lately: deque[dict[str, Tensor]] = deque(maxlen=LATELY)
        self._diverged: set[int] = set()
        chance = Chance(recipe.seeds, self.game.chance.device, self.game.chance.dtype)
        self._pictured = recipe.latent.draw(chance, "picture", recipe.pictured)
        self._saved_at, self._save_seconds = time.monotonic(), 0.0

    @property
    def rounds_per_second(self) -> float:
        """Of this sitting."""
        return (self.game.round - self.started_at) / self.sitting_seconds if self.sitting_seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """An estimate; None before the first round."""
        pace = self.rounds_per_second
        return (self.recipe.rounds - self.game.round) / pace if pace else None

    def lately(self) -> dict[str, np.ndarray]:
        """Each curve's mean over its last LATELY points, `(P,)`; worked out when asked."""
        held = {name: [m[name] for m in self._lately if name in m] for name in CURVES}
        return {name: torch.stack(points).mean(0).cpu().numpy() for name, points in held.items() if points}

    def go(self) -> None:
        """Play to the end, or until `stopping`; then save. Raises SparringError when every member has diverged."""
        if self.game.round == 0:
            self._tick()
        began, before = time.monotonic(), self.seconds
        beat = began
        while self.game.round < self.recipe.rounds and not self.stopping:
            self.game.watched = self.game.round % self.step == 0
            self.game.play()
            now = time.monotonic()
            self.sitting_seconds = now - began
            self.seconds = before + self.sitting_seconds
            if self.game.watched:
                self._collect()
            if self.game.round in self.tick_rounds:
                self._tick()
            if now - beat > BEAT_SECONDS:
                beat = now
                self._tell()
        self._end()

    def _collect(self) -> None:
        means = {name: torch.stack(figures).mean(0) for name, figures in self.game.notes.items()}
        self._noted.append((self.game.round, means))
        self._lately.append(means)
        self.game.notes.clear()

    def _tick(self) -> None:
        facts: dict[str, Any] = self._curves()
        if self.game.round in self.tick_rounds:
            facts |= self._draw()
        self.run.journal.append("tick", round=self.game.round, seconds=round(self.seconds, 3), **facts)
        self._look_for_divergence()
        if self._checkpoint_is_due():
            self.save()
        self._tell()

    def _curves(self) -> dict[str, Any]:
        """The curves since the last tick: one transfer from the device for all of them."""
        facts: dict[str, Any] = {"noted": [r for r, _ in self._noted]}
        for name in CURVES:
            held = [m.get(name, torch.full((len(self.recipe.seeds),), torch.nan)) for _, m in self._noted]
            rows = torch.stack(held).cpu().numpy() if held else np.empty((0, len(self.recipe.seeds)))
            facts[name] = spelled(rows)
            if held:
                self.latest[name] = rows[-1]
        self._noted.clear()
        return facts

    def _draw(self) -> dict[str, Any]:
        self.picture = examples = generate(self.game.G, self._pictured, self.recipe)
        name = f"samples/round-{self.game.round:09d}.png"
        self.run.write(name, lambda path: save_grid(examples, path, self.recipe.seeds))
        told = examples[:, 0]
        return {"picture": name} | ({"outputs": spelled(told)} if told[0].size <= SPELLED_OUT else {})

    def _look_for_divergence(self) -> None:
        lost = {m for row in self.latest.values() for m in np.flatnonzero(~np.isfinite(row)).tolist()}
        if fresh := sorted(lost - self._diverged):
            self._diverged |= lost
            self.run.journal.append("diverged", round=self.game.round, members=fresh)
        if len(self._diverged) == len(self.recipe.seeds):
            self.run.journal.append("diverged-all", round=self.game.round)
            raise SparringError(
                f"every member diverged by round {self.game.round}: its losses are not finite. "
                f"The journal in {self.run.path} tells when each did; a lower learning rate is the first thing to try"
            )

    def _checkpoint_is_due(self) -> bool:
        age = time.monotonic() - self._saved_at
        return age > max(CHECKPOINT_SECONDS, self._save_seconds / CHECKPOINT_SHARE)

    def save(self) -> None:
        """A checkpoint of the round just played."""
        began = time.monotonic()
        self.run.save(self.game.round, state_of(self.game))
        self.run.journal.append("checkpoint", round=self.game.round, seconds=round(self.seconds, 3))
        self.run.journal.sync()
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - began

    def _tell(self) -> None:
        for watcher in self.watchers:
            watcher(self)

    def _end(self) -> None:
        if self._noted:
            self._tick()
        self.save()
        done = self.game.round >= self.recipe.rounds
        self.run.journal.append(
            "finished" if done else "stopped", round=self.game.round, seconds=round(self.seconds, 3)
        )


def train(
    recipe: Recipe | str,
    out: str | Path,
    *,
    data_dir: str | Path | None = None,
    device: str = "cpu",
    threads: int | None = None,
    watchers: Sequence[Watcher] = (),
) -> Run:
    """Train `recipe` in the folder `out`, or go on where it was left. Returns the run.

    Ctrl-C (and SIGTERM) ends the round in progress, saves and returns; calling again goes on.
    Raises UsageError when `out` holds another recipe's run, SparringError when data or disk fail.
    """
    recipe = find_recipe(recipe) if isinstance(recipe, str) else recipe
    run = Run(out)
    check_same(recipe, run)
    with locked(run.path), _own_chance():
        source = recipe.data.open(Path(data_dir) if data_dir is not None else None, device)
        chosen = threads or run.about.get("threads") or threads_for(recipe)
        with threads_set(chosen):
            game = game_of(recipe, source, device)
            fresh = not run.exists
            if fresh:
                run.create(recipe.to_json())
            if recipe.origin and not (run.path / "source.py").exists():
                run.write_text("source.py", Path(recipe.origin.file).read_text(encoding="utf-8"))
            about(run, recipe, device, chosen)
            trainer = Trainer(recipe, game, run, watchers)
            if not fresh:
                resume(trainer)
            if fresh or run.story.status != "finished":
                run.journal.append("resumed" if game.round else "started", round=game.round, recipe=recipe.id)
                with _politely(trainer), _telling_what_is_safe(trainer):
                    trainer.go()
    return run


def check_same(recipe: Recipe, run: Run) -> None:
    """Raises UsageError when the folder holds anything but this recipe's run."""
    if run.exists:
        theirs = run.recipe
        mine = recipe.to_dict()
        odd = [k for k in mine if k not in ("origin", "name") and mine[k] != theirs.get(k)]
        if odd:
            field = odd[0]
            raise UsageError(
                f"{run.path} holds another run: its {field} is {_short(theirs.get(field))}, not {_short(mine[field])}; "
                "choose another --out, or the same settings to go on"
            )
    elif run.path.exists() and (not run.path.is_dir() or not run.is_blank):
        raise UsageError(f"{run.path} exists and is not a run; choose another --out")


def game_of(
    recipe: Recipe,
    source: Any,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Game:
    """The game that a recipe describes, before its first round."""
    chance = Chance(recipe.seeds, device, dtype)
    births = Chance(recipe.seeds)
    takes, shape = (recipe.latent.size,), recipe.data.shape

    def player(part: Any, takes: Shape, gives: Shape, optimiser: Any, who: str) -> Player:
        made = Population(maker(part, takes, gives), births.dice(who), chance.luck(who), device, dtype)
        return Player(made, optimiser)

    return Game(
        players={
            "G": player(recipe.generator, takes, shape, recipe.generator_optimiser, "G"),
            "D": player(recipe.discriminator, shape, (), recipe.discriminator_optimiser, "D"),
        },
        objective=recipe.objective,
        source=source,
        latent=recipe.latent,
        chance=chance,
        moves=recipe.round,
        batch=recipe.batch,
        rounds=recipe.rounds,
        tricks=recipe.tricks,
    )


def maker(part: Any, takes: Shape, gives: Shape) -> Callable[[], nn.Module]:
    """A function that makes one network from a leaf, a module class, a function or a module.

    Raises SparringError when what it makes does not map `(B, *takes)` to `(B, *gives)`; a score may also be `(B, 1)`.
    """

    def make() -> nn.Module:
        if isinstance(part, Network):
            return part.build(takes, gives)
        made = _reborn(part) if isinstance(part, nn.Module) else part()
        if not isinstance(made, nn.Module):
            raise SparringError(f"a network must be an nn.Module or make one; {part!r} made {type(made).__name__}")
        return made if gives else nn.Sequential(made, nn.Flatten(0))

    name = getattr(part, "__name__", type(part).__name__)
    with _own_chance(), torch.no_grad():
        try:
            probe = make()
        except SparringError:
            raise
        except Exception as error:
            raise SparringError(f"{name} cannot be made: {in_one_line(error)}") from error
        try:
            given = tuple(probe(torch.zeros(2, *takes)).shape)
        except Exception as error:
            raise SparringError(f"{name} does not take examples of shape {takes}: {in_one_line(error)}") from error
    if given != (2, *gives):
        wanted = f"(B, {', '.join(map(str, gives))})" if gives else "(B,) or (B, 1)"
        raise SparringError(f"{name} must give {wanted}; given two examples it gives {given}")
    return make


def _reborn(module: nn.Module) -> nn.Module:
    """A copy with fresh weights, for a user who gave a module rather than a way to make one."""
    import copy

    fresh = copy.deepcopy(module)
    for layer in fresh.modules():
        reset = getattr(layer, "reset_parameters", None)
        if reset is not None:
            reset()
        elif any(True for _ in layer.parameters(recurse=False)):
            raise SparringError(
                f"{type(layer).__name__} has weights but no reset_parameters(), so members cannot differ; "
                "give the class, or a function that makes the network"
            )
    return fresh


def state_of(game: Game) -> dict[str, np.ndarray]:
    """All that a game needs to go on: weights, buffers and optimisers' memory. Chance needs none."""
    held: dict[str, Tensor] = {}
    for who, player in game.players.items():
        held |= {f"{who}.{name}": tensor for name, tensor in player.networks.state().items()}
        for kind, tensors in player.memory.items():
            held |= {f"{who}.memory.{kind}.{index}": tensor for index, tensor in enumerate(tensors)}
    return {name: tensor.detach().cpu().numpy() for name, tensor in held.items()}


def restore(game: Game, round: int, state: dict[str, np.ndarray]) -> None:
    """Put a game where `state_of` saw it, after `round` rounds."""
    for who, player in game.players.items():
        player.networks.load(weights_of(state, who))
        for kind, tensors in player.memory.items():
            for index, tensor in enumerate(tensors):
                tensor.copy_(torch.from_numpy(state[f"{who}.memory.{kind}.{index}"]))
    game.round = round


def weights_of(state: dict[str, np.ndarray], who: str) -> dict[str, Tensor]:
    """One player's weights and buffers out of a checkpoint."""
    return {
        name.removeprefix(f"{who}."): torch.from_numpy(array)
        for name, array in state.items()
        if name.startswith(f"{who}.") and not name.startswith(f"{who}.memory.")
    }


def resume(trainer: Trainer) -> None:
    """Go back to the newest checkpoint, if there is one."""
    held = trainer.run.load()
    if held is None:
        return
    round, state = held
    restore(trainer.game, round, state)
    trainer.started_at = round
    saved = [e for e in trainer.run.story.events if e["event"] == "checkpoint" and e["round"] == round]
    trainer.seconds = saved[-1]["seconds"] if saved else 0.0


@torch.no_grad()
def generate(generator: Population, latent: Tensor, recipe: Recipe) -> np.ndarray:
    """What the generators make of latent vectors `(P, N, size)`: float32 `(P, N, *shape)` in data units."""
    generator.train(False)
    made = recipe.data.in_data_units(generator(latent))
    generator.train(True)
    return made.float().cpu().numpy()


def generators_of(
    run: Run | str | Path, source: Path | None = None, seeds: Sequence[int] | None = None
) -> tuple[Recipe, Population]:
    """A run's recipe and its trained generators: all, or those of `seeds`, which the recipe then has too.

    `source` is where to find a user's own file, if it moved.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    recipe = reload(run.recipe, source)
    held = run.load("G.")
    if held is None:
        raise SparringError(f"{run.path} has no checkpoint yet; let it train a little longer")
    weights = weights_of(held[1], "G")
    if seeds is not None:
        if absent := sorted(set(seeds) - set(recipe.seeds)):
            raise UsageError(f"this run has no seed {absent[0]}; it has {_short(', '.join(map(str, recipe.seeds)))}")
        chosen = [recipe.seeds.index(seed) for seed in seeds]
        recipe, weights = recipe.with_(seeds=seeds), {name: tensor[chosen] for name, tensor in weights.items()}
    births = Chance(recipe.seeds)
    make = maker(recipe.generator, (recipe.latent.size,), recipe.data.shape)
    generators = Population(make, births.dice("G"), births.luck("sampling"))
    generators.load(weights)
    return recipe, generators


def explorable(
    run: Run | str | Path, source: Path | None = None, seeds: Sequence[int] | None = None
) -> tuple[Recipe, Callable[[Tensor], Tensor]]:
    """A run's recipe and G: latent vectors `(P, N, size)` -> examples `(P, N, *shape)` in data units.

    G is in evaluation mode and keeps no gradients. `seeds` chooses members; the recipe that comes back has only those.
    """
    with _own_chance():
        recipe, generators = generators_of(run, source, seeds)
    generators.train(False)

    @torch.no_grad()
    def G(z: Tensor) -> Tensor:
        with _own_chance():
            return recipe.data.in_data_units(generators(z))

    return recipe, G


def latents(recipe: Recipe, numbers: Sequence[int]) -> Tensor:
    """Each member's latent vectors of these numbers, `(P, len(numbers), size)`.

    Vector k of a member depends on its seed, the latent law and k alone, so a picture can be made again from its k.
    """
    if odd := [number for number in numbers if not 0 <= number < 2**63]:
        raise UsageError(f"a latent vector's number lies between 0 and 2**63 - 1, not at {odd[0]}")
    chance = Chance(recipe.seeds)
    drawn: dict[int, Tensor] = {}
    for number in sorted(set(numbers)):
        chance.begin(number)
        drawn[number] = recipe.latent.draw(chance, "latent number", 1)
    return torch.cat([drawn[number] for number in numbers], 1)


def sample(
    run: Run | str | Path,
    count: int = 64,
    source: Path | None = None,
    numbers: Sequence[int] | None = None,
    seeds: Sequence[int] | None = None,
) -> np.ndarray:
    """Examples of every member, float32 `(P, N, *shape)` in data units ([0, 1] for images).

    They are those of the latent vectors 0 to `count` - 1, or of `numbers`; the same number gives the same example.
    `seeds` chooses members.
    """
    if count < 1:
        raise UsageError(f"count must be at least 1, not {count}")
    recipe, G = explorable(run, source, seeds)
    return G(latents(recipe, range(count) if numbers is None else numbers)).float().cpu().numpy()


def threads_for(recipe: Recipe) -> int:
    """As many threads as the work keeps busy, on cores that are idle now.

    Threads that share a core with other work wait for one another, and two are then slower than one.
    """
    takes, shape = (recipe.latent.size,), recipe.data.shape
    with _own_chance():
        players = maker(recipe.generator, takes, shape)(), maker(recipe.discriminator, shape, ())()
    weights = sum(p.numel() for player in players for p in player.parameters())
    work = weights * (recipe.batch + STEP_WORK) * len(recipe.seeds)
    return max(1, min(work // THREAD_WORK, idle_cores()))


def _own_chance() -> AbstractContextManager[None]:
    """Torch's own generator, which networks of the user's draw from, is given back as it was."""
    return torch.random.fork_rng(devices=[])


@contextmanager
def threads_set(count: int) -> Generator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def about(run: Run, recipe: Recipe, device: str, threads: int) -> None:
    """Write about.json: what a reader needs to know to make the same run."""
    import json

    held = run.about or {"created": datetime.now(UTC).isoformat(timespec="seconds")}
    held |= {
        "recipe": recipe.name,
        "id": recipe.id,
        "seeds": list(recipe.seeds),
        "device": device if device == "cpu" else torch.cuda.get_device_name(device),
        "threads": threads,
        "cores": cores(),
        "processor": _processor(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {n: version(n) for n in ("sparring", "torch", "numpy")},
        "commit": _commit(),
        "equilibrium": _equilibrium(recipe.objective),
        "target": recipe.data.target,
        "changed": _changed(recipe),
    }
    run.write_text("about.json", json.dumps(held, indent=2) + "\n")


def spelled(values: np.ndarray) -> Any:
    """Nested lists with six significant digits; what is not finite becomes None, which JSON can say."""
    if values.ndim == 0:
        return float(f"{values:.6g}") if np.isfinite(values) else None
    return [spelled(v) for v in values]


def _equilibrium(objective: Objective) -> dict[str, float]:
    """What each curve is once D cannot tell real from fake."""
    undecided = torch.tensor(objective.undecided)
    answer = float(objective.opinion(undecided))
    return {
        "d_loss": objective.equilibrium,
        "g_loss": float(objective.fool(undecided)),
        "d_real": answer,
        "d_fake": answer,
    }


def _changed(recipe: Recipe) -> dict[str, list[Any]] | None:
    """How the run departs from the catalogue's recipe of its name: field -> [there, here]. None if it is not of it."""
    if recipe.origin or recipe.name not in catalogue.cards("recipes"):
        return None
    named, mine = find_recipe(recipe.name).to_dict(), recipe.to_dict()
    told_elsewhere = ("name", "origin", "seeds")
    return {
        field: [named[field], mine[field]]
        for field in mine
        if mine[field] != named[field] and field not in told_elsewhere
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def _commit() -> str | None:
    here = Path(__file__).parent
    if not any((folder / ".git").exists() for folder in here.parents):
        return None
    command = ["git", "-C", str(here), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _short(value: Any, most: int = 60) -> str:
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}..."


@contextmanager
def _politely(trainer: Trainer) -> Generator[None]:
    """The first Ctrl-C asks the trainer to stop and save; a second one interrupts at once."""

    def ask(number: int, frame: FrameType | None) -> None:
        trainer.stopping = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    try:
        before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: whoever runs us there has their own way to stop
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _telling_what_is_safe(trainer: Trainer) -> Generator[None]:
    try:
        yield
    except SparringError as error:
        saved = trainer.run.checkpoints()
        kept = f"saved up to round {int(saved[-1].stem.rpartition('-')[2])}" if saved else "nothing was saved yet"
        if "cannot write" not in str(error):
            raise
        raise SparringError(f"{error}; {kept}. Free some space and run the same command to go on") from error
