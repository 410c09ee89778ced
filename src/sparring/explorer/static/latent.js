// What the latent page shows: a place in a member's latent space. The address holds it; everything on the page is read
// for it again, at most one example and one panel at a time, so that dragging never queues.

import { fetchFrame, store } from "/static/store.js";

const QUIET_MS = 120, REMEMBER_MS = 200;
export const DEFAULTS = {
  member: null, round: null, plane: "seeds", a: 0, b: 1, first: 1, second: 2, x: 1, y: 0, dims: "", psi: 1, cls: "",
  shown: null, sum: "a - b + c", zs: "0,1,2", near: "",
};
const NUMBERS = ["a", "b", "first", "second", "x", "y", "psi"];
const PLACE = ["member", "round", "plane", "a", "b", "first", "second", "dims", "psi", "cls"];
// Panel -> what of the place it depends on.
const PANELS = {
  overview: PLACE,
  members: [...PLACE, "x", "y"],
  strip: [...PLACE, "y"],
  influence: ["member", "round", "shown"],
  sum: ["member", "round", "psi", "dims", "cls", "sum", "zs"],
  nearest: [...PLACE, "x", "y", "near"],
};

const listeners = new Map(); // listener -> what it draws: the place, the example, a panel
export const latent = {
  run: null, facts: null, place: { ...DEFAULTS }, example: null, panels: {}, problem: null, read: "",
  examples: 0, // how many have come since the page was opened
};

export function listenLatent(listener, ...topics) {
  listeners.set(listener, topics);
  return () => listeners.delete(listener);
}
function notify(topic) {
  for (const [listener, topics] of listeners) if (topic === "facts" || topics.includes(topic)) listener();
}

export function query(more = {}) {
  const { member, round, shown, near, ...rest } = latent.place;
  const asked = { run: latent.run, ...rest, shown: shownDims().join(","), read: latent.read, ...more };
  if (member !== null) asked.member = member;
  if (round !== null) asked.round = round;
  return asked;
}
// Whether the generator makes images, (C, H, W).
export function hasImages() {
  return latent.facts?.shape.length === 3;
}
export const MAX_SHOWN = 12;
// Dimensions with a slider.
export function shownDims() {
  return askedDims().slice(0, MAX_SHOWN);
}
// Whether all that is asked for has a slider.
export function showsAll() {
  return askedDims().length <= MAX_SHOWN && typedDims().every(isDim);
}
function askedDims() {
  return [...new Set([...typedDims().filter(isDim).map(Number), ...settings().keys()])];
}
function typedDims() {
  const text = latent.place.shown ?? latent.facts?.dims.join(",") ?? "";
  return text.split(",").map((part) => part.trim()).filter(Boolean);
}
function isDim(part) {
  return /^\d+$/.test(part) && Number(part) >= 1 && Number(part) <= (latent.facts?.size ?? 0);
}
// Dimensions that are set: dim -> value.
export function settings() {
  return new Map(latent.place.dims.split(",").filter(Boolean).map((part) => part.split(":").map(Number)));
}
export function setDim(dim, value) {
  const { plane, first, second } = latent.place, { low, high } = latent.facts, all = settings();
  const axis = plane === "dims" && value !== null && { [second]: "y", [first]: "x" }[dim];
  if (axis) return change({ [axis]: (2 * value - high - low) / (high - low) });
  if (value === null) all.delete(dim);
  else all.set(dim, value);
  change({ dims: [...all].map(([d, v]) => `${d}:${+v.toFixed(3)}`).join(",") });
}

// A dimension that lies along the plane is moved there, and set nowhere else.
function released() {
  const { plane, first, second, dims } = latent.place;
  if (plane !== "dims") return dims;
  return dims.split(",").filter((part) => ![first, second].includes(Number(part.split(":")[0]))).join(",");
}

export function change(changes) {
  for (const name of ["x", "y"]) if (name in changes) changes[name] = +Math.max(-1.25, Math.min(1.25, changes[name])).toFixed(4);
  Object.assign(latent.place, changes);
  latent.place.dims = released();
  remember();
  readExample();
  readPanels();
  notify("place");
}

let remembering = 0;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => history.replaceState(null, "", `${location.pathname}?${new URLSearchParams(kept())}`), REMEMBER_MS);
}
// The address: the run, and what is not as it is by default.
function kept() {
  const entries = Object.entries(latent.place).filter(([key, value]) => value !== DEFAULTS[key] && value !== null);
  return { run: latent.run, ...Object.fromEntries(entries) };
}
export const address = () => `${location.origin}${location.pathname}?${new URLSearchParams(kept())}`;

export async function begin(run, texts) {
  Object.assign(store, { texts });
  latent.run = run;
  const asked = new URLSearchParams(location.search);
  for (const [key, value] of asked) {
    if (!(key in DEFAULTS)) continue;
    const number = NUMBERS.includes(key) || key === "member" || key === "round";
    if (!number || Number.isFinite(Number(value))) latent.place[key] = number ? Number(value) : value;
  }
  await about();
}
// What there is to choose from; asked again when directions were found.
export async function about() {
  const answer = await fetchFrame("latent", query({ part: "about" }));
  if (answer === null) return problem(store.problem);
  if (answer.facts.problem) return problem(answer.facts.problem);
  latent.facts = answer.facts;
  if (latent.place.plane === "directions" && !answer.facts.directions.length) latent.place.plane = "seeds";
  if (latent.place.member === null || !answer.facts.seeds.includes(latent.place.member)) latent.place.member = answer.facts.seeds[0];
  notify("facts");
  readExample();
  readPanels();
}
function problem(text) {
  latent.problem = text;
  notify("facts");
}

let reading = false, again = false;
// Whether what is shown is still that of an earlier place; said to screen readers too.
function markBusy() {
  document.querySelector(".latent")?.setAttribute("aria-busy", String(reading || busy || Boolean(quiet)));
}
export async function readExample() {
  if (!latent.facts) return;
  again = true;
  if (reading) return;
  reading = true;
  markBusy();
  while (again) {
    again = false;
    const answer = await fetchFrame("latent", query());
    latent.problem = answer === null ? store.problem : answer.facts.problem ?? null;
    if (answer && !answer.facts.problem) {
      latent.example = answer;
      latent.examples += 1;
    }
    notify("example");
  }
  reading = false;
  markBusy();
}

const keyOf = (name) => JSON.stringify([latent.read, ...PANELS[name].map((key) => latent.place[key]), name === "influence" && shownDims()]);
let busy = false, quiet = 0;
function readPanels() {
  clearTimeout(quiet);
  quiet = setTimeout(readStale, busy ? QUIET_MS : 0);
  markBusy();
}
async function readStale() {
  quiet = 0;
  if (busy || !latent.facts) return;
  busy = true;
  for (;;) {
    const name = Object.keys(PANELS).find((each) => wanted(each) && latent.panels[each]?.key !== keyOf(each));
    if (!name) break;
    const key = keyOf(name);
    const answer = await fetchFrame("latent", query({ part: name }));
    latent.panels[name] = { key, ...(answer ?? { facts: { problem: store.problem }, arrays: {} }) };
    notify(name);
  }
  busy = false;
  markBusy();
}
function wanted(name) {
  if (name === "nearest") return latent.place.near === "1" && hasImages();
  return name !== "influence" || shownDims().length > 0;
}
