// What a page shows at this moment: run, member, round, view. Everything on the page that draws follows it, and so does
// the address. Curves are read on from where the last reading ended.

const KEYS = ["run", "member", "round", "view", "with"];
const FAST_MS = 300, LIVE_MS = 1000, QUIET_MS = 5000;
const listeners = new Set();

// What is read of one run, and read on.
export function series(run) {
  return { run, facts: null, rounds: new Growing(1), curves: {}, version: 0, said: "" };
}

export const store = {
  ...series(null),
  member: 0, // index of the chosen member
  round: null, // null follows the newest
  view: "live",
  with: null, // the key of the run that this one is compared with
  other: null, // what is read of it
  reports: [], // of single moves, the newest last
  texts: {},
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

// Change part of the state; the address says it too. Another view is a step of the browser's history.
export function set(changes) {
  if (Object.entries(changes).every(([key, value]) => store[key] === value)) return;
  const turns = "view" in changes && changes.view !== store.view;
  if (turns) write("replaceState"); // what is not written yet belongs to the view before
  Object.assign(store, changes);
  if (turns) write("pushState");
  else remember();
  notify();
}

let remembering = 0;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => write("replaceState"), 150);
}

function write(how) {
  clearTimeout(remembering);
  const query = new URLSearchParams(location.search);
  const seed = store.facts?.seeds[store.member];
  const view = store.view === "live" ? null : store.view;
  const values = { run: store.run, member: seed, round: store.round, view, with: store.with };
  for (const key of KEYS) {
    if (values[key] === null || values[key] === undefined) query.delete(key);
    else query.set(key, values[key]);
  }
  history[how](null, "", `${location.pathname}?${query}`);
}

// Back and on again go through the views; round and member stay as they are now.
function turnBack() {
  store.view = new URLSearchParams(location.search).get("view") ?? "live";
  remember();
  notify();
}

// The round that is shown: the newest, unless one was chosen.
export function shownRound() {
  return Math.min(store.round ?? Infinity, store.facts?.round ?? 0);
}

// Index of the last logged row up to a round; -1 before the first.
export function rowAt(round, of = store) {
  let low = 0, high = of.rounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (of.rounds.at(middle) <= round) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// Whether a process has the run.
export function isLive() {
  return ["training", "paused", "slow"].includes(store.facts?.status);
}

// Whether a process has the run, or is about to: what it has not logged is still to come.
export function isComing() {
  return isLive() || store.facts?.status === "starting";
}

// Whether a member's weights are not finite by a round, or for -1 every member's.
export function hasDiverged(facts, member, round) {
  const has = (index) => (facts.diverged[index] ?? Infinity) <= round;
  return member < 0 ? facts.seeds.every((_, index) => has(index)) : has(member);
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

// Runs whose folders were removed while they were shown; nothing more is asked of them.
const gone = new Set();

// Whoever asked finds out what keeps an answer from coming; the page says it at once.
function sayProblem(problem) {
  if (store.problem === problem) return;
  store.problem = problem;
  notify();
}

// A frame of the binary route; null where there is none, with the reason in `store.problem`.
export async function fetchFrame(path, query) {
  if (gone.has(query.run)) return null;
  try {
    const language = document.documentElement.lang;
    const answer = await fetch(`/data/${path}?${new URLSearchParams({ ...query, language })}`);
    if (!answer.ok) {
      const said = await answer.json().catch(() => ({}));
      sayProblem(said.problem ?? (answer.status === 401 ? text("launched-before") : `${answer.status}`));
      return null;
    }
    const frame = readFrame(await answer.arrayBuffer());
    if (frame.facts.gone) gone.add(query.run);
    sayProblem(gone.size ? text("gone", { run: [...gone].join(", ") }) : null);
    return frame.facts.gone ? null : frame;
  } catch {
    sayProblem(text("connection-lost"));
    return null;
  }
}

// Reads what is new of a run. Returns whether anything is.
export async function readOn(of) {
  const known = of.facts ?? { generation: -1 };
  const answer = await fetchFrame("curves", { run: of.run, since: of.rounds.length, generation: known.generation });
  if (answer === null) return false;
  const { facts, arrays } = answer;
  if (facts.since !== of.rounds.length || of.facts === null) {
    of.rounds = new Growing(1);
    of.curves = {};
    for (const name of Object.keys(arrays)) if (name !== "rounds") of.curves[name] = new Growing(facts.seeds.length);
  }
  const said = JSON.stringify({ ...facts, since: 0, arrays: 0 });
  const changed = of.facts === null || arrays.rounds.values.length > 0 || said !== of.said;
  of.rounds.append(arrays.rounds.values);
  for (const name of Object.keys(of.curves)) of.curves[name].append(arrays[name].values);
  Object.assign(of, { facts, said, version: of.version + Number(changed) });
  return changed;
}

async function readMoves() {
  const since = store.reports.at(-1)?.number ?? 0;
  const answer = await fetchFrame("moves", { run: store.run, since });
  if (!answer?.facts.reports.length) return false;
  store.reports = [...store.reports, ...answer.facts.reports].slice(-100);
  return true;
}

async function readAll() {
  const before = store.problem, isNew = store.facts === null, generation = store.facts?.generation;
  let changed = await readOn(store);
  if (isNew && store.facts !== null) choose(new URLSearchParams(location.search));
  const last = store.facts?.round ?? Infinity, isRewound = !isNew && store.facts?.generation !== generation;
  if (store.round > last || (isRewound && store.round === last)) {
    store.round = null; // what comes after a rewind is followed; a round that was given up is another one later
    remember();
    changed = true;
  }
  if (isLive()) changed = (await readMoves()) || changed;
  if (store.with === null) store.other = null;
  else {
    if (store.other?.run !== store.with) store.other = series(store.with);
    changed = (await readOn(store.other)) || changed;
  }
  if (gone.has(store.run) && store.facts) Object.assign(store, { facts: { ...store.facts, status: "gone" } });
  if (changed || store.problem !== before) notify();
}

function choose(query) {
  const member = store.facts.seeds.indexOf(Number(query.get("member") ?? NaN));
  if (member >= 0) store.member = member;
  const round = Number(query.get("round") ?? NaN);
  if (Number.isFinite(round) && round >= 0) store.round = round;
  store.with = query.get("with");
}

let wake = () => {};
// Read at once, as after a button was pressed.
export function refresh() {
  wake();
}

let reading = false;
export async function begin(run, texts, view) {
  Object.assign(store, { run, texts, view });
  if (reading || !run) return;
  reading = true;
  window.addEventListener("popstate", turnBack);
  for (;;) {
    if (!document.hidden || store.facts === null) await readAll();
    if (gone.has(store.run)) return;
    const status = store.facts?.status ?? "starting";
    const ms = ["paused", "slow"].includes(status) ? FAST_MS : isLive() || status === "starting" ? LIVE_MS : QUIET_MS;
    await new Promise((resume) => {
      wake = resume;
      setTimeout(resume, ms);
    });
  }
}
