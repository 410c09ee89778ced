// The offline page: a generator in onnxruntime-web, and what steers it. `ort` is the global of the script before this.
const $ = (selector) => document.querySelector(selector);
const data = JSON.parse($("#data").textContent);
const { facts, words, directions } = data;
const [channels, height, width] = facts.shape.length === 3 ? facts.shape : [1, 1, facts.shape[0]];
const isImage = facts.shape.length === 3, isPoint = !isImage && width === 2;
const outputs = channels * height * width, size = facts.size, TILES = 24, CELLS = 7, LISTED = 16;

// ---- Numbers that lie in the page.

// A sign holds 15 bits; the first one says how many bytes of what is read are none.
function bytes(text) {
  const FIRST = 0x3400, made = new Uint8Array(Math.floor(((text.length - 1) * 15) / 8) - text.charCodeAt(0) + FIRST);
  for (let at = 0, next = 1, taken = 0, bits = 0; at < made.length; at++) {
    if (bits < 8) {
      taken = ((taken & 255) << 15) | (text.charCodeAt(next++) - FIRST);
      bits += 15;
    }
    bits -= 8;
    made[at] = taken >> bits;
  }
  return made;
}
const floats = (text) => new Float32Array(bytes(text).buffer);
async function unpacked(element) {
  const stream = new Blob([bytes($(element).textContent.trim())]).stream().pipeThrough(new DecompressionStream("gzip"));
  $(element).remove();
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
// Bytes 0, 4, 8, ... come first, then 1, 5, 9, ...: exponents lie together and compress well.
function unshuffled(planes) {
  const made = new Uint8Array(planes.length), rows = planes.length / 4;
  for (let plane = 0; plane < 4; plane++) for (let k = 0; k < rows; k++) made[4 * k + plane] = planes[plane * rows + k];
  return made;
}

const latents = floats(data.latents), expected = floats(data.expected);
const known = latents.length / size;
const vectors = directions.map((each) => floats(each.vector));

// ---- The generator. One call at a time: a session cannot do two at once.

let session, turn = Promise.resolve();
function generate(rows, classes) {
  const z = new Float32Array(rows.length * size);
  rows.forEach((row, k) => z.set(row, k * size));
  const feeds = { z: new ort.Tensor("float32", z, [rows.length, size]) };
  if (facts.classes) feeds.classes = new ort.Tensor("int64", BigInt64Array.from(classes, BigInt), [rows.length]);
  const made = turn.then(() => session.run(feeds)).then((found) => found.examples.data);
  turn = made.catch(() => {});
  return made;
}
const example = (made, k) => made.subarray(k * outputs, (k + 1) * outputs);
// Examples are in the units of their data; drawn, and compared with PyTorch's, in standard deviations from the mean.
const { center: means, sd: sds } = facts.scale ?? { center: [0], sd: [1] }, of = (each, k) => each[k % each.length];
const scaled = (made) => made.map((v, k) => (v - of(means, k)) / of(sds, k)), drawable = (...asked) => generate(...asked).then(scaled);
const digits = (sd) => Math.min(20, Math.max(0, 2 - Math.floor(Math.log10(sd)))), said = (v, k) => `${facts.columns[k] ?? ""} ${v.toFixed(digits(of(sds, k)))}`.trim();

// ---- Latent vectors.

const center = new Float32Array(size), shrinks = new Float32Array(size);
{
  let at = 0;
  for (const part of facts.latent) {
    for (const end = at + part.size; at < end; at++) {
      center[at] = part.law === "uniform" ? (part.low + part.high) / 2 : part.law === "constant" ? part.value : 0;
      shrinks[at] = part.law === "normal" || part.law === "uniform" ? 1 : 0;
    }
  }
}
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
const LAWS = {
  normal, signs: () => (Math.random() < 0.5 ? -1 : 1),
  uniform: (part) => part.low + (part.high - part.low) * Math.random(), constant: (part) => part.value,
};
function oneHot({ size: count, shares }) {
  let left = Math.random(), chosen = 0;
  while (chosen < count - 1 && (left -= shares[chosen]) >= 0) chosen++;
  return Array.from({ length: count }, (_, k) => Number(k === chosen));
}
function drawn() {
  const part = (p) => (p.law === "one-hot" ? oneHot(p) : Array.from({ length: p.size }, () => LAWS[p.law](p)));
  return Float32Array.from(facts.latent.flatMap(part));
}
const stored = (k) => latents.slice(k * size, (k + 1) * size);
const state = { base: stored(0), number: 0, offsets: new Float64Array(directions.length), psi: 1, class: 0 };
function vector(base, offsets) {
  const z = Float32Array.from(base, (value, k) => center[k] + (shrinks[k] ? state.psi : 1) * (value - center[k]));
  offsets.forEach((offset, d) => { if (offset) for (let k = 0; k < size; k++) z[k] += offset * vectors[d][k]; });
  return z;
}
const withOffsets = (changes) => vector(state.base, Float64Array.from(state.offsets, (value, d) => changes[d] ?? value));

// ---- Drawing: an image by its pixels, a vector as bars, a point among samples.

const dark = matchMedia("(prefers-color-scheme: dark)");
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
function pixels(values) {
  const made = new ImageData(width, height), area = width * height, at = (c, k) => 255 * values[c * area + k];
  for (let k = 0; k < area; k++) {
    const [r, g, b] = channels === 1 ? [0, 0, 0] : channels === 2 ? [0, 1, -1] : [0, 1, 2];
    made.data.set([at(r, k), at(g, k), b < 0 ? 0 : at(b, k), channels === 4 ? at(3, k) : 255], 4 * k);
  }
  return made;
}
let frame = 1;  // half the side of the square that points are drawn in
const scratch = new OffscreenCanvas(width, height);
function paint(context, values, left, top, w, h, small) {
  if (isImage) {
    scratch.getContext("2d").putImageData(pixels(values), 0, 0);
    context.imageSmoothingEnabled = w < width;
    context.drawImage(scratch, left, top, w, h);
    return;
  }
  context.fillStyle = color("--paper");
  context.fillRect(left, top, w, h);
  context.fillStyle = color("--accent");
  if (isPoint) {
    context.save();
    context.beginPath();
    context.rect(left, top, w, h);
    context.clip();
    const place = (x, y) => [left + w / 2 + (x / frame) * w / 2, top + h / 2 - (y / frame) * h / 2];
    const dot = (x, y, radius) => { context.beginPath(); context.arc(...place(x, y), radius, 0, 7); context.fill(); };
    if (!small) {
      lattice(context, place);
      context.globalAlpha = 0.5;
      for (let k = 0; k < state.cloud.length; k += 2) dot(state.cloud[k], state.cloud[k + 1], 4);
      context.globalAlpha = 1;
    }
    dot(values[0], values[1], small ? Math.max(2, w / 12) : 9);
    context.restore();
    return;
  }
  const low = Math.min(0, ...values), high = Math.max(1, ...values), level = (v) => top + h * (0.95 - 0.9 * (v - low) / (high - low));
  values.forEach((v, k) => context.fillRect(left + w * (k + 0.15) / width, Math.min(level(v), level(0)), 0.7 * w / width, Math.max(1, Math.abs(level(v) - level(0)))));
}
// What the generator makes of the plane's rows and columns: a grid, bent as the generator bends it.
function lattice(context, place) {
  if (!state.plane) return;
  context.strokeStyle = color("--rule");
  context.lineWidth = 1.5;
  const line = (k) => {
    context.beginPath();
    for (let at = 0; at < CELLS; at++) context.lineTo(...place(...state.plane.subarray(2 * k(at), 2 * k(at) + 2)));
    context.stroke();
  };
  for (let one = 0; one < CELLS; one++) { line((at) => one * CELLS + at); line((at) => at * CELLS + one); }
}
const sharp = isImage && Math.max(width, height) <= 64;
function sized(canvas, aim) {
  const scale = isImage ? Math.max(1, Math.round(aim / width)) : aim / width;
  canvas.width = isImage ? width * scale : aim;
  canvas.height = isImage ? height * scale : isPoint ? aim : aim * 0.75;
  canvas.classList.toggle("pixels", sharp);
}
function show(canvas, values, aim, small) {
  sized(canvas, aim);
  paint(canvas.getContext("2d"), values, 0, 0, canvas.width, canvas.height, small);
}

// ---- What is on the page. Each is drawn again when what it depends on has changed, at most once at a time.

function redrawer(work) {
  let busy = false, again = false;
  return async function redraw() {
    if (busy) { again = true; return; }
    busy = true;
    do { again = false; await work(); } while (again);
    busy = false;
  };
}
const drawImage = redrawer(async () => {
  const made = await generate([vector(state.base, state.offsets)], [state.class]);
  show($("#image"), scaled(made), 560);
  if (!isImage && width <= LISTED) $("#numbers").textContent = Array.from(made, said).join("; ");
});
const drawPlane = redrawer(async () => {
  if (directions.length < 2) return;
  const steps = Array.from({ length: CELLS }, (_, k) => 2 * (k + 0.5) / CELLS - 1), rows = [];
  for (const y of steps) for (const x of steps) rows.push(withOffsets({ 0: x * directions[0].reach, 1: -y * directions[1].reach }));
  const made = await drawable(rows, rows.map(() => state.class)), canvas = $("#plane canvas");
  if (isPoint) { state.plane = made; drawImage(); }
  const cell = isImage ? Math.ceil(96 / width) * width + Math.ceil(4 / CELLS) : 96;
  canvas.width = cell * CELLS;
  canvas.height = (isImage ? Math.round(cell * height / width) : cell) * CELLS;
  canvas.classList.toggle("pixels", sharp);
  const tall = canvas.height / CELLS, context = canvas.getContext("2d"), gap = Math.ceil(cell / 24);
  context.fillStyle = color("--rule");
  context.fillRect(0, 0, canvas.width, canvas.height);
  rows.forEach((_, k) => {
    const [left, top] = [(k % CELLS) * cell, Math.floor(k / CELLS) * tall];
    paint(context, example(made, k), left + gap / 2, top + gap / 2, cell - gap, tall - gap, true);
  });
});
const drawEnds = redrawer(async () => {
  if (!directions.length) return;
  const rows = directions.flatMap((each, d) => [-1, 1].map((side) => withOffsets({ [d]: side * each.reach })));
  const made = await drawable(rows, rows.map(() => state.class));
  document.querySelectorAll("#directions canvas").forEach((canvas, k) => show(canvas, example(made, k), 84, true));
});
const drawGallery = redrawer(async () => {
  const rows = Array.from({ length: Math.min(TILES, known) }, (_, k) => vector(stored(k), []));
  const made = await drawable(rows, rows.map(() => state.class));
  document.querySelectorAll(".tiles canvas").forEach((canvas, k) => show(canvas, example(made, k), 84, true));
});

// ---- Words.

let language = "en";
const filled = (key, values = {}) => words[language][key].replace(/{(\w+)}/g, (_, name) => values[name] ?? "");
const named = (name) => (language === "zh" ? words.zh_names[name] ?? name : name);
const nameOf = (d) => (directions[d].name ? named(directions[d].name[1]) : filled("direction", { number: d + 1 }));
const titleOf = (d) => directions[d].name?.map(named).join(" – ") ?? nameOf(d);
const text = (selector, key, values) => { $(selector).textContent = filled(key, values); };
function caption() {
  const moved = state.offsets.some(Boolean) ? `, ${filled("moved")}` : "";
  $("#which").textContent = (state.number === null ? filled("random") : filled("sample", { number: state.number })) + moved;
}
function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  document.querySelectorAll("[data-language]").forEach((b) => b.setAttribute("aria-pressed", b.dataset.language === chosen));
  const what = filled(isImage ? "image" : isPoint ? "point" : "vector", { width, height, count: width });
  $("h1").textContent = `${facts.name}`;
  text("#lead", "lead", { numbers: filled(size === 1 ? "one" : "many", { size }), what });
  for (const id of ["draw", "reset", "save"]) text(`#${id}`, id);
  text("#classes legend", "classes");
  for (const id of ["directions", "truncation", "gallery"]) {
    text(`#${id} h2`, id);
    text(`#${id} .soft`, `${id}_of`);
  }
  $("#truncation input").setAttribute("aria-label", filled("truncation"));
  text("#about h2", "about");
  document.querySelectorAll("#directions b").forEach((each, d) => { each.textContent = titleOf(d); });
  if (directions.length > 1) text("#axes", "axes", { x: nameOf(0), y: nameOf(1) });
  $("#plane").setAttribute("aria-label", filled("plane"));
  caption();
  report();
}
function figures() {
  const { own, independent, of, metric, judge, at, round } = data.measured, many = (number) => number.toLocaleString("en");
  return [
    independent ? filled("independent") : "",
    own ? "" : filled(round === facts.round ? "unmeasured" : "elsewhere", { at: many(round ?? 0), round: many(facts.round), seed: facts.seed }),
    of < 2 ? "" : filled(judge ? "chosen" : "chosen_directly", { seed: facts.seed, of: many(of), judge, metric: metric[language], at: many(at) }),
  ];
}
function report() {
  const cell = (kind, value) => Object.assign(document.createElement(kind), { textContent: value });
  $("#about thead tr").replaceChildren(...["metric", "real", "here", "mean", "n"].map((key) => cell("th", filled(key))));
  $("#about tbody").replaceChildren(...data.metrics.map((row) => {
    const made = document.createElement("tr");
    made.append(cell("th", row.name[language]), ...[row.real, row.here, row.mean, row.n].map((value) => cell("td", value)));
    return made;
  }));
  $("#about .table").hidden = !data.metrics.length;
  const lines = [
    filled("from", { seed: facts.seed, seeds: data.seeds, diverged: data.diverged, round: facts.round.toLocaleString("en") }),
    ...figures(),
    filled("diagnosis", { verdict: data.verdict[language] }),
    state.difference === undefined ? "" : filled("exact", { count: expected.length / outputs, difference: state.difference.toExponential(1), level: isImage ? filled("level") : facts.scale ? filled("scaled") : "" }),
    data.bits ? filled("rounded", { bits: data.bits }) : "",
    filled("data", { data: named(data.data), source: named(data.source), license: named(data.license) }),
  ];
  $("#facts").replaceChildren(...lines.filter(Boolean).map((line) => cell("p", line)));
  if (state.seconds) text("footer", "footer", { made_by: facts.made_by, recipe: facts.recipe, seconds: state.seconds.toFixed(1) });
}

