"""Train variants of a recipe with the same seeds, and rank them.

WHAT is a recipe, with --vary FIELD=LEVEL,LEVEL for everything that is varied, or with --to RECIPE; a file study.py with
a function annotated `-> Study`; the name of a shipped study; or the folder of a study that was begun. Ctrl-C saves;
rerun the same command to go on. More cells or seeds are added to what is there, and nothing is trained twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from sparring.cli.flags import DataDir, Json, Spoken, Switch, decimals, flag, parse, print_json, print_rich
from sparring.cli.main import INTERRUPTED, OK, complain
from sparring.errors import UsageError
from sparring.interruption import when_ended

if TYPE_CHECKING:
    from sparring.study.definition import Study
    from sparring.study.folder import StudyFolder
    from sparring.study.results import Results

RACE = "0.25,0.5"
"""The looks of a race for which none are stated."""
OF_CELLS = ("vary", "to", "data", "rounds", "log_points", "design", "max_cells")
"""Flags that say what the cells are."""
OF_TRAINING = ("seeds", "race", "until", "samples")
"""Flags that ask for more to be trained."""


@dataclass
class StudyFlags:
    """Flags of `study`."""

    what: Annotated[
        tyro.conf.Positional[str], flag("A recipe, a study.py, a shipped study, or a study's folder.", "WHAT")
    ]
    vary: Annotated[
        tuple[str, ...],
        tyro.conf.UseAppendAction,
        flag(
            "What is varied, and its levels, the first being what others are compared with: objective=hinge,mse, "
            "tricks.r1.gamma=0,1, lr=1e-3,1e-4, generator.hidden=(64,),(256,), remedy.packing=off,on. Repeat it.",
            "FIELD=A,B",
            "",
        ),
    ] = ()
    data: Annotated[
        str, flag("Train on this data: a data set, or images of your own as `sparring train --data`.", "DATA", "")
    ] = ""
    to: Annotated[str, flag("Instead: go to this recipe one field at a time, in both orders.", "RECIPE", "")] = ""
    seeds: Annotated[str, flag("The seeds of every cell: a count, a range (3-10) or a list (1,5,9).", "SEEDS", "8")] = (
        ""
    )
    outcome: Annotated[
        str,
        flag(
            "What cells are compared by: a metric or a curve, best(METRIC), mean(CURVE), seconds-to(METRIC, TARGET), "
            "at-seconds(METRIC, SECONDS).",
            "NAME",
            "frechet-distance where there is a judge, else the distance from the data",
        ),
    ] = ""
    design: Annotated[
        Literal["full", "one-at-a-time", "fractional"],
        flag("Every combination of levels, each level alone, or a regular fraction whose aliases are stated."),
    ] = "full"
    max_cells: Annotated[
        int | None, flag("Of a fractional design: at most so many cells.", "N", "as keeps main effects apart")
    ] = None
    rounds: Annotated[int | None, flag("Rounds of every cell.", "N", "each recipe's own")] = None
    log_points: Annotated[
        int | None, flag("Points of every run at which samples are evaluated.", "N", "the recipe's")
    ] = None
    race: Annotated[
        Switch, flag("Stop cells that are losing for certain, after 1/4 and 1/2 of the rounds.", default="train all")
    ] = False
    looks: Annotated[str, flag("With --race: after which shares of the rounds.", "SHARE,SHARE", RACE)] = ""
    precision: Annotated[
        float | None,
        flag("The difference that is to be seen: says how many seeds that needs.", "DIFFERENCE", "none stated"),
    ] = None
    until: Annotated[
        float | None,
        flag("Add the seeds that it needs to see that difference, once its spread is known.", "DIFFERENCE", "add none"),
    ] = None
    max_seeds: Annotated[int, flag("With --until: at most so many seeds in all.", "N")] = 32
    out: Annotated[Path | None, flag("Folder of the study.", "DIR", "studies/NAME")] = None
    show: Annotated[Switch, flag("Show the answer so far, and train nothing.", default="")] = False
    dry_run: Annotated[Switch, flag("List the cells, and train nothing.", default="")] = False
    processes: Annotated[int, flag("Train cells side by side in this many processes.", "N")] = 1
    on: Annotated[
        Literal["here", "ray"], flag("Where the processes run: on this machine, or on a Ray cluster.", "here|ray")
    ] = "here"
    data_dir: DataDir = None
    device: Annotated[str, flag("Where to compute: auto, cpu, gpu, cuda, cuda:1 or mps.", "NAME")] = "auto"
    threads: Annotated[int | None, flag("Threads that PyTorch computes with.", "N", "by the size of the work")] = None
    samples: Annotated[
        int | None,
        flag("Samples of each member that are measured at the end, or measured again.", "N", "1,000"),
    ] = None
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Train what is missing of a study, and print its answer."""
    flags = parse(StudyFlags, "study", arguments, __doc__ or "")
    from sparring.study.finding import is_recipe
    from sparring.study.folder import StudyFolder

    begun = StudyFolder(flags.what)
    is_begun = begun.exists and not is_recipe(flags.what, bool(flags.vary or flags.to))
    if is_begun and (given := _given(OF_CELLS, flags)):
        raise UsageError(
            f"the cells of a study that was begun are those in its folder, {begun.path}: leave out {given}"
        )
    asks_more = flags.dry_run or _given(OF_TRAINING, flags)
    if flags.show or (is_begun and begun.is_complete and not asks_more and flags.out in (None, begun.path)):
        return _show(flags)
    study, folder = _asked(flags)
    if flags.dry_run:
        return _list(study, flags.json)
    from sparring.study.needs import check_installed
    from sparring.study.training import Machine, train_study

    check_installed()
    machine = Machine(
        processes=flags.processes,
        on=flags.on,
        data_dir=flags.data_dir,
        device=flags.device,
        threads=flags.threads,
        samples=flags.samples,
    )
    trained = train_study(study, folder, machine)
    while not trained.stopped and (more := _seeds_to_add(study, trained.results, flags)):
        study = study.replace(seeds=(*study.seeds, *more))
        trained = train_study(study, folder, machine)
    if trained.stopped:
        complain(f"stopped: what was trained is kept in {folder.path}; rerun the same command to go on", INTERRUPTED)
    if trained.results.rows:
        _print(trained.results, folder, flags.json, trained.stopped)
    return INTERRUPTED if trained.stopped else OK


