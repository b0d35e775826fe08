// Sends what the visitor does, trains while that is wanted, and shows each answer.
"use strict";

const ask = connect(tell);
let spec = null, now = null, running = false, busy = false, timer = null, table = null;
const waiting = []; // messages; a later one with the same name takes the place of an earlier one

function tell(text, over = false) {
  byId("status").textContent = text;
  if (over) running = false;
}

/** Send a message once those before it are answered. */
function send(message, name = "") {
  const place = name ? waiting.findIndex((each) => each.name === name) : -1;
  if (place >= 0) waiting[place].message = message;
  else waiting.push({ message, name });
  work();
}

async function work() {
  if (busy) return;
  const [steps, pause] = byId("speed").value.split(",").map(Number);
  if (!waiting.length && !running) return;
  busy = true;
  clearTimeout(timer);
  const message = waiting.shift()?.message ?? { do: "train", steps };
  try {
    show(await ask({ ...message, version: spec?.version }), message);
  } catch (error) {
    running = false;
    tell(String(error.message ?? error), true);
  }
  busy = false;
  if (waiting.length) work();
  else if (running) timer = setTimeout(work, pause);
  showButtons();
}

const actions = {
  set: (key, value) => send({ do: "set", key, value }, key),
  weight: (parameter, index, value) => send({ do: "weight", parameter, index, value }, "weight"),
  layer: (position, line, insert = false) => send({ do: "layer", position, line, insert }),
  look: (unit) => send({ do: "look", unit }, "unit"),
};

function show(answer, message) {
  now = answer.now;
  if (answer.spec) showSpec(answer.spec);
  showProblems(answer.problems);
  if (answer.problems.length) running = false;
  if (message.do === "table" && table) tableTaken();
  if (answer.saved) byId("saved").textContent = `Saved as ${answer.saved}`;
  showFigures();
  showNetwork(spec, now.columns, actions);
  showUnit(now.unit, actions);
  showPlane();
  showCurve();
  showFlow();
  showExamples();
  const done = now.total !== null && now.step >= now.total;
  if (done) running = false;
  tell(done ? `All steps of the spec are done; raise its ${spec.knobs.find(({ key }) => /^training\.(iterations|epochs)$/.test(key)).label} to continue` : running ? "Training" : now.step ? "Paused" : "Ready");
  showButtons();
}

function showButtons() {
  const done = now && now.total !== null && now.step >= now.total;
  byId("run").textContent = running ? "Pause" : "Train";
  byId("run").disabled = byId("step").disabled = !now || done;
  byId("back").disabled = !now || now.step <= now.first;
  byId("restart").disabled = !now;
}

function showSpec(given) {
  spec = given;
  byId("name").textContent = spec.name;
  document.title = `${spec.name} – mlpkit playground`;
  if (document.activeElement !== byId("text")) byId("text").value = spec.text;
  byId("save").hidden = !spec.saves;
  byId("download").href = `data:application/yaml;charset=utf-8,${encodeURIComponent(spec.text)}`;
  byId("download").download = `${spec.name}.yaml`;
  byId("saved").textContent = "";
  const sizes = Object.entries(spec.sizes).map(([split, rows]) => `${rows.toLocaleString("en")} ${split}`).join(", ");
  byId("about-data").textContent = `${sizes} examples of shape ${shapeText(spec.input_shape)}`;
  showKnobs(spec, actions);
  for (const [id, place] of [["across", 0], ["up", 1]]) {
    const select = byId(id), before = select.value;
    select.replaceChildren(...spec.axes.map((axis) => make("option", { value: axis, textContent: axis })));
    select.value = spec.axes.includes(before) ? before : (spec.axes[place] ?? spec.axes[0] ?? "");
  }
  byId("axes").hidden = spec.axes.length < 3;
}

function showProblems(problems) {
  byId("problems").replaceChildren(
    ...problems.map(({ file, line, column, message, expected, help, notes }) => {
      const place = line ? `${file}:${line}:${column}: ` : "";
      return make("pre", { textContent: [`${place}${message}`, expected && `expected: ${expected}`, help && `help: ${help}`, ...notes].filter(Boolean).join("\n") });
    }),
  );
}

function showFigures() {
  const last = now.records.at(-1);
  byId("at-step").textContent = now.step.toLocaleString("en") + (now.total ? ` of ${now.total.toLocaleString("en")}` : "");
  byId("at-epoch").textContent = rounded(now.epoch);
  byId("at-train").textContent = rounded(last.train_loss);
  byId("at-validation").textContent = rounded(last.validation_loss);
  const metrics = [...new Set(Object.keys(last).filter((key) => /^(train|validation)_/.test(key)).map((key) => key.replace(/^[^_]*_/, "")))];
  const select = byId("metric");
  if (select.options.length !== metrics.length) select.replaceChildren(...metrics.map((value) => make("option", { value, textContent: value })));
}

function showPlane() {
  const canvas = byId("plane"), plane = now.plane;
  canvas.hidden = !plane;
  if (!plane) return;
  const names = plane.classes ? spec.classes : spec.classes.length === 2 ? spec.classes : [];
  drawPlane(canvas, plane, names);
  const over = plane.across.length ? `${plane.across[0]} (across, ${rounded(plane.ends[0])} to ${rounded(plane.ends[1])}) and ${plane.up[0]} (up, ${rounded(plane.ends[2])} to ${rounded(plane.ends[3])})` : "the plane through three examples";
  const counts = plane.classes ? names.map((name, i) => [name, plane.classes.flat().filter((each) => each === i).length]) : [];
  const shares = counts.filter(([, count]) => count).map(([name, count]) => `${name} ${Math.round((100 * count) / plane.classes.flat().length)} %`);
  canvas.setAttribute("aria-label", `What the network predicts over ${over}${shares.length ? `: ${shares.join(", ")}` : ""}`);
  const key = JSON.stringify([names, dark.matches]);
  if (byId("classes").dataset.key === key) return;
  byId("classes").dataset.key = key;
  byId("classes").replaceChildren(
    ...names.map((name, i) => {
      const swatch = make("span", { className: "swatch" });
      swatch.style.background = classColour(i);
      return make("li", {}, swatch, name);
    }),
  );
}

