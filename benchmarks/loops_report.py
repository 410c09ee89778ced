"""The other half of the loops: written after the rules about mistakes were chosen, run once. See watching.py.

Six styles that the tests' loops do not have: a trainer class, functions that return losses, a loop over epochs with
logging, critics with schedules, image networks with spectral norm, and players in a dictionary.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.utils.data import DataLoader, Dataset, TensorDataset

BATCH, LATENT = 24, 10
Watching = Callable[..., Any]
Loop = Callable[[Watching, int], object]


def pictures(count: int = 240) -> Tensor:
    """Rings of changing radius and brightness, `(count, 1, 16, 16)` in [-1, 1]."""
    generator = torch.Generator().manual_seed(7)
    axis = torch.linspace(-1, 1, 16)
    far = (axis[:, None] ** 2 + axis[None] ** 2).sqrt()
    radius, light = torch.rand(2, count, 1, 1, generator=generator)
    return ((-((far - 0.3 - 0.5 * radius) ** 2) / 0.02).exp() * (0.6 + 0.4 * light) * 2 - 1)[:, None]


def points(count: int = 400) -> Tensor:
    """Two moons, `(count, 2)`."""
    generator = torch.Generator().manual_seed(8)
    angle = torch.rand(count, generator=generator) * torch.pi
    upper = torch.arange(count) % 2 == 0
    x = torch.where(upper, angle.cos(), 1 - angle.cos())
    y = torch.where(upper, angle.sin(), 0.5 - angle.sin())
    return torch.stack([x, y], 1) / 2


class ImageG(nn.Module):
    """Upsampling and convolutions."""

    def __init__(self, last: nn.Module | None = None) -> None:
        super().__init__()
        self.first = nn.Linear(LATENT, 32 * 16)
        self.body = nn.Sequential(
            nn.BatchNorm2d(32), nn.Upsample(scale_factor=2), nn.Conv2d(32, 16, 3, 1, 1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(16, 1, 3, 1, 1), last or nn.Tanh(),
        )  # fmt: skip

    def forward(self, z: Tensor) -> Tensor:
        return self.body(self.first(z).view(-1, 32, 4, 4))


class ImageD(nn.Module):
    """Strided convolutions with spectral norm and dropout."""

    def __init__(self, sigmoid: bool = False, squeeze: bool = True) -> None:
        super().__init__()
        self.body = nn.Sequential(
            spectral_norm(nn.Conv2d(1, 16, 4, 2, 1)), nn.LeakyReLU(0.1), nn.Dropout2d(0.2),
            spectral_norm(nn.Conv2d(16, 32, 4, 2, 1)), nn.LeakyReLU(0.1), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(512, 1)
        self.sigmoid, self.squeeze = sigmoid, squeeze

    def forward(self, x: Tensor) -> Tensor:
        score = self.head(self.body(x))
        score = torch.sigmoid(score) if self.sigmoid else score
        return score.squeeze(1) if self.squeeze else score


def small(a: int, b: int, last: nn.Module | None = None) -> nn.Sequential:
    """Two hidden layers."""
    return nn.Sequential(
        nn.Linear(a, 48), nn.SELU(), nn.Linear(48, 48), nn.SELU(), nn.Linear(48, b), *([last] if last else [])
    )


class Trainer:
    """A class that owns everything, with a method for each step."""

    def __init__(self, **changed: Any) -> None:
        self.g = changed.get("g") or ImageG()
        self.d = changed.get("d") or ImageD()
        self.lr_g, self.lr_d = changed.get("lr_g", 3e-4), changed.get("lr_d", 3e-4)
        self.opt_g = torch.optim.AdamW(changed.get("g_parameters", self.g.parameters()), self.lr_g, betas=(0.0, 0.99))
        self.opt_d = torch.optim.AdamW(changed.get("d_parameters", self.d.parameters()), self.lr_d, betas=(0.0, 0.99))
        self.loss = changed.get("loss", F.binary_cross_entropy_with_logits)
        self.smooth = changed.get("smooth", 0.9)
        self.g_target = changed.get("g_target", 1.0)
        self.clear = changed.get("clear", True)
        self.data = changed.get("data", pictures())
        self.prepare = changed.get("prepare", lambda x: x)
        self.history: list[Any] = []
        self.keep = changed.get("keep", False)
        self.shuffle = changed.get("shuffle", True)

    def d_step(self, real: Tensor) -> None:
        with torch.no_grad():
            fake = self.g(torch.randn(len(real), LATENT))
        real_score, fake_score = self.d(real), self.d(fake)
        loss = self.loss(real_score, torch.full_like(real_score, self.smooth))
        loss = loss + self.loss(fake_score, torch.zeros_like(fake_score))
        if self.clear:
            self.opt_d.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_d.step()

    def g_step(self, count: int) -> None:
        score = self.d(self.g(torch.randn(count, LATENT)))
        loss = self.loss(score, torch.full_like(score, self.g_target))
        self.opt_g.zero_grad(set_to_none=True)
        loss.backward()
        self.history.append(loss if self.keep else loss.item())
        self.opt_g.step()

    def fit(self, watching: Watching, rounds: int) -> None:
        loader = DataLoader(TensorDataset(self.data), BATCH, shuffle=self.shuffle, drop_last=True)
        played = 0
        with watching(self.g, self.d, self.opt_g, self.opt_d):
            while played < rounds:
                for (real,) in loader:
                    self.d_step(self.prepare(real))
                    self.g_step(len(real))
                    played += 1


def losses_by_functions(watching: Watching, rounds: int, turned: bool = False, gp: str = "") -> None:
    """Functions return losses; hinge on points; a penalty where asked for."""
    x = points()
    g, d = small(LATENT, 2), small(2, 1)
    opt_g, opt_d = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)

    def d_loss(real: Tensor, fake: Tensor) -> Tensor:
        return (F.relu(1 - d(real)) + F.relu(1 + d(fake))).mean()

    def penalty(real: Tensor) -> Tensor:
        real = real.detach().requires_grad_()
        (slope,) = torch.autograd.grad(d(real).sum(), real, create_graph=gp != "no graph")
        return slope.pow(2).sum(1).mean()

    def g_loss(fake: Tensor) -> Tensor:
        return d(fake).mean() if turned else -d(fake).mean()

    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            real = x[torch.randperm(len(x))[:BATCH]]
            loss = d_loss(real, g(torch.randn(BATCH, LATENT)).detach())
            if gp:
                loss = loss + 0.1 * penalty(real)
            opt_d.zero_grad()
            loss.backward()
            opt_d.step()
            opt_g.zero_grad()
            g_loss(g(torch.randn(BATCH, LATENT))).backward()
            opt_g.step()


def critics_with_a_schedule(watching: Watching, rounds: int, cut: str = "", noise: str = "") -> None:
    """Five critic steps at first, then one; learning rates that fall; noise on what D sees."""
    x = pictures().flatten(1)
    g, d = small(LATENT, 256, nn.Tanh()), small(256, 1)
    opt_g, opt_d = torch.optim.RMSprop(g.parameters(), 5e-4), torch.optim.RMSprop(d.parameters(), 5e-4)
    falling = [torch.optim.lr_scheduler.ExponentialLR(opt, 0.99) for opt in (opt_g, opt_d)]
    once = torch.rand(BATCH, LATENT)
    z = (lambda: once) if noise == "once" else (lambda: torch.rand(BATCH, LATENT))
    with watching(g, d, opt_g, opt_d):
        for step in range(rounds):
            for _ in range(5 if step < 4 else 1):
                real, fake = x[torch.randint(len(x), (BATCH,))], g(z()).detach()
                real, fake = real + 0.1 * torch.randn_like(real), fake + 0.1 * torch.randn_like(fake)
                opt_d.zero_grad()
                (d(fake) - d(real)).mean().backward()
                opt_d.step()
                with torch.no_grad():
                    for p in d.parameters():
                        p.clamp_(-0.05, 0.05)
            fake = g(z())
            if cut == "data":
                fake = fake.data
            elif cut == "clone":
                fake = torch.tensor(fake.tolist())
            opt_g.zero_grad()
            (-d(fake + 0.1 * torch.randn_like(fake))).mean().backward()
            opt_g.step()
            for each in falling:
                each.step()


def players_in_a_dictionary(watching: Watching, rounds: int, mistake: str = "") -> None:
    """Least squares; both losses of a round are computed before any step; players in a dictionary."""
    nets = {"g": small(LATENT, 2), "d": small(2, 1)}
    if mistake == "init":
        for p in nets["d"].parameters():
            nn.init.zeros_(p) if p.dim() > 1 else None
    opts = {name: torch.optim.SGD(net.parameters(), 0.05, momentum=0.5) for name, net in nets.items()}
    if mistake == "swapped":
        opts["d"], opts["g"] = opts["g"], opts["d"]
    x = points()
    order = x[:, 0].argsort() if mistake == "sorted" else torch.randperm(len(x))
    with watching(nets["g"], nets["d"], opts["g"], opts["d"]):
        for step in range(rounds):
            at = (step * BATCH) % (len(x) - BATCH)
            real = x[order[at : at + BATCH]]
            if mistake == "eval":
                for net in nets.values():
                    net.eval()
            fake = nets["g"](torch.randn(BATCH, LATENT))
            label = torch.ones(BATCH) if mistake == "shape" else torch.ones(BATCH, 1)
            d_loss = ((nets["d"](real) - label) ** 2).mean() + (nets["d"](fake.detach()) ** 2).mean()
            for opt in opts.values():
                opt.zero_grad()
            d_loss.backward()
            opts["d"].step()
            g_loss = ((nets["d"](fake) - 1) ** 2).mean()
            opts["g"].zero_grad()
            g_loss.backward()
            opts["g"].step()


class Rings(Dataset[Tensor]):
    """Images as bytes, scaled one by one."""

    def __init__(self, scale: str = "tanh") -> None:
        self.bytes, self.scale = ((pictures() + 1) * 127.5).round().to(torch.uint8), scale

    def __len__(self) -> int:
        return len(self.bytes)

    def __getitem__(self, at: int) -> Tensor:
        x = self.bytes[at]
        if self.scale == "bytes":
            return x.float()
        if self.scale == "whole":
            return (x // 255).float()
        return x.float() / 127.5 - 1


def epochs_with_logging(
    watching: Watching, rounds: int, scale: str = "tanh", sigmoid: bool = True, eval_mode: bool = False
) -> None:
    """A Dataset of bytes, BCE on a sigmoid, samples drawn in evaluation mode after every epoch."""
    loader = DataLoader(Rings(scale), BATCH, shuffle=True, drop_last=True)
    g, d = ImageG(), ImageD(sigmoid=sigmoid, squeeze=False)
    opt_g, opt_d = (torch.optim.Adam(net.parameters(), 2e-4, betas=(0.5, 0.999)) for net in (g, d))
    criterion = nn.BCELoss()
    fixed = torch.randn(16, LATENT)
    log: list[float] = []
    with watching(g, d, opt_g, opt_d, data=loader):
        for epoch in itertools.count():
            for real in loader:
                valid, wrong = torch.ones(len(real), 1), torch.zeros(len(real), 1)
                opt_g.zero_grad()
                made = g(torch.randn(len(real), LATENT))
                loss_g = criterion(d(made), valid)
                loss_g.backward()
                opt_g.step()
                opt_d.zero_grad()
                loss_d = (criterion(d(real), valid) + criterion(d(made.detach()), wrong)) / 2
                loss_d.backward()
                opt_d.step()
                log.append(loss_d.item())
            g.eval()
            with torch.no_grad():
                g(fixed)
            if not eval_mode:
                g.train()
            if (epoch + 1) * len(loader) >= rounds:
                return


def frozen_body(**changed: Any) -> Loop:
    """D's convolutions are frozen."""

    def loop(watching: Watching, rounds: int) -> None:
        d = ImageD()
        d.body.requires_grad_(False)
        Trainer(d=d, d_parameters=list(d.parameters()), **changed).fit(watching, rounds)

    return loop


