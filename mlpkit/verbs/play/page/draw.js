// Draws matrices, planes and curves.
"use strict";

const byId = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
const CLASSES_LIGHT = ["#c45414", "#2a5bd0", "#1d7f4e", "#8a3fb0", "#9c7a00", "#c02f6b", "#0f7f93", "#6d5b4b", "#5a6bff", "#4d7a12"];
const CLASSES_DARK = ["#ff9e5c", "#86a9ff", "#63d29a", "#d49bf2", "#e3c34f", "#ff8fb8", "#5fd3e6", "#c9b8a8", "#aab3ff", "#a9d46a"];

const classColour = (number) => (dark.matches ? CLASSES_DARK : CLASSES_LIGHT)[number % 10];

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in element && key !== "list") element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function makeSvg(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/** Return red, green and blue of a named colour of the page's style. */
function styleColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim().split(" ").map(Number);
}

let palette = null;
dark.addEventListener("change", () => (palette = null));

/** Return the colours of numbers from -127 to 127, as bytes of red, green and blue. */
function signedColours() {
  if (palette) return palette;
  const [zero, positive, negative] = ["--zero", "--positive", "--negative"].map(styleColour);
  palette = Array.from({ length: 255 }, (_, i) => {
    const share = Math.abs(i - 127) / 127, end = i < 127 ? negative : positive;
    return zero.map((from, channel) => Math.round(from + share * (end[channel] - from)));
  });
  return palette;
}

/** Return the numbers of a picture, from -127 to 127, row by row. */
function numbersOf(picture) {
  return Int8Array.from(atob(picture.data), (character) => character.charCodeAt(0));
}

function drawPicture(canvas, picture) {
  const [height, width] = picture.shape, colours = signedColours();
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  numbersOf(picture).forEach((number, i) => {
    const [red, green, blue] = colours[number + 127];
    image.data.set([red, green, blue, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
}

const PLANE_PIXELS = 480;

function mixed(colour, share, background) {
  return background.map((from, channel) => Math.round(from + share * (colour[channel] - from)));
}

const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** Draw what the network predicts on a plane, with the examples near it. */
function drawPlane(canvas, plane, classNames) {
  const rows = plane.classes ?? plane.values, side = rows.length;
  const small = document.createElement("canvas");
  Object.assign(small, { width: side, height: side });
  const context = small.getContext("2d"), image = context.createImageData(side, side);
  const background = styleColour("--zero"), signed = signedColours(), least = 1 / Math.max(2, classNames.length);
  rows.flat().forEach((value, i) => {
    let colour;
    if (plane.classes) {
      const share = (plane.shares[Math.floor(i / side)][i % side] - least) / (1 - least);
      colour = mixed(parts(classColour(value)), 0.15 + 0.6 * Math.max(0, share), background);
    } else colour = signed[Math.round(127 * value) + 127];
    image.data.set([...colour, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
  Object.assign(canvas, { width: PLANE_PIXELS, height: PLANE_PIXELS });
  const shown = canvas.getContext("2d");
  shown.imageSmoothingEnabled = true;
  shown.drawImage(small, 0, 0, PLANE_PIXELS, PLANE_PIXELS);
  const [left, right, bottom, top] = plane.ends;
  const place = (x, y) => [((x - left) / (right - left)) * PLANE_PIXELS, ((top - y) / (top - bottom)) * PLANE_PIXELS];
  plane.points.forEach(([x, y, target], i) => {
    const [across, down] = place(x, y);
    if (plane.corners[i]) return drawCorner(shown, plane.corners[i], across, down, classColour(target));
    shown.beginPath();
    shown.arc(across, down, 5.5, 0, 2 * Math.PI);
    shown.fillStyle = classNames.length ? classColour(target) : "#888";
    shown.fill();
    shown.lineWidth = 1.5;
    shown.strokeStyle = dark.matches ? "#131315" : "#ffffff";
    shown.stroke();
  });
}

const CORNER = 84;

function drawCorner(context, picture, across, down, colour) {
  const small = document.createElement("canvas");
  drawPicture(small, picture);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, across - CORNER / 2, down - CORNER / 2, CORNER, CORNER);
  context.strokeStyle = colour;
  context.lineWidth = 4;
  context.strokeRect(across - CORNER / 2, down - CORNER / 2, CORNER, CORNER);
}

const rounded = (value) => (value === null || value === undefined ? "–" : Number(value.toPrecision(3)).toString());

const CURVE = { width: 320, height: 180, left: 40, bottom: 22, top: 8 };

/** Draw a metric by step: of each kind of rows now, and, fainter, before the network was changed. */
function drawCurve(svg, metric, records, older) {
  const { width, height, left, bottom, top } = CURVE;
  const keys = ["train", "validation"].map((split) => `${split}_${metric}`);
  const all = [records, ...older.map((each) => each.records)];
  const values = all.flat().flatMap((record) => keys.map((key) => record[key])).filter(Number.isFinite);
  const least = Math.min(0, ...values), most = Math.max(...values, least + 1e-9);
  const last = Math.max(1, ...all.flat().map((record) => record.iteration));
  const x = (step) => left + ((width - left - 6) * step) / last;
  const y = (value) => height - bottom - ((height - bottom - top) * (value - least)) / (most - least);
  svg.replaceChildren(
    makeSvg("path", { class: "axis", d: `M${left} ${top} V${height - bottom} H${width - 6}` }),
    makeSvg("text", { x: left - 4, y: top + 8, "text-anchor": "end" }, rounded(most)),
    makeSvg("text", { x: left - 4, y: height - bottom, "text-anchor": "end" }, rounded(least)),
    makeSvg("text", { x: width - 6, y: height - 6, "text-anchor": "end" }, `step ${last.toLocaleString("en")}`),
  );
  const line = (rows, key, kind) => {
    const found = rows.filter((record) => Number.isFinite(record[key]));
    const d = found.map((record, i) => `${i ? "L" : "M"}${x(record.iteration).toFixed(1)} ${y(record[key]).toFixed(1)}`).join("");
    if (found.length) svg.append(makeSvg("path", { class: `${kind} ${key.split("_")[0]}`, d, "data-points": found.length }));
  };
  older.forEach((each, i) => keys.forEach((key) => line(each.records, key, `old old-${i % 4}`)));
  keys.forEach((key) => line(records, key, "now"));
  const now = records.at(-1);
  svg.setAttribute("aria-label", `${metric} by step: training ${rounded(now[keys[0]])}, validation ${rounded(now[keys[1]])} after step ${now.iteration}`);
}
