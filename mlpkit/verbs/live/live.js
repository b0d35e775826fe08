
const byId = (id) => document.getElementById(id);
const [pause, stop] = ["pause", "stop"].map(byId);
const figures = new Map();
let waiting = {}, drawing = false, paused = false, notes = "";

/** Return the place of a chart, which is made when there is a chart for it. */
function placeOf(caption, description) {
  if (!figures.has(caption)) {
    const figure = byId("run-chart").content.firstElementChild.cloneNode(true);
    figure.querySelector("figcaption").textContent = description;
    byId("run-curves").append(figure);
    figure.addEventListener("pointerleave", drawAll);
    figures.set(caption, figure);
  }
  return figures.get(caption);
}

/** Draw the newest charts, one after the other; one that a person is reading waits until the pointer leaves it. */
async function drawAll() {
  if (drawing) return;
  drawing = true;
  const isFree = ([caption, chart]) => !placeOf(caption, chart.description).matches(":hover");
  for (let next; (next = Object.entries(waiting).find(isFree)); ) {
    const [caption, chart] = next;
    delete waiting[caption];
    await draw(placeOf(caption, chart.description).querySelector(".chart"), chart);
  }
  drawing = false;
}

function allow(active) {
  for (const button of [pause, stop]) if (button) button.disabled = !active;
}

function show(news) {
  for (const what of ["state", "progress"]) {
    const place = byId(`run-${what}`);
    if (place.textContent !== news[what]) place.textContent = news[what];
  }
  byId("run-done").hidden = news.done === null;
  byId("run-done").value = news.done ?? 0;
  paused = news.paused;
  if (pause) pause.textContent = paused ? "Continue" : "Pause";
  allow(news.active);
  if (notes !== news.notes) byId("run-notes").innerHTML = notes = news.notes;
  if (news.table !== undefined) byId("run-table").innerHTML = news.table;
  if (news.charts) {
    Object.assign(waiting, news.charts);
    drawAll();
  }
}

const ask = (what) => fetch(what, { method: "POST" }).catch(() => {});
pause?.addEventListener("click", () => ask(paused ? "continue" : "pause"));
stop?.addEventListener("click", () => ask("stop"));

const source = new EventSource("events");
source.addEventListener("message", ({ data }) => show(JSON.parse(data)));
source.addEventListener("end", () => source.close());
source.addEventListener("error", () => {
  byId("run-state").textContent = "The run can't be reached: the program that trains it has ended";
  allow(false);
});
