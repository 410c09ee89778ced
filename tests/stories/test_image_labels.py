"""Classes of a user's own images: subfolders, dataset.json, CSV; used, or said to be unused."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sparring import catalogue
from sparring.datasets.files.labels import classes_of, doubt_of
from sparring.datasets.files.loading import FolderImages, load_folder
from sparring.datasets.files.settings import ImageSettings
from sparring.datasets.folder import Folder
from sparring.errors import UsageError
from sparring.recipe import find_recipe
from tests.stories.image_files import RNG, complaint, saved, sparring

NAMES = [f"{index}.png" for index in range(12)]
CLASSES = ["cat", "dog", "cat", "eel", "dog", "cat", "eel", "eel", "dog", "cat", "dog", "eel"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "mine", NAMES)


def folder_of(folder: Path, names: Sequence[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        saved(RNG.integers(0, 256, (8, 8, 3), dtype="u1"))(folder / name)
    return folder


def load(path: Path, **settings: Any) -> FolderImages:
    return load_folder(path, ImageSettings(**settings))


def labels(path: Path, **settings: Any) -> dict[str, str]:
    """Image -> class, of a folder with nothing broken in it."""
    loaded = load(path, **settings)
    if loaded.labels is None:
        return {}
    names = sorted(str(file.relative_to(path)) for file in path.rglob("*.png"))
    return {n: loaded.info.classes[index] for n, index in zip(names, loaded.labels.tolist(), strict=True)}


EXPECTED = dict(zip(NAMES, CLASSES, strict=True))


def rows(header: str, row: Callable[[str, str], str]) -> str:
    return "\n".join([*([header] if header else []), *(row(name, label) for name, label in EXPECTED.items())])


TABLES = {
    "file,label": rows("file,label", lambda n, c: f"{n},{c}"),
    "label first": rows("class,filename", lambda n, c: f"{c},{n}"),
    "image, category": rows("Image,Category,split", lambda n, c: f"{n},{c},train"),
    "path, with folders": rows("path,target", lambda n, c: f"./data\\images/{n},{c}"),
    "absolute": rows("image_path,class_name", lambda n, c: f"/home/me/pictures/{n},{c}"),
    "no endings": rows("image_id,label", lambda n, c: f"{n.removesuffix('.png')},{c}"),
    "no header": rows("", lambda n, c: f"{n},{c}"),
    "semicolons": rows("file;label", lambda n, c: f"{n};{c}"),
    "tabs": rows("file\tlabel", lambda n, c: f"{n}\t{c}"),
    "quotes and spaces": rows('"File Name", "Label"', lambda n, c: f'"{n}"," {c} "'),
    "byte order mark": "\ufeff" + rows("file,label", lambda n, c: f"{n},{c}"),
    "windows lines": rows("file,label", lambda n, c: f"{n},{c}").replace("\n", "\r\n"),
    "more rows than images": rows("file,label", lambda n, c: f"{n},{c}") + "\nnot-here.png,cat\n\n",
    "one other column of any name": rows("picture,animal", lambda n, c: f"{n},{c}"),
    "a column for each class": rows(
        "image,cat,dog,eel", lambda n, c: f"{n}," + ",".join("1.0" if c == k else "0.0" for k in ("cat", "dog", "eel"))
    ),
    "unknown names": rows("a,b", lambda n, c: f"{n},{c}"),
}


@pytest.mark.parametrize("table", TABLES)
def test_a_csv_file_beside_the_images_gives_their_classes(home: Path, table: str) -> None:
    (home / "train.csv").write_text(TABLES[table], encoding="utf-8")
    assert labels(home) == EXPECTED
    info = load(home).info
    assert (info.labels_from, info.stray, info.classes) == ("train.csv", (), ("cat", "dog", "eel"))


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "utf-16"])
def test_a_csv_file_of_any_encoding(tmp_path: Path, encoding: str) -> None:
    home = folder_of(tmp_path / "mine", ["图0.png", "图1.png", "图2.png"])
    (home / "标签.csv").write_bytes("文件,类别\n图0.png,猫\n图1.png,狗\n图2.png,猫\n".encode(encoding))
    assert labels(home) == {"图0.png": "猫", "图1.png": "狗", "图2.png": "猫"}


def test_classes_with_accents_of_a_western_windows(tmp_path: Path) -> None:
    home = folder_of(tmp_path / "mine", ["0.png", "1.png", "2.png"])
    (home / "labels.csv").write_bytes("file;label\n0.png;Käse\n1.png;Größe\n2.png;Käse\n".encode("cp1252"))
    assert labels(home) == {"0.png": "Käse", "1.png": "Größe", "2.png": "Käse"}


def test_numbers_are_classes_in_their_order(home: Path) -> None:
    numbers = [10, 2, 10, 0, 2, 0, 10, 2, 0, 10, 2, 0]
    (home / "labels.csv").write_text("file,label\n" + "\n".join(f"{i}.png,{n}.0" for i, n in enumerate(numbers)))
    assert load(home).info.classes == ("0", "2", "10")


@pytest.mark.parametrize("container", ["folder", "zip"])
@pytest.mark.parametrize("form", ["pairs", "one-hot", "mapping"])
def test_dataset_json_as_stylegan_writes_it(tmp_path: Path, container: str, form: str) -> None:
    names = [f"0000{index // 6}/img{index:08}.png" for index in range(12)]
    home = folder_of(tmp_path / "mine", names)
    numbers = [2, 0, 1] * 4
    one_hot = [[int(k == n) for k in range(3)] for n in numbers]
    pairs: Any = [[n, k] for n, k in zip(names, one_hot if form == "one-hot" else numbers, strict=True)]
    document = {"labels": dict(pairs) if form == "mapping" else pairs}
    (home / "dataset.json").write_text(json.dumps(document))
    expected = load(home)
    assert (expected.info.classes, expected.info.labels_from) == (("0", "1", "2"), "dataset.json")
    if container == "zip":
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            for file in sorted(home.rglob("*.*")):
                archive.write(file, file.relative_to(home))
        assert load(tmp_path / "a.zip").info.content == expected.info.content
    assert expected.labels is not None and expected.labels.tolist() == numbers


def test_dataset_json_without_labels_means_that_subfolders_are_none(tmp_path: Path) -> None:
    home = folder_of(tmp_path / "mine", [f"{index % 2:05}/{index}.png" for index in range(12)])
    assert load(home).info.classes == ("00000", "00001")
    (home / "dataset.json").write_text('{"labels": null}')
    assert load(home).info.classes == ()


def test_metadata_jsonl_gives_classes_too(home: Path) -> None:
    lines = [json.dumps({"file_name": n, "text": f"a {c} {n}", "label": c}) for n, c in EXPECTED.items()]
    (home / "metadata.jsonl").write_text("\n".join(lines))
    assert labels(home) == EXPECTED


def test_a_column_of_ones_own_is_named(home: Path) -> None:
    lines = [f"{n},{c},{'old' if k % 2 else 'new'}" for k, (n, c) in enumerate(EXPECTED.items())]
    (home / "a.csv").write_text("file,species,age\n" + "\n".join(lines))
    info = load(home).info
    assert info.classes == ()
    assert info.notes == ("a.csv has no column label, class or category: --labels COLUMN names one of species, age",)
    assert load(home, labels="age").info.classes == ("new", "old")
    assert labels(home, labels="species") == EXPECTED
    complaint(lambda: load(home, labels="size"), "labels=size: no CSV file in", "has a column 'size'")


def test_images_without_a_label_are_a_class_of_their_own_and_said(home: Path) -> None:
    (home / "a.csv").write_text(
        "file,label\n" + "\n".join(f"{n},{c}" for n, c in list(EXPECTED.items())[:9]) + "\n9.png,"
    )
    info = load(home).info
    assert info.classes == ("(none)", "cat", "dog", "eel")
    assert info.notes == ("3 of 12 images have no label: they are a class of their own, (none)",)


@pytest.mark.parametrize(
    ("header", "number"),
    [(",filenames,label", 0), ("id,my_picture,label", 0), ("Unnamed: 0,frame,label", 5), ("index,photos,label", 7)],
)
def test_numbers_of_rows_are_no_names_of_images(home: Path, header: str, number: int) -> None:
    shuffled = sorted(EXPECTED.items(), key=lambda item: item[::-1])
    lines = [f"{(k + number) % 12},{n},{c}" for k, (n, c) in enumerate(shuffled)]
    (home / "a.csv").write_text("\n".join([header, *lines]))
    assert labels(home) == EXPECTED and load(home).info.notes == ()


def test_two_columns_that_name_different_images_are_said(home: Path) -> None:
    lines = [f"{n},{NAMES[k - 1]},{c}" for k, (n, c) in enumerate(EXPECTED.items())]
    (home / "a.csv").write_text("left,right,label\n" + "\n".join(lines))
    assert labels(home) == EXPECTED
    said = "a.csv names images in the columns left and right, which differ in 12 rows: left is used "
    assert load(home).info.notes == (f"{said}(0.png, 1.png, 2.png and 9 more)",)


@pytest.mark.parametrize(
    ("why", "place"), [("missing", ""), ("missing", "train/"), ("broken", "train/"), ("left out", "")]
)
def test_the_label_of_an_image_that_is_not_there_goes_to_no_other(tmp_path: Path, why: str, place: str) -> None:
    home = folder_of(tmp_path / "mine", [f"{part}/{name}" for part in ("train", "test") for name in NAMES])
    lines = [f"{'' if place else 'train/'}{name},{label}" for name, label in EXPECTED.items()]
    (home / f"{place}labels.csv").write_text("\n".join(["file,label", *lines]))
    for name in NAMES[:5]:
        (home / "train" / name).unlink()
        if why == "broken":
            (home / "train" / name).write_bytes(b"\x89PNG\r\n\x1a\n")
        elif why == "left out":
            folder_of(home, [f"train/{name}"])
    (tmp_path / "out.txt").write_text("\n".join(f"train/{name}" for name in NAMES[:5]))
    loaded = load(home, leave_out=str(tmp_path / "out.txt") if why == "left out" else "")
    assert loaded.labels is not None
    found = [loaded.info.classes[index] for index in loaded.labels]
    names = sorted(f"test/{name}" for name in NAMES) + sorted(f"train/{name}" for name in NAMES[5:])
    assert found == [EXPECTED[n[6:]] if n.startswith("train/") else "(none)" for n in names]
    cells = ", ".join(line.partition(",")[0] for line in lines[:3])
    said = f"{place}labels.csv names 5 images that are not there ({cells} and 2 more)"
    assert (said in loaded.info.notes) is (why == "missing")


def test_names_in_other_folders_are_found_and_said(tmp_path: Path) -> None:
    home = folder_of(tmp_path / "mine", [f"small/{name}" for name in NAMES])
    (home / "a.csv").write_text("\n".join(["path,label", *(f"raw/{n},{c}" for n, c in EXPECTED.items())]))
    assert [*labels(home).values()] == [EXPECTED[name] for name in sorted(NAMES)]
    said = "a.csv gives 12 images another folder than they lie in, or none "
    assert load(home).info.notes == (f"{said}(small/0.png, small/1.png, small/2.png and 9 more)",)
    folder_of(home, [f"large/{name}" for name in NAMES[:2]])
    said = "a.csv has 2 names that fit several images, so they give none a class (raw/0.png, raw/1.png)"
    assert said in load(home).info.notes
    (home / "a.csv").write_text("\n".join(["path,label", *(f"/mine/small/{n[:-4]},{c}" for n, c in EXPECTED.items())]))
    found = labels(home)
    assert {name: found[f"small/{name}"] for name in NAMES} == EXPECTED, "by its folder, also without an ending"


def test_files_that_contradict_each_other_are_said(home: Path) -> None:
    other = {"cat": "dog", "dog": "dog", "eel": "eel"}
    (home / "a.csv").write_text(rows("file,label", lambda n, c: f"{n},{c}"))
    (home / "b.csv").write_text(rows("file,label", lambda n, c: f"{n},{other[c]}"))
    (home / "sample.csv").write_text(rows("file,label", lambda n, c: f"{n},cat") + "\n0.png,cow")
    assert labels(home) == EXPECTED
    assert load(home).info.notes == (
        "sample.csv gives 1 image several labels: the first is used (0.png)",
        "files that label images: a.csv (12), b.csv (12), sample.csv (12, all cat)",
        "these files give 12 images different labels: the first is used (0.png, 2.png, 5.png and 9 more)",
    )


@pytest.mark.parametrize("name", ["0.PNG", "00000", "cat/0.png.jpg"])
def test_a_file_that_names_no_image_is_said(home: Path, name: str) -> None:
    (home / "labels.csv").write_text(f"file,label\n{name},cat\n")
    info = load(home).info
    assert (info.notes, info.stray) == (
        ("labels.csv names none of the images, so it gives no classes",),
        ("labels.csv",),
    )
    folder_of(home, ["a/x.png", "b/x.png"])
    (home / "labels.csv").write_text("file,label\nx,cat\n")
    assert load(home, labels="auto").info.notes[0].startswith("each name in labels.csv fits several images or none")
    (home / "labels.csv").rename(home / "prices.csv").write_text("name,price\nbread,20\n")
    assert "prices.csv" not in str(load(home).info.notes), "of anything else"


def test_labels_that_are_no_classes_are_said_to_be_unused(home: Path) -> None:
    (home / "a.csv").write_text("file,label\n" + "\n".join(f"{n},{k / 7}" for k, n in enumerate(NAMES)))
    info = load(home).info
    assert (info.classes, info.notes) == ((), ("a.csv: 12 labels for 12 images are no classes",))
    (home / "a.csv").write_text("file,label\n" + "\n".join(f"{n},cat" for n in NAMES))
    assert load(home).info.classes == ()
    (home / "a.csv").unlink()
    (home / "labels.json").write_text("{")
    assert load(home).info.notes[0].startswith("labels.json cannot be read (")
    (home / "labels.json").write_text(json.dumps({n: [0.5, 0.25] for n in NAMES}))
    assert load(home).info.notes == ("labels.json has vectors in place of labels, which are not used",)


def test_a_file_that_labels_most_images_goes_before_subfolders(tmp_path: Path) -> None:
    home = folder_of(tmp_path / "mine", [f"part{k % 2}/{k}.png" for k in range(12)])
    assert load(home).info.classes == ("part0", "part1")
    (home / "a.csv").write_text(TABLES["file,label"])
    assert load(home).info.classes == ("cat", "dog", "eel")
    assert load(home, labels="folders").info.classes == ("part0", "part1")
    assert load(home, labels="none").info.classes == ()
    (home / "a.csv").write_text("file,label\n0.png,cat\n1.png,dog\n")
    info = load(home).info
    assert (info.classes, info.labels_from) == (("part0", "part1"), "subfolders")
    assert info.notes == ("a.csv labels only 2 of 12 images, so subfolders are the classes",)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(["a/1.png", "b/2.png"], ["a", "b"], id="plain"),
        pytest.param(["data/a/x/1.png", "data/b/2.png"], ["a", "b"], id="deeper"),
        pytest.param(["train/a/1.png", "train/b/2.png", "test/a/3.png"], ["a", "b", "a"], id="splits"),
        pytest.param(["Train/1.png", "val/2.png"], ["(none)", "(none)"], id="splits-alone"),
        pytest.param(["train/1.png", "dogs/2.png"], ["train", "dogs"], id="no-splits"),
        pytest.param(["00000/00012.png", "01000/01500.png"], ["(none)"] * 2, id="ffhq"),
        pytest.param(["00000/img00000012.png", "00001/img00001500.png"], ["(none)"] * 2, id="stylegan"),
        pytest.param(["00000/1.png", "00001/2.png"], ["00000", "00001"], id="numbered-classes"),
    ],
)
def test_which_subfolders_are_classes(names: list[str], expected: list[str]) -> None:
    assert classes_of(names) == expected


def test_one_subfolder_for_each_image_is_no_class(tmp_path: Path) -> None:
    info = load(folder_of(tmp_path / "mine", [f"person {k}/face.png" for k in range(12)])).info
    assert (info.classes, info.notes) == ((), ("12 subfolders for 12 images are no classes",))


QUICK = ("--rounds", 4, "--log-points", 2, "--batch", 4, "--samples-per-grid", 6, "--threads", 1, "--no-compile")


@pytest.mark.parametrize("source", ["subfolders", "labels.csv"])
def test_classes_condition_training_and_are_recorded(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{('cat', 'dog', 'eel')[index % 3]}/{index}.png" for index in range(36)]
    if source == "subfolders":
        home = folder_of(tmp_path / "mine", names)
    else:
        home = folder_of(tmp_path / "mine", [Path(name).name for name in names])
        lines = [f"{Path(name).name},{Path(name).parent}" for name in names]
        (home / "labels.csv").write_text("\n".join(["file,label", *lines]))
    out = tmp_path / "run"
    command = ("train", "--data", home, "--conditional", "--out", out, *QUICK)
    assert sparring(*command) == 0
    few = "used with --conditional, not by auto: class cat has only 12 images and 2 others too few (each needs 1,000)"
    assert f"36 images in 3 classes ({source}; {few})" in capsys.readouterr().err
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["conditional"] and recipe["data"]["found_classes"] == ["cat", "dog", "eel"]
    assert recipe["objective"] == {"is": "bce-with-logits"}  # as `auto` has it wherever it trains with classes
    for then in (["sample", out, "--out", tmp_path / "s.png"], ["measure", out, "--count", 16], ["show", out], command):
        assert sparring(*then) == 0


@pytest.mark.parametrize(
    ("counts", "doubt"),
    [
        pytest.param({"cat": 20, "dog": 30}, "", id="enough"),
        pytest.param({"cat": 19, "dog": 30}, "class cat has only 19 images (each needs 20)", id="one-small"),
        pytest.param({"cat": 20, "dog": 50}, "class dog has 2.5 times as many images as cat (at most 2)", id="unlike"),
        pytest.param(
            {"cat": 1, "dog": 30, "eel": 9},
            "class cat has only 1 image and 1 other too few (each needs 20)",
            id="two",
        ),
    ],
)
def test_auto_trains_with_subfolders_where_each_has_images_enough(
    counts: dict[str, int], doubt: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparring.datasets.files.labels.MIN_IN_CLASS", 20)
    home = folder_of(
        tmp_path / "mine", [f"{name}/{index}.png" for name, many in counts.items() for index in range(many)]
    )
    data = Folder(str(home))
    recipe = find_recipe("auto", sized_by=data)
    assert (load(home).info.class_doubt, recipe.conditional, recipe.classes) == (doubt, not doubt, (0 if doubt else 2))
    assert catalogue.to_text(recipe.objective) == ("relativistic-paired" if doubt else "bce-with-logits")
    assert not find_recipe("auto", sized_by=Folder(str(home), labels="none")).conditional
    for asked, loss in ((True, "bce-with-logits"), (False, "relativistic-paired")):  # over what the data say
        recipe = find_recipe("auto", sized_by=data, conditional=asked)
        assert (recipe.conditional, catalogue.to_text(recipe.objective)) == (asked, loss)


def test_a_thousand_images_are_enough_for_a_class() -> None:
    assert doubt_of({"cat": 1_000, "dog": 2_000}) == "" != doubt_of({"cat": 999, "dog": 2_000})


def test_what_auto_does_with_subfolders_is_said_and_a_flag_does_the_contrary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sparring.datasets.files.labels.MIN_IN_CLASS", 20)
    home = folder_of(tmp_path / "mine", [f"{('cat', 'dog')[index % 2]}/{index}.png" for index in range(40)])
    line = "2 classes (subfolders; auto trains with them, --no-conditional without)"
    quick = ("--rounds", 1, "--log-points", 1, "--batch", 4, "--samples-per-grid", 6, "--threads", 1, "--no-judge")
    for more, expected in (((), True), (("--no-conditional",), False)):
        out = tmp_path / f"run{expected}"
        assert sparring("train", "--data", home, "--out", out, *quick, *more) == 0
        assert f"40 images in {line}" in capsys.readouterr().err
        recipe = json.loads((out / "recipe.json").read_text())
        assert recipe["conditional"] is expected
        assert recipe["objective"] == {"is": "bce-with-logits" if expected else "relativistic-paired"}
    assert sparring("doctor", home) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"classes {line.replace('classes ', '')}: cat 20, dog 20" in said


def test_one_subfolder_is_no_class_and_said(tmp_path: Path) -> None:
    info = load(folder_of(tmp_path / "mine", [f"cat/{index}.png" for index in range(12)])).info
    assert (info.classes, info.notes) == ((), ("all images lie in one subfolder (cat), so there are no classes",))
    assert load(folder_of(tmp_path / "flat", NAMES)).info.notes == ()


def test_conditional_training_without_classes_says_how_to_get_them(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sparring("train", "--data", home, "--conditional", "--out", tmp_path / "run", *QUICK) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("sparring: conditional needs data whose classes are known: ")
    assert "put the images of each class into a subfolder, or a CSV file with the columns file and label" in said
    assert not (tmp_path / "run").exists()


def test_a_recipe_with_classes_survives_json(home: Path) -> None:
    from sparring.recipe import Recipe

    (home / "labels.csv").write_text(TABLES["file,label"])
    recipe = find_recipe("auto", sized_by=Folder(str(home))).replace(conditional=True)
    settled = recipe.replace(data=recipe.data.resolved())
    assert settled.classes == 3
    assert Recipe.from_json(settled.to_json()) == settled
    with pytest.raises(UsageError, match="conditional needs data whose classes are known"):
        recipe.replace(data=Folder(str(home), labels="none"))
