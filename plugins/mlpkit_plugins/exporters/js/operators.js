// ONNX's operators. A tensor holds its elements in row-major order; sums are computed in double precision, and rounded
// by the typed array that stores them.

/** @typedef {{dtype: string, shape: number[], data: any}} Tensor */
/** @typedef {(inputs: Tensor[], attributes: Record<string, any>) => Tensor} Operator */

/** The arrays that hold elements of each dtype; integers are exact up to 2^53. @type {Record<string, any>} */
const ARRAYS = { float32: Float32Array, float64: Float64Array, int64: Float64Array, bool: Uint8Array, str: Array };

/** The dtypes by their numbers in ONNX; all integers have the same form. @type {Record<number, string>} */
const DTYPES = {
  ...Object.fromEntries([2, 3, 4, 5, 6, 7, 12, 13].map((number) => [number, "int64"])),
  ...{ 1: "float32", 8: "str", 9: "bool", 11: "float64" },
};

/** @param {number[]} shape */
const sizeOf = (shape) => shape.reduce((size, length) => size * length, 1);

/** @returns {Tensor} */
const tensor = (dtype, shape, data = new ARRAYS[dtype](sizeOf(shape))) => ({ dtype, shape, data });

const reshaped = (x, shape) => tensor(x.dtype, shape, x.data);

/** An axis, which may be counted from the end. */
const fromFront = (axis, rank) => (axis < 0 ? axis + rank : axis);

const withoutAxis = (x, axis) => reshaped(x, x.shape.filter((_, i) => i !== fromFront(axis, x.shape.length)));

