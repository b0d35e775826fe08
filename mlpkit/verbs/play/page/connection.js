// Carries messages to the session and its answers back: to mlpkit on this machine, or to Python inside the browser.
"use strict";

const { pyodide, wheel } = document.documentElement.dataset;
const asked = new URLSearchParams(location.search).get("spec") ?? "";
const specFile = /^[\w-]+(\/[\w-]+)*\.yaml$/.test(asked) ? asked : "spec.yaml"; // beside the page, and nowhere else

/** Return a function that sends a message and promises its answer; `tell` takes what the reader should know meanwhile. */
function connect(tell) {
  return pyodide ? throughWorker(tell) : throughServer(tell);
}

function throughServer(tell) {
  const ended = () => tell("The program that trains has ended: start mlpkit play again.", true);
  const stream = new EventSource("events");
  for (const event of ["end", "error"]) stream.addEventListener(event, () => (stream.close(), ended()));
  return async (message) => {
    const answer = await fetch("ask", { method: "POST", body: JSON.stringify(message) });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  };
}

function throughWorker(tell) {
  const absolute = (address) => new URL(address, document.baseURI).href;
  const worker = new Worker("worker.js", { type: "module" });
  const waiting = [];
  tell("Loading Python: 15 MB for the first time.");
  worker.onmessage = ({ data }) => {
    const { resolve, reject } = waiting.shift();
    if (data.error) reject(new Error(data.error));
    else resolve(JSON.parse(data.answer));
  };
  worker.onerror = (error) => tell(`The page could not start Python: ${error.message}`, true);
  return (message) => {
    worker.postMessage({ message: JSON.stringify(message), spec: specFile, pyodide: absolute(pyodide), wheel: absolute(wheel) });
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
}
