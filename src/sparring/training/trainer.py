"""The clock: rounds, ticks, and the chores that each tick does.

A tick records the curves, draws the same latent vectors again as a picture, looks at what samples are like where that
costs little, and now and then saves a checkpoint. What is computed does not depend on when a tick, a look or a
checkpoint falls, so a run that was killed goes on as if it had not been.
"""

from __future__ import annotations

import json
import signal
import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.analysis.diagnosis import Plateau, story_of
from sparring.analysis.evaluator import Evaluator
from sparring.analysis.generators import generate, with_classes
from sparring.errors import SparringError, UsageError, shortened
from sparring.game.assembly import game_of, part_of, restore, state_of
from sparring.game.compile.plan import plan
from sparring.game.equilibrium import equilibrium_levels
from sparring.game.game import Game, Logged, PlayTo
from sparring.game.runtime import keep_freed_memory, preserving_torch_rng, threads_for, threads_set
from sparring.game.world import ALONE, World
from sparring.progress import say
from sparring.recipe import Recipe, default_settings, find_recipe
from sparring.record import Run, training_lock
from sparring.record.grid import save_grid
from sparring.record.journal import json_numbers
from sparring.record.story import CURVES, GRADIENTS
from sparring.rng import RandomStreams
from sparring.rules import Signals
from sparring.training.about import about

CURVE_NUMBERS = 64_000
"""About how many points of each curve a run writes down, over all its members."""
CURVE_STEP = 10
"""Rounds between two points of a curve, at least: the write-ups' step."""
LATELY = 100
"""Points of a curve that `lately` averages: one round's number is noise at small batches."""
BEAT_SECONDS = 0.5
"""How often watchers are called between ticks."""
TURN_SECONDS = 0.25
"""Of rounds that are played at a time: as long as Ctrl-C may wait."""
CHECKPOINT_SECONDS = 2.0
CHECKPOINT_SHARE = 0.05
"""A checkpoint is saved at a tick when the last is older than the first, and saving costs less than the second."""
OVERDUE_SECONDS = 30.0
"""Between ticks, when the last checkpoint is older than this: what a kill may cost, where ticks lie far apart."""
EVALUATION_SHARE = 0.025
"""Of the time spent training, the most that looks at samples may take by the trainer's own account: 5 % are promised,
and it does not see all. A look that would take more waits."""
BETTER = 0.98
"""Times the best distance from the data so far: what comes below is the best, and its checkpoint is kept."""
BEST_SHARE = 0.01
"""Of the time spent training, the most that keeping the best checkpoint may take."""
PLATEAU_EVALUATIONS, PLATEAU_SHARE, LEAST_EVALUATIONS = 3, 0.5, 6
"""Training that goes on until samples rest ends when so many looks in a row show no gain worth more rounds; but not
before that share of the recipe's rounds, for some games begin with a long rest, nor before so many looks."""
SPELLED_OUT = 16
"""Numbers in an example up to which the journal tells the example itself."""

Watcher = Callable[["Trainer"], None]