def _given(names: Sequence[str], flags: StudyFlags) -> str:
    """Those of these flags that were given, as they are typed."""
    usual = {field.name: field.default for field in dataclasses.fields(StudyFlags)}
    return ", ".join(f"--{name.replace('_', '-')}" for name in names if getattr(flags, name) != usual[name])


def _show(flags: Any) -> int:
    """The answer of a study that was begun, as far as it is. Another outcome or precision may be asked for."""
    from sparring.studies import StudyRun
    from sparring.study.definition import check_precision

    if flags.vary or flags.to:
        study, folder = _asked(flags)
        run = StudyRun(folder.path)
        if {cell.id for cell in study.cells} - {cell.id for cell in run.study.cells}:
            raise UsageError(f"{folder.path} has other cells: leave out --show to train these")
    else:
        if given := _given((*OF_CELLS, *OF_TRAINING), flags):
            raise UsageError(f"--show trains nothing: leave out {given}")
        run = StudyRun(flags.out or flags.what)
    if flags.outcome and not run.folder.has_results_only:
        run = StudyRun(run.path, run.study.replace(outcome=flags.outcome))
    if flags.outcome:
        _check_outcome(run.results)
    check_precision(flags.precision)
    stated = {} if flags.precision is None else {"precision": flags.precision}
    _print(dataclasses.replace(run.results, **stated), run.folder, flags.json)
    return OK


def _check_outcome(results: Results) -> None:
    """Raises UsageError for an outcome that no run has, though it would be there by now."""
    from sparring.metrics import all_metrics
    from sparring.study.outcome import OTHERS, Outcome

    name, known = Outcome.read(results.outcome).name, {name for row in results.rows for name in row.values}
    metrics = {name: metric for name, metric in all_metrics().items() if name in known}
    metric = all_metrics().get(name)
    over = any(values.measured is not None for row in results.rows for values in row.values.values())
    evaluated = any(each.quick for each in metrics.values()) and (metric is None or metric.quick)
    if name not in {*known, *OTHERS} and (over or evaluated):
        raise UsageError(f"no run of this study has {name}; they have: {', '.join(metrics)}")