/** @param {number[]} shape */
function stridesOf(shape) {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/** The positions of an array's elements, given the shape and the step along each axis. */
function walk(shape, steps, start = 0) {
  const positions = new Int32Array(sizeOf(shape)), index = shape.map(() => 0);
  for (let i = 0, position = start; i < positions.length; i++) {
    positions[i] = position;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += steps[axis];
      if (++index[axis] < shape[axis]) break;
      position -= steps[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return positions;
}

/** The elements of x at some positions, in another shape. */
function picked(x, shape, positions) {
  const y = tensor(x.dtype, shape);
  for (let i = 0; i < positions.length; i++) y.data[i] = x.data[positions[i]];
  return y;
}

/** y with the elements of x written to some positions. */
function placed(y, positions, x) {
  for (let i = 0; i < positions.length; i++) y.data[positions[i]] = x.data[i];
  return y;
}

/** @param {number[][]} shapes */
function broadcastShape(...shapes) {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const lengths = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const length = lengths.find((each) => each !== 1) ?? 1;
    if (lengths.every((each) => each === 1 || each === length)) return length;
    throw new Error(`the shapes ${shapes.map((shape) => `(${shape})`).join(" and ")} don't fit each other`);
  });
}

/** The source of each element when an array of shape `from` is broadcast to shape `to`. */
function broadcastPositions(from, to) {
  const strides = stridesOf(from), added = to.length - from.length;
  return walk(to, to.map((_, axis) => ((from[axis - added] ?? 1) === 1 ? 0 : strides[axis - added])));
}

/** x with the positions in `sources` along an axis; `fill` where a source is null. */
function along(x, axis, sources, fill = 0) {
  const at = fromFront(axis, x.shape.length), inner = sizeOf(x.shape.slice(at + 1)), length = x.shape[at];
  const y = tensor(x.dtype, [...x.shape.slice(0, at), sources.length, ...x.shape.slice(at + 1)]);
  for (let i = 0; i < y.data.length; i++) {
    const line = Math.floor(i / inner), source = sources[line % sources.length];
    const start = (Math.floor(line / sources.length) * length + source) * inner;
    y.data[i] = source === null ? fill : x.data[start + (i % inner)];
  }
  return y;
}

/** Calls `f(start, step, length, number of the line)` for each line along an axis. */
function lines(shape, axis, f) {
  const at = fromFront(axis, shape.length), step = sizeOf(shape.slice(at + 1)), length = shape[at];
  for (let line = 0; line < sizeOf(shape.slice(0, at)) * step; line++) {
    f(Math.floor(line / step) * length * step + (line % step), step, length, line);
  }
}

/** @returns {Operator} on single elements */
const each = (f, dtype) => ([x], attributes) =>
  tensor(dtype ?? x.dtype, x.shape, ARRAYS[dtype ?? x.dtype].from(x.data, (v) => f(v, attributes)));

/** @returns {Operator} on pairs of elements, broadcast */
const pairwise = (f, dtype) => ([a, b]) => {
  const y = tensor(dtype ?? a.dtype, broadcastShape(a.shape, b.shape));
  const i = broadcastPositions(a.shape, y.shape), j = broadcastPositions(b.shape, y.shape);
  for (let k = 0; k < i.length; k++) y.data[k] = f(a.data[i[k]], b.data[j[k]]);
  return y;
};

/** @returns {Operator} on any number of arrays, combined pairwise */
const joined = (f) => (inputs) => inputs.reduce((a, b) => pairwise(f)([a, b], {}));

/** @type {Operator} */
const where = ([condition, a, b]) => {
  const y = tensor(a.dtype, broadcastShape(condition.shape, a.shape, b.shape));
  const [i, j, k] = [condition, a, b].map((x) => broadcastPositions(x.shape, y.shape));
  for (let n = 0; n < i.length; n++) y.data[n] = condition.data[i[n]] ? a.data[j[n]] : b.data[k[n]];
  return y;
};

/** The elements of x in another dtype. */
function cast(x, dtype) {
  const element = { str: String, bool: (v) => (Number(v) ? 1 : 0), int64: (v) => Math.trunc(Number(v)) }[dtype];
  return tensor(dtype, x.shape, ARRAYS[dtype].from(x.data, element ?? Number));
}

/** The error function by its series and, from 2.5 on, its continued fraction (Abramowitz and Stegun 7.1.6, 7.1.14). */
function erf(x) {
  const z = Math.abs(x);
  if (z < 2.5) {
    let term = z, sum = z;
    for (let n = 1; term > 1e-17 * sum; n++) sum += term *= (2 * z * z) / (2 * n + 1);
    return (Math.sign(x) * 2 * sum * Math.exp(-z * z)) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / ((z + fraction) * Math.sqrt(Math.PI)));
}

const sigmoid = (v) => (v < 0 ? Math.exp(v) / (1 + Math.exp(v)) : 1 / (1 + Math.exp(-v)));

const clamped = (v, low, high) => Math.min(Math.max(v, low), high);

const selu = (v, alpha, gamma) => gamma * (v > 0 ? v : alpha * Math.expm1(v));

/** The nearest integer, half to even. */
function nearest(v) {
  const lower = Math.floor(v), rest = v - lower;
  return rest < 0.5 || (rest === 0.5 && lower % 2 === 0) ? lower : lower + 1;
}

/** Writes the product of two matrices, (m, k) and (k, n), to y. */
function product(a, b, [m, k, n], y) {
  const sums = new Float64Array(n);
  for (let row = 0; row < m; row++) {
    sums.fill(0);
    for (let i = 0; i < k; i++) {
      const factor = a[row * k + i];
      if (factor === 0) continue;
      for (let column = 0, j = i * n; column < n; column++, j++) sums[column] += factor * b[j];
    }
    y.set(sums, row * n);
  }
  return y;
}

/** @type {Operator} */
const gemm = ([a, b, c], { alpha = 1, beta = 1, transA = 0, transB = 0 }) => {
  if (transA) a = transpose([a], {});
  if (transB) b = transpose([b], {});
  const [m, k] = a.shape, n = b.shape[1], y = tensor(a.dtype, [m, n]);
  const sums = product(a.data, b.data, [m, k, n], new Float64Array(m * n));
  const positions = c && broadcastPositions(c.shape, y.shape);
  for (let i = 0; i < sums.length; i++) y.data[i] = alpha * sums[i] + (c ? beta * c.data[positions[i]] : 0);
  return y;
};

/** @type {Operator} */
const matmul = ([a, b]) => {
  if (a.shape.length === 1) return withoutAxis(matmul([reshaped(a, [1, ...a.shape]), b], {}), -2);
  if (b.shape.length === 1) return withoutAxis(matmul([a, reshaped(b, [...b.shape, 1])], {}), -1);
  const [m, k, n] = [...a.shape.slice(-2), b.shape[b.shape.length - 1]];
  const batches = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2)), y = tensor(a.dtype, [...batches, m, n]);
  const [i, j] = [a, b].map((x) => broadcastPositions(x.shape.slice(0, -2), batches));
  for (let batch = 0; batch < i.length; batch++) {
    const left = a.data.subarray(i[batch] * m * k), right = b.data.subarray(j[batch] * k * n);
    product(left, right, [m, k, n], y.data.subarray(batch * m * n));
  }
  return y;
};

