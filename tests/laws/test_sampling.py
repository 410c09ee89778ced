"""What the fast suite leaves out of a sampled test has its like among what it takes."""

from __future__ import annotations

import json
import re

import pytest

from sparring import catalogue
from tests.sampling import ALWAYS, recipes_of_every_component

pytest_plugins = ["pytester"]


def leaves(name: str) -> set[str]:
    """The names of a recipe's components and moves."""
    text = json.dumps(json.loads(catalogue.find("recipes", name)().to_json()))
    return {*re.findall(r'"is": "([^"]+)"', text), *re.findall(r'"([dg]_\w+)"', text)}


def test_every_component_of_any_recipe_is_in_a_recipe_that_is_taken() -> None:
    taken, names = recipes_of_every_component(), catalogue.entries("recipes")
    assert set(ALWAYS) <= set(taken) < set(names) and len(set(taken)) == len(taken)
    assert set().union(*map(leaves, taken)) == set().union(*map(leaves, names))


def test_every_third_case_is_fast_and_the_others_are_slow(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest
        from tests.sampling import mark_those_left_out

        @pytest.hookimpl(tryfirst=True)
        def pytest_collection_modifyitems(items):
            mark_those_left_out(items)
        """
    )
    pytester.makeini("[pytest]\nmarkers =\n    slow\n    sampled")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.sampled(every=3)
        @pytest.mark.parametrize("case", range(7))
        def test_of_many(case):
            assert case % 3 == 0

        def test_of_one():
            pass
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-m", "not slow").assert_outcomes(passed=4, deselected=4)
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-m", "slow").assert_outcomes(failed=4, deselected=4)
