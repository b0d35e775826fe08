// In place of the worker with Pyodide: hands messages to another worker, which waits for them within Python.
const shared = new SharedArrayBuffer(8 + (1 << 22));
const flags = new Int32Array(shared, 0, 2), bytes = new Uint8Array(shared, 8);
const waiting = [], complaints = [];
let inner = null, free = false;

function next() {
  if (!free || !waiting.length) return;
  free = false;
  const line = new TextEncoder().encode(`${waiting.shift()}\n`);
  bytes.set(line);
  flags[1] = line.length;
  Atomics.store(flags, 0, 1);
  Atomics.notify(flags, 0);
}

function start(spec) {
  inner = new Worker("inner.js", { type: "module" });
  inner.onmessage = ({ data: { line, complaint, ended } }) => {
    if (complaint) complaints.push(complaint);
    if (ended) self.postMessage({ error: [ended, ...complaints].join("\n") });
    if (!line) return;
    if (line !== "ready") self.postMessage({ answer: line });
    free = true;
    next();
  };
  inner.postMessage({ shared, spec });
}

self.onmessage = ({ data }) => {
  if (!inner) start(data.spec);
  waiting.push(data.message);
  next();
};
