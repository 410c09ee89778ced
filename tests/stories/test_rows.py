"""Images and numbers in the rows of Parquet and Arrow files, as the `datasets` library and pandas write them."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparring.analysis.doctor import Examination
from sparring.datasets.files.loading import FolderImages, load_folder
from sparring.datasets.files.settings import ImageSettings
from sparring.datasets.table import Table
from tests.stories.image_files import complaint, sparring

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
LABELS = [index % 3 for index in range(12)]
NAMES = ["frog", "cat", "dog"]
FEATURES = {"info": {"features": {"label": {"_type": "ClassLabel", "names": NAMES}}}}


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def rows(pixels: np.ndarray = PIXELS, labels: Sequence[int | None] = LABELS, **more: list[Any]) -> Any:
    """What `datasets` makes of images and classes."""
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    images = pa.array([{"bytes": png(each), "path": None} for each in pixels], kind)
    columns = {"image": images, "label": pa.array(labels, pa.int64()), **more}
    return pa.table(columns).replace_schema_metadata({"huggingface": json.dumps(FEATURES)})


def parquet(table: Any, out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, out, row_group_size=5)
    return out


def stream(table: Any, out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(out), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=5)
    return out


def arrow_file(table: Any, out: Path) -> Path:
    with pa.OSFile(str(out), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return out


def load(path: Path, **settings: Any) -> FolderImages:
    return load_folder(path, ImageSettings(**settings))


def as_folder(folder: Path) -> FolderImages:
    """The same images as files in subfolders."""
    for index, pixels in enumerate(PIXELS):
        place = folder / NAMES[LABELS[index]]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{index:02}.png").write_bytes(png(pixels))
    return load(folder)


@pytest.mark.parametrize(("write", "name"), [(parquet, "a.parquet"), (stream, "a.arrow"), (arrow_file, "a.feather")])
def test_rows_give_the_images_and_classes_that_files_do(
    tmp_path: Path, write: Callable[[Any, Path], Path], name: str
) -> None:
    found, files = load(write(rows(), tmp_path / name)), as_folder(tmp_path / "album")
    assert found.info.classes == files.info.classes == ("cat", "dog", "frog")
    order = np.argsort([index for c in sorted(NAMES) for index in range(12) if NAMES[LABELS[index]] == c])
    assert np.array_equal(found.pixels, files.pixels[order])
    assert found.labels is not None and files.labels is not None
    assert np.array_equal(found.labels, files.labels[order])


def test_a_data_set_on_the_disk_is_a_folder_of_such_files(tmp_path: Path) -> None:
    """As `save_to_disk` lays it out: splits in folders, and beside them what maps have computed."""
    table = rows()
    stream(table.slice(0, 8), tmp_path / "train" / "data-00000-of-00001.arrow")
    stream(table.slice(8), tmp_path / "test" / "data-00000-of-00001.arrow")
    stream(table.slice(0, 3), tmp_path / "train" / "cache-1f.arrow")
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    found = load(tmp_path)
    assert found.pixels.shape == (12, 3, 8, 8)
    assert found.info.classes == ("cat", "dog", "frog")
    assert Examination.of(tmp_path, ImageSettings()).summary()["kind"] == "2 Arrow files"


def test_any_column_may_hold_the_classes(tmp_path: Path) -> None:
    file = parquet(rows(mood=["glad", "sad"] * 6), tmp_path / "a.parquet")
    assert load(file, labels="mood").info.classes == ("glad", "sad")
    assert load(file, labels="none").info.classes == ()
    assert load(file).info.labels_from == "the column label"
    complaint(lambda: load(file, labels="nothing"), "it has label, mood")


def test_classes_that_are_numbers_are_in_their_order(tmp_path: Path) -> None:
    table = rows().replace_schema_metadata(None).drop_columns(["label"])
    table = table.append_column("class", pa.array([10, 9, 2] * 4))
    assert load(parquet(table, tmp_path / "a.parquet")).info.classes == ("2", "9", "10")


def test_rows_without_a_class_are_said(tmp_path: Path) -> None:
    found = load(parquet(rows(labels=[None, -1, *LABELS[2:]]), tmp_path / "a.parquet"))
    assert found.info.classes == ("(none)", "cat", "dog", "frog")
    assert any("2 of 12 images have no label" in note for note in found.info.notes)


def test_a_row_without_an_image_is_broken_and_named(tmp_path: Path) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    values: list[Any] = [{"bytes": png(each), "path": None} for each in PIXELS]
    values[3], values[4], values[5] = {"bytes": None, "path": "gone.png"}, None, {"bytes": b"no image", "path": None}
    found = load(parquet(pa.table({"image": pa.array(values, kind)}), tmp_path / "a.parquet"))
    assert len(found.pixels) == 9
    reasons = dict(found.info.broken)
    assert reasons["row 03"] == "is not in the file, which has only its path"
    assert reasons["row 04"] == "is empty"
    assert "row 05" in reasons


def test_bytes_alone_are_images_too_and_other_columns_are_said(tmp_path: Path) -> None:
    files = [png(each) for each in PIXELS]
    masks = [png(255 - each) for each in PIXELS]
    file = parquet(pa.table({"mask": masks, "image": files, "key": [b"k"] * 12}), tmp_path / "a.parquet")
    found = load(file)
    assert np.array_equal(found.pixels, PIXELS.transpose(0, 3, 1, 2))
    assert "images are those of the column image; not used: mask" in found.info.notes


def test_numbers_in_rows_are_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = np.random.default_rng(1).normal(size=(40, 2))
    table = pa.table({"age": numbers[:, 0], "income": [None, *numbers[1:, 1]], "name": ["x"] * 40})
    for write, name in ((parquet, "a.parquet"), (arrow_file, "a.feather")):
        found = Table(path=str(write(table, tmp_path / name))).resolved()
        assert found.found_columns == ("age", "income")
        assert found.shape_and_count() == ((2,), 39)  # the row without an income is left out
    assert sparring("doctor", tmp_path / "a.parquet") == 0
    said = capsys.readouterr().out
    assert "39 rows of 2 numbers (age, income)" in said
    assert "left out: 1 column without numbers (name)" in said


def test_lists_and_texts_beside_classes_are_said_and_no_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = [pixels.flatten().tolist() for pixels in PIXELS]
    file = parquet(pa.table({"pixels": flat, "label": LABELS}), tmp_path / "flat.parquet")
    says = (
        "pixels holds lists of 192 numbers, which are left out: save them as an .npy array, (N, K) for rows or signals"
    )
    assert sparring("doctor", file) == 1
    assert f"holds no column of numbers but label; {says}" in capsys.readouterr().err
    nested = parquet(pa.table({"image": PIXELS[..., 0].tolist()}), tmp_path / "nested.parquet")
    complaint(lambda: Table(str(nested)).shape, "holds no column with one number in each row; image holds lists of 64")
    more = parquet(pa.table({"pixels": flat, "label": LABELS, "age": LABELS}), tmp_path / "more.parquet")
    assert Table(str(more)).shape == (2,) and sparring("doctor", more) == 0
    assert says in capsys.readouterr().out
    assert sparring("doctor", parquet(pa.table({"text": ["a"] * 12, "label": LABELS}), tmp_path / "text.parquet")) == 1
    said = capsys.readouterr().out
    assert "warning: only classes are left (label): there is nothing to learn but how many each has" in said
    assert "sparring train" not in said
    text = parquet(pa.table({"image": ["iVBORw0KGgo="]}), tmp_path / "a.parquet")
    complaint(lambda: Table(str(text)).shape, "no column of numbers (image), and none of images as bytes, one in each")


def test_what_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    junk = tmp_path / "junk.parquet"
    junk.write_bytes(b"PAR1 but not quite")
    complaint(lambda: load(junk), "cannot be read")
    torn = stream(rows(), tmp_path / "torn.arrow")
    torn.write_bytes(torn.read_bytes()[:3_000])
    complaint(lambda: load(torn), "torn.arrow")
    words = parquet(pa.table({"text": ["a", "b"]}), tmp_path / "words.parquet")
    complaint(lambda: Table(path=str(words)).resolved(), "no column of numbers")
    complaint(lambda: load(words), "no column of images")
    parquet(rows(), tmp_path / "two" / "a.parquet")
    parquet(pa.table({"picture": [png(PIXELS[0])]}), tmp_path / "two" / "b.parquet")
    complaint(lambda: load(tmp_path / "two"), "b.parquet has no column 'image'")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    complaint(lambda: load(junk), "pip install 'sparring[data]'")
