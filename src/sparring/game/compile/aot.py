"""A round that was written down, compiled by torch and kept in the user's cache.

torch's ahead-of-time compiler makes a library of it, which torch's own runner calls. Where several threads are to play
at once, its functions are called directly: the runner holds the interpreter's lock for as long as the code runs.
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
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pooch
import torch
from torch import Tensor

from sparring.errors import SparringError

if TYPE_CHECKING:
    from sparring.game.compile.tracer import Code, Traced

ASKS_TORCH = b"aoti_torch_proxy_executor_call_function"
"""In code that leaves an operation to torch, which only torch's own runner can have done."""


class UncompilableError(Exception):
    """Why a round is not compiled, in a few words."""


def machine_code(traced: Traced, at_once: int = 1) -> Code:
    """A round's machine code, for so many threads at once: what is kept, or else compiled now and kept."""
    library = library_of(traced)
    if not library.exists():
        _build(traced, library)
    if at_once > 1:
        return _Unlocked(library, at_once)
    from torch._C._aoti import AOTIModelContainerRunnerCpu

    return AOTIModelContainerRunnerCpu(str(library), 1).run


class _Unlocked:
    """Code that several threads call at once, through the functions of torch's `aoti_runtime/interface.h`."""

    def __init__(self, library: Path, at_once: int):
        from torch._C._aoti import alloc_tensors_by_stealing_from_void_ptrs, unsafe_alloc_void_ptrs_from_tensors

        if ASKS_TORCH in library.read_bytes():
            raise UncompilableError("several threads cannot play it at once")
        self._lend, self._take = unsafe_alloc_void_ptrs_from_tensors, alloc_tensors_by_stealing_from_void_ptrs
        self._library = ctypes.CDLL(str(library))
        self._run = self._library.AOTInductorModelContainerRun
        self._run.argtypes = _handle, _handle, _number, _handle, _number, _handle, _handle
        self._container, outputs = _handle(), _number()
        made = self._library.AOTInductorModelContainerCreateWithDevice(
            ctypes.byref(self._container), _number(at_once), b"cpu", None
        )
        if made or self._library.AOTInductorModelContainerGetNumOutputs(self._container, ctypes.byref(outputs)):
            raise UncompilableError("its code cannot be loaded")
        self._outputs = outputs.value

    def __call__(self, inputs: list[Tensor]) -> Sequence[Tensor]:
        lent = (_handle * len(inputs))(*[_address(each, None) for each in self._lend(inputs)])  # they become the code's
        made = (_handle * self._outputs)()
        if self._run(self._container, lent, len(inputs), made, self._outputs, None, None):
            raise SparringError("a compiled round failed: train with --no-compile")
        return self._take([_capsule(each, None, None) for each in made]) if self._outputs else []

    def __del__(self) -> None:
        if getattr(self, "_container", None):
            self._library.AOTInductorModelContainerDelete(self._container)


_handle, _number = ctypes.c_void_p, ctypes.c_size_t
_address = ctypes.PYFUNCTYPE(_handle, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))
_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, _handle, ctypes.c_char_p, _handle)(("PyCapsule_New", ctypes.pythonapi))


# What is kept.


def kept_at() -> Path:
    """The folder of compiled rounds."""
    return Path(pooch.os_cache("sparring")) / "compiled"


def library_of(traced: Traced) -> Path:
    """Where a round's machine code lies, or is to lie."""
    return kept_at() / _digest(traced.text) / "round.so"


def known(name: str, members: int) -> Path:
    """A file that is there when code for a game of this name with so many members is kept."""
    return kept_at() / "known" / _digest(name, members)


def forget(traced: Traced) -> None:
    """Keep that round's code no longer."""
    shutil.rmtree(library_of(traced).parent, ignore_errors=True)


def _digest(*what: Any) -> str:
    decided_by = [*what, torch.get_num_threads(), *_machine()]
    return hashlib.blake2b(json.dumps(decided_by).encode(), digest_size=12).hexdigest()


@cache
def _machine() -> tuple[str, ...]:
    capability = torch.backends.cpu.get_cpu_capability()
    return version("sparring"), version("torch"), platform.machine(), capability, str(compiler())


def compiler() -> str | None:
    """The C++ compiler, if there is one."""
    named = os.environ.get("CXX")
    return shutil.which(named) if named else shutil.which("g++") or shutil.which("clang++")


def _build(traced: Traced, library: Path) -> None:
    if compiler() is None:
        raise UncompilableError("there is no C++ compiler (g++ or clang++)")
    import torch._inductor
    from torch._inductor.exc import InductorError

    library.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent.parent) as folder:
        made = Path(folder) / "made"
        made.mkdir()
        settings: dict[str, Any] = {"aot_inductor.output_path": str(made / library.name)}
        settings |= {"size_asserts": False, "alignment_asserts": False}
        examples = tuple(t.detach() for t in traced.inputs)
        graph = traced.for_the_compiler()
        try:
            torch._inductor.aot_compile(graph, examples, options=settings)
        except InductorError as error:
            if "KeyError: 'buf" not in str(error):
                raise
            with _without_outer_loops():
                torch._inductor.aot_compile(graph, examples, options=settings)
        with suppress(OSError):  # somebody else was faster
            made.rename(library.parent)


@contextmanager
def _without_outer_loops() -> Generator[None]:
    """Torch's compiler trips over outer loops that it shares out (pytorch#196570, open); without them it does not."""
    from torch._inductor.codegen.cpp import CppScheduling

    sharing = CppScheduling.can_fuse_vertical_outer_loop
    CppScheduling.can_fuse_vertical_outer_loop = lambda self, node1, node2: False
    try:
        yield
    finally:
        CppScheduling.can_fuse_vertical_outer_loop = sharing
