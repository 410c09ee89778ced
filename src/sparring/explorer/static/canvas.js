// The canvas component: one figure of the page, drawn from the store. What it draws, its `kind`, is one painter.

import { h } from "vue";
import { listen, store, text } from "/static/store.js";
import { curves } from "/static/curves.js";
import { lines } from "/static/lines.js";
import { moves } from "/static/moves.js";
import { latentPlane } from "/static/latent_plane.js";
import { latentTiles } from "/static/latent_tiles.js";
import { plane } from "/static/plane.js";
import { samples } from "/static/samples.js";
import { scores } from "/static/scores.js";

const PAINTERS = { curves, latentPlane, latentTiles, lines, moves, plane, samples, scores };

export default {
  props: { kind: String, options: Object },
  render() {
    return h("div", { class: ["plot", this.kind] }, [
      h("div", { class: "legend", ref: "legend" }),
      h("div", { class: "stage" }, [
        h("canvas", { ref: "canvas", tabindex: 0, role: "img", "aria-label": this.options.title }),
        h("output", { ref: "hover", class: "hover", hidden: true }),
      ]),
      h("p", { ref: "missing", class: "missing", hidden: true }),
    ]);
  },
  mounted() {
    this.wanted = false;
    const wish = () => {
      if (this.wanted) return;
      this.wanted = true;
      requestAnimationFrame(() => {
        this.wanted = false;
        this.paint();
      });
    };
    this.painter = PAINTERS[this.kind](this.$refs, this.options, wish);
    this.stop = (this.painter.listen ?? listen)(wish);
    this.sizes = new ResizeObserver(wish);
    this.sizes.observe(this.$refs.canvas.parentElement);
    this.themes = new MutationObserver(wish);
    this.themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", wish);
    this.wish = wish;
    wish();
  },
  unmounted() {
    this.scheme.removeEventListener("change", this.wish);
    this.stop();
    this.sizes.disconnect();
    this.themes.disconnect();
  },
  methods: {
    paint() {
      const { canvas, missing } = this.$refs;
      if (!canvas || !(this.painter.isReady?.() ?? store.facts !== null)) return;
      const why = this.painter.missing();
      if (this.options.optional) this.$el.closest(".panel").hidden = Boolean(why);
      if (!this.$el.offsetParent) return;
      missing.hidden = !why;
      missing.textContent = why ? text(why) : "";
      canvas.parentElement.hidden = Boolean(why);
      if (!why) this.painter.paint();
    },
  },
};
