// What a person sets on the latent page: member, round, plane, truncation, class, dimensions, a sum; and what they take
// along: a picture, an animation, a link, a command, lines of Python.

import { h } from "vue";
import { address, begin, about, change, DEFAULTS, hasImages, latent, listenLatent, MAX_SHOWN, query, setDim, settings, shownDims, showsAll } from "/static/latent.js";
import { drawer } from "/static/latent_tiles.js";
import { text } from "/static/store.js";

const MAP = 56, MAX_Z = 2 ** 31, SCALE = 8, UPDATE_MS = 100;

export default {
  props: { run: String, texts: Object, found: Number },
  data: () => ({ said: "", typed: null }), // what is typed right now stays while the page is drawn again
  watch: { found: about },
  render() {
    if (!latent.facts) return h("p", { class: latent.problem ? "problem" : "soft", role: "status" }, latent.problem ?? "…");
    const problem = latent.problem ?? (latent.example?.facts.finite === false ? text("latent-not-finite") : null);
    return h("div", { class: "steering" }, [
      problem && h("p", { class: "problem", role: "alert" }, problem),
      this.where(), this.plane(), this.numbers(), this.dims(), this.take(),
    ]);
  },
  mounted() {
    this.stop = listenLatent(() => this.soon(), "place", "example", "influence");
    document.addEventListener("keydown", this.key);
    document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
    begin(this.run, this.texts);
  },
  updated() {
    this.maps();
  },
  unmounted() {
    this.stop();
    clearTimeout(this.timer);
    document.removeEventListener("keydown", this.key);
  },
  methods: {
    // At most ten times a second, so that dragging is left the time.
    soon() {
      this.timer ??= setTimeout(() => {
        this.timer = null;
        this.$forceUpdate();
      }, UPDATE_MS);
    },
    field(name, label, input) {
      return h("label", { class: ["field", name] }, [h("span", label), input]);
    },
    choice(name, label, options, value, onChange) {
      const chosen = options.map(([key, shown]) => h("option", { value: key, selected: String(key) === String(value) }, shown));
      return this.field(name, label, h("select", { value, onChange: (event) => onChange(event.target.value) }, chosen));
    },
    z(name, label) {
      const onInput = (event) => {
        const value = Math.floor(Number(event.target.value));
        if (event.target.value !== "" && value >= 0 && value < MAX_Z) change({ [name]: value });
      };
      return this.field(name, label, h("input", { type: "number", min: 0, step: 1, value: latent.place[name], onInput }));
    },
    where() {
      const { seeds, rounds } = latent.facts, { member, round } = latent.place;
      const newest = Math.max(...rounds);
      const listed = rounds.map((each) => [each, text("at-round", { round: each.toLocaleString("en-US") })]).reverse();
      return h("div", { class: "fields" }, [
        this.choice("of", text("member"), seeds.map((s) => [s, text("seed", { seed: s })]), member, (v) => change({ member: Number(v) })),
        this.choice("when", text("latent-round"), listed, round ?? newest, (v) => change({ round: Number(v) === newest ? null : Number(v) })),
      ]);
    },
    plane() {
      const { plane, first, second } = latent.place, { directions, size } = latent.facts;
      const kinds = ["seeds", "dims", "directions"].map((kind) => [kind, text(`latent-plane-${kind}`)]);
      const pick = (kind) => change({ plane: kind, x: kind === "seeds" ? 1 : 0, y: 0, first: 1, second: kind !== "seeds" && (kind === "dims" ? size : directions.length) > 1 ? 2 : 1 });
      const axis = (name, label) => {
        const names = plane === "dims" ? Array.from({ length: size }, (_, k) => [k + 1, text("latent-dim", { dim: k + 1 })]) : directions.map((each, k) => [k + 1, each]);
        return this.choice(name, label, names, name === "first" ? first : second, (v) => change({ [name]: Number(v) }));
      };
      const none = plane === "directions" && !directions.length;
      return h("div", { class: "fields" }, [
        this.choice("plane", text("latent-plane"), kinds, plane, pick),
        this.z("a", "z a"),
        plane === "seeds" && this.z("b", "z b"),
        plane !== "seeds" && !none && axis("first", text("latent-along-x")),
        plane !== "seeds" && !none && axis("second", text("latent-along-y")),
        none && h("p", { class: "soft wide" }, [text("latent-no-directions"), " ", h("code", latent.facts.finds)]),
      ]);
    },
    numbers() {
      const { truncates, classes, clusters } = latent.facts, { psi, cls } = latent.place;
      const slide = (event) => change({ psi: Number(event.target.value) });
      const named = [["", text("latent-own-class")], ...Array.from({ length: classes }, (_, k) => [k, `${k}`])];
      return h("div", { class: "fields" }, [
        truncates && this.field("psi", `${text("latent-truncation")}: psi ${psi.toFixed(2)}`, h("input", { type: "range", min: 0, max: 1.5, step: 0.05, value: psi, onInput: slide })),
        classes > 0 && this.choice("cls", text(clusters ? "latent-cluster" : "latent-class"), named, cls, (v) => change({ cls: v })),
      ]);
    },
    dims() {
      const { low, high, size } = latent.facts, set = settings(), z = latent.example?.facts.z ?? [];
      const row = (dim) => {
        const value = set.get(dim) ?? z[dim - 1] ?? 0, label = text("latent-dim", { dim });
        return h("li", { key: dim }, [
          h("canvas", { class: "map", "data-dim": dim, width: MAP, height: MAP, role: "img", "aria-label": text("latent-map", { dim }) }),
          h("label", [h("span", `${label}: ${value.toFixed(2)}`), h("input", {
            type: "range", min: low, max: high, step: (high - low) / 120, value, "aria-label": label, onInput: (event) => setDim(dim, Number(event.target.value)),
          })]),
          h("button", { type: "button", disabled: !set.has(dim), onClick: () => setDim(dim, null), "aria-label": `${text("latent-release")}, ${label}` }, text("latent-release")),
        ]);
      };
      const typing = (event) => (this.typed = event.target.value);
      const typed = (event) => {
        this.typed = null;
        change({ shown: event.target.value });
      };
      return h("div", { class: "dims" }, [
        this.field("shown", text("latent-dims", { size }), h("input", { type: "text", value: this.typed ?? latent.place.shown ?? shownDims().join(","), placeholder: "5,25,45", onInput: typing, onChange: typed })),
        !showsAll() && h("p", { class: "why", role: "alert" }, text("latent-dims-left-out", { size, count: MAX_SHOWN })),
        h("ol", shownDims().map(row)),
        h("small", { class: "soft" }, text(hasImages() ? "latent-maps-help" : "latent-changes-help")),
      ]);
    },
    take() {
      const said = latent.example?.facts, button = (key, act, more = {}) => h("button", { type: "button", onClick: act, ...more }, text(key));
      const command = said?.commands.example || said?.commands.strip || "";
      return h("div", { class: "take" }, [
        h("div", { class: "row" }, [
          button("latent-new", this.draw), button("latent-home", () => change({ ...DEFAULTS, member: latent.place.member, shown: latent.place.shown })),
          button("latent-png", this.png),
          h("a", { class: "button", href: `/data/latent.gif?${new URLSearchParams({ ...query(), language: document.documentElement.lang })}`, download: "path.gif" }, text("latent-gif")),
          button("latent-copy-link", () => this.copy(address())),
          button("latent-copy-command", () => this.copy(command), { disabled: !command }),
          button("latent-copy-python", () => this.copy(said?.python ?? "")),
        ]),
        h("p", { class: "said", role: "status" }, this.said),
        h("details", [
          h("summary", text("latent-commands")),
          ...Object.entries(said?.commands ?? {}).filter(([, line]) => line).map(([name, line]) => [h("small", { class: "soft" }, text(`latent-command-${name}`)), h("code", { class: "command" }, line)]).flat(),
          !said?.commands.example && h("p", { class: "soft" }, text("latent-no-command")),
          h("pre", { class: "command python" }, said?.python ?? ""),
        ]),
      ]);
    },
    // Two other latent vectors.
    draw() {
      const [a, b] = [0, 0].map(() => Math.floor(Math.random() * 1000));
      change({ a, b, ...(latent.place.plane === "seeds" ? { x: 1, y: 0 } : {}) });
    },
    async copy(words) {
      try {
        await navigator.clipboard.writeText(words);
        this.said = text("latent-copied");
      } catch {
        this.said = text("latent-not-copied");
      }
    },
    // The example at SCALE screen pixels for each of its own.
    png() {
      if (!latent.example) return;
      const { w, h: high, draw } = drawer(latent.example), scale = w > 1 ? (w < 160 ? SCALE : 1) : 480;
      const canvas = Object.assign(document.createElement("canvas"), { width: w * scale, height: Math.round(high * scale) });
      draw(canvas.getContext("2d"), 0, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => {
        const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: "example.png" });
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      });
    },
    maps() {
      const panel = latent.panels.influence;
      if (!panel?.arrays || panel.facts.problem) return;
      const { w, h: high, draw, count } = drawer(panel);
      this.$el.querySelectorAll("canvas.map").forEach((canvas, k) => {
        if (k >= count) return;
        const context = canvas.getContext("2d");
        context.clearRect(0, 0, MAP, MAP);
        draw(context, k, 0, 0, MAP, Math.min(MAP, (MAP * high) / w));
      });
    },
    key(event) {
      const typing = event.target.closest("input:not([type=range]), select, textarea");
      if (!latent.facts || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      const { seeds } = latent.facts, at = seeds.indexOf(latent.place.member);
      const actions = {
        "[": () => change({ member: seeds[(at + seeds.length - 1) % seeds.length] }),
        "]": () => change({ member: seeds[(at + 1) % seeds.length] }),
        n: this.draw,
        p: () => document.querySelector(".latentPlane canvas")?.focus(),
      };
      if (!(event.key in actions)) return;
      actions[event.key]();
      event.preventDefault();
    },
  },
};
