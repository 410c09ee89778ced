"""Style 3: a model with `compile`, `train_step` and `fit`, whose D sees fake and real in one batch; fake is 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from loops_second.data import DownNet, Loop, UpNet, Watching, stripes


class GAN(nn.Module):
    """Both players, with the training step of the Keras example."""

    def __init__(self, discriminator: nn.Module, generator: nn.Module, latent_dim: int, wrong: str, way: str) -> None:
        super().__init__()
        self.discriminator, self.generator, self.latent_dim = discriminator, generator, latent_dim
        self.wrong, self.way, self.logs = wrong, way, []

    def compile_with(self, d_optimizer: Any, g_optimizer: Any, loss_fn: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn

    def noise(self, batch: int) -> Tensor:
        if self.wrong == "seeded":  # "for reproducibility"
            return torch.randn(batch, self.latent_dim, generator=torch.Generator().manual_seed(1337))
        return torch.randn(batch, self.latent_dim)

    def train_step(self, real_images: Tensor) -> dict[str, Any]:
        batch_size = len(real_images)
        generated_images = self.generator(self.noise(batch_size)).detach()
        combined_images = torch.cat([generated_images, real_images], 0)
        labels = torch.cat([torch.ones(batch_size, 1), torch.zeros(batch_size, 1)], 0)
        if self.way == "shuffled":
            order = torch.randperm(2 * batch_size)
            combined_images, labels = combined_images[order], labels[order]
        labels = labels + 0.05 * torch.rand_like(labels)
        predictions = self.discriminator(combined_images)
        if self.wrong == "sigmoid before":
            predictions = torch.sigmoid(predictions)
        d_loss = self.loss_fn(predictions, labels)
        if self.wrong != "wrong zero_grad":
            self.d_optimizer.zero_grad()
        else:
            self.g_optimizer.zero_grad()
        d_loss.backward()
        self.d_optimizer.step()

        random_latent_vectors = self.noise(batch_size)
        misleading_labels = torch.zeros(batch_size, 1)
        if self.wrong == "not misleading":
            misleading_labels = torch.ones(batch_size, 1)
        predictions = self.discriminator(self.generator(random_latent_vectors))
        if self.wrong == "sigmoid before":
            predictions = torch.sigmoid(predictions)
        g_loss = self.loss_fn(predictions, misleading_labels)
        self.g_optimizer.zero_grad()
        g_loss.backward()
        self.g_optimizer.step()
        if self.wrong == "history":
            return {"d_loss": d_loss, "g_loss": g_loss}
        return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}

    def fit(self, dataset: DataLoader[Any], steps: int) -> None:
        done = 0
        while True:
            for (batch,) in dataset:
                self.logs.append(self.train_step(batch))
                done += 1
                if done >= steps:
                    return


class Conv(nn.Module):
    """D as Keras' example has it: dropout before the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 16, 4, 2, 1), nn.Conv2d(16, 16, 4, 2, 1)
        self.dropout, self.dense = nn.Dropout(0.2), nn.Linear(256, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.conv1(x), 0.2)
        x = F.leaky_relu(self.conv2(x), 0.2)
        return self.dense(self.dropout(x.flatten(1)))


def run(watching: Watching, rounds: int, wrong: str = "", way: str = "") -> None:
    x = stripes()[0]  # 0 to 1, and G ends in a sigmoid
    last: nn.Module = nn.Sigmoid()
    if wrong == "shifted":
        x = x * 2 - 1
    if way == "bytes on both sides":
        x, last = x * 255, nn.Sequential(nn.Sigmoid(), Times(255))
    gan = GAN(Conv() if way != "batch norm" else DownNet(), UpNet(last=last), 32, wrong, way)
    gan.compile_with(
        torch.optim.Adam(gan.discriminator.parameters(), 3e-4),
        torch.optim.Adam(gan.generator.parameters(), 3e-4),
        nn.BCEWithLogitsLoss(),
    )
    dataset = DataLoader(TensorDataset(x), 16, shuffle=True)
    with watching(gan.generator, gan.discriminator, gan.g_optimizer, gan.d_optimizer, data=x):
        gan.fit(dataset, rounds)


class Times(nn.Module):
    """A factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def _of(**changed: str) -> Loop:
    return lambda watching, rounds: run(watching, rounds, **changed)


SOUND: dict[str, Loop] = {
    "fake is 1, noisy labels": _of(),
    "the joint batch shuffled": _of(way="shuffled"),
    "images of 0 to 255 on both sides": _of(way="bytes on both sides"),
    "batch norm over the joint batch": _of(way="batch norm"),
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "sigmoid in the step, loss with logits": (_of(wrong="sigmoid before"), "bug-double-sigmoid"),
    "zero_grad of the other optimizer": (_of(wrong="wrong zero_grad"), "bug-stale-gradients"),
    "labels of G not misleading": (_of(wrong="not misleading"), "bug-labels"),
    "generator seeded anew in every call": (_of(wrong="seeded"), "bug-fixed-noise"),
    "[-1, 1] against a sigmoid": (_of(wrong="shifted"), "bug-data-range"),
    "losses in the history with their graphs": (_of(wrong="history"), "bug-retained-graph"),
}
