"""A watched loop as its owner meets it: killed, run again, told what it cannot see, read elsewhere."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from torch import nn
from torch.nn.functional import softplus

import sparring
from sparring.analysis.diagnosis import diagnosis, rules
from sparring.record import RunFolder
from sparring.rules._loops import SOUND, loop_story
from tests.forked import Programs
from tests.loops import sound, wrapped

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch.compile's own
ROOT = Path(__file__).parents[2]
FOREVER = """
import itertools, sys
sys.path.insert(0, {root!r})
from sparring.training.watch.session import Watch
from tests.loops.sound import textbook
textbook(lambda *players, **more: Watch(*players, out={out!r}, **more), 10**9)
"""


def watched(out: Path, loop: sound.Loop = sound.textbook, rounds: int = 30) -> sparring.Run:
    """The run of a sound loop."""
    torch.manual_seed(0)
    loop(lambda *players, **more: sparring.watch(*players, out=out, **more), rounds)
    return sparring.Run(out)


def test_a_killed_loop_leaves_a_run_that_opens(tmp_path: Path, programs: Programs) -> None:
    out = tmp_path / "mine"
    code = FOREVER.format(root=str(ROOT), out=str(out))
    process = programs.start("-c", code, folder=tmp_path)
    deadline = time.monotonic() + 120
    while not (out.is_dir() and '"log"' in _journal(out)) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    assert process.ended().returncode == -signal.SIGKILL
    run = sparring.Run(out)
    assert run.status == "unfinished" and run.round >= 1
    assert run.diagnose().line and len(run.curves["d_loss"])


def _journal(out: Path) -> str:
    path = out / "journal.jsonl"
    return path.read_text() if path.is_file() else ""


def test_a_loop_that_is_run_again_keeps_the_earlier_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = watched(tmp_path / "mine")
    before = first.folder.journal.path.read_bytes()
    watched(tmp_path / "mine", rounds=20)
    said = capsys.readouterr().err
    assert "holds an earlier run (finished, round 30), which stays; this one goes to" in said.replace("\n", " ")
    assert first.folder.journal.path.read_bytes() == before
    assert sparring.Run(tmp_path / "mine-2").round == 20


CELL = """
import sparring, torch
from torch import nn
from torch.nn.functional import softplus

G, D = nn.Linear(4, 2), nn.Linear(2, 1)
opt_G, opt_D = torch.optim.SGD(G.parameters(), 0.01), torch.optim.SGD(D.parameters(), 0.01)
with sparring.watch(G, D, opt_G, opt_D, out="runs/mine"):
    for step in range(rounds):
        opt_D.zero_grad()
        (softplus(-D(torch.randn(8, 2))) + softplus(D(G(torch.randn(8, 4)).detach()))).mean().backward()
        opt_D.step()
        opt_G.zero_grad()
        softplus(-D(G(torch.randn(8, 4)))).mean().backward()
        opt_G.step()
