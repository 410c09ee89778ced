// A game of points in the plane: D's outputs as a field, real and generated points, arrows of where G's loss pushes them, and the
// image of G's latent grid. The chosen member is large, every member is small beside it.

import { colors, number, prepare } from "/static/drawing.js";
import { fetchFrame, isLive, set, shownRound, store, text } from "/static/store.js";

const LAYERS = ["field", "real", "fake", "arrows", "latent"];
const LIVE_MS = 350, MAX_FRAMES = 120, GAP = 8;
const FAINT = 0.02, STRONG = 2; // lengths of gradients between which arrows grow, as their logarithm

export function plane({ canvas, hover, legend }, options, repaint) {
  const frames = new Map(); // "generation round" -> frame
  let loading = false, missing = null, places = [], asked = -Infinity, shown = null, again = null, drawn = [];
  const said = new URLSearchParams(location.search).get("layers");
  const layers = new Set(said === null ? options.layers ?? LAYERS : LAYERS.filter((name) => said.split(",").includes(name)));
  const switches = LAYERS.map((name) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "layer" });
    button.addEventListener("click", () => {
      if (!layers.delete(name)) layers.add(name);
      const query = new URLSearchParams(location.search);
      query.set("layers", LAYERS.filter((each) => layers.has(each)).join(","));
      history.replaceState(null, "", `${location.pathname}?${query}`);
      repaint();
    });
    return button;
  });
  const note = document.createElement("span");
  legend.append(...switches, note);

  const roundOf = (key) => Number(key.split(" ")[1]);
  const mine = () => [...frames.keys()].filter((key) => key.startsWith(`${store.facts.generation} `));

  // The newest known frame up to the shown round, and whether a checkpoint is nearer.
  function nearest() {
    const upto = shownRound();
    const have = Math.max(-1, ...mine().map(roundOf).filter((round) => round <= upto));
    const kept = Math.max(-1, ...[...store.facts.checkpoints, ...drawn].filter((round) => round <= upto));
    return { have, kept };
  }

  async function load(round) {
    if (loading) return;
    loading = true;
    asked = performance.now();
    const generation = store.facts.generation;
    const frame = await fetchFrame("plane", { run: store.run, ...(round === null ? {} : { round }) });
    loading = false;
    if (frame === null) return;
    missing = frame.facts.missing ?? null;
    drawn = frame.facts.drawn ?? [];
    if (frame.facts.round !== null) {
      const key = `${generation} ${frame.facts.round}`;
      frames.delete(key);
      frames.set(key, frame);
      while (frames.size > MAX_FRAMES) frames.delete(frames.keys().next().value);
    }
    repaint();
  }

  function current() {
    if (!legend.offsetParent) return null; // another view is shown: nothing is read, and no training is asked to draw
    const live = store.round === null && isLive();
    if (live && performance.now() - asked > LIVE_MS) load(null);
    if (live) {
      again ??= setTimeout(() => {
        again = null;
        repaint();
      }, LIVE_MS);
    }
    const { have, kept } = nearest();
    if (!live && kept > have) load(shownRound());
    else if (!live && have < 0 && !missing) load(shownRound());
    return have < 0 ? null : frames.get(`${store.facts.generation} ${have}`);
  }

  // Pixels of a field, as an image of its own size: D's side is blue, G's is orange, undecided is the paper.
  function image(frame, member, hues) {
    const { shape: [, rows, columns], values } = frame.arrays.field, level = frame.arrays.levels.values[member];
    const start = member * rows * columns, part = values.subarray(start, start + rows * columns);
    const reach = level === 0.5 ? 0.5 : Math.max(1e-6, ...Array.from(part, (v) => (Number.isFinite(v) ? Math.abs(v - level) : 0)));
    const [paper, real, fake] = [hues.paper, hues.real, hues.generated].map(rgb);
    const data = new ImageData(columns, rows);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const value = part[(rows - 1 - row) * columns + column], side = (value - level) / reach;
        const share = Math.min(1, Math.abs(side) || 0) * 0.75, hue = side > 0 ? real : fake, at = (row * columns + column) * 4;
        for (let k = 0; k < 3; k++) data.data[at + k] = paper[k] + (hue[k] - paper[k]) * share;
        data.data[at + 3] = 255;
      }
    }
    const small = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
    small.getContext("2d").putImageData(data, 0, 0);
    return small;
  }

  function draw(c, frame, member, box, hues, large) {
    const [left, right, bottom, top] = frame.facts.extent;
    const x = (v) => box.left + ((v - left) / (right - left)) * box.side;
    const y = (v) => box.top + ((top - v) / (top - bottom)) * box.side;
    c.save();
    c.beginPath();
    c.rect(box.left, box.top, box.side, box.side);
    c.clip();
    c.fillStyle = hues.paper;
    c.fillRect(box.left, box.top, box.side, box.side);
    if (layers.has("field")) {
      c.imageSmoothingEnabled = true;
      c.drawImage(image(frame, member, hues), box.left, box.top, box.side, box.side);
    }
    if (layers.has("latent")) latent(c, frame, member, x, y, hues);
    const size = large ? 3 : 1.5, dot = frame.arrays.latent.shape[1] ? size : 1.8 * size; // a G of one example has one dot
    if (layers.has("real")) points(c, frame.arrays.real, member, x, y, (px, py) => {
      c.strokeStyle = hues.ink;
      c.lineWidth = large ? 1.2 : 0.7;
      c.strokeRect(px - size, py - size, 2 * size, 2 * size);
    });
    if (layers.has("arrows") && large) arrows(c, frame, member, x, y, hues, box.side / 9);
    if (layers.has("fake")) points(c, frame.arrays.fake, member, x, y, (px, py) => {
      c.beginPath();
      c.arc(px, py, dot, 0, 2 * Math.PI);
      c.fillStyle = hues.generated;
      c.fill();
      c.strokeStyle = hues.paper;
      c.lineWidth = large ? 1 : 0.5;
      c.stroke();
    });
    c.restore();
    c.strokeStyle = member === store.member ? hues.ink : hues.rule;
    c.lineWidth = member === store.member && !large ? 2 : 1;
    c.strokeRect(box.left + 0.5, box.top + 0.5, box.side - 1, box.side - 1);
  }

  function points(c, { shape: [, count], values }, member, x, y, mark) {
    for (let k = 0; k < count; k++) {
      const at = (member * count + k) * 2;
      mark(x(values[at]), y(values[at + 1]));
    }
  }

  function arrows(c, frame, member, x, y, hues, longest) {
    const { shape: [, count], values: from } = frame.arrays.fake, to = frame.arrays.arrows.values;
    c.strokeStyle = hues.ink;
    c.lineWidth = 1.2;
    for (let k = 0; k < count; k += 2) {
      const at = (member * count + k) * 2, size = Math.hypot(to[at], to[at + 1]);
      const length = longest * Math.min(1, Math.max(0, Math.log(size / FAINT) / Math.log(STRONG / FAINT)));
      if (!(length > 1)) continue;
      const px = x(from[at]), py = y(from[at + 1]), dx = (to[at] / size) * length, dy = (-to[at + 1] / size) * length;
      c.beginPath();
      c.moveTo(px, py);
      c.lineTo(px + dx, py + dy);
      const head = Math.min(5, length / 2), angle = Math.atan2(dy, dx);
      for (const turn of [2.6, -2.6]) {
        c.moveTo(px + dx, py + dy);
        c.lineTo(px + dx + head * Math.cos(angle + turn), py + dy + head * Math.sin(angle + turn));
      }
      c.stroke();
    }
  }

  function latent(c, frame, member, x, y, hues) {
    const { shape: [, us, vs], values } = frame.arrays.latent;
    const at = (u, v) => ((member * us + u) * vs + v) * 2;
    c.strokeStyle = hues.soft;
    c.lineWidth = 0.8;
    const line = (cells) => {
      c.beginPath();
      cells.forEach((k, n) => c[n ? "lineTo" : "moveTo"](x(values[k]), y(values[k + 1])));
      c.stroke();
    };
    for (let v = 0; v < vs && us; v++) line(Array.from({ length: us }, (_, u) => at(u, v)));
    for (let u = 0; u < us && vs > 1; u++) line(Array.from({ length: vs }, (_, v) => at(u, v)));
  }

  function paint() {
    shown = current();
    switches.forEach((button, k) => {
      button.textContent = text(`plane-${LAYERS[k]}`);
      button.setAttribute("aria-pressed", layers.has(LAYERS[k]));
    });
    if (!shown) return;
    const members = shown.arrays.field.shape[0], width = canvas.parentElement.clientWidth;
    const side = Math.min(width, options.side ?? 460), chosen = Math.min(store.member, members - 1);
    const rest = members > 1 ? width - side - GAP : 0, beside = rest > 150;
    const room = beside ? rest : width, columns = beside ? Math.max(2, Math.ceil(Math.sqrt((members * rest) / side))) : Math.min(members, 4);
    const small = members > 1 ? Math.floor((room - GAP * (columns - 1)) / columns) : 0, rows = Math.ceil(members / columns);
    const captioned = small + 16, grid = members > 1 ? rows * (captioned + GAP) : 0;
    const { context: c } = prepare(canvas, Math.max(side, beside ? grid : side + GAP + grid));
    const hues = colors();
    draw(c, shown, chosen, { left: 0, top: 0, side }, hues, true);
    places = [{ left: 0, top: 0, side, member: chosen, large: true }];
    for (let k = 0; k < members && members > 1; k++) {
      const left = (beside ? side + GAP : 0) + (k % columns) * (small + GAP);
      const top = (beside ? 0 : side + GAP) + Math.floor(k / columns) * (captioned + GAP);
      c.fillStyle = k === chosen ? hues.ink : hues.soft;
      c.textBaseline = "alphabetic";
      c.textAlign = "left";
      c.fillText(text("seed", { seed: store.facts.seeds[k] }), left, top + 11);
      const box = { left, top: top + 16, side: small };
      draw(c, shown, k, box, hues, false);
      places.push({ ...box, member: k });
    }
    const round = text("at-round", { round: shown.facts.round.toLocaleString("en-US") });
    note.textContent = `${round} · ${text("plane-length", { length: number(typical(shown, chosen)) })}`;
    canvas.setAttribute("aria-label", `${options.title}: ${note.textContent}`);
  }

  // The median length of the chosen member's arrows.
  function typical(frame, member) {
    const { shape: [, count], values } = frame.arrays.arrows;
    const sizes = Array.from({ length: count }, (_, k) => Math.hypot(values[(member * count + k) * 2], values[(member * count + k) * 2 + 1]));
    return sizes.sort((a, b) => a - b)[count >> 1];
  }

  const hit = (event) => {
    const box = canvas.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
    return [places.find((p) => px >= p.left && px <= p.left + p.side && py >= p.top && py <= p.top + p.side), px, py];
  };
  canvas.addEventListener("click", (event) => {
    const [place] = hit(event);
    if (place && !place.large) set({ member: place.member });
  });
  canvas.addEventListener("pointermove", (event) => {
    const [place, px, py] = hit(event);
    hover.hidden = !place || !shown;
    if (!place || !shown) return;
    const { shape: [, rows, columns], values } = shown.arrays.field, [left, right, bottom, top] = shown.facts.extent;
    const u = (px - place.left) / place.side, v = 1 - (py - place.top) / place.side;
    const row = Math.min(rows - 1, Math.floor(v * rows)), column = Math.min(columns - 1, Math.floor(u * columns));
    const value = values[(place.member * rows + row) * columns + column];
    const where = `(${number(left + u * (right - left))}, ${number(bottom + v * (top - bottom))})`;
    hover.textContent = `${text("seed", { seed: store.facts.seeds[place.member] })} ${where}\nD(x) ${number(value)}`;
    hover.style.left = `${Math.min(px + 12, canvas.clientWidth - hover.offsetWidth)}px`;
    hover.style.top = `${Math.max(0, py - 40)}px`;
  });
  canvas.addEventListener("pointerleave", () => (hover.hidden = true));

  return {
    missing: () => (current() === null && missing ? missing : null),
    paint,
  };
}

function rgb(color) {
  const c = document.createElement("canvas").getContext("2d");
  c.fillStyle = color;
  c.fillRect(0, 0, 1, 1);
  return c.getImageData(0, 0, 1, 1).data;
}
