"""A study's statistics agree with rliable's and statsmodels' own figures, and find effects that were put there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sparring.report.study import survival_sentence
from sparring.study.anova import anova
from sparring.study.answer import Answer
from sparring.study.cells import interquartile_mean, summaries
from sparring.study.contrasts import contrasts
from sparring.study.effects import Effect, corrected, effect, holm, ranked
from sparring.study.improvement import improvement
from sparring.study.intervals import mean_interval, mean_p
from sparring.study.outcome import Outcome
from sparring.study.power import seeds_for_difference, seeds_for_precision, smallest_difference
from sparring.study.racing import losers
from sparring.study.scores import Scores
from sparring.study.survival import survival
from tests.made_studies import FRECHET, factorial

A = np.array([12.1, 9.8, 11.4, 10.0, 13.2, 9.1, 10.7, 12.9])
B = np.array([8.0, 7.2, 9.9, 10.0, 6.1, 7.7, 8.8, 9.5])
RLIABLE_IQM_A, RLIABLE_IQM_B = 11.05, 8.5
"""By rliable.metrics.aggregate_iqm 1.2.0."""
RLIABLE_IMPROVEMENT = 0.9140625
"""That B is below A, by rliable.metrics.probability_of_improvement 1.2.0."""


def test_iqm_is_rliables() -> None:
    assert interquartile_mean(A) == pytest.approx(RLIABLE_IQM_A)
    assert interquartile_mean(B) == pytest.approx(RLIABLE_IQM_B)


def test_probability_of_improvement_is_rliables() -> None:
    found = improvement([(B, A)])
    assert found is not None and found.probability == pytest.approx(RLIABLE_IMPROVEMENT)
    assert found.interval.contains(RLIABLE_IMPROVEMENT)


def test_rliable_itself_says_the_same() -> None:
    metrics = pytest.importorskip("rliable.metrics")
    assert metrics.aggregate_iqm(A[:, None]) == pytest.approx(RLIABLE_IQM_A)
    assert metrics.aggregate_iqm(B[:, None]) == pytest.approx(RLIABLE_IQM_B)
    assert metrics.probability_of_improvement(-B[:, None], -A[:, None]) == pytest.approx(RLIABLE_IMPROVEMENT)


def test_interval_of_improvement_has_a_width_where_all_runs_are_better() -> None:
    found = improvement([(B - 100, A)])
    assert found is not None and found.probability == 1
    assert 0.6 < found.interval.low < 0.8 and found.interval.high == 1


def test_t_interval_and_p_agree_with_each_other_and_with_statsmodels() -> None:
    weightstats = pytest.importorskip("statsmodels.stats.weightstats")
    described = weightstats.DescrStatsW(B - A)
    low, high = described.tconfint_mean()
    interval = mean_interval(B - A)
    assert interval is not None and (interval.low, interval.high) == pytest.approx((low, high))
    assert mean_p(B - A) == pytest.approx(described.ttest_mean(0)[1])


def test_equal_differences_are_tested_by_their_signs() -> None:
    assert mean_p(np.full(4, 2.0)) == pytest.approx(0.125)
    assert mean_p(np.zeros(4)) == 1


def test_effects_of_a_factorial_are_those_put_in() -> None:
    """SGD and BCE 20; Adam 9 lower, hinge 1 lower; both together 3 higher than the sum of these."""
    effects = _effects(np.array([20.0, 11, 19, 13]), spread=0.5)
    adam, hinge, both = (effects[key] for key in (("adam",), ("hinge",), ("hinge", "adam")))
    # A standard error of 0.13, and 0.5 for an interaction, which is of four members with full weight.
    assert adam.mean == pytest.approx(-7.5, abs=0.5) and hinge.mean == pytest.approx(0.5, abs=0.5)
    assert both.mean == pytest.approx(3, abs=1.5)
    assert (adam.better, adam.worse, adam.n) == (8, 0, 8)
    assert adam.significant() and both.significant()
    assert adam.improvement and adam.improvement.probability == 1


def test_main_effects_and_interactions_are_statsmodels_own() -> None:
    ols = pytest.importorskip("statsmodels.formula.api").ols
    frame = pytest.importorskip("pandas").DataFrame
    values = np.random.default_rng(1).normal(10, 3, (4, 6))
    results = factorial(values)
    data = {"y": values.ravel(), "o": np.repeat([-0.5, -0.5, 0.5, 0.5], 6), "a": np.repeat([-0.5, 0.5, -0.5, 0.5], 6)}
    fitted = ols("y ~ o * a", frame(data)).fit().params
    scores = Scores.of(results)
    means = [effect(contrast, scores).mean for contrast in contrasts(results) if contrast.kind != "cell"]
    assert means == pytest.approx([fitted["o"], fitted["a"], fitted["o:a"]])


def test_f_of_a_two_level_term_is_the_square_of_its_t() -> None:
    """With the seed as a block, the pooled residual is the mean of the contrasts' variances."""
    values = np.random.default_rng(2).normal(10, 3, (4, 6))
    results = factorial(values)
    table = anova(results, Scores.of(results))
    assert table is not None and table.n == 24
    effects = [effect(each, Scores.of(results)) for each in contrasts(results) if each.kind != "cell"]
    lengths = [1, 1, 4]  # sums of squared weights
    variance = np.mean([each.differences.var(ddof=1) / length for each, length in zip(effects, lengths, strict=True)])
    for term, each, length in zip(table.terms[1:4], effects, lengths, strict=True):
        assert each.mean is not None
        assert term.f == pytest.approx(each.mean**2 / (length * variance / 6))
    assert table.terms[0].factors == ("seed",) and table.terms[0].p_holm is None


