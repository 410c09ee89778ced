"""Pictures of the plane for the pages: from a run's checkpoints, or from the training that draws them itself."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparring.analysis.followed import FollowedRun
from sparring.analysis.planar import data_file, plane_file, planes_drawn, why_not
from sparring.errors import SparringError
from sparring.explorer.frames import frame
from sparring.explorer.session import DRAWINGS, MODES, Session
from sparring.explorer.steering import watch

if TYPE_CHECKING:
    from sparring.analysis.plane import Plane, Planes

MAX_GAMES = 3
"""Runs whose networks stay in memory."""
WATCH_SECONDS = 20.0
"""For how long a training is asked to draw; it is asked again while a page is open."""
MAX_BYTES = 2**26
"""Of a checkpoint that is read."""


class PlaneReader:
    """What pages show of runs of points in the plane. Nothing of a run is executed."""

    def __init__(self, session: Session):
        self._session = session
        self._games: OrderedDict[tuple[Path, str], Planes] = OrderedDict()
        self._asked: dict[Path, float] = {}
        self._lock = threading.Lock()

    def why_not(self, recipe: Mapping[str, Any]) -> str:
        """The key of the sentence that says why a run cannot be drawn; empty where it can be."""
        file = data_file(recipe)
        roots = [*self._session.opened.roots, self._session.new_runs / DRAWINGS]
        if file is not None and not any(file.resolve().is_relative_to(root) for root in roots):
            return "no-plane-data"
        return why_not(recipe)

    def plane(self, followed: FollowedRun, round: int | None) -> bytes:
        """The picture nearest to a round that is not after it; for None the newest that there is."""
        if missing := self.why_not(followed.recipe):
            return frame({"round": None, "missing": missing}, {})
        if followed.status in MODES:
            self._ask(followed)
        upto = self._newest(followed) if round is None else round
        drawn = planes_drawn(followed.run.path)
        found = self._found(followed, upto, drawn)
        if found is None:
            return frame({"round": None, "missing": "no-plane-yet"}, {})
        facts = {"round": found.round, "extent": found.extent, "level": found.level, "drawn": drawn}
        return frame(facts, {name: array.astype("float32") for name, array in found.arrays.items()})

    def _ask(self, followed: FollowedRun) -> None:
        """Have a training draw for a while, unless it was asked a moment ago."""
        path, now = followed.run.path, time.monotonic()
        if now - self._asked.get(path, -WATCH_SECONDS) > WATCH_SECONDS / 2:
            self._asked[path] = now
            watch(followed.run, WATCH_SECONDS, plane=True)

    def _newest(self, followed: FollowedRun) -> int:
        """What a training has drawn may be newer than what it has logged."""
        drawn = planes_drawn(followed.run.path) if followed.status in MODES else []
        return max([followed.round, *drawn])

    def _found(self, followed: FollowedRun, upto: int, drawn: list[int]) -> Plane | None:
        """The newest picture up to a round: one that the training has drawn, or that of a checkpoint."""
        from sparring.analysis.plane import Plane

        saved = {at: path for at, path in followed.run.rounds_saved().items() if at <= upto}
        newest = max((at for at in drawn if at <= upto), default=-1)
        if newest >= 0 and newest >= max(saved, default=-1):
            name = plane_file(followed.run.path, newest).relative_to(followed.run.path)
            return Plane.read(self._session.opened.file(followed.run, str(name)))
        return self._of_checkpoint(followed, saved) if saved else None

    def _of_checkpoint(self, followed: FollowedRun, saved: Mapping[int, Path]) -> Plane:
        from sparring.analysis.plane import planes_of

        at = max(saved)
        if saved[at].stat().st_size > MAX_BYTES:
            raise SparringError(f"{saved[at].name} is too large for a game of points")
        checkpoint = followed.run.load_file(saved[at])
        key = followed.run.path, str(followed.recipe)
        with self._lock:
            planes = self._games.pop(key, None) or planes_of(followed.recipe)
            self._games[key] = planes
            while len(self._games) > MAX_GAMES:
                self._games.popitem(last=False)
            try:
                return planes.at(at, checkpoint)
            except (KeyError, RuntimeError, ValueError) as error:
                raise SparringError(f"{saved[at].name} does not fit the run's recipe") from error
