"""Samples by torch alone: python sample.py --count 64 --random 0 --out FILE.png (0: of the run's own vectors, if up to 64)"""

import argparse, functools, json, operator, pathlib, struct, zlib
import torch


def load(path):  # -> what the file says (facts, two programs, types of tensors), and its tensors by name
    data = pathlib.Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    about = {key: json.loads(text) for key, text in header.pop("__metadata__").items()}
    for name, each in header.items():
        raw = bytearray(data[start:][slice(*each["data_offsets"])])
        header[name] = torch.frombuffer(raw, dtype=getattr(torch, about["types"][name])).reshape(each["shape"])
    return about, header


def run(program, tensors, *inputs):  # generator(z (B, size), classes (B,)) or draw(B): a step is an operation of torch
    values = vars(torch) | tensors | dict(zip(program["inputs"], inputs))

    def read(it):  # an argument is a list of arguments, the name of a value, or what it is
        return [read(each) for each in it] if isinstance(it, list) else values[it["value"]] if isinstance(it, dict) else it

    for name, op, args, named in program["steps"]:
        function = functools.reduce(getattr, op.split("."), torch.ops.aten if "." in op else operator)
        values[name] = function(*read(args), **{key: read(each) for key, each in named.items()})
    return read(program["output"])


def save(path, images):  # a PNG of images (B, C, H, W) in [0, 1], eight in a row; many channels stand side by side
    images = images if images.shape[1] in (1, 3, 4) else torch.cat(images.split(1, 1), 3)
    tiles = torch.nn.functional.pad(images, [1, 1, 1, 1, 0, 0, 0, -len(images) % 8], value=1)
    x = tiles.unflatten(0, (-1, 8)).permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2)  # (rows H, 8 W, C)
    lines = b"".join(b"\0" + bytes(line) for line in (255 * x.clamp(0, 1)).round().byte().flatten(1).tolist())
    head = struct.pack(">IIBBBBB", x.shape[1], x.shape[0], 8, {1: 0, 3: 2, 4: 6}[x.shape[2]], 0, 0, 0)
    parts = [b"IHDR" + head, b"IDAT" + zlib.compress(lines), b"IEND"]
    chunks = [(len(part) - 4).to_bytes(4, "big") + part + zlib.crc32(part).to_bytes(4, "big") for part in parts]
    pathlib.Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


if __name__ == "__main__":
    flags = argparse.ArgumentParser(description=__doc__)
    for name, default in {"count": 64, "random": 0, "out": "samples.png"}.items():
        flags.add_argument(f"--{name}", type=type(default), default=default)
    args = flags.parse_args()
    about, tensors = load(pathlib.Path(__file__).with_name("generator.safetensors"))
    torch.manual_seed(args.random)
    z = run(about["draw"], tensors, args.count) if args.random or args.count > 64 else tensors["latents"][: args.count]
    examples = run(about["generator"], tensors, z, torch.arange(len(z)) % max(1, about["facts"]["classes"]))
    torch.set_printoptions(precision=10 if examples.dtype == torch.float64 else 4)
    print(save(args.out, examples) if examples.dim() == 4 else examples)
