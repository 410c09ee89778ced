"""Style 5: an accelerator that prepares, scales and accumulates; autocast, GradScaler, clipped gradients."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from loops_second.data import DownNet, Loop, Stripes, UpNet, Watching, endless, normalize


class Accelerator:
    """What a loop of `accelerate` calls."""

    def __init__(self, mixed: bool = False, scale: bool = False) -> None:
        self.mixed = mixed
        self.scaler = torch.amp.GradScaler("cpu", init_scale=128.0) if scale else None

    def prepare(self, *what: Any) -> Any:
        return what

    def autocast(self) -> Any:
        return torch.autocast("cpu", torch.bfloat16) if self.mixed else nullcontext()

    def backward(self, loss: Tensor) -> None:
        (self.scaler.scale(loss) if self.scaler else loss).backward()

    def optimizer_step(self, optimizer: Any) -> None:
        if self.scaler:
            self.scaler.step(optimizer)
            self.scaler.update()
        else:
            optimizer.step()
        optimizer.zero_grad()


def run(watching: Watching, rounds: int, wrong: str = "", mixed: bool = False, scale: bool = False) -> None:
    accelerator = Accelerator(mixed, scale)
    G, D = UpNet(), DownNet(norm=False, flat=True)
    if wrong == "frozen":  # a body that was to be frozen in the first epoch only
        inner = D.features.forward
        D.features.forward = torch.no_grad()(inner)
    optG = torch.optim.AdamW(G.parameters(), 2e-4, betas=(0.5, 0.99), weight_decay=0.01)
    optD = torch.optim.AdamW(D.parameters(), 2e-4, betas=(0.5, 0.99), weight_decay=0.01)
    loader = DataLoader(Stripes(normalize), 16, shuffle=True)
    G, D, optG, optD, loader = accelerator.prepare(G, D, optG, optD, loader)
    batches = endless(loader)
    with watching(G, D, optG, optD):
        for _ in range(rounds):
            real = next(batches)[0]
            with accelerator.autocast():
                fake = G(torch.randn(len(real), 32))
                if wrong == "rounded":  # to 8 bits, as it will be saved
                    fake = (fake * 127.5 + 127.5).round().div(127.5).sub(1)
                d_loss = F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()
            accelerator.backward(d_loss)
            if not scale:
                nn.utils.clip_grad_norm_(D.parameters(), 5.0)
            accelerator.optimizer_step(optD)
            with accelerator.autocast():
                score = D(fake)
                g_loss = F.softplus(-score).mean()
                if wrong == "sign":
                    g_loss = F.softplus(score).mean()
            accelerator.backward(g_loss)
            if not scale:
                nn.utils.clip_grad_norm_(G.parameters(), 5.0)
            accelerator.optimizer_step(optG)
            if wrong != "D not cleared":  # optimizer_step clears after a step; this is what G's loss left in D
                optD.zero_grad()


def accumulated(watching: Watching, rounds: int) -> None:
    """Four batches a step, each player in turn; D's gradients of G's losses are cleared with its own."""
    batches = endless(DataLoader(Stripes(normalize), 8, shuffle=True))
    g, d = UpNet(), DownNet()
    og, od = torch.optim.Adam(g.parameters(), 3e-4), torch.optim.Adam(d.parameters(), 3e-4)
    with watching(g, d, og, od):
        for _ in range(rounds):
            od.zero_grad()
            for _ in range(4):
                real = next(batches)[0]
                with torch.no_grad():
                    fake = g(torch.randn(len(real), 32))
                ((F.relu(1 - d(real)).mean() + F.relu(1 + d(fake)).mean()) / 4).backward()
            od.step()
            og.zero_grad()
            for _ in range(4):
                (-d(g(torch.randn(8, 32))).mean() / 4).backward()
            og.step()


def _of(**changed: Any) -> Loop:
    return lambda watching, rounds: run(watching, rounds, **changed)


SOUND: dict[str, Loop] = {
    "prepared, gradients clipped": _of(),
    "bfloat16 autocast": _of(mixed=True),
    "GradScaler": _of(scale=True),
    "four batches a step": accumulated,
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "gradients of G's loss stay in D": (_of(wrong="D not cleared"), "bug-stale-gradients"),
    "fake rounded to 8 bits": (_of(wrong="rounded"), "bug-generator-cut-off"),
    "sign of G's softplus": (_of(wrong="sign"), "bug-labels"),
    "D's body under no_grad": (_of(wrong="frozen"), "bug-frozen"),
}