/** The index of each element of an array of some shape, from its position. */
function indexOf(position, shape) {
  return stridesOf(shape).map((stride, axis) => Math.floor(position / stride) % shape[axis]);
}

/** The pixels of windows: `pixel[i]` of the image is `inner[i]` of window `place[i]`. */
function windows(image, kernel, attributes) {
  const ones = kernel.map(() => 1), none = Array(2 * kernel.length).fill(0);
  const { strides = ones, dilations = ones, pads = none } = attributes;
  const shape = image.map((length, i) => {
    const room = length + pads[i] + pads[i + kernel.length] - (kernel[i] - 1) * dilations[i] - 1;
    return Math.floor(room / strides[i]) + 1;
  });
  const steps = stridesOf(image), count = sizeOf(shape);
  /** @type {number[][]} */ const [pixel, inner, place] = [[], [], []];
  const cells = Array.from({ length: sizeOf(kernel) }, (_, i) => indexOf(i, kernel));
  for (let window = 0; window < count; window++) {
    const corner = indexOf(window, shape).map((n, i) => n * strides[i] - pads[i]);
    cells.forEach((cell, number) => {
      const at = cell.map((n, i) => corner[i] + n * dilations[i]);
      if (!at.every((n, i) => n >= 0 && n < image[i])) return;
      pixel.push(at.reduce((sum, n, i) => sum + n * steps[i], 0));
      inner.push(number);
      place.push(window);
    });
  }
  return { shape, count, pixel, inner, place };
}

/** Patches become columns of a matrix, so that a convolution is a product. @type {Operator} */
const conv = ([x, w, b], attributes) => {
  const [rows, , ...image] = x.shape, [filters, depth, ...kernel] = w.shape, { group = 1 } = attributes;
  const { shape, pixel, inner, place } = windows(image, kernel, attributes);
  const y = tensor(x.dtype, [rows, filters, ...shape]);
  const [pixels, area, places] = [image, kernel, shape].map(sizeOf), share = filters / group;
  const patches = new Float64Array(depth * area * places), sums = new Float64Array(share * places);
  for (let part = 0; part < rows * group; part++) {
    const images = x.data.subarray(part * depth * pixels), first = (part % group) * share;
    for (let c = 0; c < depth; c++) {
      for (let i = 0; i < pixel.length; i++) {
        patches[(c * area + inner[i]) * places + place[i]] = images[c * pixels + pixel[i]];
      }
    }
    product(w.data.subarray(first * depth * area), patches, [share, depth * area, places], sums);
    for (let i = 0; i < sums.length; i++) {
      y.data[part * sums.length + i] = sums[i] + (b ? b.data[first + Math.floor(i / places)] : 0);
    }
  }
  return y;
};

/** @returns {Operator} that reduces the pixels of each window to one number */
const pool = (first, join, finish) => ([x], attributes) => {
  const [rows, channels, ...image] = x.shape, { kernel_shape: kernel = image } = attributes;
  const { shape, count, pixel, place } = windows(image, kernel, attributes);
  const y = tensor(x.dtype, [rows, channels, ...shape]);
  const counts = new Float64Array(count), found = new Float64Array(count);
  for (const window of place) counts[window]++;
  for (let plane = 0; plane < rows * channels; plane++) {
    const pixels = x.data.subarray(plane * sizeOf(image));
    found.fill(first);
    for (let i = 0; i < pixel.length; i++) found[place[i]] = join(found[place[i]], pixels[pixel[i]]);
    const finished = found.map((v, window) => finish(v, counts[window]));
    y.data.set(finished, plane * found.length);
  }
  return y;
};

