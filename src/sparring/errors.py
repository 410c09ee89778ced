"""The one kind of error that a user should see: one line that says what is wrong, where, and what to do next."""

from __future__ import annotations

import errno


class SparringError(Exception):
    """A failure that the user can fix. The message is one line; the command prints it and exits with status 1."""


class UsageError(SparringError):
    """A command, flag or value that does not exist or does not fit. The command exits with status 2."""


def in_one_line(error: BaseException) -> str:
    """The type and the message of any error, on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def reason_of(error: OSError) -> str:
    """Why the system refused something, in words."""
    return "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)


def shortened(value: object, max_length: int = 60) -> str:
    """A value as text, cut after `max_length` characters so that it fits a message."""
    text = str(value)
    return text if len(text) <= max_length else f"{text[:max_length]}..."
