"""What the answer of a study says, in words and numbers, also of results that are not as they should be."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("statsmodels")

from sparring.analysis.diagnosis import diagnosis
from sparring.analysis.wording import short
from sparring.errors import SparringError
from sparring.record import RunFolder
from sparring.report.figures.drawing import LIGHT
from sparring.report.figures.study.forest import _keys  # pyright: ignore[reportPrivateUsage]
from sparring.rules import Detection
from sparring.rules._signals import Signals
from sparring.rules._stories import story
from sparring.rules.mode_collapse import ModeCollapse
from sparring.study import needs
from sparring.study.answer import Answer
from sparring.study.collecting import _RunFacts  # pyright: ignore[reportPrivateUsage]
from sparring.study.intervals import Interval
from sparring.study.outcome import Outcome
from sparring.study.plain import answer_plain, as_csv, cell_records, effect_records, member_records
from sparring.study.results import Results, Series
from sparring.study.wording import amount, difference_text, p_text
from tests.made_studies import FRECHET, factorial

TIMED = replace(FRECHET, name="rounds-to(frechet-distance, 2)", title="rounds until it is at most 2", unit="rounds")


def values(*means: float, seeds: int = 8, spread: float = 0.5, draw: int = 0) -> np.ndarray:
    """`(cells, seeds)` around these means."""
    return np.array(means)[:, None] + np.random.default_rng(draw).normal(0, spread, (len(means), seeds))


def stepwise(*means: float) -> Results:
    """From all at 0 to all at 1 of two factors, in both orders."""
    results = factorial(values(*means), {"depth": ["2", "4"], "width": ["8", "64"]})
    ids = [cell.id for cell in results.cells]
    return replace(results, design="stepwise", steps=((ids[0], ids[2], ids[3]), (ids[0], ids[1], ids[3])))


def test_the_sentence_of_an_effect_has_number_interval_seeds_and_what_is_special() -> None:
    first = Answer.of(factorial(values(20, 11, 19.9, 11.1))).sentences[0]
    assert first.startswith("Optimizer adam in place of sgd: Fréchet distance lower by 9.")
    assert "8 of 8 seeds" in first and first.endswith("the only one of the two changes that helps significantly.")


def test_what_is_not_shown_is_not_claimed() -> None:
    answer = Answer.of(factorial(values(10, 10, 10, 10, spread=3, draw=2)))
    effects = [s for s in answer.sentences if "×" not in s]
    assert all("no effect is shown" in s or "not significant" in s for s in effects)
    assert "no interaction is shown" in " ".join(answer.sentences)


def test_seeds_that_agree_by_very_different_amounts_are_said_to() -> None:
    table = np.array([[1.0] * 6, [1.1, 1.1, 1.2, 1.1, 1.2, 9.0]])
    (said,) = Answer.of(factorial(table, {"gp": ["no", "yes"]})).sentences
    assert "6 of 6 seeds; every seed agrees, but by amounts that differ too much" in said


def test_an_interaction_says_whether_changes_overlap() -> None:
    assert "each does worse with the other" in " ".join(Answer.of(factorial(values(20, 11, 19, 16))).sentences)
    assert "each does better with the other" in " ".join(Answer.of(factorial(values(20, 19, 19, 9))).sentences)


def test_failures_are_in_the_sentence() -> None:
    made = factorial(values(20, 11), {"gp": ["no", "yes"]}, collapsed=[(0, 1), (0, 2)], diverged=[(0, 3)])
    (said,) = Answer.of(made).sentences
    assert "collapsed: 0 of 8 with it, 2 without" in said and "diverged: 0 of 8 with it, 1 without" in said


def test_fewer_than_six_seeds_are_remarked_on() -> None:
    assert any("Only 4 seeds" in note for note in Answer.of(factorial(values(20, 11, 19, 13, seeds=4))).notes)
    assert not any("Only" in note for note in Answer.of(factorial(values(20, 11, 19, 13, seeds=6))).notes)


def test_one_cell_is_compared_with_nothing() -> None:
    answer = Answer.of(factorial(values(20), {"recipe": ["digits"]}))
    assert not answer.effects and not answer.comparisons and answer.anova is None and answer.needed is None
    assert answer.cells[0].interval is not None and "nothing to compare it with" in answer.method
    assert not any("place of" in said for said in answer.sentences)


def test_one_seed_has_no_interval_and_no_p() -> None:
    answer = Answer.of(factorial(values(20, 11, 19, 13, seeds=1)))
    assert all(each.interval is None and each.p is None for each in answer.effects)
    assert "anecdote" in " ".join(answer.notes)


def test_a_cell_of_which_every_seed_diverged_is_worst_and_not_silent() -> None:
    results = factorial(values(20, 11), {"gp": ["no", "yes"]}, diverged=[(1, seed) for seed in range(8)])
    answer = Answer.of(results)
    (only,) = answer.effects
    assert only.mean is None and (only.better, only.worse) == (0, 8) and only.significant()
    assert "8 of 8 diverged with it, 0 of 8 without" in answer.sentences[0]


def test_a_study_that_is_half_trained_says_so() -> None:
    table = values(20, 11, 19, 13)
    table[3, 5:] = np.nan
    answer = Answer.of(factorial(table))
    assert any("3 outcomes are not known yet" in note for note in answer.notes)
    assert {each.n for each in answer.effects} == {5}


def test_a_cell_that_racing_stopped_has_no_outcome_and_intervals_are_wider() -> None:
    results = factorial(values(20, 11, 19, 13))
    cells = (*results.cells[:3], replace(results.cells[3], stopped=500))
    answer = Answer.of(replace(results, cells=cells, looks=(0.25, 0.5)))
    assert answer.level == pytest.approx(1 - 0.05 / 3) and "98.3 %" in answer.method
    assert any("stopped at round 500" in note for note in answer.notes)
    assert answer.cells[3].mean is None


def test_a_race_tests_at_the_level_that_its_looks_leave() -> None:
    """Two looks and the end: intervals are 98.3 %, and what is called significant is so at 1.7 %."""
    apart = np.random.default_rng(3).normal(0, 1, 8)
    apart = (apart - apart.mean()) / apart.std(ddof=1) - 0.95  # t is −2.7, p 0.03
    results = factorial(np.array([[20.0] * 8, 20 + apart]), {"gp": ["no", "yes"]})
    alone, race = (Answer.of(each) for each in (results, replace(results, looks=(0.25, 0.5))))
    p = alone.effects[0].p_holm
    assert p is not None and 0.05 / 3 < p < 0.05 and race.effects[0].p_holm == p
    assert alone.effects[0].significant() and not race.effects[0].significant()
    interval = race.effects[0].interval
    assert interval is not None and interval.contains(0), "which says the same"
    assert "no effect is shown" in race.sentences[0] and "no effect is shown" not in alone.sentences[0]
    assert "p is significant below 0.0167" in race.method
    keys = [[line.get_label() for line in _keys(each, LIGHT)] for each in (alone, race)]
    assert "better, p < 0.05 by Holm" in keys[0] and "better, p < 0.0167 by Holm" in keys[1]


def test_the_seeds_that_are_needed_are_by_all_tests_that_are_shown() -> None:
    """Of times to a target too, which Holm's correction counts."""
    curves = np.random.default_rng(1).normal(10, 1, (4, 8, 5))
    answer = Answer.of(factorial(curves[..., -1], curves=curves))
    assert answer.survival is not None and answer.survival.p is not None and answer.needed is not None
    assert answer.needed.alpha == pytest.approx(0.05 / answer.shown) and answer.shown == 7


