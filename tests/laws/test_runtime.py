"""Settings of the machine hold for a Python program that imports `sparring` as they do for the command."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from sparring.game import runtime

OPENMP_DEFAULT = "300000"


def spin_count(code: str, **environment: str) -> str:
    """The spin count that libgomp reports when it is loaded by a fresh process that runs `code`."""
    environment = {k: v for k, v in os.environ.items() if k != "GOMP_SPINCOUNT"} | environment
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "OMP_DISPLAY_ENV": "verbose"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    reported = re.search(r"GOMP_SPINCOUNT = '(\d+)'", done.stderr)
    if reported is None:
        pytest.skip("this torch is built with an OpenMP library other than GNU's")
    return reported.group(1)


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize(
    "code",
    [
        "import sparring, torch",
        "from sparring import train",
        "from sparring.game.assembly import game_of",
        "import sparring.cli.main, torch",
    ],
)
def test_openmp_threads_spin_briefly_where_sparring_is_imported_before_torch(code: str) -> None:
    assert spin_count(code) == runtime.SPIN_COUNT


def test_where_torch_was_imported_first_only_child_processes_spin_briefly() -> None:
    code = "import torch, sparring, os; assert os.environ['GOMP_SPINCOUNT'] == " + repr(runtime.SPIN_COUNT)
    assert spin_count(code) == OPENMP_DEFAULT


def test_a_users_own_spin_count_is_kept() -> None:
    assert spin_count("import sparring, torch", GOMP_SPINCOUNT="77") == "77"


def test_idle_cores_are_at_least_one_and_at_most_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= runtime.idle_cores() <= runtime.cores()
    monkeypatch.setattr(runtime, "cores", lambda: 10**6)
    assert 1 <= runtime.idle_cores() <= 10**6


def test_convolutions_on_a_gpu_give_the_same_bits_in_full_precision_and_settings_are_restored() -> None:
    import torch

    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32
    with runtime.reproducible_kernels():
        assert (cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32) == (True, False, False)
    assert (cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32) == before
