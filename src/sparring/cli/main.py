"""The command. Each subcommand reads its flags, makes one call on the floors below, and prints what came back.

Words and progress go to stderr, results to stdout; with --json, stdout is one JSON document. Exit status: 0 success,
1 failure, 2 wrong usage, 130 stopped by Ctrl-C after saving.
"""

from __future__ import annotations

import gc
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from sparring import __version__, catalogue
from sparring.cli import latent as walks
from sparring.cli.flags import (
    Json,
    Members,
    NumpyOrPicture,
    RunDir,
    Source,
    changed,
    ending,
    members_of,
    numbers_of,
    parse,
    print_json,
    read_data,
    with_settings,
)
from sparring.errors import SparringError, UsageError

if TYPE_CHECKING:
    from sparring.recipe import Recipe

OK, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
GARBAGE_LOOKED_FOR = 100_000
"""New objects after which Python looks for garbage; its own number is 700."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: runs the command and exits with its status."""
    # Loading torch makes very many objects, none of them garbage; looking for some took a fifth of a second.
    gc.set_threshold(GARBAGE_LOOKED_FOR, *gc.get_threshold()[1:])
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
    lines = [f"  {name:<12}{(inspect.getdoc(c) or '').partition(chr(10))[0]}" for name, c in COMMANDS.items()]
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
    flags = parse(RecipesFlags, "recipes", arguments)
    cards = catalogue.entries("recipes")
    if flags.name and flags.name not in cards:
        raise UsageError(catalogue.unknown("recipes", flags.name, cards))
    chosen = [cards[flags.name]] if flags.name else list(cards.values())
    if flags.json:
        told = [{"name": c.name, "what": c.summary, "description": c.text, "expects": [], **c.facts} for c in chosen]
        return print_json(told[0] if flags.name else told)
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if flags.name:
        card = chosen[0]
        console.print(f"[bold]{card.name}[/]\n{card.text}\n\nfrom: {card.facts['source']}")
        console.print(f"its author saw: {card.facts['verdict']}")
        if expects := card.facts.get("expects"):
            console.print(f"findings to be made: {', '.join(expects)}")
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
    compile: Annotated[
        bool,
        tyro.conf.arg(
            help="Play rounds as machine code, which takes a C++ compiler.",
            help_behavior_hint="(default: if the run is long enough to repay it)",
        ),
    ] = False
    from_: Annotated[
        Path | None,
        tyro.conf.arg(name="from", metavar="RUN", help="Train the recipe of this run anew, in place of a named one."),
    ] = None
    early_stop: Annotated[bool, tyro.conf.arg(help="End once samples show no gain that is worth more rounds.")] = False
    remedy: Annotated[
        str, tyro.conf.arg(help="A change to that recipe, as `sparring diagnose RUN` proposes it; from scratch.")
    ] = ""
    source: Source = None
    processes: Annotated[
        int, tyro.conf.arg(help="Processes of this machine that the seeds are dealt out to; the run is the same.")
    ] = 1
    on: Annotated[
        Literal["here", "ray"], tyro.conf.arg(help="ray: deal the seeds out to a Ray cluster, in --processes parts.")
    ] = "here"
    share_batch: Annotated[
        bool, tyro.conf.arg(help="Under torchrun: share every batch, also where there are seeds enough to deal out.")
    ] = False
    metrics: Annotated[
        bool, tyro.conf.arg(help="Record what samples are like beside real data; takes at most 5 % of the time.")
    ] = True
    json: Json = False


def train(arguments: list[str]) -> int:
    """Train a recipe, or my_recipe.py, or a run's recipe changed. Ctrl-C saves; the same command goes on."""
    start_from = _value_of(arguments, "--from")
    if start_from is None:
        name, rest = _recipe_first(arguments)
        from sparring.recipe import find_recipe

        recipe, home = find_recipe(name), None
        if data := _value_of(rest, "--data"):
            recipe = find_recipe(name, sized_by=read_data(data, recipe.data))
    else:
        name, rest = f"--from {start_from}", arguments
        recipe, home = _recipe_of(Path(start_from), _value_of(arguments, "--remedy"), _value_of(arguments, "--source"))
    flags = parse(with_settings(TrainFlags, recipe), f"train {name}", rest)
    if flags.remedy and home is None:
        raise UsageError("--remedy changes the recipe of a run: say which with --from RUN")
    recipe = changed(recipe, flags)
    from sparring import report
    from sparring.game.world import world_from_env
    from sparring.training.distributed import train as start

    out = flags.out or home or Path("runs") / recipe.name
    with report.Live() as live, report.LiveShards() as parts:
        made = start(
            recipe,
            out,
            processes=flags.processes,
            on=flags.on,
            share_batch=flags.share_batch,
            data_dir=flags.data_dir,
            device=flags.device,
            threads=flags.threads,
            watchers=[live],
            session_watchers=[parts],
            metrics=flags.metrics,
            early_stop=flags.early_stop,
            compile=flags.compile if {"--compile", "--no-compile"} & set(rest) else None,
        )
    if not world_from_env().is_main:
        return OK  # the first of torchrun's processes tells
    page = report.write_report(made)
    story = made.story
    if flags.json:
        pace = story.round / story.seconds if story.seconds else 0.0
        told = {"run": str(made.path), "rounds": story.round, "seeds": story.seeds}
        print_json({**told, "rounds_per_second": round(pace, 3), "seconds": round(story.seconds, 3)})
    else:
        _print(report.run_text(made))
        print(page)
    if story.status == "plateau":
        _complain(f"samples no longer get better: ended after round {story.round} of {recipe.rounds}", OK)
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
    flags = parse(ShowFlags, "show", arguments)
    from sparring import report
    from sparring.record import Run

    run = Run.open(flags.run)
    if flags.json:
        return print_json(report.summary(run))
    _print(report.run_text(run))
    return OK


