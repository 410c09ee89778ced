"""How good a watched generator's samples are, beside the real examples that the loop gave to D."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from sparring.analysis.judge_choice import Choice, choose_judge, is_seen, judge_of
from sparring.analysis.sample_comparison import Comparison
from sparring.analysis.samples import quantiles_of
from sparring.analysis.watched import SeenExamples
from sparring.record.journal import json_numbers
from sparring.record.loop import EXAMPLES, LoopFacts
from sparring.training.watch.recorder import Recorder

MIN_KEPT = 64
"""Real examples without which nothing is compared."""
NO_JUDGE = "a watched loop trains no judge while it runs; `sparring measure` does"


class Quality:
    """Evaluates samples once there are real examples to compare them with."""

    def __init__(self, recorder: Recorder, judge: str | None):
        self._recorder, self._judge = recorder, judge
        self._comparison: Comparison | None = None
        self.seconds = 0.5
        """What an evaluation takes."""

    def fields(self, facts: LoopFacts, samples: np.ndarray) -> dict[str, Any]:
        """The fields of a log event for samples `(n, *shape)` in data units; empty where they cannot be compared.

        A G that is always fed the same makes one example, which has no distribution: it has a target instead.
        """
        if facts.target is not None:
            return {}
        began = time.monotonic()
        comparison = self._begun(facts, len(samples))
        if comparison is None:
            return {}
        values, errors = comparison(samples[None])
        low, high = facts.data.span
        self.seconds = time.monotonic() - began
        return {
            "metrics": {name: json_numbers(each) for name, each in values.items()},
            "errors": {name: json_numbers(each) for name, each in errors.items()},
            "quantiles": json_numbers(quantiles_of(torch.from_numpy(samples[None]) * (high - low) + low)),
            "evaluation_seconds": round(self.seconds, 4),
        }

    def _begun(self, facts: LoopFacts, samples: int) -> Comparison | None:
        run = self._recorder.run
        if self._comparison is not None or not (run.path / EXAMPLES).is_file():
            return self._comparison
        data = SeenExamples.of(run.path, facts)
        if len(data) < MIN_KEPT:
            return None
        source = data.open()
        self._comparison = Comparison.of(data, source, samples, None, self._choice(data, source), samples)
        low, high = data.span
        seen = torch.from_numpy(self._comparison.relative.training) * (high - low) + low
        of_real = {"quantiles": json_numbers(quantiles_of(seen[None])[0]), "examples": None}
        event = {**self._comparison.baseline_event(), "samples": samples, **of_real}
        again = {"renewed": True} if facts.data.renewed else {}
        run.journal.append("real-baseline", round=0, **event, **again, held_out="other examples that D was given")
        return self._comparison

    def _choice(self, data: SeenExamples, source: Any) -> Choice:
        if self._judge:
            return Choice(judge_of(data, self._judge))
        return Choice(None, NO_JUDGE) if is_seen(data) else choose_judge(data, None, source)
