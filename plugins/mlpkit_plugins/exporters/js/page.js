// The page of a model: its inputs, its prediction, and the outputs of its layers.

/** The width of the pen and the size of a digit as in MNIST, as shares of an image's height. */
const PEN = 0.1, BOX = 20 / 28;

/** The largest factor by which a small drawing is enlarged. */
const LARGEST_SCALE = 4;

/** The most classes that are shown, the most probable ones. */
const MOST_CLASSES = 12;

/** Decompresses numbers whose bytes are grouped by position: all first bytes, then all second bytes, ... */
async function inflated(base64) {
  const stream = new Blob([fromBase64(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer()), count = planes.length / 4;
  return planes.map((_, i) => planes[(i % 4) * count + Math.floor(i / 4)]);
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The least and the greatest of some numbers. */
function range(values) {
  return values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
}

/** A number in a readable form. */
function written(v, digits = 3) {
  const isPlain = v === 0 || (Math.abs(v) >= 1e-3 && Math.abs(v) < 1e7);
  const text = isPlain ? v.toLocaleString("en", { maximumSignificantDigits: digits }) : v.toExponential(2);
  return text.replaceAll("-", "−");
}

/** The ink of each pixel, 0 to 1, for the strokes of a pen. Pixel (x, y) has its centre at (x, y). */
function inked(strokes, pen, { height, width }) {
  const segments = strokes.flatMap((stroke) => stroke.map((point, i) => [stroke[Math.max(i - 1, 0)], point]));
  return Float64Array.from({ length: height * width }, (_, i) => {
    const x = i % width, y = Math.floor(i / width);
    const distances = segments.map(([[ax, ay], [bx, by]]) => {
      const square = (bx - ax) ** 2 + (by - ay) ** 2;
      const t = square ? clamped(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square, 0, 1) : 0;
      return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
    });
    return clamped(pen / 2 + 0.5 - Math.min(...distances), 0, 1);
  });
}

/** Strokes as in MNIST's images: scaled to 20 of 28 pixels, with the centre of mass in the middle. */
function drawn(strokes, { height, width }) {
  const [[left, right], [top, bottom]] = [0, 1].map((axis) => range(strokes.flat().map((point) => point[axis])));
  const pen = PEN * height, extent = Math.max(right - left, bottom - top);
  const scale = Math.min((BOX * height - pen) / extent, LARGEST_SCALE * height);
  const at = (x, y) => strokes.map((stroke) => stroke.map((point) => [
    (point[0] - (left + right) / 2) * scale + x, (point[1] - (top + bottom) / 2) * scale + y,
  ]));
  const ink = inked(at(width / 2, height / 2), pen, { height, width }), mass = ink.reduce(add, 0);
  const x = ink.reduce((sum, v, i) => sum + v * (i % width), 0) / mass;
  const y = ink.reduce((sum, v, i) => sum + v * Math.floor(i / width), 0) / mass;
  return inked(at(width - x, height - y), pen, { height, width });
}

/** Height and width of an input's grey images; null for another input. */
function imageShape({ kind, shape }) {
  if (kind !== "pixels") return null;
  const side = Math.sqrt(sizeOf(shape));
  const [height, width] = shape.length === 1 ? [side, side] : shape.filter((n) => n !== 1);
  return height * width === sizeOf(shape) && Number.isInteger(height) ? { height, width } : null;
}

/** Paints strokes, and the pen that keys move. Points are in heights of the canvas. */
function paintDrawing(canvas, { strokes, pen }) {
  const context = canvas.getContext("2d"), { width, height } = canvas;
  context.setTransform(height, 0, 0, height, 0, 0);
  context.clearRect(0, 0, width / height, 1);
  context.strokeStyle = getComputedStyle(canvas).color;
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = 0.07;
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo(stroke[0][0] - 1e-4, stroke[0][1]);
    stroke.forEach(([x, y]) => context.lineTo(x, y));
    context.stroke();
  }
  if (!pen.isShown) return;
  context.lineWidth = 0.008;
  context.beginPath();
  context.arc(pen.x, pen.y, 0.035, 0, 2 * Math.PI);
  context.stroke();
}

/** Draws with mouse, pen or finger. */
function followPointer(canvas, drawing, changed) {
  const pointOf = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.height, (event.clientY - box.top) / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    drawing.pen.isShown = drawing.pen.isDown = false;
    drawing.strokes.push([pointOf(event)]);
    changed();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.isPrimary || !canvas.hasPointerCapture(event.pointerId)) return;
    const seen = event.getCoalescedEvents?.() ?? [];
    drawing.strokes.at(-1)?.push(...(seen.length ? seen : [event]).map(pointOf));
    changed();
  });
}

