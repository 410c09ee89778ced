"""While few examples were seen, or samples still come nearer to the data, nothing is called sick but what is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparring import catalogue
from sparring.analysis.diagnosis import diagnosis, rules
from sparring.datasets.folder import Folder
from sparring.recipe import find_recipe
from sparring.recipe.length import usual_examples
from sparring.record import Story
from sparring.rules import Signals
from sparring.rules._stories import story

BATCH = 64
COLLAPSED = {"modes": 2.0, "class-divergence": 1.5, "diversity": 0.2}
FLAT = {**COLLAPSED, "frechet-distance": (60.0, *[30.0] * 12)}
FALLING = {**COLLAPSED, "frechet-distance": (60.0, 50.0, 38.0, 27.0, 18.0, 12.0)}


def verdict(told: Story) -> str:
    return diagnosis(told).verdict


@pytest.mark.parametrize("rounds", [100, 400, 600])
def test_whatever_a_rule_finds_in_the_end_is_not_found_after_few_images(rule: Any, rounds: int) -> None:
    """Its sick story as it is from the beginning, but so short that every GAN may look like it."""
    sick = rule.sick()
    metrics = {name: values[-1].tolist() for name, values in sick.evaluations[1].items()}
    short = shortened(sick, rounds, metrics)
    found = diagnosis(short)
    names = {finding.rule for finding in found.findings if finding.fault}
    assert all(rules()[name].anytime for name in names), names
    assert found.verdict != "equilibrium" or not rule.fault
    if rule.fault and Signals(short).quality_known and not Signals(short).good.any() and not names - {"undertrained"}:
        assert found.verdict == "undertrained"


def shortened(told: Story, rounds: int, metrics: dict[str, Any]) -> Story:
    """The story in so many rounds, with one evaluation at its end."""
    events, last = [], told.log_points[-1]
    scale = rounds / told.round
    for event in told.events:
        event = {name: value for name, value in event.items() if name != "metrics"} | {
            "round": max(1, round(event["round"] * scale)) if event["round"] else 0
        }
        if "logged" in event:
            event["logged"] = [max(1, round(each * scale)) for each in event["logged"]]
        if event["event"] == "log" and event["seconds"] == last["seconds"] and metrics:
            event["metrics"] = metrics
        events.append(event)
    return Story({**told.recipe, "rounds": rounds}, events)


def test_a_collapse_is_found_once_enough_images_were_seen() -> None:
    assert verdict(story(metrics=FLAT)) == "mode-collapse"


def test_a_collapse_is_found_before_that_where_samples_are_known_to_be_flat() -> None:
    for rounds, evaluations, expected in (
        (2_000, 20, "mode-collapse"),
        (2_000, 6, "mode-collapse"),
        (2_000, 1, "undertrained"),
        (1_200, 20, "mode-collapse"),
        (1_200, 2, "undertrained"),
        (600, 20, "undertrained"),
    ):
        told = story(metrics=FLAT, rounds=rounds, evaluations=evaluations)
        assert verdict(told) == expected, (rounds, evaluations)


def test_while_samples_come_nearer_nothing_else_is_found_of_them() -> None:
    for rounds in (600, 2_000, 5_000):
        found = diagnosis(story(metrics=FALLING, rounds=rounds))
        assert [finding.rule for finding in found.findings] == ["undertrained"], rounds


def test_samples_that_get_worse_while_few_were_seen_may_recover() -> None:
    worse = {**COLLAPSED, "frechet-distance": (10.0, 20.0, 30.0, 40.0)}
    assert verdict(story(metrics=worse, rounds=1_200)) == "undertrained"
    assert verdict(story(metrics=worse, rounds=2_000)) == "mode-collapse"


def test_a_g_that_makes_one_example_is_found_though_that_wanders_nearer() -> None:
    constant = {**FALLING, "diversity": 0.01}
    assert verdict(story(metrics=constant, rounds=400)) == "undertrained"
    assert verdict(story(metrics=constant, rounds=1_200)) == "mode-collapse"


def test_where_few_were_seen_simple_numbers_do_not_make_samples_good() -> None:
    """Nothing compared them with the data in a judge's features."""
    good = story(rounds=1_000)
    events = [{**event, **({"judge": None} if event["event"] == "real-baseline" else {})} for event in good.events]
    assert verdict(good) == "equilibrium"
    assert verdict(Story(good.recipe, events)) == "undertrained"


