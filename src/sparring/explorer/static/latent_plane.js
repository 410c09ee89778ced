// The plane of the latent page: what the generator makes all over it, and the place that is shown, to be dragged.

import { colors, prepare } from "/static/drawing.js";
import { change, latent, listenLatent } from "/static/latent.js";
import { drawer } from "/static/latent_tiles.js";
import { text } from "/static/store.js";

const WIDTH = 1.25, CELLS = 7, SNAP = 0.09, STEP = 0.05, FAR = 5, SIDE = 420;

// Places of latent vectors that the plane goes through, which a pointer near them snaps to.
function marks() {
  const { plane, a, b } = latent.place;
  if (plane !== "seeds") return [{ x: 0, y: 0, name: "0" }];
  return [{ x: 1, y: 0, name: `z ${a}` }, { x: 0, y: 1, name: `z ${b}` }, { x: 0, y: 0, name: "0" }];
}
const near = ({ x, y }) => marks().sort((p, q) => Math.hypot(p.x - x, p.y - y) - Math.hypot(q.x - x, q.y - y))[0];

export function latentPlane({ canvas, hover, legend }, options, repaint) {
  let side = SIDE;
  const at = (value) => ((value + WIDTH) / (2 * WIDTH)) * side;

  function paint() {
    const overview = latent.panels.overview, hues = colors();
    side = Math.min(SIDE, canvas.parentElement.clientWidth);
    const { context: c } = prepare(canvas, side);
    canvas.style.width = `${side}px`;
    if (overview?.arrays.pixels || overview?.arrays.values) {
      const { draw, h, w } = drawer(overview), cell = side / CELLS;
      for (let k = 0; k < CELLS * CELLS; k++) {
        const high = Math.min(cell, (cell * h) / w);
        draw(c, k, (k % CELLS) * cell, Math.floor(k / CELLS) * cell + (cell - high) / 2, cell, high);
      }
    }
    c.strokeStyle = hues.generated;
    c.lineWidth = 1;
    c.beginPath();
    c.moveTo(at(0), 0);
    c.lineTo(at(0), side);
    c.moveTo(0, side - at(0));
    c.lineTo(side, side - at(0));
    c.stroke();
    c.font = "600 12px system-ui, sans-serif";
    for (const mark of marks()) {
      dot(c, at(mark.x), side - at(mark.y), 5, hues.real, hues.paper);
      label(c, mark.name, at(mark.x) + 9, side - at(mark.y) - 7, hues);
    }
    const { x, y } = latent.place;
    dot(c, at(x), side - at(y), 10, hues.generated, hues.paper);
    legend.textContent = axes();
    canvas.setAttribute("aria-label", `${options.title}. ${axes()}. x ${x.toFixed(2)}, y ${y.toFixed(2)}`);
  }

  function dot(c, x, y, radius, fill, around) {
    c.beginPath();
    c.arc(x, y, radius, 0, 7);
    c.fillStyle = fill;
    c.fill();
    c.lineWidth = 2.5;
    c.strokeStyle = around;
    c.stroke();
  }
  function label(c, name, x, y, hues) {
    const width = c.measureText(name).width;
    c.fillStyle = hues.paper;
    c.globalAlpha = 0.85;
    c.fillRect(x - 3, y - 12, width + 6, 16);
    c.globalAlpha = 1;
    c.fillStyle = hues.ink;
    c.fillText(name, x, y);
  }

  function move(event) {
    const box = canvas.getBoundingClientRect();
    const place = { x: ((event.clientX - box.left) / side) * 2 * WIDTH - WIDTH, y: WIDTH - ((event.clientY - box.top) / side) * 2 * WIDTH };
    const mark = near(place);
    const snaps = !event.altKey && Math.hypot(mark.x - place.x, mark.y - place.y) < SNAP;
    change(snaps ? { x: mark.x, y: mark.y } : place);
  }
  canvas.setAttribute("role", "application");
  canvas.style.touchAction = "none";
  canvas.style.cursor = "crosshair";
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    move(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons) move(event);
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    const { x, y } = latent.place, step = STEP * (event.shiftKey ? FAR : 1), mark = near(latent.place);
    const moves = {
      ArrowLeft: { x: x - step }, ArrowRight: { x: x + step }, ArrowUp: { y: y + step }, ArrowDown: { y: y - step },
      Home: { x: marks()[0].x, y: marks()[0].y }, End: { x: (marks()[1] ?? marks()[0]).x, y: (marks()[1] ?? marks()[0]).y },
      0: { x: 0, y: 0 }, Enter: { x: mark.x, y: mark.y },
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    change(moves[event.key]);
  });
  hover.hidden = true;

  return { listen: (wish) => listenLatent(wish, "place", "overview"), isReady: () => Boolean(latent.facts), missing: () => null, paint };
}

// What lies along x and along y.
export function axes() {
  const { plane, a, b, first, second } = latent.place;
  if (plane === "seeds") return text("latent-axes-seeds", { a, b });
  if (plane === "dims") return text("latent-axes-dims", { first, second, a });
  const name = (k) => latent.facts.directions[k - 1] ?? k;
  return text("latent-axes-directions", { first: name(first), second: name(second), a });
}