/** Draws with keys: arrows move the pen, Space lowers or lifts it, Delete clears. */
function followKeys(canvas, drawing, changed, erase) {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const { pen } = drawing;
  canvas.addEventListener("keydown", (event) => {
    if (event.key in steps) {
      const [right, down] = steps[event.key];
      pen.x = clamped(pen.x + right / 32, 0, canvas.width / canvas.height);
      pen.y = clamped(pen.y + down / 32, 0, 1);
      if (pen.isDown) drawing.strokes.at(-1)?.push([pen.x, pen.y]);
    } else if (event.key === " ") {
      pen.isDown = !pen.isDown;
      if (pen.isDown) drawing.strokes.push([[pen.x, pen.y]]);
    } else if (["Delete", "Backspace", "Escape"].includes(event.key)) erase();
    else return;
    event.preventDefault();
    pen.isShown = true;
    changed();
  });
  canvas.addEventListener("blur", () => {
    pen.isShown = pen.isDown = false;
    changed();
  });
}

/** A canvas to draw on. `onChange` gets an image, or null if nothing is drawn. */
function drawingPad(shape, onChange) {
  const aspect = shape.width / shape.height, height = 560;
  const label = "Drawing. Arrow keys move the pen, Space lowers or lifts it, Delete clears.";
  const canvas = element("canvas", {
    class: "pad", width: height * aspect, height, tabindex: 0, role: "application", "aria-label": label,
  });
  const clear = element("button", { type: "button" }, "Clear");
  const help = element("small", {}, "Draw here; or move with arrow keys, Space lowers the pen.");
  const drawing = { strokes: [], pen: { x: aspect / 2, y: 0.5, isDown: false, isShown: false } };
  const paint = () => paintDrawing(canvas, drawing);
  let isWaiting = false;
  function changed() {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      paint();
      onChange(drawing.strokes.length ? drawn(drawing.strokes, shape) : null);
    });
  }
  function erase() {
    drawing.strokes = [];
    drawing.pen.isDown = false;
    changed();
  }
  followPointer(canvas, drawing, changed);
  followKeys(canvas, drawing, changed, erase);
  clear.addEventListener("click", erase);
  return { parts: [canvas, element("div", { class: "below" }, clear, help)], paint, start: () => onChange(null) };
}

