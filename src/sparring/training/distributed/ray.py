"""Shards trained as tasks of a Ray cluster.

Where hosts share the run's folder, tasks train in it. Where they do not, each trains in a folder of its own host, and
what it saves is sent to the coordinator as it goes.
"""

from __future__ import annotations

import importlib
import shutil
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from sparring.errors import SparringError
from sparring.record import write_atomically
from sparring.training.distributed.channel import Channel
from sparring.training.distributed.shards import Job, Shard, ShardPlan
from sparring.training.distributed.status import Status
from sparring.training.distributed.worker import work
from sparring.training.distributed.workers import EXIT_SECONDS, Exit, Workers
from sparring.training.trainer import Trainer

SEND_SECONDS = 20.0
"""Between two times that a shard's folder is sent, at least."""

TOKEN = "token"
"""A file beside the shards' folders: a host that reads the coordinator's own word in it sees these folders."""
Files = dict[str, bytes]
"""Paths within a shard's folder, and the content of the files."""


class Mailbox:
    """An actor beside the coordinator, to which tasks report, and send the files to keep."""

    def __init__(self) -> None:
        self._statuses: dict[int, dict[str, Any]] = {}
        self._files: list[tuple[int, Files, list[str]]] = []
        self._evaluations: dict[int, bool] = {}
        self._stop: int | None = None

    def report(self, number: int, status: dict[str, Any]) -> int | None:
        """As `Channel.report`, for the shard of that number."""
        self._statuses[number] = status
        if self._stop:
            self._stop = max(self._stop, status["round"])
        return self._stop

    def forget(self, number: int) -> None:
        """What a shard reported before it is started again."""
        self._statuses.pop(number, None)

    def evaluates(self, round: int, due: bool) -> bool:
        """As `Channel.evaluates`."""
        return self._evaluations.setdefault(round, due)

    def keep(self, number: int, files: Files, weights: list[str]) -> None:
        """Files of a shard that have changed, and the names of all its checkpoints."""
        self._files.append((number, files, weights))

    def stop(self, round: int) -> None:
        """As `Workers.stop`."""
        self._stop = round

    def collect(self) -> tuple[dict[int, dict[str, Any]], list[tuple[int, Files, list[str]]]]:
        """All statuses, and the files that have come since the last call."""
        files, self._files = self._files, []
        return self._statuses, files


