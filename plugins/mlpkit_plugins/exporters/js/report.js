// The end of a module that proves a model: prints tensors as JSON, in the terminal or in the page.

function report(tensors) {
  const plain = (v) => (typeof v === "number" && !Number.isFinite(v) ? String(v) : v);
  const found = tensors.map(({ dtype, shape, data }) => ({ dtype, shape, elements: Array.from(data, plain) }));
  const text = JSON.stringify(found);
  if (globalThis.document) document.body.textContent = text;
  else console.log(text);
}
