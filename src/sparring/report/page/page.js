// Scrubs through the sample pictures of training. Without it, the page shows the last one.
const scrub = document.querySelector(".scrub");
if (scrub) {
  const pictures = [...document.querySelectorAll(".samples img")];
  const [slider, output, play] = ["input", "output", "button"].map((name) => scrub.querySelector(name));
  let playing = 0;
  const show = (index) => {
    pictures.forEach((picture, i) => { picture.hidden = i !== index; });
    const words = scrub.dataset.at.replace("{round}", pictures[index].dataset.round);
    slider.value = index;
    slider.setAttribute("aria-valuetext", words);
    output.textContent = words;
  };
  const stop = () => {
    clearInterval(playing);
    playing = 0;
    play.textContent = scrub.dataset.play;
  };
  const step = () => {
    show(Number(slider.value) + 1);
    if (Number(slider.value) === pictures.length - 1) stop();
  };
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  play.addEventListener("click", () => {
    if (playing) return stop();
    if (Number(slider.value) === pictures.length - 1) show(0);
    playing = setInterval(step, 600);
    play.textContent = scrub.dataset.pause;
  });
  show(pictures.length - 1);
  scrub.hidden = false;
}
// What is collapsed is printed too, and collapsed again afterwards.
let collapsed = [];
addEventListener("beforeprint", () => {
  collapsed = [...document.querySelectorAll("details:not([open])")];
  for (const each of collapsed) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of collapsed) each.open = false;
});
