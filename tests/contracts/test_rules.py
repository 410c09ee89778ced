"""What every rule must keep: it finds its own sick story and nothing in its healthy one, and says so in plain words."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from sparring import catalogue
from sparring.analysis.diagnosis import NOT_SURE, diagnosis
from sparring.game.equilibrium import equilibrium_levels
from sparring.metrics import all_metrics
from sparring.record import Story
from sparring.rules import Finding, Range, Signals
from sparring.rules._stories import REAL
from sparring.rules._stories import story as synthetic
from sparring.rules._words import title as title_of

GOOD_END = "equilibrium"


def named(rule: Any) -> str:
    return catalogue.name_of(type(rule)) or ""


def is_bug(rule: Any) -> bool:
    """Whether it is about a user's own training loop."""
    return named(rule).startswith("bug-")


def found(rule: Any) -> Finding:
    finding = rule(rule.sick())
    assert finding is not None
    return finding


def without(story: Story, *names: str) -> Story:
    """As a journal that does not tell these curves, figures or events."""
    events = [
        {
            **{k: v for k, v in event.items() if k not in names},
            **(
                {"metrics": {k: v for k, v in event["metrics"].items() if k not in names}} if "metrics" in event else {}
            ),
        }
        for event in story.events
        if event["event"] not in names
    ]
    return Story(story.recipe, [{k: v for k, v in e.items() if k not in names} for e in events])


def test_it_finds_its_own_sick_story_and_nothing_in_its_healthy_one(rule: Any) -> None:
    assert found(rule).rule == named(rule)
    assert rule(rule.healthy()) is None


def test_its_own_name_stands_at_the_top_of_its_sick_story(rule: Any) -> None:
    held = diagnosis(rule.sick())
    assert held.verdict == held.findings[0].rule == named(rule)


def test_no_fault_is_found_in_the_healthy_story_of_another(rule: Any) -> None:
    if not rule.fault:
        pytest.skip("the good end: its healthy story is a run that is not there")
    held = diagnosis(rule.healthy())
    assert [f.rule for f in held.findings] == [GOOD_END] and held.verdict == GOOD_END


def test_no_sick_story_is_called_the_good_end(rule: Any) -> None:
    story = rule.sick() if rule.fault else rule.healthy()
    assert GOOD_END not in [f.rule for f in diagnosis(story).findings]


def test_the_claim_is_one_plain_sentence_with_a_number(rule: Any) -> None:
    claim = found(rule).claim
    assert claim.endswith(".") and claim[0].isupper() and "\n" not in claim
    assert not re.search(r"[a-z]\. [A-Z]", claim), "one sentence"
    assert re.search(r"\d", claim)
    assert "nan" not in claim and len(claim) < 400


def test_the_evidence_is_numbers_with_their_healthy_range(rule: Any) -> None:
    finding = found(rule)
    assert finding.evidence
    assert any(np.isfinite((e.healthy.low, e.healthy.high)).any() for e in finding.evidence)
    for each in finding.evidence:
        assert each.min <= each.value <= each.max
    outside = [e for e in finding.evidence if not e.healthy.contains(np.array(e.value))]
    assert bool(outside) == finding.fault, "a fault shows in at least one number, the good end in none"


def test_members_are_counted_and_those_left_out_stay_out(rule: Any) -> None:
    """The sick story with half of its members taken from a good run: the finding holds for the others alone."""
    finding = found(rule)
    if is_bug(rule):
        assert finding.members == (0,) and finding.of == 1, "a watched loop has one member"
        return
    assert finding.of == 8 and set(finding.members) <= set(range(8)) and finding.widespread
    sick, good = (
        (rule.sick(), rule.healthy()) if rule.fault else (rule.sick(), catalogue.find("rules", "noise-output").sick())
    )
    mixed = _mixed(sick, good, 3)
    half = rule(mixed)
    if half is not None:
        assert set(half.members) <= {0, 1, 2}
        assert not half.widespread
        assert diagnosis(mixed).verdict != named(rule)


def test_since_is_a_round_of_the_run(rule: Any) -> None:
    story = rule.sick()
    assert 0 <= found(rule).since <= story.round


def test_its_remedies_are_there(rule: Any) -> None:
    assert set(rule.remedies) <= set(catalogue.entries("remedies"))
    assert bool(rule.remedies or is_bug(rule)) == rule.fault


def test_a_bug_names_its_line_or_says_what_to_do(rule: Any) -> None:
    finding = found(rule)
    assert bool(finding.mended) == is_bug(rule)
    if finding.line is not None:
        assert str(finding.line) in finding.claim


def test_its_plot_draws_what_the_journal_tells(rule: Any) -> None:
    plot, story = found(rule).plot, rule.sick()
    there = (
        set(story.evaluations[1])
        if plot.drawn == "evaluations"
        else {"d_loss", "g_loss", "d_real", "d_fake", "d_gradient", "g_gradient"}
    )
    assert plot.names and set(plot.names) <= there and plot.title


