"""Style 9: one function with switches, for the tricks that papers add."""

from __future__ import annotations

import copy
from collections import deque

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from loops_second.data import DownNet, Loop, Stripes, UpNet, Watching

BATCH = 16


def augment(x: Tensor) -> Tensor:
    """Brightness and a shift, the same kinds for both."""
    x = x + 0.3 * (torch.rand(len(x), 1, 1, 1) - 0.5)
    return torch.roll(F.pad(x, (2, 2, 2, 2)), int(torch.randint(3, (1,))), 3)[:, :, 2:-2, 2:-2]


def played(watching: Watching, rounds: int, *on: str) -> None:
    data = Stripes().images * 2 - 1
    G, D = UpNet(), DownNet(norm="no norm" not in on)
    if "frozen front" in on:  # D's first layers come from elsewhere and stay as they are
        D.features[0].requires_grad_(False)
    if "in place" in on:
        G.main[-1] = nn.Hardtanh(inplace=True)
    optG = torch.optim.Adam(G.parameters(), 1e-4, betas=(0.5, 0.999))
    optD = torch.optim.Adam([p for p in D.parameters() if p.requires_grad], 4e-4, betas=(0.5, 0.999))
    averaged = copy.deepcopy(G).requires_grad_(False)
    old: deque[Tensor] = deque(maxlen=6)
    recent: deque[Tensor] = deque(maxlen=100)
    sees = augment if "augment" in on else (lambda x: x)
    with watching(G, D, optG, optD):
        for step in range(rounds):
            real = data[torch.randperm(len(data))[:BATCH]]
            fake = G(torch.randn(BATCH, 32).clamp(-2, 2))
            shown = fake.detach()
            if "replay" in on and old:
                half = BATCH // 2
                shown = torch.cat([shown[:half], old[int(torch.randint(len(old), (1,)))][half:]])
            old.append(fake.detach().clone())
            if "instance noise" in on:
                sigma = 0.3 * (1 - step / rounds)
                real, shown = real + sigma * torch.randn_like(real), shown + sigma * torch.randn_like(shown)
            if "crops" in on:  # the same for both
                real, shown = real[..., 2:-2, 2:-2], shown[..., 2:-2, 2:-2]
                real, shown = F.interpolate(real, size=16), F.interpolate(shown, size=16)
            s_real, s_fake = D(sees(real)), D(sees(shown))
            if "relativistic" in on:
                d_loss = (F.softplus(-(s_real - s_fake.mean())) + F.softplus(s_fake - s_real.mean())).mean()
            else:
                d_loss = F.softplus(-s_real).mean() + F.softplus(s_fake).mean()
            if "consistency" in on:
                d_loss = d_loss + 5 * ((D(augment(real)) - s_real) ** 2).mean()
            optD.zero_grad()
            d_loss.backward()
            optD.step()
            recent.append(d_loss.detach())
            if "G half as often" in on and step % 2:
                continue
            s_fake = D(sees(fake))
            if "feature matching" in on:
                real_features, features = D.features(real).mean(0).detach(), D.features(fake).mean(0)
                g_loss = ((features - real_features) ** 2).mean() * 10
            elif "relativistic" in on:
                s_real = D(sees(real)).detach()
                g_loss = (F.softplus(-(s_fake - s_real.mean())) + F.softplus(s_real - s_fake.mean())).mean()
            else:
                g_loss = F.softplus(-s_fake).mean()
            if "diversity" in on:
                g_loss = g_loss - 0.1 * fake.std(0).mean()
            optG.zero_grad()
            g_loss.backward()
            optG.step()
            with torch.no_grad():
                for a, b in zip(averaged.parameters(), G.parameters(), strict=True):
                    a.lerp_(b, 0.05)
            if "pictures" in on and step % 10 == 9:
                G.eval()
                with torch.no_grad():
                    G(torch.zeros(1, 32))
                    D(averaged(torch.randn(4, 32)))
                G.train()


def two_discriminators(watching: Watching, rounds: int) -> None:
    """D holds two networks, for two resolutions, and gives a list of scores and features."""

    class Scales(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = (
                DownNet(norm=False),
                nn.Sequential(nn.Conv2d(1, 12, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(12, 1, 4)),
            )

        def forward(self, x: Tensor) -> list[Tensor]:
            return [self.one(x), self.two(F.avg_pool2d(x, 2))]

    data = Stripes().images * 2 - 1
    G, D = UpNet(), Scales()
    optG, optD = torch.optim.Adam(G.parameters(), 2e-4), torch.optim.Adam(D.parameters(), 2e-4)
    with watching(G, D, optG, optD):
        for _ in range(rounds):
            real, fake = data[torch.randint(len(data), (BATCH,))], G(torch.randn(BATCH, 32))
            optD.zero_grad()
            loss = sum(
                F.relu(1 - a).mean() + F.relu(1 + b).mean() for a, b in zip(D(real), D(fake.detach()), strict=True)
            )
            loss.backward()
            optD.step()
            optG.zero_grad()
            sum(-a.mean() for a in D(fake)).backward()
            optG.step()


def autoencoder(watching: Watching, rounds: int) -> None:
    """D is an autoencoder, its score the error of reconstruction; the balance k is kept by hand."""

    class Coder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Flatten(), nn.Linear(256, 32), nn.ELU(), nn.Linear(32, 256), nn.Tanh())

        def forward(self, x: Tensor) -> Tensor:
            return (self.net(x) - x.flatten(1)).abs().mean(1)

    data = Stripes().images * 2 - 1
    G, D, k = UpNet(), Coder(), 0.0
    optG, optD = torch.optim.Adam(G.parameters(), 4e-4), torch.optim.Adam(D.parameters(), 4e-4)
    with watching(G, D, optG, optD):
        for _ in range(rounds):
            real, fake = data[torch.randint(len(data), (BATCH,))], G(torch.rand(BATCH, 32) * 2 - 1)
            e_real, e_fake = D(real).mean(), D(fake.detach()).mean()
            optD.zero_grad()
            (e_real - k * e_fake).backward()
            optD.step()
            g_loss = D(fake).mean()
            optG.zero_grad()
            g_loss.backward()
            optG.step()
            k = min(1.0, max(0.0, k + 0.01 * (0.5 * e_real.item() - g_loss.item())))


def _of(*on: str) -> Loop:
    return lambda watching, rounds: played(watching, rounds, *on)


SOUND: dict[str, Loop] = {
    "old fakes replayed": _of("replay"),
    "instance noise that fades": _of("instance noise"),
    "D's front frozen, from elsewhere": _of("frozen front"),
    "relativistic, no norm": _of("relativistic", "no norm"),
    "consistency and augmentation": _of("consistency", "augment", "no norm"),
    "feature matching only": _of("feature matching"),
    "G half as often, pictures in eval": _of("G half as often", "pictures"),
    "crops, diversity, Hardtanh in place": _of("crops", "diversity", "in place"),
    "two resolutions": two_discriminators,
    "D an autoencoder, balance kept": autoencoder,
}
BROKEN: dict[str, tuple[Loop, str]] = {}
