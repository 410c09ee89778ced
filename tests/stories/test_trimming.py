"""`sparring doctor --trim` finds, lists and draws the least typical images; `--leave-out` trains without them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparring.analysis import trimming
from sparring.analysis.doctor import Examination
from sparring.analysis.trimming import distances
from sparring.datasets.files.left_out import as_list
from sparring.datasets.files.loading import load_folder
from sparring.datasets.files.paths import contents_of
from sparring.datasets.files.settings import ImageSettings
from sparring.datasets.folder import Folder
from sparring.report.terminal.doctor import _left_out  # pyright: ignore[reportPrivateUsage]
from tests.stories.image_files import complaint, saved, sparring

RNG = np.random.default_rng(0)
STRANGE, COUNT = 6, 150


def bars(count: int) -> list[np.ndarray]:
    """Pictures of 8 x 8 pixels, each a bright bar."""
    made: list[np.ndarray] = []
    for _ in range(count):
        light = np.exp(-(((np.arange(8) - RNG.uniform(1, 6)) / 2) ** 2))[:, None]
        made.append(np.broadcast_to((RNG.integers(150, 256, 3) * light)[:, None], (8, 8, 3)).astype(np.uint8))
    return made


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve images in two classes; the working folder is another one."""
    folder = tmp_path / "mine"
    for index, image in enumerate(bars(12)):
        path = folder / ("a", "b")[index % 2] / f"{index:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        saved(image)(path)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return folder


