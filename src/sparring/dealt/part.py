"""What a process does that trains one part of a run: `python -m sparring.dealt.part ORDER FOLDER`."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

from sparring.dealt.deal import Order
from sparring.dealt.sitting import Standing
from sparring.errors import SparringError
from sparring.trainer import Trainer, Watcher, Whole, train

TOLD_SECONDS = 0.4
"""How often a part tells how far it is."""


class Line(ABC):
    """How a part's process reaches whoever leads."""

    @abstractmethod
    def tell(self, standing: Standing) -> int | None:
        """How far the part is; the answer is the round to stop after, if it is to stop."""

    @abstractmethod
    def agree(self, round: int, due: bool) -> bool:
        """Whether samples are looked at in this round: the first part to ask decides for all, so that all look."""

    def saved(self, trainer: Trainer) -> None:  # noqa: B027 - where folders are shared there is nothing to do
        """Called as often as `tell`: checkpoints may be sent."""


class SharedFolder(Line):
    """Through files beside the part's folder."""

    def __init__(self, folder: Path):
        self._told = folder.with_suffix(".json")
        self._stop = folder.with_name("stop")
        self._looks = folder.with_name("looks")

    def tell(self, standing: Standing) -> int | None:
        partial = self._told.with_name(f".{self._told.name}.partial")
        partial.write_text(json.dumps(standing.plain()), encoding="utf-8")
        partial.replace(self._told)
        try:
            return int(self._stop.read_text())
        except (OSError, ValueError):
            return None

    def agree(self, round: int, due: bool) -> bool:
        self._looks.mkdir(exist_ok=True)
        decision = self._looks / f"round-{round:09d}"
        try:
            with decision.open("x") as file:
                file.write("yes" if due else "no")
        except FileExistsError:
            told = decision.read_text()
            return told == "yes" if told else due
        return due


def heard(folder: Path) -> Standing | None:
    """What a part has last told through its folder."""
    try:
        return Standing(**json.loads(folder.with_suffix(".json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def work(order: Order, folder: Path, line: Line, watchers: tuple[Watcher, ...] = ()) -> Standing:
    """Train a part, or go on with it, until it is done or stopped. Returns, and tells, how it ended; raises nothing."""
    last = Standing()
    due = 0.0

    def watch(trainer: Trainer) -> None:
        nonlocal last, due
        now = time.monotonic()
        if now < due:
            return
        due = now + TOLD_SECONDS
        last = Standing.of(trainer)
        stop = line.tell(last)
        line.saved(trainer)
        if stop is not None:
            trainer.until = min(stop, trainer.until)

    try:
        run = train(
            order.made(),
            folder,
            data_dir=order.data_dir,
            device=order.device,
            threads=order.threads,
            watchers=(watch, *watchers),
            probing=order.probing,
            compile=order.compile,
            whole=Whole(order.members, line.agree),
        )
    except SparringError as error:
        ended = dataclasses.replace(last, end="failed", error=str(error))
    else:
        story = run.story
        ended = dataclasses.replace(
            last,
            round=story.round,
            seconds=story.seconds,
            lost=len(story.diverged),
            end="finished" if story.status == "finished" else "stopped",
        )
    line.tell(ended)
    return ended


def main() -> None:
    """The process that a leader on this machine starts. It stops, and saves, when that is gone."""
    order, folder = Path(sys.argv[1]), Path(sys.argv[2])
    leader = os.getppid()

    def with_its_leader(trainer: Trainer) -> None:
        if os.getppid() != leader:
            trainer.stopping = True

    held = Order(**json.loads(order.read_text(encoding="utf-8")))
    ended = work(held, folder, SharedFolder(folder), (with_its_leader,))
    sys.exit(1 if ended.end == "failed" else 0)


if __name__ == "__main__":
    main()
