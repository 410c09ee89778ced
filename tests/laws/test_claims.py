"""A claim rests on numbers that speak for it: no fault is explained by a number in its healthy range, whatever the run.

Stories of every rule are perturbed in every way that a journal can differ, and every rule is asked about each.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.analysis.diagnosis import diagnosis, rules
from sparring.metrics import all_metrics
from sparring.record import Story
from sparring.record.story import CURVES, GRADIENTS
from sparring.rules import Detection, Explanation, Finding, Plot, Range, Rule, Signals, evidence
from sparring.rules._evidence import MAX_CITED, MAX_DIGITS, shown
from sparring.rules._stories import BCE, MSE, WASSERSTEIN, story

NUMBER = r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?"
NAMES = [name for name, metric in all_metrics().items() if metric.quick]
STORIES = {(name, kind): getattr(rule, kind)() for name, rule in rules().items() for kind in ("sick", "healthy")}
Factors = dict[str, list[float]]

of_members = st.lists(st.sampled_from([0.05, 0.5, 0.75, 0.95, 1.0, 1.0, 1.05, 1.3, 2.0, 20.0]), min_size=8, max_size=8)
some_factors = st.dictionaries(st.sampled_from([*NAMES, *CURVES, *GRADIENTS]), of_members, max_size=6)


def perturbed(story: Story, factors: Factors, levels: dict[str, Any] | None, last: float) -> Story:
    """The story with numbers of its members multiplied, another objective's levels, and an earlier end."""

    def times(name: str, rows: Any) -> Any:
        if name not in factors or len(story.seeds) != 8:
            return rows
        return (np.array(rows, dtype=np.float64) * factors[name]).tolist()

    events = []
    for event in story.until(int(last * story.round)).events:
        changed = {name: times(name, value) for name, value in event.items()}
        if event["event"] == "log" and "metrics" in event:
            changed["metrics"] = {name: times(name, values) for name, values in event["metrics"].items()}
        if levels and event.get("levels"):
            changed["levels"] = levels
        events.append(changed)
    return Story(story.recipe, events)


def check(rule: Rule, signals: Signals, finding: Finding) -> None:
    """Its claim is a headline and reasons, and every reason speaks for it, also as it is written."""
    members = np.array([signals.story.seeds.index(seed) for seed in finding.members])
    explanation = rule.explain(signals, members)
    assert finding.claim == explanation.claim(finding.fault)
    without_shapes = re.sub(r"\([^)]*\)", "", explanation.headline)  # (B, 1)
    assert not re.search(r"\d", without_shapes), "a number stands among the reasons, where it is checked"
    assert re.match(r"(; |, while |, and |$)", explanation.aside), "what follows the reasons is no reason"
    assert 1 <= len(finding.reasons) <= MAX_CITED and set(finding.reasons) <= set(finding.evidence)
    speaking = np.any([reason.speaks(finding.fault) for reason in explanation.reasons], axis=0)
    assert speaking.all(), "every member has a reason"
    for reason in finding.reasons:
        healthy = reason.healthy.contains(np.array(reason.cited(finding.fault)))
        assert bool(healthy) != finding.fault
        words = reason.words(finding.fault)
        assert words in finding.claim
        if "(healthy: " in words:
            assert is_healthy(words) != finding.fault, words


def is_healthy(words: str) -> bool:
    """Whether `diversity is 0.64 (healthy: 0.75 to 1.3)` is, by its own numbers."""
    before, _, healthy = words.partition("(healthy: ")
    value, *_ = numbers(before)
    if "at least" in healthy:
        return value >= numbers(healthy)[0]
    low, high, *_ = (-np.inf, *numbers(healthy)) if "at most" in healthy else numbers(healthy)
    return low <= value <= high


def numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(NUMBER, text)]


def test_no_claim_about_a_story_of_a_rule_rests_on_a_healthy_number(rule: Any) -> None:
    for told in (rule.sick(), rule.healthy()):
        signals = Signals(told)
        for each in rules().values():
            if (finding := each.find(signals)) is not None:
                check(each, signals, finding)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.sampled_from(sorted(STORIES)),
    some_factors,
    st.sampled_from([None, BCE, MSE, WASSERSTEIN]),
    st.sampled_from([0.1, 0.5, 1.0]),
)
def test_no_claim_of_any_rule_rests_on_a_healthy_number(
    which: tuple[str, str], factors: Factors, levels: dict[str, Any] | None, last: float
) -> None:
    signals = Signals(perturbed(STORIES[which], factors, levels, last))
    for rule in rules().values():
        if (finding := rule.find(signals)) is not None:
            check(rule, signals, finding)


def test_a_number_is_written_so_that_it_lies_where_it_lies() -> None:
    """With more digits where rounding would put it, or the end, on the other side."""
    assert shown(0.7499, Range(0.75, 1.3)) == ("0.7499", 2)
    assert shown(0.64, Range(0.75, 1.3)) == ("0.64", 0)
    assert shown(0.3504, Range(high=0.35), percent=True) == ("35.04%", 2)
    assert shown(199_999.0, Range(low=200_000)) == ("199,999", 0)
    for value, end in itertools.product(np.geomspace(1e-3, 1e6, 60), repeat=2):
        for side in (Range(low=end), Range(high=end)):
            for near in (value, np.nextafter(end, value), end):
                text, more = shown(float(near), side)
                if more < MAX_DIGITS:
                    read = float(text.replace(",", ""))
                    written = float(re.search(NUMBER, side.words(more))[0].replace(",", ""))  # type: ignore[index]
                    assert (read >= written if side.low == end else read <= written) == side.contains(np.array(near))


