"""Every text that a page or a script asks for exists, and every text that exists is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("nicegui", reason="the explorer needs NiceGUI: pip install 'sparring[explore]'")

import numpy as np

import sparring.explorer
from sparring import SparringError, recipe
from sparring.explorer.frames import frame, read_frame
from sparring.explorer.guard import Guard, with_nonce
from sparring.explorer.parts.recipe_form import RecipeForm
from sparring.explorer.phrases import named
from sparring.explorer.words import ENGLISH, Words

FOLDER = Path(sparring.explorer.__file__).parent
SOURCES = {path: path.read_text(encoding="utf-8") for path in FOLDER.rglob("*") if path.suffix in (".py", ".js")}


def test_every_text_is_asked_for_somewhere() -> None:
    asked = "\n".join(text for path, text in SOURCES.items() if not path.name.endswith("words.py"))
    made = {
        "view-",
        "column-",
        "status-",
        "did-",
        "of-",
        "sees-",
        "latent-plane-",
        "latent-command-",
        "dissect-flag-",
        "plane-",
        "no-plane",
    }
    """Beginnings of keys that are put together."""
    unused = [k for k in ENGLISH if not re.search(f"[\"']{k}[\"']", asked) and not k.startswith(tuple(made))]
    unused = [k for k in unused if not (k.endswith("-help") and k.removesuffix("-help") in ENGLISH)]
    assert unused == []


def test_every_text_that_is_asked_for_exists() -> None:
    for path, source in SOURCES.items():
        for key in re.findall(r"""(?:\bwords\(|\btext\()["']([a-z_-]+)["']""", source):
            assert key in ENGLISH, f"{path.name} asks for {key!r}"


def test_no_text_is_written_in_a_script_or_a_page_itself() -> None:
    """A sentence has a capital and blanks; what a person reads comes from the catalogue."""
    for path, source in SOURCES.items():
        if path.suffix == ".js":
            code = re.sub(r"//.*", "", source)
            assert not re.findall(r"""["'`][A-Z][a-z]+ [a-z]+ [a-z ]+["'`]""", code), path.name


def test_texts_are_filled_in() -> None:
    words = Words()
    assert words("seed", seed=3) == "seed 3"
    with pytest.raises(KeyError):
        words("no such text")
    assert words.all().keys() == ENGLISH.keys()


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("first-layer 2: thinner – thicker", "第一层 2：由变细到变粗"),
        ("features 1: brightens the middle, darkens the rest", "特征 1：使中间变亮、使其余部分变暗"),
        ("dims 3: raises numbers 1 and 3, lowers number 2", "维度 3：第 1 和 3 个数增大、第 2 个数减小"),
        ("classes 7: 7", "类别 7：7"),
    ],
)
def test_names_of_directions_are_said_in_the_language_of_the_page(english: str, chinese: str) -> None:
    assert named(Words("zh"), english) == chinese
    assert named(Words("en"), english) == english


def test_frames_survive_the_way() -> None:
    arrays = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.zeros((0, 4)),
        "c": np.arange(7, dtype=np.uint8),
    }
    facts, read = read_frame(frame({"round": 3, "text": "é"}, arrays))
    assert facts == {"round": 3, "text": "é"}
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype and read[name].shape == array.shape
        np.testing.assert_array_equal(read[name], array)


def test_a_page_with_a_script_more_or_less_than_it_should_have_is_not_served() -> None:
    with pytest.raises(ValueError, match="scripts"):
        with_nonce('<script type="importmap">' * 2, "n")


@pytest.mark.parametrize(
    ("listens_on", "host", "known"),
    [
        ("127.0.0.1", "127.0.0.1:80", True),
        ("127.0.0.1", "localhost:80", True),
        ("127.0.0.1", "[::1]:80", True),
        ("127.0.0.1", "10.0.0.1:80", False),
        ("0.0.0.0", "10.0.0.1:80", True),
        ("0.0.0.0", "evil.example:80", False),
        ("10.0.0.1", "10.0.0.1:80", True),
        ("127.0.0.1", "127.0.0.1:81", False),
        ("127.0.0.1", "127.0.0.1:٨٠", False),
    ],
)
def test_the_names_that_a_server_is_known_by(listens_on: str, host: str, known: bool) -> None:
    async def nothing(*_: object) -> None: ...

    assert Guard(nothing, 80, listens_on).is_own_host(host) is known


def test_a_form_trains_what_its_command_trains_where_auto_chooses_by_the_data_and_the_classes() -> None:
    form = RecipeForm(Words(), recipe("auto"), on_change=lambda: None)
    assert form.recipe() == recipe("auto")
    form.values = {"conditional": True}
    assert form.command == "sparring train auto --conditional"
    assert form.recipe() == recipe("auto", conditional=True)
    form.values = {"data": "ring", "rounds": "50"}
    assert form.command == "sparring train auto --rounds 50 --data ring"
    assert form.recipe() == recipe("auto", sized_by="ring").replace(rounds=50)


def test_a_form_gives_one_command_whichever_change_arrives_first() -> None:
    form = RecipeForm(Words(), recipe("ring"), on_change=lambda: None)
    for values in (
        {"log_points": "9", "rounds": "50", "seeds": "3"},
        {"seeds": "3", "rounds": "50", "log_points": "9"},
    ):
        form.values = values
        assert form.command == "sparring train ring --seeds 3 --rounds 50 --log-points 9"


def test_a_form_blames_the_field_that_is_at_fault_and_not_the_one_that_was_changed_last() -> None:
    form = RecipeForm(Words(), recipe("ring"), on_change=lambda: None)
    form.values = {"batch": "none", "rounds": "50"}
    assert set(form.misfits("rounds")) == {"batch"}
    form.values = {"batch": "none", "rounds": "-1", "seeds": "3"}
    assert set(form.misfits("seeds")) == {"batch", "rounds"}
    form.values = {"batch": "8", "rounds": "50"}
    assert form.misfits("rounds") == {}


@pytest.mark.parametrize("last", ["data", "conditional"])
def test_a_form_blames_the_last_field_where_each_value_fits_alone(last: str) -> None:
    form = RecipeForm(Words(), recipe("digits"), on_change=lambda: None)
    for values in ({"data": "ring"}, {"conditional": True}):
        form.values = dict(values)
        assert form.misfits(last) == {}
    form.values = {"data": "ring", "conditional": True}
    ((blamed, error),) = form.misfits(last).items()
    assert blamed == last and "classes" in str(error)


@pytest.mark.parametrize(
    ("data", "conditional", "blamed"),
    [("nowhere", True, "data"), ("nowhere", None, "data"), ("ring", True, "conditional")],
)
def test_a_form_blames_what_a_recipe_cannot_be_chosen_for(data: str, conditional: bool | None, blamed: str) -> None:
    form = RecipeForm(Words(), recipe("auto"), on_change=lambda: None)
    form.values = {"data": data} if conditional is None else {"data": data, "conditional": conditional}
    with pytest.raises(SparringError):
        form.recipe()
    assert form.undecided() == blamed
