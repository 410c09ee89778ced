"""What several laws need."""

from __future__ import annotations

import pytest

from sparring.game.compile import compiled


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """A traced graph is run as it is, operation by operation."""
    monkeypatch.setattr(compiled, "load_or_compile", lambda traced, at_once: lambda inputs: traced.graph(*inputs))
