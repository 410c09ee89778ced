"""Training in this process: alone, for one shard of a run, or as one of several processes that share every batch."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

from sparring.analysis.evaluator import Evaluator
from sparring.analysis.judge_choice import NO_JUDGE, choose_judge
from sparring.datasets import Source
from sparring.errors import SparringError
from sparring.game.assembly import game_of, notes_on, part_of, threads_for
from sparring.game.compile.plan import plan
from sparring.game.equilibrium import equilibrium_levels
from sparring.game.game import Game
from sparring.game.output_range import output_ranges
from sparring.game.runtime import keep_freed_memory, preserving_torch_rng, reproducible_kernels, threads_set
from sparring.game.transfer import Fit
from sparring.game.trial import check_first_round
from sparring.game.world import ALONE, World
from sparring.interruption import announce, when_stopped
from sparring.progress import expected_progress, say
from sparring.recipe import Recipe
from sparring.record import RunFolder, training_lock
from sparring.training.before_start import mismatches, repeats
from sparring.training.chores import Chore
from sparring.training.chores.best import Best
from sparring.training.chores.checkpoint import Checkpoint
from sparring.training.chores.divergence import Divergence
from sparring.training.chores.early_stop import EarlyStop
from sparring.training.chores.evaluate import Decide, Evaluate, always, as_due
from sparring.training.chores.keep import Keep
from sparring.training.chores.record import Record
from sparring.training.chores.scores import LogScores
from sparring.training.control.going_on import as_saved, in_force, set_numbers, take_up
from sparring.training.control.inbox import Inbox
from sparring.training.control.session import Control
from sparring.training.prepare import Settings, Task, begin, saved_round
from sparring.training.starting import event_of, sentence, start_weights, start_with
from sparring.training.stop_signals import STOPPING, on_stop_signal
from sparring.training.trainer import Trainer, Watcher


@dataclass(frozen=True)
class SharedRun:
    """What the training of a shard needs to know of the run that it belongs to, so that shards can be joined."""

    members: int
    """Of all shards."""
    evaluates: Decide = as_due
    """Whether samples are evaluated in a round, given whether that is due here."""


def train_here(
    task: Task,
    settings: Settings,
    watchers: Sequence[Watcher] = (),
    shared_run: SharedRun | None = None,
    world: World = ALONE,
) -> RunFolder:
    """Train, or resume, in this process. In a `world` of several, all of them call this and the main one records.

    Raises SparringError when data or disk fail, or when every member has diverged.
    """
    run = task.run
    inbox = Inbox(run.path)
    keep_freed_memory()
    with training_lock(run.path) if world.is_main else nullcontext(), preserving_torch_rng():
        checkpoint = run.load() if run.exists else None
        recipe = in_force(task.recipe, run, checkpoint)
        source = task.open_data()
        threads = settings.threads or run.about.get("threads") or max(1, threads_for(recipe) // world.size)
        with threads_set(threads), reproducible_kernels():
            game = game_of(recipe, source, settings.device, world=world)
            is_new = not run.exists
            if is_new:
                check_first_round(game, recipe)
                seen = [*repeats(recipe, source), *mismatches(recipe, source)] if shared_run is None else []
                for note in (*notes_on(recipe), *seen) if world.is_main else ():
                    say(note)
            start = None if saved_round(run) else start_weights(recipe, run)
            fit = start_with(game, recipe, start) if start is not None else None
            if world.is_main:
                data_hash = recipe.data.content_hash(source)
                begin(task, settings.device, threads, world.size, start, recipe.objective, data_hash)
            world.barrier()
            members = shared_run.members if shared_run else len(recipe.seeds)
            trainer = Trainer(recipe, game, run, watchers=watchers, members=members)
            trainer.until = min(recipe.rounds, settings.until or recipe.rounds)
            is_saved = checkpoint is not None
            if world.is_main and not is_new:
                _say_what_is_lost(run, checkpoint[0] if checkpoint is not None else None, shared_run is not None)
            if checkpoint is not None:
                take_up(game, recipe, as_saved(task.recipe, run, checkpoint), *checkpoint)
                trainer.resume(checkpoint[0])
                del checkpoint
            if not is_new:
                set_numbers(game, run.story.steering.numbers_until(game.round))
            ends = ("finished", "plateau") if settings.early_stop else ("finished",)
            is_at_end = game.round >= run.story.round and run.story.status in ends  # its last checkpoint may be lost
            is_over = is_saved and (is_at_end or game.round == settings.until)
            world.barrier()
            if is_over:
                return run
            sharded, shared_run = shared_run is not None, shared_run or SharedRun(members)
            if settings.evaluate_all:
                shared_run = replace(shared_run, evaluates=always)
            evaluate = _evaluate(trainer, settings, shared_run, source) if world.is_main else None
            with _stopping_on_ctrl_c(trainer):
                if world.is_main:
                    part = part_of(recipe, source, settings.device)
                    steered = None if world.size > 1 or sharded else Steered(task.recipe, inbox)
                    _record_and_go(trainer, settings, evaluate, part, fit, steered)
                else:
                    trainer.follow()
    return run


def _say_what_is_lost(run: RunFolder, saved: int | None, is_shard: bool) -> None:
    """Of a run whose newest checkpoint is of the round `saved`, None for no checkpoint.

    Of a shard it is nothing to say that it begins again: that its process was lost is said of the whole run.
    """
    story = run.story
    if saved is None and story.round and not is_shard:
        say(f"{run.path} has no checkpoint, though it came to round {story.round:,}: it begins again")
    if saved and not story.log_points:
        journal = run.path / "journal.jsonl"
        say(f"{journal} says nothing of the {saved:,} rounds that are saved: their curves and evaluations are lost")


def chores_for(
    evaluate: Evaluate | None = None, early_stop: bool = False, checkpoint: Checkpoint | None = None
) -> tuple[Chore, ...]:
    """The chores of a training, in their order; `evaluate` is left out by a run without metrics."""
    checkpoint = checkpoint or Checkpoint()
    if evaluate is None:
        return Record(), Divergence(), checkpoint
    stop = (EarlyStop(evaluate),) if early_stop else ()
    return Record(), evaluate, Divergence(), *stop, Best(evaluate, checkpoint), checkpoint


def _evaluate(trainer: Trainer, settings: Settings, shared_run: SharedRun, source: Source) -> Evaluate | None:
    """What evaluates samples. A judge that there is none of yet is trained now, so that Ctrl-C ends it at once."""
    recipe, data_dir = trainer.recipe, settings.data_dir
    if not settings.metrics:
        return None
    here = source if settings.device == "cpu" else None
    choice = choose_judge(recipe.data, data_dir, here) if settings.judge else NO_JUDGE
    make = partial(Evaluator.of, recipe, trainer.game, data_dir, shared_run.members, choice)
    return Evaluate(make, shared_run.evaluates)


@dataclass(frozen=True)
class Steered:
    """What a session needs that people may steer: not one of several processes."""

    recipe: Recipe
    """With which the run began."""
    inbox: Inbox


def _record_and_go(
    trainer: Trainer,
    settings: Settings,
    evaluate: Evaluate | None,
    part: Callable[[int], Game],
    fit: Fit | None,
    steered: Steered | None,
) -> None:
    with _saying_what_is_saved(trainer.run):
        _begin_journal(trainer, fit, steered.recipe if steered else trainer.recipe)
        _choose_how_to_play(trainer, settings.compile if trainer.game.world.size == 1 else False, part)
        checkpoint = Checkpoint()
        trainer.chores = chores_for(evaluate, settings.early_stop, checkpoint)
        if steered is not None:
            keep = Keep(settings.keep, checkpoint)
            trainer.chores = (LogScores(), *trainer.chores, keep)
            trainer.control = Control(trainer, steered.recipe, steered.inbox, checkpoint, keep, settings.paused)
        trainer.go()


def _begin_journal(trainer: Trainer, fit: Fit | None, recipe: Recipe) -> None:
    """Write what a session begins with; `recipe` is what the run began with."""
    game, run = trainer.game, trainer.run
    levels, ranges = equilibrium_levels(trainer.recipe.objective), output_ranges(trainer.recipe)
    plain = {name: each.plain() for name, each in ranges.items()}
    event = "resumed" if game.round else "started"
    run.journal.append(event, round=game.round, recipe=recipe.id, levels=levels, output_ranges=plain)
    if fit is not None and recipe.start_from is not None:
        run.journal.append("started-from", round=0, **event_of(recipe.start_from, fit))
        say(f"{run.path}: {sentence(recipe.start_from, fit)}")


def _choose_how_to_play(trainer: Trainer, compile: bool | None, part: Callable[[int], Game]) -> None:
    """Compiled or not, and in which groups: decided when a run begins, kept in about.json, and said in one line."""
    run, about = trainer.run, trainer.run.about
    if compile is None:
        compile = about.get("compiled", False if trainer.game.round else None)
    group = None if about.get("compiled") is None else about.get("group") or trainer.game.G.size
    how = plan(trainer.game, compile, trainer.recipe.id, part, group, expected_progress)
    trainer.play_to, trainer.compiling = how.play_to, how.compiling
    run.write_text("about.json", json.dumps(about | {"compiled": how.compiled, "group": how.group}, indent=2) + "\n")
    if how.message:
        say(how.message)


@contextmanager
def _stopping_on_ctrl_c(trainer: Trainer) -> Generator[None]:
    """The first Ctrl-C asks the trainer to stop and save; a second one interrupts at once.

    Before rounds are played there is nothing to finish (a compiler would run for minutes), so that the first one ends
    the session there.
    """

    def stop() -> None:
        trainer.stopping = True
        if not trainer.playing:
            raise KeyboardInterrupt
        signal.signal(signal.SIGINT, signal.default_int_handler)
        announce()

    try:
        with on_stop_signal(stop), when_stopped(lambda: STOPPING if trainer.playing else ""):
            yield
    except KeyboardInterrupt:
        if trainer.playing:
            raise
        trainer.run.journal.append("stopped", round=trainer.started_at, seconds=round(trainer.seconds, 3))


@contextmanager
def _saying_what_is_saved(run: RunFolder) -> Generator[None]:
    """Adds to an error of the disk how much of the run is safe."""
    try:
        yield
    except SparringError as error:
        if "cannot write" not in str(error):
            raise
        round = saved_round(run)
        saved = "nothing was saved yet" if round is None else f"saved up to round {round}"
        raise SparringError(f"{error}; {saved}. Free some space and run the same command to resume") from error
