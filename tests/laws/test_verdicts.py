"""What a verdict rests on: a distance for a good one, the same journal for every reader, and not on how many seeds."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparring import catalogue
from sparring.analysis.diagnosis import NOT_SURE, diagnose, diagnosis, rules, story_of
from sparring.analysis.facts import Facts
from sparring.record import RunFolder, Story
from sparring.rules import Signals
from sparring.rules._stories import REAL, story

SPECKLE = {"frechet-distance": 4.7, "coverage": 0.47, "recall": 0.35, "precision": 0.7}
"""What a folder's own judge saw in speckle of the right colors."""
OF_REAL = {"frechet-distance": 0.4, "coverage": 0.94, "recall": 0.9, "precision": 0.88}
SOUND = {"frechet-distance": 2.0, "coverage": 0.8, "recall": 0.85, "precision": 0.7}
SIMPLE = ("diversity", "roughness", "similarity-to-mean", "nearest-neighbor")
"""Metrics without a judge, which are healthy in both."""


def judged(
    values: dict[str, float],
    errors: float | None = 0.2,
    measured: dict[str, Any] | None = None,
    spread: float | None = 28.0,
    **baseline: Any,
) -> Story:
    """A good run but for these values, with what its journal says of real data changed."""
    made = story(metrics={"modes": 10.0, **values}, jitter=0.005)
    events = [dict(event) for event in made.events]
    for event in events:
        if event["event"] == "real-baseline":
            event |= {"metrics": {**REAL, **OF_REAL}, "errors": {"frechet-distance": 0.05}}
            event |= {"spreads": {"frechet-distance": spread}} if spread else {}
            event |= baseline
        if "metrics" in event and event["event"] == "log" and errors is not None:
            event["errors"] = {"frechet-distance": [errors] * 8}
    return Story(made.recipe, [*events, *([measured] if measured else [])])


def without_judge(made: Story, missing: str | None = None) -> Story:
    """The same run, of which only simple metrics are known."""
    events = [dict(event) for event in made.events]
    for event in events:
        if "metrics" in event:
            event["metrics"] = {n: v for n, v in event["metrics"].items() if n in SIMPLE or n.startswith("d_")}
        if event["event"] == "real-baseline":
            event |= {"judge": None, "judge_missing": missing, "errors": {}}
    return Story(made.recipe, events)


def some(made: Story, members: Sequence[int]) -> Story:
    """The same run with these members only."""

    def kept(value: Any) -> Any:
        if isinstance(value, list) and len(value) == 8:
            return [value[m] for m in members]
        return [kept(row) for row in value] if isinstance(value, list) else value

    events: list[dict[str, Any]] = []
    for event in made.events:
        changed = dict(event)
        if event["event"] == "diverged":
            changed["members"] = [members.index(m) for m in event["members"] if m in members]
            if not changed["members"]:
                continue
        elif event["event"] == "log":
            skipped = ("round", "seconds", "logged", "event")
            changed = {k: v if k in skipped or isinstance(v, dict) else kept(v) for k, v in event.items()}
            for name in ("metrics", "errors"):
                if name in event:
                    changed[name] = {k: kept(v) for k, v in event[name].items()}
        events.append(changed)
    return Story({**made.recipe, "seeds": [made.seeds[m] for m in members]}, events)


# A good verdict needs a distance.


def test_simple_numbers_in_range_are_not_like_the_data() -> None:
    held = diagnosis(without_judge(judged(SOUND)))
    assert held.verdict == NOT_SURE and not held.findings
    assert held.line.startswith("not-sure: no judge compared samples with the data (`sparring measure`")


@pytest.mark.parametrize(
    "missing", ["100 images are too few to train a judge on (128 are needed)", "the run had no judge (--no-judge)"]
)
def test_what_is_missing_is_said(missing: str) -> None:
    held = diagnosis(without_judge(judged(SOUND), missing))
    assert held.verdict == NOT_SURE
    assert held.line == f"not-sure: {missing}, so nothing says whether they are like the data"
    assert held.plain()["why_not_sure"] == held.line.removeprefix("not-sure: ")


def test_speckle_of_the_right_colors_is_not_like_the_data() -> None:
    held = diagnosis(judged(SPECKLE))
    assert "equilibrium" not in [finding.rule for finding in held.findings]
    assert held.verdict == NOT_SURE and "recall is 0.35 (healthy: at least 0.675)" in held.line


@pytest.mark.parametrize("name", list(SPECKLE))
def test_one_number_out_of_range_is_enough(name: str) -> None:
    value = {"frechet-distance": 6.0, "coverage": 0.4, "recall": 0.35, "precision": 0.3}[name]
    held = diagnosis(judged({**SOUND, name: value}))
    assert held.verdict != "equilibrium"
    title = catalogue.find("metrics", name).title
    assert title in held.line


