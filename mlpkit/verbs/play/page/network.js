// Draws the network: a column for its inputs and for each layer, with its units, and lines for the weights between them.
"use strict";

let structure = "";
let lastColumns = [];

/** Show the columns; elements stay as long as layers and units do, so that focus and pointer stay where they are. */
function showNetwork(spec, columns, actions) {
  const now = JSON.stringify([spec.layers.map(({ name, line }) => [name, line]), columns.map(({ path, units }) => [path, units.map(({ unit }) => unit)])]);
  if (now !== structure) {
    const focused = document.activeElement?.dataset?.place;
    byId("network").replaceChildren(byId("lines"), ...columns.map((column, i) => columnOf(spec, column, i, actions)), lossOf(spec, actions));
    byId("choices").replaceChildren(...spec.choices.map((value) => make("option", { value })));
    structure = now;
    if (focused) document.querySelector(`[data-place="${CSS.escape(focused)}"]`)?.focus();
  }
  columns.forEach((column, i) =>
    column.units.forEach(({ picture }, j) => drawPicture(document.querySelector(`[data-canvas="${i}-${j}"]`), picture)),
  );
  lastColumns = columns;
  drawLines();
}

const shapeText = (shape) => (shape.length ? shape.join(" × ") : "1");

function columnOf(spec, column, i, actions) {
  const layer = spec.layers[i - 1];
  const title = make("h3", { textContent: layer ? layer.name : "Inputs" });
  const units = make("div", { className: "units" }, ...column.units.map(({ unit }, j) => unitOf(column, layer, i, j, unit, actions)));
  const facts = make("p", { className: "hint", textContent: layer ? `${shapeText(column.shape)}${layer.parameters ? `, ${layer.parameters.toLocaleString("en")} weights` : ""}` : shapeText(column.shape) });
  const hidden = column.count - column.units.length;
  const more = make("p", { className: "hint", textContent: hidden > 0 ? `and ${hidden} more` : "" });
  return make("div", { className: "column" }, title, facts, units, more, layer ? editOf(spec, layer, i - 1, actions) : "");
}

function unitOf(column, layer, i, j, unit, actions) {
  const name = layer ? `${layer.name}, unit ${unit + 1}` : (column.names?.[j] ?? `input ${unit + 1}`);
  const canvas = make("canvas", { width: 20, height: 20 });
  canvas.dataset.canvas = `${i}-${j}`;
  const caption = layer ? "" : make("span", { textContent: column.names?.[j] ?? "" });
  const element = layer ? make("button", { type: "button", className: "node", title: name }, canvas) : make("div", { className: "node" }, canvas, caption);
  element.dataset.node = `${i}-${j}`;
  if (!layer) return element;
  element.dataset.place = `${layer.name}/${unit}`;
  element.setAttribute("aria-label", name);
  const look = () => (highlight(i, j), actions.look([layer.name, unit]));
  element.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && look());
  element.addEventListener("pointerleave", () => highlight());
  element.addEventListener("focus", look);
  element.addEventListener("blur", () => highlight());
  element.addEventListener("click", look);
  return element;
}

/** Return what changes a layer: its line in the spec, fewer or more units, and buttons to remove it or add another. */
function editOf(spec, layer, position, actions) {
  const line = make("input", { type: "text", value: layer.line, spellcheck: false });
  line.setAttribute("list", "choices");
  line.setAttribute("aria-label", `${layer.name} as in the spec`);
  line.addEventListener("change", () => line.value !== layer.line && actions.layer(position, line.value));
  const button = (text, label, act) => {
    const element = make("button", { type: "button", textContent: text, title: label });
    element.setAttribute("aria-label", label);
    element.dataset.place = label;
    element.addEventListener("click", act);
    return element;
  };
  const units = spec.knobs.find((knob) => knob.group === layer.name && knob.integer);
  const less = units && button("−", `Fewer ${units.label} in ${layer.name}`, () => actions.set(units.key, units.value - 1));
  const more = units && button("+", `More ${units.label} in ${layer.name}`, () => actions.set(units.key, units.value + 1));
  const remove = button("Remove", `Remove ${layer.name}`, () => actions.layer(position, null));
  const add = button("Add", `Add a layer after ${layer.name}`, () => actions.layer(position + 1, "Relu", true));
  const count = units ? [make("div", { className: "count" }, less, make("span", { textContent: units.value, title: units.label }), more)] : [];
  const change = make("details", {}, make("summary", { textContent: "Edit" }), line, make("div", { className: "count" }, add, remove));
  return make("div", { className: "edit" }, ...count, change);
}

function lossOf(spec, actions) {
  const position = spec.layers.length - 1, layer = spec.layers[position];
  const line = make("input", { type: "text", value: layer.line, spellcheck: false });
  line.setAttribute("aria-label", "Loss as in the spec");
  line.addEventListener("change", () => line.value !== layer.line && actions.layer(position, line.value));
  return make("div", { className: "column loss" }, make("h3", { textContent: "Loss" }), make("p", { className: "hint", textContent: `${layer.type}, compared with the target` }), make("div", { className: "edit" }, make("details", {}, make("summary", { textContent: "Edit" }), line)));
}

