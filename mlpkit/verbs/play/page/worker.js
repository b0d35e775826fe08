// Runs the playground's session in Pyodide; it has a thread of its own, so the page stays alive.
const NEEDED = [
  "annotated-types", "click", "numpy", "packaging", "platformdirs", "pluggy", "pyyaml", "rich", "threadpoolctl",
];

async function load({ pyodide, wheel }) {
  const { loadPyodide } = await import(`${pyodide}pyodide.mjs`);
  const python = await loadPyodide({ indexURL: pyodide });
  await python.loadPackage([...NEEDED, wheel]);
  const spec = await (await fetch("spec.yaml")).text();
  python.globals.set("spec", spec);
  return python.runPython(`
import json
from pathlib import Path
from mlpkit.verbs.play.session import session_in_browser

session = session_in_browser(spec)
lambda message: json.dumps(session.handle(json.loads(message)))
`);
}

let handle;

self.onmessage = async ({ data }) => {
  try {
    handle ??= load(data);
    self.postMessage({ answer: (await handle)(data.message) });
  } catch (error) {
    self.postMessage({ error: String(error.message ?? error) });
  }
};
