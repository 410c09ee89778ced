"""What a whole command takes on a GPU, part by part; `gpu.py` starts it as `gpu_command.py STARTED DEVICE`."""

from __future__ import annotations

import sys
import tempfile
import time

import torch
from gpu import Clock

from sparring.cli import main as command
from sparring.report.page import run as page

IMPORTED = time.time()


def main() -> None:
    """In a process that has only imported until now; STARTED is the time at which it was started."""
    started, device = float(sys.argv[1]), sys.argv[2]
    print(f"  {IMPORTED - started:8.2f} s  import torch and sparring")
    began = time.perf_counter()
    torch.zeros(1, device=device).add_(1)
    torch.cuda.synchronize()
    print(f"  {time.perf_counter() - began:8.2f} s  start the GPU")
    began, clock = time.perf_counter(), Clock()
    with tempfile.TemporaryDirectory() as folder, clock.watching([(page, "write_report", "8 write the report")]):
        flags = ["--rounds", "600", "--seeds", "4", "--device", device, "--json", "--out", f"{folder}/run"]
        command.run(["train", "digits", *flags])
    print(f"  {time.perf_counter() - began:8.2f} s  the command itself, of that:\n{clock.table()}")


if __name__ == "__main__":
    main()
