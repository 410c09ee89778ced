// What painters share: a canvas at the screen's own resolution, the page's colors, axes and numbers.

import { store, text } from "/static/store.js";

const ROBUST = [0.01, 0.99];

export function prepare(canvas, height) {
  const width = canvas.parentElement.clientWidth, scale = window.devicePixelRatio || 1;
  const size = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  return { context, width, height };
}

export function colors() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of("ink"), soft: of("soft"), rule: of("rule"), paper: of("paper"), warn: of("warn"),
    d_loss: of("d"), d_real: of("d"), d_gradient: of("d"), g_loss: of("g"), d_fake: of("g"), g_gradient: of("g"),
    real: of("d"), generated: of("g"),
  };
}

// Three significant digits, as the rest of the page writes numbers.
export function number(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1000 && size < 1e7) return Math.round(value).toLocaleString("en-US");
  if (value === 0 || (size >= 1e-3 && size < 100)) return value.toFixed(3);
  return value.toPrecision(3);
}

// About `count` round numbers between two.
export function steps(low, high, count) {
  const raw = (high - low) / Math.max(1, count);
  if (!(raw > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= raw * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step || 0);
  return found;
}

// The same for rounds, which are whole numbers: a short run has fewer marks than there is room for.
export function roundSteps(last, count) {
  return steps(0, last, Math.min(count, last));
}

export function short(value, step) {
  if (Math.abs(value) >= 1000) return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
  return value.toFixed(Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9))));
}

export function quantile(sorted, share) {
  if (!sorted.length) return NaN;
  const at = (sorted.length - 1) * share, low = Math.floor(at);
  return sorted[low] + (sorted[Math.ceil(at)] - sorted[low]) * (at - low);
}

// Limits that nearly all values of each set fit into, and the levels; one outlier does not flatten the rest. Front lines
// are not cut off either, unless they alone would take more than half of the height.
export function limitsOf(sets, front, levels) {
  const sorted = sets.map((values) => Float64Array.from(values).sort()).filter((values) => values.length);
  const least = Math.min(...sorted.map((values) => quantile(values, ROBUST[0])));
  const most = Math.max(...sorted.map((values) => quantile(values, ROBUST[1])));
  const known = levels.filter((v) => v != null), span = most - least;
  let low = Math.min(least, ...known), high = Math.max(most, ...known);
  if (!Number.isFinite(low) || !sorted.length) return [0, 1];
  for (const value of front) {
    if (value < low) low = Math.max(value, least - span / 2);
    if (value > high) high = Math.min(value, most + span / 2);
  }
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - room, high + room];
}

// The axis of D's outputs below a histogram, and what its height counts.
export function outputsAxis(c, { low, high, x, base, width, height }, counted, hues) {
  c.fillStyle = hues.soft;
  c.strokeStyle = hues.rule;
  c.textBaseline = "alphabetic";
  c.textAlign = "center";
  const marks = steps(low, high, 5);
  for (const mark of marks) c.fillText(short(mark, marks.length > 1 ? marks[1] - marks[0] : 1), x(mark), base + 16);
  c.fillText(outputsName(), width / 2, height - 4);
  c.textAlign = "left";
  c.fillText(counted, 0, 11);
  c.beginPath();
  c.moveTo(x(low), base + 0.5);
  c.lineTo(x(high), base + 0.5);
  c.stroke();
}

// What D's outputs are called: probabilities, or scores without bounds.
export function outputsName() {
  return text(store.facts.bounds.d_real?.[0] === 0.5 ? "axis-probability" : "axis-outputs");
}

// Between which values D's outputs are drawn: probabilities from 0 to 1, so that pictures of different rounds compare.
export function domain(edges, level) {
  return level === 0.5 && edges[0] >= -1e-6 && edges.at(-1) <= 1 + 1e-6 ? [0, 1] : [edges[0], edges.at(-1)];
}
