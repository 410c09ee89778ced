"""A person asks what is wrong with a GAN: from the command line, from Python, on the page, while it trains."""

from __future__ import annotations

import io
import json
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import t as students

import sparring
import sparring.training
from sparring import catalogue
from sparring.analysis.diagnosis import NOT_SURE, Plateau, command, diagnosis
from sparring.analysis.stats import students_t
from sparring.cli.main import FAILED, OK, WRONG_USAGE, run
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.least_squares import LeastSquares
from sparring.optimizers.sgd import SGD
from sparring.record import RunFolder, Story
from sparring.report import Live, summary, write_report
from sparring.report.findings import when_to_stop
from sparring.rules import Signals
from sparring.rules._stories import story as synthetic
from sparring.training.chores import evaluate
from sparring.tricks.label_swapping import LabelSwapping

SMALL = sparring.find_recipe("digits").replace(
    rounds=30, log_points=3, batch=8, seeds=3, generator=FullyConnected((9,), output="tanh")
)
OWN = """
from torch import nn

from sparring import Recipe, find_recipe


class Mine(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(32, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))


def mine() -> Recipe:
    return find_recipe("digits").replace(generator=Mine, rounds=6, log_points=2, batch=8)
"""


def sparring_(*arguments: object, expect: int = OK) -> None:
    assert run([str(a) for a in arguments]) == expect


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A G that learns nothing: half of the labels are wrong."""
    out = tmp_path_factory.mktemp("diagnose") / "run"
    sparring.training.train(SMALL.replace(tricks=(LabelSwapping(0.5, 0.0),)), out)
    return out


def written(folder: Path, story: Story) -> RunFolder:
    """A run's folder that tells this story."""
    run = RunFolder(folder)
    recipe = sparring.find_recipe("digits").replace(seeds=story.seeds, rounds=story.recipe["rounds"])
    run.create(recipe.to_json())
    for event in story.events:
        run.journal.append(event["event"], **{k: v for k, v in event.items() if k != "event"})
    return run


def sick(rule: str) -> Story:
    return catalogue.find("rules", rule)().sick()


