"""README.md of an exported generator: a model card that says what was measured, on how many seeds, beside real data."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelCardData

from sparring.analysis.facts import Evaluation, Facts
from sparring.analysis.wording import count, features_of, listed, number, plus_minus, whole_number
from sparring.characters import printable
from sparring.datasets import Card
from sparring.errors import SparringError
from sparring.languages import said
from sparring.recipe import Recipe
from sparring.report.measurement import measurement_rows
from sparring.report.metric_names import in_order, name_of
from sparring.ship.measured import Measured
from sparring.ship.portable import TOLERANCE, Portable

LICENSES = {
    "CC BY-SA 3.0": "cc-by-sa-3.0",
    "CC BY 4.0": "cc-by-4.0",
    "MIT": "mit",
}
"""The license of a data set as its card names it -> as the hub does. That of own images is known to the user alone."""
FORMULA = "none needed"
"""How the license of data begins that is sampled from a formula."""


@dataclasses.dataclass(frozen=True)
class Agreement:
    """The largest differences from the run's own examples over the 64 latent vectors; see TOLERANCE for the unit."""

    onnx: float
    torch: float


def model_card(
    portable: Portable,
    facts: Facts,
    measured: Measured,
    recipe: Recipe,
    agreement: Agreement,
    files: dict[str, str],
    space: str = "",
    data_dir: Path | None = None,
) -> str:
    """The card as Markdown, with the metadata that the hub reads in front.

    Args:
        portable: The generator.
        facts: Of its run.
        measured: Its figures, and how its seed was chosen.
        recipe: What was trained.
        agreement: How far the exported forms are from the run's.
        files: Name -> what it is, in the order of the list.
        space: `user/name` of a static Space whose front page is the demo, if it is one.
        data_dir: Where data sets are kept, to hash those of a run that did not record the hash.
    """
    data = recipe.data.card
    license = LICENSES.get(data.license)
    image = len(portable.facts["shape"]) == 3
    metadata = ModelCardData(
        model_name=f"{portable.facts['name']}, seed {portable.facts['seed']}",
        license=license or "other",
        license_name=None if license else "to-be-chosen" if data.license.startswith(FORMULA) else "see-the-data",
        library_name="onnx",
        pipeline_tag="unconditional-image-generation" if image else None,
        tags=["gan", "sparring", *(["class-conditional"] if recipe.classes else [])],
    )
    if space:
        # What the hub asks of a Space beside what it asks of a model.
        front: dict[str, Any] = {"title": space.partition("/")[2], "sdk": "static", "app_file": "index.html"}
        metadata = ModelCardData(**metadata.to_dict(), **front)
        files = {"index.html" if name == "demo.html" else name: what for name, what in files.items()}
    parts = [
        f"# {portable.facts['name']}: a GAN generator",
        _summary(portable, facts),
        f"**{said('Diagnosis of the run.')}** {said(facts.diagnosis.line)}",
        "## Use it",
        _usage(portable, files),
        "## What was measured",
        *_measured(facts, measured, portable.facts["checkpoint"] == "best"),
        "## Data and license",
        f"{_data(data)} {_data_hash(facts, recipe, data_dir)}",
        "## How it was trained",
        _recipe(facts, portable),
        "## How exact the files are",
        _exactness(agreement, portable),
    ]
    return ModelCard(f"---\n{metadata.to_yaml()}\n---\n\n" + "\n\n".join(parts) + "\n").content


def _summary(portable: Portable, facts: Facts) -> str:
    about = portable.facts
    classes = f" and one of {about['classes']} classes" if about["classes"] else ""
    shape = " x ".join(map(str, about["shape"]))
    columns = f"Columns: {'; '.join(map(printable, about['columns']))}. " if about["columns"] else ""
    kept = " (the best checkpoint)" if about["checkpoint"] == "best" else ""
    return (
        f"Maps latent vectors of {count(about['size'], 'number')}{classes} to examples of {shape} ({about['units']}). "
        f"{columns}"
        f"It has {portable.parameters:,} parameters. It is seed {about['seed']} of {count(len(facts.seeds), 'seed')} "
        f"that were trained alike, at round {about['round']:,} of {facts.rounds:,}{kept}. Other seeds give other "
        "generators: what follows is said of all of them."
    )


def _usage(portable: Portable, files: dict[str, str]) -> str:
    listing = "\n".join(f"- `{name}`: {what}" for name, what in files.items())
    inputs = f"z, np.arange(16) % {portable.facts['classes']}" if portable.facts["classes"] else "z"
    law = 'z = draw(facts["latent"], 16, np.random.default_rng(0))'
    own = f"z = ...  # float32 (16, {portable.facts['size']}), of the distribution that it was trained with"
    code = (
        "import numpy as np\n"
        "from sample_onnx import draw, load\n\n"
        'G, facts = load("generator.onnx")\n'
        f"{law if portable.facts['latent'] else own}\n"
        f"examples = G({inputs})  # {portable.expected.dtype} (16, {', '.join(map(str, portable.facts['shape']))})\n"
    )
    return f"{listing}\n\n```python\n{code}```"


