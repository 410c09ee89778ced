"""What computations answered, as tables, curves and pictures. The answer's file may be anybody's: it is text here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sparring.explorer.components import Canvas, link, tag
from sparring.explorer.phrases import phrase
from sparring.explorer.tasks import FOLDER, TASKS
from sparring.explorer.words import FIRST, Words
from sparring.metrics import all_metrics
from sparring.record import RunFolder

MAX_MEMBERS, MAX_ROWS = 16, 100
"""Members with a table of their own, and rows of a table."""
WORDLESS = ("loop",)
"""Computations whose picture has no words; in other pictures they are English: matplotlib's fonts hold no Chinese."""
Answer = Mapping[str, Any]


def show_answer(words: Words, key: str, run: RunFolder, name: str, answer: Any) -> None:
    """The answer of a computation; where it is none of ours, a sentence that says so."""
    picture(words, key, run, name)
    try:
        SHOWN[name](words, answer)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ZeroDivisionError):
        tag("p", words("dissect-unreadable"), "problem")


def picture(words: Words, key: str, run: RunFolder, name: str) -> None:
    """The picture that the command wrote, and a link to keep it."""
    file = TASKS[name].picture
    path = run.path / FOLDER / file
    if not file or not path.is_file():
        return
    asked = {"run": key, "name": file, "v": path.stat().st_mtime_ns}
    if not file.endswith(".html"):
        tag("img", classes="answer-picture", src=f"/data/figure?{urlencode(asked)}", alt=words(f"dissect-{name}"))
        if words.code != FIRST and name not in WORDLESS:
            tag("p", words("dissect-picture-words"), "soft")
    with tag("div", classes="row"):
        link(
            words("dissect-keep", file=file), f"/data/figure?{urlencode({**asked, 'keep': 1})}", "button", download=file
        )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], words_from: int = 99) -> None:
    """A table of text; columns from `words_from` on hold words, which stand at the left."""
    with tag("div", classes="table answer"), tag("table"):
        with tag("thead"), tag("tr"):
            for k, title in enumerate(head):
                tag("th", title, "words" if k >= words_from else "", scope="col")
        with tag("tbody"):
            for row in rows[:MAX_ROWS]:
                with tag("tr"):
                    for k, cell in enumerate(row):
                        tag("td", cell, "words" if k >= words_from else "")


def share(value: Any, error: Any = None) -> str:
    """A share in percent; – for none."""
    if not isinstance(value, int | float):
        return "–"
    beside = f" ± {100 * error:.0f}" if isinstance(error, int | float) else ""
    return f"{100 * value:.0f}{beside} %"


def interval(share: Answer) -> str:
    """`74 % (70 – 78)`."""
    low, high = share["low"], share["high"]
    beside = "" if low is None else f" ({100 * low:.0f} – {100 * high:.0f})"
    return f"{100 * share['mean']:.0f} %{beside}"


def figure(value: Any, digits: int = 3) -> str:
    """A number; – for none."""
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "–"


def _directions(words: Words, answer: Answer) -> None:
    others = len(answer["seeds"]) > 1
    tag("p", words("dissect-directions-how", reach=f"{float(answer['reach']):.3g}"), "soft")
    if others:
        tag("h3", words("dissect-all-seeds"))
        head = ["", words("dissect-change"), words("dissect-in-others"), words("dissect-moves")]
        rows = [
            [
                f"{phrase(words, way)} {row['label']}",
                share(row["share"]["mean"], row["share"]["sd"]),
                share(row["found"]),
                ", ".join(words("dissect-in", name=phrase(words, name), count=n) for name, n in row["moves"].items()),
            ]
            for way in ("sensitivity", "dims")
            for row in answer["across"].get(way, ())
        ]
        table(head, rows, 3)
    for member in answer["members"][:MAX_MEMBERS]:
        with tag("details"):
            tag("summary", words("seed", seed=member["seed"]))
            _member(words, answer["ways"], member["directions"], others)
    for note in answer["notes"]:
        tag("p", words.error(str(note)), "soft")


def _member(words: Words, ways: Mapping[str, str], found: Sequence[Answer], others: bool) -> None:
    for way, what in ways.items():
        rows = [each for each in found if each["way"] == way]
        if not rows:
            continue
        with tag("p", classes="way"):
            tag("b", phrase(words, way))
            tag("span", f" {phrase(words, str(what))}", "soft")
        classes = rows[0]["class_change"] is not None
        head = ["", words("dissect-change"), *([words("dissect-class-change")] if classes else [])]
        head += [words("dissect-seeds"), words("dissect-alike")] if others else []
        table([*head, words("dissect-moves")], [_row(words, each, classes, others) for each in rows], len(head))


def _row(words: Words, each: Answer, classes: bool, others: bool) -> list[str]:
    cells = [str(each["label"]), share(each["share"], each["error"])]
    if classes:
        cells.append(share(each["class_change"]))
    if others:
        stable = each["stability"]
        cells += [f"{stable['found']} / {stable['of']}", figure(stable["likeness"]["mean"], 2)]
    ends = [phrase(words, str(end)) for end in each["name"] or [each["words"]]]
    return [*cells, " – ".join(ends)]