// ---- Controls.

function offset(d, value) {
  state.offsets[d] = value;
  document.querySelectorAll("#directions input")[d].value = value;
  if (d < 2 && directions.length > 1) {
    const part = (k) => 50 + 50 * Math.max(-1, Math.min(1, state.offsets[k] / directions[k].reach));
    $("#plane i").style.left = `${part(0)}%`;
    $("#plane i").style.top = `${100 - part(1)}%`;
  }
}
function everything() { caption(); drawImage(); drawPlane(); drawEnds(); }
function start(base, number) {
  Object.assign(state, { base, number });
  directions.forEach((_, d) => offset(d, 0));
  document.querySelectorAll(".tiles button").forEach((b, k) => b.setAttribute("aria-pressed", k === number));
  everything();
}
function build() {
  const list = $("#directions ol");
  directions.forEach((each, d) => {
    const item = document.createElement("li");
    item.innerHTML = `<label><span><b></b><small></small></span><canvas aria-hidden="true"></canvas><input type="range" step="any"><canvas aria-hidden="true"></canvas></label>`;
    item.querySelector("small").textContent = each.share === null ? "" : words.en.share.replace("{share}", Math.round(100 * each.share));
    const input = item.querySelector("input");
    Object.assign(input, { min: -each.reach, max: each.reach, value: 0 });
    input.addEventListener("input", () => { offset(d, Number(input.value)); caption(); drawImage(); });
    input.addEventListener("change", () => { drawPlane(); drawEnds(); });
    list.append(item);
  });
  $("#directions").hidden = !directions.length;
  $("#map").hidden = directions.length < 2;
  $(".views").classList.toggle("alone", directions.length < 2);
  for (let k = 0; k < Math.min(TILES, known); k++) {
    const tile = Object.assign(document.createElement("button"), { type: "button" });
    tile.setAttribute("aria-label", String(k));
    tile.append(document.createElement("canvas"));
    tile.addEventListener("click", () => start(stored(k), k));
    $(".tiles").append(tile);
  }
  for (let k = 0; k < facts.classes; k++) {
    const chip = Object.assign(document.createElement("button"), { type: "button", textContent: facts.class_names[k] ?? k });
    chip.addEventListener("click", () => choose(k));
    $(".chips").append(chip);
  }
  $("#classes").hidden = !facts.classes;
  $("#truncation").hidden = !shrinks.some(Boolean);
  $("#draw").hidden = !facts.latent.length || facts.latent.every((part) => part.law === "constant");
  $("#gallery").hidden = !data.varied;
  document.querySelectorAll("[data-language]").forEach((b) => b.addEventListener("click", () => speak(b.dataset.language)));
  $("#draw").addEventListener("click", () => start(drawn(), null));
  $("#reset").addEventListener("click", () => { psi(1); start(state.base, state.number); drawGallery(); });
  $("#save").addEventListener("click", save);
  const input = $("#truncation input");
  input.addEventListener("input", () => { psi(Number(input.value)); drawImage(); });
  input.addEventListener("change", () => { drawPlane(); drawEnds(); drawGallery(); });
  dark.addEventListener("change", () => { everything(); drawGallery(); });
  steer($("#plane"));
}
function psi(value) {
  state.psi = value;
  $("#truncation input").value = value;
  $("#truncation output").textContent = `ψ ${value.toFixed(2)}`;
}
function choose(k) {
  state.class = k;
  document.querySelectorAll(".chips button").forEach((b, c) => b.setAttribute("aria-pressed", c === k));
  everything();
  drawGallery();
}
function steer(plane) {
  const moved = (x, y) => {
    offset(0, Math.max(-1, Math.min(1, x)) * directions[0].reach);
    offset(1, Math.max(-1, Math.min(1, y)) * directions[1].reach);
    caption();
    drawImage();
  };
  const at = (event) => {
    const box = plane.getBoundingClientRect();
    moved(2 * (event.clientX - box.left) / box.width - 1, 1 - 2 * (event.clientY - box.top) / box.height);
  };
  plane.addEventListener("pointerdown", (event) => { plane.setPointerCapture(event.pointerId); at(event); });
  plane.addEventListener("pointermove", (event) => { if (plane.hasPointerCapture(event.pointerId)) at(event); });
  plane.addEventListener("pointerup", () => drawEnds());
  plane.addEventListener("keydown", (event) => {
    const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
    if (x === undefined) return;
    event.preventDefault();
    moved(state.offsets[0] / directions[0].reach + x / 10, state.offsets[1] / directions[1].reach + y / 10);
    drawEnds();
  });
}
function save() {
  const link = document.createElement("a");
  link.href = $("#image").toDataURL("image/png");
  link.download = `${facts.name}-seed${facts.seed}-${state.number ?? "random"}.png`;
  link.click();
}

