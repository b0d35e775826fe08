// Tables of two columns and two classes, made on the page.
"use strict";

const ROWS = 400;

/** Return numbers from 0 to 1 that are the same each time (mulberry32). */
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const shapes = {
  spirals(random, i) {
    const side = i % 2, turn = Math.sqrt(random()) * 3.2 * Math.PI, radius = turn / 2;
    const angle = turn + side * Math.PI;
    return [radius * Math.cos(angle) + 0.3 * (random() - 0.5), radius * Math.sin(angle) + 0.3 * (random() - 0.5), side];
  },
  circle(random, i) {
    const side = i % 2, radius = side ? 3.4 + 1.4 * random() : 2.4 * Math.sqrt(random()), angle = 2 * Math.PI * random();
    return [radius * Math.cos(angle), radius * Math.sin(angle), side];
  },
  xor(random) {
    const x = 10 * random() - 5, y = 10 * random() - 5, apart = (value) => value + (value > 0 ? 0.3 : -0.3);
    return [apart(x), apart(y), Number(x * y > 0)];
  },
  clouds(random, i) {
    const side = i % 2, middle = side ? 2 : -2;
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return [middle + normal(), middle + normal(), side];
  },
};

/** Return a shape as the text of a CSV file. */
function tableOf(shape) {
  const random = generator(7);
  const rows = Array.from({ length: ROWS }, (_, i) => shapes[shape](random, i));
  return "x,y,side\n" + rows.map(([x, y, side]) => `${x.toFixed(4)},${y.toFixed(4)},${side ? "B" : "A"}\n`).join("");
}

/** Return a spec for a shape: a network that is small enough to be seen whole. */
const specOf = (shape) => `mlpkit: 1
name: ${shape}
data:
  csv: {file: ${shape}.csv, target: side, validation: 0.25}
layers:
  - Affine: {units: 8}
  - Tanh
  - Affine: {units: 6}
  - Tanh
  - Affine: {units: 2}
  - SoftmaxWithLoss
training:
  optimizer: {adam: {learning_rate: 0.03}}
  batch_size: 32
  iterations: 2000
  metrics: [accuracy]
`;