@dataclass
class DiagnoseFlags:
    """Flags of `diagnose`."""

    run: RunDir
    json: Json = False


def diagnose(arguments: list[str]) -> int:
    """What is wrong with a run, or right: findings with their evidence, and a remedy to try."""
    flags = parse(DiagnoseFlags, "diagnose", arguments)
    from sparring.analysis.diagnosis import diagnose as examined
    from sparring.record import Run

    run = Run.open(flags.run)
    held = examined(run)
    if flags.json:
        return print_json(held.plain(run.path))
    from sparring import report

    _print(report.diagnosis_text(run, held))
    return OK


@dataclass
class CompareFlags:
    """Flags of `compare`."""

    runs: Annotated[
        tyro.conf.Positional[tuple[Path, ...]],
        tyro.conf.arg(metavar="RUN RUN ...", help="Folders of runs; a folder that holds runs stands for all in it."),
    ]
    out: Annotated[Path | None, tyro.conf.arg(help="FILE.html; compare.html beside the first run if not given.")] = None
    json: Annotated[bool, tyro.conf.arg(help="Print the numbers as JSON; the page only with --out.")] = False


def compare(arguments: list[str]) -> int:
    """Runs side by side on one page: what each changes, what its author saw, what it shows."""
    flags = parse(CompareFlags, "compare", arguments)
    if flags.out and flags.out.suffix != ".html":
        raise UsageError(f"--out must end in .html, not {flags.out.suffix or 'in nothing'!r}")
    from sparring import report

    held = report.Comparison.of(flags.runs)
    out = flags.out or (None if flags.json else held.folder / "compare.html")
    if out:
        report.write_comparison(held, out)
    if flags.json:
        return print_json({"out": str(out) if out else None, **report.comparison_summary(held)})
    print(out)
    return OK


@dataclass
class MeasureFlags:
    """Flags of `measure`."""

    run: RunDir
    count: Annotated[int, tyro.conf.arg(help="Examples of each member, and of real data.")] = 1_000
    judge: Annotated[
        str,
        tyro.conf.arg(
            metavar="NAME",
            help="Whose features and classes to look through: digits, mnist, ...; own, trained on this data and kept; "
            "inception, for published FID. Else the one that goes with the data, or own where there is none.",
        ),
    ] = ""
    metrics: Annotated[
        tuple[str, ...], tyro.conf.arg(metavar="NAME ...", help="Measure these alone, not all that fit.")
    ] = ()
    data_dir: Annotated[
        Path | None, tyro.conf.arg(help="Folder with the data set's files; else SPARRING_DATA, else a download.")
    ] = None
    seeds: Members = ""
    source: Source = None
    json: Json = False


def measure(arguments: list[str]) -> int:
    """Every metric, beside what real data scores against real data."""
    flags = parse(MeasureFlags, "measure", arguments)
    seeds = members_of(flags.seeds)
    from sparring import report
    from sparring.analysis.measure import keep
    from sparring.analysis.measure import measure as taken

    measured = taken(flags.run, flags.count, flags.judge or None, flags.data_dir, flags.source, seeds, flags.metrics)
    keep(measured)
    page = report.write_report(measured.run)
    if flags.json:
        return print_json(measured.plain())
    _print(report.measurement_text(measured.plain()))
    print(page)
    return OK


@dataclass
class SampleFlags:
    """Flags of `sample`."""

    run: RunDir
    out: NumpyOrPicture
    count: Annotated[int, tyro.conf.arg(help="Examples of each member: those of its latent vectors 0, 1, 2, ...")] = 64
    numbers: Annotated[str, tyro.conf.arg(help="Those of these latent vectors instead: 3,17,20-25.")] = ""
    best: Annotated[bool, tyro.conf.arg(help="From the best checkpoint instead of the newest.")] = False
    seeds: Members = ""
    source: Source = None
    json: Json = False


