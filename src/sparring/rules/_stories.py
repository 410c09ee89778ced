"""Synthetic stories to try rules on: in the form that a journal has, with typical numbers, and no training.

They look like runs of the `digits` recipe: eight seeds, 5,000 rounds, cross-entropy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sparring.record import Story
from sparring.record.story import CURVES, GRADIENTS

Course = float | Sequence[float]
"""How a number develops during training: constant, or these values at equal distances, linear in between."""

MEMBERS, POINTS, EVALUATIONS = 8, 200, 20
BCE = {"d_loss": 0.6931, "g_loss": 0.6931, "d_real": 0.5, "d_fake": 0.5, "sure": 0.5}
MSE = {"d_loss": 0.25, "g_loss": 0.25, "d_real": 0.5, "d_fake": 0.5, "sure": 0.5}
LSGAN = {"d_loss": 0.125, "g_loss": 0.125, "d_real": 0.5, "d_fake": 0.5, "sure": 0.5}
WASSERSTEIN = {"d_loss": 0.0, "g_loss": 0.0, "d_real": 0.0, "d_fake": 0.0, "sure": None}
GOOD_CURVES: Mapping[str, Course] = {
    "d_loss": (0.69, 0.4, 0.48, 0.52, 0.53),
    "g_loss": (0.7, 2.0, 1.5, 1.3, 1.3),
    "d_real": (0.5, 0.75, 0.66, 0.63, 0.62),
    "d_fake": (0.5, 0.25, 0.31, 0.33, 0.34),
    "d_gradient": (1.0, 5.0, 6.0, 6.3, 6.5),
    "g_gradient": (0.5, 2.0, 2.4, 2.6, 2.7),
}
GOOD_METRICS: Mapping[str, Course] = {
    "frechet-distance": (40.0, 8.0, 4.0, 3.2, 3.0, 3.0),
    "modes": (3.0, 10.0),
    "class-divergence": (1.8, 0.2, 0.12, 0.1),
    "rarest-class": (0.0, 0.4, 0.5, 0.5),
    "confidence": (0.8, 0.9, 0.93),
    "diversity": (0.3, 0.9, 0.95),
    "roughness": (1.4, 1.0),
    "structure": (0.2, 0.75),
    "checkerboard": (3.0, 1.1, 1.0),
    "sharpness": (0.3, 0.9, 0.95),
    "colors": (0.5, 0.05, 0.03),
    "fixed-pattern": (0.3, 0.05, 0.03),
    "similarity-to-mean": (0.9, 1.03, 1.05),
    "nearest-neighbor": (2.6, 1.4, 1.3, 1.26),
    "near-copies": 0.01,
    "d_train": (0.5, 0.75, 0.66, 0.63, 0.62),
    "d_held_out": (0.5, 0.74, 0.65, 0.61, 0.6),
    "d_generated": (0.5, 0.25, 0.31, 0.33, 0.34),
    "d_right": (0.5, 0.95, 0.88, 0.86, 0.85),
    "outliers": (0.3, 0.01, 0.002),
    "repeats": 0.0,
}
RANGES: Mapping[str, list[float | None]] = {
    "generator": [-1.0, 1.0],
    "discriminator": [None, None],
    "d_output": [0.0, 1.0],
}
PIXELS = (-1.0, -1.0, -1.0, -0.8, 0.9, 1.0, 1.0)
"""Quantiles of the numbers of real examples, and of good samples."""
REAL: Mapping[str, float] = {
    "frechet-distance": 0.8,
    "modes": 10.0,
    "class-divergence": 0.04,
    "rarest-class": 0.65,
    "class-diversity": 0.85,
    "class-accuracy": 0.97,
    "confidence": 0.99,
    "diversity": 1.0,
    "roughness": 1.0,
    "structure": 0.8,
    "checkerboard": 1.0,
    "sharpness": 1.0,
    "colors": 0.01,
    "fixed-pattern": 0.01,
    "outliers": 0.0,
    "similarity-to-mean": 1.0,
    "nearest-neighbor": 1.0,
    "near-copies": 0.01,
    "repeats": 0.0,
}
BASELINE: Mapping[str, Any] = {
    "event": "real-baseline",
    "round": 0,
    "judge": "digits",
    "n": 256,
    "samples": 256,
    "training": 1_437,
    "metrics": dict(REAL),
}
RECIPE: Mapping[str, Any] = {
    "name": "synthetic",
    "data": {"is": "digits", "span": [-1.0, 1.0]},
    "generator": {"is": "fully-connected", "hidden": [128]},
    "discriminator": {"is": "fully-connected", "hidden": [128]},
    "objective": {"is": "bce-with-logits"},
    "latent": {"is": "normal", "size": 32},
    "round": ["d_sees_both", "g_fools_d"],
    "generator_optimizer": {"is": "adam", "lr": 2e-4},
    "discriminator_optimizer": {"is": "adam", "lr": 2e-4},
    "tricks": [],
    "batch": 64,
    "rounds": 5_000,
    "seeds": [0, 1, 2, 3, 4, 5, 6, 7],
}


def story(
    curves: Mapping[str, Course] | None = None,
    metrics: Mapping[str, Course] | None = None,
    levels: Mapping[str, float | None] = BCE,
    jitter: float = 0.02,
    rounds: int = 5_000,
    diverged: Mapping[int, int] | None = None,
    recipe: Mapping[str, Any] | None = None,
    evaluations: int = EVALUATIONS,
    ranges: Mapping[str, list[float | None]] | None = None,
    quantiles: Sequence[float] = PIXELS,
    real_quantiles: Sequence[float] = PIXELS,
) -> Story:
    """The story of a good run, but for what is given.

    Args:
        curves: How these curves develop instead.
        metrics: How these metrics of samples develop instead; an empty mapping for a run without any.
        levels: The objective's levels at equilibrium.
        jitter: Relative standard deviation of the noise of every number, from seed to seed and from point to point.
        rounds: The length of the run.
        diverged: Member -> the round at which its numbers stop being finite.
        recipe: Fields of the recipe that differ.
        evaluations: How many log points, each with an evaluation, there are.
        ranges: Between which values outputs of G, scores of D and D(x) lie, where other than usual.
        quantiles: Those of the samples' numbers, throughout.
        real_quantiles: Those of the data's.
    """
    rng, diverged = np.random.default_rng(0), diverged or {}
    courses = {**GOOD_CURVES, **(curves or {})}
    of_metrics = {} if metrics == {} else {**GOOD_METRICS, **(metrics or {})}
    logged = np.linspace(rounds / POINTS, rounds, POINTS).astype(int)
    rows = {name: _members(course, POINTS, jitter, rng) for name, course in courses.items()}
    for member, at in diverged.items():
        for values in rows.values():
            values[logged >= at, member] = np.nan
    events: list[dict[str, Any]] = [
        {"event": "started", "round": 0, "levels": dict(levels), "output_ranges": {**RANGES, **(ranges or {})}},
        {**BASELINE, "quantiles": list(real_quantiles)},
    ]
    parts = np.array_split(np.arange(POINTS), evaluations)
    evaluated = {name: _members(course, evaluations, jitter, rng) for name, course in of_metrics.items()}
    for index, part in enumerate(parts):
        log_point: dict[str, Any] = {"event": "log", "round": int(logged[part[-1]]), "seconds": float(index)}
        log_point |= {"logged": logged[part].tolist()}
        log_point |= {name: _plain(rows[name][part]) for name in (*CURVES, *GRADIENTS)}
        if evaluated:
            log_point["metrics"] = {name: _plain(values[index]) for name, values in evaluated.items()}
            log_point["quantiles"] = [list(quantiles) for _ in range(MEMBERS)]
        events.append(log_point)
        if gone := [m for m, at in diverged.items() if logged[part[0]] <= at <= logged[part[-1]]]:
            events.append({"event": "diverged", "round": log_point["round"], "members": gone})
    end = "diverged-all" if len(diverged) == MEMBERS else "finished"
    events.append({"event": end, "round": rounds, "seconds": float(evaluations)})
    return Story({**RECIPE, "rounds": rounds, "seeds": list(range(MEMBERS)), **(recipe or {})}, events)


def _members(course: Course, points: int, jitter: float, rng: np.random.Generator) -> np.ndarray:
    """`(points, MEMBERS)`: a course with noise."""
    knots = np.atleast_1d(np.asarray(course, dtype=np.float64))
    at = np.linspace(0, 1, points) * (len(knots) - 1)
    middle = np.interp(at, np.arange(len(knots)), knots)[:, None]
    return middle * (1 + jitter * rng.standard_normal((points, MEMBERS)))


def _plain(values: np.ndarray) -> Any:
    """Nested lists; None for what is not finite."""
    if np.isfinite(values).all():
        return values.tolist()
    return [_plain(value) for value in values] if values.ndim > 1 else [v if np.isfinite(v) else None for v in values]
