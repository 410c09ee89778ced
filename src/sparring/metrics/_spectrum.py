"""Power spectra of images, averaged over images and channels, which several metrics share."""

from __future__ import annotations

import numpy as np

LEVEL = 1 / 255
"""One level of gray, in data units: patterns weaker than that are not seen."""


def power(images: np.ndarray) -> np.ndarray:
    """Mean power spectrum of `(n, C, H, W)`, `(H, W)`; under a Hann window, so that borders leave no trace.

    Divided by the window's power, white noise of variance v has v everywhere.
    """
    height, width = images.shape[-2:]
    window = _hann(height)[:, None] * _hann(width)
    # One image after the other: the Fourier transforms of all would take several times the memory of the images.
    total = np.zeros((height, width // 2 + 1))
    centered = (images - images.mean((-2, -1), keepdims=True)) * window
    for image in centered:
        total += (np.abs(np.fft.rfft2(image)) ** 2).sum(0)
    half = total / (len(images) * images.shape[1] * (window**2).sum())
    # The other half follows from this one: the images are real.
    index = -np.arange(height) % height
    return np.concatenate([half, half[index][:, 1 : (width + 1) // 2][:, ::-1]], 1)


def frequencies(height: int, width: int) -> np.ndarray:
    """The larger of the frequencies across and down at each place of a spectrum, in periods per pixel: 0 to 1/2."""
    down, across = np.abs(np.fft.fftfreq(height))[:, None], np.abs(np.fft.fftfreq(width))
    return np.maximum(down, across)


def pattern(height: int, width: int) -> float:
    """What a pattern of one gray level over the whole image adds to the power at its frequency."""
    window = _hann(height)[:, None] * _hann(width)
    return float((LEVEL * window.sum()) ** 2 / (window**2).sum())


def _hann(size: int) -> np.ndarray:
    return np.hanning(size + 1)[:-1].astype(np.float32)
