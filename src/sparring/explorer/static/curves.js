// Curves of every member over the rounds: the band between the members, their median, the chosen member in front, the
// healthy range and the level at equilibrium. A click chooses the member nearest to the pointer; a drag moves the round.

import { colors, limitsOf, number, outputsName, prepare, quantile, roundSteps, short, steps } from "/static/drawing.js";
import { hasDiverged, rowAt, set, shownRound, store, text } from "/static/store.js";

const MARGIN = { left: 46, right: 26, top: 24, bottom: 24 };
const PLAYER = { d_loss: "d", d_real: "d", d_gradient: "d", g_loss: "g", d_fake: "g", g_gradient: "g" };
const BAND = [0.1, 0.9];
const MAX_LINES = 80, DRAG_PIXELS = 4, MAX_SAMPLED = 4000;

export function curves({ canvas, hover, legend }, options) {
  const names = options.names;
  let made = null, compared = null, layer = null, layerKey = "", down = null;

  // Smoothed curves, their band and the limits of the axis; made anew only when there is something new.
  function series() {
    const version = `${store.version} ${others()?.key}`;
    if (made?.version === version) return made;
    const rows = store.rounds.length, members = store.facts.seeds.length;
    const window = Math.max(1, Math.round(rows * options.smoothing));
    const smooth = Object.fromEntries(names.map((n) => [n, movingMean(store.curves[n], window)]));
    const bands = Object.fromEntries(names.map((n) => [n, bandOf(smooth[n], rows, members)]));
    const medians = [...Object.values(bands), ...Object.values(others()?.medians ?? {})];
    made = { version, rows, members, smooth, bands, limits: limits([...Object.values(smooth), ...medians], medians, names) };
    return made;
  }

  // The median of the run that this one is compared with, by curve.
  function others() {
    const other = options.compared ? store.other : null;
    if (!other?.facts) return null;
    const key = `${other.run} ${other.version}`;
    if (compared?.key === key) return compared;
    const rows = other.rounds.length, window = Math.max(1, Math.round(rows * options.smoothing));
    const medians = names.map((name) => [name, bandOf(movingMean(other.curves[name], window), rows, other.facts.seeds.length)]);
    compared = { key, rows, rounds: other.rounds, medians: Object.fromEntries(medians) };
    return compared;
  }

  function scales(width, height) {
    const { limits: [low, high] } = series();
    const last = Math.max(1, store.facts.round, (options.compared && store.other?.facts?.round) || 0);
    const inner = { w: width - MARGIN.left - MARGIN.right, h: height - MARGIN.top - MARGIN.bottom };
    return {
      x: (round) => MARGIN.left + (round / last) * inner.w,
      y: (value) => MARGIN.top + (1 - (value - low) / (high - low)) * inner.h,
      round: (x) => Math.max(0, Math.min(last, ((x - MARGIN.left) / inner.w) * last)),
      last, low, high, inner,
    };
  }

  function paintLayer(width, height, scale, hues) {
    const key = [store.version, others()?.key, store.member, width, height, scale, Object.values(hues)].join();
    if (key === layerKey) return;
    layerKey = key;
    layer ??= document.createElement("canvas");
    [layer.width, layer.height] = [Math.round(width * scale), Math.round(height * scale)];
    const c = layer.getContext("2d");
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.font = "12px system-ui, sans-serif";
    const at = scales(width, height);
    axes(c, at, width, height, hues);
    names.forEach((name, k) => range(c, at, name, hues, k));
    c.save();
    c.beginPath();
    c.rect(MARGIN.left, MARGIN.top - 2, at.inner.w, at.inner.h + 4);
    c.clip();
    for (const name of names) level(c, at, name, hues);
    for (const name of names) lines(c, at, name, hues);
    if (others()) for (const name of names) otherLine(c, at, name, hues);
    changes(c, at, hues);
    c.restore();
  }

  function axes(c, at, width, height, hues) {
    c.strokeStyle = hues.rule;
    c.fillStyle = hues.soft;
    c.lineWidth = 1;
    const ys = steps(at.low, at.high, 4), xs = roundSteps(at.last, Math.max(2, at.inner.w / 110));
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const value of ys) {
      const y = Math.round(at.y(value)) + 0.5;
      c.beginPath();
      c.moveTo(MARGIN.left, y);
      c.lineTo(width - MARGIN.right, y);
      c.stroke();
      c.fillText(short(value, ys.length > 1 ? ys[1] - ys[0] : 1), MARGIN.left - 6, y);
    }
    c.textBaseline = "alphabetic";
    c.fillText(text("axis-round"), MARGIN.left - 6, height - 7);
    c.textAlign = "left";
    c.fillText(options.axis ?? outputsName(), 0, 11);
    for (const round of xs) {
      c.textAlign = round === 0 ? "left" : at.x(round) > width - 40 ? "right" : "center";
      c.fillText(round.toLocaleString("en-US"), at.x(round), height - 7);
    }
  }

  // The healthy range: lightly across the figure, and as a gauge beside it, where the curve's last value should lie.
  function range(c, at, name, hues, k) {
    const [, low, high] = store.facts.bounds[name] ?? [];
    if (low == null && high == null) return;
    const floor = MARGIN.top + at.inner.h, right = MARGIN.left + at.inner.w;
    const top = Math.max(MARGIN.top, at.y(high ?? at.high)), bottom = Math.min(at.y(low ?? at.low), floor);
    if (bottom <= top) return;
    c.fillStyle = hues[name];
    c.globalAlpha = 0.07;
    c.fillRect(MARGIN.left, top, at.inner.w, bottom - top);
    c.globalAlpha = 0.75;
    c.fillRect(right + 6 + 7 * k, top, 4, bottom - top);
    c.globalAlpha = 1;
  }

  function level(c, at, name, hues) {
    const value = store.facts.bounds[name]?.[0];
    if (value == null || value < at.low || value > at.high) return;
    c.setLineDash([5, 4]);
    c.strokeStyle = hues.soft;
    c.beginPath();
    c.moveTo(MARGIN.left, at.y(value));
    c.lineTo(MARGIN.left + at.inner.w, at.y(value));
    c.stroke();
    c.setLineDash([]);
  }

  function lines(c, at, name, hues) {
    const { rows, members, smooth, bands } = series();
    const stride = Math.max(1, Math.floor(rows / (2 * at.inner.w)));
    const path = (value) => {
      c.beginPath();
      let open = false;
      for (let row = 0; row < rows; row += row + stride < rows || row === rows - 1 ? stride : rows - 1 - row) {
        const v = value(row);
        if (!Number.isFinite(v)) open = false;
        else if (open) c.lineTo(at.x(store.rounds.at(row)), at.y(v));
        else {
          c.moveTo(at.x(store.rounds.at(row)), at.y(v));
          open = true;
        }
      }
      c.stroke();
    };
    c.lineJoin = "round";
    c.strokeStyle = c.fillStyle = hues[name];
    if (members > 1) {
      fillBand(c, at, bands[name], rows, stride);
      c.lineWidth = 0.75;
      c.globalAlpha = Math.max(0.06, Math.min(0.35, 5 / members));
      const every = Math.ceil(members / MAX_LINES);
      for (let m = 0; m < members; m += every) path((row) => smooth[name][row * members + m]);
      c.globalAlpha = 0.9;
      c.lineWidth = 1.5;
      c.setLineDash([2, 3]);
      path((row) => bands[name][row * 3 + 1]);
      c.setLineDash([]);
    } else {
      c.lineWidth = 0.75;
      c.globalAlpha = 0.3;
      path((row) => store.curves[name].at(row, 0));
    }
    c.globalAlpha = 1;
    c.strokeStyle = hues.paper;
    c.lineWidth = 5;
    path((row) => smooth[name][row * members + store.member]);
    c.strokeStyle = hues[name];
    c.lineWidth = 2.25;
    path((row) => smooth[name][row * members + store.member]);
  }

  function otherLine(c, at, name, hues) {
    const { rows, rounds, medians } = others();
    for (const [color, width, dash] of [[hues.paper, 5, []], [hues[name], 2, [7, 4]]]) {
      c.strokeStyle = color;
      c.lineWidth = width;
      c.setLineDash(dash);
      c.beginPath();
      for (let row = 0; row < rows; row++) c.lineTo(at.x(rounds.at(row)), at.y(medians[name][row * 3 + 1]));
      c.stroke();
    }
    c.setLineDash([]);
  }

  // Where a person changed settings.
  function changes(c, at, hues) {
    for (const [round] of store.facts.changes) {
      const x = Math.round(at.x(round)) + 0.5;
      c.strokeStyle = c.fillStyle = hues.warn;
      c.setLineDash([3, 3]);
      c.beginPath();
      c.moveTo(x, MARGIN.top);
      c.lineTo(x, MARGIN.top + at.inner.h);
      c.stroke();
      c.setLineDash([]);
      c.fillText("✎", x + 3, MARGIN.top + 12);
    }
  }

  function fillBand(c, at, band, rows, stride) {
    c.globalAlpha = 0.16;
    c.beginPath();
    for (let row = 0; row < rows; row += stride) c.lineTo(at.x(store.rounds.at(row)), at.y(band[row * 3]));
    for (let row = rows - 1; row >= 0; row -= stride) c.lineTo(at.x(store.rounds.at(row)), at.y(band[row * 3 + 2]));
    c.fill();
  }

  function cursor(c, at, hues) {
    const row = rowAt(shownRound());
    const x = Math.round(at.x(shownRound())) + 0.5;
    c.strokeStyle = hues.ink;
    c.lineWidth = 1;
    c.beginPath();
    c.moveTo(x, MARGIN.top);
    c.lineTo(x, MARGIN.top + at.inner.h);
    c.stroke();
    if (row < 0) return;
    const { members, smooth } = series(), logged = at.x(store.rounds.at(row));
    for (const name of names) {
      const value = smooth[name][row * members + store.member];
      if (!Number.isFinite(value)) continue;
      c.fillStyle = hues.paper;
      c.strokeStyle = hues[name];
      c.lineWidth = 2;
      c.beginPath();
      c.arc(logged, Math.max(MARGIN.top, Math.min(MARGIN.top + at.inner.h, at.y(value))), 4, 0, 7);
      c.fill();
      c.stroke();
    }
  }

  // Which curve of which member lies nearest to a place, and at which row.
  function nearest(x, y) {
    const at = scales(canvas.clientWidth, canvas.clientHeight);
    const { members, smooth } = series();
    const row = Math.max(0, rowAt(at.round(x)));
    let best = null;
    for (const name of names) {
      for (let m = 0; m < members; m++) {
        const value = smooth[name][row * members + m];
        const far = Math.abs(at.y(value) - y) - (m === store.member ? 3 : 0);
        if (Number.isFinite(far) && (best === null || far < best.far)) best = { name, member: m, value, far, row };
      }
    }
    return best;
  }

  function describe(found) {
    const round = text("at-round", { round: store.rounds.at(found.row).toLocaleString("en-US") });
    const seed = text("seed", { seed: store.facts.seeds[found.member] });
    const { bands, members } = series();
    const median = members > 1 ? `, ${text("median")} ${number(bands[found.name][found.row * 3 + 1])}` : "";
    return `${round}, ${seed}: ${text(found.name)} ${number(found.value)}${median}`;
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (down && Math.abs(x - down[0]) > DRAG_PIXELS) down.dragged = true;
    if (down?.dragged) set({ round: Math.round(scales(canvas.clientWidth, canvas.clientHeight).round(x)) });
    const found = store.rounds.length ? nearest(x, y) : null;
    hover.hidden = !found;
    if (!found) return;
    hover.textContent = describe(found);
    const left = Math.min(x + 12, canvas.clientWidth - hover.offsetWidth - 4);
    Object.assign(hover.style, { left: `${Math.max(0, left)}px`, top: `${Math.max(0, y - 34)}px` });
  });
  canvas.addEventListener("pointerleave", () => (hover.hidden = true));
  canvas.addEventListener("pointerdown", (event) => {
    down = Object.assign(place(event), { dragged: false });
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", (event) => {
    const found = !down?.dragged && store.rounds.length ? nearest(...place(event)) : null;
    if (found) set({ member: found.member });
    down = null;
  });

  function say() {
    const row = rowAt(shownRound());
    const { members, smooth, bands } = series();
    const parts = names.map((name) => {
      const item = document.createElement("span");
      const key = Object.assign(document.createElement("i"), { className: PLAYER[name] });
      const median = members > 1 && row >= 0 ? ` · ${text("median")} ${number(bands[name][row * 3 + 1])}` : "";
      const value = row < 0 ? "–" : number(smooth[name][row * members + store.member]);
      item.append(key, `${text(name)} `, Object.assign(document.createElement("b"), { textContent: value }), median);
      return item;
    });
    const isLost = row >= 0 && names.every((name) => !Number.isFinite(store.curves[name].at(row, store.member)));
    if (isLost && store.member in store.facts.diverged) {
      parts.push(Object.assign(document.createElement("span"), { className: "why", textContent: text("not-finite-here") }));
    }
    if (others()) parts.push(Object.assign(document.createElement("span"), { textContent: `– – ${store.with}: ${text("median")}` }));
    legend.replaceChildren(...parts);
    canvas.setAttribute("aria-label", `${options.title}. ${legend.textContent}`);
  }

  return {
    missing() {
      if (!store.rounds.length) return "no-curves";
      const known = names.some((name) => isKnown(store.curves[name]));
      if (known) return null;
      return hasDiverged(store.facts, -1, store.facts.round) ? "not-finite" : options.missing ?? "no-curves";
    },
    paint() {
      const hues = colors();
      const { context, width, height } = prepare(canvas, options.height ?? 214);
      const scale = window.devicePixelRatio || 1;
      paintLayer(width, height, scale, hues);
      context.drawImage(layer, 0, 0, width, height);
      cursor(context, scales(width, height), hues);
      say();
    },
  };
}

