"""Train a recipe by name, from your own file, or from another run.

RECIPE is a name from `sparring recipes`, or a file: my_recipe.py, or my_recipe.py:function. Without it, --data DIR
trains `auto`, a modern GAN sized by the data, and --from RUN the recipe of a run from scratch. Ctrl-C saves a
checkpoint; rerun the same command to resume.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from sparring import catalogue
from sparring.characters import quoted
from sparring.cli.flags import DataDir, Json, Source, Spoken, Switch, flag, parse, print_json, print_rich
from sparring.cli.folder_flags import given_in, with_settings
from sparring.cli.main import INTERRUPTED, OK, complain
from sparring.cli.recipe_flags import changed, check_well_known, flags_of, flat
from sparring.errors import UsageError
from sparring.interruption import when_ended
from sparring.languages import Text, said

if TYPE_CHECKING:
    from sparring.recipe import Recipe
    from sparring.record import RunFolder

OWN_DATA = "auto"
"""The recipe that is trained where --data is given and no recipe is named."""
MAX_NAME = 100
"""Characters of a folder that is named after a recipe."""
EXAMPLE = "digits"
"""The recipe whose defaults `train --help` shows when none is named."""


@dataclass
class TrainFlags:
    """Flags of `train` that are no field of a recipe."""

    out: Annotated[Path | None, flag("Folder of the run.", "DIR", "runs/RECIPE")] = None
    metrics: Annotated[
        bool,
        flag(
            "Log sample-quality metrics while training, beside what real data scores; at most 5 % of the time.",
            default="on",
        ),
    ] = True
    judge: Annotated[
        bool,
        flag(
            "Let a judge see how far samples are from the data; of your own images it is trained first, and cached.",
            default="on",
        ),
    ] = True
    log: Annotated[
        Literal["tensorboard", "wandb"] | None,
        flag("Mirror curves, pictures and the verdict to this logger too.", "NAME", "the run's folder alone"),
    ] = None
    keep: Annotated[
        str,
        flag(
            "Checkpoints to keep along the way, to rewind to and to branch from: how many (24), how much of the disk "
            "(500MB), or none.",
            "N|SIZE",
            "24, at most 200 MB",
        ),
    ] = ""
    minutes: Annotated[
        float | None,
        flag(
            "Train for so many minutes here: the rounds follow from a pilot, schedules from the rounds.",
            "M",
            "--rounds",
        ),
    ] = None
    hours: Annotated[float | None, flag("The same in hours.", "H", "--rounds")] = None
    paused: Annotated[Switch, flag("Begin paused: `sparring control RUN go` goes on.", default="play")] = False
    early_stop: Annotated[Switch, flag("Stop when quality plateaus.", default="train all --rounds")] = False
    from_: Annotated[
        Path | None, flag("Train the recipe of this run from scratch, in place of a named one.", "RUN", "", name="from")
    ] = None
    remedy: Annotated[
        str, flag("With --from: change that recipe as `sparring diagnose RUN` proposes.", "NAME", "no change")
    ] = ""
    start_from: Annotated[
        str,
        flag(
            "Start with the weights of this run, where they fit (fine-tuning): RUN, RUN:SEED for one member's, "
            "RUN:best for the best checkpoint's. Without RECIPE, RUN's own recipe is trained.",
            "RUN",
            "random weights",
        ),
    ] = ""
    source: Source = None
    language: Spoken = ""
    json: Json = False
    data_dir: DataDir = None
    lr: Annotated[float | None, flag("Learning rate of both optimizers.", "LR", "each optimizer's own")] = None
    optimizer: Annotated[
        str, flag("Optimizer of both networks: adam, or adam(lr=1e-3, betas=(0, 0.9)).", "NAME", "the recipe's")
    ] = ""
    device: Annotated[
        str, flag("Where to compute: auto, cpu, gpu, cuda, cuda:1 or mps; --gpu is short for --device gpu.", "NAME")
    ] = "auto"
    threads: Annotated[int | None, flag("Threads that PyTorch computes with.", "N", "by the size of the work")] = None
    compile: Annotated[
        bool,
        flag("Compile the training step; it needs a C++ compiler.", default="if the run is long enough to repay it"),
    ] = False
    processes: Annotated[
        int, flag("Train the seeds in this many processes of this machine; the result is the same.", "N")
    ] = 1
    on: Annotated[
        Literal["here", "ray"], flag("Where the processes run: on this machine, or on a Ray cluster.", "here|ray")
    ] = "here"
    share_batch: Annotated[
        Switch,
        flag(
            "Under torchrun: split every batch over the processes, even where each could have seeds of its own.",
            default="split the seeds if there are enough",
        ),
    ] = False


def run(arguments: list[str]) -> int:
    """Train, print the run's summary and write its report page."""
    name, recipe, folder, rest = _choose(arguments)
    flags = flat(parse(flags_of(TrainFlags, recipe), f"train {name}", rest, _description(arguments)))
    if flags.remedy and folder is None:
        raise UsageError("--remedy changes the recipe of a run: name the run with --from RUN")
    from sparring.recipe import StartFrom

    recipe, minutes = changed(recipe, flags), _minutes(flags, rest)
    if flags.start_from:
        start = StartFrom.read(flags.start_from)
        recipe = recipe.replace(start_from=start)
        folder = folder or _default_folder(f"{recipe.name}-from-{Path(start.run).resolve().name}")
    from sparring import report
    from sparring.training import is_main_process, train
    from sparring.training.loggers import mirror

    mirrors = [mirror(flags.log)] if flags.log else []
    with report.Live() as live, report.LiveShards() as live_shards:
        made = train(
            recipe,
            flags.out or folder or _default_folder(recipe.name),
            processes=flags.processes,
            on=flags.on,
            share_batch=flags.share_batch,
            data_dir=flags.data_dir,
            device=flags.device,
            threads=flags.threads,
            watchers=[live, *mirrors],
            session_watchers=[live_shards],
            metrics=flags.metrics,
            early_stop=flags.early_stop,
            judge=flags.judge,
            keep=flags.keep or None,
            paused=flags.paused,
            minutes=minutes,
            compile=flags.compile if {"--compile", "--no-compile"} & set(rest) else None,
        )
    for each in mirrors:
        each.close(made)
    return _print(made, flags.json) if is_main_process() else OK


