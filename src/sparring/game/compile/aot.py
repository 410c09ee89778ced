"""A traced round, compiled ahead of time (AOT) by torch and cached in the user's cache folder.

AOTInductor makes a shared library of it, which torch's own runner calls. Where several threads play at once, the
library's functions are called directly instead, because the runner holds Python's global lock while the code runs.
"""

# torch's runner of such libraries has a private name and no types.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pooch
import torch
from filelock import FileLock, Timeout
from torch import Tensor

from sparring.errors import SparringError
from sparring.game.compile.builder import Build
from sparring.game.compile.errors import UncompilableError

if TYPE_CHECKING:
    from sparring.game.compile.tracer import Code, Traced

LOOK_SECONDS = 0.5
"""Between two looks whether another process has compiled what this one waits for."""
NEEDS_RUNNER = b"aoti_torch_proxy_executor_call_function"
"""A symbol in libraries that call an operation of torch's, for which they need torch's own runner."""


def load_or_compile(traced: Traced, at_once: int = 1) -> Code:
    """A round's compiled code, from the cache or else compiled now and cached.

    Args:
        traced: The round.
        at_once: How many threads will call the code at the same time.

    Raises:
        UncompilableError: There is no C++ compiler, or the code cannot be called by several threads.
    """
    library = library_path(traced)
    if not library.exists():
        _compile(traced)
    if at_once > 1:
        return _Unlocked(library, at_once)
    from torch._C._aoti import AOTIModelContainerRunnerCpu

    return AOTIModelContainerRunnerCpu(str(library), 1).run


class _Unlocked:
    """Code that several threads call at once, through the C functions of torch's `aoti_runtime/interface.h`."""

    def __init__(self, library: Path, at_once: int):
        from torch._C._aoti import alloc_tensors_by_stealing_from_void_ptrs, unsafe_alloc_void_ptrs_from_tensors

        if NEEDS_RUNNER in library.read_bytes():
            raise UncompilableError("several threads cannot run it at once")
        self._to_handles, self._from_handles = (
            unsafe_alloc_void_ptrs_from_tensors,
            alloc_tensors_by_stealing_from_void_ptrs,
        )
        self._library = ctypes.CDLL(str(library))
        self._run = self._library.AOTInductorModelContainerRun
        self._run.argtypes = _handle, _handle, _number, _handle, _number, _handle, _handle
        self._container, outputs = _handle(), _number()
        failed = self._library.AOTInductorModelContainerCreateWithDevice(
            ctypes.byref(self._container), _number(at_once), b"cpu", None
        )
        if failed or self._library.AOTInductorModelContainerGetNumOutputs(self._container, ctypes.byref(outputs)):
            raise UncompilableError("the compiled library cannot be loaded")
        self._outputs = outputs.value

    def __call__(self, inputs: list[Tensor]) -> Sequence[Tensor]:
        # The library takes ownership of the inputs' handles.
        handles = (_handle * len(inputs))(*[_address(each, None) for each in self._to_handles(inputs)])
        outputs = (_handle * self._outputs)()
        if self._run(self._container, handles, len(inputs), outputs, self._outputs, None, None):
            raise SparringError("a compiled round failed: train with --no-compile")
        return self._from_handles([_capsule(each, None, None) for each in outputs]) if self._outputs else []

    def __del__(self) -> None:
        if getattr(self, "_container", None):
            self._library.AOTInductorModelContainerDelete(self._container)


_handle, _number = ctypes.c_void_p, ctypes.c_size_t
_address = ctypes.PYFUNCTYPE(_handle, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))
_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, _handle, ctypes.c_char_p, _handle)(("PyCapsule_New", ctypes.pythonapi))


# The cache.


def cache_dir() -> Path:
    """The folder of compiled rounds."""
    return Path(pooch.os_cache("sparring")) / "compiled"


def library_path(traced: Traced) -> Path:
    """Where a round's compiled library is cached, or will be."""
    return cache_dir() / _digest(traced.text) / "round.so"


def decision_file(name: str, members: int) -> Path:
    """Where it is kept whether a game of this name is compiled, played in groups of `members`."""
    return cache_dir() / "decisions" / f"{_digest(name, members)}.json"


def history_file() -> Path:
    """Where it is kept how long the compiler took on this machine."""
    return cache_dir() / f"history-{_digest()}.json"


def discard(traced: Traced) -> None:
    """Remove a round's code from the cache."""
    shutil.rmtree(library_path(traced).parent, ignore_errors=True)


def _digest(*parts: Any) -> str:
    depends_on = [*parts, torch.get_num_threads(), *_machine()]
    return hashlib.blake2b(json.dumps(depends_on).encode(), digest_size=12).hexdigest()


@cache
def _machine() -> tuple[str, ...]:
    capability = torch.backends.cpu.get_cpu_capability()
    return version("sparring"), version("torch"), platform.machine(), capability, str(compiler())


def compiler() -> str | None:
    """The path of the C++ compiler, if there is one: `$CXX`, g++ or clang++."""
    chosen = os.environ.get("CXX")
    return shutil.which(chosen) if chosen else shutil.which("g++") or shutil.which("clang++")


_started: dict[Path, tuple[Build, FileLock]] = {}
"""Libraries that this process compiles; the lock keeps other processes from it."""


@contextmanager
def compiling_at_once(rounds: Sequence[Traced]) -> Generator[None]:
    """Compile the code of rounds side by side, from the beginning of this block on; it is loaded in the block.

    What has not been loaded at the end of the block is no longer wanted.
    """
    try:
        for traced in rounds:
            _start(traced)
        yield
    finally:
        for library in [*_started]:
            _end(library)


def _start(traced: Traced) -> Build | None:
    """Begin to compile a round; None where another process does, such as one with other seeds of the same run."""
    library = library_path(traced)
    if library not in _started:
        library.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(library.with_suffix(".lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        except (OSError, NotImplementedError):
            pass  # a file system without locks: processes compile the same side by side
        try:
            _started[library] = Build(traced.graph.graph, traced.inputs, library), lock
        except BaseException:
            lock.release()  # else the other processes would wait for as long as this one lives
            raise
    return _started[library][0]


def _end(library: Path) -> None:
    build, lock = _started.pop(library)
    build.cancel()
    with suppress(OSError):
        Path(lock.lock_file).unlink()  # a process that waits for it makes a new one
    lock.release()


def _compile(traced: Traced) -> None:
    """Compile a round, or wait until it is compiled, by this process or by another."""
    if compiler() is None:
        raise UncompilableError("there is no C++ compiler (g++ or clang++)")
    library = library_path(traced)
    while not library.exists():
        build = _start(traced)
        if build is None:
            time.sleep(LOOK_SECONDS)
            continue
        try:
            if not library.exists():  # another process has finished it between the two looks
                build.finish()
        finally:
            _end(library)
