// Loads Python with mlpkit, and trains the specs that the page sends; it has a thread of its own, so the page stays alive.
const NEEDED = [
  "annotated-types", "click", "numpy", "packaging", "platformdirs", "pluggy", "pyyaml", "rich", "threadpoolctl",
];

async function load({ pyodide, wheel }) {
  const { loadPyodide } = await import(`${pyodide}pyodide.mjs`);
  const python = await loadPyodide({ indexURL: pyodide });
  await python.loadPackage([...NEEDED, wheel]);
  const program = await fetch("train.py");
  return python.runPython(`${await program.text()}\ntrain`);
}

let train;

self.onmessage = async ({ data }) => {
  try {
    train ??= await load(data);
    train(data.spec, (event) => self.postMessage(JSON.parse(event)));
  } catch (error) {
    self.postMessage({ error: String(error.message ?? error) });
  }
};
