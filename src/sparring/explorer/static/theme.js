// The language, which the address names; a link to another keeps what is shown.
document.documentElement.lang = new URLSearchParams(location.search).get("language") ?? "en";
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-language]");
  if (!link) return;
  event.preventDefault();
  const query = new URLSearchParams(location.search);
  if (link.dataset.language === "en") query.delete("language");
  else query.set("language", link.dataset.language);
  keepTyped();
  location.assign(`${location.pathname}?${query}`);
});

// What a person has typed into a form is typed again in the other language, once the server listens.
const TYPED = "sparring-typed";
const fields = () => [...document.querySelectorAll(":is([data-kept] input, [data-kept] textarea)")];
function keepTyped() {
  document.activeElement?.blur(); // what is typed right now counts
  const values = fields().map((each) => ("typed" in each.dataset ? (each.type === "checkbox" ? each.checked : each.value) : null));
  if (values.some((value) => value !== null)) sessionStorage.setItem(TYPED, JSON.stringify([location.pathname, values]));
}
function typeAgain() {
  const [path, values] = JSON.parse(sessionStorage.getItem(TYPED) ?? "[]");
  sessionStorage.removeItem(TYPED);
  if (path !== location.pathname) return;
  const patience = Date.now() + 20_000;
  const waiting = setInterval(() => {
    const there = fields(), ready = window.did_handshake && there.length === values.length;
    if (!ready && Date.now() < patience) return;
    clearInterval(waiting);
    if (ready) there.forEach((field, k) => values[k] !== null && type(field, values[k]));
  }, 100);
}
function type(field, value) {
  if (field.type === "checkbox") {
    if (field.checked !== value) field.click();
    return;
  }
  field.value = value;
  for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
}
typeAgain();

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