def test_steps_are_reported_in_both_orders() -> None:
    """Depth takes 6 off when it is first and 1 when it is last: the order matters."""
    answer = Answer.of(stepwise(20, 14, 14, 13))
    depth = next(each for each in answer.contributions if each.change[0] == "depth")
    assert [round(order.mean or 0) for order in depth.orders] == [-6, -1] and depth.depends
    assert any("step 2 of 2, reverse order" in said for said in answer.sentences)
    assert answer.sentences[0].startswith("Width 64 in place of 8: Fréchet distance lower by 3.")
    assert answer.sentences[0].endswith("it depends on what was changed before.")
    assert len(answer.comparisons) == 1  # the last recipe against the first


def test_a_fraction_has_main_effects_and_says_what_it_cannot_separate() -> None:
    half = factorial(values(20, 11, 19, 13))
    answer = Answer.of(replace(half, design="fractional", aliases=("A is aliased with B × C.",)))
    assert {each.contrast.kind for each in answer.effects} == {"main"} and answer.anova is None
    assert "A is aliased with B × C." in answer.notes


def test_a_stated_difference_says_how_many_seeds_it_needs() -> None:
    results = factorial(values(20, 11, 19, 13, spread=3))
    needed = Answer.of(replace(results, precision=2.0)).needed
    assert needed is not None and needed.for_difference is not None
    assert needed.more == needed.for_difference.expected - 8 > 0
    assert Answer.of(replace(results, precision=50.0)).needed.more == 0  # pyright: ignore[reportOptionalMemberAccess]


