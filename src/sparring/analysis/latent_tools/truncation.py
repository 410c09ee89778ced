"""Truncation: latent vectors drawn toward their center give examples that are more typical and less varied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.analysis.latent_tools.distributions import parts_of
from sparring.analysis.stats import Spread
from sparring.analysis.wording import count as counted
from sparring.errors import SparringError, UsageError
from sparring.languages import Text
from sparring.progress import progress
from sparring.record.journal import json_numbers

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.latents import Latent
    from sparring.recipe import Recipe
    from sparring.record import RunFolder

RESAMPLES, CONFIDENCE = 2_000, 0.95
"""Bootstrap samples of the members, and the share of them between the ends of an interval."""
MIN_SEEDS = 3
"""Members from which on an interval is stated."""
AT_ONCE = 2**24
"""Numbers of examples that are made at a time."""


def truncated(z: Tensor, latent: Latent, psi: float) -> Tensor:
    """Latent vectors moved toward the center of their distribution: center + psi (z - center).

    Signs and constants stay, and so do one-hot classes behind a vector. A. Brock et al., "Large scale GAN training for
    high fidelity natural image synthesis", ICLR 2019, section 3.1, and T. Karras et al., StyleGAN, CVPR 2019.

    Args:
        z: `(..., size)`, or with one-hot classes appended.
        latent: Their distribution.
        psi: 1 leaves them as they are, 0 puts them into the center.

    Returns:
        Vectors of the same shape.

    Raises:
        SparringError: Nothing is known of the distribution, or nothing in it is continuous.
    """
    moved, at = z.clone(), 0
    for part in parts_of(latent):
        center = (part["low"] + part["high"]) / 2 if part["law"] == "uniform" else 0.0
        if part["law"] in ("normal", "uniform"):
            moved[..., at : at + part["size"]] = center + psi * (z[..., at : at + part["size"]] - center)
        at += part["size"]
    if not any(part["law"] in ("normal", "uniform") for part in parts_of(latent)):
        raise SparringError("these latent vectors cannot be truncated: no part of their distribution is continuous")
    return moved


def over_psi(
    G: Callable[[Tensor], Tensor],
    z: Tensor,
    latent: Latent,
    psis: Sequence[float],
    quality: Callable[[np.ndarray], dict[str, np.ndarray]],
    on_step: Callable[[int], None] = lambda done: None,
) -> dict[str, np.ndarray]:
    """The quality of examples whose latent vectors are truncated.

    Args:
        G: Latent vectors `(P, N, size)` -> examples `(P, N, *shape)` in data units.
        z: `(P, N, size)`.
        latent: Their distribution.
        psis: By how much they are truncated, one after another.
        quality: Examples `(P, N, *shape)` -> name -> a number for each member, `(P,)`.
        on_step: Called after each psi with how many are done.

    Returns:
        Name -> `(len(psis), P)`.

    Raises:
        SparringError: Nothing is known of the distribution, or nothing in it is continuous.
    """
    rows: list[dict[str, np.ndarray]] = []
    for psi in psis:
        rows.append(quality(_made(G, truncated(z, latent, psi))))
        on_step(len(rows))
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


@dataclass(frozen=True)
class Truncation:
    """Quality over psi, for every member."""

    seeds: tuple[int, ...]
    judge: str
    n: int
    """Samples of each member at each psi, and as many real examples."""
    psis: tuple[float, ...]
    metrics: dict[str, np.ndarray]
    """`precision`, `recall` and `balance`, their harmonic mean: `(len(psis), P)`; NaN for a member that diverged."""
    real: dict[str, float]
    """What held-out real data score."""

    @property
    def recommended(self) -> float:
        """The psi whose balance is best in the mean over members that have not diverged; of equal ones the largest.

        It is chosen by these figures, which therefore flatter it a little.
        """
        mean = _mean(self.metrics["balance"])
        return self.psis[len(mean) - 1 - int(mean[::-1].argmax())]

    @property
    def diverged(self) -> int:
        """How many members are in no mean, since their samples are not finite at any psi."""
        return int((~np.isfinite(self.metrics["balance"])).all(0).sum())

    @property
    def interval(self) -> tuple[float, float] | None:
        """Between which values the recommended psi lies for 95 % of resampled sets of the seeds that have not
        diverged; None below three of these."""
        balance = self.metrics["balance"]
        balance = balance[:, np.isfinite(balance).any(0)]
        members = balance.shape[1]
        if members < MIN_SEEDS:
            return None
        drawn = np.random.default_rng(0).integers(members, size=(RESAMPLES, members))
        means = _mean(balance[::-1, drawn])  # (psis from the largest, RESAMPLES)
        best = np.array(self.psis)[::-1][means.argmax(0)]
        low, high = np.quantile(best, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], method="nearest")
        return float(low), float(high)

    def plain(self) -> dict[str, Any]:
        """What `sparring truncation --json` prints."""
        return {
            "seeds": list(self.seeds),
            "judge": self.judge,
            "n": self.n,
            "recommended": self.recommended,
            "recommended_by": "the largest mean balance of these figures, which flatter it a little",
            "interval": self.interval,
            "real": {name: json_numbers(value) for name, value in self.real.items()},
            "psi": [
                {
                    "psi": psi,
                    **{
                        name: {"members": json_numbers(values[k]), **asdict(Spread.of(values[k]))}
                        for name, values in self.metrics.items()
                    },
                }
                for k, psi in enumerate(self.psis)
            ],
        }


def truncation(
    run: RunFolder,
    psis: Sequence[float],
    count: int = 1_000,
    seeds: Sequence[int] | None = None,
    data_dir: Path | None = None,
    source: Path | None = None,
    recipe: Recipe | None = None,
) -> Truncation:
    """Precision and recall of samples over psi, for every member, with the features of the data's judge.

    Args:
        run: The run.
        psis: From the smallest to the largest.
        count: Samples of each member at each psi, and as many real examples, or as many as there are.
        seeds: Members; all if None.
        data_dir: Where data sets are kept.
        source: The user's own Python file that the recipe needs, if it has moved since.
        recipe: The recipe with the networks themselves, where they exist in this process only.

    Raises:
        SparringError: There is no checkpoint yet, nothing can be truncated, no judge sees this data, or every member
            diverged.
        UsageError: The run has no such member, or there is no psi.
    """
    from sparring.analysis.generators import explorable, latents
    from sparring.analysis.judge_choice import judge_for
    from sparring.analysis.samples import real_data, views
    from sparring.metrics import all_metrics

    if not psis or list(psis) != sorted(set(psis)) or psis[0] < 0:
        raise UsageError("psi takes numbers of at least 0, from the smallest to the largest, each once")
    recipe, G = explorable(run, source=source, seeds=seeds, recipe=recipe)
    judge = judge_for(recipe.data, None, data_dir)
    real = real_data(recipe.data, count, data_dir)
    n = len(real.reference)
    reference, held_out = (views(side, judge, side.ndim - 1) for side in (real.reference, real.held_out))
    leaves = {name: all_metrics()[name]() for name in ("precision", "recall")}
    if any(leaf.space not in reference for leaf in leaves.values()):
        raise SparringError("precision and recall need a judge, and none sees examples of this data")
    z = latents(recipe, range(n))

    def measured(examples: np.ndarray) -> dict[str, np.ndarray]:
        seen = views(examples, judge, examples.ndim - 2)
        return _balanced({name: leaf(reference[leaf.space], seen[leaf.space]) for name, leaf in leaves.items()})

    of = counted(len(recipe.seeds), "seed")
    title = Text("measuring {count} samples of {seeds} at {psis} psi", count=f"{n:,}", seeds=of, psis=len(psis))
    with progress(title, len(psis)) as update:
        metrics = over_psi(G, z, recipe.latent, psis, measured, update)
    if not np.isfinite(metrics["balance"]).any():
        raise SparringError(f"no psi can be recommended: every member of {run.path} diverged")
    baseline = _balanced({k: leaf(reference[leaf.space], held_out[leaf.space][None]) for k, leaf in leaves.items()})
    return Truncation(
        recipe.seeds,
        judge.name if judge else "",
        n,
        tuple(psis),
        metrics,
        {name: float(value[0]) for name, value in baseline.items()},
    )


def _made(G: Callable[[Tensor], Tensor], z: Tensor) -> np.ndarray:
    """Examples `(P, N, *shape)`, made in parts."""
    size = max(1, AT_ONCE // max(1, G(z[:, :1]).numel()))
    return np.concatenate([G(part).float().numpy() for part in z.split(size, 1)], 1)


def _balanced(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """With the harmonic mean of precision and recall, 0 where both are, and NaN where one is."""
    precision, recall = values["precision"], values["recall"]
    both = precision + recall
    neither = np.where(np.isnan(both), np.nan, 0.0)
    return {**values, "balance": np.divide(2 * precision * recall, both, out=neither, where=both > 0)}


def _mean(balance: np.ndarray) -> np.ndarray:
    """Over members `(..., P)`, without those that diverged; below every balance where all of them did."""
    known = np.isfinite(balance)
    count = known.sum(-1)
    return np.divide(np.where(known, balance, 0.0).sum(-1), count, out=np.full(count.shape, -np.inf), where=count > 0)
