"""From a run to a folder of files that others can use: everything is made and checked before anything is written."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.analysis.facts import Facts
from sparring.analysis.generators import recipe_of
from sparring.errors import SparringError, UsageError
from sparring.progress import progress
from sparring.recipe import Recipe
from sparring.record import RunFolder, write_atomically
from sparring.record.run import round_of
from sparring.ship.measured import Choice, Measured, nearest
from sparring.ship.onnx_file import check_installed, run_onnx, to_onnx
from sparring.ship.portable import Portable, checked, portable_of
from sparring.ship.target import MANIFEST, target_of
from sparring.ship.weights_file import SCRIPTS, run_script, to_safetensors

WORK = (3, 3, 6)
"""What it takes to read the generator, to write its two forms and to write the rest: about seconds, on one core."""
ABOUT = {
    "generator.onnx": "the generator, weights inside, for any batch size (opset 18 or newer)",
    "generator.safetensors": "its tensors, and its operations as JSON in the metadata; nothing in it is a program",
    "sample.py": "samples with torch alone",
    "sample_onnx.py": "samples with onnxruntime alone",
    "demo.html": "a page to try it in a browser, without a network and without a server",
    "recipe.json": "everything that decides what was trained",
    "export.json": "what was exported, and how exact it is",
}


@dataclass(frozen=True)
class Exported:
    """What was written, and how exact it is."""

    folder: Path
    files: dict[str, int]
    """Name -> bytes."""
    seed: int
    round: int
    differences: dict[str, float]
    """Runtime -> the largest difference from the run's generator on the 64 vectors; see TOLERANCE for its unit."""
    notes: tuple[str, ...] = ()
    """What a user should know, a sentence each."""

    def plain(self) -> dict[str, Any]:
        """What `sparring export --json` prints."""
        return {
            "to": str(self.folder),
            "files": self.files,
            "seed": self.seed,
            "round": self.round,
            "differences": self.differences,
            "notes": list(self.notes),
        }


def export(
    run: RunFolder | str | Path,
    to: str | Path,
    seed: str | int = "best",
    best: bool = False,
    source: Path | None = None,
    recipe: Recipe | None = None,
    data_dir: Path | None = None,
) -> Exported:
    """Write one member's generator as files that need no Sparring.

    Args:
        run: The run or its folder.
        to: The folder to write. One that exists must be empty, or hold an earlier export. `hf://user/name` lays out a
            static Space in the run's folder, as `space/user/name`; nothing is uploaded.
        seed: The member; `best` for the one whose samples were nearest to the data when they were last evaluated, or
            when the best checkpoint was, where that is exported.
        best: Take the best checkpoint instead of the newest.
        source: The user's own Python file that the recipe needs, if it has moved since.
        recipe: The recipe with the networks themselves, where they exist in this process only.
        data_dir: Where data sets are kept, for the hash of the data where a run did not record it.

    Returns:
        What was written.

    Raises:
        SparringError: An operation cannot be exported, a form differs from the run's generator by more than 1e-5, or
            there is no checkpoint yet. Nothing is written then.
        UsageError: The run has no such member, or the folder holds other files.
    """
    check_installed()
    run = run if isinstance(run, RunFolder) else RunFolder.open(run)
    folder, space = target_of(run.path, to)
    recipe = recipe_of(run, source, recipe)
    facts = Facts.of(run)
    choice = chosen(seed, facts, round_of(run.best) if best and run.best else None)
    with progress(f"exporting seed {choice.seed}", sum(WORK)) as update:
        portable = portable_of(run, choice.seed, best, source, recipe)
        update(sum(WORK[:1]))
        files, differences = _forms(portable)
        update(sum(WORK[:2]))
        measured = Measured.of(facts, portable.facts["round"], choice)
        return _written(folder, portable, facts, measured, recipe, files, differences, space, data_dir)


def _forms(portable: Portable) -> tuple[dict[str, bytes], dict[str, float]]:
    """The two files with the generator, each checked against the run's."""
    model, tensors = to_onnx(portable), to_safetensors(portable)
    with tempfile.TemporaryDirectory() as beside:
        file = Path(beside) / "generator.safetensors"
        file.write_bytes(tensors)
        differences = {
            "onnxruntime": checked(portable, run_onnx(model, portable), "onnxruntime"),
            "torch": checked(portable, run_script(file, portable), "sample.py"),
        }
    return {"generator.onnx": model, "generator.safetensors": tensors}, differences


def _written(
    folder: Path,
    portable: Portable,
    facts: Facts,
    measured: Measured,
    recipe: Recipe,
    files: dict[str, bytes],
    differences: dict[str, float],
    space: str,
    data_dir: Path | None,
) -> Exported:
    from sparring.ship.card import Agreement, model_card
    from sparring.ship.demo import MANTISSA, MAX_BYTES, demo_page

    notes: list[str] = []
    try:
        demo = demo_page(portable, files["generator.onnx"], facts, measured, recipe)
        files["demo.html"] = demo.html
        differences["demo.html"] = demo.difference
        if demo.bits < MANTISSA:
            notes.append(
                f"demo.html has weights rounded to {demo.bits} bits of mantissa, so that it is under "
                f"{MAX_BYTES / 1e6:g} MB: they change examples by at most {demo.difference:.1e}"
            )
    except SparringError as error:
        notes.append(f"without demo.html: {error}")
    files |= {name: (SCRIPTS / name).read_bytes() for name in ("sample.py", "sample_onnx.py")}
    files["recipe.json"] = facts.run.recipe_json.encode()
    listed = {name: what for name, what in ABOUT.items() if name in files or name == MANIFEST}
    agreement = Agreement(differences["onnxruntime"], differences["torch"])
    files["README.md"] = model_card(portable, facts, measured, recipe, agreement, listed, space, data_dir).encode()
    if space:
        if "demo.html" not in files:
            raise SparringError(f"a static Space is a page, and there is none: {notes[-1]}")
        files["index.html"] = files.pop("demo.html")
        notes.append(f"Nothing was uploaded. To do so: hf upload {space} {folder} . --repo-type space")
    sizes = {name: len(content) for name, content in files.items()}
    made = Exported(folder, sizes, portable.facts["seed"], portable.facts["round"], differences, tuple(notes))
    manifest = {**portable.facts, **made.plain(), "to": folder.name}
    write_all(folder, {**files, MANIFEST: (json.dumps(manifest, indent=2) + "\n").encode()})
    return made


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the manifest first, so that a folder that was left half-written may be written again."""
    for name, content in sorted(files.items(), key=lambda item: item[0] != MANIFEST):
        write_atomically(folder / name, lambda path, content=content: path.write_bytes(content))


def chosen(seed: str | int, facts: Facts, round: int | None) -> Choice:
    """The member that `--seed` names, for a checkpoint of this round; None for the newest.

    Raises UsageError for anything but `best` and the run's seeds.
    """
    text = str(seed)
    if text == "best":
        return nearest(facts, round)
    if not text.isdecimal() or int(text) not in facts.seeds:
        known = ", ".join(map(str, facts.seeds[:12])) + (" ..." if len(facts.seeds) > 12 else "")
        raise UsageError(f"--seed takes best, or one of this run's seeds ({known}), not {text!r}")
    return Choice(int(text))
