// A few curves over one number, each the mean over members with its spread, and what real data score.

import { colors, prepare, short, steps } from "/static/drawing.js";

const MARGIN = { left: 44, right: 12, top: 10, bottom: 38 }, HEIGHT = 300;
const DASHES = [[], [7, 4], [2, 3]];

// options: x (numbers), series [{ name, label, mean, sd }], mark (an x), axis (what x is).
export function lines({ canvas, hover, legend }, options) {
  const { x, series, mark, axis } = options;
  let places = null;

  function paint() {
    const { context: c, width, height } = prepare(canvas, HEIGHT), hues = colors();
    const tones = [hues.real, hues.generated, hues.ink];
    const low = x[0], high = x.at(-1) === low ? low + 1 : x.at(-1);
    const at = (v) => MARGIN.left + ((v - low) / (high - low)) * (width - MARGIN.left - MARGIN.right);
    const level = (v) => height - MARGIN.bottom - v * (height - MARGIN.top - MARGIN.bottom);
    c.fillStyle = hues.soft;
    c.strokeStyle = hues.rule;
    c.lineWidth = 1;
    for (const v of steps(0, 1, 5)) {
      c.textAlign = "right";
      c.fillText(short(v, 0.2), MARGIN.left - 6, level(v) + 4);
      rule(c, MARGIN.left, level(v), width - MARGIN.right, level(v));
    }
    c.textAlign = "center";
    for (const v of x) c.fillText(short(v, 0.1), at(v), height - MARGIN.bottom + 16);
    c.fillText(axis, (MARGIN.left + width) / 2, height - 4);
    if (mark !== null) {
      c.strokeStyle = hues.soft;
      rule(c, at(mark), MARGIN.top, at(mark), height - MARGIN.bottom);
    }
    series.forEach((each, k) => {
      c.strokeStyle = c.fillStyle = tones[k];
      c.globalAlpha = 0.15;
      c.beginPath();
      each.mean.forEach((v, i) => c.lineTo(at(x[i]), level(v + each.sd[i])));
      [...each.mean.keys()].reverse().forEach((i) => c.lineTo(at(x[i]), level(each.mean[i] - each.sd[i])));
      c.fill();
      c.globalAlpha = 1;
      c.lineWidth = 2;
      c.setLineDash(DASHES[k]);
      c.beginPath();
      each.mean.forEach((v, i) => c.lineTo(at(x[i]), level(v)));
      c.stroke();
      c.setLineDash([]);
    });
    c.textAlign = "left";
    places = { at };
    legend.replaceChildren(...series.map((each, k) => item(each, tones[k])));
    canvas.setAttribute("aria-label", `${options.title}: ${legend.textContent}`);
  }
  function rule(c, left, top, right, bottom) {
    c.beginPath();
    c.moveTo(left, top);
    c.lineTo(right, bottom);
    c.stroke();
  }
  function item({ label }, tone) {
    const swatch = document.createElement("i"), span = document.createElement("span");
    swatch.style.background = tone;
    span.append(swatch, label);
    return span;
  }
  canvas.addEventListener("pointermove", (event) => {
    if (!places) return;
    const left = event.clientX - canvas.getBoundingClientRect().left;
    const k = x.map((v) => Math.abs(places.at(v) - left)).reduce((best, d, i, all) => (d < all[best] ? i : best), 0);
    hover.hidden = false;
    hover.textContent = `${axis} ${x[k]}: ${series.map((each) => `${each.name} ${each.mean[k].toFixed(3)} ± ${each.sd[k].toFixed(3)}`).join(", ")}`;
    hover.style.left = `${Math.max(0, Math.min(left, canvas.clientWidth - hover.offsetWidth))}px`;
    hover.style.top = "4px";
  });
  canvas.addEventListener("pointerleave", () => (hover.hidden = true));

  return { isReady: () => true, missing: () => null, paint };
}
