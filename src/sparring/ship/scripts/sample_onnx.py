"""Samples from generator.onnx. Needs onnxruntime and NumPy; `python sample_onnx.py --help` lists the flags."""

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime


def load(path="generator.onnx"):
    """A function of z (B, size), and classes (B,) where there are any; and the file's facts."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    facts = json.loads(session.get_modelmeta().custom_metadata_map["sparring"])
    return lambda *inputs: session.run(None, dict(zip(names, inputs, strict=True)))[0], facts


def draw(parts, count, rng):
    """Latent vectors (count, size) of the distribution that the generator was trained with."""
    laws = {
        "normal": lambda part: rng.standard_normal((count, part["size"])),
        "uniform": lambda part: rng.uniform(part["low"], part["high"], (count, part["size"])),
        "signs": lambda part: rng.choice([-1.0, 1.0], (count, part["size"])),
        "constant": lambda part: np.full((count, part["size"]), part["value"]),
        "one-hot": lambda part: np.eye(part["size"])[rng.choice(part["size"], count, p=part["shares"])],
    }
    return np.concatenate([laws[part["law"]](part) for part in parts], 1).astype(np.float32)


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--count", type=int, default=64)
    flags.add_argument("--random", type=int, metavar="SEED", default=0, help="which latent vectors are drawn")
    flags.add_argument("--cls", type=int, help="only this class, of a class-conditional generator")
    flags.add_argument("--out", default="samples.npy")
    asked = flags.parse_args()
    G, facts = load(Path(__file__).with_name("generator.onnx"))
    if not facts["latent"]:
        flags.error("the distribution of its latent vectors is unknown: import load() and give it vectors of your own")
    z = draw(facts["latent"], asked.count, np.random.default_rng(asked.random))
    if asked.cls is not None and not 0 <= asked.cls < facts["classes"]:
        flags.error(f"--cls: this generator has {facts['classes'] or 'no'} classes")
    classes = np.arange(len(z)) % max(1, facts["classes"]) if asked.cls is None else np.full(len(z), asked.cls)
    examples = G(z, classes) if facts["classes"] else G(z)
    np.save(asked.out, examples)
    columns = f": {', '.join(facts['columns'])}" if facts["columns"] else ""
    print(f"{asked.out}: {examples.dtype} {examples.shape}, {facts['units']}{columns}")


if __name__ == "__main__":
    main()
