"""All text of the pages in one place, in English; other languages are gettext catalogs of these sentences.

A page asks for a text by its key. Names in braces are filled in.
"""

from __future__ import annotations

import gettext

ENGLISH: dict[str, str] = {
    "title": "Sparring",
    "runs": "Runs",
    "new-run": "New run",
    "light": "Light",
    "dark": "Dark",
    "theme": "Light or dark",
    "filter": "Filter by name",
    "no-runs": "No runs here yet. Start one with “New run”, or with `sparring train ring` in a terminal.",
    "no-match": "No run matches this filter.",
    "and-more": "{count} more runs: filter by name to see them.",
    "column-run": "Run",
    "column-recipe": "Recipe",
    "column-status": "Status",
    "column-verdict": "Verdict",
    "column-seeds": "Seeds",
    "column-progress": "Progress",
    "column-changed": "Changed",
    "status-training": "training",
    "status-finished": "finished",
    "status-plateau": "plateau",
    "status-stopped": "stopped",
    "status-diverged": "diverged",
    "status-unfinished": "not training",
    "status-damaged": "damaged",
    "no-run": "There is no such run here.",
    "back": "All runs",
    "view-live": "Live",
    "view-samples": "Samples",
    "view-findings": "Findings",
    "view-recipe": "Recipe",
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
    "equilibrium": "at equilibrium",
    "healthy": "healthy range",
    "median": "median",
    "seed": "seed {seed}",
    "at-round": "round {round}",
    "of-real": "real examples",
    "of-generated": "generated examples",
    "facts": "{members} · round {round} of {rounds} · {time}",
    "round": "round",
    "rounds": "rounds",
    "of": "of",
    "play": "Play",
    "play-back": "Play backwards",
    "pause": "Pause",
    "first": "First round",
    "last": "Newest round",
    "follow": "Follow",
    "member": "Member",
    "no-curves": "No point of the curves was logged yet.",
    "no-gradients": "This run has no gradient norms: an older version of Sparring logged none.",
    "no-samples": "This run has no pictures of samples.",
    "no-samples-yet": "No samples were drawn yet.",
    "no-scores": "This run has no histograms of D’s outputs: they are logged with sample-quality metrics, "
    "by versions that know them.",
    "no-scores-yet": "No evaluation up to this round.",
    "no-findings": "Nothing stands out, good or bad.",
    "so-far": "as of round {round}",
    "connection-lost": "The explorer does not answer. Training goes on; this page tries again.",
    "diverged-at": "diverged at round {round}",
    "seeds-shown": "Each member is a line: click one to choose it.",
    "remedy": "Remedy",
    "evidence": "Evidence",
    "one-member": "This run has one member: train several seeds to see what depends on the seed.",
}


class Words:
    """The texts in one language."""

    def __init__(self, translation: gettext.NullTranslations | None = None):
        self._translation = translation or gettext.NullTranslations()

    def __call__(self, key: str, **values: object) -> str:
        """A text. Raises KeyError for one that does not exist."""
        text = self._translation.gettext(ENGLISH[key])
        return text.format(**values) if values else text

    def all(self) -> dict[str, str]:
        """Every text, for the scripts of a page."""
        return {key: self(key) for key in ENGLISH}
