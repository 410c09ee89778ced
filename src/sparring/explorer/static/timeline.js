// The one slider of the page: it moves the round that everything shows, and plays it forwards and backwards.

import { h } from "vue";
import { listen, set, shownRound, store, text } from "/static/store.js";

const FRAME_MS = 90, PLAY_FRAMES = 160, MAX_LISTED = 100;

export default {
  render() {
    const button = (name, key, action, pressed) =>
      h("button", { type: "button", class: ["icon", name], "aria-label": text(key), title: text(key), "aria-pressed": pressed, onClick: action });
    const facts = store.facts, last = facts?.round ?? 0, shown = shownRound();
    return h("div", { class: "timeline" }, [
      button("first", "first", () => this.go(0)),
      button("back", "play-back", () => this.play(-1), this.direction === -1),
      button("on", "play", () => this.play(1), this.direction === 1),
      button("last", "last", () => this.follow()),
      h("input", {
        type: "range", min: 0, max: last, step: 1, value: shown, "aria-label": text("slider"),
        onInput: (event) => this.go(Number(event.target.value)),
      }),
      h("output", [h("b", shown.toLocaleString("en-US")), h("span", ` / ${(facts?.rounds ?? 0).toLocaleString("en-US")}`)]),
      h("label", { class: "member" }, [h("span", text("member")), this.members(facts?.seeds ?? [])]),
    ]);
  },
  data: () => ({ direction: 0, typed: null }),
  mounted() {
    this.stop = listen(() => this.$forceUpdate());
    window.addEventListener("keydown", this.key);
  },
  unmounted() {
    this.stop();
    this.halt();
    window.removeEventListener("keydown", this.key);
  },
  methods: {
    // A list to choose from; with very many members a field for the seed.
    members(seeds) {
      if (seeds.length > MAX_LISTED) {
        const onInput = (event) => (this.typed = event.target.value);
        const onChange = (event) => {
          const member = seeds.indexOf(Number(event.target.value));
          this.typed = null;
          if (member >= 0) set({ member });
        };
        const value = this.typed ?? seeds[store.member];
        return h("input", { type: "text", inputmode: "numeric", class: "seed", value, onInput, onChange });
      }
      const options = seeds.map((seed, k) => h("option", { value: k, selected: k === store.member }, text("seed", { seed })));
      return h("select", { value: store.member, onChange: (event) => set({ member: Number(event.target.value) }) }, options);
    },
    go(round) {
      this.halt();
      set({ round });
    },
    follow() {
      this.halt();
      set({ round: null });
    },
    halt() {
      clearInterval(this.timer);
      this.direction = 0;
    },
    play(direction) {
      const again = this.direction === direction;
      this.halt();
      if (again) return;
      const last = store.facts.round, step = Math.max(1, Math.round(last / PLAY_FRAMES));
      let at = shownRound();
      if (direction > 0 && at >= last) at = 0;
      this.direction = direction;
      this.timer = setInterval(() => {
        at += direction * step;
        if (at <= 0 || at >= store.facts.round) {
          this.halt();
          set({ round: at <= 0 ? 0 : null });
        } else set({ round: at });
      }, FRAME_MS);
    },
    key(event) {
      if (event.target.closest("input:not([type=range]), select, textarea, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
      const last = store.facts?.round ?? 0, step = Math.max(1, Math.round(last / (event.shiftKey ? 10 : 100)));
      const members = store.facts?.seeds.length ?? 1;
      const actions = {
        " ": () => !event.target.closest("button, a, summary") && (this.direction ? this.halt() : this.play(1), true),
        ArrowLeft: () => (this.go(Math.max(0, shownRound() - step)), true),
        ArrowRight: () => (shownRound() + step >= last ? this.follow() : this.go(shownRound() + step), true),
        Home: () => (this.go(0), true),
        End: () => (this.follow(), true),
        "[": () => (set({ member: (store.member + members - 1) % members }), true),
        "]": () => (set({ member: (store.member + 1) % members }), true),
      };
      if (actions[event.key]?.()) event.preventDefault();
    },
  },
};
