"""Analysis of variance of a full factorial study: how much of the outcome's variance each factor explains.

Ordinary least squares with the seed as a block and type II sums of squares, by statsmodels. It answers for a factor of
many levels as a whole, where contrasts compare each level with the first. A member that diverged has no outcome and is
left out here, which is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sparring.study.effects import holm
from sparring.study.needs import from_statsmodels
from sparring.study.results import Results
from sparring.study.scores import Scores

SEED = "seed"
RESIDUAL = "residual"


@dataclass(frozen=True)
class Term:
    """One line of the table."""

    factors: tuple[str, ...]
    """Of a main effect one factor, of an interaction several; `seed` and `residual` are what they say."""
    freedom: float
    squares: float
    f: float | None
    p: float | None
    p_holm: float | None
    """Corrected over this table's factors and interactions."""
    explained: float | None
    """Partial eta squared: of this term's and the residual's sum of squares, the share of this term's."""


@dataclass(frozen=True)
class Anova:
    """The table."""

    terms: tuple[Term, ...]
    n: int
    """Members that it is of."""
    left_out: int
    """Members without an outcome."""


def anova(results: Results, scores: Scores, max_order: int = 2) -> Anova | None:
    """The table of a full design; None of any other one, of one cell, where too few members have an outcome, or all
    have the same, and where no seed of a cell reached the target: a time that is cut in all seeds is none."""
    known = np.isfinite(scores.values)
    if scores.unreached.any():
        return None
    if results.design != "full" or not results.factors or not _enough(results, known, max_order):
        return None
    if np.ptp(scores.values[known]) == 0:  # there is no variance to explain
        return None
    data = from_statsmodels("DataFrame")(_columns(results, scores, known))
    # Columns are called f0, f1, ...: a formula takes no dots or blanks in names.
    factors = " + ".join(f"C(f{index}, Sum)" for index in range(len(results.factors)))
    formula = f"y ~ C(block, Sum) + ({factors}) ** {min(max_order, len(results.factors))}"
    table = from_statsmodels("anova_lm")(from_statsmodels("ols")(formula, data).fit(), typ=2)
    rows = [(_factors(str(name), results), *values) for name, *values in table.itertuples()]
    residual = next(squares for factors, squares, *_ in rows if factors == (RESIDUAL,))
    tested = {factors: p for factors, _, _, _, p in rows if factors not in ((SEED,), (RESIDUAL,))}
    p_holm = dict(zip(tested, holm([_known(p) for p in tested.values()]), strict=True))
    terms = (
        Term(
            factors=factors,
            freedom=float(freedom),
            squares=float(squares),
            f=_known(f),
            p=_known(p),
            p_holm=p_holm.get(factors),
            explained=float(squares / (squares + residual)) if factors in tested and squares + residual else None,
        )
        for factors, squares, freedom, f, p in rows
    )
    return Anova(tuple(terms), int(known.sum()), int((~known).sum()))


def _enough(results: Results, known: np.ndarray, max_order: int) -> bool:
    """Whether every cell has outcomes, and some freedom is left for the residual."""
    levels = [len(factor.levels) - 1 for factor in results.factors]
    order = min(max_order, len(levels))
    products = np.zeros(order + 1)
    products[0] = 1  # elementary symmetric polynomials: freedom of all terms of each order
    for freedom in levels:
        products[1:] += products[:-1].copy() * freedom
    return bool(known.any(1).all()) and known.sum() - len(results.seeds) - products[1:].sum() > 0


def _columns(results: Results, scores: Scores, known: np.ndarray) -> dict[str, list[object]]:
    cells, seeds = np.nonzero(known)
    columns: dict[str, list[object]] = {"y": scores.values[known].tolist(), "block": [str(seed) for seed in seeds]}
    for index, factor in enumerate(results.factors):
        columns[f"f{index}"] = [results.cells[cell].levels[factor.name] for cell in cells]
    return columns


def _factors(term: str, results: Results) -> tuple[str, ...]:
    """`C(f0, Sum):C(f2, Sum)` -> the names of the first and the third factor."""
    if term == "Residual":
        return (RESIDUAL,)
    if "block" in term:
        return (SEED,)
    return tuple(results.factors[int(part.split(",")[0].removeprefix("C(f"))].name for part in term.split(":"))


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