def test_findings_as_json_are_the_strongest_first_and_their_remedies_run(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    sparring_("diagnose", trained, "--json")
    held = json.loads(capsys.readouterr().out)
    assert {"verdict", "findings"} <= held.keys() and held["findings"]
    first = held["findings"][0]
    assert held["verdict"] in (first["rule"], NOT_SURE)
    for finding in held["findings"]:
        assert {"rule", "claim", "members", "since", "evidence", "remedy"} <= finding.keys()
        assert finding["rule"] in catalogue.entries("rules")
        assert set(finding["members"]) <= {0, 1, 2} and finding["of"] == 3
        assert 0 <= finding["since"] <= 30
        assert all({"name", "value", "healthy"} <= each.keys() for each in finding["evidence"])
    strengths = [(2 * len(f["members"]) > f["of"], f["strength"]) for f in held["findings"]]
    assert strengths == sorted(strengths, reverse=True)
    out = tmp_path / "mended"
    words = first["command"].split()[1:]
    assert words == ["train", "--from", str(trained), "--remedy", first["remedy"]]
    sparring_(*words, "--rounds", 5, "--log-points", 1, "--out", out)
    assert RunFolder(out).story.round == 5
    assert RunFolder(out).recipe["seeds"] == [0, 1, 2]
    assert RunFolder(out).recipe["name"] == "digits"


def test_words_name_the_verdict_its_numbers_and_what_to_type(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    sparring_("diagnose", trained)
    said = capsys.readouterr().out
    assert "verdict" in said and "healthy" in said and "3 of 3 seeds" in said
    assert "sparring train --from" in " ".join(said.split()) and "--remedy" in said


def test_a_remedy_is_trained_beside_the_run_and_changes_what_it_says(trained: Path) -> None:
    sparring_("train", "--from", trained, "--remedy", "no-label-swapping", "--rounds", 4, "--log-points", 1)
    made = RunFolder(trained.with_name("run-no-label-swapping"))
    assert made.recipe["tricks"] == [] and made.recipe["rounds"] == 4
    assert made.recipe["generator"] == RunFolder(trained).recipe["generator"]


def test_a_run_that_is_too_short_goes_on_by_its_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command that the diagnosis prints: the run keeps its rounds, its seeds and its folder."""
    made = sparring.training.train(SMALL, tmp_path / "run")
    before = made.story.curve("d_loss")
    capsys.readouterr()
    sparring_("diagnose", made.path)
    said = " ".join(capsys.readouterr().out.split())
    assert "verdict undertrained" in said and "3 of 3 seeds, from the start" in said
    assert "the run has seen 240 images, where a usual run of such data sees about 80,000" in said
    assert "remedy more-rounds: the run goes on, from round 30 to 10,000" in said
    sparring_("diagnose", made.path, "--json")
    first = json.loads(capsys.readouterr().out)["findings"][0]
    words = first["command"].split()[1:]
    assert words == ["train", "--from", str(made.path), "--remedy", "more-rounds"]
    sparring_(*words, "--rounds", 60)  # as a user who wants fewer than the remedy gives
    after = RunFolder.open(made.path)
    assert after.story.round == after.recipe["rounds"] == 60 and after.recipe["seeds"] == [0, 1, 2]
    np.testing.assert_array_equal(after.story.curve("d_loss")[: len(before)], before)
    assert not (tmp_path / "run-more-rounds").exists()


def test_a_run_that_was_stopped_too_early_is_resumed_by_its_remedy(tmp_path: Path) -> None:
    made = sparring.training.train(SMALL, tmp_path / "run", watchers=[_stop_at(10)])
    assert made.story.status == "stopped"
    held = sparring.diagnose(made)
    assert held.verdict == "undertrained"
    words = held.command(made.path, held.findings[0].remedies[0]).split()[1:]
    assert words == ["train", "--from", str(made.path), "--out", str(made.path)]
    sparring_(*words)
    assert RunFolder.open(made.path).story.status == "finished"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("--remedy", "fully-connected-generator"),
            "fully-connected-generator has nothing to change in this recipe; these have: ",
        ),
        (("--remedy", "modrn"), "did you mean 'modern'?"),
        (("--remedy", "modern", "--batch", "many"), "batch"),
    ],
)
def test_what_does_not_fit_is_one_line(
    trained: Path, arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sparring_("train", "--from", trained, *arguments, expect=WRONG_USAGE)
    error = capsys.readouterr().err
    assert says in error and len(error.splitlines()) == 1


def test_a_remedy_needs_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sparring_("train", "digits", "--remedy", "modern", expect=WRONG_USAGE)
    assert "name the run with --from RUN" in capsys.readouterr().err
    sparring_("train", "--from", tmp_path / "nothing", "--remedy", "modern", expect=FAILED)
    assert "does not exist" in capsys.readouterr().err
    sparring_("diagnose", tmp_path / "nothing", expect=FAILED)


def test_a_run_with_a_users_own_network_is_diagnosed_and_mended(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    made = sparring.training.train(sparring.find_recipe(str(tmp_path / "mine.py")), tmp_path / "run")
    assert sparring.diagnose(made).verdict in (NOT_SURE, *catalogue.entries("rules"))
    sparring_("train", "--from", made.path, "--remedy", "higher-d-lr", "--rounds", 3)
    again = RunFolder(tmp_path / "run-higher-d-lr")
    assert again.recipe["generator"]["yours"] == "Mine"
    assert again.recipe["discriminator_optimizer"]["lr"] == 4 * made.recipe["discriminator_optimizer"]["lr"]


def test_a_run_that_diverges_is_stopped_and_named_with_the_round_where_it_began(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = SMALL.replace(generator_optimizer=SGD(1e4), discriminator_optimizer=SGD(1e4), seeds=2, rounds=200)
    with pytest.raises(sparring.SparringError, match="every member diverged"):
        sparring.training.train(far.replace(objective=LeastSquares(), tricks=()), tmp_path / "run")
    sparring_("diagnose", tmp_path / "run", "--json")
    held = json.loads(capsys.readouterr().out)
    first = held["findings"][0]
    assert held["verdict"] == first["rule"] == "divergence"
    assert first["members"] == [0, 1] and first["since"] <= 20
    assert "seed 0 at round" in first["claim"]
    assert first["remedy"] == "usual-lr" and "lower-lr" in first["remedies"]


def test_python_says_the_same(trained: Path) -> None:
    held = sparring.diagnose(trained)
    assert held.plain(trained)["verdict"] == held.verdict == sparring.diagnose(RunFolder(trained)).verdict
    assert summary(RunFolder(trained))["diagnosis"]["verdict"] == held.verdict


def test_the_page_carries_every_finding_with_its_picture_and_command(tmp_path: Path) -> None:
    made = written(tmp_path / "run", sick("mode-collapse"))
    held = sparring.diagnose(made)
    page = write_report(made).read_text()
    assert "Diagnosis" in page
    for finding in held.findings:
        assert finding.rule in page and escape(finding.plot.title) in page
        assert command(made.path, finding.remedies[0]) in page
    assert page.count("Dotted line: the round since which the finding holds") == len(held.findings)


def test_the_author_stands_beside_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = written(tmp_path / "run", sick("discriminator-wins"))
    made.write_text("recipe.json", json.dumps(sparring.find_recipe("num-gan").replace(seeds=8, batch=64).to_dict()))
    sparring_("show", made.path)
    said = " ".join(capsys.readouterr().out.split())
    assert "reference result No longer pure noise" in said
    assert "expected diagnosis discriminator-wins" in said
    assert "diagnosis discriminator-wins (8 of 8): D is far ahead" in said


def test_it_says_not_sure_where_nothing_is_clear(tmp_path: Path) -> None:
    """D leads, no figure was told: nothing is known of the samples, and neither end is claimed."""
    story = synthetic({"d_real": 0.7, "d_fake": 0.3}, metrics={})
    held = diagnosis(Story(story.recipe, [e for e in story.events if e["event"] != "real-baseline"]))
    assert held.verdict == NOT_SURE and not held.findings
    assert held.line.startswith("not-sure: no metrics of samples were logged")


def test_a_minority_is_told_and_is_not_the_verdict() -> None:
    story = synthetic(diverged={0: 4_000, 1: 4_200})
    held = diagnosis(story)
    assert held.verdict == "equilibrium"
    lost = next(f for f in held.findings if f.rule == "divergence")
    assert lost.members == (0, 1) and not lost.widespread
    assert "seed 0 at round 3,975, seed 1 at round 4,175" in lost.claim


def test_a_verdict_stands_in_the_display(trained: Path) -> None:
    console = Console(width=120, height=60, file=io.StringIO(), force_terminal=True)
    live: Any = Live(console)
    recipe = sparring.find_recipe("digits").replace(rounds=6, log_points=2, batch=8)
    live.console = console
    seen: list[str] = []

    def look(trainer: Any) -> None:
        live._next = live._next_verdict = 0.0
        live(trainer)
        seen.append(live._verdict)

    with live:
        sparring.training.train(recipe, trained.parent / "shown", watchers=[look])
    assert seen[-1].startswith(("not-sure", *catalogue.entries("rules")))
    assert "so far" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 12, 200])
def test_intervals_are_students(freedom: int) -> None:
    assert students_t(freedom, 0.95) == pytest.approx(students.ppf(0.975, freedom), rel=5e-3)


def test_whether_more_training_pays_is_said_with_its_interval() -> None:
    falling = Plateau.of(Signals(synthetic(metrics={"frechet-distance": (60.0, 40.0, 28.0, 20.0, 14.0, 10.0)})))
    assert falling is not None and falling.improving is True
    assert falling.low < falling.change < falling.high < 0
    resting = Plateau.of(Signals(synthetic(metrics={"frechet-distance": (30.0, 3.0, 3.0, 3.0, 3.0, 3.0)})))
    assert resting is not None and resting.improving is False
    assert "more training would help little" in resting.words
    assert Plateau("frechet-distance", 0.01, -0.9, 8.74).words == (
        "Over the last third of the rounds samples came 1% further from the data "
        "(95% interval: 90% nearer to 10 times as far): inconclusive whether more training helps."
    )
    as_real = Plateau.of(Signals(synthetic(metrics={"frechet-distance": (30.0, 0.02, 0.01, 0.01, 0.01, 0.01)})))
    assert as_real is not None and as_real.improving is None and not as_real.worth_continuing
    assert as_real.words.endswith("real examples: whether more training helps does not show in this distance.")
    untold = synthetic(metrics={})
    assert Plateau.of(Signals(untold)) is None


def test_that_samples_rest_early_is_not_said_to_speak_against_the_remedy_of_more_rounds() -> None:
    early = diagnosis(synthetic(rounds=250, metrics={"frechet-distance": (60.0, 40.0, 40.0, 40.0), "modes": 1.0}))
    assert early.verdict == "undertrained" and "more-rounds" in early.findings[0].remedies
    assert early.plateau is not None and early.plateau.improving is None
    assert "too early to tell whether more training helps" in early.plateau.words


def test_it_says_over_which_rounds_its_numbers_are_taken() -> None:
    assert diagnosis(synthetic(metrics={})).evaluated == (
        "Losses, D's outputs and gradients are means of the last tenth of the logged rounds."
    )
    assert "Metrics of samples are medians of the last evaluations" in diagnosis(synthetic()).evaluated


def test_one_example_that_wanders_nearer_is_no_gain() -> None:
    falling = (60.0, 50.0, 38.0, 27.0, 18.0, 12.0)
    alive = Signals(synthetic(metrics={"frechet-distance": falling, "diversity": 0.7}))
    stuck = Signals(synthetic(metrics={"frechet-distance": falling, "diversity": 0.001}))
    assert alive.improving(-0.15).all() and not stuck.improving(-0.15).any()


# When to stop.


def test_training_ends_by_itself_once_samples_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A G that cannot learn rests from the beginning. The same command has nothing left to do; without the flag it
    goes on."""
    monkeypatch.setattr(evaluate, "EVALUATION_SHARE", 1e6)  # every tick is looked at, however long that takes
    rest = SMALL.replace(generator_optimizer=SGD(0.0), rounds=200, log_points=20)
    made = sparring.training.train(rest, tmp_path / "run", early_stop=True)
    assert made.story.status == "plateau"
    ended = made.story.round
    assert 100 <= ended < 200
    assert sparring.training.train(rest, tmp_path / "run", early_stop=True).story.round == ended
    held = sparring.diagnose(made)
    assert held.plateau is not None and not held.plateau.worth_continuing
    assert sparring.training.train(rest, tmp_path / "run").story.status == "finished"


def test_training_goes_on_while_samples_get_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "EVALUATION_SHARE", 1e6)
    made = sparring.training.train("pattern-1010", tmp_path / "run", early_stop=True, watchers=[_stop_at(600)])
    assert made.story.status == "stopped"


def _stop_at(round: int) -> Any:
    def watch(trainer: Any) -> None:
        trainer.stopping = trainer.stopping or trainer.game.round >= round

    return watch


def test_it_needs_figures_to_know_when(tmp_path: Path) -> None:
    with pytest.raises(sparring.UsageError, match="early-stop needs them"):
        sparring.training.train(SMALL, tmp_path / "run", early_stop=True, metrics=False)


def test_the_best_checkpoint_is_kept_under_its_name_and_can_be_sampled(tmp_path: Path) -> None:
    made = sparring.training.train(SMALL.replace(log_points=1), tmp_path / "run")
    assert made.best == made.path / "weights" / "best-round-000000030.safetensors"
    assert sparring.diagnose(made).best == 30
    np.testing.assert_array_equal(sparring.sample(made, 4, best=True), sparring.sample(made, 4))
    assert "weights/best-round-000000030.safetensors" in when_to_stop(made, sparring.diagnose(made))
    unseen = sparring.training.train(SMALL.replace(rounds=2, log_points=1), tmp_path / "unseen", metrics=False)
    assert unseen.best is None
    with pytest.raises(sparring.SparringError, match="no best checkpoint"):
        sparring.sample(unseen, 4, best=True)


def test_a_better_round_takes_the_place_of_the_best(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.create("{}")
    for round in (10, 20):
        run.save_best(round, {"G.weight": np.zeros((1, 2), dtype=np.float32)})
    assert [p.name for p in (tmp_path / "weights").iterdir()] == ["best-round-000000020.safetensors"]
    assert run.load(best=True) is not None and run.load() is None


@pytest.mark.parametrize(
    ("roughness", "structure", "said"),
    [
        (3.0, 0.5, "its images have no structure, one speckled picture whatever it is fed, and D is sure"),
        (0.8, 0.1, "its images have no structure, one speckled picture whatever it is fed, and D is sure"),
        (1.0, 0.325, "it makes one sample whatever it is fed (in some seeds its images have no structure), and"),
        (1.0, 0.7, "it makes one sample whatever it is fed, and D is sure"),
    ],
    ids=["rough", "scattered", "some", "one"],
)
def test_a_g_that_stands_still_before_a_sure_d_is_described_first(
    roughness: float, structure: float, said: str
) -> None:
    """What is seen and why, in the first sentence: the words of those who met it."""
    made = synthetic(
        {"d_loss": (0.69, 0.33), "g_loss": (0.7, 2.3), "d_real": (0.5, 0.9), "d_fake": (0.5, 0.1)},
        {
            "frechet-distance": (60.0, 58.0, 57.0, 58.0),
            "nearest-neighbor": 1.5,
            "roughness": roughness,
            "structure": structure,
            "diversity": (0.5, 0.003, 0.003, 0.003),
            "modes": 1.0,
            "class-divergence": 2.3,
            "similarity-to-mean": 0.8,
        },
    )
    first = diagnosis(made).findings[0]
    assert (first.rule, first.claim.startswith(f"G does not train: {said}")) == ("discriminator-wins", True)
    moving = diagnosis(synthetic({"d_real": (0.5, 0.95), "d_fake": (0.5, 0.05)}, {"frechet-distance": (60.0, 58.0)}))
    assert not moving.findings[0].claim.startswith("G does not train")