"""


def test_a_cell_that_is_interrupted_and_run_again_says_what_it_does_with_the_old_run(tmp_path: Path) -> None:
    cells = ["rounds = 10**9", CELL, "rounds = 20", CELL]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    out = tmp_path / "runs" / "mine"
    with client.setup_kernel():
        client.execute_cell(notebook.cells[0], 0)
        ended = threading.Event()
        interrupting = threading.Thread(target=_interrupt, args=(client.km, out, ended))
        interrupting.start()
        try:
            with pytest.raises(CellExecutionError, match="KeyboardInterrupt"):
                client.execute_cell(notebook.cells[1], 1)
        finally:
            ended.set()
            interrupting.join()
        first = sparring.Run(out)
        assert first.status == "stopped" and first.round >= 1
        for index in (2, 3):
            client.execute_cell(notebook.cells[index], index)
    shown = [str(o.get("text") or o.get("data", {}).get("text/plain", "")) for o in notebook.cells[3].outputs]
    said = " ".join(" ".join(shown).split())
    assert f"holds an earlier run (stopped, round {first.round:,}), which stays; this one goes to runs/mine-2" in said
    assert sparring.Run(out).round == first.round and sparring.Run(tmp_path / "runs" / "mine-2").round == 20


def _interrupt(kernel: Any, out: Path, ended: threading.Event) -> None:
    """As the stop button does, once the run has a log event; again where it was heard where Python drops it."""
    deadline = time.monotonic() + 90
    while not (out.is_dir() and '"log"' in _journal(out)) and time.monotonic() < deadline:
        time.sleep(0.2)
    while not ended.is_set():
        os.kill(kernel.provisioner.pid, signal.SIGINT)
        ended.wait(15)


def test_an_interrupted_loop_is_a_stopped_run(tmp_path: Path) -> None:
    g, d = sound.mlp(12, 8, 4), sound.mlp(4, 8, 1)
    opt_g, opt_d = sound.adam(g), sound.adam(d)
    with suppress(KeyboardInterrupt), sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "mine"):
        for step in range(10):
            torch.nn.functional.softplus(d(g(torch.randn(8, 12)).detach())).mean().backward()
            opt_d.step()
            opt_d.zero_grad()
            torch.nn.functional.softplus(-d(g(torch.randn(8, 12)))).mean().backward()
            opt_g.step()
            opt_g.zero_grad()
            if step == 5:
                raise KeyboardInterrupt
    assert sparring.Run(tmp_path / "mine").status == "stopped"


def test_everything_that_listens_is_taken_away(tmp_path: Path) -> None:
    before = torch.autograd.backward, torch.autograd.grad, torch.amp.GradScaler.scale, torch.nn.Sequential.forward
    watched(tmp_path / "mine", rounds=3)
    assert (
        torch.autograd.backward,
        torch.autograd.grad,
        torch.amp.GradScaler.scale,
        torch.nn.Sequential.forward,
    ) == before
    assert not torch.overrides._get_current_function_mode_stack()  # pyright: ignore[reportPrivateUsage]


def test_what_is_said_counts(tmp_path: Path) -> None:
    g, d = sound.mlp(12, 8, 4), sound.mlp(4, 8, 1)
    opt_g, opt_d = sound.adam(g), sound.adam(d)
    with sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "mine") as watch:
        for _ in range(4):
            scores = d(watch.real(torch.randn(8, 4))), d(watch.fake(g(torch.randn(8, 12)).detach() * 2))
            (scores[1].mean() - scores[0].mean()).backward()
            opt_d.step()
            opt_d.zero_grad()
            (-d(g(torch.randn(8, 12))).mean()).backward()
            watch.losses(d=7.0, g=8.0)
            opt_g.step()
            opt_g.zero_grad()
    run = sparring.Run(tmp_path / "mine")
    assert run.curves["d_loss"][-1, 0] == 7 and run.curves["g_loss"][-1, 0] == 8


def test_a_run_is_read_where_its_code_is_not(tmp_path: Path) -> None:
    run = watched(tmp_path / "mine", sound.dcgan, 20)
    images = run.sample(5)
    assert images.shape == (1, 5, 1, 8, 8) and 0 <= images.min() <= images.max() <= 1
    np.testing.assert_array_equal(images, sparring.sample(RunFolder.open(run.path), 5))
    labeled = watched(tmp_path / "classes", sound.conditional, 20)
    assert labeled.generator()(torch.randn(2, 12), torch.tensor([0, 3])).shape == (2, 64)


@pytest.mark.parametrize("wrong", ["G", "D", "opt_G", "opt_D"])
def test_a_wrong_argument_is_named(wrong: str, tmp_path: Path) -> None:
    g, d = sound.mlp(12, 8, 4), sound.mlp(4, 8, 1)
    given = {"G": g, "D": d, "opt_G": sound.adam(g), "opt_D": sound.adam(d)} | {wrong: "adam"}
    with pytest.raises(sparring.UsageError, match=f"{wrong} is an? .*, not str"):
        sparring.watch(*given.values(), out=tmp_path / "mine")


def test_the_docs_have_every_mistake() -> None:
    spec = importlib.util.spec_from_file_location("loop_mistakes", ROOT / "docs" / "loop_mistakes.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["loop_mistakes"] = module
    spec.loader.exec_module(module)
    assert module.MISTAKES.keys() == {name for name in rules() if name.startswith("bug-")}


@pytest.mark.parametrize("given", [0, 1])
def test_all_examples_in_every_step_are_no_mistake_where_they_are_known_to_be_all(
    given: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = torch.randn(32, 4)
    more = [torch.cat([x, x + 1]), x]

    def loop(batch: torch.Tensor, out: Path, **data: torch.Tensor) -> set[str]:
        g, d = sound.mlp(12, 8, 4), sound.mlp(4, 8, 1)
        opt_g, opt_d = sound.adam(g), sound.adam(d)
        with sparring.watch(g, d, opt_g, opt_d, out=out, **data):
            for _ in range(6):
                loss = (d(g(torch.randn(8, 12)).detach()) + 1).square().mean() + (d(batch) - 1).square().mean()
                opt_d.zero_grad()
                loss.backward()
                opt_d.step()
                opt_g.zero_grad()
                (d(g(torch.randn(8, 12))) - 1).square().mean().backward()
                opt_g.step()
        return {finding.rule for finding in sparring.Run(out).diagnose().findings}

    assert ("bug-one-batch" in loop(x, tmp_path / "known", data=more[given])) == (given == 0)
    capsys.readouterr()
    assert "bug-one-batch" not in loop(x, tmp_path / "unknown")
    assert "If they are all there are, that is right" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("given", ["clipped", "scaled", "the same"])
def test_other_examples_than_d_is_given_are_said(
    given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that is compared with clipped rows says nothing of the table that these come from."""
    rows = torch.randn(2_000, 4) * (1 + 3 * (torch.rand(2_000, 1) > 0.9))
    changed = {"clipped": rows.clamp(-1.5, 1.5), "scaled": rows / 100, "the same": rows}[given]
    g, d = sound.mlp(12, 8, 4), sound.mlp(4, 8, 1)
    opt_g, opt_d = sound.adam(g), sound.adam(d)
    with sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "run", data=rows):
        for _ in range(40):
            real, fake = changed[torch.randint(len(rows), (64,))], g(torch.randn(64, 12))
            opt_d.zero_grad()
            ((d(fake.detach()) + 1).square().mean() + (d(real) - 1).square().mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            (d(fake) - 1).square().mean().backward()
            opt_g.step()
    said = " ".join(capsys.readouterr().err.split())
    assert ("the examples in data= are not those that D is given" in said) == (given == "clipped")
    loop = RunFolder(tmp_path / "run").story.loop
    assert loop is not None and loop.data.given_differ == (given == "clipped")
    good = loop_story(good=True, data=replace(SOUND.data, given_differ=loop.data.given_differ))
    assert (diagnosis(good).verdict == "equilibrium") == (given != "clipped")
    assert ("and those in data= are not the same" in diagnosis(good).line) == (given == "clipped")


def test_what_cannot_be_followed_is_said_with_the_call_that_tells_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = watched(tmp_path / "mine", wrapped.compiled_step, rounds=8)
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("compiled functions, inside which tensors cannot be followed") == 1
    assert "D(watch.real(x))" in said and np.isfinite(run.curves["g_loss"]).all()


def test_a_loss_that_turns_to_nan_is_told_from_one_that_is_not_there_yet(tmp_path: Path) -> None:
    assert not watched(tmp_path / "later", wrapped.g_first, rounds=8).folder.story.diverged
    g, d = sound.mlp(12, 8, 4), sound.mlp(4, 8, 1)
    opt_g, opt_d = sound.adam(g), sound.adam(d)
    with sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "nan"):
        for step in range(8):
            opt_d.zero_grad()
            (d(g(torch.randn(8, 12)).detach()).mean() - d(torch.randn(8, 4)).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            (-d(g(torch.randn(8, 12))).mean() * (float("nan") if step > 3 else 1)).backward()
            opt_g.step()
    run = sparring.Run(tmp_path / "nan")
    assert 0 in run.folder.story.diverged and run.diagnose().verdict == "divergence"


def test_a_g_that_is_fed_what_has_no_name_is_fed_the_same_for_samples(tmp_path: Path) -> None:
    run = watched(tmp_path / "mine", wrapped.image_to_image, rounds=8)
    assert run.folder.story.loop is not None and not run.folder.story.loop.latent.law
    made = run.generator()(sound.images().flip(3).flatten(1)).detach().flatten(1)
    samples = torch.from_numpy(run.sample(16)[0]).flatten(1)
    assert float(torch.cdist(samples, made).min(1).values.max()) < 0.02


def test_a_g_that_is_always_fed_the_same_is_compared_with_the_mean_example(tmp_path: Path) -> None:
    run = watched(tmp_path / "mine", sound.owning_players, rounds=120)
    loop = run.folder.story.loop
    assert loop is not None and loop.target == pytest.approx((0.9, 0, 0.9, 0), abs=0.05)
    assert loop.d_loss_scale == 1  # D steps on each kind by itself
    assert not len(run.folder.story.evaluations[0]) and run.diagnose().verdict == "undertrained"


@pytest.mark.parametrize("at_the_mean", [True, False])
def test_the_mean_of_examples_that_vary_is_no_target(tmp_path: Path, at_the_mean: bool) -> None:
    """A G that is always fed the same makes one point, be it in the middle of a cloud: that is not like the cloud."""
    g, d = nn.Linear(1, 2), sound.mlp(2, 8, 1)
    with torch.no_grad():
        g.bias.copy_(-g.weight[:, 0])  # it gives 0, 0 for a 1
    opt_g, opt_d = torch.optim.SGD(g.parameters(), 0.0 if at_the_mean else 1e-3), sound.adam(d)
    with sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "mine"):
        for _ in range(120):
            real, z = 0.25 * torch.randn(32, 2).clamp(-3, 3), torch.ones(32, 1)
            opt_d.zero_grad()
            (softplus(-d(real)) + softplus(d(g(z).detach()))).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(g(z))).mean().backward()
            opt_g.step()
    run = sparring.Run(tmp_path / "mine")
    loop = run.folder.story.loop
    assert loop is not None and loop.latent.law == "constant" and loop.data.deviation == pytest.approx(0.25, abs=0.02)
    assert loop.target is None and run.diagnose().verdict != "equilibrium"


