document.addEventListener("DOMContentLoaded", () => {
  const chooser = document.getElementById("version");
  const shown = chooser.value;
  chooser.replaceChildren(...VERSIONS.map((name) => new Option(name, name, false, name === shown)));
  chooser.addEventListener("change", () => location.assign(`${chooser.dataset.root}${chooser.value}/index.html`));
});