def _asked(flags: Any) -> tuple[Study, StudyFolder]:
    """The study that the flags describe, and where it is kept."""
    from sparring.studies import HOME, folder_name, resolved
    from sparring.study.factors import read_factor
    from sparring.study.folder import StudyFolder

    factors = [read_factor(text) for text in flags.vary] or None
    if flags.until is not None and flags.precision is not None:
        raise UsageError("--until states the difference, as --precision does: give one of them")
    if flags.looks and not flags.race:
        raise UsageError("--looks are those of a race: say --race too")
    study, folder = resolved(
        _base(flags),
        factors,
        to=_recipe(flags.to, flags) if flags.to else None,
        design=flags.design,
        max_cells=flags.max_cells,
        rounds=flags.rounds,
        seeds=flags.seeds or None,
        samples=flags.samples,
    )
    changes = {
        "seeds": flags.seeds or None,
        "outcome": flags.outcome or None,
        "looks": decimals("--looks", flags.looks or RACE) if flags.race else None,
        "precision": flags.until if flags.until is not None else flags.precision,
    }
    study = study.replace(**{name: value for name, value in changes.items() if value is not None})
    if flags.out is not None:
        return study, StudyFolder(flags.out)
    return study, folder or StudyFolder(HOME / folder_name(study.name))


def _base(flags: Any) -> Any:
    """What the study is about. A recipe may have other log points; a whole study has its own."""
    from sparring.study import library
    from sparring.study.finding import check_exists, is_study

    if flags.vary or flags.to:
        return _recipe(flags.what, flags)
    if flags.data:
        raise UsageError("--data is that of a recipe: say what is varied of it too, --vary objective=hinge,mse")
    if not is_study(flags.what):
        path = Path(flags.what.partition(":")[0])
        if path.suffix == ".py" or path.is_dir() or len(path.parts) > 1:
            what = "defines no function annotated `-> Study`" if path.suffix == ".py" else "is not a study's folder"
            what = what if path.exists() else "does not exist"
            raise UsageError(f"{path} {what}; with a recipe, say what is varied: --vary objective=hinge,mse")
        check_exists(flags.what)
        raise UsageError(
            f"say what is varied of {flags.what}: --vary objective=hinge,mse, or --to RECIPE "
            f"(shipped studies: {', '.join(library.names())})"
        )
    return flags.what


def _recipe(name: str, flags: Any) -> Any:
    """The recipe of that name, on the data and with the log points that are asked for."""
    from sparring.recipe import find_recipe
    from sparring.recipe.reading import read_data

    if not flags.data and flags.log_points is None:
        return name
    recipe = find_recipe(name)
    if flags.data:
        recipe = find_recipe(name, sized_by=read_data(flags.data, recipe.data))
    return recipe if flags.log_points is None else recipe.replace(log_points=flags.log_points)


def _seeds_to_add(study: Study, results: Results, flags: Any) -> tuple[int, ...]:
    """With --until: the seeds that it still needs, once, since their number depends on the spread alone."""
    from sparring.study.answer import Answer

    if flags.until is None:
        return ()
    needed, flags.until = Answer.of(results).needed, None
    count = min(needed.more if needed else 0, flags.max_seeds - len(study.seeds))
    first = max(study.seeds) + 1
    return tuple(range(first, first + max(0, count)))


def _list(study: Study, as_json: bool) -> int:
    if as_json:
        return print_json(study.to_dict())
    from sparring.analysis.wording import count

    print(f"{study.name}: {count(len(study.cells), 'cell')} x {count(len(study.seeds), 'seed')} ({study.design})")
    for cell in study.cells:
        print(f"  {cell.id}  {cell.label}")
    for line in study.aliases:
        print(line)
    return OK


def _print(results: Results, folder: StudyFolder, as_json: bool, stopped: bool = False) -> None:
    """The answer, and its page beside the runs. JSON alone where that is asked for: with the page's path.

    Of a study that was stopped JSON comes first, without a page: Ctrl-C ends the process within seconds.
    """
    from sparring import report
    from sparring.study.answer import Answer
    from sparring.study.plain import answer_plain

    answer = Answer.of(results)
    if as_json and stopped:
        print_json({"folder": str(folder.path), "page": None, **answer_plain(answer)})
    with when_ended("ended before the study's page was written"):
        page = report.write_study(answer, folder.path)
    if as_json and not stopped:
        print_json({"folder": str(folder.path), "page": str(page), **answer_plain(answer)})
    if not as_json:
        print_rich(report.study_text(answer))
        print(page)