def _minutes(flags: Any, rest: Sequence[str]) -> float | None:
    """How long to train, where that is given in place of the rounds."""
    given = [name for name in ("--minutes", "--hours", "--rounds") if _value_of(rest, name) is not None]
    if len(given) > 1:
        raise UsageError(f"{given[0]} and {given[1]} both say how long to train: give one of them")
    return flags.minutes if flags.hours is None else 60 * flags.hours


def _default_folder(name: str) -> Path:
    """`runs/digits`: a recipe of the user's may have a name that no folder can have."""
    return Path("runs") / (re.sub(r'[\s/\\:*?"<>|\x00-\x1f\ud800-\udfff]+', "-", name)[:MAX_NAME].strip("-.") or "run")


def _print(made: RunFolder, as_json: bool) -> int:
    """The run's summary and its page. A run that was stopped says so first: Ctrl-C ends the process within seconds."""
    from sparring import report

    story = made.story
    if story.status == "stopped":
        complain(said(where_it_stopped(made)), INTERRUPTED)
        if as_json:
            print_json(_counts(made))
    with when_ended("ended before the report page was written"):
        page = report.write_report(made) if len(story.logged_rounds) else None
        if as_json and story.status != "stopped":
            print_json(_counts(made))
        elif page and not as_json:
            print_rich(report.run_text(made))
            print(page)
    if story.status == "plateau":
        early = Text("quality has reached a plateau: stopped early, after round {round}", round=str(story.round))
        complain(said(early), OK)
    return INTERRUPTED if story.status == "stopped" else OK


def _counts(made: RunFolder) -> dict[str, Any]:
    """What `--json` prints."""
    story = made.story
    pace = story.round / story.seconds if story.seconds else 0.0
    counts = {"run": str(made.path), "rounds": story.round, "seeds": story.seeds}
    return {**counts, "rounds_per_second": round(pace, 3), "seconds": round(story.seconds, 3)}


def where_it_stopped(made: RunFolder) -> str:
    """What is said of a run that was stopped: after which round, where that is saved, and how to go on."""
    if made.checkpoints():
        saved = Text("a checkpoint is saved in {path}", path=str(made.path))
    elif made.shards_are_saved:
        saved = Text("checkpoints of its shards are saved in {path}", path=str(made.shards))
    else:
        path = str(made.path)
        return Text("stopped before the first round of {path}; rerun the same command to begin it", path=path)
    round = str(made.story.round)
    return Text("stopped after round {round}, {saved}; rerun the same command to resume", round=round, saved=saved)


