"""A study: four variants of one GAN, trained with the same seeds, and what each change is worth.

The pattern 1, 0, 1, 0 is learned in seconds, so that this runs anywhere; any recipe and any field can take its place.
"""

from __future__ import annotations

import sparring
from sparring.study import Study

question = Study(
    "pattern-1010",
    {"objective": ["mse", "bce-with-logits"], "lr": [0.01, 0.1]},
    seeds=6,
    rounds=400,
    question="What helps a GAN to learn the pattern: another loss, or a higher learning rate?",
)
study = sparring.study(question, out="studies/pattern")

for row in study.table:
    print(row.pop("cell"), " ".join(f"{value:.2f}" for value in row.values()))

sql = "select cell, rule, count(*) as seeds from findings join runs using (run) group by all order by all"
for cell, rule, seeds in sparring.query(sql, "studies"):
    print(f"{cell}: {rule} in {seeds} seeds")
