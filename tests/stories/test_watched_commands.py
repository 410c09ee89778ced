"""Every command on runs of watched loops: images without a class, points, and images of a class."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

import sparring
from sparring.cli.main import FAILED, OK, run
from sparring.record import RunFolder
from sparring.record.grid_reading import member_block
from tests.loops import sound
from tests.loops.sound import BATCH, LATENT, Watching, adam, images, mlp


def points(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """Four points of two numbers, given as a tensor."""
    x = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]]).repeat(64, 1) + 0.1 * torch.randn(256, 2)
    g, d = mlp(4, 16, 2), mlp(2, 16, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d, data=x):
        for _ in range(rounds):
            real, fake = x[torch.randint(len(x), (32,))], g(torch.randn(32, 4))
            opt_d.zero_grad()
            (softplus(-d(real)) + softplus(d(fake.detach()))).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(fake)).mean().backward()
            opt_g.step()
    return g, d


class ClassG(nn.Module):
    """Noise and a class as a number; `len(z)` is what torch.export takes for a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.classes, self.net = nn.Embedding(4, LATENT), mlp(2 * LATENT, 32, 64, last=nn.Tanh())

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.net(torch.cat([z, self.classes(y)], 1)).view(len(z), 1, 8, 8)


class ClassD(nn.Module):
    """An image and its class."""

    def __init__(self) -> None:
        super().__init__()
        self.classes, self.net = nn.Embedding(4, 8), mlp(72, 32, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.net(torch.cat([x.flatten(1), self.classes(y)], 1))


def classes(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """Images of four classes, given as a tensor."""
    x, y = images(), torch.arange(128) % 4
    g, d = ClassG(), ClassD()
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d, data=x):
        for _ in range(rounds):
            at = torch.randint(len(x), (BATCH,))
            real, fake = d(x[at], y[at]), g(torch.randn(BATCH, LATENT), y[at])
            opt_d.zero_grad()
            (softplus(-real) + softplus(d(fake.detach(), y[at]))).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(fake, y[at])).mean().backward()
            opt_g.step()
    return g, d


def pattern(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """The four numbers 1, 0, 1, 0, a little blurred, one example at a time, as a first GAN is often written."""
    g, d = mlp(1, 3, 4, last=nn.Sigmoid()), mlp(4, 3, 1, last=nn.Sigmoid())
    opt_g, opt_d = torch.optim.SGD(g.parameters(), 0.1), torch.optim.SGD(d.parameters(), 0.1)
    loss, one, zero = nn.MSELoss(), torch.ones(1), torch.zeros(1)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real = torch.tensor([0.8, 0.0, 0.8, 0.0]) + 0.2 * torch.rand(4)
            opt_d.zero_grad()
            loss(d(real), one).backward()
            loss(d(g(torch.rand(1)).detach()), zero).backward()
            opt_d.step()
            opt_g.zero_grad()
            loss(d(g(torch.rand(1))), one).backward()
            opt_g.step()
    return g, d


LOOPS = {"images": sound.dcgan, "points": points, "classes": classes}
SHAPES = {"images": (1, 8, 8), "points": (2,), "classes": (1, 8, 8)}
COMMANDS: dict[str, tuple[str, ...]] = {
    "show": (),
    "diagnose": (),
    "measure": ("--count", "64"),
    "sample": ("--count", "3"),
    "sweep": (),
    "blend": ("--z-seeds", "1,2", "--steps", "4"),
    "arithmetic": ("a - b + c", "--z-seeds", "3,7,1"),
    "influence": ("--count", "5"),
    "directions": ("--count", "6", "--samples", "64", "--top", "2"),
    "truncation": ("--psi", "0.5,1", "--count", "32"),
    "loop": ("--z-seeds", "0,3", "--frames", "4"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("watched")
    for name, loop in LOOPS.items():
        torch.manual_seed(0)
        loop(lambda *players, out=folder / name, **more: sparring.watch(*players, out=out, **more), 30)
    return {name: folder / name for name in LOOPS}


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    """What a command prints as JSON."""
    capsys.readouterr()
    assert run([*map(str, arguments), "--json"]) == OK
    return json.loads(capsys.readouterr().out)


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_command_works_on_a_watched_run(
    loop: str, command: str, runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    told = printed(capsys, command, runs[loop], *COMMANDS[command])
    assert told
    if command == "measure":
        assert told["n"] == 64 and told["metrics"]
        assert "<html" in (runs[loop] / "report.html").read_text(encoding="utf-8")
    assert run([command, str(runs[loop]), *COMMANDS[command]]) == OK
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("loop", LOOPS)
def test_what_a_watched_run_lacks_is_said_in_one_line(
    loop: str, runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["film", str(runs[loop])]) == OK
    for arguments, words in (
        (["sample", runs[loop], "--filter", "d"], "whose discriminator is not kept"),
        (["spaces", runs[loop]], "at least two seeds"),
    ):
        assert run([*map(str, arguments)]) == FAILED
        said = capsys.readouterr().err
        assert words in said and len(said.strip().splitlines()) == 1


def test_watched_runs_are_compared(runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "compare", *runs.values(), "--out", tmp_path / "compared.html")
    assert told and "<html" in (tmp_path / "compared.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("loop", LOOPS)
def test_a_watched_run_keeps_examples_of_what_g_makes(loop: str, runs: dict[str, Path]) -> None:
    run = sparring.Run(runs[loop])
    assert run.sample(3).shape == (1, 3, *SHAPES[loop])
    assert run.folder.story.loop is not None and run.folder.story.loop.makes == SHAPES[loop]


@pytest.mark.parametrize(("loop", "shape"), [(points, (224, 224)), (pattern, (15, 4))])
def test_a_few_numbers_have_pictures_as_those_of_a_recipe(
    loop: Callable[..., object], shape: tuple[int, int], tmp_path: Path
) -> None:
    """Points are plotted over real ones, patterns are rows of cells, a pixel each."""
    loop(lambda *players, **more: sparring.watch(*players, out=tmp_path / "run", **more), 30)
    *_, last = RunFolder(tmp_path / "run").story.pictures
    block = member_block(tmp_path / "run" / last, 0)
    assert block is not None and block.shape[:2] == shape
    assert block.min() < block.max()
