// Examples of the latent page side by side: the one that is shown, every member's, a strip, a sum, the nearest image.

import { colors, number, prepare } from "/static/drawing.js";
import { change, hasImages, latent, listenLatent } from "/static/latent.js";
import { bitmaps } from "/static/samples.js";
import { text } from "/static/store.js";

const GAP = 8, CAPTION = 18, FONT = "12px system-ui, sans-serif";

// How to draw the examples of a frame: images as pixels, points in the plane, other numbers as bars.
export function drawer(frame) {
  if (frame.drawer) return frame.drawer;
  const { pixels, values } = frame.arrays;
  if (pixels) {
    const images = bitmaps(pixels), [count, h, w] = pixels.shape;
    frame.drawer = { count, w, h, draw: (c, k, left, top, width, height) => {
      c.imageSmoothingEnabled = width < w || w > 160;
      c.drawImage(images[k], left, top, width, height);
    } };
  } else {
    const [count, size] = values?.shape ?? [0, 0];
    const row = (k) => values.values.subarray(k * size, (k + 1) * size);
    frame.drawer = { count, w: 1, h: size === 2 ? 1 : 0.75, row, draw: (c, k, ...box) => (size === 2 ? point : bars)(c, row(k), ...box) };
  }
  return frame.drawer;
}

// Half the side of the square that points are drawn in: what the whole plane reaches.
function reach() {
  const values = latent.panels.overview?.arrays.values?.values;
  return values?.length ? 1.15 * Math.max(1e-6, values.reduce((most, v) => Math.max(most, Math.abs(v)), 0)) : 2;
}
function paper(c, left, top, width, height, hues) {
  c.fillStyle = hues.paper;
  c.fillRect(left, top, width, height);
  c.strokeStyle = hues.rule;
  c.lineWidth = 1;
  c.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
}
function point(c, values, left, top, width, height) {
  const hues = colors(), half = reach();
  const place = (x, y) => [left + width / 2 + (x / half) * (width / 2), top + height / 2 - (y / half) * (height / 2)];
  paper(c, left, top, width, height, hues);
  c.save();
  c.beginPath();
  c.rect(left, top, width, height);
  c.clip();
  const overview = latent.panels.overview?.arrays.values?.values ?? [];
  c.fillStyle = hues.soft;
  for (let k = 0; k < overview.length; k += 2) c.fillRect(...place(overview[k], overview[k + 1]).map((v) => v - 1), 2, 2);
  c.fillStyle = hues.generated;
  c.beginPath();
  c.arc(...place(values[0], values[1]), Math.max(3, width / 40), 0, 7);
  c.fill();
  c.restore();
}
function bars(c, values, left, top, width, height) {
  const hues = colors(), low = Math.min(0, ...values), high = Math.max(1, ...values);
  const level = (v) => top + height * (0.95 - (0.9 * (v - low)) / (high - low));
  paper(c, left, top, width, height, hues);
  c.fillStyle = hues.generated;
  values.forEach((v, k) => c.fillRect(left + (width * (k + 0.12)) / values.length, Math.min(level(v), level(0)), (0.76 * width) / values.length, Math.max(1, Math.abs(level(v) - level(0)))));
}

const seed = (value) => text("seed", { seed: value });
// Panel -> the captions of its examples, and what a click on one does.
const KINDS = {
  example: { captions: () => [] },
  members: {
    captions: (facts) => facts.seeds.map(seed),
    legend: ({ seeds, count }) => (count > seeds.length ? text("first-members", { some: seeds.length, all: count.toLocaleString("en-US") }) : ""),
    picked: (facts) => facts.seeds.indexOf(latent.place.member),
    click: (facts, k) => change({ member: facts.seeds[k] }),
  },
  strip: { captions: () => [], click: (facts, k) => change(onStrip(k / (facts.steps - 1))) },
  sum: { captions: (facts) => facts.letters.map((letter, k) => (k < facts.letters.length - 1 ? `${letter}: z ${facts.zs[k]}` : letter)) },
  nearest: {
    captions: () => [],
    legend: ({ index, count, distance }) => text("latent-nearest-is", { index: index.toLocaleString("en-US"), count: count.toLocaleString("en-US"), distance: number(distance) }),
  },
};
function onStrip(t) {
  if (latent.place.plane !== "seeds") return { x: 2 * t - 1 };
  return { x: Math.cos((t * Math.PI) / 2), y: Math.sin((t * Math.PI) / 2) };
}

export function latentTiles({ canvas, legend }, options, repaint) {
  const kind = KINDS[options.of];
  const frame = () => (options.of === "example" ? latent.example : latent.panels[options.of]);
  let places = [];

  function paint() {
    const shown = frame(), { count, w, h, draw } = drawer(shown), facts = shown.facts;
    const width = canvas.parentElement.clientWidth, captions = kind.captions(facts), caption = captions.length ? CAPTION : 0;
    let columns = options.of === "example" ? 1 : Math.min(count, Math.max(2, Math.floor((width + GAP) / (options.side + GAP))));
    let side = Math.min(options.side, (width - GAP * (columns - 1)) / columns);
    if (options.of === "strip") [columns, side] = [count, (width - GAP * (count - 1)) / count];
    if (side > w && w > 1 && w < 160) side = Math.max(1, Math.floor(side / w)) * w;
    const high = (side * h) / w, rows = Math.ceil(count / columns);
    const { context } = prepare(canvas, rows * (high + caption + GAP) - GAP);
    const hues = colors();
    context.font = FONT;
    places = [];
    for (let k = 0; k < count; k++) {
      const left = (k % columns) * (side + GAP), top = Math.floor(k / columns) * (high + caption + GAP);
      draw(context, k, left, top, side, high);
      if (caption) {
        context.fillStyle = hues.ink;
        context.fillText(captions[k], left, top + high + 14, side + GAP / 2);
      }
      if (kind.picked?.(facts) === k) {
        context.strokeStyle = hues.generated;
        context.lineWidth = 3;
        context.strokeRect(left + 1.5, top + 1.5, side - 3, high - 3);
      }
      places.push({ left, top, right: left + side, bottom: top + high });
    }
    legend.textContent = kind.legend?.(facts) ?? "";
    canvas.setAttribute("aria-label", [options.title, ...captions, legend.textContent].filter(Boolean).join(", "));
    canvas.dataset.shown = options.of === "example" ? latent.examples : shown.key;
  }

  if (kind.click) {
    canvas.style.cursor = "pointer";
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
      const k = places.findIndex((p) => x >= p.left && x <= p.right && y >= p.top && y <= p.bottom);
      if (k >= 0) kind.click(frame().facts, k);
    });
  }

  return {
    listen: (wish) => listenLatent(wish, options.of, ...(kind.picked ? ["place"] : [])),
    isReady: () => Boolean(latent.facts) && (Boolean(frame()) || options.of === "nearest"),
    missing() {
      const shown = frame();
      if (!hasImages() && options.of === "nearest") return "latent-no-images";
      if (!shown) return "latent-nearest-help";
      if (shown.facts.asks) return text("latent-nearest-asks", { path: shown.facts.asks });
      return shown.facts.problem ?? null;
    },
    paint,
  };
}