BEATEN = {"d_real": 0.998, "d_fake": 0.002, "d_loss": 0.002, "g_loss": 6.0}
FAR = {**COLLAPSED, "frechet-distance": 60.0, "nearest-neighbor": 2.5}


@pytest.mark.parametrize("evaluations", [1, 2, 20])
def test_a_g_that_d_has_beaten_is_named_at_any_time(evaluations: int) -> None:
    """Of the runs that were measured, none in which D was that sure for that long recovered."""
    assert verdict(story(BEATEN, FAR, rounds=600, evaluations=evaluations, jitter=0.002)) == "discriminator-wins"
    assert verdict(story(BEATEN, FAR, rounds=150, evaluations=evaluations, jitter=0.002)) == "undertrained", "few steps"
    once = {**BEATEN, "d_real": (0.5, 0.7, 0.998), "d_fake": (0.5, 0.3, 0.002)}
    assert verdict(story(once, FAR, rounds=600, evaluations=evaluations, jitter=0.002)) == "undertrained", "only lately"


def test_a_g_whose_samples_come_nearer_all_the_same_is_not_beaten() -> None:
    assert verdict(story(BEATEN, {**FALLING, "nearest-neighbor": 2.5}, rounds=600, jitter=0.002)) == "undertrained"


def test_two_evaluations_do_not_show_that_a_short_run_has_settled() -> None:
    """Of which the second is a little worse, by the noise of few samples."""
    worse = {**COLLAPSED, "frechet-distance": (30.0, 24.0, 26.0)}
    for evaluations, expected in ((2, "undertrained"), (20, "mode-collapse")):
        assert verdict(story(metrics=worse, rounds=2_000, evaluations=evaluations)) == expected


def test_a_fall_that_would_take_for_ever_is_no_progress() -> None:
    """Twice as many examples as a usual run sees, and at this pace a hundred times as many are missing."""
    far = {**COLLAPSED, "frechet-distance": (2000.0, 1100.0, 1000.0, 900.0, 700.0)}
    assert verdict(story(metrics=far, rounds=10_000)) == "mode-collapse"
    assert verdict(story(metrics={**COLLAPSED, "frechet-distance": (40.0, 22.0, 20.0, 18.0, 14.0)}, rounds=10_000)) == (
        "undertrained"
    )


def started_from(made: Story, checkpoint: int, fit: int = 8) -> Story:
    """The same run, begun with weights of another one."""
    event = {"event": "started-from", "round": 0, "checkpoint": checkpoint, "loaded": {"G": [fit, 8], "D": [fit, 8]}}
    return Story(made.recipe, [made.events[0], event, *made.events[1:]])


def test_fine_tuning_begins_where_the_other_run_ended() -> None:
    flat = story(metrics={**COLLAPSED, "frechet-distance": 30.0}, rounds=600)
    assert verdict(flat) == "undertrained"
    assert verdict(started_from(flat, 5_000)) == "mode-collapse"
    assert verdict(started_from(flat, 0)) == "undertrained", "those weights had learned nothing"
    assert verdict(started_from(flat, 5_000, fit=2)) == "undertrained", "most of G's weights are new"


def test_fine_tuning_is_unfinished_while_its_samples_come_nearer_or_nothing_shows_that_they_do_not() -> None:
    for told in (story(metrics=FALLING, rounds=600), story(metrics=COLLAPSED, rounds=600, evaluations=1)):
        assert verdict(started_from(told, 5_000)) == "undertrained"


def test_fine_tuning_that_is_good_is_good() -> None:
    assert verdict(
        started_from(story(metrics={"frechet-distance": 3.0, "class-divergence": 0.1}, rounds=300), 5_000)
    ) == ("equilibrium")


def test_noise_about_a_flat_distance_is_no_gain() -> None:
    """Of ten times the examples that a usual run sees."""
    rng = np.random.default_rng(3)
    noisy = {**COLLAPSED, "frechet-distance": (45 * rng.uniform(0.85, 1.15, 20)).tolist()}
    assert verdict(story(metrics=noisy, rounds=50_000)) == "mode-collapse"


def test_the_claim_says_how_many_were_seen_and_how_many_a_usual_run_sees() -> None:
    found = diagnosis(story(metrics=COLLAPSED, rounds=400)).findings[0]
    assert found.claim == (
        "It is too early for a diagnosis: the run has seen 25,600 images, "
        "where a usual run of such data sees about 200,000."
    )
    assert found.since == 0 and found.remedies[0] == "more-rounds"


