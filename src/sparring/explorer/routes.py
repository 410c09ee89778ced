"""The binary route of the canvas: curves and what else has come since, samples of a round, D's scores of a round."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from sparring.analysis.followed import FollowedRun, histograms_of
from sparring.analysis.move_reports import new_reports
from sparring.analysis.steered import settings_text
from sparring.errors import SparringError
from sparring.explorer.frames import frame
from sparring.explorer.planes import PlaneReader
from sparring.explorer.session import Session
from sparring.explorer.words import Spoken, Words
from sparring.record.grid_reading import first_examples, member_block

FEW = 4
"""Examples of each member where all members are shown."""
MOVES = 40
"""Reports of moves in one answer."""


def add_routes(app: FastAPI, session: Session) -> None:
    """The routes below /data. Each names its run by the key of the list, never by a path."""
    planes = PlaneReader(session)

    @app.get("/data/curves")
    def _curves(run: str, words: Spoken, since: int = 0, generation: int = -1) -> Response:  # pyright: ignore[reportUnusedFunction]
        return _answer(session, words, run, lambda followed: curves(session, words, followed, since, generation))

    @app.get("/data/samples")
    def _samples(run: str, round: int, words: Spoken, member: int = -1) -> Response:  # pyright: ignore[reportUnusedFunction]
        return _answer(session, words, run, lambda followed: samples(session, followed, round, member))

    @app.get("/data/scores")
    def _scores(run: str, round: int, words: Spoken) -> Response:  # pyright: ignore[reportUnusedFunction]
        return _answer(session, words, run, lambda followed: scores(followed, round))

    @app.get("/data/plane")
    def _plane(run: str, words: Spoken, round: int | None = None) -> Response:  # pyright: ignore[reportUnusedFunction]
        return _answer(session, words, run, lambda followed: planes.plane(followed, round))

    @app.get("/data/moves")
    def _moves(run: str, words: Spoken, since: int = 0) -> Response:  # pyright: ignore[reportUnusedFunction]
        return _answer(session, words, run, lambda followed: moves(followed, since))


def _answer(session: Session, words: Words, key: str, made: Callable[[FollowedRun], bytes]) -> Response:
    found = session.find(key)
    if found is None:
        return _gone() if session.is_gone(key) else JSONResponse({"problem": words("no-run")}, 404)
    try:
        with session.following(found) as followed:
            return _binary(made(followed))
    except SparringError as error:
        return _gone() if session.is_gone(key) else JSONResponse({"problem": words.error(error)}, 422)


def _gone() -> Response:
    """For a page that shows a run whose folder was removed: no error, which a browser would put on its console."""
    return _binary(frame({"gone": True}, {}))


def _binary(body: bytes) -> Response:
    return Response(body, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})


def curves(session: Session, words: Words, followed: FollowedRun, since: int, generation: int) -> bytes:
    """Points of the curves from index `since` on, or all where the reader knows another generation."""
    since = since if generation == followed.generation and 0 <= since <= len(followed.rounds) else 0
    steering = followed.steering
    facts: dict[str, Any] = {
        "generation": followed.generation,
        "since": since,
        "seeds": followed.seeds,
        "round": followed.round,
        "rounds": followed.recipe["rounds"],
        "status": session.status_of(followed),
        "problem": words.error(session.problem_of(followed.run)),
        "seconds": round(followed.seconds, 1),
        "pictures": list(followed.pictures),
        "scores": list(followed.scores),
        "diverged": followed.diverged,
        "bounds": {name: [each.level, each.low, each.high] for name, each in followed.bounds.items()},
        "checkpoints": followed.checkpoints,
        "changes": [[each.round, settings_text(each.settings)] for each in steering.changes],
    }
    arrays = {name: column.values[since:] for name, column in followed.curves.items()}
    return frame(facts, {"rounds": followed.rounds[since:].astype(np.float64), **arrays})


def moves(followed: FollowedRun, since: int) -> bytes:
    """The newest reports of moves after number `since`."""
    return frame({"reports": new_reports(followed.run, since)[-MOVES:]}, {})


def samples(session: Session, followed: FollowedRun, round: int, member: int) -> bytes:
    """The sample grid of the last log point up to a round: of one member, or a few of every member."""
    at = _last(followed.pictures, round)
    if at is None:
        return frame({"round": None}, {})
    path = session.opened.file(followed.run, followed.pictures[at])
    if member < 0 and (few := first_examples(path, FEW)) is not None:
        return frame({"round": at}, {"pixels": few})
    block = member_block(path, max(0, member))
    return frame({"round": at}, {} if block is None else {"pixels": block[None]})


def scores(followed: FollowedRun, round: int) -> bytes:
    """The histograms of D's outputs at the last evaluation up to a round."""
    at = _last(followed.scores, round)
    if at is None:
        return frame({"round": None}, {})
    edges, real, generated = histograms_of(followed.scores[at])
    return frame({"round": at}, {"edges": edges, "real": real, "generated": generated})


def _last(rounds: Iterable[int], round: int) -> int | None:
    known = sorted(rounds)
    at = bisect_right(known, round)
    return known[at - 1] if at else None
