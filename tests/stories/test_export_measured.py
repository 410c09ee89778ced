"""An exported generator is shown with figures of its own round, and with how its seed was chosen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sparring.analysis.facts import Facts
from sparring.record import RunFolder
from sparring.ship.card import _measured as in_card  # pyright: ignore[reportPrivateUsage]
from sparring.ship.demo import WEB
from sparring.ship.demo import _how_measured as below_page  # pyright: ignore[reportPrivateUsage]
from sparring.ship.demo import _metrics as on_page  # pyright: ignore[reportPrivateUsage]
from sparring.ship.measured import Choice, Measured, nearest
from tests.commands import sparring

pytestmark = pytest.mark.usefixtures("operators_are_read_once")
SEEDS = (5, 3)
EARLIER = {"frechet-distance": [2.5, 8.0], "kernel-distance": [0.25, 0.5]}
"""At round 10, where seed 5 is the nearer one; at round 20, the last one, seed 3 is."""
LATER = {"frechet-distance": [7.0, 4.0], "kernel-distance": [0.75, 0.125]}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run whose best checkpoint is of round 10 and whose newest is of round 20, with these evaluations."""
    folder = tmp_path_factory.mktemp("exported-figures") / "run"
    few = ("--rounds", 20, "--log-points", 2, "--seeds", "5,3", "--samples-per-grid", 4, "--no-metrics")
    sparring("train", "digits", *few, "--out", folder)
    run = RunFolder(folder)
    events = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    baseline = {"event": "real-baseline", "round": 0, "metrics": {"frechet-distance": 0.5}, "n": 898, "judge": "digits"}
    for event in events:
        if event["event"] == "log" and event["round"] in (10, 20):
            event["metrics"] = EARLIER if event["round"] == 10 else LATER
    run.write_text("journal.jsonl", "".join(f"{json.dumps(event)}\n" for event in [*events[:1], baseline, *events[1:]]))
    run.save_best(10, (run.load() or (0, {}))[1])
    return run


@pytest.fixture
def facts(trained: RunFolder) -> Facts:
    return Facts.of(trained)


def score(real: float, *members: float | None) -> dict[str, Any]:
    return {"title": "Fréchet distance", "better": "lower", "real": real, "members": list(members)}


def measured_at(run: RunFolder, folder: Path, round: int, seeds: tuple[int, ...] = SEEDS) -> Facts:
    """A copy of the run that was measured, by both judges."""
    shutil.copytree(run.path, folder)
    values = {3: (3.0, 30.0), 5: (6.0, 60.0)}
    rows = [{"frechet-distance": score(0.4, *(values[seed][k] for seed in seeds))} for k in range(2)]
    facts = {"seeds": seeds, "n": 500, "round": round, "judge": "digits", "held_out": "the test part"}
    measures = {**facts, "metrics": rows[0], "independent": {"metrics": rows[1], "judge": "digits-independent"}}
    (folder / "measures.json").write_text(json.dumps(measures))
    return Facts.of(RunFolder(folder))


def test_the_seed_is_the_nearest_of_the_round_that_is_exported(facts: Facts) -> None:
    assert nearest(facts) == Choice(3, 2, "frechet-distance", "digits", 20)
    assert nearest(facts, 10) == Choice(5, 2, "frechet-distance", "digits", 10)
    assert nearest(facts, 7) == nearest(facts)


def test_an_evaluation_of_the_exported_round_is_shown_and_what_was_chosen_by_it(facts: Facts) -> None:
    table, caption, choice, _ = in_card(facts, Measured.of(facts, 10, nearest(facts, 10)), True)
    assert "| 0.500 | 2.500 | 5.250 ± 3.889 | 2 |" in table and "at round 10 on 898 examples" in caption
    assert choice == (
        "Seed 5 was chosen as the nearest of 2 seeds by the judge digits (Fréchet distance at round 10), so its own "
        "figures by that judge are too good."
    )
    of_others = in_card(facts, Measured.of(facts, 10, Choice(3)), True)
    assert "| 0.500 | 8.000 |" in of_others[0] and "too good" not in "".join(of_others)


