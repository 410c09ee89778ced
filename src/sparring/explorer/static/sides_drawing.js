// What the page of several sides draws: curves on one axis, a picture, and one picture before another.

import { limitsOf, number, prepare, roundSteps, short, steps } from "/static/drawing.js";
import { text } from "/static/store.js";

const MARGIN = { left: 46, right: 22, top: 24, bottom: 24 }, HEIGHT = 200;
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]], SMALL = 160, MAX_SAMPLED = 4000, MAX_RATIO = 8;
const LETTER = 15;

export const letter = (index) => String.fromCharCode(65 + index);
export const lettered = number;

function hues() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return { ...Object.fromEntries(["ink", "soft", "rule", "paper"].map((n) => [n, of(n)])), side: (k) => of(`side-${k}`) };
}

// Lines of several sides: linear in rounds, or logarithmic where one run is many times as long as another.
export function paintCurves(canvas, lines, lasts, name) {
  const { context: c, width, height } = prepare(canvas, HEIGHT), h = hues();
  const last = Math.max(1, ...lasts), logarithmic = last > MAX_RATIO * Math.max(1, Math.min(...lasts));
  const [low, high] = limits(lines), w = width - MARGIN.left - MARGIN.right, tall = height - MARGIN.top - MARGIN.bottom;
  const share = (round) => (logarithmic ? Math.log1p(round) / Math.log1p(last) : round / last);
  const x = (round) => MARGIN.left + share(round) * w, y = (value) => MARGIN.top + (1 - (value - low) / (high - low)) * tall;
  axes(c, { x, y, low, high, last, w, logarithmic, name }, width, height, h);
  c.save();
  c.beginPath();
  c.rect(MARGIN.left, MARGIN.top, w, tall);
  c.clip();
  for (const level of new Set(lines.map((line) => line.level))) {
    if (level == null || level < low || level > high) continue;
    stroke(c, h.soft, 1, [5, 4], () => {
      c.moveTo(MARGIN.left, y(level));
      c.lineTo(MARGIN.left + w, y(level));
    });
  }
  for (const line of lines) if (line.band && lines.length < 4) fill(c, line, x, y, h.side(line.index));
  for (const line of lines) {
    stroke(c, h.paper, 4, [], () => path(c, line, x, y));
    stroke(c, h.side(line.index), 2, DASHES[line.index % DASHES.length], () => path(c, line, x, y));
  }
  c.restore();
  for (const line of lines) mark(c, line, x, y, MARGIN.top, MARGIN.top + tall, h);
  ends(c, lines, x, y, MARGIN.top, MARGIN.top + tall, h);
}

function path(c, line, x, y) {
  const stride = Math.max(1, Math.floor(line.rows / 1500));
  let open = false;
  for (let row = 0; row < line.rows; row += stride) {
    const value = line.value(row);
    if (Number.isFinite(value) && open) c.lineTo(x(line.round(row)), y(value));
    else if (Number.isFinite(value)) c.moveTo(x(line.round(row)), y(value));
    open = Number.isFinite(value);
  }
}

function stroke(c, color, width, dash, draw) {
  c.strokeStyle = color;
  c.lineWidth = width;
  c.setLineDash(dash);
  c.beginPath();
  draw();
  c.stroke();
  c.setLineDash([]);
}

function fill(c, { band, rows, round }, x, y, color) {
  const stride = Math.max(1, Math.floor(rows / 1500));
  c.fillStyle = color;
  c.globalAlpha = 0.12;
  c.beginPath();
  for (let row = 0; row < rows; row += stride) c.lineTo(x(round(row)), y(band[row * 3]));
  for (let row = rows - 1; row >= 0; row -= stride) c.lineTo(x(round(row)), y(band[row * 3 + 2]));
  c.fill();
  c.globalAlpha = 1;
}

// Where a side is: the last logged round up to its own, as a dot on its curve.
function mark(c, line, x, y, top, bottom, h) {
  const value = line.at(line.shown), logged = line.logged(line.shown);
  if (!Number.isFinite(value)) return;
  c.fillStyle = h.paper;
  c.strokeStyle = h.side(line.index);
  c.lineWidth = 2;
  c.beginPath();
  c.arc(x(logged), Math.max(top, Math.min(bottom, y(value))), 4, 0, 7);
  c.fill();
  c.stroke();
}

// Letters beside the ends of the lines, moved apart where they would cover one another.
function ends(c, lines, x, y, top, bottom, h) {
  const placed = lines
    .map((line) => ({ index: line.index, x: x(line.round(line.rows - 1)), y: y(line.at(Infinity)) }))
    .filter((end) => Number.isFinite(end.y))
    .sort((a, b) => a.y - b.y);
  let floor = top;
  for (const end of placed) {
    end.y = Math.max(floor, Math.min(bottom - 2, end.y));
    floor = end.y + LETTER - 3;
  }
  c.font = "600 12px system-ui, sans-serif";
  c.textAlign = "left";
  c.textBaseline = "middle";
  for (const end of placed) {
    c.fillStyle = h.side(end.index);
    c.fillText(letter(end.index), end.x + 7, end.y);
  }
}

