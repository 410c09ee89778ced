"""The program that compiles one traced round: `python -m sparring.game.compile.builder FOLDER`.

It is a process of its own so that Ctrl-C ends it at once, whatever the compiler is doing, together with the compilers
that it has started. It ends by itself when the process that it works for is gone.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.func import functionalize
from torch.fx import Graph, GraphModule

from sparring.errors import in_one_line
from sparring.game.compile.errors import UncompilableError
from sparring.interruption import end_child, start_child

REQUEST, LIBRARY, FAILURE = "request.json", "round.so", "failure.txt"
SETTINGS: dict[str, Any] = {"size_asserts": False, "alignment_asserts": False}
"""Of torch's compiler."""
LOOK_SECONDS = 0.5
"""Between two looks whether the process that it works for is still there."""


# The side that asks.


class Build:
    """A graph that is compiled into a shared library, in another process, from when this is made.

    Args:
        graph: Takes `inputs`, updates some of them in place, and returns tensors.
        inputs: Of which shapes, strides and types matter.
        library: Where the library is to be; its folder exists already.
    """

    def __init__(self, graph: Graph, inputs: Sequence[Tensor], library: Path):
        self._home = tempfile.TemporaryDirectory(dir=library.parent)
        self._folder, self._library = Path(self._home.name), library
        request = {
            "code": graph.python_code("self").src,
            "inputs": [[list(t.shape), list(t.stride()), str(t.dtype).removeprefix("torch.")] for t in inputs],
            "threads": torch.get_num_threads(),
            "settings": SETTINGS,
        }
        (self._folder / REQUEST).write_text(json.dumps(request), encoding="utf-8")
        command = [sys.executable, "-m", "sparring.game.compile.builder", str(self._folder)]
        with (self._folder / "log.txt").open("wb") as log:
            self._process = start_child(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def finish(self) -> None:
        """Wait until the library is there. Raises UncompilableError, with the reason, where the compiler fails."""
        try:
            status = self._process.wait()
            if status:
                raise UncompilableError(self._failure(status))
            (self._folder / LIBRARY).replace(self._library)
        finally:
            self.cancel()

    def cancel(self) -> None:
        """End it, and leave nothing behind. It may have ended already."""
        end_child(self._process)
        self._home.cleanup()

    def _failure(self, status: int) -> str:
        try:
            return (self._folder / FAILURE).read_text(encoding="utf-8")
        except OSError:
            return f"the compiler ended with status {status}"


# The program.


def main() -> None:
    """Compile what the folder's request asks for."""
    folder = Path(sys.argv[1])
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    try:
        _compile(request, folder / LIBRARY)
    except Exception as error:
        (folder / FAILURE).write_text(in_one_line(error), encoding="utf-8")
        raise


def _end_with(parent: int) -> None:
    """End this process and the compilers that it has started once the process that started it is gone."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    if sys.platform == "win32":
        os._exit(1)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _compile(request: dict[str, Any], library: Path) -> None:
    import torch._inductor
    from torch._inductor.exc import InductorError

    torch.set_num_threads(request["threads"])
    examples = tuple(
        torch.empty_strided(shape, stride, dtype=getattr(torch, dtype)) for shape, stride, dtype in request["inputs"]
    )
    settings: dict[str, Any] = {"aot_inductor.output_path": str(library), **request["settings"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = _for_the_compiler(_function(request["code"]), examples)
        try:
            torch._inductor.aot_compile(graph, examples, options=settings)
        except InductorError as error:
            if "KeyError: 'buf" not in str(error):
                raise
            with _without_outer_loops():
                torch._inductor.aot_compile(graph, examples, options=settings)


def _function(code: str) -> Callable[..., Any]:
    """What a graph's code defines, as a function of its inputs alone."""
    from torch.fx.graph import _custom_builtins  # pyright: ignore[reportPrivateUsage]

    names: dict[str, Any] = {name: each.obj for name, each in _custom_builtins.items()}
    exec(code, names)
    return lambda *inputs: names["forward"](None, *inputs)


def _for_the_compiler(round: Callable[..., Any], examples: Sequence[Tensor]) -> GraphModule:
    """The same graph in the operations that torch's compiler knows, with all in-place updates at the end."""
    from torch._inductor.decomposition import select_decomp_table
    from torch.fx.experimental.proxy_tensor import make_fx

    functional = functionalize(round, remove="mutations")
    return make_fx(functional, tracing_mode="fake", decomposition_table=dict(select_decomp_table()))(*examples)


@contextmanager
def _without_outer_loops() -> Generator[None]:
    """Keep torch's compiler from fusing outer loops, where it would fail with a KeyError (pytorch#196570, open)."""
    from torch._inductor.codegen.cpp import CppScheduling

    original = CppScheduling.can_fuse_vertical_outer_loop
    CppScheduling.can_fuse_vertical_outer_loop = lambda self, node1, node2: False
    try:
        yield
    finally:
        CppScheduling.can_fuse_vertical_outer_loop = original


if __name__ == "__main__":
    main()
