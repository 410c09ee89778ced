"""Style 7: class-conditional and image-conditional players, auxiliary classifiers, projections, packed examples."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from loops_second.data import DownNet, Loop, Stripes, UpNet, Watching, dense, normalize

BATCH, CLASSES = 16, 4


class CondG(nn.Module):
    """Noise and the class's vector, side by side."""

    def __init__(self, embedding: nn.Embedding | None = None) -> None:
        super().__init__()
        self.label = embedding or nn.Embedding(CLASSES, 16)
        self.net = UpNet(32 + 16)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.net(torch.cat([z, self.label(y)], 1))


class CondD(nn.Module):
    """`planes`: the class as a plane of the image; `projection`: as a vector; `aux`: D names the class too."""

    def __init__(self, kind: str, embedding: nn.Embedding | None = None) -> None:
        super().__init__()
        self.kind = kind
        self.label = embedding or nn.Embedding(CLASSES, 256 if kind == "planes" else 24 * 16)
        self.net = DownNet(channels=2 if kind == "planes" else 1, norm=False)
        self.shrink = nn.Linear(16, 24 * 16) if embedding else nn.Identity()
        self.aux = nn.Linear(24 * 16, CLASSES)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        if self.kind == "planes":
            assert y is not None
            return self.net(torch.cat([x, self.label(y).view(-1, 1, 16, 16)], 1))
        h = self.net.features(x)
        score = self.net.classifier(h).flatten(1)
        if self.kind == "aux":
            return score, self.aux(h.flatten(1))
        assert y is not None
        return score + (self.shrink(self.label(y)) * h.flatten(1)).sum(1, keepdim=True) / 20


def labeled(watching: Watching, rounds: int, kind: str, wrong: str = "") -> None:
    shared = nn.Embedding(CLASSES, 16) if wrong == "shared embedding" else None
    G, D = CondG(shared), CondD(kind, shared)
    optG, optD = (torch.optim.Adam(net.parameters(), 3e-4, betas=(0.5, 0.999)) for net in (G, D))
    loader = DataLoader(Stripes(normalize), BATCH, shuffle=True, drop_last=True)
    done = 0
    with watching(G, D, optG, optD, data=loader):
        while True:
            for x, y in loader:
                z, wanted = torch.randn(BATCH, 32), torch.randint(CLASSES, (BATCH,))
                fake = G(z, wanted)
                if wrong == "one row of signs":
                    scores = D(torch.cat([x, fake.detach()]), torch.cat([y, wanted]))
                    sign = torch.cat([torch.ones(BATCH), -torch.ones(BATCH)])
                    d_loss = F.relu(1 - sign * scores).mean()
                else:
                    d_loss = F.relu(1 - D(x, y)).mean() + F.relu(1 + D(fake.detach(), wanted)).mean()
                optD.zero_grad()
                d_loss.backward()
                optD.step()
                g_loss = -D(fake, wanted).mean()
                optG.zero_grad()
                g_loss.backward()
                optG.step()
                done += 1
                if done >= rounds:
                    return


def auxiliary(watching: Watching, rounds: int, wrong: str = "") -> None:
    """Both players also answer for the class."""
    G, D = CondG(), CondD("aux")
    optG, optD = (torch.optim.Adam(net.parameters(), 2e-4, betas=(0.5, 0.999)) for net in (G, D))
    loader = DataLoader(Stripes(normalize), BATCH, shuffle=True, drop_last=True)
    adversarial, auxiliary_loss = nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss()
    valid, fake = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
    done = 0
    with watching(G, D, optG, optD, data=loader):
        while True:
            for imgs, labels in loader:
                optG.zero_grad()
                gen_labels = torch.randint(CLASSES, (BATCH,))
                gen_imgs = G(torch.randn(BATCH, 32), gen_labels)
                validity, pred = D(gen_imgs if wrong != "detached" else gen_imgs.detach())
                g_loss = 0.5 * (adversarial(validity, valid) + auxiliary_loss(pred, gen_labels))
                g_loss.backward()
                optG.step()
                optD.zero_grad()
                real_pred, real_aux = D(imgs)
                d_real = (adversarial(real_pred, valid) + auxiliary_loss(real_aux, labels)) / 2
                fake_pred, fake_aux = D(gen_imgs.detach())
                d_fake = (adversarial(fake_pred, fake) + auxiliary_loss(fake_aux, gen_labels)) / 2
                d_loss = (d_real + d_fake) / 2
                d_loss.backward()
                optD.step()
                done += 1
                if done >= rounds:
                    return


