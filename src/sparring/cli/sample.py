"""Sample from a run's generators, as numbers or as a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from sparring.cli._latent import say_state
from sparring.cli.flags import (
    DataDir,
    Json,
    Members,
    RunDir,
    Source,
    Spoken,
    Switch,
    check_count,
    flag,
    integers,
    members,
    out_file,
    parse,
    print_json,
    print_rich,
)
from sparring.cli.main import OK
from sparring.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from sparring.datasets import Dataset


@dataclass
class SampleFlags:
    """Flags of `sample`."""

    run: RunDir
    out: Annotated[
        Path | None,
        flag(
            "FILE.png: a picture; FILE.npy: numbers in the units of the data; FILE.csv: rows of a table; FOLDER: a PNG "
            "of each image, with its transparency.",
            "FILE",
            "a picture in RUN/figures",
        ),
    ] = None
    count: Annotated[int, flag("Samples of each member: those of its latent vectors 0, 1, 2, ...", "N")] = 64
    z_seeds: Annotated[str, flag("Which latent vectors instead: 3,17,20-25.", "Z_SEEDS", "0 to COUNT - 1")] = ""
    filter: Annotated[
        Literal["", "d"],
        flag("d: only samples that the member's own D takes for real, calibrated on held-out data.", "d", "none"),
    ] = ""
    best: Annotated[Switch, flag("Use the best checkpoint.", default="the newest")] = False
    data_dir: DataDir = None
    seeds: Members = ""
    source: Source = None
    language: Spoken = ""
    json: Json = False


def _columns(data: Dataset) -> Sequence[str]:
    """What the numbers of an example are called. Raises UsageError for images."""
    if len(data.shape) > 2:
        raise UsageError("images have no columns: --out takes FILE.png or FILE.npy")
    return data.column_names or [str(k + 1) for k in range(math.prod(data.shape))]


def run(arguments: list[str]) -> int:
    """Write the samples and print where they are."""
    flags = parse(SampleFlags, "sample", arguments, __doc__ or "")
    out = out_file(flags, "sample", ".csv") if flags.out is None or flags.out.suffix else Path(flags.out)
    each = not out.suffix
    check_count("--count", flags.count)
    z_seeds = integers("--z-seeds", flags.z_seeds) if flags.z_seeds else None
    seeds = members(flags.seeds)
    import numpy as np

    from sparring.analysis.generators import generated, recipe_of
    from sparring.record import RunFolder, write_atomically
    from sparring.record.grid import save_array, save_grid
    from sparring.record.image_files import check_is_free, save_each
    from sparring.record.members import labels_of
    from sparring.record.plots import Numbers, save_table

    opened = RunFolder.open(flags.run)
    data = recipe_of(opened, flags.source).data
    if each:
        check_is_free(out)
        if len(data.shape) != 3:
            raise UsageError("only images are written into a folder: --out takes FILE.png, FILE.npy or FILE.csv")
    say_state(flags.run, seeds, flags.best)
    passed = _filtered(opened, flags, seeds) if flags.filter else None
    if passed:
        samples, seeds, named = data.in_own_units(passed.samples), passed.seeds, passed.names
    else:
        chosen, samples = generated(opened, flags.count, flags.source, z_seeds, seeds, flags.best)
        samples, seeds, named = data.in_own_units(samples), chosen.seeds, labels_of(chosen.to_dict())
    write: Callable[[np.ndarray, Path], None] | None = None
    alone = Numbers(samples.reshape(*samples.shape[:2], -1)[0, :0], data.column_names) if data.is_plotted else None
    if each:
        shown = np.array(z_seeds or range(samples.shape[1]))
        save_each(samples, out, named, passed.z_seeds if passed else np.broadcast_to(shown, samples.shape[:2]))
    elif out.suffix == ".csv":
        write = partial(save_table, names=_columns(data), seeds=seeds, members=named)
    elif out.suffix == ".png":
        write = partial(save_grid, seeds=named, modes=data.modes, numbers=alone)
    else:
        write = save_array
    if write is not None:
        write_atomically(out, partial(write, samples))
    if flags.json:
        beside = {"filter": passed.plain()} if passed else {}
        who = {"seeds": list(seeds), "members": list(map(str, named))}
        return print_json({"out": str(out), "shape": list(samples.shape), **who, **beside})
    if passed is not None:
        from sparring.report.terminal.rejection import rejection_text

        print_rich(rejection_text(passed))
    print(out)
    return OK


def _filtered(run: Any, flags: Any, seeds: tuple[int, ...] | None) -> Any:
    """The samples that pass."""
    if flags.z_seeds:
        raise UsageError("--filter d tries latent vectors 0, 1, 2, ...: leave out --z-seeds")
    from sparring.analysis.rejection import filtered

    return filtered(run, flags.count, seeds, flags.best, flags.data_dir, flags.source)
