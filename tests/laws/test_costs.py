"""When rounds are compiled: where that ends a run earlier, and for one recipe on one machine always alike."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock

from sparring.game import assembly
from sparring.game.assembly import MEMBERS_PER_THREAD, game_of
from sparring.game.compile import aot, compiled, plan
from sparring.game.compile.costs import MAX_OPERATIONS, SHARE_BESIDE_PRODUCTS, Costs, estimate, remember
from sparring.game.compile.errors import UncompilableError
from sparring.game.compile.tracer import trace
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.training import train
from sparring.training.ahead import compile_ahead

SHORT = find_recipe("pattern-1010").replace(rounds=60, log_points=2)
LONG = Costs(seconds_per_round=1e-3, operations=100, seconds_per_operation=2e-6, rounds=10**6)


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets what is estimated; counts how often something is compiled, which takes no time."""
    calls: list[str] = []

    def loads(traced: Any, at_once: int) -> Any:
        library = aot.library_path(traced)
        if not library.exists():
            calls.append("compiled")
            library.parent.mkdir(parents=True)
            library.touch()
        return lambda inputs: traced.graph(*inputs)

    monkeypatch.setattr(compiled, "load_or_compile", loads)
    paced(monkeypatch, compiled=1e-4, plain=1e-3)

    def estimated(saved_by: float) -> list[str]:
        monkeypatch.setattr(plan, "estimate", lambda game, history: LONG if saved_by > 100 else _saving(saved_by))
        return calls

    return estimated


def paced(monkeypatch: pytest.MonkeyPatch, compiled: float, plain: float) -> None:
    """What rounds are found to take, in seconds."""
    monkeypatch.setattr(plan, "seconds_per_call", lambda game, play_to: plain if play_to == game.play_to else compiled)


def _saving(seconds: float) -> Costs:
    return Costs(seconds_per_round=1.0, operations=1, seconds_per_operation=2e-6, rounds=int(seconds / 0.15))


@pytest.fixture(autouse=True)
def own_cache_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(aot, "cache_dir", lambda: tmp_path / "cache")


def weights(run: RunFolder) -> bytes:
    return run.checkpoints()[-1].read_bytes()


def test_what_is_saved_is_at_least_what_dispatch_costs_and_never_more_than_the_round() -> None:
    assert LONG.saved == pytest.approx(10**6 * 100 * 1.5 * 2e-6)
    tiny = Costs(seconds_per_round=1e-5, operations=100, seconds_per_operation=2e-6, rounds=100)
    assert tiny.saved == pytest.approx(100 * 0.9e-5)
    wide = Costs(seconds_per_round=1.0, operations=100, seconds_per_operation=2e-6, rounds=100)
    assert wide.saved == pytest.approx(15)
    assert LONG.pays and not tiny.pays and not tiny.gains_from_cache


def test_what_is_saved_is_most_of_a_round_but_its_convolutions_and_products() -> None:
    wide = Costs(seconds_per_round=1.0, operations=100, seconds_per_operation=2e-6, rounds=100)
    assert replace(wide, products=0.5).saved == pytest.approx(100 * SHARE_BESIDE_PRODUCTS * 0.5)
    assert replace(wide, products=0.99).saved == replace(wide, products=1.1).saved == wide.saved == pytest.approx(15)
    assert replace(wide, products=0.0).saved == pytest.approx(100 * SHARE_BESIDE_PRODUCTS)


def test_products_are_timed_and_are_a_part_of_the_round(tmp_path: Path) -> None:
    recipe = find_recipe("digits").replace(batch=256)
    found = estimate(game_of(recipe, recipe.data.open(None, "cpu")), tmp_path / "history.json")
    assert found.products is not None and 0 < found.products < found.seconds_per_round
    assert found.saved > 0.2 * found.rounds * found.seconds_per_round