def test_the_good_verdict_says_the_distance_its_interval_and_what_real_data_score() -> None:
    held = diagnosis(judged(SOUND))
    assert held.verdict == "equilibrium"
    claim = held.findings[0].claim
    assert "the Fréchet distance is 2" in claim and "(95 % interval 1." in claim
    assert "where held-out real data score 0.40 (0.30 to 0.50)" in claim and "(healthy: at most 3.9)" in claim


def test_an_interval_that_reaches_out_of_range_is_not_sure() -> None:
    near = {**SOUND, "frechet-distance": 3.6}
    assert diagnosis(judged(near, errors=0.02)).verdict == "equilibrium"
    held = diagnosis(judged(near, errors=0.5))
    assert held.verdict == NOT_SURE and "lies between 2.6" in held.line and "not for certain" in held.line


def test_few_examples_tell_nothing() -> None:
    assert diagnosis(judged(SOUND, n=120)).verdict == "equilibrium"
    held = diagnosis(judged(SOUND, n=50))
    assert held.verdict == NOT_SURE and "compared with 50 examples" in held.line


def test_a_journal_without_errors_and_spreads_is_read_too() -> None:
    assert diagnosis(judged(SOUND, errors=None, spread=None)).verdict == "equilibrium"
    assert diagnosis(judged({**SOUND, "frechet-distance": 6.0}, errors=None, spread=None)).verdict != "equilibrium"


def measured(values: dict[str, float], **changed: Any) -> dict[str, Any]:
    """What `sparring measure` found, as an event of the story."""
    metrics = {
        n: {"members": [v] * 8, "real": OF_REAL.get(n, REAL.get(n, 0.0)), "spread": 28.0} for n, v in values.items()
    }
    return {
        "event": "measured",
        "round": 5_000,
        "n": 1_000,
        "judge": "digits",
        "seeds": list(range(8)),
        "metrics": metrics,
    } | changed


def test_a_measurement_is_heeded_in_either_direction() -> None:
    simple = without_judge(judged(SOUND), "no judge")
    better = Story(simple.recipe, [*simple.events, measured(SOUND)])
    assert diagnosis(better).verdict == "equilibrium", "it has what was missing"
    assert diagnosis(judged(SOUND, measured=measured(SPECKLE))).verdict == NOT_SURE, "it knows better"
    for stale in ({"round": 100}, {"n": 64}, {"judge": "inception"}, {"seeds": [0]}):
        assert diagnosis(judged(SOUND, measured=measured(SPECKLE, **stale))).verdict == "equilibrium", stale


def test_copies_that_only_a_measurement_finds_are_no_good_end() -> None:
    """Evaluations search a part of a large training set."""
    known = {**SOUND, "copying": 0.3}
    found = diagnosis(judged(SOUND, measured=measured(known)))
    assert found.verdict == "memorization" and "beside the training examples, 30% of the samples" in found.line
    assert "equilibrium" not in [each.rule for each in found.findings], "copies are no good end"
    assert diagnosis(judged(SOUND, measured=measured({**SOUND, "copying": 0.05}))).verdict == "equilibrium"
    near = diagnosis(judged(SOUND, measured=measured({**SOUND, "near-copies": 0.3})))
    assert near.verdict == "memorization" and "300 of 1,000 samples, 30%, copy a training image" in near.line


# A share of samples is healthy for certain, or it is not sure.


@pytest.mark.parametrize(("n", "verdict"), [(256, NOT_SURE), (2_000, "equilibrium")])
def test_a_share_whose_interval_reaches_out_of_range_is_not_sure(n: int, verdict: str) -> None:
    """Recall of 0.70 with a bound of 0.675: of 256 examples its 95 % interval begins at 0.645, of 2,000 at 0.68."""
    held = diagnosis(judged({**SOUND, "recall": 0.7}, n=n))
    assert held.verdict == verdict
    if verdict == NOT_SURE:
        assert "the recall of 256 samples lies between 0.64 and 0.76: not for certain" in held.line


# A judge that was trained on the images it judges is not believed alone.


def test_one_judge_of_ones_own_images_is_not_enough() -> None:
    held = diagnosis(judged(SOUND, judge="own:1"))
    assert held.verdict == NOT_SURE and "trained on these very images (`sparring measure` asks" in held.line
    both = measured(SOUND, judge="own:1", independent={"judge": "own-independent:2", **only_metrics(SOUND)})
    assert diagnosis(judged(SOUND, judge="own:1", measured=both)).verdict == "equilibrium"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"recall": 0.6}, "by the independent judge the samples are not like the data: recall is 0.60"),
        (
            {"frechet-distance": 6.0},
            "the independent judge the samples are not like the data: Fréchet distance is 6",
        ),
        (
            {"recall": 0.69},
            "the independent judge the recall of 1,000 samples lies between 0.66 and 0.72: not for certain",
        ),
    ],
)
def test_what_the_independent_judge_does_not_see_is_not_called_good(changed: dict[str, float], words: str) -> None:
    second = {"judge": "digits-independent", **only_metrics({**SOUND, **changed})}
    held = diagnosis(judged(SOUND, measured=measured(SOUND, independent=second)))
    assert held.verdict == NOT_SURE and words in held.line


