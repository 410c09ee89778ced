"""generator.safetensors: a generator's tensors, and in its metadata its operations, which sample.py does with torch."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import save

from sparring.errors import SparringError, in_one_line
from sparring.ship.portable import Portable

SCRIPTS = Path(__file__).with_name("scripts")
"""The programs that are exported as they are: each needs one library and not Sparring."""
LATENTS = "latents"
"""The tensor with the run's latent vectors 0 to 63."""


def to_safetensors(portable: Portable) -> bytes:
    """The file's bytes. Raises SparringError for a tensor that has the name of another."""
    if LATENTS in portable.state:
        raise SparringError(f"not exported: the generator has a tensor of its own called {LATENTS}")
    tensors = {**portable.state, LATENTS: portable.z}
    # Tensors that share memory would be refused.
    own = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    return save(own, {"facts": json.dumps(portable.facts), "graph": json.dumps(portable.graph)})


def run_script(file: Path, portable: Portable) -> np.ndarray:
    """What sample.py makes of the file with the 64 latent vectors, float32 `(64, *shape)`."""
    spec = importlib.util.spec_from_file_location("sparring_exported_sample", SCRIPTS / "sample.py")
    assert spec is not None and spec.loader is not None
    script: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    try:
        G, _, _ = script.load(file)
        return G(*portable.inputs).numpy()
    except (RuntimeError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise SparringError(f"not exported: sample.py cannot run it: {in_one_line(error)}") from error