def test_an_estimate_counts_operations_and_leaves_the_game_as_it_was(tmp_path: Path) -> None:
    game = game_of(SHORT, SHORT.data.open(None, "cpu"))
    before = [t.clone() for t in game.tensors]
    found = estimate(game, tmp_path / "history.json")
    assert game.round == 0 and all(torch.equal(a, b) for a, b in zip(before, game.tensors, strict=True))
    assert 30 < found.operations < 500 and found.seconds_per_round > 0 and found.rounds == SHORT.rounds


def test_what_the_compiler_took_corrects_the_next_estimate(tmp_path: Path) -> None:
    history = tmp_path / "deep" / "history.json"
    remember(LONG, 3 * LONG.compiling, history)
    game = game_of(SHORT, SHORT.data.open(None, "cpu"))
    assert estimate(game, history).correction == pytest.approx(3, rel=0.01)
    history.write_text("no json")
    assert estimate(game, history).correction == 1


def test_a_long_run_is_compiled_and_the_next_uses_the_code(costs: Any, tmp_path: Path) -> None:
    calls = costs(saved_by=1e6)
    first = train(SHORT, tmp_path / "first", threads=1)
    assert first.about["compiled"] is True and len(calls) == 2  # a round that is logged, and one that is not
    second = train(SHORT, tmp_path / "second", threads=1)
    assert second.about["compiled"] is True and len(calls) == 2
    assert weights(first) == weights(second)


