"""The game: two players, their moves, and one round of them.

Scores and losses are `(P, B)`: P members side by side, B examples each. A loss is averaged over B and summed over P, so
no member hears another, and any element-wise optimiser serves a whole population unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, cast, get_args

import torch
from torch import Tensor

from sparring.chance import Chance
from sparring.datasets import LabelledSource, Source
from sparring.errors import UsageError
from sparring.latent import Latent
from sparring.objectives import Objective
from sparring.optimisers import Optimiser
from sparring.population import Population
from sparring.tricks import Moment, Now, Shown, Trick, Who
from sparring.world import World

Move = Callable[["Game"], None]
Truth = Literal[0, 1]
Noted = tuple[int, dict[str, Tensor]]
"""Rounds played, and figures of the last of them, `(P,)` each: the mean where a round noted one more than once."""


# The moves of the textbook.


def d_sees_real(game: Game) -> None:
    """1. The discriminator is shown real examples and told "real"."""
    x = game.real()
    game.learn("D", game.called(1, game.D(x)) + game.penalty(x, None))


def d_sees_fake(game: Game) -> None:
    """2. The discriminator is shown generated examples and told "fake"."""
    x = game.fake().detach()
    game.learn("D", game.called(0, game.D(x)) + game.penalty(None, x))


def g_fools_d(game: Game) -> None:
    """3. The generator is paid when its fakes are called real."""
    game.learn("G", game.fooled(game.D(game.fake())))


def d_sees_both(game: Game) -> None:
    """1. and 2. in one step: the discriminator's two losses are added before it learns."""
    real, fake = game.real(), game.fake().detach()
    says_real, says_fake = game.compared(game.D(real), game.D(fake))
    game.learn("D", game.called(1, says_real) + game.called(0, says_fake) + game.penalty(real, fake))


def d_sees_mixture(game: Game) -> None:
    """1. and 2. from one mixed batch, half of it real, half of it fake and made one by one."""
    half = game.batch // 2
    shown = game.real()
    assert isinstance(shown, Tensor)  # a game whose players are told classes is refused this move
    x = torch.cat([shown[:, half:], game.fakes_one_by_one(half).detach()], 1)
    real, fake = game.D(x).split([game.batch - half, half], 1)
    game.learn("D", torch.cat([game.called(1, real), game.called(0, fake)], 1))


TEXTBOOK: tuple[Move, ...] = (d_sees_real, d_sees_fake, g_fools_d)  # three optimiser steps, as the write-ups do
MODERN: tuple[Move, ...] = (d_sees_both, g_fools_d)  # one joint step for D


class Labelled(NamedTuple):
    """Examples of a game whose players are told classes."""

    x: Tensor
    """`(P, B, *shape)`."""
    classes: Tensor
    """One-hot, `(P, B, K)`."""

    def detach(self) -> Labelled:
        """The same without the way back to G's weights."""
        return Labelled(self.x.detach(), self.classes)


Examples = Tensor | Labelled
"""`(P, B, *shape)`, with their classes where players are told them."""


class Player:
    """A population, the rule it steps by, and what that rule remembers."""

    def __init__(self, networks: Population, optimiser: Optimiser):
        self.networks = networks
        self.optimiser = optimiser
        self.memory = optimiser.begin(networks.parameters)

    def learn(self, gradients: Sequence[Tensor], optimiser: Optimiser | None = None) -> None:
        """One step, by its own rule or by that rule with other settings."""
        (optimiser or self.optimiser).step(self.networks.parameters, gradients, self.memory)


