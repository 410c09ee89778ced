"""With `--json` a training that was stopped prints its document before it makes its page, which may be cut short."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sparring
from sparring import report
from sparring.cli.train import _print  # pyright: ignore[reportPrivateUsage]
from sparring.recipe import find_recipe


def test_the_document_comes_before_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = sparring.training.train(
        find_recipe("pattern-1010").replace(rounds=20, log_points=2, seeds=1), tmp_path / "run", threads=1, judge=False
    )
    run.journal.append("stopped", round=20, seconds=1.0)
    printed: list[str] = []
    monkeypatch.setattr(report, "write_report", lambda made: printed.append(capsys.readouterr().out))
    assert _print(run, as_json=True) == 130
    assert json.loads(printed[0])["run"] == str(run.path) and capsys.readouterr().out == ""