// ---- Begin.

async function main() {
  build();
  psi(1);
  speak((navigator.language || "en").startsWith("zh") ? "zh" : "en");
  text("#which", "starting");
  try {
    const [wasm, model] = await Promise.all([unpacked("#wasm"), unpacked("#model")]);
    Object.assign(ort.env.wasm, { wasmBinary: wasm.buffer, numThreads: 1, proxy: false });
    session = await ort.InferenceSession.create(unshuffled(model).subarray(0, data.length), { executionProviders: ["wasm"] });
    const count = expected.length / outputs, first = Array.from({ length: count }, (_, k) => stored(k));
    const made = await drawable(first, first.map((_, k) => k % (facts.classes || 1)));
    state.difference = made.reduce((worst, value, k) => Math.max(worst, Math.abs(value - expected[k])), 0);
    if (isPoint) {
      state.cloud = await drawable(Array.from({ length: known }, (_, k) => stored(k)), Array(known).fill(0));
      frame = 1.15 * state.cloud.reduce((worst, value) => Math.max(worst, Math.abs(value)), 0) || 1;
    }
    choose(0);
    start(stored(0), 0);
    await turn;
    state.seconds = performance.now() / 1000;
    report();
    $("main").setAttribute("aria-busy", "false");
    globalThis.generator = { generate, facts, latents, state };  // for the console, and for whoever checks this page
  } catch (error) {
    $("#which").classList.add("failed");
    text("#which", "failed", { why: error.message ?? error });
    throw error;
  }
}
main();