@dataclass
class Game:
    """The players, and what a move may ask for. No I/O, no logging."""

    players: dict[Who, Player]
    objective: Objective
    source: Source
    latent: Latent
    chance: Chance
    moves: tuple[Move, ...]
    batch: int
    """Examples a member sees at a time, B."""
    rounds: int
    """Rounds in the whole game; tricks that fade count by it."""
    tricks: Sequence[Trick] = ()
    classes: int = 0
    """Of the data, where both players are told them; else 0."""
    world: World = field(default_factory=World)
    round: int = 0
    """Rounds played."""
    watched: bool = False
    """Whether this round's figures are wanted in `notes`; they cost a few small kernels."""
    notes: dict[str, list[Tensor]] = field(default_factory=dict[str, list[Tensor]])
    """One figure a member, `(P,)`, for each time a move came by it in the watched round."""

    def __post_init__(self) -> None:
        self.G = self.players["G"].networks
        weights: dict[Who, Sequence[Tensor]] = {who: p.networks.parameters for who, p in self.players.items()}
        self.memories = [t.begin(weights, self.G.size, self.chance.device) for t in self.tricks]
        """What each trick remembers."""
        self._touching = {m: [k for k, t in enumerate(self.tricks) if m in t.touches] for m in get_args(Moment)}
        self._every_class = torch.arange(self.classes, device=self.chance.device)
        self._shown: dict[int, Shown] = {}
        self._refuse_what_cannot_be_compared()
        self._refuse_what_cannot_be_shared()
        self._refuse_what_cannot_be_played()

    def play(self) -> None:
        """One round."""
        self.chance.begin(self.round)
        for move in self.moves:
            move(self)
        self.round += 1

    def play_to(self, round: int, every: int) -> list[Noted]:
        """Rounds until so many are played. Returns the figures of those whose number `every` divides."""
        noted: list[Noted] = []
        while self.round < round:
            self.watched = self.round % every == 0
            self.play()
            if self.watched:
                noted.append((self.round, self.means()))
                self.notes.clear()
        return noted

    def means(self) -> dict[str, Tensor]:
        """What is in `notes`, a figure a name, `(P,)`."""
        return {name: f[0] if len(f) == 1 else torch.stack(f).mean(0) for name, f in self.notes.items()}

    def real(self) -> Examples:
        """A batch of real examples."""
        if not self.classes:
            return self.world.share(self.source.draw(self.chance, self.batch))
        x, classes = cast(LabelledSource, self.source).draw_with_classes(self.chance, self.batch)
        return Labelled(self.world.share(x), self.world.share(self.one_hot(classes)))

    def fake(self) -> Examples:
        """A batch of generated examples from fresh latent vectors, of fresh classes where G is told them."""
        latent = self.world.share(self.latent.draw(self.chance, "latent", self.batch))
        if not self.classes:
            return self.G(latent)
        share = self.chance.uniform("classes", (self.batch,))
        # A number just below 1 may round up to K when it is multiplied.
        classes = self.world.share(self.one_hot((share * self.classes).long().clamp_(max=self.classes - 1)))
        return Labelled(self.G(torch.cat([latent, classes], -1)), classes)

    def fakes_one_by_one(self, count: int) -> Tensor:
        """`(P, count, ...)` generated examples by a call of G for each."""
        latent = self.latent.draw(self.chance, "latent", count)
        return torch.cat([self.G(latent[:, i : i + 1]) for i in range(count)], 1)

    def one_hot(self, classes: Tensor) -> Tensor:
        """Classes `(P, B)` as `(P, B, K)`."""
        # Torch's own `one_hot` looks at the numbers, for which a GPU would be waited for.
        return (classes.unsqueeze(-1) == self._every_class).to(self.chance.dtype)

    def D(self, examples: Examples) -> Tensor:
        """D's scores `(P, B)` for examples as the tricks let it see them."""
        shown = self._show(*examples) if isinstance(examples, Labelled) else self._show(examples)
        if self._touching["penalty"]:
            self._shown[id(examples)] = shown
        return shown.score

    def compared(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of both kinds, each as the objective sees it beside the other; most look at each by itself."""
        if not self.objective.relative:
            return real, fake
        all_real, all_fake = self.world.whole(real), self.world.whole(fake)
        compared = self.objective.compare(all_real, all_fake), self.objective.compare(all_fake, all_real)
        return self.world.share(compared[0]), self.world.share(compared[1])

    def called(self, truth: Truth, score: Tensor) -> Tensor:
        """D's loss for examples whose truth is 1 (real) or 0 (fake), under the name the tricks give them.

        A name between 0 and 1 mixes the two losses, name * real + (1 - name) * fake; for BCE that is textbook label
        smoothing.
        """
        name: float | Tensor = truth
        for trick, now in self._at("name"):
            name = trick.name(name, truth, (score.shape[0], score.shape[1]), now)
        for trick, now in self._at("heard"):
            trick.heard(truth, self.world.whole(score.detach()) - self.objective.undecided, now)
        if isinstance(name, int):
            loss = self.objective.real(score) if name else self.objective.fake(score)
        else:
            loss = name * self.objective.real(score) + (1 - name) * self.objective.fake(score)
        if self.watched:
            self.note("d_loss", loss)
            self.note("d_real" if truth else "d_fake", self.objective.opinion(score.detach()))
        return loss

    def fooled(self, score: Tensor) -> Tensor:
        """G's loss for fakes that D scores so, beside fresh real examples where the objective compares."""
        if self.objective.relative:
            with torch.no_grad():
                rivals = self.D(self.real())
            outdone, compared = self.compared(rivals, score)
            loss = self.objective.fool(compared) + self.objective.outdone(outdone)
        else:
            compared, loss = score, self.objective.fool(score)
        if self.watched:
            self.note("g_loss", loss)
        if paying := self._at("paid"):
            loss, compared = self.world.whole(loss), self.world.whole(compared)
        for trick, now in paying:
            loss = trick.paid(loss, compared, now)
        return loss

    def penalty(self, real: Examples | None, fake: Examples | None) -> Tensor | float:
        """What the tricks add to D's loss for examples that it has just scored."""
        if not self._touching["penalty"]:
            return 0.0
        sides = [None if side is None else self._shown[id(side)] for side in (real, fake)]
        return sum((t.penalty(sides[0], sides[1], self._show, now) for t, now in self._at("penalty")), 0.0)

    def learn(self, who: Who, loss: Tensor) -> None:
        """One optimiser step of one player; the other's weights take no gradient."""
        player = self.players[who]
        whole = loss.sum() / loss.shape[1]  # averaged over B and summed over P
        gradients = torch.autograd.grad(whole, player.networks.parameters, materialize_grads=True)
        gradients = self.world.average(gradients)
        self._shown.clear()
        if self.watched or self._touching["gradients"]:
            norms = player.networks.norms(gradients)
            if self.watched:
                self.notes.setdefault(f"{who.lower()}_gradient", []).append(norms)
            for trick, now in self._at("gradients"):
                gradients = trick.gradients(gradients, norms, who, now)
        optimiser = player.optimiser
        for trick, now in self._at("step"):
            optimiser = trick.step(optimiser, who, now)
        player.learn(gradients, optimiser)
        for trick, now in self._at("weights"):
            trick.weights(player.networks.parameters, who, now)

    def note(self, name: str, value: Tensor) -> None:
        """Keep a figure of the watched round, averaged over B, on the device."""
        self.notes.setdefault(name, []).append(self.world.mean(value.detach().mean(1)))

    @torch.no_grad()
    def opinions(self, real: Examples, fake: Examples) -> tuple[Tensor, Tensor]:
        """What D says in evaluation mode of examples that it does not learn from, `(P, B)` for each kind.

        Nothing of the game changes by it.
        """
        networks = self.players["D"].networks
        networks.train(False)
        scores: list[Tensor] = []
        for examples in (real, fake):
            x, classes = examples if isinstance(examples, Labelled) else (examples, None)
            for trick, now in self._at("seen"):
                x = trick.seen(x, now) if trick.reshapes else x
            scores.append(networks(x, classes))
        networks.train(True)
        judged_real, judged_fake = self.objective.compare(*scores), self.objective.compare(*reversed(scores))
        return self.objective.opinion(judged_real), self.objective.opinion(judged_fake)

    @property
    def tensors(self) -> list[Tensor]:
        """Whatever a round changes: weights, buffers, and what optimisers and tricks remember."""
        held = [t for player in self.players.values() for t in player.networks.tensors]
        memories = *(player.memory for player in self.players.values()), *self.memories
        return held + [t for memory in memories for tensors in memory.values() for t in tensors]

    @contextmanager
    def rehearsing(self) -> Generator[list[Tensor]]:
        """Whatever is played for as long as this lasts, the game is afterwards as it was.

        Gives copies of `tensors` as they are before.
        """
        round, watched, before = self.round, self.watched, [t.detach().clone() for t in self.tensors]
        try:
            yield before
        finally:
            self.round, self.watched, self.chance.answer = round, watched, None
            self.notes.clear()
            with torch.no_grad():
                # A network may have put others in their place.
                for tensor, copy in zip(self.tensors, before, strict=True):
                    tensor.copy_(copy)

    @contextmanager
    def exhibiting(self) -> Generator[None]:
        """For as long as this lasts, G makes examples with the weights that a trick has averaged, if one does."""
        weights, averaged = self.G.parameters, self.averaged()
        if averaged is None:
            yield
            return
        with torch.no_grad():
            held = [w.clone() for w in weights]
            try:
                for weight, average in zip(weights, averaged, strict=True):
                    weight.copy_(average)
                yield
            finally:
                for weight, before in zip(weights, held, strict=True):
                    weight.copy_(before)

    def averaged(self) -> Sequence[Tensor] | None:
        """The weights that G's examples are made with, where a trick keeps others than G's own."""
        kept = [t.averaged(memory) for t, memory in zip(self.tricks, self.memories, strict=True)]
        return next((weights for weights in reversed(kept) if weights is not None), None)

    def _show(self, x: Tensor, classes: Tensor | None = None) -> Shown:
        if self._touching["penalty"] and torch.is_grad_enabled() and not x.requires_grad:
            x = x.detach().requires_grad_()
        seen = x
        for trick, now in self._at("seen"):
            seen = trick.seen(seen, now)
        return Shown(x, self.players["D"].networks(seen, classes), classes)

    def _at(self, moment: Moment) -> Sequence[tuple[Trick, Now]]:
        """The tricks that touch a moment, and what they may know of it."""
        touching = self._touching[moment]
        if not touching:
            return ()
        chance = self.chance.share(self.world.rank, self.world.size)
        return [(self.tricks[k], Now(chance, self.round, self.rounds, self.memories[k])) for k in touching]

    def _refuse_what_cannot_be_compared(self) -> None:
        alone = [move.__name__ for move in self.moves if move in (d_sees_real, d_sees_fake, d_sees_mixture)]
        who = [type(o).__name__ for o in (self.objective,) if o.relative]
        who += [type(trick).__name__ for trick in self.tricks if trick.compares]
        if d_sees_mixture in self.moves:
            who += [type(trick).__name__ for trick in self.tricks if trick.reshapes or "penalty" in trick.touches]
            who += ["a conditional game"] * bool(self.classes)
        if alone and who:
            raise UsageError(
                f"{who[0]} needs real and fake examples side by side in one step of D, which {alone[0]} does not show "
                "it: use the round d_sees_both g_fools_d"
            )

    def _refuse_what_cannot_be_played(self) -> None:
        for trick in self.tricks:
            trick.check(self.batch // self.world.size, self.classes)
        for who, player in self.players.items():
            for trick, now in self._at("step"):
                trick.step(player.optimiser, who, now)

    def _refuse_what_cannot_be_shared(self) -> None:
        if self.world.size == 1:
            return
        if self.batch % self.world.size:
            raise UsageError(
                f"{self.world.size} processes cannot share a batch of {self.batch} evenly: take a batch that "
                f"{self.world.size} divides"
            )
        what = [type(trick).__name__ for trick in self.tricks if trick.mingles]
        what += [d_sees_mixture.__name__] * (d_sees_mixture in self.moves)
        if what:
            raise UsageError(f"{what[0]} needs the whole batch in one process: processes cannot share one where it is")
