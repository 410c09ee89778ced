"""The leader of a run that is dealt out: starts what trains its parts, begins again what was lost, and joins them."""

from __future__ import annotations

import dataclasses
import math
import signal
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal

from sparring.assembly import threads_for
from sparring.dealt.crew import Crew, Ended, Local
from sparring.dealt.deal import Deal, Order, Part
from sparring.dealt.part import SharedFolder, heard, work
from sparring.dealt.sitting import Sitting, Standing
from sparring.errors import SparringError, UsageError
from sparring.recipe import Recipe, find_recipe, reload
from sparring.record import Run, locked
from sparring.record.joining import join
from sparring.trainer import Watcher, begin, check_same
from sparring.trainer import train as train_here
from sparring.world import World, connected, idle_cores, own_device, seat

Spectator = Callable[[Sitting], None]

LOOK_SECONDS = 0.25
"""How often the leader looks how it goes."""
AHEAD_SECONDS = 1.5
"""Until word of a round to stop after has reached every part."""
MOST_DEATHS = 3
"""Of processes at work on one part, in one sitting."""
TOGETHER_SECONDS = 10.0
"""What the slowest part may take, once Ctrl-C was pressed, to come as far as the furthest: all then end in one round,
and there are weights of it."""


def train(
    recipe: Recipe | str,
    out: str | Path,
    *,
    processes: int = 1,
    on: Literal["here", "ray"] = "here",
    share_batch: bool = False,
    data_dir: str | Path | None = None,
    device: str = "cpu",
    threads: int | None = None,
    watchers: Sequence[Watcher] = (),
    spectators: Sequence[Spectator] = (),
    probing: bool = True,
    until_still: bool = False,
    compile: bool | None = None,
) -> Run:
    """Train `recipe` in the folder `out` with all the processes there are, or go on where it was left; see `trainer`.

    Under torchrun every process calls this. Members are dealt out to `processes` of this machine, to a Ray cluster or
    to torchrun's, as far as there is one for each; with `share_batch`, or when there are fewer members than torchrun's
    processes, every batch is shared instead. A training in one process is shown to `watchers`, one that is dealt out
    to `spectators`. Raises UsageError for what cannot be dealt out, SparringError when a part fails or is lost again
    and again.
    """
    recipe = find_recipe(recipe) if isinstance(recipe, str) else recipe
    world, dealt = seat(), processes > 1 or on == "ray"
    if processes < 1:
        raise UsageError(f"processes must be at least 1, not {processes}")
    if world.size > 1 and dealt:
        raise UsageError("torchrun starts the processes already: leave out --processes and --on")
    if share_batch and world.size == 1:
        raise UsageError(
            "only processes that torchrun starts share batches: torchrun --nproc-per-node N -m sparring ..."
        )
    if world.size > 1:
        device = own_device(device)
    shares = world.size > 1 and (share_batch or len(recipe.seeds) < world.size)
    if shares or (world.size == 1 and not dealt):
        with connected(world, device):
            return train_here(
                recipe,
                out,
                data_dir=data_dir,
                device=device,
                threads=threads,
                watchers=watchers,
                probing=probing,
                until_still=until_still,
                compile=compile,
                world=world,
            )
    if until_still:
        raise UsageError("each part would be still at another time: until-still does not go with several processes")
    home = Path(data_dir) if data_dir is not None else None
    recipe = recipe.with_(data=recipe.data.settled_to_open(home, device)[0])
    order = Order(
        recipe=recipe.to_dict(),
        members=len(recipe.seeds),
        data_dir=str(home.resolve()) if home else None,
        device=device,
        threads=threads or 0,
        probing=probing,
        compile=compile,
    )
    table = _Table(Run(out), recipe, order, max(processes, world.size) if on == "here" else max(processes, 2))
    if world.size > 1:
        return _in_ranks(table, world, spectators)
    if on == "ray":
        from sparring.dealt.on_ray import OnRay

        return _led(table, lambda deal: OnRay(table.run, deal), spectators)
    return _led(table, lambda deal: Local(deal, processes), spectators)


