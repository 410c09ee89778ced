"""A tutorial-style DCGAN script on scikit-learn's digits, with the mistake that many have: `BCEWithLogitsLoss` on a
sigmoid. The watch names it in the first rounds.

    python examples/08_watch_dcgan.py [EPOCHS]
"""

import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import sparring
from sparring.datasets import Digits

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
nz, ngf, ndf = 64, 32, 32

netG = nn.Sequential(
    nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False),
    nn.BatchNorm2d(ngf * 2),
    nn.ReLU(True),
    nn.ConvTranspose2d(ngf * 2, 1, 4, 2, 1, bias=False),
    nn.Tanh(),
)
netD = nn.Sequential(
    nn.Conv2d(1, ndf, 4, 2, 1, bias=False),
    nn.LeakyReLU(0.2, inplace=True),
    nn.Conv2d(ndf, 1, 4, 1, 0, bias=False),
    nn.Sigmoid(),
)


def weights_init(m):
    if isinstance(m, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(m.weight, 0.0, 0.02)


torch.manual_seed(999)
netG.apply(weights_init)
netD.apply(weights_init)
pixels = Digits().open().pixels.float() / 127.5 - 1
dataloader = DataLoader(TensorDataset(pixels), batch_size=64, shuffle=True)
criterion = nn.BCEWithLogitsLoss()  # the mistake: netD ends in a sigmoid already
optimizerD = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))

with sparring.watch(netG, netD, optimizerG, optimizerD, data=dataloader, out="runs/watched-dcgan"):
    for _epoch in range(epochs):
        for (real,) in dataloader:
            netD.zero_grad()
            label = torch.full((len(real),), 1.0)
            errD_real = criterion(netD(real).view(-1), label)
            errD_real.backward()
            fake = netG(torch.randn(len(real), nz, 1, 1))
            label.fill_(0.0)
            errD_fake = criterion(netD(fake.detach()).view(-1), label)
            errD_fake.backward()
            optimizerD.step()

            netG.zero_grad()
            label.fill_(1.0)
            errG = criterion(netD(fake).view(-1), label)
            errG.backward()
            optimizerG.step()

for finding in sparring.diagnose("runs/watched-dcgan").findings:
    print(f"{finding.rule}: {finding.claim}\n  instead: {finding.mended}")