const add = (a, b) => a + b;
const maxPool = pool(-Infinity, Math.max, (v) => v);
const averagePool = pool(0, add, (sum, count) => sum / count);

/** exp(x - max x) / Σ exp(x - max x), or its logarithm. @returns {Operator} */
const softmax = (finish) => ([x], { axis = -1 }) => {
  const y = tensor(x.dtype, x.shape);
  lines(x.shape, axis, (start, step, length) => {
    let max = -Infinity, sum = 0;
    for (let i = 0; i < length; i++) max = Math.max(max, x.data[start + i * step]);
    for (let i = 0; i < length; i++) sum += Math.exp(x.data[start + i * step] - max);
    for (let i = 0; i < length; i++) y.data[start + i * step] = finish(x.data[start + i * step] - max, sum);
  });
  return y;
};

/** (x - mean) / √(variance + epsilon), then a scale and a shift, channel by channel. @type {Operator} */
const batchNormalization = ([x, scale, shift, mean, variance], { epsilon = 1e-5 }) => {
  const y = tensor(x.dtype, x.shape), channels = x.shape[1], area = sizeOf(x.shape.slice(2));
  for (let i = 0; i < y.data.length; i++) {
    const c = Math.floor(i / area) % channels, deviation = Math.sqrt(variance.data[c] + epsilon);
    y.data[i] = ((x.data[i] - mean.data[c]) / deviation) * scale.data[c] + shift.data[c];
  }
  return y;
};

/** (x - mean) / √(variance + epsilon), over contiguous blocks of elements. */
function standardized(x, size, epsilon) {
  const y = tensor(x.dtype, x.shape);
  for (let start = 0; start < y.data.length; start += size) {
    const block = x.data.subarray(start, start + size), mean = block.reduce(add, 0) / size;
    const deviation = Math.sqrt(block.reduce((sum, v) => sum + (v - mean) ** 2, 0) / size + epsilon);
    for (let i = 0; i < size; i++) y.data[start + i] = (block[i] - mean) / deviation;
  }
  return y;
}

/** @type {Operator} */
const layerNormalization = ([x, scale, shift], { axis = -1, epsilon = 1e-5 }) => {
  const y = standardized(x, sizeOf(x.shape.slice(fromFront(axis, x.shape.length))), epsilon);
  const scaled = run("Mul", [y, scale]);
  return shift ? run("Add", [scaled, shift]) : scaled;
};

/** @returns {Operator} that reduces the elements along axes, from an attribute or an input, to one number */
const reduce = (first, join, finish = (v, _count) => v) => ([x, input], attributes) => {
  const { axes = input ? [...input.data] : [], keepdims = 1 } = attributes;
  const given = axes.map((axis) => fromFront(axis, x.shape.length));
  const isGone = (axis) => !given.length || given.includes(axis);
  const kept = x.shape.map((length, axis) => (isGone(axis) ? 1 : length));
  const into = broadcastPositions(kept, x.shape), found = new Float64Array(sizeOf(kept)).fill(first);
  for (let i = 0; i < into.length; i++) found[into[i]] = join(found[into[i]], x.data[i]);
  const y = ARRAYS[x.dtype].from(found, (v) => finish(v, into.length / found.length));
  return tensor(x.dtype, keepdims ? kept : x.shape.filter((_, axis) => !isGone(axis)), y);
};

/** The position of the first largest element of each line. @type {Operator} */
const argMax = ([x], { axis = 0, keepdims = 1 }) => {
  const at = fromFront(axis, x.shape.length), y = tensor("int64", x.shape.map((length, i) => (i === at ? 1 : length)));
  lines(x.shape, at, (start, step, length, line) => {
    for (let i = 1; i < length; i++) {
      if (x.data[start + i * step] > x.data[start + y.data[line] * step]) y.data[line] = i;
    }
  });
  return keepdims ? y : withoutAxis(y, at);
};

/** @type {Operator} */
const reshape = ([x, shape]) => {
  const lengths = Array.from(shape.data, (length, axis) => length || x.shape[axis]);
  const known = sizeOf(lengths.filter((length) => length !== -1));
  return reshaped(x, lengths.map((length) => (length === -1 ? x.data.length / known : length)));
};

