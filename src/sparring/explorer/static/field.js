// One field of a form: text, a number, a choice or a switch. It says its value when a person has changed it.

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
    if (this.kind === "choice") {
      const options = this.choices.map((each) => h("option", { value: each, selected: each === this.now }, each));
      return h("select", { ...common, value: this.now, onChange: (e) => said(e.target.value) }, options);
    }
    if (this.kind === "suggested") {
      const id = `of-${this.name ?? this.label}`;
      const options = h("datalist", { id }, this.choices.map((each) => h("option", { value: each })));
      return h("span", { class: "suggested" }, [h("input", { ...common, type: "text", value: this.now, list: id, onChange: (e) => said(e.target.value) }), options]);
    }
    const live = this.kind === "filter" ? { onInput: (e) => said(e.target.value) } : { onChange: (e) => said(e.target.value) };
    return h("input", { ...common, type: "text", value: this.now, placeholder: this.placeholder, ...live });
  },
};
