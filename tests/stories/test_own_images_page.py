"""What docs/own-images.md tells a user to type, typed one after the other on a small folder of the same name."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.stories.image_files import sparring

PAGE = Path(__file__).parents[2] / "docs" / "own-images.md"
SHORTER = {
    "--minutes 10": "--rounds 3 --no-judge --no-compile",
    "--remedy resize-convolution": "--remedy resize-convolution --rounds 3 --no-judge --no-compile",
}
"""A user has ten minutes; the folder below has two classes of 30 images."""
COLORS = np.array([(0, 0, 0, 0), (200, 40, 40, 255), (40, 160, 60, 255), (240, 220, 90, 255)], np.uint8)
"""Of pixel art, which is what the page's tiles are: nothing, and three more."""


def test_the_way_from_a_folder_to_an_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for index in range(60):
        path = tmp_path / "tiles" / ("a", "b")[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        blots = rng.integers(1, 4, (20, 20)) * (rng.random((20, 20)) < 0.6)
        Image.fromarray(COLORS[blots]).save(path)
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^sparring (.*)$", PAGE.read_text(), flags=re.MULTILINE)
    assert [c.split()[0] for c in commands] == ["doctor", "train", "diagnose", "train", "measure", "sample", "export"]
    for command in commands:
        for long, short in SHORTER.items():
            command = command.replace(long, short)
        assert sparring(*shlex.split(command)) == 0, command
    for made in ("contact.png", "runs/tiles/report.html", "tiles-generated.png", "exported/generator.onnx"):
        assert (tmp_path / made).is_file(), made