def test_figures_of_another_round_are_not_this_generators(facts: Facts) -> None:
    measured = Measured.of(facts, 15, nearest(facts))
    table, caption, lack, _ = in_card(facts, measured, False)
    assert "| 0.500 | – | 5.500 ± 2.121 | 2 |" in table and "at round 20 on" in caption
    assert lack == (
        "This generator has no figures of its own: they are of round 20, and this generator is of round 15. "
        "`sparring measure` and another export give them."
    )
    assert {row["here"] for row in on_page(facts, measured)} == {"–"}
    said = below_page(measured)
    assert (said["own"], said["round"], said["of"]) == (False, 20, 1)


def test_a_measurement_of_the_end_is_not_of_the_best_checkpoint(trained: RunFolder, tmp_path: Path) -> None:
    facts = measured_at(trained, tmp_path / "run", 20)
    best = Measured.of(facts, 10, nearest(facts, 10))
    assert best.measures is None and "| 0.500 | 2.500 |" in in_card(facts, best, True)[0]
    other = Measured.of(facts, 15, nearest(facts))
    first, _, lack, about, second, _ = in_card(facts, other, True)
    assert "| 0.400 | – |" in first and "| 0.400 | – |" in second and "independent" in about
    assert "`sparring measure` measures the newest checkpoint: export that one" in lack


def test_independent_figures_are_shown_for_a_seed_that_was_chosen(trained: RunFolder, tmp_path: Path) -> None:
    facts = measured_at(trained, tmp_path / "run", 20)
    measured = Measured.of(facts, 20, nearest(facts))
    first, _, choice, about, second, _ = in_card(facts, measured, False)
    assert "| 0.400 | 3.000 | 4.500" in first and "nearest of 2 seeds by the judge digits" in choice
    assert "| 0.400 | 30.000 | 45.000" in second and "report these figures" in about
    (row,) = on_page(facts, measured)
    assert (row["here"], row["n"]) == ("30", 2) and row["mean"].startswith("45.000")
    assert below_page(measured)["independent"] and below_page(measured)["of"] == 2


def test_a_seed_that_was_not_measured_has_the_figures_of_its_evaluation_or_none(
    trained: RunFolder, tmp_path: Path
) -> None:
    facts = measured_at(trained, tmp_path / "run", 20, seeds=(5,))
    assert Measured.of(facts, 20, Choice(3)).evaluation is not None
    assert Measured.of(facts, 20, Choice(5)).measures is not None
    late = measured_at(trained, tmp_path / "late", 15, seeds=(5,))
    assert "seed 3 was not measured" in Measured.of(late, 15, Choice(3)).lack(is_best=False)


def test_the_page_says_it_in_both_languages(trained: RunFolder, tmp_path: Path, browser: Any) -> None:
    pytest.importorskip("onnxruntime", reason="exports need the extra ship")
    sparring("export", trained.path, "--best", "--to", tmp_path / "out")
    made = json.loads((tmp_path / "out" / "export.json").read_text())
    assert (made["seed"], made["round"]) == (5, 10)
    assert "| 0.500 | 2.500 |" in (tmp_path / "out" / "README.md").read_text()
    context = browser.new_context(offline=True, locale="en-US")
    page = context.new_page()
    page.goto((tmp_path / "out" / "demo.html").as_uri())
    page.wait_for_selector('main[aria-busy="false"]', timeout=60_000)
    wanted = "Seed 5 was chosen as the nearest of 2 seeds by the judge digits (Fréchet distance at round 10)"
    assert wanted in page.inner_text("#facts") and "2.500" in page.inner_text("#about table")
    page.locator("[data-language=zh]").click()
    assert "种子 5 是按评判网络 digits 从 2 个种子中选出的" in page.inner_text("#facts")
    context.close()
    words = json.loads((WEB / "words.json").read_text(encoding="utf-8"))
    assert words["en"].keys() == words["zh"].keys()