function showCurve() {
  drawCurve(byId("curve"), byId("metric").value || "loss", now.records, spec.older);
  const items = [["now", "now: training solid, validation dashed"], ...spec.older.map((each, i) => [`old old-${i % 4}`, `before: ${each.label}`])];
  const key = JSON.stringify(items);
  if (byId("curves").dataset.key === key) return;
  byId("curves").dataset.key = key;
  byId("curves").replaceChildren(...items.map(([kind, text]) => make("li", { className: kind }, make("span", { className: "stroke" }), text)));
}

function showFlow() {
  const columns = now.columns.slice(1), place = byId("flow");
  if (place.dataset.key !== columns.map(({ path }) => path).join()) {
    place.dataset.key = columns.map(({ path }) => path).join();
    const figure = (column, kind) => {
      const canvas = make("canvas", { className: "matrix", role: "img" });
      canvas.dataset.flow = `${column.path}/${kind}`;
      return make("figure", {}, canvas, make("figcaption"));
    };
    place.replaceChildren(...columns.map((column) => make("div", { className: "layer" }, make("h3", { textContent: column.path }), figure(column, "activations"), figure(column, "gradients"))));
  }
  for (const column of columns)
    for (const kind of ["activations", "gradients"]) {
      const canvas = document.querySelector(`[data-flow="${CSS.escape(`${column.path}/${kind}`)}"]`), picture = column[kind];
      canvas.hidden = !picture;
      if (!picture) continue;
      drawPicture(canvas, picture);
      canvas.setAttribute("aria-label", `${kind} of ${column.path}, up to ${rounded(picture.scale)}`);
      canvas.nextElementSibling.textContent = `${kind}, up to ${rounded(picture.scale)}`;
    }
}

function showExamples() {
  const place = byId("examples");
  if (place.children.length !== now.examples.length)
    place.replaceChildren(
      ...now.examples.map((_, i) => {
        const button = make("button", { type: "button", className: "example" }, make("canvas"), make("span"));
        button.addEventListener("click", () => send({ do: "look", example: i }));
        return button;
      }),
    );
  now.examples.forEach(({ picture, target, predicted, share }, i) => {
    const button = place.children[i], right = target === predicted;
    drawPicture(button.querySelector("canvas"), picture);
    const text = `${predicted}${share === null ? "" : ` ${Math.round(100 * share)} %`}`;
    button.querySelector("span").textContent = text;
    button.classList.toggle("wrong", spec.classes.length > 0 && !right);
    button.setAttribute("aria-pressed", String(i === now.example));
    button.setAttribute("aria-label", `Example ${i + 1}, ${target}: predicted ${text}`);
  });
}

// The visitor's own table

/** Return the names of a table's columns, from its first line. */
function headings(text) {
  const line = text.replace(/^\ufeff/, "").split(/\r?\n/, 1)[0];
  const separator = [",", ";", "\t", "|"].reduce((best, each) => (line.split(each).length > line.split(best).length ? each : best));
  return line.split(separator).map((name) => name.trim().replace(/^"(.*)"$/, "$1"));
}

function takeTable(name, text, target) {
  table = { name, text, names: headings(text), target };
  running = false;
  byId("shapes").value = "own";
  send({ do: "table", name, text, target: target ?? table.names.at(-1) });
}

/** Let the visitor choose another column to predict. */
function tableTaken() {
  byId("target").replaceChildren(...table.names.map((name) => make("option", { value: name, textContent: name })));
  byId("target").value = table.target ?? table.names.at(-1);
  byId("target-label").hidden = false;
}

async function takeFile(file) {
  const bytes = await file.arrayBuffer();
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    text = new TextDecoder("windows-1252").decode(bytes); // of older spreadsheets
  }
  takeTable(file.name, text);
}

byId("file").addEventListener("change", ({ target }) => target.files.length && takeFile(target.files[0]));
byId("target").addEventListener("change", ({ target }) => {
  const { name, text } = table;
  takeTable(name, text, target.value);
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) takeFile(event.dataTransfer.files[0]);
});
byId("shapes").addEventListener("change", ({ target }) => {
  const shape = target.value, name = `${shape}.csv`;
  running = false;
  table = null;
  byId("target-label").hidden = true;
  send(shape ? { do: "table", name, text: tableOf(shape), spec: specOf(shape) } : { do: "first" });
});

// Buttons

byId("run").addEventListener("click", () => {
  running = !running;
  if (!running) tell("Paused");
  showButtons();
  work();
});
const once = (message) => () => ((running = false), send(message));
byId("step").addEventListener("click", once({ do: "train", steps: 1 }));
byId("back").addEventListener("click", () => once({ do: "back", steps: Number(byId("speed").value.split(",")[0]) > 100 ? 100 : Number(byId("speed").value.split(",")[0]) })());
byId("restart").addEventListener("click", once({ do: "restart" }));
byId("use").addEventListener("click", once({ do: "spec", get text() { return byId("text").value; } }));
byId("save").addEventListener("click", () => send({ do: "save" }));
byId("metric").addEventListener("change", showCurve);
for (const id of ["across", "up"]) byId(id).addEventListener("change", ({ target }) => send({ do: "look", [id]: target.value }));
dark.addEventListener("change", () => send({ do: "state" }));

showButtons();
send({ do: "state" });