def test_times_to_a_target_are_cut_at_the_end_that_all_reached() -> None:
    table = np.array([[900.0, 1000, 1000], [300.0, 400, 500]])
    censored = np.array([[False, True, True], [False, False, False]])
    results = factorial(table, {"gp": ["no", "yes"]}, outcome=TIMED, censored=censored, diverged=[(1, 2)])
    answer = Answer.of(results)
    assert answer.scores.horizon == 1000 and answer.scores.values[1].tolist() == [300, 400, 1000]
    assert any("cut at 1,000" in note for note in answer.notes)


def timed(table: list[list[float]], factors: dict[str, list[str]], **settings: Any) -> Answer:
    """Of rounds until a target is reached; 1,000 where it never was."""
    censored = np.array(table) == 1000
    return Answer.of(factorial(np.array(table), factors, outcome=TIMED, censored=censored, **settings))


def test_a_seed_that_diverged_is_later_than_every_other_one_whatever_the_target() -> None:
    """All others reached it at once: the mean counts the end of training, and p and P(better) that it is worse."""
    lost = [(1, seed) for seed in range(6)]
    answer = timed([[10.0] * 6, [10.0] * 6], {"lr": ["1e-3", "1e30"]}, diverged=lost)
    (effect,) = answer.effects
    assert [cell.mean for cell in answer.cells] == [10, 1000] and [cell.reached for cell in answer.cells] == [6, 0]
    assert (effect.mean, effect.better, effect.worse, effect.by_ranks) == (990, 0, 6, True)
    assert effect.p == pytest.approx(2 / 2**6) and effect.significant()
    assert effect.improvement is not None and effect.improvement.probability == 0
    assert answer.cells[1].iqm is None
    (said,) = answer.sentences
    assert "higher by at least 990" in said and "with it no seed reached the target" in said
    assert any("Such a member counts as 1,000 rounds in means" in note for note in answer.notes)
    assert not any("Times are cut" in note for note in answer.notes)


def test_one_that_diverged_is_worse_than_one_that_merely_never_reached_the_target() -> None:
    answer = timed([[1000.0] * 6, [1000.0] * 6], {"lr": ["1e-3", "1e30"]}, diverged=[(1, seed) for seed in range(6)])
    (effect,) = answer.effects
    assert effect.mean == 0 and (effect.better, effect.worse) == (0, 6) and effect.significant()
    assert answer.sentences == [
        "Lr 1e30 in place of 1e-3: no seed reached the target, with it or without; diverged: 6 of 6 with it, 0 without."
    ]


def test_where_no_seed_reached_the_target_no_interaction_is_claimed() -> None:
    """Each change alone is late; both cells of the one are cut in every seed, which looks like help by the other."""
    draw = np.random.default_rng(0).uniform(-50, 50, (2, 6))
    table = [*(np.array([[200.0], [600.0]]) + draw).tolist(), [1000.0] * 6, [1000.0] * 6]
    answer = timed(table, {"lr": ["0.1", "1e30"], "objective": ["bce", "mse"]})
    assert [cell.reached for cell in answer.cells] == [6, 6, 0, 0] and answer.anova is None
    effects = {tuple(name for name, _, _ in each.contrast.changes): each for each in answer.effects}
    both, lr, objective = (effects[key] for key in (("lr", "objective"), ("lr",), ("objective",)))
    assert (both.mean, both.interval, both.p, both.better, both.worse) == (None, None, None, 0, 0)
    assert (lr.bound, objective.bound) == (1, 0) and answer.shown == 5
    said = " ".join(answer.sentences)
    assert "better with the other" not in said and "as in 2 of 4 cells no seed reached the target." in said
    assert "Objective mse in place of bce: rounds until it is at most 2 higher by 2" in said
    assert "in 2 of 4 cells no seed reached the target, so what it does there is not known" in said
    assert difference_text(lr).startswith("≥ 597 [") and not difference_text(objective).startswith("≥")
    assert {record["label"]: record["reached"] for record in cell_records(answer)}["lr 1e30, objective mse"] == 0


