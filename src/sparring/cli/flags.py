"""What commands share: types of their flags, parsing with errors of one line, and printing."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import tyro

from sparring import catalogue
from sparring.characters import writable
from sparring.errors import UsageError

COLORS = re.compile(r"\x1b\[[0-9;]*m")
MIN_WIDTH, MAX_WIDTH = 40, 100
"""Columns of a paragraph of help."""
REPLACED = 4
"""Columns kept free for what is wider once it is replaced, in a terminal that has no arrows: `->`."""
MAX_LISTED = 100_000
"""Longest list of integers that a flag takes."""
MAX_COUNT = 1_000_000
"""Samples, latent vectors and so on that a flag may ask for: more are a slip of the finger."""
NOT_SUPPORTED = {
    "--wandb": "write --log wandb",
    "--tensorboard": "write --log tensorboard",
}
"""Flags of other tools that people try, and what there is instead."""


REQUIRED = "(required)"
"""In place of a default."""


def flag(help: str, metavar: str | None = None, default: str | None = None, name: str | None = None) -> Any:
    """What `--help` says of a flag; `default` says in words what happens without it, nothing if empty, or REQUIRED."""
    hint = f"(default: {default})" if default and default != REQUIRED else default
    return tyro.conf.arg(help=help, metavar=metavar, help_behavior_hint=hint, name=name)


REWORDED = {
    r"Error parsing (\S+): invalid literal for int\(\) with base 10: (.+)": r"\1 takes a whole number, not \2",
    r"Error parsing (\S+): could not convert string to float: (.+)": r"\1 takes a number, not \2",
    r"Error parsing (\S+): no type matching .*\bINT\b.* .* from \[(.*)\]\.": r"\1 takes a whole number, not \2",
    r"Error parsing (\S+): no type matching .*\bFLOAT\b.* .* from \[(.*)\]\.": r"\1 takes a number, not \2",
    r"Missing value for argument '(\S+)'\. Expected 1 values\.": r"\1 needs a value",
}
"""What tyro says of a flag, as a pattern -> what is said instead."""
CHOICE = re.compile(r"invalid choice (.+) for argument '(\S+)'\. Expected one of \((.*)\)\.")
"""What tyro says where a flag takes one of a few words, which it lists in any order."""
Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff]
"""A flag without a value and without its opposite."""
Json = Annotated[Switch, flag("Print one JSON document on stdout instead of text.", default="")]
Source = Annotated[
    Path | None, flag("Where the Python file of your own recipe is now.", "FILE", "where it was when the run began")
]
Spoken = Annotated[
    str, flag("Language to speak, on pages too: en, or zh for Chinese.", "CODE", "$SPARRING_LANGUAGE, or else en")
]
RunDir = Annotated[tyro.conf.Positional[Path], flag("The folder of a run.", "RUN")]
Members = Annotated[str, flag("Only the members of these seeds: 3, or 0,3, or 2-5.", "SEEDS", "all")]
OutFile = Annotated[
    Path | None,
    flag("FILE.png: a picture; FILE.npy: numbers in the units of the data.", "FILE", "a picture in RUN/figures"),
]
DataDir = Annotated[
    Path | None, flag("Folder with the data set's files.", "DIR", "$SPARRING_DATA, else they are downloaded once")
]


MISSING = re.compile(r"([A-Z]+(?: \.\.\.)?|\"[^\"]+\") ([^()]*)\. \(required\)")
"""How tyro lists each argument that was not given: its name, and what it is."""


def parse(flags: type[Any], command: str, arguments: list[str], description: str) -> Any:
    """Parse the flags of a command.

    Args:
        flags: A dataclass of flags, or of dataclasses that are shown as groups of flags.
        command: As it was typed, for messages.
        arguments: What follows the command.
        description: What `--help` says above the flags.

    Raises:
        UsageError: A flag does not exist or a value does not fit, in one line.
    """
    _check_names(arguments, _names(flags))
    output, help_ = io.StringIO(), _HelpText()
    try:
        with (
            contextlib.redirect_stderr(output),
            contextlib.redirect_stdout(help_),
            _terminal_of_at_least(MIN_WIDTH),
        ):
            made, unknown = tyro.cli(
                flags,
                prog=f"sparring {command}",
                description=_wrapped(description),
                args=arguments,
                return_unknown_args=True,
                config=(tyro.conf.OmitArgPrefixes,),
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            print(_with_short_usage(help_.getvalue()), end="")
            raise
        sentence = _sentence(output.getvalue())
        if missing := MISSING.findall(sentence):
            needed = " and ".join(f"{name} ({help[0].lower()}{help[1:]})" for name, help in missing)
            raise UsageError(f"sparring {command} needs {needed} (`sparring {command} --help`)") from stop
        raise UsageError(f"{sentence} (`sparring {command} --help` lists the flags)") from stop
    if unknown and not unknown[0].startswith("-"):
        raise UsageError(f"{unknown[0]!r} is one argument too many (`sparring {command} --help`)")
    if unknown:
        raise UsageError(f"{catalogue.unknown('flags', unknown[0], _names(flags))} (`sparring {command} --help`)")
    return made


@contextlib.contextmanager
def _terminal_of_at_least(columns: int) -> Generator[None]:
    """Tyro does not end in a terminal of one column, such as COLUMNS=1 describes."""
    before = os.environ.get("COLUMNS")
    if shutil.get_terminal_size().columns < columns:
        os.environ["COLUMNS"] = str(columns)
    try:
        yield
    finally:
        if before is not None:
            os.environ["COLUMNS"] = before
        elif "COLUMNS" in os.environ:
            del os.environ["COLUMNS"]


class _HelpText(io.StringIO):
    """What is written, to be printed later where the standard output goes now: in color if that is a terminal."""

    def isatty(self) -> bool:
        return sys.__stdout__ is not None and sys.__stdout__.isatty()


def _with_short_usage(help_: str) -> str:
    """Flags in the first line, which tyro does not wrap, become `[OPTIONS]` where it is wider than the terminal."""
    usage, end, rest = help_.partition("\n")
    if len(COLORS.sub("", usage)) > shutil.get_terminal_size().columns:
        usage = re.sub(r"( \[--[^]]+\])+", " [OPTIONS]", usage)
    return usage + end + rest


def _wrapped(text: str) -> str:
    """Paragraphs as wide as the terminal. They are indented, because tyro joins lines that begin with a letter."""
    width = max(MIN_WIDTH, min(shutil.get_terminal_size().columns, MAX_WIDTH))
    filled = [textwrap.fill(each, width, initial_indent="  ", subsequent_indent="  ") for each in text.split("\n\n")]
    return "\n".join(filled)


def _check_names(arguments: list[str], known: list[str]) -> None:
    """Raises UsageError for a flag that is called otherwise today, or that other tools have."""
    for argument in arguments:
        name = argument.partition("=")[0]
        if not name.startswith("--") or name in (*known, "--help"):
            continue
        if name in NOT_SUPPORTED:
            raise UsageError(f"{name}: {NOT_SUPPORTED[name]}")
        from sparring.record import legacy  # not at the top: its room loads NumPy

        if legacy.FLAGS.get(name, "").replace("--no-", "--") in known:
            raise UsageError(f"{name} is now called {legacy.FLAGS[name]}")


def _names(flags: type[Any]) -> list[str]:
    """Every flag of a dataclass, those of groups included: `--log-points`."""
    found: list[str] = []
    hints = get_type_hints(flags)
    for field in dataclasses.fields(flags):
        kind = hints[field.name]
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            found += _names(kind)
        else:
            found.append(f"--{field.name.strip('_').replace('_', '-')}")
    return found


def _sentence(box: str) -> str:
    """What tyro says below its title, up to the next rule, on one line."""
    lines = [line.strip("│ ") for line in COLORS.sub("", box).splitlines()]
    kept: list[str] = []
    is_below = False
    for line in lines:
        is_rule = line[:1] in tuple("╭─╰") or (line != "" and not line.strip("-"))
        if is_below and (is_rule or not line):
            break
        if is_rule:
            is_below = True
        elif is_below:
            kept.append(line)
    said = " ".join(kept)
    if choice := CHOICE.fullmatch(said):
        given, name, listed = choice.groups()
        words = sorted(set(re.findall("'([^']*)'", listed)) - {"None", ""})
        return f"choose {'|'.join(words)} for {name}, not {given}"
    for tyro_says, instead in REWORDED.items():
        said = re.sub(tyro_says, instead, said)
    return said


def integers(flag: str, text: str) -> tuple[int, ...]:
    """`3,17,20-25` is 3, 17 and 20 to 25, both ends included."""
    found: list[range] = []
    for part in text.split(","):
        read = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if read is None or len(part) > 40:
            raise UsageError(f"{flag} takes whole numbers and ranges (3,17,20-25), not {text!r}")
        found.append(range(int(read[1]), int(read[2] or read[1]) + 1))
        if not found[-1]:
            raise UsageError(f"{flag}: the range {part.strip()} ends before it begins")
    if sum(map(len, found)) > MAX_LISTED:
        raise UsageError(f"{flag} takes at most {MAX_LISTED:,} numbers at once")
    return tuple(number for some in found for number in some)


def decimals(flag: str, text: str) -> tuple[float, ...]:
    """`-3,0,3`."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = (math.nan,)
    if not all(map(math.isfinite, values)):
        raise UsageError(f"{flag} takes numbers (-3,0,3), not {text!r}")
    return values


