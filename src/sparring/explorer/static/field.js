// One field of a form: text, with suggestions or without, or a switch. It says its value when a person has changed it.
// A value of more than `long` characters is shown whole, on as many lines as it takes. A field of `lines` keeps those that
// a person types: Enter begins a line there, and Ctrl+Enter says the value.

import { h } from "vue";

export default {
  props: {
    value: [String, Number, Boolean], kind: String, choices: Array, label: String, name: String, placeholder: String,
    long: { type: Number, default: Infinity }, lines: Boolean,
  },
  emits: ["changed"],
  // What a person typed stays, whatever else of the page is drawn again.
  data() {
    return { now: this.value, isLong: this.reaches(this.value), isTyped: false };
  },
  watch: {
    value(value) {
      this.now = value;
      this.isLong = this.reaches(value);
    },
  },
  mounted() {
    this.widths = new ResizeObserver(this.fit);
    this.widths.observe(this.$el);
  },
  updated() {
    this.fit();
    this.widths.observe(this.$el); // another element, where the value has become long
  },
  unmounted() {
    this.widths.disconnect();
  },
  methods: {
    reaches(value) {
      return this.lines || (typeof value === "string" && value.length > this.long);
    },
    fit() {
      const area = this.$el;
      if (area.tagName !== "TEXTAREA") return;
      area.style.height = "auto";
      area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
    },
    said(value) {
      this.now = value;
      this.isTyped = true;
      this.$emit("changed", value);
    },
    // The value is one line, however it is shown, unless a line may end what stands before it.
    line(event) {
      return this.lines ? event.target.value : event.target.value.replace(/\s*\n\s*/g, " ");
    },
    enter(event) {
      if (event.key !== "Enter" || (this.lines && !event.ctrlKey && !event.metaKey)) return;
      event.preventDefault();
      this.said(this.line(event));
    },
  },
  render() {
    const common = { name: this.name, "aria-label": this.label, autocomplete: "off", spellcheck: false, "data-typed": this.isTyped ? "" : null };
    if (this.kind === "switch") {
      return h("input", { ...common, type: "checkbox", checked: this.now, onChange: (e) => this.said(e.target.checked) });
    }
    const typed = {
      value: this.now, placeholder: this.placeholder,
      onInput: (e) => (this.now = e.target.value),
      onChange: (e) => this.said(this.line(e)),
      onBlur: () => (this.isLong = this.reaches(this.now)), // not while a person types: the field would lose the focus
    };
    if (this.isLong) return h("textarea", { ...common, ...typed, rows: 1, onKeydown: this.enter });
    const text = { ...common, ...typed, type: "text" };
    // Said with every key, and not again when the field is left: what is clicked then would be drawn anew under the pointer.
    if (this.kind === "filter") return h("input", { ...text, onInput: (e) => this.said(e.target.value), onChange: null });
    if (this.kind !== "suggested") return h("input", text);
    const id = `of-${this.label}`;
    const options = this.choices.map((each) => h("option", { value: each }));
    return h("span", { class: "suggested" }, [h("input", { ...text, list: id }), h("datalist", { id }, options)]);
  },
};
