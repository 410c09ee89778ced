// One field of a form: text, a number, a choice or a switch. It says its value when a person has changed it.

import { h } from "vue";

export default {
  props: { value: [String, Number, Boolean], kind: String, choices: Array, label: String, name: String, placeholder: String },
  emits: ["changed"],
  render() {
    const said = (value) => this.$emit("changed", value);
    const common = { name: this.name, "aria-label": this.label, autocomplete: "off", spellcheck: false };
    if (this.kind === "switch") {
      return h("input", { ...common, type: "checkbox", checked: this.value, onChange: (e) => said(e.target.checked) });
    }
    if (this.kind === "choice") {
      const options = this.choices.map((each) => h("option", { value: each, selected: each === this.value }, each));
      return h("select", { ...common, value: this.value, onChange: (e) => said(e.target.value) }, options);
    }
    const live = this.kind === "filter" ? { onInput: (e) => said(e.target.value) } : { onChange: (e) => said(e.target.value) };
    return h("input", { ...common, type: "text", value: this.value, placeholder: this.placeholder, ...live });
  },
};
