"""Samples of the median seed of every cell: from the study's folder where they are kept, else cut out of its runs."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from sparring.record import RunFolder
from sparring.record.grid import excerpts
from sparring.study.answer import Answer
from sparring.study.cells import CellSummary

FOLDER = "samples"
EXAMPLES = 16


def median_samples(answer: Answer) -> dict[str, Image.Image]:
    """Cell id -> samples of its median seed; nothing for a cell whose runs are not there."""
    found = {each.cell.id: _samples(answer, each) for each in answer.cells}
    return {cell: picture for cell, picture in found.items() if picture is not None}


def save_samples(answer: Answer, folder: Path) -> None:
    """Keep them in the study's folder, where they are found again without the runs."""
    for cell, picture in median_samples(answer).items():
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        picture.save(folder / FOLDER / f"{cell}.png")


def _samples(answer: Answer, summary: CellSummary) -> Image.Image | None:
    results, seed = answer.results, summary.median_seed
    row = next((row for row in results.by_cell[summary.cell.id] if row.seed == seed), None)
    if row is None or not results.folder:
        return None
    run = RunFolder(results.path(row))
    if not run.exists:
        return _kept(Path(results.folder) / FOLDER / f"{summary.cell.id}.png")
    story = run.story
    pictures = [run.path / name for name in story.pictures if (run.path / name).is_file()]
    if not pictures or seed not in story.seeds:
        return None
    with Image.open(pictures[-1]) as picture:
        blocks = excerpts(picture, len(story.seeds), EXAMPLES)
    place = list(story.seeds).index(row.seed)
    return blocks[place] if blocks and place < len(blocks) else None


def _kept(path: Path) -> Image.Image | None:
    if not path.is_file():
        return None
    with Image.open(path) as picture:
        return picture.convert("RGB")
