// D's outputs at the last evaluation as two histograms: for real examples and for generated ones.

import { colors, domain, number, outputsAxis, prepare, steps } from "/static/drawing.js";
import { fetchFrame, isComing, isLive, shownRound, store, text } from "/static/store.js";

const MARGIN = { left: 42, right: 10, top: 22, bottom: 40 };

export function scores({ canvas, hover, legend }, options, repaint) {
  const frames = new Map();
  let loading = false;

  function wanted() {
    let at = null;
    for (const round of store.facts.scores) if (round <= shownRound() && (at === null || round > at)) at = round;
    return at;
  }

  async function load(round, key) {
    if (loading) return;
    loading = true;
    const frame = await fetchFrame("scores", { run: store.run, round });
    loading = false;
    if (frame === null) return; // as of samples
    frames.set(key, frame);
    while (frames.size > 200) frames.delete(frames.keys().next().value);
    repaint();
  }

  // What was seen of the run a moment ago, where the newest round is shown of a run that trains.
  function watched() {
    const report = store.round === null && isLive() ? store.reports.at(-1) : null;
    if (!report?.edges || report.round < (store.facts.scores.at(-1) ?? 0)) return null;
    const flat = (moments) => ({ values: Float32Array.from(moments.at(-1).flat()) });
    return { round: report.round, arrays: { edges: { values: report.edges }, real: flat(report.real), generated: flat(report.fake) } };
  }

  function stored() {
    const at = wanted(), key = `${store.facts.generation} ${at}`;
    if (at !== null && !frames.has(key)) load(at, key);
    const frame = frames.get(key);
    return frame?.arrays.edges ? { round: at, arrays: frame.arrays } : null;
  }

  // What is drawn: shares of the chosen member's examples in each bin, and where the bins lie in a figure of a width.
  function shares() {
    const frame = watched() ?? stored();
    if (!frame) return null;
    const edges = frame.arrays.edges.values, bins = edges.length - 1, kinds = frame.arrays.real.values.length / bins;
    const first = Math.min(store.member, kinds - 1) * bins;
    const of = (name) => {
      const counts = frame.arrays[name].values.subarray(first, first + bins);
      const all = counts.reduce((a, b) => a + b, 0) || 1;
      return Array.from(counts, (n) => n / all);
    };
    const level = store.facts.bounds.d_real?.[0], [low, high] = domain(edges, level);
    const x = (value, width) => MARGIN.left + ((value - low) / (high - low)) * (width - MARGIN.left - MARGIN.right);
    return { round: frame.round, edges, kinds, level, low, high, x, real: of("real"), generated: of("generated") };
  }

  function paint() {
    const shown = shares();
    if (!shown) return;
    const hues = colors(), { context: c, width, height } = prepare(canvas, options.height ?? 190);
    const { edges, level, low, high } = shown, x = (value) => shown.x(value, width), base = height - MARGIN.bottom;
    const most = Math.max(...shown.real, ...shown.generated, 1e-9);
    heights(c, most, base, width, hues);
    for (const name of ["real", "generated"]) {
      c.fillStyle = hues[name];
      c.globalAlpha = 0.55;
      shown[name].forEach((share, k) => {
        const tall = (share / most) * (base - MARGIN.top);
        c.fillRect(x(edges[k]) + 0.5, base - tall, Math.max(1, x(edges[k + 1]) - x(edges[k]) - 0.5), tall);
      });
      c.globalAlpha = 1;
    }
    outputsAxis(c, { low, high, x, base, width, height }, text("axis-share"), hues);
    if (level != null && level >= low && level <= high) {
      c.strokeStyle = hues.ink;
      c.setLineDash([5, 4]);
      c.beginPath();
      c.moveTo(x(level), MARGIN.top);
      c.lineTo(x(level), base);
      c.stroke();
      c.setLineDash([]);
    }
    say(shown.round, shown.kinds);
  }

  // Percent of the examples, at two or three heights.
  function heights(c, most, base, width, hues) {
    c.fillStyle = hues.soft;
    c.strokeStyle = hues.rule;
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const percent of steps(0, 100 * most, 2)) {
      const y = Math.round(base - (percent / 100 / most) * (base - MARGIN.top)) + 0.5;
      c.beginPath();
      c.moveTo(MARGIN.left, y);
      c.lineTo(width - MARGIN.right, y);
      c.stroke();
      c.fillText(`${percent} %`, MARGIN.left - 6, y);
    }
  }

  canvas.addEventListener("pointermove", (event) => {
    const shown = shares(), at = event.clientX - canvas.getBoundingClientRect().left, width = canvas.clientWidth;
    const bin = shown ? shown.real.findIndex((_, k) => at >= shown.x(shown.edges[k], width) && at < shown.x(shown.edges[k + 1], width)) : -1;
    hover.hidden = bin < 0;
    if (bin < 0) return;
    const percent = (share) => `${Math.round(100 * share)} %`;
    const range = `D(x) ${number(shown.edges[bin])} – ${number(shown.edges[bin + 1])}`;
    const parts = ["real", "generated"].map((name) => `${text(`of-${name}`)} ${percent(shown[name][bin])}`);
    hover.textContent = `${range}: ${parts.join(", ")}`;
    Object.assign(hover.style, { left: `${Math.max(0, Math.min(at + 12, width - hover.offsetWidth - 4))}px`, top: "0" });
  });
  canvas.addEventListener("pointerleave", () => (hover.hidden = true));

  function say(at, kinds) {
    const items = ["real", "generated"].map((name) => {
      const item = document.createElement("span");
      item.append(Object.assign(document.createElement("i"), { className: name === "real" ? "d" : "g" }), text(`of-${name}`));
      return item;
    });
    const when = Object.assign(document.createElement("span"), {
      textContent: text("at-round", { round: at.toLocaleString("en-US") }),
    });
    const together = kinds < store.facts.seeds.length ? [text("all-together")] : [];
    legend.replaceChildren(...items, when, ...together);
    canvas.setAttribute("aria-label", `${options.title}: ${legend.textContent}`);
  }
  hover.hidden = true;

  return {
    missing() {
      if (watched()) return null;
      const shown = shares();
      if (shown && ![...shown.real, ...shown.generated].some(Boolean)) return "not-finite";
      if (!store.facts.scores.length) return isComing() ? "no-scores-yet" : "no-scores";
      return wanted() === null ? "no-scores-yet" : null;
    },
    paint,
  };
}
