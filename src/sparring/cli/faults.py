"""Errors that nobody should report as bugs: of the disk, the memory, a missing package, or a user's own code."""

from __future__ import annotations

from sparring.errors import in_one_line, reason_of, shortened, users_frame

NO_MEMORY = ("can't allocate memory", "out of memory")
"""What torch says, in an ordinary RuntimeError, where memory does not suffice."""
MAX_WORDS = 300
"""Characters of another library's message that are repeated."""


def explained(error: Exception) -> str | None:
    """What to tell of an error that is no bug of this package; None for one that may be."""
    if isinstance(error, UnicodeEncodeError):
        return f"a name has characters that this locale cannot write ({error.encoding}): set LC_ALL=C.UTF-8"
    if isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY):
        less = "a smaller --batch or --count, or fewer --seeds, take less"
        return f"there is not enough memory for this: {less} ({_words(error)})"
    if (frame := users_frame(error.__traceback__)) is not None:
        return f"{frame.filename}, line {frame.lineno}: {_words(error)}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing(error.name)
    if isinstance(error, OSError):
        return of_the_system(error)
    return None


def of_the_system(error: OSError) -> str:
    """`runs/a: Permission denied`."""
    why = reason_of(error)
    return f"{shortened(error.filename, MAX_WORDS)}: {why}" if error.filename else why


def _missing(module: str) -> str:
    """What to install for a module that cannot be imported."""
    from importlib.metadata import requires

    package = module.partition(".")[0]
    for line in requires("sparring") or ():
        name, extra = line.partition(";")[0].lower(), line.partition("extra == ")[2].strip("\"' ")
        if name.startswith(package.lower().replace("_", "-")) and extra:
            return f"this needs the package {package}: pip install 'sparring[{extra}]'"
    return f"the package {package} is missing: pip install {package}"


def _words(error: Exception) -> str:
    return shortened(in_one_line(error), MAX_WORDS)
