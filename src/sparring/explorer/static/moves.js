// One move of a paused or slow run: whose it is, where in the round, what it sees, and what it does to D's outputs.

import { colors, domain, number, outputsAxis, prepare } from "/static/drawing.js";
import { isLive, store, text } from "/static/store.js";

const HEIGHT = 250, MARGIN = { left: 12, right: 12, top: 78, bottom: 40 };

export function moves({ canvas, hover, legend }, options) {
  hover.hidden = true;

  const newest = () => store.reports.findLast((report) => report.move);

  function say(report) {
    const who = document.createElement("b");
    who.textContent = text(report.player === "D" ? "d-learns" : "g-learns");
    const where = report.extra
      ? text("extra-move", { round: (report.round + 1).toLocaleString("en-US") })
      : text("move-of", { round: (report.round + 1).toLocaleString("en-US"), position: report.position + 1, of: report.of });
    const summary = document.createElement("span");
    const known = store.texts[`sees-${report.move}`];
    summary.textContent = known ?? options.summaries[report.move] ?? report.move;
    const when = Object.assign(document.createElement("span"), { textContent: where });
    legend.replaceChildren(who, when, summary);
    canvas.setAttribute("aria-label", `${options.title}: ${legend.textContent}`);
  }

  // The moves of a round as boxes, the one that was played filled.
  function boxes(c, report, width, hues) {
    const count = Math.min(report.of ?? 1, 24), gap = 6, w = Math.min(90, (width - gap * (count - 1)) / count);
    for (let k = 0; k < count; k++) {
      const played = !report.extra && k === report.position;
      c.fillStyle = played ? hues[report.player === "D" ? "real" : "generated"] : hues.rule;
      c.beginPath();
      c.roundRect(k * (w + gap), 0, w, 24, 6);
      c.fill();
      if (!played) continue;
      c.fillStyle = hues.paper;
      c.textAlign = "center";
      c.textBaseline = "middle";
      c.font = "600 13px system-ui, sans-serif";
      c.fillText(report.player, k * (w + gap) + w / 2, 12.5);
      c.font = "12px system-ui, sans-serif";
      c.textBaseline = "alphabetic";
    }
  }

  function paint() {
    const report = newest();
    if (!report) return;
    const hues = colors(), { context: c, width, height } = prepare(canvas, HEIGHT);
    say(report);
    boxes(c, report, width, hues);
    const edges = report.edges, base = height - MARGIN.bottom;
    const [low, high] = domain(edges, store.facts.bounds.d_real?.[0]);
    const x = (value) => MARGIN.left + ((value - low) / (high - low)) * (width - MARGIN.left - MARGIN.right);
    const row = (moment) => moment[Math.min(store.member, moment.length - 1)];
    const most = Math.max(1, ...["real", "fake"].flatMap((name) => report[name].flatMap((moment) => row(moment))));
    const tall = (count) => (count / most) * (base - MARGIN.top);
    for (const [name, hue] of [["real", hues.real], ["fake", hues.generated]]) {
      const [before, after] = report[name];
      c.fillStyle = c.strokeStyle = hue;
      c.globalAlpha = 0.5;
      row(after ?? before).forEach((n, k) => c.fillRect(x(edges[k]) + 0.5, base - tall(n), x(edges[k + 1]) - x(edges[k]) - 1, tall(n)));
      c.globalAlpha = 1;
      c.lineWidth = 1.25;
      c.beginPath();
      row(before).forEach((n, k) => {
        c.lineTo(x(edges[k]), base - tall(n));
        c.lineTo(x(edges[k + 1]), base - tall(n));
      });
      c.stroke();
    }
    means(c, report, x, hues);
    outputsAxis(c, { low, high, x, base, width, height }, "", hues);
  }

  // From where to where D's mean output went, for real and for generated examples.
  function means(c, report, x, hues) {
    const at = (moment, side) => report.means[moment]?.[side]?.[Math.min(store.member, report.means[0][side].length - 1)];
    [["d_real", 0, hues.real], ["d_fake", 1, hues.generated]].forEach(([name, side, hue], k) => {
      const from = at(0, side), to = at(1, side) ?? from, y = 40 + 16 * k;
      if (from == null || to == null) return;
      c.fillStyle = c.strokeStyle = hue;
      c.lineWidth = 2;
      c.beginPath();
      c.moveTo(x(from), y);
      c.lineTo(x(to), y);
      c.stroke();
      c.beginPath();
      c.arc(x(to), y, 3.5, 0, 7);
      c.fill();
      const left = x(Math.max(from, to)) < c.canvas.clientWidth - 170;
      c.textAlign = left ? "left" : "right";
      c.fillText(`${text(name)} ${number(from)} → ${number(to)}`, left ? x(Math.max(from, to)) + 8 : x(Math.min(from, to)) - 8, y + 4);
    });
  }

  return {
    missing: () => (isLive() && store.facts.status !== "training" && newest() ? null : "no-moves"),
    paint,
  };
}