@pytest.mark.parametrize(
    ("late", "bound", "said"),
    [
        ((2, 3), 0, "; 12 members did not reach the target, and the end of training alone can look so"),
        ((2,), -1, "lower than the two changes add up to: each does better with the other"),
        ((3,), 1, "higher than the two changes add up to: each does worse with the other"),
    ],
)
def test_an_interaction_that_the_end_of_training_may_have_made_is_none(
    late: tuple[int, ...], bound: int, said: str
) -> None:
    """Seed 0 reaches the target in every cell. More time would show more of what only one side is late for."""
    table = np.array([[200.0], [600.0], [300.0], [300.0]]) + np.random.default_rng(0).uniform(-5, 5, (4, 7))
    table[list(late), 0], table[list(late), 1:] = 990, 1000
    answer = timed(table.tolist(), {"lr": ["0.1", "1e30"], "objective": ["bce", "mse"]})
    (both,) = (each for each in answer.effects if each.contrast.kind == "interaction")
    assert both.significant() and (both.bound, both.late) == (bound, 6 * len(late))
    (sentence,) = (each for each in answer.sentences if "×" in each)
    assert said in sentence and ("at least" in sentence) == bool(bound)


def test_steps_that_meet_the_end_of_training_do_not_depend_on_their_order() -> None:
    spread = np.random.default_rng(0).normal(0, 5, 8)
    table = np.array([200 + spread, [1000.0] * 8, [1000.0] * 8, [1000.0] * 8])
    made = factorial(table, {"depth": ["2", "4"], "width": ["8", "64"]}, outcome=TIMED, censored=table == 1000)
    ids = [cell.id for cell in made.cells]
    steps = ((ids[0], ids[2], ids[3]), (ids[0], ids[1], ids[3]))
    answer = Answer.of(replace(made, design="stepwise", steps=steps))
    assert not any(each.depends for each in answer.contributions)
    assert all("no dependence on the order is shown" in said for said in answer.sentences[:2])


def test_no_difference_is_said_to_be_none() -> None:
    (said,) = Answer.of(factorial(np.full((2, 6), 3.0), {"gp": ["no", "yes"]})).sentences
    assert said == "Gp yes in place of no: no difference in Fréchet distance, 6 of 6 seeds."
    some = np.array([[3.0] * 6, [3.0] * 5 + [4.0]])
    (said,) = Answer.of(factorial(some, {"gp": ["no", "yes"]})).sentences
    assert "1 of 6 seeds; not significant" in said and "every seed agrees" not in said


def test_what_is_neither_better_nor_worse_helps_nothing() -> None:
    loss = replace(FRECHET, name="d_loss", title="D's loss", better=None)
    first = Answer.of(factorial(values(20, 11, 19.9, 11.1), outcome=loss)).sentences[0]
    assert "D's loss lower by 9" in first and first.endswith("the only one of the two changes that is significant.")
    uneven = values(0, 1, 0, 1, spread=0.1)
    uneven[[1, 3], 0] += 20  # higher in every seed, and not significantly so
    said = " ".join(Answer.of(factorial(uneven, outcome=loss)).sentences)
    assert "8 of 8 seeds; every seed agrees" in said and "helps" not in said


def test_one_test_and_one_round_are_said_in_the_singular() -> None:
    answer = timed([[1.0] * 6, [1.0] * 6], {"gp": ["no", "yes"]})
    cut = replace(answer.results, rows=tuple(replace(row, censored=True) for row in answer.results.rows))
    answer = Answer.of(cut)
    assert "it is one test, which needs no correction" in answer.method
    assert any("cut at 1 round, the longest" in note for note in answer.notes)