def test_outcomes_that_are_all_the_same_have_no_variance_to_explain() -> None:
    results = factorial(np.zeros((4, 6)))
    assert anova(results, Scores.of(results)) is None


def test_holm_is_statsmodels_and_leaves_unknown_ones() -> None:
    multipletests = pytest.importorskip("statsmodels.stats.multitest").multipletests
    ps = [0.01, None, 0.04, 0.03]
    assert holm(ps)[1] is None
    assert [p for p in holm(ps) if p is not None] == pytest.approx(multipletests([0.01, 0.04, 0.03], method="holm")[1])
    draw = np.random.default_rng(0)
    for many in (draw.random(20) ** 4, draw.random(20).round(1), np.ones(3)):  # small ones, ties, and ones cut at 1
        assert holm(many.tolist()) == multipletests(many, method="holm")[1].tolist()
    assert holm([]) == [] and holm([None]) == [None]


def test_other_tests_that_are_shown_join_the_family() -> None:
    effects = list(_effects(np.array([20.0, 11, 19, 13]), spread=3).values())
    alone, _ = corrected(effects)
    _, others = corrected(effects, [1e-9])
    assert others == pytest.approx([1e-9 * (len(effects) + 1)])
    assert len(alone) == 6  # two main effects, their interaction, and three cells against the first


def test_a_diverged_seed_is_worst_in_ranks_and_counts_and_no_part_of_means() -> None:
    values = np.array([[10.0, 11, 12, 13], [1.0, 2, 3, 4]]).repeat(2, axis=1)
    lost = [(1, seed) for seed in range(6)]
    results = factorial(values, {"gp": ["no", "yes"]}, diverged=lost)
    scores = Scores.of(results)
    (found,) = [effect(contrast, scores) for contrast in contrasts(results)]
    assert found.n == 2 and found.mean == pytest.approx(-9)
    assert (found.better, found.worse, found.by_ranks) == (2, 6, True)
    assert (found.diverged.with_change, found.diverged.without) == (6, 0)
    assert found.improvement and found.improvement.probability == pytest.approx(0.25)
    summary = summaries(results, scores)[1]
    assert (summary.n, summary.seeds, summary.diverged, summary.iqm) == (2, 8, 6, None)
    assert summary.median_seed in range(6)


