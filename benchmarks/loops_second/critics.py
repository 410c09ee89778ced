"""Style 6: Wasserstein critics as old scripts have them: data iterators, `backward(one)`, several critic steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, autograd, nn, optim
from torch.utils.data import DataLoader

from loops_second.data import DownNet, Loop, Stripes, UpNet, Watching, blobs, dense, endless, normalize

LAMBDA, CRITIC_ITERS, BATCH = 10.0, 3, 16


def calc_gradient_penalty(netD: nn.Module, real: Tensor, fake: Tensor, graph: bool = True) -> Tensor:
    alpha = torch.rand(len(real), *[1] * (real.dim() - 1)).expand_as(real)
    interpolates = (alpha * real + (1 - alpha) * fake).detach().requires_grad_(True)
    disc = netD(interpolates)
    gradients = autograd.grad(
        outputs=disc, inputs=interpolates, grad_outputs=torch.ones_like(disc), create_graph=graph, retain_graph=True,
        only_inputs=True,
    )[0]  # fmt: skip
    return ((gradients.flatten(1).norm(2, dim=1) - 1) ** 2).mean() * LAMBDA


def run(watching: Watching, rounds: int, wrong: str = "", way: str = "") -> None:
    images = way == "images"
    netG = UpNet() if images else dense(8, 48, 48, 2)
    netD = DownNet(norm=False) if images else dense(2, 48, 48, 1)
    optimizerD = optim.Adam(netD.parameters(), lr=1e-4, betas=(0.5, 0.9))
    optimizerG = optim.Adam(netG.parameters(), lr=1e-4, betas=(0.5, 0.9))
    if images:
        batches: Any = (x for x, _ in endless(DataLoader(Stripes(normalize), BATCH, shuffle=True, drop_last=True)))
    else:
        points = blobs()
        batches = (points[torch.randint(len(points), (BATCH,))] for _ in iter(int, 1))
    nz = 32 if images else 8
    costs: list[float] = []
    one, mone = torch.tensor(1.0), torch.tensor(-1.0)
    with watching(netG, netD, optimizerG, optimizerD):
        for _ in range(rounds):
            for p in netD.parameters():
                p.requires_grad = True
            for _ in range(CRITIC_ITERS):
                real = next(batches)
                netD.zero_grad()
                D_real = netD(real).mean()
                with torch.no_grad():
                    fake = netG(torch.randn(len(real), nz))
                D_fake = netD(fake).mean()
                gradient_penalty = calc_gradient_penalty(netD, real, fake, graph=wrong != "no graph")
                D_cost = D_fake - D_real + gradient_penalty
                if images:
                    D_cost.backward()
                else:
                    D_real.backward(mone)
                    D_fake.backward(one)
                    if wrong != "not backward":
                        gradient_penalty.backward()
                optimizerD.step()
                costs.append(D_cost.item())
            for p in netD.parameters():
                p.requires_grad = False
            netG.zero_grad()
            G = netD(netG(torch.randn(BATCH, nz))).mean()
            G.backward(one if wrong == "one for mone" else mone)
            optimizerG.step()


def clipped(watching: Watching, rounds: int, logged: bool = False) -> None:
    """Weights clipped before each critic step; more critic steps at first; the gradient's norm is logged if asked."""
    x = Stripes(normalize)
    data = x.images * 2 - 1
    G, D = UpNet(), DownNet(norm=False, flat=True)
    oG, oD = optim.RMSprop(G.parameters(), 5e-5), optim.RMSprop(D.parameters(), 5e-5)
    norms: list[float] = []
    with watching(G, D, oG, oD, data=data):
        for step in range(rounds):
            for _ in range(8 if step < 3 else 2):
                for p in D.parameters():
                    p.data.clamp_(-0.02, 0.02)
                real = data[torch.randint(len(data), (BATCH,))]
                fake = G(torch.randn(BATCH, 32)).detach()
                loss = -(D(real).mean() - D(fake).mean())
                oD.zero_grad()
                loss.backward()
                oD.step()
            if logged:
                at = data[:BATCH].clone().requires_grad_()
                norms.append(autograd.grad(D(at).sum(), at)[0].flatten(1).norm(dim=1).mean().item())
            oG.zero_grad()
            (-D(G(torch.randn(BATCH, 32))).mean()).backward()
            oG.step()


def lazy_r1(watching: Watching, rounds: int) -> None:
    """R1 in every fourth round, in a step of its own."""
    data = Stripes(normalize).images * 2 - 1
    G, D = UpNet(), DownNet(norm=False)
    oG, oD = optim.Adam(G.parameters(), 5e-4, (0.0, 0.99)), optim.Adam(D.parameters(), 5e-4, (0.0, 0.99))
    with watching(G, D, oG, oD):
        for step in range(rounds):
            real = data[torch.randint(len(data), (BATCH,))]
            fake = G(torch.randn(BATCH, 32))
            d_loss = nn.functional.softplus(D(fake.detach())).mean() + nn.functional.softplus(-D(real)).mean()
            oD.zero_grad()
            d_loss.backward()
            oD.step()
            if step % 4 == 0:
                real = real.clone().requires_grad_(True)
                (slope,) = autograd.grad(D(real).sum(), real, create_graph=True)
                r1 = slope.pow(2).flatten(1).sum(1).mean()
                oD.zero_grad()
                (10 / 2 * r1 * 4).backward()
                oD.step()
            g_loss = nn.functional.softplus(-D(G(torch.randn(BATCH, 32)))).mean()
            oG.zero_grad()
            g_loss.backward()
            oG.step()


def _of(**changed: str) -> Loop:
    return lambda watching, rounds: run(watching, rounds, **changed)


SOUND: dict[str, Loop] = {
    "gradient penalty, backward(mone), points": _of(),
    "gradient penalty, backward(mone), images": _of(way="images"),
    "clipped before the step": clipped,
    "clipped, the gradient's norm logged": lambda watching, rounds: clipped(watching, rounds, logged=True),
    "R1 in a step of its own, lazily": lazy_r1,
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "penalty only logged": (_of(wrong="not backward"), "bug-unused-penalty"),
    "create_graph=False, images": (_of(wrong="no graph", way="images"), "bug-unused-penalty"),
    "backward(one) for G": (_of(wrong="one for mone"), "bug-labels"),
}