@pytest.mark.parametrize(
    "untold",
    [
        (),
        ("real-baseline", "metrics"),
        ("levels",),
        ("d_gradient", "g_gradient"),
        ("real-baseline", "metrics", "levels"),
        ("diversity",),
        ("diversity", "modes"),
    ],
)
def test_a_journal_that_tells_less_is_read_without_a_fault(rule: Any, untold: tuple[str, ...]) -> None:
    finding = rule(without(rule.sick(), *untold))
    assert finding is None or (finding.rule == named(rule) and "nan" not in finding.claim)
    assert rule(without(rule.healthy(), *untold)) is None


def test_a_run_that_has_not_begun_says_nothing(rule: Any) -> None:
    recipe = {"seeds": [0, 1], "rounds": 10, "objective": {"is": "mse"}}
    assert rule(Story(recipe, [{"event": "started", "round": 0}])) is None
    assert diagnosis(Story(recipe, [])).verdict == NOT_SURE


def test_one_seed_is_enough_to_find_it(rule: Any) -> None:
    finding = rule(_mixed(rule.sick(), rule.sick(), 8, keep=1) if not is_bug(rule) else rule.sick())
    assert finding is not None and finding.members == (0,) and finding.of == 1


def test_every_figure_of_samples_has_a_healthy_range_that_holds_real_data() -> None:
    for name, metric in all_metrics().items():
        for real in (0.8, 1.0, 10.0) if "divergence" not in name else (0.0, 0.05):
            assert Range.of(metric.healthy, real).contains(np.array(real)), name


def test_levels_are_read_on_the_scale_of_the_objective() -> None:
    """What is healthy for D's answers is a range about where it cannot tell, whatever the unit."""
    for held, inside, outside in (
        ({"d_loss": 0.25, "g_loss": 0.25, "d_real": 0.5, "d_fake": 0.5}, 0.7, 0.95),
        ({"d_loss": 1.0, "g_loss": 0.0, "d_real": 0.0, "d_fake": 0.0}, 0.5, 0.95),
        ({"d_loss": 0.0, "g_loss": 0.0, "d_real": 0.0, "d_fake": 0.0}, 1e6, None),
    ):
        levels = Signals(Story({"seeds": [0]}, [{"event": "levels", "levels": held}])).levels
        assert levels is not None
        assert levels.healthy("d_real").contains(np.array(inside))
        assert outside is None or not levels.healthy("d_real").contains(np.array(outside))
        mirrored = 2 * levels.output - inside
        assert levels.healthy("d_fake").contains(np.array(mirrored))


def beyond(name: str) -> list[float]:
    """Values of a metric on either side of its healthy range."""
    low, high = all_metrics()[name].healthy.ends(REAL[name])
    least, most = all_metrics()[name].range
    ends = [low / 1.5 if low > 0 else -np.inf, 1.3 * high + 0.1]
    return [end for end in ends if np.isfinite(end) and least <= end <= most]


@pytest.mark.parametrize("lead", [0.3, 0.9], ids=["undecided D", "sure D"])
@pytest.mark.parametrize(("name", "value"), [(name, value) for name in REAL for value in beyond(name)])
def test_whatever_is_outside_its_healthy_range_is_said(name: str, value: float, lead: float) -> None:
    d_outputs = {"d_real": 0.5 + lead / 2, "d_fake": 0.5 - lead / 2}
    held = diagnosis(synthetic(d_outputs, {name: value}, jitter=0.001))
    assert held.verdict != GOOD_END and "nothing stands out" not in held.line
    title = title_of(name)
    said = [evidence.name for finding in held.findings for evidence in finding.evidence if evidence.speaks(True).any()]
    assert title in [*said, *(evidence.name for evidence in held.unexplained)]
    if held.verdict == NOT_SURE and not held.findings:
        assert title in held.line and "healthy: " in held.line


@pytest.mark.parametrize("name", ["d_loss", "g_loss"])
def test_a_loss_outside_its_healthy_range_is_said_beside_a_good_verdict(name: str) -> None:
    held = diagnosis(synthetic({name: 9.0}))
    assert held.verdict == GOOD_END and [evidence.name for evidence in held.unexplained] == [title_of(name)]
    assert held.plain()["unexplained"][0]["value"] == pytest.approx(9.0, rel=0.1)


def test_nothing_stands_out_where_nothing_does() -> None:
    assert not diagnosis(synthetic()).unexplained


SMOOTHED = {"is": "label-smoothing", "real": [0.9, 0.9], "fake": [0.1, 0.1]}
SWAPPED = {"is": "label-swapping", "rate": 0.1, "until": 0.0}


