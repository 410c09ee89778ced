// Two to eight runs, members or rounds side by side. Each has a letter, and a color and a dash that go with it; what is
// chosen is in the address, so that a link opens the same again.

import { h } from "vue";
import { bandOf, isKnown, movingMean } from "/static/curves.js";
import { bitmaps } from "/static/samples.js";
import { lettered, letter, paintCurves, paintPicture, paintSplit } from "/static/sides_drawing.js";
import { fetchFrame, listen, readOn, series, store, text } from "/static/store.js";

const LIVE_MS = 2000, QUIET_MS = 10000, SAY_MS = 300, MAX_SIDES = 8, MAX_LISTED = 200, KEPT = 60;
const FIGURES = [["d_loss", "losses"], ["g_loss", "losses"], ["d_real", "outputs"], ["d_fake", "outputs"], ["d_gradient", "gradients"], ["g_gradient", "gradients"]];
const AXES = {
  losses: () => text("axis-losses"),
  outputs: (level) => text(level === 0.5 ? "axis-probability" : "axis-outputs"),
  gradients: () => text("axis-gradients"),
};

export default {
  props: { sides: Array, runs: Array, groups: Object, texts: Object, smoothing: Number },
  emits: ["moved"],
  data() {
    const pair = (new URLSearchParams(location.search).get("pair") ?? "").split("-").map(Number);
    const known = pair.length === 2 && pair.every((k) => Number.isInteger(k) && k >= 0 && k < this.sides.length);
    return { shown: this.sides.map((side) => ({ ...side })), pair: known ? pair : [0, 1], split: 50, news: 0 };
  },
  created() {
    store.texts = this.texts;
    this.of = Object.fromEntries(this.sides.map(({ key }) => [key, series(key)]));
    this.canvases = {};
    this.pictures = new Map(); // of a run's round and member; the oldest goes first
    this.smooth = new Map();
  },
  mounted() {
    this.sizes = new ResizeObserver(() => this.wish());
    this.sizes.observe(this.$el);
    this.themes = new MutationObserver(() => this.wish());
    this.themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", this.wish);
    this.stop = listen(() => {
      this.problem = store.problem;
      this.news++;
    });
    this.read();
  },
  unmounted() {
    this.ended = true;
    this.stop();
    clearTimeout(this.timer);
    this.sizes.disconnect();
    this.themes.disconnect();
    this.scheme.removeEventListener("change", this.wish);
  },
  updated() {
    this.wish();
  },
  methods: {
    async read() {
      if (this.reading) return;
      this.reading = true;
      clearTimeout(this.timer);
      let live = false, changed = false;
      for (const each of Object.values(this.of)) {
        if (!document.hidden || each.facts === null) changed = (await readOn(each)) || changed;
        live ||= ["training", "paused", "slow", "starting"].includes(each.facts?.status);
      }
      this.reading = false;
      if (this.ended) return;
      if (changed) this.news++;
      for (const side of this.shown) if (side.round > this.of[side.key].facts?.round) this.change(side, { round: null });
      this.timer = setTimeout(() => this.read(), live ? LIVE_MS : QUIET_MS);
    },
    // What a side shows: of its run, which round and which member.
    round(side) {
      return Math.min(side.round ?? Infinity, this.of[side.key].facts?.round ?? 0);
    },
    member(side) {
      const at = side.seed === null ? -1 : (this.of[side.key].facts?.seeds.indexOf(side.seed) ?? -1);
      return Math.max(0, at);
    },
    address(sides) {
      const query = new URLSearchParams(sides.map((s) => ["of", `${s.key}|${s.seed ?? ""}|${s.round ?? ""}`]));
      if (this.pair.join() !== "0,1") query.set("pair", this.pair.join("-"));
      return `${location.pathname}?${this.spoken(query)}`;
    },
    // The same in the language of this page.
    spoken(query) {
      const language = new URLSearchParams(location.search).get("language");
      if (language) query.set("language", language);
      return query;
    },
    change(side, what) {
      Object.assign(side, what);
      history.replaceState(null, "", this.address(this.shown));
      clearTimeout(this.saying);
      this.saying = setTimeout(() => {
        this.$emit("moved", this.shown.map(({ seed, round }) => ({ seed, round })));
        this.read(); // a run that was removed has nothing for another round, which is said at once
      }, SAY_MS);
    },
    choosePair(end, index) {
      this.pair = end ? [this.pair[0], index] : [index, this.pair[1]];
      history.replaceState(null, "", this.address(this.shown));
    },
    // Of a run that is there already, the next member comes, or without one its beginning.
    add(key) {
      const same = this.shown.filter((side) => side.key === key), seeds = this.of[key]?.facts?.seeds ?? [];
      const free = seeds.find((seed) => same.every((side) => (side.seed ?? seeds[0]) !== seed));
      const more = same.length ? { seed: free ?? null, round: free === undefined ? 0 : null } : { seed: null, round: null };
      location.assign(this.address([...this.shown, { key, ...more }]));
    },
    remove(index) {
      this.pair = [0, 1];
      location.assign(this.address(this.shown.filter((_, k) => k !== index)));
    },

    render_card(side, index) {
      const facts = this.of[side.key].facts, last = facts?.round ?? 0, shown = this.round(side);
      const seeds = facts?.seeds ?? [], some = seeds.slice(0, MAX_LISTED);
      const choices = [["", text("all-seeds")], ...some.map((seed) => [String(seed), text("seed", { seed })])];
      const name = `${letter(index)}: ${side.key}`;
      return h("li", { class: "panel side" }, [
        h("div", { class: "side-name" }, [
          h("b", { class: `letter s${index}` }, letter(index)),
          h("a", { href: `/run?${this.spoken(new URLSearchParams({ run: side.key }))}` }, side.key),
          h("button", { type: "button", class: "icon remove", title: text("remove"), "aria-label": `${text("remove")} ${name}`, onClick: () => this.remove(index) }, "×"),
        ]),
        seeds.length > 1 &&
          h("select", { "aria-label": `${text("member")} ${name}`, value: side.seed === null ? "" : String(side.seed), onChange: (e) => this.change(side, { seed: e.target.value === "" ? null : Number(e.target.value) }) },
            choices.map(([value, label]) => h("option", { value }, label))),
        h("label", { class: "side-round" }, [
          h("input", { type: "range", min: 0, max: last, step: 1, value: shown, "aria-label": `${text("slider")} ${name}`, onInput: (e) => this.change(side, { round: Number(e.target.value) >= last ? null : Number(e.target.value) }) }),
          h("output", shown.toLocaleString("en-US")),
        ]),
      ]);
    },
    render_adder() {
      if (this.shown.length >= MAX_SIDES) return null;
      return h("li", { class: "panel side add" }, [
        h("select", { "aria-label": text("add-side"), value: "", onChange: (e) => e.target.value && this.add(e.target.value) }, [
          h("option", { value: "" }, text("add-side")),
          ...this.runs.map((key) => h("option", { value: key }, key)),
        ]),
      ]);
    },
    figure(name, title, note, more = []) {
      const canvas = h("canvas", { ref: (e) => (this.canvases[name] = e), role: "img", "aria-label": title });
      return h("figure", { class: "panel", key: name }, [
        h("figcaption", [title, note && h("small", note)]),
        h("div", { class: "plot" }, [h("div", { class: "stage" }, [canvas])]),
        ...more,
      ]);
    },
    render_split() {
      const choice = (end) => h("select", { value: this.pair[end], "aria-label": text(end ? "after" : "before"), onChange: (e) => this.choosePair(end, Number(e.target.value)) },
        this.shown.map((side, k) => h("option", { value: k }, this.caption(side, k))));
      const range = h("input", { ref: (e) => (this.slider = e), type: "range", min: 0, max: 100, value: this.split, "aria-label": text("split"), onInput: (e) => (this.split = Number(e.target.value)) });
      const [a, b] = this.pair.map((k) => this.image(this.shown[k]));
      if (a && b) return this.figure("split", text("before-after"), text("split-help"), [h("div", { class: "split" }, [choice(0), range, choice(1)])]);
      const why = [a, b].includes(null) ? "no-samples-yet" : null; // undefined: it is being read
      return h("figure", { class: "panel", key: "no-split" }, [
        h("figcaption", text("before-after")),
        why && h("p", { class: "missing" }, text("no-pictures-of", { sides: this.pair.filter((k) => this.image(this.shown[k]) === null).map(letter).join(", ") })),
        h("div", { class: "split" }, [choice(0), choice(1)]),
      ]);
    },
    caption(side, index) {
      const seed = side.seed ?? this.of[side.key].facts?.seeds[0] ?? 0;
      const at = text("at-round", { round: this.round(side).toLocaleString("en-US") });
      return `${letter(index)}: ${side.key}, ${text("seed", { seed })}, ${at}`;
    },
    render_pictures() {
      return h("figure", { class: "panel" }, [
        h("figcaption", text("view-samples")),
        h("ul", { class: "side-pictures" }, this.shown.map((side, k) => {
          const image = this.image(side), caption = this.caption(side, k);
          return h("li", { key: k }, [
            h("p", [h("b", { class: `letter s${k}` }, letter(k)), ` ${caption.slice(caption.indexOf(",") + 2)}`]),
            image === null ? h("p", { class: "missing" }, text("no-samples")) : h("canvas", { ref: (e) => (this.canvases[`picture ${k}`] = e), role: "img", "aria-label": caption }),
          ]);
        })),
      ]);
    },
    render_curves() {
      return FIGURES.flatMap(([name, kind]) => this.groups[kind].map((group, part) => {
        const known = group.filter((k) => this.of[this.shown[k].key].curves[name] && isKnown(this.of[this.shown[k].key].curves[name]));
        if (!known.length) return null;
        const apart = this.groups[kind].length > 1 ? `${group.map(letter).join(", ")}: ${text("not-on-one-axis")}` : "";
        return this.figure(`${name} ${part}`, text(name), apart, [h("p", { class: "legend", key: "legend" }, this.values(name, known))]);
      }));
    },
    // What each curve is at the round that its side shows.
    values(name, sides) {
      return sides.map((k) => {
        const value = this.line(this.shown[k], name).at(this.round(this.shown[k]));
        return h("span", { key: k }, [h("b", { class: `letter s${k}` }, letter(k)), ` ${lettered(value)}`]);
      });
    },
    // The curve of a side: the chosen member's, or the median of all of them with its band.
    line(side, name) {
      const of = this.of[side.key], key = `${side.key} ${side.seed} ${name}`, kept = this.smooth.get(key);
      if (kept?.version === of.version) return kept;
      const rows = of.rounds.length, members = of.facts.seeds.length, column = this.member(side);
      const smooth = movingMean(of.curves[name], Math.max(1, Math.round(rows * this.smoothing)));
      const whole = side.seed === null && members > 1, band = whole ? bandOf(smooth, rows, members) : null;
      const value = (row) => (whole ? band[row * 3 + 1] : smooth[row * members + column]);
      const until = (round) => {
        let row = rows - 1;
        while (row >= 0 && of.rounds.at(row) > round) row--;
        return row;
      };
      const at = (round) => (until(round) < 0 ? NaN : value(until(round)));
      const logged = (round) => of.rounds.at(Math.max(0, until(round)));
      const made = { version: of.version, rows, round: (row) => of.rounds.at(row), value, at, logged, band };
      this.smooth.set(key, made);
      return made;
    },
    // The picture of a side; null where it has none, undefined while it is read.
    image(side) {
      const facts = side && this.of[side.key].facts;
      if (!facts) return undefined;
      const round = facts.pictures.filter((each) => each <= this.round(side)).reduce((a, b) => Math.max(a, b), -1);
      if (round < 0) return null;
      const key = `${side.key} ${facts.generation} ${round} ${this.member(side)}`;
      if (!this.pictures.has(key)) this.load(key, side, round);
      return this.pictures.get(key);
    },
    async load(key, side, round) {
      this.loading ??= new Set();
      if (this.loading.has(key)) return;
      this.loading.add(key);
      const frame = await fetchFrame("samples", { run: side.key, round, member: this.member(side) });
      this.loading.delete(key);
      if (frame === null) return;
      this.pictures.set(key, frame.arrays.pixels ? bitmaps(frame.arrays.pixels)[0] : null);
      while (this.pictures.size > KEPT) this.pictures.delete(this.pictures.keys().next().value);
      this.news++;
    },
    wish() {
      if (this.wanted) return;
      this.wanted = true;
      requestAnimationFrame(() => {
        this.wanted = false;
        if (!this.ended) this.paint();
      });
    },
    paint() {
      const split = this.canvases.split;
      if (split) paintSplit(split, this.slider, ...this.pair.map((k) => this.image(this.shown[k])), this.pair, this.split, (value) => (this.split = value));
      this.shown.forEach((side, k) => {
        const canvas = this.canvases[`picture ${k}`], image = this.image(side);
        if (canvas && image) paintPicture(canvas, image);
      });
      const last = Object.values(this.of).map((each) => each.facts?.round ?? 0);
      for (const [name, kind] of FIGURES) {
        this.groups[kind].forEach((group, part) => {
          const canvas = this.canvases[`${name} ${part}`];
          const drawn = group.filter((k) => this.of[this.shown[k].key].curves[name]?.length);
          if (canvas && drawn.length) {
            const lines = drawn.map((k) => ({ index: k, shown: this.round(this.shown[k]), level: this.of[this.shown[k].key].facts.bounds[name]?.[0], ...this.line(this.shown[k], name) }));
            paintCurves(canvas, lines, last, AXES[kind](lines[0].level));
          }
        });
      }
    },
  },
  render() {
    void this.news; // what is read of runs is not reactive, for it is large
    const cards = h("ol", { class: "sides" }, [...this.shown.map((side, k) => this.render_card(side, k)), this.render_adder()]);
    const problem = this.problem && h("p", { class: "problem", role: "status" }, this.problem);
    if (this.shown.length < 2) return h("div", [problem, cards]);
    const pictures = h("div", { class: "side-samples" }, [this.render_split(), this.render_pictures()]);
    return h("div", [problem, cards, pictures, h("div", { class: "side-curves" }, this.render_curves())]);
  },
};
