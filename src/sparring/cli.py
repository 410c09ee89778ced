"""The command. Each subcommand reads its flags, makes one call on the floors below, and prints what came back.

Words and progress go to stderr, results to stdout; with --json, stdout is one JSON document. Exit status: 0 success,
1 failure, 2 wrong usage, 130 stopped by Ctrl-C after saving.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import tyro

from sparring import __version__, catalogue
from sparring.errors import SparringError, UsageError

if TYPE_CHECKING:
    from sparring.recipe import Recipe

OK, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

Json = Annotated[bool, tyro.conf.arg(help="Print one JSON document on stdout.")]
Source = Annotated[Path | None, tyro.conf.arg(help="Where the file of a user's own recipe is now, if it moved.")]
RunDir = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN", help="The folder of a run.")]


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: runs the command and exits with its status."""
    # Threads that spin long while they wait starve each other when other work shares the cores: training was then up to
    # fifty times slower. A short spin costs nothing when they are alone. OpenMP reads this when torch is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status. No error leaves it as a traceback."""
    try:
        return _dispatch(list(arguments))
    except UsageError as error:
        return _complain(error, WRONG_USAGE)
    except SparringError as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if "SPARRING_TRACEBACK" in os.environ:
            raise
        what = f"{type(error).__name__}: {error}"
        return _complain(f"a fault in sparring, please report it: {what} (SPARRING_TRACEBACK=1 shows where)", FAILED)


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return OK
    name, *rest = arguments
    if name == "--version":
        print(f"sparring {__version__}")
        return OK
    if name not in COMMANDS:
        raise UsageError(f"{catalogue.unknown('commands', name, COMMANDS)} (`sparring --help` lists them)")
    return COMMANDS[name](rest)


def _complain(error: object, status: int) -> int:
    print(f"sparring: {' '.join(str(error).split())}", file=sys.stderr)
    return status


def _help() -> str:
    lines = [f"  {name:<10}{(inspect.getdoc(c) or '').partition(chr(10))[0]}" for name, c in COMMANDS.items()]
    return "\n".join(
        [
            "usage: sparring COMMAND ...",
            "",
            "Train, diagnose, compare, explore and ship generative adversarial networks.",
            "",
            *lines,
            "",
            "`sparring COMMAND --help` tells the flags of a command, `sparring train RECIPE --help` those of a recipe.",
            "Every command takes --json.",
        ]
    )


# Commands.


@dataclass
class RecipesFlags:
    """Flags of `recipes`."""

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="[RECIPE]", help="Tell all of this one.")] = ""
    json: Json = False


def recipes(arguments: list[str]) -> int:
    """Every recipe in one table: what it is, where from, what its author saw."""
    flags = _parse(RecipesFlags, "recipes", arguments)
    cards = catalogue.cards("recipes")
    if flags.name and flags.name not in cards:
        raise UsageError(catalogue.unknown("recipes", flags.name, cards))
    chosen = [cards[flags.name]] if flags.name else list(cards.values())
    if flags.json:
        told = [{"name": c.name, "what": c.summary, "description": c.text, **c.facts} for c in chosen]
        return _print_json(told[0] if flags.name else told)
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if flags.name:
        card = chosen[0]
        console.print(f"[bold]{card.name}[/]\n{card.text}\n\nfrom: {card.facts['source']}")
        console.print(f"its author saw: {card.facts['verdict']}")
        return OK
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("recipe", "what it is", "from", "what its author saw"):
        table.add_column(title, no_wrap=title == "recipe")
    for card in chosen:
        table.add_row(card.name, card.summary, card.facts["source"], card.facts["verdict"])
    console.print(table)
    return OK


@dataclass
class TrainFlags:
    """Flags of `train` that do not change what is computed."""

    out: Annotated[Path | None, tyro.conf.arg(help="The run's folder; runs/RECIPE if not given.")] = None
    data_dir: Annotated[
        Path | None,
        tyro.conf.arg(help="Folder with the data set's files; else SPARRING_DATA, else they are downloaded once."),
    ] = None
    device: Annotated[str, tyro.conf.arg(help="cpu, cuda, cuda:1, ...")] = "cpu"
    threads: Annotated[int | None, tyro.conf.arg(help="Threads of torch; chosen by the work if not given.")] = None
    json: Json = False


