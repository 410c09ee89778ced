"""`sparring.study(...)`: asks a question of many recipes and returns a handle on the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from sparring.errors import SparringError, UsageError
from sparring.fields import described
from sparring.recipe import Recipe, find_recipe
from sparring.study.definition import DEFAULT_SEEDS, Study
from sparring.study.designs import FULL
from sparring.study.factors import Factor
from sparring.study.finding import begun, check_exists, find_study, is_recipe, is_study
from sparring.study.folder import RESULTS, StudyFolder
from sparring.study.results import Results

if TYPE_CHECKING:
    from sparring.interface import Run
    from sparring.study.answer import Answer

HOME = Path("studies")
"""Where studies are kept that are given no folder."""
MAX_NAME = 100


@final
class StudyRun:
    """A study with what has been trained of it. In a notebook it displays its answer.

    Args:
        folder: The study's folder.
        study: The study with a user's own parts, where they exist in this process; else as the folder has it.

    Raises:
        SparringError: The folder holds no study.
    """

    def __init__(self, folder: str | PathLike[str], study: Study | None = None):
        self.folder = StudyFolder.open(folder)
        self._study = study
        self._results: Results | None = None

    @property
    def path(self) -> Path:
        """The study's folder."""
        return self.folder.path

    def __fspath__(self) -> str:
        """A study stands for its folder's path wherever one is asked for."""
        return str(self.path)

    @property
    def study(self) -> Study:
        """What is asked."""
        return self._study or self.folder.study

    @property
    def results(self) -> Results:
        """A row for each cell and seed, and everything about them, as plain numbers."""
        if self._results is None:
            self._results = _results(self.folder, self._study)
        return self._results

    @property
    def answer(self) -> Answer:
        """What the results say: cells, ranked effects with intervals, and sentences."""
        from sparring.study.answer import Answer

        return Answer.of(self.results)

    def report(self) -> Path:
        """Write study.html, one self-contained page, with the figures, samples and tables beside it.

        Returns:
            The page's path.

        Raises:
            SparringError: statsmodels is not installed, or the disk is full.
        """
        from sparring.report import write_study

        return write_study(self.answer, self.path)

    @property
    def table(self) -> list[dict[Any, Any]]:
        """The outcomes, a row for each cell: `{"cell": "objective hinge", 0: 2.1, 1: 1.9}`; None for a seed without."""
        rows: list[dict[Any, Any]] = [
            {"cell": cell.label, **{row.seed: row.outcome for row in self.results.by_cell[cell.id]}}
            for cell in self.results.cells
        ]
        return rows

    def to_pandas(self) -> Any:
        """Every row of the results in one DataFrame: cell, levels, seed, outcome, and whether it diverged or collapsed.

        Raises SparringError where pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise SparringError("to_pandas() needs pandas: pip install pandas") from error
        cells = {cell.id: cell for cell in self.results.cells}
        flat = ("seed", "outcome", "censored", "diverged", "collapsed", "finding", "status", "rounds", "seconds")
        rows = [
            {"cell": cells[row.cell].label, **cells[row.cell].levels, **{name: getattr(row, name) for name in flat}}
            for row in self.results.rows
        ]
        return pandas.DataFrame(rows)

    def run(self, cell: str | Mapping[str, str], seed: int | None = None) -> Run:
        """The handle on the run of a cell.

        Args:
            cell: Its label, its id, or its levels by factor.
            seed: A seed that the run has; the first one if None.

        Raises:
            UsageError: There is no such cell, or it was not trained with that seed.
        """
        from sparring.interface import Run

        found = [c for c in self.results.cells if cell in (c.label, c.id) or cell == dict(c.levels)]
        if not found:
            labels = ", ".join(repr(c.label) for c in self.results.cells)
            raise UsageError(f"the study has no cell {cell!r}; there are: {labels}")
        rows = self.results.by_cell[found[0].id]
        chosen = [row for row in rows if seed is None or row.seed == seed]
        if not chosen:
            raise UsageError(f"{found[0].label} was not trained with seed {seed}")
        recipe = next(c.recipe for c in self.study.cells if c.id == found[0].id)
        return Run(self.results.path(chosen[0]), recipe.replace(seeds=tuple(row.seed for row in rows)))

    def __repr__(self) -> str:
        results = self.results
        return (
            f"<Study {str(self.path)!r}: {results.name}, {len(results.cells):,} cells x {len(results.seeds):,} seeds, "
            f"{results.asked.title}>"
        )

    def _repr_html_(self) -> str:
        from sparring.report.page.study_notebook import study_html

        return study_html(self.answer) if self.results.rows else repr(self)


def study(
    about: Study | Recipe | str | PathLike[str],
    vary: Mapping[str, Any] | Iterable[Factor] | None = None,
    *,
    to: Recipe | str | None = None,
    seeds: int | Iterable[int] | str | None = None,
    outcome: str | None = None,
    design: str = FULL,
    max_cells: int | None = None,
    rounds: int | None = None,
    looks: Sequence[float] | None = None,
    precision: float | None = None,
    out: str | PathLike[str] | None = None,
    processes: int = 1,
    on: Literal["here", "ray"] = "here",
    data_dir: str | PathLike[str] | None = None,
    device: str = "auto",
    threads: int | None = None,
    compile: bool | None = None,
    samples: int | None = None,
) -> StudyRun:
    """Train every cell of a study with the same seeds, or what is missing of it, and collect the results.

    Ctrl-C saves; call again to go on. Cells and seeds that were added since are trained, and nothing twice.

    Args:
        about: A `Study`; a recipe, or its name, with `vary` or `to`; a file with a function annotated `-> Study`; the
            name of a shipped study; or the folder of a study that was begun.
        vary: What is varied, and its levels: `{"objective": ["hinge", "mse"], "tricks.r1.gamma": [0, 1]}`.
        to: Instead of `vary`: another recipe. The study goes from one to the other, one field at a time, in both
            orders.
        seeds: The seeds of every cell, or their number; 8 if None, or as the study has it.
        outcome: What members are judged by; see `Study`.
        design: `full`, `one-at-a-time` or `fractional`.
        max_cells: Of a fractional design.
        rounds: Rounds of every cell.
        looks: Shares of the rounds after which cells that are losing are stopped, such as `(0.25, 0.5)`.
        precision: The difference that the study is to be able to see.
        out: The study's folder; `studies/NAME` if None.
        processes: Processes of this machine that train cells side by side.
        on: `here`, or `ray` for a Ray cluster.
        data_dir: Folder with the data sets' files.
        device: As for `train`.
        threads: Threads of torch in each process.
        compile: As for `train`.
        samples: Samples of each member that are measured at the end; 1,000 if None. What was measured with another
            number before is measured again.

    Returns:
        The handle on the study.

    Raises:
        UsageError: The study does not exist, or arguments do not go together.
        SparringError: A cell cannot be trained or measured.
    """
    from sparring.study.training import Machine, train_study

    asked, folder = resolved(
        about, vary, to=to, design=design, max_cells=max_cells, rounds=rounds, seeds=seeds, samples=samples
    )
    changes = {"seeds": seeds, "outcome": outcome, "looks": looks, "precision": precision}
    changed = {name: value for name, value in changes.items() if value is not None}
    asked = asked.replace(**changed)
    if out is None and folder is not None and folder.is_complete and not changed and samples is None:
        return StudyRun(folder.path)
    home = StudyFolder(out) if out is not None else folder or StudyFolder(HOME / folder_name(asked.name))
    machine = Machine(
        processes=processes,
        on=on,
        data_dir=Path(data_dir) if data_dir is not None else None,
        device=device,
        threads=threads,
        compile=compile,
        samples=samples,
    )
    trained = train_study(asked, home, machine)
    handle = StudyRun(home.path, asked)
    handle._results = trained.results  # pyright: ignore[reportPrivateUsage]
    return handle


def resolved(
    about: Any,
    vary: Any = None,
    *,
    to: Any = None,
    design: str = FULL,
    max_cells: int | None = None,
    rounds: int | None = None,
    seeds: Any = None,
    samples: int | None = None,
) -> tuple[Study, StudyFolder | None]:
    """The study that is meant, and its folder where it was begun already. See `study`."""
    if isinstance(about, PathLike):
        about = str(about)
    if not isinstance(about, Study | Recipe | str):
        raise UsageError(f"study takes a study, a recipe or its name, a file or a folder, not {described(about)}")
    is_varied = vary is not None or to is not None
    is_whole = isinstance(about, Study) or (
        isinstance(about, str) and not is_recipe(about, is_varied) and is_study(about)
    )
    if is_whole and (is_varied or rounds is not None or max_cells is not None):
        raise UsageError("a whole study says itself what it varies, and for how many rounds: give a recipe instead")
    if isinstance(about, Study):
        return about, None
    if is_whole:
        folder = StudyFolder(about) if isinstance(about, str) else None
        if folder is not None and folder.exists:
            if samples is not None and folder.has_results_only:
                raise UsageError(f"{folder.path} has results without the runs that they are from: none can be measured")
            return (folder.study if folder.is_complete and seeds is None and samples is None else begun(folder)), folder
        return find_study(str(about)), None
    if isinstance(about, str) and to is None and vary is None:
        check_exists(about)
    if (to is None and vary is None) or (to is not None and vary is not None):
        raise UsageError(
            "say what is varied (vary={'objective': ['hinge', 'mse']}), or to which other recipe it goes (to)"
        )
    base = find_recipe(about) if isinstance(about, str) else about
    count = DEFAULT_SEEDS if seeds is None else seeds
    if vary is None:
        assert to is not None
        return Study.stepwise(base, to, seeds=count, rounds=rounds), None
    return Study(base, vary, count, design=design, max_cells=max_cells, rounds=rounds), None


def folder_name(name: str) -> str:
    """A study's name as that of a folder."""
    return re.sub(r'[\s/\\:*?"<>|\x00-\x1f\ud800-\udfff]+', "-", name)[:MAX_NAME].strip("-.") or "study"


def _results(folder: StudyFolder, study: Study | None) -> Results:
    """What the runs have come to; where they are not there, as in a folder of results alone, what was kept of them."""
    if folder.has_results_only:
        return Results.from_json((folder.path / RESULTS).read_text(encoding="utf-8"))
    from sparring.study.collecting import collect

    return collect(folder, study)
