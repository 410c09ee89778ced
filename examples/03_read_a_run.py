"""Read a run, which is a folder of plain files, with nothing but the standard library, NumPy and safetensors."""

import json
import tempfile
from pathlib import Path

from safetensors.numpy import load_file

import sparring

folder = Path(tempfile.mkdtemp()) / "run"
sparring.train(sparring.recipe("pattern-1010").replace(rounds=500, seeds=2), out=folder)

recipe = json.loads((folder / "recipe.json").read_text())
events = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
weights = load_file(max((folder / "weights").glob("*.safetensors")))

print(
    f"{recipe['name']}: {len(recipe['seeds'])} seeds, {recipe['rounds']} rounds, objective {recipe['objective']['is']}"
)
for kind in dict.fromkeys(event["event"] for event in events):
    print(f"{sum(e['event'] == kind for e in events):4} x {kind}")
for name, array in weights.items():
    print(f"{name}: {array.shape}")
