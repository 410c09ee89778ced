"""Find words and phrases that readers of this project should not have to learn, and say what to write instead.

Run by `make lint`, or by hand: python tools/check_words.py [FILE OR FOLDER ...]. It prints `file:line: word -> instead`
and exits with 1 if there is any. A phrase may be broken over two lines. It needs only the standard library.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACES = ("src", "docs", "examples", "README.md", "README.zh-CN.md")
SUFFIXES = (".py", ".md", ".css", ".js", ".html")
SKIPPED = ("src/sparring/record/legacy.py",)
"""The one file that knows names of older versions."""


@dataclass(frozen=True)
class Ban:
    """A word or phrase, as a regular expression; `_` and `-` end a word like a blank does."""

    pattern: str
    instead: str
    unless: str = ""
    """A regular expression; where it matches around the word, the word is fine."""
    within: str = ""
    """Only in files whose path contains this."""
    case: bool = False
    """Whether capitals matter."""

    def found(self, text: str) -> Iterator[re.Match[str]]:
        """Every place where the word stands and is not fine."""
        flags = re.NOFLAG if self.case else re.IGNORECASE
        spaced = self.pattern.replace(" ", r"[\s#]+")
        fine = [m.span() for m in re.finditer(self.unless, text, flags)] if self.unless else []
        for match in re.finditer(rf"(?<![A-Za-z])(?:{spaced})(?![A-Za-z])", text, flags):
            if not any(start <= match.start() and match.end() <= end for start, end in fine):
                yield match


BANS = (
    # Words of a private language.
    Ban("(?:un)?told", "what it is: text, summary, values, event, cells, payload; missing"),
    Ban("held", "loaded, cached, current, stored, existing, previous", unless="held[-_ ]out"),
    Ban("deal|dealt|deals", "shard plan, split, distributed", unless="great deal|deals? with"),
    Ban("crew", "workers"),
    Ban("hands|seat", "workers, n_workers", unless="hands (?:it|them|out|back|over|on)"),
    Ban("sitting", "session", unless="sitting (?:on|in)"),
    Ban("standing", "status"),
    Ban("chances?", "rng, random", unless="at chance|chance level"),
    Ban("luck|dice", "random, seed"),
    Ban("births", "init"),
    Ban("yardstick", "real-data baseline"),
    Ban("probe[sd]?|probing", "evaluate, evaluation, evaluator", unless='"probe"'),
    Ban("until[-_]still|resting", "early stop, plateau"),
    Ban(
        "ticks?", "log point", unless=r"(?:set_|[xyz]_?|get_|minor|major|_)ticks?|tick_params|ticks?[_ ]?labels?|ticker"
    ),
    Ban("noted", "logged"),
    Ban("pictured", "samples per grid"),
    Ban("heard|overhears?|overheard", "on_scores; message, received"),
    Ban("hears?|hear each other", "is independent of, receives"),
    Ban("rehears\\w+", "preserving state"),
    Ban("exhibit\\w*", "with averaged weights"),
    Ban("machine[-_]code|machine code", "AOT-compiled"),
    Ban("captured", "CUDA graph"),
    Ban("reckon(?:s|ed|ing)?", "compute, arithmetic"),
    Ban("walks?", "latent tools, goes through", unless="os\\.walk|ast\\.walk"),
    Ban("players? (?:is|are) told", "class-conditional"),
    Ban("spelled", "as_text, json_numbers"),
    Ban("looks? at samples|looked at|a look takes|each look", "evaluate, evaluation"),
    Ban("far out", "outlier"),
    Ban("law of", "distribution of", unless="law of large numbers"),
    Ban("leads", "is_main, leader", unless="[DG] leads|leads to"),
    Ban("ways|answers?|papers?", "specializations, guards, tracer", within="game/compile/"),
    Ban("(?:LEAST|MOST)(?:_[A-Z0-9_]+)?(?=\\s*[=:,)])", "MIN_, MAX_", case=True),
    Ban(
        "(?:least|most)(?=\\s*[=:])", "min, max, low, high", unless="(?:at|do) (?:least|most)", within=".py", case=True
    ),
    Ban("sigmoid[-_]twice|SigmoidTwice", "double-sigmoid"),
    Ban("zero[-_]cent(?:er|re)d|ZeroCent(?:er|re)d", "r1-r2"),
    Ban("average[-_]likeness", "similarity to the mean (similarity-to-mean)"),
    Ban("nearest[-_]training", "nearest-neighbor distance to the training set (nearest-neighbor)"),
    Ban("d_seen|d_unseen", "d_train, d_held_out"),
    # Phrases that people stumbled over.
    Ban("findings? to be made", "expected diagnosis"),
    Ban("(?:what )?its author saw", "reference result"),
    Ban("when D cannot tell", "at equilibrium (D at chance)", unless="when D cannot tell (?:real from|them apart)"),
    Ban("what samples are like beside real data", "sample-quality metrics"),
    Ban("vectors that the generator is fed", "latent distribution"),
    Ban("networks held flat", "R1/R2 gradient penalties"),
    Ban("worth more rounds", "early stopping when quality plateaus"),
    Ban("the same command goes on", "rerun the same command to resume"),
    Ban("what came of (?:a|it|the|this|each)", "run summary, result"),
    Ban("turn(?:s|ing)? single numbers", "latent traversal"),
    Ban("what lies between two", "latent interpolation"),
    Ban("through the judge", "using the classifier's features"),
    Ban("(?:a )?network leaf", "a built-in network"),
    Ban("rounds? as machine", "compile the training step"),
    Ban("round is ended and saved", "finishing the current step, saving a checkpoint"),
    Ban("too many, in", "redundant copies in"),
    Ban("another latent vector altogether", "baseline: two random latents differ by"),
    Ban("does not tell whether", "inconclusive whether"),
    Ban("number is no number|no number any more", "first NaN"),
    Ban(
        "between seeds",
        "between latent vectors",
        unless="(?:differ|varies|vary|spread|variation|differences?) between seeds",
    ),
    Ban("as (?:good|little|much) as none", "negligible"),
    # American spelling, in code and in English pages.
    Ban("optimis(?:e|es|ed|ers?|ing|ation)", "optimiz..."),
    Ban("normalis(?:e|es|ed|ing|ation)", "normaliz..."),
    Ban(
        "(?:initial|general|memor|regular|special|real|organ|recogn|summar|minim|maxim)is(?:e[sd]?|ing|ations?)",
        "...iz...",
    ),
    Ban("(?:dis|re)?colour\\w*", "color"),
    Ban("grey(?:s|scale)?", "gray"),
    Ban("cent(?:re|res|red|ring)", "center"),
    Ban("(?:neighb|behavi|fav|hon|flav|lab|hum)our\\w*", "...or"),
    Ban("label(?:led|ling)|travel(?:led|ling)|model(?:led|ling)|cancel(?:led|ling)", "one l"),
    Ban("artefacts?", "artifact"),
    Ban("licences?", "license"),
)
CHINESE = {
    "领域里的部件": "常用组件",
    "被杀掉": "被强制终止",
    "抄袭程度": "对训练样本的复制程度",
    "被告知": "使用类别标签",
    "博弈炸了": "训练发散",
    "不再是数": "首次出现 NaN",
    "D 的回答": "D 的输出",
    "按你自己的数据定大小": "根据数据自动确定规模",
    "在种子之间渐变": "在潜向量之间插值",
}


def hits(text: str, path: str = "") -> list[tuple[int, str, str]]:
    """Line, word and what to write instead, of everything in a text that should be said otherwise."""
    found: list[tuple[int, str, str]] = []
    for ban in BANS:
        if ban.within in path:
            found += [(_line(text, m.start()), " ".join(m.group().split()), ban.instead) for m in ban.found(text)]
    for phrase, instead in CHINESE.items():
        found += [(_line(text, m.start()), phrase, instead) for m in re.finditer(re.escape(phrase), text)]
    return sorted(set(found))


def files(places: Iterable[Path]) -> Iterator[Path]:
    """Every file of text in these places, but those that are skipped."""
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            inside = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()
            if path.is_file() and path.suffix in SUFFIXES and inside not in SKIPPED:
                yield path


def main(arguments: list[str]) -> int:
    """Check the places that are named, or all of the project's. Returns the exit status."""
    places = [Path(a).resolve() for a in arguments] or [ROOT / place for place in PLACES]
    count = 0
    for path in files(places):
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()
        for line, word, instead in hits(path.read_text(encoding="utf-8"), name):
            print(f"{name}:{line}: {word} -> {instead}")
            count += 1
    if count:
        print(f"{count} words to say otherwise", file=sys.stderr)
    return 1 if count else 0


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
