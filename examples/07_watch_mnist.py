"""A learner's first MNIST GAN, one image at a time: classes that own their optimizer and `train`; watched.

    python examples/07_watch_mnist.py [ROUNDS]

G is fed one random number, both networks have one hidden layer, the loss is the squared error. The result that its
write-up gives: images that are no longer noise but hardly digits, and D far ahead of G.
"""

import sys

import torch
from torch import nn

import sparring

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000


class Discriminator(nn.Module):
    """An image -> how real it is."""

    def __init__(self, pixels):
        super().__init__()
        self.model = nn.Sequential(nn.Flatten(0), nn.Linear(pixels, 200), nn.Sigmoid(), nn.Linear(200, 1), nn.Sigmoid())
        self.loss = nn.MSELoss()
        self.optimizer = torch.optim.SGD(self.parameters(), lr=0.01)

    def forward(self, image):
        return self.model(image)

    def train(self, image, target):
        self.optimizer.zero_grad()
        self.loss(self(image), target).backward()
        self.optimizer.step()


class Generator(nn.Module):
    """One number -> an image."""

    def __init__(self, shape):
        super().__init__()
        pixels = shape.numel()
        self.model = nn.Sequential(nn.Linear(1, 200), nn.Sigmoid(), nn.Linear(200, pixels), nn.Sigmoid())
        self.shape = shape
        self.optimizer = torch.optim.SGD(self.parameters(), lr=0.01)

    def forward(self, number):
        return self.model(number).view(self.shape)

    def train(self, discriminator, number, target):
        self.optimizer.zero_grad()
        discriminator.loss(discriminator(self(number)), target).backward()
        self.optimizer.step()


def images():
    """MNIST where SPARRING_DATA has it, else scikit-learn's small digits: (N, 1, side, side) in [0, 1]."""
    import os
    from pathlib import Path

    from sparring.datasets import MNIST, Digits

    home = os.environ.get("SPARRING_DATA")
    source = MNIST().open(Path(home), "cpu") if home else Digits().open()
    return source.pixels.float() / 255


torch.manual_seed(0)
data = images()
G, D = Generator(data.shape[1:]), Discriminator(data[0].numel())
one, zero = torch.ones(1), torch.zeros(1)

with sparring.watch(G, D, G.optimizer, D.optimizer, data=data, out="runs/watched-mnist"):
    for _ in range(rounds):
        D.train(data[torch.randint(len(data), ())], one)
        D.train(G(torch.rand(1)).detach(), zero)
        G.train(D, torch.rand(1), one)

print(sparring.diagnose("runs/watched-mnist").line)