def _choose(arguments: list[str]) -> tuple[str, Recipe, Path | None, list[str]]:
    """What to train: its name, its recipe, the folder of a run made from another's, and the arguments left to parse."""
    from sparring.recipe import find_recipe
    from sparring.recipe.reading import read_data

    from_run, source = _value_of(arguments, "--from"), _value_of(arguments, "--source")
    if from_run is not None:
        recipe, folder = _from_run(Path(from_run), _value_of(arguments, "--remedy"), source)
        return f"--from {from_run}", recipe, folder, _aliases(arguments, recipe)
    unnamed = not arguments or arguments[0].startswith("-")
    if unnamed and (start := _value_of(arguments, "--start-from")) is not None:
        recipe = _recipe_to_tune(start, source)
        return f"--start-from {start}", recipe, None, _aliases(arguments, recipe)
    if unnamed and _value_of(arguments, "--data") is not None:
        arguments = [OWN_DATA, *arguments]
    if arguments and not arguments[0].startswith("-"):
        name, *rest = arguments
        check_well_known("recipes", name)
        _check_folder(name)
        recipe = find_recipe(name)
        data, conditional, minutes = _value_of(rest, "--data"), _switched(rest, "conditional"), _minutes_asked(rest)
        if data or conditional is not None:
            chosen = with_settings(read_data(data, recipe.data), given_in(rest)) if data else None
            recipe = find_recipe(name, sized_by=chosen, conditional=conditional, minutes=minutes)
        return name, recipe, None, _aliases(rest, recipe)
    if {"-h", "--help"} & set(arguments):
        return "RECIPE", find_recipe(EXAMPLE), None, arguments
    raise UsageError(
        "say what to train: sparring train RECIPE (`sparring recipes` lists them), or sparring train --data DIR"
    )


def _check_folder(name: str) -> None:
    """Raises UsageError for a folder where a recipe belongs, with what to type."""
    if name in catalogue.entries("recipes") or not Path(name).is_dir():
        return
    run = (Path(name) / "recipe.json").is_file()
    instead = f"--from {quoted(name)}` trains its recipe again" if run else f"--data {quoted(name)}` trains on it"
    raise UsageError(f"{name} is a {'run' if run else 'folder'}, no recipe: `sparring train {instead}")


def _description(arguments: Sequence[str]) -> str:
    named = arguments and not arguments[0].startswith("-")
    about = (
        ""
        if named or {"--from", "--data", "--start-from"} & set(arguments)
        else f"\n\nThe defaults below are those of `{EXAMPLE}`."
    )
    return (__doc__ or "").strip() + about


def _aliases(arguments: list[str], recipe: Recipe) -> list[str]:
    """Names that other tools use, in those of this command. Raises UsageError for --epochs, with the rounds to say."""
    made: list[str] = []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name == "--epochs":
            from sparring.recipe.changing import epoch_in_words

            raise UsageError(f"training is counted in rounds, not epochs: say --rounds N ({epoch_in_words(recipe)})")
        if name in ("--gpu", "--cuda"):
            made.append(f"--device={name.strip('-')}")
        else:
            made.append({"--batch-size": "--batch", "--learning-rate": "--lr"}.get(name, name) + equals + value)
    return made


def _value_of(arguments: Sequence[str], flag: str) -> str | None:
    """A flag's value before the flags are parsed: which flags there are depends on the recipe."""
    for index, argument in enumerate(arguments):
        if argument.startswith(f"{flag}="):
            return argument.partition("=")[2]
        if argument == flag and index + 1 < len(arguments):
            return arguments[index + 1]
    return None


def _minutes_asked(arguments: Sequence[str]) -> float | None:
    """The minutes that are asked for, before the flags are parsed, which complains of what is no number."""
    for name, unit in (("--minutes", 1), ("--hours", 60)):
        with suppress(ValueError):
            if isfinite(given := float(_value_of(arguments, name) or "")):
                return unit * given
    return None


def _switched(arguments: Sequence[str], flag: str) -> bool | None:
    """What the last of --FLAG and --no-FLAG says; None where neither is given."""
    said = [argument == f"--{flag}" for argument in arguments if argument in (f"--{flag}", f"--no-{flag}")]
    return said[-1] if said else None


def _recipe_to_tune(start: str, source: str | None) -> Recipe:
    """The recipe of the run that another is to start from."""
    from sparring.recipe import StartFrom, reload
    from sparring.record import RunFolder

    run = RunFolder.open(StartFrom.read(start).run)
    return reload({**run.recipe, "start_from": None}, Path(source) if source else None)


def _from_run(folder: Path, remedy: str | None, source: str | None) -> tuple[Recipe, Path]:
    """The recipe of a run, changed by a remedy if one is named, and the folder to train it in.

    That is a new one beside the run's, or the run's own with a remedy that lets it go on.
    """
    from sparring.analysis.diagnosis import continues, remedied
    from sparring.recipe import Recipe, reload
    from sparring.record import RunFolder, legacy

    if remedy in legacy.REMEDIES:
        raise UsageError(f"the remedy {remedy} is now called {legacy.REMEDIES[remedy]}")
    run = RunFolder.open(folder)
    plain = run.recipe
    if remedy and not continues(remedy):
        plain = run.story.recipe_now
    if remedy:
        plain = remedied(Recipe.from_dict(plain, placeholders=True), remedy).to_dict()
    beside = folder.resolve().with_name(f"{folder.resolve().name}-{remedy or 'again'}")
    return reload(plain, Path(source) if source else None), folder if remedy and continues(remedy) else beside
