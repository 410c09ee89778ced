"""The texts of the page that takes a generator apart, in English; see `words`."""

from __future__ import annotations

ENGLISH: dict[str, str] = {
    "view-dissect": "Dissect",
    "dissect-help": "Each of these is a command of Sparring, which the page runs for you in the background. What it "
    "writes is kept in the run’s folder, under figures.",
    "dissect-images-only": "This needs images, and the examples of this run are none.",
    "dissect-unreadable": "The answer that is kept in this run’s folder cannot be read; compute it again.",
    "dissect-run": "Compute",
    "dissect-running": "Computing for {time}{left}.",
    "dissect-left": ", about {time} left",
    "dissect-keep": "Download {file}",
    "dissect-picture-words": "The words in this picture are English.",
    "dissect-flag-directions-dims": "single dimensions beside them, such as 5,25,45",
    "dissect-flag-memorization-count": "how many images of each kind",
    "dissect-flag-truncation-count": "how many samples",
    "dissect-flag-loop-z-seeds": "latent vectors that it passes, such as 3,17,20",
    "dissect-flag-loop-frames": "frames",
    "dissect-flag-film-fps": "pictures in a second",
    "dissect-flag-export-seed": "member: best, or its seed",
    "dissect-directions": "Directions",
    "dissect-directions-help": "Directions of the latent space, found in several ways: how much each changes, what it "
    "moves, and in how many other seeds a direction does the same.",
    "dissect-directions-how": "Change: how much a sample differs from {reach} before to {reach} beyond along the "
    "direction; 100 % is the difference between two random samples.",
    "dissect-all-seeds": "All seeds",
    "dissect-change": "change",
    "dissect-class-change": "other class",
    "dissect-in-others": "in other seeds",
    "dissect-moves": "what it moves",
    "dissect-in": "{name} in {count}",
    "dissect-seeds": "other seeds",
    "dissect-alike": "alike",
    "dissect-project": "Projection of an image",
    "dissect-project-help": "The latent vector of each member whose example is nearest to an image, what is missing, "
    "and the image edited along the two most sensitive directions.",
    "dissect-project-how": "Root mean squared difference from the image, ± its standard deviation over restarts.",
    "dissect-choose-first": "Choose an image first.",
    "dissect-chosen": "Chosen: {name}.",
    "dissect-held-out-show": "Choose a held-out image",
    "dissect-held-out-one": "held-out image {number}",
    "dissect-drop": "or drop a PNG here",
    "dissect-too-large": "A picture may have {mb} MB at most.",
    "dissect-memorization": "Training images beside held-out ones",
    "dissect-memorization-help": "Whether the generator makes its training images more closely than images that it "
    "has not seen, which it would if it had memorized them.",
    "dissect-memorization-how": "Mean errors of both kinds ({where}), and their ratio with its 95 % interval: above "
    "1, training images are found more easily.",
    "dissect-training": "training",
    "dissect-held-out": "held out",
    "dissect-ratio": "ratio",
    "dissect-truncation": "Truncation",
    "dissect-truncation-help": "Latent vectors nearer to the center give more typical and less varied examples: "
    "precision and recall over psi.",
    "dissect-recommended": "Recommended: psi {psi}.",
    "dissect-between": "For 95 % of resampled sets of seeds it lies between {low} and {high}.",
    "dissect-truncation-how": "Means over members ± standard deviation, {count} samples each, using features of the "
    "{judge} classifier.",
    "dissect-truncation-chosen": "The recommended psi is chosen by these figures, which flatter it a little.",
    "dissect-precision": "precision",
    "dissect-recall": "recall",
    "dissect-balance": "harmonic mean",
    "dissect-real": "real data: {value}",
    "dissect-filter": "Rejection",
    "dissect-filter-help": "Samples that the member’s own D takes for real, how many pass, and what that costs in "
    "recall and diversity.",
    "dissect-filter-how": "D was calibrated on {data}. Arrows: without and with the filter. AUC 0.5: D does not tell "
    "at all.",
    "dissect-held-out-data": "data that are held out",
    "dissect-no-held-out": "training data, since none are held out",
    "dissect-passed": "passed",
    "dissect-auc": "D’s AUC",
    "dissect-spaces": "Latent spaces of the seeds",
    "dissect-spaces-help": "The same images in every member, and whether the members arrange them alike.",
    "dissect-spaces-same": "Over pairs of seeds, with 95 % intervals: the same images {images}, the same arrangement "
    "{arrangement}, the same directions {directions}.",
    "dissect-found": "What the search misses of a sample of the row’s seed in the column’s, as a share of how much two "
    "samples differ: 0 % is found exactly.",
    "dissect-arranged": "How alike both arrange the same images; on the diagonal two searches in one seed: more than "
    "that cannot be seen.",
    "dissect-seed": "seed",
    "dissect-same-images": "The same image in every member: what is missing (root mean squared difference).",
    "dissect-loop": "Loop",
    "dissect-loop-help": "A closed path through the latent space at an even pace, as an animation of all members.",
    "dissect-uneven": "Unevenness of the pace: {mean} (0 is even).",
    "dissect-film": "Film of the training",
    "dissect-film-help": "The run’s sample pictures, one after another.",
    "dissect-frames": "{count} pictures.",
    "dissect-export": "Export",
    "dissect-export-help": "One member’s generator as files that need no Sparring: ONNX, weights with a script, a "
    "model card, and a page that works offline.",
    "dissect-exported": "Seed {seed} at round {round} is in {folder}.",
    "dissect-file": "file",
    "dissect-bytes": "bytes",
    "dissect-agrees": "Largest differences from the run’s generator: {differences}.",
}
