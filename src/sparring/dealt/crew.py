"""Who trains parts for a leader. A crew starts work, says how it goes, and passes on when to stop."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass

from sparring.dealt.deal import Deal, Order, Part
from sparring.dealt.part import heard
from sparring.dealt.sitting import Standing
from sparring.record import write_whole

PATIENCE_SECONDS = 30.0
"""For a process to end its round and save, once it was told to."""


@dataclass(frozen=True)
class Ended:
    """How the work on a part ended, where its process has not told so itself."""

    why: str
    died: bool
    """Whether the process was lost, so that doing the work again may help."""


class Crew(ABC):
    """Processes that train parts."""

    hands: int
    """Parts that are trained side by side."""
    where: str = ""
    """What they run on, in words, if not this machine."""

    @abstractmethod
    def start(self, part: Part, order: Order) -> None:
        """Train a part, from its last checkpoint if it has one."""

    @abstractmethod
    def standing(self, part: Part) -> Standing | None:
        """What was last told of it since it was started."""

    @abstractmethod
    def ended(self, part: Part) -> Ended | None:
        """None while somebody is at work on it."""

    @abstractmethod
    def stop(self, round: int) -> None:
        """Ask all to save and end after this round, or after the one in progress where that is past it."""

    @abstractmethod
    def leave(self) -> None:
        """Nobody is at work any more after this."""


class Local(Crew):
    """Processes of this machine, which tell how far they are through files in the run's folder."""

    def __init__(self, deal: Deal, hands: int):
        self.hands = min(hands, len(deal.parts))
        self._stop = deal.folder / "parts" / "stop"
        self._stop.unlink(missing_ok=True)
        self._started: dict[int, tuple[Part, subprocess.Popen[bytes]]] = {}

    def start(self, part: Part, order: Order) -> None:
        place = part.folder.with_suffix(".order")
        write_whole(place, lambda path: path.write_text(json.dumps(order.plain()), encoding="utf-8"))
        part.folder.with_suffix(".json").unlink(missing_ok=True)
        # A session of its own: Ctrl-C in the terminal reaches the leader alone, who asks all to stop together.
        with part.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "sparring.dealt.part", str(place), str(part.folder)],
                env={**os.environ, "OMP_NUM_THREADS": str(order.threads)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started[part.number] = part, process

    def standing(self, part: Part) -> Standing | None:
        return heard(part.folder) if part.number in self._started else None

    def ended(self, part: Part) -> Ended | None:
        code = self._started[part.number][1].poll()
        if code is None:
            return None
        if code < 0:
            return Ended(f"signal {-code} ({signal.strsignal(-code)})", died=True)
        said = part.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return Ended(said[-1] if said else f"exit status {code}", died=False)

    def stop(self, round: int) -> None:
        write_whole(self._stop, lambda path: path.write_text(str(round)))

    def leave(self) -> None:
        for _, process in self._started.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()  # it saves first
        for _, process in self._started.values():
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