def test_of_a_run_that_is_good_already_nothing_is_missing() -> None:
    assert verdict(story(rounds=1_000, metrics={"frechet-distance": 3.0, "class-divergence": 0.1})) == "equilibrium"


def test_members_that_are_good_do_not_speak_against_others_being_unfinished() -> None:
    """Half of the members are good after 1,000 rounds: the verdict is what the others need."""
    good, early = 3.0, 20.0
    told = story(rounds=1_000, metrics={"frechet-distance": 1.0, "class-divergence": 0.1}, evaluations=2)
    for event in told.log_points:
        event["metrics"]["frechet-distance"] = [good] * 4 + [early] * 4
    found = diagnosis(told)
    assert {f.rule: len(f.members) for f in found.findings} == {"undertrained": 4, "equilibrium": 4}
    assert found.verdict == "undertrained"


@pytest.mark.parametrize(
    ("images", "batch", "examples", "usual"),
    [
        (True, 64, 1_797, 200_000),
        (True, 32, 60_000, 200_000),
        (True, 32, 1_000_000, 320_000),
        (True, 256, 1_000_000, 1_000_000),
        (True, 512, None, 1_024_000),
        (True, 1, 60_000, 10_000),
        (False, 64, None, 128_000),
        (False, 10, None, 100_000),
        (False, 1, None, 10_000),
    ],
)
def test_how_many_a_usual_run_sees(images: bool, batch: int, examples: int | None, usual: int) -> None:
    """Each example once at least, and neither more nor fewer batches than any run that was measured."""
    assert usual_examples(images, batch, examples) == usual


@pytest.mark.parametrize(
    ("moves", "seen"),
    [
        (["d_sees_both", "g_fools_d"], 1),
        (["d_sees_real", "d_sees_fake", "g_fools_d"], 1),
        (["d_sees_both"] * 300 + ["g_fools_d"], 300),
        (["d_sees_both"] + ["g_fools_d"] * 300, 300),
        ([{"yours": "mine", "sha256": "0"}, "g_fools_d"], 2),
    ],
)
def test_examples_are_counted_by_the_player_that_sees_more(moves: list[Any], seen: int) -> None:
    told = story(rounds=100, recipe={"round": moves})
    assert Signals(told).progress.seen == 100 * BATCH * seen


@pytest.mark.parametrize(
    ("name", "rounds", "longer"),
    [("digits", 400, 3_200), ("digits", 5_000, 10_000), ("mnist", 400, 6_300), ("pattern-1010", 1_500, 10_000)],
)
def test_the_remedy_is_as_many_rounds_as_a_usual_run_has(name: str, rounds: int, longer: int) -> None:
    remedy = catalogue.make("remedies", "more-rounds", {})
    short = find_recipe(name).replace(rounds=rounds)
    assert remedy(short) == short.replace(rounds=longer)


def test_the_remedy_needs_no_look_into_a_folder() -> None:
    short = find_recipe("mnist").replace(data=Folder("nowhere"), rounds=100)
    changed = catalogue.make("remedies", "more-rounds", {})(short)
    assert changed is not None and changed.rounds == 6_300


def test_examples_are_counted_with_the_batch_and_the_moves_of_their_rounds() -> None:
    made = story(rounds=1_000)
    changes = [
        {"event": "changed", "round": 300, "settings": {"batch": [8, 32], "round.g_fools_d": [1, 3]}, "by": ""},
        {"event": "changed", "round": 900, "settings": {"batch": [32, 1024]}, "by": ""},
    ]
    first = {**made.recipe, "batch": 8, "round": ["d_sees_both", "g_fools_d"]}
    now = {**first, "batch": 1024, "round": ["d_sees_both", *["g_fools_d"] * 3]}
    of_now, of_first = (Signals(Story(each, [*made.events[:-1], *changes, made.events[-1]])) for each in (now, first))
    assert of_now.at(200).progress.seen == of_first.at(200).progress.seen == 200 * 8
    assert of_now.progress.seen == of_first.progress.seen
    progress = of_now.progress
    assert progress.seen == 300 * 8 + 600 * 32 * 3 + 100 * 1024 * 3
    assert progress.usual == usual_examples(True, round((300 * 8 + 600 * 32 + 100 * 1024) / 1_000), None)
