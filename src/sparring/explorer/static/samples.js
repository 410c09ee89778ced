// Samples of the shown round, pixel for pixel: all of the chosen member, or a few of every member to choose from.

import { colors, prepare } from "/static/drawing.js";
import { fetchFrame, hasDiverged, isComing, set, shownRound, store, text } from "/static/store.js";

const KEPT = 80, GAP = 10, CAPTION = 16, SMALL = 160;
// Smaller pictures are magnified by whole numbers, so that every pixel is as large as the next.

export function samples({ canvas, hover, legend }, options, repaint) {
  const frames = new Map(); // what was fetched -> bitmaps; the oldest goes first
  const source = () => (options.of === "other" ? store.other : store);
  let shown = null, loading = null, places = [];

  function wanted() {
    const rounds = source().facts.pictures;
    let at = null;
    for (const round of rounds) if (round <= shownRound() && (at === null || round > at)) at = round;
    const of = source();
    return at === null ? null : { round: at, key: `${of.run} ${of.facts.generation} ${at} ${options.all ? -1 : store.member}` };
  }

  async function load({ round, key }) {
    if (loading) return;
    loading = key;
    const query = { run: source().run, round, member: options.all ? -1 : store.member };
    const frame = await fetchFrame("samples", query);
    loading = null;
    if (frame === null) return; // what is shown stays; it is asked for again when something else is new
    if (frame.arrays.pixels) {
      const { values } = frame.arrays.pixels;
      frames.set(key, { round, images: bitmaps(frame.arrays.pixels), isBlank: values.every((value) => value === values[0]) });
      while (frames.size > KEPT) frames.delete(frames.keys().next().value);
    } else frames.set(key, { round, images: [] });
    repaint();
  }

  function layout(images, width) {
    const count = images.length, [w, h] = [images[0].width, images[0].height];
    if (!options.all) {
      const scale = Math.min(width / w, (options.height ?? 420) / h);
      const whole = scale > 1 && w < SMALL ? Math.max(1, Math.floor(scale)) : scale;
      return { columns: 1, w: w * whole, h: h * whole, caption: 0 };
    }
    // As large as lets all of them be seen at once, if that is possible.
    const high = (side) => Math.ceil(count / Math.floor((width + GAP) / (side + GAP))) * ((side * h) / w + CAPTION + GAP);
    let side = Math.min(220, width);
    while (side > 56 && high(side) > 560) side -= 4;
    const columns = Math.max(1, Math.floor((width + GAP) / (side + GAP)));
    if (count > columns) side = (width + GAP) / columns - GAP; // whole rows reach from edge to edge
    return { columns, w: side, h: (side * h) / w, caption: CAPTION };
  }

  function paint() {
    const want = wanted();
    if (want && frames.has(want.key)) shown = frames.get(want.key);
    else if (want) load(want);
    if (!shown?.images.length) return;
    const width = canvas.parentElement.clientWidth, hues = colors();
    const { columns, w, h, caption } = layout(shown.images, width);
    const rows = Math.ceil(shown.images.length / columns);
    const { context } = prepare(canvas, rows * (h + caption + GAP) - GAP);
    context.imageSmoothingEnabled = shown.images[0].width >= SMALL || w < shown.images[0].width;
    context.font = "11px system-ui, sans-serif";
    places = shown.images.map((image, k) => {
      const left = (k % columns) * (w + GAP), top = Math.floor(k / columns) * (h + caption + GAP);
      if (caption) {
        context.fillStyle = k === store.member ? hues.ink : hues.soft;
        context.fillText(text("seed", { seed: store.facts.seeds[k] }), left, top + 11);
      }
      context.drawImage(image, left, top + caption, w, h);
      if (options.all && k === store.member) {
        context.strokeStyle = hues.generated;
        context.lineWidth = 3;
        context.strokeRect(left + 1.5, top + caption + 1.5, w - 3, h - 3);
      }
      return { left, top, w, h: h + caption, member: k };
    });
    const seed = text("seed", { seed: source().facts.seeds[Math.min(store.member, source().facts.seeds.length - 1)] });
    legend.textContent = `${options.all ? "" : `${seed}, `}${text("at-round", { round: shown.round.toLocaleString("en-US") })}`;
    const members = source().facts.seeds.length;
    if (options.all && shown.images.length > 1 && shown.images.length < members) {
      const some = { some: shown.images.length, all: members.toLocaleString("en-US") };
      legend.textContent += `, ${text("first-members", some)}`;
    }
    canvas.setAttribute("aria-label", `${options.title}: ${legend.textContent}`);
  }

  // A member has diverged some rounds before the log point that says so.
  function isLost(want) {
    const { facts } = source(), isBlank = frames.get(want.key)?.isBlank;
    return hasDiverged(facts, options.all ? -1 : store.member, isBlank ? facts.round : want.round);
  }

  canvas.addEventListener("click", (event) => {
    if (!options.all) return;
    const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const hit = places.find((p) => x >= p.left && x <= p.left + p.w && y >= p.top && y <= p.top + p.h);
    if (hit) set({ member: hit.member });
  });
  canvas.style.cursor = options.all ? "pointer" : "default";
  hover.hidden = true;

  return {
    missing() {
      if (!source()?.facts) return "no-samples-yet";
      const want = wanted();
      if (want && frames.get(want.key)?.images.length === 0) return "no-samples-of-member";
      if (want && isLost(want)) return "not-finite";
      if (source().facts.pictures.length) return null;
      return isComing() ? "no-samples-yet" : "no-samples";
    },
    paint,
  };
}

// RGB rows as canvases that are quick to draw, one for each image of `(N, H, W, 3)`.
export function bitmaps({ shape: [count, height, width], values }) {
  return Array.from({ length: count }, (_, k) => {
    const image = new ImageData(width, height), start = k * width * height * 3;
    for (let p = 0; p < width * height; p++) {
      image.data.set(values.subarray(start + p * 3, start + p * 3 + 3), p * 4);
      image.data[p * 4 + 3] = 255;
    }
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  });
}
