// Takes a PNG that is dropped or chosen, sends it to the server, and says under which name it is kept there.

import { h } from "vue";

export default {
  props: { run: String, label: String, large: String, limit: Number },
  emits: ["dropped"],
  data: () => ({ over: false, problem: "" }),
  render() {
    const stop = (event) => event.preventDefault();
    return h("label", {
      class: ["drop", this.over && "over"],
      onDragover: (event) => (stop(event), (this.over = true)),
      onDragleave: () => (this.over = false),
      onDrop: (event) => (stop(event), (this.over = false), this.send(event.dataTransfer.files[0])),
    }, [
      h("span", this.label),
      h("input", { type: "file", accept: "image/png", onChange: (event) => this.send(event.target.files[0]) }),
      this.problem && h("span", { class: "why", role: "alert" }, this.problem),
    ]);
  },
  methods: {
    async send(file) {
      if (!file) return;
      this.problem = file.size > this.limit ? this.large : "";
      if (this.problem) return;
      const asked = new URLSearchParams({ run: this.run, language: document.documentElement.lang });
      const answer = await fetch(`/data/picture?${asked}`, { method: "POST", body: file });
      const said = await answer.json();
      this.problem = said.problem ?? "";
      if (said.name) this.$emit("dropped", said.name);
    },
  },
};