def train(arguments: list[str]) -> int:
    """Train a recipe, or my_recipe.py. Ctrl-C saves; the same command goes on."""
    name, rest = _recipe_first(arguments)
    from sparring.recipe import find_recipe

    recipe = find_recipe(name)
    flags = _parse(_with_settings(recipe), f"train {name}", rest)
    recipe = _changed(recipe, flags)
    from sparring import report
    from sparring.trainer import train as start

    out = flags.out or Path("runs") / recipe.name
    with report.Live() as live:
        made = start(recipe, out, data_dir=flags.data_dir, device=flags.device, threads=flags.threads, watchers=[live])
    page = report.write_report(made)
    story = made.story
    if flags.json:
        pace = story.round / story.seconds if story.seconds else 0.0
        told = {"run": str(made.path), "rounds": story.round, "seeds": story.seeds}
        _print_json({**told, "rounds_per_second": round(pace, 3), "seconds": round(story.seconds, 3)})
    else:
        _print(report.words(made))
        print(page)
    if story.status == "stopped":
        _complain(f"stopped after round {story.round} and saved in {made.path}; the same command goes on", INTERRUPTED)
        return INTERRUPTED
    return OK


@dataclass
class ShowFlags:
    """Flags of `show`."""

    run: RunDir
    json: Json = False


def show(arguments: list[str]) -> int:
    """What came of a run: numbers over seeds, and where its pictures are."""
    flags = _parse(ShowFlags, "show", arguments)
    from sparring import report
    from sparring.record import Run

    run = Run.open(flags.run)
    if flags.json:
        return _print_json(report.summary(run))
    _print(report.words(run))
    return OK


@dataclass
class SampleFlags:
    """Flags of `sample`."""

    run: RunDir
    out: Annotated[Path, tyro.conf.arg(help="FILE.npy: float32 (P, N, *shape) in data units; FILE.png: a grid.")]
    count: Annotated[int, tyro.conf.arg(help="Examples of each member.")] = 64
    draw: Annotated[int, tyro.conf.arg(help="The same draw gives the same examples; another gives others.")] = 0
    source: Source = None
    json: Json = False


def sample(arguments: list[str]) -> int:
    """Examples from a run's generators, as numbers or as a picture."""
    flags = _parse(SampleFlags, "sample", arguments)
    if flags.out.suffix not in (".npy", ".png"):
        raise UsageError(f"--out must end in .npy or .png, not {flags.out.suffix or 'in nothing'!r}")
    from sparring.record import Run, write_whole
    from sparring.record.grid import save_array, save_grid
    from sparring.trainer import sample as draw

    run = Run.open(flags.run)
    examples = draw(run, flags.count, flags.source, flags.draw)
    seeds = run.recipe["seeds"]
    as_picture = flags.out.suffix == ".png"
    write_whole(flags.out, lambda p: save_grid(examples, p, seeds) if as_picture else save_array(examples, p))
    if flags.json:
        return _print_json({"out": str(flags.out), "shape": list(examples.shape), "seeds": seeds})
    print(flags.out)
    return OK


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "recipes": recipes,
    "train": train,
    "show": show,
    "sample": sample,
}


# Flags.


