"""Law 5: a recipe survives JSON and back; its id is stable, and tells apart what computes differently."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, final, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from sparring import catalogue
from sparring.errors import SparringError, UsageError
from sparring.game.moves import MODERN
from sparring.recipe import KIND_OF, Origin, OwnPart, Recipe, StartFrom, find_recipe
from sparring.tricks import Trick
from tests.laws.user_modules import PAIRS

FIELD_OF = {shelf: field for field, shelf in KIND_OF.items()}
LEAVES = [(shelf, name) for shelf in FIELD_OF if shelf != "moves" for name in catalogue.entries(shelf)]
BASE = find_recipe("digits")


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a leaf's field, by its annotation."""
    if kind is float:
        return st.floats(0.001, 0.999)
    if kind is int:
        return st.integers(1, 999)
    if kind is bool:
        return st.booleans()
    if kind is str:
        return st.text()
    if get_origin(kind) in (Union, UnionType):
        return st.one_of(*map(values, get_args(kind)))
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    assert get_origin(kind) is tuple, f"say how to draw a {kind}"
    inner = get_args(kind)
    if inner[-1] is Ellipsis:
        return st.lists(values(inner[0]), min_size=1, max_size=4).map(tuple)
    if inner == (float, float):  # a range
        return st.lists(values(float), min_size=2, max_size=2, unique=True).map(sorted).map(tuple)
    return st.tuples(*map(values, inner))


def fields_of(leaf: type[Any]) -> dict[str, st.SearchStrategy[Any]]:
    hints = get_type_hints(leaf)
    drawn = {f.name: values(hints[f.name]) for f in dataclasses.fields(leaf)}
    if "levels" in drawn:
        drawn["levels"] = st.sampled_from(["full", "used", "0:4095", "-1:1"])
    return drawn


def required(leaf: type[Any]) -> dict[str, st.SearchStrategy[Any]]:
    """Values of the fields that have no default."""
    drawn = fields_of(leaf)
    return {f.name: drawn[f.name] for f in dataclasses.fields(leaf) if f.default is dataclasses.MISSING}


def holding(shelf: str, leaf: Any) -> Recipe:
    """A recipe with this leaf in it."""
    field = FIELD_OF[shelf]
    return BASE.replace(**{field: (leaf,) if field == "tricks" else leaf})


def assert_survives(recipe: Recipe) -> None:
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert again.id == recipe.id
    assert again.to_json() == recipe.to_json()


def test_a_recipe_survives_json(recipe: Recipe) -> None:
    assert_survives(recipe)
    assert_survives(recipe.replace(seeds=(2**63 - 1, 0, 7), rounds=12_345, round=MODERN + MODERN))


@pytest.mark.parametrize(("shelf", "name"), LEAVES)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_values_of_a_leafs_fields_survive_json(shelf: str, name: str, data: st.DataObject) -> None:
    leaf = catalogue.find(shelf, name)
    assert_survives(holding(shelf, data.draw(st.builds(leaf, **fields_of(leaf)))))


@given(text=st.text(), size=st.integers(1, 999))
def test_any_text_in_a_field_is_read_as_it_was_written(text: str, size: int) -> None:
    folder = catalogue.make("datasets", "folder", {"path": text, "size": size})
    assert catalogue.read("datasets", catalogue.to_text(folder)) == folder


@pytest.mark.parametrize(
    ("shelf", "name", "field"), [(s, n, f.name) for s, n in LEAVES for f in dataclasses.fields(catalogue.find(s, n))]
)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_id_changes_with_every_field_of_a_leaf(shelf: str, name: str, field: str, data: st.DataObject) -> None:
    leaf = catalogue.find(shelf, name)
    one = data.draw(st.builds(leaf, **required(leaf)))
    other = dataclasses.replace(
        one, **{field: data.draw(fields_of(leaf)[field].filter(lambda v: v != getattr(one, field)))}
    )
    assert holding(shelf, one).id != holding(shelf, other).id


