"""Ctrl-C: a line within a second, an end within five, and no compiler left behind.

Python handles a signal between two of its own instructions only, so a long computation would notice Ctrl-C late. The
command therefore has a guard, a thread that receives every signal at once. It says what happens now, and where the main
thread has not come to an end in LIMIT_SECONDS, or is interrupted a second time, it ends the process. Files are written
so that this does no harm at any instant.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

LIMIT_SECONDS = 4.5
"""From the first Ctrl-C to the end of the process, at most."""
SAVING_SECONDS = 60.0
"""The same while a checkpoint is being written: to lose it for the last second would be a pity."""
QUIET_SECONDS = 0.4
"""After which the guard says something where nothing else has been said."""
STATUS = 130
"""Exit status of a process that was ended by Ctrl-C."""
STOP = (signal.SIGINT, signal.SIGTERM)

_SHOW_CURSOR = b"\x1b[?25h"


@dataclass
class _State:
    """What the guard needs to know of the rest of the process."""

    guarded: bool = False
    words: Callable[[], str] = lambda: ""
    """Gives what to say at the first Ctrl-C; nothing where it is not known what comes of it."""
    last_words: str = "ended at once; what was saved before is kept"
    """What to say when the process is ended."""
    saving: int = 0
    """Writers that should not be cut short."""
    children: set[subprocess.Popen[Any]] = field(default_factory=set[subprocess.Popen[Any]])


_state = _State()


@contextmanager
def when_stopped(words: Callable[[], str]) -> Generator[None]:
    """What is said at once when Ctrl-C is pressed in this block; nothing where it is empty."""
    before, _state.words = _state.words, words
    try:
        yield
    finally:
        _state.words = before


@contextmanager
def when_ended(words: str) -> Generator[None]:
    """What is said when the process is ended in this block."""
    before, _state.last_words = _state.last_words, words
    try:
        yield
    finally:
        _state.last_words = before


def announce() -> None:
    """Say it, where no guard does: called by those who handle the signal themselves, in a program of the user's own."""
    if not _state.guarded and (words := _state.words()):
        _say(words)


@contextmanager
def saving() -> Generator[None]:
    """A block that writes what should not be lost: it is given more time to end than other work."""
    _state.saving += 1
    try:
        yield
    finally:
        _state.saving -= 1


def start_child(command: Sequence[str], **settings: Any) -> subprocess.Popen[Any]:
    """Start a process that the guard ends with this one, together with all that it has started.

    It has a session of its own, so that Ctrl-C in the terminal does not reach it. `settings` are those of `Popen`.
    Whoever starts it calls `end_child` in every case.
    """
    process = subprocess.Popen(list(command), start_new_session=True, **settings)
    _state.children.add(process)
    return process


def end_child(process: subprocess.Popen[Any]) -> None:
    """End a child and all that it has started, if it runs still."""
    _kill(process)
    process.wait()
    _state.children.discard(process)


def start_guard() -> None:
    """Start the guard of this process, which must be the command's own: it may end it."""
    if _state.guarded:
        return
    received, wakes = socket.socketpair()
    wakes.setblocking(False)
    try:
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    except ValueError:  # not the main thread
        return
    _state.guarded = True
    threading.Thread(target=_watch, args=(received, wakes), daemon=True, name="ctrl-c").start()


def _watch(received: socket.socket, wakes: socket.socket) -> None:
    """Wait for the first signal that asks to stop, then for the second one or for the time to be over."""
    while not _asks_to_stop(received):
        pass
    began, said, words = time.monotonic(), False, _state.words()
    received.settimeout(0.05)
    while (elapsed := time.monotonic() - began) < (SAVING_SECONDS if _state.saving else LIMIT_SECONDS):
        if not said and (words or elapsed > QUIET_SECONDS):
            said = True
            _say(words or "interrupted: stopping (Ctrl-C again ends at once)")
        if _asks_to_stop(received):
            break
    for process in tuple(_state.children):
        _kill(process)
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), _SHOW_CURSOR + b"\n")
    with contextlib.suppress(OSError):
        os.write(2, f"sparring: {_state.last_words}\n".encode())
    os._exit(STATUS)


def _asks_to_stop(received: socket.socket) -> bool:
    try:
        return any(number in STOP for number in received.recv(16))
    except TimeoutError:
        return False


def _say(words: str) -> None:
    from sparring.progress import say  # loads rich, which takes longer than starting the guard

    say(words)


def _kill(process: subprocess.Popen[Any]) -> None:
    """Its whole group: a compiler that it started, too."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
