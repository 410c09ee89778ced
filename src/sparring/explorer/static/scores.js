// D's outputs at the last evaluation as two histograms: for real examples and for generated ones.

import { colors, domain, prepare, short, steps } from "/static/drawing.js";
import { fetchFrame, isLive, shownRound, store, text } from "/static/store.js";

const MARGIN = { left: 10, right: 10, top: 8, bottom: 22 };

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

  function paint() {
    const frame = watched() ?? stored();
    if (!frame) return;
    const hues = colors(), { context: c, width, height } = prepare(canvas, options.height ?? 150);
    const edges = frame.arrays.edges.values, bins = edges.length - 1, kinds = frame.arrays.real.values.length / bins;
    const first = Math.min(store.member, kinds - 1) * bins;
    const parts = ["real", "generated"].map((name) => {
      const counts = frame.arrays[name].values.subarray(first, first + bins);
      const all = counts.reduce((a, b) => a + b, 0) || 1;
      return { name, shares: Array.from(counts, (n) => n / all) };
    });
    const most = Math.max(...parts.flatMap((part) => part.shares), 1e-9);
    const level = store.facts.bounds.d_real?.[0], [low, high] = domain(edges, level);
    const x = (value) => MARGIN.left + ((value - low) / (high - low)) * (width - MARGIN.left - MARGIN.right);
    const base = height - MARGIN.bottom;
    for (const { name, shares } of parts) {
      c.fillStyle = hues[name];
      c.globalAlpha = 0.55;
      shares.forEach((share, k) => {
        const tall = (share / most) * (base - MARGIN.top);
        c.fillRect(x(edges[k]) + 0.5, base - tall, Math.max(1, x(edges[k + 1]) - x(edges[k]) - 0.5), tall);
      });
      c.globalAlpha = 1;
    }
    c.fillStyle = hues.soft;
    c.textAlign = "center";
    const marks = steps(low, high, 5);
    for (const mark of marks) c.fillText(short(mark, marks.length > 1 ? marks[1] - marks[0] : 1), x(mark), height - 6);
    c.strokeStyle = hues.rule;
    c.beginPath();
    c.moveTo(MARGIN.left, base + 0.5);
    c.lineTo(width - MARGIN.right, base + 0.5);
    c.stroke();
    if (level != null && level >= low && level <= high) {
      c.strokeStyle = hues.ink;
      c.setLineDash([5, 4]);
      c.beginPath();
      c.moveTo(x(level), MARGIN.top);
      c.lineTo(x(level), base);
      c.stroke();
      c.setLineDash([]);
    }
    say(frame.round, kinds);
  }

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
      if (!store.facts.scores.length) return isLive() ? "no-scores-yet" : "no-scores";
      return wanted() === null ? "no-scores-yet" : null;
    },
    paint,
  };
}
