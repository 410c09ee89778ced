// The language, which the address names; a link to another keeps what is shown.
document.documentElement.lang = new URLSearchParams(location.search).get("language") ?? "en";
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-language]");
  if (!link) return;
  event.preventDefault();
  const query = new URLSearchParams(location.search);
  if (link.dataset.language === "en") query.delete("language");
  else query.set("language", link.dataset.language);
  location.assign(`${location.pathname}?${query}`);
});

// Light or dark: as the system has it, until a person chooses. Runs before the page is drawn.
const chosen = localStorage.getItem("sparring-theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
document.addEventListener("click", (event) => {
  if (!event.target.closest("button.theme")) return;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  const next = now === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("sparring-theme", next);
});
