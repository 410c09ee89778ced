"""What every test may ask for: each leaf and recipe of the catalogue by its noun, and data that needs no network.

A test that takes an argument called `recipe`, `objective`, `trick`, `network`, `dataset`, `optimizer`, `latent`,
`metric`, `rule`, `remedy` or `move` runs once for every one there is, so a leaf added tomorrow is tested by existing.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import shutil
import struct
from collections.abc import Iterator
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import pytest
from PIL import Image

from sparring import catalogue
from tests.miniature import figures_drawn, figures_left_blank
from tests.sampling import mark_those_left_out

SHELF_OF = {
    "recipe": "recipes",
    "objective": "objectives",
    "trick": "tricks",
    "network": "networks",
    "dataset": "datasets",
    "optimizer": "optimizers",
    "latent": "latents",
    "metric": "metrics",
    "rule": "rules",
    "remedy": "remedies",
    "move": "moves",
}


MEMORY = Path("/dev/shm")
ROOM = 8 * 2**30
"""Bytes: several times what the suite has in its folders at once."""


def pytest_configure() -> None:
    """Folders of tests lie in memory where Linux has room for them: the disk took a tenth of the suite."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK) or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return
    if free_in_memory() > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def free_in_memory() -> int:
    """Bytes that may be written there: what is kept there takes what the machine has available."""
    known = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return min(shutil.disk_usage(MEMORY).free, 1024 * int(known["MemAvailable"].split()[0]))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for noun, shelf in SHELF_OF.items():
        if noun in metafunc.fixturenames:
            metafunc.parametrize(noun, list(catalogue.entries(shelf)), indirect=True)


@pytest.hookimpl(tryfirst=True)  # before what `-m` leaves out is left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_those_left_out(items)


def pytest_collection_finish() -> None:
    """What is there before the first test stays to the end: searching it for garbage took a tenth of the suite."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture
def recipe(request: pytest.FixtureRequest) -> Any:
    return catalogue.find("recipes", request.param)()


@pytest.fixture
def move(request: pytest.FixtureRequest) -> Any:
    return catalogue.find("moves", request.param)


def _leaf(request: pytest.FixtureRequest) -> Any:
    """A leaf with its defaults."""
    leaf = catalogue.find(SHELF_OF[str(request.fixturename)], request.param)
    if request.param == "in-memory":  # is made of examples
        pixels = np.random.default_rng(1).integers(0, 256, (256, 1, 8, 8), dtype=np.uint8)
        return leaf.of(pixels, np.arange(256) % 2)
    needs = {"folder": "image_folder", "table": "table_file"}.get(request.param)  # fields without a default
    return leaf(str(request.getfixturevalue(needs))) if needs else leaf()


objective, trick, network, dataset, optimizer, latent, metric, rule, remedy = (
    pytest.fixture(name=noun)(_leaf)
    for noun in ("objective", "trick", "network", "dataset", "optimizer", "latent", "metric", "rule", "remedy")
)


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stands in for MNIST and Fashion-MNIST: 256 pictures of one bright bar each, at ten angles."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[-14:14, -14:14] + 0.5
    classes = np.arange(256) % 10
    angles = (classes * np.pi / 10)[:, None, None]
    centers = rng.uniform(-4, 4, (256, 1, 1))
    distance = np.abs(rows * np.cos(angles) + columns * np.sin(angles) - centers)
    pixels = (255 * np.exp(-((distance / 3) ** 2)) * rng.uniform(0.7, 1, (256, 28, 28))).astype(np.uint8)
    pixels[:, :2] = pixels[:, -2:] = 0  # as in MNIST, no ink ever reaches the rim
    for name in ("mnist", "fashion-mnist"):
        (folder / name).mkdir()
        (folder / name / "train-images-idx3-ubyte").write_bytes(_idx(pixels))
        (folder / name / "train-labels-idx1-ubyte").write_bytes(_idx(classes.astype(np.uint8)))
    return folder


@pytest.fixture(scope="session")
def table_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV file with 256 rows of three named columns of very different size."""
    file = tmp_path_factory.mktemp("table") / "rows.csv"
    rng = np.random.default_rng(2)
    rows = np.stack([rng.normal(40, 10, 256), rng.exponential(3e4, 256), rng.integers(0, 2, 256)], 1)
    file.write_text("age,income,member\n" + "".join(f"{a:.3f},{b:.1f},{c:.0f}\n" for a, b, c in rows))
    return file


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 256 pictures of 8 x 8 pixels in two classes, of all levels from black to white."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(1)
    for number in range(256):
        home = folder / ("even", "odd")[number % 2]
        home.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(home / f"{number:03d}.png")
    return folder


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What a test keeps in the user's cache is kept in a folder of its own, gone afterwards."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pooch, "os_cache", lambda project: folder / project)
        yield folder


@pytest.fixture(autouse=True, scope="session")
def judges_learn_little() -> Iterator[None]:
    """A judge of a test's own images is trained in a moment, where no test asks what it can tell."""
    from sparring.judges import own_training

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_training, "PASSES", 300)
        yield


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    """What is written need not outlive a loss of power, which no test can bring about."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def no_measuring_of_the_load() -> Iterator[None]:
    """How many cores are idle is read at once, rather than for a tenth of a second before every training."""
    from sparring.game import runtime

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "LOAD_INTERVAL", 0.0)
        yield


@pytest.fixture(autouse=True, scope="session")
def nothing_is_compiled_unasked() -> Iterator[None]:
    """Where no test says what compiling saves it saves nothing: it is slow, and may seem to pay on a busy machine."""
    from sparring.game.compile import compiled
    from sparring.game.compile.costs import Costs

    module = importlib.import_module("sparring.game.compile.plan")  # the package names a function so
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "estimate", lambda game, history: Costs(0.0, 0, 0.0, 0))
        patch.setattr(compiled, "idle_cores", lambda: 1)  # rounds are compiled one after the other
        yield


@pytest.fixture
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations during training take a quarter of their samples, where it is no matter how good these are."""
    from sparring.analysis import evaluator

    monkeypatch.setattr(evaluator, "COUNT", evaluator.MIN_COUNT)
    monkeypatch.setattr(evaluator, "MAX_TRAINING", 4 * evaluator.MIN_COUNT)


@pytest.fixture(scope="session")
def operators_are_read_once() -> Iterator[None]:
    """onnxscript reads the source of its 500 operators anew in every export, which takes a third of one."""
    if importlib.util.find_spec("onnxscript") is None:
        yield
        return
    registration = importlib.import_module("torch.onnx._internal.exporter._registration")
    with pytest.MonkeyPatch.context() as patch:
        apis = registration.onnxscript_apis
        patch.setattr(apis, "get_torchlib_ops", cache(apis.get_torchlib_ops))
        yield


@pytest.fixture(autouse=True, scope="session")
def no_drawing_unasked() -> Iterator[None]:
    """Figures are made, but drawn only for tests marked `drawn`: it takes most of the time of a page."""
    with figures_left_blank():
        yield


@pytest.fixture(autouse=True)
def drawing_where_asked(request: pytest.FixtureRequest) -> Iterator[None]:
    with figures_drawn() if request.node.get_closest_marker("drawn") else nullcontext():
        yield


def _idx(array: np.ndarray) -> bytes:
    return struct.pack(f">2xBB{array.ndim}I", 0x08, array.ndim, *array.shape) + array.tobytes()
