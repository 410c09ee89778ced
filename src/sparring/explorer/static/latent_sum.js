// Two fields of the latent page beside their panels: a sum of latent vectors, and whether the nearest image is looked for.

import { h } from "vue";
import { change, hasImages, latent, listenLatent } from "/static/latent.js";
import { text } from "/static/store.js";

export default {
  props: { of: String },
  render() {
    if (!latent.facts) return h("span", { hidden: true });
    return this.of === "sum" ? this.sum() : this.near();
  },
  mounted() {
    this.stop = listenLatent(() => this.$forceUpdate(), "place", "nearest");
  },
  unmounted() {
    this.stop();
  },
  methods: {
    sum() {
      const field = (name, label) => h("label", { class: "field" }, [h("span", label), h("input", {
        type: "text", name, value: latent.place[name], autocomplete: "off", spellcheck: false, onChange: (event) => change({ [name]: event.target.value }),
      })]);
      return h("div", { class: "fields" }, [field("sum", text("latent-sum")), field("zs", text("latent-sum-seeds"))]);
    },
    near() {
      if (!hasImages()) return h("span", { hidden: true });
      const on = latent.place.near === "1", asks = latent.panels.nearest?.facts.asks;
      const allow = () => {
        latent.read = asks;
        change({ near: "1" });
      };
      return h("div", { class: "row" }, [
        h("button", { type: "button", "aria-pressed": on, onClick: () => change({ near: on ? "" : "1" }) }, text(on ? "latent-nearest-stop" : "latent-nearest-find")),
        asks && on && h("button", { type: "button", onClick: allow }, text("latent-nearest-allow")),
      ]);
    },
  },
};
