"""What several laws need."""

from __future__ import annotations

import pytest

from sparring.game.compile import plan as compiled


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written down is played as it is."""
    monkeypatch.setattr(compiled, "machine_code", lambda traced, at_once: lambda inputs: traced.graph(*inputs))