# The construction itself.

PLOT = Plot("curves", ("d_loss",), "D's loss", Range())
HEALTHY, SICK = 0.99, 0.2


def made_of(*values: float) -> Explanation:
    """Of one reason, a diversity of these members."""
    reason = evidence("diversity", np.array(values), np.arange(len(values)), Range(0.75, 1.3))
    return Explanation("The samples lack variety", [reason], PLOT)


def test_a_fault_cites_the_members_that_have_it() -> None:
    explanation = made_of(HEALTHY, SICK, SICK, HEALTHY, HEALTHY)
    assert explanation.claim(fault=True) == (
        "The samples lack variety: diversity is 0.20 (healthy: 0.75 to 1.3) in 2 of 5 seeds."
    )
    assert explanation.has_reason(fault=True).tolist() == [False, True, True, False, False]


def test_a_good_verdict_has_no_unhealthy_number() -> None:
    assert made_of(HEALTHY, SICK).has_reason(fault=False).tolist() == [True, False]
    assert "diversity is 0.99" in made_of(HEALTHY, HEALTHY).claim(fault=False)


def test_a_number_that_is_not_known_is_no_reason() -> None:
    assert not made_of(np.nan, np.inf - np.inf).has_reason(fault=True).any()
    assert not made_of(np.nan).has_reason(fault=False).any()


@final
@dataclass(frozen=True)
class Careless(Rule):
    """Holds for every member, whatever its numbers are, and would explain that with healthy ones."""

    weight: ClassVar[float] = 1.0
    anytime: ClassVar[bool] = True

    def detect(self, signals: Signals) -> Detection | None:
        return Detection(holds=np.ones(signals.members, dtype=bool), severity=np.ones(signals.members))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        reason = evidence("diversity", signals.latest("diversity"), members, Range(0.75, 1.3))
        return Explanation("The samples lack variety", [reason], PLOT)

    @staticmethod
    def sick() -> Story:
        return story(metrics={"diversity": 0.2})

    @staticmethod
    def healthy() -> Story:
        return story()


def test_a_rule_cannot_claim_what_its_numbers_deny() -> None:
    """Variety of 0.95 times the data's is no reason for a lack of variety, whatever a rule makes of it."""
    assert Careless()(Careless.healthy()) is None
    finding = Careless()(Careless.sick())
    assert finding is not None and "diversity is 0.20 (healthy: 0.75 to 1.3)" in finding.claim


def test_variety_as_the_data_has_is_not_cited_for_its_lack() -> None:
    """Half of the classes are missing while samples differ as much as real examples do."""
    metrics = {"modes": 5.0, "class-divergence": 0.8, "diversity": 0.99}
    finding = rules()["mode-collapse"](story(metrics=metrics, jitter=0.0))
    assert finding is not None
    assert "they cover 5 of 10 classes" in finding.claim and "0.99" not in finding.claim
    assert [reason.name for reason in finding.reasons] == ["modes", "class divergence"]


def test_a_wide_spread_of_samples_is_no_lack_of_variety() -> None:
    """Out of its range, but on the other side."""
    finding = rules()["mode-collapse"](story(metrics={"modes": 5.0, "diversity": 1.8}))
    assert finding is not None and [reason.name for reason in finding.reasons] == ["modes"]


def test_the_reasons_are_named_for_programs(tmp_path: Path) -> None:
    plain = diagnosis(rules()["mode-collapse"].sick()).plain()["findings"][0]
    assert plain["reasons"] == ["modes", "diversity"]
    assert set(plain["reasons"]) <= {each["name"] for each in plain["evidence"]}


# Since when.


def test_what_holds_at_the_start_of_every_gan_is_not_dated_there() -> None:
    """Samples that lack variety from the first evaluation on: that says something only once enough was seen."""
    finding = rules()["mode-collapse"](story(metrics={"modes": 2.0, "diversity": 0.2}))
    assert finding is not None
    seen = finding.since * 64
    assert seen >= 0.2 * 200_000


def test_one_noisy_evaluation_does_not_end_what_holds() -> None:
    collapsed = [10.0] * 10 + [2.0] * 6 + [10.0] + [2.0] * 3
    finding = rules()["mode-collapse"](story(metrics={"modes": collapsed, "frechet-distance": 30.0}))
    assert finding is not None and 2_500 <= finding.since <= 3_250


def test_since_is_where_a_diagnosis_first_said_so() -> None:
    """The story cut there has the finding, and the one cut before has not."""
    whole = rules()["mode-collapse"].sick()
    finding = rules()["mode-collapse"](whole)
    assert finding is not None
    before = max(r for r in Signals(whole).earlier_rounds if r < finding.since)
    assert rules()["mode-collapse"](whole.until(finding.since)) is not None
    assert rules()["mode-collapse"](whole.until(before)) is None
