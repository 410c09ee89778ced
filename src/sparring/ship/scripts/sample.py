"""Samples from generator.safetensors. Needs torch and nothing else; `python sample.py --help` lists the flags."""

import argparse
import json
import operator
import struct
import zlib
from pathlib import Path

import torch

TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "I64": torch.int64, "BOOL": torch.bool}
LAWS = {
    "normal": lambda n, part: torch.randn(n, part["size"]),
    "uniform": lambda n, part: part["low"] + (part["high"] - part["low"]) * torch.rand(n, part["size"]),
    "signs": lambda n, part: 2.0 * torch.randint(2, (n, part["size"])) - 1,
    "constant": lambda n, part: torch.full((n, part["size"]), part["value"]),
}


def load(path="generator.safetensors"):
    """A function of z (B, size), and classes (B,) where there are any; the file's facts; its latent vectors 0 to 63."""
    data = Path(path).read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    facts, graph = (json.loads(header["__metadata__"][name]) for name in ("facts", "graph"))
    tensors = {
        name: torch.frombuffer(bytearray(data[start:][slice(*each["data_offsets"])]), dtype=TYPES[each["dtype"]])
        for name, each in header.items()
        if name != "__metadata__"
    }
    tensors = {name: tensor.reshape(header[name]["shape"]) for name, tensor in tensors.items()}
    return lambda *inputs: generate(graph, tensors, inputs), facts, tensors["latents"]


@torch.no_grad()
def generate(graph, tensors, inputs):
    """Does the operations of the graph one after another, each a function of torch."""
    values = dict(zip(graph["inputs"], inputs, strict=True))

    def read(value):
        if isinstance(value, list):
            return [read(each) for each in value]
        match value:
            case {"node": name}:
                return values[name]
            case {"state": name}:
                return tensors[name]
            case {"constant": numbers, "dtype": dtype}:
                return torch.tensor(numbers, dtype=getattr(torch, dtype))
            case {"device": _}:
                return torch.device("cpu")
            case {"torch": name}:
                return getattr(torch, name)
        return value

    for node in graph["nodes"]:
        function = operator if "." not in node["op"] else torch.ops
        for name in node["op"].split("."):
            function = getattr(function, name)
        named = {key: read(each) for key, each in node["kwargs"].items()}
        values[node["name"]] = function(*map(read, node["args"]), **named)
    return read(graph["output"])


def write_png(path, images):
    """(B, C, H, W) in [0, 1], eight in a row; other than 1, 3 or 4 channels go side by side."""
    if images.shape[1] not in (1, 3, 4):
        images = torch.cat(images.split(1, 1), 3)
    images = torch.nn.functional.pad(images, (1, 1, 1, 1), value=1.0)
    images = torch.cat([images, torch.ones(-len(images) % min(8, len(images)), *images.shape[1:])])
    rows = [torch.cat(list(row), 2) for row in images.split(min(8, len(images)))]
    levels = (torch.cat(rows, 1).clamp(0, 1) * 255).round().byte().permute(1, 2, 0)
    lines = b"".join(b"\0" + bytes(line.flatten().tolist()) for line in levels)
    height, width, channels = levels.shape
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    whole = [struct.pack(">I", len(d)) + name + d + struct.pack(">I", zlib.crc32(name + d)) for name, d in chunks]
    Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(whole))


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--count", type=int, default=64)
    flags.add_argument("--random", type=int, metavar="SEED", help="new latent vectors instead of the run's 0 to 63")
    flags.add_argument("--cls", type=int, help="only this class, of a class-conditional generator")
    flags.add_argument("--out", default="samples.png")
    asked = flags.parse_args()
    G, facts, z = load(Path(__file__).with_name("generator.safetensors"))
    if asked.random is not None or asked.count > len(z):
        if not facts["latent"]:
            flags.error(f"the distribution of its latent vectors is unknown: it can give the first {len(z)} only")
        torch.manual_seed(asked.random or 0)
        z = torch.cat([LAWS[part["law"]](asked.count, part) for part in facts["latent"]], 1)
    z = z[: asked.count]
    if asked.cls is not None and not 0 <= asked.cls < facts["classes"]:
        flags.error(f"--cls: this generator has {facts['classes'] or 'no'} classes")
    classes = torch.arange(len(z)) % max(1, facts["classes"]) if asked.cls is None else torch.full((len(z),), asked.cls)
    examples = G(z, classes) if facts["classes"] else G(z)
    if examples.dim() == 4:
        write_png(asked.out, examples)
        print(asked.out)
    else:
        print(examples)


if __name__ == "__main__":
    main()
