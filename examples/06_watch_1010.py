"""The 1010 toy as its author's two classes lay it out, each with an optimizer and a `train` of its own; watched.

    python examples/06_watch_1010.py [ROUNDS]

Two lines watch it: the one that imports sparring and the one that begins with `with`. The loop between is what it was.
"""

import sys

import torch
from torch import nn

import sparring

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000


class Discriminator(nn.Module):
    """Four numbers -> how real they are."""

    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 1), nn.Sigmoid())
        self.loss_function = nn.MSELoss()
        self.optimizer = torch.optim.SGD(self.parameters(), lr=0.01)

    def forward(self, inputs):
        return self.model(inputs)

    def train(self, inputs, targets):
        loss = self.loss_function(self.forward(inputs), targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


class Generator(nn.Module):
    """One number -> four numbers."""

    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(1, 3), nn.Sigmoid(), nn.Linear(3, 4), nn.Sigmoid())
        self.optimizer = torch.optim.SGD(self.parameters(), lr=0.01)

    def forward(self, inputs):
        return self.model(inputs)

    def train(self, discriminator, inputs, targets):
        verdict = discriminator(self(inputs))
        loss = discriminator.loss_function(verdict, targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def real_pattern():
    """A noisy 1010."""
    return torch.stack([torch.empty(()).uniform_(*ends) for ends in [(0.8, 1.0), (0.0, 0.2)] * 2])


torch.manual_seed(0)
G, D = Generator(), Discriminator()
seed, one, zero = torch.tensor([0.5]), torch.tensor([1.0]), torch.tensor([0.0])

with sparring.watch(G, D, G.optimizer, D.optimizer, out="runs/watched-1010"):
    for _ in range(rounds):
        D.train(real_pattern(), one)
        D.train(G(seed).detach(), zero)
        G.train(D, seed, one)

print("G makes", [round(number, 2) for number in G(seed).tolist()])