let highlighted = null;

function highlight(column, unit) {
  highlighted = column === undefined ? null : [column, unit];
  drawLines();
}

/** Draw the lines, thicker and clearer the larger the weight is; a layer without weights passes on unit by unit. */
function drawLines() {
  const network = byId("network"), svg = byId("lines"), frame = network.getBoundingClientRect();
  svg.setAttribute("width", network.scrollWidth);
  svg.setAttribute("height", network.scrollHeight);
  const box = (i, j) => document.querySelector(`[data-node="${i}-${j}"] canvas`)?.getBoundingClientRect();
  const paths = [];
  lastColumns.forEach((column, i) => {
    if (!i) return;
    const before = lastColumns[i - 1], weights = column.lines && numbersOf(column.lines);
    column.units.forEach((_, j) =>
      before.units.forEach((_, k) => {
        if (!weights && (column.count !== before.count || j !== k)) return;
        const from = box(i - 1, k), to = box(i, j);
        if (!from || !to) return;
        const x = [from.right - frame.left, to.left - frame.left], y = [from, to].map((each) => (each.top + each.bottom) / 2 - frame.top);
        const weight = weights ? (weights[j * before.units.length + k] / 127) * column.lines.scale : 0;
        const middle = (x[0] + x[1]) / 2, near = !highlighted || (highlighted[0] === i && highlighted[1] === j);
        const kind = weights ? (weight < 0 ? "negative" : "positive") : "same";
        paths.push(makeSvg("path", {
          class: kind,
          d: `M${x[0]} ${y[0]} C${middle} ${y[0]} ${middle} ${y[1]} ${x[1]} ${y[1]}`,
          "stroke-width": weights ? (0.4 + 4.6 * Math.abs(weight)).toFixed(2) : 1,
          opacity: near ? (weights ? (0.25 + 0.75 * Math.abs(weight)).toFixed(2) : 0.5) : 0.06,
        }));
      }),
    );
  });
  svg.replaceChildren(...paths);
}

byId("network").addEventListener("toggle", drawLines, true);
new ResizeObserver(drawLines).observe(byId("network"));

const SHOWN_WEIGHTS = 8;
let shownUnit = "";

/** Show the weights that come into a unit, each with a slider, or one after the other if there are many. */
function showUnit(unit, actions) {
  byId("unit").hidden = !unit?.weights.length;
  if (!unit?.weights.length) return void (shownUnit = "");
  const name = `${unit.path}, unit ${unit.unit + 1}`;
  showImageOfWeights(unit);
  const many = unit.weights.length > SHOWN_WEIGHTS;
  const now = `${name} ${unit.weights.length}`;
  if (now !== shownUnit) {
    shownUnit = now;
    byId("unit-name").textContent = `${name}: weights`;
    const count = many ? 1 : unit.weights.length;
    const rows = Array.from({ length: count }, (_, i) => weightRow(i, actions));
    const choice = many ? [make("label", {}, "Weight ", make("select", { id: "which" }, ...unit.weights.map(({ label }, i) => make("option", { value: i, textContent: label }))))] : [];
    byId("unit-weights").replaceChildren(...choice, ...rows);
    byId("which")?.addEventListener("change", () => fillRow(0, unitNow.weights[byId("which").value]));
  }
  unitNow = unit;
  if (many) fillRow(0, unit.weights[byId("which").value]);
  else unit.weights.forEach((weight, i) => fillRow(i, weight));
}

let unitNow = null;

function weightRow(i, actions) {
  const slider = make("input", { type: "range", min: -3, max: 3, step: 0.01 });
  const output = make("output");
  slider.addEventListener("input", () => {
    const weight = unitNow.weights[byId("which")?.value ?? i];
    actions.weight(weight.parameter, weight.index, Number(slider.value));
  });
  const label = make("label", {}, make("span"), slider);
  return make("div", { className: "weight", id: `weight-${i}` }, label, output);
}

function fillRow(i, weight) {
  const row = byId(`weight-${i}`), slider = row.querySelector("input");
  row.querySelector("span").textContent = weight.label;
  const end = Math.max(3, Math.ceil(1.5 * Math.abs(weight.value)));
  if (document.activeElement !== slider) Object.assign(slider, { min: -end, max: end, value: weight.value });
  slider.setAttribute("aria-valuetext", weight.value.toPrecision(3));
  row.querySelector("output").textContent = weight.value.toFixed(3);
  row.classList.toggle("negative", weight.value < 0);
}

function showImageOfWeights(unit) {
  const canvas = byId("unit-picture"), [height, width] = unit.image;
  const weights = unit.weights.filter(({ parameter }) => parameter === unit.weights[0].parameter);
  canvas.hidden = weights.length !== height * width;
  if (canvas.hidden) return;
  const scale = Math.max(...weights.map(({ value }) => Math.abs(value))) || 1;
  const bytes = String.fromCharCode(...weights.map(({ value }) => (Math.round((127 * value) / scale) + 256) % 256));
  drawPicture(canvas, { shape: [height, width], data: btoa(bytes) });
}
