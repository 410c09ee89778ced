"""Parts trained as tasks of a Ray cluster. Where hosts share the run's folder they train in it; where they do not, each
trains in a folder of its own, and what it saves is sent here as it goes."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from sparring.errors import SparringError
from sparring.record import Run, write_atomically
from sparring.training.distributed.shards import Job, Shard, ShardPlan
from sparring.training.distributed.status import Status
from sparring.training.distributed.worker import Channel, work
from sparring.training.distributed.workers import Exit, Workers
from sparring.training.trainer import Trainer

SENT_SECONDS = 20.0
"""Between two times that a part's folder is sent, at least."""

Files = dict[str, bytes]
"""Paths within a part's folder, and what is in them."""


class Mailbox:
    """An actor beside the leader: parts tell it how far they are, and what to keep of them."""

    def __init__(self) -> None:
        self._told: dict[int, dict[str, Any]] = {}
        self._kept: list[tuple[int, Files, list[str]]] = []
        self._evaluations: dict[int, bool] = {}
        self._stop: int | None = None

    def tell(self, number: int, status: dict[str, Any]) -> int | None:
        self._told[number] = status
        return self._stop

    def forget(self, number: int) -> None:
        self._told.pop(number, None)

    def agree(self, round: int, due: bool) -> bool:
        return self._evaluations.setdefault(round, due)

    def keep(self, number: int, files: Files, weights: list[str]) -> None:
        self._kept.append((number, files, weights))

    def stop(self, round: int) -> None:
        self._stop = round

    def news(self) -> tuple[dict[int, dict[str, Any]], list[tuple[int, Files, list[str]]]]:
        kept, self._kept = self._kept, []
        return self._told, kept


class RayChannel(Channel):
    """From a part's process to the desk."""

    def __init__(self, desk: Any, number: int, sends: Path | None):
        self._desk, self._number, self._sends = desk, number, sends
        self._sent: dict[str, tuple[float, int]] = {}
        self._next = time.monotonic() + SENT_SECONDS

    def tell(self, status: Status) -> int | None:
        if status.end:
            self.send()
        return _ray().get(self._desk.tell.remote(self._number, status.plain()))

    def agree(self, round: int, due: bool) -> bool:
        return _ray().get(self._desk.agree.remote(round, due))

    def saved(self, trainer: Trainer) -> None:
        if time.monotonic() > self._next:
            self.send()
            self._next = time.monotonic() + SENT_SECONDS

    def send(self) -> None:
        """What has changed in the part's folder since it was last sent."""
        if self._sends is None:
            return
        # Whoever reads a journal before the weights that it tells of finds the older ones, and goes on from there.
        files: Files = {}
        for path in sorted(self._sends.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                name, state = str(path.relative_to(self._sends)), path.stat()
                if self._sent.get(name) != (state.st_mtime, state.st_size):
                    files[name] = path.read_bytes()
                    self._sent[name] = state.st_mtime, state.st_size
        weights = [path.name for path in (self._sends / "weights").glob("*.safetensors")]
        _ray().get(self._desk.keep.remote(self._number, files, weights))


class RayWorkers(Workers):
    """The tasks of one run. A cluster that runs already is used, else one is started on this machine."""

    def __init__(self, run: Run, deal: ShardPlan):
        ray = _ray()
        self._run, self._own = run, not ray.is_initialized()
        if self._own:
            ray.init(log_to_driver=False, logging_level="ERROR", include_dashboard=False)
        self._token = uuid.uuid4().hex
        run.write_text(f"{run.shards.name}/token", self._token)
        beside = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self._desk = ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=beside).remote()
        self._tasks: dict[int, Any] = {}
        self._told: dict[int, dict[str, Any]] = {}
        self.n_workers = len(deal.shards)  # those that find no free cores wait in Ray's queue
        self.where = f"Ray, {len(ray.nodes())} host{'s' * (len(ray.nodes()) > 1)}"

    def start(self, shard: Shard, job: Job) -> None:
        ray = _ray()
        ray.get(self._desk.forget.remote(shard.number))
        gpus = 1 if job.device.startswith("cuda") else 0
        task = ray.remote(train_part).options(num_cpus=job.threads, num_gpus=gpus, max_retries=0)
        held = _files_in(shard.folder)
        self._tasks[shard.number] = task.remote(
            job.plain(), shard.number, str(shard.folder.resolve()), self._token, held, self._desk
        )

    def status(self, shard: Shard) -> Status | None:
        told, kept = _ray().get(self._desk.news.remote())
        for number, files, weights in kept:
            _keep(self._run.shards / f"{number:03d}", files, weights)
        return Status(**told[shard.number]) if shard.number in told else None

    def exited(self, shard: Shard) -> Exit | None:
        ray = _ray()
        done, _ = ray.wait([self._tasks[shard.number]], timeout=0)
        if not done:
            return None
        try:
            ray.get(done[0])
        except ray.exceptions.RayTaskError as error:
            return Exit(" ".join(str(error.cause or error).split())[:300], died=False)
        except ray.exceptions.RayError as error:
            return Exit(type(error).__name__, died=True)
        return Exit("its end", died=False)

    def stop(self, round: int) -> None:
        _ray().get(self._desk.stop.remote(round))

    def leave(self) -> None:
        ray = _ray()
        if not ray.is_initialized():
            return
        left = list(self._tasks.values())
        if left:
            ray.wait(left, num_returns=len(left), timeout=30)
        for task in left:
            ray.cancel(task, force=True)
        ray.kill(self._desk)
        if self._own:
            ray.shutdown()


def train_part(job: dict[str, Any], number: int, folder: str, token: str, held: Files, desk: Any) -> None:
    """What a task does: train a part where the leader sees it, or in a folder of this host's own."""
    place = Path(folder)
    told = place.with_name("token")
    if told.is_file() and told.read_text() == token:
        work(Job(**job), place, RayChannel(desk, number, None))
        return
    home = Path(tempfile.mkdtemp(prefix="sparring-"))
    try:
        mine = home / place.name
        for name, content in held.items():
            write_atomically(mine / name, lambda path, content=content: path.write_bytes(content))
        work(Job(**job), mine, RayChannel(desk, number, mine))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _keep(folder: Path, files: Files, weights: list[str]) -> None:
    """Take over what a part sent: weights before the journal that tells of them; checkpoints that are gone there go."""
    for name in sorted(files, key=lambda name: name == "journal.jsonl"):
        write_atomically(folder / name, lambda path, name=name: path.write_bytes(files[name]))
    for old in (folder / "weights").glob("*.safetensors"):
        if old.name not in weights:
            old.unlink(missing_ok=True)


def _files_in(folder: Path) -> Files:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def _ray() -> Any:
    """Raises SparringError where Ray is not installed."""
    try:
        importlib.import_module("ray.util.scheduling_strategies")
        return importlib.import_module("ray")
    except ImportError as error:
        raise SparringError("--on ray needs Ray: pip install 'sparring[cluster]'") from error
