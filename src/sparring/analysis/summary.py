"""A run's facts as plain data: what `sparring show --json` prints. Loads no torch."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from sparring.analysis.facts import Facts
from sparring.analysis.stats import Spread
from sparring.analysis.steered import branch_text
from sparring.record import RunFolder, Story
from sparring.record.story import CURVES
from sparring.rules import NEAR


def summary(run: RunFolder) -> dict[str, Any]:
    """Everything `sparring show --json` prints about a run.

    Args:
        run: The run.

    Returns:
        Plain data for JSON, with None where there is no finite number.

    Raises:
        SparringError: The run's folder is damaged.
    """
    facts = Facts.of(run)
    story = facts.story
    return {
        "run": str(run.path),
        "recipe": facts.name,
        "id": None if facts.departure else facts.about.get("id"),
        "status": story.status,
        "round": story.round,
        "rounds": facts.rounds,
        "seeds": facts.seeds,
        "seconds": round(story.seconds, 3),
        "rounds_per_second": round(facts.rounds_per_second, 3) if facts.rounds_per_second else None,
        "equilibrium": facts.equilibrium.get("d_loss"),
        "diverged": {str(seed): at for seed, at in facts.diverged.items()},
        "curves": {name: _curve(facts, name) for name in CURVES},
        "gradients": {
            name: {"members": plain(values), **asdict(Spread.of(values))} for name, values in facts.gradients.items()
        },
        "metrics": _metrics(facts),
        "ends": _ends(facts),
        "diagnosis": facts.diagnosis.plain(run.path),
        "source": facts.entry.facts["source"] if facts.entry else None,
        "verdict": facts.entry.facts["verdict"] if facts.entry else None,
        "expects": facts.expects,
        "changed": facts.changed,
        "history": facts.history,
        "steered": facts.departure or None,
        "branch": branch_text(story) or None,
        "kept": list(run.rounds_saved()),
        "made_with": {k: facts.about.get(k) for k in ("device", "processor", "cores", "threads", "versions", "commit")},
        "files": files(run, story),
    }


def files(run: RunFolder, story: Story) -> dict[str, Any]:
    """The report, the figures and the sample pictures that exist, as paths relative to the run's folder."""
    return {
        "report": "report.html" if (run.path / "report.html").is_file() else None,
        "figures": sorted(f"figures/{path.name}" for path in (run.path / "figures").glob("[!.]*.png")),
        "pictures": [name for name in story.pictures if (run.path / name).is_file()],
    }


def plain(values: np.ndarray) -> Any:
    """An array as nested lists, with None for what is not finite."""
    if values.ndim == 0:
        return float(values) if np.isfinite(values) else None
    return [plain(value) for value in values]


def _curve(facts: Facts, name: str) -> dict[str, Any]:
    return {
        "members": plain(facts.last[name]),
        **asdict(facts.spreads[name]),
        "equilibrium": facts.equilibrium.get(name),
    }


def _metrics(facts: Facts) -> dict[str, Any] | None:
    evaluation = facts.evaluation
    if evaluation is None:
        return None
    values = {
        name: {"members": plain(members), **asdict(evaluation.spreads[name]), "real": evaluation.real.get(name)}
        for name, members in evaluation.metrics.items()
    }
    return {"round": evaluation.round, "examples": evaluation.n, "judge": evaluation.judge, "values": values}


def _ends(facts: Facts) -> dict[str, Any] | None:
    ends = facts.ends
    if ends is None:
        return None
    return {
        "round": ends.round,
        "target": plain(ends.target),
        "within": NEAR,
        "near": int(ends.near.sum()),
        "of": len(facts.seeds),
        "outputs": plain(ends.outputs),
        "away": [
            {"seed": facts.seeds[m], "output": plain(ends.outputs[m]), "why": facts.why(m)}
            for m in np.flatnonzero(~ends.near).tolist()
        ],
    }