@dataclass(frozen=True)
class Whole:
    """What a training must know of the run that it is a part of, so that the parts can be joined."""

    members: int
    """Of all parts."""
    looks: Callable[[int, bool], bool] = lambda round, due: due
    """Whether samples are looked at in a tick's round, given whether this part would."""


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
    """Set to leave after the rounds in progress."""
    evaluator: Evaluator | None = None
    """What looks at samples, if anything does."""
    early_stop: bool = False
    """Whether to leave once looks show no gain any more."""
    whole: Whole | None = None
    """The run that this one is a part of, if it is one."""

    def __post_init__(self) -> None:
        recipe = self.recipe
        self.until = recipe.rounds
        """Rounds to leave after."""
        self.members = self.whole.members if self.whole else len(recipe.seeds)
        """Of the whole run."""
        self.play_to: PlayTo = self.game.play_to
        self.started_at = self.game.round
        """The round this sitting began with."""
        self.step = max(CURVE_STEP, recipe.rounds * self.members // CURVE_NUMBERS)
        self.log_rounds = sorted({round(k * recipe.rounds / recipe.log_points) for k in range(recipe.log_points + 1)})
        self.latest: dict[str, np.ndarray] = {}
        """The last point of each curve, `(P,)`."""
        self.picture: np.ndarray | None = None
        """What the generators make of the run's own latent vectors, `(P, N, *shape)` in data units."""
        self.sitting_seconds = 0.0
        self._turn = 1
        """Rounds that are played at a time."""
        self._logged: list[Logged] = []
        self._lately: deque[dict[str, Tensor]] = deque(maxlen=LATELY)
        self._diverged: set[int] = set()
        rng = RandomStreams(recipe.seeds, self.game.rng.device, self.game.rng.dtype)
        drawn = recipe.latent.draw(rng, "picture", recipe.samples_per_grid)
        self._grid_latent = with_classes(recipe, drawn, range(recipe.samples_per_grid))
        self.metrics: dict[str, np.ndarray] = {}
        """What the last look found, `(P,)` each."""
        self._evaluations = 0
        self._evaluating_seconds, self._evaluation_seconds = 0.0, 0.0
        """Of this sitting: all looks; the last one."""
        told = [event["distance"] for event in self.run.story.events if event["event"] == "best"]
        self._best, self._best_saved_at = told[-1] if told else np.inf, -np.inf
        self._flat_evaluations = 0
        """Looks in a row that showed no gain."""
        self._on_plateau = False
        self._saved_at, self._save_seconds = time.monotonic(), 0.0

    @property
    def lost(self) -> int:
        """Members whose numbers are not finite any more."""
        return len(self._diverged)

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
            self._log()
        began, before = time.monotonic(), self.seconds
        beat = began
        while self._goes_on():
            round, begins = self.game.round, time.monotonic()
            logged = self.play_to(self._end_of_turn(), self.step)
            self._logged += logged
            self._lately.extend(means for _, means in logged)
            now = time.monotonic()
            self._pace(self.game.round - round, now - begins)
            self.sitting_seconds, self.seconds = now - began, before + now - began
            if self._at_log_point() or self._checkpoint_is_due(OVERDUE_SECONDS):
                self._log()
            if now - beat > BEAT_SECONDS:
                beat = now
                self._tell()
        self._end()

    def follow(self) -> None:
        """Play along with the process that leads; nothing is recorded here."""
        while self._goes_on():
            self.game.play_to(self.game.round + 1, self.step)

    def _goes_on(self) -> bool:
        return self.game.round < self.until and not self.game.world.any(self.stopping)

    def _end_of_turn(self) -> int:
        """Rounds up to which is played before anything else is seen to."""
        at = bisect_right(self.log_rounds, self.game.round)
        return min(self.until, self.game.round + self._turn, *self.log_rounds[at : at + 1])

    def _pace(self, rounds: int, took: float) -> None:
        """The next turn is as long as fits into TURN_SECONDS by the pace of this one, and at most twice as long."""
        if self.game.world.size == 1:  # several processes ask after every round who stops
            fit = rounds * min(TURN_SECONDS, BEAT_SECONDS) / max(took, 1e-9)
            self._turn = max(1, min(2 * self._turn, int(fit)))

    def _at_log_point(self) -> bool:
        at = bisect_left(self.log_rounds, self.game.round)
        return self.log_rounds[at : at + 1] == [self.game.round]

    def _log(self) -> None:
        facts: dict[str, Any] = self._curves()
        if self._at_log_point():
            facts |= self._draw()
            if self.evaluator is not None and self._evaluates_now(self.evaluator):
                facts |= self._evaluate(self.evaluator)
        self.run.journal.append("log", round=self.game.round, seconds=round(self.seconds, 3), **facts)
        self._look_for_divergence()
        if "metrics" in facts:
            self._weigh()
        if self._checkpoint_is_due(CHECKPOINT_SECONDS):
            self.save()
        self._tell()

    def _curves(self) -> dict[str, Any]:
        """The curves since the last tick: one transfer from the device for all of them."""
        facts: dict[str, Any] = {"logged": [r for r, _ in self._logged]}
        logged = {name for _, means in self._logged for name in means}
        for name in (*CURVES, *(name for name in GRADIENTS if name in logged)):
            held = [m.get(name, torch.full((len(self.recipe.seeds),), torch.nan)) for _, m in self._logged]
            rows = torch.stack(held).cpu().numpy() if held else np.empty((0, len(self.recipe.seeds)))
            facts[name] = json_numbers(rows)
            if held:
                self.latest[name] = rows[-1]
        self._logged.clear()
        return facts

    def _draw(self) -> dict[str, Any]:
        with self.game.with_averaged_weights():
            self.picture = examples = generate(self.game.G, self._grid_latent, self.recipe)
        name = f"samples/round-{self.game.round:09d}.png"
        modes = self.recipe.data.modes
        self.run.write(name, lambda path: save_grid(examples, path, self.recipe.seeds, modes=modes))
        told = examples[:, 0]
        # One point in the plane says nothing of a distribution.
        spelled_out = told[0].size <= SPELLED_OUT and modes is None
        return {"picture": name} | ({"outputs": json_numbers(told)} if spelled_out else {})

    def begin_evaluating(self, evaluator: Evaluator) -> None:
        """From here on ticks look at samples, as often as they may. The journal tells what real data scores."""
        self.evaluator = evaluator
        self._evaluating_seconds, self._evaluation_seconds = 0.0, evaluator.guess
        held, told = self.run.story.real_baseline or {}, evaluator.told()
        if any(held.get(name) != value for name, value in told.items()):
            self.run.journal.append("real-baseline", round=0, **told)

    def _evaluates_now(self, evaluator: Evaluator) -> bool:
        due = self._evaluation_is_due(evaluator)
        return self.whole.looks(self.game.round, due) if self.whole else due

    def _evaluation_is_due(self, evaluator: Evaluator) -> bool:
        """After the last round always, before the first never; else when this look and the one at the end fit in.

        Until there was a look, its share is taken of all the time that the run will need, as far as that can be told.
        """
        if self.game.round in (0, self.recipe.rounds):
            return self.game.round > 0
        training = self.sitting_seconds - self._evaluating_seconds
        if not self._evaluations:
            training += self.seconds_left or 0.0
        return (
            evaluator.seconds + self._evaluating_seconds + 2 * self._evaluation_seconds <= EVALUATION_SHARE * training
        )

    def _evaluate(self, evaluator: Evaluator) -> dict[str, Any]:
        began = time.monotonic()
        self.metrics = evaluator.look(self.game)
        self._evaluation_seconds = time.monotonic() - began
        self._evaluating_seconds += self._evaluation_seconds
        self._evaluations += 1
        told = {name: json_numbers(values) for name, values in self.metrics.items()}
        return {"metrics": told, "evaluation_seconds": round(self._evaluation_seconds, 4)}

    def _weigh(self) -> None:
        """Whether the samples just looked at are the best so far, and whether more rounds still pay."""
        last = self.game.round >= self.recipe.rounds
        may_keep = last or time.monotonic() - self._best_saved_at >= self._save_seconds / BEST_SHARE
        if not may_keep and not self.early_stop:
            return
        began = time.monotonic()
        signals = Signals(story_of(self.run))
        if self.early_stop:
            plateau = Plateau.of(signals)
            self._flat_evaluations = self._flat_evaluations + 1 if plateau is not None and not plateau.pays else 0
            long_enough = (
                self.game.round >= PLATEAU_SHARE * self.recipe.rounds and len(signals.evaluated) >= LEAST_EVALUATIONS
            )
            if long_enough and self._flat_evaluations >= PLATEAU_EVALUATIONS:
                self._on_plateau = self.stopping = True
        took = time.monotonic() - began
        self._evaluation_seconds += took
        self._evaluating_seconds += took
        if may_keep:
            self._keep_if_best(signals)

    def _keep_if_best(self, signals: Signals) -> None:
        """A checkpoint of its own, in the place of the best before."""
        now = signals.distance.values[-1:, ~signals.lost]
        if not now.size or not np.isfinite(now).all():
            return
        distance = float(np.exp(np.log(np.maximum(now, 1e-9)).mean()))
        if distance > BETTER * self._best:
            return
        began = time.monotonic()
        self.run.save_best(self.game.round, state_of(self.game))
        told = {"metric": signals.distance.name, "distance": json_numbers(distance)}
        self.run.journal.append("best", round=self.game.round, **told)
        self._best, self._best_saved_at = distance, time.monotonic()
        self._save_seconds = max(self._save_seconds, self._best_saved_at - began)

    def _look_for_divergence(self) -> None:
        lost = {m for row in self.latest.values() for m in np.flatnonzero(~np.isfinite(row)).tolist()}
        if fresh := sorted(lost - self._diverged):
            self._diverged |= lost
            self.run.journal.append("diverged", round=self.game.round, members=fresh)
        if len(self._diverged) == self.members:
            self.run.journal.append("diverged-all", round=self.game.round)
            raise SparringError(
                f"every member diverged by round {self.game.round}: its losses are not finite. "
                f"The journal in {self.run.path} tells when each did; a lower learning rate is the first thing to try"
            )

    def _checkpoint_is_due(self, seconds: float) -> bool:
        age = time.monotonic() - self._saved_at
        return age > max(seconds, self._save_seconds / CHECKPOINT_SHARE)

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
        if self._logged:
            self._log()
        self.save()
        done = self.game.round >= self.recipe.rounds
        end = "finished" if done else "plateau" if self._on_plateau else "stopped"
        self.run.journal.append(end, round=self.game.round, seconds=round(self.seconds, 3))


def train(
    recipe: Recipe | str,
    out: str | Path,
    *,
    data_dir: str | Path | None = None,
    device: str = "cpu",
    threads: int | None = None,
    watchers: Sequence[Watcher] = (),
    metrics: bool = True,
    early_stop: bool = False,
    compile: bool | None = None,
    whole: Whole | None = None,
    world: World = ALONE,
) -> Run:
    """Train `recipe` in the folder `out`, or go on where it was left. Returns the run.

    With `probing`, ticks record figures of the samples too; what is trained is the same without. With `until_still` it
    ends once these show no gain any more. With `compile` rounds are played as machine code, where that can be; None
    leaves it to what repays, and a run that goes on is played as it was begun. `whole` is the run that this one is a
    part of; `world` is of processes that share every batch and all call this, of which the first records.
    Ctrl-C (and SIGTERM) ends the rounds in progress (TURN_SECONDS of them), saves and returns; calling again goes on.
    Raises UsageError when `out` holds another recipe's run, SparringError when data or disk fail.
    """
    if early_stop and not metrics:
        raise UsageError("only figures of the samples tell whether they still get better: --early-stop needs them")
    recipe = find_recipe(recipe) if isinstance(recipe, str) else recipe
    home = Path(data_dir) if data_dir is not None else None
    data, opened = recipe.data.settled_to_open(home, device)
    recipe = recipe.replace(data=data)
    run = Run(out)
    check_same(recipe, run)
    refuse_dealt(run)
    keep_freed_memory()
    with training_lock(run.path) if world.is_main else nullcontext(), preserving_torch_rng():
        source = opened()
        chosen = threads or run.about.get("threads") or max(1, threads_for(recipe) // world.size)
        with threads_set(chosen):
            game = game_of(recipe, source, device, world=world)
            fresh = not run.exists
            if world.is_main:
                begin(run, recipe, device, chosen, world.size)
            world.barrier()
            trainer = Trainer(recipe, game, run, watchers, early_stop=early_stop, whole=whole)
            if not fresh:
                resume(trainer)
            over = ("finished", "plateau") if early_stop else ("finished",)
            ended = not fresh and run.story.status in over
            world.barrier()
            if not ended and not world.is_main:
                with _politely(trainer):
                    trainer.follow()
            if not ended and world.is_main:
                begins = "resumed" if game.round else "started"
                levels = equilibrium_levels(recipe.objective)
                with _politely(trainer), _telling_what_is_safe(trainer):
                    run.journal.append(begins, round=game.round, recipe=recipe.id, levels=levels)
                    part = part_of(recipe, source, device)
                    _choose_how_to_play(trainer, compile if world.size == 1 else False, part)
                    if metrics:
                        trainer.begin_evaluating(Evaluator.of(recipe, game, home, trainer.members))
                    trainer.go()
    return run


def begin(run: Run, recipe: Recipe, device: str, threads: int, processes: int = 1) -> None:
    """Make the run's folder, unless it is there, and write down what it is made with."""
    if not run.exists:
        run.create(recipe.to_json())
    if recipe.origin and not (run.path / "source.py").exists():
        run.write_text("source.py", Path(recipe.origin.file).read_text(encoding="utf-8"))
    about(run, recipe, device, threads, processes)


def _choose_how_to_play(trainer: Trainer, compile: bool | None, part: Callable[[int], Game]) -> None:
    """As the game does, or as machine code: decided when a run is begun, told in about.json, and said in one line."""
    run, told = trainer.run, trainer.run.about
    if compile is None:
        compile = told.get("compiled", False if trainer.game.round else None)
    group = told.get("group") or trainer.game.G.size if "compiled" in told else None
    how = plan(trainer.game, compile, trainer.recipe.id, part, group)
    trainer.play_to = how.play_to
    run.write_text("about.json", json.dumps(told | {"compiled": how.compiled, "group": how.group}, indent=2) + "\n")
    if how.message:
        say(how.message)


def refuse_dealt(run: Run) -> None:
    """Raises UsageError for a run whose members were dealt out to processes and are not all done."""
    if run.sharded and run.story.status not in ("finished", "diverged"):
        raise UsageError(f"{run.path} was begun by several processes: to go on, say --processes N as then")


def check_same(recipe: Recipe, run: Run) -> None:
    """Raises UsageError when the folder holds anything but this recipe's run."""
    if run.exists:
        mine = recipe.to_dict()
        theirs = default_settings() | run.recipe  # which may be older than some setting
        odd = [k for k in mine if k not in ("origin", "name") and mine[k] != theirs.get(k)]
        if "data" in odd and (changed := recipe.data.changed_since(theirs.get("data") or {})):
            raise SparringError(f"{run.path} cannot go on: {changed}")
        if odd:
            field = odd[0]
            raise UsageError(
                f"{run.path} holds another run: its {field} is {shortened(theirs.get(field))}, "
                f"not {shortened(mine[field])}; choose another --out, or the same settings to go on"
            )
    elif run.path.exists() and (not run.path.is_dir() or not run.is_blank):
        raise UsageError(f"{run.path} exists and is not a run; choose another --out")


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
