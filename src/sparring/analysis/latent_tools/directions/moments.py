"""Attributes of images that have names: brightness, position, extent, slant, strokes, from their moments."""

from __future__ import annotations

import numpy as np

ATTRIBUTES = {
    "brightness": ("brighter", "darker"),
    "horizontal": ("further right", "further left"),
    "vertical": ("further down", "further up"),
    "width": ("wider", "narrower"),
    "height": ("taller", "lower"),
    "slant": ("leaning right", "leaning left"),
    "stroke": ("thicker", "thinner"),
    "ink": ("stronger", "fainter"),
    "contrast": ("more contrast", "less contrast"),
}
"""Name -> what more and less of it is called."""
TITLES = {
    "horizontal": "left or right",
    "vertical": "up or down",
    "stroke": "stroke width",
    "ink": "strength",
}
"""What an attribute is called, where its own name does not say it."""
PEAK = 0.03
"""Share of the pixels that are an image's brightest."""
EMPTY = 1e-6
"""Ink, as a share of a full image, below which an image has no place."""


def attributes(images: np.ndarray) -> dict[str, np.ndarray]:
    """Measure what can be named.

    Ink is the brightness of a pixel above the image's darkest: in a photograph it is whatever is bright. With means
    over ink,

        horizontal, vertical = mean x, mean y (shares of the image, from -0.5 to 0.5)
        width, height        = standard deviations of x and y
        slant                = -covariance of x and y / variance of y: the shear that would put it upright
        stroke               = 2 ink / (sum of the lengths of slopes): area over half the outline, the width of strokes
        ink                  = mean of the PEAK brightest pixels' ink: how bright what is there is, however much of it
        brightness, contrast = mean and standard deviation of all pixels

    Args:
        images: `(N, C, H, W)` in data units.

    Returns:
        Name -> `(N,)`, float64; NaN for an image without ink.
    """
    gray = images.astype(np.float64).mean(1)
    count, height, width = gray.shape
    ink = gray - gray.min((1, 2), keepdims=True)
    total = ink.sum((1, 2))
    total = np.where(total > EMPTY * height * width, total, np.nan)
    x = (np.arange(width) + 0.5) / width - 0.5
    y = (np.arange(height) + 0.5) / height - 0.5
    by_x, by_y = ink.sum(1) / total[:, None], ink.sum(2) / total[:, None]
    mean_x, mean_y = by_x @ x, by_y @ y
    var_x, var_y = by_x @ x**2 - mean_x**2, by_y @ y**2 - mean_y**2
    covariance = np.einsum("nhw,h,w->n", ink, y, x) / total - mean_x * mean_y
    # Total variation is the length of outline times the height of the step, for edges in any direction up to 10 %.
    slopes = np.hypot(np.diff(ink, axis=1, append=0.0), np.diff(ink, axis=2, append=0.0)).sum((1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "brightness": gray.mean((1, 2)),
            "horizontal": mean_x,
            "vertical": mean_y,
            "width": np.sqrt(np.maximum(var_x, 0)),
            "height": np.sqrt(np.maximum(var_y, 0)),
            "slant": np.where(var_y > 1e-9, -covariance / var_y, np.nan),
            "stroke": np.where(slopes > 0, 2 * total / slopes, np.nan),
            "ink": np.sort(ink.reshape(count, -1), 1)[:, -max(1, round(PEAK * height * width)) :].mean(1),
            "contrast": gray.reshape(count, -1).std(1),
        }