def test_the_strangest_images_are_listed_drawn_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "photos"
    home.mkdir()
    strange = {f"{25 * k:03}.png" for k in range(STRANGE)}
    for index, image in enumerate(bars(COUNT)):
        name = f"{index:03}.png"
        noise = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(noise if name in strange else image).save(home / name)
    before = files_in(home)
    assert sparring("doctor", home, "--trim", STRANGE / COUNT + 1e-9, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said["trim"]["left_out"]) == strange and said["images"] == COUNT
    assert said["training"]["command"].split("--leave-out=")[1].startswith("photos-left-out.txt ")
    assert files_in(home) == before
    assert (tmp_path / "photos-left-out.png").is_file()
    assert sparring("doctor", home, "--leave-out", "photos-left-out.txt", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["images"] == COUNT - STRANGE
    assert again["notes"] == [f"{STRANGE} images are left out, as photos-left-out.txt says"]


def test_density_is_that_of_a_gaussian_of_any_shape() -> None:
    mixed = RNG.normal(size=(2_000, 3)) @ np.diag([1, 10, 0.1]) @ np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    far = distances(mixed)
    exact = np.einsum("nf,fg,ng->n", c := mixed - mixed.mean(0), np.linalg.inv(np.cov(mixed.T)), c)
    assert np.corrcoef(far, exact)[0, 1] > 0.5  # along the shortest axis the ridge is felt
    assert set(np.argsort(distances(np.vstack([mixed, 40 * np.ones((1, 3))])))[-1:]) == {2_000}
    assert np.isfinite(distances(np.ones((5, 4)))).all()


def test_classes_that_are_too_small_to_lose_any_are_counted(home: Path) -> None:
    data = Folder(str(home)).resolved()
    (home / "a" / "00.png").rename(home / "b" / "00.png")
    examination = Examination.of(home, data.settings)
    of_file = {file.name: float(number) for number, file in enumerate(examination.good)}
    for share, amount, spared in ((0.05, 0, "; 2 classes are too"), (0.15, 1, "; 1 class is too"), (0.2, 2, "")):
        found = trimming._trimmed(of_file, examination, share, "own")  # pyright: ignore[reportPrivateUsage]
        assert len(found.left_out) == amount
        assert ("small to lose any" in _left_out(found)) == bool(spared) and spared in _left_out(found)


def test_a_list_leaves_images_out_of_a_run_and_its_content(home: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("# which and why\na/00.png\nb/03.png\n")
    whole, part = (load_folder(home, ImageSettings(leave_out=text)) for text in ("", str(tmp_path / "list.txt")))
    assert (len(whole.pixels), len(part.pixels)) == (12, 10)
    assert part.labels is not None and part.labels.tolist() == [0] * 5 + [1] * 5
    assert whole.info.content != part.info.content
    (tmp_path / "list.txt").write_text("b/03.png")
    assert len(load_folder(home, ImageSettings(leave_out=str(tmp_path / "list.txt"))).pixels) == 11


def test_a_list_may_be_saved_by_any_editor_and_name_any_image(home: Path) -> None:
    (home / "b" / "03.png").rename(home / "# odd.png")
    (home / "a").rename(home / "# a")
    names = ["# a/00.png", "# odd.png", "b/05.png"]
    Path("list.txt").write_bytes(as_list(names, "which and why"))
    assert left_by("list.txt", home) == 9
    for text in ("a/00.png\r\nb/05.png\r\n", "./b/05.png\n./b/07.png\n"):
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            Path("list.txt").write_bytes(text.replace("a/", "# a/").encode(encoding))
            assert left_by("list.txt", home) == 10, (text, encoding)


def left_by(name: str, home: Path) -> int:
    """How many images a list leaves, all of its names being there."""
    contents = contents_of(home, ImageSettings(leave_out=name))
    assert "not here" not in contents.notes[-1]
    return len(contents.images)


def test_a_list_goes_with_arrays_and_their_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", images=np.stack(bars(6)), labels=np.array([0, 1, 2, 0, 1, 2]))
    names = load_names(tmp_path / "mine.npz")
    (tmp_path / "list.txt").write_text("\n".join(names[:1]))
    loaded = load_folder(tmp_path / "mine.npz", ImageSettings(leave_out=str(tmp_path / "list.txt")))
    assert loaded.labels is not None and loaded.labels.tolist() == [1, 2, 0, 1, 2]


def load_names(path: Path) -> list[str]:
    return contents_of(path, ImageSettings()).names


def test_a_recorded_list_is_found_from_anywhere(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("list.txt").write_text("a/00.png\n")
    settled = Folder(str(home), leave_out="list.txt").resolved()
    monkeypatch.chdir(tmp_path)
    assert settled.leave_out == str(tmp_path / "here" / "list.txt")
    assert len(settled.open().pixels) == 11  # type: ignore[attr-defined]


MISTAKES: dict[str, tuple[str, ...]] = {
    "nowhere.txt": ("cannot read", "nowhere.txt, the list of images to leave out (No such file or directory)"),
    "other.txt": ("other.txt leaves out x.png, none of which is in", "name the list that goes with it"),
    "all.txt": ("all.txt leaves out all 12 images in",),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_list_that_does_not_fit_is_refused(name: str, home: Path) -> None:
    Path("other.txt").write_text("x.png\n")
    Path("all.txt").write_text("\n".join(sorted(files_in(home) - {"a", "b"})))
    complaint(lambda: Folder(str(home), leave_out=name).resolved(), *MISTAKES[name])


REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "share": (("--trim", 1), "--trim takes the share of images to leave out, above 0 and at most 0.9"),
    "none": (("--trim", 0), "--trim takes the share of images to leave out, above 0 and at most 0.9"),
    "few": (("--trim", 0.1), "12 images are too few to train a judge on (128 are needed)"),
    "twice": (("--trim", 0.1, "--leave-out", "a.txt"), "--trim examines all images: leave out --leave-out"),
    "suffix": (("--trim", 0.1, "--list", "a.png"), "--list must end in .txt, not '.png'"),
    "list": (("--list", "a.txt"), "--list is where --trim writes: give the share of images to leave out with --trim"),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_what_cannot_be_trimmed_is_said_in_one_line(
    mistake: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags, message = REFUSED[mistake]
    before = files_in(home)
    assert sparring("doctor", home, *flags) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert files_in(home) == before and not list(Path().iterdir())


def test_nothing_is_written_into_the_folder_itself(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    assert sparring("doctor", ".", "--trim", 0.5) == 2
    assert "--trim writes nothing into ." in capsys.readouterr().err
