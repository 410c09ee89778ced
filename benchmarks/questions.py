"""The two questions that the write-ups left open: what the shipped studies answered, for the docs.

    sparring study collapse-remedies --threads 1                     trains it
    python benchmarks/questions.py studies/collapse-remedies         keeps its answer and its pictures

The answer is kept as `results/studies/NAME/`: study.json and results.json, which `sparring study` shows without any of
the runs.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from sparring.analysis.wording import short
from sparring.record import write_atomically
from sparring.report.study import cell_rows
from sparring.studies import StudyRun
from sparring.study.answer import Answer
from sparring.study.effects import Effect
from sparring.study.wording import amount, brief_labels, contrast_text, p_text

KEPT = Path(__file__).parent / "results" / "studies"
PICTURES = Path(__file__).parents[1] / "docs" / "pictures" / "studies"
CELL_HEADS = (" (mean ± SD)", "n", "collapsed", "diverged", "first finding")
EFFECT_HEADS = ("effect", "difference", "seeds in which it is lower", "p (Holm)")
LABELS = {
    "G reference": "参考的 G",
    "D reference": "参考的 D",
    "in place of own": "in place of 作者的",
    "depth 3 convolutions + 2 linear": "深度 3 个卷积层加 2 个线性层",
    "2 layers": "2 层",
    "width 64 channels and more": "宽度 64 个通道以上",
    "8 channels": "8 个通道",
    "normalization batch": "批归一化",
    "dropout none": "不用 dropout",
    "in place of none": "in place of 无",
    "kernel 3, padding 1": "卷积核 3、填充 1",
    "4, no padding": "4、不填充",
    "networks LeakyReLU + layer norm": "LeakyReLU 加层归一化",
    "optimizer ": "",
    "latent normal": "正态分布",
    "uniform": "均匀分布",
    "objective cross-entropy": "交叉熵",
    "MSE": "均方误差",
}
"""What is changed in the two studies -> its Chinese name."""
COLUMNS, MARGIN, LINE = 4, 8, 14
"""Of the sheet of samples: cells in a row, and pixels."""


@cache
def answer(name: str) -> Answer:
    """The answer that is kept."""
    return StudyRun(KEPT / name).answer


def cells(name: str, chinese: bool = False) -> str:
    """Markdown: every cell with its spread over seeds."""
    found = answer(name)
    heads = ("（平均 ± 标准差）", "n", "崩溃", "发散", "首要结论") if chinese else CELL_HEADS
    title = f"{'弗雷歇距离' if chinese else found.scores.title}{heads[0]}"
    lines = [f"| | {title} | {' | '.join(heads[1:])} |", "| --- | --- | ---: | ---: | ---: | --- |"]
    for row in cell_rows(found):
        rule, _, share = row.finding.partition(" ")
        label = row.label.replace("(baseline)", "（对照）" if chinese else "(baseline)")
        finding = f"`{rule}` {share}" if rule else ""
        lines.append(f"| {label} | {row.mean} | {row.n} | {row.collapsed} | {row.diverged} | {finding} |")
    real = found.scores.real
    if chinese:
        said = "越低越好。" + ("" if real is None else f"真实数据为 {short(real)}。")
    else:
        said = "Lower is better." + ("" if real is None else f" Real data scores {short(real)}.")
    return "\n".join([*lines, "", said])


def effects(name: str, limit: int | None = None, chinese: bool = False) -> str:
    """Markdown: the ranked effects with their intervals."""
    found = answer(name)
    heads = ("效应", "差", "降低的种子", "p（Holm）") if chinese else EFFECT_HEADS
    lines = [f"| {' | '.join(heads)} |", "| --- | --- | ---: | ---: |"]
    return "\n".join(lines + [_effect(each, found, chinese) for each in found.effects[:limit]])


def _effect(each: Effect, found: Answer, chinese: bool) -> str:
    text = contrast_text(each.contrast, found.results)
    if chinese:
        text = _in_chinese(text)
    better = f"{each.better}/{each.seeds}" if chinese else f"{each.better} of {each.seeds}"
    return f"| {text} | {amount(each.mean, each.interval)} | {better} | {p_text(each.p_holm)} |"


def _in_chinese(text: str) -> str:
    """The text of an effect: `宽度 64 个通道以上（代替 8 个通道；反向第 4 步，共 5 步）`."""
    text, _, step = text.partition(" (step ")
    for english, chinese in LABELS.items():
        text = text.replace(english, chinese)
    change, _, before = text.partition(" in place of ")
    notes = [f"代替{' ' if before[0].isascii() else ''}{before}"] if before else []
    if step:
        number, _, of, order, _ = step.split()
        notes.append(f"{'反向' if order == 'reverse' else '正向'}第 {number} 步，共 {of.rstrip(',')} 步")
    return f"{change}（{'；'.join(notes)}）" if notes else change


def sheet(study: StudyRun) -> Image.Image | None:
    """The samples of every cell's median seed, side by side, each under its label."""
    found, folder = study.answer, study.path / "samples"
    labels = brief_labels(found.results)
    pictures = [
        (labels[c.id], folder / f"{c.id}.png") for c in found.results.cells if (folder / f"{c.id}.png").exists()
    ]
    if not pictures:
        return None
    scale = 2
    images = [(label, Image.open(path).convert("RGB")) for label, path in pictures]
    width, height = (scale * max(image.size[axis] for _, image in images) for axis in (0, 1))
    font = ImageFont.load_default(11)
    rows = -(-len(images) // COLUMNS)
    cell = width + MARGIN, height + 2 * LINE + MARGIN
    whole = Image.new("RGB", (COLUMNS * cell[0] + MARGIN, rows * cell[1] + MARGIN), "white")
    draw = ImageDraw.Draw(whole)
    for index, (label, image) in enumerate(images):
        x, y = MARGIN + index % COLUMNS * cell[0], MARGIN + index // COLUMNS * cell[1]
        parts = label.split(", ")
        half = -(-len(parts) // 2)
        for line, text in enumerate((", ".join(parts[:half]), ", ".join(parts[half:]))):
            draw.text((x, y + line * LINE), text, "black", font)
        large = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
        whole.paste(large, (x, y + 2 * LINE))
    return whole


def keep(folder: Path) -> None:
    """Copy what is kept of a study, and its pictures."""
    study = StudyRun(folder)
    study.report()
    name, place = study.results.name, KEPT / study.results.name
    place.mkdir(parents=True, exist_ok=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / "study.json", place / "study.json")
    results = replace(study.results, folder=f"studies/{name}").to_json()
    write_atomically(place / "results.json", lambda path: path.write_text(results, encoding="utf-8"))
    shutil.copyfile(folder / "figures" / "effects.png", PICTURES / f"{name}-effects.png")
    samples = sheet(study)
    if samples is not None:
        write_atomically(PICTURES / f"{name}-samples.png", lambda path: samples.save(path, format="PNG", optimize=True))
    print(place)


def main() -> None:
    """Keep the study in a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    keep(parser.parse_args().folder)


if __name__ == "__main__":
    main()