/** A control for an image file, which is scaled to the size of the images. `onChange` gets its pixels in colour. */
function pictureInput([, height, width], onChange) {
  const canvas = element("canvas", { width, height, class: "pad", role: "img", "aria-label": "The picture" });
  const file = element("input", { type: "file", accept: "image/*" });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  file.addEventListener("change", async () => {
    if (!file.files?.[0]) return onChange(null);
    context.drawImage(await createImageBitmap(file.files[0]), 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    onChange([0, 1, 2].flatMap((channel) => Array.from({ length: height * width }, (_, i) => data[4 * i + channel])));
  });
  const parts = [canvas, element("label", {}, "Picture", file)];
  return { parts, paint: () => undefined, start: () => onChange(null) };
}

/**
 * @typedef {object} Field the data of a control
 * @property {any} start a value that occurs in the data, for each element
 * @property {number} [step] seconds between dates: a day, a minute or a second
 * @property {boolean} [isTruth] whether its only values are 0 and 1
 */

/** A date in the format of controls, from seconds since 1970; with the time if the input has one. */
function moment(seconds, step) {
  return new Date(seconds * 1000).toISOString().slice(0, step === 86400 ? 10 : step === 60 ? 16 : 19);
}

/** The value of a control: null if it is empty, and its text if that is invalid. */
function held({ value, validity }, expected, read) {
  if (validity.badInput) return `not ${expected}`;
  return value === "" ? null : read(value);
}

function selectOf(pairs, start) {
  const options = [...pairs, ["", "missing"]].map(([value, text]) => element("option", { value }, text));
  const control = element("select", {}, ...options);
  control.value = start ?? "";
  return control;
}

/** A control for an input of a table, and a function that reads its value. */
function controlOf(input) {
  const { start, step, isTruth } = FIELDS[input.name];
  if (input.shape.length) {
    const control = element("textarea", { rows: 4, spellcheck: "false" }, flat(start).join(" "));
    return { control, read: () => control.value.split(/[\s,;]+/).filter(Boolean).map(Number), isWide: true };
  }
  if (input.kind === "category" && input.choices.length) {
    const control = selectOf(input.choices.map((choice) => [choice, choice]), start);
    return { control, read: () => control.value };
  }
  if (input.dtype === "str") {
    const control = element("input", { type: "text", placeholder: "missing" });
    return { control, read: () => control.value };
  }
  if (isTruth) {
    const control = selectOf([["1", "1 (yes)"], ["0", "0 (no)"]], start);
    return { control, read: () => held(control, "", Number) };
  }
  if (input.kind === "date") {
    const isDay = step === 86400, value = start === null ? "" : moment(start, step);
    const control = element("input", { type: isDay ? "date" : "datetime-local", ...(isDay ? {} : { step }), value });
    return { control, read: () => held(control, "a whole date", String) };
  }
  const control = element("input", { type: "number", step: "any", value: start ?? "", placeholder: "missing" });
  return { control, read: () => held(control, "a number", Number) };
}

/** A short description of an input. */
function hintOf({ name, kind, shape, choices, extent, meaning }) {
  const { step, isTruth } = FIELDS[name];
  if (shape.length) return `${sizeOf(shape)} numbers`;
  if (choices.length || isTruth || (!extent && kind === "date")) return "";
  if (!extent) return meaning;
  const shown = kind === "date" ? (v) => moment(v, step).replace("T", " ") : (v) => written(v, 5);
  return `${extent.map(shown).join(" to ")} in training`;
}

/** A form for the inputs of a table. `onChange` gets a row. */
function inputForm(inputs, onChange) {
  const form = element("form"), controls = inputs.map(controlOf);
  inputs.forEach((input, i) => {
    const { control, isWide } = controls[i], hint = element("small", {}, hintOf(input));
    form.append(element("label", { class: isWide ? "wide" : "" }, input.name, control, hint));
  });
  const changed = () => onChange(Object.fromEntries(inputs.map((input, i) => [input.name, controls[i].read()])));
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  return { parts: [form], paint: () => undefined, start: changed };
}

/** Numbers in words, each with the name of its target if there are several. */
function numbersInWords(values, targets) {
  const numbers = values.map((v) => written(v, 5));
  if (!targets || targets.length === 1) return numbers.join(", ");
  return targets.map((name, i) => `${name}: ${numbers[i]}`).join("\n");
}

/** A prediction in words: a class, the labels that hold, or numbers. */
function inWords({ label, value, prediction }, names, targets) {
  if (label === undefined) return numbersInWords([value ?? prediction].flat(), targets);
  return Array.isArray(label) ? names.filter((_, i) => label[i]).join(", ") || "none" : String(label);
}

/** What holds the target with the probability that was asked for: intervals, or the classes of a set. */
function regionInWords({ low, high, set }, names, targets, share) {
  const hold = `like this hold ${+(100 * share).toFixed(6)} % of the targets`;
  if (set) return `Sets ${hold}: ${names.filter((_, i) => set[i]).join(", ")}`;
  const ends = [high].flat().map((end, i) => `${written([low].flat()[i], 5)} to ${written(end, 5)}`);
  return `Intervals ${hold}: ${(ends.length === 1 ? ends : ends.map((text, i) => `${targets?.[i] ?? i} ${text}`)).join(", ")}`;
}

/** The meaning of predicted numbers, in words. */
function unitOf(targets) {
  return targets.length === 1 ? `${targets[0]}, in the unit of its column` : "each in the unit of its target";
}

/** The prediction, in words and as bars. Returns a function that shows a prediction, or none for null. */
function predictionView(model, place) {
  const output = element("output"), list = element("ul"), hasBars = "probabilities" in model.outputs;
  const names = hasBars ? (model.classes ?? model.targets).map(String) : [];
  const region = element("p");
  place.append(output, ...(model.coverage ? [region] : []), list);
  if ("value" in model.outputs && model.targets) list.before(element("p", {}, unitOf(model.targets)));
  if (names.some((name) => name.length > 4)) list.classList.add("named");
  return (prediction) => {
    output.textContent = prediction ? inWords(prediction, names, model.targets) : "–";
    output.classList.toggle("long", output.textContent.length > 12);
    if (model.coverage) region.textContent = prediction ? regionInWords(prediction, names, model.targets, model.coverage) : "";
    const shares = prediction?.probabilities ?? names.map(() => 0), order = [...names.keys()];
    if (order.length > MOST_CLASSES) order.sort((a, b) => shares[b] - shares[a]).splice(MOST_CLASSES);
    list.replaceChildren(...order.map((i) => {
      const part = element("i", { style: `width: ${100 * shares[i]}%` });
      const bar = element("div", { class: "bar", "aria-hidden": "true" }, part);
      const share = prediction ? `${(100 * shares[i]).toFixed(1)} %` : "";
      const parts = [element("span", {}, names[i]), bar, element("span", {}, share)];
      return element("li", prediction && String(prediction.label) === names[i] ? { class: "best" } : {}, ...parts);
    }));
  };
}

/** The layout of a layer's numbers as tiles of rows and columns. */
function layoutOf(shape, image) {
  const [columns, rows, tiles] = [...shape].reverse(), n = sizeOf(shape);
  const wide = tiles > 8 ? 48 : tiles > 1 ? 84 : 140;
  if (rows) return { tiles: tiles ?? 1, rows, columns, pitch: clamped(Math.floor(wide / columns), 2, 6), gap: 0 };
  if (image?.height * image?.width === n) return layoutOf([image.height, image.width], image);
  const across = Math.ceil(n / Math.ceil(n / 32)), pitch = clamped(Math.floor(300 / across), 4, 12);
  return { tiles: 1, rows: Math.ceil(n / across), columns: across, pitch, gap: 1 };
}

/** Red, green and blue of a colour of the page. */
function colourOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim().split(" ").map(Number);
}

