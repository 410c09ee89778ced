"""moves.jsonl in a run's folder: what each move of a slowed or stepped run did, and D's scores for whoever watches.

A line per move or per look, JSON. The file never has more than MAX_LINES lines: older ones are dropped.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from sparring.game.game import Game
from sparring.recipe import Recipe
from sparring.record.files import disk_errors, write_atomically
from sparring.record.journal import json_numbers
from sparring.training.control.planes import Drawn
from sparring.training.scores import MAX_MEMBERS, Outputs, Scores, histograms

REPORTS = "moves.jsonl"
MAX_LINES = 400
KEPT_LINES = 200
"""How many of the newest lines stay when there are too many."""
SHARE = 0.01
"""Of the time spent training, the most that scores for whoever watches may take."""
SECONDS = 0.5
"""Between two of them, at least."""


class Reports:
    """The reports of one session."""

    def __init__(self, folder: Path, recipe: Recipe, game: Game):
        self._path, self._recipe, self._game = folder / REPORTS, recipe, game
        self._scores: Scores | None = None
        self._shown: Outputs | None = None
        """The outputs as they are now, where nothing was played since they were computed."""
        self._lines, self._number = _lines_of(self._path)
        self._watched_until, self._next = 0.0, 0.0
        self.planes = Drawn(folder, recipe, game)
        """Pictures of a game of points."""

    def before_move(self) -> None:
        """Called before a move is played."""
        if self._shown is None:
            self._shown = self._outputs()

    def after_move(self, **fields: Any) -> dict[str, Any]:
        """Called after it. Writes and returns its report: `fields`, what it logged, the scores before and after."""
        before, self._shown = self._shown, self._outputs()
        assert before is not None
        self.planes.draw(at_once=True)
        logged = {n: json_numbers(v[-1][:MAX_MEMBERS].cpu()) for n, v in self._game.logged.items()}
        return self._write({**fields, "values": logged, **histograms(before, self._shown)})

    def watch(self, seconds: float) -> None:
        """Write scores about twice a second for this long, while the run plays at full speed."""
        self._watched_until = max(self._watched_until, time.monotonic() + seconds)

    def at_border(self) -> None:
        """Called between two rounds that were played at full speed."""
        self._shown = None
        self.planes.draw()
        now = time.monotonic()
        if now < self._next or now > self._watched_until:
            return
        self._write({"round": self._game.round, "move": None, **histograms(self._outputs())})
        took = time.monotonic() - now
        self._next = now + max(SECONDS, took / SHARE)

    def recipe_changed(self) -> None:
        """Called when the game's settings were changed, or it was rewound."""
        self._shown = None
        self.planes.forget_later()

    def _outputs(self) -> Outputs:
        if self._scores is None:
            self._scores = Scores(self._recipe, self._game)
        return self._scores.outputs()

    def _write(self, fields: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        report = {"number": self._number, "at": round(time.time(), 3), **fields}
        line = json.dumps(report, allow_nan=False, separators=(",", ":"))
        self._lines.append(line)
        if len(self._lines) > MAX_LINES:
            self._lines = self._lines[-KEPT_LINES:]
            text = "".join(f"{each}\n" for each in self._lines)
            write_atomically(self._path, lambda path: path.write_text(text, encoding="utf-8"))
        else:
            with disk_errors(self._path), self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        return report


def _lines_of(path: Path) -> tuple[list[str], int]:
    """The whole lines of an earlier session, and the number of its last report."""
    try:
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()[-KEPT_LINES:]
        number = int(json.loads(lines[-1])["number"]) if lines else 0
    except FileNotFoundError:
        return [], 0
    except (OSError, ValueError, KeyError, TypeError, IndexError):  # cut off by a kill: it says nothing that lasts
        path.unlink(missing_ok=True)
        return [], 0
    return lines, number
