// Between the page and the server: gives the page's texts to the store, shows one view at a time, and says which round
// is shown, so that the server writes the verdict of that round.

import { h } from "vue";
import { begin, listen, refresh, set, shownRound, store } from "/static/store.js";

const SAY_MS = 250;

export default {
  props: { run: String, view: String, texts: Object, beats: Number },
  emits: ["moment", "pressed"],
  watch: { beats: refresh },
  render: () => h("span", { hidden: true }),
  mounted() {
    this.stop = listen(() => {
      this.showView();
      this.showProblem();
      this.showCompared();
      this.sayMoment();
    });
    document.addEventListener("keydown", this.key);
    document.addEventListener("click", this.click);
    // The tree comes from the server after the page, and comes anew when the run has something new.
    this.trees = new MutationObserver(() => this.showCompared());
    for (const place of document.querySelectorAll(".trees")) this.trees.observe(place, { childList: true, subtree: true });
    this.drawers = new MutationObserver(() => this.showDrawer());
    for (const place of document.querySelectorAll(".drawer")) this.drawers.observe(place, { childList: true, subtree: true, attributeFilter: ["hidden"] });
    begin(this.run, this.texts, this.view);
    this.showView();
  },
  unmounted() {
    this.stop();
    this.trees.disconnect();
    this.drawers.disconnect();
    document.removeEventListener("click", this.click);
    document.removeEventListener("keydown", this.key);
  },
  methods: {
    click(event) {
      const part = event.target.closest("[data-show], [data-compare], [data-round]");
      if (!part || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      const { show, compare, round } = part.dataset;
      if (show) set({ view: show });
      if (round) set({ round: Number(round) });
      if (compare) {
        set({ with: store.with === compare ? null : compare });
        refresh();
      }
    },
    // What opens takes the focus, to the first field or else to where nothing is done, and gives it back when it closes.
    showDrawer() {
      const drawer = document.querySelector(".drawer"), cancel = drawer.querySelector("[data-cancel]");
      if (cancel && !drawer.hidden && !this.isOpen) {
        this.before = document.activeElement;
        (drawer.querySelector("input") ?? cancel).focus();
      } else if (drawer.hidden && this.isOpen) this.before?.focus();
      this.isOpen = Boolean(cancel) && !drawer.hidden;
    },
    key(event) {
      if (event.key === "Escape" && this.isOpen) document.querySelector(".drawer [data-cancel]").click();
      const typing = event.target.closest("input:not([type=range]), select, textarea");
      if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat || !/^[a-z]$/.test(event.key)) return;
      this.$emit("pressed", event.key);
    },
    showCompared() {
      const place = document.querySelector(".compared");
      if (place) place.hidden = !store.other?.facts;
      for (const button of document.querySelectorAll("[data-compare]")) {
        button.setAttribute("aria-pressed", button.dataset.compare === store.with);
      }
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
      const place = document.querySelector('.problem[role="status"]');
      if (!place) return;
      place.hidden = !store.problem;
      place.textContent = store.problem ?? "";
    },
    sayMoment() {
      const facts = store.facts;
      if (facts === null) return;
      const version = [facts.generation, facts.round, facts.status, facts.changes.length, facts.checkpoints.length, facts.problem].join(" ");
      const moment = { round: store.round === null ? null : shownRound(), member: store.member, view: store.view, version };
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
