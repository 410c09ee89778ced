"""Ten sound loops in as many styles. Each takes `watching(G, D, opt_G, opt_D, **more)`, a context manager, and returns
the two networks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

Watching = Callable[..., AbstractContextManager[Any]]
Loop = Callable[[Watching, int], tuple[nn.Module, nn.Module]]
BATCH, SIZE, LATENT = 16, 8, 12


def images(count: int = 128) -> Tensor:
    """Smooth little pictures in [-1, 1], `(count, 1, 8, 8)`."""
    generator = torch.Generator().manual_seed(5)
    coarse = torch.rand(count, 1, 3, 3, generator=generator) * 2 - 1
    return F.interpolate(coarse, size=SIZE, mode="bilinear")


def mlp(*sizes: int, last: nn.Module | None = None, norm: bool = False) -> nn.Sequential:
    """Linear layers with leaky ReLUs between."""
    layers: list[nn.Module] = []
    for wide, (a, b) in enumerate(itertools.pairwise(sizes)):
        layers.append(nn.Linear(a, b))
        if wide < len(sizes) - 2:
            layers += [nn.BatchNorm1d(b)] * norm + [nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, *([last] if last else []))


def adam(net: nn.Module, lr: float = 2e-3) -> torch.optim.Optimizer:
    """As tutorials have it."""
    return torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.999))


def forever(loader: DataLoader[Any]) -> Any:
    """Its batches again and again."""
    while True:
        yield from loader


def textbook(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """BCE on a sigmoid, one loss for real and one for generated examples, added."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh(), norm=True), mlp(64, 32, 1, last=nn.Sigmoid())
    opt_g, opt_d = adam(g), adam(d)
    bce = nn.BCELoss()
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real = x[torch.randint(len(x), (BATCH,))]
            fake = g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            loss = bce(d(real), ones) + bce(d(fake.detach()), zeros)
            loss.backward()
            opt_d.step()
            opt_g.zero_grad()
            bce(d(fake), ones).backward()
            opt_g.step()
    return g, d


class ConvG(nn.Module):
    """A DCGAN's generator of 8 x 8 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(LATENT, 16, 4, 1, 0, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(True),
            nn.ConvTranspose2d(16, 1, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z)


class ConvD(nn.Module):
    """Its discriminator, which gives (B, 1, 1, 1)."""

    def __init__(self, sigmoid: bool = True) -> None:
        super().__init__()
        last = [nn.Sigmoid()] if sigmoid else []
        self.main = nn.Sequential(
            nn.Conv2d(1, 16, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(16, 1, 4, 1, 0, bias=False),
            *last,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x)


def dcgan(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """A tutorial's DCGAN: a loader, `view(-1)`, two backward passes for D, labels that are filled anew."""
    loader = DataLoader(TensorDataset(images()), BATCH, shuffle=True)
    g, d = ConvG(), ConvD()
    opt_d, opt_g = adam(d), adam(g)
    criterion = nn.BCELoss()
    batches = forever(loader)
    with watching(g, d, opt_g, opt_d, data=loader):
        for _ in range(rounds):
            (real,) = next(batches)
            d.zero_grad()
            label = torch.full((len(real),), 1.0)
            output = d(real).view(-1)
            error_real = criterion(output, label)
            error_real.backward()
            fake = g(torch.randn(len(real), LATENT, 1, 1))
            label.fill_(0.0)
            output = d(fake.detach()).view(-1)
            error_fake = criterion(output, label)
            error_fake.backward()
            opt_d.step()
            g.zero_grad()
            label.fill_(1.0)
            error_g = criterion(d(fake).view(-1), label)
            error_g.backward()
            opt_g.step()
    return g, d


