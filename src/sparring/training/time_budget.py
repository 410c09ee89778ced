"""As many rounds as fit into some minutes on this machine: the recipe, and every schedule in it, follows from them."""

from __future__ import annotations

import math
import time
from pathlib import Path

from sparring.game.assembly import game_of, part_of, threads_for
from sparring.game.compile.plan import plan
from sparring.game.game import Game, PlayTo
from sparring.game.pace import seconds_per_call
from sparring.game.runtime import preserving_torch_rng, threads_set
from sparring.languages import Text
from sparring.progress import expected_progress, say
from sparring.recipe import Recipe
from sparring.recipe.length import check_minutes
from sparring.record import RunFolder
from sparring.training.prepare import Settings

OVERHEAD = 0.07
"""Share of the time that is left for pictures, evaluations (at most 5 %) and checkpoints."""
DIGITS = 3
"""Significant ones of the number of rounds: no pilot knows more."""
TIMED, LONGEST_TIMED = 0.02, 10.0
"""The pilot times rounds for this share of the minutes, and no longer than so many seconds. A shorter one takes a
moment's other work on the machine for its pace."""
PERIOD, MAX_TIMED = 16, 0.05
"""The pilot times a multiple of so many rounds, since penalties may be due in every second to sixteenth, unless that
takes a larger share of the minutes."""
SMALLEST_SHARE = 0.25
"""Of the time for rounds that is left for them however long the compiler took, of which there is an estimate only."""
ANY_LENGTH = 10**6
"""Rounds of the game that is timed first: enough for a turn of many."""


def with_rounds_for(minutes: float, recipe: Recipe, out: str | Path, settings: Settings) -> Recipe:
    """The recipe with as many rounds as this machine plays in so many minutes, by a pilot of the rounds themselves.

    What tricks do as a fraction of the run (learning rates, penalties that fade) follows. A run that has begun keeps
    its rounds. Compiled code is made by the pilot where it pays in that time, and used by the run.

    Args:
        minutes: Of compiling and of training; a judge that is trained first is not counted.
        recipe: Its rounds do not matter.
        out: The run's folder.
        settings: How it will be trained.

    Raises:
        UsageError: The minutes are no time to train for.
        SparringError: The data cannot be read.
    """
    check_minutes(minutes)
    run = RunFolder(out)
    if run.exists and run.has_begun:
        return recipe.replace(rounds=run.recipe["rounds"])
    began = time.monotonic()
    data, open_data = recipe.data.with_opener(settings.data_dir, settings.device)
    source, recipe = open_data(), recipe.replace(data=data)
    budget = 60 * minutes * (1 - OVERHEAD)
    with preserving_torch_rng(), threads_set(settings.threads or threads_for(recipe)):
        game = game_of(recipe.replace(rounds=ANY_LENGTH), source, settings.device)
        with game.preserving_state():
            game.play()  # the first takes longer than those that follow
        pace = seconds_per_call(game, game.play_to)
        longer = recipe.replace(rounds=rounds_in(budget, pace))
        game = game_of(longer, source, settings.device)
        part = part_of(longer, source, settings.device)
        planned = time.monotonic()
        how = plan(game, settings.compile, longer.id, part, show=expected_progress)
        left = max(budget - (time.monotonic() - planned), SMALLEST_SHARE * budget)
        pace = _pace(game, how.play_to, budget, pace)
    rounds = rounds_in(left, pace)
    took = time.monotonic() - began
    budgeted = Text(
        "{minutes} minute here: {rounds} rounds of {pace}, by a pilot of {took} s"
        if minutes == 1
        else "{minutes} minutes here: {rounds} rounds of {pace}, by a pilot of {took} s",
        minutes=f"{minutes:g}",
        rounds=f"{rounds:,}",
        pace=_as_time(pace),
        took=f"{took:.0f}",
    )
    say(budgeted)
    return recipe.replace(rounds=rounds)


def _pace(game: Game, play_to: PlayTo, budget: float, roughly: float) -> float:
    """Seconds of a round, timed for as long as that is worth of the budget."""
    multiple = PERIOD if PERIOD * roughly <= MAX_TIMED * budget else 1
    return seconds_per_call(game, play_to, min(TIMED * budget, LONGEST_TIMED), multiple)


def rounds_in(seconds: float, pace: float) -> int:
    """Rounds of `pace` seconds each that fit into some seconds, at least one, to three digits."""
    count = max(1.0, seconds / pace)
    step = 10 ** max(0, math.floor(math.log10(count)) + 1 - DIGITS)
    return int(count // step * step)


def _as_time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"