def sample(arguments: list[str]) -> int:
    """Examples from a run's generators, as numbers or as a picture."""
    flags = parse(SampleFlags, "sample", arguments)
    as_picture = ending(flags.out) == ".png"
    numbers = numbers_of("--numbers", flags.numbers) if flags.numbers else None
    seeds = members_of(flags.seeds)
    from sparring.analysis.generators import sample as draw
    from sparring.recipe import reload
    from sparring.record import Run, write_whole
    from sparring.record.grid import save_array, save_grid

    run = Run.open(flags.run)
    examples = draw(run, flags.count, flags.source, numbers, seeds, flags.best)
    seeds = list(seeds or run.recipe["seeds"])
    modes = reload(run.recipe, flags.source).data.modes
    write_whole(
        flags.out,
        lambda p: save_grid(examples, p, seeds, modes=modes) if as_picture else save_array(examples, p),
    )
    if flags.json:
        return print_json({"out": str(flags.out), "shape": list(examples.shape), "seeds": seeds})
    print(flags.out)
    return OK


@dataclass
class DoctorFlags:
    """Flags of `doctor`."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR", help="A folder of images.")]
    out: Annotated[Path | None, tyro.conf.arg(help="FILE.png: a contact sheet.")] = None
    size: Annotated[int, tyro.conf.arg(help="Side to train at, in pixels; 0 lets the images choose.")] = 0
    fit: Annotated[Literal["crop", "pad", "stretch"], tyro.conf.arg(help="What becomes of other sizes.")] = "crop"
    background: Annotated[str, tyro.conf.arg(help="Color behind what is transparent.")] = "#000000"
    colors: Annotated[Literal["auto", "gray", "rgb"], tyro.conf.arg(help="auto: gray if no image has any.")] = "auto"
    json: Json = False


def doctor(arguments: list[str]) -> int:
    """A folder of images examined: what is in it, what is wrong, what training would see."""
    flags = parse(DoctorFlags, "doctor", arguments)
    if flags.out and ending(flags.out) != ".png":
        raise UsageError("--out must end in .png: the contact sheet is a picture")
    from sparring import report
    from sparring.analysis.doctor import Examination
    from sparring.record import write_whole

    wanted = {name: getattr(flags, name) for name in ("size", "fit", "background", "colors")}
    examined = Examination.of(flags.folder, catalogue.make("datasets", "folder", {"path": "", **wanted}).wish)
    if flags.out:
        sheet = report.contact_sheet(examined)
        write_whole(flags.out, lambda path: sheet.save(path, format="PNG"))
    if flags.json:
        return print_json({**examined.summary(), "out": str(flags.out) if flags.out else None})
    _print(report.doctor_text(examined))
    if examined.good:
        print(f"\n{examined.command}")
    if flags.out:
        print(flags.out)
    return OK


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "recipes": recipes,
    "train": train,
    "show": show,
    "diagnose": diagnose,
    "measure": measure,
    "compare": compare,
    "sample": sample,
    "doctor": doctor,
    "sweep": walks.sweep,
    "blend": walks.blend,
    "arithmetic": walks.arithmetic,
    "influence": walks.influence,
}


def _recipe_first(arguments: list[str]) -> tuple[str, list[str]]:
    if arguments and not arguments[0].startswith("-"):
        return arguments[0], arguments[1:]
    if any(a in ("-h", "--help") for a in arguments):
        print(
            "usage: sparring train RECIPE [FLAGS]\n"
            "       sparring train --from RUN [--remedy NAME] [FLAGS]\n\n"
            "RECIPE is a name from `sparring recipes`, or a file: my_recipe.py, or my_recipe.py:function.\n"
            "`sparring train RECIPE --help` tells every field of that recipe, which is a flag, with its value."
        )
        sys.exit(OK)
    raise UsageError("say what to train: sparring train RECIPE (`sparring recipes` lists them)")


def _value_of(arguments: Sequence[str], flag: str) -> str | None:
    """What a flag was given, before the others can be read: which those are depends on the recipe."""
    for index, argument in enumerate(arguments):
        if argument.startswith(f"{flag}="):
            return argument.partition("=")[2]
        if argument == flag and index + 1 < len(arguments):
            return arguments[index + 1]
    return None


def _recipe_of(folder: Path, remedy: str | None, source: str | None) -> tuple[Recipe, Path]:
    """The recipe of a run, changed by a remedy if one is named, and the folder beside the run's to train it in."""
    from sparring.analysis.diagnosis import remedied
    from sparring.recipe import reload
    from sparring.record import Run

    run = Run.open(folder)
    plain = remedied(run.recipe, remedy) if remedy else run.recipe
    beside = folder.resolve().with_name(f"{folder.resolve().name}-{remedy or 'again'}")
    return reload(plain, Path(source) if source else None), beside


def _print(renderable: Any) -> None:
    from rich.console import Console

    Console().print(renderable)


if __name__ == "__main__":
    main()