def translation(watching: Watching, rounds: int) -> None:
    """An image for an image: D sees both side by side, G has an L1 loss too and dropout for noise."""
    x = Stripes(normalize).images * 2 - 1
    coarse = F.avg_pool2d(x, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    G = nn.Sequential(
        nn.Conv2d(1, 16, 3, 1, 1),
        nn.InstanceNorm2d(16),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Conv2d(16, 1, 3, 1, 1),
        nn.Tanh(),
    )
    D = nn.Sequential(nn.Conv2d(2, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 1, 4, 1, 1))  # a map of scores
    optG, optD = (torch.optim.Adam(net.parameters(), 2e-4, betas=(0.5, 0.999)) for net in (G, D))
    gan_loss = nn.MSELoss()
    with watching(G, D, optG, optD):
        for _ in range(rounds):
            at = torch.randint(len(x), (BATCH,))
            real_a, real_b = coarse[at], x[at]
            fake_b = G(real_a)
            for p in D.parameters():
                p.requires_grad = False
            optG.zero_grad()
            pred = D(torch.cat([real_a, fake_b], 1))
            (gan_loss(pred, torch.ones_like(pred)) + 20 * F.l1_loss(fake_b, real_b)).backward()
            optG.step()
            for p in D.parameters():
                p.requires_grad = True
            optD.zero_grad()
            pred_fake, pred_real = D(torch.cat([real_a, fake_b.detach()], 1)), D(torch.cat([real_a, real_b], 1))
            loss = gan_loss(pred_fake, torch.zeros_like(pred_fake)) + gan_loss(pred_real, torch.ones_like(pred_real))
            (loss * 0.5).backward()
            optD.step()


def packed(watching: Watching, rounds: int) -> None:
    """D judges two examples at a time."""
    x = Stripes(normalize).images * 2 - 1
    G, D = UpNet(), DownNet(channels=2, norm=False)
    optG, optD = (torch.optim.Adam(net.parameters(), 2e-4, betas=(0.5, 0.999)) for net in (G, D))
    with watching(G, D, optG, optD):
        for _ in range(rounds):
            pack = lambda images: images.view(-1, 2, 16, 16)  # noqa: E731
            real = x[torch.randint(len(x), (2 * BATCH,))]
            fake = G(torch.randn(2 * BATCH, 32))
            optD.zero_grad()
            (F.softplus(-D(pack(real))) + F.softplus(D(pack(fake.detach())))).mean().backward()
            optD.step()
            optG.zero_grad()
            F.softplus(-D(pack(fake))).mean().backward()
            optG.step()


def code_in_a_vector(watching: Watching, rounds: int) -> None:
    """A flat MLP with one-hot classes glued to both inputs."""
    data = Stripes(normalize)
    x, y = data.images.flatten(1) * 2 - 1, F.one_hot(data.labels, CLASSES).float()
    G, D = dense(16 + CLASSES, 64, 256, last=nn.Sequential(nn.Linear(256, 256), nn.Tanh())), dense(256 + CLASSES, 64, 1)
    optG, optD = torch.optim.Adam(G.parameters(), 3e-4), torch.optim.Adam(D.parameters(), 3e-4)
    with watching(G, D, optG, optD):
        for _ in range(rounds):
            at = torch.randint(len(x), (BATCH,))
            real, fake = (
                torch.cat([x[at], y[at]], 1),
                torch.cat([G(torch.cat([torch.randn(BATCH, 16), y[at]], 1)), y[at]], 1),
            )
            optD.zero_grad()
            (F.softplus(-D(real)) + F.softplus(D(fake.detach()))).mean().backward()
            optD.step()
            optG.zero_grad()
            F.softplus(-D(fake)).mean().backward()
            optG.step()


SOUND: dict[str, Loop] = {
    "class as a plane": lambda watching, rounds: labeled(watching, rounds, "planes"),
    "projection": lambda watching, rounds: labeled(watching, rounds, "projection"),
    "auxiliary classifier": auxiliary,
    "image to image": translation,
    "two examples packed": packed,
    "one-hot classes in flat vectors": code_in_a_vector,
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "one embedding for both players": (
        lambda watching, rounds: labeled(watching, rounds, "projection", "shared embedding"), "bug-shared-weights",
    ),
    "signs (B,) for scores (B, 1)": (
        lambda watching, rounds: labeled(watching, rounds, "planes", "one row of signs"), "bug-shape-broadcast",
    ),
    "detached for both players": (
        lambda watching, rounds: auxiliary(watching, rounds, "detached"), "bug-generator-cut-off",
    ),
}  # fmt: skip
