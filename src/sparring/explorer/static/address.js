// The page's address, as the server says it: a link to it opens the same again.

import { h } from "vue";

export default {
  props: { to: String },
  watch: {
    to(value) {
      history.replaceState(null, "", value);
    },
  },
  render: () => h("span", { hidden: true }),
};
