"""A watched loop that calls G, its optimizers or the watch itself in a way of its own."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

import sparring
from sparring.analysis.diagnosis import diagnosis
from sparring.record.loop import Latents
from sparring.rules._loops import SOUND, loop_story
from sparring.training.watch import samples
from sparring.training.watch.calls import Calls
from sparring.training.watch.moments import Moments
from sparring.training.watch.rounds import is_close
from sparring.training.watch.session import Watch
from tests.loops import called, sound

ROUNDS = 14
Loop = Callable[..., Any]


@pytest.fixture
def no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """G's operations are not written down, which takes longest."""
    monkeypatch.setattr(samples, "graph_of", lambda *_, **__: {})


def watched(loop: Loop, out: Path, rounds: int = ROUNDS, **more: Any) -> tuple[sparring.Run, Watch]:
    """The run of a loop, and its watch, which saw it all."""
    torch.manual_seed(0)
    watches: list[Watch] = []

    def watching(*players: Any) -> Watch:
        watches.append(Watch(*players, out=out, **more))
        return watches[-1]

    loop(watching, rounds)
    return sparring.Run(out), watches[0]


def mistakes(run: sparring.Run) -> list[str]:
    return [finding.rule for finding in run.diagnose().findings if finding.rule.startswith("bug-")]


def latent_of(run: sparring.Run) -> Latents:
    loop = run.folder.story.loop
    assert loop is not None
    return loop.latent


# How G is called.


