// Points that a person draws with the pointer, or with the arrow keys and the space bar.

import { h } from "vue";

const SIDE = 420, RADIUS = 0.05, EACH = 4, STEP = 0.04;
const KEPT = "sparring-drawing"; // in this tab: a drawing is there again after a reload, or in the other language

export default {
  props: { texts: Object, min: Number, max: Number },
  emits: ["train"],
  data: () => ({ points: JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"), at: [0, 0], focused: false }),
  render() {
    const button = (key, action, classes = "", disabled = false) =>
      h("button", { type: "button", class: classes, onClick: action, disabled }, this.texts[key]);
    const few = this.points.length < this.min;
    return h("div", { class: "drawing" }, [
      h("canvas", {
        ref: "canvas", width: SIDE, height: SIDE, tabindex: 0, role: "application", "aria-label": this.texts["draw-label"],
        onPointerdown: this.begin, onPointermove: this.move, onKeydown: this.key,
        onFocus: () => ((this.focused = true), this.paint()), onBlur: () => ((this.focused = false), this.paint()),
      }),
      h("p", { class: "soft", role: "status" }, few ? this.texts["draw-few"] : this.texts["draw-count"].replace("{count}", this.points.length)),
      h("div", { class: "row" }, [
        button("draw-train", () => this.$emit("train", this.points), "primary", few),
        button("draw-circles", () => this.put(circles())),
        button("draw-moons", () => this.put(moons())),
        button("draw-clear", () => this.put([])),
      ]),
    ]);
  },
  mounted() {
    this.themes = new MutationObserver(() => this.paint());
    this.themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.paint();
  },
  unmounted() {
    this.themes.disconnect();
  },
  methods: {
    put(points) {
      this.points = points;
      this.paint();
    },
    begin(event) {
      event.target.setPointerCapture(event.pointerId);
      this.spray(event);
    },
    move(event) {
      if (event.buttons) this.spray(event);
    },
    spray(event) {
      const box = event.target.getBoundingClientRect();
      this.add((2 * (event.clientX - box.left)) / box.width - 1, 1 - (2 * (event.clientY - box.top)) / box.height);
    },
    add(x, y) {
      const inside = (v) => Math.max(-1, Math.min(1, v)), round = (v) => Math.round(v * 1e4) / 1e4;
      for (let k = 0; k < EACH && this.points.length < this.max; k++) {
        const angle = 2 * Math.PI * Math.random(), far = RADIUS * Math.sqrt(Math.random());
        this.points.push([round(inside(x + far * Math.cos(angle))), round(inside(y + far * Math.sin(angle)))]);
      }
      this.paint();
    },
    key(event) {
      const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
      if (event.key === " ") this.add(...this.at);
      else if (dx || dy) this.at = [dx, dy].map((d, k) => Math.max(-1, Math.min(1, this.at[k] + d * STEP)));
      else return;
      event.preventDefault();
      this.paint();
    },
    paint() {
      const c = this.$refs.canvas?.getContext("2d");
      if (!c) return;
      sessionStorage.setItem(KEPT, JSON.stringify(this.points));
      const style = getComputedStyle(document.documentElement), of = (name) => style.getPropertyValue(`--${name}`).trim();
      const x = (v) => ((v + 1) / 2) * SIDE, y = (v) => ((1 - v) / 2) * SIDE;
      c.fillStyle = of("paper");
      c.fillRect(0, 0, SIDE, SIDE);
      c.strokeStyle = of("rule");
      for (const v of [-0.5, 0, 0.5]) {
        c.strokeRect(x(v), -1, 0, SIDE + 2);
        c.strokeRect(-1, y(v), SIDE + 2, 0);
      }
      c.strokeStyle = of("ink");
      for (const [px, py] of this.points) c.strokeRect(x(px) - 2, y(py) - 2, 4, 4);
      if (!this.focused) return;
      c.strokeStyle = of("accent");
      c.beginPath();
      c.arc(x(this.at[0]), y(this.at[1]), (RADIUS * SIDE) / 2, 0, 2 * Math.PI);
      c.stroke();
    },
  },
};

const near = (v) => Math.round(Math.max(-1, Math.min(1, v + 0.02 * (Math.random() + Math.random() - 1))) * 1e4) / 1e4;

function circles() {
  return Array.from({ length: 800 }, (_, k) => {
    const angle = 2 * Math.PI * Math.random(), far = k % 2 ? 0.4 : 0.8;
    return [near(far * Math.cos(angle)), near(far * Math.sin(angle))];
  });
}

function moons() {
  return Array.from({ length: 800 }, (_, k) => {
    const angle = Math.PI * Math.random();
    return k % 2 ? [near(0.5 * Math.cos(angle) - 0.25), near(0.5 * Math.sin(angle))] : [near(0.25 - 0.5 * Math.cos(angle)), near(0.2 - 0.5 * Math.sin(angle))];
  });
}
