"""The one kind of error a user should ever see: one line that says what is wrong, where, and what to do."""


class SparringError(Exception):
    """A failure that the user can mend. The message is one line; the command exits with 1 and prints it alone."""


class UsageError(SparringError):
    """A command, flag or value that does not exist or does not fit. The command exits with 2."""


def in_one_line(error: Exception) -> str:
    """What another's error says, on one line and after its kind."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def shortened(value: object, most: int = 60) -> str:
    """A value as text, cut so that it fits a message."""
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}..."