@pytest.mark.parametrize("name", called.CALLS)
@pytest.mark.usefixtures("no_export")
def test_samples_are_drawn_however_g_is_called(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, watch = watched(partial(called.calling, name=name), tmp_path / "run")
    assert watch.trouble is None and not mistakes(run)
    assert len(list((tmp_path / "run" / "samples").iterdir())) >= 2
    assert "cannot be drawn" not in capsys.readouterr().err
    latent = latent_of(run)
    assert latent.shape == {"of numbers": (1,), "classes inside": (13,)}.get(name, (8,))
    has_classes = name in ("class first", "by name", "column", "one-hot first", "with a code")
    assert latent.classes == (called.CLASSES if has_classes else 0)
    of_classes = ("classes inside", "times classes", "plus classes", "plus one-hot")
    assert latent.conditions == (name in ("attributes", *of_classes))
    assert latent.law == ("" if name in ("of numbers", *of_classes) else "normal")


@pytest.mark.parametrize("name", ["by name", "column", "truncated"])
def test_a_g_of_noise_and_classes_is_read_elsewhere_however_it_is_called(name: str, tmp_path: Path) -> None:
    run, _ = watched(partial(called.calling, name=name), tmp_path / "run", rounds=4)
    assert run.sample(6).shape == (1, 6, called.NUMBERS)


def test_a_g_of_more_than_that_is_said_to_stay_where_it_trains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = watched(partial(called.calling, name="attributes"), tmp_path / "run", rounds=4)
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("G is given more than latent vectors and classes") == 1
    with pytest.raises(sparring.SparringError, match="sample where it trains"):
        run.sample(6)


@pytest.mark.usefixtures("no_export")
def test_samples_of_a_g_are_made_of_the_noise_and_classes_that_it_takes(tmp_path: Path) -> None:
    """In any order: G is called with other noise than in the loop, and with each class in turn."""
    seen: list[tuple[Tensor, Tensor]] = []

    class Seen(called.ClassFirst):
        def forward(self, y: Tensor, z: Tensor) -> Tensor:
            seen.append((y, z)) if len(y) > called.BATCH else None
            return super().forward(y, z)

    g, d = Seen(), sound.mlp(4, 8, 1)
    opt_g, opt_d = sound.adam(g), sound.adam(d)
    with Watch(g, d, opt_g, opt_d, out=tmp_path / "run"):
        for _ in range(12):
            (d(g(called.classes(), called.noise()).detach()).mean() - d(called.real()).mean()).backward()
            opt_d.step()
            opt_d.zero_grad()
            (-d(g(called.classes(), called.noise())).mean()).backward()
            opt_g.step()
            opt_g.zero_grad()
    y, z = seen[-1]
    assert y.tolist() == [at % called.CLASSES for at in range(len(y))] and len(torch.unique(z, dim=0)) == len(y) >= 64


class Refusing(called.Truncated):
    """It works in training mode alone, or is given what is nobody else's."""

    def forward(self, z: Tensor, psi: Any, mode: Any = "") -> Tensor:
        if isinstance(mode, torch.Generator):
            z = z + 0.01 * torch.randn(z.shape, generator=mode)
        elif not self.training:
            raise RuntimeError("no samples today")
        return super().forward(z, psi)


@pytest.mark.parametrize(("mode", "why"), [("", "no samples today"), (torch.Generator(), "called with a Generator")])
@pytest.mark.usefixtures("no_export")
def test_where_no_samples_can_be_drawn_the_loops_own_are_taken(
    mode: Any, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(called.CALLS, "truncated", (lambda: Refusing(0), lambda g: g(called.noise(), 1.0, mode=mode)))
    run, watch = watched(partial(called.calling, name="truncated"), tmp_path / "run", rounds=30)
    said = " ".join(capsys.readouterr().err.split())
    assert watch.trouble is None and run.status == "finished" and run.round == 30
    assert said.count("samples of G cannot be drawn") == 1 and why in said
    assert not mistakes(run) and run.diagnose().verdict != "equilibrium"
    assert run.folder.story.loop is not None and run.folder.story.loop.latent.conditions
    kept = [event["outputs"] for event in run.folder.story.events if "outputs" in event]
    assert kept, "those that the loop made"


def test_a_run_without_samples_is_no_equilibrium() -> None:
    assert diagnosis(loop_story(good=True)).verdict == "equilibrium"
    assert diagnosis(loop_story()).verdict != "equilibrium"


# Latent vectors that change seldom.


@pytest.mark.parametrize("every", [1, 2, 12])
def test_latent_vectors_that_change_seldom_are_named_in_a_long_run_too(every: int) -> None:
    """A ring of eight modes, three seeds: all are found with new ones in every round, three to seven with 12.

    In every second round they are new for a G that steps twice with the same.
    """
    torch.manual_seed(0)
    own, z = Moments(in_row=True), torch.empty(0)
    for round in range(2_000):
        z = z if round % every else torch.randn(16, 8)
        if is_close(round):
            own.add(z.clone(), round)
    assert own.renewed and (own.repeats > 0.5) == (every > 2)
    made = loop_story(latent=replace(SOUND.latent, own_repeats=own.repeats, own_renewed=own.renewed))
    found = [finding.claim for finding in diagnosis(made).findings if finding.rule == "bug-fixed-noise"]
    assert len(found) == (every > 2) and all("seldom new ones" in claim for claim in found)


def test_latent_vectors_that_are_fixed_later_are_named() -> None:
    """In a long run, of which the first rounds alone are watched one after another."""
    torch.manual_seed(0)
    own, z = Moments(in_row=True), torch.randn(16, 8)
    for round in filter(is_close, range(2_000)):
        own.add(torch.randn(16, 8) if round < 20 else z.clone(), round)
    assert own.renewed and own.repeats > 0.5


# Classes that nobody knows.


def test_classes_inside_the_latent_vectors_leave_a_verdict_open() -> None:
    """G may ignore them, and neither D nor a judge would know."""
    found = diagnosis(loop_story(good=True, latent=replace(SOUND.latent, conditions=True)))
    assert found.verdict == "not-sure"
    assert "classes or attributes that no judge knows" in found.line


def latents_of(make: Callable[[], tuple[Tensor, ...]], unbatched: bool = False) -> Latents:
    """What is known after two dozen calls of what G is given."""
    torch.manual_seed(0)
    calls, known = Calls(), None
    for round in range(24):
        known = calls.see(make(), (), round, None, unbatched)
    assert known is not None
    return known


def _maps(of: Tensor) -> Tensor:
    return of[:, :, None, None].expand(-1, -1, 4, 4)


EMBEDDED = torch.randn(called.CLASSES, 3)
CONDITIONAL: dict[str, Callable[[], tuple[Tensor, ...]]] = {
    "one-hot last": lambda: (torch.cat([called.noise(), called.one_hot()], 1),),
    "one-hot first": lambda: (torch.cat([called.one_hot(), called.noise()], 1),),
    "a number": lambda: (torch.cat([called.noise(), called.classes()[:, None] / 5], 1),),
    "embedded": lambda: (torch.cat([called.noise(), EMBEDDED[called.classes()]], 1),),
    "attributes": lambda: (torch.cat([called.noise(), torch.randint(2, (16, 3)).float()], 1),),
    "(B, n, 1, 1)": lambda: (torch.cat([called.noise(), called.one_hot()], 1)[:, :, None, None],),
    "maps": lambda: (torch.cat([torch.randn(16, 2, 4, 4), _maps(called.one_hot())], 1),),
    "one example": lambda: (torch.cat([called.noise(), called.one_hot()], 1)[:1],),
    "nothing else": lambda: (called.one_hot(),),
    "words": lambda: (called.noise(), torch.randint(99, (16, 6))),
    "attributes beside": lambda: (called.noise(), torch.randint(2, (16, 6)).float()),
}
FIXED = torch.randn(16, 8)
UNCONDITIONAL: dict[str, Callable[[], tuple[Tensor, ...]]] = {
    "normal": lambda: (called.noise(),),
    "uniform": lambda: (torch.rand(16, 8),),
    "in two parts": lambda: (called.noise(), torch.rand(16, 2)),
    "half precision": lambda: (called.noise().bfloat16(),),
    "bits": lambda: (torch.randint(2, (16, 8)).float(),),
    "(B, n, 1, 1)": lambda: (torch.randn(16, 8, 1, 1),),
    "pictures": lambda: (torch.randint(8, (16, 1, 6, 6)) / 8,),
    "the same": lambda: (FIXED,),
    "one number": lambda: (torch.full((16, 1), 0.5),),
    "ones beside": lambda: (torch.cat([called.noise(), torch.ones(16, 1)], 1),),
    "classes beside": lambda: (called.noise(), called.classes()),
}


@pytest.mark.parametrize("name", CONDITIONAL)
def test_classes_and_attributes_are_found_among_numbers(name: str) -> None:
    assert latents_of(CONDITIONAL[name]).conditions


@pytest.mark.parametrize("name", UNCONDITIONAL)
def test_noise_is_not_taken_for_classes(name: str) -> None:
    known = latents_of(UNCONDITIONAL[name])
    assert not known.conditions
    assert known.classes == (called.CLASSES if name == "classes beside" else 0)
    assert known.repeats == (1 if name in ("the same", "one number") else 0)


def test_a_g_that_is_called_in_two_ways_is_known_in_both() -> None:
    torch.manual_seed(0)
    calls, known = Calls(), Latents()
    for round in range(20):
        y, z = called.classes()[:4], FIXED[:4]
        ways: tuple[tuple[Any, ...], tuple[str, ...]] = ((z, y), ("y",)) if round % 2 else ((z,), ())
        known = calls.see(*ways, round, None, False) or known
        assert known.repeats == (round > 1) and known.conditions == (round > 1 and not round % 2)
    assert known.classes == called.CLASSES and calls.kept == 40


def test_what_g_is_given_may_change_its_size() -> None:
    """Sentences of several lengths, and networks that grow."""
    calls, known = Calls(), Latents()
    for round in range(12):
        words = torch.randint(99, (16, 3 + round % 3))
        known = calls.see((torch.randn(16, 8 if round < 6 else 12), words, 0.5), (), round, None, False) or known
    assert known.shape == (12,) and known.conditions and not known.classes
    args, _ = calls.arguments(torch.randn(40, 12))
    assert [getattr(each, "shape", each) for each in args] == [(40, 12), (40, 3), 0.5]


# Steps with a closure.


@pytest.mark.parametrize("more", [{}, {"named": True}, {"lbfgs": True}], ids=["given", "by name", "L-BFGS"])
@pytest.mark.usefixtures("no_export")
def test_steps_with_a_closure_are_accused_of_nothing(more: dict[str, bool], tmp_path: Path) -> None:
    run, watch = watched(partial(called.closures, **more), tmp_path / "run", rounds=30)
    assert watch.trouble is None and not mistakes(run) and run.round == 30
    assert np.isfinite(run.curves["d_loss"]).all() and np.isfinite(run.curves["d_fake"]).all()
    loop = run.folder.story.loop
    assert loop is not None and loop.d.steps == 1 and loop.d.moved == loop.g.moved == 1


@pytest.mark.usefixtures("no_export")
def test_a_mistake_in_a_closure_is_named(tmp_path: Path) -> None:
    run, _ = watched(partial(called.closures, detach=False), tmp_path / "run", rounds=30)
    assert "bug-fake-not-detached" in mistakes(run)


# What the watch is given.


def test_a_judge_that_there_is_not_is_named_at_once(tmp_path: Path) -> None:
    g, d = sound.mlp(8, 8, 4), sound.mlp(4, 8, 1)
    with pytest.raises(sparring.UsageError, match=r"judge='mnst'.*; there are .*mnist"):
        sparring.watch(g, d, sound.adam(g), sound.adam(d), out=tmp_path / "run", judge="mnst")


@pytest.mark.usefixtures("no_export")
def test_a_judge_of_other_data_costs_the_comparison_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, watch = watched(sound.textbook, tmp_path / "run", rounds=20, judge="mnist")
    said = " ".join(capsys.readouterr().err.split())
    assert watch.trouble is None and run.status == "finished" and run.folder.load("G.") is not None
    assert said.count("samples are not compared with the data while the loop runs: ") == 1


@pytest.mark.parametrize("value", [torch.ones(3, 1), "low", np.ones(2)], ids=["tensor", "text", "array"])
def test_a_loss_that_is_not_one_number_is_refused_where_it_is_given(value: Any, tmp_path: Path) -> None:
    g, d = sound.mlp(8, 8, 4), sound.mlp(4, 8, 1)
    with sparring.watch(g, d, sound.adam(g), sound.adam(d), out=tmp_path / "run") as watch:
        for fine in (torch.ones(1, 1), 3, np.float32(2.0), torch.tensor(1.0)):
            watch.losses(d=fine)
        with pytest.raises(sparring.UsageError, match=r"watch\.losses\(g=\.\.\.\) takes one number.*\.mean\(\)"):
            watch.losses(g=value)


def test_a_watch_without_its_block_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    g, d = sound.mlp(8, 8, 4), sound.mlp(4, 8, 1)
    watch = sparring.watch(g, d, sound.adam(g), sound.adam(d), out=tmp_path / "run")
    for use in (watch.real, watch.fake):
        with pytest.raises(sparring.UsageError, match=r"with sparring\.watch"):
            use(torch.ones(2, 4))
    with pytest.raises(sparring.UsageError, match=r"watch\.losses .*with sparring.watch"):
        watch.losses(d=1.0)
    with pytest.raises(sparring.UsageError, match=r"watch\.run .*with sparring.watch"):
        _ = watch.run
    assert not capsys.readouterr().err
    del watch, use
    gc.collect()
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("sparring watched nothing: put your loop into the block") == 1
    watched(called.calling, tmp_path / "other", rounds=1)
    gc.collect()
    assert "watched nothing" not in capsys.readouterr().err


def test_exchanged_optimizers_are_refused(tmp_path: Path) -> None:
    g, d = sound.mlp(8, 8, 4), sound.mlp(4, 8, 1)
    opt_g, opt_d = sound.adam(g), sound.adam(d)
    with pytest.raises(sparring.UsageError, match="opt_G and opt_D are exchanged"):
        sparring.watch(g, d, opt_d, opt_g, out=tmp_path / "run")
    for one, other in ((opt_g, opt_g), (opt_d, opt_d), (opt_g, opt_d)):  # each a story of its own, told by a rule
        with sparring.watch(g, d, one, other, out=tmp_path / "run"):
            pass


@pytest.mark.parametrize("exchanged", [True, False])
@pytest.mark.usefixtures("no_export")
def test_exchanged_networks_are_named(exchanged: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def watching(g: nn.Module, d: nn.Module, opt_g: Any, opt_d: Any) -> Watch:
        players = (d, g, opt_d, opt_g) if exchanged else (g, d, opt_g, opt_d)
        return Watch(*players, out=tmp_path / "run")

    called.calling(watching, 6, "class first")
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("G and D seem to be exchanged") == exchanged


# What is taken for what.


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.usefixtures("no_export")
def test_two_logits_of_points_in_the_plane_are_no_rebuilt_points(label: int, tmp_path: Path) -> None:
    run, _ = watched(partial(called.two_logits, label=label), tmp_path / "run")
    loop = run.folder.story.loop
    assert mistakes(run) == ([] if label else ["bug-labels"])
    assert loop is not None and not loop.d.rebuilds


@pytest.mark.usefixtures("no_export")
def test_latent_vectors_of_one_number_are_a_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, _ = watched(partial(called.calling, name="of numbers"), tmp_path / "run", rounds=6)
    loop = run.folder.story.loop
    assert loop is not None and not loop.latent.unbatched and loop.data.size == called.BATCH
    assert "no scores" not in capsys.readouterr().err


@pytest.mark.usefixtures("no_export")
def test_one_vector_at_a_time_is_still_one(tmp_path: Path) -> None:
    def loop(watching: Any, rounds: int) -> None:
        g, d = sound.mlp(8, 8, 4), sound.mlp(4, 8, 1)
        opt_g, opt_d = sound.adam(g), sound.adam(d)
        with watching(g, d, opt_g, opt_d):
            for _ in range(rounds):
                opt_d.zero_grad()
                (softplus(-d(torch.randn(4))) + softplus(d(g(torch.randn(8)).detach()))).mean().backward()
                opt_d.step()
                opt_g.zero_grad()
                softplus(-d(g(torch.randn(8)))).mean().backward()
                opt_g.step()

    run, watch = watched(loop, tmp_path / "run", rounds=6)
    assert watch.trouble is None and latent_of(run).unbatched and latent_of(run).shape == (8,)
    assert len(list((tmp_path / "run" / "samples").iterdir())) >= 1