def only_metrics(values: dict[str, float]) -> dict[str, Any]:
    return {"metrics": measured(values)["metrics"]}


# D's outputs may lie close together while it tells nearly all examples apart.


def test_a_d_that_ranks_nearly_all_pairs_right_can_tell() -> None:
    held = diagnosis(judged({**SOUND, "d_right": 0.97}))
    assert held.verdict == NOT_SURE and "of the pairs of a real and a generated example: it still tells" in held.line
    claim = diagnosis(judged({**SOUND, "d_right": 0.6})).findings[0].claim
    said = "D is right about {}% of the pairs of a real and a generated example"
    assert any(said.format(percent) in claim for percent in (59, 60, 61)), "0.6, but for noise"


# Every reader sees the same.


@pytest.mark.parametrize("name", list(rules()))
def test_every_reader_of_a_journal_says_the_same(name: str, tmp_path: Path) -> None:
    made = rules()[name].sick()
    run = RunFolder(tmp_path / "run")
    run.create(json.dumps(made.recipe))
    (run.path / "journal.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in made.events))
    shown, diagnosed = Facts.of(run).diagnosis, diagnose(run)
    assert shown.line == diagnosed.line == diagnosis(story_of(run)).line
    assert [f.since for f in shown.findings] == [f.since for f in diagnosed.findings]


@pytest.mark.parametrize("name", [name for name, rule in rules().items() if rule.sick().evaluations[0].size])
def test_since_is_the_round_from_which_the_journal_said_so(name: str) -> None:
    """Of one member: the journal of that round gives the finding, and so do most of those between that and now."""
    made = some(rules()[name].sick(), [0])
    finding = rules()[name].find(Signals(made))
    if finding is None:
        pytest.skip("not in every member")
    later = [round for round in Signals(made).earlier_rounds if round >= finding.since]
    found = [rules()[name].find(Signals(made.until(round))) is not None for round in later]
    assert not found or (found[0] and np.mean(found) >= 0.7)


# More seeds do not change it.


@pytest.mark.parametrize("name", [name for name, rule in rules().items() if len(rule.sick().seeds) == 8])
def test_some_of_the_seeds_give_the_verdict_of_all(name: str) -> None:
    made = rules()[name].sick()
    whole = diagnosis(made)
    if whole.findings[0].votes < 8:
        pytest.skip("not every member is sick")
    for members in ([0], [5], [2, 6], [0, 3, 7], [1, 2, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6]):
        assert diagnosis(some(made, members)).verdict == whole.verdict, members


def mixed(first: Story, second: Story, count: int) -> Story:
    """The first `count` members of one story and the others of another."""
    events: list[dict[str, Any]] = []
    for one, other in zip(first.events, second.events, strict=True):
        event = dict(one)
        for name, value in one.items():
            if isinstance(value, dict) and one["event"] == "log":
                event[name] = {k: [*v[:count], *other[name][k][count:]] for k, v in value.items() if k in other[name]}
            elif one["event"] == "log" and isinstance(value, list) and value and isinstance(value[0], list):
                event[name] = (
                    [*value[:count], *other[name][count:]]
                    if name == "quantiles"
                    else [[*a[:count], *b[count:]] for a, b in zip(value, other[name], strict=True)]
                )
        events.append(event)
    return Story(first.recipe, events)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7])
def test_seeds_that_differ_are_said_to_be_mixed(count: int) -> None:
    collapsed = catalogue.find("rules", "mode-collapse").sick()
    held = diagnosis(mixed(collapsed, story(), count))
    assert [f.members for f in held.findings if f.rule == "mode-collapse"] == [tuple(range(count))]
    if 3 * count >= 16:
        assert held.verdict == "mode-collapse"
    elif 3 * (8 - count) >= 16:
        assert held.verdict == "equilibrium"
    else:
        assert held.verdict == NOT_SURE
        assert "the seeds are mixed" in held.line
        assert f"mode-collapse in {count} of 8" in held.line and f"equilibrium in {8 - count} of 8" in held.line