@pytest.mark.parametrize(
    ("tricks", "real", "fake"),
    [
        ([], 1.0, 0.0),
        ([{"is": "label-smoothing"}], 0.95, 0.0),
        ([SMOOTHED], 0.9, 0.1),
        ([SMOOTHED, SWAPPED], 0.82, 0.18),
        ([{**SWAPPED, "until": 0.5}], 1.0, 0.0),
        ([{"yours": "Mine", "sha256": "0"}], 1.0, 0.0),
    ],
)
def test_d_can_be_no_surer_than_the_names_it_is_synthetic(
    tricks: list[dict[str, Any]], real: float, fake: float
) -> None:
    """Answers as sure as its names allow are a full lead, whatever the names; half-way between them is none."""
    for answers, lead in (((real, fake), 1.0), (((real + fake) / 2,) * 2, 0.0)):
        story = synthetic({"d_real": answers[0], "d_fake": answers[1]}, jitter=0.0, recipe={"tricks": tricks})
        np.testing.assert_allclose(Signals(story).final("lead"), lead, atol=1e-6)


def test_names_that_say_nothing_are_no_scale() -> None:
    """With half of the labels flipped D is told 0.5 of everything: that it answers so is not a lead."""
    flipped = [{"is": "label-swapping", "rate": 0.5, "until": 0.0}]
    story = synthetic({"d_real": 0.52, "d_fake": 0.48}, jitter=0.0, recipe={"tricks": flipped})
    np.testing.assert_allclose(Signals(story).final("lead"), 0.04, atol=1e-6)


def test_a_gradient_that_vanished_says_nothing_alone() -> None:
    """Both gradients shrink in a game that comes to rest: without a look at samples, D must be sure of itself."""
    rule, gone = catalogue.find("rules", "vanishing-gradient")(), {"g_gradient": (0.5, 0.01, 0.0008, 0.0005)}
    for answers, found in (((0.52, 0.48), False), ((0.99, 0.01), True)):
        story = synthetic({**gone, "d_real": answers[0], "d_fake": answers[1]}, metrics={})
        assert (rule(without(story, "real-baseline")) is not None) == found


def test_samples_that_were_not_looked_at_lately_are_neither_good_nor_poor() -> None:
    """The last look lies in the first half of the run."""
    story = synthetic()
    looks = [e for e in story.log_points if e["round"] > 0.4 * story.round]
    events = [{k: v for k, v in e.items() if k != "metrics" or e not in looks} for e in story.events]
    signals = Signals(Story(story.recipe, events))
    assert not signals.good.any() and not signals.poor.any() and not signals.quality_known
    assert diagnosis(signals.story).verdict == NOT_SURE


def test_the_scale_of_an_objective_is_told_by_its_own_numbers(objective: Any) -> None:
    """Where D is `sure` of a real example that costs it next to nothing; where nothing is enough there is no such."""
    held = equilibrium_levels(objective)
    undecided = torch.tensor(objective.undecided)
    assert held["d_real"] == held["d_fake"] == float(objective.output(undecided))
    assert held["d_loss"] == objective.equilibrium
    scores = objective.undecided + torch.linspace(0, 40, 4_001)
    cost, answers = objective.d_loss_real(scores), objective.output(scores) - held["d_real"]
    if held["sure"] is None:
        assert float(cost[-1]) < float(cost[0]) - 10
    else:
        beyond = cost[answers >= held["sure"] - 0.05]
        assert float(beyond[0]) <= 0.1 * float(cost[0])
        assert held["sure"] in (0.5, 1.0)


def _mixed(first: Story, second: Story, count: int, keep: int = 8) -> Story:
    """The first `count` members of one story, the others of another; of all these the first `keep`."""
    events: list[dict[str, Any]] = []
    for one, other in zip(first.log_points, second.log_points, strict=True):
        log_point = dict(one)
        for name in ("d_loss", "g_loss", "d_real", "d_fake", "d_gradient", "g_gradient"):
            log_point[name] = [(a[:count] + b[count:])[:keep] for a, b in zip(one[name], other[name], strict=True)]
        if "metrics" in one:
            figures = {n: (one["metrics"][n][:count] + other["metrics"][n][count:])[:keep] for n in one["metrics"]}
            log_point["metrics"] = figures
            log_point["quantiles"] = (one["quantiles"][:count] + other["quantiles"][count:])[:keep]
        events.append(log_point)
    kept = [e for e in first.events if e["event"] in ("started", "real-baseline", "finished", "diverged")]
    for event in kept:
        if event["event"] == "diverged":
            event["members"] = [m for m in event["members"] if m < min(count, keep)]
    kept = [e for e in kept if e["event"] != "diverged" or e["members"]]
    recipe = {**first.recipe, "seeds": first.seeds[:keep]}
    return Story(recipe, [*kept[:2], *events, *kept[2:]])