def _parse(flags: Any, command: str, arguments: list[str]) -> Any:
    """Flags of a command. Raises UsageError, in one line, for a flag or a value that does not fit."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            made, unknown = tyro.cli(
                flags, prog=f"sparring {command}", args=arguments, return_unknown_args=True, add_help=True
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise UsageError(f"{_sentence(said.getvalue())} (`sparring {command} --help` tells the flags)") from stop
    if unknown:
        names = [f"--{f.name.replace('_', '-')}" for f in dataclasses.fields(flags)]
        raise UsageError(f"{catalogue.unknown('flags', unknown[0], names)} (`sparring {command} --help`)")
    return made


def _sentence(box: str) -> str:
    """What tyro says inside its frame, up to the first rule, on one line."""
    lines = [line.strip("│ ") for line in re.sub(r"\x1b\[[0-9;]*m", "", box).splitlines()]
    kept: list[str] = []
    for line in lines:
        if line.startswith("╭"):
            continue
        if not line or line[0] in "─╰":
            break
        kept.append(line)
    return " ".join(kept)


def _recipe_first(arguments: list[str]) -> tuple[str, list[str]]:
    if arguments and not arguments[0].startswith("-"):
        return arguments[0], arguments[1:]
    if any(a in ("-h", "--help") for a in arguments):
        print(
            "usage: sparring train RECIPE [FLAGS]\n\n"
            "RECIPE is a name from `sparring recipes`, or a file: my_recipe.py, or my_recipe.py:function.\n"
            "`sparring train RECIPE --help` tells every field of that recipe, which is a flag, with its value."
        )
        sys.exit(OK)
    raise UsageError("say what to train: sparring train RECIPE (`sparring recipes` lists them)")


def _with_settings(recipe: Recipe) -> Any:
    """The train command's flags, and one for every field of the recipe with the value it has there."""
    from sparring.recipe import SHELF

    helps = catalogue.field_docs("recipe", "Recipe")
    hints = get_type_hints(TrainFlags, include_extras=True)
    fields: list[Any] = [(f.name, hints[f.name], f) for f in dataclasses.fields(TrainFlags)]
    for f in dataclasses.fields(recipe):
        if f.name in ("name", "origin"):
            continue
        value = getattr(recipe, f.name)
        shelf = SHELF.get(f.name)
        known = f" One of: {', '.join(catalogue.cards(shelf))}." if shelf else ""
        if isinstance(value, int):
            kind: Any = int
        elif shelf and isinstance(value, tuple):
            kind = tuple[str, ...]
        else:
            kind = str
        fields.append(
            (f.name, Annotated[kind, tyro.conf.arg(help=helps[f.name] + known)], field(default=_spelled(f.name, value)))
        )
    return dataclasses.make_dataclass("TrainFlags", fields, kw_only=True)


def _changed(recipe: Recipe, flags: Any) -> Recipe:
    """The recipe with the fields that a flag changed."""
    from sparring.recipe import SHELF

    changes: dict[str, Any] = {}
    for f in dataclasses.fields(recipe):
        if f.name in ("name", "origin"):
            continue
        given, held = getattr(flags, f.name), getattr(recipe, f.name)
        if given == _spelled(f.name, held):
            continue
        if f.name == "seeds":
            changes["seeds"] = _seeds(given)
        elif shelf := SHELF.get(f.name):
            read = [catalogue.read(shelf, text) for text in ([given] if isinstance(given, str) else given)]
            changes[f.name] = read[0] if isinstance(given, str) else tuple(read)
        else:
            changes[f.name] = given
    return recipe.with_(**changes)


def _spelled(name: str, value: Any) -> Any:
    from sparring.recipe import SHELF

    if name == "seeds":
        return str(len(value)) if value == tuple(range(len(value))) else ",".join(map(str, value))
    if name not in SHELF:
        return value
    return tuple(map(catalogue.spell, value)) if isinstance(value, tuple) else catalogue.spell(value)


def _seeds(text: str) -> tuple[int, ...]:
    """`8` is 0 to 7, `3-10` both ends included, `1,5,9` these."""
    try:
        if re.fullmatch(r"\d+", text):
            return tuple(range(int(text)))
        if found := re.fullmatch(r"(\d+)-(\d+)", text):
            return tuple(range(int(found[1]), int(found[2]) + 1))
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--seeds takes a count (8), a range (3-10) or a list (1,5,9), not {text!r}") from None


# Output.


def _print_json(value: Any) -> int:
    print(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))
    return OK


def _print(renderable: Any) -> None:
    from rich.console import Console

    Console().print(renderable)


if __name__ == "__main__":
    main()