def _projections(words: Words, answer: Answer) -> None:
    tag("p", words("dissect-project-how"), "soft")
    head = ["", *(words("seed", seed=each["seed"]) for each in answer["members"])]
    rows = [
        [
            name,
            *(f"{figure(m['error'][k])} ± {figure(m['spread_over_restarts'][k])}" for m in answer["members"]),
        ]
        for k, name in enumerate(answer["images"])
    ]
    table(head, rows)


def _memorization(words: Words, answer: Answer) -> None:
    tag("p", words("dissect-memorization-how", where=phrase(words, str(answer["held_out"]))), "soft")
    head = [words("dissect-seed"), words("dissect-training"), words("dissect-held-out"), words("dissect-ratio"), ""]
    rows = [
        [
            str(each["seed"]),
            figure(each["training"], 4),
            figure(each["held_out"], 4),
            f"{figure(each['ratio'])} ({figure(each['low'])} – {figure(each['high'])})",
            phrase(words, str(each["says"])),
        ]
        for each in answer["members"]
    ]
    table(head, rows, 4)


def _truncation(words: Words, answer: Answer) -> None:
    interval = answer["interval"]
    between = words("dissect-between", low=f"{interval[0]:g}", high=f"{interval[1]:g}") if interval else ""
    best = float(answer["recommended"])
    tag("p", words.sentences(words("dissect-recommended", psi=f"{best:g}"), between))
    names = {
        "precision": words("dissect-precision"),
        "recall": words("dissect-recall"),
        "balance": words("dissect-balance"),
    }
    at = [float(each["psi"]) for each in answer["psi"]]
    series = [
        {
            "name": shown,
            "label": f"{shown} ({words('dissect-real', value=figure(answer['real'][name], 2))})",
            "mean": [float(each[name]["mean"]) for each in answer["psi"]],
            "sd": [float(each[name]["sd"] or 0) for each in answer["psi"]],
        }
        for name, shown in names.items()
    ]
    Canvas("lines", title=words("dissect-truncation"), x=at, series=series, mark=best, axis="psi")
    how = words("dissect-truncation-how", count=f"{int(answer['n']):,}", judge=str(answer["judge"]))
    tag("p", words.sentences(how, words("dissect-truncation-chosen")), "soft")


def _filter(words: Words, answer: Answer) -> None:
    found = answer["filter"]
    data = words("dissect-held-out-data") if found["unseen"] else words("dissect-no-held-out")
    tag("p", words("dissect-filter-how", data=data), "soft")
    metrics, known = list(found["metrics"]), all_metrics()
    titles = [words.said(known[m].title) if m in known else m for m in metrics]
    head = [words("dissect-seed"), words("dissect-passed"), words("dissect-auc"), *titles]
    rows = [
        [
            str(name),
            share(found["acceptance"][k]),
            figure(found["auc"][k]),
            *(f"{figure(found['metrics'][m]['all'][k])} → {figure(found['metrics'][m]['passed'][k])}" for m in metrics),
        ]
        for k, name in enumerate(answer.get("members") or answer["seeds"])
    ]
    table(head, rows)


def _spaces(words: Words, answer: Answer) -> None:
    tag("p", phrase(words, str(answer["says"])))
    kinds = ("images", "arrangement", "directions")
    tag("p", words("dissect-spaces-same", **{kind: interval(answer[f"same_{kind}"]) for kind in kinds}))
    seeds = [str(seed) for seed in answer["seeds"]]
    for title, name in ((words("dissect-found"), "found"), (words("dissect-arranged"), "arranged")):
        tag("p", title, "soft")
        table(["", *seeds], [[seed, *map(share, row)] for seed, row in zip(seeds, answer[name], strict=True)])
    tag("p", words("dissect-same-images"), "soft")
    images = answer["images"]
    errors = [[str(name), *(figure(row[k]) for row in images["error"])] for k, name in enumerate(images["names"])]
    table(["", *seeds], errors)


def _loop(words: Words, answer: Answer) -> None:
    uneven = answer["unevenness"]
    tag("p", words("dissect-uneven", mean=figure(sum(uneven) / len(uneven), 2)), "soft")


def _film(words: Words, answer: Answer) -> None:
    tag("p", words("dissect-frames", count=f"{int(answer['frames']):,}"), "soft")


def _export(words: Words, answer: Answer) -> None:
    tag(
        "p", words("dissect-exported", seed=answer["seed"], round=f"{int(answer['round']):,}", folder=str(answer["to"]))
    )
    rows = [[str(name), f"{int(size):,}"] for name, size in answer["files"].items()]
    table([words("dissect-file"), words("dissect-bytes")], rows)
    agreed = ", ".join(f"{runtime} {float(value):.1e}" for runtime, value in answer["differences"].items())
    tag("p", words("dissect-agrees", differences=agreed), "soft")
    for note in answer["notes"]:
        tag("p", words.error(str(note)), "soft")


SHOWN: Mapping[str, Callable[[Words, Answer], None]] = {
    "directions": _directions,
    "project": _projections,
    "memorization": _memorization,
    "truncation": _truncation,
    "filter": _filter,
    "spaces": _spaces,
    "loop": _loop,
    "film": _film,
    "export": _export,
}