def test_a_subset_gives_another_verdict_only_where_the_whole_is_mixed_or_the_subset_is() -> None:
    """No subset of a clear run has a clear verdict that none of the whole run's members vote for."""
    collapsed = catalogue.find("rules", "mode-collapse").sick()
    whole = mixed(collapsed, story(), 4)
    names = {finding.rule for finding in diagnosis(whole).findings if finding.votes}
    for members in itertools.combinations(range(8), 3):
        held = diagnosis(some(whole, list(members)))
        good = sum(m >= 4 for m in members)
        assert held.verdict == ("equilibrium" if good >= 2 else "mode-collapse") in names


def test_votes_are_one_for_each_member_that_something_is_found_in() -> None:
    for rule in rules().values():
        held = diagnosis(rule.sick())
        voting = {member for finding in held.findings for member in finding.members}
        assert sum(finding.votes for finding in held.findings) == len(voting)
        assert np.all([0 <= finding.votes <= len(finding.members) for finding in held.findings])


def test_samples_that_collapse_at_the_very_end_are_not_called_good() -> None:
    """The median of the last evaluations does not show it yet."""
    before = 19 * [1.0]
    collapsed = {
        "frechet-distance": [3.0 * each for each in before] + [45.0],
        "modes": [10.0 * each for each in before] + [1.0],
        "diversity": [*before, 0.05],
    }
    found = diagnosis(story(metrics=collapsed))
    assert found.verdict == NOT_SURE
    assert "at the last evaluation" in found.line and "(healthy: " in found.line
    again = {name: [*values[:-2], values[-1], values[-1]] for name, values in collapsed.items()}
    assert diagnosis(story(metrics=again)).verdict == "mode-collapse"


@pytest.mark.parametrize("evaluations", [1, 2])
def test_samples_that_are_no_numbers_at_the_very_end_are_not_called_good(evaluations: int) -> None:
    """The last step took G to NaN, and no loss was computed since; or averaged weights overflow."""
    made = story()
    events = [dict(event) for event in made.events]
    last = [event for event in events if event["event"] == "log" and "metrics" in event][-evaluations:]
    for event in last:
        event["metrics"] = {n: v if n.startswith("d_") else [None] * 8 for n, v in event["metrics"].items()}
    found = diagnosis(Story(made.recipe, events))
    assert found.verdict == "divergence" and found.findings[0].members == tuple(made.seeds)
    assert found.findings[0].claim.startswith("Samples became infinite or NaN")
    for event in last:  # of the players alone, as where no samples could be drawn
        event["metrics"] = {n: v for n, v in made.log_points[-1]["metrics"].items() if n.startswith("d_")}
    assert "divergence" not in {f.rule for f in diagnosis(Story(made.recipe, events)).findings}
    for event in last:
        event["metrics"] = {n: [None, *v[1:]] for n, v in made.log_points[-1]["metrics"].items()}
    found = diagnosis(Story(made.recipe, events))
    assert {f.rule: f.members for f in found.findings}["divergence"] == (made.seeds[0],)


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_a_class_that_is_hardly_generated_is_not_called_good(share: float) -> None:
    """All other numbers are within their ranges."""
    rest = {"modes": 9.6, "class-divergence": 0.15}
    assert diagnosis(story(metrics={"rarest-class": 0.5, **rest})).verdict == "equilibrium"
    found = diagnosis(story(metrics={"rarest-class": share, **rest}))
    assert found.verdict == NOT_SURE and "rarest class is " in found.line


@pytest.mark.parametrize(("within", "verdict"), [(0.8, "equilibrium"), (0.4, NOT_SURE), (0.05, "mode-collapse")])
def test_a_class_whose_examples_are_all_alike_is_not_called_good(within: float, verdict: str) -> None:
    """All other numbers are within their ranges."""
    found = diagnosis(story(metrics={"class-diversity": within}))
    assert found.verdict == verdict
    assert ("of one class, they differ from one another 0.05 times" in found.line) is (verdict == "mode-collapse")


@pytest.mark.parametrize(
    ("discriminator", "more", "verdict"),
    [
        ({"yours": "Mine"}, {}, NOT_SURE),
        ({"yours": "Mine"}, {"class-accuracy": 0.95}, "equilibrium"),
        ({"yours": "Mine"}, {"class-accuracy": 0.3}, "ignored-classes"),
        ({"yours": "Mine"}, {"class-accuracy": 0.8}, NOT_SURE),
        ({"is": "fully-connected", "hidden": [128]}, {}, "equilibrium"),
    ],
    ids=["own, not known", "own, right", "own, ignored", "own, a fifth wrong", "built-in"],
)
def test_a_discriminator_of_ones_own_may_ignore_the_classes(
    discriminator: dict[str, Any], more: dict[str, float], verdict: str
) -> None:
    found = diagnosis(story(metrics=more or None, recipe={"conditional": True, "discriminator": discriminator}))
    assert found.verdict == verdict
    assert any(said in found.line for said in ("the classes that G was asked for", "class accuracy is 0.")) is (
        verdict != "equilibrium"
    )