CHANGES: dict[str, Any] = {
    "data": catalogue.find("datasets", "mnist")(),
    "generator": catalogue.find("networks", "fully-connected")(hidden=(7,)),
    "discriminator": catalogue.find("networks", "fully-connected")(hidden=(7,)),
    "objective": catalogue.find("objectives", "mse")(),
    "latent": catalogue.find("latents", "uniform")(32),
    "round": MODERN[::-1],
    "generator_optimizer": catalogue.find("optimizers", "sgd")(),
    "discriminator_optimizer": catalogue.find("optimizers", "sgd")(),
    "tricks": (),
    "conditional": True,
    "clusters": 8,
    "precision": "bfloat16",
    "batch": 65,
    "rounds": 6_001,
    "seeds": (0, 1),
    "log_points": 41,
    "samples_per_grid": 65,
    "start_from": "runs/a",
    "per_member": {"lr": (1e-3,)},
}
NOT_COMPUTED = ("name", "origin", "cluster_sizes")  # which are nothing without clusters


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Recipe) if f.name not in NOT_COMPUTED])
def test_the_id_changes_with_every_field_of_a_recipe(field: str) -> None:
    assert BASE.replace(**{field: CHANGES[field]}).id != BASE.id


def test_the_order_of_members_belongs_to_the_id_for_the_files_hold_them_in_order() -> None:
    assert BASE.replace(seeds=(0, 1)).id != BASE.replace(seeds=(1, 0)).id


def test_the_id_does_not_depend_on_name_or_origin() -> None:
    assert BASE.replace(name="other", origin=Origin("/x/y.py", "f", "0" * 64)).id == BASE.id


def test_the_id_depends_on_the_weights_that_a_run_starts_with_and_not_on_where_they_are() -> None:
    here, there, other = (StartFrom(run, weights=w) for run, w in (("a", "12"), ("b", "12"), ("a", "13")))
    assert BASE.replace(start_from=here).id == BASE.replace(start_from=there).id
    assert BASE.replace(start_from=here).id != BASE.replace(start_from=other).id
    assert BASE.replace(start_from=here).id != BASE.replace(start_from=dataclasses.replace(here, seed=3)).id
    assert BASE.replace(start_from=None).id == BASE.id


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("runs/a", StartFrom("runs/a")),
        ("runs/a:3", StartFrom("runs/a", 3)),
        ("runs/a:best", StartFrom("runs/a", None, True)),
        ("C:\\runs\\a:12:best", StartFrom("C:\\runs\\a", 12, True)),
        ("runs/a:b", StartFrom("runs/a:b")),
    ],
)
def test_a_start_from_is_read_as_it_is_written(text: str, read: StartFrom) -> None:
    assert StartFrom.read(text) == read and str(read) == text
    recipe = BASE.replace(start_from=text)
    assert recipe.start_from == read
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert BASE.replace(start_from=Path("runs/a:3")).start_from == StartFrom("runs/a:3")


def test_the_id_is_twelve_hexadecimal_digits_and_no_two_recipes_share_one() -> None:
    # mnist-v5.0 is mnist-reference under its version number.
    ids = [find_recipe(name).id for name in catalogue.entries("recipes") if name != "mnist-v5.0"]
    assert len(set(ids)) == len(ids)
    assert all(len(i) == 12 and int(i, 16) >= 0 for i in ids)


def narrow(width: int = 3) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Linear(width, 1))


class Maker:
    """Something to call that is neither a function nor a class."""

    def __init__(self, width: int):
        self.width = width

    def __call__(self) -> nn.Module:
        return narrow(self.width)


OWN: dict[str, Any] = {
    "a function": narrow,
    "a lambda": lambda: narrow(5),
    "a class": PAIRS["convolutions"][1],
    "a module": nn.Sequential(nn.Flatten(), nn.Linear(64, 1)),
    "a partial function": functools.partial(narrow, 4),
    "a partial class": functools.partial(PAIRS["convolutions"][1]),
    "an object to call": Maker(4),
}