def test_iqm_counts_diverged_seeds_as_the_worst() -> None:
    values = np.array([[1.0, 2, 3, 4, 5, 6, 7, 8]])
    few = factorial(np.vstack([values, values]), {"gp": ["no", "yes"]}, diverged=[(1, 0), (1, 1)])
    first, second = summaries(few, Scores.of(few))
    assert first.iqm == pytest.approx(4.5)
    assert second.iqm == pytest.approx(6.5)  # of 3 4 5 6 7 8 and two that are worse


def test_collapsed_seeds_are_counted_and_stay_in_every_number() -> None:
    results = factorial(np.arange(16.0).reshape(4, 4), collapsed=[(3, 0), (3, 1)])
    found = summaries(results, Scores.of(results))[3]
    assert (found.collapsed, found.n, found.mean) == (2, 4, 13.5)
    assert (found.finding, found.share) == ("mode-collapse", 0.5)


def test_effects_are_ranked_by_size() -> None:
    sizes = [abs(each.mean or 0) for each in ranked(list(_effects(np.array([20.0, 11, 19, 13])).values()))]
    assert sizes == sorted(sizes, reverse=True)


def test_higher_is_better_where_the_metric_says_so() -> None:
    quantity = replace(FRECHET, better="higher")
    results = factorial(np.array([[1.0, 2, 3], [5.0, 6, 7]]), {"gp": ["no", "yes"]}, outcome=quantity)
    (found,) = [effect(contrast, Scores.of(results)) for contrast in contrasts(results)]
    assert found.better == 3 and found.improvement and found.improvement.probability == 1


def test_as_real_is_the_distance_from_real_data() -> None:
    quantity = replace(FRECHET, better="as-real")
    results = factorial(np.array([[8.0, 12, 13], [10.0, 10, 11]]), {"gp": ["no", "yes"]}, outcome=quantity, real=10)
    scores = Scores.of(results)
    assert scores.values.tolist() == [[2, 2, 3], [0, 0, 1]] and scores.direction == -1


# Times to a target.


def test_a_seed_that_never_reached_the_target_is_censored() -> None:
    curves = np.array([[[9, 5, 3], [9, 6, 2], [9, 8, 7]], [[5, 3, 1], [3, 2, 1], [2, 1, 1]]], dtype=float)
    results = factorial(curves[..., -1], {"gp": ["no", "yes"]}, curves=curves)
    found = survival(results, Scores.of(results), target=3)
    assert found is not None and found.horizon == 300
    first, second = found.cells
    assert (first.reached, first.n, first.median, first.restricted_mean) == (2, 3, 300, 300)
    assert (second.reached, second.median) == (3, 100)
    assert second.difference == pytest.approx(np.mean([-100, -200, -200]))


def test_a_diverged_seed_never_reaches_the_target() -> None:
    curves = np.array([[[9, 5, 3]] * 3, [[9, np.nan, np.nan], [9, 5, 3], [9, 5, 3]]], dtype=float)
    results = factorial(curves[..., -1], {"gp": ["no", "yes"]}, curves=curves, diverged=[(1, 0)])
    found = survival(results, Scores.of(results), target=5)
    assert found is not None and (found.cells[1].reached, found.cells[1].n, found.horizon) == (2, 3, 300)


def test_a_seed_that_reached_the_target_and_diverged_has_not_reached_it() -> None:
    curves = np.array([[[9, 5, 3]] * 3, [[4, np.nan, np.nan], [9, 5, 3], [9, 5, 3]]], dtype=float)
    results = factorial(curves[..., -1], {"gp": ["no", "yes"]}, curves=curves, diverged=[(1, 0)])
    found = survival(results, Scores.of(results), target=5)
    assert found is not None and found.cells[1].reached == 2
    assert found.cells[1].restricted_mean == pytest.approx((300 + 200 + 200) / 3)
    everyone = factorial(curves[..., -1], {"gp": ["no", "yes"]}, curves=curves, diverged=list(np.ndindex(2, 3)))
    assert survival(everyone, Scores.of(everyone), target=5) is None


