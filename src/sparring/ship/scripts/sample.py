"""Samples from generator.safetensors, with torch alone: python sample.py --count 64 --out samples.png"""

import argparse, json, operator, struct, zlib
from functools import reduce
from pathlib import Path
import torch
from torch.nn.functional import pad


def load(path="generator.safetensors"):
    """What the file says: facts, programs, types of tensors; and its tensors by name."""
    data = Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    about = {name: json.loads(text) for name, text in header.pop("__metadata__").items()}
    raw = {name: bytearray(data[start:][slice(*each["data_offsets"])]) for name, each in header.items()}
    kinds = {name: getattr(torch, kind) for name, kind in about["types"].items()}
    return about, {name: torch.frombuffer(raw[name], dtype=kinds[name]).reshape(header[name]["shape"]) for name in raw}


@torch.no_grad()
def run(program, tensors, *inputs):
    """Do a program, generator(z (B, size)[, classes (B,)]) or draw(B): each step is an operation of torch."""
    values = tensors | dict(zip(program["inputs"], inputs))

    def read(it):
        if isinstance(it, list):
            return [read(each) for each in it]
        return it if not isinstance(it, dict) else values[it["value"]] if "value" in it else getattr(torch, it["torch"])

    for name, op, args, named in program["steps"]:
        function = reduce(getattr, op.split("."), torch.ops.aten if "." in op else operator)
        values[name] = function(*read(args), **{key: read(each) for key, each in named.items()})
    return read(program["output"])


def png(images):
    """A PNG file of images (B, C, H, W) in [0, 1], eight in a row; channels that are not 1, 3 or 4 go side by side."""
    tiles = pad(images if images.shape[1] in (1, 3, 4) else torch.cat(images.split(1, 1), 3), [1] * 4, value=1)
    rows = [torch.cat([*row], 2) for row in tiles.split(8)]
    x = torch.cat([pad(row, [0, rows[0].shape[2] - row.shape[2]], value=1) for row in rows], 1).permute(1, 2, 0)
    lines = b"".join(b"\0" + bytes(line) for line in (255 * x.clamp(0, 1)).round().byte().flatten(1).tolist())
    head = struct.pack(">IIBBBBB", x.shape[1], x.shape[0], 8, {1: 0, 3: 2, 4: 6}[x.shape[2]], 0, 0, 0)
    parts = [b"IHDR" + head, b"IDAT" + zlib.compress(lines), b"IEND"]
    wrapped = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(wrapped)


if __name__ == "__main__":
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--count", type=int, default=64)
    flags.add_argument("--random", type=int, metavar="SEED", help="new latent vectors instead of the run's 0 to 63")
    flags.add_argument("--out", default="samples.png")
    asked = flags.parse_args()
    about, tensors = load(Path(__file__).with_name("generator.safetensors"))
    z, G, draw = tensors["latents"][: asked.count], about["programs"]["generator"], about["programs"]["draw"]
    if asked.random is not None or asked.count > len(z):
        torch.manual_seed(asked.random or 0)
        z = run(draw or flags.error("how its latent vectors are drawn is unknown: 64 are in the file"), tensors, asked.count)
    inputs = (z, torch.arange(len(z)) % max(1, about["facts"]["classes"]))  # classes take turns, where there are any
    examples = run(G, tensors, *inputs[: len(G["inputs"])])
    if examples.dim() == 4:
        Path(asked.out).write_bytes(png(examples))
    print(asked.out if examples.dim() == 4 else examples)