@dataclass(frozen=True)
class _Table:
    """The run that is dealt out."""

    run: Run
    recipe: Recipe
    order: Order
    """For all members; each part's is like it."""
    count: int
    """Parts, if there are as many members."""

    def deal(self) -> Deal:
        """Make the run's folder and deal, unless both are there. Raises UsageError for what cannot be dealt out."""
        run, recipe = self.run, self.recipe
        check_same(recipe, run)
        if run.exists and not run.dealt and run.story.events:
            raise UsageError(f"{run.path} was begun by one process: to go on, leave out what asks for several")
        try:
            there = reload(recipe.to_dict()).id
        except SparringError as error:
            raise UsageError(f"other processes cannot make this recipe: {error}") from error
        if there != recipe.id:
            raise UsageError("other processes would make another recipe: put the changes in the file that it is from")
        home = Path(self.order.data_dir) if self.order.data_dir else None
        recipe.data.open(home, "cpu")  # so that what is wrong with the data is said once, and nothing is fetched twice
        of_each = recipe.with_(seeds=recipe.seeds[: -(-len(recipe.seeds) // self.count)])
        threads = self.order.threads or max(1, min(threads_for(of_each), idle_cores() // self.count))
        deal = Deal.of(run, recipe.seeds, self.count, threads)
        begin(run, recipe, self.order.device, deal.threads, len(deal.parts))
        deal.write(run)
        return deal

    def order_for(self, part: Part, threads: int) -> Order:
        recipe = self.recipe.with_(seeds=part.seeds).to_dict()
        return dataclasses.replace(self.order, recipe=recipe, threads=threads)

    def join(self, deal: Deal) -> Run:
        """Raises SparringError when every member of every part has diverged."""
        run, parts = self.run, [part.run for part in deal.parts]
        if not all(part.exists for part in parts):
            run.journal.append("stopped", round=0, seconds=0.0)
            return run
        join(run, parts, self.recipe.id)
        story = run.story
        if story.status == "diverged":
            raise SparringError(
                f"every member diverged by round {story.round}: its losses are not finite. "
                f"The journal in {run.path} tells when each did; a lower learning rate is the first thing to try"
            )
        return run

    def sitting(self, deal: Deal, processes: int, where: str = "") -> Sitting:
        held = {part.number: _saved(part) for part in deal.parts}
        return Sitting(self.recipe, deal.parts, processes, deal.threads, where, held)


def _saved(part: Part) -> Standing:
    """Where a part goes on from."""
    if not part.run.exists:
        return Standing()
    story, checkpoints = part.run.story, part.run.checkpoints()
    round = int(checkpoints[-1].stem.rpartition("-")[2]) if checkpoints else 0
    return Standing(round, seconds=story.seconds, end="finished" if story.status == "finished" else None)


def _led(table: _Table, crew_of: Callable[[Deal], Crew], spectators: Sequence[Spectator]) -> Run:
    """By a crew that this process leads."""
    with locked(table.run.path):
        deal = table.deal()
        if table.run.story.status == "finished":
            return table.run
        with _asked() as asked:
            crew = crew_of(deal)
            sitting = table.sitting(deal, crew.hands, crew.where)
            try:
                _Leader(table, deal, crew, sitting, spectators, asked).lead()
            except SparringError:
                crew.stop(0)
                crew.leave()
                table.join(deal)
                raise
            finally:
                crew.leave()
        return table.join(deal)


@dataclass
class _Leader:
    table: _Table
    deal: Deal
    crew: Crew
    sitting: Sitting
    spectators: Sequence[Spectator]
    asked: list[int]

    def lead(self) -> None:
        """Until every part is finished, or all have stopped. Raises SparringError when one cannot be."""
        done = {number for number, standing in self.sitting.standings.items() if standing.end == "finished"}
        waiting = [part for part in self.deal.parts if part.number not in done]
        at_work: list[Part] = []
        heeded = 0
        while waiting or at_work:
            while waiting and len(at_work) < self.crew.hands:
                part = waiting.pop(0)
                self.crew.start(part, self.table.order_for(part, self.deal.threads))
                at_work.append(part)
            for part in tuple(at_work):
                ended = self.crew.ended(part)  # asked first: what it told last is then there
                self._hear(part)
                if ended is not None:
                    at_work.remove(part)
                    if not self._is_done(part, ended) and not self.sitting.stopping:
                        waiting.insert(0, part)
                        self.sitting.standings[part.number] = _saved(part)
            lost = sum(standing.lost for standing in self.sitting.standings.values())
            if len(self.asked) > heeded or (lost == self.deal.members and not self.sitting.stopping):
                heeded = len(self.asked)
                self.crew.stop(self._last_round(at_work) if not (self.sitting.stopping or waiting) else 0)
                self.sitting.stopping = True
                waiting.clear()
            for show in self.spectators:
                show(self.sitting)
            time.sleep(LOOK_SECONDS)

    def _hear(self, part: Part) -> None:
        standing = self.crew.standing(part)
        if standing is not None:
            self.sitting.standings[part.number] = standing

    def _is_done(self, part: Part, ended: Ended) -> bool:
        """Whether a part whose process is gone needs no other. Raises SparringError where another would not help."""
        standing = self.sitting.standing(part)
        if standing.end == "failed":
            raise SparringError(standing.error)
        if standing.end == "finished":
            return True
        if not (ended.died or standing.end):
            raise SparringError(f"the process that trained {part.name} failed: {ended.why}; {part.log} tells more")
        deaths = self.sitting.deaths[part.number] = self.sitting.deaths.get(part.number, 0) + 1
        if deaths >= MOST_DEATHS and not self.sitting.stopping:
            raise SparringError(
                f"the process that trained {part.name} was lost {deaths} times, the last time by {ended.why}; "
                f"{part.log} may tell more. What was saved is in {self.table.run.path}: the same command goes on"
            )
        return False

    def _last_round(self, at_work: Sequence[Part]) -> int:
        """One that all can stop after, soon and none too late; 0, which is at once, where it would take too long."""
        held = [self.sitting.standing(part) for part in at_work]
        if len(held) < len(self.deal.parts) or not all(standing.pace for standing in held):
            return 0
        last = max(standing.round + math.ceil(standing.pace * AHEAD_SECONDS) + 2 for standing in held)
        slowest = max((last - standing.round) / standing.pace for standing in held)
        return last if slowest < TOGETHER_SECONDS else 0


def _in_ranks(table: _Table, world: World, spectators: Sequence[Spectator]) -> Run:
    """By the processes that torchrun started: each its own parts; the first joins them."""
    with connected(world), locked(table.run.path) if world.leads else nullcontext():
        if world.leads:
            table.deal()
        world.meet()
        deal = Deal.of(table.run, table.recipe.seeds, table.count, 1)
        mine = deal.parts[world.rank :: world.size]
        for part in mine:
            part.folder.with_suffix(".json").unlink(missing_ok=True)
        table.run.parts.joinpath("stop").unlink(missing_ok=True)
        world.meet()
        sitting = table.sitting(deal, world.size)

        def show() -> None:
            sitting.standings |= {part.number: told for part in deal.parts if (told := heard(part.folder))}
            for each in spectators:
                each(sitting)

        watchers: tuple[Watcher, ...] = (lambda trainer: show(),) if world.leads else ()
        for part in mine:
            line = SharedFolder(part.folder)
            ended = work(table.order_for(part, deal.threads), part.folder, line, watchers)
            if ended.end == "failed":
                raise SparringError(ended.error)
            if ended.end == "stopped":
                break
        if not world.leads:
            return table.run
        _wait_for_ranks(deal, world, show)
        return table.join(deal)


def _wait_for_ranks(deal: Deal, world: World, show: Callable[[], None]) -> None:
    """Until the others have ended, or a little after this process was asked to."""

    def at_work(rank: int) -> bool:
        told = [heard(part.folder) for part in deal.parts[rank :: world.size]]
        ends = [standing.end if standing else None for standing in told]
        return "stopped" not in ends and any(end != "finished" for end in ends)

    with _asked() as asked:
        until = math.inf
        while any(at_work(rank) for rank in range(world.size)) and time.monotonic() < until:
            show()
            if asked:
                until = min(until, time.monotonic() + TOGETHER_SECONDS)
            time.sleep(LOOK_SECONDS)


@contextmanager
def _asked() -> Generator[list[int]]:
    """The signals that asked to stop, as they come; the third interrupts at once."""
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) > 2:
            raise KeyboardInterrupt

    try:
        before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: whoever runs us there has their own way to stop
        yield asked
        return
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
