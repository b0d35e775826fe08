// A model: a graph of operators with its inputs and outputs.

/**
 * @typedef {object} Input an input of a model
 * @property {string} name
 * @property {string} dtype
 * @property {number[]} shape of one row's part; [] for a column
 * @property {"number" | "category" | "date" | "pixels"} kind
 * @property {string} meaning
 * @property {string[]} choices the texts of the categories
 * @property {[number, number] | null} typical mean and standard deviation in training, if they are known
 * @property {[number, number] | null} extent least and greatest in training, if they are known
 */

/**
 * @typedef {object} Graph
 * @property {string} name of the model
 * @property {Input[]} inputs
 * @property {Record<string, string>} outputs the value of each output
 * @property {(string | number)[] | null} classes
 * @property {string[] | null} targets
 * @property {number} [coverage] the share of targets that intervals or sets should hold
 * @property {[string, string][]} layers the layers, each with its value
 * @property {Record<string, {dtype: string, shape: number[], offset?: number, elements?: string[]}>} constants
 * @property {{operator: string, inputs: string[], output: string, attributes: Record<string, any>}[]} nodes
 */

/** @typedef {Record<string, unknown> | ArrayLike<unknown>} Row values by input, or in the order of inputs; or pixels */

/**
 * @typedef {object} Prediction a model's prediction for a row
 * @property {any} [label] the most probable class; or 0 or 1 for each label
 * @property {number[]} [probabilities] of each class, or of each label
 * @property {any} [value] a number in the unit of the target; or numbers, if there are several targets
 * @property {any} [low] the lower end of its interval, or of the interval of each
 * @property {any} [high] the upper end
 * @property {boolean[]} [set] whether each class is in the set
 */

/**
 * @typedef {object} Model
 * @property {string} name
 * @property {Input[]} inputs the inputs, in order
 * @property {(string | number)[] | null} classes the classes, in the order of their probabilities
 * @property {string[] | null} targets the names of labels or values
 * @property {Record<string, string>} outputs
 * @property {number} [coverage] the share of targets that intervals or sets should hold
 * @property {[string, string][]} layers
 * @property {(rows: ArrayLike<Row>) => Prediction[]} predict the predictions for rows
 * @property {(rows: ArrayLike<Row>) => Record<string, Tensor>} feeds rows as the graph's inputs
 * @property {(given: Record<string, Tensor>, wanted: string[]) => Tensor[]} compute values of the graph from others
 */

/** @param {string} base64 */
function fromBase64(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Arrays from bytes, which are little-endian like every engine today. @returns {Record<string, Tensor>} */
function unpacked(arrays, bytes) {
  const dataOf = ({ dtype, shape, offset, elements }) =>
    elements ?? new ARRAYS[dtype](bytes.slice(offset, offset + sizeOf(shape) * ARRAYS[dtype].BYTES_PER_ELEMENT).buffer);
  return Object.fromEntries(Object.entries(arrays).map(([name, x]) => [name, tensor(x.dtype, x.shape, dataOf(x))]));
}

/** A date as seconds since 1970, in UTC if it names no zone. */
function secondsOf(v) {
  if (typeof v !== "string") return Number(v) / (v instanceof Date ? 1000 : 1);
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(v);
  return Date.parse(v.includes(":") && !hasZone ? `${v.replace(" ", "T")}Z` : v) / 1000;
}

/** The elements of nested arrays as a flat array. */
function flat(/** @type {any} */ v) {
  return Array.isArray(v) || ArrayBuffer.isView(v) ? Array.from(/** @type {any} */ (v)).flatMap(flat) : [v];
}

/** An object's own property; undefined for an inherited one. */
function ownValue(row, name) {
  return Object.hasOwn(row, name) || !(name in Object.prototype) ? row[name] : undefined;
}

/** A row's numbers or texts for an input. */
function elementsOf(row, number, input, position, isOnly) {
  const isList = Array.isArray(row) || ArrayBuffer.isView(row), place = `row ${number}, input "${input.name}"`;
  const v = isList ? (isOnly && input.shape.length ? row : row[position]) : ownValue(Object(row), input.name);
  if (v === undefined) throw new TypeError(`${place}: nothing is given; give a value, or null if it is missing`);
  if (input.shape.length) {
    const elements = flat(v);
    if (elements.length === sizeOf(input.shape) && elements.every((each) => typeof each === "number")) return elements;
    throw new TypeError(`${place}: ${elements.length} elements are given; expected numbers of shape (${input.shape})`);
  }
  if (input.dtype === "str") return [v === null ? "" : String(v)];
  if (v === null || v === "" || Number.isNaN(v)) return [NaN];
  const element = input.kind === "date" ? secondsOf(v) : typeof v === "object" ? NaN : Number(v);
  if (!Number.isNaN(element)) return [element];
  throw new TypeError(`${place}: ${JSON.stringify(v)} is given; expected a ${input.kind}, or null if it is missing`);
}

/** A row of an output: a number or a text if it has a single element, otherwise an array. */
function rowOf({ dtype, shape, data }, row, isValue) {
  const size = sizeOf(shape.slice(1)), numbers = Array.from(data.slice(row * size, (row + 1) * size));
  const elements = dtype === "bool" ? numbers.map(Boolean) : numbers;
  return shape.length === 1 || (isValue && size === 1) ? elements[0] : elements;
}

/** @param {Graph} graph @param {Uint8Array} bytes its constants @returns {Model} */
function load(graph, bytes) {
  const { nodes, constants: stored, inputs, outputs, ...rest } = graph;
  const constants = unpacked(stored, bytes);

  /** @type {Model["compute"]} */
  function compute(given, wanted) {
    const values = new Map(Object.entries({ ...constants, ...given }));
    for (const node of needed(given, wanted)) {
      const taken = /** @type {Tensor[]} */ (node.inputs.map((name) => values.get(name)));
      values.set(node.output, run(node.operator, taken, node.attributes));
    }
    return /** @type {Tensor[]} */ (wanted.map((name) => values.get(name)));
  }

  /** The nodes on which the wanted values depend, in order. */
  function needed(given, wanted) {
    const names = new Set(wanted);
    const backwards = [...nodes].reverse().filter((node) => {
      const isNeeded = names.has(node.output) && !Object.hasOwn(given, node.output);
      if (isNeeded) node.inputs.forEach((name) => names.add(name));
      return isNeeded;
    });
    return backwards.reverse();
  }

  /** @type {Model["feeds"]} */
  function feeds(rows) {
    return Object.fromEntries(inputs.map((input, i) => {
      const elements = Array.from(rows, (row, number) => elementsOf(row, number, input, i, inputs.length === 1));
      const data = ARRAYS[input.dtype].from(elements.flat());
      return [input.name, tensor(input.dtype, [rows.length, ...input.shape], data)];
    }));
  }

  /** @type {Model["predict"]} */
  function predict(rows) {
    if (typeof rows?.length !== "number") throw new TypeError("expected a list of rows, such as predict([row])");
    const names = Object.keys(outputs), found = rows.length ? compute(feeds(rows), Object.values(outputs)) : [];
    return Array.from(rows, (_, row) => {
      return Object.fromEntries(names.map((name, i) => [name, rowOf(found[i], row, ["value", "low", "high"].includes(name))]));
    });
  }

  return { ...rest, inputs, outputs, predict, feeds, compute };
}
