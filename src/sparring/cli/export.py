"""Export a generator: ONNX, weights, a model card, an offline page.

The folder holds all that others need to use the generator without Sparring: an ONNX file, the weights with a script for
torch and one for onnxruntime, and a page that opens from the disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from sparring.cli.flags import DataDir, Json, RunDir, Source, Spoken, Switch, flag, parse, print_json
from sparring.cli.main import OK
from sparring.errors import UsageError


@dataclass
class ExportFlags:
    """Flags of `export`."""

    run: RunDir
    to: Annotated[
        str, flag("The folder to write; hf://user/name lays out a static Space, and uploads nothing.", "DIR", "")
    ] = ""
    seed: Annotated[str, flag("Which member: best (its samples are nearest to the data), or its seed.", "SEED")] = (
        "best"
    )
    best: Annotated[Switch, flag("Export the best checkpoint.", default="the newest")] = False
    data_dir: DataDir = None
    language: Spoken = ""
    source: Source = None
    json: Json = False


def run(arguments: list[str]) -> int:
    """Write the files and print what they are."""
    flags = parse(ExportFlags, "export", arguments, __doc__ or "")
    if not flags.to:
        raise UsageError(f"say where to: sparring export {flags.run} --to DIR")
    from sparring.ship.target import target_of

    target_of(flags.run, flags.to)  # before torch and what writes ONNX are loaded
    from sparring.ship.export import export

    made = export(flags.run, flags.to, flags.seed, flags.best, flags.source, data_dir=flags.data_dir)
    if flags.json:
        return print_json(made.plain())
    for name, size in made.files.items():
        print(f"{made.folder / name}  {size / 1e6:,.2f} MB" if size >= 1e5 else f"{made.folder / name}")
    agreed = ", ".join(f"{runtime} {found:.1e}" for runtime, found in made.differences.items())
    print(f"seed {made.seed}, round {made.round:,}; largest difference from the run's generator: {agreed}")
    for note in made.notes:
        print(note)
    return OK