def _measured(facts: Facts, measured: Measured, is_best: bool) -> list[str]:
    if measured.measures is not None:
        tables = _from_measurement(measured.measures, measured)
    elif measured.evaluation is not None:
        tables = _from_evaluation(measured.evaluation, facts, measured)
    else:
        return ["No metric of its samples was computed: `sparring measure` does that."]
    lack, choice = measured.lack(is_best), measured.choice.sentence if measured.is_own else ""
    return [*tables[:2], *(text for text in (lack, choice) if text), *tables[2:], _diverged(facts)]


def _from_evaluation(evaluation: Evaluation, facts: Facts, measured: Measured) -> list[str]:
    seed = measured.choice.seed
    rows = [
        [
            name_of(key).title,
            whole_number(evaluation.real.get(key)),
            number(evaluation.metrics[key][facts.seeds.index(seed)] if measured.is_own else None),
            plus_minus(evaluation.spreads[key]),
            str(evaluation.spreads[key].n),
        ]
        for key in in_order(evaluation.metrics)
    ]
    on = f" on {evaluation.n:,} examples on each side" if evaluation.n else ""
    through = f", using {features_of(evaluation.judge)}" if evaluation.judge else ""
    return [_table(seed, rows), f"Evaluated while it trained, at round {evaluation.round:,}{on}{through}."]


def _from_measurement(measures: dict[str, Any], measured: Measured) -> list[str]:
    seed, seeds = measured.choice.seed, [int(each) for each in measures["seeds"]]
    at = seeds.index(seed) if measured.is_own else None
    rows: dict[bool, list[list[str]]] = {False: [], True: []}
    for row in measurement_rows(measures):
        here = number(None if at is None else row.members[at])
        cells = [row.heading, number(row.real), here, plus_minus(row.spread), str(row.spread.n)]
        rows[row.independent].append(cells)
    judge = f", with the judge {measures['judge']}" if measures["judge"] else ""
    parts = [
        _table(seed, rows[False]),
        f"Measured at round {measures['round']:,} on {measures['n']:,} examples on each side{judge}. "
        "↓: less is better, ↑: more is better, =: best as with real data.",
    ]
    if rows[True]:
        about = "The same samples by the independent judge, by which no setting was chosen: report these figures."
        parts += [about, _table(seed, rows[True])]
    return parts


def _table(seed: int, rows: list[list[str]]) -> str:
    head = ["metric", "real data", f"this generator (seed {seed})", "mean ± SD over seeds", "n seeds"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _diverged(facts: Facts) -> str:
    return f"{len(facts.diverged)} of {count(len(facts.seeds), 'seed')} diverged; the means leave them out."


def _data(card: Card) -> str:
    amount = f", {card.examples:,} examples" if card.examples else ""
    return f"{card.title}{amount}. Source: {card.source}. {_license(card.license)}"


def _license(license: str) -> str:
    if license in LICENSES:
        return (
            f"Its license is {license}; whether it extends to a generator that was trained on the data is not settled."
        )
    if license.startswith(FORMULA):
        return f"The license of the data is {license}; whoever shares this generator chooses its own."
    return (
        f"**Open question: its license is {license}. Whoever shares this generator must know it, and whether it covers "
        "models that were trained on the data.**"
    )


def _data_hash(facts: Facts, recipe: Recipe, data_dir: Path | None) -> str:
    """A sentence with the hash of all examples, or why there is none."""
    if recorded := facts.about.get("data_hash"):
        return f"Hash of all its examples, taken when training began: `{recorded}`."
    try:
        found = recipe.data.content_hash(recipe.data.open(data_dir, "cpu"))
    except SparringError as error:
        return f"No hash of its examples was recorded, and none can be computed now: {error}."
    if not found:
        return "It is drawn from a formula without end: there is no set of examples that a hash could be computed of."
    if facts.story.loop is not None:
        return f"Of all that the loop gave to D there is no hash; of the examples that its run keeps it is `{found}`."
    return f"Hash of all its examples, taken when this was exported: `{found}`."


def _recipe(facts: Facts, portable: Portable) -> str:
    entry = facts.entry
    origin = f" ({entry.facts['source']})" if entry and not facts.on_other_data else ""
    changes = f" Changed: {'; '.join(facts.changes)}." if facts.changes else ""
    made = facts.about.get("versions") or {}
    versions = listed([f"{name} {value}" for name, value in made.items()]) if made else "unknown versions"
    if facts.story.loop is not None:
        return f"By a training loop of its author's own, which Sparring watched. Versions: {versions}."
    lines = [
        f"Recipe `{portable.facts['name']}`, id `{portable.facts['recipe']}`{origin}.{changes}",
        f"Seeds {', '.join(map(str, facts.seeds))}; {versions}; commit {facts.about.get('commit') or 'unknown'}. "
        "`recipe.json` is the whole recipe: `sparring train recipe.json` trains it again.",
    ]
    return "\n\n".join(lines)


def _exactness(agreement: Agreement, portable: Portable) -> str:
    unit = "data units" if portable.scale is None else "standard deviations of the scaled numbers"
    return (
        f"On the run's latent vectors 0 to 63 the largest difference from the generator in the run is "
        f"{agreement.onnx:.1e} in onnxruntime and {agreement.torch:.1e} in torch, in {unit}; more than "
        f"{TOLERANCE:g} would have been refused. Averaged (EMA) weights, where the run keeps them, and batch "
        "normalization are inside the weights."
    )
