// Sends the spec to the worker, and draws what it tells.
const WIDTH = 400, HEIGHT = 160, LEFT = 44, BOTTOM = 20;
const [spec, button, progress, state, charts, evaluations] = ["spec", "train", "progress", "state", "charts", "evaluations"].map(
  (id) => document.getElementById(id),
);
const { pyodide, wheel } = document.documentElement.dataset;
const absolute = (address) => new URL(address, document.baseURI).href;
const worker = new Worker("worker.js", { type: "module" });
let records = [];

button.onclick = () => {
  records = [];
  show();
  button.disabled = true;
  progress.removeAttribute("value");
  state.textContent = "Loading Python: 15 MB for the first time.";
  worker.postMessage({ spec: spec.value, pyodide: absolute(pyodide), wheel: absolute(wheel) });
};

worker.onmessage = ({ data }) => {
  if (data.step) {
    if (data.of) progress.value = data.step / data.of;
    state.textContent = `Step ${data.step.toLocaleString()}${data.of ? ` of ${data.of.toLocaleString()}` : ""}`;
  } else if (data.record) {
    records.push(data.record);
    show();
  } else {
    button.disabled = false;
    progress.value = data.error ? 0 : 1;
    const error = document.createElement("pre");
    error.textContent = data.error;
    state.replaceChildren(data.error ? error : `Done: ${described(data.metrics)}`);
  }
};

worker.onerror = (error) => {
  button.disabled = false;
  state.textContent = `The page could not start Python: ${error.message}`;
};

const rounded = (value) => value.toPrecision(3);

const described = (metrics) =>
  Object.entries(metrics)
    .map(([split, values]) => {
      const numbers = Object.entries(values).filter(([, value]) => typeof value === "number");
      return `${split} ${numbers.map(([name, value]) => `${name} ${rounded(value)}`).join(", ")}`;
    })
    .join("; ");

// Shows all evaluations, as curves and as a table: a chart for each metric, with a line for each split.
function show() {
  const keys = records.length ? Object.keys(records[0]).filter((key) => /^(train|validation)_/.test(key)) : [];
  const metrics = [...new Set(keys.map((key) => key.replace(/^[^_]*_/, "")))];
  charts.replaceChildren(...metrics.map((metric) => chart(metric, keys.filter((key) => key.endsWith(`_${metric}`)))));
  evaluations.replaceChildren(row("th", ["iteration", ...keys.map((key) => key.replaceAll("_", " "))]));
  for (const record of records.toReversed())
    evaluations.append(row("td", [record.iteration, ...keys.map((key) => rounded(record[key]))]));
  if (!keys.length) evaluations.replaceChildren();
}

function row(kind, texts) {
  const line = document.createElement("tr");
  for (const text of texts) line.append(Object.assign(document.createElement(kind), { textContent: text }));
  return line;
}

function svg(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

function chart(metric, keys) {
  const values = records.flatMap((record) => keys.map((key) => record[key]));
  const least = Math.min(0, ...values), most = Math.max(...values), last = records.at(-1).iteration;
  const x = (iteration) => LEFT + ((WIDTH - LEFT) * iteration) / last;
  const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - 8) * (value - least)) / (most - least || 1);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${metric} by iteration` });
  picture.append(
    svg("path", { class: "axis", d: `M${LEFT} 4 V${HEIGHT - BOTTOM} H${WIDTH}` }),
    svg("text", { x: LEFT - 4, y: y(most) + 4, "text-anchor": "end" }, rounded(most)),
    svg("text", { x: LEFT - 4, y: y(least), "text-anchor": "end" }, rounded(least)),
    svg("text", { x: WIDTH, y: HEIGHT - 4, "text-anchor": "end" }, `iteration ${last}`),
    svg("text", { x: LEFT + 4, y: HEIGHT - 4 }, `${metric}: training solid, validation dashed`),
  );
  for (const key of keys) {
    const line = records.map((record, i) => `${i ? "L" : "M"}${x(record.iteration)} ${y(record[key])}`).join(" ");
    const split = key.startsWith("train_") ? "train" : "validation";
    picture.append(svg("path", { class: `${metric === "loss" ? "loss" : "accuracy"} ${split}`, "data-key": key, d: line }));
  }
  return picture;
}