/** @type {Operator} */
const flatten = ([x], { axis = 1 }) => {
  const at = fromFront(axis, x.shape.length);
  return reshaped(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))]);
};

/** @type {Operator} */
const squeeze = ([x, axes]) => {
  const given = axes && Array.from(axes.data, (axis) => fromFront(axis, x.shape.length));
  return reshaped(x, x.shape.filter((length, axis) => (given ? !given.includes(axis) : length !== 1)));
};

/** @type {Operator} */
const unsqueeze = ([x, axes]) => {
  const shape = [...x.shape], rank = shape.length + axes.data.length;
  const added = Array.from(axes.data, (axis) => fromFront(axis, rank)).sort((a, b) => a - b);
  for (const axis of added) shape.splice(axis, 0, 1);
  return reshaped(x, shape);
};

/** @type {Operator} */
const transpose = ([x], { perm = x.shape.map((_, axis) => x.shape.length - 1 - axis) }) => {
  const strides = stridesOf(x.shape), shape = perm.map((axis) => x.shape[axis]);
  return picked(x, shape, walk(shape, perm.map((axis) => strides[axis])));
};

/** @type {Operator} */
const expand = ([x, shape]) => {
  const to = broadcastShape(x.shape, Array.from(shape.data));
  return picked(x, to, broadcastPositions(x.shape, to));
};

/** @type {Operator} */
const concat = (parts, { axis }) => {
  const shape = [...parts[0].shape], at = fromFront(axis, shape.length);
  shape[at] = parts.reduce((length, part) => length + part.shape[at], 0);
  const y = tensor(parts[0].dtype, shape), strides = stridesOf(shape);
  let start = 0;
  for (const part of parts) {
    placed(y, walk(part.shape, strides, start), part);
    start += part.shape[at] * strides[at];
  }
  return y;
};

/** @type {Operator} */
const slice = ([x, starts, ends, axes, steps]) => {
  return starts.data.reduce((y, _, i) => {
    const axis = fromFront(axes ? axes.data[i] : i, y.shape.length), length = y.shape[axis];
    const step = steps ? steps.data[i] : 1;
    const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
    const [from, to] = [starts, ends].map(({ data }) => clamped(fromFront(data[i], length), low, high));
    const count = Math.max(0, Math.ceil((to - from) / step));
    return along(y, axis, Array.from({ length: count }, (_, n) => from + n * step));
  }, x);
};

/** @type {Operator} */
const gather = ([x, indices], { axis = 0 }) => {
  const at = fromFront(axis, x.shape.length);
  const y = along(x, at, Array.from(indices.data, (index) => fromFront(index, x.shape[at])));
  return reshaped(y, [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)]);
};

/** The source of each element of a padded axis. @type {Record<string, (i: number, length: number) => number | null>} */
const PADDING = {
  constant: (i, length) => (i >= 0 && i < length ? i : null),
  edge: (i, length) => clamped(i, 0, length - 1),
  reflect: (i, length) => length - 1 - Math.abs(length - 1 - (Math.abs(i) % Math.max(2 * length - 2, 1))),
};

/** @type {Operator} */
const pad = ([x, pads, value], { mode = "constant" }) => {
  return x.shape.reduce((y, length, axis) => {
    const before = pads.data[axis], after = pads.data[axis + x.shape.length];
    const sources = Array.from({ length: before + length + after }, (_, i) => PADDING[mode](i - before, length));
    return along(y, axis, sources, value ? value.data[0] : 0);
  }, x);
};

/** @type {Operator} */
const tile = ([x, repeats]) => {
  const apart = reshaped(x, x.shape.flatMap((length) => [1, length]));
  const to = x.shape.flatMap((length, axis) => [repeats.data[axis], length]);
  const y = picked(x, to, broadcastPositions(apart.shape, to));
  return reshaped(y, x.shape.map((length, axis) => length * repeats.data[axis]));
};

/** The dtypes of the values of labels, and the default values of unknown labels. */
const LABELS = { values_strings: ["str", "_Unused"], values_int64s: ["int64", -1], values_floats: ["float32", 0] };