class RayChannel(Channel):
    """From a task to the mailbox. Files are sent from the folder `send_from`, if it is not the coordinator's own."""

    def __init__(self, mailbox: Any, number: int, send_from: Path | None):
        self._mailbox, self._number, self._send_from = mailbox, number, send_from
        self._sent: dict[str, tuple[float, int]] = {}
        """Time of change and size of each file when it was last sent."""
        self._next = time.monotonic() + SEND_SECONDS

    def report(self, status: Status) -> int | None:
        if status.end:
            self._send()
        return _ray().get(self._mailbox.report.remote(self._number, status.plain()))

    def evaluates(self, round: int, due: bool) -> bool:
        return _ray().get(self._mailbox.evaluates.remote(round, due))

    def send_files(self, trainer: Trainer) -> None:
        if time.monotonic() > self._next:
            self._send()
            self._next = time.monotonic() + SEND_SECONDS

    def _send(self) -> None:
        """What has changed in the shard's folder since it was last sent."""
        if self._send_from is None:
            return
        # Whoever has a journal that is newer than its weights resumes from the older weights, which is fine.
        files: Files = {}
        for path in sorted(self._send_from.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                name, state = str(path.relative_to(self._send_from)), path.stat()
                if self._sent.get(name) != (state.st_mtime, state.st_size):
                    files[name] = path.read_bytes()
                    self._sent[name] = state.st_mtime, state.st_size
        weights = [path.name for path in (self._send_from / "weights").glob("*.safetensors")]
        _ray().get(self._mailbox.keep.remote(self._number, files, weights))


class RayWorkers(Workers):
    """The tasks of one run. A cluster that is running is joined, else one is started on this machine."""

    def __init__(self, plan: ShardPlan):
        ray = _ray()
        self._folders = [shard.folder for shard in plan.shards]
        self._started_ray = not ray.is_initialized()
        if self._started_ray:
            ray.init(log_to_driver=False, logging_level="ERROR", include_dashboard=False)
        self._token = uuid.uuid4().hex
        self._tokens = sorted({folder.with_name(TOKEN) for folder in self._folders})
        for token in self._tokens:
            write_atomically(token, lambda path: path.write_text(self._token))
        on_this_host = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self._mailbox = ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=on_this_host).remote()
        self._tasks: dict[int, Any] = {}
        self.n_workers = len(plan.shards)  # those that find no free cores wait in Ray's queue
        self.where = f"Ray, {len(ray.nodes())} host{'s' * (len(ray.nodes()) > 1)}"

    def start(self, shard: Shard, job: Job) -> None:
        ray = _ray()
        ray.get(self._mailbox.forget.remote(shard.number))
        gpus = 1 if job.device.startswith("cuda") else 0
        task = ray.remote(train_shard).options(num_cpus=job.threads, num_gpus=gpus, max_retries=0)
        files = _files_in(shard.folder)
        self._tasks[shard.number] = task.remote(
            job.plain(), shard.number, str(shard.folder.resolve()), self._token, files, self._mailbox
        )

    def status(self, shard: Shard) -> Status | None:
        statuses, sent = _ray().get(self._mailbox.collect.remote())
        for number, files, weights in sent:
            _keep(self._folders[number], files, weights)
        return Status(**statuses[shard.number]) if shard.number in statuses else None

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
        return Exit("the end of its task", died=False)

    def stop(self, round: int) -> None:
        _ray().get(self._mailbox.stop.remote(round))

    def shut_down(self) -> None:
        ray = _ray()
        if not ray.is_initialized():
            return
        tasks = list(self._tasks.values())
        if tasks:
            ray.wait(tasks, num_returns=len(tasks), timeout=EXIT_SECONDS)
        for task in tasks:
            ray.cancel(task, force=True)
        ray.kill(self._mailbox)
        for token in self._tokens:
            token.unlink(missing_ok=True)
        if self._started_ray:
            ray.shutdown()


def train_shard(job: dict[str, Any], number: int, folder: str, token: str, files: Files, mailbox: Any) -> None:
    """A task: train a shard in the coordinator's folder where this host sees it, else in one of this host's own."""
    shared = Path(folder)
    written = shared.with_name(TOKEN)
    if written.is_file() and written.read_text() == token:
        work(Job(**job), shared, RayChannel(mailbox, number, None))
        return
    home = Path(tempfile.mkdtemp(prefix="sparring-"))
    try:
        own = home / shared.name
        for name, content in files.items():
            write_atomically(own / name, lambda path, content=content: path.write_bytes(content))
        work(Job(**job), own, RayChannel(mailbox, number, own))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _keep(folder: Path, files: Files, weights: list[str]) -> None:
    """Write a shard's files: the weights before the journal that names them. Checkpoints that are gone there go."""
    for name in sorted(files, key=lambda name: name == "journal.jsonl"):
        write_atomically(folder / name, lambda path, name=name: path.write_bytes(files[name]))
    for old in (folder / "weights").glob("*.safetensors"):
        if old.name not in weights:
            old.unlink(missing_ok=True)


def _files_in(folder: Path) -> Files:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def check_installed() -> None:
    """Raise it before anything is begun rather than after."""
    _ray()


def _ray() -> Any:
    """Raises SparringError where Ray is not installed."""
    try:
        importlib.import_module("ray.util.scheduling_strategies")
        return importlib.import_module("ray")
    except ImportError as error:
        raise SparringError("--on ray needs Ray: pip install 'sparring[cluster]'") from error