def test_nothing_of_the_loop_is_kept_alive(tmp_path: Path) -> None:
    seen: list[tuple[weakref.ref[torch.Tensor], ...]] = []
    g, d = sound.mlp(12, 8, 4), sound.mlp(4, 8, 1)
    opt_g, opt_d = sound.adam(g), sound.adam(d)
    with sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "mine"):
        for _ in range(20):
            real, z = torch.randn(8, 4), torch.randn(8, 12)
            fake = g(z)
            d_loss = (softplus(-d(real + 0.1 * torch.randn_like(real))) + softplus(d(fake.detach()))).mean()
            opt_d.zero_grad()
            d_loss.backward()
            opt_d.step()
            g_loss = softplus(-d(fake)).mean()
            opt_g.zero_grad()
            g_loss.backward()
            opt_g.step()
            seen.append(tuple(weakref.ref(each) for each in (real, z, fake, d_loss, g_loss)))
            assert not [ref for refs in seen[:-1] for ref in refs if ref() is not None]


GROWTH = """
import sys
sys.path.insert(0, {root!r})
from contextlib import nullcontext
from sparring.training.watch.session import Watch
from tests.loops.sound import textbook

def megabytes():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * 4096 / 2**20

class Counted(Watch):
    def _on_round(self, round, row):
        super()._on_round(round, row)
        if round in (1_000, 10_000):
            print(megabytes(), flush=True)

textbook(lambda *players, **more: Counted(*players, out={out!r}, **more), 10_000)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_is_flat_over_ten_thousand_rounds(tmp_path: Path) -> None:
    code = GROWTH.format(root=str(ROOT), out=str(tmp_path / "mine"))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    before, after = map(float, told.stdout.split())
    assert after - before < 24, told.stdout  # 13 of these come at once, when G's operations are written down


@pytest.mark.parametrize("forgotten", ["G", "D"])
def test_a_step_that_is_forgotten_is_told(forgotten: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    g, d = sound.mlp(4, 8, 2), sound.mlp(2, 8, 1)
    opt_g, opt_d = sound.adam(g), sound.adam(d)
    with sparring.watch(g, d, opt_g, opt_d, out=tmp_path / "mine"):
        for _ in range(120):
            fake = g(torch.randn(8, 4))
            opt_d.zero_grad()
            (softplus(-d(torch.randn(8, 2))) + softplus(d(fake.detach()))).mean().backward()
            if forgotten == "G":
                opt_d.step()
            opt_g.zero_grad()
            softplus(-d(fake)).mean().backward()
            (opt_d if forgotten == "G" else opt_g).step()
    said = " ".join(capsys.readouterr().err.split())
    if forgotten == "G":
        assert "G has made no step in 200 steps of D" in said and "test_watch.py:" in said
        assert not (tmp_path / "mine").exists()
    else:
        assert "bug-frozen: Weights of D do not move: its optimizer makes no step" in said
