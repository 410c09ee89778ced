// Between the page and the server: gives the page's texts to the store, shows one view at a time, and says which round
// is shown, so that the server writes the verdict of that round.

import { h } from "vue";
import { begin, listen, set, shownRound, store } from "/static/store.js";

const SAY_MS = 250;

export default {
  props: { run: String, view: String, texts: Object },
  emits: ["moment"],
  render: () => h("span", { hidden: true }),
  mounted() {
    this.stop = listen(() => {
      this.showView();
      this.showProblem();
      this.sayMoment();
    });
    document.addEventListener("click", this.click);
    begin(this.run, this.texts, this.view);
    this.showView();
  },
  unmounted() {
    this.stop();
    document.removeEventListener("click", this.click);
  },
  methods: {
    click(event) {
      const tab = event.target.closest("a[data-show]");
      if (!tab || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      set({ view: tab.dataset.show });
    },
    showView() {
      if (this.shownView === store.view) return;
      this.shownView = store.view;
      for (const part of document.querySelectorAll("[data-view]")) part.hidden = part.dataset.view !== store.view;
      for (const tab of document.querySelectorAll("a[data-show]")) {
        if (tab.dataset.show === store.view) tab.setAttribute("aria-current", "page");
        else tab.removeAttribute("aria-current");
      }
    },
    showProblem() {
      const place = document.querySelector(".problem");
      if (!place) return;
      place.hidden = !store.problem;
      place.textContent = store.problem ?? "";
    },
    sayMoment() {
      const facts = store.facts;
      if (facts === null) return;
      const moment = { round: store.round === null ? null : shownRound(), member: store.member, version: `${facts.generation} ${facts.round} ${facts.status}` };
      const said = JSON.stringify(moment);
      if (said === this.said) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.said = said;
        this.$emit("moment", moment);
      }, SAY_MS);
    },
  },
};
