from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.record.loop import LoopFacts
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._loops import Bug, bug_detection, bug_explanation, loop_story
from sparring.rules._ranges import Range
from sparring.rules._signals import Signals

MANY = 8
"""Losses of earlier rounds."""


@final
@dataclass(frozen=True)
class BugRetainedGraph(Rule):
    """Losses of earlier rounds are kept with their graphs: memory grows with every round."""

    weight: ClassVar[float] = 0.97
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return bug_detection(signals, self._bug(signals.story.loop))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        return bug_explanation(signals, members, self._bug(signals.story.loop))

    @staticmethod
    def _bug(loop: LoopFacts | None) -> Bug | None:
        if loop is None or loop.graphs_kept < MANY:
            return None
        return Bug(
            "Losses of earlier rounds are kept with their graphs, so memory grows",
            "losses of earlier rounds that are still kept",
            loop.graphs_kept,
            Range(high=MANY - 1),
            phrase="{value} of those that were looked for are still there",
            line=loop.g.loss_line,
            mended="keep numbers, not tensors: losses.append(loss.item())",
        )

    @staticmethod
    def sick() -> Story:
        return loop_story(graphs_kept=20)

    @staticmethod
    def healthy() -> Story:
        return loop_story(good=True)