TELL = """
import json
from sparring import catalogue
from sparring.recipe import find_recipe
from tests.laws.test_recipe_survives_json import BASE, OWN
def typed(): pass
ids = {n: find_recipe(n).id for n in catalogue.entries("recipes")}
ids |= {n: BASE.replace(discriminator=part).id for n, part in OWN.items()}
print(json.dumps(ids | {"typed at a prompt": BASE.replace(discriminator=typed).id}))
"""


def test_ids_are_the_same_in_every_process() -> None:
    """Hash seeds and addresses in memory differ; ids must not, or a run could not be gone on with."""
    ids = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", TELL],
                env={**os.environ, "PYTHONHASHSEED": seed},
                cwd=Path(__file__).parents[2],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for seed in ("0", "1")
    ]
    assert ids[0] == ids[1]
    assert ids[0].items() >= {n: BASE.replace(discriminator=part).id for n, part in OWN.items()}.items()


@pytest.mark.parametrize("what", OWN)
def test_a_users_own_part_changes_the_id_and_comes_back_from_the_recipe_that_defines_it(what: str) -> None:
    recipe = BASE.replace(discriminator=OWN[what])
    others = [BASE.replace(discriminator=part).id for name, part in OWN.items() if name != what]
    assert recipe.id not in {BASE.id, *others}
    assert Recipe.from_json(recipe.to_json(), base=recipe) == recipe
    with pytest.raises(SparringError, match="user's own") as caught:
        Recipe.from_json(recipe.to_json())
    assert len(str(caught.value).splitlines()) == 1


def test_what_a_users_own_maker_holds_belongs_to_the_id() -> None:
    ids = {
        BASE.replace(discriminator=part).id
        for part in (functools.partial(narrow, 4), functools.partial(narrow, 5), nn.Linear(64, 1), nn.Linear(64, 2))
    }
    assert len(ids) == 4


@final
@dataclass(frozen=True)
class OwnTrick(Trick):
    """A user's own trick, with a field."""

    hooks = frozenset({"label"})
    strength: tuple[float, float] = (0.5, 1.0)


def own_move(game: Any) -> None:
    """A user's own move."""


OWN_LEAVES: dict[str, Any] = {
    **{f"{name} as D": {"discriminator": part} for name, part in OWN.items()},
    "a trick beside one of the catalogue": {"tricks": (*BASE.tricks, OwnTrick())},
    "a move": {"round": (*MODERN, own_move)},
}


@pytest.mark.parametrize("what", OWN_LEAVES)
def test_a_users_own_parts_are_read_without_their_file_as_placeholders(what: str) -> None:
    recipe = BASE.replace(**OWN_LEAVES[what])
    read = Recipe.from_dict(json.loads(recipe.to_json()), placeholders=True)
    assert read.to_json() == recipe.to_json()
    assert read.id == recipe.id
    changed = read.replace(seeds=8, objective=catalogue.make("objectives", "hinge", {}))
    assert changed.objective == catalogue.find("objectives", "hinge")()
    assert [getattr(changed, field) for field in OWN_LEAVES[what]] == [
        getattr(read, field) for field in OWN_LEAVES[what]
    ]
    assert Recipe.from_dict(changed.to_dict(), placeholders=True) == changed


def test_a_placeholder_tells_its_name_and_fields_and_leaves_the_other_parts_real() -> None:
    recipe = BASE.replace(tricks=(*BASE.tricks, OwnTrick()), discriminator=narrow, conditional=True)
    read = Recipe.from_dict(recipe.to_dict(), placeholders=True)
    assert read.tricks[: len(BASE.tricks)] == BASE.tricks
    own: Any = read.tricks[-1]
    assert isinstance(own, OwnPart)
    assert (own.name, own.fields) == ("OwnTrick", {"strength": [0.5, 1.0]})
    assert catalogue.to_text(own) == "<OwnTrick>"
    assert catalogue.to_text(read.discriminator) == "<narrow>" == catalogue.to_text(narrow)
    assert read.classes == 10
    with pytest.raises(AttributeError):
        own.name = "other"


