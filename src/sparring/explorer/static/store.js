// What a page shows at this moment: run, member, round, view. Everything on the page that draws follows it, and so does
// the address. Curves are read on from where the last reading ended.

const KEYS = ["run", "member", "round", "view"];
const LIVE_MS = 1000, QUIET_MS = 5000;
const listeners = new Set();

export const store = {
  run: null, // the run's key
  member: 0, // index of the chosen member
  round: null, // null follows the newest
  view: "live",
  texts: {},
  facts: null, // of the last frame: seeds, status, bounds, ...
  rounds: new Growing(1),
  curves: {}, // name -> Growing of width P
  version: 0, // changes when curves do
  problem: null,
};

// Numbers that are appended to, in rows of `width`.
export function Growing(width) {
  this.width = width;
  this.length = 0; // rows
  this.values = new Float64Array(64 * width);
}
Growing.prototype.append = function (more) {
  const needed = this.length * this.width + more.length;
  if (needed > this.values.length) {
    const larger = new Float64Array(Math.max(needed, 2 * this.values.length));
    larger.set(this.values.subarray(0, this.length * this.width));
    this.values = larger;
  }
  this.values.set(more, this.length * this.width);
  this.length = needed / this.width;
};
Growing.prototype.at = function (row, column = 0) {
  return this.values[row * this.width + column];
};

export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function notify() {
  for (const listener of listeners) listener(store);
}

export function text(key, values = {}) {
  return Object.entries(values).reduce((t, [k, v]) => t.replaceAll(`{${k}}`, v), store.texts[key] ?? key);
}

// Change part of the state; the address says it too.
export function set(changes) {
  if (Object.entries(changes).every(([key, value]) => store[key] === value)) return;
  Object.assign(store, changes);
  remember();
  notify();
}

let remembering = 0;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    const query = new URLSearchParams(location.search);
    const seed = store.facts?.seeds[store.member];
    const values = { run: store.run, member: seed, round: store.round, view: store.view === "live" ? null : store.view };
    for (const key of KEYS) {
      if (values[key] === null || values[key] === undefined) query.delete(key);
      else query.set(key, values[key]);
    }
    history.replaceState(null, "", `${location.pathname}?${query}`);
  }, 150);
}

// The round that is shown: the newest, unless one was chosen.
export function shownRound() {
  return Math.min(store.round ?? Infinity, store.facts?.round ?? 0);
}

// Index of the last logged row up to a round; -1 before the first.
export function rowAt(round) {
  let low = 0, high = store.rounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (store.rounds.at(middle) <= round) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function readFrame(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const start = Math.ceil((length + 4) / 8) * 8;
  const types = { float32: Float32Array, float64: Float64Array, uint8: Uint8Array };
  const arrays = {};
  for (const each of facts.arrays) {
    const count = each.shape.reduce((a, b) => a * b, 1);
    arrays[each.name] = { shape: each.shape, values: new types[each.type](buffer, start + each.offset, count) };
  }
  return { facts, arrays };
}

// A frame of the binary route; null where there is none, with the reason in `store.problem`.
export async function fetchFrame(path, query) {
  try {
    const answer = await fetch(`/data/${path}?${new URLSearchParams(query)}`);
    if (!answer.ok) {
      const said = await answer.json().catch(() => ({}));
      store.problem = said.problem ?? `${answer.status}`;
      return null;
    }
    store.problem = null;
    return readFrame(await answer.arrayBuffer());
  } catch {
    store.problem = text("connection-lost");
    return null;
  }
}

async function readOn() {
  const known = store.facts ?? { generation: -1 };
  const before = store.problem;
  const answer = await fetchFrame("curves", { run: store.run, since: store.rounds.length, generation: known.generation });
  if (answer === null) {
    if (store.problem !== before) notify();
    return;
  }
  const { facts, arrays } = answer;
  const isNew = store.facts === null;
  if (facts.since !== store.rounds.length || isNew) {
    store.rounds = new Growing(1);
    store.curves = {};
    for (const name of Object.keys(arrays)) if (name !== "rounds") store.curves[name] = new Growing(facts.seeds.length);
  }
  const changed = isNew || arrays.rounds.values.length > 0 || JSON.stringify({ ...facts, since: 0, arrays: 0 }) !== store.said;
  store.rounds.append(arrays.rounds.values);
  for (const name of Object.keys(store.curves)) store.curves[name].append(arrays[name].values);
  store.said = JSON.stringify({ ...facts, since: 0, arrays: 0 });
  store.facts = facts;
  if (isNew) choose(new URLSearchParams(location.search));
  if (changed || before !== store.problem) {
    store.version += 1;
    notify();
  }
}

function choose(query) {
  const member = store.facts.seeds.indexOf(Number(query.get("member") ?? NaN));
  if (member >= 0) store.member = member;
  const round = Number(query.get("round") ?? NaN);
  if (Number.isFinite(round) && round >= 0) store.round = round;
}

let reading = false;
export async function begin(run, texts, view) {
  Object.assign(store, { run, texts, view });
  if (reading || !run) return;
  reading = true;
  for (;;) {
    if (!document.hidden || store.facts === null) await readOn();
    const live = store.facts === null || store.facts.status === "training";
    await new Promise((resume) => setTimeout(resume, live ? LIVE_MS : QUIET_MS));
  }
}