def check_count(flag: str, value: int, low: int = 1, high: int = MAX_COUNT) -> None:
    """Raises UsageError for a number that does not lie between `low` and `high`."""
    if not low <= value <= high:
        size = f"at least {low}" if value < low else f"at most {high:,}"
        raise UsageError(f"{flag} must be {size}, not {value}")


def members(text: str) -> tuple[int, ...] | None:
    """The seeds of the chosen members; None for all."""
    return integers("--seeds", text) if text else None


def check_suffix(out: Path, *suffixes: str) -> str:
    """The suffix of an output file. Raises UsageError for another one, before anything is computed."""
    if out.suffix not in suffixes:
        raise UsageError(f"--out must end in {' or '.join(suffixes)}, not {out.suffix or 'in nothing'!r}")
    return out.suffix


def out_file(flags: Any, command: str, *more: str) -> Path:
    """Where a command writes: its --out, of these suffixes too, else a picture among the run's figures."""
    if flags.out is None:
        return flags.run / "figures" / f"{command}.png"
    check_suffix(flags.out, ".npy", ".png", *more)
    return flags.out


def print_json(value: Any) -> int:
    """Print one JSON document and return the exit status of success.

    Characters that stdout cannot write are escaped as JSON does, so that the document says the same everywhere.
    """
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    if sys.stdout and not writable(text, sys.stdout.encoding):
        text = json.dumps(value, indent=2, allow_nan=False)
    print(text, flush=True)  # a process that is stopped ends before its buffers are written
    return 0


def print_rich(*renderables: Any) -> None:
    """Print text, tables and so on, as wide as the terminal."""
    from rich.console import Console

    console = Console()
    if console.options.ascii_only:
        console.width -= REPLACED
    for each in renderables:
        console.print(each, crop=False)
