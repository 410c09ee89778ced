"""Style 2: a class for each network that owns its optimizer, counts, keeps progress and has a `train` of its own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from loops_second.data import Loop, Stripes, Watching, normalize

LATENT = 20


class Critic(nn.Module):
    """D, which is given examples and targets to train on."""

    def __init__(self, wrong: str = "", way: str = "") -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Flatten(), nn.Linear(256, 64), nn.LeakyReLU(0.02), nn.LayerNorm(64), nn.Dropout(0.1), nn.Linear(64, 1),
            nn.Identity() if wrong == "log of logits" else nn.Sigmoid(),
        )  # fmt: skip
        self.optimiser = torch.optim.Adam(self.parameters(), lr=0.4 if wrong == "lr" else 0.0004)
        self.loss_function = nn.MSELoss() if way == "mse" else nn.BCELoss()
        self.counter, self.progress, self.wrong = 0, [], wrong

    def forward(self, inputs: Tensor) -> Tensor:
        return self.model(inputs)

    def cost(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self.wrong == "log of logits":  # BCE written by hand
            return -(targets * torch.log(outputs + 1e-8) + (1 - targets) * torch.log(1 - outputs + 1e-8)).mean()
        if self.wrong == "broadcast":
            return ((outputs - targets.view(-1)) ** 2).mean()
        return self.loss_function(outputs, targets)

    def train_on(self, inputs: Tensor, targets: Tensor) -> None:
        loss = self.cost(self.forward(inputs), targets)
        self.counter += 1
        if self.counter % 10 == 0:
            self.progress.append(loss.item())
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()


class Maker(nn.Module):
    """G, which trains by D's answer."""

    def __init__(self, critic: Critic, wrong: str = "") -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(LATENT, 64), nn.LeakyReLU(0.02), nn.LayerNorm(64), nn.Linear(64, 64), nn.BatchNorm1d(64),
            nn.ReLU(), nn.Linear(64, 256), nn.Tanh(), nn.Unflatten(1, (1, 16, 16)),
        )  # fmt: skip
        held: Any = self.parameters()
        if wrong == "critic's parameters":  # copied from the other class
            held = critic.parameters()
        self.optimiser = torch.optim.Adam(held, lr=0.0004)
        self.counter, self.wrong = 0, wrong

    def forward(self, inputs: Tensor) -> Tensor:
        return self.model(inputs)

    def train_with(self, D: Critic, inputs: Tensor, targets: Tensor) -> None:
        made = self.forward(inputs)
        if self.wrong == "numpy":  # "so that matplotlib can show it"
            made = torch.from_numpy(made.detach().cpu().numpy())
        loss = D.cost(D.forward(made), targets)
        self.counter += 1
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()


def run(watching: Watching, rounds: int, wrong: str = "", way: str = "") -> None:
    D = Critic(wrong, way)
    G = Maker(D, wrong)
    loader = DataLoader(Stripes(normalize), 1 if way == "one by one" else 10, shuffle=True)
    if way == "one by one":
        G.model[4] = nn.Identity()
        G.optimiser = torch.optim.Adam(G.parameters(), lr=0.0004)
    count = 0
    with watching(G, D, G.optimiser, D.optimiser):
        while count < rounds:
            for image, _ in loader:
                n = len(image)
                D.train_on(image, torch.ones(n, 1))
                if wrong == "no_grad for both":  # made once, without a graph, for both
                    with torch.no_grad():
                        fake = G.forward(torch.randn(n, LATENT))
                    D.train_on(fake, torch.zeros(n, 1))
                    loss = D.cost(D.forward(fake), torch.ones(n, 1))
                    G.optimiser.zero_grad()
                    loss.backward()
                    G.optimiser.step()
                else:
                    D.train_on(G.forward(torch.randn(n, LATENT)).detach(), torch.zeros(n, 1))
                    G.train_with(D, torch.randn(n, LATENT), torch.ones(n, 1))
                count += 1
                if count % 15 == 0:
                    G.eval()
                    with torch.no_grad():
                        G(torch.randn(4, LATENT))
                    if wrong != "eval":
                        G.train()
                if count >= rounds:
                    return


def _of(**changed: str) -> Loop:
    return lambda watching, rounds: run(watching, rounds, **changed)


SOUND: dict[str, Loop] = {
    "separate steps for real and fake": _of(),
    "separate steps, MSE on a sigmoid": _of(way="mse"),
    "one example at a time": _of(way="one by one"),
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "logarithm of logits by hand": (_of(wrong="log of logits"), "bug-logits-in-bce"),
    "targets flattened, scores not": (_of(wrong="broadcast", way="mse"), "bug-shape-broadcast"),
    "G's optimizer holds D's weights": (_of(wrong="critic's parameters"), "bug-wrong-parameters"),
    "through numpy": (_of(wrong="numpy"), "bug-generator-cut-off"),
    "made under no_grad for both players": (_of(wrong="no_grad for both"), "bug-generator-cut-off"),
    "G in eval after the first pictures": (_of(wrong="eval"), "bug-eval-mode"),
    "D's lr 0.4 for 0.0004": (_of(wrong="lr"), "bug-learning-rate"),
}
