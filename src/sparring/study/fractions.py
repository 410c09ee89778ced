"""Regular fractions of a two-level design, 2^(k-p): which combinations, and which effects these cannot separate.

The first k - p factors take every combination of their levels; each other one is set by the product of some of them
(its generator, levels counted as -1 and 1). Of all choices of generators the one is taken whose shortest words are
fewest: the minimum aberration of Fries and Hunter, Technometrics 22 (1980).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from sparring.errors import UsageError
from sparring.languages import Text

MAX_FACTORS = 9
"""With more, the search for generators takes long."""
CLEAR_RESOLUTION = 4
"""Resolution from which main effects are aliased with no interaction of two factors."""
ALIASED = Text(
    "{some} of {total} combinations: resolution {resolution}, so a main effect is aliased with interactions of {order} "
    "factors or more."
)
BOTH = Text("The effect of {first} is aliased with that of {others}: only both together are seen.")
"""What cannot be separated, in sentences."""

Word = frozenset[int]
"""Factors, by index, whose product is the same in every combination; or the factors of an effect."""


@dataclass(frozen=True)
class Fraction:
    """A regular fraction with k factors and 2^(k-p) combinations."""

    factors: int
    generators: tuple[Word, ...]
    """For each factor after the first k - p: the factors whose product sets it."""

    @classmethod
    def of(cls, factors: int, max_cells: int | None = None) -> Fraction:
        """The fraction of minimum aberration with at most so many combinations; by default the smallest that keeps main
        effects apart from interactions of two factors. Raises UsageError where there is none."""
        if not 3 <= factors <= MAX_FACTORS:
            raise UsageError(f"a fractional design takes 3 to {MAX_FACTORS} factors, not {factors}: take the full one")
        if max_cells is not None:
            base = max_cells.bit_length() - 1
            if max_cells < factors + 1:
                raise UsageError(f"{factors} factors need at least {factors + 1} cells, not {max_cells}")
            return cls._best(factors, min(base, factors))
        for base in range(2, factors):
            if 2**base > factors and (found := cls._best(factors, base)).resolution >= CLEAR_RESOLUTION:
                return found
        return cls._best(factors, factors - 1)

    @classmethod
    def _best(cls, factors: int, base: int) -> Fraction:
        columns = [frozenset(c) for n in range(base, 1, -1) for c in itertools.combinations(range(base), n)]
        chosen = itertools.combinations(columns, factors - base)
        return min((cls(factors, each) for each in chosen), key=lambda fraction: fraction.word_lengths)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """The defining relation: every product that is constant."""
        base = self.factors - len(self.generators)
        first = [generator | {base + i} for i, generator in enumerate(self.generators)]
        words = (_product(some) for n in range(1, len(first) + 1) for some in itertools.combinations(first, n))
        return tuple(sorted(words, key=lambda word: (len(word), sorted(word))))

    @property
    def word_lengths(self) -> tuple[int, ...]:
        """How many words have 1, 2, 3, ... factors: what aberration is compared by."""
        counts = Counter(map(len, self.words))
        return tuple(counts[n] for n in range(1, self.factors + 1))

    @property
    def resolution(self) -> int:
        """The length of the shortest word; one more than all factors where nothing is aliased."""
        return min(map(len, self.words), default=self.factors + 1)

    @property
    def combinations(self) -> tuple[tuple[int, ...], ...]:
        """Levels 0 and 1 of every factor, with all factors at 0 among them."""
        base = self.factors - len(self.generators)
        return tuple((*first, *(self._set(first, g) for g in self.generators)) for first in _all_levels(base))

    def _set(self, first: Sequence[int], generator: Word) -> int:
        """The level that a generator sets. Its sign is chosen so that level 0 of all gives level 0."""
        return sum(first[i] for i in generator) % 2

    def alias_sets(self) -> list[list[Word]]:
        """Main effects and interactions of two factors, in sets that the fraction cannot separate, each of two or more.

        An effect of three factors or more is not listed, as it is mostly small.
        """
        effects = [frozenset(c) for n in (1, 2) for c in itertools.combinations(range(self.factors), n)]
        sets: list[list[Word]] = []
        for effect in effects:
            if not any(effect in each for each in sets):
                same = [effect, *(e for e in effects if e != effect and (e ^ effect) in self.words)]
                sets.append(same)
        return [each for each in sets if len(each) > 1]

    def aliases(self, names: Sequence[str]) -> tuple[str, ...]:
        """What cannot be separated, in sentences."""
        if not self.words:
            return ()
        cells = 2 ** (self.factors - len(self.generators))
        aliased = ALIASED.filled(some=f"{cells:,}", total=f"{2**self.factors:,}", resolution=self.resolution)
        said: list[str] = [aliased.filled(order=self.resolution - 1)]
        for same in self.alias_sets():
            first, *others = [_called(effect, names) for effect in same]
            said.append(BOTH.filled(first=first, others=Text.joined(others, " and of ")))
        return tuple(said)


def _product(words: Sequence[Word]) -> Word:
    """Factors that occur an odd number of times: the square of a factor is 1."""
    product: Word = frozenset()
    for word in words:
        product = product ^ word
    return product


def _all_levels(base: int) -> Iterator[tuple[int, ...]]:
    return itertools.product((0, 1), repeat=base)


def _called(effect: Word, names: Sequence[str]) -> str:
    return " × ".join(names[i] for i in sorted(effect))
