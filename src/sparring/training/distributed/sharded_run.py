"""A run whose members are distributed over shards: how it is planned, what each worker gets, how it is joined."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.analysis.judge_choice import choose_judge
from sparring.errors import SparringError, UsageError
from sparring.game.assembly import game_of, threads_for
from sparring.game.runtime import idle_cores
from sparring.recipe import reload
from sparring.recipe.encoding import own_part
from sparring.record import RunFolder
from sparring.record.joining import join
from sparring.training.chores.divergence import all_diverged
from sparring.training.distributed.shards import Job, Shard, ShardPlan
from sparring.training.distributed.status import Session, Status
from sparring.training.prepare import Settings, Task, begin
from sparring.training.starting import start_weights, start_with


@dataclass(frozen=True)
class ShardedRun:
    """What is to be trained, how, and in how many shards."""

    task: Task
    settings: Settings
    count: int
    """Shards of a new run; fewer if it has fewer members."""

    @property
    def run(self) -> RunFolder:
        """The run that the shards are joined into."""
        return self.task.run

    def plan(self) -> ShardPlan:
        """The plan in the run's folder. A new run's folder is created, and its plan made and stored.

        Raises UsageError for a recipe that other processes cannot make, SparringError when the data cannot be read.
        """
        self._refuse_what_others_cannot_make()
        recipe = self.task.recipe
        # So that errors appear, files are fetched, and a judge is trained, once.
        source = recipe.data.open(self.settings.data_dir, "cpu")
        if self.settings.metrics and self.settings.judge:
            choose_judge(recipe.data, self.settings.data_dir, source)
        plan = ShardPlan.of(self.run, recipe.seeds, self.count, self._threads())
        start = start_weights(recipe, self.run)
        if start is not None:
            one = {name: each[:1] for name, each in start.items()}
            start_with(game_of(recipe.select([0]), source), recipe, one)
        begin(
            self.task,
            self.settings.device,
            plan.threads,
            len(plan.shards),
            start,
            data_hash=recipe.data.content_hash(source),
        )
        if start is not None:
            for shard in plan.shards:
                shard.run.save_start({name: each[list(shard.members)] for name, each in start.items()})
        plan.write(self.run)
        return plan

    def job(self, shard: Shard, threads: int) -> Job:
        """What a worker gets."""
        recipe = self.task.recipe.select(shard.members)
        return Job.of(recipe, self.settings, len(self.task.recipe.seeds), threads)

    def rounds(self, shard: Shard) -> int:
        """For how many rounds a shard is to be trained: as all others."""
        return self.task.recipe.rounds

    def session(self, plan: ShardPlan, n_workers: int, where: str = "") -> Session:
        """What session watchers are given; shards are where their checkpoints are."""
        statuses = {shard.number: Status.stored(shard, self.task.recipe.rounds) for shard in plan.shards}
        return Session(self.task.recipe, plan.shards, n_workers, plan.threads, where, statuses)

    def join(self, plan: ShardPlan) -> RunFolder:
        """Write what the shards have come to into the run's folder.

        Raises SparringError when every member of every shard has diverged.
        """
        run, shards = self.run, [shard.run for shard in plan.shards]
        if not all(shard.exists for shard in shards):
            run.journal.append("stopped", round=0, seconds=0.0)
            return run
        join(run, shards, self.task.recipe.id)
        story = run.story
        if story.status == "diverged":
            raise all_diverged(run, story.round)
        return run

    def _threads(self) -> int:
        """Of each process."""
        recipe = self.task.recipe
        shard = recipe.select(range(-(-len(recipe.seeds) // self.count)))
        return self.settings.threads or max(1, min(threads_for(shard), idle_cores() // self.count))

    def _refuse_what_others_cannot_make(self) -> None:
        recipe = self.task.recipe
        own = [field for field, value in recipe.to_dict().items() if own_part(value) is not None]
        if own and not recipe.origin:
            raise UsageError(
                f"other processes do not have the {own[0]}, which exists in this one only: put the recipe into a file, "
                "as a function annotated `-> Recipe`, and train find_recipe('FILE.py'), or leave out processes"
            )
        try:
            remade = reload(recipe.to_dict())
        except SparringError as error:
            raise UsageError(f"other processes cannot make this recipe: {error}") from error
        if remade.id != recipe.id:
            raise UsageError("other processes would make another recipe: put the changes in the file that it is from")
        recipe.data.hand_over()