/** Draws the numbers of a layer: blue above zero, orange below. */
function paintNumbers(canvas, values, { tiles, rows, columns, pitch, gap }) {
  const across = clamped(Math.floor(320 / ((columns + 1) * pitch)), 1, tiles), down = Math.ceil(tiles / across);
  const [width, height] = [across * (columns + 1) - 1, down * (rows + 1) - 1].map((cells) => cells * pitch - gap);
  const context = canvas.getContext("2d"), dots = devicePixelRatio;
  const [zero, positive, negative] = ["--zero", "--positive", "--negative"].map(colourOf);
  Object.assign(canvas, { width: width * dots, height: height * dots });
  canvas.style.width = `${width}px`;
  context.scale(dots, dots);
  const largest = Math.max(...range(values).map(Math.abs)) || 1;
  values.forEach((v, i) => {
    const tile = Math.floor(i / (rows * columns)), inTile = i % (rows * columns), end = v < 0 ? negative : positive;
    const x = (tile % across) * (columns + 1) + (inTile % columns);
    const y = Math.floor(tile / across) * (rows + 1) + Math.floor(inTile / columns);
    context.fillStyle = `rgb(${zero.map((from, c) => from + ((end[c] - from) * Math.abs(v)) / largest).join(" ")})`;
    context.fillRect(x * pitch, y * pitch, pitch - gap, pitch - gap);
  });
}

