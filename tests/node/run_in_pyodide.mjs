// Runs a program in Pyodide: node run_in_pyodide.mjs PYODIDE WHEEL MODULES PROGRAM prints what the program's last line is.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, wheel, modules, program] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: folder });
const lock = JSON.parse(readFileSync(`${folder}/pyodide-lock.json`, "utf8"));
const quietly = { messageCallback() {} };
await python.loadPackage(Object.keys(lock.packages), quietly);
await python.loadPackage(wheel, quietly);
python.mountNodeFS("/modules", modules);
console.log(python.runPython(program));
