"""The tables that can be queried, and what each of their columns is."""

from __future__ import annotations

from collections.abc import Mapping

RUN = "Path of the run, from the folder that is queried."
SEED = "Random seed of the member."
MEMBER = "Name of the member: its seed, and where members differ in numbers these too, such as 3 (lr 0.001)."
TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "runs": (
        "A row for each run.",
        {
            "run": RUN,
            "recipe": "Name of the recipe.",
            "id": "The recipe's id: runs with the same id compute the same numbers.",
            "status": "finished, plateau, stopped, diverged, or unfinished (training, or killed).",
            "round": "Rounds played so far.",
            "rounds": "Rounds that the recipe asks for.",
            "members": "Members of the population, one for each seed.",
            "diverged": "Members that have diverged.",
            "seconds": "Spent training.",
            "created": "When training began, in UTC; null for a run that does not say.",
            "data": "The data set, as it is written in a recipe.",
            "generator": "G, as it is written in a recipe.",
            "discriminator": "D, as it is written in a recipe.",
            "objective": "The losses of G and D.",
            "latent": "The latent distribution.",
            "generator_optimizer": "G's optimizer with its settings.",
            "discriminator_optimizer": "D's optimizer with its settings.",
            "generator_lr": "G's learning rate.",
            "discriminator_lr": "D's learning rate.",
            "tricks": "Additions to plain training.",
            "batch": "Batch size.",
            "precision": "Compute precision of the networks.",
            "conditional": "Whether training is class-conditional.",
            "clusters": "How many clusters take the place of classes; 0 for none.",
            "device": "What it was trained on.",
            "threads": "Threads of torch.",
            "study": "Path of the study that the run belongs to, from the folder that is queried; null for any other.",
            "cell": "Label of its cell in that study.",
        },
    ),
    "curves": (
        "A row for each member and each logged round.",
        {
            "run": RUN,
            "seed": SEED,
            "member": MEMBER,
            "round": "The round.",
            "d_loss": "D's loss; null where it was not finite.",
            "g_loss": "G's loss.",
            "d_real": "D's mean output on real examples.",
            "d_fake": "D's mean output on generated examples.",
            "d_gradient": "Norm of D's gradient; null for runs of the oldest versions.",
            "g_gradient": "Norm of G's gradient.",
        },
    ),
    "evaluations": (
        "A row for each member, metric and evaluation, and for what `sparring measure` found last.",
        {
            "run": RUN,
            "seed": SEED,
            "member": MEMBER,
            "source": "evaluation (while it trained), measure (with more samples), or independent (by the judge whose "
            "figures are to be reported).",
            "round": "The round.",
            "seconds": "Spent training until then.",
            "metric": "Name of the metric; also D's mean outputs d_train, d_held_out and d_generated, and d_right.",
            "value": "What the member's samples scored; null where it was not finite.",
            "real": "What held-out real data scores.",
            "better": "lower, higher, or as-real; null for D's outputs.",
            "error": "Standard error of a distance, from how few samples there are.",
        },
    ),
    "findings": (
        "A row for each run, finding and member: the diagnosis, made when this table is asked for.",
        {
            "run": RUN,
            "seed": SEED,
            "member": MEMBER,
            "rule": "Name of the finding.",
            "fault": "Whether it is something wrong.",
            "place": "1 for the finding that explains most of the run's members, and so on.",
            "verdict": "Whether it is the verdict of the run.",
            "members": "How many members it holds for.",
            "claim": "The finding in one sentence.",
            "remedy": "The first remedy that fits; null where there is none.",
            "strength": "What findings are sorted by.",
        },
    ),
}
"""Table -> what its rows are, and its columns."""
