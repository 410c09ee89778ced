"""Designs of studies: balanced, every effect where it is said to be, and the same seeds in every cell."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from sparring.errors import UsageError
from sparring.networks.convolutional import Convolutional
from sparring.recipe import find_recipe
from sparring.study import Factor, Study, library
from sparring.study.designs import DESIGNS, design
from sparring.study.factors import read_factor
from sparring.study.fractions import Fraction
from sparring.study.looks import look_round
from sparring.study.outcome import Outcome

NAMES = "ABCDEFGHI"


@pytest.mark.parametrize("levels", [(2, 2), (2, 3, 4), (2,) * 5])
def test_a_full_design_has_every_combination_once(levels: tuple[int, ...]) -> None:
    made = design("full", levels, NAMES).combinations
    assert len(made) == len(set(made)) == math.prod(levels)
    assert made[0] == (0,) * len(levels)
    for factor, count in enumerate(levels):
        assert {sum(c[factor] == level for c in made) for level in range(count)} == {len(made) // count}


def test_one_at_a_time_differs_from_the_first_cell_in_one_factor() -> None:
    made = design("one-at-a-time", (2, 3), NAMES).combinations
    assert made == ((0, 0), (1, 0), (0, 1), (0, 2))


def test_a_stepwise_design_changes_one_field_per_step_in_both_orders() -> None:
    made = design("stepwise", (2,) * 4, NAMES)
    forward, backward = ([made.combinations[i] for i in order] for order in made.steps)
    for order in (forward, backward):
        assert order[0] == (0,) * 4 and order[-1] == (1,) * 4
        assert all(sum(a != b for a, b in itertools.pairwise(pair)) <= 1 for pair in zip(*order, strict=True))
        assert all(sum(x != y for x, y in zip(a, b, strict=True)) == 1 for a, b in itertools.pairwise(order))
    changed = [
        [next(i for i in range(4) if a[i] != b[i]) for a, b in itertools.pairwise(order)]
        for order in (forward, backward)
    ]
    assert changed[0] == changed[1][::-1] == [0, 1, 2, 3]


@pytest.mark.parametrize(("factors", "cells"), [(3, None), (4, None), (5, None), (6, None), (7, None), (5, 8), (7, 8)])
def test_a_fraction_is_balanced_and_its_aliases_are_the_columns_that_agree(factors: int, cells: int | None) -> None:
    fraction = Fraction.of(factors, cells)
    levels = np.array(fraction.combinations)
    signs = 1 - 2 * levels  # (runs, factors), level 0 is 1
    assert len(levels) == 2 ** (factors - len(fraction.generators)) < 2**factors
    assert (levels[0] == 0).all() and len(np.unique(levels, axis=0)) == len(levels)
    assert (signs.sum(0) == 0).all() and (signs.T @ signs == len(signs) * np.eye(factors)).all()
    effects = [frozenset(c) for n in (1, 2) for c in itertools.combinations(range(factors), n)]
    column = {effect: tuple(signs[:, sorted(effect)].prod(1)) for effect in effects}
    same = {frozenset(e for e in effects if column[e] == column[effect]) for effect in effects}
    assert {frozenset(each) for each in fraction.alias_sets()} == {each for each in same if len(each) > 1}
    assert fraction.resolution == min(map(len, fraction.words))


@pytest.mark.parametrize(
    ("factors", "cells", "resolution"), [(4, 8, 4), (5, 16, 5), (6, 32, 6), (7, 64, 7), (8, 16, 4)]
)
def test_fractions_have_the_resolution_that_tables_of_designs_give(factors: int, cells: int, resolution: int) -> None:
    """Box, Hunter and Hunter, Statistics for experimenters (2005), table 6.22."""
    fraction = Fraction.of(factors, cells)
    assert (len(fraction.combinations), fraction.resolution) == (cells, resolution)


def test_aliases_are_said_in_words() -> None:
    first, *others = Fraction.of(4).aliases("ABCD")
    assert first.startswith("8 of 16 combinations: resolution 4")
    assert others[0] == "The effect of A × B is aliased with that of C × D: only both together are seen."
    assert len(others) == 3


def test_levels_are_read_alike_from_text_and_from_values() -> None:
    typed = Study("digits", [read_factor("objective=hinge,mse"), read_factor("tricks.r1.gamma=0,1")], seeds=2)
    given = Study("digits", {"objective": ["hinge", "mse"], "tricks.r1.gamma": [0, 1]}, seeds=(0, 1))
    assert typed.to_dict()["cells"] == given.to_dict()["cells"]
    assert typed.cells[0].label == "objective hinge, r1 gamma 0"
    absent, present = typed.cells[0].recipe, typed.cells[1].recipe
    assert absent.tricks == find_recipe("digits").tricks and len(present.tricks) == len(absent.tricks) + 1


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("lr=1e-3,1e-4", lambda r: (r.generator_optimizer.lr, r.discriminator_optimizer.lr)),
        ("optimizer.betas=(0.5,0.9),(0,0.9)", lambda r: r.generator_optimizer.betas),
        ("generator.hidden=(64,),(32,16)", lambda r: r.generator.hidden),
        ("D.hidden=(64,),(32,16)", lambda r: r.discriminator.hidden),
        ("latent.size=4,8", lambda r: r.latent.size),
        ("batch=16,32", lambda r: r.batch),
        ("tricks=none,r1(gamma=1)+ema", lambda r: len(r.tricks)),
        ("tricks.ema=off,on", lambda r: len(r.tricks)),
        ("conditional=off,on", lambda r: r.conditional),
        ("recipe=digits,ring", lambda r: r.data),
        ("remedy.packing=off,on", lambda r: r.tricks),
    ],
)
def test_a_field_of_a_recipe_or_of_its_part_is_varied(text: str, values) -> None:  # type: ignore[no-untyped-def]
    study = Study("digits", [read_factor(text)], seeds=2)
    first, second = (values(cell.recipe) for cell in study.cells)
    assert first != second


def test_every_cell_has_the_seeds_of_the_study_and_an_id_that_does_not_depend_on_them() -> None:
    few, many = (Study("digits", {"objective": ["hinge", "mse"]}, seeds=n) for n in (2, 8))
    assert [cell.id for cell in few.cells] == [cell.id for cell in many.cells]
    more = Study("digits", {"objective": ["hinge", "mse", "minimax"]})
    assert [cell.id for cell in more.cells][:2] == [cell.id for cell in few.cells]


def test_a_study_survives_json() -> None:
    study = Study(
        "digits", {"objective": ["hinge", "mse"], "lr": [1e-3, 1e-4]}, outcome="best(frechet-distance)", looks=[0.5]
    )
    assert Study.from_json(study.to_json()) == study
    made = Study("digits", [Factor("size", {"small": None, "large": lambda r: {"generator.hidden": (300,)}})])
    again = Study.from_json(made.to_json())
    assert again.cells == made.cells and again.to_dict() == made.to_dict()


@pytest.mark.parametrize("name", library.names())
def test_shipped_studies_are_made_survive_json_and_ask_a_question(name: str) -> None:
    study = library.find(name)
    assert study.name == name and study.question.endswith("?")
    assert Study.from_json(study.to_json()).cells == study.cells


def test_the_steps_to_the_reference_end_at_its_discriminator() -> None:
    study = library.find("why-the-reference-steps")
    recipes = [study.cells[order[-1]].recipe for order in study.steps]
    assert all(recipe.discriminator == find_recipe("mnist-reference").discriminator for recipe in recipes)
    assert all(isinstance(cell.recipe.discriminator, Convolutional) for cell in study.cells)
    assert recipes[0].id in {cell.recipe.id for cell in library.find("why-the-reference").cells}


def test_the_four_remedies_alone_and_together_are_the_recipes_of_the_catalogue() -> None:
    ids = {cell.recipe.id for cell in library.find("collapse-remedies").cells}
    names = ("num-gan", *(f"num-gan-{name}" for name in ("adam", "network", "randn", "bce", "all")))
    assert all(find_recipe(name).replace(seeds=1).id in ids for name in names)


def test_a_step_takes_parts_apart_that_both_recipes_have() -> None:
    study = Study.stepwise("num-gan", "num-gan-all", together=[("generator_optimizer", "discriminator_optimizer")])
    names = [factor.name for factor in study.factors]
    assert "generator.normalization" in names and "generator_optimizer and discriminator_optimizer" in names
    last = study.cells[study.steps[0][-1]].recipe
    assert last.id == find_recipe("num-gan-all").replace(seeds=1).id


def test_looks_fall_on_log_points_where_samples_are_evaluated() -> None:
    recipe = find_recipe("digits").replace(rounds=100, log_points=10)
    assert [look_round(recipe, share) for share in (0.25, 0.5, 0.05)] == [20, 50, 0]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Study("digits", {"objectve": ["a", "b"]}), "did you mean 'objective'?"),
        (lambda: Study("digits", {"objective": ["hinge"]}), "two levels or more"),
        (lambda: Study("digits", {"objective": ["hinge", "hinje"]}), "objective=hinje: "),
        (lambda: Study("digits", {"seeds": [1, 2]}), "every cell has the same seeds"),
        (lambda: Study("digits", {"lr": [1e-3, 0.001]}), "has the level '0.001' twice"),
        (
            lambda: Study("digits", {"batch": [64, 32], "optimizer": ["adam", "sgd"]}, design="fractional"),
            "3 to 9 factors",
        ),
        (lambda: Study("digits", {"objective": ["bce", "bce-with-logits"]}), "the same recipe"),
        (lambda: Study("digits", {"batch": [1, 2]}, outcome="frechet"), "no outcome called 'frechet'"),
        (lambda: Study("digits", {"batch": [1, 2]}, outcome="seconds-to(frechet-distance)"), "is written"),
        (lambda: Study("digits", {"batch": [1, 2]}, outcome="rounds-to(d_real, 0.7)"), "no metric of samples: write f"),
        (lambda: Study("digits", {"batch": [1, 2]}, outcome="best(d_train)"), "is never known"),
        (lambda: Study("digits", {"batch": [1, 2]}, outcome="mean(seconds)"), "is written seconds"),
        (lambda: Study("digits", {"batch": [1, 2]}, outcome="d_gradient"), "no outcome called 'd_gradient'"),
        (lambda: Study("digits", {"batch": [1, 2]}, looks=[0.5, 2]), "shares of the rounds"),
        (lambda: Study("digits", {"batch": [1, 2]}, design="all"), "no design called 'all'"),
        (lambda: Study("digits", {"batch": [1, 2]}, precision=-1), "above 0"),
        (lambda: Study("digits", []), "varies something"),
        (lambda: Study("digits", {"generator.hiden": [1, 2]}), "no field called 'hiden'"),
        (lambda: Study("digits", {"tricks.r7.gamma": [0, 1]}), "no trick called 'r7'"),
        (lambda: Study("digits", [Factor("mine", {"a": lambda r: 3, "b": None})]), "returns a recipe or the fields"),
        (lambda: Study.stepwise("digits", "digits"), "do not differ"),
        (lambda: read_factor("objective"), "FIELD=LEVEL,LEVEL"),
    ],
)
def test_a_wrong_study_is_answered_in_one_line(make, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError) as error:
        make()
    assert says in str(error.value) and "\n" not in str(error.value)


def test_a_study_that_varies_nothing_is_one_cell() -> None:
    study = Study("digits", seeds=3)
    assert [cell.label for cell in study.cells] == ["digits"] and study.factors == ()
    assert Study.from_json(study.to_json()) == study


def test_every_design_says_what_it_trains() -> None:
    assert all(words for words in DESIGNS.values())


def test_a_recorded_study_opens_whatever_its_outcome_was() -> None:
    """What is refused of a new study was allowed once."""
    study = Study("digits", {"objective": ["hinge", "mse"]}, seeds=2)
    for outcome in ("rounds-to(d_real, 0.7)", "best(d_fake)", "d_gradient"):
        with pytest.raises(UsageError):
            study.replace(outcome=outcome)
        assert Study.from_dict({**study.to_dict(), "outcome": outcome}).outcome == outcome
        assert Outcome.read(outcome).text == outcome
