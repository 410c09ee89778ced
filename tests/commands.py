"""Commands as a person types them, in this very process."""

from __future__ import annotations

from sparring.cli.main import OK, run


def sparring(*arguments: object, expect: int = OK) -> None:
    """A command that must end with this exit status."""
    status = run([str(argument) for argument in arguments])
    assert status == expect, f"exit status {status}"