def test_plain_data_is_json_and_tables_are_csv() -> None:
    curves = np.random.default_rng(1).normal(10, 1, (4, 8, 5))
    answer = Answer.of(factorial(curves[..., -1], diverged=[(0, 1)], curves=curves))
    plain: dict[str, Any] = json.loads(json.dumps(answer_plain(answer), allow_nan=False))
    assert len(plain["effects"]) == 6 and len(plain["cells"]) == 4 and plain["tests"] == answer.shown == 7
    assert plain["survival"]["cells"][0]["n"] == 8
    for records, lines in ((cell_records(answer), 4), (effect_records(answer), 6), (member_records(answer), 32)):
        assert as_csv(records).count("\n") == lines + 1


def test_a_missing_statsmodels_is_one_line_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(needs.importlib, "import_module", missing)
    with pytest.raises(SparringError, match=r"pip install 'sparring\[study\]'"):
        needs.check_installed()


@pytest.mark.parametrize(
    ("value", "interval", "text"),
    [
        (-9.12, Interval(-12.34, -5.9), "−9.1 [−12.3, −5.9]"),
        (0.012345, Interval(0.0101, 0.0146), "0.0123 [0.0101, 0.0146]"),
        (1234.5, Interval(1200, 1269), "1,234 [1,200, 1,269]"),
        (123456789012345.6, Interval(-1e10, 2.5e15), "1.23e+14 [−1e+10, 2.5e+15]"),
        (None, None, "–"),
    ],
)
def test_numbers_have_the_digits_that_their_interval_shows(
    value: float | None, interval: Interval | None, text: str
) -> None:
    assert amount(value, interval) == text
    assert short(123456789012345.0) == "1.23e+14" and short(9_999_999) == "9999999"


def test_p_is_short() -> None:
    assert [p_text(p) for p in (0.0001, 0.0042, 0.2, None)] == ["< 0.001", "0.004", "0.20", "–"]


def test_what_the_diagnosis_calls_collapsed_is_counted_as_collapsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a seed whose samples still come nearer, where the rule says that more training will not change it."""
    collapsed = ModeCollapse.sick()
    for at, event in enumerate(collapsed.log_points):
        if "metrics" in event:
            distances = event["metrics"]["frechet-distance"]
            distances[:3] = [value * 0.96**at for value in distances[:3]]
    detect = ModeCollapse.detect

    def lasting(rule: ModeCollapse, signals: Signals) -> Detection | None:
        found = detect(rule, signals)
        return found and replace(found, lasting=found.holds)

    for patched in (False, True):
        if patched:
            monkeypatch.setattr(ModeCollapse, "detect", lasting)
        facts = _RunFacts(RunFolder("none"), collapsed, {})
        assert facts.signals.progress.unfinished.tolist() == [True] * 3 + [False] * 5
        rows = facts.rows(Outcome.read("frechet-distance"))
        assert [row.collapsed for row in rows] == [patched] * 3 + [True] * 5
        assert all(row.finding == "mode-collapse" for row in rows if row.collapsed)


def test_a_seed_has_the_finding_that_it_votes_for_in_the_diagnosis() -> None:
    """What is to be seen in it and explains nothing is none."""
    blind = {"d_real": 0.5, "d_fake": 0.5, "d_loss": 0.693, "g_loss": 0.693}
    near = story(blind, {"checkerboard": 2.2, "frechet-distance": (40.0, 5.0, 4.0, 4.0)}, jitter=0.002)
    assert [(finding.rule, finding.votes) for finding in diagnosis(near).findings] == [("checkerboard", 0)]
    rows = _RunFacts(RunFolder("none"), near, {}).rows(Outcome.read("frechet-distance"))
    assert {(row.finding, row.fault) for row in rows} == {("", False)}


def test_a_seed_that_reached_a_target_and_diverged_has_not_reached_it() -> None:
    curve = Series(rounds=(100, 200), seconds=(1.0, 2.0), values=(1.5, None))
    row = replace(factorial(values(1.5), {"gp": ["no"]}).rows[0], series={FRECHET.name: curve})
    outcome = Outcome.read("rounds-to(frechet-distance, 2)")
    assert outcome.of(row, None) == (100, False)
    assert outcome.of(replace(row, diverged=True), None) == (1_000, True)