export function isKnown(curve) {
  const size = curve.length * curve.width;
  for (let k = 0; k < size; k++) if (Number.isFinite(curve.values[k])) return true;
  return false;
}

// The centered mean over `window` rows of each column, of what is finite; NaN where the value itself is not.
export function movingMean(curve, window) {
  const { width, length, values } = curve, result = new Float32Array(width * length);
  const before = window >> 1, sums = new Float64Array(width), counts = new Int32Array(width);
  const take = (row, sign) => {
    for (let m = 0, at = row * width; m < width; m++, at++) {
      if (!Number.isFinite(values[at])) continue;
      sums[m] += sign * values[at];
      counts[m] += sign;
    }
  };
  for (let row = 0, from = 0, to = 0; row < length; row++) {
    while (to < Math.min(length, row - before + window)) take(to++, 1);
    while (from < row - before) take(from++, -1);
    for (let m = 0, at = row * width; m < width; m++, at++) {
      result[at] = Number.isFinite(values[at]) ? sums[m] / counts[m] : NaN;
    }
  }
  return result;
}

// For each row: the lower end of the band, the median, the upper end.
export function bandOf(smooth, rows, members) {
  const band = new Float32Array(rows * 3), finite = new Float32Array(members);
  for (let row = 0; row < rows; row++) {
    let count = 0;
    for (let at = row * members; at < (row + 1) * members; at++) if (Number.isFinite(smooth[at])) finite[count++] = smooth[at];
    const sorted = finite.subarray(0, count).sort();
    band.set([quantile(sorted, BAND[0]), quantile(sorted, 0.5), quantile(sorted, BAND[1])], row * 3);
  }
  return band;
}

// Limits of the axis, from the smoothed curves of the members and from the medians, which are drawn in front.
function limits(drawn, medians, names) {
  const values = [];
  for (const each of drawn) {
    const step = Math.max(1, Math.floor(each.length / MAX_SAMPLED));
    for (let k = 0; k < each.length; k += step) if (Number.isFinite(each[k])) values.push(each[k]);
  }
  // Of D's outputs the whole healthy range is seen, or noise about the level would look like a fight.
  const ends = names.flatMap((name) => (store.facts.bounds[name] ?? []).slice(0, name === "d_real" || name === "d_fake" ? 3 : 1));
  const front = medians.flatMap((band) => Array.from({ length: band.length / 3 }, (_, row) => band[row * 3 + 1]));
  return limitsOf([values], front, ends);
}
