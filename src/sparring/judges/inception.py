"""Inception's features, which published Fréchet and kernel distances use: FID and KID.

The network is the one of 2015 that Heusel et al. took (NeurIPS 2017), as torch-fidelity carries it over to PyTorch: it
resizes images to 299x299 as TensorFlow 1 did, and returns the 2,048 outputs of its last pooling layer. Package
and weights (Apache 2.0, those of tensorflow/models) are needed when Inception is first used.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn

from sparring.errors import SparringError, in_one_line
from sparring.judges import Judge

NAME = "inception"
PACKAGE = "torch_fidelity"
FILE = "weights-inception-2015-12-05-6726825d.pth"
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{FILE}"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
FEATURES = 2_048
AT_ONCE = 32
"""Images processed at a time: each is 299x299 pixels by then."""


@final
class InceptionNetwork(nn.Module):
    """Images `(B, C, H, W)` in data units, C 1 or 3 -> features `(B, 2048)`, and no class scores `(B, 0)`."""

    def __init__(self, extract: Callable[[Tensor], tuple[Tensor, ...]]):
        super().__init__()
        self.extract = extract

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        # From 8 bits, as published: real images are reproduced exactly.
        pixels = (255 * x).round().to(torch.uint8).expand(-1, 3, -1, -1)
        (features,) = self.extract(pixels)
        return features.float(), features.new_zeros(len(x), 0)


def inception() -> Judge:
    """Inception as a judge. Raises SparringError when its package or its weights cannot be had."""
    extractor = _extractor()
    path = _weights()
    network = InceptionNetwork(extractor(NAME, [str(FEATURES)], feature_extractor_weights_path=str(path)))
    facts = {"features": FEATURES, "words": "Inception of 2015, trained on ImageNet"}
    return Judge(NAME, network.eval(), None, facts, AT_ONCE, slow=True)


def _extractor() -> Any:
    try:
        # By its name, because pyright would miss it: it brings torchvision, so the extra `dev` does without.
        return importlib.import_module(PACKAGE).FeatureExtractorInceptionV3
    except (ImportError, RuntimeError) as error:  # a torchvision of another torch ends in a RuntimeError
        raise SparringError(
            f"the judge {NAME!r} needs torch-fidelity: pip install 'sparring[inception]' ({in_one_line(error)})"
        ) from error


def _weights() -> Path:
    """The published file, from the user's cache or downloaded; whose hash is right, because it will be unpickled."""
    import pooch

    folder = Path(pooch.os_cache("sparring")) / NAME
    fetch = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=(5, 30))  # seconds: to connect, to go on
    try:
        return Path(pooch.retrieve(URL, f"sha256:{SHA256}", FILE, folder, downloader=fetch))
    except OSError as error:  # of which every failure of requests is one, without the system's word for it
        raise SparringError(f"cannot download {_ask(folder, error.strerror or 'no network?')}") from error
    except ValueError as error:
        raise SparringError(f"cannot download {_ask(folder, 'something else was sent')}") from error


def _ask(folder: Path, why: str) -> str:
    return f"Inception's weights ({why}): put the file {URL} into {folder}"
