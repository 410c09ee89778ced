"""Settings of the machine: threads, cores, OpenMP, the memory allocator, and torch's global random generator.

Nothing here changes what is computed. torch is imported inside the functions that need it, because OpenMP has to be set
up before torch is loaded; the other imports are few, because `import sparring` loads this module.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparring.errors import UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import torch

SPIN_COUNT = "10000"
"""Turns of the loop in which an OpenMP thread waits for work before it sleeps; libgomp's own default is 300,000."""
MALLOPT = {-4: 0, -1: 2**31 - 1, -2: 64 * 2**20}
"""glibc's `mallopt` settings. M_MMAP_MAX: no allocation gets a mapping of its own; M_TRIM_THRESHOLD: free bytes above
which the heap shrinks; M_TOP_PAD: bytes by which the heap grows."""
LOAD_SAMPLES, LOAD_INTERVAL = 7, 0.01
"""How often the number of running tasks is read, and the seconds between two readings."""


def limit_openmp_spinning() -> None:
    """Make OpenMP threads sleep soon when they wait, unless the user has set `GOMP_SPINCOUNT` already.

    Threads that spin long while they wait starve each other when other work shares the cores: training then takes up to
    50 times as long. A short spin costs nothing when the cores are free.

    libgomp reads the variable once, when torch is loaded, so `sparring/__init__.py` calls this at import. It therefore
    holds for the command and for every program that imports `sparring` before `torch`. In a program that imported torch
    first, the threads of that process keep libgomp's default (set `GOMP_SPINCOUNT=10000` in the shell to change it);
    processes that it starts inherit the variable and have the short spin.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)


def resolve_device(name: Any) -> str:
    """The device that a name stands for on this machine.

    Args:
        name: `auto` (a CUDA GPU, else an Apple GPU, else the CPU), `cpu`, `cuda`, `cuda:1`, `mps`, or `gpu` (any GPU);
            also a `torch.device`, or the number of a CUDA GPU.

    Returns:
        A name that torch knows.

    Raises:
        UsageError: There is no such device here; the message says what there is.
    """
    import torch

    here = ["cpu"]
    if torch.cuda.is_available():
        here += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        here.append("mps")
    gpus = here[1:]
    name = f"cuda:{name}" if isinstance(name, int) and not isinstance(name, bool) else str(name).lower()
    if name == "auto" or (name == "gpu" and gpus):
        return gpus[0] if gpus else "cpu"
    if name not in here:
        without = name.startswith(("cuda", "gpu")) and torch.version.cuda is None
        why = f" (torch {torch.__version__} is built without CUDA)" if without else ""
        raise UsageError(
            f"torch finds no device {name!r} here, only {', '.join(here)}{why}; the device 'auto' is the best there is"
        )
    return name


def wait_for(device: torch.device) -> None:
    """Return once the device has computed everything that it was given: a GPU computes on while Python does."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def cores() -> int:
    """Processor cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not have it
        return os.cpu_count() or 1


def idle_cores() -> int:
    """Cores that no other task is running on right now, at least 1; all of them where the system does not report it."""
    try:
        running: list[int] = []
        for _ in range(LOAD_SAMPLES):
            running.append(int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0]))
            time.sleep(LOAD_INTERVAL)
    except (OSError, ValueError, IndexError):
        return cores()
    others = sorted(running)[LOAD_SAMPLES // 2] - 1  # one of the running tasks is this process
    return max(1, cores() - max(0, others))


@contextmanager
def threads_set(count: int) -> Generator[None]:
    """Run a block with `count` torch threads, then restore the previous number."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def reproducible_kernels() -> Generator[None]:
    """Run a block in which a GPU's convolutions give the same bits every time, in float32, then restore the settings.

    cuDNN's fastest kernels add in the order in which threads finish, and round float32 to ten bits (TF32): after twenty
    rounds of `mnist-reference` on an H200, a member trained alone differed from the same member in a population by 3 %
    of what it had learned. Without CUDA nothing changes.
    """
    import torch

    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32
    cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32 = True, False, False
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32 = before


def keep_freed_memory() -> None:
    """Keep memory that a round frees in this process, because the next round needs as much.

    By default glibc returns large allocations to the system, which hands them out again page by page, zeroed. Does
    nothing on systems without glibc.
    """
    import ctypes
    import platform

    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        for setting, value in MALLOPT.items():
            mallopt(setting, value)


def preserving_torch_rng() -> AbstractContextManager[None]:
    """Run a block that may draw from torch's global CPU generator, then restore the generator's state."""
    import torch

    return torch.random.fork_rng(devices=[])