@pytest.mark.parametrize("data", [OwnPart("Blobs", "0" * 16, {"count": 3})])
def test_a_users_own_data_is_no_obstacle_to_reading(data: Any) -> None:
    recipe = BASE.replace(data=data, conditional=True)
    assert Recipe.from_dict(recipe.to_dict(), placeholders=True) == recipe
    assert recipe.classes == 0  # nobody knows without the file


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"bacth": 3}, "did you mean 'batch'"),
        ({"objective": catalogue.find("objectives", "hinge")}, r"objective takes an instance.*Hinge\(\)"),
        ({"tricks": [catalogue.find("tricks", "r1")]}, r"tricks takes an instance.*R1\(\)"),
        ({"seeds": 0}, "seeds: their number must lie between 1 and"),
    ],
)
def test_a_wrong_change_is_refused_in_one_line(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        BASE.replace(**changes)
    assert len(str(caught.value).splitlines()) == 1


def test_a_kind_may_be_named_in_the_singular() -> None:
    assert catalogue.find("objective", "mse") is catalogue.find("objectives", "mse")
    assert catalogue.find("latent", "normal") is catalogue.find("latents", "normal")
    assert catalogue.read("remedy", "larger-batch") == catalogue.read("remedies", "larger-batch")
    assert catalogue.read("move", "g_fools_d") is catalogue.find("moves", "g_fools_d")
    with pytest.raises(UsageError, match="no kind called 'objektive'; did you mean 'objectives'"):
        catalogue.find("objektive", "mse")


def test_a_family_of_networks_is_answered_with_its_members() -> None:
    with pytest.raises(UsageError, match="did you mean 'dcgan-discriminator' or 'dcgan-generator'"):
        catalogue.find("network", "dcgan")


def test_a_list_is_as_good_as_a_tuple() -> None:
    fields = {f.name: getattr(BASE, f.name) for f in dataclasses.fields(BASE)}
    lists: dict[str, Any] = {"seeds": [3, 4], "round": list(MODERN), "tricks": list(BASE.tricks)}
    tuples = {name: tuple(value) for name, value in lists.items()}
    given, wanted = Recipe(**(fields | lists)), Recipe(**(fields | tuples))
    assert given == wanted
    assert given.id == wanted.id
    assert_survives(Recipe(**(fields | {"seeds": range(3)})))
    assert Recipe(**(fields | {"seeds": 3})).seeds == (0, 1, 2)
    hidden = catalogue.find("networks", "fully-connected")
    assert BASE.replace(generator=hidden(hidden=[5, 6])).id == BASE.replace(generator=hidden(hidden=(5, 6))).id


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d | {"bacth": 3}, "did you mean 'batch'"),
        (lambda d: {k: v for k, v in d.items() if k != "data"}, "lacks data"),
        (lambda d: d | {"objective": {"is": "msee"}}, "did you mean 'mse'"),
        (lambda d: d | {"objective": {}}, "no objective called ''"),
        (lambda d: d | {"latent": {"is": "normal", "sise": 3}}, "did you mean 'size'"),
        (lambda d: d | {"round": ["d_sees_reel"]}, "did you mean 'd_sees_real'"),
        (lambda d: d | {"batch": 0}, "batch must be at least 1"),
        (lambda d: d | {"seeds": []}, "seeds must be distinct and at least one"),
        (lambda d: d | {"seeds": [1, 1]}, "seeds must be distinct"),
        (lambda d: d | {"seeds": [-1]}, "between 0 and"),
        (lambda d: d | {"seeds": [2**63]}, "between 0 and"),
        (lambda d: d | {"tricks": [{"is": "label-smoothing", "real": [0.9, 2.0]}]}, "label range"),
    ],
)
def test_a_wrong_recipe_is_refused_in_one_line(change: Any, says: str) -> None:
    with pytest.raises(SparringError, match=says) as caught:
        Recipe.from_json(json.dumps(change(BASE.to_dict())))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", "null"])
def test_what_is_no_recipe_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SparringError, match="not a recipe") as caught:
        Recipe.from_json(text)
    assert len(str(caught.value).splitlines()) == 1


def test_a_name_that_does_not_exist_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'pattern-1010'"):
        find_recipe("pattern-101")
