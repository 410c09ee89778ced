"""What explains the most about a member is named first: a cause ranks before what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.analysis.diagnosis import NOT_SURE, Diagnosis, diagnosis, with_votes
from sparring.analysis.votes import explanations
from sparring.record import Story
from sparring.rules import Finding, Plot, Range
from sparring.rules._stories import REAL, WASSERSTEIN, story

BLIND = {"d_real": 0.5, "d_fake": 0.5, "d_loss": 0.693, "g_loss": 0.693}
SURE = {"d_real": 0.999, "d_fake": 0.001, "d_loss": 0.001, "g_loss": 7.0}
FLAT = (60.0, 30.0, 30.0, 30.0, 30.0, 30.0)
FAR = {"frechet-distance": FLAT, "nearest-neighbor": 2.5, "modes": 2.0, "class-divergence": 1.5}
UNBOUNDED: dict[str, list[float | None]] = {"d_output": [None, None]}
GOOD = {"modes": 10.0}
NO_PLOT = Plot("curves", (), "", Range())
PATTERNED = {"checkerboard": 8.0, "colors": 1.5}


def of(
    curves: Mapping[str, Any], metrics: Mapping[str, Any], of_real: Mapping[str, float] | None = None, **fields: Any
) -> Diagnosis:
    """The diagnosis of such a story, of which real data scores these too."""
    made = story(dict(curves), dict(metrics), jitter=0.002, **fields)
    events = [dict(event) for event in made.events]
    for event in events:
        if event["event"] == "real-baseline":
            event["metrics"] = {**REAL, **(of_real or {})}
    return diagnosis(Story(made.recipe, events))


@pytest.mark.parametrize(
    ("curves", "cause"), [(SURE, "discriminator-wins"), (BLIND, "weak-discriminator"), ({}, "checkerboard")]
)
def test_a_pattern_is_the_cause_only_where_g_is_taught(curves: dict[str, float], cause: str) -> None:
    """A G that D has beaten, or that a blind D teaches nothing, shows the pattern that its layers begin with."""
    far = 40.0 if curves is BLIND else 20.0  # as nobody's G is: nearer samples are no fault of D
    assert of(curves, {**PATTERNED, "frechet-distance": (60.0, far, far, far)}).verdict == cause


def test_a_pattern_that_d_does_not_know_samples_by_is_reported_and_no_verdict() -> None:
    near = of(BLIND, {"checkerboard": 2.2, "frechet-distance": (40.0, 5.0, 4.0, 4.0)})
    assert near.verdict == NOT_SURE and "checkerboard is 2.2 (healthy: at most 1.5)" in near.line
    assert [(finding.rule, finding.votes) for finding in near.findings] == [("checkerboard", 0)]
    assert of({}, {"checkerboard": 2.2, "frechet-distance": (40.0, 5.0, 4.0, 4.0)}).verdict == "checkerboard"


@pytest.mark.parametrize(("metrics", "fault"), [({"sharpness": 0.02}, "blur"), ({"checkerboard": 6.0}, "checkerboard")])
def test_a_gross_fault_is_the_verdict_though_d_does_not_know_samples_by_it(
    metrics: dict[str, float], fault: str
) -> None:
    """A D that looks at large shapes alone leaves blur to G."""
    found = of(BLIND, {**metrics, "frechet-distance": (40.0, 16.0, 16.0, 16.0)})
    assert found.verdict == fault and not found.findings[0].blemishes


def test_d_is_to_blame_only_for_samples_that_nobody_could_take_for_real() -> None:
    """What a penalty lets G do, or is all that it can, is no fault of a D that is undecided."""
    farther = {distance: of(BLIND, {"frechet-distance": (60.0, *[distance] * 4)}) for distance in (12.0, 40.0)}
    assert farther[40.0].verdict == "weak-discriminator"
    assert farther[12.0].verdict == NOT_SURE and "12" in farther[12.0].line
    silent = {**BLIND, "d_real": 0.001, "d_fake": 0.0, "d_loss": -0.001, "g_loss": 0.0}
    vanished = {**silent, "d_real": (9.0, *[0.001] * 9), "g_gradient": (1.0, *[1e-4] * 9)}
    found = of(vanished, {"frechet-distance": FLAT}, levels=WASSERSTEIN, ranges=UNBOUNDED)
    assert found.verdict == "weak-discriminator", "a critic that says nothing gives G nothing to learn from"


def test_what_is_drawn_wrong_comes_before_what_follows_from_it() -> None:
    real = {"recall": 0.94, "precision": 0.95}
    wrong = {"colors": 2.0, "frechet-distance": (60.0, 20.0, 20.0, 20.0), "recall": 0.01, "precision": 0.9}
    found = of({}, wrong, real)
    assert found.verdict == "wrong-colors" and "mode-collapse" in [finding.rule for finding in found.findings]
    holes = {"checkerboard": 9.0, "diversity": 0.25, "frechet-distance": (120.0, 40.0, 40.0, 40.0)}
    assert of({"d_real": 0.83, "d_fake": 0.17}, holes).verdict == "checkerboard"
    assert of({"d_real": 0.83, "d_fake": 0.17}, {**holes, "checkerboard": 3.0}).verdict == "mode-collapse"


def test_rough_copies_of_few_images_are_memorized() -> None:
    rough = {"copies": 0.5, "nearest-neighbor": 0.72, "diversity": 0.9, "frechet-distance": (40.0, 30.0, 30.0, 30.0)}
    found = of({}, rough, {"copies": 0.0})
    assert found.verdict == "memorization" and "few images: 50% of the samples copy one of" in found.line
    assert found.findings[0].remedies[0] == "augmentation"
    assert of({}, {**rough, "copies": 0.15}, {"copies": 0.0}).verdict != "memorization"
    assert of({}, {**rough, "diversity": 0.5}, {"copies": 0.0}).verdict != "memorization", "near the mean of all"


def test_some_copies_among_good_samples_are_no_good_end() -> None:
    """The median sample is as far from the training set as an unseen example: only their share tells."""
    assert of(BLIND, {**GOOD, "near-copies": 0.03}).verdict == "equilibrium"
    found = of(BLIND, {**GOOD, "near-copies": 0.2})
    assert [finding.rule for finding in found.findings] == ["memorization"]
    claim = found.findings[0].claim
    assert claim.startswith("Some samples are copies of training images: 51 of 256 samples, 20%, copy one of the 1,437")
    assert found.findings[0].remedies[0] == "augmentation" and found.findings[0].plot.names == ("near-copies",)
    lone = of(BLIND, {**GOOD, "near-copies": 1.0, "diversity": 0.2})
    assert lone.verdict == "mode-collapse", "one image over and over is a lack of variety first"


def test_a_d_that_died_is_no_equilibrium() -> None:
    died = {**BLIND, "d_gradient": (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)}
    assert of(BLIND, GOOD).verdict == "equilibrium"
    found = of(died, GOOD)
    assert found.verdict == "weak-discriminator"
    assert found.findings[0].claim.startswith("D has died: it says the same of every example")
    assert of({**BLIND, "d_gradient": 0.0}, GOOD).verdict != "equilibrium", "from the first round on"


def test_copies_of_one_example_are_not_memorized() -> None:
    near = {**FAR, "nearest-neighbor": 0.3}
    assert of({}, {**near, "diversity": 0.9}).verdict == "memorization"
    assert of({}, {**near, "diversity": 0.01}).verdict != "memorization"


def test_one_example_of_noise_is_not_called_noise_first() -> None:
    noise = {**FAR, "roughness": 4.5, "diversity": 0.9}
    assert of(SURE, noise).verdict == "noise-output"
    assert of(SURE, {**noise, "diversity": 0.01}).verdict == "discriminator-wins"


def test_samples_like_the_data_that_reach_few_of_it_lack_variety() -> None:
    """On a curve through the data: near to it everywhere, and almost nowhere about it."""
    real = {"recall": 0.94, "precision": 0.95}
    curve = {"frechet-distance": FLAT, "recall": 0.02, "precision": 0.98}
    assert of({}, curve, real).verdict == "mode-collapse"
    assert of({}, {**curve, "precision": 0.0}, real).verdict != "mode-collapse", "they are far off"
    assert of({}, {**curve, "recall": 0.5}, real).verdict != "mode-collapse"
    nearer = {**curve, "frechet-distance": (60.0, 50.0, 40.0, 30.0, 22.0)}
    assert of({}, nearer, real).verdict == "mode-collapse", "coming nearer does not make them reach more"
    assert of({}, {**nearer, "recall": 0.3}, real).verdict == "undertrained"


def test_a_latent_of_one_number_is_said_of_samples_that_are_alike() -> None:
    alike = {**FAR, "nearest-neighbor": 1.2, "diversity": 0.5}
    found = of({}, alike, rounds=2_000, evaluations=2, recipe={"latent": {"is": "normal", "size": 1}})
    assert found.verdict == "mode-collapse"
    assert "G's latent vector has 1 dimension" in found.findings[0].claim
    assert of({}, alike, rounds=2_000, evaluations=2).verdict == "undertrained", "of 32 numbers more rounds may help"


def test_losses_that_swing_are_a_chase() -> None:
    swings = {"g_loss": [0.7, 1.6] * 12, "d_real": 0.53, "d_fake": 0.47}
    assert of(swings, {"frechet-distance": FLAT}).verdict == "oscillation"
    assert of({**swings, "g_loss": 1.1}, {"frechet-distance": FLAT}).verdict == "weak-discriminator"
    assert of(swings, {"frechet-distance": 3.0}).verdict == "equilibrium", "samples are good"
    nearer = {"frechet-distance": (60.0, 60.0, 55.0, 30.0, 20.0)}
    assert of(swings, nearer).verdict == "oscillation", "coming nearer is a part of it"
    assert of({**swings, "g_loss": 1.1}, nearer).verdict == "undertrained"
    assert of(swings, nearer, rounds=1_000).verdict == "undertrained", "every GAN may swing in the beginning"


def test_a_g_that_runs_away_from_a_d_that_it_fools_is_d_s_fault() -> None:
    fooled = {"d_real": 0.01, "d_fake": 0.99, "d_gradient": (1.0, 100.0, 2_000.0, 2_000.0), "d_loss": (0.7, 12.0)}
    assert of(fooled, FAR).verdict == "weak-discriminator"
    exploding = {"d_gradient": (1.0, 100.0, 2e4), "d_real": (0.0, -9.0), "d_fake": (0.0, 9.0)}
    assert of(exploding, FAR, levels=WASSERSTEIN, ranges=UNBOUNDED).verdict == "divergence", "scores without a bound"


def test_points_on_a_mode_in_the_middle_are_not_the_mean() -> None:
    middle = {"diversity": 0.02, "similarity-to-mean": 40.0, "frechet-distance": 15.0, "reached-modes": 1.0}
    real = {"reached-modes": 25.0, "high-quality": 0.97}
    names = [f.rule for f in of(SURE, {**middle, "high-quality": 0.99}, real).findings]
    assert "average-image" not in names and names[0] == "discriminator-wins"
    assert "average-image" in [f.rule for f in of(SURE, {**middle, "high-quality": 0.0}, real).findings]


@pytest.mark.parametrize(("share", "verdict"), [(0.84, NOT_SURE), (0.93, "equilibrium")])
def test_points_between_the_modes_are_not_like_the_data(share: float, verdict: str) -> None:
    made = of({}, {"reached-modes": 8.0, "high-quality": share}, {"reached-modes": 8.0, "high-quality": 0.984})
    assert made.verdict == verdict
    assert ("high quality is 0.84 (healthy: at least 0.886)" in made.line) == (verdict == NOT_SURE)


def test_without_a_bound_d_has_beaten_nobody() -> None:
    early = of({"d_real": 9.0, "d_fake": -9.0}, FAR, levels=WASSERSTEIN, ranges=UNBOUNDED, rounds=600, evaluations=1)
    assert early.verdict in ("undertrained", NOT_SURE)


# Of members that are all sick, what they share.


def held(rule: str, strength: float, *members: int, of: int = 2, fault: bool = True, fades: bool = False) -> Finding:
    """A finding of so many members, ranked by `strength` among those of one member."""
    weight = strength * len(members) / of
    return Finding(rule, fault, "", members, of, (), (), NO_PLOT, (), weight, lambda: 0, fades=fades)


def verdict(*findings: Finding) -> str:
    """The verdict on these findings."""
    return Diagnosis(story({}, {}), tuple(with_votes(findings)), None).verdict


def test_members_that_are_sick_in_two_ways_have_the_verdict_that_they_share() -> None:
    first, second, shared = held("a", 3.0, 0), held("b", 2.0, 1), held("c", 1.0, 0, 1)
    assert verdict(first, second) == NOT_SURE
    assert verdict(first, second, shared) == "c"
    assert verdict(held("a", 3.0, 0, 1), second, shared) == "a", "what ranks first, where all have it"
    assert verdict(first, held("good", 2.0, 1, fault=False), held("c", 1.0, 0, 1)) == NOT_SURE, "one of them is good"
    assert verdict(first, held("undertrained", 2.0, 1), held("c", 1.0, 0, 1)) == NOT_SURE, "one of them is unfinished"


def test_what_every_g_begins_with_is_a_matter_of_time_where_other_members_are_unfinished() -> None:
    unfinished, noise = held("undertrained", 1.0, 0), held("noise", 2.0, 1, fades=True)
    assert verdict(unfinished, noise) == "undertrained"
    assert verdict(unfinished, held("a", 2.0, 1)) == NOT_SURE, "that is no matter of time"
    most = held("noise", 2.0, 1, 2, 3, of=4, fades=True)
    assert verdict(held("undertrained", 1.0, 0, of=4), most) == "noise", "most members have it in the end"


def test_a_member_is_explained_by_what_it_votes_for() -> None:
    """The map that studies take a member's finding from says what the verdict counts."""

    def explained(*findings: Finding) -> dict[Any, str]:
        return {member: finding.rule for member, finding in explanations(with_votes(findings)).items()}

    first, second, shared = held("a", 3.0, 0), held("b", 2.0, 1), held("c", 1.0, 0, 1)
    assert explained(first, second) == {0: "a", 1: "b"}
    assert explained(first, second, shared) == {0: "c", 1: "c"}, "what members share"
    unfinished, noise = held("undertrained", 1.0, 0), held("noise", 2.0, 1, fades=True)
    assert explained(unfinished, noise) == {0: "undertrained", 1: "undertrained"}, "a matter of time"
    assert explained(replace(held("a", 3.0, 0, 1), blemishes=frozenset({1}))) == {0: "a"}, "to be seen, and no cause"


@given(st.lists(st.sets(st.sampled_from("abcd"), min_size=1), min_size=1, max_size=6), st.integers(1, 4))
def test_a_verdict_is_the_same_of_every_member_several_times(sick: list[set[str]], times: int) -> None:
    """It follows shares of members, so that more seeds of the same kinds do not change it."""

    def of_all(members: list[set[str]]) -> str:
        some = {rule: [k for k, faults in enumerate(members) if rule in faults] for rule in "abcd"}
        strengths = {"a": 4.0, "b": 3.0, "c": 2.0, "d": 1.0}
        return verdict(*(held(rule, strengths[rule], *some[rule], of=len(members)) for rule in "abcd" if some[rule]))

    assert of_all(sick * times) == of_all(sick)
