"""Whatever is given where it does not belong is answered in one line that names the place and says what it takes."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import sparring
from sparring import catalogue, objectives, optimizers, tricks
from sparring.errors import UsageError
from sparring.fields import hints_of
from sparring.game.runtime import resolve_device
from sparring.recipe import Recipe
from sparring.recipe.reading import WELL_KNOWN

BASE = sparring.recipe("digits")
WRONG: dict[str, Any] = {
    "nothing": None,
    "empty text": "",
    "text": "no such thing",
    "below 0": -1,
    "zero": 0,
    "a fraction": 3.5,
    "NaN": float("nan"),
    "a mixed list": [1, "a"],
    "a dictionary": {"is": "adam"},
    "an object": object(),
    "true": True,
    "bytes": b"bytes",
    "a tensor": torch.ones(2),
    "an array": np.ones((2, 3)),
    "a class": int,
    "a module": nn.BCEWithLogitsLoss(),
    "torch's optimizer": torch.optim.Adam,
    "a component's class": objectives.Hinge,
    "a component": objectives.Hinge(),
    "a function": lambda: 3,
    "a list of nothing": (None,),
}
FITTING = {
    "name": ("empty text", "text"),
    "data": ("a tensor", "an array"),
    "generator": ("a module", "a function"),  # what it makes is tried before the first round
    "discriminator": ("a module", "a function"),
    "objective": ("a component",),
    "tricks": ("empty text",),
    "round": ("a module", "a function"),
    "conditional": ("true",),
    "clusters": ("zero",),
    "start_from": ("nothing", "text"),  # the folder of a run
    "origin": ("nothing",),
}
"""What is right for a field after all, or can be found wrong only when it is called."""


def one_line(call: Callable[[], object], *parts: str) -> None:
    with pytest.raises(UsageError) as caught:
        call()
    said = str(caught.value)
    assert len(said.splitlines()) == 1 and len(said) < 400, said
    assert all(part in said for part in parts), said


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Recipe)])
def test_every_field_of_a_recipe_refuses_what_it_cannot_be(field: str) -> None:
    wrong = {label: value for label, value in WRONG.items() if label not in FITTING.get(field, ())}
    assert len(wrong) >= 10
    values = {f.name: getattr(BASE, f.name) for f in dataclasses.fields(Recipe)}
    singular = catalogue.SINGULAR.get(catalogue.FIELDS.get(field, ""), field)
    for label, value in wrong.items():
        with pytest.raises(UsageError) as caught:
            Recipe(**{**values, field: value})
        said = str(caught.value)
        assert len(said.splitlines()) == 1 and len(said) < 400, (label, said)
        assert field in said or singular in said, (label, said)


def leaves() -> list[tuple[str, str, str]]:
    kinds = ("objectives", "tricks", "networks", "datasets", "optimizers", "latents")
    return [
        (kind, name, field) for kind in kinds for name in catalogue.entries(kind) for field in hints_of_leaf(kind, name)
    ]


def hints_of_leaf(kind: str, name: str) -> dict[str, Any]:
    return dict(hints_of(catalogue.find(kind, name)))


@pytest.mark.parametrize(("kind", "name", "field"), leaves())
def test_every_field_of_a_component_refuses_what_it_cannot_be(kind: str, name: str, field: str) -> None:
    """None, a dictionary and an object are nothing that any field takes."""
    leaf = catalogue.find(kind, name)
    for value in (None, {"a": 1}, object(), float("nan"), torch.ones(3), nn.Linear):
        if isinstance(value, float) and hints_of(leaf)[field] is str:
            continue  # a folder's path may be a number
        one_line(lambda value=value: leaf(**{field: value}), field, leaf.__name__)


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("optimizer", "adam(lr=-1e-3)", "lr must be at least 0"),
        ("optimizer", "adam(betas=(0.9, 1))", "betas must lie in [0, 1)"),
        ("optimizer", "sgd(momentum=1.5)", "momentum must lie in [0, 1)"),
        ("optimizer", "adam(lr=fast)", "lr takes a number, not 'fast'"),
        ("latent", "normal(0)", "size must be at least 1, not 0"),
        ("latent", "normal(64.5)", "size takes a whole number"),
        ("trick", "r1(gamma=high)", "gamma takes a number"),
        ("network", "fully-connected(hidden=64)", "hidden takes whole numbers, as (64, 32), not 64 (int)"),
        ("network", "fully-connected(activation=gelu)", "'leaky-relu'"),
    ],
)
def test_a_wrong_value_in_text_is_answered(kind: str, text: str, says: str) -> None:
    one_line(lambda: sparring.leaf(kind, text), says)


def test_defaults_fit_their_own_fields(recipe: Recipe) -> None:
    for field in (f.name for f in dataclasses.fields(recipe) if f.name in catalogue.FIELDS):
        parts = getattr(recipe, field)
        for part in parts if isinstance(parts, tuple) else (parts,):
            if dataclasses.is_dataclass(part):
                assert dataclasses.replace(part, **{f: getattr(part, f) for f in hints_of(type(part))}) == part


def test_a_list_and_numbers_of_numpy_and_torch_are_as_good_as_pythons_own() -> None:
    made = BASE.replace(
        batch=np.int64(8),
        rounds=torch.tensor(30),
        seeds=np.arange(3),
        tricks=[tricks.R1(gamma=np.float32(2))],
        generator_optimizer=optimizers.Adam(lr=torch.tensor(0.5), betas=[0.0, 0.9]),
        generator=dataclasses.replace(BASE.generator, hidden=[np.int32(7)]),
    )
    plain = BASE.replace(
        batch=8,
        rounds=30,
        seeds=3,
        tricks=(tricks.R1(gamma=2.0),),
        generator_optimizer=optimizers.Adam(lr=0.5, betas=(0.0, 0.9)),
        generator=dataclasses.replace(BASE.generator, hidden=(7,)),
    )
    assert made == plain and made.id == plain.id and Recipe.from_json(made.to_json()) == made


# Text stands for a part, in Python as on the command line.


def test_text_is_read_as_on_the_command_line() -> None:
    made = BASE.replace(
        objective="hinge",
        tricks="ema, r1(gamma=2)",
        generator="dcgan(width=8)",
        discriminator="dcgan",
        latent="normal(16)",
        round="d_sees_both g_fools_d*2",
        generator_optimizer="adam(lr=1e-3, betas=(0, 0.9))",
        data="mnist",
        seeds="3-5",
    )
    assert made.objective == objectives.Hinge() and made.seeds == (3, 4, 5)
    assert made.tricks == (tricks.ExponentialMovingAverage(), tricks.R1(gamma=2))
    assert catalogue.to_text(made.generator) == "dcgan-generator(width=8)"
    assert catalogue.to_text(made.discriminator) == "dcgan-discriminator"
    assert [move.__name__ for move in made.round] == ["d_sees_both", "g_fools_d", "g_fools_d"]
    assert made.data.span == BASE.data.span, "the span stays that of the recipe's G"
    assert BASE.replace(tricks=tricks.R1()).tricks == (tricks.R1(),)


@pytest.mark.parametrize("kind", ["objective", "objectives", "Objective", "OBJECTIVES"])
@pytest.mark.parametrize("name", ["bce-with-logits", "bce_with_logits", "BCEWithLogits", "bce", "BCE"])
def test_kinds_and_names_are_found_however_they_are_spelled(kind: str, name: str) -> None:
    assert sparring.leaf(kind, name) == objectives.BCEWithLogits()


def test_every_name_is_found_in_each_of_its_spellings() -> None:
    for kind in catalogue.KINDS:
        for name, entry in catalogue.entries(kind).items():
            found = getattr(importlib.import_module(entry.module), entry.attribute)
            for spelled in (name, name.replace("-", "_"), name.upper(), entry.attribute, *entry.also):
                assert catalogue.find(kind, spelled) is found, (kind, spelled)


def test_a_field_of_a_recipe_says_a_kind_too() -> None:
    assert sparring.leaf("generator", "dcgan") == sparring.leaf("networks", "dcgan-generator")
    assert sparring.leaf("generator-optimizer", "adam(lr=1e-3)") == optimizers.Adam(lr=1e-3)


def test_a_name_of_another_kind_or_of_a_whole_gan_is_answered_with_what_it_is() -> None:
    one_line(lambda: sparring.leaf("objective", "adam"), "no objective called 'adam': that is an optimizer")
    one_line(lambda: BASE.replace(objective="wgan-gp"), "objective='wasserstein', tricks='gradient-penalty'")
    one_line(lambda: sparring.recipe("dcgan"), "generator='dcgan', discriminator='dcgan'")
    one_line(lambda: sparring.leaf("objective", "hing"), "did you mean 'hinge'?")
    one_line(lambda: BASE.replace(tricks="wgan-gp"), "objective='wasserstein', tricks='gradient-penalty'")
    for fields in WELL_KNOWN.values():
        assert BASE.replace(**fields).id


def test_names_of_other_tools_work_or_are_answered() -> None:
    slow = BASE.replace(lr=1e-5)
    assert slow.generator_optimizer.lr == slow.discriminator_optimizer.lr == 1e-5
    assert slow.generator_optimizer.betas == BASE.generator_optimizer.betas
    both = BASE.replace(optimizer="adam(lr=3e-4)", learning_rate=1e-3, batch_size=7, loss="bce", seed=4)
    assert both.discriminator_optimizer == optimizers.Adam(1e-3) and (both.batch, both.seeds) == (7, (4,))
    one_line(lambda: BASE.replace(epochs=3), "rounds=N", "one epoch of digits is 29 rounds")
    one_line(lambda: BASE.replace(bacth=3), "did you mean 'batch'?")
    one_line(lambda: BASE.replace(objective=nn.MSELoss()), "in place of torch's MSELoss write 'least-squares'")
    one_line(lambda: BASE.replace(generator_optimizer=torch.optim.SGD), "write optimizers.SGD(lr=...)")


@pytest.mark.parametrize(
    ("args", "kwargs", "says"),
    [
        ((BASE,), {}, "out='runs/mine'"),
        ((3, "x"), {}, "not 3 (int)"),
        ((BASE, 3), {}, "in which folder"),
        ((BASE, "x"), {"epochs": 3}, "recipe.replace(rounds=...)"),
        ((BASE, "x"), {"lr": 3}, "recipe.replace(lr=...)"),
        ((BASE, "x"), {"rounds": 3}, "recipe.replace(rounds=...)"),
        ((BASE, "x"), {"gpu": True}, "device='gpu'"),
        ((BASE, "x"), {"procesess": 2}, "did you mean 'processes'?"),
        ((BASE, "x"), {"processes": "2"}, "a whole number, not '2'"),
        ((BASE, "x"), {"metrics": "no"}, "True or False, not 'no'"),
        ((BASE, "x"), {"on": "mars"}, "'here' or 'ray'"),
        ((BASE, "x"), {"device": "tpu"}, "no device 'tpu' here"),
    ],
)
def test_wrong_arguments_of_train_are_answered(
    args: tuple[Any, ...], kwargs: dict[str, Any], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one_line(lambda: sparring.train(*args, **kwargs), says)
    assert not list(tmp_path.iterdir())


def test_a_device_is_a_name_a_number_or_torchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    devices = [resolve_device(name) for name in ("gpu", "CUDA:1", 1, torch.device("cuda", 1), torch.device("cpu"))]
    assert devices == ["cuda", "cuda:1", "cuda:1", "cuda:1", "cpu"]
    one_line(lambda: resolve_device(2), "no device 'cuda:2' here, only cpu, cuda, cuda:0, cuda:1")
