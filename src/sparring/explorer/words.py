"""All text of the pages in one place, in English; other languages are gettext catalogs of these sentences.

A page asks for a text by its key. Names in braces are filled in. The language is part of a page's address, as all of
what it shows is: `language=zh`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from nicegui import context

from sparring.explorer.dissect_words import ENGLISH as DISSECTING
from sparring.languages import ENGLISH as FIRST
from sparring.languages import LANGUAGES, Name, Text, language

ENGLISH: dict[str, str] = {
    "title": "Sparring",
    "runs": "Runs",
    "new-run": "New run",
    "light": "Light",
    "dark": "Dark",
    "theme": "Light or dark",
    "language": "Language",
    "filter": "Filter by name",
    "no-runs": "No runs here yet. Begin with a lesson, start one with “New run”, or with `sparring train ring` in a "
    "terminal.",
    "no-match": "No run matches this filter.",
    "and-more": "{count} more runs: filter by name to see them.",
    "column-run": "Run",
    "column-recipe": "Recipe",
    "column-status": "Status",
    "column-verdict": "Verdict",
    "column-seeds": "Seeds",
    "column-progress": "Progress",
    "column-changed": "Changed",
    "query": "Query",
    "all-runs": "Sort and compare them",
    "all-runs-title": "All runs",
    "all-runs-help": "Sort by a heading, filter by words, and choose two to eight runs to see side by side.",
    "side-by-side": "Side by side",
    "choose-sides": "Choose two to eight runs, members or rounds. A run may come several times.",
    "too-many-sides": "Eight are shown; the others are left out: {names}.",
    "not-there": "There is no such run here: {names}.",
    "add-side": "Add a run or a round…",
    "no-more-sides": "Eight runs fit side by side: deselect one of them to choose another.",
    "remove": "Remove",
    "all-seeds": "all seeds: the median",
    "before-after": "Before and after",
    "before": "before",
    "after": "after",
    "split": "Where the first picture ends and the second begins",
    "split-help": "drag across the picture",
    "no-pictures-of": "There are no pictures up to this round of: {sides}.",
    "not-on-one-axis": "of another scale than the others’, so it has an axis of its own",
    "differences": "What differs",
    "differs-from": "{name} differs from A in:",
    "same-run": "the same run as A",
    "same-recipe": "nothing: the recipes are the same",
    "what-is-found": "What is found",
    "begin-and-end": "Its beginning beside its end",
    "its-members": "Its members side by side",
    "metrics": "Samples, measured while it trained",
    "metric": "metric",
    "real-data": "real data",
    "no-metrics": "None of these has an evaluation of its samples up to its round.",
    "choose": "Choose {name}",
    "chosen": "Side by side",
    "any-status": "any status",
    "column-members": "Seeds",
    "column-objective": "Objective",
    "column-data": "Data",
    "column-round": "Rounds",
    "column-seconds": "Seconds",
    "column-created": "Begun",
    "column-distance": "Fréchet distance while training",
    "needs-duckdb": 'This table needs DuckDB: pip install "sparring[query]"',
    "query-runs": "Query them with SQL",
    "query-help": "A query reads the tables below, which are made of the runs’ own files, and changes nothing.",
    "ask": "Run the query",
    "ask-keys": "or press Ctrl+Enter in the field; Enter begins a new line",
    "asking": "Reading the runs…",
    "rows": "{count} rows.",
    "one-row": "1 row.",
    "first-rows": "The first {count} rows: add a limit, or group them, to see what you need.",
    "unread": "{count} runs cannot be read, and are left out: {names}.",
    "one-unread": "1 run cannot be read, and is left out: {names}.",
    "tables": "Tables and columns",
    "status-training": "training",
    "status-starting": "being started",
    "status-finished": "finished",
    "status-plateau": "plateau",
    "status-stopped": "stopped",
    "status-diverged": "diverged",
    "status-unfinished": "not training",
    "status-damaged": "damaged",
    "status-gone": "removed",
    "gone": "The folder of {run} is gone: it was removed or renamed. What is shown is what was read before.",
    "no-run": "There is no such run here.",
    "no-page": "There is no such page",
    "no-page-help": "Nothing is at this address, or a value in it cannot be read: {address}",
    "to-runs": "To the list of runs",
    "choose-recipe": "Choose what to train; every setting can be changed before it starts.",
    "other-recipe": "another recipe",
    "more-fields": "All other fields of the recipe",
    "minutes": "minutes",
    "minutes-help": "In place of the rounds: as many as this machine plays in so many minutes, which it tries first.",
    "rounds-of-minutes": "as many as the minutes allow",
    "rounds-or-minutes": "Rounds and minutes both say how long to train: give one of them.",
    "run-name": "name of the run",
    "compile": "compile the training step",
    "compile-help": "A long run then trains faster, but begins up to a minute later.",
    "start": "Start training",
    "view-live": "Live",
    "view-samples": "Samples",
    "view-findings": "Findings",
    "view-recipe": "Recipe",
    "view-latent": "Latent space",
    "own-code": "The recipe of this run comes from a file of Python, {file}, which would be executed. This page "
    "executes nothing that a run brings along: type this in a terminal if you trust it.",
    "latent-example": "What the generator makes",
    "latent-plane": "Plane through the latent space",
    "latent-plane-help": "drag, or move with the arrow keys; near a latent vector it snaps to it (not with Alt)",
    "latent-plane-seeds": "through two latent vectors",
    "latent-plane-dims": "of two dimensions",
    "latent-plane-directions": "of two directions that were found",
    "latent-no-directions": "No directions were looked for in this run yet. This command finds them:",
    "latent-axes-seeds": "Along x: latent vector {a}. Along y: latent vector {b}. In the middle: the center of the "
    "distribution.",
    "latent-axes-dims": "Along x: dimension {first}. Along y: dimension {second}. All others as in latent vector {a}.",
    "latent-axes-directions": "Along x: {first}. Along y: {second}. In the middle: latent vector {a}.",
    "latent-along-x": "along x",
    "latent-along-y": "along y",
    "latent-round": "Checkpoint",
    "latent-dim": "dimension {dim}",
    "latent-dims": "Dimensions with a slider, from 1 to {size}",
    "latent-dims-left-out": "Not all of these have a slider: give at most {count} whole numbers from 1 to {size}, with "
    "commas between them.",
    "latent-not-finite": "The weights of this member are not finite at this checkpoint, so that there is nothing to "
    "see: choose an earlier checkpoint, or another member.",
    "latent-map": "What dimension {dim} changes",
    "latent-maps-help": "Maps: as the dimension rises, red pixels become brighter and blue ones darker.",
    "latent-changes-help": "Beside each: how the numbers change as the dimension rises.",
    "latent-release": "Release",
    "latent-truncation": "Truncation",
    "latent-class": "Class",
    "latent-cluster": "Cluster",
    "latent-own-class": "that of latent vector a",
    "latent-members": "The same latent vector in every member",
    "latent-strip": "From one end to the other",
    "latent-arithmetic": "Sums of latent vectors",
    "latent-sum": "sum",
    "latent-sum-seeds": "latent vectors of its letters",
    "latent-nearest": "Nearest training image",
    "latent-nearest-help": "Of all training images, the one whose pixels differ least from what is shown.",
    "latent-no-images": "The examples of this run are no images, so there is no training image to look for.",
    "latent-nearest-find": "Look for it",
    "latent-nearest-stop": "Stop looking",
    "latent-nearest-asks": "The training images are in {path}. They are read when you say so.",
    "latent-nearest-allow": "Read them",
    "latent-nearest-is": "image {index} of {count}; root mean squared difference {distance} (1: black for white)",
    "latent-new": "Other latent vectors",
    "latent-home": "Begin again",
    "latent-png": "PNG",
    "latent-gif": "GIF of the path",
    "latent-copy-link": "Copy link",
    "latent-copy-command": "Copy command",
    "latent-copy-python": "Copy Python",
    "latent-copied": "Copied.",
    "latent-not-copied": "The browser does not allow copying here: open “Commands and Python” and copy by hand.",
    "latent-commands": "Commands and Python",
    "latent-command-example": "what is shown",
    "latent-command-strip": "the strip",
    "latent-command-sum": "the sum",
    "latent-command-loop": "a closed path as an animation",
    "latent-no-command": "No single command draws exactly this; the lines of Python do.",
    "losses": "Losses",
    "outputs": "D’s outputs",
    "gradients": "Gradient norms",
    "samples-of-member": "Samples of the chosen member",
    "samples-of-all": "Every member",
    "scores": "D’s outputs, as histograms",
    "d_loss": "D’s loss",
    "g_loss": "G’s loss",
    "d_real": "D(real)",
    "d_fake": "D(fake)",
    "d_gradient": "D’s gradient",
    "g_gradient": "G’s gradient",
    "key-of-ranges": "dashed: at equilibrium; shaded, and bars: healthy range",
    "all-together": "all members together",
    "median": "median",
    "seed": "seed {seed}",
    "axis-round": "round",
    "axis-losses": "mean loss per example",
    "axis-outputs": "D(x)",
    "axis-probability": "D(x): 0 = fake, 1 = real",
    "axis-gradients": "L2 norm over all weights",
    "axis-share": "share of examples",
    "at-round": "round {round}",
    "of-real": "real examples",
    "of-generated": "generated examples",
    "facts": "{members} · round {round} of {rounds} · {time}",
    "round": "One round",
    "slider": "Round that is shown",
    "play": "Play",
    "play-back": "Play backwards",
    "pause": "Pause",
    "view-branches": "Branches",
    "controls": "Controls of the training",
    "go": "Go on",
    "move": "Next move",
    "d-step": "D step",
    "g-step": "G step",
    "slow": "Slow motion",
    "settings": "Settings",
    "checkpoint": "Save",
    "stop": "Stop",
    "resume": "Resume training",
    "rewind": "Back to round {round}",
    "branch": "Branch at round {round}",
    "pause-help": "Stop after the round in progress; the process waits",
    "go-help": "Train on at full speed",
    "round-help": "Play one round, or the rest of the one in progress",
    "move-help": "Play the next move of the round",
    "d-step-help": "One step of D alone; the run is then no longer its recipe’s",
    "g-step-help": "One step of G alone; the run is then no longer its recipe’s",
    "slow-help": "One move a second, each explained",
    "settings-help": "Change numbers of the recipe from the next round on",
    "checkpoint-help": "Save a checkpoint now, to go back to or to branch from",
    "stop-help": "Save and end the training process",
    "resume-help": "Train this run on, in a process of its own",
    "rewind-help": "Take the run back to this checkpoint; later rounds are given up",
    "branch-help": "Make a new run that goes on from this checkpoint with other settings",
    "did-paused": "Paused after round {round}.",
    "did-continued": "Training goes on.",
    "did-stepped": "{player} has moved.",
    "did-slowed": "Slow motion: one move a second.",
    "did-checkpoint": "A checkpoint of round {round} is saved.",
    "did-stopping": "Saved after round {round}; the process ends.",
    "did-rewound": "Back at round {round}.",
    "did-changed": "Changed from the next round on.",
    "settings-title": "Settings from the next round on",
    "side-facts": "{run}: {members}, {status}",
    "rewind-title": "Take the run back to round {round}?",
    "rewind-loses": "What came after round {round} is given up. Later checkpoints that are deleted: {later}. "
    "This cannot be undone; a branch keeps both.",
    "none-later": "none",
    "rewind-now": "Delete them and go back",
    "branch-title": "A branch that goes on from round {round}",
    "branch-name": "name of the new run",
    "branch-start": "Branch and train",
    "apply": "Apply",
    "cancel": "Cancel",
    "no-branches": "No run was branched off this one yet: choose a round with a checkpoint and press “Branch”.",
    "branched-only": "goes on unchanged",
    "checkpoint-at": "checkpoint of round {round}",
    "this-run": "this run",
    "compare": "Compare",
    "samples-of-this": "Samples of this run",
    "samples-of-other": "Samples of the other run",
    "moves": "Move by move",
    "no-moves": "Pause the run, or play it in slow motion, to see single moves.",
    "d-learns": "D learns",
    "g-learns": "G learns",
    "sees-d_sees_real": "D sees real examples, and learns to score them as real.",
    "sees-d_sees_fake": "D sees generated examples, and learns to score them as generated.",
    "sees-d_sees_both": "D sees real and generated examples, and learns to tell them apart.",
    "sees-d_sees_mixture": "D sees a batch that is half real and half generated, and learns to tell them apart.",
    "sees-g_fools_d": "G sees nothing but D’s scores of what it makes, and learns to have them scored as real.",
    "move-of": "round {round}, move {position} of {of}",
    "extra-move": "an extra move of round {round}",
    "departs": "No longer its recipe’s run: {why}.",
    "status-paused": "paused",
    "status-slow": "slow motion",
    "first": "First round",
    "last": "Newest round",
    "member": "Member",
    "sharded": "Several processes train this run, and join it now and then. Its shards:",
    "no-curves": "No point of the curves was logged yet.",
    "not-finite": "Diverged by this round: weights are not finite, so that there is nothing to see. An earlier round "
    "may have something.",
    "not-finite-here": "not finite: this member has diverged",
    "no-gradients": "This run has no gradient norms: an older version of Sparring logged none.",
    "no-samples": "This run has no pictures of samples.",
    "no-samples-of-member": "There are no pictures of this member: a grid has the first 64.",
    "first-members": "the first {some} of {all} members",
    "no-samples-yet": "No samples were drawn yet.",
    "no-scores": "This run has no histograms of D’s outputs: a run of one process logs them where they take next to "
    "no time, in versions that know them.",
    "no-scores-yet": "No histograms up to this round.",
    "no-findings": "Nothing stands out, good or bad.",
    "so-far": "as of round {round}",
    "connection-lost": "The explorer does not answer. Training goes on; this page tries again.",
    "launched-again": "If it was launched again, open the address that it printed then.",
    "launched-before": "This page belongs to an earlier launch of the explorer: open the address that the new launch "
    "printed in its terminal.",
    "remedy-named": "Remedy: {name}",
    "lessons": "Lessons",
    "lessons-help": "Each is a page to read beside a small GAN that trains before your eyes, and one thing to try.",
    "lesson-watch": "What to watch",
    "lesson-try": "One thing to try",
    "lesson-runs": "Trained for this lesson",
    "lesson-begin": "Nothing was trained for this lesson yet: press the button in the text, and the picture is drawn "
    "here.",
    "draw": "Draw your own data",
    "draw-help": "Draw points with the pointer, and watch six GANs learn them. With the keyboard: the "
    "arrow keys move, the space bar draws.",
    "draw-train": "Train on it",
    "draw-clear": "Clear",
    "draw-circles": "Two circles",
    "draw-moons": "Two moons",
    "draw-count": "{count} points",
    "draw-few": "Draw a few points more.",
    "draw-label": "A square to draw points in",
    "view-plane": "Plane",
    "plane": "The game in the plane",
    "plane-key": "blue: D says real; orange: D says generated; arrows: where G’s loss pushes them",
    "plane-field": "D’s outputs",
    "plane-real": "□ real",
    "plane-fake": "● generated",
    "plane-arrows": "→ push of G’s loss",
    "plane-latent": "G’s latent grid",
    "plane-length": "median length of the arrows: {length}",
    "no-plane": "Only games of points can be drawn in the plane: examples of two to four numbers, without classes.",
    "no-plane-own": "This run’s networks or data are code of somebody’s own, which a page does not execute.",
    "no-plane-large": "This run’s networks are too large, or its members too many, to be drawn in the plane while you "
    "wait.",
    "no-plane-data": "This run’s data lie outside of the folders that were opened, so the page does not read them.",
    "no-plane-yet": "No checkpoint up to this round: the plane is drawn from checkpoints, or while the run trains.",
    "one-member": "This run has one member: train several seeds to see what depends on the seed.",
}
ENGLISH.update(DISSECTING)


def asked_for() -> str:
    """The language of the page that is being made or answered, by its address; English where none is named."""
    try:
        return known(context.client.request.query_params.get("language", FIRST))
    except RuntimeError:  # no page is being made
        return FIRST


def known(code: str) -> str:
    """The code of a language; of English for one that there is not."""
    return code if code in LANGUAGES else FIRST


class Words:
    """The texts in one language: that of the page, if none is named."""

    def __init__(self, code: str = ""):
        self.code = code or asked_for()
        self._language = language(self.code)

    def __call__(self, key: str, **values: object) -> str:
        """A text. Raises KeyError for one that does not exist."""
        return self.said(Text(ENGLISH[key], **values))

    def said(self, text: str) -> str:
        """A text that was made elsewhere, as a finding's claim."""
        return self._language(text)

    def error(self, error: object) -> str:
        """What an error says. A text says itself; anything else is read again, since it was put together in English."""
        return self.said(error) if isinstance(error, Text) else self._language.error(error)

    def named(self, name: str) -> str:
        """The name of a rule or remedy, with its own in this language beside it."""
        return self._language(Name(name)) if name else ""

    def sentences(self, *texts: str) -> str:
        """Sentences one after the other, those that are empty left out; Chinese has no space between them."""
        return ("" if self.code == "zh" else " ").join(text for text in texts if text)

    def all(self) -> dict[str, str]:
        """Every text, for the scripts of a page."""
        return {key: self(key) for key in ENGLISH}


def words_asked_for(language: str = FIRST) -> Words:
    """The texts in the language that a request names."""
    return Words(known(language))


Spoken = Annotated[Words, Depends(words_asked_for)]
"""Of a route: the texts in the language of the page that asks."""