def trainer(**changed: Any) -> Loop:
    """A loop of the trainer class."""
    return lambda watching, rounds: Trainer(**changed).fit(watching, rounds)


def of(loop: Callable[..., object], *args: Any, **changed: Any) -> Loop:
    """A loop with something changed."""
    return lambda watching, rounds: loop(watching, rounds, *args, **changed)


SOUND: dict[str, Loop] = {
    "trainer class": trainer(),
    "trainer class, no smoothing": trainer(smooth=1.0),
    "trainer class, least squares": trainer(loss=F.mse_loss, smooth=1.0),
    "trainer class, sigmoid and BCE": trainer(d=ImageD(sigmoid=True), loss=F.binary_cross_entropy),
    "trainer class, slow D": trainer(lr_d=5e-5),
    "trainer class, G ends in a sigmoid": trainer(g=ImageG(nn.Sigmoid()), data=pictures() / 2 + 0.5),
    "functions, hinge": of(losses_by_functions),
    "functions, hinge and R1": of(losses_by_functions, gp="r1"),
    "schedule of critic steps": of(critics_with_a_schedule),
    "dictionary, least squares": of(players_in_a_dictionary),
    "epochs, BCE": of(epochs_with_logging),
    "trainer class, tiny batches of two values": trainer(data=pictures().sign()),
    "trainer class, scores of shape (B, 1)": trainer(d=ImageD(squeeze=False)),
    "trainer class, large D step": trainer(lr_d=2e-3),
    "functions, few rounds": lambda watching, rounds: losses_by_functions(watching, 14),
    "epochs, few rounds": lambda watching, rounds: epochs_with_logging(watching, 10),
    "trainer class, G linear at the end": trainer(g=ImageG(nn.Identity())),
    "trainer class, clamped G": trainer(g=ImageG(nn.Hardtanh())),
    "trainer class, softplus by hand": trainer(loss=lambda s, t: (F.softplus(s) - s * t).mean()),
    "dictionary, again": of(players_in_a_dictionary, ""),
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "trainer class, BCE with logits on a sigmoid": (trainer(d=ImageD(sigmoid=True)), "bug-double-sigmoid"),
    "epochs, BCE on logits": (of(epochs_with_logging, sigmoid=False), "bug-logits-in-bce"),
    "trainer class, D not cleared": (trainer(clear=False), "bug-stale-gradients"),
    "schedule, .data": (of(critics_with_a_schedule, cut="data"), "bug-generator-cut-off"),
    "schedule, through a list": (of(critics_with_a_schedule, cut="clone"), "bug-generator-cut-off"),
    "dictionary, optimizers swapped": (of(players_in_a_dictionary, "swapped"), "bug-wrong-parameters"),
    "functions, G turned round": (of(losses_by_functions, turned=True), "bug-labels"),
    "trainer class, G labeled fake": (trainer(g_target=0.0), "bug-labels"),
    "dictionary, (B,) labels": (of(players_in_a_dictionary, "shape"), "bug-shape-broadcast"),
    "epochs, bytes": (of(epochs_with_logging, scale="bytes"), "bug-data-range"),
    "schedule, noise drawn once": (of(critics_with_a_schedule, noise="once"), "bug-fixed-noise"),
    "epochs, G left in evaluation mode": (of(epochs_with_logging, eval_mode=True), "bug-eval-mode"),
    "trainer class, D's body frozen": (frozen_body(), "bug-frozen"),
    "dictionary, sorted": (of(players_in_a_dictionary, "sorted"), "bug-one-batch"),
    "trainer class, learning rate 0.5": (trainer(lr_g=0.5), "bug-learning-rate"),
    "trainer class, losses kept": (trainer(keep=True), "bug-retained-graph"),
    "epochs, whole numbers divided": (of(epochs_with_logging, scale="whole"), "bug-integer-images"),
    "dictionary, zero weights": (of(players_in_a_dictionary, "init"), "bug-init"),
    "functions, R1 without a graph": (of(losses_by_functions, gp="no graph"), "bug-unused-penalty"),
}
