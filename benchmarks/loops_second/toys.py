"""Style 10: toys of one or two dimensions with a few lines, as notebooks begin."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from loops_second.data import Loop, Watching, blobs, dense


def line(watching: Watching, rounds: int, wrong: str = "", way: str = "") -> None:
    """A Gaussian of mean 4; numpy draws it; SGD with momentum, as an early tutorial has it."""
    rng = np.random.default_rng(3)
    G, D = dense(1, 16, 16, 1, act=nn.Tanh), dense(1, 16, 16, 1, act=nn.Sigmoid, last=nn.Sigmoid())
    if wrong == "init":
        for m in D.modules():
            if isinstance(m, nn.Linear):
                nn.init.zeros_(m.weight)
    d_optimizer = torch.optim.SGD(D.parameters(), lr=5.0 if wrong == "lr" else 0.02, momentum=0.9)
    g_optimizer = torch.optim.SGD(G.parameters(), lr=0.02, momentum=0.9)
    criterion = nn.BCELoss()
    whole = torch.tensor(rng.normal(4, 1.25, (64, 1)), dtype=torch.float32)
    with watching(G, D, g_optimizer, d_optimizer):
        for _ in range(rounds):
            for _ in range(5 if way == "five each" else 1):
                D.zero_grad()
                real = whole if way == "all data" else torch.tensor(rng.normal(4, 1.25, (64, 1)), dtype=torch.float32)
                criterion(D(real), torch.ones(64, 1)).backward()
                fake = G(torch.rand(64, 1)).detach()
                criterion(D(fake), torch.zeros(64, 1)).backward()
                d_optimizer.step()
            for _ in range(5 if way == "five each" else 1):
                if wrong != "G":
                    G.zero_grad()
                criterion(D(G(torch.rand(64, 1))), torch.ones(64, 1)).backward()
                g_optimizer.step()


def ring(watching: Watching, rounds: int, wrong: str = "", way: str = "") -> None:
    """Eight Gaussians; data as they come (never scaled), G linear at the end."""
    x = blobs() * (10 if way == "wide" else 1)
    G, D = dense(2, 64, 64, 2), dense(2, 64, 64, 1)
    if wrong == "D for G":
        opt_g = torch.optim.Adam(G.parameters(), 1e-3)
        opt_d = torch.optim.Adam(G.parameters(), 1e-3)
    else:
        opt_g, opt_d = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)
    with watching(G, D, opt_g, opt_d, data=x):
        for step in range(rounds):
            real = x[torch.randperm(len(x))[: 32 + step % 3]]  # batches of changing size
            z = torch.randn(len(real), 2)
            fake = G(z)
            if wrong == "not detached":
                opt_d.zero_grad()
                (F.softplus(-D(real)) + F.softplus(D(fake))).mean().backward(retain_graph=True)
                opt_d.step()
                F.softplus(-D(fake)).mean().backward()
                opt_g.step()
                opt_g.zero_grad()
                continue
            opt_d.zero_grad()
            (F.softplus(-D(real)) + F.softplus(D(fake.detach()))).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            F.softplus(-D(fake)).mean().backward()
            opt_g.step()


SOUND: dict[str, Loop] = {
    "a line, drawn by numpy": line,
    "a line, five steps each": lambda watching, rounds: line(watching, rounds, way="five each"),
    "a line, all data in every step": lambda watching, rounds: line(watching, rounds, way="all data"),
    "a ring": ring,
    "a wide ring, G linear": lambda watching, rounds: ring(watching, rounds, way="wide"),
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "a line, zero weights": (lambda watching, rounds: line(watching, rounds, "init"), "bug-init"),
    "a line, lr 5": (lambda watching, rounds: line(watching, rounds, "lr"), "bug-learning-rate"),
    "a line, G never cleared": (lambda watching, rounds: line(watching, rounds, "G"), "bug-stale-gradients"),
    "a ring, D's optimizer holds G": (
        lambda watching, rounds: ring(watching, rounds, "D for G"),
        "bug-wrong-parameters",
    ),
    "a ring, not detached": (lambda watching, rounds: ring(watching, rounds, "not detached"), "bug-fake-not-detached"),
}
