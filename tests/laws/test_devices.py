"""Which device a name stands for, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sparring.cli.main import WRONG_USAGE
from sparring.cli.main import run as command
from sparring.errors import UsageError
from sparring.game.runtime import resolve_device


def machine(monkeypatch: pytest.MonkeyPatch, cuda: int = 0, mps: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(0, False, "cpu"), (0, True, "mps"), (2, False, "cuda"), (1, True, "cuda")]
)
def test_auto_takes_the_best_there_is(monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool, expected: str) -> None:
    machine(monkeypatch, cuda, mps)
    assert resolve_device("auto") == expected
    assert resolve_device("cpu") == "cpu"


def test_a_device_that_is_there_is_taken_as_named(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cuda=2)
    assert [resolve_device(name) for name in ("cuda", "cuda:1", "gpu")] == ["cuda", "cuda:1", "cuda"]
    with pytest.raises(UsageError, match="only cpu, cuda, cuda:0, cuda:1"):
        resolve_device("cuda:2")


@pytest.mark.parametrize("name", ["cuda", "mps", "gpu", "cuda:0", "tpu", ""])
def test_a_device_that_is_not_there_is_answered_with_what_is(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    machine(monkeypatch)
    with pytest.raises(UsageError, match=r"only cpu.*; the device 'auto'"):
        resolve_device(name)


def test_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(monkeypatch)
    for flag in (["--device", "cuda"], ["--gpu"]):
        assert command(["train", "pattern-1010", *flag, "--out", str(tmp_path / "run")]) == WRONG_USAGE
        assert "only cpu" in capsys.readouterr().err and not (tmp_path / "run").exists()