def wgan_gp(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """A critic with a penalty on its slope, three steps for each of G's."""
    x = images()
    g, d = mlp(LATENT, 32, 64, last=nn.Unflatten(1, (1, 8, 8))), nn.Sequential(nn.Flatten(), mlp(64, 32, 1))
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            for _ in range(3):
                real = x[torch.randperm(len(x))[:BATCH]]
                with torch.no_grad():
                    fake = g(torch.randn(BATCH, LATENT))
                alpha = torch.rand(BATCH, 1, 1, 1)
                between = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
                score = d(between)
                (slope,) = torch.autograd.grad(score, between, torch.ones_like(score), create_graph=True)
                penalty = ((slope.flatten(1).norm(2, 1) - 1) ** 2).mean()
                loss = d(fake).mean() - d(real).mean() + 10 * penalty
                opt_d.zero_grad()
                loss.backward()
                opt_d.step()
            opt_g.zero_grad()
            (-d(g(torch.randn(BATCH, LATENT))).mean()).backward()
            opt_g.step()
    return g, d


def wgan_clipped(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """A critic whose weights are clipped, RMSprop."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64), mlp(64, 32, 1)
    opt_g, opt_d = (torch.optim.RMSprop(net.parameters(), 1e-3) for net in (g, d))
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            for _ in range(2):
                real = x[torch.randint(len(x), (BATCH,))]
                fake = g(torch.randn(BATCH, LATENT)).detach()
                opt_d.zero_grad()
                (d(fake).mean() - d(real).mean()).backward()
                opt_d.step()
                for p in d.parameters():
                    p.data.clamp_(-0.05, 0.05)
            opt_g.zero_grad()
            (-d(g(torch.randn(BATCH, LATENT))).mean()).backward()
            opt_g.step()
    return g, d


def hinge_in_one_batch(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """Real and generated examples go through D together, a little noise on both; hinge loss."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real = x[torch.randint(len(x), (BATCH,))]
            fake = g(torch.rand(BATCH, LATENT) * 2 - 1)
            both = torch.cat([real, fake.detach()])
            scores = d(both + 0.05 * torch.randn_like(both))
            on_real, on_fake = scores[:BATCH], scores[BATCH:]
            loss = F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()
            opt_d.zero_grad()
            loss.backward()
            opt_d.step()
            loss_g = -d(fake + 0.05 * torch.randn_like(fake)).mean()
            opt_g.zero_grad()
            loss_g.backward()
            opt_g.step()
    return g, d


class ClassG(nn.Module):
    """Class-conditional by an embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.net = nn.Embedding(4, 6), mlp(LATENT + 6, 32, 64, last=nn.Sigmoid())

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.net(torch.cat([z, self.embedding(y)], 1))


class ClassD(nn.Module):
    """The same, with features beside the score."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.body, self.head = nn.Embedding(4, 6), mlp(70, 32, 16), nn.Linear(16, 1)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        features = F.leaky_relu(self.body(torch.cat([x, self.embedding(y)], 1)))
        return self.head(features).squeeze(1), features


def conditional(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """Labels as a second input, least squares, data in [0, 1]."""
    x, labels = images().flatten(1) / 2 + 0.5, torch.arange(128) % 4
    loader = DataLoader(TensorDataset(x, labels), BATCH, shuffle=True)
    g, d = ClassG(), ClassD()
    opt_g, opt_d = adam(g), adam(d)
    batches = forever(loader)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real, y = next(batches)
            other = torch.randint(4, (BATCH,))
            fake = g(torch.randn(BATCH, LATENT), other)
            on_real, _ = d(real, y)
            on_fake, _ = d(fake.detach(), other)
            loss = 0.5 * (F.mse_loss(on_real, torch.ones(BATCH)) + F.mse_loss(on_fake, torch.zeros(BATCH)))
            opt_d.zero_grad()
            loss.backward()
            opt_d.step()
            opt_g.zero_grad()
            F.mse_loss(d(fake, other)[0], torch.ones(BATCH)).backward()
            opt_g.step()
    return g, d


def simultaneous(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """Both losses are back-propagated before either player steps."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real = x[torch.randint(len(x), (BATCH,))]
            fake = g(torch.randn(BATCH, LATENT))
            d_loss = F.softplus(-d(real)).mean() + F.softplus(d(fake.detach())).mean()
            opt_g.zero_grad()
            g_loss = F.softplus(-d(fake)).mean()
            g_loss.backward()
            opt_d.zero_grad()
            d_loss.backward()
            opt_d.step()
            opt_g.step()
    return g, d


def accumulated(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """Gradients of two small batches for each step; BCE with logits."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    bce = nn.BCEWithLogitsLoss()
    half = BATCH // 2
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            for _ in range(2):
                real, fake = x[torch.randint(len(x), (half,))], g(torch.randn(half, LATENT)).detach()
                loss = bce(d(real), torch.ones(half, 1)) + bce(d(fake), torch.zeros(half, 1))
                (loss / 2).backward()
            opt_d.step()
            opt_d.zero_grad()
            for _ in range(2):
                (bce(d(g(torch.randn(half, LATENT))), torch.ones(half, 1)) / 2).backward()
            opt_g.step()
            opt_g.zero_grad()
            opt_d.zero_grad()
    return g, d


def relativistic(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """Relativistic pairs with R1, two optimizers for G, an average of G's weights beside it."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    average = [p.detach().clone() for p in g.parameters()]
    opt_g = [torch.optim.Adam(g[0].parameters(), 1e-3), torch.optim.Adam(g[2].parameters(), 1e-3)]
    opt_d = torch.optim.Adam(d.parameters(), 1e-3, betas=(0.0, 0.99))
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real = x[torch.randint(len(x), (BATCH,))].requires_grad_(True)
            fake = g(torch.randn(BATCH, LATENT))
            on_real = d(real)
            (slope,) = torch.autograd.grad(on_real.sum(), real, create_graph=True)
            loss = F.softplus(d(fake.detach()) - on_real).mean() + 0.5 * slope.square().sum(1).mean()
            opt_d.zero_grad()
            loss.backward()
            opt_d.step()
            with torch.no_grad():
                on_real = d(real.detach())
            loss_g = F.softplus(on_real - d(fake)).mean()
            for each in opt_g:
                each.zero_grad()
            loss_g.backward()
            for each in opt_g:
                each.step()
            for mean, p in zip(average, g.parameters(), strict=True):
                mean.lerp_(p.detach(), 0.1)
    return g, d


class Player(nn.Module):
    """A network that owns its optimizer and its `train_on`, as the first GANs of many learners."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.loss = nn.MSELoss()
        self.optimizer = torch.optim.SGD(self.net.parameters(), 0.05)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def train_on(self, output: Tensor, target: Tensor) -> None:
        """One step."""
        loss = self.loss(output, target)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def owning_players(watching: Watching, rounds: int) -> tuple[nn.Module, nn.Module]:
    """One example at a time, D steps on each kind by itself, MSE on a sigmoid."""
    g, d = Player(mlp(1, 3, 4, last=nn.Sigmoid())), Player(mlp(4, 3, 1, last=nn.Sigmoid()))
    with watching(g, d, g.optimizer, d.optimizer):
        for _ in range(rounds):
            real = torch.stack([torch.empty(4).uniform_(0.8, 1.0) * torch.tensor([1.0, 0, 1, 0])])
            d.train_on(d(real), torch.ones(1, 1))
            d.train_on(d(g(torch.full((1, 1), 0.5)).detach()), torch.zeros(1, 1))
            g.train_on(d(g(torch.full((1, 1), 0.5))), torch.ones(1, 1))
    return g, d


LOOPS: dict[str, Loop] = {
    loop.__name__: loop
    for loop in (
        textbook, dcgan, wgan_gp, wgan_clipped, hinge_in_one_batch, conditional, simultaneous, accumulated,
        relativistic, owning_players,
    )
}  # fmt: skip