/** The outputs of layers, as pictures. Returns a function that shows their values. */
function layersView(layers, image, place) {
  const figures = layers.map(([name, { shape }]) => {
    const canvas = element("canvas", { role: "img" }), facts = element("span");
    place.append(element("figure", {}, canvas, element("figcaption", {}, element("b", {}, name), " ", facts)));
    return { name, canvas, facts, lengths: shape.slice(1), layout: layoutOf(shape.slice(1), image) };
  });
  return (tensors) => figures.forEach(({ name, canvas, facts, lengths, layout }, i) => {
    const values = tensors ? Array.from(tensors[i].data) : Array(sizeOf(lengths)).fill(0);
    const size = lengths.join(" × "), ends = tensors ? `, ${range(values).map((v) => written(v)).join(" to ")}` : "";
    facts.textContent = `${size}${ends}`;
    canvas.setAttribute("aria-label", `${name}: ${size} numbers${ends}`);
    paintNumbers(canvas, values, layout);
  });
}

/** The layers that don't just reshape the numbers of the layer before. */
function layersToShow(model, blank) {
  const found = model.compute(blank, model.layers.map(([, value]) => value));
  const pairs = model.layers.map(([name, value], i) => ({ name, value, tensor: found[i] }));
  return pairs.filter(({ tensor }, i) => i === 0 || tensor.data !== pairs[i - 1].tensor.data);
}

/** The controls for the inputs. */
function viewOf(inputs, image, onChange) {
  const [{ kind, shape }] = inputs;
  if (image) return drawingPad(image, (ink) => onChange(ink && ink.map((v) => Math.round(255 * v))));
  const isColoured = inputs.length === 1 && kind === "pixels" && shape.length === 3 && shape[0] === 3;
  return isColoured ? pictureInput(shape, onChange) : inputForm(inputs, onChange);
}

/** @param {Model} model @param {any} main */
function show(model, main) {
  const [input, prediction, layers] = ["#input", "#prediction", "#layers"].map((id) => main.querySelector(id));
  const blank = Object.fromEntries(model.inputs.map(({ name, dtype, shape }) => {
    const zeros = tensor(dtype, [1, ...shape]);
    return [name, dtype === "str" ? { ...zeros, data: zeros.data.fill("") } : zeros];
  }));
  const image = model.inputs.length === 1 ? imageShape(model.inputs[0]) : null, shown = layersToShow(model, blank);
  const error = element("p", { class: "error", role: "alert" });
  const showPrediction = predictionView(model, prediction);
  const showLayers = layersView(shown.map(({ name, tensor }) => [name, tensor]), image, layers);
  let last = null;

  function update(row) {
    last = row;
    error.textContent = "";
    try {
      showPrediction(row && model.predict([row])[0]);
      showLayers(row && model.compute(model.feeds([row]), shown.map(({ value }) => value)));
    } catch (/** @type {any} */ problem) {
      error.textContent = problem.message;
      showPrediction(null);
      showLayers(null);
    }
  }

  const view = viewOf(model.inputs, image, update);
  input.append(...view.parts, error);
  view.start();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    view.paint();
    update(last);
  });
}

const main = globalThis.document?.querySelector("main");
if (main) show(model, main);