function axes(c, { x, y, low, high, last, w, logarithmic, name }, width, height, h) {
  c.font = "12px system-ui, sans-serif";
  c.strokeStyle = h.rule;
  c.fillStyle = h.soft;
  c.lineWidth = 1;
  c.textAlign = "right";
  c.textBaseline = "middle";
  c.textAlign = "left";
  c.textBaseline = "alphabetic";
  c.fillText(name, 0, 11);
  c.textAlign = "right";
  c.textBaseline = "middle";
  const ys = steps(low, high, 4);
  for (const value of ys) {
    c.beginPath();
    c.moveTo(MARGIN.left, Math.round(y(value)) + 0.5);
    c.lineTo(MARGIN.left + w, Math.round(y(value)) + 0.5);
    c.stroke();
    c.fillText(short(value, ys.length > 1 ? ys[1] - ys[0] : 1), MARGIN.left - 6, y(value));
  }
  c.textBaseline = "alphabetic";
  c.fillText(text("axis-round"), MARGIN.left - 6, height - 7);
  const powers = Array.from({ length: 10 }, (_, k) => 10 ** k).filter((round) => round <= last);
  for (const round of logarithmic ? [0, ...powers] : roundSteps(last, Math.max(2, w / 110))) {
    c.textAlign = round === 0 ? "left" : x(round) > width - 40 ? "right" : "center";
    c.fillText(round.toLocaleString("en-US"), x(round), height - 7);
  }
}

function limits(lines) {
  const sets = lines.map((line) => {
    const stride = Math.max(1, Math.floor(line.rows / MAX_SAMPLED));
    return Array.from({ length: Math.ceil(line.rows / stride) }, (_, k) => line.value(k * stride)).filter(Number.isFinite);
  });
  return limitsOf(sets, sets.flat(), lines.map((line) => line.level));
}

// Small pictures are magnified by whole numbers, so that every pixel is as large as the next.
function scaleOf(image, width, height) {
  const scale = Math.min(width / image.width, height / image.height);
  return scale > 1 && image.width < SMALL ? Math.max(1, Math.floor(scale)) : scale;
}

export function paintPicture(canvas, image) {
  const scale = scaleOf(image, canvas.parentElement.clientWidth, 260);
  const { context } = prepare(canvas, Math.round(image.height * scale));
  context.imageSmoothingEnabled = image.width >= SMALL || scale < 1;
  context.drawImage(image, 0, 0, image.width * scale, image.height * scale);
}

// Left of the split the first picture, right of it the second; the split follows the pointer.
export function paintSplit(canvas, slider, before, after, [a, b], split, move) {
  if (!before || !after) return;
  const room = canvas.parentElement.clientWidth, scale = scaleOf(before, room, 420), h = hues();
  const [w, tall] = [before.width * scale, before.height * scale], at = (w * split) / 100;
  const { context: c } = prepare(canvas, Math.round(tall));
  slider.style.maxWidth = `${w}px`;
  c.imageSmoothingEnabled = before.width >= SMALL || scale < 1;
  c.drawImage(after, 0, 0, w, tall);
  c.save();
  c.beginPath();
  c.rect(0, 0, at, tall);
  c.clip();
  c.fillStyle = h.paper;
  c.fillRect(0, 0, w, tall);
  c.drawImage(before, 0, 0, w, tall);
  c.restore();
  c.fillStyle = h.paper;
  c.fillRect(at - 3, 0, 6, tall);
  c.fillStyle = h.ink;
  c.fillRect(at - 1, 0, 2, tall);
  badge(c, letter(a), 6, h, h.side(a));
  badge(c, letter(b), w - 24, h, h.side(b));
  canvas.style.cursor = "ew-resize";
  canvas.onpointerdown = canvas.onpointermove = (event) => {
    if (!(event.buttons & 1)) return;
    if (event.type === "pointerdown") canvas.setPointerCapture(event.pointerId);
    move(Math.round(Math.max(0, Math.min(100, (100 * (event.clientX - canvas.getBoundingClientRect().left)) / w))));
  };
}

function badge(c, name, left, h, color) {
  c.fillStyle = color;
  c.fillRect(left, 6, 18, 18);
  c.fillStyle = h.paper;
  c.font = "600 12px system-ui, sans-serif";
  c.textAlign = "center";
  c.textBaseline = "middle";
  c.fillText(name, left + 9, 16);
}
