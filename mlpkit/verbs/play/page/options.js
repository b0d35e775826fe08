// Sliders for the numbers of the spec; each has a field beside it for exact numbers.
"use strict";

const STEPS = 200;
const ends = new Map();

/** Return how a slider's position, from 0 to STEPS, becomes a number and back. */
function scaleOf(knob, spec) {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = knob.bounds;
  const least = minimum ?? exclusiveMinimum ?? -10, most = maximum ?? exclusiveMaximum;
  if (knob.integer) {
    const low = Math.max(1, least);
    if (!ends.has(knob.key)) {
      const natural = knob.key === "training.batch_size" ? spec.sizes.train : Math.max(64, 8 * knob.value);
      ends.set(knob.key, Math.max(low + 1, Math.min(most ?? Infinity, natural)));
    }
    const ratio = ends.get(knob.key) / low;
    return {
      number: (at) => (at < 1 ? least : Math.round(low * ratio ** (at / STEPS))),
      position: (value) => (value < low ? 0 : (STEPS * Math.log(value / low)) / Math.log(ratio)),
    };
  }
  if (most !== undefined) {
    const inside = (most - least) / 100, first = exclusiveMinimum === undefined ? least : least + inside;
    const range = (exclusiveMaximum === undefined ? most : most - inside) - first;
    return { number: (at) => Number((first + (range * at) / STEPS).toPrecision(3)), position: (value) => (STEPS * (value - first)) / range };
  }
  const powers = 8; // from 1e-6 to 100; at the left end zero, where that is allowed
  return {
    number: (at) => (at < 1 && minimum === 0 ? 0 : Number((10 ** (-6 + (powers * at) / STEPS)).toPrecision(2))),
    position: (value) => (value <= 0 ? 0 : (STEPS * (Math.log10(value) + 6)) / powers),
  };
}

let knobsShown = "";

function showKnobs(spec, actions) {
  const now = JSON.stringify(spec.knobs.map(({ key }) => key));
  if (now !== knobsShown) {
    const groups = [...new Set(spec.knobs.map(({ group }) => group))];
    byId("knobs").replaceChildren(...groups.map((group) => groupOf(group, spec.knobs.filter((knob) => knob.group === group))));
    knobsShown = now;
  }
  for (const knob of spec.knobs) fillKnob(knob, spec, actions);
}

function groupOf(group, knobs) {
  const rows = knobs.map((knob) => {
    const slider = make("input", { type: "range", min: 0, max: STEPS, step: 1 });
    const field = make("input", { type: "text", inputMode: "decimal", autocomplete: "off" });
    slider.setAttribute("aria-label", `${group}: ${knob.label}`);
    field.setAttribute("aria-label", `${group}: ${knob.label}, exactly`);
    const row = make("div", { className: "knob", title: knob.meaning }, make("span", { textContent: knob.label }), field, slider);
    row.dataset.key = knob.key;
    return row;
  });
  return make("details", { open: knobs.some(({ key }) => /learning_rate$|batch_size$|weight_decay$|\.rate$/.test(key)) }, make("summary", { textContent: group }), ...rows);
}

function fillKnob(knob, spec, actions) {
  const row = document.querySelector(`[data-key="${CSS.escape(knob.key)}"]`), [field, slider] = row.querySelectorAll("input");
  const scale = scaleOf(knob, spec);
  if (document.activeElement !== slider) slider.value = Math.round(scale.position(knob.value));
  if (document.activeElement !== field) field.value = knob.value;
  slider.setAttribute("aria-valuetext", String(knob.value));
  slider.oninput = () => {
    field.value = scale.number(Number(slider.value));
    actions.set(knob.key, Number(field.value));
  };
  field.onchange = () => {
    const number = Number(field.value);
    actions.set(knob.key, field.value.trim() === "" || Number.isNaN(number) ? field.value : number);
  };
}