/** The value of each key. @type {Operator} */
const labelEncoder = ([x], attributes) => {
  const named = (start) => Object.entries(attributes).find(([name]) => name.startsWith(start)) ?? ["", []];
  const [, keys] = named("keys_"), [kind, values] = named("values_"), [, given] = named("default_");
  const [dtype, usual] = LABELS[kind];
  const pairs = new Map(keys.map((key, i) => [key, values[i]])), other = Array.isArray(given) ? usual : given;
  return tensor(dtype, x.shape, ARRAYS[dtype].from(x.data, (v) => (pairs.has(v) ? pairs.get(v) : other)));
};

/** @type {Record<string, Operator>} */
const OPERATORS = {
  Abs: each(Math.abs),
  Add: pairwise(add),
  And: pairwise((a, b) => a && b, "bool"),
  ArgMax: argMax,
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Cast: ([x], { to }) => cast(x, DTYPES[to]),
  Ceil: each(Math.ceil),
  Clip: ([x, low, high]) => each((v) => clamped(v, low?.data[0] ?? -Infinity, high?.data[0] ?? Infinity))([x], {}),
  Concat: concat,
  Conv: conv,
  Cos: each(Math.cos),
  Div: ([a, b]) => pairwise(a.dtype === "int64" ? (u, v) => Math.trunc(u / v) : (u, v) => u / v)([a, b], {}),
  Elu: each((v, { alpha = 1 }) => (v < 0 ? alpha * Math.expm1(v) : v)),
  Equal: pairwise((a, b) => a === b, "bool"),
  Erf: each(erf),
  Exp: each(Math.exp),
  Expand: expand,
  Flatten: flatten,
  Floor: each(Math.floor),
  Gather: gather,
  Gemm: gemm,
  GlobalAveragePool: ([x]) => averagePool([x], {}),
  Greater: pairwise((a, b) => a > b, "bool"),
  GreaterOrEqual: pairwise((a, b) => a >= b, "bool"),
  HardSigmoid: each((v, { alpha = 0.2, beta = 0.5 }) => clamped(alpha * v + beta, 0, 1)),
  HardSwish: each((v) => v * clamped(v / 6 + 0.5, 0, 1)),
  Identity: ([x]) => x,
  IsNaN: each(Number.isNaN, "bool"),
  LabelEncoder: labelEncoder,
  LayerNormalization: layerNormalization,
  LeakyRelu: each((v, { alpha = 0.01 }) => (v < 0 ? alpha * v : v)),
  Less: pairwise((a, b) => a < b, "bool"),
  LessOrEqual: pairwise((a, b) => a <= b, "bool"),
  Log: each(Math.log),
  LogSoftmax: softmax((shifted, sum) => shifted - Math.log(sum)),
  MatMul: matmul,
  Max: joined(Math.max),
  MaxPool: maxPool,
  Min: joined(Math.min),
  Mul: pairwise((a, b) => a * b),
  Neg: each((v) => -v),
  Not: each((v) => !v),
  Or: pairwise((a, b) => a || b, "bool"),
  PRelu: pairwise((v, slope) => (v < 0 ? slope * v : v)),
  Pad: pad,
  Pow: pairwise((a, b) => a ** b),
  Reciprocal: each((v) => 1 / v),
  ReduceMax: reduce(-Infinity, Math.max),
  ReduceMean: reduce(0, add, (sum, count) => sum / count),
  ReduceMin: reduce(Infinity, Math.min),
  ReduceSum: reduce(0, add),
  Relu: each((v) => Math.max(v, 0)),
  Reshape: reshape,
  Round: each(nearest),
  Selu: each((v, { alpha = 1.6732632423543772, gamma = 1.0507009873554805 }) => selu(v, alpha, gamma)),
  Sigmoid: each(sigmoid),
  Sign: each(Math.sign),
  Sin: each(Math.sin),
  Slice: slice,
  Softmax: softmax((shifted, sum) => Math.exp(shifted) / sum),
  Softplus: each((v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)))),
  Softsign: each((v) => v / (1 + Math.abs(v))),
  Sqrt: each(Math.sqrt),
  Squeeze: squeeze,
  Sub: pairwise((a, b) => a - b),
  Tanh: each(Math.tanh),
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Where: where,
};

/** The result of an operator. */
const run = (name, inputs, attributes = {}) => OPERATORS[name](inputs, attributes);