def test_the_first_run_says_what_compiling_takes_and_saves_and_the_next_that_code_is_there(
    costs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    costs(saved_by=1e6)
    paced(monkeypatch, compiled=1e-3, plain=2.5e-3)
    train(SHORT, tmp_path / "first", threads=1)
    before, after = [line for line in capsys.readouterr().err.splitlines() if "compil" in line]
    expected = f"about {LONG.compiling:.0f} s, saves about {LONG.saved:.0f} s of this run"
    assert before == f"compiling the training step: {expected}"
    assert after.startswith("rounds are compiled in ")
    assert after.endswith(": a round takes 1 ms, uncompiled 2.5 times as long")  # as timed, not as estimated
    train(SHORT, tmp_path / "second", threads=1)
    assert capsys.readouterr().err.splitlines() == ["rounds are loaded from the cache: a round takes 1 ms"]


def test_train_picks_the_threads_and_groups_that_were_compiled_for(
    costs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing but defaults: two threads for so many members, and as many groups at least."""
    for module in (assembly, compiled):
        monkeypatch.setattr(module, "idle_cores", lambda: 2)
    monkeypatch.setattr(compiled, "compiling_at_once", lambda rounds: nullcontext())
    calls = costs(saved_by=5.0)  # gains with code that is there, and would not pay to be compiled
    many = SHORT.replace(rounds=4, log_points=1, seeds=4 * MEMBERS_PER_THREAD)
    made = compile_ahead(many)
    assert made.compiled and made.threads == 2 and len(calls) == 2
    run = train(many, tmp_path / "run", metrics=False)
    assert (run.about["compiled"], run.about["threads"]) == (True, 2) and len(calls) == 2
    assert run.about["group"] == 2 * MEMBERS_PER_THREAD
    assert f"seeds are played in groups of {2 * MEMBERS_PER_THREAD}, 2 at once" in made.message


def test_the_same_recipe_is_played_alike_however_the_estimate_turns_out_later(costs: Any, tmp_path: Path) -> None:
    calls = costs(saved_by=5.0)  # gains, were the code there
    first = train(SHORT, tmp_path / "first", threads=1)
    assert first.about["compiled"] is False and not calls
    costs(saved_by=1e6)
    again = train(SHORT, tmp_path / "again", threads=1)
    assert again.about["compiled"] is False and weights(again) == weights(first)


def test_code_that_turns_out_slower_is_not_used_and_not_compiled_again(
    costs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = costs(saved_by=1e6)
    paced(monkeypatch, compiled=2e-3, plain=1e-3)
    first = train(SHORT, tmp_path / "first", threads=1)
    assert "rounds are not compiled: here a compiled one takes 2 ms instead of 1" in capsys.readouterr().err
    paced(monkeypatch, compiled=1e-4, plain=1e-3)  # as a machine that is less busy later might say
    again = train(SHORT, tmp_path / "again", threads=1)
    assert first.about["compiled"] is again.about["compiled"] is False and weights(first) == weights(again)
    assert len(calls) == 2
    asked = train(SHORT, tmp_path / "asked", threads=1, compile=True)
    assert asked.about["compiled"] is True


def test_code_of_another_length_is_used_where_it_gains(costs: Any, tmp_path: Path) -> None:
    calls = costs(saved_by=1e6)
    train(SHORT.replace(rounds=80), tmp_path / "long", threads=1)
    costs(saved_by=5.0)
    run = train(SHORT, tmp_path / "short", threads=1)
    assert run.about["compiled"] is True and len(calls) == 2
    costs(saved_by=0.1)
    run = train(SHORT.replace(rounds=20), tmp_path / "shortest", threads=1)
    assert run.about["compiled"] is False


def test_a_round_of_very_many_operations_is_not_traced_unasked(
    costs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced: list[int] = []

    def trace(game: Any, round: int, recording: bool, fused: bool = False) -> Any:
        traced.append(round)
        raise UncompilableError("it is enough to know that it was tried")

    monkeypatch.setattr(compiled, "trace", trace)
    for operations, tried in ((MAX_OPERATIONS, True), (MAX_OPERATIONS + 1, False)):
        for seconds in (10.0, 1e6):  # too short to compile, where code is looked for; long enough to compile
            traced.clear()
            long = replace(LONG, operations=operations, seconds_per_round=seconds, rounds=100)
            monkeypatch.setattr(plan, "estimate", lambda game, history, long=long: long)
            game = game_of(SHORT, SHORT.data.open(None, "cpu"))
            plan.plan(game, None, f"{operations} {seconds}")
            assert bool(traced) is tried


def test_compile_ahead_prepares_code_and_decides_for_it(
    costs: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sparring.cli.main import run as command

    calls = costs(saved_by=0.1)
    assert compile_ahead(SHORT, threads=1).compiled and len(calls) == 2
    run = train(SHORT, tmp_path / "run", threads=1)
    assert run.about["compiled"] is True and len(calls) == 2
    assert command(["compile", "pattern-1010", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["compiled"] is True and told["recipe"] == "pattern-1010"
    assert command(["compile"]) == 2


def test_a_run_that_is_resumed_stays_as_it_was_begun(costs: Any, tmp_path: Path) -> None:
    def leave(trainer: Any) -> None:
        trainer.stopping = trainer.game.round >= 30

    costs(saved_by=0.1)
    run = train(SHORT, tmp_path / "run", threads=1, watchers=[leave])
    assert run.about["compiled"] is False
    costs(saved_by=1e6)
    assert train(SHORT, tmp_path / "run", threads=1).about["compiled"] is False


@pytest.mark.skipif(aot.compiler() is None, reason="there is no C++ compiler")
@pytest.mark.parametrize("finished", [True, False])
def test_what_another_process_compiles_is_waited_for(finished: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes with other seeds of the same run need the same code: one of them compiles it."""
    made: list[Path] = []

    class Fake:
        def __init__(self, graph: Any, inputs: Any, library: Path):
            self.library = library

        def finish(self) -> None:
            made.append(self.library)
            self.library.touch()

        def cancel(self) -> None:
            pass

    monkeypatch.setattr(aot, "Build", Fake)
    monkeypatch.setattr(aot, "LOOK_SECONDS", 0.01)
    traced = trace(game_of(SHORT, SHORT.data.open(None, "cpu")), 0, False)
    library = aot.library_path(traced)
    library.parent.mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        with FileLock(library.with_suffix(".lock")):  # of the other process
            waiting = pool.submit(aot.load_or_compile, traced)
            assert not wait([waiting], timeout=0.3).done
            if finished:
                library.touch()
        with pytest.raises(RuntimeError):  # nothing was compiled in truth, so nothing can be loaded
            waiting.result(timeout=30)
    assert library.exists() and made == ([] if finished else [library])