@pytest.mark.parametrize("outcome", ["frechet-distance", "best(frechet-distance)", "mean(frechet-distance)"])
def test_without_a_target_it_is_where_the_baseline_ends_whatever_the_outcome(outcome: str) -> None:
    curves = np.array([[[9, 5, 3], [9, 6, 2], [9, 8, 7]], [[5, 3, 1], [3, 2, 1], [2, 1, 1]]], dtype=float)
    results = factorial(curves.min(2), {"gp": ["no", "yes"]}, curves=curves)
    asked = replace(results, outcome=outcome, quantities={outcome: Outcome.read(outcome).quantity})
    found = survival(asked, Scores.of(asked))
    assert found is not None and found.target == 3 and [each.reached for each in found.cells] == [2, 3]


def test_an_outcome_that_is_a_time_is_not_compared_as_a_time_once_more() -> None:
    curves = np.array([[[9, 5, 3]] * 3, [[5, 3, 1]] * 3], dtype=float)
    results = factorial(np.array([[300.0] * 3, [200.0] * 3]), {"gp": ["no", "yes"]}, curves=curves)
    outcome = "rounds-to(frechet-distance, 3)"
    timed = replace(results, outcome=outcome, quantities={outcome: Outcome.read(outcome).quantity})
    assert survival(timed, Scores.of(timed)) is None


def test_no_winner_of_a_tie_is_named_and_no_target_that_everyone_is_at_from_the_start() -> None:
    curves = np.array([[[9, 5, 3]] * 2, [[9, 4, 2]] * 2, [[9, 9, 3]] * 2], dtype=float)
    results = factorial(curves[..., -1], {"penalty": ["no", "r1", "gp"]}, curves=curves)
    said = [survival_sentence(Answer.of(results, target=goal)) for goal in (5, 4, 9)]
    assert "penalty no and penalty r1 take as long on average, 200 rounds" in (said[0] or ""), said
    assert "soonest with penalty r1" in (said[1] or "") and "all cells take as long" in (said[2] or ""), said
    worst = factorial(np.zeros((2, 2)), {"gp": ["no", "yes"]}, curves=np.zeros((2, 2, 3)))
    assert survival(worst, Scores.of(worst)) is None


def test_times_are_paired_by_seed_wherever_seeds_are_missing() -> None:
    """Of seeds 0, 1, 2 the first cell lacks 0 and the second lacks 2: one seed is left that both have."""
    curves = np.array([[[9, 9, 3], [9, 3, 3], [9, 9, 3]], [[3, 3, 3], [3, 3, 3], [9, 9, 3]]], dtype=float)
    results = factorial(curves[..., -1], {"gp": ["no", "yes"]}, curves=curves)
    missing = [(results.cells[0].id, 0), (results.cells[1].id, 2)]
    some = replace(results, rows=tuple(row for row in results.rows if (row.cell, row.seed) not in missing))
    found = survival(some, Scores.of(some), target=3)
    assert found is not None and found.cells[1].difference == 100 - 200 and found.cells[1].interval is None
    fewer = replace(results, rows=tuple(row for row in results.rows if (row.cell, row.seed) != missing[1]))
    found = survival(fewer, Scores.of(fewer), target=3)
    assert found is not None and found.cells[1].difference == (-200 - 100) / 2 and found.cells[0].difference is None


@pytest.mark.parametrize("target", [5.0, None], ids=["given", "of the baseline"])
@pytest.mark.parametrize("trained", [0, 1, 2])
def test_times_of_a_study_that_was_interrupted(trained: int, target: float | None) -> None:
    """Cells without a member yet, and one whose member has no evaluation, are left out."""
    curves = np.array([[[9, 5, 3]] * 2] * 4, dtype=float)
    results = factorial(curves[..., -1], {"penalty": ["no", "r1", "r2", "gp"]}, curves=curves)
    ids = [cell.id for cell in results.cells]
    begun = [row for row in results.rows if row.cell in ids[1 : 1 + trained]]
    none_yet = [replace(row, series={}) for row in results.rows if row.cell == ids[0]]
    some = replace(results, rows=(*begun, *none_yet))
    found = survival(some, Scores.of(some), target=target)
    if target is None or not trained:
        assert found is None
    else:
        assert found is not None and [each.cell for each in found.cells] == ids[1 : 1 + trained] and found.p is None
        assert survival_sentence(Answer.of(some, target=target))


