"""Style 4: a module in Lightning's manner, manual optimization, with a small trainer that calls it."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from loops_second.data import DownNet, Loop, Stripes, UpNet, Watching, normalize


class LitGAN(nn.Module):
    """Both players and their step."""

    def __init__(self, wrong: str = "", way: str = "") -> None:
        super().__init__()
        self.generator, self.discriminator = UpNet(), DownNet(norm=way != "spectral")
        if way == "spectral":
            for m in list(self.discriminator.modules()):
                if isinstance(m, nn.Conv2d):
                    nn.utils.parametrizations.spectral_norm(m)
        self.wrong, self.way, self.global_step = wrong, way, 0
        self.validation_z = torch.randn(8, 32)
        self.ema = torch.optim.swa_utils.AveragedModel(
            self.generator, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99)
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.generator(z)

    def adversarial_loss(self, y_hat: Tensor, y: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(y_hat, y)

    def toggle_optimizer(self, net: nn.Module) -> None:
        for p in self.parameters():
            p.requires_grad_(False)
        for p in net.parameters():
            p.requires_grad_(True)

    def untoggle_optimizer(self) -> None:
        for net in (self.generator, self.discriminator):
            for p in net.parameters():
                p.requires_grad_(True)

    def configure_optimizers(self) -> tuple[list[Any], list[Any]]:
        params_g, params_d = self.generator.parameters(), self.discriminator.parameters()
        if self.wrong == "self.parameters":
            params_d = self.parameters()
        opt_g, opt_d = torch.optim.Adam(params_g, 2e-4, (0.5, 0.999)), torch.optim.Adam(params_d, 2e-4, (0.5, 0.999))
        if self.wrong == "warm-up that stays at 0":
            warm = lambda step: min(1.0, step // 1000)  # noqa: E731
        elif self.way == "warm-up":
            warm = lambda step: min(1.0, step / 10)  # noqa: E731
        else:
            warm = lambda step: 1.0  # noqa: E731
        return [opt_g, opt_d], [torch.optim.lr_scheduler.LambdaLR(each, warm) for each in (opt_g, opt_d)]

    def training_step(self, batch: tuple[Tensor, Tensor], optimizers: list[Any]) -> None:
        imgs, _ = batch
        optimizer_g, optimizer_d = optimizers
        z = torch.randn(imgs.shape[0], 32)
        careless = self.wrong == "not detached"
        if not careless:
            self.toggle_optimizer(self.generator)
        generated = self(z)
        valid = torch.ones(imgs.size(0), 1)
        if self.way == "D in eval for G":
            self.discriminator.eval()
        g_loss = self.adversarial_loss(self.discriminator(generated), valid)
        if self.way == "D in eval for G":
            self.discriminator.train()
        if not careless:
            optimizer_g.zero_grad()
        g_loss.backward()
        optimizer_g.step()
        if careless:  # cleared after the step, so that what D's loss leaves in G stays until the next one
            optimizer_g.zero_grad()
        else:
            self.untoggle_optimizer()
            self.toggle_optimizer(self.discriminator)
        real_loss = self.adversarial_loss(self.discriminator(imgs), valid)
        fake = torch.zeros(imgs.size(0), 1)
        again = self(z)
        again = again if careless else again.detach()
        fake_loss = self.adversarial_loss(self.discriminator(again), fake)
        d_loss = (real_loss + fake_loss) / 2
        optimizer_d.zero_grad()
        d_loss.backward()
        optimizer_d.step()
        self.untoggle_optimizer()
        self.ema.update_parameters(self.generator)
        self.global_step += 1

    def on_train_epoch_end(self) -> None:
        self.eval()
        with torch.no_grad():
            self.ema(self.validation_z)
        if self.wrong != "eval":
            self.train()


class Trainer:
    """Epochs, steps and schedules."""

    def __init__(self, max_steps: int, watching: Watching) -> None:
        self.max_steps, self.watching = max_steps, watching

    def fit(self, model: LitGAN, loader: DataLoader[Any]) -> None:
        optimizers, schedulers = model.configure_optimizers()
        with self.watching(model.generator, model.discriminator, *optimizers, data=loader):
            while True:
                for batch in loader:
                    model.training_step(batch, optimizers)
                    for scheduler in schedulers:
                        scheduler.step()
                    if model.global_step >= self.max_steps:
                        return
                model.on_train_epoch_end()


def _of(**changed: str) -> Loop:
    def loop(watching: Watching, rounds: int) -> None:
        Trainer(rounds, watching).fit(LitGAN(**changed), DataLoader(Stripes(normalize), 20, shuffle=True))

    return loop


SOUND: dict[str, Loop] = {
    "weights toggled, EMA, pictures in eval": _of(),
    "warm-up from 0": _of(way="warm-up"),
    "D in eval for G's step": _of(way="D in eval for G"),
    "spectral norm": _of(way="spectral"),
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "Adam(self.parameters())": (_of(wrong="self.parameters"), "bug-wrong-parameters"),
    "warm-up with // stays at 0": (_of(wrong="warm-up that stays at 0"), "bug-learning-rate"),
    "never back to train after an epoch": (_of(wrong="eval"), "bug-eval-mode"),
    "neither toggled nor detached, cleared after the step": (_of(wrong="not detached"), "bug-fake-not-detached"),
}
