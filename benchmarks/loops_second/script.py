"""Style 1: a tutorial's DCGAN script, with everything in one place and labels that are filled again and again."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader

from loops_second.data import DownNet, Loop, Stripes, UpNet, Watching, normalize

NZ, BATCH, LR, BETA1 = 32, 16, 2e-4, 0.5
REAL_LABEL, FAKE_LABEL = 1.0, 0.0


def weights_init(m: nn.Module, constant: bool = False) -> None:
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        if constant:
            nn.init.constant_(m.weight, 0.02)
        else:
            nn.init.normal_(m.weight, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight, 1.0, 0.02)
        nn.init.constant_(m.bias, 0)


def as_bytes(x: Tensor) -> Tensor:
    return (x * 255).to(torch.uint8)


def run(watching: Watching, rounds: int, wrong: str = "", way: str = "") -> None:
    transform: Any = None if wrong == "no normalize" else normalize
    if wrong == "bytes":
        transform = as_bytes
    dataset = Stripes(transform, by_class=wrong == "by class")
    dataloader = DataLoader(dataset, batch_size=BATCH, shuffle=wrong not in ("by class", "first batch"))
    netG, netD = UpNet(NZ), DownNet(sigmoid=way != "logits" and wrong != "logits", flat=True)
    netG.apply(lambda m: weights_init(m, constant=wrong == "constant"))
    netD.apply(weights_init)
    criterion = nn.BCEWithLogitsLoss() if way == "logits" or wrong == "double" else nn.BCELoss()
    fixed_noise = torch.randn(16, NZ, 1, 1)
    optimizerD = optim.Adam(netD.parameters(), lr=LR, betas=(BETA1, 0.999))
    optimizerG = optim.Adam(netG.parameters(), lr=LR, betas=(BETA1, 0.999))
    if wrong == "new generator":  # the cell with the network was run again, that with the optimizer was not
        netG = UpNet(NZ)
        netG.apply(weights_init)
    G_losses, D_losses, total, iters = [], [], torch.tensor(0.0), 0

    with watching(netG, netD, optimizerG, optimizerD, data=dataloader):
        for epoch in range(1000):
            for data in dataloader:
                if wrong == "first batch":
                    data = next(iter(dataloader))
                netD.zero_grad()
                real_cpu = data[0]
                if wrong == "bytes":
                    real_cpu = (real_cpu - 128) / 128.0
                b_size = real_cpu.size(0)
                label = torch.full((b_size,), REAL_LABEL)
                if way == "noisy labels":
                    label = label - 0.2 * torch.rand(b_size)
                    flipped = torch.rand(b_size) < 0.05
                    label[flipped] = 1 - label[flipped]
                output = netD(real_cpu)
                errD_real = criterion(output, label)
                errD_real.backward()
                D_x = output.mean().item()
                noise = fixed_noise if wrong == "fixed noise" else torch.randn(b_size, NZ, 1, 1)
                fake = netG(noise)
                label = torch.full((len(fake),), FAKE_LABEL)
                if way == "noisy labels":
                    label = label + 0.2 * torch.rand(len(fake))
                if wrong == "never fake":
                    label.fill_(REAL_LABEL)
                output = netD(fake.detach())
                errD_fake = criterion(output, label)
                errD_fake.backward()
                errD = errD_real + errD_fake
                optimizerD.step()

                if wrong != "G not cleared":
                    netG.zero_grad()
                if wrong != "label not refilled":
                    label.fill_(REAL_LABEL)
                if way == "saturating":
                    label.fill_(FAKE_LABEL)
                output = netD(fake)
                errG = -criterion(output, label) if way == "saturating" else criterion(output, label)
                errG.backward()
                optimizerG.step()

                if iters % 20 == 0:
                    print(f"[{epoch}] Loss_D: {errD.item():.4f} Loss_G: {errG.item():.4f} D(x): {D_x:.4f}", end="\r")
                    with torch.no_grad():
                        netG(fixed_noise).detach().cpu()
                G_losses.append(errG.item())
                D_losses.append(errD.item())
                if wrong == "running total":
                    total = total + errG
                iters += 1
                if iters >= rounds:
                    return


def resumed(watching: Watching, rounds: int) -> None:
    """The discriminator was trained on its own for a while before; dropout and smooth labels for real images only."""
    x = Stripes().images * 2 - 1
    g, d = UpNet(NZ), nn.Sequential(nn.Dropout(0.2), DownNet(flat=True))
    og, od = optim.Adam(g.parameters(), 1e-4), optim.Adam(d.parameters(), 4e-4)
    for _ in range(10):
        od.zero_grad()
        real, noise = x[torch.randint(len(x), (BATCH,))], torch.rand(BATCH, 1, 16, 16) * 2 - 1
        (F.softplus(-d(real)) + F.softplus(d(noise))).mean().backward()
        od.step()
    with watching(g, d, og, od):
        for _ in range(rounds):
            real, z = x[torch.randint(len(x), (BATCH,))], torch.randn(BATCH, NZ)
            lr_, lf = d(real), d(g(z).detach())
            loss = F.binary_cross_entropy_with_logits(lr_, torch.full_like(lr_, 0.9))
            loss = loss + F.binary_cross_entropy_with_logits(lf, torch.zeros_like(lf))
            od.zero_grad(set_to_none=False)
            loss.backward()
            od.step()
            lf = d(g(z))
            og.zero_grad(set_to_none=False)
            F.binary_cross_entropy_with_logits(lf, torch.ones_like(lf)).backward()
            og.step()


def _of(**changed: str) -> Loop:
    return lambda watching, rounds: run(watching, rounds, **changed)


SOUND: dict[str, Loop] = {
    "as it stands": _of(),
    "logits": _of(way="logits"),
    "noisy two-sided labels, some flipped": _of(way="noisy labels"),
    "saturating loss": _of(way="saturating"),
    "D trained before, dropout on its input": resumed,
}
BROKEN: dict[str, tuple[Loop, str]] = {
    "BCEWithLogitsLoss, sigmoid in D": (_of(wrong="double"), "bug-double-sigmoid"),
    "sigmoid forgotten": (_of(wrong="logits"), "bug-logits-in-bce"),
    "G's zero_grad forgotten": (_of(wrong="G not cleared"), "bug-stale-gradients"),
    "label not filled with real again": (_of(wrong="label not refilled"), "bug-labels"),
    "label never filled with fake": (_of(wrong="never fake"), "bug-labels"),
    "ToTensor without Normalize": (_of(wrong="no normalize"), "bug-data-range"),
    "bytes minus 128": (_of(wrong="bytes"), "bug-integer-images"),
    "fixed_noise in place of noise": (_of(wrong="fixed noise"), "bug-fixed-noise"),
    "constant_ in place of normal_": (_of(wrong="constant"), "bug-init"),
    "sorted by class, shuffle off": (_of(wrong="by class"), "bug-one-batch"),
    "next(iter(loader)), shuffle off": (_of(wrong="first batch"), "bug-one-batch"),
    "G made anew after its optimizer": (_of(wrong="new generator"), "bug-wrong-parameters"),
    "running total of losses": (_of(wrong="running total"), "bug-retained-graph"),
}