def test_kaplan_meier_and_log_rank_are_statsmodels_own() -> None:
    survfunc = pytest.importorskip("statsmodels.duration.survfunc")
    curves = np.random.default_rng(3).normal(10, 3, (2, 12, 8)).cumsum(2) * -1
    results = factorial(curves[..., -1], {"gp": ["no", "yes"]}, curves=curves)
    found = survival(results, Scores.of(results), target=-70)
    assert found is not None
    hit = curves <= -70
    times = np.where(hit.any(2), 100 * (hit.argmax(2) + 1), 800)
    _, p = survfunc.survdiff(times.ravel(), hit.any(2).ravel().astype(int), np.repeat([0, 1], 12))
    assert found.p == pytest.approx(p)


# How many seeds.


def test_power_is_statsmodels_own() -> None:
    power = pytest.importorskip("statsmodels.stats.power").TTestPower()
    needed = seeds_for_difference(sd=3, n=8, difference=2)
    assert power.power(2 / 3, needed.expected, 0.05) >= 0.8 > power.power(2 / 3, needed.expected - 1, 0.05)
    assert needed.expected < needed.upper
    assert seeds_for_difference(3, 200, 2).upper < needed.upper
    assert smallest_difference(3, needed.expected) == pytest.approx(2, rel=0.03)


def test_precision_is_the_width_of_the_interval() -> None:
    needed = seeds_for_precision(sd=3, n=8, half_width=1.0).expected
    widths = [stats.t.ppf(0.975, n - 1) * 3 / n**0.5 for n in (needed - 1, needed)]
    assert widths[1] <= 1 < widths[0]


# Racing.


def test_a_clear_loser_is_stopped_and_the_best_is_not() -> None:
    noise = np.random.default_rng(4).normal(0, 1, (3, 8))
    badness = np.array([[0.0], [0.2], [9.0]]) + noise
    losses = losers(badness, np.array([True, True, True]), n_looks=3)
    assert [loss.cell for loss in losses] == [2] and losses[0].low > 0
    assert losers(badness, np.array([True, False, False]), n_looks=3) == []


def test_a_cell_of_which_all_seeds_diverged_is_stopped() -> None:
    badness = np.array([[1.0, 2, 3, 4], [np.inf] * 4])
    assert [loss.cell for loss in losers(badness, np.array([True, True]), n_looks=2)] == [1]


def test_the_best_cell_is_rarely_stopped() -> None:
    """All cells alike: each is a best one. Over all looks a given one is stopped in at most 5 % of studies."""
    rng = np.random.default_rng(5)
    stopped = 0
    for _ in range(300):
        base = rng.normal(0, 1, (4, 8))
        badness = [base + rng.normal(0, 1, (4, 8)) for _ in range(3)]  # looks depend on each other
        stopped += any(loss.cell == 0 for look in badness for loss in losers(look, np.ones(4, bool), n_looks=3))
    assert stopped <= 0.05 * 300 + 2 * (300 * 0.05 * 0.95) ** 0.5


def _effects(means: np.ndarray, spread: float = 1.0) -> dict[tuple[str, ...], Effect]:
    """Effects of a 2 x 2 study by their new levels; main effects rather than cells where both exist."""
    values = means[:, None] + np.random.default_rng(0).normal(0, spread, (4, 8))
    results = factorial(values)
    scores = Scores.of(results)
    made, _ = corrected([effect(contrast, scores) for contrast in contrasts(results)])
    keys = [(*(c[1] for c in e.contrast.changes), *(["cell"] if e.contrast.kind == "cell" else [])) for e in made]
    return dict(zip(keys, made, strict=True))
