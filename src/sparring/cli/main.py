"""The entry point of the command: finds the subcommand, loads its file alone, and turns errors into one line.

Words and progress go to stderr, results to stdout; with --json, stdout is one JSON document: where a command fails,
`{"error": "why", "status": 1}`. Exit status: 0 success, 1 failure, 2 wrong usage, 130 stopped by Ctrl-C: what was saved
is kept.
"""

from __future__ import annotations

import ast
import gc
import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from sparring import catalogue
from sparring.characters import printable, tolerant
from sparring.errors import SparringError, UsageError, in_one_line
from sparring.interruption import start_guard

OK, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
COMMANDS = (
    "recipes",
    "train",
    "compile",
    "control",
    "rewind",
    "branch",
    "split",
    "explore",
    "show",
    "diagnose",
    "measure",
    "compare",
    "study",
    "query",
    "sample",
    "doctor",
    "sweep",
    "blend",
    "arithmetic",
    "influence",
    "directions",
    "project",
    "spaces",
    "truncation",
    "loop",
    "film",
    "export",
)
"""Each is a file of this folder with a function `run(arguments) -> exit status`; the file's first line is its help."""
LANGUAGE = "--language"
"""The flag that every command takes; its module has it for `--help`."""
LANGUAGE_VARIABLE = "SPARRING_LANGUAGE"
"""`sparring.languages.VARIABLE`, which is not imported for it: `sparring --help` loads as little as possible."""
GC_THRESHOLD = 100_000
"""New objects after which Python's garbage collector starts; its own default is 700 to 2,000."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with its status."""
    # Loading torch makes very many objects, none of them garbage; collecting took a fifth of a second.
    gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])
    start_guard()
    status = run(sys.argv[1:] if arguments is None else arguments)
    if status == INTERRUPTED:  # whoever pressed Ctrl-C does not wait until Python has taken torch apart
        sys.stdout.flush()
        os._exit(status)
    if threading.current_thread() is threading.main_thread():  # all is written: Ctrl-C ends what Python tidies up
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status. No error leaves it as a traceback."""
    tolerant(sys.stdout, sys.stderr)
    fail = _fail_in_json if "--json" in arguments else complain
    try:
        return _dispatch(list(arguments))
    except SparringError as error:
        return fail(said(error), WRONG_USAGE if isinstance(error, UsageError) else FAILED)
    except KeyboardInterrupt:
        return fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if "SPARRING_TRACEBACK" in os.environ:
            raise
        from sparring.cli.faults import explained

        bug = f"a bug in sparring, please report it: {in_one_line(error)} (SPARRING_TRACEBACK=1 shows where)"
        return fail(explained(error) or bug, FAILED)


def said(error: SparringError) -> str:
    """An error in the language that was asked for; in English where that cannot be."""
    from sparring.languages import said_of

    try:
        return said_of(error)
    except UsageError:  # there is no such language, which may be what this error says
        return str(error)


def complain(message: object, status: int) -> int:
    """Print one line on stderr and return the exit status."""
    print(f"sparring: {printable(' '.join(str(message).split()))}", file=sys.stderr)
    return status


def _fail_in_json(message: object, status: int) -> int:
    """The same, and a document for the program that reads stdout."""
    print(json.dumps({"error": " ".join(str(message).split()), "status": status}))
    return complain(message, status)


def summary(command: str) -> str:
    """The first line of a command's file, read without running it."""
    source = Path(__file__).with_name(f"{command}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def _dispatch(arguments: list[str]) -> int:
    if arguments and arguments[0].partition("=")[0] == LANGUAGE:  # before the command, as other programs take it
        length = 1 if "=" in arguments[0] else 2
        if len(arguments) < length:
            raise UsageError(f"{LANGUAGE} needs a value")
        arguments = [*arguments[length:], *arguments[:length]]
    if not arguments or arguments[0] in ("-h", "--help", LANGUAGE) or arguments[0].startswith(f"{LANGUAGE}="):
        print(_help())
        return OK
    name, *rest = arguments
    if name == "--version":
        from importlib.metadata import version

        print(f"sparring {version('sparring')}")
        return OK
    if name not in COMMANDS:
        raise UsageError(f"{catalogue.unknown('commands', name, COMMANDS)} (`sparring --help` lists them)")
    module = importlib.import_module(f"sparring.cli.{name}")
    if not (code := _language_in(rest) or os.environ.get(LANGUAGE_VARIABLE, "")):
        return module.run(rest)
    from sparring.languages import speaking_everywhere  # says of a language that there is not, before anything is done

    with speaking_everywhere(code):
        return module.run(rest)


def _language_in(arguments: Sequence[str]) -> str:
    """The value of --language, before the flags are parsed: an error of these is said in that language too."""
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == LANGUAGE:
            return value if equals else "".join(arguments[index + 1 : index + 2])
    return ""


def _help() -> str:
    return "\n".join(
        [
            "usage: sparring COMMAND ...",
            "",
            "Train, diagnose, compare, explore and ship generative adversarial networks.",
            "",
            *(f"  {name:<12}{summary(name)}" for name in COMMANDS),
            "",
            "`sparring COMMAND --help` lists the flags of a command,",
            "`sparring train RECIPE --help` those of a recipe with its values.",
            "Every command takes --json, and --language zh to speak Chinese.",
        ]
    )


if __name__ == "__main__":
    main()
