// Runs the playground's session in Pyodide; it has a thread of its own, so the page stays alive.
const NEEDED = [
  "annotated-types", "click", "numpy", "packaging", "platformdirs", "pluggy", "pyyaml", "rich", "threadpoolctl",
];

async function load({ pyodide, wheel, spec }) {
  const { loadPyodide } = await import(`${pyodide}pyodide.mjs`);
  const python = await loadPyodide({ indexURL: pyodide });
  await python.loadPackage([...NEEDED, wheel]);
  const file = await fetch(spec);
  if (!file.ok) throw new Error(`There is no ${spec} beside this page.`);
  python.globals.set("name", spec);
  python.globals.set("text", await file.text());
  return python.runPython(`
import json
from pathlib import Path
from mlpkit.verbs.play.session import session_in_browser

session = session_in_browser(name, text)
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
