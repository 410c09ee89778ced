// One field of a form: text, with suggestions or without, or a switch. It says its value when a person has changed it.

import { h } from "vue";

export default {
  props: { value: [String, Number, Boolean], kind: String, choices: Array, label: String, name: String, placeholder: String },
  emits: ["changed"],
  // What a person typed stays, whatever else of the page is drawn again.
  data() {
    return { now: this.value };
  },
  watch: {
    value(value) {
      this.now = value;
    },
  },
  render() {
    const said = (value) => {
      this.now = value;
      this.$emit("changed", value);
    };
    const common = { name: this.name, "aria-label": this.label, autocomplete: "off", spellcheck: false };
    if (this.kind === "switch") {
      return h("input", { ...common, type: "checkbox", checked: this.now, onChange: (e) => said(e.target.checked) });
    }
    const typed = { onInput: (e) => (this.now = e.target.value), onChange: (e) => said(e.target.value) };
    const text = { ...common, ...typed, type: "text", value: this.now, placeholder: this.placeholder };
    if (this.kind === "filter") return h("input", { ...text, onInput: (e) => said(e.target.value) });
    if (this.kind !== "suggested") return h("input", text);
    const id = `of-${this.label}`;
    const options = this.choices.map((each) => h("option", { value: each }));
    return h("span", { class: "suggested" }, [h("input", { ...text, list: id }), h("datalist", { id }, options)]);
  },
};
