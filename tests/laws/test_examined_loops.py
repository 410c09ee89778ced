"""What a watch looks up in networks, optimizers and tensors tells what is usual from what is a mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from sparring.record.loop import SAME_ROWS, OptimizerFacts
from sparring.rules._loops import loop_story
from sparring.rules.bug_learning_rate import BugLearningRate
from sparring.training.watch import samples
from sparring.training.watch.eight_bits import goes_round
from sparring.training.watch.examination import constant_weights, in_evaluation_mode, scheduled, shared_parameters
from sparring.training.watch.moments import Moments
from sparring.training.watch.session import Watch
from tests.loops import rarer, sound, usual
from tests.loops.sound import Loop


def accused(rates: list[float], base: float | None = None, times: int = 1, resumed: bool = False) -> bool:
    """Whether an Adam that had these learning rates, each for so many steps, has an unusual one."""
    settings = {} if base is None else {"initial_lr": base}
    facts: OptimizerFacts | None = None
    steps = [rate for rate in rates for _ in range(times)]
    for step, lr in enumerate(steps):
        facts = scheduled(OptimizerFacts("D", "Adam", lr, 4, 0, settings), facts, step, resumed)
    assert facts is not None
    known = loop_story(optimizers=(facts,), d={"steps": len(steps) / loop_story().round})
    return BugLearningRate()(known) is not None


def test_a_schedule_is_judged_by_its_highest_learning_rate() -> None:
    assert not accused([2e-4, 1e-5, 1e-7, 0.0], times=10)
    assert not accused([2e-4, 0.0], base=2e-4, times=3_000)
    assert accused([2e-4, 0.0, 0.0, 0.0], base=2e-4, times=300), "three quarters of all steps"
    assert not accused([2e-4, 0.0, 0.0, 2e-4, 2e-4, 0.0], base=2e-4, times=300), "it came back"
    assert accused([1e-7, 1e-8], times=10)
    assert accused([2e-4, 1.0, 2e-4])


def test_a_learning_rate_that_rises_may_begin_at_0() -> None:
    assert not accused([step * 1e-9 for step in range(40)])
    assert not accused([0.0], base=2e-4, times=1_000)
    assert accused([0.0], base=2e-4, times=3_000)
    assert accused([0.0], times=12)
    assert accused([0.0], base=0.0, times=12)


@pytest.mark.parametrize("per_step", [1, 20])
def test_a_schedule_that_only_falls_is_no_warm_up(per_step: int) -> None:
    falling = [4e-8 * (1 - step / 1e5) for step in range(200 // per_step)]
    assert accused(falling, base=2e-4, times=per_step)  # LambdaLR by a function that gives a rate instead of a factor
    assert not accused(falling, base=2e-4, times=per_step, resumed=True)  # the end of a long schedule
    assert not accused([*falling[:3], *(step * 1e-9 for step in range(200))], base=2e-4)
    assert not accused([1e-8, 2e-8, 1e-8, 0.5e-8, *[0.4e-8] * 80], base=2e-4)


def test_runs_of_older_versions_are_judged_by_the_last_learning_rate() -> None:
    for lr, is_accused in ((0.0, True), (2e-4, False)):
        found = BugLearningRate()(loop_story(optimizers=(OptimizerFacts("D", "Adam", lr, 4, 0),)))
        assert (found is not None) == is_accused


def filled(layer: nn.Module, value: float = 0.1) -> nn.Module:
    """The layer with one number everywhere."""
    for p in layer.parameters():
        nn.init.constant_(p, value)
    return layer


@pytest.mark.parametrize(
    ("net", "names"),
    [
        (nn.Sequential(filled(nn.Linear(3, 4)), nn.Linear(4, 1)), ("0.weight",)),
        (nn.Sequential(filled(nn.ConvTranspose2d(3, 4, 2)), nn.Conv2d(4, 1, 2)), ("0.weight",)),
        (parametrizations.spectral_norm(filled(nn.Linear(3, 4))), ("parametrizations.weight.original",)),
        (filled(nn.LSTM(3, 4)), ("weight_ih_l0", "weight_hh_l0")),
        (nn.Sequential(filled(nn.Linear(3, 4), 0.0), filled(nn.Linear(4, 1), 0.0)), ("0.weight",)),
        (nn.Sequential(nn.Linear(3, 4), filled(nn.Linear(4, 1))), ()),
        (nn.Sequential(nn.Linear(3, 4), filled(nn.Linear(4, 4), 0.0)), ()),
        (nn.Sequential(filled(nn.Conv2d(4, 4, 3, groups=4))), ()),
        (nn.Sequential(filled(nn.Linear(3, 4)).requires_grad_(False)), ()),
        (nn.Sequential(parametrizations.weight_norm(nn.Linear(1, 4))), ()),
        (nn.Sequential(filled(nn.Embedding(3, 4)), filled(nn.LayerNorm([3, 4]))), ()),
    ],
)  # fmt: skip
def test_weights_of_one_value_count_where_units_have_twins(net: nn.Module, names: tuple[str, ...]) -> None:
    assert constant_weights(net) == names


def test_a_frozen_part_may_be_in_evaluation_mode() -> None:
    net = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout()), nn.BatchNorm1d(2)).eval()
    assert in_evaluation_mode(net) == ("0.1", "0.2", "1")
    net[0].requires_grad_(False)
    assert in_evaluation_mode(net) == ("1",)
    net.requires_grad_(False)  # as loops do for a while
    assert in_evaluation_mode(net) == ("0.1", "0.2", "1")


def test_shared_weights_count_where_they_are_trained() -> None:
    table = nn.Embedding(3, 4).requires_grad_(False)
    g, d = nn.Sequential(table, nn.Linear(4, 4)), nn.Sequential(table, nn.Linear(4, 1))
    assert shared_parameters(g, d) == 0
    d.requires_grad_(False)  # all of D, as loops do for a while
    assert shared_parameters(g, d) == 1
    assert shared_parameters(*(net.requires_grad_(True) for net in (g, d))) == 1


@pytest.mark.parametrize(
    ("compute", "is_wrong"),
    [
        (lambda x: 255 - x, False),
        (lambda x: 200 - x, True),
        (lambda x: x * 2, True),
        (lambda x: x * (x > 99), False),
        (lambda x: x // 64 * 64, False),
        (lambda x: x // 255, True),
        (lambda x: -x, True),
        (lambda x: torch.add(x, x, alpha=2), True),
        (lambda x: x.clone().mul_(2), True),
        (lambda x: x.float() * 2, False),
    ],
)  # fmt: skip
def test_bytes_go_round_where_their_numbers_say_so(compute: Callable[[Tensor], Tensor], is_wrong: bool) -> None:
    class Mode(torch.overrides.TorchFunctionMode):
        found = False

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = func(*args, **(kwargs or {}))
            self.found |= isinstance(made, Tensor) and goes_round(func, args, kwargs or {}, made)
            return made

    with Mode() as mode:
        compute(torch.arange(256, dtype=torch.uint8))
    assert mode.found == is_wrong


def test_latent_vectors_of_one_batch_that_are_all_the_same_have_a_law_of_their_own() -> None:
    moments = Moments()
    for round in range(3):
        moments.add(torch.randn(1, 8).expand(32, 8), round)
    assert moments.law == SAME_ROWS
    moments.add(torch.randn(32, 8), 3)
    assert moments.law != SAME_ROWS


@pytest.mark.parametrize(
    ("loop", "named"),
    [
        (usual.SOUND["drift"], "wasserstein"),
        (usual.SOUND["labels of the scores' shape"], "least-squares"),
        (sound.conditional, "least-squares"),
        (rarer.in_a_cycle, "least-squares"),
    ],
    ids=["drift", "by hand", "conditional", "cycle"],
)
def test_a_drift_term_is_no_least_squares(
    loop: Loop, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "graph_of", lambda *_, **__: {})
    torch.manual_seed(1)
    watches: list[Watch] = []

    def watching(*players: Any, **more: Any) -> Watch:
        watches.append(Watch(*players, out=tmp_path / "run", **more))
        return watches[-1]

    loop(watching, 6)
    assert watches[0].run.story.recipe["objective"] == {"is": named}
